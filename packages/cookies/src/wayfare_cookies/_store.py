"""The store seam: where several processes keep one jar's cookies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

from ._cookie import Cookie, Identity

__all__ = ("Change", "Changes", "CookieStore", "Revision")


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
