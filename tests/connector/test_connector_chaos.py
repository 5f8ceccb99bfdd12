"""Many tasks, limits, failures and cancellations at once; afterwards everything adds up (L1, L5)."""

import asyncio
import random

import pytest
from wayfare_connector import (
    ConnectorClosedError,
    ConnectTimeouts,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core import ClientError, RequestHead
from wayfare_http_core.testing import (
    Fin,
    MemoryNetwork,
    ReadRequest,
    Repeat,
    Reset,
    Script,
    ScriptedServer,
    Send,
    run_with_fake_clock,
)

OK = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

SCRIPTS: list[Script] = [
    [Repeat(ReadRequest(), OK)],
    [ReadRequest(), OK, Fin()],
    [ReadRequest(), OK, ReadRequest(), Reset()],
    [ReadRequest(), Fin()],
    [Fin()],
    [ReadRequest(), OK, Send(b"unasked")],
]

TARGETS = [
    *(Target("http", f"h{n}.example") for n in range(5)),
    Target("http", "h0.example", local_addr=("127.0.0.1", 0)),
    Target("http", "nobody.example"),
]


class Chaos:
    """One run, the same for the same seed."""

    def __init__(self, seed: int, limit: int, limit_per_host: int) -> None:
        self.random = random.Random(seed)
        self.limit = limit
        self.limit_per_host = limit_per_host
        self.network = MemoryNetwork()
        for target in TARGETS[:-1]:
            scripts = self.random.choices(SCRIPTS, weights=[8, 2, 1, 1, 1, 1], k=20)
            self.network.serve(target.host, 80, ScriptedServer(*scripts))
        self.successes = 0
        self.failures = 0

    async def pause(self) -> None:
        for _ in range(self.random.randrange(4)):
            await asyncio.sleep(0)
        if self.random.random() < 0.1:
            await asyncio.sleep(self.random.choice([0.001, 1, 16]))

    async def request(self, connector: TCPConnector) -> None:
        target = self.random.choice(TARGETS)
        timeouts = ConnectTimeouts(
            connect=self.random.choice([None, 0.5, 5]), sock_connect=self.random.choice([None, 1])
        )
        await self.pause()
        try:
            connection = connector.lease_nowait(target)
            if connection is None:
                connection = await connector.connect(target, timeouts)
            self.check_limits(connector)
            exchange = await connection.exchange(RequestHead("GET", "http", target.authority, "/"))
            await self.pause()
            assert await exchange.content.read() == b"hi"
            self.successes += 1
        except ClientError:
            self.failures += 1

    def check_limits(self, connector: TCPConnector) -> None:
        stats = connector.stats()
        taken = stats.leased + stats.connecting + stats.idle
        assert not self.limit or taken <= self.limit

    async def run(self) -> None:
        dialer = MemoryDialer(self.network)
        async with TCPConnector(
            limit=self.limit, limit_per_host=self.limit_per_host, dialer=dialer
        ) as connector:
            tasks = [asyncio.ensure_future(self.request(connector)) for _ in range(300)]
            for task in self.random.sample(tasks, 100):
                await self.pause()
                if self.random.random() < 0.2:
                    dialer.hold()
                task.cancel()
                dialer.release()
            await asyncio.wait(tasks)
            for task in tasks:
                assert task.cancelled() or task.exception() is None
            await asyncio.sleep(2)  # what was released unread is drained or dropped by now
            stats = connector.stats()
            assert (stats.leased, stats.connecting, stats.waiting) == (0, 0, 0)
            assert stats.created - stats.closed == stats.idle
            assert len(self.network.client_transports.open_transports) == stats.idle
            assert connector._lender._waiters == {}
            assert connector._lender.dials == set()
            assert self.successes > 30
            assert self.failures > 10
        self.network.client_transports.assert_all_closed()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("limit", "limit_per_host"), [(100, 0), (3, 0), (0, 1), (4, 2)], ids=str)
def test_l1_l2_l5_all_is_at_rest_after_chaos(seed: int, limit: int, limit_per_host: int) -> None:
    run_with_fake_clock(Chaos(seed, limit, limit_per_host).run())


@pytest.mark.parametrize("seed", range(6))
def test_o7_closing_amid_chaos_leaves_nothing(seed: int) -> None:
    chaos = Chaos(seed, 4, 2)

    async def main() -> None:
        dialer = MemoryDialer(chaos.network)
        connector = TCPConnector(limit=4, limit_per_host=2, dialer=dialer)
        tasks = [asyncio.ensure_future(chaos.request(connector)) for _ in range(100)]
        for _ in range(seed * 7):
            await asyncio.sleep(0)
        if seed % 2:
            dialer.hold()
            await asyncio.sleep(0)
        await connector.close()
        chaos.network.client_transports.assert_all_closed()
        await asyncio.wait(tasks)
        for task in tasks:
            assert task.exception() is None
        stats = connector.stats()
        assert (stats.leased, stats.connecting, stats.idle, stats.waiting) == (0, 0, 0, 0)
        with pytest.raises(ConnectorClosedError):
            await connector.connect(TARGETS[0])

    run_with_fake_clock(main())
