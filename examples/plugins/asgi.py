"""A connector that calls an ASGI application in memory: no socket, no server, no second process.

    async with wayfare.ClientSession(connector=ASGIConnector(application)) as session:
        async with session.get("https://shop.example/basket") as response: ...

It uses public names alone. The application sees what a server would hand it (ASGI 3.0), whichever host the URL names;
requests and responses stream, each no faster than it is read. `https` is the scheme that the application sees: there is
nobody to encrypt for in memory. What the application raises is the `__cause__` of what the caller gets.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast
from urllib.parse import unquote

from wayfare_connector import BaseConnector, ConnectDeadline, ConnectObserver, Target
from wayfare_http_core import Connection, ConnectionOwner
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    BadRequestError,
    MemoryTransport,
    ReceivedRequest,
    RequestEnd,
    RequestScanner,
    memory_pair,
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

VERSIONS = {"version": "3.0", "spec_version": "2.4"}
UNREAD = 64 * 1024
"""Octets of a request that wait for the application before its client has to wait."""


class ASGIConnector(BaseConnector):
    """Hands each request to an application, over a connection of its own.

    `lifespan` says whether the application is told when it starts, at the first request, and when it ends, as the
    connector closes: True and False say so, None asks the application and goes on if it knows nothing of that. It may
    take `patience` seconds to end. `root_path` is where the application is mounted, `client` the address that it sees.
    Proxies are not asked. The rest: see `BaseConnector`.
    """

    def __init__(
        self,
        application: Application,
        *,
        lifespan: bool | None = None,
        patience: float | None = 10.0,
        root_path: str = "",
        client: tuple[str, int] = ("127.0.0.1", 50000),
        **options: Any,
    ) -> None:
        # A connection serves one request, so that none is sent twice to an application that failed.
        super().__init__(force_close=True, **options)
        self.application = application
        self.root_path = root_path
        self.client = client
        self.calls: set[asyncio.Task[None]] = set()
        """The calls of the application that have not returned."""
        self._lifespan = None if lifespan is False else Lifespan(application, bool(lifespan))
        self._patience = patience

    async def open_connection(
        self,
        target: Target,
        owner: ConnectionOwner,
        *,
        deadline: ConnectDeadline,
        observer: ConnectObserver | None,
    ) -> Connection:
        """Start the application if it has not started, and connect to it; see `BaseConnector`."""
        started = asyncio.get_running_loop().time()
        if observer is not None:
            await observer.dial_start(target)
        state: dict[str, Any] | None = None
        if self._lifespan is not None:
            with deadline.connecting():
                state = await self._lifespan.start()
        connection, server = HTTP1Connection(owner), Server(self, target, state)
        here, there = self.client, (target.host, target.port)
        transport, _ = memory_pair(
            connection,
            server,
            extra_a={"sockname": here, "peername": there},
            extra_b={"sockname": there, "peername": here},
        )
        server.client = transport
        try:
            # `connection_made` comes in the next iteration: nobody may use the connection before it.
            await asyncio.sleep(0)
            if observer is not None:
                seconds = asyncio.get_running_loop().time() - started
                await observer.dial_end(target, there, seconds)
        except BaseException:
            transport.abort()
            raise
        return connection

    async def close(self, *, abort_ssl: bool = False) -> None:
        """End all connections, then all calls that still run, then the application; see `BaseConnector`."""
        try:
            await super().close(abort_ssl=abort_ssl)
        finally:
            for call in self.calls:
                call.cancel()
            if self.calls:
                await asyncio.wait(self.calls, timeout=self._patience)
            if self._lifespan is not None:
                await self._lifespan.stop(self._patience)


class Lifespan:
    """The call of an application that begins before all requests and ends after them."""

    def __init__(self, application: Application, required: bool) -> None:
        self._application = application
        self._required = required
        self._state: dict[str, Any] = {}
        self._orders: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[Message] | None = None
        self._supported = False

    async def start(self) -> dict[str, Any] | None:
        """Let the application start, once; its state, or None where it knows nothing of lifespans."""
        if self._answer is None:
            loop = asyncio.get_running_loop()
            self._answer = loop.create_future()
            self._orders.put_nowait({"type": "lifespan.startup"})
            self._task = loop.create_task(self._run())
        # The first to come starts it for all: one of them that goes away does not end it.
        answer = await asyncio.shield(self._answer)
        failed = answer["type"] != "lifespan.startup.complete"
        if failed and (self._required or self._supported):
            reason = answer.get("message") or "it knows nothing of lifespans"
            raise OSError(f"the application did not start: {reason}") from answer.get("cause")
        return self._state if self._supported else None

    async def stop(self, patience: float | None) -> None:
        """Let the application end, and wait for it as long as that."""
        task = self._task
        if task is None:
            return
        self._orders.put_nowait({"type": "lifespan.shutdown"})
        try:
            await asyncio.wait([task], timeout=patience)
        finally:
            task.cancel()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": VERSIONS, "state": self._state}
        cause: BaseException | None = None
        try:
            await self._application(scope, self._orders.get, self._send)
        except Exception as exc:
            cause = exc
        answer = cast("asyncio.Future[Message]", self._answer)
        if not answer.done():
            message = "" if cause is None else repr(cause)
            answer.set_result({"type": "over", "message": message, "cause": cause})
        elif cause is not None:
            report("An ASGI application failed in its lifespan", cause)

    async def _send(self, message: Message) -> None:
        self._supported = True
        answer = cast("asyncio.Future[Message]", self._answer)
        if message["type"].startswith("lifespan.startup.") and not answer.done():
            answer.set_result(message)
        elif message["type"] == "lifespan.shutdown.failed":
            raise RuntimeError(message.get("message") or "the shutdown failed")


class Server(asyncio.Protocol):
    """The other end of a connection: reads one request, calls the application and writes what it answers."""

    client: MemoryTransport
    """Our end of the connection, to be broken when the application fails."""

    def __init__(self, home: ASGIConnector, target: Target, state: dict[str, Any] | None) -> None:
        self._home = home
        self._target = target
        self._state = state
        self._scanner = RequestScanner()
        self._head: ReceivedRequest | None = None
        self._request_ended = False
        self._continued = False
        self._begun: Message | None = None
        """The start of the response, which waits for its content as servers let it."""
        self._framing: Framing | None = None
        self._complete = False
        self._lost = False
        self._paused = False
        self._changed = asyncio.Event()
        """Set whenever somebody who waits should look again."""

    # For the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(MemoryTransport, transport)

    def data_received(self, data: bytes) -> None:
        if self._complete:
            return  # what is left of a request that was answered
        self._scanner.feed(data)
        self._changed.set()
        try:
            if self._head is None:
                self._head = self._scanner.maybe_head()
                if self._head is not None:
                    self._call(self._head)
        except BadRequestError as exc:
            self.client.lose(exc)
        if len(self._scanner.unread) > UNREAD:
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._changed.set()

    # The application.

    def _call(self, head: ReceivedRequest) -> None:
        calls = self._home.calls
        call = asyncio.get_running_loop().create_task(self._run(self._scope(head)))
        calls.add(call)
        call.add_done_callback(calls.discard)

    def _scope(self, head: ReceivedRequest) -> Message:
        scope: Message = {
            "type": "http",
            "asgi": VERSIONS,
            "http_version": head.version,
            "method": head.method,
            "scheme": self._target.scheme,
            "path": unquote(head.path),
            "raw_path": head.path.encode("latin-1"),
            "query_string": head.query.encode("latin-1"),
            "root_path": self._home.root_path,
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in head.fields
            ],
            "client": self._home.client,
            "server": (self._target.host, self._target.port),
        }
        if self._state is not None:
            scope["state"] = self._state.copy()
        return scope

    async def _run(self, scope: Message) -> None:
        try:
            await self._home.application(scope, self._receive, self._send)
            if not self._complete and not self._lost:
                raise RuntimeError("the application returned before its response was complete")
        except Exception as exc:
            if self._complete or (self._lost and not isinstance(exc, OSError)):
                # Nobody waits for it any more who could be told.
                report("An ASGI application failed", exc)
            else:
                self.client.lose(exc)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _receive(self) -> Message:
        while not self._lost and not self._complete:
            event = None if self._request_ended else self._scanner.maybe_event()
            if isinstance(event, bytes):
                return {"type": "http.request", "body": event, "more_body": True}
            if isinstance(event, RequestEnd):
                self._request_ended = True
                return {"type": "http.request", "body": b"", "more_body": False}
            if not self._request_ended:
                self._ask()
            await self._change()
        return {"type": "http.disconnect"}

    def _ask(self) -> None:
        """Let more of the request come."""
        head = cast(ReceivedRequest, self._head)
        waits = (head.get("expect") or "").lower() == "100-continue"
        if waits and not self._continued and self._framing is None:
            self._continued = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._transport.resume_reading()

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind not in ("http.response.start", "http.response.body"):
            raise RuntimeError(f"not a message of a response: {kind!r}")
        if self._complete or (kind == "http.response.start") is (self._begun is not None):
            raise RuntimeError(f"{kind!r} is out of turn")
        if self._lost:
            raise ConnectionResetError("the client is gone")
        if kind == "http.response.start":
            self._begun = message
            return
        self._write(message)
        # An application that waits for nothing else would keep the loop from telling that the client is gone.
        await asyncio.sleep(0)
        while self._paused and not self._lost:
            await self._change()

    def _write(self, message: Message) -> None:
        """Send a piece of content, the head before the first one and the end after the last one."""
        if self._framing is None:
            self._framing = Framing(cast(ReceivedRequest, self._head), cast(Message, self._begun))
            self._transport.write(self._framing.head)
        more = message.get("more_body", False)
        self._transport.write(self._framing.piece(message.get("body", b""), more))
        if not more:
            self._complete = True
            self._changed.set()
            # The client hangs up; what it still sends is dropped.
            self._transport.write_eof()
            self._transport.resume_reading()


class Framing:
    """How the content of one response is written (RFC 9112 section 6)."""

    def __init__(self, request: ReceivedRequest, start: Message) -> None:
        status = start["status"]
        own = [(name.lower(), value) for name, value in start.get("headers", ())]
        # How content is framed and what becomes of the connection is the server's business. That it is closed after
        # this response is not said: a client would stop its content then (RFC 9112 section 9.6).
        fields = [(n, v) for n, v in own if n not in (b"connection", b"transfer-encoding")]
        lengths = [value for name, value in fields if name == b"content-length"]
        self._empty = request.method == "HEAD" or status in (204, 304)
        self._left = None if self._empty or not lengths else int(lengths[0])
        # HTTP/1.0 knows no chunks: there the end of the connection is the end.
        self._chunked = not self._empty and self._left is None and request.version == "1.1"
        if self._chunked:
            fields.append((b"transfer-encoding", b"chunked"))
        lines = [b"%b: %b" % field for field in fields]
        if any(b"\r" in line or b"\n" in line for line in lines):
            raise ValueError("a header of the response has more than one line")
        lines.insert(0, b"HTTP/1.1 %d " % status)
        self.head = b"\r\n".join([*lines, b"", b""])

    def piece(self, content: bytes, more: bool) -> bytes:
        """The octets for a piece of content, which is the last one unless there is more."""
        if self._empty:
            return b""
        if self._left is not None:
            self._left -= len(content)
            if self._left < 0 or (self._left and not more):
                raise ValueError("the content of the response has another length than it says")
        if not self._chunked:
            return content
        chunk = b"%x\r\n%b\r\n" % (len(content), content) if content else b""
        return chunk if more else chunk + b"0\r\n\r\n"


def report(text: str, exc: BaseException) -> None:
    """Tell the loop of an error that nobody waits for."""
    context = {"message": text, "exception": exc}
    asyncio.get_running_loop().call_exception_handler(context)
