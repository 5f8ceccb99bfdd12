"""`python -m benchmarks.connections`: what many connections cost, by the rate over 3,000 of them beside that over 100.

The same small GET over nginx, by as many tasks as there are connections, each connection open before measuring begins.
Each round measures every client with either number, in a process of its own; a ratio is the median of those of each
round. What is lost is the garbage collector's: it looks at every request under way, again and again. Without it the
processor time per request is the same for both numbers.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from itertools import product

from benchmarks.clients import REFERENCE, SUBJECT
from benchmarks.job import Job, Loop, Outcome
from benchmarks.rounds import Series, cores, interleave, run_worker
from benchmarks.server import nginx
from benchmarks.summary import ratio

FEW, MANY = 100, 3000

KEPT = 0.8
"""The part of the rate over few connections that must be left over many."""


def report(series: Mapping[str, Series]) -> tuple[list[str], bool]:
    """Return the lines to print, and whether Wayfare keeps enough of its rate."""
    lines: list[str] = []
    enough = True
    for client in (SUBJECT, REFERENCE):
        few, many = (series[f"{client} {number}"] for number in (FEW, MANY))
        failure = few.failure or many.failure
        if failure is not None:
            lines.append(f"{client:<10} {failure.reason}")
            enough = enough and client != SUBJECT
            continue
        kept = ratio(_rates(many), _rates(few), higher_is_better=True)
        cost = ratio(_costs(few), _costs(many), higher_is_better=True)
        lines.append(
            f"{client:<10} {MANY} connections: {kept:.2f} of the rate of {FEW}, "
            f"{cost:.2f} of it by processor time"
        )
        enough = enough and (client != SUBJECT or kept >= KEPT)
    return lines, enough


def _rates(one: Series) -> list[float]:
    return [sample.value for sample in one.samples]


def _costs(one: Series) -> list[float]:
    return [sample.details["cpu_us"] for sample in one.samples]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when Wayfare fails, or keeps less than `KEPT` of its rate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.connections", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds (7)")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds per round (2)")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    chosen = parser.parse_args(arguments)
    client_cpu, server_cpu = cores()
    loop: Loop = chosen.loop
    with nginx.running(server_cpu) as server:

        def measure(name: str) -> Outcome:
            client, _, number = name.partition(" ")
            return run_worker(
                Job(
                    client=client,
                    action="requests",
                    url=f"{server.plain}/small",
                    size=nginx.SMALL,
                    loop=loop,
                    concurrency=int(number),
                    seconds=chosen.seconds,
                    # Long enough to open all of them.
                    warmup=2.0,
                    cpu=client_cpu,
                )
            )

        names = [
            f"{client} {number}" for client, number in product((SUBJECT, REFERENCE), (FEW, MANY))
        ]
        series = interleave(names, chosen.rounds, measure)
    lines, enough = report(series)
    print("\n".join(lines))
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
