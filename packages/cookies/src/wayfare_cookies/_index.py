"""Where a jar keeps its cookies, so that no question costs a scan of the jar.

    _buckets    domain -> the cookies of exactly this domain
    _children   domain -> the known domains one label under it, to walk down from a domain
    _expiries   a heap of (expiry, number, identity); an item whose cookie is gone or replaced is skipped
    _victims    the cookies that were used least recently, oldest last, to make room in a full jar

A host's cookies lie in the buckets of the host and of the domains over it: as many look-ups as the name has labels,
however many other hosts are known.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from heapq import heapify, heappop, heappush, nsmallest
from operator import attrgetter
from typing import final

from ._cookie import Cookie, Identity
from ._parse import octets
from ._policy import CookieLimits

__all__ = ("CookieIndex", "Entry", "by_rank")

_SLACK = 64
_BATCH = 8


@final
class Entry:
    """A stored cookie with what changes about it, and with what sending it needs, made once."""

    __slots__ = ("cookie", "last_used", "pair", "plain", "rank", "size")

    def __init__(self, cookie: Cookie, number: int) -> None:
        self.cookie = cookie
        self.last_used = cookie.last_used
        self.pair = cookie.pair
        # Neither path nor partition keeps it from any request to its host.
        self.plain = cookie.path == "/" and cookie.partition_key is None
        self.size = octets(self.pair) + 2  # with the "; " that divides it from the next
        # 5.8.3 step 2: longer paths first, then earlier creation; the number decides within one moment.
        self.rank = (-len(cookie.path), cookie.created, number)

    def snapshot(self) -> Cookie:
        """The cookie with its present last-access-time."""
        if self.last_used == self.cookie.last_used:
            return self.cookie
        return replace(self.cookie, last_used=self.last_used)


by_rank = attrgetter("rank")


def _by_use(entry: Entry) -> tuple[float, int]:
    return (entry.last_used, entry.rank[2])


def _by_secure_and_use(entry: Entry) -> tuple[bool, float, int]:
    return (entry.cookie.secure, entry.last_used, entry.rank[2])


@final
class CookieIndex:
    """The cookies of a jar. Not safe for threads by itself: the jar holds a lock."""

    __slots__ = ("_buckets", "_children", "_expiries", "_limits", "_number", "_victims", "count")

    def __init__(self, limits: CookieLimits) -> None:
        self._limits = limits
        self._number = 0
        self.clear()

    def clear(self) -> None:
        """Forget every cookie."""
        self._buckets: dict[str, dict[Identity, Entry]] = {}
        self._children: dict[str, set[str]] = {}
        self._expiries: list[tuple[float, int, Identity]] = []
        self._victims: list[tuple[tuple[float, int], Entry]] = []
        self.count = 0

    def __iter__(self) -> Iterator[Entry]:
        for bucket in self._buckets.values():
            yield from bucket.values()

    def get(self, identity: Identity) -> Entry | None:
        """The entry of an identity, or None."""
        bucket = self._buckets.get(identity.domain)
        return None if bucket is None else bucket.get(identity)

    def find(self, identity: Identity) -> Cookie | None:
        """The cookie with an identity, or None."""
        entry = self.get(identity)
        return None if entry is None else entry.cookie

    def at(self, domains: Iterable[str]) -> list[Entry]:
        """The entries of exactly these domains."""
        found: list[Entry] = []
        for domain in domains:
            bucket = self._buckets.get(domain)
            if bucket is not None:
                found.extend(bucket.values())
        return found

    def under(self, domain: str) -> Iterator[Entry]:
        """The entries of a domain and of every domain under it."""
        waiting = [domain]
        while waiting:
            domain = waiting.pop()
            yield from self._buckets.get(domain, {}).values()
            waiting.extend(self._children.get(domain, ()))

    def put(self, cookie: Cookie, now: float) -> None:
        """Store a cookie in the place of the one with its identity, whose creation time and rank it takes over.

        `now` is the time of use where the very same cookie is stored already. May push other cookies out, or this one,
        where the limits say so. Source: RFC 6265bis 5.7 steps 23 and 24.
        """
        bucket = self._buckets.get(cookie.domain)
        if bucket is None:
            bucket = self._add_domain(cookie.domain)
        identity = cookie.identity
        old = bucket.get(identity)
        if old is not None and old.cookie is cookie:
            old.last_used = now
            return
        if old is None:
            self._number += 1
            bucket[identity] = Entry(cookie, self._number)
            self.count += 1
        else:
            if cookie.created != old.cookie.created:
                cookie = replace(cookie, created=old.cookie.created)
            bucket[identity] = Entry(cookie, old.rank[2])
        if cookie.expires is not None and (old is None or old.cookie.expires != cookie.expires):
            self._number += 1
            heappush(self._expiries, (cookie.expires, self._number, identity))
            self._tidy_expiries()
        self._make_room(bucket)

    def would_keep(self, cookie: Cookie) -> bool:
        """Whether `put` would leave a cookie in, or push out that very one."""
        bucket = self._buckets.get(cookie.domain, {})
        if cookie.identity in bucket:
            return True
        per_domain, total = self._limits.per_domain, self._limits.total
        entry = Entry(cookie, self._number + 1)
        if per_domain is not None and len(bucket) >= per_domain:
            rank = _by_secure_and_use(entry)
            return any(_by_secure_and_use(other) < rank for other in bucket.values())
        if total is not None and self.count >= total:
            use = _by_use(entry)
            return any(_by_use(other) < use for other in self)
        return True

    def remove(self, identity: Identity) -> Cookie | None:
        """Take a cookie out; returns it, or None where there was none."""
        bucket = self._buckets.get(identity.domain)
        entry = bucket.pop(identity, None) if bucket is not None else None
        if entry is None:
            return None
        self.count -= 1
        if not bucket:
            del self._buckets[identity.domain]
            self._drop_domain(identity.domain)
        return entry.cookie

    def evict_expired(self, now: float) -> None:
        """Remove every cookie that has expired: one comparison where none has. Source: RFC 6265bis 5.7."""
        expiries = self._expiries
        while expiries and expiries[0][0] <= now:
            expires, _, identity = heappop(expiries)
            entry = self.get(identity)
            if entry is not None and entry.cookie.expires == expires:
                self.remove(identity)

    def _tidy_expiries(self) -> None:
        """Drop the heap's items of cookies that are gone, before they outnumber the rest."""
        if len(self._expiries) > 2 * self.count + _SLACK:
            self._expiries = [
                (entry.cookie.expires, number, entry.cookie.identity)
                for number, entry in enumerate(self)
                if entry.cookie.expires is not None
            ]
            self._number = max(self._number, len(self._expiries))
            heapify(self._expiries)

    def _make_room(self, bucket: dict[Identity, Entry]) -> None:
        """Keep the limits: RFC 6265bis 5.7, "remove excess cookies", in its order of priority."""
        per_domain, total = self._limits.per_domain, self._limits.total
        while per_domain is not None and len(bucket) > per_domain:
            # Priorities 2 and 3: the crowded domain's insecure cookies, then its others. A domain holds few.
            self.remove(min(bucket.values(), key=_by_secure_and_use).cookie.identity)
        while total is not None and self.count > total:  # priority 4
            self.remove(self._least_used().cookie.identity)

    def _least_used(self) -> Entry:
        """The entry whose last use is the longest ago.

        Sorting out one in eight at a time makes it cheap: who is not among them was used later, and stays later.
        """
        while True:
            while self._victims:
                use, entry = self._victims.pop()
                if _by_use(entry) == use and self.get(entry.cookie.identity) is entry:
                    return entry
            oldest = nsmallest(self.count // _BATCH + 1, self, key=_by_use)
            self._victims = [(_by_use(entry), entry) for entry in reversed(oldest)]

    def _add_domain(self, domain: str) -> dict[Identity, Entry]:
        bucket = self._buckets[domain] = {}
        while (parent := domain.partition(".")[2]) and domain not in self._children.get(parent, ()):
            self._children.setdefault(parent, set()).add(domain)
            domain = parent
        return bucket

    def _drop_domain(self, domain: str) -> None:
        while domain not in self._buckets and domain not in self._children:
            parent = domain.partition(".")[2]
            siblings = self._children.get(parent)
            if siblings is None:
                return
            siblings.discard(domain)
            if siblings:
                return
            del self._children[parent]
            domain = parent
