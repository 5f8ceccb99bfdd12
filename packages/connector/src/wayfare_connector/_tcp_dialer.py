"""Dialling over TCP."""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast, final

from ._addresses import AddrInfoType, addr_infos_of_literal, addr_infos_of_results
from ._dns_cache import DNSCache
from ._errors import AddressRefusedError, ClientConnectorDNSError, ClientConnectorError
from ._failed_attempt import FailedAttempt
from ._hosts import name_fault, without_zone
from ._lookups import SharedLookups
from ._observer import ConnectObserver
from ._resolver import AbstractResolver, ThreadedResolver
from ._sockets import DEFAULT_SOCKETS, SocketSettings
from ._target import Target
from ._timeouts import ConnectDeadline

if TYPE_CHECKING:
    from ._address_policy import AddressPolicy

__all__ = ("TCPDialer",)

P = TypeVar("P", bound=asyncio.BaseProtocol)


@final
class TCPDialer:
    """Dials over TCP: resolves, races the addresses (RFC 8305), connects.

    `family` restricts the addresses. `sockets` says how sockets are made. The next address is tried
    after `happy_eyeballs_delay` seconds, or at once when one fails; with None, one after the other.
    `interleave` is how many addresses of the first family come first (RFC 8305 section 4), None for
    one. Names are resolved by `resolver`, which stays the caller's to close; None for the
    system's. `dns_cache` keeps what they resolve to, None for nothing. `address_policy` is asked before
    anything is connected to.

    Raises: `ValueError`, `TypeError` for settings that cannot be.
    """

    def __init__(
        self,
        resolver: AbstractResolver | None = None,
        *,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        sockets: SocketSettings = DEFAULT_SOCKETS,
        happy_eyeballs_delay: float | None = 0.25,
        interleave: int | None = None,
        dns_cache: DNSCache | None = None,
        address_policy: "AddressPolicy | None" = None,
    ) -> None:
        self.family = _checked_family(family)
        self._sockets = sockets.checked()
        _check_race(happy_eyeballs_delay, interleave)
        _check_method("resolver", resolver, "resolve")
        _check_method("address_policy", address_policy, "refusal")
        self._owned_resolver = ThreadedResolver() if resolver is None else None
        self._lookups = SharedLookups(
            resolver or cast(AbstractResolver, self._owned_resolver), dns_cache
        )
        self._delay = happy_eyeballs_delay
        self._interleave = interleave
        self._policy = address_policy

    @property
    def dns_cache(self) -> DNSCache | None:
        """What names resolve to, kept for a while; None when nothing is."""
        return self._lookups.cache

    async def dial(
        self,
        target: Target,
        protocol_factory: Callable[[], P],
        *,
        deadline: ConnectDeadline,
        observer: ConnectObserver | None,
    ) -> tuple[asyncio.Transport, P]:
        """Connect a TCP socket and start the protocol on it; see `Dialer`.

        Raises: `ClientConnectorDNSError`, or `ClientConnectorError` or `DialTimeoutError` that list
        each address (N2).
        Cancellation: every socket is closed.
        """
        loop = asyncio.get_running_loop()
        addr_infos = await self.addresses(target, deadline, observer)
        sockets = self._sockets
        if target.local_addr is not None:
            sockets = sockets._replace(local_addr=target.local_addr)
        started = loop.time()
        if observer is not None:
            await observer.dial_start(target)
        with deadline.connecting():
            # Not needed to import this package, nor for foreign dialers.
            from ._race import connect_first

            sock = await connect_first(
                target,
                addr_infos,
                settings=sockets,
                delay=self._delay,
                interleave=self._interleave,
                deadline=deadline,
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

    async def addresses(
        self, target: Target, deadline: ConnectDeadline, observer: ConnectObserver | None
    ) -> list[AddrInfoType]:
        """What the target's host resolves to, as far as the address policy permits it.

        Raises: `ClientConnectorDNSError`, `AddressRefusedError`; `ClientConnectorError` for an
        address of another family than the dialer's.
        Cancellation: safe.
        """
        if target.is_ip_literal:
            addr_infos = self._literal(target)
        else:
            addr_infos = await self._resolve(target, deadline, observer)
        if self._policy is not None:
            addr_infos = _permitted(self._policy, target, addr_infos)
        return addr_infos

    def check_literal(self, target: Target) -> None:
        """Ask the address policy about a target that is an address itself and is reached through a proxy. What a
        name behind a proxy leads to, the proxy finds out: nobody here could say.

        Raises: `AddressRefusedError`.
        """
        if self._policy is not None and target.is_ip_literal:
            address = addr_infos_of_literal(without_zone(target.host), target.port)
            _permitted(self._policy, target, address)

    async def close(self) -> None:
        """Fail pending look-ups, and close the resolver unless it was handed in; idempotent.

        Cancellation: the resolver may stay open.
        """
        self._lookups.close()
        if self._owned_resolver is not None:
            await self._owned_resolver.close()

    def _literal(self, target: Target) -> list[AddrInfoType]:
        try:
            return addr_infos_of_literal(target.host, target.port, self.family)
        except OSError as exc:
            raise ClientConnectorError(target, exc) from exc

    async def _resolve(
        self, target: Target, deadline: ConnectDeadline, observer: ConnectObserver | None
    ) -> list[AddrInfoType]:
        lookups = self._lookups
        if lookups.cache is not None:
            known = lookups.known(target.host, target.port, self.family)
            if known is not None:
                if observer is not None:
                    await observer.dns_cache_hit(target)
                return addr_infos_of_results(known, target.port, self.family)
            if observer is not None:
                await observer.dns_cache_miss(target)
        with deadline.resolving():
            return await self._look_up(target, observer)

    async def _look_up(
        self, target: Target, observer: ConnectObserver | None
    ) -> list[AddrInfoType]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        if observer is not None:
            await observer.dns_start(target)
        try:
            fault = name_fault(target.host)
            if fault is not None:
                raise socket.gaierror(socket.EAI_NONAME, fault)
            results = await self._lookups.resolve(target.host, target.port, self.family)
        except OSError as exc:
            raise ClientConnectorDNSError(target, exc) from exc
        except Exception as exc:
            # A resolver is foreign code: whatever it raises, the request fails as it should (F16).
            message = f"the resolver failed: {type(exc).__name__}: {exc}"
            raise ClientConnectorDNSError(target, OSError(None, message)) from exc
        addr_infos = addr_infos_of_results(results, target.port, self.family)
        if observer is not None:
            addresses = tuple(info[4][0] for info in addr_infos)
            await observer.dns_end(target, addresses, loop.time() - started)
        return addr_infos


def _checked_family(family: socket.AddressFamily) -> socket.AddressFamily:
    if family not in (socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6):
        raise ValueError(f"family must be AF_INET, AF_INET6 or AF_UNSPEC, not {family!r}")
    return socket.AddressFamily(family)


def _check_race(delay: float | None, interleave: int | None) -> None:
    if delay is not None and not isinstance(delay, int | float):
        raise TypeError(f"happy_eyeballs_delay must be seconds, not {type(delay).__name__}")
    if delay is not None and not delay >= 0:
        raise ValueError("happy_eyeballs_delay cannot be negative")
    if interleave is not None and not isinstance(interleave, int):
        raise TypeError(f"interleave must be an int, not {type(interleave).__name__}")
    if interleave is not None and interleave < 0:
        raise ValueError("interleave cannot be negative")


def _check_method(name: str, value: object, method: str) -> None:
    if value is not None and not callable(getattr(value, method, None)):
        raise TypeError(
            f"{name} must have a method {method!r}, and {type(value).__name__} has none"
        )


def _permitted(
    policy: "AddressPolicy", target: Target, addr_infos: list[AddrInfoType]
) -> list[AddrInfoType]:
    """The addresses that nothing speaks against.

    Raises: `AddressRefusedError` when there is none, and when the policy raises anything.
    """
    # With a policy only.
    from ipaddress import ip_address

    permitted = []
    refused = []
    for info in addr_infos:
        try:
            reason = policy.refusal(target, ip_address(info[4][0]))
        except Exception as exc:
            # It is foreign code: what it does not permit is refused.
            message = f"the address policy failed: {type(exc).__name__}: {exc}"
            raise AddressRefusedError(target, OSError(errno.EACCES, message)) from exc
        if reason is None:
            permitted.append(info)
        else:
            refused.append(FailedAttempt(info[4], errno.EACCES, reason))
    if permitted:
        return permitted
    reasons = "; ".join(f"{attempt.address[0]}: {attempt.message}" for attempt in refused)
    error = OSError(errno.EACCES, f"the address policy refuses it ({reasons})")
    raise AddressRefusedError(target, error, tuple(refused))
