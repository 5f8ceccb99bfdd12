"""`python -m benchmarks.head_parser`: parse one response head, beside the parsers of peers.

Each parser must end with the status and every field at hand. What a parser needs before a head can
be fed (h11 wants the request to be sent first) is prepared outside of the measured time. Rounds are
interleaved; the figure is the median over the rounds, in microseconds per head.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TypeAlias, final

from benchmarks.job import Failure, Outcome, Sample
from benchmarks.rounds import interleave
from benchmarks.summary import Roles, Row, summarise

HEAD = b"""\
HTTP/1.1 200 OK
Server: nginx/1.22.1
Date: Mon, 23 Nov 2026 04:57:00 GMT
Content-Type: application/json; charset=utf-8
Content-Length: 0
Connection: keep-alive
Cache-Control: max-age=0, private, must-revalidate
ETag: W/"6b41c2d0f6a1e0a7d2a4d4c3f9a1b2c3"
Vary: Accept-Encoding, Origin
X-Request-Id: 2f9a1c44-6f4e-4d0c-9f6e-0a4b7d1c2e3f
X-Runtime: 0.012345
Strict-Transport-Security: max-age=31536000; includeSubDomains
X-Content-Type-Options: nosniff

""".replace(b"\n", b"\r\n")
"""A head of twelve fields as servers send them, of a response without a body."""

FIELDS = 12

Run: TypeAlias = Callable[[], tuple[int, int]]
"""Parse the heads that were prepared; return the last one's status and number of fields."""


def prepare_wayfare(count: int) -> Run:
    """Prepare one parser that reads `count` heads, as one connection does."""
    parser = import_module("wayfare_http_core").ResponseParser()

    def run() -> tuple[int, int]:
        head: Any = None
        for _ in range(count):
            parser.begin("GET")
            head = parser.feed(HEAD)[0]
        return head.status, len(head.headers)

    return run


def prepare_aiohttp(count: int) -> Run:
    """Prepare aiohttp's C parser, which reads `count` heads of one connection."""
    parsers, protocols = (
        import_module("aiohttp.http_parser"),
        import_module("aiohttp.base_protocol"),
    )
    loop = asyncio.new_event_loop()
    parser = parsers.HttpResponseParser(protocols.BaseProtocol(loop), loop, 2**16)
    loop.close()

    def run() -> tuple[int, int]:
        message: Any = None
        for _ in range(count):
            message = parser.feed_data(HEAD)[0][0][0]
        return message.code, len(message.headers)

    return run


@final
class _Collector:
    """What httptools calls: keeps the fields, which the parser itself does not."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []

    def on_message_begin(self) -> None:
        self.fields = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))


def prepare_httptools(count: int) -> Run:
    """Prepare httptools' C parser, which reads `count` heads of one connection."""
    collector = _Collector()
    parser = import_module("httptools").HttpResponseParser(collector)

    def run() -> tuple[int, int]:
        for _ in range(count):
            parser.feed_data(HEAD)
        return parser.get_status_code(), len(collector.fields)

    return run


def prepare_h11(count: int) -> Run:
    """Prepare `count` h11 connections that each wait for a response."""
    h11 = import_module("h11")
    request = h11.Request(method="GET", target="/", headers=[("Host", "localhost")])
    connections = [h11.Connection(h11.CLIENT) for _ in range(count)]
    for connection in connections:
        connection.send(request)
        connection.send(h11.EndOfMessage())

    def run() -> tuple[int, int]:
        response: Any = None
        for connection in connections:
            connection.receive_data(HEAD)
            response = connection.next_event()
        return response.status_code, len(list(response.headers))

    return run


PARSERS: dict[str, Callable[[int], Run]] = {
    "wayfare": prepare_wayfare,
    "httptools": prepare_httptools,
    "aiohttp (C)": prepare_aiohttp,
    "h11": prepare_h11,
}


_REFERENCE = "aiohttp (C)"


def measure(name: str, count: int) -> Outcome:
    """Return the microseconds per head of the parser called `name`."""
    try:
        run = PARSERS[name](count)
        gc.collect()
        gc.disable()
        start = time.perf_counter()
        status, fields = run()
        elapsed = time.perf_counter() - start
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")
    finally:
        gc.enable()
    if (status, fields) != (200, FIELDS):
        return Failure(f"read status {status} and {fields} fields")
    return Sample(elapsed / count * 1e6, {})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when our own parser failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.head_parser", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds (9)")
    parser.add_argument("--count", type=int, default=5000, help="heads per round (5000)")
    options = parser.parse_args(arguments)
    series = interleave(list(PARSERS), options.rounds, lambda name: measure(name, options.count))
    roles = Roles("wayfare", _REFERENCE, frozenset())
    rows = summarise(series, roles, higher_is_better=False)
    sys.stdout.write(_table(rows))
    return 1 if series["wayfare"].failure else 0


def _table(rows: Sequence[Row]) -> str:
    lines = [f"{len(HEAD)} octets, {FIELDS} fields; a ratio above 1 is faster than that parser"]
    for row in rows:
        if row.median is None:
            lines.append(f"{row.client:<12} FAILED: {row.failure}")
        else:
            ratios = f"{row.to_reference or 0:6.2f} x {_REFERENCE} {row.to_best or 0:6.2f} x best"
            lines.append(f"{row.client:<12} {row.median:8.2f} µs ±{row.spread:.1%} {ratios}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
