"""Receiving: what each kind of message becomes, one reader, timeouts, the bounded queue (W5, W10, W19)."""

import asyncio
import json
from typing import Any

import pytest
from wayfare_http_core import ClientError, ClientOSError, ServerDisconnectedError
from wayfare_http_core.testing import run_with_fake_clock, ticks
from wayfare_websocket import (
    DeflateParameters,
    WebSocketError,
    WSMessage,
    WSMessageTypeError,
    WSMsgType,
)

from .conftest import Connect, end_of

CLOSED = WSMessage(WSMsgType.CLOSED, None, None)


async def test_texts_and_bytes(connect: Connect) -> None:
    client, peer = await connect()
    peer.text("a", "é")
    peer.binary(b"\x00")
    assert await client.receive() == WSMessage(WSMsgType.TEXT, "a", None)
    assert await client.receive_str() == "é"
    assert await client.receive_bytes() == b"\x00"
    peer.text('{"a": 1}')
    assert await client.receive_json() == {"a": 1}
    peer.text("7")
    assert await client.receive_json(loads=lambda text: text * 2) == "77"
    assert not client.closed


async def test_texts_may_stay_bytes(connect: Connect) -> None:
    """`decode_text=False`: checked as UTF-8, and left as octets."""
    client, peer = await connect(decode_text=False)
    peer.text("é", "[1]")
    assert await client.receive_str() == "é".encode()
    assert await client.receive_json(loads=json.loads) == [1]
    peer.transport.write(b"\x81\x01\xff")
    message = await client.receive()
    assert message.type is WSMsgType.ERROR
    assert message.data.code == 1007


async def test_w5_octets_behind_the_handshake_count(connect: Connect) -> None:
    """W5: what was read with the head of the answer is the beginning of the WebSocket."""
    client, peer = await connect(unread=b"\x81\x02hi\x81\x01")
    assert await client.receive_str() == "hi"
    peer.transport.write(b"!")
    assert await client.receive_str() == "!"


@pytest.mark.parametrize("method", ["receive_str", "receive_bytes", "receive_json"])
async def test_a_message_of_another_type_is_an_error(connect: Connect, method: str) -> None:
    client, peer = await connect()
    if method == "receive_bytes":
        peer.text("x")
    else:
        peer.binary(b"x")
    with pytest.raises(WSMessageTypeError, match=r"where (TEXT|BINARY) was expected") as caught:
        await getattr(client, method)()
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ClientError)


async def test_iterating(connect: Connect) -> None:
    """The iteration ends with the WebSocket; everything before that is seen."""
    client, peer = await connect()
    peer.text("a", "b")
    peer.close(1000)
    assert [message.data async for message in client] == ["a", "b"]
    assert client.closed
    assert await client.receive() == CLOSED


async def test_closed_only_when_everything_was_received(connect: Connect) -> None:
    """`while not ws.closed` loses no message that came before the Close frame."""
    client, peer = await connect()
    peer.text("a", "b")
    peer.close()
    await ticks()
    seen = []
    while not client.closed:
        seen.append((await client.receive()).type)
    assert seen == [WSMsgType.TEXT, WSMsgType.TEXT, WSMsgType.CLOSE]


async def test_one_reader_at_a_time(connect: Connect) -> None:
    client, peer = await connect()
    waiting = asyncio.ensure_future(client.receive())
    await ticks(2)
    with pytest.raises(RuntimeError, match="somebody else is receiving"):
        await client.receive()
    peer.text("x")
    with pytest.raises(RuntimeError, match="somebody else is receiving"):
        client.receive_fragments()
    assert (await waiting).data == "x"
    peer.text("y")
    assert await client.receive_str() == "y"


async def test_a_second_reader_between_arrival_and_wake_up(connect: Connect) -> None:
    """The message is the first reader's, though that one has not run yet."""
    client, peer = await connect()
    waiting = asyncio.ensure_future(client.receive())
    await ticks(2)
    peer.text("x")
    errors = []

    async def second() -> None:
        try:
            await client.receive()
        except RuntimeError as error:
            errors.append(error)

    for _ in range(3):
        if not waiting.done():
            await second()
    assert (await waiting).data == "x"
    assert errors


async def test_cancelled_receiving_loses_nothing(connect: Connect) -> None:
    client, peer = await connect()
    waiting = asyncio.ensure_future(client.receive())
    await ticks(2)
    peer.text("x", "y")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await client.receive_str() == "x"
    waiting = asyncio.ensure_future(client.receive())
    await asyncio.sleep(0)
    assert (await waiting).data == "y"


def test_timeouts(connect_now: Connect) -> None:
    """`timeout` of one call, or `receive_timeout`; the WebSocket goes on."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        client, peer = await connect_now(receive_timeout=3.0)
        began = loop.time()
        with pytest.raises(TimeoutError, match=r"no message came within 2 s"):
            await client.receive(2.0)
        with pytest.raises(TimeoutError, match=r"no message came within 3 s"):
            await client.receive_str()
        assert loop.time() - began == pytest.approx(5.0)
        with pytest.raises(TimeoutError):
            await client.receive_bytes(timeout=1)
        with pytest.raises(TimeoutError):
            await client.receive_json(timeout=1)
        peer.text("x")
        assert await client.receive_str() == "x"
        peer.close()
        await client.receive()
        peer.transport.close()
        await client.close()

    run_with_fake_clock(main())


def test_the_time_of_one_message_is_not_that_of_the_next(connect_now: Connect) -> None:
    """A limit ends the wait that it was given to: not the next one, be that limited or not."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        client, peer = await connect_now(receive_timeout=3.0)
        loop.call_later(2.0, peer.text, "x")
        assert await client.receive_str() == "x"
        began = loop.time()
        with pytest.raises(TimeoutError):
            await client.receive()
        assert loop.time() - began == pytest.approx(3.0)
        peer.transport.abort()
        await client.close()

        client, peer = await connect_now()
        loop.call_later(2.0, peer.text, "x")
        assert await client.receive_str(timeout=3.0) == "x"
        loop.call_later(2.0, peer.text, "y")
        assert await client.receive_str() == "y"
        peer.transport.abort()
        await client.close()

    run_with_fake_clock(main())


async def test_control_frames_for_those_who_want_them(connect: Connect) -> None:
    """W10: without `autoping` the reader sees them, and answers himself."""
    client, peer = await connect(autoping=False)
    peer.transport.write(peer.engine.ping(b"1") + peer.engine.pong(b"2"))
    assert await client.receive() == WSMessage(WSMsgType.PING, b"1", None)
    assert await client.receive() == WSMessage(WSMsgType.PONG, b"2", None)
    await client.pong(b"1")
    await ticks()
    assert peer.pongs == [b"1"]


async def test_a_violation_ends_it(connect: Connect) -> None:
    """W7: ERROR with the exception, then CLOSED; the peer is told by a Close frame, and nothing behind it counts."""
    client, peer = await connect()
    peer.transport.write(peer.engine.send_text("before") + b"\x81\x80\x00\x00\x00\x00\x81\x00")
    assert await client.receive_str() == "before"
    message = await client.receive()
    assert message.type is WSMsgType.ERROR
    assert isinstance(message.data, WebSocketError)
    assert client.exception() is message.data
    assert client.close_code == 1002
    assert client.close_reason == "a server's frame is masked"
    assert await client.receive() == CLOSED
    assert client.closed
    peer.transport.write(b"\x81\x05later")
    await ticks()
    assert await client.receive() == CLOSED
    assert peer.messages[-1] == WSMessage(WSMsgType.CLOSE, 1002, "a server's frame is masked")


async def test_the_end_without_a_close_frame(connect: Connect) -> None:
    client, peer = await connect()
    peer.text("last")
    peer.transport.close()
    await ticks()
    assert await client.receive_str() == "last"
    assert await client.receive() == CLOSED
    assert client.close_code == 1006
    assert isinstance(client.exception(), ServerDisconnectedError)
    with pytest.raises(WSMessageTypeError):
        await client.receive_str()


async def test_a_reset(connect: Connect) -> None:
    client, peer = await connect()
    waiting = asyncio.ensure_future(client.receive())
    await ticks(2)
    peer.transport.reset()
    assert await waiting == CLOSED
    error = client.exception()
    assert isinstance(error, ClientOSError)
    assert isinstance(error.__cause__, ConnectionResetError)


async def test_a_transport_that_fails_otherwise(connect: Connect) -> None:
    client, _ = await connect()
    end_of(client).lose(ValueError("broken"))
    assert await client.receive() == CLOSED
    assert str(client.exception()) == "broken"


async def test_w19_the_queue_is_bounded_in_octets(connect: Connect) -> None:
    """W19: with enough to read the transport stops, and goes on when the queue is empty."""
    client, peer = await connect()
    sent = 0
    for _ in range(100):
        peer.binary(bytes(16 * 1024))
        sent += 1
    for _ in range(50):
        await asyncio.sleep(0)
    transport = client._link.transport
    assert not transport.is_reading()
    held = sum(len(message.data) for message in client._queue)
    assert 256 * 1024 <= held <= (256 + 64 + 16) * 1024
    for _ in range(sent):
        assert len(await client.receive_bytes()) == 16 * 1024
    assert transport.is_reading()


async def test_w19_the_queue_is_bounded_in_messages(connect: Connect) -> None:
    """W19: empty messages cost memory too."""
    client, peer = await connect(capacity=1 << 20)
    peer.binary(*[b""] * 100_000)
    await ticks(60)
    assert len(client._queue) <= 1024 + 32 * 1024
    for _ in range(100_000):
        assert await client.receive_bytes() == b""


async def test_w19_what_compressed_messages_become_counts(connect: Connect) -> None:
    """W19: a kilobyte may become a megabyte."""
    client, peer = await connect(deflate=DeflateParameters())
    wire = b"".join(peer.engine.send_bytes(bytes(200_000)) for _ in range(200))
    assert len(wire) < 60_000
    peer.transport.write(wire)
    await ticks()
    held = sum(len(message.data) for message in client._queue)
    assert held < 256 * 1024 + 4096 * 1032
    for _ in range(200):
        assert len(await client.receive_bytes()) == 200_000


async def test_what_was_held_back_is_read_after_the_end(connect: Connect) -> None:
    """The transport broke while the queue was full: everything that had arrived is received, its Close frame too."""
    client, peer = await connect(deflate=DeflateParameters())
    wire = b"".join(peer.engine.send_bytes(bytes(100_000)) for _ in range(100))
    peer.transport.write(wire + peer.engine.close(1001, "bye"))
    await ticks()
    assert not client._link.transport.is_reading()
    end_of(client).lose(ConnectionResetError(104, "reset"))
    await ticks()
    assert not client.closed
    seen = [message.type async for message in client]
    assert seen == [WSMsgType.BINARY] * 100
    assert (client.close_code, client.close_reason) == (1001, "bye")


async def test_w19_a_violation_lets_go_of_what_is_held(connect: Connect) -> None:
    """W19: behind a violation nothing is kept."""
    client, peer = await connect(capacity=1 << 20)
    peer.transport.write(b"\x80\x00" + peer.engine.send_bytes(bytes(200_000)))
    await ticks()
    assert client._inbox._unread == b""
    assert (await client.receive()).type is WSMsgType.ERROR


async def test_w15_the_limit_is_that_of_what_a_message_becomes(connect: Connect) -> None:
    """W15."""
    client, peer = await connect(deflate=DeflateParameters(), max_message_size=1000)
    peer.binary(bytes(1000))
    assert len(await client.receive_bytes()) == 1000
    peer.binary(bytes(1001))
    message = await client.receive()
    assert (message.type, message.data.code) == (WSMsgType.ERROR, 1009)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_w27_dribbled_octets(connect: Connect, size: int) -> None:
    """W17, W27: however the octets come, the messages are the same."""
    client, peer = await connect()
    wire = peer.engine.send_text("x" * 300) + peer.engine.ping(b"?") + peer.engine.send_bytes(b"y")
    received: Any = []
    for at in range(0, len(wire), size):
        peer.transport.write(wire[at : at + size])
        await ticks(2)
    received = [(await client.receive()).data for _ in range(2)]
    assert received == ["x" * 300, b"y"]
    await ticks(2)
    assert peer.pongs == [b"?"]
