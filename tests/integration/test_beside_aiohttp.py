"""The same calls to aiohttp and to Wayfare: a server receives the same, and a program is told the same.

Where the two differ on purpose, docs/how-to/come-from-aiohttp.md says so; those calls are not here.
"""

from __future__ import annotations

import asyncio
import io
import re
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial
from types import ModuleType
from typing import Any

import aiohttp
import pytest
import wayfare
from wayfare_http_core.testing import Fin, ReadRequest, ScriptedServer, Send, Stall, listening
from yarl import URL

CLIENTS: tuple[ModuleType, ModuleType] = (aiohttp, wayfare)
BOUNDARY = re.compile(r"boundary=[^;]+")
Options = Callable[[ModuleType], dict[str, Any]]


# --- What a server receives -----------------------------------------------------------------------


async def pieces() -> AsyncIterator[bytes]:
    yield b"one "
    yield b"two"


def form(client: ModuleType, *fields: tuple[tuple[Any, ...], dict[str, Any]]) -> Any:
    """A form of that client, made by its own calls."""
    made = client.FormData()
    for arguments, options in fields:
        made.add_field(*arguments, **options)
    return made


def parts(client: ModuleType) -> Any:
    """A body of parts of that client."""
    writer = client.MultipartWriter("form-data", boundary="b")
    writer.append("value", {"Content-Disposition": 'form-data; name="key"'})
    writer.append_json({"a": 1}).set_content_disposition("form-data", name="json")
    return writer


REQUESTS: dict[str, tuple[str, str, Options]] = {
    "plain": ("GET", "/anything", lambda c: {}),
    "params": ("GET", "/anything?a=1", lambda c: {"params": {"b": "2 3", "c": "ä&+"}}),
    "params, repeated": ("GET", "/anything", lambda c: {"params": [("a", "1"), ("a", "2")]}),
    "params, a list": ("GET", "/anything", lambda c: {"params": {"a": ["1", "2"]}}),
    "params, text": ("GET", "/anything", lambda c: {"params": "a=1+2"}),
    "params, numbers": ("GET", "/anything", lambda c: {"params": {"a": 1, "b": 2.5}}),
    "path in another script": ("GET", "/anything/путь%30/a b", lambda c: {}),
    "path that is encoded": ("GET", "/anything/a%2Fb", lambda c: {}),
    "fields": ("GET", "/anything", lambda c: {"headers": {"x-one": "1", "User-Agent": "me"}}),
    "fields, repeated": (
        "GET",
        "/anything",
        lambda c: {"headers": [("X-A", "1"), ("X-A", "2"), ("User-Agent", "me")]},
    ),
    "fields that are skipped": ("GET", "/anything", lambda c: {"skip_auto_headers": ["Accept"]}),
    "cookies": ("GET", "/anything", lambda c: {"cookies": {"a": "1", "b": "two"}}),
    "octets": ("POST", "/anything", lambda c: {"data": b"\x00octets\xff"}),
    "a bytearray": ("POST", "/anything", lambda c: {"data": bytearray(b"octets")}),
    "a memoryview": ("POST", "/anything", lambda c: {"data": memoryview(b"octets")}),
    "text": ("POST", "/anything", lambda c: {"data": "Тест"}),
    "an empty text": ("POST", "/anything", lambda c: {"data": ""}),
    "no content": ("POST", "/anything", lambda c: {}),
    "content of a GET": ("GET", "/anything", lambda c: {"data": b"octets"}),
    "json": ("PUT", "/anything", lambda c: {"json": {"a": [1, None, "ä"]}}),
    "json, nothing in it": ("PUT", "/anything", lambda c: {"json": {}}),
    "a type of one's own": (
        "POST",
        "/anything",
        lambda c: {"data": b"x", "headers": {"content-type": "image/gif"}},
    ),
    "a form": ("POST", "/anything", lambda c: {"data": {"a": "1 2", "b": "ä"}}),
    "a form, repeated": ("POST", "/anything", lambda c: {"data": [("a", "1"), ("a", "2")]}),
    "a form with a file": (
        "POST",
        "/anything",
        lambda c: {"data": form(c, (("a", "1"), {}), (("f", b"x"), {"filename": "näme.txt"}))},
    ),
    "a form with a type": (
        "POST",
        "/anything",
        lambda c: {"data": form(c, (("a", "{}"), {"content_type": "application/json"}))},
    ),
    "parts": ("POST", "/anything", lambda c: {"data": parts(c)}),
    "a file in memory": ("POST", "/anything", lambda c: {"data": io.BytesIO(b"octets")}),
    "a text in memory": ("POST", "/anything", lambda c: {"data": io.StringIO("Тест")}),
    "pieces": ("POST", "/anything", lambda c: {"data": pieces()}),
    "chunks": ("POST", "/anything", lambda c: {"data": b"octets", "chunked": True}),
    "gzip": ("POST", "/anything", lambda c: {"data": b"octets" * 100, "compress": "gzip"}),
    "deflate": ("POST", "/anything", lambda c: {"data": b"octets" * 100, "compress": True}),
    "any method": ("PROPFIND", "/anything", lambda c: {}),
    "an expectation": ("POST", "/anything", lambda c: {"data": b"octets", "expect100": True}),
}
CODED = {"gzip", "deflate"}


async def received(client: ModuleType, base: str, name: str) -> dict[str, Any]:
    """What the server says it got, without what names the client or is made at random."""
    method, path, options = REQUESTS[name]
    async with (
        client.ClientSession() as session,
        session.request(method, base + path, **options(client)) as response,
    ):
        if response.status == 405:
            return {"status": 405}
        told: dict[str, Any] = await response.json()
    headers = told["headers"]
    if not headers["User-Agent"].startswith("Python/"):
        assert headers["User-Agent"] == "me"
    headers["User-Agent"] = ""
    headers["Accept-Encoding"] = ""
    if "Content-Type" in headers:
        headers["Content-Type"] = BOUNDARY.sub("boundary=", headers["Content-Type"])
        if headers["Content-Type"].startswith("multipart/"):
            headers.pop("Content-Length", None)  # Of a boundary of another length.
    if name == "no content":
        headers.pop("Content-Type", None)  # Theirs says one all the same.
    if name in CODED:
        headers.pop("Content-Length", None)
        headers.pop("Transfer-Encoding", None)
        told["data"] = ""
    return told


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_server_receives_the_same(httpbin: str, name: str) -> None:
    theirs, ours = [await received(client, httpbin, name) for client in CLIENTS]
    assert ours == theirs


# --- What a program is told -----------------------------------------------------------------------

RESPONSES = {
    "json": "/get",
    "text": "/encoding/utf8",
    "binary": "/image/png",
    "gzip": "/gzip",
    "deflate": "/deflate",
    "br": "/brotli",
    "octets": "/stream-bytes/5000?seed=1&chunk_size=700",
    "no content": "/status/204",
    "not found": "/status/404",
    "teapot": "/status/418",
    "redirects": "/redirect/3",
    "absolute redirects": "/absolute-redirect/2",
    "a redirect to nowhere": "/redirect-to?url=/status/500&status_code=307",
    "cookies": "/cookies/set?a=1&b=2",
    "repeated fields": "/response-headers?X-A=1&X-A=2",
    "links": "/response-headers?Link=%3C/next%3E%3B%20rel%3Dnext",
    "a file to save": "/response-headers?Content-Disposition=attachment%3B%20filename%3Da.txt",
    "xml": "/xml",
    "html": "/html",
    "robots": "/robots.txt",
    "a range": "/range/100",
    "a fragment": "/get#part",
}
ALWAYS_NEW = {"Date", "Server", "Connection", "Content-Length"}


async def answered(client: ModuleType, base: str, path: str) -> dict[str, Any]:
    """All that a response of that client tells, but for what is another each time."""
    async with client.ClientSession(base) as session, session.get(path) as response:
        content = await response.read()
        if response.content_type == "application/json":
            text = str(_without_agent(await response.json()))
        else:
            text = await response.text(errors="replace")
            text = "" if "json" in path else text
        disposition = response.content_disposition
        return {
            "status": (response.status, response.reason, response.ok, tuple(response.version)),
            "urls": (str(response.url), str(response.real_url), response.host, response.method),
            "type": (response.content_type, response.charset),
            "history": [(hop.status, str(hop.url), hop.method) for hop in response.history],
            "fields": sorted(
                (name.lower(), value)
                for name, value in response.headers.items()
                if name.title() not in ALWAYS_NEW
            ),
            "raw": all(type(part) is bytes for pair in response.raw_headers for part in pair),
            "cookies": {name: morsel.value for name, morsel in response.cookies.items()},
            "links": {rel: str(link["url"]) for rel, link in response.links.items()},
            "saved as": disposition and (disposition.type, disposition.filename),
            "content": len(content) if response.content_type == "application/json" else content,
            "text": text,
            "asked": (response.request_info.method, str(response.request_info.real_url)),
            "closed": response.closed,
        }


def _without_agent(value: Any) -> Any:
    if isinstance(value, dict):
        dropped = {"User-Agent", "Accept-Encoding"}
        return {key: _without_agent(one) for key, one in value.items() if key not in dropped}
    return value


@pytest.mark.parametrize("name", RESPONSES)
async def test_a_program_is_told_the_same(httpbin: str, name: str) -> None:
    theirs, ours = [await answered(client, httpbin, RESPONSES[name]) for client in CLIENTS]
    if RESPONSES[name] in {"/get", "/redirect/3", "/absolute-redirect/2", "/get#part", "/gzip"}:
        del theirs["content"], ours["content"]  # As long as the clients' own fields are.
    if name in {"deflate", "br"}:
        del theirs["content"], ours["content"]
    assert ours == theirs


# --- What traces are told -------------------------------------------------------------------------

SIGNALS = sorted(name for name in dir(aiohttp.TraceConfig) if name.startswith("on_"))
TRACED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "content": ("GET", "/bytes/100", {}),
    "an upload": ("POST", "/post", {"data": b"octets"}),
    "a stream": ("GET", "/stream/1", {}),
    "a status that raises": ("GET", "/status/404", {"raise_for_status": True}),
}


async def traced(client: ModuleType, base: str, name: str) -> list[str]:
    """The signals of two requests, the second over the first one's connection."""
    told: list[str] = []

    def handler(signal: str) -> Callable[[Any, Any, Any], Any]:
        async def handle(session: Any, context: Any, params: Any) -> None:
            told.append(f"{signal} {getattr(params, 'method', '')}".rstrip())

        return handle

    config = client.TraceConfig()
    for signal in SIGNALS:
        getattr(config, signal).append(handler(signal))
    method, path, options = TRACED[name]
    async with client.ClientSession(base, trace_configs=[config]) as session:
        for _ in range(2):
            try:
                async with session.request(method, path, **options) as response:
                    await response.read()
            except client.ClientResponseError:
                told.append("raised")
    return told


@pytest.mark.parametrize("name", TRACED)
async def test_traces_are_told_the_same(httpbin: str, name: str) -> None:
    theirs, ours = [await traced(client, httpbin, name) for client in CLIENTS]
    assert ours == theirs


# --- What WebSockets say --------------------------------------------------------------------------


async def conversation(client: ModuleType, url: str, options: dict[str, Any]) -> list[Any]:
    """What is said and told from the opening to the end, which the server chooses."""
    async with client.ClientSession() as session, session.ws_connect(url, **options) as ws:
        told: list[Any] = [ws.protocol, ws.compress, ws.closed]
        await ws.send_str("text")
        await ws.send_bytes(b"\x00octets")
        await ws.send_json({"a": 1})
        told += [await ws.receive_str(), await ws.receive_bytes(), await ws.receive_str()]
        await ws.send_str("bye")
        message = await ws.receive()
        told += [message.type.name, message.data, message.extra]
        told += [(await ws.receive()).type.name, ws.closed, ws.close_code, ws.exception()]
    return told


@pytest.mark.parametrize(
    "options", [{}, {"protocols": ("chat", "other")}, {"compress": 12}], ids=str
)
async def test_websockets_say_the_same(websockets: str, options: dict[str, Any]) -> None:
    theirs, ours = [await conversation(client, websockets, options) for client in CLIENTS]
    assert ours == theirs


async def test_a_websocket_that_is_refused_is_the_same_error(websockets: str) -> None:
    for client in CLIENTS:
        async with client.ClientSession() as session:
            with pytest.raises(client.WSServerHandshakeError) as caught:
                await session.ws_connect(f"{websockets}/refused")
        assert caught.value.status == 403
        assert isinstance(caught.value, client.ClientResponseError)


# --- What a program catches -----------------------------------------------------------------------

SCRIPTS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "a connection that ends": ([ReadRequest(), Fin()], {}),
    "no HTTP": ([ReadRequest(), Send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), Fin()], {}),
    "content that ends early": (
        [ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"), Fin()],
        {},
    ),
    "a chunk that is none": (
        [
            ReadRequest(),
            Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            Fin(),
        ],
        {},
    ),
    "a coding that is another": (
        [
            ReadRequest(),
            Send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone"),
        ],
        {},
    ),
    "a field that is too long": (
        [ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 9000 + b"\r\n\r\n"), Fin()],
        {"max_field_size": 8190},
    ),
    "silence": ([ReadRequest(), Stall()], {"timeout": 0.05}),
    "silence, between reads": ([ReadRequest(), Stall()], {}),
    "a status": (
        [ReadRequest(), Send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")],
        {"raise_for_status": True},
    ),
    "redirects": (
        [ReadRequest(), Send(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")]
        * 3,
        {"max_redirects": 2},
    ),
    "a redirect to another scheme": (
        [
            ReadRequest(),
            Send(b"HTTP/1.1 302 Found\r\nLocation: ftp://h/\r\nContent-Length: 0\r\n\r\n"),
        ],
        {},
    ),
}
URLS = {"no host": "http:///", "no scheme": "h.example/", "another scheme": "ftp://h.example/"}


def names(client: ModuleType, error: BaseException) -> set[str]:
    """The exceptions that this one is, by the names that both clients have, and Python's."""
    found = set()
    for kind in type(error).__mro__:
        name = kind.__name__
        known = getattr(client, name, None) is kind or kind.__module__ == "builtins"
        if known and all(hasattr(one, name) for one in CLIENTS) | (kind.__module__ == "builtins"):
            found.add(name)
    return found


async def caught(client: ModuleType, use: Callable[[Any], Any]) -> BaseException:
    """What a use of a session of that client raises."""
    try:
        async with client.ClientSession() as session:
            await use(session)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


async def fetch(url: str, options: dict[str, Any], session: Any) -> None:
    async with session.get(url, **options) as response:
        await response.read()


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_program_catches_the_same(name: str) -> None:
    """What theirs is an instance of, ours is one of too."""
    script, options = SCRIPTS[name]
    found = []
    for client in CLIENTS:
        # Theirs asks a second time where a new connection ends.
        server = ScriptedServer(script, script)
        asked = {**options}
        if name == "silence, between reads":
            asked["timeout"] = client.ClientTimeout(sock_read=0.05)
        async with listening(server) as (host, port):
            error = await caught(client, partial(fetch, f"http://{host}:{port}/", asked))
        found.append(names(client, error))
        if name == "a status":
            assert isinstance(error, client.ClientResponseError)
            found[-1].add(f"status {error.status}")
    assert found[0] <= found[1]


@pytest.mark.parametrize("name", URLS)
async def test_a_url_that_is_none_is_the_same_error(name: str) -> None:
    theirs, ours = [
        names(client, await caught(client, lambda session: session.get(URLS[name])))
        for client in CLIENTS
    ]
    assert theirs <= ours


async def test_a_closed_port_is_the_same_error() -> None:
    with socket.socket() as claimed:
        claimed.bind(("127.0.0.1", 0))
        url = URL(f"http://127.0.0.1:{claimed.getsockname()[1]}/")
        errors = [await caught(client, lambda session: session.get(url)) for client in CLIENTS]
    theirs, ours = [names(*pair) for pair in zip(CLIENTS, errors, strict=True)]
    assert theirs <= ours
    for error in errors:
        assert isinstance(error, aiohttp.ClientConnectorError | wayfare.ClientConnectorError)
        assert (error.host, error.port, error.errno) == (url.host, url.port, errors[0].errno)  # type: ignore[attr-defined]  # an OSError's
        assert isinstance(error.os_error, OSError)
    await asyncio.sleep(0)
