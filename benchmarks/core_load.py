"""What else ran on a core while a client was measured on it.

A busy core makes wall-clock figures worse, and not evenly: a client with threads of its own gets a larger share of it
than one without. So each round tells how much of its core went to others.
"""

import os
import time
from pathlib import Path
from typing import final

_STAT = Path("/proc/stat")

_WORKING = (0, 1, 2, 7)
"""Columns of /proc/stat that count: user, nice, system, steal. Interrupts are often the client's own packets."""


def core_seconds(stat: str, cpu: int) -> float | None:
    """Return the seconds that the core `cpu` has worked, from the text of /proc/stat; None if it is not there."""
    for line in stat.splitlines():
        name, *ticks = line.split()
        if name == f"cpu{cpu}":
            return sum(int(ticks[column]) for column in _WORKING) / os.sysconf("SC_CLK_TCK")
    return None


@final
class CoreLoad:
    """Measures from its making on."""

    def __init__(self, cpu: int | None) -> None:
        self._cpu = cpu
        self._worked = self._seconds()
        self._own = time.process_time()
        self._start = time.perf_counter()

    def others(self) -> float | None:
        """Return which part of the core other processes have used since; None where nobody can know."""
        elapsed, own = time.perf_counter() - self._start, time.process_time() - self._own
        worked = self._seconds()
        if worked is None or self._worked is None or elapsed <= 0:
            return None
        return min(1.0, max(0.0, (worked - self._worked - own) / elapsed))

    def _seconds(self) -> float | None:
        if self._cpu is None or not _STAT.exists():
            return None
        return core_seconds(_STAT.read_text(), self._cpu)
