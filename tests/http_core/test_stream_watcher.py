"""A watched stream: all that is read is told, once, whatever becomes of the readers."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import pytest
from wayfare_http_core import (
    BodyTooLargeError,
    ContentEncodingError,
    Decoder,
    UnsupportedCodings,
    make_decoder,
)
from wayfare_http_core.aio import StreamReader


class Watcher:
    """Notes what it is told; may fail or wait."""

    def __init__(self) -> None:
        self.told: list[bytes | BaseException | None] = []
        self.obstacle: Callable[[], Awaitable[None]] | None = None

    async def content_arrived(self, piece: bytes) -> None:
        self.told.append(piece)
        if self.obstacle is not None:
            await self.obstacle()

    async def content_ended(self, exception: Exception | None) -> None:
        self.told.append(exception)
        if self.obstacle is not None:
            await self.obstacle()


def gunzip() -> Decoder:
    made = make_decoder(("gzip",))
    assert made is not None
    assert not isinstance(made, UnsupportedCodings)
    return made


def watched(*pieces: bytes, eof: bool = True) -> tuple[StreamReader, Watcher]:
    stream = StreamReader()
    for piece in pieces:
        stream.feed_data(piece)
    if eof:
        stream.feed_eof()
    watcher = Watcher()
    stream.watch(watcher)
    return stream, watcher


async def test_the_whole_content_and_its_end() -> None:
    stream, watcher = watched(b"ab", b"cd")
    assert await stream.read() == b"abcd"
    assert watcher.told == [b"ab", b"cd", None]
    assert await stream.read() == b""
    assert watcher.told == [b"ab", b"cd", None]


async def test_pieces_are_told_once_however_they_are_read() -> None:
    stream, watcher = watched(b"one\ntwo\nth", eof=False)
    assert await stream.readline() == b"one\n"
    assert await stream.read(2) == b"tw"
    stream.feed_data(b"ree")
    assert await stream.readexactly(4) == b"o\nth"
    assert await stream.readany() == b"ree"
    stream.feed_eof()
    assert await stream.readany() == b""
    assert watcher.told == [b"one\ntwo\nth", b"ree", None]


async def test_decoded_octets_are_told() -> None:
    content = bytes(range(256)) * 2000
    stream = StreamReader()
    stream.feed_data(gzip.compress(content))
    stream.feed_eof()
    stream.decode_with(gunzip())
    watcher = Watcher()
    stream.watch(watcher)
    assert await stream.read() == content
    *pieces, end = watcher.told
    assert len(pieces) > 1
    assert b"".join(piece for piece in pieces if isinstance(piece, bytes)) == content
    assert end is None


async def test_what_was_read_before_is_not_told() -> None:
    stream = StreamReader()
    stream.feed_data(b"abcdef")
    stream.feed_eof()
    assert await stream.read(2) == b"ab"
    watcher = Watcher()
    stream.watch(watcher)
    assert await stream.read() == b"cdef"
    assert watcher.told == [b"cdef", None]


async def test_what_read_nowait_takes_is_not_told() -> None:
    stream, watcher = watched(b"ab", eof=False)
    assert stream.read_nowait() == b"ab"
    stream.feed_data(b"cd")
    assert stream.read_nowait(1) == b"c"
    stream.feed_data(b"ef")
    stream.feed_eof()
    assert await stream.read() == b"def"
    assert watcher.told == [b"d", b"ef", None]


async def test_a_broken_stream_is_told_with_its_error() -> None:
    stream, watcher = watched(b"ab", eof=False)
    error = ConnectionError("gone")
    stream.set_exception(error)
    for _ in range(2):
        with pytest.raises(ConnectionError, match="gone"):
            await stream.read()
    assert watcher.told == [b"ab", error]
    assert await stream.read(2) == b"ab"


async def test_content_that_cannot_be_decoded() -> None:
    stream = StreamReader()
    stream.feed_data(b"no gzip at all")
    stream.feed_eof()
    stream.decode_with(gunzip())
    watcher = Watcher()
    stream.watch(watcher)
    with pytest.raises(ContentEncodingError) as caught:
        await stream.read()
    assert watcher.told == [caught.value]


async def test_only_what_is_within_the_limit_is_told() -> None:
    stream, watcher = watched(b"abcdef")
    stream.limit_size(4)
    assert await stream.read(9) == b"abcd"
    with pytest.raises(BodyTooLargeError) as caught:
        await stream.read(9)
    assert watcher.told == [b"abcd", caught.value]


async def test_what_the_watcher_raises_costs_no_octet() -> None:
    stream, watcher = watched(b"ab", b"cd")

    async def fail() -> None:
        raise LookupError("the watcher's")

    watcher.obstacle = fail
    for _ in range(2):
        with pytest.raises(LookupError, match="the watcher's"):
            await stream.read()
    with pytest.raises(LookupError, match="the watcher's"):
        await stream.read()
    assert watcher.told == [b"ab", b"cd", None]
    assert await stream.read() == b"abcd"


async def test_cancelled_while_the_watcher_waits() -> None:
    """Cancellation costs no octet, and nobody else reads meanwhile."""
    stream, watcher = watched(b"ab")
    never = asyncio.Event()

    async def wait() -> None:
        await never.wait()

    watcher.obstacle = wait
    reader = asyncio.create_task(stream.read())
    await asyncio.sleep(0)
    assert watcher.told == [b"ab"]
    with pytest.raises(RuntimeError, match="another task is reading"):
        await stream.read()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    watcher.obstacle = None
    assert await stream.read() == b"ab"
    assert watcher.told == [b"ab", None]


async def test_cancelled_while_waiting_for_octets() -> None:
    """Cancellation is no end of the content."""
    stream, watcher = watched(eof=False)
    reader = asyncio.create_task(stream.read(2))
    await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    stream.feed_data(b"ab")
    stream.feed_eof()
    assert await stream.read() == b"ab"
    assert watcher.told == [b"ab", None]


async def test_several_watchers_are_told_one_after_the_other() -> None:
    stream, first = watched(eof=False)
    second, third = Watcher(), Watcher()
    stream.watch(second)
    stream.feed_data(b"ab")
    assert await stream.read(1) == b"a"
    stream.watch(third)
    stream.feed_data(b"c")
    stream.feed_eof()
    assert await stream.read() == b"bc"
    assert first.told == second.told == [b"ab", b"c", None]
    assert third.told == [b"c", None]
