"""Torture of `HTTP1Connection`: every await of an exchange, disturbed in every way (section 4.3)."""

import asyncio
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import BinaryIO

import pytest
from wayfare_http_core import (
    Connection,
    ExchangeOptions,
    FieldBlock,
    RequestBody,
    RequestHead,
    ServerDisconnectedError,
    UnsupportedCodings,
    make_decoder,
)
from wayfare_http_core.aio import Deadline, HTTP1Connection, HTTP1Exchange, _connection
from wayfare_http_core.testing import (
    Action,
    CloseWrite,
    Drip,
    Read,
    ReadHead,
    ReadRequest,
    Repeat,
    Scenario,
    Send,
    Stall,
    World,
    torture,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LINGERING = ("DeadlineQueue._fire",)


def response(content: bytes, *fields: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(content), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


def head(method: str = "GET", path: str = "/", **fields: str) -> RequestHead:
    return RequestHead(method, "http", "h", path, FieldBlock(fields))


class Body:
    """A request body from an asynchronous generator that waits between its pieces."""

    content_type = "application/octet-stream"
    replayable = False

    def __init__(self, pieces: Iterable[bytes], length: int | None = None) -> None:
        self.length = length
        self._pieces = pieces

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(0)
            yield piece


class Owner:
    """Keeps books as a pool does, and notes what does not add up."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.retired: set[int] = set()
        self.lost: set[int] = set()

    def connection_idle(self, connection: Connection, /) -> None:
        if connection.available_exchanges != 1 or id(connection) in self.retired:
            self.wrong.append("offered as idle, but cannot carry an exchange")

    def connection_retired(self, connection: Connection, /) -> None:
        if id(connection) in self.retired:
            self.wrong.append("retired twice")
        self.retired.add(id(connection))

    def connection_lost(self, connection: Connection, /) -> None:
        if id(connection) in self.lost or id(connection) not in self.retired:
            self.wrong.append("lost twice, or before it was retired")
        self.lost.add(id(connection))


class Exchanges(Scenario):
    """A client with one connection, which it reuses where it can."""

    script: tuple[Action, ...] = (ReadRequest(), Send(OK))

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.owner = Owner()
        self.connections: list[HTTP1Connection] = []

    @override
    async def setup(self) -> None:
        self.world.serve("h", 80, [*self.script, Repeat(ReadRequest(), Send(OK))])

    async def connection(self) -> HTTP1Connection:
        for connection in self.connections:
            if connection.available_exchanges:
                return connection
        _, connection = await self.world.dial("h", 80, lambda: HTTP1Connection(self.owner))
        self.connections.append(connection)
        if not connection.available_exchanges:
            raise ServerDisconnectedError("lost as soon as it was made")
        return connection

    async def exchange(
        self,
        request: RequestHead,
        body: RequestBody | bytes | None = None,
        options: ExchangeOptions | None = None,
    ) -> HTTP1Exchange:
        connection = await self.connection()
        with Deadline.after(30):
            return await connection.exchange(request, body, options or ExchangeOptions())

    async def read(self, exchange: HTTP1Exchange) -> bytes:
        """Read all, and give the exchange up where that fails: what a session does."""
        exchange.content.set_timeouts(Deadline.after(30))
        try:
            return await exchange.content.read()
        except BaseException:
            exchange.abort()
            raise

    @override
    async def run(self) -> None:
        assert await self.read(await self.exchange(head())) == b"ok"

    @override
    async def follow_up(self) -> None:
        if not self.connections or not self.connections[-1].available_exchanges:
            self.world.serve("h", 80, [Repeat(ReadRequest(), Send(OK))])
        assert await self.read(await self.exchange(head(path="/after"))) == b"ok"

    @override
    async def close(self) -> None:
        for connection in self.connections:
            connection.close()
            await connection.wait_closed()

    @override
    def idle_transports(self) -> int:
        return sum(connection.available_exchanges for connection in self.connections)

    @override
    def violations(self) -> Iterable[str]:
        return self.owner.wrong


class GetFresh(Exchanges):
    """The response comes in pieces."""

    script: tuple[Action, ...] = (ReadRequest(), Drip(OK, 9))


class GetReused(GetFresh):
    """The connection carried an exchange before."""

    script = (ReadRequest(), Send(OK), ReadRequest(), Drip(OK, 9))

    @override
    async def setup(self) -> None:
        await super().setup()
        assert await self.read(await self.exchange(head())) == b"ok"


class GetAfterInformational(Exchanges):
    """Two informational responses first."""

    script = (
        ReadRequest(),
        Send(b"HTTP/1.1 100 Continue\r\n\r\n"),
        Drip(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 20),
        Drip(OK, 30),
    )


class PostBytes(Exchanges):
    """A body that leaves with its head."""

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head("POST"), b"x" * 1000)
        assert await self.read(exchange) == b"ok"


class PostLargeBytes(Exchanges):
    """More octets than the connection takes at once: the writer has to wait."""

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head("POST"), b"x" * 700_000)
        assert await self.read(exchange) == b"ok"


class PostLength(Exchanges):
    """A streamed body of known length."""

    @override
    async def run(self) -> None:
        pieces = [b"a" * 100_000, b"b" * 100_000]
        exchange = await self.exchange(head("POST"), Body(pieces, 200_000))
        assert await self.read(exchange) == b"ok"


class PostChunked(Exchanges):
    """A streamed body of unknown length."""

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head("POST"), Body([b"abc", b"d" * 100_000, b"e"]))
        assert await self.read(exchange) == b"ok"


class SlowBody(Body):
    """Thinks for a while before the last piece."""

    @override
    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.sleep(20)
        yield b"last"


class PostSlow(Exchanges):
    """Nothing moves for a while: only the body's iterator waits, and it must not outlive the exchange."""

    @override
    async def run(self) -> None:
        assert await self.read(await self.exchange(head("POST"), SlowBody([]))) == b"ok"


class PostRefused(Exchanges):
    """The server answers 413 before the body is through, and closes."""

    script = (
        ReadHead(),
        Read(1000),
        Send(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"),
        CloseWrite(),
        Read(1_000_000),  # linger: what is still on its way must not be answered with RST
    )

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head("POST"), Body([b"x" * 100_000] * 5))
        assert await self.read(exchange) == b"no"

    @override
    async def follow_up(self) -> None:
        self.world.serve("h", 80, [Repeat(ReadRequest(), Send(OK))])
        await super().follow_up()


class PostExpecting(Exchanges):
    """The server asks for the body, after an informational response that does not."""

    script: tuple[Action, ...] = (
        ReadHead(),
        Send(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        Drip(b"HTTP/1.1 100 Continue\r\n\r\n", 9),
        ReadRequest(),
        Send(OK),
    )

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head("POST", Expect="100-continue"), Body([b"abc", b"d"]))
        assert await self.read(exchange) == b"ok"


class PostExpectingSilence(PostExpecting):
    """The server does not know the field, and the body is sent after a while."""

    script = (ReadRequest(), Send(OK))


class PostExpectingRefusal(Exchanges):
    """The server answers 417, and nothing of the body is sent unless that took too long."""

    script = (
        ReadHead(),
        Drip(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno", 20),
        ReadRequest(),
    )

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head("POST", Expect="100-continue"), b"x" * 10)
        assert await self.read(exchange) == b"no"


class PostTrailers(Exchanges):
    """Fields follow the body."""

    class Body(Body):
        def trailers(self) -> Iterable[tuple[str, object]]:
            return [("X-Sum", 4)]

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head("POST"), self.Body([b"abc", b"d"]))
        assert await self.read(exchange) == b"ok"


class PostFile(Exchanges):
    """A file through a transport that has no socket for the kernel."""

    class Body(Body):
        def file_range(self) -> tuple[BinaryIO, int, int]:
            raise AssertionError("nobody can send it")

    @override
    async def run(self) -> None:
        pieces = [b"a" * 100_000, b"b" * 100_000]
        exchange = await self.exchange(head("POST"), self.Body(pieces, 200_000))
        assert await self.read(exchange) == b"ok"


class PostAnsweredEarly(Exchanges):
    """The response begins before the body is through, and both end well."""

    script = (
        ReadHead(),
        Send(OK[:-1]),
        ReadRequest(),
        Send(OK[-1:]),
    )

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head("POST"), Body([b"abc", b"d" * 100_000, b"e"]))
        assert await self.read(exchange) == b"ok"


class PostTimed(Exchanges):
    """Every timeout is set, and the same options serve two exchanges."""

    script = (ReadRequest(), Drip(OK, 9))

    @override
    async def run(self) -> None:
        options = ExchangeOptions(read_timeout=7, write_timeout=6, first_byte_timeout=5)
        for body in (b"x" * 300_000, Body([b"abc", b"d"])):
            exchange = await self.exchange(head("POST"), body, options)
            assert await self.read(exchange) == b"ok"


class GzipStream(Exchanges):
    """A coded response, read in small pieces while it arrives."""

    content = bytes(range(256)) * 64

    @override
    async def setup(self) -> None:
        compressor = zlib.compressobj(wbits=31)
        coded = compressor.compress(self.content) + compressor.flush()
        answer = response(coded, b"Content-Encoding: gzip")
        self.script = (ReadRequest(), Drip(answer, 60))
        await super().setup()

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head())
        decoder = make_decoder(["gzip"])
        assert decoder is not None
        assert not isinstance(decoder, UnsupportedCodings)
        exchange.content.decode_with(decoder)
        exchange.content.set_timeouts(Deadline.after(30))
        received = b""
        try:
            while piece := await exchange.content.read(5000):
                received += piece
        except BaseException:
            exchange.abort()
            raise
        assert received == self.content


class EarlyRelease(Exchanges):
    """The content is given up while it arrives, and the connection is saved."""

    script = (ReadRequest(), Drip(response(b"x" * 100), 25))

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head())
        exchange.discard()
        await asyncio.sleep(2)


class EarlyReleaseOfMuch(Exchanges):
    """Too much is left to be drained: the connection goes."""

    script = (ReadRequest(), Send(response(b"x" * 500_000)))

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head())
        exchange.discard()
        await asyncio.sleep(2)


class ReleaseAndClose(Exchanges):
    """The connection is closed while it waits for the rest of a content that was given up."""

    script = (ReadRequest(), Send(response(b"x" * 100)[:-10]), Stall())

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head())
        exchange.discard()
        await asyncio.sleep(0.5)
        self.connections[-1].close()

    @override
    def idle_transports(self) -> int:
        return len(self.world.open_transports)  # one may still be waiting for the rest


class BigDownload(Exchanges):
    """The reader is slower than the server, so that reading is paused again and again."""

    content = bytes(range(256)) * 1500
    script = (ReadRequest(), Send(response(content)))

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head(), options=ExchangeOptions(read_limit=16 * 1024))
        exchange.content.set_timeouts(None, (5.0, TimeoutError))
        received = b""
        try:
            while piece := await exchange.content.read(50_000):
                received += piece
                await asyncio.sleep(0.01)
        except BaseException:
            exchange.abort()
            raise
        assert received == self.content


class Upgrade(Exchanges):
    """HTTP ends on the connection; the new owner closes it."""

    script = (
        ReadRequest(),
        Drip(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhi",
            30,
        ),
    )

    @override
    async def run(self) -> None:
        await self.exchange(head(Connection="upgrade", Upgrade="echo"))
        upgraded = self.connections[-1].upgrade()
        upgraded.transport.set_protocol(asyncio.Protocol())
        upgraded.transport.abort()
        upgraded.release()


class UpgradeUnwanted(Upgrade):
    """HTTP ended on the connection, and nobody wants what follows."""

    @override
    async def run(self) -> None:
        exchange = await self.exchange(head(Connection="upgrade", Upgrade="echo"))
        exchange.discard()
        assert exchange.is_over
        await self.connections[-1].wait_closed()


SCENARIOS: tuple[Callable[[World], Exchanges], ...] = (
    GetFresh,
    GetReused,
    GetAfterInformational,
    PostBytes,
    PostLargeBytes,
    PostLength,
    PostChunked,
    PostSlow,
    PostRefused,
    PostExpecting,
    PostExpectingSilence,
    PostExpectingRefusal,
    PostTrailers,
    PostFile,
    PostAnsweredEarly,
    PostTimed,
    GzipStream,
    EarlyRelease,
    EarlyReleaseOfMuch,
    ReleaseAndClose,
    BigDownload,
    Upgrade,
    UpgradeUnwanted,
)


@pytest.mark.parametrize("crowd", [_connection._CROWD, 0], ids=["few", "crowd"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_torture(
    scenario: Callable[[World], Exchanges], crowd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone, and as if so many came at once that each caller looks at its response itself."""
    monkeypatch.setattr(_connection, "_CROWD", crowd)
    report = torture(scenario, lingering_timers=LINGERING)
    assert report.points > 0
    assert report.acted > report.points
