"""A connector leases, waits, dials, fails and is cancelled (L1 to L8, O1, O4, O10, L15)."""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from wayfare_connector import (
    BaseConnector,
    ClientConnectorError,
    ConnectDeadline,
    ConnectObserver,
    ConnectorClosedError,
    ConnectTimeouts,
    DialTimeoutError,
    PoolTimeoutError,
    Target,
    TCPConnector,
)
from wayfare_connector._lender import _enter_child
from wayfare_connector.testing import MemoryDialer, RecordingObserver, cancel_at_every_await
from wayfare_http_core import Connection, ConnectionOwner, RequestHead
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    FakeClockLoop,
    Fin,
    MemoryNetwork,
    ReadRequest,
    Repeat,
    Reset,
    ScriptedServer,
    Send,
    run_with_fake_clock,
)

A = Target("http", "a.example")
B = Target("http", "b.example")
NOBODY = Target("http", "nobody.example")
NO_TIMEOUTS = ConnectTimeouts()


@pytest.fixture
def dialer(network: MemoryNetwork) -> MemoryDialer:
    return MemoryDialer(network)


@pytest.fixture
async def connector(dialer: MemoryDialer, network: MemoryNetwork) -> AsyncIterator[TCPConnector]:
    """With two places; in the end everything is closed, and nothing was left on the way (L1)."""
    async with TCPConnector(limit=2, dialer=dialer) as connector:
        yield connector
        assert_at_rest(connector)
    network.client_transports.assert_all_closed()


def assert_at_rest(connector: BaseConnector) -> None:
    """Nobody leases, dials or waits any more (L1)."""
    stats = connector.stats()
    assert (stats.leased, stats.connecting, stats.waiting) == (0, 0, 0)
    assert stats.idle == stats.created - stats.closed


async def get(connection: Connection, target: Target = A) -> bytes:
    exchange = await connection.exchange(RequestHead("GET", target.scheme, target.authority, "/"))
    assert exchange.head.status == 200
    return await exchange.content.read()


async def tick() -> None:
    await asyncio.sleep(0)


async def test_a_connection_is_made_used_and_used_again(connector: TCPConnector) -> None:
    assert connector.lease_nowait(A) is None
    connection = await connector.connect(A)
    assert connector.stats().leased == 1
    assert await get(connection) == b"hi"
    assert connector.stats().idle == 1
    assert connector.lease_nowait(B) is None
    assert connector.lease_nowait(A) is connection
    assert await get(connection) == b"hi"
    assert await connector.connect(A) is connection
    await get(connection)
    assert connector.stats().created == 1
    assert connector.stats().reused == 2


async def test_l5_a_full_pool_makes_wait_in_order(connector: TCPConnector) -> None:
    one, two = await connector.connect(A), await connector.connect(B)
    waiters = [asyncio.ensure_future(connector.connect(t)) for t in (B, A, A)]
    await tick()
    assert connector.stats().waiting == 3
    await get(one)
    await get(two, B)
    assert await waiters[0] is two
    assert await waiters[1] is one
    one.close()
    three = await waiters[2]
    assert three is not one
    await get(three)
    await get(two, B)


async def test_an_idle_connection_makes_room_for_another_target(
    connector: TCPConnector, network: MemoryNetwork
) -> None:
    one, two = await connector.connect(A), await connector.connect(A)
    await get(one)
    await get(two)
    await get(await connector.connect(B), B)
    assert one.available_exchanges == 0
    assert connector.stats().idle == 2
    await one.wait_closed()
    assert len(network.client_transports.open_transports) == 2


async def test_a_failed_dial_frees_its_place_and_wakes_the_next(
    connector: TCPConnector, dialer: MemoryDialer
) -> None:
    dialer.hold()
    dials = [asyncio.ensure_future(connector.connect(t)) for t in (NOBODY, NOBODY, A)]
    await tick()
    assert (connector.stats().connecting, connector.stats().waiting) == (2, 1)
    dialer.release()
    for dial in dials[:2]:
        with pytest.raises(ClientConnectorError) as raised:
            await dial
        assert raised.value.errno == errno.ECONNREFUSED
        assert isinstance(raised.value.__cause__, ConnectionRefusedError)
        assert raised.value.host == "nobody.example"
    await get(await dials[2])


async def test_l2_a_cancelled_dial_frees_its_place_and_wakes_the_next(
    connector: TCPConnector, dialer: MemoryDialer
) -> None:
    dialer.hold()
    dials = [asyncio.ensure_future(connector.connect(A)) for _ in range(3)]
    await tick()
    dials[0].cancel()
    await tick()
    await tick()
    assert (connector.stats().connecting, connector.stats().waiting) == (2, 0)
    dialer.release()
    for dial in dials[1:]:
        await get(await dial)


async def test_l3_a_waiter_that_is_cancelled_when_woken_wakes_the_next(
    connector: TCPConnector,
) -> None:
    one, two = await connector.connect(A), await connector.connect(A)
    first, second = (asyncio.ensure_future(connector.connect(A)) for _ in range(2))
    await tick()
    await get(one)  # wakes the first, in this tick
    first.cancel()
    assert await second is one
    assert first.cancelled()
    await get(one)
    await get(two)


async def test_l3_so_does_one_whose_place_came_from_a_failure(connector: TCPConnector) -> None:
    one, two = await connector.connect(A), await connector.connect(A)
    first, second = (asyncio.ensure_future(connector.connect(B)) for _ in range(2))
    await tick()
    one.abort()
    first.cancel()
    await get(await second, B)
    await get(two)


async def test_a_connection_that_dies_when_granted_is_replaced(connector: TCPConnector) -> None:
    one, two = await connector.connect(A), await connector.connect(A)
    waiter = asyncio.ensure_future(connector.connect(A))
    await tick()
    await get(one)  # granted to the waiter, which has not run yet
    one.abort()
    three = await waiter
    assert three not in (one, two)
    await get(three)
    await get(two)


async def test_f11_a_connection_that_is_not_quiet_is_not_leased(connector: TCPConnector) -> None:
    """F11, I4: what arrived unseen ends the connection, and nobody gets it."""

    class Loud(Wrapper):
        def is_quiet(self, now: float) -> bool:
            assert now > 0
            return False

    async with WrappingConnector(Loud, limit=2) as other:
        one = await other.connect(A)
        assert isinstance(one, Loud)
        one.turn_idle()
        assert other.lease_nowait(A) is None
        assert one.aborted


async def test_l6_a_connection_that_is_closing_is_not_leased(connector: TCPConnector) -> None:
    class Closing(Wrapper):
        available = 1

        @property
        def available_exchanges(self) -> int:
            return self.available

    async with WrappingConnector(Closing, limit=2) as other:
        one = await other.connect(A)
        assert isinstance(one, Closing)
        one.turn_idle()
        one.available = 0
        assert other.lease_nowait(A) is None
        assert one.aborted
        two, three = await other.connect(A), await other.connect(A)
        waiter = asyncio.ensure_future(other.connect(A))
        await tick()
        assert isinstance(two, Closing)
        two.turn_idle()
        two.available = 0
        # Nobody told the pool; the waiter finds out and gets another one.
        four = await waiter
        assert four is not two
        for last in (three, four):
            assert isinstance(last, Closing)
            last.turn_idle()


async def test_l8_an_idle_connection_that_the_peer_closes_leaves_the_pool(
    network: MemoryNetwork, connector: TCPConnector
) -> None:
    for end in (Fin(), Reset()):
        network.serve("a.example", 80, ScriptedServer([ReadRequest(), Send(OK), end]))
        connection = await connector.connect(A)
        await get(connection)
        assert connector.stats().idle == 1
        await connection.wait_closed()
        assert connector.stats().idle == 0
        assert connector.lease_nowait(A) is None


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


async def test_l7_a_connection_whose_response_is_abandoned_does_not_come_back(
    connector: TCPConnector,
) -> None:
    connection = await connector.connect(A)
    exchanging = asyncio.ensure_future(get(connection))
    await tick()
    exchanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exchanging
    assert_at_rest(connector)
    assert connector.lease_nowait(A) is None


async def test_connections_can_be_made_before_they_are_needed(connector: TCPConnector) -> None:
    one = await connector.connect(A)
    await get(one)
    await connector.preconnect(A, 2)
    stats = connector.stats()
    assert (stats.idle, stats.leased, stats.created) == (2, 0, 2)
    two, three = connector.lease_nowait(A), connector.lease_nowait(A)
    assert two is not None
    assert three is not None
    for connection in (two, three):
        await get(connection)


async def test_what_was_made_before_one_failed_is_kept(
    connector: TCPConnector, network: MemoryNetwork
) -> None:
    with pytest.raises(ClientConnectorError):
        await connector.preconnect(NOBODY, 2)
    assert_at_rest(connector)
    one = await connector.connect(A)
    preconnect = asyncio.ensure_future(connector.preconnect(A, 2, ConnectTimeouts(pool=0.01)))
    with pytest.raises(PoolTimeoutError):
        await preconnect
    assert connector.stats().idle == 1
    await get(one)


async def test_l2_preconnecting_can_be_cancelled_at_every_await(connector: TCPConnector) -> None:
    async def scenario() -> None:
        await connector.preconnect(A, 2)

    async def check() -> None:
        stats = connector.stats()
        assert (stats.leased, stats.connecting, stats.waiting) == (0, 0, 0)
        while (connection := connector.lease_nowait(A)) is not None:
            connection.close()
            await connection.wait_closed()

    assert await cancel_at_every_await(scenario, check) > 2


async def test_no_more_are_made_than_there_is_room_for(dialer: MemoryDialer) -> None:
    async with TCPConnector(limit=5, limit_per_host=2, dialer=dialer) as connector:
        for count in (0, -1, 3, 6):
            with pytest.raises(ValueError, match="more than the limits allow"):
                await connector.preconnect(A, count)
    async with TCPConnector(limit=0, force_close=True, dialer=dialer) as connector:
        with pytest.raises(ValueError, match="no connection is kept"):
            await connector.preconnect(A, 500)


async def test_force_close_uses_nothing_twice(dialer: MemoryDialer, network: MemoryNetwork) -> None:
    async with TCPConnector(dialer=dialer, force_close=True) as connector:
        connection = await connector.connect(A)
        await get(connection)
        assert connection.available_exchanges == 0
        assert connector.stats().idle == 0
        assert connector.lease_nowait(A) is None
    network.client_transports.assert_all_closed()


async def test_10_000_waiters_go_through_a_limit_of_100(
    dialer: MemoryDialer, network: MemoryNetwork
) -> None:
    open_at_once = 0

    async def one(connector: TCPConnector, target: Target) -> bytes:
        nonlocal open_at_once
        connection = connector.lease_nowait(target) or await connector.connect(target)
        open_at_once = max(open_at_once, len(network.client_transports.open_transports))
        return await get(connection, target)

    async with TCPConnector(limit=100, dialer=dialer) as connector:
        answers = await asyncio.gather(*(one(connector, (A, B)[n % 2]) for n in range(10_000)))
        assert answers == [b"hi"] * 10_000
        assert_at_rest(connector)
        # Fairness between the two targets costs some connections, not one for each request.
        assert connector.stats().created < 1000
    assert open_at_once <= 200  # 100 in the pool, and those that are closing in this very tick
    network.client_transports.assert_all_closed()


# -- keep-alive, on a clock that jumps


def fake_clock(
    scenario: Callable[[MemoryNetwork, TCPConnector], Coroutine[Any, Any, None]], **options: Any
) -> None:
    """Run a scenario with a connector on a loop whose time only passes while all wait."""

    async def main() -> None:
        network = MemoryNetwork()
        server = ScriptedServer([Repeat(ReadRequest(), Send(OK))])
        network.serve("a.example", 80, server)
        network.serve("b.example", 80, server)
        async with TCPConnector(dialer=MemoryDialer(network), **options) as connector:
            await scenario(network, connector)
        network.client_transports.assert_all_closed()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        await loop.settled()
        # The timer that all deadlines of the loop share may be armed still.
        assert [t for t in loop.pending_timers() if "DeadlineQueue" not in repr(t)] == []

    run_with_fake_clock(main())


def test_l8_o15_an_idle_connection_is_closed_without_traffic() -> None:
    """By the loop's clock: here it is the only one that moves."""

    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        connection = await connector.connect(A)
        await get(connection)
        await connection.wait_closed()
        assert 15 <= loop.time() - started < 15.2
        assert connector.stats().idle == 0

    fake_clock(scenario)


def test_l8_l11_one_timer_serves_all_idle_connections() -> None:
    """It belongs to the pool, so that no connection carries an old timer along."""

    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        assert loop.pending_timers() == ()
        one, two = await connector.connect(A), await connector.connect(B)
        assert loop.pending_timers() == ()
        await get(one)
        await asyncio.sleep(4)
        await get(two, B)
        assert len(loop.pending_timers()) == 1
        # The first is used again before it expires: now the second one goes first.
        assert connector.lease_nowait(A) is one
        await asyncio.sleep(4)
        await get(one)
        started = loop.time()
        await two.wait_closed()
        assert 11 <= loop.time() - started < 11.2
        assert connector.lease_nowait(A) is one
        await asyncio.sleep(20)
        # Nothing idles: the timer has fired and is not armed again.
        assert loop.pending_timers() == ()
        await get(one)

    fake_clock(scenario)


def test_l8_connections_that_expire_together_are_closed_together() -> None:
    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        connections = [await connector.connect(A) for _ in range(50)]
        for connection in connections:
            await get(connection)
        await asyncio.sleep(15.2)
        assert connector.stats().idle == 0

    fake_clock(scenario)


def test_i9_a_peer_that_waits_less_is_left_before_it_hangs_up() -> None:
    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        loop = asyncio.get_running_loop()
        brief, normal = await connector.connect(A), await connector.connect(A)
        await get(normal)
        lender = connector._lender
        assert isinstance(brief, HTTP1Connection)
        brief.keep_alive_hint = 4.0
        lender.give_back(brief)
        started = loop.time()
        await brief.wait_closed()
        assert loop.time() - started == pytest.approx(4, abs=0.2)
        assert connector.stats().idle == 1
        await normal.wait_closed()
        assert loop.time() - started == pytest.approx(15, abs=0.2)

    fake_clock(scenario)


def test_l13_a_connection_ends_at_its_age() -> None:
    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        loop = asyncio.get_running_loop()
        connection = await connector.connect(A)
        started = loop.time()
        for _ in range(6):
            await get(connection)
            assert connector.lease_nowait(A) is connection
            await asyncio.sleep(3)
        await get(connection)
        await connection.wait_closed()
        assert loop.time() - started == pytest.approx(20, abs=0.2)

    fake_clock(scenario, max_connection_age=20, keepalive_timeout=100)


def test_l13_a_connection_ends_after_so_many_uses() -> None:
    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        for _ in range(3):
            connection = await connector.connect(A)
            await get(connection)
        await connection.wait_closed()
        assert connector.stats().created == 1
        assert await connector.connect(A) is not connection

    fake_clock(scenario, max_connection_uses=3)


def test_without_keepalive_timeout_connections_stay() -> None:
    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        connection = await connector.connect(A)
        await get(connection)
        await asyncio.sleep(1e6)
        assert connector.lease_nowait(A) is connection
        await get(connection)

    fake_clock(scenario, keepalive_timeout=None)


def test_o1_l5_waiting_for_a_place_has_its_timeout() -> None:
    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        loop = asyncio.get_running_loop()
        connection = await connector.connect(A)
        started = loop.time()
        with pytest.raises(PoolTimeoutError) as raised:
            await connector.connect(A, ConnectTimeouts(connect=3, sock_connect=1))
        assert loop.time() - started == pytest.approx(3)
        assert raised.value.seconds == 3
        assert raised.value.connection_key == A
        assert connector.stats().waiting == 0
        await get(connection)

    fake_clock(scenario, limit=1)


@pytest.mark.parametrize(
    ("timeouts", "seconds"),
    [
        (ConnectTimeouts(connect=3), 3),
        (ConnectTimeouts(sock_connect=2), 2),
        (ConnectTimeouts(connect=3, sock_connect=2), 2),
        (ConnectTimeouts(connect=2, sock_connect=3), 2),
    ],
)
def test_o1_dialling_has_its_timeouts(timeouts: ConnectTimeouts, seconds: float) -> None:
    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        dialer = connector.dialer
        assert isinstance(dialer, MemoryDialer)
        dialer.hold()
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(DialTimeoutError) as raised:
            await connector.connect(A, timeouts)
        assert loop.time() - started == pytest.approx(seconds)
        assert raised.value.seconds == seconds
        assert_at_rest(connector)

    fake_clock(scenario)


def test_o4_a_cancellation_is_never_taken_for_a_timeout() -> None:
    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        dialer = connector.dialer
        assert isinstance(dialer, MemoryDialer)
        dialer.hold()
        task = asyncio.ensure_future(connector.connect(A, ConnectTimeouts(connect=1)))
        asyncio.get_running_loop().call_later(1, task.cancel)
        await asyncio.wait([task])
        assert task.cancelled()
        assert_at_rest(connector)

    fake_clock(scenario)


# -- observation


async def test_an_observer_is_told_each_stage(connector: TCPConnector) -> None:
    observer = RecordingObserver()
    one = await connector.connect(A, NO_TIMEOUTS, observer)
    assert observer.names == ["create_start", "dial_start", "dial_end", "create_end"]
    assert observer.events[-1][1][0] is one
    await get(one)
    observer.events.clear()
    assert await connector.connect(A, NO_TIMEOUTS, observer) is one
    assert observer.events == [("reused", (one,))]
    two = await connector.connect(B)
    observer.events.clear()
    waiter = asyncio.ensure_future(connector.connect(A, NO_TIMEOUTS, observer))
    await tick()
    await get(one)
    assert await waiter is one
    assert observer.names == ["queued_start", "queued_end", "reused"]
    assert set(observer.targets) == {A}
    await get(one)
    await get(two, B)


class PlannedError(Exception):
    pass


@pytest.mark.parametrize("event", ["create_start", "dial_start", "dial_end", "create_end"])
async def test_o11_an_observer_that_raises_while_connecting_leaves_nothing(
    connector: TCPConnector, event: str
) -> None:
    with pytest.raises(PlannedError):
        await connector.connect(A, NO_TIMEOUTS, RecordingObserver({event: PlannedError()}))
    assert_at_rest(connector)
    await get(await connector.connect(A))


async def test_o11_an_observer_that_raises_when_told_of_reuse_leaves_nothing(
    connector: TCPConnector,
) -> None:
    connection = await connector.connect(A)
    await get(connection)
    with pytest.raises(PlannedError):
        await connector.connect(A, NO_TIMEOUTS, RecordingObserver({"reused": PlannedError()}))
    assert_at_rest(connector)
    assert connector.lease_nowait(A) is connection
    await get(connection)


@pytest.mark.parametrize("event", ["queued_start", "queued_end", "reused"])
async def test_o11_an_observer_that_raises_while_waiting_leaves_nothing(
    connector: TCPConnector, event: str
) -> None:
    one, two = await connector.connect(A), await connector.connect(A)
    observer = RecordingObserver({event: PlannedError()})
    waiter = asyncio.ensure_future(connector.connect(A, NO_TIMEOUTS, observer))
    await tick()
    await get(one)
    with pytest.raises(PlannedError):
        await waiter
    await get(two)
    assert_at_rest(connector)


async def test_a_connection_that_dies_while_an_observer_raises_is_not_kept(
    connector: TCPConnector,
) -> None:
    class Sabotage(ConnectObserver):
        async def reused(self, target: Target, connection: Connection) -> None:
            connection.abort()
            raise PlannedError

    await get(await connector.connect(A))
    with pytest.raises(PlannedError):
        await connector.connect(A, NO_TIMEOUTS, Sabotage())
    assert connector.stats().idle == 0


async def test_the_default_observer_does_nothing(connector: TCPConnector) -> None:
    observer = ConnectObserver()
    connection = await connector.connect(A, NO_TIMEOUTS, observer)
    waiting = [asyncio.ensure_future(connector.connect(B, NO_TIMEOUTS, observer)) for _ in "ab"]
    await tick()
    await get(connection)
    for waiter in waiting:
        await get(await waiter, B)
    await observer.dns_start(A)
    await observer.dns_end(A, (), 0)
    await observer.tls_start(A)
    await observer.tls_end(A, None, 0)


# -- cancellation, everywhere


@pytest.mark.parametrize("force_close", [True, False], ids=["fresh", "reused"])
async def test_l2_connect_can_be_cancelled_at_every_await(
    dialer: MemoryDialer, network: MemoryNetwork, force_close: bool
) -> None:
    async with TCPConnector(limit=1, dialer=dialer, force_close=force_close) as connector:
        if not force_close:
            await get(await connector.connect(A))
        observer = RecordingObserver()

        async def scenario() -> None:
            await get(await connector.connect(A, ConnectTimeouts(connect=60), observer))

        async def check() -> None:
            assert_at_rest(connector)

        runs = await cancel_at_every_await(scenario, check)
        assert runs >= (10 if force_close else 3)
    network.client_transports.assert_all_closed()


@pytest.mark.parametrize("freed_by", ["idling", "closing"])
async def test_l2_waiting_can_be_cancelled_at_every_await(
    connector: TCPConnector, freed_by: str
) -> None:
    observer = RecordingObserver()
    loop = asyncio.get_running_loop()

    async def scenario() -> None:
        blocking: list[Connection] = []
        try:
            for _ in range(2):
                blocking.append(await connector.connect(A))
            one = blocking[0]
            turn_idle = connector._lender.connection_idle
            loop.call_soon(*((one.close,) if freed_by == "closing" else (turn_idle, one)))
            await get(await connector.connect(A, NO_TIMEOUTS, observer))
        finally:
            for connection in blocking:
                connection.abort()

    async def check() -> None:
        await tick()
        assert_at_rest(connector)

    assert await cancel_at_every_await(scenario, check) > 10


# -- loops, processes, sessions


def test_o10_it_is_made_without_a_loop_and_belongs_to_the_first(
    network: MemoryNetwork,
) -> None:
    connector = TCPConnector(dialer=MemoryDialer(network))
    assert connector.lease_nowait(A) is None

    async def first() -> None:
        await get(await connector.connect(A))

    async def second() -> None:
        with pytest.raises(RuntimeError, match="another event loop"):
            await connector.connect(A)
        with pytest.raises(RuntimeError, match="another event loop"):
            connector.lease_nowait(A)

    with asyncio.Runner() as runner, asyncio.Runner() as other:
        runner.run(first())
        other.run(second())
        runner.run(connector.close())


async def test_o10_another_thread_cannot_lease(connector: TCPConnector) -> None:
    connection = await connector.connect(A)
    await get(connection)

    def elsewhere() -> None:
        with pytest.raises(RuntimeError):
            connector.lease_nowait(A)

    await asyncio.to_thread(elsewhere)
    assert connector.lease_nowait(A) is connection
    await get(connection)


def test_l15_a_forked_child_does_not_use_the_parents_sockets(network: MemoryNetwork) -> None:
    loop = asyncio.new_event_loop()
    connector = TCPConnector(dialer=MemoryDialer(network))

    async def use() -> None:
        await get(await connector.connect(A))

    loop.run_until_complete(use())
    child = os.fork()
    if not child:
        os._exit(in_child(loop, connector))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    # The parent's connection is none the worse.
    assert connector.stats().idle == 1
    loop.run_until_complete(use())
    assert connector.stats().created == 1
    loop.run_until_complete(connector.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def test_l15_a_child_is_told_by_its_process_id(
    dialer: MemoryDialer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same in one process, so that a debugger and coverage can see it."""
    connector = TCPConnector(dialer=dialer)
    connection = await connector.connect(A)
    await get(connection)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        _enter_child()
    try:
        with pytest.raises(RuntimeError, match="after a fork"):
            connector.lease_nowait(A)
        with pytest.raises(RuntimeError, match="after a fork"):
            await connector.connect(A)
        await connector.close()
        assert connection.available_exchanges == 1  # not a word to the parent's peer
    finally:
        _enter_child()
    connection.abort()
    await connection.wait_closed()


async def test_l15_a_forgotten_connector_says_nothing_in_a_child(
    dialer: MemoryDialer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = TCPConnector(dialer=dialer)
    connection = await connector.connect(A)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        _enter_child()
    try:
        del connector
        assert connection.available_exchanges == 1
    finally:
        _enter_child()
    connection.abort()
    await connection.wait_closed()


def in_child(loop: asyncio.AbstractEventLoop, connector: TCPConnector) -> int:
    async def use() -> None:
        with pytest.raises(RuntimeError, match="after a fork"):
            connector.lease_nowait(A)
        with pytest.raises(RuntimeError, match="after a fork"):
            await connector.connect(A)
        await connector.close()
        assert connector.closed
        assert connector.stats().idle == 0

    try:
        loop.run_until_complete(use())
    except BaseException as exc:
        sys.stderr.write(f"{exc!r}\n")
        return 1
    return 0


def test_a_connector_belongs_to_one_session() -> None:
    class Session:
        pass

    connector = TCPConnector()
    one, two = Session(), Session()
    connector.claim(one)
    connector.claim(one)
    with pytest.raises(ValueError, match="connector_owner=False"):
        connector.claim(two)
    connector.disclaim(two)
    with pytest.raises(ValueError, match="connector_owner=False"):
        connector.claim(two)
    connector.disclaim(one)
    connector.claim(two)
    del two
    connector.claim(one)
    connector.disclaim(one)
    connector.disclaim(one)


def test_its_settings_can_be_read() -> None:
    connector = TCPConnector(limit=None, limit_per_host=7, keepalive_timeout=3)
    assert (connector.limit, connector.limit_per_host) == (0, 7)
    assert connector.keepalive_timeout == 3
    assert connector.ssl is True
    assert connector.family is socket.AF_UNSPEC
    assert TCPConnector(family=socket.AF_INET6).family is socket.AF_INET6
    assert not connector.force_close
    assert not connector.closed
    assert {"http", "https", "ws", "wss", "tcp"} == connector.allowed_protocol_schema_set
    assert repr(connector) == "<TCPConnector leased=0 connecting=0 idle=0 waiting=0>"
    assert repr(connector._lender) == "<Lender leased=0 idle=0 waiting=0>"


def test_a_foreign_dialer_has_any_family(network: MemoryNetwork) -> None:
    assert TCPConnector(dialer=MemoryDialer(network)).family is socket.AF_UNSPEC


def test_bad_settings_are_refused(network: MemoryNetwork) -> None:
    with pytest.raises(ValueError, match="no meaning with force_close"):
        TCPConnector(force_close=True, keepalive_timeout=3)
    with pytest.raises(ValueError, match="ssl_shutdown_timeout"):
        TCPConnector(ssl_shutdown_timeout=-1)
    with pytest.raises(TypeError, match="ssl must be"):
        TCPConnector(ssl="yes")  # type: ignore[arg-type]  # the mistake tested
    with pytest.raises(ValueError, match="a dialer brings its own"):
        TCPConnector(dialer=MemoryDialer(network), happy_eyeballs_delay=None)


def test_what_is_always_done_needs_no_argument() -> None:
    with pytest.warns(DeprecationWarning, match="enable_cleanup_closed= is old"):
        TCPConnector(enable_cleanup_closed=True)
    with pytest.raises(ValueError, match="timeout_ceil_threshold"):
        TCPConnector(timeout_ceil_threshold=-1)


def test_loop_is_accepted_and_ignored() -> None:
    loop = asyncio.new_event_loop()
    with pytest.warns(DeprecationWarning, match="loop= does nothing") as record:
        TCPConnector(loop=loop)
    assert record[0].filename == __file__
    loop.close()


# -- other people's connectors


class Wrapper:
    """A connection that only exists; its owner is told what the test says."""

    def __init__(self, owner: ConnectionOwner) -> None:
        self.owner = owner
        self.aborted = False

    @property
    def available_exchanges(self) -> int:
        return 0 if self.aborted else 1

    def is_quiet(self, now: float) -> bool:
        return True

    facts: Any = None
    keep_alive_hint: float | None = None
    exchanges_started = 0
    request_started = response_started = False
    exchange: Any = None

    def turn_idle(self) -> None:
        self.owner.connection_idle(self)

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = True
            self.owner.connection_retired(self)
            self.owner.connection_lost(self)

    async def wait_closed(self) -> None:
        pass


class WrappingConnector(BaseConnector):
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
        connection: Connection = self.make(owner)
        return connection


async def test_a_new_connection_that_is_dead_already_is_refused() -> None:
    def dead(owner: ConnectionOwner) -> Wrapper:
        connection = Wrapper(owner)
        connection.abort()
        return connection

    async with WrappingConnector(dead) as connector:
        with pytest.raises(ClientConnectorError, match="closed the connection at once"):
            await connector.connect(A)
        assert_at_rest(connector)


async def test_a_plain_os_error_of_a_foreign_connector_is_wrapped() -> None:
    def fail(owner: ConnectionOwner) -> Wrapper:
        raise OSError(errno.EMFILE, "Too many open files")

    async with WrappingConnector(fail) as connector:
        with pytest.raises(ClientConnectorError) as raised:
            await connector.connect(A)
        assert raised.value.errno == errno.EMFILE


async def test_a_connection_that_reports_early_does_no_harm() -> None:
    def eager(owner: ConnectionOwner) -> Wrapper:
        connection = Wrapper(owner)
        owner.connection_idle(connection)
        return connection

    async with WrappingConnector(eager) as connector:
        assert connector.ssl is True
        connection = await connector.connect(A)
        assert connector.stats().leased == 1
        assert isinstance(connection, Wrapper)
        connection.turn_idle()
        connection.turn_idle()
        assert connector.stats().idle == 1


async def test_a_closed_connector_connects_no_more(dialer: MemoryDialer) -> None:
    connector = TCPConnector(dialer=dialer)
    await connector.close()
    with pytest.raises(ConnectorClosedError):
        await connector.connect(A)
    assert connector.lease_nowait(A) is None
    assert HTTP1Connection().available_exchanges == 0
