"""Whether and when to connect again, for what goes on over several connections: decisions without I/O."""

from datetime import UTC, datetime
from typing import Final

from wayfare_http_core import (
    ClientConnectionError,
    ClientResponseError,
    IncompleteBodyError,
    hdrs,
    parse_retry_after,
)

from ._retry_policy import LASTING, RETRY_STATUSES

__all__ = ("may_reconnect", "reconnect_delay", "retry_after")

_SHORTEST: Final = 0.05
"""Seconds between two connections, whatever the server says: it may say 0, and close each one at once."""

_LONGEST: Final = 3600.0
"""Seconds that a server can make us wait: those of Retry-After."""


def reconnect_delay(base: float, max_delay: float, failures: int, chance: float) -> float:
    """The seconds to wait before the next connection; `chance` is a random number from 0 to 1.

    Never less than `base`, which the server asked for; clients that were cut off together come back apart.
    """
    base = min(max(base, _SHORTEST), _LONGEST)
    spread = min(base * 2.0 ** min(failures, 30), max(max_delay, base))
    return base + spread * chance


def may_reconnect(error: Exception) -> bool:
    """Whether what ended a connection, or kept it from being made, may have passed by the next one."""
    if isinstance(error, ClientResponseError):
        return error.status in RETRY_STATUSES
    if isinstance(error, LASTING):
        return False
    return isinstance(error, ClientConnectionError | IncompleteBodyError | TimeoutError)


def retry_after(error: Exception | None) -> float:
    """The seconds that a server asked for with the status that it refused with."""
    if not isinstance(error, ClientResponseError) or error.headers is None:
        return 0.0
    value = error.headers.get(hdrs.RETRY_AFTER)
    wait = None if value is None else parse_retry_after(value, now=datetime.now(UTC))
    return wait or 0.0
