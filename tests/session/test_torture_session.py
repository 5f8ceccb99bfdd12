"""Torture of `ClientSession`: every await of a request, disturbed in every way (section 4.3).

The whole client is under the knife, from the session's arguments down to the transport: only the
network is in memory and the clock fake.
"""

import asyncio
import ssl
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from functools import cache

import pytest
import trustme
from wayfare import (
    ClientError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)
from wayfare_connector import TLSLayer
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    Action,
    CloseWrite,
    Drip,
    Fin,
    Read,
    ReadHead,
    ReadRequest,
    Repeat,
    Scenario,
    Script,
    ScriptedServer,
    Send,
    Stall,
    Wait,
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
PORT = 80


def response(content: bytes, *fields: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(content), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


class Requests(Scenario):
    """A session whose first connection plays the script; every later one just answers."""

    script: tuple[Action, ...] = (ReadRequest(), Drip(OK, 9))
    limit = 100

    @override
    async def setup(self) -> None:
        self.world.serve("h", PORT, [*self.script, SERVE], [SERVE])
        self.connector = TCPConnector(limit=self.limit, dialer=MemoryDialer(self.world.network))
        self.session = ClientSession(
            "http://h/", connector=self.connector, timeout=ClientTimeout(total=30)
        )

    @override
    async def run(self) -> None:
        async with self.session.get("/") as answer:
            assert await answer.read() == b"ok"

    @override
    async def follow_up(self) -> None:
        self.world.serve("h", PORT, [SERVE])  # the script may not have been asked for at all
        async with self.session.get("/after") as answer:
            assert await answer.read() == b"ok"

    @override
    async def close(self) -> None:
        await self.session.close()

    @override
    def idle_transports(self) -> int:
        return self.connector.stats().idle

    def leased(self) -> int:
        """How many connections may be in use once `run` is over."""
        return 0

    @override
    def violations(self) -> Iterable[str]:
        stats = self.connector.stats()
        if (stats.leased, stats.waiting, stats.connecting) != (self.leased(), 0, 0):
            yield f"the pool's books: {stats}"


class GetFresh(Requests):
    """A new connection."""


class GetReused(Requests):
    """A connection from the pool."""

    script = (ReadRequest(), Send(OK), ReadRequest(), Drip(OK, 9))

    @override
    async def setup(self) -> None:
        await super().setup()
        async with self.session.get("/before") as answer:
            assert await answer.read() == b"ok"


class GetAwaited(Requests):
    """A response without a block, released by reading it."""

    @override
    async def run(self) -> None:
        answer = await self.session.get("/")
        try:
            assert await answer.text() == "ok"
        finally:
            answer.release()


class GetInTask(Requests):
    """The request context as the coroutine of a task."""

    @override
    async def run(self) -> None:
        task = asyncio.get_running_loop().create_task(self.session.get("/"))
        try:
            answer = await task
        except asyncio.CancelledError:
            if not task.cancelled() and task.done() and task.exception() is None:
                task.result().release()
            raise
        async with answer:
            assert await answer.read() == b"ok"


class GetSeveral(Requests):
    """Three requests at once over three connections."""

    @override
    async def run(self) -> None:
        results = await asyncio.gather(
            super().run(), super().run(), super().run(), return_exceptions=True
        )
        for failure in filter(None, results):
            raise failure


class PostBytes(Requests):
    """More octets than a transport takes at once."""

    @override
    async def run(self) -> None:
        async with self.session.post("/", data=b"x" * 300_000) as answer:
            assert await answer.read() == b"ok"


async def pieces() -> AsyncIterator[bytes]:
    for piece in (b"a" * 1000, b"b" * 100_000, b"c"):
        await asyncio.sleep(0)
        yield piece


class PostChunked(Requests):
    """A body from an asynchronous generator."""

    @override
    async def run(self) -> None:
        async with self.session.post("/", data=pieces()) as answer:
            assert await answer.read() == b"ok"


class PostRefused(Requests):
    """413 before the body is through; the server lingers so that it can be read."""

    script = (
        ReadHead(),
        Read(1000),
        Send(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"),
        CloseWrite(),
        Read(10_000_000),
    )

    @override
    async def run(self) -> None:
        async with self.session.post("/", data=b"x" * 700_000) as answer:
            assert (answer.status, await answer.read()) == (413, b"no")


class GzipStream(Requests):
    """Coded content, read in pieces while it arrives."""

    content = bytes(range(256)) * 64

    @override
    async def setup(self) -> None:
        compressor = zlib.compressobj(wbits=31)
        coded = compressor.compress(self.content) + compressor.flush()
        self.script = (ReadRequest(), Drip(response(coded, b"Content-Encoding: gzip"), 100))
        await super().setup()

    @override
    async def run(self) -> None:
        received = b""
        async with self.session.get("/") as answer:
            async for piece in answer.content.iter_chunked(5000):
                received += piece
        assert received == self.content


class EarlyRelease(Requests):
    """The block is left while the content arrives; what remains is small."""

    script = (ReadRequest(), Drip(response(b"x" * 100), 25))

    @override
    async def run(self) -> None:
        async with self.session.get("/") as answer:
            assert answer.status == 200
        await asyncio.sleep(2)


class ErrorInBlock(Requests):
    """The block is left by an error of the application, with more to come than is buffered."""

    script = (ReadRequest(), Send(response(b"x" * 2_000_000)))

    @override
    async def run(self) -> None:
        try:
            async with self.session.get("/") as answer:
                await answer.content.read(10)
                raise LookupError("not what was wanted")
        except LookupError:
            await asyncio.sleep(2)


class RaiseForStatus(Requests):
    """An error status that is raised, content and all."""

    script = (
        ReadRequest(),
        Drip(b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\nabsent", 10),
    )

    @override
    async def run(self) -> None:
        try:
            await self.session.get("/", raise_for_status=True)
        except ClientError:
            await asyncio.sleep(2)


class BigDownload(Requests):
    """The reader is slower than the server, so that reading is paused."""

    content = bytes(range(256)) * 4000
    script = (ReadRequest(), Send(response(content)))

    @override
    async def setup(self) -> None:
        self.world.network.capacity = 256 * 1024
        await super().setup()

    @override
    async def run(self) -> None:
        received = bytearray()
        async with self.session.get("/", timeout=ClientTimeout(total=30, sock_read=5)) as answer:
            while piece := await answer.content.read(200_000):
                received += piece
                await asyncio.sleep(0.01)
        assert received == self.content


class PoolWait(Requests):
    """The only place of the pool is taken; after a second its connection becomes free."""

    limit = 1
    script: tuple[Action, ...] = (
        ReadRequest(),
        Send(response(b"held")[:-2]),
        Wait(1),
        Send(b"ld"),
        ReadRequest(),
        Drip(OK, 9),
    )

    @override
    async def setup(self) -> None:
        await super().setup()
        self.held: ClientResponse = await self.session.get("/held")

    @override
    def leased(self) -> int:
        return int(not self.held.closed)

    @override
    def idle_transports(self) -> int:
        return super().idle_transports() + self.leased()

    @override
    async def close(self) -> None:
        self.held.release()
        await super().close()


class PoolWaitForPlace(PoolWait):
    """The connection that is waited for closes: its place is granted, and a new one dialled."""

    script = (
        ReadRequest(),
        Send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nhe"),
        Wait(1),
        Send(b"ld"),
    )


class PoolWakeRace(PoolWait):
    """Somebody else waits behind the tortured request: whatever that one was granted must go on."""

    @override
    async def setup(self) -> None:
        await super().setup()
        self.behind = asyncio.Event()
        self.other = asyncio.get_running_loop().create_task(self.request_other(), name="other")

    async def request_other(self) -> None:
        await self.behind.wait()
        async with self.session.get("/other") as answer:
            assert await answer.read() == b"ok"

    @override
    async def run(self) -> None:
        asyncio.get_running_loop().call_soon(self.behind.set)
        await super().run()

    @override
    async def follow_up(self) -> None:
        self.behind.set()
        started = self.world.loop.time()
        try:
            await self.other
        except (ClientError, TimeoutError):
            # Its own connection may have been disturbed too, but it must not have waited in vain.
            assert self.world.loop.time() - started < 20
        await super().follow_up()

    @override
    def idle_transports(self) -> int:
        return self.connector.stats().idle + self.connector.stats().leased

    @override
    def violations(self) -> Iterable[str]:
        return ()  # the other one may be anywhere: the books are looked at before the close

    @override
    async def close(self) -> None:
        problems = list(super().violations())
        await super().close()
        assert not problems


class CloseWithTraffic(Requests):
    """The session is closed while a request of another task is under way."""

    script = (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\nx"), Stall())

    @override
    async def run(self) -> None:
        task = asyncio.get_running_loop().create_task(super().run())
        try:
            await asyncio.sleep(0.1)
            await self.session.close()
        finally:
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            assert isinstance(task.exception(), ClientError)

    @override
    async def follow_up(self) -> None:
        """A closed session has nothing to follow up with."""


@cache
def tls_contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The contexts of a server called h.test and of a client that trusts it."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("h.test").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    return server, client


class GetOverTLS(Requests):
    """A handshake first; the pool closes with close_notify in the end."""

    @override
    async def setup(self) -> None:
        context, trusting = tls_contexts()
        self.serve_tls(context, [*self.script, SERVE], [SERVE])
        self.connector = TCPConnector(ssl=trusting, dialer=MemoryDialer(self.world.network))
        self.session = ClientSession(
            "https://h.test/", connector=self.connector, timeout=ClientTimeout(total=30)
        )

    def serve_tls(self, context: ssl.SSLContext, *scripts: Script) -> None:
        server = ScriptedServer(*scripts)
        self.world.servers.append(server)
        self.world.network.serve(
            "h.test",
            443,
            lambda: TLSLayer(server(), context, server_hostname=None, server_side=True),
        )

    @override
    async def follow_up(self) -> None:
        self.serve_tls(tls_contexts()[0], [SERVE])
        async with self.session.get("/after") as answer:
            assert await answer.read() == b"ok"


class CloseOverTLS(GetOverTLS):
    """The session closes while its idle connection's peer never answers close_notify."""

    script = (ReadRequest(), Send(OK), Stall(reading=False))

    @override
    async def run(self) -> None:
        await super().run()
        await self.session.close()

    @override
    async def follow_up(self) -> None:
        """A closed session has nothing to follow up with."""


class RedirectChain(Requests):
    """Three hops, the first two on one connection, with bodies to drop; the third opens another."""

    script = (
        ReadRequest(),
        Drip(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 4\r\n\r\nover", 30),
        ReadRequest(),
        Drip(b"HTTP/1.1 307 Elsewhere\r\nLocation: http://i/c\r\nContent-Length: 0\r\n\r\n", 30),
    )

    @override
    async def setup(self) -> None:
        await super().setup()
        self.world.serve("i", PORT, [ReadRequest(), Drip(OK, 9), SERVE], [SERVE])

    @override
    async def run(self) -> None:
        async with self.session.post("/a", data=b"content") as answer:
            assert await answer.read() == b"ok"
            # A disturbed connection is followed by one that answers the second hop itself.
            assert len(answer.history) in (1, 2)


class StaleConnection(Requests):
    """The pooled connection is closed as it is used again, and the request repeated on a new one."""

    script = (ReadRequest(), Send(OK), ReadRequest(), Fin())

    @override
    async def setup(self) -> None:
        await super().setup()
        async with self.session.get("/before") as answer:
            assert await answer.read() == b"ok"


class Middlewares(Requests):
    """A middleware that waits, asks again after 503, and makes a request of its own."""

    script = (
        ReadRequest(),
        Drip(b"HTTP/1.1 503 Busy\r\nContent-Length: 8\r\n\r\ntoo busy", 12),
        ReadRequest(),
        Drip(OK, 9),
    )

    @override
    async def run(self) -> None:
        async with self.session.get("/", middlewares=[self.patient]) as answer:
            assert await answer.read() == b"ok"

    async def patient(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        answer = await handler(request)
        if answer.status == 503:
            await answer.read()
            await asyncio.sleep(1)
            async with self.session.get("/side", middlewares=()) as side:
                await side.read()
            answer = await handler(request)
        return answer


class ExpectRefused(Requests):
    """417, and the same once more without the expectation."""

    script = (
        ReadHead(),
        Drip(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 20),
    )

    @override
    async def run(self) -> None:
        async with self.session.post("/", data=b"content", expect100=True) as answer:
            assert await answer.read() == b"ok"


SCENARIOS: tuple[Callable[[World], Requests], ...] = (
    GetFresh,
    GetReused,
    GetAwaited,
    GetInTask,
    GetSeveral,
    PostBytes,
    PostChunked,
    PostRefused,
    GzipStream,
    EarlyRelease,
    ErrorInBlock,
    RaiseForStatus,
    RedirectChain,
    StaleConnection,
    Middlewares,
    ExpectRefused,
    BigDownload,
    PoolWait,
    PoolWaitForPlace,
    PoolWakeRace,
    CloseWithTraffic,
    GetOverTLS,
    CloseOverTLS,
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_torture(scenario: Callable[[World], Requests]) -> None:
    report = torture(scenario, lingering_timers=LINGERING)
    assert report.points > 0
    assert report.acted > report.points
