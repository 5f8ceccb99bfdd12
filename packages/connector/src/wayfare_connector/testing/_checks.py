"""The suites that an implementer of a seam runs on what he made.

Each takes a factory of a *case*: an asynchronous context manager that yields what is to be checked
and the surroundings it needs. The case is entered once per check. A failed check raises
`AssertionError` that says which rule is broken.
"""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Protocol, TypeAlias, TypeVar, final

from wayfare_http_core import ClientError, Connection, RequestHead
from yarl import URL

from wayfare_connector._address_policy import AddressPolicy
from wayfare_connector._connector import BaseConnector
from wayfare_connector._dialer import Dialer
from wayfare_connector._errors import (
    ClientConnectorError,
    ConnectionTimeoutError,
    ConnectorClosedError,
    PoolTimeoutError,
)
from wayfare_connector._hosts import is_ip_literal
from wayfare_connector._proxy import Proxy, as_proxy
from wayfare_connector._proxy_chooser import ProxyChooser
from wayfare_connector._resolver import AbstractResolver
from wayfare_connector._target import Target
from wayfare_connector._timeouts import ConnectDeadline, ConnectTimeouts

from ._cancelling import cancel_at_every_await
from ._fakes import RecordingObserver

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = (
    "ConnectorCase",
    "DialerCase",
    "MakeConnector",
    "ResolverCase",
    "check_address_policy",
    "check_connector",
    "check_dialer",
    "check_proxy_chooser",
    "check_resolver",
)

PATIENCE = 30.0
"""Seconds after which what a check waits for counts as missing: more than a busy machine may stand still."""

_SILENCE = 0.5
"""Seconds after which a server has no answer to what it does not understand."""

T = TypeVar("T")
Factory: TypeAlias = Callable[[], AbstractAsyncContextManager[T]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DialerCase:
    """A dialer, and where it can lead."""

    dialer: Dialer
    echo: Target
    """A peer that sends back every octet it gets and closes when the dialer's side does."""
    refused: Target
    """Nobody answers here: dialling fails at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverCase:
    """A resolver, and names for it."""

    resolver: AbstractResolver
    known: str
    """Has an address of each family in `families`."""
    families: tuple[socket.AddressFamily, ...]
    unknown: str
    """Has no address."""


class MakeConnector(Protocol):
    """Makes the connector to check, with this limit."""

    def __call__(self, *, limit: int) -> BaseConnector: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorCase:
    """How to make a connector, and where it can lead."""

    make: MakeConnector
    server: Target
    """Answers every GET with 200, some content, and a connection that persists, unless the connector's
    `force_close` says that none does."""
    refused: Target | None
    """Nobody answers here; None where somebody always does."""
    in_memory: bool = False
    """Whether no octet leaves the process. Then there is nobody to encrypt for and no proxy: both go unchecked."""


def require(condition: bool, rule: str) -> None:
    """Fail the check unless the rule is kept."""
    if not condition:
        raise AssertionError(rule)


async def raises(
    kind: type[BaseException] | tuple[type[BaseException], ...],
    awaitable: Awaitable[object],
    rule: str,
) -> None:
    """Fail the check unless awaiting raises this kind."""
    try:
        await awaitable
    except kind:
        return
    except BaseException as exc:
        raise AssertionError(f"{rule}; got {exc!r}") from exc
    raise AssertionError(f"{rule}; nothing was raised")


# -- dialers


@final
class _Probe(asyncio.Protocol):
    """What a transport does to its protocol."""

    def __init__(self) -> None:
        self.made = 0
        self.received = b""
        self.transport: asyncio.BaseTransport | None = None
        self._loop = asyncio.get_running_loop()
        self._changed: asyncio.Future[None] = self._loop.create_future()
        self.lost = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made += 1
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self.received += data
        self._change()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._change()

    def _change(self) -> None:
        if not self._changed.done():
            self._changed.set_result(None)

    async def until(self, condition: Callable[[], bool], rule: str) -> None:
        """Wait for what the transport has to do, at most `PATIENCE` seconds."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    self._changed = self._loop.create_future()
                    await self._changed
        except TimeoutError:
            raise AssertionError(rule) from None


def _deadline(target: Target, sock_connect: float | None = None) -> ConnectDeadline:
    return ConnectDeadline(target, ConnectTimeouts(sock_connect=sock_connect))


async def check_dialer(factory: Factory[DialerCase]) -> None:
    """Check a `Dialer`: its protocol, its failures, its deadline, its observer, cancellation."""
    for check in (
        _dialer_carries,
        _dialer_refuses,
        _dialer_respects_deadline,
        _dialer_passes_on_exceptions,
        _dialer_can_be_cancelled,
    ):
        async with factory() as case:
            await check(case)


async def _dial(
    case: DialerCase, observer: RecordingObserver | None = None
) -> tuple[asyncio.Transport, _Probe]:
    return await case.dialer.dial(
        case.echo, _Probe, deadline=_deadline(case.echo), observer=observer
    )


async def _hang_up(transport: asyncio.Transport, probe: _Probe) -> None:
    transport.close()
    require(transport.is_closing() is True, "is_closing() is True after close()")
    await probe.until(lambda: probe.lost, "close() must end in connection_lost")


async def _dialer_carries(case: DialerCase) -> None:
    made: list[_Probe] = []

    def protocol_factory() -> _Probe:
        made.append(_Probe())
        return made[-1]

    observer = RecordingObserver()
    transport, probe = await case.dialer.dial(
        case.echo, protocol_factory, deadline=_deadline(case.echo), observer=observer
    )
    require(made == [probe], "the factory is called once, and its protocol returned")
    require(probe.made == 1, "connection_made was called once when dial returns")
    require(probe.transport is transport, "the protocol and the caller get the same transport")
    require(transport.is_closing() is False, "is_closing() is False on a new transport")
    names = [name for name in observer.names if name.startswith("dial")]
    require(names == ["dial_start", "dial_end"], "the observer is told dial_start and dial_end")
    other, other_probe = await _dial(case)
    require(other is not transport, "each dial opens a transport of its own")
    transport.write(b"one ")
    transport.write(b"way")
    await probe.until(lambda: probe.received == b"one way", "octets go both ways, in order")
    require(other_probe.received == b"", "octets stay on their transport")
    await _hang_up(transport, probe)
    await _hang_up(other, other_probe)


async def _dialer_refuses(case: DialerCase) -> None:
    dial = case.dialer.dial(case.refused, _Probe, deadline=_deadline(case.refused), observer=None)
    await raises((OSError, ClientConnectorError), dial, "a target that refuses is an OSError")


async def _dialer_respects_deadline(case: DialerCase) -> None:
    expired = _deadline(case.echo, sock_connect=0)
    dial = case.dialer.dial(case.echo, _Probe, deadline=expired, observer=None)
    await raises(
        ConnectionTimeoutError, dial, "transports are opened in `with deadline.connecting():`"
    )


async def _dialer_passes_on_exceptions(case: DialerCase) -> None:
    class PlannedError(Exception):
        pass

    for event in ("dial_start", "dial_end"):
        observer = RecordingObserver({event: PlannedError()})
        await raises(PlannedError, _dial(case, observer), f"an error of {event} comes out of dial")


async def _dialer_can_be_cancelled(case: DialerCase) -> None:
    async def scenario() -> None:
        transport, probe = await _dial(case)
        await _hang_up(transport, probe)

    async def check() -> None:
        transport, probe = await _dial(case)
        await _hang_up(transport, probe)

    await cancel_at_every_await(scenario, check)


# -- resolvers


async def check_resolver(factory: Factory[ResolverCase]) -> None:
    """Check an `AbstractResolver`: its results, its failures, cancellation and closing."""
    for check in (_resolver_answers, _resolver_fails, _resolver_can_be_cancelled, _resolver_closes):
        async with factory() as case:
            await check(case)


async def _resolver_answers(case: ResolverCase) -> None:
    for family in case.families:
        results = await case.resolver.resolve(case.known, 8080, family)
        require(bool(results), f"{case.known} has an address of {family!r}")
        for result in results:
            keys = {"hostname", "host", "port", "family", "proto", "flags"}
            require(set(result) == keys, f"a result has the keys {sorted(keys)}")
            require(result["hostname"] == case.known, "hostname is the name that was asked for")
            require(is_ip_literal(result["host"]), "host is an address")
            require(result["port"] == 8080, "port is the port that was asked for")
            require(result["family"] == family, "family is the family that was asked for")
    both = await asyncio.gather(
        *(case.resolver.resolve(case.known, 80, socket.AF_UNSPEC) for _ in range(2))
    )
    require(both[0] == both[1], "two look-ups at once are two answers")


async def _resolver_fails(case: ResolverCase) -> None:
    resolve = case.resolver.resolve(case.unknown, 80, socket.AF_UNSPEC)
    await raises(OSError, resolve, "a name without addresses is an OSError")


async def _resolver_can_be_cancelled(case: ResolverCase) -> None:
    async def scenario() -> None:
        await case.resolver.resolve(case.known, 80, socket.AF_UNSPEC)

    await cancel_at_every_await(scenario, scenario)


async def _resolver_closes(case: ResolverCase) -> None:
    await case.resolver.close()
    await case.resolver.close()
    resolve = case.resolver.resolve(case.known, 80, socket.AF_UNSPEC)
    await raises(OSError, resolve, "a closed resolver raises OSError")


# -- address policies

_ADDRESSES = (
    "127.0.0.1",
    "192.0.2.1",
    "8.8.8.8",
    "224.0.0.1",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::8.8.8.8",
    "2001:db8::1",
    "2606:4700:4700::1111",
    "fe80::1",
)
"""One of each kind."""


def check_address_policy(policy: AddressPolicy, *, refused: str, permitted: str) -> None:
    """Check an `AddressPolicy`: it has an answer for every address, always the same, and it tells
    the refused address from the permitted one."""
    target = Target("https", "a.example")
    for text in (*_ADDRESSES, refused, permitted):
        address = ip_address(text)
        answer = policy.refusal(target, address)
        require(answer is None or isinstance(answer, str), f"{text}: a reason is a str, or None")
        require(answer is None or bool(answer), f"{text}: a reason has words")
        require(policy.refusal(target, address) == answer, f"{text}: the answer does not change")
    for text, wanted in ((refused, True), (permitted, False)):
        answer = policy.refusal(target, ip_address(text))
        rule = f"{text} is {'refused' if wanted else 'permitted'}"
        require((answer is not None) is wanted, rule)


# -- choosers of proxies

_HOSTS = (
    "a.example",
    "A.Example.",
    "xn--bcher-kva.example",
    "127.0.0.1",
    "[::1]",
    "[fe80::1%25lo]",
)
"""One of each form."""


def check_proxy_chooser(
    chooser: ProxyChooser, *, proxied: URL | str | None = None, direct: URL | str | None = None
) -> None:
    """Check a `ProxyChooser`: it has an answer for every URL, and the answer is a proxy or None.

    With `proxied`, it names a proxy for that URL, and with `direct` none for that one.
    """
    for scheme in ("http", "https", "ws", "wss"):
        for place in (*_HOSTS, f"{_HOSTS[0]}:8080"):
            _chosen(chooser, URL(f"{scheme}://{place}/path?query"))
    if proxied is not None:
        answer = _chosen(chooser, URL(proxied))
        require(answer is not None, f"{proxied}: there is a proxy for it")
    if direct is not None:
        answer = _chosen(chooser, URL(direct))
        require(answer is None, f"{direct}: there is no proxy for it")


def _chosen(chooser: ProxyChooser, url: URL) -> Proxy | None:
    answer = chooser(url)
    if asyncio.iscoroutine(answer):
        answer.close()
    fits = answer is None or isinstance(answer, Proxy | URL | str)
    require(fits, f"{url}: the answer is a proxy or None, not {type(answer).__name__}")
    try:
        return None if answer is None else as_proxy(answer)
    except ValueError as exc:
        raise AssertionError(f"{url}: the answer is a proxy: {exc}") from exc


# -- connectors


async def check_connector(factory: Factory[ConnectorCase]) -> None:
    """Check a `BaseConnector` subclass: leasing, limits, failures, cancellation and closing; and that it speaks to
    `https` targets over TLS and to others through their proxies, or not at all."""
    for check in (
        _connector_reuses,
        _connector_times_out,
        _connector_waits,
        _connector_fails,
        _connector_encrypts,
        _connector_asks_proxies,
        _connector_can_be_cancelled,
        _connector_closes,
    ):
        async with factory() as case:
            await check(case)


async def _get(connection: Connection, target: Target) -> None:
    head = RequestHead("GET", target.scheme, target.authority, "/")
    exchange = await connection.exchange(head)
    require(exchange.head.status == 200, "the server of a ConnectorCase answers 200")
    await exchange.content.read()


async def _connector_reuses(case: ConnectorCase) -> None:
    async with case.make(limit=2) as connector:
        require(connector.lease_nowait(case.server) is None, "an empty pool has nothing to lease")
        observer = RecordingObserver()
        connection = await connector.connect(case.server, ConnectTimeouts(), observer)
        require(observer.names[0] == "create_start", "create_start comes first")
        require(observer.names[-1] == "create_end", "create_end comes last")
        require(connection.available_exchanges > 0, "a new connection can start an exchange")
        require(connector.stats().leased == 1, "a connection is leased until its exchange ends")
        await _get(connection, case.server)
        if connector.force_close:
            require(connector.stats().leased == 0, "the lease ends with its exchange")
            require(connector.lease_nowait(case.server) is None, "no connection is used twice")
            return
        require(connector.stats().idle == 1, "after its exchange the connection is idle")
        again = await connector.connect(case.server)
        require(again is connection, "an idle connection is used again")
        await _get(again, case.server)
        require(connector.lease_nowait(case.server) is connection, "and leased without waiting")


async def _connector_times_out(case: ConnectorCase) -> None:
    async with case.make(limit=1) as connector:
        await connector.connect(case.server)
        connect = connector.connect(case.server, ConnectTimeouts(connect=0.001))
        await raises(PoolTimeoutError, connect, "a full pool times out with PoolTimeoutError")


async def _connector_waits(case: ConnectorCase) -> None:
    async with case.make(limit=1) as connector:
        connection = await connector.connect(case.server)
        waiter = asyncio.ensure_future(connector.connect(case.server))
        try:
            await asyncio.sleep(0)
            require(connector.stats().waiting == 1, "a full pool makes wait")
            await _get(connection, case.server)
            served = await waiter
            require(served is connection or connector.force_close, "it goes to the waiter")
            await _get(served, case.server)
        finally:
            waiter.cancel()


async def _connector_fails(case: ConnectorCase) -> None:
    async with case.make(limit=1) as connector:
        for target in [case.refused] * 3:
            if target is None:
                break
            # A place that is never given back would keep the next one waiting.
            connect = connector.connect(target, ConnectTimeouts(connect=PATIENCE))
            await raises(ClientConnectorError, connect, "failing is a ClientConnectorError")
        require(connector.stats().connecting == 0, "a failed connect gives its place back")
        await _get(await connector.connect(case.server), case.server)


async def _connector_encrypts(case: ConnectorCase) -> None:
    server = case.server
    if case.in_memory or server.is_ssl:
        return
    # TLS is impossible with whoever speaks plain HTTP: a connection is one in the clear.
    secure = Target("https", server.host, server.port)
    rule = "an https target is spoken to over TLS, or refused with a ClientError"
    await _is_refused(case, secure, rule)


async def _connector_asks_proxies(case: ConnectorCase) -> None:
    server = case.server
    if case.in_memory:
        return
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # and nobody listens
        proxy = Proxy(f"socks5h://127.0.0.1:{sock.getsockname()[1]}")
        proxied = Target(
            server.scheme,
            server.host,
            server.port,
            ssl=True if server.ssl is None else server.ssl,
            server_hostname=server.server_hostname,
            proxy=proxy,
        )
        rule = "a target is reached through its proxy, or refused with a ClientError or ValueError"
        # The latter where the destination is fixed.
        await _is_refused(case, proxied, rule, ValueError)


async def _is_refused(
    case: ConnectorCase, target: Target, rule: str, *kinds: type[Exception]
) -> None:
    async with case.make(limit=1) as connector:
        # The server may wait for the end of what it takes for a request: that is an answer, too.
        connect = connector.connect(target, ConnectTimeouts(connect=_SILENCE))
        await raises((ClientError, *kinds), connect, rule)


async def _connector_can_be_cancelled(case: ConnectorCase) -> None:
    async with case.make(limit=1) as connector:

        async def scenario() -> None:
            await _get(await connector.connect(case.server), case.server)

        async def check() -> None:
            stats = connector.stats()
            counts: dict[str, Any] = {
                "leased": stats.leased,
                "connecting": stats.connecting,
                "waiting": stats.waiting,
            }
            require(not any(counts.values()), f"nothing is left of a cancelled connect: {counts}")

        await cancel_at_every_await(scenario, check)


async def _connector_closes(case: ConnectorCase) -> None:
    connector = case.make(limit=1)
    await connector.connect(case.server)
    waiter = asyncio.ensure_future(connector.connect(case.server))
    await asyncio.sleep(0)
    await asyncio.gather(connector.close(), connector.close())
    await raises(ClientError, waiter, "closing fails whoever waits")
    require(connector.closed, "a closed connector says so")
    connect = connector.connect(case.server)
    await raises(ConnectorClosedError, connect, "a closed connector connects no more")
    require(connector.lease_nowait(case.server) is None, "a closed connector leases nothing")
    await connector.close()
