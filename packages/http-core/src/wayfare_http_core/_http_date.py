"""Dates of HTTP fields: three formats to read, one to write (RFC 9110 section 5.6.7)."""

import re
from datetime import UTC, datetime, timedelta, timezone

from ._parameters import ascii_lower

__all__ = ("format_http_date", "parse_http_date")

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBERS = {ascii_lower(name): number for number, name in enumerate(_MONTHS, 1)}

_MONTH = "|".join(_MONTHS)
_TIME = "([0-9]{1,2}):([0-9]{2}):([0-9]{2})"
# IMF-fixdate and RFC 850 differ in what nobody needs: the length of the day's name, a dash or a space. "Recipients
# are encouraged to be robust": days of one digit, and an offset where GMT should stand.
_DATE = re.compile(
    f"[a-z]{{3,9}}, *+([0-9]{{1,2}})[ -]({_MONTH})[ -]([0-9]{{4}}|[0-9]{{2}}) {_TIME} "
    "(?:GMT|UTC|([+-])([0-9]{2})([0-9]{2}))",
    re.ASCII | re.IGNORECASE,
)
_ASCTIME = re.compile(
    f"[a-z]{{3}} ({_MONTH})  ?([0-9]{{1,2}}) {_TIME} ([0-9]{{4}})", re.ASCII | re.IGNORECASE
)


def parse_http_date(date_str: str | None, *, now: datetime | None = None) -> datetime | None:
    """The moment that a field value names, in UTC, to the second; None for what is no date. Never raises.

    Reads IMF-fixdate (`Sun, 06 Nov 1994 08:49:37 GMT`), RFC 850 (`Sunday, 06-Nov-94 08:49:37 GMT`) and asctime
    (`Sun Nov  6 08:49:37 1994`). The name of the day is not compared with the date. A year of two digits that would
    be more than 50 years after `now` (aware; the clock's time if None) is one of the century before.
    """
    if date_str is None:
        return None
    if (match := _DATE.fullmatch(date_str)) is not None:
        day, month, year, hour, minute, second, sign, hours, minutes = match.groups()
    elif (match := _ASCTIME.fullmatch(date_str)) is not None:
        month, day, hour, minute, second, year = match.groups()
        sign = hours = minutes = None
    else:
        return None
    # Y1: ASCII digits of the patterns, here and below.
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    clock = (_NUMBERS[ascii_lower(month)], int(day), int(hour), int(minute), int(second))
    full_year = int(year) if len(year) == 4 else _full_year(int(year), clock, now)
    return _moment(full_year, clock, -offset if sign == "-" else offset)


def _moment(year: int, clock: tuple[int, int, int, int, int], offset: timedelta) -> datetime | None:
    month, day, hour, minute, second = clock
    # A leap second is the one before it, and a second more.
    leap = second == 60
    try:
        moment = datetime(year, month, day, hour, minute, second - leap, tzinfo=timezone(offset))
        return (moment + timedelta(seconds=leap)).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, hour or offset; beyond the years 1 and 9999
        return None


def _full_year(year: int, clock: tuple[int, int, int, int, int], now: datetime | None) -> int:
    """The year in its century.

    "Recipients … MUST interpret a timestamp that appears to be more than 50 years in the future as representing the
    most recent year in the past that had the same last two digits."
    """
    today = (now or datetime.now(UTC)).astimezone(UTC)
    latest = (today.year + 50, today.month, today.day, today.hour, today.minute, today.second)
    full = today.year - today.year % 100 + 100 + year
    while (full, *clock) > latest:
        full -= 100
    return full


def format_http_date(moment: datetime) -> str:
    """IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`, fractions of a second dropped. No locale changes it.

    Raises: ValueError for a datetime without a time zone, which would mean another moment on another machine.
    """
    if moment.utcoffset() is None:
        raise ValueError("a moment needs a time zone, such as datetime.UTC")
    utc = moment.astimezone(UTC)
    day, month = _DAYS[utc.weekday()], _MONTHS[utc.month - 1]
    return f"{day}, {utc.day:02} {month} {utc.year:04} {utc:%H:%M:%S} GMT"
