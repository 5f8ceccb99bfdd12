"""`python -m benchmarks.soak`: many mixed requests, after which the process must be as before.

After a warm-up and ten times on the way, the pool is filled with idle connections, garbage is collected and the C
library gives free memory back; then everything is counted. Resident memory may grow by 1 MiB at most, from the median
of the first three counts to that of the last three; descriptors and tasks must be as many each time. One session serves
all requests, so that what leaks into the session is seen, too; at the end it is closed, and what it had open must be
gone. Exits with 1 on any growth and on any error that the traffic does not provoke.
"""

import argparse
import asyncio
import gc
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import median

from benchmarks.cases.memory import give_back, open_sockets, resident
from benchmarks.server import nginx, tiny
from benchmarks.traffic import Place, make, occupy
from benchmarks.worker import loop_factory

ALLOWED = 1 << 20
"""Octets that the resident memory may grow by: what fragments in the allocators' arenas."""

_STEPS = 10
"""Reports between the warm-up and the end."""

_SETTLING = 1.0
"""Seconds that closing connections get before anything is counted."""


@dataclass(frozen=True, slots=True)
class Where:
    """A server's origin, an URL where nobody listens, and who vouches for the server under TLS."""

    origin: str
    nobody: str
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Census:
    """What a process holds: octets of memory, objects, sockets, other descriptors, tasks."""

    memory: int
    objects: int
    sockets: int
    files: int
    tasks: int

    def __str__(self) -> str:
        return (
            f"{self.memory / 1024:>10,.0f} KiB {self.objects:>9,} objects {self.sockets:>5} sockets"
            f" {self.files:>4} files {self.tasks:>4} tasks"
        )


def growth(counts: Sequence[Census]) -> list[str]:
    """Return what grew from the first of `counts` to the last, in words."""
    first, last = (median(one.memory for one in some) for some in (counts[:3], counts[-3:]))
    grown = []
    if last - first > ALLOWED:
        grown.append(f"memory by {(last - first) / 1024:,.0f} KiB")
    for name in ("sockets", "files", "tasks"):
        seen = sorted({getattr(one, name) for one in counts})
        if len(seen) > 1:
            grown.append(f"{name}: {seen[0]} to {seen[-1]}")
    return grown


async def soak(where: Where, options: argparse.Namespace) -> list[str]:
    """Make the traffic, print what is held on the way, and return what was wrong, in words."""
    async with _session(where, options) as place:
        # What libraries and loops open once and keep is there before anything is counted.
        traffic = await make(place, options.concurrency * 10, options.concurrency, options.seed)
    start = await census()
    async with _session(where, options) as place:
        traffic.add(await make(place, options.warmup, options.concurrency, options.seed))
        counts = [await _full_census(place, options)]
        _say(f"{'warm-up':>10} {counts[0]}")
        made = 0
        for step in range(1, _STEPS + 1):
            share = options.requests * step // _STEPS - made
            traffic.add(await make(place, share, options.concurrency, options.seed + step))
            made += share
            counts.append(await _full_census(place, options))
            _say(f"{made:>10,} {counts[-1]}")
    _say(", ".join(f"{count:,} {kind}" for kind, count in traffic.made.most_common()))
    wrong = [f"error, {count:,} times: {error}" for error, count in traffic.errors.most_common()]
    wrong += [f"grown: {one}" for one in growth(counts)]
    end = await census()
    _say(f"{'closed':>10} {end}")
    if (end.sockets, end.files, end.tasks) != (start.sockets, start.files, start.tasks):
        wrong.append(f"left open by the closed session: {end}, at the start {start}")
    return wrong


@asynccontextmanager
async def _session(where: Where, options: argparse.Namespace) -> AsyncIterator[Place]:
    module = import_module(options.client)
    tls = True if where.ca_file is None else ssl.create_default_context(cafile=where.ca_file)
    connector = module.TCPConnector(limit=options.concurrency, ssl=tls)
    async with module.ClientSession(connector=connector) as session:
        yield Place(where.origin, where.nobody, module, session)


async def _full_census(place: Place, options: argparse.Namespace) -> Census:
    """Count with the pool full, so that each count is of as many idle connections."""
    await occupy(place, options.concurrency)
    return await census()


async def census(*, collect: bool = True) -> Census:
    """Count, after whatever is closing has had time to close; without `collect` cycles stay where they are."""
    await asyncio.sleep(_SETTLING)
    give_back(collect=collect)
    sockets = open_sockets()
    files = len(os.listdir("/proc/self/fd")) - sockets
    return Census(resident(), len(gc.get_objects()), sockets, files, len(asyncio.all_tasks()))


@contextmanager
def _where(options: argparse.Namespace) -> Iterator[Where]:
    """Start nginx, or the tiny server where there is none."""
    with ExitStack() as stack:
        reserved = stack.enter_context(closing(socket.socket()))
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: connecting is refused
        nobody = f"http://127.0.0.1:{reserved.getsockname()[1]}/"
        if not nginx.version():
            yield Where(stack.enter_context(tiny.running()), nobody)
            return
        server = stack.enter_context(nginx.running(None))
        if options.tls:
            yield Where(server.tls, nobody, server.ca_file)
        else:
            yield Where(server.plain, nobody)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="after the warm-up (100000)")
    parser.add_argument("--warmup", type=int, default=20_000, help="uncounted requests (20000)")
    parser.add_argument("--concurrency", type=int, default=50, help="tasks, connections (50)")
    parser.add_argument("--seed", type=int, default=1, help="of the mix (1)")
    parser.add_argument("--client", choices=("wayfare", "aiohttp"), default="wayfare")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    parser.add_argument("--tls", action="store_true", help="over TLS (needs nginx)")
    options = parser.parse_args(arguments)
    if not Path("/proc/self/fd").exists():
        parser.error("the soak test reads /proc, which this system does not have")
    if options.tls and not nginx.version():
        parser.error("only nginx serves TLS here, and it is not installed")
    with _where(options) as where, asyncio.Runner(loop_factory=loop_factory(options.loop)) as loop:
        wrong = loop.run(soak(where, options))
    for one in wrong:
        _say(one)
    _say("FAILED" if wrong else "passed: no errors, and nothing grew")
    return 1 if wrong else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
