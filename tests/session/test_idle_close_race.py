"""A server that closes idle connections at the moment at which they are wanted again (F12)."""

import asyncio
import random
from typing import Any

import wayfare
from wayfare_connector.testing import MemoryConnector
from wayfare_http_core.testing import MemoryNetwork, run_with_fake_clock

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


def test_f12_l9_no_get_fails_and_no_post_is_sent_twice() -> None:
    seen: dict[str, int] = {}
    failures: list[str] = []

    async def main() -> None:
        chance = random.Random(12)
        network = MemoryNetwork()
        network.serve("a.example", 80, lambda: Impatient(seen))
        connector = MemoryConnector(network)
        async with wayfare.ClientSession("http://a.example/", connector=connector) as session:
            for number in range(ROUNDS):
                method = chance.choice(["GET", "GET", "POST"])
                try:
                    async with session.request(method, f"{method}-{number}") as response:
                        assert await response.text() == "hi"
                except wayfare.ClientConnectionError:
                    # Some of it was on its way: only who sent it knows whether it may be sent again.
                    failures.append(f"{method}-{number}")
                assert connector.stats().leased == 0
                await asyncio.sleep(PATIENCE + chance.choice([0, 0, chance.uniform(-1, 1) / 1000]))
        network.client_transports.assert_all_closed()

    run_with_fake_clock(main())
    assert set(seen.values()) == {1}
    assert len(seen) + len(failures) == ROUNDS
    assert all(name.startswith("POST") for name in failures)
    # It happened.
    assert failures
