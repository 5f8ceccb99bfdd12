"""`python -m benchmarks.multipart_reader`: read a multipart body, beside the readers of peers.

The octets lie in each reader's own stream, in pieces of 64 KiB, when the clock starts. It stops when every part was
read: a large one in chunks of 64 KiB with `read_chunk`, small ones with `async for part in reader: await part.read()`,
and the fields of a form so and with a look at `part.name`. Parsers that are pushed get the same pieces. No two parts
have the same head. Rounds are interleaved; the figure is the median over the rounds, in milliseconds per body.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

from benchmarks.job import Failure, Outcome, Sample
from benchmarks.rounds import interleave
from benchmarks.summary import Roles, Row, summarise

BOUNDARY = "7MA4YWxkTrZu0gW"
PIECE = 64 * 1024
SMALL = 10
"""Bodies of small parts for one figure."""

Read: TypeAlias = Callable[[Any], Coroutine[Any, Any, int]]
"""Read all parts of a reader; return their octets."""


class Shape(NamedTuple):
    """A body: how many parts, the octets of each, and how they are read."""

    parts: int
    octets: int
    read: Read
    subtype: str = "mixed"

    def pieces(self) -> list[bytes]:
        """Return the body as it arrives."""
        body = b"".join(
            b"--%b\r\n"
            b'Content-Disposition: form-data; name="field%d"; filename="a"\r\n'
            b"Content-Type: text/plain\r\n\r\n"
            b"%b\r\n" % (BOUNDARY.encode(), number, bytes(self.octets))
            for number in range(self.parts)
        )
        body += f"--{BOUNDARY}--\r\n".encode()
        return [body[at : at + PIECE] for at in range(0, len(body), PIECE)]

    def fields(self) -> Any:
        """Return the fields of the message."""
        content_type = f"multipart/{self.subtype}; boundary={BOUNDARY}"
        return import_module("multidict").CIMultiDict({"Content-Type": content_type})


async def in_chunks(reader: Any) -> int:
    """Read parts as they come."""
    octets = 0
    async for part in reader:
        while chunk := await part.read_chunk(PIECE):
            octets += len(chunk)
    return octets


async def whole(reader: Any) -> int:
    """Read parts whole."""
    octets = 0
    async for part in reader:
        octets += len(await part.read())
    return octets


async def by_name(reader: Any) -> int:
    """Read the fields of a form into a dict."""
    fields = {}
    async for part in reader:
        fields[part.name] = await part.read()
    return sum(map(len, fields.values()))


SHAPES = {
    "one part of 64 MiB, in chunks": Shape(1, 1 << 26, in_chunks),
    "200 parts of 200 octets, whole": Shape(200, 200, whole),
    "200 fields of 200 octets, by name": Shape(200, 200, by_name, "form-data"),
}


Run: TypeAlias = Callable[[Sequence[bytes], Shape], tuple[float, int]]
"""Read a body; return the seconds that it took, and the octets of its parts."""


def push_wayfare(pieces: Sequence[bytes], shape: Shape) -> tuple[float, int]:
    """Read with Wayfare's push parser."""
    parser = import_module("wayfare_multipart").MultipartParser(BOUNDARY)
    start = time.perf_counter()
    octets = sum(
        len(event) for piece in pieces for event in parser.feed(piece) if isinstance(event, bytes)
    )
    return time.perf_counter() - start, octets


def push_multipart(pieces: Sequence[bytes], shape: Shape) -> tuple[float, int]:
    """Read with the push parser of the package `multipart`."""
    parser = import_module("multipart").PushMultipartParser(
        BOUNDARY, max_segment_size=1 << 40, max_segment_count=1000
    )
    start = time.perf_counter()
    octets = sum(
        len(event)
        for piece in pieces
        for event in parser.parse(piece)
        if isinstance(event, bytes | bytearray)
    )
    return time.perf_counter() - start, octets


def read_wayfare(pieces: Sequence[bytes], shape: Shape) -> tuple[float, int]:
    """Read with Wayfare's asynchronous reader, over Wayfare's stream."""
    stream = import_module("wayfare_http_core.aio").StreamReader()
    reader = import_module("wayfare_multipart").MultipartReader(shape.fields(), stream)
    return asyncio.run(_read(reader, stream, pieces, shape))


def read_aiohttp(pieces: Sequence[bytes], shape: Shape) -> tuple[float, int]:
    """Read with aiohttp's reader, over aiohttp's stream."""

    async def run() -> tuple[float, int]:
        loop = asyncio.get_running_loop()
        protocol = import_module("aiohttp.base_protocol").BaseProtocol(loop)
        stream = import_module("aiohttp").StreamReader(protocol, 1 << 30, loop=loop)
        reader = import_module("aiohttp").MultipartReader(shape.fields(), stream)
        return await _read(reader, stream, pieces, shape)

    return asyncio.run(run())


async def _read(
    reader: Any, stream: Any, pieces: Sequence[bytes], shape: Shape
) -> tuple[float, int]:
    for piece in pieces:
        stream.feed_data(piece)
    stream.feed_eof()
    start = time.perf_counter()
    octets = await shape.read(reader)
    return time.perf_counter() - start, octets


READERS: dict[str, Run] = {
    "wayfare": read_wayfare,
    "aiohttp": read_aiohttp,
    "wayfare, pushed": push_wayfare,
    "multipart, pushed": push_multipart,
}


def measure(name: str, shape: Shape) -> Outcome:
    """Return the milliseconds per body of the reader called `name`."""
    try:
        pieces, run = shape.pieces(), READERS[name]
        run(shape._replace(octets=1).pieces(), shape)  # imports, and code that is warm
        gc.collect()
        gc.disable()
        times = SMALL if shape.parts > 1 else 1
        elapsed, octets = map(sum, zip(*(run(pieces, shape) for _ in range(times)), strict=True))
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")
    finally:
        gc.enable()
    if octets != shape.parts * shape.octets * times:
        return Failure(f"read {octets} octets")
    return Sample(elapsed / times * 1e3, {})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when our own reader failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.multipart_reader", description=__doc__
    )
    parser.add_argument("--rounds", type=int, default=9, help="rounds (9)")
    options = parser.parse_args(arguments)
    failed = False
    for title, shape in SHAPES.items():
        sys.stdout.write(f"{title}; a ratio above 1 is faster than that reader\n")
        for ours, theirs in (("wayfare", "aiohttp"), ("wayfare, pushed", "multipart, pushed")):
            series = interleave([ours, theirs], options.rounds, partial(measure, shape=shape))
            rows = summarise(series, Roles(ours, theirs, frozenset()), higher_is_better=False)
            sys.stdout.write("".join(_line(row, theirs) for row in rows))
            failed = failed or series[ours].failure is not None
    return 1 if failed else 0


def _line(row: Row, theirs: str) -> str:
    if row.median is None:
        return f"{row.client:<18} FAILED: {row.failure}\n"
    ratio = f"{row.to_reference or 0:6.2f} x {theirs}"
    return f"{row.client:<18} {row.median:8.2f} ms ±{row.spread:.1%} {ratio}\n"


if __name__ == "__main__":
    sys.exit(main())
