"""`RetryPolicy`: what `RetryMiddleware` repeats, and how long it waits before (O13). Nothing here waits or counts."""

from dataclasses import dataclass
from typing import Final, final

from wayfare_connector import (
    AddressRefusedError,
    ClientConnectorCertificateError,
    ConnectorClosedError,
    ServerFingerprintMismatch,
)
from wayfare_http_core import ClientConnectionError, RequestFailure

from ._errors import TotalTimeoutError
from ._retry import IDEMPOTENT

__all__ = ("LASTING", "RETRY_STATUSES", "RetryPolicy", "is_hopeless", "may_be_repeated", "pause")

LASTING: Final = (
    ConnectorClosedError,
    AddressRefusedError,
    ClientConnectorCertificateError,
    ServerFingerprintMismatch,
)
"""What another attempt ends with again."""

RETRY_STATUSES: Final = frozenset((408, 429, 500, 502, 503, 504))
"""Statuses after which it may work later: retries, downloads, event sources and `ws_reconnect` try again."""

_MOST_DOUBLINGS: Final = 64
"""More would be too much for a float, and are far beyond any cap."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """What is repeated, how often and when. All times are seconds.

    Raises: ValueError, TypeError for what makes no sense, naming the field.
    """

    attempts: int = 3
    """How often a request is sent at most, the first time included."""
    statuses: frozenset[int] = RETRY_STATUSES
    """Statuses after which it is sent again."""
    exceptions: tuple[type[Exception], ...] = (ClientConnectionError,)
    """Errors after which it is sent again: by default connections that fail or break, their timeouts included. Never
    repeated are those that would only come again, such as a certificate that is not valid."""
    methods: frozenset[str] = IDEMPOTENT
    """Methods whose requests may be sent twice (RFC 9110 section 9.2.2). Others are repeated only where nothing had
    been sent yet, or with an `idempotency_key`."""
    backoff: float = 0.5
    """The longest pause before the second attempt; it doubles with each one after that. How much of it is waited is
    drawn at random (full jitter), so that clients which failed together do not come back together."""
    max_backoff: float = 30.0
    """What the doubling ends at."""
    max_retry_after: float = 3600.0
    """The most that a Retry-After makes one wait."""
    budget: float | None = 0.2
    """Repetitions for each request, in the long run, of one origin; None for no such limit. A server that is down gets
    20 % more requests then, not three times as many."""
    reserve: int = 10
    """Repetitions that an origin's budget can save up, and begins with."""
    idempotency_key: str | None = None
    """The name of a field such as Idempotency-Key, whose value tells a server that two requests are the same. With it,
    requests of any method are repeated; those that may not be otherwise get one made up, unless they have it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "statuses", frozenset(self.statuses))
        object.__setattr__(self, "methods", frozenset(self.methods))
        object.__setattr__(self, "exceptions", tuple(self.exceptions))
        for name in ("attempts", "reserve"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be an int, not {type(value).__name__}")
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        for name in ("backoff", "max_backoff", "max_retry_after", "budget"):
            value = getattr(self, name)
            if value is None and name == "budget":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"{name} must be a number, not {type(value).__name__}")
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be a number from 0, not {value!r}")
        for kind in self.exceptions:
            if not isinstance(kind, type) or not issubclass(kind, Exception):
                raise TypeError(f"exceptions must be subclasses of Exception, and {kind!r} is none")


def is_hopeless(error: Exception) -> bool:
    """Whether another attempt is sure to fail too, or has no time."""
    return isinstance(error, (TotalTimeoutError, *LASTING))


def may_be_repeated(
    policy: RetryPolicy, method: str, failure: RequestFailure | None, *, has_key: bool
) -> bool:
    """Whether a request may be sent twice. `failure` is how far it came, None for one that was answered."""
    if has_key or method in policy.methods:
        return True
    # What the server never saw it cannot have acted on.
    return failure is not None and not failure.request_started


def pause(policy: RetryPolicy, attempt: int, draw: float, retry_after: float | None) -> float:
    """How long to wait after this attempt, counted from 1. `draw` is a random number from 0 to 1.

    A Retry-After is the least: who is told to come back later does so, but not all at the same moment as others whose
    own pause is longer.
    """
    longest = min(policy.max_backoff, policy.backoff * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS))
    asked = min(retry_after or 0.0, policy.max_retry_after)
    return max(asked, draw * longest)
