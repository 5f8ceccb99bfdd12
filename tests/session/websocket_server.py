"""A WebSocket server on loopback for the session's suites, made of the engine's other role."""

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from multidict import CIMultiDict
from wayfare_http_core.testing import stop_accepting, ticks
from wayfare_websocket import (
    DeflateParameters,
    HandshakeRefused,
    Role,
    WebSocketEngine,
    answer_handshake,
)
from wayfare_websocket.aio import ClientWebSocketResponse

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

WebSocket = ClientWebSocketResponse[bool]
Handler = Callable[[WebSocket], Awaitable[None]]


@dataclass
class Asked:
    """One request of a handshake."""

    method: str
    target: str
    headers: CIMultiDict[str]


@dataclass
class WebSocketServer:
    """What it was asked, and what it says.

    `answer` may say something else than the handshake's answer; None for a target that opens a WebSocket. `extra` are
    fields of the 101 response, `behind` octets that are sent together with it.
    """

    handler: Handler
    answer: Callable[[Asked], bytes | None] = lambda asked: None
    protocols: tuple[str, ...] = ()
    deflate: DeflateParameters | None = None
    extra: str = ""
    behind: bytes = b""
    asked: list[Asked] = field(default_factory=list)
    websockets: list[WebSocket] = field(default_factory=list)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    doors: list["_Door"] = field(default_factory=list)
    host: str = "127.0.0.1"
    port: int = 0

    @property
    def url(self) -> str:
        return f"ws://{self.host}:{self.port}/"


class _Door(asyncio.Protocol):
    def __init__(self, server: WebSocketServer) -> None:
        self._server = server
        self._received = b""
        self.transport: asyncio.Transport | None = None
        """None while a handshake of TLS goes on."""
        server.doors.append(self)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, rest = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        self._received = rest
        transport = self.transport
        assert transport is not None
        line, *lines = head.decode().split("\r\n")
        method, target, _ = line.split(" ")
        pairs = [one.split(": ", 1) for one in lines]
        asked = Asked(method, target, CIMultiDict((name, value) for name, value in pairs))
        self._server.asked.append(asked)
        other = self._server.answer(asked)
        if other is not None:
            transport.write(other)
        else:
            self._open(transport, asked, rest)

    def _open(self, transport: asyncio.Transport, asked: Asked, rest: bytes) -> None:
        server = self._server
        answer = answer_handshake(
            asked.method, asked.headers, protocols=server.protocols, deflate=server.deflate
        )
        if isinstance(answer, HandshakeRefused):
            transport.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % answer.status)
            return
        fields = "".join(f"{name}: {value}\r\n" for name, value in answer.fields) + server.extra
        head = f"HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n".encode()
        transport.write(head + server.behind)
        websocket = WebSocket(
            transport,
            WebSocketEngine(Role.SERVER, deflate=answer.deflate),
            deflate=answer.deflate,
            unread=rest,
        )
        server.websockets.append(websocket)
        server.tasks.append(asyncio.ensure_future(self._serve(websocket)))

    async def _serve(self, websocket: WebSocket) -> None:
        async with websocket:
            await self._server.handler(websocket)


async def echo(websocket: WebSocket) -> None:
    """Send back what comes."""
    async for message in websocket:
        if isinstance(message.data, str):
            await websocket.send_str(message.data)
        else:
            await websocket.send_bytes(message.data)


@asynccontextmanager
async def serving(
    server: WebSocketServer, context: ssl.SSLContext | None = None
) -> AsyncIterator[WebSocketServer]:
    """Let the server listen on a port of loopback; afterwards every connection is cut off."""
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: _Door(server), "127.0.0.1", 0, ssl=context)
    try:
        server.port = listener.sockets[0].getsockname()[1]
        yield server
    finally:
        await stop_accepting(listener)
        listener.close()
        for door in server.doors:
            if door.transport is not None:
                door.transport.abort()
        if server.tasks:
            await asyncio.wait(server.tasks)
        for task in server.tasks:
            task.result()
        await listener.wait_closed()
        await ticks()  # the sockets of those who never opened a WebSocket are closed, too
