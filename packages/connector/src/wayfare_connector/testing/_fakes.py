"""A resolver, a dialer and an observer for tests: no network, nothing hidden."""

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, final

from wayfare_http_core import Connection
from wayfare_http_core.testing import MemoryNetwork

from wayfare_connector._hosts import is_ip_literal
from wayfare_connector._observer import ConnectObserver
from wayfare_connector._resolver import AbstractResolver, ResolveResult
from wayfare_connector._target import Target
from wayfare_connector._timeouts import ConnectDeadline

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("FakeResolver", "MemoryDialer", "RecordingObserver")

P = TypeVar("P", bound=asyncio.BaseProtocol)


@final
class _Gate:
    """Lets callers through, or holds them until it opens."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self._shut = False

    def shut(self) -> None:
        self._shut = True

    def open(self) -> None:
        self._shut = False
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def passage(self) -> None:
        if not self._shut:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)


@final
class FakeResolver(AbstractResolver):
    """Answers from a table: a name has addresses, or an error to raise.

    `calls` records what was asked. After `hold()` answers wait for `release()`.
    """

    def __init__(self, table: Mapping[str, Sequence[str] | Exception]) -> None:
        self.table = dict(table)
        self.calls: list[tuple[str, int, socket.AddressFamily]] = []
        self.closed = False
        self._gate = _Gate()

    def hold(self) -> None:
        """Answer nothing from now on."""
        self._gate.shut()

    def release(self) -> None:
        """Answer again, also what was asked meanwhile."""
        self._gate.open()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """What the table says, as far as the family fits.

        Raises: the table's error; `socket.gaierror` for a name that is not in it.
        Cancellation: safe.
        """
        if self.closed:
            raise OSError("the resolver is closed")
        self.calls.append((host, port, family))
        await self._gate.passage()
        answer = self.table.get(host, ())
        if isinstance(answer, Exception):
            raise answer
        results = [_result(host, address, port) for address in answer]
        found = [r for r in results if family in (socket.AF_UNSPEC, r["family"])]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found

    @override
    async def close(self) -> None:
        """Answer no more. Cancellation: never waits."""
        self.closed = True


@final
class MemoryDialer:
    """Dials the servers of a `wayfare_http_core.testing.MemoryNetwork` by host and port.

    After `hold()` dials wait for `release()`.
    """

    def __init__(self, network: MemoryNetwork) -> None:
        self.network = network
        self._gate = _Gate()

    def hold(self) -> None:
        """Let no dial get through from now on."""
        self._gate.shut()

    def release(self) -> None:
        """Let dials get through again, also those that wait."""
        self._gate.open()

    async def dial(
        self,
        target: Target,
        protocol_factory: Callable[[], P],
        *,
        deadline: ConnectDeadline,
        observer: ConnectObserver | None,
    ) -> tuple[asyncio.Transport, P]:
        """Connect in memory; see `wayfare_connector.Dialer`.

        Raises: `ConnectionRefusedError` where nothing is served.
        Cancellation: nothing stays open.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        if observer is not None:
            await observer.dial_start(target)
        with deadline.connecting():
            await self._gate.passage()
            transport, protocol = await self.network.dial(
                target.host, target.port, protocol_factory
            )
        if observer is not None:
            try:
                peername = transport.get_extra_info("peername")
                await observer.dial_end(target, peername, loop.time() - started)
            except BaseException:
                transport.abort()
                raise
        return transport, protocol


@final
class RecordingObserver(ConnectObserver):
    """Keeps every event: its name and its arguments without the target, in order.

    `raising` maps names of events to exceptions to raise from them.
    """

    def __init__(self, raising: Mapping[str, Exception] | None = None) -> None:
        self.events: list[tuple[str, tuple[Any, ...]]] = []
        self.targets: list[Target] = []
        self._raising = dict(raising or {})

    @property
    def names(self) -> list[str]:
        """The events' names, in order."""
        return [name for name, _ in self.events]

    async def _note(self, name: str, target: Target, *arguments: Any) -> None:
        self.events.append((name, arguments))
        self.targets.append(target)
        # Another task may run while an observer works: so it does here.
        await asyncio.sleep(0)
        if name in self._raising:
            raise self._raising[name]

    @override
    async def queued_start(self, target: Target) -> None:
        await self._note("queued_start", target)

    @override
    async def queued_end(self, target: Target, seconds: float) -> None:
        await self._note("queued_end", target, seconds)

    @override
    async def reused(self, target: Target, connection: Connection) -> None:
        await self._note("reused", target, connection)

    @override
    async def create_start(self, target: Target) -> None:
        await self._note("create_start", target)

    @override
    async def create_end(self, target: Target, connection: Connection, seconds: float) -> None:
        await self._note("create_end", target, connection, seconds)

    @override
    async def dns_start(self, target: Target) -> None:
        await self._note("dns_start", target)

    @override
    async def dns_end(self, target: Target, addresses: tuple[str, ...], seconds: float) -> None:
        await self._note("dns_end", target, addresses, seconds)

    @override
    async def dns_cache_hit(self, target: Target) -> None:
        await self._note("dns_cache_hit", target)

    @override
    async def dns_cache_miss(self, target: Target) -> None:
        await self._note("dns_cache_miss", target)

    @override
    async def dial_start(self, target: Target) -> None:
        await self._note("dial_start", target)

    @override
    async def dial_end(self, target: Target, peername: Any, seconds: float) -> None:
        await self._note("dial_end", target, peername, seconds)

    @override
    async def tunnel_start(self, target: Target) -> None:
        await self._note("tunnel_start", target)

    @override
    async def tunnel_end(self, target: Target, seconds: float) -> None:
        await self._note("tunnel_end", target, seconds)

    @override
    async def tls_start(self, target: Target) -> None:
        await self._note("tls_start", target)

    @override
    async def tls_end(self, target: Target, tls_version: str | None, seconds: float) -> None:
        await self._note("tls_end", target, tls_version, seconds)


def _result(hostname: str, address: str, port: int) -> ResolveResult:
    if not is_ip_literal(address):
        raise ValueError(f"not an address: {address!r}")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=hostname,
        host=address,
        port=port,
        family=family,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST,
    )
