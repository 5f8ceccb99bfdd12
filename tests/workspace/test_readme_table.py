"""What `python -m benchmarks --readme` writes."""

from pathlib import Path

import pytest

from benchmarks import readme_table
from benchmarks.__main__ import chosen
from benchmarks.cases import CASES
from benchmarks.clients import BOUND, REFERENCE, SUBJECT
from benchmarks.job import Failure, Sample
from benchmarks.processor import per_processor_second
from benchmarks.results import Result
from benchmarks.rounds import Series
from benchmarks.summary import Roles, summarise
from scripts.checks.members import ROOT

FACTS = {"date": "2026-11-30T12:00:00+00:00", "python": "CPython 3.13.1", "aiohttp": "3.14"}
ROLES = Roles(SUBJECT, REFERENCE, frozenset({BOUND}))


def series(value: float, **details: float) -> Series:
    return Series([Sample(value, dict(details))])


def result(**found: Series) -> Result:
    rows = summarise(found, ROLES, higher_is_better=True)
    return Result(CASES["get50"], "asyncio", rows, found)


def test_a_line_has_the_ratios_of_speed_and_of_processor_time() -> None:
    measured = result(
        wayfare=series(400.0, cpu_us=20.0),
        aiohttp=series(100.0, cpu_us=80.0),
        wreq=series(200.0, cpu_us=30.0),
        httpx=series(50.0),
        bound=series(900.0, cpu_us=5.0),
    )
    lines = readme_table.render(FACTS, [measured], REFERENCE, "make bench").splitlines()
    assert lines[2] == "| Small GET, 50 at once | 4.00 | 2.00 | 4.00 | 1.50 |"
    assert lines[4:] == [
        "Measured on 2026-11-30 by `make bench`",
        "with CPython 3.13.1, aiohttp 3.14.",
    ]


def test_by_processor_time_more_is_better_and_what_was_not_measured_is_left_out() -> None:
    measured = result(
        wayfare=series(100.0, cpu_us=20.0),
        aiohttp=series(400.0, cpu_us=80.0),
        httpx=series(50.0),
        wreq=Series(failure=Failure("no")),
    )
    found = per_processor_second(measured)
    assert (found.case.unit, found.case.higher_is_better) == ("requests/processor second", True)
    assert [(row.client, row.median) for row in found.rows] == [
        ("wayfare", 50_000.0),
        ("aiohttp", 12_500.0),
        ("wreq", None),
    ]
    assert found.rows[0].to_reference == 4.0


def test_what_was_not_measured_is_a_dash_and_a_shared_core_is_said() -> None:
    alone = result(wayfare=series(400.0, others=0.5))
    text = readme_table.render(FACTS, [alone], REFERENCE, "make bench")
    assert "| Small GET, 50 at once | shared | shared | - | - |" in text
    assert "shared, other processes used the core" in text


def test_a_failure_is_said() -> None:
    broken = result(wayfare=Series(failure=Failure("no")), aiohttp=series(1.0))
    text = readme_table.render(FACTS, [broken], REFERENCE, "make bench")
    assert "| Small GET, 50 at once | failed | | | |" in text


def test_the_table_stands_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("# A\n<!-- benchmarks -->\nold\n<!-- end of benchmarks -->\nB\n", "utf-8")
    readme_table.write(page, FACTS, [], REFERENCE, "make bench")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# A\n<!-- benchmarks -->\n| how many")
    assert text.endswith("\n<!-- end of benchmarks -->\nB\n")
    assert "old" not in text
    page.write_text("# A\n", "utf-8")
    with pytest.raises(ValueError, match="no place"):
        readme_table.write(page, FACTS, [], REFERENCE, "make bench")


def test_the_readme_has_a_place_for_it_and_cases_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("<!-- benchmarks -->")[2].partition("<!-- end of benchmarks -->")[0]
    _, _, arguments = table.partition("--cases ")
    assert chosen(arguments.split()[0], CASES)
