"""Run the rounds: every client of a case, one after the other, again and again.

Interleaving is the point. A machine's speed drifts (heat, neighbours, page cache), so clients that
are to be compared run within seconds of each other, and each round starts with another one.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.job import Failure, Job, Outcome, Sample, outcome_from_json

ROOT = Path(__file__).resolve().parent.parent
"""The folder from which `benchmarks` can be imported."""

PATIENCE = 60.0
"""Seconds that a worker may take beyond the time it is told to measure."""

_UNWANTED = ("PROXY", "CA_BUNDLE", "SSL_CERT", "PYTHONASYNCIODEBUG", "PYTHONDEVMODE")
"""Parts of the names of variables that no case is about: proxies, authorities, debugging aids."""


@dataclass(slots=True)
class Series:
    """One client's samples, a place for each round, or the failure that ended them."""

    samples: list[Sample] = field(default_factory=list)
    failure: Failure | None = None


def interleave(
    clients: Sequence[str], rounds: int, measure: Callable[[str], Outcome]
) -> dict[str, Series]:
    """Measure each client once per round; return their series by name, in the order given.

    A client that fails is not asked again: what it did before is dropped from no report, but a
    case that fails now and then has no median worth comparing.
    """
    series = {name: Series() for name in clients}
    for name in turns(clients, rounds):
        one = series[name]
        if one.failure is not None:
            continue
        outcome = measure(name)
        if isinstance(outcome, Failure):
            one.failure = outcome
        else:
            one.samples.append(outcome)
    return series


def turns(clients: Sequence[str], rounds: int) -> Iterator[str]:
    """Yield whose turn it is: all clients in each round, starting one further each time."""
    for number in range(rounds):
        start = number % len(clients) if clients else 0
        yield from clients[start:]
        yield from clients[:start]


def run_worker(
    job: Job,
    wrapper: Sequence[str] = (),
    patience: float = PATIENCE,
    worker: str = "benchmarks.worker",
) -> Outcome:
    """Run one job in a process of its own, the module `worker`; `wrapper` is a command that runs it (a counter).

    The process is killed, which is a failure, when it takes `patience` seconds too long.
    """
    command = [*wrapper, sys.executable, "-m", worker, job.to_json()]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=job.seconds + job.warmup + patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Failure(f"no result within {patience:.0f} s")
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return Failure(f"exit {done.returncode}: {_last_line(done.stderr)}")
    return outcome_from_json(lines[-1])


def environment() -> dict[str, str]:
    """Return this process's environment without what changes how a client works or how fast."""
    return {
        name: value
        for name, value in os.environ.items()
        if not any(word in name.upper() for word in _UNWANTED)
    }


def cores() -> tuple[int | None, int | None]:
    """Return the core for the clients and the one for the server; None where that is no choice."""
    if sys.platform != "linux":
        return None, None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[-1]) if len(allowed) > 1 else (None, None)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:300] if lines else "nothing on standard error"
