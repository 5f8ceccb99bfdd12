"""`python -m benchmarks.pipeline`: what a middleware, tracing and a redirect cost, beside aiohttp.

The same small GET, 50 at once, over nginx: plain, through one middleware that only passes it on,
with one handler of `on_request_start` and `on_request_end`, and by way of a redirect (which makes
two requests of it). Each figure is processor time of this process; rounds are interleaved, and a
ratio is the median of the ratios of each round.
"""

import argparse
import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, TypeAlias

from benchmarks.job import Failure, Outcome, Sample
from benchmarks.rounds import Series, cores, interleave
from benchmarks.server import nginx
from benchmarks.summary import Roles, ratio, summarise

LIBRARIES = ("wayfare", "aiohttp")
CASES = ("plain", "middleware", "tracing", "redirect")
CONCURRENCY = 50

Get: TypeAlias = Callable[[], Awaitable[None]]


async def pass_on(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
    """Do nothing: the middleware whose cost is that of having one."""
    return await handler(request)


async def look_away(session: Any, context: Any, params: Any) -> None:
    """Do nothing: the handler whose cost is that of having one."""


def options_of(library: Any, case: str) -> dict[str, Any]:
    """Return the arguments of a session for this case."""
    if case == "middleware":
        return {"middlewares": (pass_on,)}
    if case == "tracing":
        config = library.TraceConfig()
        config.on_request_start.append(look_away)
        config.on_request_end.append(look_away)
        return {"trace_configs": [config]}
    return {}


async def measure(name: str, origin: str, count: int) -> Outcome:
    """Return the microseconds of processor time that one GET takes, over `count` of them."""
    case, _, library_name = name.partition(" ")
    library = import_module(library_name)
    url = f"{origin}/moved" if case == "redirect" else f"{origin}/small"
    connector = library.TCPConnector(limit=CONCURRENCY)
    async with library.ClientSession(connector=connector, **options_of(library, case)) as session:

        async def get() -> None:
            async with session.get(url) as response:
                if response.status != 200 or len(await response.read()) != nginx.SMALL:
                    raise ValueError(f"status {response.status}")

        try:
            await get_all(get, CONCURRENCY * 2)
            gc.collect()
            started = time.process_time()
            await get_all(get, count)
            used = time.process_time() - started
        except Exception as error:
            return Failure(f"{type(error).__name__}: {error}")
    return Sample(used / count * 1e6, {})


async def get_all(get: Get, count: int) -> None:
    """Run `count` GETs, `CONCURRENCY` at once."""
    left = iter(range(count))

    async def work() -> None:
        for _ in left:
            await get()

    await asyncio.gather(*[work() for _ in range(CONCURRENCY)])


def added(series: Mapping[str, Series], case: str, library: str) -> float:
    """Return the median of what a case adds to the plain GET, in microseconds."""
    plain = [sample.value for sample in series[f"plain {library}"].samples]
    other = [sample.value for sample in series[f"{case} {library}"].samples]
    differences = sorted(more - less for more, less in zip(other, plain, strict=True))
    return differences[len(differences) // 2]


def report(series: Mapping[str, Series]) -> list[str]:
    """Return the lines to print."""
    roles = Roles("", "", frozenset(series))
    lines = [
        f"{row.client:<20} {row.median:8.2f} µs ±{row.spread:.1%}"
        for row in summarise(series, roles, higher_is_better=False)
    ]
    for case in CASES:
        ours, theirs = (
            [sample.value for sample in series[f"{case} {library}"].samples]
            for library in LIBRARIES
        )
        times = ratio(ours, theirs, higher_is_better=False)
        line = f"{case:<12} {times:5.2f} times as fast as aiohttp"
        if case != "plain":
            costs = [added(series, case, library) for library in LIBRARIES]
            line += f"; adds {costs[0]:6.2f} µs, in aiohttp {costs[1]:6.2f} µs"
        lines.append(line)
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when a case failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds (7)")
    parser.add_argument("--count", type=int, default=3000, help="GETs per round (3000)")
    options = parser.parse_args(arguments)
    client_cpu, server_cpu = cores()
    with nginx.running(server_cpu) as server:
        if client_cpu is not None:
            os.sched_setaffinity(0, {client_cpu})
        series = interleave(
            [f"{case} {library}" for case in CASES for library in LIBRARIES],
            options.rounds,
            lambda name: asyncio.run(measure(name, server.plain, options.count)),
        )
    failed = [f"{name} FAILED: {one.failure.reason}" for name, one in series.items() if one.failure]
    sys.stdout.write("\n".join(failed or report(series)) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
