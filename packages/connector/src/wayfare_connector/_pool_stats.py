"""A pool in figures."""

from typing import NamedTuple, final

__all__ = ("PoolStats",)


@final
class PoolStats(NamedTuple):
    """A pool at one moment, in connections; `created`, `reused` and `closed` count from its start.

    `leased` includes upgraded connections. A limit of 0 is none.
    """

    limit: int
    limit_per_host: int
    leased: int
    connecting: int
    idle: int
    waiting: int
    created: int
    reused: int
    closed: int
