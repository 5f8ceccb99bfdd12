"""The ratios of a run as a Markdown table, written between the marks of a page."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.clients import SUBJECT
from benchmarks.processor import per_processor_second
from benchmarks.results import Result
from benchmarks.summary import Row
from benchmarks.table import BUSY

_MARKED = re.compile(
    r"(?P<begin><!-- benchmarks -->\n).*?(?P<end><!-- end of benchmarks -->)", re.DOTALL
)

_NO_VERSIONS = frozenset({"date", "python", "system", "processor", "server", SUBJECT, "uvloop"})
"""Facts of a run that are no versions of peers."""


def write(
    page: Path, facts: Mapping[str, str], results: Sequence[Result], reference: str, command: str
) -> None:
    """Replace what stands between the marks of `page`.

    Raises:
        ValueError: the page has no marks.
    """
    text = page.read_text(encoding="utf-8")
    if not _MARKED.search(text):
        raise ValueError(f"{page} has no place for a table of benchmarks")
    block = render(facts, results, reference, command)
    replaced = _MARKED.sub(lambda found: found["begin"] + block + found["end"], text)
    page.write_text(replaced, encoding="utf-8")


def render(
    facts: Mapping[str, str], results: Sequence[Result], reference: str, command: str
) -> str:
    """Return the table, a line for each case, and below it how it came about."""
    lines = [
        f"| how many times better | speed, than {reference} | than the best peer"
        f" | by processor time, than {reference} | than the best peer |",
        "|---|---|---|---|---|",
        *(_line(result, reference) for result in results),
        "",
        *_remarks(facts, results, command),
    ]
    return "\n".join(lines) + "\n"


def _line(result: Result, reference: str) -> str:
    ours, computed = _ours(result), _ours(per_processor_second(result))
    if ours is None:
        return f"| {result.case.title} | failed | | | |"
    speed = [_times(ours.to_reference), _times(ours.to_best)]
    if _was_shared(result):
        speed = ["shared", "shared"]
    by_time = [computed.to_reference, computed.to_best] if computed else [None, None]
    return f"| {result.case.title} | {' | '.join([*speed, *map(_times, by_time)])} |"


def _was_shared(result: Result) -> bool:
    """Whether others used the core: then clients with threads of their own seem faster than they are."""
    return any((row.details or {}).get("others", 0.0) > BUSY for row in result.rows)


def _ours(result: Result) -> Row | None:
    """The subject's row, unless it failed or was not measured."""
    rows = {row.client: row for row in result.rows if row.failure is None}
    return rows.get(SUBJECT)


def _times(ratio: float | None) -> str:
    return "-" if not ratio else f"{ratio:.2f}"


def _remarks(facts: Mapping[str, str], results: Sequence[Result], command: str) -> list[str]:
    peers = ", ".join(
        f"{name} {version}" for name, version in facts.items() if name not in _NO_VERSIONS
    )
    day = facts["date"].partition("T")[0]
    lines = [f"Measured on {day} by `{command}`", f"with {facts['python']}, {peers}."]
    if any(map(_was_shared, results)):
        lines += [
            "Where it says shared, other processes used the core as well. A client with threads of its own gets a",
            "larger part of it then, so only what each does with a second of processor time can be compared.",
        ]
    return lines
