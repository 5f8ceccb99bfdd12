"""`StreamReader.readchunk`: HTTP chunks as they were sent, for those who ask; next to nothing for others (B22)."""

import asyncio
import gzip
import itertools
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import (
    BodyTooLargeError,
    Decoder,
    IncompleteBodyError,
    RequestHead,
    ResponseParser,
    UnsupportedCodings,
    encode_chunk,
    make_decoder,
)
from wayfare_http_core.aio import ChunkTupleAsyncStreamIterator, StreamReader
from wayfare_http_core.aio._chunk_marks import ChunkMarks
from wayfare_http_core.testing import ReadRequest, Send, Wait, run_with_fake_clock

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = RequestHead("GET", "http", "h", "/")

Connect = Callable[..., AbstractAsyncContextManager[Any]]


def fed(*pieces: bytes, eof: bool = True) -> StreamReader:
    """A stream fed by hand, a chunk for each piece."""
    stream = StreamReader()
    for piece in pieces:
        stream.begin_http_chunk_receiving()
        stream.feed_data(piece)
        stream.end_http_chunk_receiving()
    if eof:
        stream.feed_eof()
    return stream


def received(chunks: list[bytes], cut: int) -> StreamReader:
    """A stream as a connection feeds it, from wire cut into pieces."""
    parser, stream = ResponseParser(), StreamReader()
    parser.begin("GET")
    parser.feed(CHUNKED)
    wire = b"".join(map(encode_chunk, chunks)) + b"0\r\n\r\n"
    for at in range(0, len(wire), cut):
        for event in parser.feed(wire[at : at + cut]):
            if isinstance(event, bytes):
                stream.feed_data(event)
                if parser.chunk_sizes:
                    stream.mark_chunks(parser.chunk_sizes)
    stream.feed_eof()
    return stream


def gunzip() -> Decoder:
    made = make_decoder(("gzip",))
    assert made is not None
    assert not isinstance(made, UnsupportedCodings)
    return made


async def whole_chunks(stream: StreamReader) -> list[bytes]:
    """The chunks that a stream tells of, put together."""
    chunks, begun = [], b""
    async for data, ends in stream.iter_chunks():
        begun += data
        if ends:
            chunks.append(begun)
            begun = b""
    assert begun == b""
    return chunks


async def test_chunks_are_given_as_they_were_fed() -> None:
    stream = fed(b"one", b"two", b"three")
    assert await stream.readchunk() == (b"one", True)
    assert await stream.readchunk() == (b"two", True)
    assert await stream.readchunk() == (b"three", True)
    assert await stream.readchunk() == (b"", False)
    assert stream.at_eof()


async def test_a_chunk_that_is_not_whole_yet_comes_in_pieces() -> None:
    stream = fed(b"one", eof=False)
    stream.feed_data(b"tw")
    assert await stream.readchunk() == (b"one", True)
    assert await stream.readchunk() == (b"tw", False)
    reading = asyncio.ensure_future(stream.readchunk())
    await asyncio.sleep(0)
    stream.feed_data(b"o")
    stream.end_http_chunk_receiving()
    assert await reading == (b"o", True)


async def test_without_chunks_pieces_end_none() -> None:
    stream = StreamReader()
    stream.feed_data(b"ab")
    assert await stream.readchunk() == (b"ab", False)
    stream.feed_data(b"cd")
    stream.feed_eof()
    assert [each async for each in stream.iter_chunks()] == [(b"cd", False)]


async def test_an_empty_chunk_leaves_no_trace() -> None:
    stream = fed(b"one", b"", b"two")
    assert [each async for each in stream.iter_chunks()] == [(b"one", True), (b"two", True)]


async def test_other_reads_may_come_between() -> None:
    stream = fed(b"one", b"two", b"three", b"four", b"five")
    assert await stream.read(1) == b"o"
    assert await stream.readchunk() == (b"ne", True)
    assert await stream.readexactly(4) == b"twot"
    assert await stream.readchunk() == (b"hree", True)
    assert await stream.readexactly(4) == b"four"
    stream.unread(b"our")
    assert await stream.readchunk() == (b"our", True)
    assert await stream.readchunk() == (b"five", True)


async def test_an_error_comes_after_the_chunks_before_it() -> None:
    """B25."""
    stream = fed(b"one", eof=False)
    stream.feed_data(b"tw")
    stream.set_exception(IncompleteBodyError(5))
    assert await stream.readchunk() == (b"one", True)
    assert await stream.readchunk() == (b"tw", False)
    with pytest.raises(IncompleteBodyError):
        await stream.readchunk()


async def test_a_limit_cuts_a_chunk() -> None:
    """B26: what is left of the content is told of no more chunks."""
    for coded in (False, True):
        wire = gzip.compress(b"onetwo") if coded else b"onetwo"
        stream = fed(wire, eof=False)
        if coded:
            stream.decode_with(gunzip())
        stream.limit_size(5)
        assert await stream.readchunk() == (b"onetw", False)
        with pytest.raises(BodyTooLargeError):
            await stream.readchunk()


async def test_the_iterator_can_be_made_by_hand() -> None:
    chunks = ChunkTupleAsyncStreamIterator(fed(b"one", b"two"))
    assert [each async for each in chunks] == [(b"one", True), (b"two", True)]


@given(
    st.lists(st.binary(min_size=1, max_size=6) | st.binary(min_size=250, max_size=260), max_size=9),
    st.integers(1, 400),
)
def test_chunks_arrive_as_they_were_sent(chunks: list[bytes], cut: int) -> None:
    assert asyncio.run(whole_chunks(received(chunks, cut))) == chunks


@given(st.lists(st.integers(1, 40), max_size=6), st.integers(1, 100))
def test_coded_content_is_given_by_the_chunks_that_it_came_in(sizes: list[int], cut: int) -> None:
    """What each unpacks to, which for the first may be nothing."""
    content = bytes(range(256)) * 2
    coded = gzip.compress(content)
    marks = [0]
    for size in sizes:
        marks.append(min(len(coded), marks[-1] + size))
    marks.append(len(coded))
    chunks = [coded[a:b] for a, b in itertools.pairwise(marks) if b > a]

    async def main() -> None:
        stream = received(chunks, cut)
        stream.decode_with(gunzip())
        decoder = gunzip()
        expected = []
        for chunk in chunks:
            data = decoder.decode(chunk, 1 << 20)
            while decoder.has_pending:
                data += decoder.decode(b"", 1 << 20)
            expected.append(data)
        assert await whole_chunks(stream) == expected
        assert b"".join(expected) == content
        assert stream.at_eof()

    asyncio.run(main())


async def test_a_chunk_that_unpacks_to_much_comes_in_pieces() -> None:
    content = bytes(1 << 20)
    stream = received([gzip.compress(content), gzip.compress(b"more")], 1 << 20)
    stream.decode_with(gunzip())
    pieces = [each async for each in stream.iter_chunks()]
    assert len(pieces) > 4
    assert [data for data, ends in pieces if ends][-1].endswith(b"more")
    assert b"".join(data for data, _ in pieces) == content + b"more"
    assert await whole_chunks(received([b"a"], 1)) == [b"a"]


async def test_coded_content_without_chunks() -> None:
    stream = StreamReader()
    stream.feed_data(gzip.compress(b"content"))
    stream.feed_eof()
    stream.decode_with(gunzip())
    assert [each async for each in stream.iter_chunks()] == [(b"content", False)]


async def test_coded_content_whose_chunk_is_not_whole_yet() -> None:
    coded = gzip.compress(b"content")
    stream = fed(coded[:-4], eof=False)
    stream.feed_data(coded[-4:])
    stream.decode_with(gunzip())
    assert await stream.readchunk() == (b"content", True)
    reading = asyncio.ensure_future(stream.readchunk())
    await asyncio.sleep(0)
    assert not reading.done()
    stream.feed_eof()
    assert await reading == (b"", False)


async def test_a_cancelled_read_of_a_chunk_loses_no_octet() -> None:
    """At its wait, with and without a coding."""
    for coded in (False, True):
        wire = gzip.compress(b"content") if coded else b"content"
        stream = fed(wire[:5], eof=False)
        if coded:
            stream.decode_with(gunzip())
            assert await stream.readchunk() == (b"", True)
        else:
            assert await stream.readchunk() == (b"conte", True)
        reading = asyncio.ensure_future(stream.readchunk())
        await asyncio.sleep(0)
        stream.feed_data(wire[5:])
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        stream.end_http_chunk_receiving()
        stream.feed_eof()
        assert await stream.readchunk() == (b"content"[0 if coded else 5 :], True)


async def test_a_second_reader_is_refused() -> None:
    stream = fed(b"x", eof=False)
    assert await stream.readchunk() == (b"x", True)
    reading = asyncio.ensure_future(stream.readchunk())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task"):
        await stream.readchunk()
    stream.feed_eof()
    assert await reading == (b"", False)


# --- Memory.


@pytest.mark.parametrize(("cut", "size"), [(6, 1 << 17), (1000, 1 << 20), (1 << 18, 1 << 20)])
def test_b22_chunks_of_one_octet(cut: int, size: int) -> None:
    """B22: a body that waits takes less than four times its size, its chunks' ends included."""
    parser, stream = ResponseParser(), StreamReader()
    parser.begin("GET")
    parser.feed(CHUNKED)
    wire = (1 << 17) * b"1\r\nx\r\n"
    tracemalloc.start()
    for _ in range(size >> 17):
        for at in range(0, len(wire), cut):
            for event in parser.feed(wire[at : at + cut]):
                assert isinstance(event, bytes)
                stream.feed_data(event)
                stream.mark_chunks(parser.chunk_sizes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * size
    assert stream.total_raw_bytes == size
    for _ in range(100):
        assert asyncio.run(stream.readchunk()) == (b"x", True)


def test_marks_that_nobody_asks_for_are_dropped() -> None:
    """A reader that does not care for chunks pays no memory for them, however slow it is."""
    marks = ChunkMarks()
    tracemalloc.start()
    for position in range(0, 1 << 20, 64):
        marks.add(b"\1" * 64, position)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 4096
    assert marks.next_end((1 << 20) - 64) == (1 << 20) - 63
    assert marks.next_end((1 << 20) - 1) == 1 << 20
    assert marks.next_end(1 << 20) is None


# --- Over a connection.


@pytest.mark.parametrize("whole", [True, False])
def test_the_chunks_of_a_response(connect: Connect, whole: bool) -> None:
    """Whether the response came in one read, so that it never was a stream before, or in several."""
    body = encode_chunk(b"one") + encode_chunk(b"two") + encode_chunk(b"three") + b"0\r\n\r\n"
    sends = [Send(CHUNKED + body)]
    later = [Wait(1), Send(body[:10]), Wait(1), Send(body[10:])]

    async def main() -> None:
        script = sends if whole else [Send(CHUNKED), *later]
        async with connect(ReadRequest(), *script) as wire:
            exchange = await wire.connection.exchange(GET)
            assert exchange.is_complete is whole
            assert await whole_chunks(exchange.content) == [b"one", b"two", b"three"]

    run_with_fake_clock(main())


async def test_chunks_of_one_response_are_not_those_of_the_next(connect: Connect) -> None:
    plain = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    body = encode_chunk(b"one") + b"0\r\n\r\n"
    async with connect(ReadRequest(), Send(CHUNKED + body), ReadRequest(), Send(plain)) as wire:
        exchange = await wire.connection.exchange(GET)
        assert await exchange.content.readchunk() == (b"one", True)
        exchange = await wire.connection.exchange(GET)
        assert await exchange.content.readchunk() == (b"abc", False)
