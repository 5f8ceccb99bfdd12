"""Connecting and waiting, cancelled at every await (L2)."""

import asyncio

import pytest
from wayfare_connector import (
    BaseConnector,
    ConnectTimeouts,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import MemoryDialer, RecordingObserver, cancel_at_every_await
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


async def tick() -> None:
    await asyncio.sleep(0)


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
