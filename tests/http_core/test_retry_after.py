"""Retry-After: seconds or a date, never more than the caller allows (O13)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import format_http_date, parse_retry_after

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("1", 1.0),
        ("120", 120.0),
        (" 120\t", 120.0),
        ("000000000000000120", 120.0),
        ("3600", 3600.0),
        ("3601", 3600.0),
        (5000 * "9", 3600.0),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Monday, 23-Nov-26 12:00:30 GMT", 30.0),
        ("Mon Nov 23 12:00:30 2026", 30.0),
        ("Mon, 23 Nov 2026 12:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
    ],
)
def test_o13_read(value: str, seconds: float) -> None:
    """O13: both forms, capped; what is past is now."""
    assert parse_retry_after(value, now=NOW) == seconds


@pytest.mark.parametrize(
    "value",
    ["", " ", "-1", "+1", "1.5", "1e3", "0x10", "1_0", "1, 2", "soon", "NaN", "inf", "\u0661", "1\n"],
)  # fmt: skip
def test_o13_y1_garbage_is_ignored(value: str) -> None:
    """O13, Y1: what is no delay is none."""
    assert parse_retry_after(value, now=NOW) is None


def test_o13_the_cap_is_the_callers() -> None:
    """O13: any cap, or none; a number is bounded all the same."""
    assert parse_retry_after("90", now=NOW, cap=60) == 60
    assert parse_retry_after("90", now=NOW, cap=0) == 0
    assert parse_retry_after("86400", now=NOW, cap=None) == 86_400
    assert parse_retry_after(10_000 * "9", now=NOW, cap=None) == 999_999_999
    assert parse_retry_after("Tue, 24 Nov 2026 12:00:00 GMT", now=NOW, cap=None) == 86_400


def test_now_may_be_anywhere() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
    assert parse_retry_after("Mon, 23 Nov 2026 12:00:30 GMT", now=elsewhere) == 30.0


@given(st.integers(0, 10**9 - 1))
def test_round_trip_of_seconds(seconds: int) -> None:
    assert parse_retry_after(str(seconds), now=NOW, cap=None) == seconds


@given(st.integers(0, 10**9))
def test_round_trip_of_dates(seconds: int) -> None:
    value = format_http_date(NOW + timedelta(seconds=seconds))
    assert parse_retry_after(value, now=NOW, cap=None) == seconds


@given(st.text() | st.text("0123456789- "), st.datetimes(timezones=st.just(UTC)))
def test_never_raises(value: str, now: datetime) -> None:
    seconds = parse_retry_after(value, now=now)
    assert seconds is None or 0 <= seconds <= 3600
