"""One huge message, in and out, in constant memory (W16, W22, W23)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from wayfare_http_core import ClientConnectionResetError
from wayfare_http_core.testing import run_with_fake_clock, ticks
from wayfare_websocket import (
    DeflateParameters,
    WebSocketError,
    WSMessage,
    WSMessageTypeError,
    WSMsgType,
)

from .conftest import Connect

BothFixture = Callable[..., Any]


async def pieces(*parts: bytes | str) -> AsyncIterator[bytes | str]:
    for part in parts:
        yield part


@pytest.mark.parametrize("deflate", [None, DeflateParameters()])
async def test_a_message_larger_than_memory_allows(
    connect_both: BothFixture, deflate: DeflateParameters | None
) -> None:
    """16 MiB where a message has 4: nothing is put together, in either direction."""
    client, server = await connect_both(deflate)

    async def source() -> AsyncIterator[bytes]:
        for number in range(256):
            yield bytes([number]) * 65536

    stream = server.receive_fragments()
    sending = asyncio.ensure_future(client.send_fragments(source()))
    total = largest = 0
    async for piece in stream:
        assert set(piece) <= set(range(256))
        total += len(piece)
        largest = max(largest, len(piece))
        held = sum(len(one.data) for one in server._queue)
        assert held <= 256 * 1024 + 4096 * 1032
    await sending
    assert total == 256 * 65536
    assert largest <= 256 * 1024
    assert stream.type is WSMsgType.BINARY
    closing = asyncio.ensure_future(client.close())
    await server.receive()
    await server.close()
    await closing


async def test_w15_a_bomb_gives_no_more_than_is_asked_for(connect: Connect) -> None:
    """W15: 32 MiB in one frame of 32 KiB, a step of it at a time, while the transport stands still."""
    client, peer = await connect(deflate=DeflateParameters())
    stream = client.receive_fragments()
    peer.transport.write(peer.engine.send_bytes(bytes(32 << 20)))
    await ticks()
    total = 0
    async for piece in stream:
        total += len(piece)
        assert len(piece) <= 256 * 1024
        assert sum(len(one.data) for one in client._queue) <= 512 * 1024
    assert total == 32 << 20
    peer.text("x")
    assert await client.receive_str() == "x"


async def test_w15_a_small_bomb(connect: Connect) -> None:
    """W15: the same, in octets that are read at once."""
    client, peer = await connect(deflate=DeflateParameters())
    stream = client.receive_fragments()
    peer.transport.write(peer.engine.send_bytes(bytes(2 << 20)) + peer.engine.send_text("x"))
    assert sum([len(piece) async for piece in stream]) == 2 << 20
    assert await client.receive_str() == "x"


async def test_closing_with_an_open_stream(connect: Connect) -> None:
    client, peer = await connect()
    stream = client.receive_fragments()
    peer.transport.write(b"\x01\x01a")
    assert await anext(stream) == "a"
    closing = asyncio.ensure_future(client.close())
    await ticks(2)
    stream.close()
    peer.transport.write(b"\x80\x01b\x81\x01c")
    await ticks()
    assert not client._queue
    peer.close()
    peer.transport.close()
    assert await closing


async def test_texts(connect: Connect) -> None:
    client, peer = await connect()
    await client.send_fragments(pieces("é", "à"))
    await client.send_fragments(["x", "y"])
    await client.send_fragments([b"x", b"y"], text=True)
    await client.send_fragments([b"x", "y"])
    await client.send_fragments([], text=True)
    await client.send_fragments(pieces())
    await ticks()
    assert peer.data == ["éà", "xy", "xy", b"xy", "", b""]


async def test_pieces_of_text_are_text(connect: Connect) -> None:
    """W13: characters are whole, though their octets come one by one."""
    client, peer = await connect()
    stream = client.receive_fragments()
    wire = peer.engine.send_fragment("aé", text=True) + peer.engine.send_fragment("😀", final=True)
    seen: list[Any] = []

    async def read() -> None:
        async with stream:
            async for piece in stream:
                seen.append(piece)

    reading = asyncio.ensure_future(read())
    for octet in wire:
        peer.transport.write(bytes([octet]))
        await ticks(3)
    await reading
    assert "".join(seen) == "aé😀"
    assert len(seen) == 3
    assert stream.type is WSMsgType.TEXT


async def test_what_is_there_already_is_one_piece(connect: Connect) -> None:
    client, peer = await connect()
    peer.text("a", "b", "")
    await ticks()
    for expected in (["a"], ["b"], []):
        assert [piece async for piece in client.receive_fragments()] == expected
    peer.transport.write(b"\x01\x01x")
    await ticks()
    stream = client.receive_fragments()
    peer.transport.write(b"\x80\x01y")
    assert [piece async for piece in stream] == ["x", "y"]
    # The wish was for that message, and is fulfilled.
    peer.transport.write(b"\x01\x01x\x80\x01y\x81\x01z")
    assert await client.receive_str() == "xy"
    assert await client.receive_str() == "z"


async def test_messages_behind_a_streamed_one_are_whole(connect: Connect) -> None:
    client, peer = await connect()
    stream = client.receive_fragments()
    peer.transport.write(b"\x01\x01a\x80\x01b" + b"\x01\x01c\x80\x01d\x81\x01e")
    assert [piece async for piece in stream] == ["a", "b"]
    assert await client.receive_str() == "cd"
    assert await client.receive_str() == "e"


async def test_nobody_else_receives_meanwhile(connect: Connect) -> None:
    client, peer = await connect()
    stream = client.receive_fragments()
    with pytest.raises(RuntimeError, match="somebody else is receiving"):
        await client.receive()
    with pytest.raises(RuntimeError, match="somebody else is receiving"):
        client.receive_fragments()
    waiting = asyncio.ensure_future(anext(stream))
    await ticks(2)
    with pytest.raises(RuntimeError, match="somebody else is receiving"):
        await anext(stream)
    peer.text("x")
    assert await waiting == "x"
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    peer.text("y")
    assert await client.receive_str() == "y"


async def test_left_early(connect: Connect) -> None:
    """What is left of the message is dropped: what has arrived, and what has not."""
    client, peer = await connect()
    async with client.receive_fragments() as stream:
        peer.transport.write(b"\x01\x01a\x00\x01b")
        await ticks()
        assert await anext(stream) == "a"
    peer.transport.write(b"\x00\x01c")
    await ticks()
    peer.transport.write(b"\x80\x01d\x81\x01e")
    assert await client.receive_str() == "e"

    stream = client.receive_fragments()
    peer.transport.write(b"\x01\x01a\x80\x01b\x81\x01c")
    await ticks()
    stream.close()
    stream.close()
    assert await client.receive_str() == "c"


async def test_left_by_break(connect: Connect) -> None:
    client, peer = await connect()

    async def first() -> str | bytes:
        async for piece in client.receive_fragments():
            return piece
        raise AssertionError("nothing came")

    reading = asyncio.ensure_future(first())
    await ticks(2)
    peer.transport.write(b"\x01\x01a")
    assert await reading == "a"
    peer.transport.write(b"\x80\x01d\x81\x01e")
    assert await client.receive_str() == "e"


async def test_given_up_before_it_began(connect: Connect) -> None:
    client, peer = await connect()
    client.receive_fragments().close()
    peer.transport.write(b"\x01\x01a\x80\x01b")
    assert await client.receive_str() == "ab"


async def test_left_with_a_full_queue(connect: Connect) -> None:
    """Dropping makes room: the transport goes on."""
    client, peer = await connect(capacity=1 << 20)
    stream = client.receive_fragments()
    peer.transport.write(b"\x02\x7f" + (600_000).to_bytes(8, "big") + bytes(600_000))
    await ticks()
    assert not client._link.transport.is_reading()
    assert await anext(stream)
    stream.close()
    assert client._link.transport.is_reading()
    peer.transport.write(b"\x80\x00\x81\x01x")
    assert await client.receive_str() == "x"


async def test_a_full_queue_goes_on(connect: Connect) -> None:
    client, peer = await connect(capacity=1 << 20)
    stream = client.receive_fragments()
    peer.transport.write(b"\x82\x7f" + (600_000).to_bytes(8, "big") + bytes(600_000))
    await ticks()
    assert sum([len(piece) async for piece in stream]) == 600_000
    assert client._link.transport.is_reading()


async def test_control_frames_wait_for_their_reader(connect: Connect) -> None:
    """W10: without `autoping` they are seen after the message, in order."""
    client, peer = await connect(autoping=False)
    stream = client.receive_fragments()
    peer.transport.write(b"\x01\x01a\x89\x011\x8a\x012\x80\x01b\x81\x01c")
    assert [piece async for piece in stream] == ["a", "b"]
    assert [(await client.receive()).data for _ in range(3)] == [b"1", b"2", "c"]


async def test_the_end_in_place_of_a_message(connect: Connect) -> None:
    client, peer = await connect()
    stream = client.receive_fragments()
    peer.close(1001)
    with pytest.raises(WSMessageTypeError, match="the WebSocket closed, and no message came"):
        await anext(stream)
    stream.close()
    assert (await client.receive()).type is WSMsgType.CLOSE
    with pytest.raises(WSMessageTypeError):
        await anext(client.receive_fragments())


@pytest.mark.parametrize("how", ["close", "eof", "reset", "violation"])
async def test_the_end_inside_of_a_message(connect: Connect, how: str) -> None:
    """A message that is cut short is never taken for a whole one."""
    client, peer = await connect()
    stream = client.receive_fragments()
    peer.transport.write(b"\x01\x01a")
    assert await anext(stream) == "a"
    if how == "close":
        peer.transport.write(peer.engine.close(1001))
    elif how == "eof":
        peer.transport.write_eof()
    elif how == "reset":
        peer.transport.reset()
    else:
        peer.transport.write(b"\x81\x00")
    wanted = WebSocketError if how == "violation" else ClientConnectionResetError
    with pytest.raises(wanted):
        await anext(stream)
    with pytest.raises(wanted):
        await anext(stream)
    stream.close()


def test_the_timeout_is_for_each_piece(connect_now: Connect) -> None:
    async def main() -> None:
        client, peer = await connect_now(receive_timeout=2.0)
        stream = client.receive_fragments()
        peer.transport.write(b"\x01\x01a")
        assert await anext(stream) == "a"
        with pytest.raises(TimeoutError):
            await anext(stream)
        peer.transport.write(b"\x80\x01b")
        assert await anext(stream) == "b"
        stream.close()
        other = client.receive_fragments(1.0)
        with pytest.raises(TimeoutError, match="within 1 s"):
            await anext(other)
        other.close()
        peer.transport.abort()
        await client.close()

    run_with_fake_clock(main())


async def test_w22_a_source_that_fails_ends_the_websocket(connect: Connect) -> None:
    """W22: a message without an end cannot be taken back; nobody may take its beginning for all of it."""
    client, peer = await connect()

    async def source() -> AsyncIterator[bytes]:
        yield b"a"
        raise KeyError("of the application")

    with pytest.raises(KeyError):
        await client.send_fragments(source())
    await ticks()
    assert peer.messages == [WSMessage(WSMsgType.CLOSE, 1011, "a message was not finished")]
    peer.transport.close()
    await ticks()
    assert client.closed


async def test_w22_a_source_that_fails_at_once_does_not(connect: Connect) -> None:
    client, peer = await connect()

    def broken() -> Any:
        raise KeyError("of the application")
        yield b""

    with pytest.raises(KeyError):
        await client.send_fragments(broken())
    bad: Any = [1]
    with pytest.raises(TypeError, match="a piece must be str or bytes, not int"):
        await client.send_fragments(bad)
    await client.send_str("still open")
    await ticks()
    assert peer.data == ["still open"]


async def test_a_source_is_closed_with_its_message(connect: Connect) -> None:
    """A generator that nobody else has cleans up, also when its pieces are not wanted any more."""
    client, peer = await connect()
    closed: list[str] = []

    async def source(name: str) -> AsyncIterator[bytes]:
        try:
            for _ in range(3):
                yield b"x"
        finally:
            closed.append(name)

    await client.send_fragments(source("all"))
    peer.close()
    await ticks()
    with pytest.raises(ClientConnectionResetError):
        await client.send_fragments(source("none"))
    peer.transport.close()
    assert closed == ["all"]

    client, peer = await connect()
    peer.transport.abort()

    class Source:
        """Of no generator."""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"x"

    await client.send_fragments(Source())
    await ticks()
    with pytest.raises(ClientConnectionResetError):
        await client.send_fragments(Source())


async def test_w22_cancelled_in_the_middle(connect: Connect) -> None:
    client, peer = await connect()

    async def source() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    sending = asyncio.ensure_future(client.send_fragments(source()))
    waiting = asyncio.ensure_future(client.send_str("next"))
    await ticks(3)
    sending.cancel()
    await asyncio.wait([sending, waiting])
    assert sending.cancelled()
    assert isinstance(waiting.exception(), ClientConnectionResetError)
    await ticks()
    assert [one.data for one in peer.messages] == [1011]
    peer.transport.close()
    await ticks()


async def test_the_peer_closes_in_the_middle(connect: Connect) -> None:
    client, peer = await connect()
    gate = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield b"a"
        await gate.wait()
        yield b"b"

    sending = asyncio.ensure_future(client.send_fragments(source()))
    await ticks(3)
    peer.close()
    await ticks(3)
    gate.set()
    with pytest.raises(ClientConnectionResetError):
        await sending
    assert [one.type for one in peer.messages] == [WSMsgType.CLOSE]


async def test_compressed_fragments(connect: Connect) -> None:
    """W23: one stream of compressed data over all pieces; or none."""
    client, peer = await connect(deflate=DeflateParameters())
    await client.send_fragments([b"x" * 10_000] * 3)
    await ticks()
    assert sum(map(len, peer.pieces)) < 200
    await client.send_fragments([b"x" * 10_000] * 3, compress=False)
    await ticks(100)
    assert peer.data == [b"x" * 30_000] * 2
    assert sum(map(len, peer.pieces)) > 30_000
