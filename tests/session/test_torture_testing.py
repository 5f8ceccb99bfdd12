"""Torture of the connectors for tests: what a user's test may do to them (section 4.3)."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from wayfare import (
    ClientMiddlewareType,
    ClientSession,
    ClientTimeout,
    HARRecorder,
    OpenTelemetryMiddleware,
)
from wayfare.testing import ASGIConnector, CassetteConnector, MockCall, MockConnector, MockReply
from wayfare.testing._memory_connector import MemoryConnector
from wayfare_http_core.testing import Scenario, World, torture
from wayfare_websocket.aio import ClientWebSocketResponse

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


async def pieces() -> AsyncIterator[bytes]:
    """Content in pieces."""
    for piece in (b"o", b"k"):
        await asyncio.sleep(0)
        yield piece


async def late(call: MockCall) -> MockReply:
    """A reply that takes its time."""
    await asyncio.sleep(0.01)
    return MockReply(body=pieces)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Reads, waits, and answers in pieces."""
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    async for piece in pieces():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


class Played(Scenario):
    """A redirect and content in pieces, both ways, from a mock."""

    connector: MemoryConnector
    middlewares: tuple[ClientMiddlewareType, ...] = ()

    @override
    async def setup(self) -> None:
        self.connector = self.make()
        self.session = ClientSession(
            "http://h/",
            connector=self.connector,
            timeout=ClientTimeout(total=30),
            middlewares=self.middlewares,
        )

    def make(self) -> MemoryConnector:
        """The connector to torture."""
        mock = MockConnector(force_close=False)
        mock.post("/").reply(307, headers={"Location": "/next"}).always().optional()
        mock.post("/next").call(late).always().optional()
        return mock

    @override
    async def run(self) -> None:
        async with self.session.post("/", data=b"content") as answer:
            assert await answer.text() == "ok"

    @override
    async def follow_up(self) -> None:
        async with self.session.post("/next", data=b"x") as answer:
            assert await answer.read() == b"ok"

    @override
    async def close(self) -> None:
        await self.session.close()

    @override
    def idle_transports(self) -> int:
        return 0

    @override
    def violations(self) -> Iterable[str]:
        stats = self.connector.stats()
        if (stats.leased, stats.waiting, stats.connecting) != (0, 0, 0):
            yield f"the pool's books: {stats}"


class PlayedASGI(Played):
    """Content in pieces from an application."""

    @override
    def make(self) -> MemoryConnector:
        return ASGIConnector(application)


class Recorded(Played):
    """The same, while it is recorded."""

    @override
    def make(self) -> MemoryConnector:
        self.network = super().make()
        return CassetteConnector("cassette.json", "record", connector=self.network)

    @override
    def violations(self) -> Iterable[str]:
        yield from super().violations()
        stats = self.network.stats()
        if (stats.leased, stats.waiting, stats.connecting) != (0, 0, 0):
            yield f"the books of the pool beneath: {stats}"


class Observed(Played):
    """The same, with an archive and telemetry."""

    @override
    async def setup(self) -> None:
        self.recorder = HARRecorder()
        self.middlewares = (self.recorder, OpenTelemetryMiddleware())
        await super().setup()

    @override
    def violations(self) -> Iterable[str]:
        yield from super().violations()
        if not json.dumps(self.recorder.archive()):
            yield "the archive is no JSON"


async def shout(call: MockCall, websocket: ClientWebSocketResponse[bool]) -> None:
    """A WebSocket's server."""
    async for message in websocket:
        await websocket.send_str(message.data.upper())


class PlayedWebSocket(Played):
    """A WebSocket with a mock, opened, used and closed."""

    @override
    def make(self) -> MemoryConnector:
        mock = MockConnector()
        mock.get("/").websocket(shout).always().optional()
        return mock

    @override
    async def run(self) -> None:
        async with self.session.ws_connect("/") as websocket:
            await websocket.send_str("ok")
            assert await websocket.receive_str() == "OK"

    @override
    async def follow_up(self) -> None:
        await self.run()


@pytest.mark.parametrize("scenario", [Played, PlayedASGI, Recorded, Observed, PlayedWebSocket])
def test_torture(
    scenario: Callable[[World], Played], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report = torture(scenario, lingering_timers=("DeadlineQueue._fire",))
    assert report.points >= 3
    assert report.acted > report.points
