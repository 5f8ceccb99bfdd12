"""`python -m benchmarks.multipart_reader`: read a multipart body, beside the readers of peers.

Each reader gets the body in pieces of 64 KiB and ends with the octets of every part counted: of one
large part in chunks, of many small ones whole. Rounds are interleaved; the figure is the median
over the rounds, in milliseconds per body.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

from benchmarks.job import Failure, Outcome, Sample
from benchmarks.rounds import interleave
from benchmarks.summary import Roles, Row, summarise

BOUNDARY = "7MA4YWxkTrZu0gW"
TYPE = f"multipart/mixed; boundary={BOUNDARY}"
PIECE = 64 * 1024

Run: TypeAlias = Callable[[Sequence[bytes]], int]
"""Read a body; return the octets of its parts."""


class Shape(NamedTuple):
    """A body: how many parts, and the octets of each."""

    parts: int
    octets: int

    def pieces(self) -> list[bytes]:
        """Return the body as it arrives."""
        line = f"--{BOUNDARY}\r\n".encode()
        head = b'Content-Disposition: form-data; name="f"; filename="a"\r\nContent-Type: text/plain\r\n\r\n'
        body = (line + head + bytes(self.octets) + b"\r\n") * self.parts
        body += f"--{BOUNDARY}--\r\n".encode()
        return [body[at : at + PIECE] for at in range(0, len(body), PIECE)]


SHAPES = {"one part of 64 MiB": Shape(1, 1 << 26), "200 parts of 200 octets": Shape(200, 200)}


def push_wayfare(pieces: Sequence[bytes]) -> int:
    """Read with Wayfare's push parser."""
    parser = import_module("wayfare_multipart").MultipartParser(BOUNDARY)
    return sum(
        len(event) for piece in pieces for event in parser.feed(piece) if isinstance(event, bytes)
    )


def push_multipart(pieces: Sequence[bytes]) -> int:
    """Read with the push parser of the package `multipart`."""
    parser = import_module("multipart").PushMultipartParser(
        BOUNDARY, max_segment_size=1 << 40, max_segment_count=1000
    )
    return sum(
        len(event)
        for piece in pieces
        for event in parser.parse(piece)
        if isinstance(event, bytes | bytearray)
    )


def read_wayfare(pieces: Sequence[bytes]) -> int:
    """Read with Wayfare's asynchronous reader, over Wayfare's stream."""
    stream = import_module("wayfare_http_core.aio").StreamReader()
    reader = import_module("wayfare_multipart").MultipartReader({"Content-Type": TYPE}, stream)
    return asyncio.run(_read(reader, stream, pieces))


def read_aiohttp(pieces: Sequence[bytes]) -> int:
    """Read with aiohttp's reader, over aiohttp's stream."""

    async def read() -> int:
        loop = asyncio.get_running_loop()
        protocol = import_module("aiohttp.base_protocol").BaseProtocol(loop)
        stream = import_module("aiohttp").StreamReader(protocol, 1 << 30, loop=loop)
        fields = import_module("multidict").CIMultiDict({"Content-Type": TYPE})
        reader = import_module("aiohttp").MultipartReader(fields, stream)
        return await _read(reader, stream, pieces)

    return asyncio.run(read())


async def _read(reader: Any, stream: Any, pieces: Sequence[bytes]) -> int:
    for piece in pieces:
        stream.feed_data(piece)
    stream.feed_eof()
    octets = 0
    while (part := await reader.next()) is not None:
        while chunk := await part.read_chunk(PIECE):
            octets += len(chunk)
    return octets


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
        run(Shape(1, 1).pieces())  # imports
        gc.collect()
        gc.disable()
        start = time.perf_counter()
        octets = run(pieces)
        elapsed = time.perf_counter() - start
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")
    finally:
        gc.enable()
    if octets != shape.parts * shape.octets:
        return Failure(f"read {octets} octets")
    return Sample(elapsed * 1e3, {})


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
