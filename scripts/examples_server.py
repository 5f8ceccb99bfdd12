"""The server that the examples of the documentation talk to: it answers with what it was asked.

    python -m scripts.examples_server        listen on http://localhost:8080, to try the examples by hand

It answers JSON, and some paths have contents of their own: see `Echo.answer`.
"""

import hashlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

from multidict import CIMultiDict
from wayfare_websocket import (
    DeflateParameters,
    Role,
    ServerAnswer,
    State,
    WebSocketEngine,
    WSMessage,
    WSMsgType,
    answer_handshake,
)

__all__ = ("EchoServer",)

EVENTS = {
    None: "retry: 100\nid: 1\ndata: first\n\nid: 2\ndata: second\n\n",
    "2": 'id: 3\nevent: price\ndata: {"symbol": "X", "price": 9.5}\n\n',
}
"""What /events says after each Last-Event-ID; after any other there is nothing more."""

CONTENTS = {
    "/item": '{"name": "lamp", "price": 9.5, "tags": ["new"], "stock": {"hall 1": 3}, "internal": 7}',
    "/items": '{"name": "lamp", "price": 9.5}\n{"name": "desk", "price": 120, "tags": ["oak"]}\n',
}
"""What some paths have."""


CONVERSATIONS = {
    "/chat": (),
    "/prices": ('{"symbol": "X", "price": 9.5}', '{"symbol": "X", "price": 9.75}'),
    "/archive": ("x" * 10_000_000,),
}
"""What a WebSocket at some paths says first; /chat repeats what it is told, the others end then."""


class EchoServer(ThreadingHTTPServer):
    """Runs `Echo`; `ended` wakes whoever still waits in it, `asked` counts what is busy at first."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Echo)
        self.ended = threading.Event()
        self.asked: Counter[str] = Counter()


class Echo(BaseHTTPRequestHandler):
    """Answers what was asked, as JSON: method, path, query, headers and body; /echo answers with the body itself.

    Other paths have contents of their own: see `answer`.
    """

    server: EchoServer
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        url = urlsplit(self.path)
        body = self.content()
        if url.path == "/slow":
            # Long enough for any timeout of an example; the page's client is gone by then.
            self.server.ended.wait(5)
            self.close_connection = True
            return
        if url.path == "/upgrade":
            self.switch()
            return
        if url.path in CONVERSATIONS:
            self.converse(CONVERSATIONS[url.path])
            return
        if url.path.startswith("/redirect/"):
            self.redirect(int(url.path.removeprefix("/redirect/")), parse_qs(url.query))
            return
        if url.path == "/private/digest" and not self.knows_digest():
            self.ask('Digest realm="private", nonce="n-1", qop="auth", algorithm=SHA-256')
            return
        if url.path.startswith("/busy/") and self.is_busy(url.path):
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        status = int(url.path.removeprefix("/status/")) if url.path.startswith("/status/") else 200
        content = json.dumps(
            {
                "method": self.command,
                "path": url.path,
                "query": parse_qs(url.query),
                "headers": dict(self.headers.items()),
                "body": body.decode("utf-8", "replace"),
            }
        ).encode()
        kind = "application/json"
        if url.path.startswith("/bytes/"):
            content = b"x" * int(url.path.removeprefix("/bytes/"))
        if url.path in CONTENTS:
            content = CONTENTS[url.path].encode()
        if url.path == "/events":
            text = EVENTS.get(self.headers.get("Last-Event-ID"), "")
            content, kind, status = text.encode(), "text/event-stream", 200 if text else 204
        if url.path == "/echo":
            content, kind = body, self.headers["Content-Type"]
        if url.path.startswith("/files/"):
            content, kind, status = b"x" * 20_000_000, "application/zip", 200
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Set-Cookie", "seen=yes; Path=/")
        self.end_headers()
        self.wfile.write(content)

    def content(self) -> bytes:
        """The request's content, whole: what is left unread would be taken for the next request."""
        if self.headers.get("Transfer-Encoding") is None:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip(b"\r\n"):
            pass
        return b"".join(pieces)

    def is_busy(self, path: str) -> bool:
        """Whether the path was asked for no more often than it says."""
        self.server.asked[path] += 1
        return self.server.asked[path] <= int(path.removeprefix("/busy/"))

    def knows_digest(self) -> bool:
        """Whether the request has the Digest credentials of "user" with the password "secret"."""
        said = parse_keqv_list(parse_http_list(self.headers.get("Authorization", "")))

        def digest(*parts: str) -> str:
            return hashlib.sha256(":".join(parts).encode()).hexdigest()

        secret = digest("user", "private", "secret")
        use = [said.get(name, "") for name in ("nc", "cnonce", "qop")]
        return said.get("response") == digest(secret, "n-1", *use, digest(self.command, self.path))

    def ask(self, challenge: str) -> None:
        """Ask for credentials."""
        self.send_response(401)
        self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def switch(self) -> None:
        """Leave HTTP for the protocol that was asked for, in which five octets come back."""
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.end_headers()
        self.wfile.write(self.rfile.read(5))
        self.close_connection = True

    def converse(self, texts: tuple[str, ...]) -> None:
        """Be a WebSocket: say the texts and go, or repeat what comes."""
        headers = CIMultiDict(self.headers.items())
        answer = answer_handshake(self.command, headers, deflate=DeflateParameters())
        assert isinstance(answer, ServerAnswer)
        self.send_response(101)
        for name, value in answer.fields:
            self.send_header(name, value)
        self.end_headers()
        engine = WebSocketEngine(Role.SERVER, deflate=answer.deflate)
        for text in texts:
            self.wfile.write(engine.send_text(text))
        if texts:
            self.wfile.write(engine.close(1001, "no more for now"))
        while engine.state is not State.CLOSED and (data := self.connection.recv(65536)):
            for message in engine.receive_data(data):
                if message.type is WSMsgType.TEXT:
                    self.wfile.write(engine.send_text(message.data))
                elif message.type is WSMsgType.PING and isinstance(message, WSMessage):
                    self.wfile.write(engine.pong(message.data))
            if engine.state is State.CLOSE_RECEIVED:
                self.wfile.write(engine.close(engine.close_code))
        self.close_connection = True

    def redirect(self, hops: int, query: dict[str, list[str]]) -> None:
        """That many redirects, the last one to `to` (/get unless given), with `status` (302)."""
        last = query.get("to", ["/get"])[0]
        self.send_response(int(query.get("status", ["302"])[0]))
        self.send_header("Location", f"/redirect/{hops - 1}" if hops > 1 else last)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    with EchoServer(8080) as running:
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            running.ended.set()
