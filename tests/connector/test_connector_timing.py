"""What a connector does by the clock: idling, ageing, timeouts (I9, L8, L11, L13, O1, O4, O15)."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from wayfare_connector import (
    BaseConnector,
    ConnectTimeouts,
    DialTimeoutError,
    PoolTimeoutError,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core import Connection, RequestHead
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    FakeClockLoop,
    MemoryNetwork,
    ReadRequest,
    Repeat,
    ScriptedServer,
    Send,
    run_with_fake_clock,
)

A = Target("http", "a.example")
B = Target("http", "b.example")
NOBODY = Target("http", "nobody.example")
NO_TIMEOUTS = ConnectTimeouts()


def assert_at_rest(connector: BaseConnector) -> None:
    """Nobody leases, dials or waits any more (L1)."""
    stats = connector.stats()
    assert (stats.leased, stats.connecting, stats.waiting) == (0, 0, 0)
    assert stats.idle == stats.created - stats.closed


async def get(connection: Connection, target: Target = A) -> bytes:
    exchange = await connection.exchange(RequestHead("GET", target.scheme, target.authority, "/"))
    assert exchange.head.status == 200
    return await exchange.content.read()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


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
        lender.connection_idle(brief)
        started = loop.time()
        await brief.wait_closed()
        assert loop.time() - started == pytest.approx(4, abs=0.2)
        assert connector.stats().idle == 1
        await normal.wait_closed()
        assert loop.time() - started == pytest.approx(15, abs=0.2)

    fake_clock(scenario)


def test_i9_l3_what_was_not_used_goes_on_idling() -> None:
    """Whoever was to get the connection gave up: its end comes when it would have come, and comes."""

    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        loop = asyncio.get_running_loop()
        connection = await connector.connect(A)
        waiting = asyncio.ensure_future(connector.connect(A))
        await asyncio.sleep(0)
        assert isinstance(connection, HTTP1Connection)
        started = loop.time()
        connection.keep_alive_hint = 4.0
        connector._lender.connection_idle(connection)  # granted to the one who waits
        waiting.cancel()
        await asyncio.wait([waiting])
        assert connector.stats().idle == 1
        await asyncio.sleep(3)
        assert connector.lease_nowait(A) is connection
        connector._lender.give_back(connection)
        await connection.wait_closed()
        assert loop.time() - started == pytest.approx(4, abs=0.2)

    fake_clock(scenario, limit=1)


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


def test_l13_a_connection_that_was_only_made_was_not_used() -> None:
    async def scenario(network: MemoryNetwork, connector: TCPConnector) -> None:
        await connector.preconnect(A, 1)
        connection = connector.lease_nowait(A)
        assert connection is not None
        await get(connection)
        await connection.wait_closed()
        assert connector.stats().created == 1

    fake_clock(scenario, max_connection_uses=1)


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
