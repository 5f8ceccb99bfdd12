"""A connector leases, waits, dials and fails (L1, L3, L5 to L8)."""

import asyncio
import errno

import pytest
from wayfare_connector import (
    BaseConnector,
    ClientConnectorError,
    ConnectorClosedError,
    ConnectTimeouts,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core import Connection, RequestHead
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    Fin,
    MemoryNetwork,
    ReadRequest,
    Reset,
    ScriptedServer,
    Send,
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


async def tick() -> None:
    await asyncio.sleep(0)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


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


async def test_a_closed_connector_connects_no_more(dialer: MemoryDialer) -> None:
    connector = TCPConnector(dialer=dialer)
    await connector.close()
    with pytest.raises(ConnectorClosedError):
        await connector.connect(A)
    assert connector.lease_nowait(A) is None
    assert HTTP1Connection().available_exchanges == 0
