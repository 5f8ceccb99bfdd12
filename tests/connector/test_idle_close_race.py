"""A server that closes idle connections at the moment at which they are wanted again (F12)."""

import asyncio
import random
from typing import Any

from wayfare_connector import Target, TCPConnector
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core import ClientError, Connection, RequestHead
from wayfare_http_core.testing import MemoryNetwork, run_with_fake_clock

A = Target("http", "a.example")
ROUNDS = 10_000
PATIENCE = 5.0
"""Seconds after which the server closes."""


class Impatient(asyncio.Protocol):
    """Answers each request, and closes when none has come for a while; `seen` counts requests by path."""

    def __init__(self, seen: dict[str, int]) -> None:
        self.seen = seen
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.timer is not None:
            self.timer.cancel()
        path = data.split()[1].decode()
        self.seen[path] = self.seen.get(path, 0) + 1
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        self.timer = asyncio.get_running_loop().call_later(PATIENCE, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()


async def request(connector: TCPConnector, connection: Connection, path: str) -> bytes:
    exchange = await connection.exchange(RequestHead("GET", "http", "a.example", path))
    return await exchange.content.read()


def test_f12_l9_who_meets_the_close_knows_that_nothing_was_answered() -> None:
    """Whoever sends can tell that the connection was an old one and that no answer had begun, so that it may try
    again; a new connection then serves it. What was refused was never looked at by the server.
    """
    seen: dict[str, int] = {}
    races = reused = 0

    async def main() -> None:
        nonlocal races, reused
        chance = random.Random(12)
        network = MemoryNetwork()
        network.serve("a.example", 80, lambda: Impatient(seen))
        async with TCPConnector(dialer=MemoryDialer(network)) as connector:
            for number in range(ROUNDS):
                path = f"/{number}"
                connection = connector.lease_nowait(A) or await connector.connect(A)
                old = connection.exchanges_started > 0
                try:
                    assert await request(connector, connection, path) == b"hi"
                    reused += old
                except ClientError:
                    races += 1
                    assert old
                    assert connection.exchanges_started > 1
                    assert not connection.response_started
                    assert path not in seen
                    again = await connector.connect(A)
                    assert await request(connector, again, path) == b"hi"
                stats = connector.stats()
                assert (stats.leased, stats.connecting, stats.waiting) == (0, 0, 0)
                await asyncio.sleep(PATIENCE + chance.choice([0, 0, chance.uniform(-1, 1) / 1000]))
        network.client_transports.assert_all_closed()

    run_with_fake_clock(main())
    assert set(seen.values()) == {1}
    assert len(seen) == ROUNDS
    # All of it happened: connections that were used again, and some that were closed right then.
    assert min(races, reused) > ROUNDS / 20
