"""The same results by processor time: how much a client does with one second of it.

Whoever shares a core with other processes waits for its turn, and one with threads of its own gets more turns. What
a client computes for one request stays the same.
"""

from dataclasses import replace

from benchmarks.job import Sample
from benchmarks.results import Result
from benchmarks.rounds import Series
from benchmarks.suite import ROLES
from benchmarks.summary import summarise

_MICROSECONDS = 1_000_000


def per_processor_second(result: Result) -> Result:
    """Return the result in requests or MiB for each second of processor time; more is better.

    A client whose processor time was not measured is left out; one that failed stays.
    """
    case = result.case
    each = case.each if case.each == "MiB" else f"{case.each}s"
    series = {
        name: found
        for name, found in ((name, _converted(one)) for name, one in result.series.items())
        if found.samples or found.failure
    }
    return replace(
        result,
        case=replace(case, unit=f"{each}/processor second", higher_is_better=True),
        rows=summarise(series, ROLES, higher_is_better=True),
        series=series,
    )


def _converted(series: Series) -> Series:
    times = [sample.details.get("cpu_us", 0.0) for sample in series.samples]
    return Series([Sample(_MICROSECONDS / time, {}) for time in times if time], series.failure)
