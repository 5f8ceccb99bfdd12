"""Dialling over TCP."""

import asyncio
import socket
from collections.abc import Callable
from typing import TypeVar, cast, final

from ._addresses import AddrInfo, addr_infos_of_literal, addr_infos_of_results
from ._errors import ClientConnectorDNSError, ClientConnectorError
from ._hosts import name_fault
from ._observer import ConnectObserver
from ._resolver import AbstractResolver, SharedLookups, ThreadedResolver
from ._target import LocalAddress, Target
from ._timeouts import ConnectDeadline

__all__ = ("TCPDialer",)

P = TypeVar("P", bound=asyncio.BaseProtocol)


@final
class TCPDialer:
    """Dials over TCP: resolves, races the addresses (RFC 8305), connects.

    `family` restricts the addresses. `local_addr` is bound to before connecting. The next address
    is tried after `happy_eyeballs_delay` seconds, or at once when one fails; with None, one after
    the other. `interleave` is how many addresses of the first family come first (RFC 8305
    section 4), None for one.

    A resolver that is handed in stays the caller's to close.
    """

    def __init__(
        self,
        resolver: AbstractResolver | None = None,
        *,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        local_addr: LocalAddress | None = None,
        happy_eyeballs_delay: float | None = 0.25,
        interleave: int | None = None,
    ) -> None:
        self.family = family
        self.local_addr = local_addr
        self._owned_resolver = ThreadedResolver() if resolver is None else None
        self._lookups = SharedLookups(resolver or cast(AbstractResolver, self._owned_resolver))
        self._delay = happy_eyeballs_delay
        self._interleave = interleave

    async def dial(
        self,
        target: Target,
        protocol_factory: Callable[[], P],
        *,
        deadline: ConnectDeadline,
        observer: ConnectObserver | None,
    ) -> tuple[asyncio.Transport, P]:
        """Connect a TCP socket and start the protocol on it; see `Dialer`.

        Raises: `ClientConnectorDNSError`, or `ClientConnectorError` that lists each address (N2).
        Cancellation: every socket is closed.
        """
        loop = asyncio.get_running_loop()
        if target.is_ip_literal:
            addr_infos = self._literal(target)
        else:
            with deadline.resolving():
                addr_infos = await self._resolve(target, observer)
        started = loop.time()
        if observer is not None:
            await observer.dial_start(target)
        with deadline.connecting():
            # Not needed to import this package, nor for foreign dialers.
            from ._race import connect_first

            sock = await connect_first(
                target,
                addr_infos,
                local_addr=target.local_addr or self.local_addr,
                delay=self._delay,
                interleave=self._interleave,
            )
            try:
                # Small writes must not wait for acknowledgements of earlier ones. asyncio sets
                # this too, other loops do not.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peername = sock.getpeername()
                transport, protocol = await loop.create_connection(protocol_factory, sock=sock)
            except OSError as exc:
                # The peer was gone again before the transport stood.
                sock.close()
                raise ClientConnectorError(target, exc) from exc
            except BaseException:
                sock.close()
                raise
        if observer is not None:
            try:
                await observer.dial_end(target, peername, loop.time() - started)
            except BaseException:
                transport.abort()
                raise
        return transport, protocol

    async def close(self) -> None:
        """Fail pending look-ups, and close the resolver unless it was handed in; idempotent.

        Cancellation: the resolver may stay open.
        """
        self._lookups.close()
        if self._owned_resolver is not None:
            await self._owned_resolver.close()

    def _literal(self, target: Target) -> list[AddrInfo]:
        try:
            return addr_infos_of_literal(target.host, target.port, self.family)
        except OSError as exc:
            raise ClientConnectorError(target, exc) from exc

    async def _resolve(self, target: Target, observer: ConnectObserver | None) -> list[AddrInfo]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        if observer is not None:
            await observer.dns_start(target)
        try:
            fault = name_fault(target.host)
            if fault is not None:
                raise socket.gaierror(socket.EAI_NONAME, fault)
            results = await self._lookups.resolve(target.host, target.port, self.family)
            addr_infos = addr_infos_of_results(results, target.port, self.family)
            if not addr_infos:
                raise socket.gaierror(socket.EAI_NONAME, "the name has no usable address")
        except OSError as exc:
            raise ClientConnectorDNSError(target, exc) from exc
        except Exception as exc:
            # A resolver is foreign code: whatever it raises, the request fails as it should (F16).
            message = f"the resolver failed: {type(exc).__name__}: {exc}"
            raise ClientConnectorDNSError(target, OSError(None, message)) from exc
        if observer is not None:
            addresses = tuple(info[4][0] for info in addr_infos)
            await observer.dns_end(target, addresses, loop.time() - started)
        return addr_infos
