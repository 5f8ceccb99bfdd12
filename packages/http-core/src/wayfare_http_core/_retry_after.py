"""Retry-After: how long to wait before asking again (RFC 9110 section 10.2.3)."""

from datetime import datetime

from ._grammar import is_digits
from ._http_date import parse_http_date

__all__ = ("parse_retry_after",)

_MOST = "999999999"
"""Larger numbers are read as this one, thirty years: a peer may send more digits than any number takes."""


def parse_retry_after(value: str, *, now: datetime, cap: float | None = 3600.0) -> float | None:
    """The seconds to wait that a field value asks for, at most `cap` (None is no limit); None for what is neither.

    `now` (aware) is what a date is counted from; one that is past is 0 seconds. A negative number, a fraction or
    anything else that is no delay is ignored by the caller, not guessed at (O13). Never raises.
    """
    value = value.strip(" \t")
    if is_digits(value):
        digits = value.lstrip("0") or "0"
        seconds = float(digits if len(digits) <= len(_MOST) else _MOST)
    elif (moment := parse_http_date(value, now=now)) is not None:
        seconds = max(0.0, (moment - now).total_seconds())
    else:
        return None
    return seconds if cap is None else min(seconds, float(cap))
