"""Sending: kinds of messages, joined writes, back-pressure, turns of many tasks (W18, W22)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from wayfare_http_core import ClientConnectionResetError
from wayfare_http_core.testing import run_with_fake_clock, ticks
from wayfare_websocket import DeflateParameters, WSMessage, WSMsgType, WSPingTimeoutError

from .conftest import Client, Connect, Peer


async def test_kinds_of_messages(connect: Connect) -> None:
    client, peer = await connect()
    await client.send_str("é")
    await client.send_bytes(b"a")
    await client.send_bytes(bytearray(b"b"))
    await client.send_bytes(memoryview(b"c"))
    await client.send_json({"a": 1})
    await client.send_json([1], dumps=lambda value: f"<{value}>")
    await client.send_json_bytes([1], dumps=lambda value: json.dumps(value).encode())
    await client.send_frame(b"t", WSMsgType.TEXT)
    await client.send_frame(b"d", WSMsgType.BINARY)
    await client.send_frame(b"?", WSMsgType.PING)
    await client.send_frame(b"!", WSMsgType.PONG)
    await ticks()
    texts = ["é", '{"a": 1}', "<[1]>", "t"]
    assert [one.data for one in peer.messages if one.type is WSMsgType.TEXT] == texts
    assert [one.data for one in peer.messages if one.type is WSMsgType.BINARY] == [
        *(b"a", b"b", b"c", b"[1]", b"d")
    ]
    assert peer.messages[-2:] == [
        WSMessage(WSMsgType.PING, b"?", None),
        WSMessage(WSMsgType.PONG, b"!", None),
    ]


async def test_what_cannot_be_sent(connect: Connect) -> None:
    client, peer = await connect()
    bad: Any = b"x"
    with pytest.raises(TypeError, match="data must be str, not bytes"):
        await client.send_str(bad)
    bad = "x"
    with pytest.raises(TypeError, match="data must be bytes, bytearray or memoryview, not str"):
        await client.send_bytes(bad)
    bad = 7
    with pytest.raises(TypeError, match="not int"):
        await client.ping(bad)
    with pytest.raises(ValueError, match="compression was not agreed on"):
        await client.send_str("x", compress=True)
    with pytest.raises(ValueError, match="is not sent by itself"):
        await client.send_frame(b"", WSMsgType.CLOSE)
    with pytest.raises(ValueError, match="at most 125 octets"):
        await client.ping(bytes(126))
    await ticks()
    assert peer.pieces == []


async def test_compression(connect: Connect) -> None:
    client, peer = await connect(
        deflate=DeflateParameters(client_no_context_takeover=True, client_max_window_bits=10)
    )
    assert (client.compress, client.client_notakeover) == (10, True)
    for compress in (None, 12, False, 0):
        peer.pieces.clear()
        await client.send_str("x" * 1000, compress)
        await ticks()
        assert (len(b"".join(peer.pieces)) < 100) is (compress is None or compress == 12)
    assert peer.data == ["x" * 1000] * 4


async def test_facts(connect: Connect) -> None:
    client, _ = await connect()
    assert (client.protocol, client.compress, client.client_notakeover) == ("chat", 0, False)
    assert client.get_extra_info("peername") == ("b", 2)
    assert client.get_extra_info("nothing", 7) == 7
    assert (client.close_code, client.close_reason, client.exception()) == (None, "", None)
    assert repr(client) == "<ClientWebSocketResponse open>"


async def test_a_lone_message_leaves_at_once(connect: Connect) -> None:
    """Before its sender waits for anything: there is nothing to join it with."""
    client, peer = await connect()
    sender = client.send_str("x")
    with pytest.raises(StopIteration):
        sender.send(None)  # it never waits
    assert len(client._outbox._pieces) == 0
    await ticks(2)
    assert peer.data == ["x"]


def test_messages_of_different_moments_are_not_delayed(connect_now: Connect) -> None:
    async def main() -> None:
        client, peer = await connect_now()
        for _ in range(3):
            await client.send_str("x")
            assert client._outbox._pieces == []
            await asyncio.sleep(0.001)
        assert len(peer.pieces) == 3
        await finish(client, peer)

    run_with_fake_clock(main())


async def finish(client: Client, peer: Peer) -> None:
    peer.transport.abort()
    await ticks(3)
    await client.close()


async def test_answers_are_not_delayed(connect: Connect) -> None:
    """What arrived began an iteration of the loop: an answer has no companions yet."""
    client, peer = await connect()
    for turn in range(5):
        peer.text("?")
        await client.receive()
        await client.send_str("!")
        assert client._outbox._pieces == []
        await ticks(2)
        assert len(peer.pieces) == turn + 1


def test_messages_of_one_moment_are_joined(connect_now: Connect) -> None:
    """One task sends 1,000 small messages without a wait: few writes, in order."""

    async def main() -> None:
        client, peer = await connect_now()
        for number in range(1000):
            await client.send_str(str(number))
        await ticks()
        assert peer.data == [str(number) for number in range(1000)]
        assert len(peer.pieces) <= 3
        await finish(client, peer)

    run_with_fake_clock(main())


async def test_joined_messages_keep_their_place_before_later_ones(connect: Connect) -> None:
    """A fresh iteration of the loop does not overtake what waits to leave."""
    client, peer = await connect()
    for number in range(5):
        await client.send_str(str(number))
    client._outbox.fresh = True
    await client.send_str("last")
    await ticks()
    assert peer.data == ["0", "1", "2", "3", "4", "last"]


async def test_a_sender_that_never_waits_lets_others_run(connect: Connect) -> None:
    """After each 64 KiB the loop turns, also where the transport takes everything at once."""
    client, peer = await connect(capacity=1 << 30)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counter = asyncio.ensure_future(count())
    for _ in range(1000):
        await client.send_bytes(bytes(1024))
    assert turns > 10
    counter.cancel()
    await ticks(40)
    assert len(peer.data) == 1000


async def test_back_pressure(connect: Connect) -> None:
    """Nobody adds to what waits while the peer takes nothing; who is cancelled then has sent nothing (W22)."""
    client, peer = await connect(capacity=1024)
    peer.transport.pause_reading()
    await client.send_bytes(bytes(300_000))
    blocked = [asyncio.ensure_future(client.send_bytes(b"%d" % number)) for number in range(3)]
    pinging = asyncio.ensure_future(client.ping(b"?"))
    ponging = asyncio.ensure_future(client.pong(b"!"))
    await ticks()
    assert not any(task.done() for task in (*blocked, pinging, ponging))
    blocked[1].cancel()
    await ticks(2)
    peer.transport.resume_reading()
    await asyncio.wait([*blocked, pinging, ponging])
    await ticks(2000)
    assert peer.data == [bytes(300_000), b"0", b"2"]
    assert peer.pongs == [b"!"]


async def test_cancelled_before_the_end_or_the_pause_is_over(connect: Connect) -> None:
    """W22: who gave up waiting is not waited for, and hears of nothing."""
    client, peer = await connect(capacity=1024)
    peer.transport.pause_reading()
    await client.send_bytes(bytes(100_000))
    given_up = [asyncio.ensure_future(client.ping()), asyncio.ensure_future(client.send_str("x"))]
    await ticks(2)
    for task in given_up:
        task.cancel()
    await asyncio.wait(given_up)
    peer.transport.resume_reading()
    await ticks(1000)
    await client.send_str("y")
    await ticks()
    assert peer.data == [bytes(100_000), "y"]

    peer.transport.pause_reading()
    await client.send_bytes(bytes(100_000))
    given_up = [asyncio.ensure_future(client.send_str("x"))]
    await ticks(2)
    given_up[0].cancel()
    await asyncio.wait(given_up)
    closing = asyncio.ensure_future(client.close())
    await ticks(2)
    with pytest.raises(ClientConnectionResetError):
        await client.ping()
    client._link.pause_writing()  # the Close frame was too much
    with pytest.raises(ClientConnectionResetError):
        await client.ping()
    closing.cancel()
    await asyncio.wait([closing])


@pytest.mark.parametrize("then", ["resume", "end"])
async def test_cancelled_in_the_moment_the_waiting_ends(connect: Connect, then: str) -> None:
    """W22: asked to cancel, and not told yet."""
    client, _ = await connect()
    outbox = client._outbox
    outbox.pause()
    waiting = [asyncio.ensure_future(client.ping()), asyncio.ensure_future(client.send_str("x"))]
    await ticks(2)
    for task in waiting:
        task.cancel()
    getattr(outbox, then)()
    await asyncio.wait(waiting)
    assert all(task.cancelled() for task in waiting)
    if then == "resume":
        await client.send_str("y")


async def test_nothing_is_kept_of_those_who_gave_up(connect: Connect) -> None:
    """W22: neither of the cancelled, while the peer takes nothing, nor of coroutines that the collector ends."""
    client, peer = await connect(capacity=1024)
    peer.transport.pause_reading()
    await client.send_bytes(bytes(100_000))
    outbox = client._outbox
    for _ in range(10):
        given_up = [
            asyncio.ensure_future(client.ping()),
            asyncio.ensure_future(client.send_str("x")),
        ]
        await ticks(2)
        for task in given_up:
            task.cancel()
        await asyncio.wait(given_up)
    for coroutine in (client.ping(), client.send_str("x")):
        coroutine.send(None)
        coroutine.close()
    assert not outbox._turns
    assert not outbox._draining
    peer.transport.resume_reading()
    await ticks(1000)
    await client.send_str("y")
    await ticks()
    assert peer.data == [bytes(100_000), "y"]


async def test_w22_many_senders_are_not_mixed(connect: Connect) -> None:
    """W22: messages of many tasks, in fragments and whole; each arrives whole, and those of one task in order."""
    client, peer = await connect(capacity=512)

    async def whole(name: str) -> None:
        for number in range(20):
            await client.send_str(f"{name}{number} " * 50)

    async def in_fragments(name: str) -> None:
        for number in range(10):

            async def pieces(number: int = number) -> AsyncIterator[str]:
                for _ in range(50):
                    yield f"{name}{number} "
                    await asyncio.sleep(0)

            await client.send_fragments(pieces())

    await asyncio.gather(*(whole(name) for name in "abc"), *(in_fragments(name) for name in "de"))
    await ticks(2000)
    for name in "abcde":
        expected = [f"{name}{number} " * 50 for number in range(20 if name in "abc" else 10)]
        assert [text for text in peer.data if text.startswith(name)] == expected
    assert len(peer.data) == 80


async def test_a_turn_is_passed_on_when_its_owner_is_cancelled(connect: Connect) -> None:
    """W22: cancelled when it was its turn already, but before it ran."""
    client, peer = await connect()
    outbox = client._outbox
    await outbox.take_turn()
    first = asyncio.ensure_future(client.send_str("first"))
    second = asyncio.ensure_future(client.send_str("second"))
    await ticks(2)
    outbox.pass_turn()
    first.cancel()
    await asyncio.wait([first, second])
    assert first.cancelled()
    await ticks(2)
    assert peer.data == ["second"]
    assert not outbox.blocked


async def test_control_frames_go_between_fragments(connect: Connect) -> None:
    """W10: a message in fragments keeps neither Pings nor their answers waiting."""
    client, peer = await connect()
    gate = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        await gate.wait()
        yield b"b"

    sending = asyncio.ensure_future(client.send_fragments(pieces()))
    await ticks(2)
    await client.ping(b"?")
    peer.transport.write(peer.engine.ping(b"!"))
    await ticks()
    assert [one.type for one in peer.messages] == [WSMsgType.PING, WSMsgType.PONG]
    gate.set()
    await sending
    await ticks(2)
    assert peer.data == [b"ab"]


async def test_w18_a_ping_flood(connect: Connect) -> None:
    """W18: while the peer takes nothing, one answer waits: that to the latest Ping."""
    client, peer = await connect(capacity=1024)
    peer.transport.pause_reading()
    await client.send_bytes(bytes(100_000))
    before = client._link.transport.get_write_buffer_size()
    for number in range(10_000):
        peer.transport.write(peer.engine.ping(b"%d" % number))
        if number % 100 == 0:
            await ticks(10)
    await ticks(200)
    assert client._link.transport.get_write_buffer_size() <= before
    peer.transport.resume_reading()
    await ticks(1000)
    assert peer.pongs == [b"9999"]
    peer.transport.write(peer.engine.ping(b"again"))
    await ticks()
    assert peer.pongs == [b"9999", b"again"]


async def test_an_answer_that_waits_is_dropped_by_the_end(connect: Connect) -> None:
    client, peer = await connect(capacity=1024)
    peer.transport.pause_reading()
    await client.send_bytes(bytes(100_000))
    peer.transport.write(peer.engine.ping(b"?"))
    await ticks()
    closing = asyncio.ensure_future(client.close())
    await ticks()
    peer.transport.resume_reading()
    await ticks(500)
    assert peer.pongs == []
    peer.transport.write(b"\x89\x00")
    peer.close()
    peer.transport.close()
    assert await closing
    assert peer.pongs == []


async def test_nothing_is_sent_after_the_end(connect: Connect) -> None:
    """W14: not by those who come later, and not by those who were waiting."""
    client, peer = await connect(capacity=1024)
    peer.transport.pause_reading()
    await client.send_bytes(bytes(100_000))

    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"

    waiting = [
        asyncio.ensure_future(client.send_str("x")),
        asyncio.ensure_future(client.ping()),
        asyncio.ensure_future(client.send_fragments(pieces())),
    ]
    await ticks(2)
    peer.close()
    await ticks()
    later = [client.send_str("x"), client.send_bytes(b"x"), client.ping(), client.pong()]
    for sending in (*waiting, *later, client.send_frame(b"", WSMsgType.TEXT)):
        with pytest.raises(ClientConnectionResetError, match="is closing"):
            await sending
    peer.transport.abort()
    await ticks()
    for again in (client.send_str("x"), client.ping()):
        with pytest.raises(ClientConnectionResetError):
            await again


# -- Pings --------------------------------------------------------------------------------------------------------


async def test_a_ping_gives_the_time_of_its_pong(connect: Connect) -> None:
    client, peer = await connect()
    latency = await client.ping()
    await ticks(2)
    assert not latency.done()
    peer.transport.write(peer.engine.pong(peer.pings[0]))
    assert 0 < await latency < 10


async def test_the_pong_of_a_later_ping_answers_the_earlier_ones(connect: Connect) -> None:
    client, peer = await connect()
    first, second = await client.ping("a"), await client.ping("b")
    third, fourth = await client.ping("b"), await client.ping()
    second.cancel()
    peer.transport.write(peer.engine.pong(b"unasked") + peer.engine.pong(b"b"))
    await ticks()
    assert (first.done(), third.done(), fourth.done()) == (True, False, False)
    peer.transport.write(peer.engine.pong(b"b"))
    await third
    assert not fourth.done()


async def test_pings_that_nobody_answers_are_forgotten(connect: Connect) -> None:
    client, _ = await connect()
    given_up = await client.ping()
    given_up.cancel()
    latencies = [await client.ping() for _ in range(200)]
    with pytest.raises(WSPingTimeoutError):  # not CancelledError: nobody cancelled who waits
        await latencies[0]
    assert not latencies[-1].done()
    assert len(client._link.pings._sent) == 128


def test_ping_timeout(connect_now: Connect) -> None:
    async def main() -> None:
        client, peer = await connect_now(ping_timeout=2.0)
        loop = asyncio.get_running_loop()
        began = loop.time()
        latency = await client.ping()
        await client.ping()  # whose time runs out unseen
        with pytest.raises(WSPingTimeoutError, match="a Ping was not answered within 2 s"):
            await latency
        assert loop.time() - began == pytest.approx(2.0)
        assert not client.closed
        await finish(client, peer)

    run_with_fake_clock(main())


async def test_a_ping_whose_connection_ends(connect: Connect) -> None:
    client, peer = await connect()
    latency = await client.ping()
    await client.ping()
    peer.transport.abort()
    with pytest.raises(ClientConnectionResetError, match="before the Pong came"):
        await latency
