"""`python -m benchmarks.cookies`: the cookie jar, beside aiohttp's and in jars of growing size.

Two questions are asked of each jar: which cookies go with a request (`filter_cookies`), and what the
Set-Cookie fields of a response leave in it (`update_cookies_from_headers`). Rounds are interleaved;
a ratio is the median of the ratios of each round.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, TypeAlias

from yarl import URL

from benchmarks.job import Failure, Outcome, Sample
from benchmarks.rounds import Series, interleave
from benchmarks.summary import Roles, ratio, summarise

HERE = URL("https://www.example.com/shop/cart")
FIELDS = (
    "sid=31d4d96e407aad42f8d7c2b1; Path=/; Secure; HttpOnly; SameSite=Lax",
    "lang=en-US; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT",
    "cart=YWJjZGVm; Domain=example.com; Max-Age=3600; Path=/shop",
)
"""What a shop sets: two cookies of the host and one of its domain."""

SIZES = (10, 1_000, 100_000)
"""Hosts that the jar knows beside the one that is asked for."""

HOST_RATIO = 1.3
"""How much slower a look-up may become from the smallest to the largest jar."""

PEER_RATIO = 1.5
"""How many times faster than aiohttp's jar each call has to be."""

Call: TypeAlias = Callable[[], object]


def wayfare_jar(hosts: int = 0) -> Any:
    """Return our jar with the shop's cookies, and with one cookie of each of `hosts` hosts."""
    cookies = import_module("wayfare_cookies")
    jar = cookies.CookieJar(limits=cookies.CookieLimits(total=None))
    for number in range(hosts):
        jar.update_cookies_from_headers(["a=1; Max-Age=3600"], URL(f"https://h{number}.example/"))
    jar.update_cookies_from_headers(FIELDS, HERE)
    return jar


def aiohttp_jar() -> Any:
    """Return aiohttp's jar with the shop's cookies; it wants a running loop to be made."""

    async def make() -> Any:
        return import_module("aiohttp").CookieJar()

    jar = asyncio.run(make())
    jar.update_cookies_from_headers(FIELDS, HERE)
    return jar


def calls(jar: Any, name: str) -> Mapping[str, Call]:
    """Return what is measured of a jar, by name."""
    return {
        f"filter {name}": lambda: jar.filter_cookies(HERE),
        f"update {name}": lambda: jar.update_cookies_from_headers(FIELDS, HERE),
    }


def prepare() -> dict[str, Call]:
    """Return every measured call by name, each on a jar that is ready."""
    ours = wayfare_jar()
    found: dict[str, Call] = {
        **calls(ours, "wayfare"),
        **calls(aiohttp_jar(), "aiohttp"),
        "header wayfare": lambda: ours.cookie_header(HERE),
    }
    for size in SIZES:
        jar = wayfare_jar(size)
        # The default binds this round's jar.
        found[f"filter {size}"] = lambda jar=jar: jar.filter_cookies(HERE)  # type: ignore[misc]  # mypy infers no type for a lambda with a default
    return found


def measure(call: Call, count: int) -> Outcome:
    """Return the microseconds that one call takes, over `count` calls."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(count):
            call()
        elapsed = time.perf_counter() - start
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")
    finally:
        gc.enable()
    return Sample(elapsed / count * 1e6, {})


def ratios(series: Mapping[str, Series]) -> dict[str, tuple[float, bool]]:
    """Return each promised ratio with whether it is kept."""

    def of(ours: str, theirs: str) -> float:
        values = [[sample.value for sample in series[name].samples] for name in (ours, theirs)]
        return ratio(values[0], values[1], higher_is_better=False)

    found: dict[str, tuple[float, bool]] = {}
    for what in ("filter", "update"):
        faster = of(f"{what} wayfare", f"{what} aiohttp")
        found[f"{what}: times as fast as aiohttp ({PEER_RATIO} wanted)"] = (
            faster,
            faster >= PEER_RATIO,
        )
    for size in SIZES[1:]:
        slower = of(f"filter {SIZES[0]}", f"filter {size}")
        slower = 1 / slower
        found[f"filter: {size} hosts to {SIZES[0]} ({HOST_RATIO} allowed)"] = (
            slower,
            slower <= HOST_RATIO,
        )
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when a call failed or a promised ratio is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cookies", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds (9)")
    parser.add_argument("--count", type=int, default=2000, help="calls per round (2000)")
    options = parser.parse_args(arguments)
    prepared = prepare()
    series = interleave(
        list(prepared), options.rounds, lambda name: measure(prepared[name], options.count)
    )
    failed = [f"{name} FAILED: {one.failure.reason}" for name, one in series.items() if one.failure]
    if failed:
        sys.stdout.write("\n".join(failed) + "\n")
        return 1
    roles = Roles("", "", frozenset(prepared))
    for row in summarise(series, roles, higher_is_better=False):
        sys.stdout.write(f"{row.client:<16} {row.median:8.2f} µs ±{row.spread:.1%}\n")
    kept = ratios(series)
    for name, (value, good) in kept.items():
        sys.stdout.write(f"{name:<52} {value:6.2f} {'kept' if good else 'NOT KEPT'}\n")
    return 0 if all(good for _, good in kept.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
