"""Look-ups that callers share, and their answers that are kept."""

import asyncio
import socket
from typing import final

from ._dns_cache import DNSCache, LookupKey
from ._resolver import AbstractResolver, ResolveResult

__all__ = ("SharedLookups",)


@final
class _Lookup:
    """One look-up and the callers that wait for it."""

    __slots__ = ("task", "waiters")

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.waiters: set[asyncio.Future[list[ResolveResult]]] = set()


@final
class SharedLookups:
    """Asks a resolver once for all callers that want the same at the same time (N6), and keeps the
    answer in a cache if there is one.

    The look-up belongs to no caller: one that is cancelled leaves
    the others waiting; when none is left, the look-up is cancelled.
    """

    def __init__(self, resolver: AbstractResolver, cache: DNSCache | None = None) -> None:
        self._resolver = resolver
        self.cache = cache
        self._lookups: dict[LookupKey, _Lookup] = {}
        self._closed = False

    def known(
        self, host: str, port: int, family: socket.AddressFamily
    ) -> list[ResolveResult] | None:
        """The addresses that the cache has, or None."""
        if self.cache is None or self._closed:
            return None
        return self.cache.get((host, port, family), asyncio.get_running_loop().time())

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily
    ) -> list[ResolveResult]:
        """As the resolver does it; each caller gets a list of its own.

        Raises: whatever the resolver raises, `OSError` when closed meanwhile.
        Cancellation: safe.
        """
        if self._closed:
            raise OSError("the resolver is closed")
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[list[ResolveResult]] = loop.create_future()
        key = (host, port, family)
        lookup = self._lookups.get(key)
        if lookup is None:
            self._lookups[key] = lookup = _Lookup()
            lookup.waiters.add(waiter)
            lookup.task = loop.create_task(self._look_up(key, lookup, family))
        else:
            lookup.waiters.add(waiter)
        try:
            return await waiter
        finally:
            lookup.waiters.discard(waiter)
            if not lookup.waiters:
                self._drop(key, lookup)

    def close(self) -> None:
        """Fail whoever waits, and ask nothing more; the resolver itself stays open."""
        self._closed = True
        lookups, self._lookups = self._lookups, {}
        for waiter in [w for lookup in lookups.values() for w in lookup.waiters]:
            if not waiter.done():
                waiter.set_exception(OSError("the resolver was closed during the look-up"))
        for task in [lookup.task for lookup in lookups.values() if lookup.task is not None]:
            task.cancel()

    async def _look_up(self, key: LookupKey, lookup: _Lookup, family: socket.AddressFamily) -> None:
        host, port, _ = key
        try:
            results = await self._resolver.resolve(host, port, family)
        except Exception as exc:
            for waiter in lookup.waiters:
                if not waiter.done():
                    waiter.set_exception(exc)
        else:
            if self.cache is not None:
                self.cache.put(key, results, asyncio.get_running_loop().time())
            for waiter in lookup.waiters:
                if not waiter.done():
                    waiter.set_result(list(results))
        finally:
            self._drop(key, lookup)

    def _drop(self, key: LookupKey, lookup: _Lookup) -> None:
        """The look-up has its answer, or nobody wants it: the next caller begins a new one."""
        if self._lookups.get(key) is lookup:
            del self._lookups[key]
            if not lookup.waiters and lookup.task is not None:
                lookup.task.cancel()
