"""`StreamReader.peek`: a look at what arrived."""

import asyncio
import gzip
import zlib

import pytest
from wayfare_http_core import (
    BodyTooLargeError,
    ContentEncodingError,
    Decoder,
    UnsupportedCodings,
    make_decoder,
)
from wayfare_http_core.aio import StreamReader


def stream_of(*pieces: bytes, eof: bool = True) -> StreamReader:
    stream = StreamReader()
    for piece in pieces:
        stream.feed_data(piece)
    if eof:
        stream.feed_eof()
    return stream


def gunzip() -> Decoder:
    made = make_decoder(("gzip",))
    assert made is not None
    assert not isinstance(made, UnsupportedCodings)
    return made


async def test_what_was_looked_at_is_still_there() -> None:
    stream = stream_of(b"ab", b"cd", b"ef")
    assert stream.peek(3) == b"abc"
    assert stream.peek(99) == b"abcdef"
    assert stream.total_bytes == 0
    assert await stream.read(1) == b"a"
    assert stream.peek(2) == b"bc"
    assert await stream.read() == b"bcdef"
    assert stream.peek(1) == b""


async def test_of_coded_content_one_step_is_undone() -> None:
    content = bytes(range(256)) * 4096
    stream = stream_of(gzip.compress(content))
    stream.decode_with(gunzip())
    seen = stream.peek(1 << 30)
    assert 0 < len(seen) <= 256 * 1024
    assert content.startswith(seen)
    assert stream.peek(10) == content[:10]
    assert await stream.read() == content


async def test_coded_content_of_which_nothing_came() -> None:
    stream = stream_of(eof=False)
    stream.decode_with(gunzip())
    assert stream.peek(10) == b""
    stream.feed_data(gzip.compress(b"content"))
    stream.feed_eof()
    assert stream.peek(10) == b"content"


async def test_what_cannot_be_decoded_shows_when_it_is_read() -> None:
    stream = stream_of(b"no gzip at all")
    stream.decode_with(gunzip())
    assert stream.peek(10) == b""
    assert stream.peek(10) == b""
    with pytest.raises(ContentEncodingError):
        await stream.read()


async def test_no_more_is_seen_than_may_be_read() -> None:
    stream = stream_of(zlib.compress(b"abcdef"))
    made = make_decoder(("deflate",))
    assert made is not None
    assert not isinstance(made, UnsupportedCodings)
    stream.decode_with(made)
    stream.limit_size(4)
    assert stream.peek(10) == b"abcd"
    assert await stream.read(10) == b"abcd"
    with pytest.raises(BodyTooLargeError):
        await stream.read(10)


async def test_nothing_is_seen_while_somebody_reads() -> None:
    stream = stream_of(eof=False)
    reading = asyncio.create_task(stream.read(2))
    await asyncio.sleep(0)
    stream.feed_data(b"ab")
    assert stream.peek(2) == b""
    assert await reading == b"ab"
