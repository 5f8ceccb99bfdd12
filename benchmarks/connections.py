"""`python -m benchmarks.connections`: what many connections cost, by the rate over 3,000 of them beside that over 100.

The same small GET over nginx, by as many tasks as there are connections, each connection open before measuring begins.
Each round measures a client with one number directly after the other, in a process of its own each, since a machine's
speed wanders; a ratio is the median of those of each round, and the range behind it is that of the middle half of them.
Much of what is lost is the garbage collector's: it looks at every request under way, again and again. Without it the
processor time per request is nearly the same for both numbers.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median, quantiles

from benchmarks.clients import REFERENCE, SUBJECT
from benchmarks.job import Failure, Job, Loop, Outcome
from benchmarks.rounds import Series, cores, run_worker
from benchmarks.server import nginx
from benchmarks.summary import ratio

FEW, MANY = 100, 3000

KEPT = 0.8
"""The part of the rate over few connections that must be left over many."""


def in_pairs(rounds: int, measure: Callable[[str, int], Outcome]) -> dict[str, Series]:
    """Measure each client with either number in each round, by turns the few first and the many first."""
    series = {
        f"{client} {number}": Series() for client in (SUBJECT, REFERENCE) for number in (FEW, MANY)
    }
    for turn in range(rounds):
        for client in (SUBJECT, REFERENCE):
            for number in (FEW, MANY) if turn % 2 == 0 else (MANY, FEW):
                one = series[f"{client} {number}"]
                outcome = measure(client, number)
                if isinstance(outcome, Failure):
                    one.failure = outcome
                else:
                    one.samples.append(outcome)
    return series


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
        rates = _rates(few), _rates(many)
        kept = ratio(rates[1], rates[0], higher_is_better=True)
        cost = ratio(_costs(few), _costs(many), higher_is_better=True)
        low, _, high = quantiles([much / little for little, much in zip(*rates, strict=True)], n=4)
        lines.append(
            f"{client:<10} {MANY} connections: {kept:.2f} ({low:.2f} to {high:.2f}) of the rate of {FEW}, "
            f"{cost:.2f} of it by processor time; {median(rates[0]):,.0f} and {median(rates[1]):,.0f} requests/s"
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
    parser.add_argument("--rounds", type=int, default=15, help="rounds, at least two (15)")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds per round (1)")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    chosen = parser.parse_args(arguments)
    if chosen.rounds < 2:
        parser.error("one round has no middle half")
    client_cpu, server_cpu = cores()
    loop: Loop = chosen.loop
    with nginx.running(server_cpu) as server:

        def measure(client: str, number: int) -> Outcome:
            return run_worker(
                Job(
                    client=client,
                    action="requests",
                    url=f"{server.plain}/small",
                    size=nginx.SMALL,
                    loop=loop,
                    concurrency=number,
                    seconds=chosen.seconds,
                    # Long enough to open all of them.
                    warmup=2.0 if number == MANY else 0.3,
                    cpu=client_cpu,
                )
            )

        series = in_pairs(chosen.rounds, measure)
    lines, enough = report(series)
    print("\n".join(lines))
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
