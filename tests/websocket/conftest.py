"""What the suites of `wayfare_websocket.aio` share: WebSockets in memory, and a peer that does what a test says."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import pytest
from wayfare_http_core.testing import MemoryTransport, memory_pair, ticks
from wayfare_websocket import (
    DeflateParameters,
    Role,
    WebSocketEngine,
    WSFragment,
    WSMessage,
    WSMsgType,
)
from wayfare_websocket.aio import ClientWebSocketResponse, LinkOptions

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


class Peer(asyncio.Protocol):
    """A server by hand: an engine, and a transport that the test may use as it likes."""

    def __init__(self, deflate: DeflateParameters | None = None) -> None:
        self.engine = WebSocketEngine(Role.SERVER, deflate=deflate)
        self.messages: list[WSMessage | WSFragment] = []
        """What arrived, control frames included."""
        self.pieces: list[bytes] = []
        """The octets that arrived, each read by itself."""
        self.finished = False
        """Whether the client sent FIN."""
        self.lost = False
        self.transport: MemoryTransport

    @property
    def pings(self) -> list[Any]:
        return self._data(WSMsgType.PING)

    @property
    def pongs(self) -> list[Any]:
        return self._data(WSMsgType.PONG)

    @property
    def data(self) -> list[Any]:
        return self._data(WSMsgType.TEXT, WSMsgType.BINARY)

    def _data(self, *types: WSMsgType) -> list[Any]:
        return [one.data for one in self.messages if one.type in types]

    def text(self, *texts: str) -> None:
        """Send texts, all in one write."""
        self.transport.write(b"".join(self.engine.send_text(text) for text in texts))

    def binary(self, *messages: bytes) -> None:
        self.transport.write(b"".join(self.engine.send_bytes(data) for data in messages))

    def close(self, code: int | None = 1000, reason: str = "") -> None:
        """Send a Close frame."""
        self.transport.write(self.engine.close(code, reason))

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, MemoryTransport)
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        self.messages += self.engine.receive_data(data)

    @override
    def eof_received(self) -> bool:
        self.finished = True
        return True

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


def end_of(client: "Client") -> MemoryTransport:
    """The client's end of its connection."""
    transport = client._link.transport
    assert isinstance(transport, MemoryTransport)
    return transport


class Nobody(asyncio.Protocol):
    """Who has a transport before it is a WebSocket's."""


Client = ClientWebSocketResponse[bool]


class Connect(Protocol):
    """`await connect(…)` makes a client and its peer; the keyword arguments are those of `LinkOptions`."""

    async def __call__(
        self,
        *,
        deflate: DeflateParameters | None = None,
        max_message_size: int = 4 << 20,
        decode_text: bool = True,
        unread: bytes = b"",
        capacity: int = 64 * 1024,
        on_lost: Callable[[], None] | None = None,
        **options: Any,
    ) -> tuple[Client, Peer]: ...


async def connected(
    *,
    deflate: DeflateParameters | None = None,
    max_message_size: int = 4 << 20,
    decode_text: bool = True,
    unread: bytes = b"",
    capacity: int = 64 * 1024,
    on_lost: Callable[[], None] | None = None,
    **options: Any,
) -> tuple[Client, Peer]:
    peer = Peer(deflate)
    transport, _ = memory_pair(Nobody(), peer, capacity=capacity)
    await ticks(2)
    engine = WebSocketEngine(
        Role.CLIENT, deflate=deflate, max_message_size=max_message_size, decode_text=decode_text
    )
    client: Client = ClientWebSocketResponse(
        transport,
        engine,
        LinkOptions(**options),
        unread=unread,
        protocol="chat",
        deflate=deflate,
        on_lost=on_lost,
        description="to nowhere",
    )
    return client, peer


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Makes clients and their peers in memory; what is left of them afterwards is cut off."""
    clients: list[Client] = []
    peers: list[Peer] = []

    async def make(**arguments: Any) -> tuple[Client, Peer]:
        client, peer = await connected(**arguments)
        clients.append(client)
        peers.append(peer)
        return client, peer

    yield make
    for peer in peers:
        peer.transport.abort()
    await ticks(3)
    for client in clients:
        await client.close()


@pytest.fixture
def connect_now() -> Connect:
    """The same for a test that brings its own loop, and ends with everything closed."""
    return connected


async def both(deflate: DeflateParameters | None = None, **options: Any) -> tuple[Client, Client]:
    """A client and a server with the same interface."""
    here, there = memory_pair(Nobody(), Nobody())
    await ticks(2)
    ends = [
        ClientWebSocketResponse[bool](
            transport,
            WebSocketEngine(role, deflate=deflate),
            LinkOptions(**options),
            deflate=deflate,
        )
        for transport, role in ((here, Role.CLIENT), (there, Role.SERVER))
    ]
    return ends[0], ends[1]


@pytest.fixture
def connect_both() -> Callable[..., Any]:
    """`client, server = await connect_both(…)`: both ends as WebSockets of ours."""
    return both
