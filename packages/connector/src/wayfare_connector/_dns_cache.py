"""`DNSCache`: answers of a resolver, kept for a while, decided without a clock."""

from collections import OrderedDict
from math import inf
from typing import TYPE_CHECKING, TypeAlias, final

if TYPE_CHECKING:
    from ._resolver import ResolveResult

__all__ = ("DNSCache", "LookupKey")

LookupKey: TypeAlias = tuple[str, int, int]
"""What a look-up is for: host, port, family."""


@final
class _Answer:
    """Addresses, and which turn they are at."""

    __slots__ = ("expires", "results", "turn")

    def __init__(self, results: "list[ResolveResult]", expires: float) -> None:
        self.results = results
        self.expires = expires
        self.turn = 0


@final
class DNSCache:
    """Addresses by look-up: `seconds` each, None for ever, and `max_size` of them, those that were
    asked for longest ago forgotten first.

    Only addresses are kept, no failure: a name that is set up a moment later is found then (N5).
    Each time others come first, in turn, but in each family by itself: the order of the families is
    the system's choice (RFC 6724) and stays. `now` is in seconds on any scale that never goes back.
    """

    def __init__(self, seconds: float | None = 10.0, max_size: int = 1000) -> None:
        if seconds is not None and not seconds >= 0:
            raise ValueError("addresses cannot be kept for a negative time")
        if max_size < 1:
            raise ValueError("a cache of addresses has room for one at least")
        self.seconds = seconds
        self.max_size = max_size
        self._answers: OrderedDict[LookupKey, _Answer] = OrderedDict()

    def get(self, key: LookupKey, now: float) -> "list[ResolveResult] | None":
        """The addresses that are known, in the order in which to try them this time, or None."""
        answer = self._answers.get(key)
        if answer is None:
            return None
        if now >= answer.expires:
            del self._answers[key]
            return None
        self._answers.move_to_end(key)
        answer.turn += 1
        return _rotated(answer.results, answer.turn)

    def put(self, key: LookupKey, results: "list[ResolveResult]", now: float) -> None:
        """Keep what a look-up has found."""
        if not results or self.seconds == 0:
            return
        expires = inf if self.seconds is None else now + self.seconds
        self._answers[key] = _Answer(list(results), expires)
        self._answers.move_to_end(key)
        if len(self._answers) > self.max_size:
            self._answers.popitem(last=False)

    def clear(self, host: str | None = None, port: int | None = None) -> None:
        """Forget everything, or what is known of one host, or of one port of it."""
        if host is None:
            self._answers.clear()
            return
        for key in [k for k in self._answers if k[0] == host and port in (None, k[1])]:
            del self._answers[key]

    def __len__(self) -> int:
        return len(self._answers)


def _rotated(results: "list[ResolveResult]", turn: int) -> "list[ResolveResult]":
    """The results with each family's addresses moved up by so many places, round and round."""
    places: dict[int, list[int]] = {}
    for place, result in enumerate(results):
        places.setdefault(result["family"], []).append(place)
    rotated = list(results)
    for mine in places.values():
        for n, place in enumerate(mine):
            rotated[place] = results[mine[(n + turn) % len(mine)]]
    return rotated
