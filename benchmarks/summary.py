"""From samples to figures: medians, their spread, and ratios to the peers.

A ratio says how many times better a client is: 2.00 is twice as good, whether the unit is one
where more is better or one where less is. It is the median of the ratios *of each round*, not the
ratio of two medians, so that what slowed a whole round down cancels out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.job import Sample
from benchmarks.rounds import Series


@dataclass(frozen=True, slots=True)
class Row:
    """One client's result in one case.

    `spread` is half of the range between the quartiles, as a part of the median. The ratios are
    None where there is nothing to compare with. `failure` tells why there is no median.
    """

    client: str
    median: float | None = None
    spread: float = 0.0
    to_reference: float | None = None
    to_best: float | None = None
    details: Mapping[str, float] | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Roles:
    """Which names mean what: the subject, the peer named first, and the names that are no peers."""

    subject: str
    reference: str
    others: frozenset[str]


def summarise(
    series: Mapping[str, Series], roles: Roles, *, higher_is_better: bool
) -> tuple[Row, ...]:
    """Return a row for each series, the best first, then the failures."""
    values = {
        name: [sample.value for sample in one.samples]
        for name, one in series.items()
        if one.failure is None and one.samples
    }
    best = best_peer(values, roles, higher_is_better=higher_is_better)
    rows = [
        _row(name, one, values, (roles.reference, best), higher_is_better=higher_is_better)
        for name, one in series.items()
    ]
    return tuple(sorted(rows, key=lambda row: _rank(row, higher_is_better=higher_is_better)))


def best_peer(
    values: Mapping[str, Sequence[float]], roles: Roles, *, higher_is_better: bool
) -> str | None:
    """Return the peer with the best median; None when none has any."""
    peers = [name for name in values if name != roles.subject and name not in roles.others]
    choose = max if higher_is_better else min
    return choose(peers, key=lambda name: median(values[name]), default=None)


def ratio(ours: Sequence[float], theirs: Sequence[float], *, higher_is_better: bool) -> float:
    """Return how many times better `ours` is, as the median over the rounds that both have."""
    pairs = [
        (one, other) if higher_is_better else (other, one)
        for one, other in zip(ours, theirs, strict=False)
    ]
    return median(above / below if below else float("inf") for above, below in pairs)


def spread(values: Sequence[float]) -> float:
    """Return half of the range between the quartiles, as a part of the median."""
    middle = median(values)
    if len(values) < 2 or not middle:
        return 0.0
    low, _, high = quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / abs(middle)


def _row(
    name: str,
    one: Series,
    values: Mapping[str, Sequence[float]],
    rivals: tuple[str | None, str | None],
    *,
    higher_is_better: bool,
) -> Row:
    if name not in values:
        return Row(name, failure=one.failure.reason if one.failure else "no rounds")
    to_reference, to_best = (
        ratio(values[name], values[rival], higher_is_better=higher_is_better)
        if rival is not None and rival in values
        else None
        for rival in rivals
    )
    return Row(
        name,
        median(values[name]),
        spread(values[name]),
        to_reference,
        to_best,
        _medians(one.samples),
    )


def _medians(samples: Sequence[Sample]) -> dict[str, float]:
    """Return the medians of the details that every sample has."""
    keys = [key for key in samples[0].details if all(key in one.details for one in samples)]
    return {key: median(one.details[key] for one in samples) for key in keys}


def _rank(row: Row, *, higher_is_better: bool) -> tuple[bool, float]:
    if row.median is None:
        return True, 0.0
    return False, -row.median if higher_is_better else row.median
