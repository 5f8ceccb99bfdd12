"""The store seam: where several processes keep one jar's cookies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, final

from ._cookie import Cookie, Identity

__all__ = ("Change", "Changes", "CookieStore", "OnStoreError", "Revision", "StoreOptions")

OnStoreError = Literal["raise", "warn"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """How a jar uses its store.

    Raises:
        ValueError: `max_age` is negative, or `on_error` another word.
    """

    max_age: float = 1.0
    """Seconds for which what was read from the store may be sent without asking again: how long another process's
    change may stay unseen. A client that calls `CookieJar.sync` before a request asks `CookieJar.sync_due` first.
    """
    on_error: OnStoreError = "raise"
    """What `CookieJar.sync` does where the store cannot be reached, unless it is told otherwise."""

    def __post_init__(self) -> None:
        if not self.max_age >= 0:
            raise ValueError(f"max_age is {self.max_age}: it is a number of seconds, 0 or more")
        if self.on_error not in ("raise", "warn"):
            raise ValueError(f"on_error is {self.on_error!r}, not 'raise' or 'warn'")


@final
@dataclass(frozen=True, slots=True)
class Revision:
    """How far somebody has read a store. `store` is the store's own random name, made when it was made."""

    store: str
    number: int


@final
@dataclass(frozen=True, slots=True)
class Change:
    """A cookie as it is now, or None for one that was removed."""

    identity: Identity
    cookie: Cookie | None
    age: float = 0.0
    """Seconds since the change was made; a store subtracts it from its own clock's time. 0 in what a store answers."""


@final
@dataclass(frozen=True, slots=True)
class Changes:
    """What a store answers."""

    revision: Revision
    """Up to here; to be given the next time."""
    changes: tuple[Change, ...]
    """Each identity once, as it is now."""
    complete: bool
    """These are all cookies of the store, not only what changed: what is not among them is gone."""


class CookieStore(Protocol):
    """A place for cookies that several jars share; synchronous, safe to use from several threads.

    The conflict rule: of two changes of one cookie the later one wins, removals included, by the clock of the store.
    A change's time is the store's own time less the change's age, so no client's clock has to be right; of two changes
    of one time the one that arrives later wins.

    Both methods raise `StoreUnavailableError` where the store cannot be reached, and then have changed nothing.
    """

    def changes_since(self, revision: Revision | None) -> Changes:
        """What changed after a revision, or everything (`complete`) for None, and for a revision that the store does
        not know: one of another store, or one so old that removals after it have been forgotten.
        """
        ...

    def apply(self, changes: Sequence[Change]) -> None:
        """Make all these changes that win by the conflict rule, together or not at all."""
        ...
