"""Dates: three formats to read, one to write."""

import locale
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import format_http_date, parse_http_date

NOW = datetime(2026, 11, 23, 12, 30, 15, 500_000, UTC)


def utc(*fields: int) -> datetime:
    year, month, day, hour, minute, second = fields
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        # RFC 9110 section 5.6.7's own.
        ("Sun, 06 Nov 1994 08:49:37 GMT", utc(1994, 11, 6, 8, 49, 37)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", utc(1994, 11, 6, 8, 49, 37)),
        ("Sun Nov  6 08:49:37 1994", utc(1994, 11, 6, 8, 49, 37)),
        # Others in the same formats.
        ("Thu, 01 Jan 1970 00:00:00 GMT", utc(1970, 1, 1, 0, 0, 0)),
        ("Thu, 29 Feb 2024 23:59:59 GMT", utc(2024, 2, 29, 23, 59, 59)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", utc(9999, 12, 31, 23, 59, 59)),
        ("Mon, 01 Jan 0001 00:00:00 GMT", utc(1, 1, 1, 0, 0, 0)),
        ("Sat Dec 31 23:59:59 2016", utc(2016, 12, 31, 23, 59, 59)),
        ("Sat, 31 Dec 2016 23:59:60 GMT", utc(2017, 1, 1, 0, 0, 0)),
        # What robustness asks for.
        ("Mon, 06 Nov 1994 08:49:37 GMT", utc(1994, 11, 6, 8, 49, 37)),
        ("sun, 06 nov 1994 08:49:37 gmt", utc(1994, 11, 6, 8, 49, 37)),
        ("Sun, 6 Nov 1994 8:49:37 GMT", utc(1994, 11, 6, 8, 49, 37)),
        ("Sun, 06-Nov-1994 08:49:37 GMT", utc(1994, 11, 6, 8, 49, 37)),
        ("Sun, 06 Nov 1994 08:49:37 UTC", utc(1994, 11, 6, 8, 49, 37)),
        ("Sun, 06 Nov 1994 08:49:37 +0000", utc(1994, 11, 6, 8, 49, 37)),
        ("Sun, 06 Nov 1994 08:49:37 -0130", utc(1994, 11, 6, 10, 19, 37)),
        ("Sun, 06 Nov 1994 08:49:37 +0900", utc(1994, 11, 5, 23, 49, 37)),
        ("Sun Nov 6 08:49:37 1994", utc(1994, 11, 6, 8, 49, 37)),
    ],
)
def test_read(text: str, moment: datetime) -> None:
    read = parse_http_date(text, now=NOW)
    assert read == moment
    assert read is not None
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "0",
        "-1",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 PST",
        "Sun, 06 Nov 1994 08:49:37 GMT\n",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nvm 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 4446413 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:37 +2400",
        "Fri, 31 Dec 9999 23:59:60 GMT",
        "Fri, 31 Dec 9999 23:59:59 -0001",
        "Mon, 01 Jan 0001 00:00:00 +0001",
        "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:\uff13\uff17 GMT",
        "\u017fun, 06 Nov 1994 08:49:37 GMT",
        "Sun,\xa006 Nov 1994 08:49:37 GMT",
    ],
)
def test_y1_y3_no_date(text: str | None) -> None:
    """Y1, Y3: no digits of other scripts, no newline behind, no day that the calendar has not."""
    assert parse_http_date(text, now=NOW) is None


@pytest.mark.parametrize(
    ("year", "full"),
    [
        ("26", 2026),
        ("27", 2027),
        ("75", 2075),
        ("77", 1977),
        ("99", 1999),
        ("00", 2000),
        ("25", 2025),
    ],
)
def test_two_digits_of_a_year(year: str, full: int) -> None:
    """More than 50 years ahead is the century before (RFC 9110 section 5.6.7)."""
    moment = parse_http_date(f"Monday, 01-Jun-{year} 00:00:00 GMT", now=NOW)
    assert moment == utc(full, 6, 1, 0, 0, 0)


def test_fifty_years_to_the_second() -> None:
    assert parse_http_date("Monday, 23-Nov-76 12:30:15 GMT", now=NOW) == utc(
        2076, 11, 23, 12, 30, 15
    )
    assert parse_http_date("Monday, 23-Nov-76 12:30:16 GMT", now=NOW) == utc(
        1976, 11, 23, 12, 30, 16
    )
    late = utc(2099, 1, 1, 0, 0, 0)
    assert parse_http_date("Monday, 01-Jan-10 00:00:00 GMT", now=late) == utc(2110, 1, 1, 0, 0, 0)
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-14)))
    assert parse_http_date("Monday, 23-Nov-76 12:30:15 GMT", now=elsewhere) == utc(
        2076, 11, 23, 12, 30, 15
    )


def test_two_digits_without_a_moment_to_compare() -> None:
    """The clock decides then: this year is this year."""
    today = datetime.now(UTC)
    moment = parse_http_date(f"Monday, 01-Jan-{today.year % 100:02} 00:00:00 GMT")
    assert moment is not None
    assert abs(moment.year - today.year) <= 1


def test_write() -> None:
    assert format_http_date(utc(1994, 11, 6, 8, 49, 37)) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert format_http_date(utc(7, 1, 1, 0, 0, 0)) == "Mon, 01 Jan 0007 00:00:00 GMT"
    assert format_http_date(NOW) == "Mon, 23 Nov 2026 12:30:15 GMT"
    east = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert format_http_date(east) == "Wed, 31 Dec 2025 23:00:00 GMT"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        format_http_date(datetime(2026, 1, 1))


@pytest.fixture
def other_locale() -> Iterator[None]:
    """Any locale but C that this machine has, C if it has none."""
    before = locale.setlocale(locale.LC_TIME)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
        try:
            locale.setlocale(locale.LC_TIME, name)
            break
        except locale.Error:
            continue
    yield
    locale.setlocale(locale.LC_TIME, before)


@pytest.mark.usefixtures("other_locale")
def test_no_locale_changes_it() -> None:
    for month in range(1, 13):
        moment = utc(2026, month, month, 0, 0, 0)
        assert format_http_date(moment).isascii()
        assert parse_http_date(format_http_date(moment)) == moment


@given(st.datetimes(timezones=st.just(UTC)))
def test_round_trip(moment: datetime) -> None:
    text = format_http_date(moment)
    assert len(text) == 29
    assert parse_http_date(text) == moment.replace(microsecond=0)


@given(st.text() | st.text("SunNov0123456789:-+ ,GMT"), st.datetimes(timezones=st.just(UTC)))
def test_never_raises(text: str, now: datetime) -> None:
    parse_http_date(text, now=now)


LOOKALIKE = (
    r"[A-Z][a-z]{2,8}, [0-9]{1,2}[ -](Jan|Feb|dec)[ -][0-9]{2,4} "
    r"[0-9]{1,2}:[0-9]{2}:[0-9]{2} (GMT|[+-][0-9]{4})"
)


@given(st.from_regex(LOOKALIKE, fullmatch=True), st.datetimes(timezones=st.just(UTC)))
def test_never_raises_for_what_looks_like_a_date(text: str, now: datetime) -> None:
    moment = parse_http_date(text, now=now)
    assert moment is None or moment.tzinfo is UTC
