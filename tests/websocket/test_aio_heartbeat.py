"""The heartbeat: Pings that find a dead peer, and take no other for dead (W20)."""

import asyncio

import pytest
from wayfare_http_core.testing import ticks
from wayfare_websocket import (
    WSCloseTimeoutError,
    WSMsgType,
    WSPingTimeoutError,
)

from .conftest import Connect
from .test_aio_closing import CLOSED, answered, end, run


def test_w20_a_dead_peer_is_found(connect_now: Connect) -> None:
    """W20: a Ping after `heartbeat` seconds without a sign of life, and half of that for the answer."""

    async def main(connect: Connect) -> None:
        client, peer = await connect(heartbeat=10.0)
        loop = asyncio.get_running_loop()
        began = loop.time()
        message = await client.receive()
        assert loop.time() - began == pytest.approx(15.0)
        assert message.type is WSMsgType.ERROR
        assert isinstance(message.data, WSPingTimeoutError)
        assert message.data.seconds == 5.0
        assert client.exception() is message.data
        assert await client.receive() == CLOSED
        await ticks()
        assert client.close_code == 1006
        assert [one.type for one in peer.messages] == [WSMsgType.PING]
        await end(peer)

    run(main, connect_now)


def test_w20_a_dead_peer_that_takes_nothing(connect_now: Connect) -> None:
    """W20: the Ping itself waits to be sent, and the time runs all the same; nobody has to receive for that."""

    async def main(connect: Connect) -> None:
        client, peer = await connect(heartbeat=10.0, ping_timeout=2.0)
        peer.transport.pause_reading()
        await client.send_bytes(bytes(500_000))
        await asyncio.sleep(12.5)
        assert client._link.lost
        assert isinstance(client.exception(), WSPingTimeoutError)
        await end(peer)

    run(main, connect_now)


def test_w20_whatever_arrives_is_a_sign_of_life(connect_now: Connect) -> None:
    """W20: who sends something is not asked."""

    async def main(connect: Connect) -> None:
        client, peer = await connect(heartbeat=10.0)
        for _ in range(10):
            await asyncio.sleep(9)
            peer.text("x")
            await client.receive()
        assert peer.messages == []
        await asyncio.sleep(12)
        assert [one.type for one in peer.messages] == [WSMsgType.PING]
        peer.text("y")  # no Pong, and yet alive
        await asyncio.sleep(9)
        assert len(peer.messages) == 1
        await asyncio.sleep(3)
        assert len(peer.messages) == 2
        peer.transport.write(peer.engine.pong(peer.pings[1]))
        await asyncio.sleep(9)
        assert not client._link.lost
        await answered(client, peer)

    run(main, connect_now)


def test_w20_our_own_silence_is_not_the_peers(connect_now: Connect) -> None:
    """While the queue is full nothing is read, so nothing can be missed."""

    async def main(connect: Connect) -> None:
        client, peer = await connect(heartbeat=10.0, capacity=1 << 20)
        peer.binary(*[bytes(10_000)] * 60)
        await asyncio.sleep(100)
        assert not client._link.lost
        for _ in range(60):
            await client.receive_bytes()
        await asyncio.sleep(4)
        assert peer.messages == []
        await answered(client, peer)

    run(main, connect_now)


def test_w20_without_a_buffer(connect_now: Connect) -> None:
    """W20: pipes bring signs of life, too."""

    async def main(connect: Connect) -> None:
        client, peer = await connect(heartbeat=10.0)
        await asyncio.sleep(9)
        client._link.data_received(b"\x81\x00")
        await asyncio.sleep(9)
        assert peer.messages == []
        await answered(client, peer)

    run(main, connect_now)


def test_w20_no_heartbeat_while_closing(connect_now: Connect) -> None:
    """The Close frame has its own time."""

    async def main(connect: Connect) -> None:
        client, peer = await connect(heartbeat=1.0, close_timeout=20.0, autoclose=False)
        peer.close()
        await asyncio.sleep(30)  # longer than a peer may be silent that is asked
        assert (await client.receive()).type is WSMsgType.CLOSE
        assert not client._link.lost
        assert client.exception() is None
        await client.close()
        assert [one.type for one in peer.messages] == [WSMsgType.CLOSE]
        await end(peer)

        client, peer = await connect(heartbeat=1.0, autoclose=False)
        await asyncio.sleep(1.1)
        assert [one.type for one in peer.messages] == [WSMsgType.PING]
        peer.close()  # in place of the Pong
        await asyncio.sleep(30)
        assert not client._link.lost
        await client.close()
        await end(peer)

        client, peer = await connect(heartbeat=1.0, close_timeout=20.0)
        await client.close()
        assert isinstance(client.exception(), WSCloseTimeoutError)
        await end(peer)

    run(main, connect_now)
