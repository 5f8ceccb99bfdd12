"""Lists that a field holds: sequences that say what could not be read."""

import re

import pytest
from wayfare_http_core import ListField
from wayfare_http_core._list_field import excerpt, skip, tell


def test_a_sequence() -> None:
    letters = ListField(("a", "b", "c"), ("d is no letter",))
    assert len(letters) == 3
    assert letters[0] == "a"
    assert letters[1:] == ("b", "c")
    assert list(letters) == ["a", "b", "c"]
    assert "c" in letters
    assert letters.problems == ("d is no letter",)
    with pytest.raises(IndexError):
        letters[3]


def test_problems_are_no_part_of_the_value() -> None:
    assert ListField((1,), ("problem",)) == ListField((1,))
    assert hash(ListField((1,), ("problem",))) == hash(ListField((1,)))
    assert ListField((1,)) != ListField((2,))
    assert not ListField()


def test_y10_an_excerpt_is_short_and_ascii() -> None:
    """Y10: what a peer sent can neither fill a log nor steer a terminal."""
    assert excerpt("a\x1b[2J\r\n\u202e") == r"'a\x1b[2J\r\n\u202e'"
    assert excerpt(40 * "a") == f"'{40 * 'a'}'"
    assert excerpt(41 * "a") == f"'{40 * 'a'}...'"


def test_h27_what_is_told_is_bounded() -> None:
    """H27: enough is told, and braces of a peer are no format."""
    problems: list[str] = []
    for _ in range(100):
        tell(problems, "{} is no link", "{0.__class__}")
    assert problems == 32 * ["'{0.__class__}' is no link"]


def test_skip() -> None:
    letters = re.compile("a+", re.ASCII)
    assert skip(letters, "baab", 1) == 3
    assert skip(letters, "baab", 3) == 3
