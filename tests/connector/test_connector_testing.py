"""The tools for other people's tests: they pass what is right and find what is not."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import pytest
from wayfare_connector import (
    BaseConnector,
    ConnectDeadline,
    ConnectObserver,
    ConnectTimeouts,
    Dialer,
    Target,
    TCPConnector,
    open_http1,
)
from wayfare_connector.testing import (
    ConnectorCase,
    DialerCase,
    FakeResolver,
    MakeConnector,
    MemoryDialer,
    RecordingObserver,
    ResolverCase,
    cancel_at_every_await,
    check_connector,
    check_dialer,
    check_resolver,
)
from wayfare_http_core import Connection, ConnectionOwner
from wayfare_http_core.testing import MemoryNetwork, ScriptedServer, listening, run_with_fake_clock

A = Target("http", "a.example")


async def nothing() -> None:
    pass


# -- cancelling at every await


async def test_it_cancels_at_each_await_in_both_ways() -> None:
    seen: list[list[int]] = []

    async def scenario() -> None:
        steps: list[int] = []
        seen.append(steps)
        loop = asyncio.get_running_loop()
        for n in range(3):
            future = loop.create_future()
            loop.call_soon(future.set_result, None)
            await future
            steps.append(n)

    checks = 0

    async def check() -> None:
        nonlocal checks
        checks += 1

    assert await cancel_at_every_await(scenario, check) == checks == 6
    assert seen == [[], [0], [0, 1], [0, 1, 2]] * 2


async def test_it_finds_a_cancellation_that_is_swallowed() -> None:
    async def scenario() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)

    with pytest.raises(AssertionError, match="cancelled at await 1"):
        await cancel_at_every_await(scenario, nothing)


async def test_it_hands_on_what_is_thrown_in_and_what_the_scenario_raises() -> None:
    async def scenario() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0)  # clearing up may take a while

    assert await cancel_at_every_await(scenario, nothing) == 4

    async def failing() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await cancel_at_every_await(failing, nothing)


async def test_it_needs_a_task() -> None:
    async def scenario() -> None:
        await asyncio.sleep(0)

    from wayfare_connector.testing._cancelling import _CancelledAt

    steps = _CancelledAt(scenario(), 1, late=False).__await__()
    errors: list[BaseException] = []

    def outside() -> None:
        try:
            steps.send(None)
        except RuntimeError as exc:
            errors.append(exc)

    asyncio.get_running_loop().call_soon(outside)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "a task is needed" in str(errors)


# -- connectors


@asynccontextmanager
async def tcp() -> AsyncIterator[ConnectorCase]:
    from wayfare_http_core.testing import ReadRequest, Repeat, Send

    ok = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    server = ScriptedServer([Repeat(ReadRequest(), ok)])
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        refused = Target("http", "127.0.0.1", sock.getsockname()[1])
        async with listening(server) as (host, port):
            yield ConnectorCase(
                make=lambda *, limit: TCPConnector(limit=limit),
                server=Target("http", host, port),
                refused=refused,
            )


async def test_our_connector_passes_its_suite() -> None:
    await check_connector(tcp)


def sabotaged_connector(
    network: MemoryNetwork, sabotage: Callable[[TCPConnector], None]
) -> Callable[[], AbstractAsyncContextManager[ConnectorCase]]:
    def make(*, limit: int) -> BaseConnector:
        connector = TCPConnector(limit=limit, dialer=MemoryDialer(network))
        sabotage(connector)
        return connector

    @asynccontextmanager
    async def case() -> AsyncIterator[ConnectorCase]:
        maker: MakeConnector = make
        yield ConnectorCase(make=maker, server=A, refused=Target("http", "nobody.example"))

    return case


async def test_the_suite_passes_in_memory(network: MemoryNetwork) -> None:
    await check_connector(sabotaged_connector(network, lambda connector: None))


def never_reuses(connector: TCPConnector) -> None:
    connector._lender.pool._reuses = False


def takes_too_many(connector: TCPConnector) -> None:
    connector._lender.pool.__dict__["limit"] = 100


def loses_places(connector: TCPConnector) -> None:
    connector._lender.__dict__["give_up"] = lambda ticket: None


@pytest.mark.parametrize(
    ("sabotage", "rule"),
    [
        (never_reuses, "after its exchange the connection is idle"),
        (takes_too_many, "a full pool times out"),
        (loses_places, "failing is a ClientConnectorError"),
    ],
)
def test_the_suite_finds_what_is_wrong_with_a_connector(
    network: MemoryNetwork, sabotage: Callable[[TCPConnector], None], rule: str
) -> None:
    with pytest.raises(AssertionError, match=rule):
        run_with_fake_clock(check_connector(sabotaged_connector(network, sabotage)))


class DirectConnector(BaseConnector):
    """Dials whatever it is asked for, and speaks HTTP/1.1 over that: TLS it may lay over it, proxies it never asks."""

    def __init__(self, dialer: Dialer, *, tls: bool, **options: Any) -> None:
        super().__init__(**options)
        self.dialer = dialer
        self.tls = tls

    async def open_connection(
        self,
        target: Target,
        owner: ConnectionOwner,
        *,
        deadline: ConnectDeadline,
        observer: ConnectObserver | None,
    ) -> Connection:
        scheme = target.scheme if self.tls else "http"
        direct = Target(scheme, target.host, target.port, ssl=target.ssl or False)
        return await open_http1(self.dialer, direct, owner, deadline=deadline, observer=observer)


@pytest.mark.parametrize(
    ("tls", "rule"), [(False, "spoken to over TLS, or refused"), (True, "through its proxy, or")]
)
def test_the_suite_finds_what_goes_in_the_clear_or_past_a_proxy(
    network: MemoryNetwork, tls: bool, rule: str
) -> None:
    @asynccontextmanager
    async def case() -> AsyncIterator[ConnectorCase]:
        yield ConnectorCase(
            make=lambda **options: DirectConnector(MemoryDialer(network), tls=tls, **options),
            server=A,
            refused=None,
        )

    with pytest.raises(AssertionError, match=f"{rule}.*nothing was raised"):
        run_with_fake_clock(check_connector(case))


async def test_a_server_that_speaks_tls_shows_that_tls_is_spoken(
    ok_server: ScriptedServer,
    tls_server_context: ssl.SSLContext,
    tls_client_context: ssl.SSLContext,
) -> None:
    @asynccontextmanager
    async def case() -> AsyncIterator[ConnectorCase]:
        async with listening(ok_server, tls=tls_server_context) as (host, port):
            yield ConnectorCase(
                make=lambda *, limit: TCPConnector(limit=limit),
                server=Target("https", host, port, ssl=tls_client_context),
                refused=None,
            )

    await check_connector(case)


# -- dialers


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Sabotage:
    """Dials in memory, with one thing wrong."""

    def __init__(self, dialer: MemoryDialer, wrong: str) -> None:
        self.dialer = dialer
        self.wrong = wrong

    async def dial(
        self, target: Target, protocol_factory: Callable[[], Any], *, deadline: Any, observer: Any
    ) -> tuple[asyncio.Transport, Any]:
        if self.wrong == "calls the factory twice":
            protocol_factory()
        if self.wrong == "raises something else" and target.host != "echo.example":
            raise ZeroDivisionError
        if self.wrong == "connects anywhere":
            target = Target("http", "echo.example", 7)
        if self.wrong == "ignores the deadline":
            deadline = ConnectDeadline(target, ConnectTimeouts())
        if self.wrong == "tells nobody":
            observer = None
        transport, protocol = await self.dialer.dial(
            target, protocol_factory, deadline=deadline, observer=observer
        )
        if self.wrong == "returns the wrong protocol":
            protocol = Echo()
        return transport, protocol


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ("calls the factory twice", "the factory is called once"),
        ("returns the wrong protocol", "the factory is called once"),
        ("tells nobody", "the observer is told"),
        ("raises something else", "is an OSError; got ZeroDivisionError"),
        ("connects anywhere", "is an OSError; nothing was raised"),
        ("ignores the deadline", "deadline.connecting"),
    ],
)
async def test_the_suite_finds_what_is_wrong_with_a_dialer(wrong: str, rule: str) -> None:
    network = MemoryNetwork()
    network.serve("echo.example", 7, Echo)

    @asynccontextmanager
    async def case() -> AsyncIterator[DialerCase]:
        yield DialerCase(
            dialer=Sabotage(MemoryDialer(network), wrong),
            echo=Target("http", "echo.example", 7),
            refused=Target("http", "nobody.example", 7),
        )

    with pytest.raises(AssertionError, match=rule):
        await check_dialer(case)
    for transport in network.client_transports.open_transports:
        transport.abort()
    await asyncio.sleep(0)


def test_the_suite_does_not_wait_for_ever() -> None:
    network = MemoryNetwork()
    network.serve("echo.example", 7, asyncio.Protocol)  # sends nothing back

    @asynccontextmanager
    async def case() -> AsyncIterator[DialerCase]:
        target = Target("http", "echo.example", 7)
        yield DialerCase(dialer=MemoryDialer(network), echo=target, refused=target)

    async def main() -> None:
        with pytest.raises(AssertionError, match="octets go both ways"):
            await check_dialer(case)
        for transport in network.client_transports.open_transports:
            transport.abort()
        await asyncio.sleep(0)

    run_with_fake_clock(main())


# -- resolvers


async def test_the_suite_finds_what_is_wrong_with_a_resolver() -> None:
    @asynccontextmanager
    async def case() -> AsyncIterator[ResolverCase]:
        resolver = FakeResolver({"a.example": ["127.0.0.1"]})
        families = (socket.AF_INET,)
        yield ResolverCase(
            resolver=resolver, known="a.example", families=families, unknown="a.example"
        )

    with pytest.raises(AssertionError, match="a name without addresses is an OSError"):
        await check_resolver(case)


# -- the fakes


async def test_a_dial_that_is_held_goes_on_when_released(network: MemoryNetwork) -> None:
    dialer = MemoryDialer(network)
    dialer.hold()
    dialer.hold()
    async with TCPConnector(dialer=dialer) as connector:
        first, second = (asyncio.ensure_future(connector.connect(A)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        dialer.release()
        dialer.release()
        assert (await second).available_exchanges == 1
        assert first.cancelled()


async def test_the_recording_observer_keeps_what_it_is_told() -> None:
    observer = RecordingObserver()
    calls: list[Awaitable[None]] = [
        observer.dns_start(A),
        observer.dns_end(A, ("127.0.0.1",), 0.5),
        observer.dns_cache_hit(A),
        observer.dns_cache_miss(A),
        observer.tunnel_start(A),
        observer.tunnel_end(A, 0.5),
        observer.tls_start(A),
        observer.tls_end(A, "TLSv1.3", 0.5),
        observer.queued_start(A),
        observer.queued_end(A, 1.0),
    ]
    for call in calls:
        await call
    assert observer.events[1] == ("dns_end", (("127.0.0.1",), 0.5))
    assert observer.targets == [A] * 10
    assert observer.names[-1] == "queued_end"
