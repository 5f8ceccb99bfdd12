"""`StreamReader`: a read that is cancelled at any of its waits costs nothing, whichever read it is (O4, O6)."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from wayfare_http_core import Decoder, LineTooLong, UnsupportedCodings, make_decoder
from wayfare_http_core.aio import Deadline, StreamReader

CONTENT = b'{"a": "\xc3\xa9"}\r\n[1, 2]\r\n::"end"\n' * 3

Read = Callable[[], Awaitable[Any]]


def gunzip() -> Decoder:
    made = make_decoder(("gzip",))
    assert made is not None
    assert not isinstance(made, UnsupportedCodings)
    return made


def steps_of(iterator: AsyncIterator[Any]) -> Read:
    """One step of an iterator at a time; None at the end."""

    async def step() -> Any:
        return await anext(iterator, None)

    return step


async def exactly(stream: StreamReader) -> bytes:
    try:
        return await stream.readexactly(7)
    except asyncio.IncompleteReadError as error:
        return error.partial


READS: dict[str, Callable[[StreamReader], Read]] = {
    "read": lambda stream: stream.read,
    "read(n)": lambda stream: lambda: stream.read(7),
    "readany": lambda stream: stream.readany,
    "readexactly": lambda stream: lambda: exactly(stream),
    "readline": lambda stream: stream.readline,
    "readuntil": lambda stream: lambda: stream.readuntil(b"::"),
    "readchunk": lambda stream: stream.readchunk,
    "async for": lambda stream: steps_of(aiter(stream)),
    "iter_any": lambda stream: steps_of(stream.iter_any()),
    "iter_chunked": lambda stream: steps_of(stream.iter_chunked(7)),
    "iter_chunks": lambda stream: steps_of(stream.iter_chunks()),
    "iter_text": lambda stream: steps_of(stream.iter_text()),
    "iter_lines": lambda stream: steps_of(stream.iter_lines()),
    "iter_json_lines": lambda stream: steps_of(
        stream.iter_json_lines(lambda text: text, max_line_length=100)
    ),
}


END = (b"", None, (b"", False))


class Feeder:
    """Feeds a stream piece by piece, a chunk for each, up to its end."""

    def __init__(self, stream: StreamReader, wire: bytes) -> None:
        self._stream = stream
        self._pieces = [wire[at : at + 5] for at in range(0, len(wire), 5)]

    def feed(self) -> None:
        if self._pieces:
            self._stream.feed_data(self._pieces.pop(0))
            self._stream.end_http_chunk_receiving()
        else:
            self._stream.feed_eof()


async def read_through(name: str, coded: bool, cancel_at: int) -> tuple[list[Any], int]:
    """All that the reads give, one of which is cancelled; and how often one waited."""
    wire = gzip.compress(CONTENT, mtime=0) if coded else CONTENT
    stream = StreamReader()
    stream.set_timeouts(Deadline.after(1000), (1000, TimeoutError))
    if coded:
        stream.decode_with(gunzip())
    feeder = Feeder(stream, wire)
    read = READS[name](stream)
    given: list[Any] = []
    waits = 0
    reading = asyncio.ensure_future(read())
    while True:
        for _ in range(3):
            await asyncio.sleep(0)
        if reading.done():
            if reading.result() in END:
                assert stream.at_eof()
                return given, waits
            given.append(reading.result())
            reading = asyncio.ensure_future(read())
            continue
        waits += 1
        if waits != cancel_at:
            feeder.feed()
            continue
        if waits % 2:
            # In the same tick as its octets.
            feeder.feed()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        reading = asyncio.ensure_future(read())


def joined(given: list[Any]) -> Any:
    """What must be equal: how octets and text fall into pieces may depend on the moment."""
    if all(isinstance(each, tuple) for each in given):
        return b"".join(data for data, _ in given)
    return (b"" if isinstance(given[0], bytes) else "").join(given)


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("name", READS)
async def test_a_read_cancelled_at_any_wait_loses_no_octet(name: str, coded: bool) -> None:
    whole, waits = await read_through(name, coded, 0)
    assert waits > 5
    text = joined(whole)
    if name in ("iter_lines", "iter_json_lines"):
        assert text == CONTENT.decode().replace("\r\n", "").replace("\n", "")
    else:
        assert text == (CONTENT.decode() if isinstance(text, str) else CONTENT)
    for cancel_at in range(1, waits + 1):
        again, _ = await read_through(name, coded, cancel_at)
        assert joined(again) == text, cancel_at
        if name in ("readexactly", "readline", "readuntil", "async for", "iter_lines"):
            assert again == whole, cancel_at


async def test_a_line_over_the_limit_in_a_stream_that_is_cancelled() -> None:
    """What was put back for one reason is there for the next."""
    stream = StreamReader(limit=4)
    stream.feed_data(b"12345")
    reading = asyncio.ensure_future(stream.readline())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    stream.feed_data(b"6789")
    with pytest.raises(LineTooLong):
        await stream.readline()
    stream.feed_eof()
    assert await stream.read() == b"123456789"
