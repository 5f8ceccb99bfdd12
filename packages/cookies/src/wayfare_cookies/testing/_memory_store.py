"""A cookie store in memory, which can be told to be away."""

import sys
from collections.abc import Callable, Sequence
from secrets import token_hex
from threading import Lock
from time import time
from typing import NamedTuple, final

from wayfare_cookies._cookie import Identity
from wayfare_cookies._errors import StoreUnavailableError
from wayfare_cookies._records import FORGET_AFTER, purge_time
from wayfare_cookies._store import Change, Changes, CookieStore, Revision

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MemoryStore",)


class _Record(NamedTuple):
    change: Change
    revision: int
    stamp: float
    purge: float | None


@final
class MemoryStore(CookieStore):
    """A store for the jars of one process: for tests, and as the plainest example of the seam.

    While `away` is true both methods raise `StoreUnavailableError`, as an unreachable server would.
    """

    def __init__(
        self, *, forget_after: float = FORGET_AFTER, clock: Callable[[], float] = time
    ) -> None:
        self.away = False
        self._forget_after = forget_after
        self._clock = clock
        self._lock = Lock()
        self._records: dict[Identity, _Record] = {}
        self._store = token_hex(8)
        self._revision = 0
        self._forgotten = 0

    @override
    def changes_since(self, revision: Revision | None) -> Changes:
        with self._lock:
            self._check()
            if (
                revision is not None
                and revision.store == self._store
                and revision.number > self._revision
            ):
                self._store = token_hex(8)
            known = (
                revision is not None
                and revision.store == self._store
                and revision.number >= self._forgotten
            )
            since = revision.number if revision is not None and known else -1
            found = tuple(
                record.change
                for record in self._records.values()
                if record.revision > since and (known or record.change.cookie is not None)
            )
            return Changes(Revision(self._store, self._revision), found, complete=not known)

    @override
    def apply(self, changes: Sequence[Change]) -> None:
        with self._lock:
            self._check()
            now = self._clock()
            self._revision += 1
            for change in changes:
                stamp = now - change.age
                old = self._records.get(change.identity)
                if old is None or old.stamp <= stamp:
                    purge = purge_time(change, stamp, self._forget_after)
                    told = Change(change.identity, change.cookie)
                    self._records[change.identity] = _Record(told, self._revision, stamp, purge)
            for identity, record in list(self._records.items()):
                if record.purge is not None and record.purge <= now:
                    self._forgotten = max(self._forgotten, record.revision)
                    del self._records[identity]

    def _check(self) -> None:
        if self.away:
            raise StoreUnavailableError("the cookie store in memory is away")
