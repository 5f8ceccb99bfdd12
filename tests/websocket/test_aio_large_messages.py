"""Large messages, which transports receive into the message's own buffer: in memory, over sockets, over TLS."""

import asyncio
import importlib.util
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import trustme
from wayfare_http_core.testing import run_with_fake_clock, ticks
from wayfare_websocket import Role, WebSocketEngine, WSMsgType
from wayfare_websocket.aio import ClientWebSocketResponse

from tests.stream_server import stream_server

from .conftest import Client, Connect, Nobody

LARGE = bytes(range(251)) * 4000
SIZES = [1, 65_535, 65_536, 200_000, len(LARGE), 3 << 20]

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
LOOPS: list[LoopFactory] = [asyncio.SelectorEventLoop]
if importlib.util.find_spec("uvloop") is not None:  # not where this package is tested on its own
    LOOPS.append(importlib.import_module("uvloop").new_event_loop)


async def test_the_transport_receives_into_the_message(connect: Connect) -> None:
    """The loop's buffer before and after, the message's own meanwhile."""
    client, _ = await connect()
    link: Any = client._link
    server = WebSocketEngine(Role.SERVER)
    wire = server.send_bytes(LARGE) + server.send_text("behind")
    ordinary = link.get_buffer(-1)
    ordinary[:100_000] = wire[:100_000]
    link.buffer_updated(100_000)
    vacancy = link.get_buffer(-1)
    assert len(vacancy) == 10 + len(LARGE) - 100_000
    vacancy[:500_000] = wire[100_000:600_000]
    link.buffer_updated(500_000)
    vacancy = link.get_buffer(-1)
    vacancy[:] = wire[600_000 : 10 + len(LARGE)]
    link.buffer_updated(10 + len(LARGE) - 600_000)
    assert link.get_buffer(-1) is ordinary
    rest = wire[10 + len(LARGE) :]
    ordinary[: len(rest)] = rest
    link.buffer_updated(len(rest))
    assert await client.receive_bytes() == LARGE
    assert await client.receive_str() == "behind"


async def test_what_was_held_back_comes_first(connect: Connect) -> None:
    """A full queue keeps octets that were read; nothing may be received behind them but in their order."""
    client, _ = await connect()
    link: Any = client._link
    server = WebSocketEngine(Role.SERVER)
    wire = server.send_bytes(bytes(60_000)) * 6 + server.send_bytes(LARGE)
    at = 0
    while at < len(wire):
        buffer = link.get_buffer(-1)
        piece = wire[at : at + min(len(buffer), 150_000)]
        buffer[: len(piece)] = piece
        link.buffer_updated(len(piece))
        at += len(piece)
    assert [len(await client.receive_bytes()) for _ in range(6)] == [60_000] * 6
    assert await client.receive_bytes() == LARGE


def test_w20_a_large_message_is_a_sign_of_life(connect_now: Connect) -> None:
    """W20: each piece of it, whichever way the transport brings it."""

    async def check() -> None:
        client, peer = await connect_now(heartbeat=10.0, ping_timeout=1.0, capacity=1 << 20)
        link: Any = client._link
        wire = peer.engine.send_bytes(LARGE)
        for number in range(8):
            await asyncio.sleep(9)
            piece = wire[number * 125_000 : (number + 1) * 125_000]
            if number == 7:
                link.data_received(piece)
            else:
                peer.transport.write(piece)
            await ticks(3)
        link.data_received(wire[1_000_000:])
        assert await client.receive_bytes() == LARGE
        assert peer.pings == []
        peer.transport.abort()
        await ticks(3)
        await client.close()

    run_with_fake_clock(check())


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server by hand: sends every message back, until the client goes."""
    engine = WebSocketEngine(Role.SERVER)
    while data := await reader.read(100_000):
        messages: list[Any] = engine.receive_data(data)
        for message in messages:
            if message.type is WSMsgType.BINARY:
                writer.write(engine.send_bytes(message.data))
            elif message.type is WSMsgType.TEXT:
                writer.write(engine.send_text(message.data))
            elif message.type is WSMsgType.CLOSE:
                writer.write(engine.close())
        await writer.drain()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("loop_factory", LOOPS, ids=lambda factory: factory.__module__)
def test_echoes_of_every_size(loop_factory: LoopFactory, secure: bool) -> None:
    """W26: over real transports, which read as much at once as they like."""
    authority = trustme.CA()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def check() -> None:
        async with stream_server(echo, serving if secure else None) as port:
            transport, _ = await asyncio.get_running_loop().create_connection(
                Nobody,
                *("127.0.0.1", port),
                ssl=trusting if secure else None,
                server_hostname="localhost" if secure else None,
            )
            client: Client = ClientWebSocketResponse(transport, WebSocketEngine(Role.CLIENT))
            for size in SIZES:
                data = (LARGE * (size // len(LARGE) + 1))[:size]
                await client.send_bytes(data)
                assert await client.receive_bytes() == data
                await client.send_str("é" * (size // 2))
                assert await client.receive_str() == "é" * (size // 2)
            await client.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(check())
