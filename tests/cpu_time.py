"""Processor time as a measure of work: of this thread, without the garbage collector's.

Whatever else the machine does can only make a measurement longer. So the least of some of them counts, and as long as
something seems to take too long, it is measured again.
"""

import gc
import math
import time
import zlib
from collections.abc import Callable

Action = Callable[[], object]

_FEWEST, _MOST = 3, 12
_TEXT = b" ".join(b"%d" % number**3 for number in range(4000))
_USUAL = 0.0025
"""Seconds that compressing `_TEXT` takes on an ordinary machine that does nothing else."""


def seconds(action: Action) -> float:
    """How long an action takes, measured once."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        start = time.thread_time()
        action()
        return time.thread_time() - start
    finally:
        if collecting:
            gc.enable()


def pace() -> float:
    """By how much longer than an ordinary machine this one takes now, and not less than 1.

    For a limit in seconds that holds on an ordinary machine: a slow one, or one whose other half is busy, gets as much
    more.
    """
    return max(1.0, min(seconds(lambda: zlib.compress(_TEXT)) for _ in range(_FEWEST)) / _USUAL)


def takes_less(limit: float, action: Action) -> bool:
    """Whether an action takes less than so many seconds."""
    return any(seconds(action) < limit for _ in range(_MOST))


def is_linear(
    make: Callable[[int], Action], size: int, *, times: int = 8, most: float = 24
) -> bool:
    """Whether input of so many times the size costs less than `most` times as much.

    By default far less than the 64 times of a quadratic algorithm, and more than the 8 times of a linear one.
    """
    small, large = make(size), make(times * size)
    least_small = least_large = math.inf
    for measured in range(1, _MOST + 1):
        least_small = min(least_small, seconds(small))
        least_large = min(least_large, seconds(large))
        if measured >= _FEWEST and least_large < most * least_small + 1e-3:
            return True
    return False
