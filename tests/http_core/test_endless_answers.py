"""Answers without an end cost a client no memory, whether it reads them or looks away (F9)."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 128
"""KiB of the largest thing that may be collected: a head."""
SLACK = 1024
"""KiB of growth that are nobody's: the allocator's, the interpreter's."""


@pytest.fixture(scope="module")
def outcomes() -> list[tuple[int, str, str]]:
    """The growth in KiB, the error, and the name of each endless answer with each reader."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "fuzz.endless_answers"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    return [(int(grown), error, name) for grown, error, name in lines]


def test_f9_endless_answers_end_in_an_error(outcomes: list[tuple[int, str, str]]) -> None:
    """F9: headers, folds, informational responses, chunk lines, extensions, trailers, tiny chunks, gzip members, …"""
    assert len(outcomes) >= 28
    assert "complete" not in {error for _, error, _ in outcomes}
    errors = {name: error for _, error, name in outcomes}
    assert errors["informational responses without end, read_all"] == "BadHttpMessage"
    assert errors["members of gzip without end, read_all"] == "ContentEncodingError"
    assert errors["tiny chunks without end, read_all"] == "BodyTooLargeError"


def test_f9_endless_answers_take_no_memory(outcomes: list[tuple[int, str, str]]) -> None:
    """F9: the growth of the process is within the limit and 1 MiB, server included."""
    assert {name: grown for grown, _, name in outcomes if grown > LIMIT + SLACK} == {}
