"""Cookie dates: RFC 6265bis section 5.1.1.

The format is what servers were seen to send since 1994, so no library for e-mail or HTTP dates
reads it the same way: tokens may come in any order, garbage between them is skipped, years may
have two digits.
"""

import re
from datetime import date
from functools import lru_cache

__all__ = ("parse_cookie_date",)

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400

# delimiter = %x09 / %x20-2F / %x3B-40 / %x5B-60 / %x7B-7E; everything else belongs to a token,
# octets over %x7F too.
_DATE_TOKEN = re.compile(r"[^\x09\x20-\x2F\x3B-\x40\x5B-\x60\x7B-\x7E]+")
# A production is matched at the start of its token; what follows its digits must begin with a
# non-digit.
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY_OF_MONTH = re.compile(r"([0-9]{1,2})(?![0-9])")
_YEAR = re.compile(r"([0-9]{2,4})(?![0-9])")
_MONTH = re.compile(r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.ASCII | re.IGNORECASE)

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}

# What nearly every server sends: "Wed, 09 Jun 2027 10:18:14 GMT", with spaces or dashes. The
# general algorithm gives the same answer for each string this pattern matches; only the order of
# the tokens is known beforehand.
_COMMON = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2})[ -]"
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ -]([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)


@lru_cache(maxsize=128)
def parse_cookie_date(text: str) -> int | None:
    """Read an Expires value; returns seconds since 1970-01-01 UTC (negative before), or None where
    it is no date.

    Remembers a few, because servers repeat them. Source: RFC 6265bis 5.1.1.
    """
    common = _COMMON.fullmatch(text)
    if common is not None:
        day, month, year, hour, minute, second = common.groups()
        return _seconds(
            _full_year(int(year)),
            _MONTHS[month.lower()],
            int(day),
            (int(hour), int(minute), int(second)),
        )
    return _parse_any_order(text)


def _parse_any_order(text: str) -> int | None:
    """5.1.1 as it is written: each token is offered to time, day of month, month and year, in this
    order.
    """
    time: tuple[int, int, int] | None = None
    day = month = year = None
    for token in _DATE_TOKEN.findall(text):  # step 1
        if time is None and (found := _TIME.match(token)):  # step 2.1
            time = (int(found[1]), int(found[2]), int(found[3]))
        elif day is None and (found := _DAY_OF_MONTH.match(token)):  # step 2.2
            day = int(found[1])
        elif month is None and (found := _MONTH.match(token)):  # step 2.3
            month = _MONTHS[found[0].lower()]
        elif year is None and (found := _YEAR.match(token)):  # step 2.4
            year = int(found[1])
    if time is None or day is None or month is None or year is None:  # step 5, first line
        return None
    return _seconds(_full_year(year), month, day, time)


def _full_year(year: int) -> int:
    """Steps 3 and 4: the century that two digits leave out."""
    if 70 <= year <= 99:
        return year + 1900
    if year <= 69:
        return year + 2000
    return year


def _seconds(year: int, month: int, day: int, time: tuple[int, int, int]) -> int | None:
    """Steps 5 and 6: None where a value is out of range or the calendar has no such day."""
    hour, minute, second = time
    if year < 1601 or hour > 23 or minute > 59 or second > 59:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:  # day 0, 32, or 30 February
        return None
    return days * _DAY + hour * 3600 + minute * 60 + second
