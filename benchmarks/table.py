"""The table on the terminal."""

from collections.abc import Mapping, Sequence

from benchmarks.results import Result
from benchmarks.summary import Row

_DETAILS = {"cpu_us": "CPU µs/{each}", "connections": "connections", "others": "others"}
"""Details worth a column, and its heading."""

BUSY = 0.1
"""Above this part of the core in others' hands, figures that are not processor time lean to whoever has threads."""


def render(result: Result, reference: str) -> str:
    """Return the table of one case: a title, a heading, a line for each client."""
    details = [key for key in _DETAILS if any(key in (row.details or {}) for row in result.rows)]
    heading = (
        "client",
        result.case.unit,
        "spread",
        f"x {reference}",
        "x best peer",
        *(_DETAILS[key].format(each=result.case.each) for key in details),
    )
    lines = [heading, *(_cells(row, details) for row in result.rows if row.failure is None)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
    text = [_title(result), *(_aligned(line, widths) for line in lines)]
    text.insert(2, "  ".join("-" * width for width in widths))
    text += [f"{row.client}: FAILED: {row.failure}" for row in result.rows if row.failure]
    if any((row.details or {}).get("others", 0.0) > BUSY for row in result.rows):
        text.append(
            "The core was shared with other processes: compare CPU time, or run again when it is quiet."
        )
    return "\n".join(text) + "\n"


def render_facts(facts: Mapping[str, str]) -> str:
    """Return the environment, a line for each fact."""
    width = max(map(len, facts))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items()) + "\n"


def figure(value: float) -> str:
    """Return a figure with three or more significant digits, thousands set apart."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 100 else f"{value:.2f}"


def _title(result: Result) -> str:
    case = result.case
    better = "more is better" if case.higher_is_better else "less is better"
    loop = f", {result.loop}" if result.loop else ""
    return f"{case.title} ({case.name}{loop}; {better})"


def _cells(row: Row, details: Sequence[str]) -> tuple[str, ...]:
    found = row.details or {}
    return (
        row.client,
        "-" if row.median is None else figure(row.median),
        f"{row.spread:.1%}",
        _times(row.to_reference),
        _times(row.to_best),
        *(_detail(key, found) for key in details),
    )


def _detail(key: str, found: Mapping[str, float]) -> str:
    if key not in found:
        return "-"
    return f"{found[key]:.0%}" if key == "others" else figure(found[key])


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *rest]).rstrip()
