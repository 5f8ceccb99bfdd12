"""A jar's side of a store: what the store has not been told, and how far it has been read.

    the jar changes ──note──► pending ──push──► store ──pull──► the jar

Push comes first. The store then decides every conflict, and the pull brings what it decided, our own changes included;
so after a sync jar and store agree, except in what the jar changed meanwhile, which is pending again.
"""

from threading import Lock
from typing import final

from ._cookie import Cookie, Identity
from ._index import CookieIndex
from ._policy import Policy
from ._storage import restore_cookie
from ._store import Change, Changes, CookieStore, Revision

__all__ = ("StoreLink",)


@final
class StoreLink:
    """Keeps one jar's index and one store alike. The jar's lock is held while the index is touched, never during
    I/O.
    """

    __slots__ = ("_index", "_lock", "_pending", "_policy", "_revision", "_store", "_turn")

    def __init__(self, store: CookieStore, index: CookieIndex, policy: Policy, lock: Lock) -> None:
        self._store = store
        self._index = index
        self._policy = policy
        self._lock = lock
        self._turn = Lock()
        # A new tuple for each change: two changes of one moment are told apart by `is`.
        self._pending: dict[Identity, tuple[float]] = {}
        self._revision: Revision | None = None

    @property
    def has_news(self) -> bool:
        """Whether the jar has changes that the store was not told."""
        return bool(self._pending)

    def note(self, identity: Identity, now: float) -> None:
        """Remember that a cookie was set or removed. The jar's lock is held."""
        self._pending[identity] = (now,)

    def sync(self, now: float) -> None:
        """Push and pull once.

        Raises:
            StoreUnavailableError: the jar is as it was, or has what it pulled; what was not pushed is still pending.
        """
        with self._turn:
            self._push(now)
            found = self._store.changes_since(self._revision)
            if self._revision is not None and found.revision.store != self._revision.store:
                # The store was emptied or exchanged: to this one, everything here is news.
                self._note_all()
                self._push(now)
                found = self._store.changes_since(None)
            self._take(found, now)

    def _push(self, now: float) -> None:
        with self._lock:
            sent = dict(self._pending)
            # A cookie that was set and is gone again (it expired, or the jar was full) is told as removed: what it
            # replaced must not come back.
            changes = [
                Change(identity, self._index.find(identity), max(0.0, now - made[0]))
                for identity, made in sent.items()
            ]
        if changes:
            self._store.apply(changes)
        with self._lock:
            for identity, made in sent.items():
                if self._pending.get(identity) is made:
                    del self._pending[identity]

    def _note_all(self) -> None:
        with self._lock:
            for entry in self._index:
                self._pending.setdefault(entry.cookie.identity, (entry.cookie.created,))

    def _take(self, found: Changes, now: float) -> None:
        with self._lock:
            if found.complete:
                known = {change.identity for change in found.changes}
                for entry in list(self._index):
                    identity = entry.cookie.identity
                    if identity not in known and identity not in self._pending:
                        self._index.remove(identity)
            for change in found.changes:
                if change.identity not in self._pending:
                    self._take_one(change, now)
            self._revision = found.revision

    def _take_one(self, change: Change, now: float) -> None:
        cookie = change.cookie
        if cookie is not None and cookie == self._index.find(change.identity):
            return
        self._index.remove(change.identity)
        # Whoever wrote to the store may have had other rules; a jar keeps only what its own rules allow.
        restored = None if cookie is None else restore_cookie(cookie, now=now, policy=self._policy)
        if isinstance(restored, Cookie):
            self._index.put(restored, now)
