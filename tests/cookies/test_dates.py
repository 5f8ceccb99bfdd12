"""C6: cookie dates, by a table and against an oracle written from RFC 6265bis 5.1.1."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wayfare_cookies._dates import parse_cookie_date

DELIMITERS = (
    {0x09} | set(range(0x20, 0x30)) | set(range(0x3B, 0x41)) | set(range(0x5B, 0x61))
) | set(range(0x7B, 0x7F))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def leading_digits(text: str, at_least: int, at_most: int) -> int | None:
    """`at_least*at_mostDIGIT [ non-digit *OCTET ]` of 5.1.1."""
    count = 0
    while count < len(text) and "0" <= text[count] <= "9":
        count += 1
    return int(text[:count]) if at_least <= count <= at_most else None


def hms(text: str) -> tuple[int, int, int] | None:
    """`time = hms-time [ non-digit *OCTET ]`."""
    parts = text.split(":", 2)
    if len(parts) != 3 or not all(len(part) in (1, 2) for part in parts[:2]):
        return None
    if any(not "0" <= digit <= "9" for part in parts[:2] for digit in part):
        return None
    last = leading_digits(parts[2], 1, 2)
    return None if last is None else (int(parts[0]), int(parts[1]), last)


def oracle(text: str) -> int | None:
    """5.1.1, sentence by sentence."""
    tokens, token = [], ""
    for character in text + " ":
        if ord(character) in DELIMITERS:
            tokens += [token] if token else []
            token = ""
        else:
            token += character
    found: dict[str, Any] = {}
    for token in tokens:
        if "time" not in found and (time := hms(token)) is not None:
            found["time"] = time
            continue
        if "day" not in found and (day := leading_digits(token, 1, 2)) is not None:
            found["day"] = day
            continue
        if "month" not in found and token[:3].lower() in MONTHS and token[:3].isascii():
            found["month"] = MONTHS.index(token[:3].lower()) + 1
            continue
        if "year" not in found and (year := leading_digits(token, 2, 4)) is not None:
            found["year"] = year
    if len(found) != 4:
        return None
    day, month, year = found["day"], found["month"], found["year"]
    if 70 <= year <= 99:
        year += 1900
    elif 0 <= year <= 69:
        year += 2000
    hour, minute, second = found["time"]
    if not 1 <= day <= 31 or year < 1601 or hour > 23 or minute > 59 or second > 59:
        return None
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 10-Dec-2007 17:02:24 GMT", "2007-12-10 17:02:24"),
        ("Wed, 09 Dec 2009 16:27:23 GMT", "2009-12-09 16:27:23"),
        ("Thursday, 01-Jan-1970 00:00:00 GMT", "1970-01-01 00:00:00"),
        ("Mon Dec 24 16:32:30 1977 GMT", "1977-12-24 16:32:30"),
        ("Thu Apr 18 22:50:12 2007 GMT", "2007-04-18 22:50:12"),
        ("22:50:12 Apr 18 2007", "2007-04-18 22:50:12"),
        ("2007 18 apr 22:50:12", "2007-04-18 22:50:12"),
        ("Sat, 15-Apr-17 21:01:22 GMT", "2017-04-15 21:01:22"),
        ("Thu, 19-Apr-70 16:00:00 GMT", "1970-04-19 16:00:00"),
        ("Thu, 19-Apr-69 16:00:00 GMT", "2069-04-19 16:00:00"),
        ("Thu, 19-Apr-00 16:00:00 GMT", "2000-04-19 16:00:00"),
        ("Thu, 19-Apr-99 16:00:00 GMT", "1999-04-19 16:00:00"),
        ("10 Feb 81 13:00:00 GMT", "1981-02-10 13:00:00"),
        ("1 Jan 1601 0:0:0", "1601-01-01 00:00:00"),
        ("31 Dec 9999 23:59:59", "9999-12-31 23:59:59"),
        ("9 january 2010 1:2:3", "2010-01-09 01:02:03"),
        ("9z Jan2 2010z 01:02:03z", "2010-01-09 01:02:03"),
        ("29 Feb 2012 00:00:00", "2012-02-29 00:00:00"),
        ("Jan\x0135 9 2010 1:2:3", "2010-01-09 01:02:03"),
        ("9 Jan 2010 01:02:03 4 5 feb 11 1:1:1", "2010-01-09 01:02:03"),
        ("9 Jan 2010 01:02:03\xe9", "2010-01-09 01:02:03"),
        ("Fri, 07 Aug 2019 08:04:19 +0200", "2019-08-07 08:04:19"),
        ("Wed, 09 Jun 0099 10:18:14 GMT", "1999-06-09 10:18:14"),
    ],
)
def test_dates_that_are_read_c6(text: str, expected: str) -> None:
    moment = datetime.fromisoformat(expected).replace(tzinfo=UTC)
    found = parse_cookie_date(text)
    assert found == oracle(text)
    assert found == (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "01 Jan 2010",
        "Jan 2010 00:00:00",
        "01 2010 00:00:00",
        "01 Jan 00:00:00",
        "0 Jan 2010 00:00:00",
        "32 Jan 2010 00:00:00",
        "30 Feb 2010 00:00:00",
        "29 Feb 2011 00:00:00",
        "31 Apr 2010 00:00:00",
        "01 Jan 1600 00:00:00",
        "01 Jan 20100 00:00:00",
        "01 Jan 2010 24:00:00",
        "01 Jan 2010 00:60:00",
        "01 Jan 2010 00:00:60",
        "01 Jan 2010 00:00",
        "01 Jan 2010 000:00:00",
        "01 Jan 2010 00:00:000",
        "01 Ja 2010 00:00:00",
        "\u0661 Jan 2010 00:00:00",
        "01 Jan \u0662\u0660\u0661\u0660 00:00:00",
        "Wed, 31 Feb 2027 10:18:14 GMT",
        "Wed, 09 Jun 0100 10:18:14 GMT",
        "Wed, 09 Jun 2027 25:18:14 GMT",
    ],
)
def test_dates_that_fail_c6(text: str) -> None:
    assert oracle(text) is None
    assert parse_cookie_date(text) is None


pieces = st.one_of(
    st.sampled_from(
        [
            *(
                "jan",
                "Feb",
                "MAR",
                "apri",
                "mayx",
                "1",
                "31",
                "30",
                "09",
                "1999",
                "70",
                "69",
                "1601",
            ),
            *(
                "10:18:14",
                "1:2:3",
                "23:59:59",
                "24:0:0",
                "1:2:3x",
                "1:2:333",
                "GMT",
                "Wed",
                "12345",
            ),
        ]
    ),
    st.text(max_size=6),
)
gaps = st.sampled_from([" ", ", ", "-", "/", "\t", ";", "~", "", "\x01", "\x7f"])


@given(st.lists(st.tuples(pieces, gaps), max_size=9))
@example([("9", "-"), ("jan", "-"), ("70", " "), ("1:2:3", "")])
def test_any_text_reads_as_the_oracle_reads_it_c6(parts: list[tuple[str, str]]) -> None:
    text = "".join(piece + gap for piece, gap in parts)
    assert parse_cookie_date(text) == oracle(text)


@given(st.datetimes(min_value=datetime(1601, 1, 1)), st.sampled_from([" ", "-"]))
def test_the_common_form_reads_as_the_oracle_reads_it_c6(moment: datetime, gap: str) -> None:
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    month = MONTHS[moment.month - 1].title()
    text = f"{day}, {moment:%d}{gap}{month}{gap}{moment.year:04} {moment:%H:%M:%S} GMT"
    assert parse_cookie_date(text) == oracle(text) is not None


def test_a_long_value_costs_what_its_length_costs_c26() -> None:
    assert parse_cookie_date("1:" * 100_000) is None
    assert parse_cookie_date("9" * 200_000) is None
