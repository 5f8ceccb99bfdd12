"""`python -m benchmarks.pool`: leasing from the pool beside an `asyncio.Semaphore`, in pools of growing size.

A semaphore is the least that could bound connections, so its uncontended `acquire` and `release` are the measure. Each
round times all of them, one after the other; a ratio is the median of the ratios of each round.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

from wayfare_connector import Pool, Target

IDLE = (1, 100, 10_000)
"""Idle connections in the pool, each of a target of its own."""

ROUNDS = 31
CALLS = 20_000

SEMAPHORE_RATIO = 3.0
"""How many times slower than the semaphore's pair a lease and its return may be."""

GROWTH = 1.3
"""How much slower they may become from the smallest pool to the largest."""


class Connection:
    """Stands for one; the pool looks at its identity alone."""


def pool_of(idle: int) -> tuple[Pool[Connection], Target]:
    """Return a pool with so many idle connections, and the target of one in the middle."""
    pool = Pool[Connection](limit=0)
    targets = [Target("http", f"h{number}.example") for number in range(idle)]
    for target in targets:
        ticket, _ = pool.request(target, 0.0)
        connection = Connection()
        pool.fill(ticket, connection, 0.0)
        pool.idle(connection, 0.0)
    return pool, targets[idle // 2]


def time_pool(pool: Pool[Connection], target: Target) -> float:
    """Return the seconds that a lease and its return take."""
    started = time.perf_counter()
    for _ in range(CALLS):
        connection = pool.lease(target, 1.0)
        assert connection is not None
        pool.idle(connection, 1.0)
    return (time.perf_counter() - started) / CALLS


async def time_semaphore() -> float:
    """Return the seconds that an uncontended acquire and release take."""
    semaphore = asyncio.Semaphore(100)
    started = time.perf_counter()
    for _ in range(CALLS):
        await semaphore.acquire()
        semaphore.release()
    return (time.perf_counter() - started) / CALLS


def main() -> int:
    """Print the ratios; return 1 if one is past its bound."""
    cases: dict[str, Callable[[], float]] = {"semaphore": lambda: asyncio.run(time_semaphore())}
    for idle in IDLE:
        cases[f"pool of {idle}"] = partial(time_pool, *pool_of(idle))
    rounds = [{name: case() for name, case in cases.items()} for _ in range(ROUNDS)]

    def ratio(one: str, other: str) -> float:
        return statistics.median(times[one] / times[other] for times in rounds)

    for name in cases:
        nanoseconds = statistics.median(times[name] for times in rounds) * 1e9
        print(f"{name:>15}: {nanoseconds:6.0f} ns, {ratio(name, 'semaphore'):.2f} x the semaphore")
    smallest, largest = f"pool of {IDLE[0]}", f"pool of {IDLE[-1]}"
    growth = ratio(largest, smallest)
    print(f"from the smallest to the largest pool: {growth:.2f} x")
    return int(ratio(largest, "semaphore") > SEMAPHORE_RATIO or growth > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
