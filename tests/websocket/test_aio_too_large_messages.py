"""A message that is larger than the limit: `receive` refuses it, `receive_fragments` takes it (W15, W17, W23)."""

import asyncio
from typing import Any

import pytest
from wayfare_http_core.testing import run_with_fake_clock, ticks
from wayfare_websocket import (
    DeflateParameters,
    State,
    WSMessage,
    WSMsgType,
)

from .conftest import Client, Connect, Peer, end_of
from .test_reader import BINARY, CONTINUATION, TEXT, frame
from .test_too_large_messages import deflated

LIMIT = 1000
HUGE = bytes(range(250)) * 2000
WIRES = {
    "one frame": (None, frame(BINARY, HUGE)),
    "fragments": (
        None,
        frame(BINARY, HUGE[:LIMIT], fin=False) + frame(CONTINUATION, HUGE[LIMIT:]),
    ),
    "compressed": (DeflateParameters(), frame(BINARY, deflated(HUGE), rsv=0x40)),
}
WIRE = pytest.mark.parametrize(("deflate", "wire"), WIRES.values(), ids=WIRES)


def refused(message: WSMessage) -> bool:
    return message.type is WSMsgType.ERROR and message.data.code == 1009


async def content(client: Client) -> bytes:
    return b"".join([piece async for piece in client.receive_fragments()])  # type: ignore[misc]  # pieces of a binary message are bytes


@WIRE
async def test_it_came_before_anybody_asked_for_its_pieces(
    connect: Connect, deflate: DeflateParameters | None, wire: bytes
) -> None:
    """A server that sends at once cannot be faster than whoever reads: nothing was decided until then."""
    behind = frame(TEXT, b"behind")
    client, peer = await connect(
        max_message_size=LIMIT, deflate=deflate, unread=wire[:700], capacity=1 << 20
    )
    peer.transport.write(wire[700:] + behind)
    await ticks(5)
    assert not end_of(client).is_reading()
    assert not client.closed
    assert await content(client) == HUGE
    assert await client.receive_str() == "behind"
    assert end_of(client).is_reading()


@WIRE
async def test_whoever_wants_all_of_it_gets_an_error(
    connect: Connect, deflate: DeflateParameters | None, wire: bytes
) -> None:
    client, peer = await connect(max_message_size=LIMIT, deflate=deflate, capacity=1 << 20)
    peer.transport.write(wire)
    await ticks(5)
    assert not peer.messages
    assert refused(await client.receive())
    await ticks()
    assert (client.close_code, peer.engine.close_code) == (1009, 1009)
    assert (await client.receive()).type is WSMsgType.CLOSED


@WIRE
async def test_whoever_waits_gets_it_at_once(
    connect: Connect, deflate: DeflateParameters | None, wire: bytes
) -> None:
    """Also where a Ping came with it, which the reader never sees."""
    client, peer = await connect(max_message_size=LIMIT, deflate=deflate, capacity=1 << 20)
    receiving = asyncio.ensure_future(client.receive())
    await ticks()
    peer.transport.write(peer.engine.ping(b"?") + wire)
    assert refused(await receiving)
    assert peer.pongs == [b"?"]
    assert peer.engine.close_code == 1009


async def test_messages_before_it_come_first(connect: Connect) -> None:
    """And the one who takes the pieces of an earlier message says nothing about this one."""
    client, peer = await connect(max_message_size=LIMIT)
    receiving = asyncio.ensure_future(client.receive_str())
    await ticks()
    peer.text("a", "b", "c")
    peer.transport.write(frame(BINARY, HUGE))
    assert await receiving == "a"
    assert await client.receive_str() == "b"
    assert [piece async for piece in client.receive_fragments()] == ["c"]
    assert await content(client) == HUGE
    peer.text("d")
    assert await client.receive_str() == "d"


async def test_two_of_them(connect: Connect) -> None:
    """In the same octets: the verdict is about one."""
    client, peer = await connect(max_message_size=LIMIT, capacity=1 << 20)
    stream = client.receive_fragments()
    small = bytes(LIMIT + 1)
    peer.transport.write(3 * frame(BINARY, small))
    assert b"".join([piece async for piece in stream]) == small  # type: ignore[misc]  # pieces of a binary message are bytes
    assert await content(client) == small
    assert refused(await client.receive())


async def test_control_frames_before_it_are_no_message(connect: Connect) -> None:
    client, peer = await connect(max_message_size=LIMIT, autoping=False, capacity=1 << 20)
    peer.transport.write(peer.engine.ping(b"1") + frame(BINARY, HUGE))
    await ticks(5)
    assert await content(client) == HUGE
    assert (await client.receive()).type is WSMsgType.PING


async def test_the_beginning_waits_no_longer_than_its_reader(connect: Connect) -> None:
    """What was put together is given away when its pieces are asked for, not with the next one."""
    client, peer = await connect()
    peer.transport.write(frame(TEXT, "aé".encode()[:2], fin=False))
    await ticks()
    stream = client.receive_fragments()
    assert await anext(stream) == "a"
    peer.transport.write(frame(CONTINUATION, "é".encode()[1:] + b"z"))
    assert await anext(stream) == "éz"
    assert [piece async for piece in stream] == []


async def test_a_large_message_is_given_away_from_its_own_buffer(connect: Connect) -> None:
    client, _ = await connect()
    link: Any = client._link
    wire = frame(BINARY, HUGE)
    ordinary = link.get_buffer(-1)
    ordinary[:100_000] = wire[:100_000]
    link.buffer_updated(100_000)
    vacancy = link.get_buffer(-1)
    vacancy[:100_000] = wire[100_000:200_000]
    link.buffer_updated(100_000)
    stream = client.receive_fragments()
    assert await anext(stream) == HUGE[: 200_000 - 10]
    while at := len(wire) - 200_000:
        piece = wire[-at:]
        assert link.get_buffer(-1) is ordinary
        ordinary[: min(at, len(ordinary))] = piece[: len(ordinary)]
        link.buffer_updated(min(at, len(ordinary)))
        wire = wire[:200_000] + piece[len(ordinary) :]
    assert b"".join([piece async for piece in stream]) == HUGE[200_000 - 10 :]  # type: ignore[misc]  # pieces of a binary message are bytes


@WIRE
async def test_closing_passes_over_it(
    connect: Connect, deflate: DeflateParameters | None, wire: bytes
) -> None:
    """The peer's Close stands behind it: whether it came before or comes after ours was sent."""
    for early in (True, False):
        client, peer = await connect(max_message_size=LIMIT, deflate=deflate, capacity=1 << 20)
        if early:
            peer.transport.write(wire)
            await ticks(5)
        closing = asyncio.ensure_future(client.close())
        await ticks(2)
        if not early:
            peer.transport.write(wire)
        peer.close(1000)
        peer.transport.close()
        assert await closing
        assert client.close_code == 1000
        assert client.exception() is None


async def test_the_connection_ends_while_it_waits(connect: Connect) -> None:
    """It is refused all the same, and what ended the transport does not hide it."""
    client, peer = await connect(max_message_size=LIMIT, capacity=1 << 20)
    peer.transport.write(frame(BINARY, HUGE))
    await ticks(5)
    end_of(client).abort()
    await ticks()
    assert refused(await client.receive())
    assert (await client.receive()).type is WSMsgType.CLOSED
    assert client._engine.state is State.CLOSED


def test_a_heartbeat_does_not_take_the_peer_for_dead(connect_now: Connect) -> None:
    """Its Pongs wait behind the message."""

    async def main() -> None:
        client, peer = await connect_now(max_message_size=LIMIT, heartbeat=2.0, capacity=1 << 20)
        peer.transport.write(frame(BINARY, HUGE))
        await asyncio.sleep(60)
        answer(peer)
        assert await content(client) == HUGE
        assert client.exception() is None
        peer.transport.abort()
        await client.close()

    run_with_fake_clock(main())


def answer(peer: Peer) -> None:
    """The Pongs that the peer owes."""
    for data in peer.pings:
        peer.transport.write(peer.engine.pong(data))
