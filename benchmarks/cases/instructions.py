"""Instructions per request: a figure that neighbours and heat cannot disturb.

The same job runs twice under a counter, with few and with many requests; the difference, divided
by the additional requests, is the cost of one without start-up and imports. `perf stat` counts in
hardware where the machine has counters; else valgrind's callgrind counts in software, some fifty
times slower. Only user-space instructions count, of all threads.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.job import Failure, Job, Outcome, Sample
from benchmarks.rounds import run_worker

_PATIENCE = 300.0
"""Seconds that one run may take: counting in software is slow."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A program that counts: its command before ours (`{file}` is where it reports), its report."""

    name: str
    command: Sequence[str]
    count: re.Pattern[str]

    def read(self, report: str) -> int | None:
        """Return the instructions that its report tells, or None when it could not count."""
        found = self.count.search(report)
        return None if found is None else int(found[1])


PERF = Counter(
    "perf stat",
    ("perf", "stat", "-x,", "-e", "instructions:u", "-o", "{file}", "--"),
    re.compile(r"^([0-9]+),,instructions", re.MULTILINE),
)
CALLGRIND = Counter(
    "callgrind",
    ("valgrind", "--tool=callgrind", "--quiet", "--callgrind-out-file={file}", "--"),
    re.compile(r"^(?:summary|totals): ([0-9]+)", re.MULTILINE),
)


@cache
def counter() -> Counter | None:
    """Return the best counter that works on this machine, or None."""
    return next((one for one in (PERF, CALLGRIND) if _works(one)), None)


def measure_instructions(job: Job) -> Outcome:
    """Return thousands of instructions per request; `job.requests` more than few are sent."""
    found = counter()
    if found is None:
        return Failure("neither perf stat nor valgrind can count instructions here")
    few = _count(found, replace(job, requests=job.concurrency * 2))
    if isinstance(few, Failure):
        return few
    many = _count(found, replace(job, requests=job.concurrency * 2 + job.requests))
    if isinstance(many, Failure):
        return many
    return Sample((many - few) / job.requests / 1000, {})


def _count(found: Counter, job: Job) -> int | Failure:
    with TemporaryDirectory(prefix="wayfare-bench-") as folder:
        report = Path(folder, "report")
        outcome = run_worker(job, _command(found, report), _PATIENCE)
        if isinstance(outcome, Failure):
            return outcome
        return _read(found, report)


def _command(found: Counter, report: Path) -> list[str]:
    return [word.replace("{file}", str(report)) for word in found.command]


def _read(found: Counter, report: Path) -> int | Failure:
    count = found.read(report.read_text()) if report.exists() else None
    return Failure(f"{found.name} counted nothing") if count is None else count


def _works(one: Counter) -> bool:
    if shutil.which(one.command[0]) is None:
        return False
    with TemporaryDirectory(prefix="wayfare-bench-") as folder:
        report = Path(folder, "report")
        command = [*_command(one, report), "true"]
        done = subprocess.run(command, capture_output=True, check=False)
        return done.returncode == 0 and isinstance(_read(one, report), int)
