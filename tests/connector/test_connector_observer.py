"""What an observer is told, and that its exceptions leave nothing behind (O11)."""

import asyncio

import pytest
from wayfare_connector import (
    BaseConnector,
    ConnectObserver,
    ConnectTimeouts,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import RecordingObserver
from wayfare_http_core import Connection, RequestHead

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
