"""Torture of a traced session: every await of every handler, disturbed in every way (section 4.3)."""

import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from wayfare import ClientSession, ClientTimeout, TCPConnector, TraceConfig, tracing
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
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
FOUND = b"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n"
SERVE = Repeat(ReadRequest(), Send(OK))
SIGNALS = [name for name in vars(tracing.TraceConfig) if name.startswith("on_")]


async def handle(session: Any, context: Any, params: Any) -> None:
    """A handler of any signal."""
    await asyncio.sleep(0.01)


class Traced(Scenario):
    """A redirect, with content both ways; every handler waits a little."""

    script: tuple[Action, ...] = (
        *(ReadRequest(), Drip(FOUND, 30)),
        *(ReadRequest(), Send(HINTS), Drip(OK, 20)),
    )

    @override
    async def setup(self) -> None:
        self.world.serve("h", 80, [*self.script, SERVE], [SERVE])
        config = TraceConfig()
        for name in SIGNALS:
            getattr(config, name).append(handle)
        self.connector = TCPConnector(dialer=MemoryDialer(self.world.network))
        self.session = ClientSession(
            "http://h/",
            connector=self.connector,
            timeout=ClientTimeout(total=30),
            trace_configs=[config],
        )

    @override
    async def run(self) -> None:
        async with self.session.post("/", data=b"content") as answer:
            assert await answer.text() == "ok"

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

    @override
    def violations(self) -> Iterable[str]:
        stats = self.connector.stats()
        if (stats.leased, stats.waiting, stats.connecting) != (0, 0, 0):
            yield f"the pool's books: {stats}"


class TracedRetry(Traced):
    """A pooled connection turns out to be closed."""

    script = (ReadRequest(), Send(OK), ReadRequest(), Fin())

    @override
    async def setup(self) -> None:
        await super().setup()
        async with self.session.get("/before") as answer:
            await answer.read()

    @override
    async def run(self) -> None:
        async with self.session.get("/") as answer:
            assert await answer.text() == "ok"


class TracedStream(Traced):
    """Content in pieces."""

    script = (
        ReadRequest(),
        Drip(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
            12,
        ),
    )

    @override
    async def run(self) -> None:
        async with self.session.get("/") as answer:
            assert b"".join([piece async for piece in answer.content.iter_any()]) == b"ok"


@pytest.mark.parametrize("scenario", [Traced, TracedRetry, TracedStream])
def test_torture(scenario: Callable[[World], Traced]) -> None:
    report = torture(scenario, lingering_timers=("DeadlineQueue._fire",))
    assert report.points > 10
    assert report.acted > report.points
