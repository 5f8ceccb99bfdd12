"""Answers without an end, and the memory that a client takes before it gives up: `python -m fuzz.endless_answers`.

Each line of the output is a name, the error that ended the exchange, and by how many KiB the process grew at most.
"""

import asyncio
import gzip
import resource
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from wayfare_http_core import (
    BodyTooLargeError,
    ClientError,
    ExchangeOptions,
    RequestHead,
    UnsupportedCodings,
    make_decoder,
    parse_content_codings,
)
from wayfare_http_core.aio import HTTP1Connection, HTTP1Exchange
from wayfare_http_core.testing import (
    HOSTILE_ANSWERS,
    Action,
    Flood,
    MemoryNetwork,
    Reply,
    ScriptedServer,
    Send,
    Serve,
)

__all__ = ("ENDLESS", "grown")

_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
_MEMBERS = gzip.compress(b"", mtime=0) * 100

ENDLESS: dict[str, tuple[Action, ...]] = {
    answer.name: answer.actions
    for answer in HOSTILE_ANSWERS
    if any(isinstance(action, Flood) for action in answer.actions)
}
ENDLESS |= {
    "tiny chunks without end": (Send(_CHUNKED + b"\r\n"), Flood(b"1\r\nx\r\n" * 1000)),
    "content without end": (Send(b"HTTP/1.1 200 OK\r\n\r\n"), Flood(b"x" * 6000)),
    "members of gzip without end": (
        Send(_CHUNKED + b"Content-Encoding: gzip\r\n\r\n"),
        Flood(b"%x\r\n%b\r\n" % (len(_MEMBERS), _MEMBERS)),
    ),
    "empty blocks of deflate without end": (
        Send(_CHUNKED + b"Content-Encoding: deflate\r\n\r\n"),
        # A stored block of no octets, not the last one (RFC 1951 section 3.2.4).
        Flood(b"1f4\r\n" + b"\x00\x00\x00\xff\xff" * 100 + b"\r\n"),
    ),
}
"""By their names."""

LIMIT = 1024 * 1024
"""Octets of content that are read before the reader has had enough."""


async def read_all(exchange: HTTP1Exchange) -> None:
    """Read and forget, up to the limit."""
    exchange.content.limit_size(LIMIT)
    while await exchange.content.readany():
        pass


async def read_nothing(exchange: HTTP1Exchange) -> None:
    """Let the server send, and do not look."""
    for _ in range(2000):
        await asyncio.sleep(0)
    raise BodyTooLargeError(0)


Reader = Callable[[HTTP1Exchange], Awaitable[None]]


async def _exchange(actions: tuple[Action, ...], reader: Reader) -> str:
    network = MemoryNetwork()
    server = ScriptedServer([Serve(actions)])
    network.serve("h", 80, server)
    _, connection = await network.dial("h", 80, HTTP1Connection)
    try:
        options = ExchangeOptions(read_limit=64 * 1024)
        exchange = await connection.exchange(RequestHead("GET", "http", "h", "/"), options=options)
        codings = parse_content_codings(exchange.head.headers.getall("Content-Encoding", []))
        decoder = make_decoder(codings)
        if decoder is not None and not isinstance(decoder, UnsupportedCodings):
            exchange.content.decode_with(decoder)
        await reader(exchange)
        result = "complete"
    except ClientError as exc:
        result = type(exc).__name__
    connection.abort()
    await connection.wait_closed()
    server.abort()
    await server.wait_closed()
    return result


def _peak() -> int:
    """The most memory that the process has had since `_forget_peak`, in KiB; since its start where that is unknown."""
    status = Path("/proc/self/status")
    if not status.exists():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 if sys.platform == "darwin" else peak
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0])


def _forget_peak() -> None:
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


async def grown(actions: tuple[Action, ...], reader: Reader) -> tuple[str, int]:
    """What ended an exchange with that answer, and by how many KiB the process grew for it at most."""
    for _ in range(3):
        await _exchange((Reply(b"x" * 100_000, coding="gzip"), Reply(b"x")), read_all)
    _forget_peak()
    before = _peak()
    return await _exchange(actions, reader), _peak() - before


def main() -> int:
    """The process's exit status."""
    for name, actions in ENDLESS.items():
        for reader in (read_all, read_nothing):
            error, grew = asyncio.run(grown(actions, reader))
            print(f"{grew:>6} {error} {name}, {reader.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
