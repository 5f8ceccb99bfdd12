"""Octets that nobody asked for (F11) and framing that lies (F13), on the HTTP/1.1 connection."""

import asyncio
from collections.abc import Sequence
from typing import final

import pytest
from wayfare_http_core import (
    BadHttpMessage,
    ClientError,
    ClientPayloadError,
    Connection,
    ContentLengthError,
    RequestHead,
    TransferEncodingError,
)
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    Action,
    FakeClockLoop,
    Fin,
    MemoryNetwork,
    ReadRequest,
    ScriptedPeer,
    ScriptedServer,
    Send,
    run_with_fake_clock,
)

GET = RequestHead("GET", "http", "h", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


@final
class Owner:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def connection_idle(self, connection: Connection, /) -> None:
        self.events.append("idle")

    def connection_retired(self, connection: Connection, /) -> None:
        self.events.append("retired")

    def connection_lost(self, connection: Connection, /) -> None:
        self.events.append("lost")


class Bench:
    """A connection to a scripted server, on a fake clock."""

    def __init__(self, script: Sequence[Action], read_size: int) -> None:
        self.owner = Owner()
        self.complaints: list[str] = []
        self.server = ScriptedServer(script)
        self.network = MemoryNetwork(read_size=read_size)
        self.network.serve("h", 80, self.server)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        self.loop = loop
        loop.set_exception_handler(lambda loop, context: self.complaints.append(str(context)))

    @property
    def peer(self) -> ScriptedPeer:
        return self.server.peers[0]

    async def dial(self) -> HTTP1Connection:
        _, connection = await self.network.dial("h", 80, lambda: HTTP1Connection(self.owner))
        return connection

    async def end(self, connection: HTTP1Connection) -> None:
        await self.loop.settled()
        connection.close()
        self.server.abort()
        await self.loop.settled()
        self.network.client_transports.assert_all_closed()
        assert self.owner.events[-2:] == ["retired", "lost"]
        assert self.complaints == []


async def fetch(connection: HTTP1Connection, head: RequestHead = GET) -> bytes:
    exchange = await connection.exchange(head)
    return await exchange.content.read()


pieces = pytest.mark.parametrize("read_size", [256 * 1024, 1], ids=["whole", "octets"])
unsolicited = pytest.mark.parametrize(
    "octets", [b"x", EVIL, b"\n", b"\r\n\r\n", b"\x00"], ids=["x", "response", "lf", "crlfs", "nul"]
)


@pieces
@pytest.mark.parametrize("octets", [b"x", EVIL, b"\r\n"], ids=["x", "response", "crlf"])
def test_f11_octets_before_the_first_request_end_the_connection(
    octets: bytes, read_size: int
) -> None:
    async def main() -> None:
        bench = Bench([Send(octets)], read_size)
        connection = await bench.dial()
        await bench.loop.settled()
        assert connection.available_exchanges == 0
        with pytest.raises(RuntimeError, match="no exchange can start"):
            await fetch(connection)
        await bench.end(connection)
        assert "idle" not in bench.owner.events

    run_with_fake_clock(main())


@pieces
@unsolicited
def test_f11_octets_after_a_response_end_the_connection(octets: bytes, read_size: int) -> None:
    async def main() -> None:
        bench = Bench([ReadRequest(), Send(OK + octets)], read_size)
        connection = await bench.dial()
        assert await fetch(connection) == b"ok"
        await bench.loop.settled()
        assert connection.available_exchanges == 0
        assert bytes(bench.peer.received).count(b"GET") == 1
        await bench.end(connection)

    run_with_fake_clock(main())


@unsolicited
def test_f11_a_connection_with_surplus_is_never_offered(octets: bytes) -> None:
    async def main() -> None:
        bench = Bench([ReadRequest(), Send(OK + octets)], 256 * 1024)
        connection = await bench.dial()
        await fetch(connection)
        await bench.end(connection)
        assert bench.owner.events == ["retired", "lost"]

    run_with_fake_clock(main())


@pieces
@unsolicited
@pytest.mark.parametrize("delay", [0.0, 0.001, 0.05])
def test_f11_octets_on_an_idle_connection_end_it(
    octets: bytes, read_size: int, delay: float
) -> None:
    async def main() -> None:
        bench = Bench([ReadRequest(), Send(OK)], read_size)
        connection = await bench.dial()
        assert await fetch(connection) == b"ok"
        assert bench.owner.events == ["idle"]
        await asyncio.sleep(delay)
        bench.peer.write(octets)
        await bench.loop.settled()
        assert connection.available_exchanges == 0
        await bench.end(connection)
        assert bench.owner.events == ["idle", "retired", "lost"]

    run_with_fake_clock(main())


@pieces
def test_f11_one_crlf_after_a_response_is_tolerated(read_size: int) -> None:
    """RFC 9112 section 9.2: old servers send one too many."""

    async def main() -> None:
        bench = Bench([ReadRequest(), Send(OK + b"\r\n"), ReadRequest(), Send(OK)], read_size)
        connection = await bench.dial()
        assert await fetch(connection) == b"ok"
        await bench.loop.settled()
        assert connection.available_exchanges == 1
        assert await fetch(connection) == b"ok"
        await bench.end(connection)
        assert bench.owner.events == ["idle", "idle", "retired", "lost"]

    run_with_fake_clock(main())


def test_f11_a_second_response_is_not_the_answer_to_the_next_request() -> None:
    """The classic desynchronisation: the attacker's response waits for the victim's request."""

    async def main() -> None:
        bench = Bench([ReadRequest(), Send(OK + EVIL), ReadRequest(), Send(OK)], 256 * 1024)
        connection = await bench.dial()
        answers = [await fetch(connection)]
        while connection.available_exchanges:
            answers.append(await fetch(connection))
        assert b"evil" not in answers
        await bench.end(connection)

    run_with_fake_clock(main())


def test_f11_fin_on_an_idle_connection_ends_it() -> None:
    async def main() -> None:
        bench = Bench([ReadRequest(), Send(OK), Fin()], 256 * 1024)
        connection = await bench.dial()
        assert await fetch(connection) == b"ok"
        await bench.loop.settled()
        assert connection.available_exchanges == 0
        await bench.end(connection)

    run_with_fake_clock(main())


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BOTH = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
BOTH_OTHER_WAY = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"


def length(value: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\nhello" % value


def coding(value: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: %b\r\n\r\n" % value


@pieces
@pytest.mark.parametrize(
    ("method", "data", "content"),
    [
        pytest.param("GET", length(b"3"), b"hel", id="length-too-small"),
        pytest.param("GET", BOTH + HELLO, b"hello", id="length-and-chunked"),
        pytest.param("GET", BOTH_OTHER_WAY + HELLO, b"hello", id="chunked-and-length"),
        pytest.param(
            "GET",
            b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
            b"",
            id="content-of-204",
        ),
        pytest.param(
            "GET",
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
            b"",
            id="content-of-304",
        ),
        pytest.param("HEAD", length(b"5"), b"", id="content-of-head"),
        pytest.param("HEAD", CHUNKED + HELLO, b"", id="chunks-of-head"),
        pytest.param("GET", CHUNKED + HELLO + b"0\r\n\r\n", b"hello", id="two-last-chunks"),
    ],
)
def test_f13_lying_framing_gives_what_was_framed_and_no_reuse(
    method: str, data: bytes, content: bytes, read_size: int
) -> None:
    async def main() -> None:
        bench = Bench([ReadRequest(), Send(data)], read_size)
        connection = await bench.dial()
        assert await fetch(connection, RequestHead(method, "http", "h", "/")) == content
        await bench.loop.settled()
        assert connection.available_exchanges == 0
        await bench.end(connection)

    run_with_fake_clock(main())


@pieces
@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(length(b"9"), ClientPayloadError, id="length-too-large"),
        pytest.param(length(b"-5"), ContentLengthError, id="negative-length"),
        pytest.param(length(b"+5"), ContentLengthError, id="signed-length"),
        pytest.param(length(b"0x5"), ContentLengthError, id="hex-length"),
        pytest.param(length(b"5 5"), ContentLengthError, id="two-numbers"),
        pytest.param(length(b"5, 6"), ContentLengthError, id="differing-lengths"),
        pytest.param(length(b""), ContentLengthError, id="empty-length"),
        pytest.param(length(b"9" * 30), ContentLengthError, id="huge-length"),
        pytest.param(
            length(b"5\r\nContent-Length: 6"), ContentLengthError, id="two-differing-fields"
        ),
        pytest.param(CHUNKED + b"5\r\nhello\r\n", ClientPayloadError, id="no-last-chunk"),
        pytest.param(CHUNKED + b"5\r\nhello\r\n0\r\n", ClientPayloadError, id="no-final-crlf"),
        pytest.param(CHUNKED + b"4\r\nhello\r\n", TransferEncodingError, id="chunk-too-long"),
        pytest.param(CHUNKED + b"6\r\nhello\r\n0", TransferEncodingError, id="chunk-too-short"),
        pytest.param(CHUNKED + b"+5\r\nhello\r\n", TransferEncodingError, id="signed-chunk"),
        pytest.param(CHUNKED + b"0x5\r\nhello\r\n", TransferEncodingError, id="prefixed-chunk"),
        pytest.param(CHUNKED + b"5 \r\nhello\r\n", TransferEncodingError, id="space-after-size"),
        pytest.param(CHUNKED + b"5\nhello\r\n", TransferEncodingError, id="bare-lf-in-chunks"),
        pytest.param(CHUNKED + b"\r\nhello\r\n", TransferEncodingError, id="no-size"),
        pytest.param(CHUNKED + b"1" * 17 + b"\r\n", TransferEncodingError, id="huge-chunk"),
        pytest.param(coding(b"gzip, chunked") + HELLO, TransferEncodingError, id="gzip-chunked"),
        pytest.param(coding(b"chunked, chunked") + HELLO, TransferEncodingError, id="twice"),
        pytest.param(coding(b"chunked, gzip") + HELLO, TransferEncodingError, id="not-last"),
        pytest.param(coding(b"xchunked") + HELLO, TransferEncodingError, id="unknown-coding"),
        pytest.param(
            (CHUNKED + HELLO).replace(b"HTTP/1.1", b"HTTP/1.0"),
            TransferEncodingError,
            id="chunked-in-1.0",
        ),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello" + OK,
            BadHttpMessage,
            id="content-of-100",
        ),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", BadHttpMessage, id="101-unasked"),
    ],
)
def test_f13_framing_that_cannot_be_right_is_a_typed_error(
    data: bytes, error: type[ClientError], read_size: int
) -> None:
    async def main() -> None:
        bench = Bench([ReadRequest(), Send(data), Fin()], read_size)
        connection = await bench.dial()
        with pytest.raises(error):
            await fetch(connection)
        await bench.loop.settled()
        assert connection.available_exchanges == 0
        await bench.end(connection)
        assert "idle" not in bench.owner.events

    run_with_fake_clock(main())


def test_f13_identical_lengths_count_once() -> None:
    async def main() -> None:
        bench = Bench([ReadRequest(), Send(length(b"5, 5"))], 256 * 1024)
        connection = await bench.dial()
        assert await fetch(connection) == b"hello"
        assert connection.available_exchanges == 1
        await bench.end(connection)

    run_with_fake_clock(main())
