"""Keep-Alive: what a peer promises of an idle connection (I9)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import KeepAlive, parse_keep_alive


@pytest.mark.parametrize(
    ("value", "timeout", "max_"),
    [
        ("", None, None),
        ("timeout=5", 5, None),
        ("timeout=5, max=100", 5, 100),
        ("max=100,timeout=5", 5, 100),
        ("TIMEOUT = 5 ,\tMax = 0", 5, 0),
        ('timeout="5", max="7"', 5, 7),
        ("timeout=005", 5, None),
        ("timeout=0", 0, None),
        (",, ,timeout=5,,", 5, None),
        ("foo, bar=1, timeout=5", 5, None),
        ("header=a;timeout=9", None, None),
        ("timeout=" + 5000 * "9", 999_999_999, None),
        ("timeout=1000000000, max=999999999", 999_999_999, 999_999_999),
    ],
)
def test_read(value: str, timeout: int | None, max_: int | None) -> None:
    read = parse_keep_alive(value)
    assert read == KeepAlive(timeout, max_)
    assert read.problems == ()


@pytest.mark.parametrize(
    ("value", "timeout", "problems"),
    [
        ("timeout", None, ("'timeout' is no number",)),
        ("timeout=", None, ("'timeout=' is no number",)),
        ("timeout=-5", None, ("'timeout=-5' is no number",)),
        ("timeout=5.0", None, ("'timeout=5.0' is no number",)),
        ("timeout=5; x", None, ("'timeout=5; x' is no number",)),
        ("timeout=1_0,max=+1", None, ("'timeout=1_0,' is no number", "'max=+1' is no number")),
        ("timeout=\u0665", None, ("'timeout=\\u0665' is no number",)),
        ("timeout=5\n", None, ("'timeout=5\\n' is no number",)),
        ("timeout=5, timeout=9", 5, ("'timeout' is repeated",)),
        ("timeout=x, timeout=9", 9, ("'timeout=x,' is no number",)),
    ],
)
def test_y1_told(value: str, timeout: int | None, problems: tuple[str, ...]) -> None:
    """Y1: what is no number of ASCII digits is told and not guessed."""
    read = parse_keep_alive(value)
    assert read == KeepAlive(timeout)
    assert read.problems == problems


@pytest.mark.parametrize(
    ("timeout", "ours", "idle"),
    [
        (None, 15.0, 15.0),
        (5, 15.0, 4.0),
        (60, 15.0, 15.0),
        (16, 15.0, 15.0),
        (1, 15.0, 0.0),
        (0, 15.0, 0.0),
        (5, 0.5, 0.5),
    ],
)
def test_i9_shorten(timeout: int | None, ours: float, idle: float) -> None:
    """I9: a peer's timeout shortens ours, less a second; it never makes it longer."""
    assert KeepAlive(timeout).shorten(ours) == idle


def test_h24_names_are_ascii() -> None:
    """H24: no other letter is one of a name."""
    assert parse_keep_alive("t\u0131meout=5, \u017f=1") == KeepAlive()


def test_h27_problems_are_counted() -> None:
    """H27: a field cannot fill a log."""
    assert len(parse_keep_alive(1000 * "max=x,").problems) == 32


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))
def test_round_trip(timeout: int, max_: int) -> None:
    assert parse_keep_alive(f"timeout={timeout}, max={max_}") == KeepAlive(timeout, max_)


@given(st.text() | st.text('timeoux=max", \t0123456789'))
def test_never_raises(value: str) -> None:
    assert 0 <= parse_keep_alive(value).shorten(15.0) <= 15.0
