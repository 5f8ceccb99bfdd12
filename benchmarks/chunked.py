"""`python -m benchmarks.chunked`: read one chunked body, beside the parsers of peers.

The body comes in reads as a socket gives them, and each parser must end with all its content in one
piece. The head is fed before the measured time. Rounds are interleaved; the figure is the median
over the rounds, in milliseconds per body.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

from benchmarks.job import Failure, Outcome, Sample
from benchmarks.rounds import interleave
from benchmarks.summary import Roles, Row, summarise

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

Run: TypeAlias = Callable[[Sequence[bytes]], bytes]
"""Feed the reads to a parser that has the head already; return the content."""


class Shape(NamedTuple):
    """A body: octets of content, of each chunk, and of each read."""

    content: int = 1 << 20
    chunk: int = 16
    read: int = 1 << 18

    def reads(self) -> list[bytes]:
        """Return the body as it comes from the wire."""
        chunk = b"%x\r\n" % self.chunk + b"x" * self.chunk + b"\r\n"
        wire = chunk * (self.content // self.chunk) + b"0\r\n\r\n"
        return [wire[at : at + self.read] for at in range(0, len(wire), self.read)]


def prepare_wayfare() -> Run:
    """Prepare Wayfare's parser."""
    parser = import_module("wayfare_http_core").ResponseParser()
    parser.begin("GET")
    parser.feed(HEAD)

    def run(reads: Sequence[bytes]) -> bytes:
        content = []
        for read in reads:
            content += [event for event in parser.feed(read) if isinstance(event, bytes)]
        return b"".join(content)

    return run


def prepare_aiohttp() -> Run:
    """Prepare aiohttp's C parser, whose content goes to a stream of its own."""
    parsers, protocols = (
        import_module("aiohttp.http_parser"),
        import_module("aiohttp.base_protocol"),
    )
    loop = asyncio.new_event_loop()
    parser = parsers.HttpResponseParser(protocols.BaseProtocol(loop), loop, 1 << 30)
    loop.close()
    stream = parser.feed_data(HEAD)[0][0][1]

    def run(reads: Sequence[bytes]) -> bytes:
        for read in reads:
            parser.feed_data(read)
        content: bytes = stream.read_nowait()
        return content

    return run


class _Collector:
    """What httptools calls."""

    def __init__(self) -> None:
        self.content: list[bytes] = []

    def on_body(self, body: bytes) -> None:
        self.content.append(body)


def prepare_httptools() -> Run:
    """Prepare httptools' C parser."""
    collector = _Collector()
    parser = import_module("httptools").HttpResponseParser(collector)
    parser.feed_data(HEAD)

    def run(reads: Sequence[bytes]) -> bytes:
        for read in reads:
            parser.feed_data(read)
        return b"".join(collector.content)

    return run


def prepare_h11() -> Run:
    """Prepare an h11 connection that has the head."""
    h11 = import_module("h11")
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "localhost")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(HEAD)
    connection.next_event()

    def run(reads: Sequence[bytes]) -> bytes:
        content: list[Any] = []
        for read in reads:
            connection.receive_data(read)
            while isinstance(event := connection.next_event(), h11.Data):
                content.append(event.data)
        return b"".join(content)

    return run


PARSERS: dict[str, Callable[[], Run]] = {
    "wayfare": prepare_wayfare,
    "httptools": prepare_httptools,
    "aiohttp (C)": prepare_aiohttp,
    "h11": prepare_h11,
}

_REFERENCE = "aiohttp (C)"


def measure(name: str, shape: Shape) -> Outcome:
    """Return the milliseconds per body of the parser called `name`."""
    try:
        reads, run = shape.reads(), PARSERS[name]()
        gc.collect()
        gc.disable()
        start = time.perf_counter()
        content = run(reads)
        elapsed = time.perf_counter() - start
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")
    finally:
        gc.enable()
    if len(content) != shape.content:
        return Failure(f"read {len(content)} octets")
    return Sample(elapsed * 1e3, {})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when our own parser failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chunked", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds (9)")
    parser.add_argument("--chunk", type=int, default=16, help="octets of a chunk (16)")
    parser.add_argument("--read", type=int, default=1 << 18, help="octets of a read (262144)")
    options = parser.parse_args(arguments)
    shape = Shape(chunk=options.chunk, read=options.read)
    series = interleave(list(PARSERS), options.rounds, lambda name: measure(name, shape))
    roles = Roles("wayfare", _REFERENCE, frozenset())
    sys.stdout.write(_table(shape, summarise(series, roles, higher_is_better=False)))
    return 1 if series["wayfare"].failure else 0


def _table(shape: Shape, rows: Sequence[Row]) -> str:
    lines = [
        f"{shape.content} octets in chunks of {shape.chunk}, read {shape.read} at a time; "
        "a ratio above 1 is faster than that parser"
    ]
    for row in rows:
        if row.median is None:
            lines.append(f"{row.client:<12} FAILED: {row.failure}")
        else:
            ratios = f"{row.to_reference or 0:6.2f} x {_REFERENCE} {row.to_best or 0:6.2f} x best"
            lines.append(f"{row.client:<12} {row.median:8.2f} ms ±{row.spread:.1%} {ratios}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
