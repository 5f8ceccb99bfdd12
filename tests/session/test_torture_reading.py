"""Torture of what reads responses in other forms than octets: every await, disturbed in every way (section 4.3)."""

import sys
from collections.abc import Callable

import pytest
from wayfare import ClientSession, ClientTimeout, Reconnection, ServerSentEvent, TCPConnector
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    Action,
    Drip,
    Fin,
    ReadRequest,
    Repeat,
    Scenario,
    Send,
    World,
    torture,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SERVE = Repeat(ReadRequest(), Send(OK))
LINGERING = ("DeadlineQueue._fire",)


class Reading(Scenario):
    """A session whose connections play the scripts; every later one just answers."""

    scripts: tuple[tuple[Action, ...], ...] = ()

    @override
    async def setup(self) -> None:
        self.world.serve("h", 80, *self.scripts, [SERVE])
        self.connector = TCPConnector(dialer=MemoryDialer(self.world.network))
        self.session = ClientSession(
            "http://h/", connector=self.connector, timeout=ClientTimeout(total=30)
        )

    @override
    async def follow_up(self) -> None:
        self.world.serve("h", 80, [SERVE])
        async with self.session.get("/after") as answer:
            assert await answer.read() == b"ok"

    @override
    async def close(self) -> None:
        await self.session.close()

    @override
    def idle_transports(self) -> int:
        return self.connector.stats().idle


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


class Events(Reading):
    """A source whose first connection ends, and whose second says that there is nothing more."""

    scripts = (
        (ReadRequest(), Drip(EVENTS + b"id: 1\ndata: a\n\n", 20), Fin()),
        (ReadRequest(), Send(b"HTTP/1.1 204 No Content\r\n\r\n"), SERVE),
    )

    @override
    async def run(self) -> None:
        again = Reconnection(delay=1, attempts=0)
        async with self.session.events("/", reconnection=again, timeout=30) as source:
            events = [event async for event in source]
        # The end of the first connection may come before its event.
        assert events in ([], [ServerSentEvent("message", "a", "1")])


SCENARIOS: tuple[Callable[[World], Reading], ...] = (Events,)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_torture(scenario: Callable[[World], Reading]) -> None:
    report = torture(scenario, lingering_timers=LINGERING)
    assert report.points > 0
    assert report.acted > report.points
