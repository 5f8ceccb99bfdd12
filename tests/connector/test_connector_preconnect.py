"""Connections that are made before they are needed (L2, L5)."""

import asyncio

import pytest
from wayfare_connector import (
    BaseConnector,
    ClientConnectorError,
    ConnectTimeouts,
    PoolTimeoutError,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import MemoryDialer, cancel_at_every_await
from wayfare_http_core import Connection, RequestHead
from wayfare_http_core.testing import (
    MemoryNetwork,
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
