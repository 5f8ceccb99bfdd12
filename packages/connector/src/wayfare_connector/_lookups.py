"""Look-ups that callers share, and their answers that are kept."""

import asyncio
import errno
import socket
from functools import partial
from typing import final

from ._addresses import addr_infos_of_results
from ._dns_cache import DNSCache, LookupKey
from ._resolver import AbstractResolver, ResolveResult, as_results

__all__ = ("SharedLookups",)


@final
class _Lookup:
    """One look-up and the callers that wait for it."""

    __slots__ = ("task", "waiters")

    def __init__(self) -> None:
        self.task: asyncio.Task[list[ResolveResult]] | None = None
        self.waiters: set[asyncio.Future[list[ResolveResult]]] = set()


@final
class SharedLookups:
    """Asks a resolver once for all callers that want the same at the same time (N6), and keeps the
    answer in a cache if there is one.

    The look-up belongs to no caller: one that is cancelled leaves
    the others waiting; when none is left, the look-up is cancelled. However it ends, whoever waits
    for it learns of it: a resolver is foreign code (F16).
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
        """What the resolver finds, as far as it is of use (N8), in a list of the caller's own.

        Raises: any `Exception` that the resolver raises, or that its answer leads to; `OSError` when
        there is no usable address, when the look-up ends in another way, and when closed meanwhile.
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
            lookup.task = task = loop.create_task(self._look_up(host, port, family))
            task.add_done_callback(partial(self._end, key, lookup))
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

    async def _look_up(
        self, host: str, port: int, family: socket.AddressFamily
    ) -> list[ResolveResult]:
        answer = await self._resolver.resolve(host, port, family)
        # Looked at before anybody has it, and before it is kept.
        results = as_results(host, addr_infos_of_results(answer, port, family))
        if not results:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no usable address")
        if self.cache is not None:
            self.cache.put((host, port, family), results, asyncio.get_running_loop().time())
        return results

    def _end(
        self, key: LookupKey, lookup: _Lookup, task: asyncio.Task[list[ResolveResult]]
    ) -> None:
        """Tell whoever waits how the look-up ended; called back, so that there is no end without it."""
        error = _failure(task)
        for waiter in lookup.waiters:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(list(task.result()))
            else:
                waiter.set_exception(error)
        self._drop(key, lookup)

    def _drop(self, key: LookupKey, lookup: _Lookup) -> None:
        """The look-up has its answer, or nobody wants it: the next caller begins a new one."""
        if self._lookups.get(key) is lookup:
            del self._lookups[key]
            if not lookup.waiters and lookup.task is not None:
                lookup.task.cancel()


def _failure(task: asyncio.Task[list[ResolveResult]]) -> Exception | None:
    """Why a look-up has no results, None if it has."""
    if task.cancelled():
        return OSError(errno.ECANCELED, "the look-up was cancelled")
    exc = task.exception()
    if exc is None or isinstance(exc, Exception):
        return exc
    # What is to end the program does so by itself; those who wait are told in words.
    error = OSError(None, f"the resolver failed: {type(exc).__name__}: {exc}")
    error.__cause__ = exc
    return error
