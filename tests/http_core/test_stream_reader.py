"""`StreamReader`: every way to read, to fail and to be cancelled (B13, B28)."""

import asyncio
import gzip
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import (
    IncompleteBodyError,
    LineTooLong,
)
from wayfare_http_core.aio import StreamReader
from wayfare_http_core.testing import RecordingFlow, decoder_of, stream_of

Read: TypeAlias = Callable[[StreamReader], Coroutine[object, object, bytes]]


async def first_of(pieces: AsyncIterator[bytes]) -> bytes:
    return await anext(pieces)


READS: dict[str, Read] = {
    "read": lambda stream: stream.read(),
    "read(n)": lambda stream: stream.read(10),
    "readany": lambda stream: stream.readany(),
    "readexactly": lambda stream: stream.readexactly(10),
    "readline": lambda stream: stream.readline(),
    "readuntil": lambda stream: stream.readuntil(b"::"),
    "async for": lambda stream: first_of(stream.__aiter__()),
    "iter_any": lambda stream: first_of(stream.iter_any()),
    "iter_chunked": lambda stream: first_of(stream.iter_chunked(10)),
}
every_read = pytest.mark.parametrize("read", READS.values(), ids=READS)


# --- What each way to read gives.


async def test_read_takes_everything_up_to_the_end() -> None:
    stream = stream_of(b"one", b"two", b"three")
    assert await stream.read() == b"onetwothree"
    assert await stream.read() == b""
    assert stream.at_eof()


async def test_read_of_one_piece_copies_nothing() -> None:
    piece = bytes(1000)
    assert await stream_of(piece).read() is piece
    assert await stream_of(piece).read(1000) is piece
    assert await stream_of(piece).readany() is piece


async def test_read_n_gives_up_to_n_from_as_many_pieces_as_it_takes() -> None:
    stream = stream_of(b"abc", b"def", b"g")
    assert await stream.read(0) == b""
    assert await stream.read(2) == b"ab"
    assert await stream.read(3) == b"cde"
    assert await stream.read(100) == b"fg"
    assert await stream.read(1) == b""


async def test_read_n_does_not_wait_for_n() -> None:
    stream = stream_of(b"abc", eof=False)
    assert await stream.read(100) == b"abc"
    stream.feed_eof()


async def test_readany_gives_what_waits() -> None:
    stream = stream_of(b"ab", b"cd")
    assert await stream.read(1) == b"a"
    assert await stream.readany() == b"bcd"
    assert await stream.readany() == b""


async def test_readany_gives_large_pieces_one_by_one() -> None:
    large = bytes(64 * 1024)
    stream = stream_of(large, b"small", b"smaller", large)
    assert await stream.readany() is large
    assert await stream.readany() == b"smallsmaller" + large


async def test_readexactly() -> None:
    stream = stream_of(b"abc", b"def")
    assert await stream.readexactly(0) == b""
    assert await stream.readexactly(4) == b"abcd"
    with pytest.raises(ValueError, match="less than zero"):
        await stream.readexactly(-1)
    assert await stream.readexactly(2) == b"ef"


async def test_readexactly_at_the_end_raises_with_the_partial_octets() -> None:
    """B28: and the octets it took are the caller's, in the error."""
    stream = stream_of(b"abc", b"de")
    with pytest.raises(asyncio.IncompleteReadError) as caught:
        await stream.readexactly(6)
    assert (caught.value.partial, caught.value.expected) == (b"abcde", 6)
    assert await stream.read() == b""


async def test_readline_keeps_the_line_feed_and_the_last_line_may_lack_it() -> None:
    stream = stream_of(b"one\ntwo\r\n\nthr", b"ee")
    lines = [line async for line in stream]
    assert lines == [b"one\n", b"two\r\n", b"\n", b"three"]
    assert await stream.readline() == b""


@pytest.mark.parametrize("separator", [b"\n", b"\r\n", b"aab", b"--boundary--"])
async def test_a_separator_is_found_however_it_is_cut(separator: bytes) -> None:
    """B28: cut at every position, and octet by octet."""
    content = b"aa" + separator + b"rest" + separator + b"end"
    cuts = [[content[:at], content[at:]] for at in range(1, len(content))]
    cuts.append([content[at : at + 1] for at in range(len(content))])
    for pieces in cuts:
        stream = stream_of(*pieces)
        first = content.find(separator) + len(separator)
        assert await stream.readuntil(separator) == content[:first], pieces
        assert await stream.readuntil(separator) == content[first : -len(b"end")], pieces
        assert await stream.readuntil(separator) == b"end"
        assert stream.total_bytes == len(content)


async def test_an_empty_separator_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        await stream_of(b"x").readuntil(b"")


@pytest.mark.parametrize("pieces", [[b"12345678\nrest"], [b"1234", b"5678\nrest"]])
async def test_a_line_up_to_the_limit_passes_and_a_longer_one_stays_readable(
    pieces: list[bytes],
) -> None:
    assert await stream_of(*pieces).readline(max_line_length=9) == b"12345678\n"
    stream = stream_of(*pieces)
    with pytest.raises(LineTooLong) as caught:
        await stream.readline(max_line_length=8)
    assert caught.value.limit == 8
    assert stream.total_bytes == 0
    assert await stream.read() == b"12345678\nrest"


async def test_without_a_separator_a_line_ends_at_the_high_water_mark() -> None:
    stream = StreamReader(limit=8)
    stream.feed_data(b"x" * 16)
    reading = asyncio.ensure_future(stream.readline())
    await asyncio.sleep(0)
    assert not reading.done()
    stream.feed_data(b"x")
    with pytest.raises(LineTooLong) as caught:
        await reading
    assert (caught.value.limit, caught.value.actual) == (16, 17)
    assert await stream.readany() == b"x" * 17


async def test_lines_of_one_large_piece_are_read_in_place() -> None:
    """Work grows with the octets and not with octets times lines: these lines took minutes once."""
    lines = 200_000
    stream = stream_of(b"0123456789\n" * lines)
    count = 0
    async for line in stream:
        assert len(line) == 11
        count += 1
    assert count == lines


async def test_iter_any_and_iter_chunked() -> None:
    assert [piece async for piece in stream_of(b"ab", b"cd").iter_any()] == [b"abcd"]
    assert [piece async for piece in stream_of(b"abc", b"de").iter_chunked(2)] == [
        b"ab",
        b"cd",
        b"e",
    ]
    with pytest.raises(ValueError, match="at least 1"):
        stream_of().iter_chunked(0)


def test_read_nowait_gives_what_waits() -> None:
    stream = stream_of(b"abc", b"def", eof=False)
    assert stream.read_nowait(2) == b"ab"
    assert stream.read_nowait() == b"cdef"
    assert stream.read_nowait() == b""
    stream.set_exception(IncompleteBodyError(6, 7))
    with pytest.raises(IncompleteBodyError):
        stream.read_nowait()


async def test_read_nowait_gives_of_coded_content_what_was_decoded() -> None:
    stream = stream_of(gzip.compress(b"hello"))
    stream.decode_with(decoder_of("gzip"))
    assert stream.read_nowait() == b""
    assert await stream.read(2) == b"he"
    assert stream.read_nowait() == b"llo"


# --- State.


async def test_what_a_stream_says_of_itself() -> None:
    stream = StreamReader()
    assert repr(stream) == "<StreamReader open, 0 octets waiting>"
    stream.feed_data(b"abc")
    stream.feed_data(b"")
    assert not stream.is_eof()
    stream.feed_eof()
    assert repr(stream) == "<StreamReader eof, 3 octets waiting>"
    assert stream.is_eof()
    assert not stream.at_eof()
    assert (stream.total_bytes, stream.total_raw_bytes) == (0, 3)
    assert await stream.read() == b"abc"
    assert stream.at_eof()
    assert (stream.total_bytes, stream.total_raw_bytes) == (3, 3)
    assert stream.exception() is None


def test_feeding_after_the_end_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="after feed_eof"):
        stream_of().feed_data(b"x")


async def test_a_whole_stream_never_asks_for_a_pause() -> None:
    flow = RecordingFlow()
    stream = StreamReader.of_whole(b"x" * 100, flow, limit=1)
    assert stream.is_eof()
    assert (stream.total_raw_bytes, stream.total_bytes) == (100, 0)
    assert await stream.read(60) == b"x" * 60
    assert await stream.read() == b"x" * 40
    assert stream.at_eof()
    assert StreamReader.of_whole(b"").at_eof()
    assert flow.asked == []


@every_read
async def test_every_read_waits_for_octets(read: Read) -> None:
    stream = StreamReader()
    reading = asyncio.ensure_future(read(stream))
    await asyncio.sleep(0)
    assert not reading.done()
    stream.feed_data(b"0123456789::\n")
    stream.feed_eof()
    assert b"0123456789::\n".startswith(await reading)


@pytest.mark.parametrize("name", ["read", "read(n)", "readany", "readline", "readuntil"])
async def test_every_read_gives_nothing_at_the_end(name: str) -> None:
    stream = StreamReader()
    reading = asyncio.ensure_future(READS[name](stream))
    await asyncio.sleep(0)
    stream.feed_eof()
    assert await reading == b""


# --- Broken streams.


@every_read
async def test_every_read_raises_what_broke_the_stream(read: Read) -> None:
    """B13: also the reads after the first error, and those that were waiting."""
    stream = StreamReader()
    error = IncompleteBodyError(0, 10)
    reading = asyncio.ensure_future(read(stream))
    await asyncio.sleep(0)
    stream.set_exception(error)
    for attempt in (reading, read(stream), read(stream)):
        with pytest.raises(IncompleteBodyError) as caught:
            await attempt
        assert caught.value is error
    assert stream.exception() is error


@pytest.mark.parametrize("name", ["read(n)", "readany", "iter_any", "iter_chunked"])
async def test_what_arrived_before_the_error_is_read_first(name: str) -> None:
    """B13, B25: partial success, and then the error."""
    stream = stream_of(b"part", eof=False)
    stream.set_exception(IncompleteBodyError(4, 10))
    assert await READS[name](stream) == b"part"
    with pytest.raises(IncompleteBodyError):
        await READS[name](stream)


@pytest.mark.parametrize("name", ["read", "readexactly", "readline", "readuntil", "async for"])
async def test_a_read_that_needs_more_raises_and_leaves_the_rest_readable(name: str) -> None:
    """B13: what is not whole is not given out as whole."""
    stream = stream_of(b"pa", b"rt", eof=False)
    stream.set_exception(IncompleteBodyError(4, 10))
    for _ in range(2):
        with pytest.raises(IncompleteBodyError):
            await READS[name](stream)
        assert stream.total_bytes == 0
    assert stream.read_nowait() == b"part"


async def test_the_first_error_counts_and_none_after_the_end() -> None:
    stream = StreamReader()
    first = OSError("first")
    stream.set_exception(first)
    stream.set_exception(OSError("second"))
    assert stream.exception() is first
    complete = stream_of(b"x")
    complete.set_exception(first)
    assert complete.exception() is None
    assert await complete.read() == b"x"


# --- One reader at a time.


@every_read
async def test_a_second_reader_is_refused(read: Read) -> None:
    stream = StreamReader()
    reading = asyncio.ensure_future(stream.readany())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task"):
        await read(stream)
    with pytest.raises(RuntimeError, match="another task"):
        stream.read_nowait()
    stream.feed_data(b"for the first")
    assert await reading == b"for the first"


# --- Cancellation.


@every_read
async def test_a_cancelled_read_loses_no_octet(read: Read) -> None:
    """At its wait, before and after a part of what it needs came, with exact accounts."""
    for before, after in ((b"", b""), (b"01234", b""), (b"", b"567"), (b"01234", b"567")):
        stream = StreamReader()
        if before:
            stream.feed_data(before)
            assert await stream.read(1) == before[:1]
            before = before[1:]
        taken = stream.total_bytes
        reading = asyncio.ensure_future(read(stream))
        await asyncio.sleep(0)
        if reading.done():  # it needs no more than what was there
            assert await reading == before
            continue
        if after:
            stream.feed_data(after)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert stream.total_bytes == taken
        assert repr(stream) == f"<StreamReader open, {len(before + after)} octets waiting>"
        stream.feed_data(b"8\n::")
        stream.feed_eof()
        assert await stream.read() == before + after + b"8\n::"
        assert stream.total_bytes == stream.total_raw_bytes


@pytest.mark.parametrize("name", ["read", "readexactly", "readline", "readuntil"])
async def test_a_read_cancelled_between_decoding_steps_loses_no_octet(name: str) -> None:
    """The loop's turn while content is decoded is an await like others."""
    content = b"x" * (8 * 1024 * 1024)
    reads: dict[str, Read] = {
        **READS,
        "readexactly": lambda stream: stream.readexactly(len(content)),
        "readline": lambda stream: stream.readline(max_line_length=len(content)),
        "readuntil": lambda stream: stream.readuntil(b"::", max_size=len(content)),
    }
    for turns in range(1, 5):
        stream = stream_of(gzip.compress(content))
        stream.decode_with(decoder_of("gzip"))
        reading = asyncio.ensure_future(reads[name](stream))
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert stream.total_bytes == 0
        assert await stream.read() == content


async def test_octets_that_come_for_a_cancelled_reader_wait_for_the_next() -> None:
    """The future is cancelled and its task has not woken: feeding must not touch the future."""
    stream = StreamReader()
    reading = asyncio.ensure_future(stream.readany())
    await asyncio.sleep(0)
    reading.cancel()
    stream.feed_data(b"late")
    stream.feed_eof()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await stream.readany() == b"late"


# --- Any feeding, any reads: the same octets.


def cut(content: bytes, places: Iterable[int]) -> list[bytes]:
    marks = sorted({0, len(content), *(place % (len(content) + 1) for place in places)})
    return [content[a:b] for a, b in itertools.pairwise(marks)]


CALLS: dict[str, Callable[[StreamReader, int], Coroutine[object, object, bytes]]] = {
    "read": lambda stream, n: stream.read(n),
    "readany": lambda stream, n: stream.readany(),
    "readline": lambda stream, n: stream.readline(),
    "readuntil": lambda stream, n: stream.readuntil(b"ab" * (n % 3 + 1)),
}


async def step(stream: StreamReader, name: str, n: int) -> bytes:
    if name == "readexactly":
        try:
            return await stream.readexactly(n)
        except asyncio.IncompleteReadError as exc:
            return exc.partial
    if name == "nowait":
        return stream.read_nowait(n)
    if name == "cancelled":
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(0)
        reading.cancel()
        try:
            return await reading
        except asyncio.CancelledError:
            return b""
    return await CALLS[name](stream, n)


@given(
    content=st.lists(st.sampled_from([b"a", b"b", b"ab", b"\n", b"x"]), max_size=60).map(b"".join),
    places=st.lists(st.integers(0, 200), max_size=12),
    calls=st.lists(
        st.tuples(
            st.sampled_from([*CALLS, "readexactly", "nowait", "cancelled"]), st.integers(1, 9)
        ),
        max_size=20,
    ),
    limit=st.integers(1, 30),
    coded=st.booleans(),
)
def test_any_reads_of_any_pieces_give_the_same_octets(
    content: bytes, places: list[int], calls: list[tuple[str, int]], limit: int, coded: bool
) -> None:
    """B27, B28: whatever was refused as too long is still there for the next read."""

    async def main() -> None:
        wire = gzip.compress(content) if coded else content
        stream = StreamReader(RecordingFlow(), limit)
        if coded:
            stream.decode_with(decoder_of("gzip"))

        async def feed() -> None:
            for piece in cut(wire, places):
                stream.feed_data(piece)
                await asyncio.sleep(0)
            stream.feed_eof()

        feeding = asyncio.create_task(feed())
        given_out = b""
        for name, n in calls:
            try:
                given_out += await step(stream, name, n)
            except LineTooLong:
                assert name in ("readline", "readuntil")
            assert stream.total_bytes == len(given_out)
        given_out += await stream.read()
        await feeding
        assert given_out == content
        assert stream.at_eof()
        assert stream.total_bytes == len(content)
        assert stream.total_raw_bytes == len(wire)

    asyncio.run(main())
