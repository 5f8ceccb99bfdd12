"""Torture of what reads responses in other forms than octets: every await, disturbed in every way (section 4.3)."""

import asyncio
import hashlib
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from wayfare import (
    ClientPayloadError,
    ClientSession,
    ClientTimeout,
    Reconnection,
    ServerSentEvent,
    TCPConnector,
)
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    Action,
    Drip,
    Fin,
    Read,
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
        again = Reconnection(delay=1, failures=0)
        async with self.session.events("/", reconnection=again, timeout=30) as source:
            events = [event async for event in source]
        # The end of the first connection may come before its event.
        assert events in ([], [ServerSentEvent("message", "a", "1")])


TAGGED = b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 8\r\n\r\n01234567'
REST = (
    b'HTTP/1.1 206 Partial Content\r\nETag: "a"\r\nContent-Range: bytes 4-7/8\r\n'
    b"Content-Length: 4\r\n\r\n4567"
)


class Writing(Reading):
    """Content on its way into a file: whole or not at all, and nothing left of the latter but what is to be kept."""

    kept = False

    @override
    async def setup(self) -> None:
        await super().setup()
        self._folder = TemporaryDirectory()
        self.target = Path(self._folder.name, "name")
        # How many iterations of the loop a thread takes is for the system to say, and a run must be repeatable.
        vars(self.world.loop)["run_in_executor"] = self.run_at_once

    def run_at_once(
        self, executor: Executor | None, job: Callable[..., Any], *arguments: Any
    ) -> asyncio.Future[Any]:
        """Run a job in the thread, and tell in the loop's next iteration that it is done."""
        assert executor is not None
        done, future = executor.submit(job, *arguments), self.world.loop.create_future()
        error = done.exception()

        def tell() -> None:
            if future.cancelled():
                return
            if error is None:
                future.set_result(done.result())
            else:
                future.set_exception(error)

        self.world.loop.call_soon(tell)
        return future

    @override
    async def close(self) -> None:
        await super().close()
        self._folder.cleanup()

    @override
    def violations(self) -> Iterable[str]:
        stats = self.connector.stats()
        if (stats.leased, stats.waiting, stats.connecting) != (0, 0, 0):
            yield f"the pool's books: {stats}"
        left = {path.name for path in self.target.parent.iterdir()}
        if "name" in left and self.target.read_bytes() != b"01234567":
            yield f"the file has {self.target.read_bytes()!r}"
        allowed = {"name"} if "name" in left or not self.kept else {"name.part", "name.part.json"}
        if not left <= allowed:
            yield f"what is left: {left}"
        if (part := self.target.with_name("name.part")).exists():
            content = part.read_bytes()
            if not content or not b"01234567".startswith(content):
                yield f"the part has {content!r}"


class Save(Writing):
    """A response."""

    scripts = ((ReadRequest(), Drip(TAGGED, 20), SERVE),)

    @override
    async def run(self) -> None:
        async with self.session.get("/") as answer:
            await answer.save(self.target, fsync=True)


class DownloadWhole(Writing):
    """A URL, of which nothing is there."""

    kept = True
    scripts = ((ReadRequest(), Drip(TAGGED, 20), SERVE),)

    @override
    async def run(self) -> None:
        digest = hashlib.sha256(b"01234567").hexdigest()
        await self.session.download("/", self.target, sha256=digest, timeout=30)


class DownloadRest(Writing):
    """A URL, of which a part is there."""

    kept = True
    scripts = (
        (ReadRequest(), Send(TAGGED[:-4]), Fin()),
        (ReadRequest(), Drip(REST, 30), SERVE),
    )

    @override
    async def setup(self) -> None:
        await super().setup()
        with suppress(ClientPayloadError):
            await self.session.download("/", self.target)

    @override
    async def run(self) -> None:
        await self.session.download("/", self.target, timeout=30)


class DownloadAgain(Writing):
    """A URL whose connection ends in the middle, so that another attempt fetches the rest."""

    kept = True
    scripts = (
        (ReadRequest(), Send(TAGGED[:-4]), Fin()),
        (ReadRequest(), Drip(REST, 30), SERVE),
    )

    @override
    async def run(self) -> None:
        await self.session.download("/", self.target, attempts=2, timeout=30)


class DownloadParts(Writing):
    """A URL whose parts come at once; the file is small, so that one part is all there is."""

    scripts = (
        (
            ReadRequest(),
            Drip(TAGGED.replace(b"200 OK", b"206 P\r\nContent-Range: bytes 0-7/8"), 20),
            SERVE,
        ),
    )

    @override
    async def run(self) -> None:
        await self.session.download("/", self.target, connections=2, timeout=30)


class Upgrade(Reading):
    """A connection that leaves HTTP, and echoes."""

    scripts = (
        (
            ReadRequest(),
            Drip(b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nfirst", 20),
            Read(4),
            Drip(b"pong", 1),
            Fin(),
        ),
    )

    @override
    async def run(self) -> None:
        fields = {"Connection": "Upgrade", "Upgrade": "echo"}
        response = await self.session.get("/", headers=fields, retry_stale=False)
        try:
            async with response.upgrade() as stream:
                stream.write(b"ping")
                await stream.drain()
                # An end that came too early is one for this protocol to find.
                assert b"firstpong".startswith(await stream.read())
        finally:
            response.close()


SCENARIOS: tuple[Callable[[World], Reading], ...] = (
    Events,
    Save,
    DownloadWhole,
    DownloadRest,
    DownloadAgain,
    DownloadParts,
    Upgrade,
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_torture(scenario: Callable[[World], Reading]) -> None:
    report = torture(scenario, lingering_timers=LINGERING)
    assert report.points > 0
    assert report.acted > report.points
