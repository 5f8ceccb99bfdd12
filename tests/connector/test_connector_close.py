"""Closing a connector, and forgetting to (L13, O6 to O9)."""

import asyncio
import gc
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from wayfare_connector import (
    BaseConnector,
    ClientConnectorError,
    ConnectDeadline,
    ConnectObserver,
    ConnectorClosedError,
    Pool,
    Target,
    TCPConnector,
    Ticket,
)
from wayfare_connector._lender import Lender
from wayfare_connector.testing import FakeResolver, MemoryDialer, cancel_at_every_await
from wayfare_http_core import Connection, ConnectionOwner, RequestHead
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    MemoryNetwork,
    ReadRequest,
    ScriptedServer,
    Stall,
    listening,
)

A = Target("http", "a.example")


async def get(connection: Connection) -> bytes:
    exchange = await connection.exchange(RequestHead("GET", "http", "a.example", "/"))
    return await exchange.content.read()


async def tick() -> None:
    await asyncio.sleep(0)


@pytest.fixture
def dialer(network: MemoryNetwork) -> MemoryDialer:
    return MemoryDialer(network)


async def test_l13_close_ends_all_and_waits_for_the_end(
    dialer: MemoryDialer, network: MemoryNetwork
) -> None:
    connector = TCPConnector(dialer=dialer)
    idle, leased, busy = [await connector.connect(A) for _ in range(3)]
    await get(idle)
    network.serve("a.example", 80, ScriptedServer([ReadRequest(), Stall()]))
    exchange = asyncio.ensure_future(get(busy))
    await tick()
    await connector.close()
    network.client_transports.assert_all_closed()
    assert [c.available_exchanges for c in (idle, leased, busy)] == [0, 0, 0]
    stats = connector.stats()
    assert (stats.leased, stats.idle, stats.closed) == (0, 0, 3)
    assert connector.closed
    assert "closed" in repr(connector)
    await asyncio.wait([exchange])
    assert exchange.exception() is not None or exchange.result() == b"hi"


async def test_l13_close_is_idempotent_and_a_second_call_waits_too(
    dialer: MemoryDialer, network: MemoryNetwork
) -> None:
    connector = TCPConnector(dialer=dialer)
    await get(await connector.connect(A))
    await asyncio.gather(*(connector.close() for _ in range(3)))
    network.client_transports.assert_all_closed()
    await connector.close()


async def test_an_unused_connector_can_be_closed_and_left() -> None:
    connector = TCPConnector()
    await connector.close()
    async with TCPConnector() as other:
        assert not other.closed
    assert other.closed


async def test_l13_close_fails_whoever_waits(dialer: MemoryDialer) -> None:
    connector = TCPConnector(limit=1, dialer=dialer)
    await connector.connect(A)
    waiters = [asyncio.ensure_future(connector.connect(A)) for _ in range(3)]
    await tick()
    await connector.close()
    for waiter in waiters:
        with pytest.raises(ConnectorClosedError, match="the connector is closed"):
            await waiter
    assert connector.stats().waiting == 0


async def test_l13_close_fails_whoever_was_just_granted_a_place(dialer: MemoryDialer) -> None:
    """It would dial for a connector that is closed."""
    connector = TCPConnector(dialer=dialer, limit=1)
    leased = await connector.connect(A)
    waiting = asyncio.ensure_future(connector.connect(A))
    await tick()
    leased.abort()
    assert connector.stats().connecting == 1
    dialer.hold()
    await connector.close()
    with pytest.raises(ConnectorClosedError):
        await waiting
    stats = connector.stats()
    assert (stats.leased, stats.connecting, stats.waiting) == (0, 0, 0)


async def test_l13_close_ends_a_dial(dialer: MemoryDialer, network: MemoryNetwork) -> None:
    connector = TCPConnector(dialer=dialer)
    dialer.hold()
    dials = [asyncio.ensure_future(connector.connect(A)) for _ in range(3)]
    await tick()
    await connector.close()
    # The connector waited for them to be over.
    assert connector.stats().connecting == 0
    for dial in dials:
        with pytest.raises(ConnectorClosedError):
            await dial
        assert not dial.cancelling()
    dialer.release()
    network.client_transports.assert_all_closed()


async def test_o4_a_dial_that_is_closed_and_cancelled_at_once_is_cancelled(
    dialer: MemoryDialer,
) -> None:
    connector = TCPConnector(dialer=dialer)
    dialer.hold()
    dial = asyncio.ensure_future(connector.connect(A))
    await tick()
    dial.cancel()
    await connector.close()
    await asyncio.wait([dial])
    assert dial.cancelled()


class Foreign(BaseConnector):
    """Makes connections by a function."""

    def __init__(self, make: Callable[[ConnectionOwner], Any], **options: Any) -> None:
        super().__init__(**options)
        self.make = make

    async def open_connection(
        self,
        target: Target,
        owner: ConnectionOwner,
        *,
        deadline: ConnectDeadline,
        observer: ConnectObserver | None,
    ) -> Connection:
        connection: Connection = await self.make(owner)
        return connection


class Stubborn:
    """A connection that closes only when it is aborted, or not even then."""

    facts: Any = None
    keep_alive_hint: float | None = None
    exchanges_started = 0
    request_started = response_started = False
    exchange: Any = None
    wait_closed: Any = None

    def __init__(self, owner: ConnectionOwner, *, gives_in: bool = True) -> None:
        self.owner = owner
        self.gives_in = gives_in
        self.events: list[str] = []

    @property
    def available_exchanges(self) -> int:
        return 0 if self.events else 1

    def is_quiet(self, now: float) -> bool:
        return True

    def close(self) -> None:
        self.events.append("close")

    def abort(self) -> None:
        self.events.append("abort")
        if self.gives_in:
            self.owner.connection_retired(self)
            self.owner.connection_lost(self)


async def test_o7_close_aborts_what_does_not_close_in_time() -> None:
    async def make(owner: ConnectionOwner) -> Stubborn:
        return Stubborn(owner)

    connector = Foreign(make, ssl_shutdown_timeout=0.01)
    connection = await connector.connect(A)
    assert isinstance(connection, Stubborn)
    connection.owner.connection_idle(connection)
    await connector.close()
    assert connection.events == ["close", "abort"]


async def test_o7_close_without_a_limit_waits() -> None:
    async def make(owner: ConnectionOwner) -> Stubborn:
        return Stubborn(owner)

    connector = Foreign(make, ssl_shutdown_timeout=None)
    connection = await connector.connect(A)
    assert isinstance(connection, Stubborn)
    connection.owner.connection_idle(connection)
    closing = asyncio.ensure_future(connector.close())
    await tick()
    assert connection.events == ["close"]
    assert not closing.done()
    connection.abort()
    await closing


async def test_o7_close_does_not_wait_for_ever_for_what_never_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def make(owner: ConnectionOwner) -> Stubborn:
        return Stubborn(owner, gives_in=False)

    monkeypatch.setattr("wayfare_connector._lender._ABORT_GRACE", 0.01)
    connector = Foreign(make, ssl_shutdown_timeout=0)
    connection = await connector.connect(A)
    await connector.close()
    assert isinstance(connection, Stubborn)
    assert "abort" in connection.events
    connection.gives_in = True
    connection.abort()


async def test_o6_a_cancelled_close_aborts_the_rest() -> None:
    async def make(owner: ConnectionOwner) -> Stubborn:
        return Stubborn(owner)

    connector = Foreign(make)
    connection = await connector.connect(A)
    assert isinstance(connection, Stubborn)
    connection.owner.connection_idle(connection)
    closing = asyncio.ensure_future(connector.close())
    await tick()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert connection.events == ["close", "abort"]
    assert connector.closed
    await connector.close()


async def test_o6_close_can_be_cancelled_at_every_await(network: MemoryNetwork) -> None:
    connectors: list[TCPConnector] = []

    async def scenario() -> None:
        connectors.append(TCPConnector(dialer=MemoryDialer(network)))
        try:
            await get(await connectors[-1].connect(A))
        finally:
            await connectors[-1].close()

    async def check() -> None:
        # Only the scenario itself: a dial that was cancelled needs a moment to hang up.
        await connectors[-1].close()
        await tick()
        network.client_transports.assert_all_closed()

    assert await cancel_at_every_await(scenario, check) > 3


async def test_a_dial_that_ignores_its_end_gets_no_lease() -> None:
    made: list[Stubborn] = []
    started, go_on = asyncio.Event(), asyncio.Event()

    async def deaf(owner: ConnectionOwner) -> Stubborn:
        started.set()
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            made.append(Stubborn(owner))
        return made[-1]

    connector = Foreign(deaf)
    dial = asyncio.ensure_future(connector.connect(A))
    await started.wait()
    await connector.close()
    with pytest.raises(ConnectorClosedError):
        await dial
    assert made[0].events == ["abort"]
    assert connector.stats().connecting == 0
    assert not dial.cancelling()


async def test_closing_twice_interrupts_a_dial_once() -> None:
    started = asyncio.Event()
    cancelled = 0

    async def slow(owner: ConnectionOwner) -> Stubborn:
        nonlocal cancelled
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled += 1
            await tick()  # clears up
            raise
        raise AssertionError

    connector = Foreign(slow)
    dial = asyncio.ensure_future(connector.connect(A))
    await started.wait()
    await asyncio.gather(connector.close(), connector.close())
    with pytest.raises(ConnectorClosedError):
        await dial
    assert cancelled == 1


async def test_close_during_a_lookup_raises_a_client_error() -> None:
    """N6: not an AttributeError, not a CancelledError."""
    resolver = FakeResolver({"a.example": ["127.0.0.1"]})
    resolver.hold()
    connector = TCPConnector(resolver=resolver)
    dial = asyncio.ensure_future(connector.connect(A))
    while not resolver.calls:
        await tick()
    await connector.close()
    with pytest.raises(ConnectorClosedError):
        await dial
    assert not resolver.closed  # it was handed in


# -- forgetting to close


async def test_o8_a_forgotten_connector_warns_and_closes_its_sockets(
    dialer: MemoryDialer, network: MemoryNetwork
) -> None:
    connector = TCPConnector(dialer=dialer)
    await get(await connector.connect(A))
    leased = await connector.connect(A)
    with pytest.warns(ResourceWarning, match=r"unclosed connector .*test_connector_close\.py:\d+"):
        del connector
    await tick()
    await tick()
    network.client_transports.assert_all_closed()
    assert leased.available_exchanges == 0


async def test_o8_a_forgotten_connector_that_has_nothing_open_says_nothing(
    dialer: MemoryDialer,
) -> None:
    connector = TCPConnector(dialer=dialer)
    connection = await connector.connect(A)
    connection.close()
    await connection.wait_closed()
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        del connector, connection
        gc.collect()
    assert [str(w.message) for w in record if "connector" in str(w.message)] == []


def test_o8_a_connector_that_was_never_made_says_nothing() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        TCPConnector(limit=-1)
    gc.collect()


def test_o8_a_connector_forgotten_after_its_loop_does_no_harm(network: MemoryNetwork) -> None:
    async def use(connector: TCPConnector) -> None:
        await get(await connector.connect(A))

    loop = asyncio.new_event_loop()
    connector = TCPConnector(dialer=MemoryDialer(network))
    loop.run_until_complete(use(connector))
    loop.close()
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        del connector
        network.client_transports.open_transports[0]._closed = True
        network.server_transports.open_transports[0]._closed = True
    assert [w.category for w in record] == [ResourceWarning]


def test_o10_a_connector_can_be_closed_after_its_loop(network: MemoryNetwork) -> None:
    connector = TCPConnector(dialer=MemoryDialer(network))

    async def use() -> None:
        await get(await connector.connect(A))

    asyncio.run(use())
    asyncio.run(connector.close())
    assert connector.closed
    assert connector.stats().idle == 0
    for registry in (network.client_transports, network.server_transports):
        registry.open_transports[0]._closed = True  # or it would warn, as a socket's does


def test_o10_a_connector_cannot_be_closed_on_another_loop(network: MemoryNetwork) -> None:
    connector = TCPConnector(dialer=MemoryDialer(network))

    async def use() -> None:
        await get(await connector.connect(A))

    with asyncio.Runner() as runner, asyncio.Runner() as other:
        runner.run(use())
        with pytest.raises(RuntimeError, match="another event loop"):
            other.run(connector.close())
        assert not connector.closed
        runner.run(connector.close())
    network.client_transports.assert_all_closed()


def test_a_lender_without_a_loop_takes_nothing() -> None:
    lender = Lender(Pool())
    lender.connection_idle(HTTP1Connection())
    assert lender.pool.stats().idle == 0


async def test_o8_a_connector_can_be_collected_in_another_thread(
    dialer: MemoryDialer, network: MemoryNetwork
) -> None:
    connectors = [TCPConnector(dialer=dialer)]
    await get(await connectors[0].connect(A))

    def collect() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            connectors.clear()

    thread = threading.Thread(target=collect)
    thread.start()
    await asyncio.to_thread(thread.join)
    await tick()
    await tick()
    network.client_transports.assert_all_closed()


def test_o9_a_loop_can_end_right_after_close(ok_server: ScriptedServer) -> None:
    async def main() -> None:
        async with listening(ok_server) as (host, port), TCPConnector() as connector:
            target = Target("http", host, port)
            connections = [await connector.connect(target) for _ in range(5)]
            for connection in connections[:3]:
                await get(connection)
            # Nothing runs between here and the end of the loop.

    asyncio.run(main(), debug=True)
    gc.collect()  # an unclosed socket or transport would warn, and a warning is an error


async def test_l16_a_connector_makes_no_cycles(
    dialer: MemoryDialer, network: MemoryNetwork
) -> None:
    async with TCPConnector(dialer=dialer, force_close=True) as connector:
        gc.collect()
        before = living()
        gc.disable()
        try:
            for _ in range(100):
                connection = await connector.connect(A)
                await get(connection)
                await connection.wait_closed()
                with pytest.raises(ClientConnectorError):
                    await connector.connect(Target("http", "nobody.example"))
            after = living()
        finally:
            gc.enable()
    assert after - before < 10


def living() -> int:
    """Tickets and targets that are alive."""
    return sum(type(o) in (Ticket, Target) for o in gc.get_objects())
