"""`HTTP1Connection`: request bodies on their way (I2, I10, R8, R10)."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from wayfare_http_core import (
    BadStatusLine,
    ClientConnectionError,
    ClientOSError,
    ExchangeOptions,
    FieldBlock,
    RequestHead,
    ServerDisconnectedError,
    TrailerBody,
    UploadAbortedError,
)
from wayfare_http_core.aio import Deadline, HTTP1Connection
from wayfare_http_core.testing import (
    Action,
    Fin,
    Read,
    ReadHead,
    ReadRequest,
    Reset,
    Send,
    Stall,
    run_with_fake_clock,
)

Connect = Callable[..., AbstractAsyncContextManager[Any]]

POST = RequestHead("POST", "http", "h", "/")
CHUNKED = RequestHead("POST", "http", "h", "/", FieldBlock({"Transfer-Encoding": "chunked"}))
GET = RequestHead("GET", "http", "h", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MIB = 1024 * 1024


def response(status: int, *fields: bytes, length: int = 2) -> bytes:
    lines = (b"HTTP/1.1 %d X" % status, b"Content-Length: %d" % length, *fields)
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def turns(number: int = 20) -> None:
    """Let what is ready happen; nothing here waits for time."""
    for _ in range(number):
        await asyncio.sleep(0)


class Body:
    """A body from a synchronous generator."""

    replayable = False

    def __init__(
        self, pieces: Iterable[bytes], length: int | None = None, content_type: str | None = None
    ) -> None:
        self.pieces = pieces
        self.length = length
        self.content_type = content_type

    def chunks(self) -> Iterable[bytes]:
        return self.pieces


class Slow:
    """A body from an asynchronous generator that gives each piece when it is told to."""

    content_type = None
    replayable = False

    def __init__(self, length: int | None = None) -> None:
        self.length = length
        self.queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        self.closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            while (piece := await self.queue.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            self.closed = True


# --- What arrives.


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 3 * MIB])
async def test_bytes_arrive_with_their_length(connect: Connect, size: int) -> None:
    """Also more of them than any buffer on the way holds."""
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    async with connect(ReadRequest(), Send(OK)) as w:
        exchange = await w.connection.exchange(POST, content)
        assert exchange.take_whole() == b"ok"
        request = w.peer.requests[0]
        assert request.body == content
        assert b"Content-Length: %d\r\n" % size in w.peer.received
        assert w.owner.told == ["idle"]


async def test_a_small_body_leaves_with_its_head(connect: Connect) -> None:
    """One write, one segment: some servers wait for a delayed acknowledgement otherwise."""
    writes: list[bytes] = []

    class Recorder(asyncio.Transport):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            writes.append(bytes(data))

        def is_closing(self) -> bool:
            return False

        def abort(self) -> None:
            connection.connection_lost(None)

    connection = HTTP1Connection()
    connection.connection_made(Recorder())
    exchanging = asyncio.ensure_future(connection.exchange(POST, b"body"))
    await asyncio.sleep(0)
    assert len(writes) == 1
    assert writes[0].endswith(b"\r\n\r\nbody")
    connection.abort()
    with pytest.raises(ClientConnectionError, match="closed while"):
        await exchanging


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1])
async def test_what_was_sent_is_told(connect: Connect, size: int) -> None:
    """The content alone, for every way in which it leaves."""
    for head in (POST, CHUNKED):
        sent: list[int] = []
        ended: list[UploadAbortedError | None] = []
        options = ExchangeOptions(on_sent=sent.append, on_upload_end=ended.append)
        async with connect(ReadRequest(), Send(OK), ReadRequest(), Send(OK)) as w:
            await w.connection.exchange(head, bytes(size), options)
            assert sum(sent) == size
            assert 0 not in sent
            assert ended == [None]
            await w.connection.exchange(GET, None, options)
            assert ended == [None]


async def test_a_hook_that_raises_ends_the_exchange_of_a_body(connect: Connect) -> None:
    """O11."""

    def refuse(octets: int) -> None:
        raise LookupError(octets)

    for body in (b"abc", bytes(MIB)):
        async with connect(ReadHead()) as w:
            with pytest.raises(LookupError):
                await w.connection.exchange(POST, body, ExchangeOptions(on_sent=refuse))
            await w.closed()


@pytest.mark.parametrize("length", [None, 9])
async def test_iterables_arrive(connect: Connect, length: int | None) -> None:
    """R10: in chunks where the length is not known."""
    async with connect(ReadRequest(), Send(OK), ReadRequest(), Send(OK)) as w:
        body = Body([b"one", b"", b"two", b"six"], length, "text/plain")
        await w.connection.exchange(POST, body)
        slow = Slow(length)
        for piece in (b"one", b"two", b"six", None):
            slow.queue.put_nowait(piece)
        await w.connection.exchange(POST, slow)
        assert [request.body for request in w.peer.requests] == [b"onetwosix"] * 2
        assert w.peer.received.count(b"Transfer-Encoding: chunked\r\n") == (0 if length else 2)
        assert w.peer.received.count(b"Content-Type: text/plain\r\n") == 1
        assert w.owner.told == ["idle", "idle"]


async def test_bytes_arrive_in_chunks_where_the_caller_asks_for_them(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(OK)) as w:
        await w.connection.exchange(CHUNKED, b"abc")
        assert w.peer.received.endswith(b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")


async def test_a_body_is_pulled_no_faster_than_the_peer_takes_it(connect: Connect) -> None:
    pulled = 0

    def pieces() -> Iterator[bytes]:
        nonlocal pulled
        for _ in range(64):
            pulled += 1
            yield bytes(64 * 1024)

    async with connect(ReadHead(), Stall(reading=False)) as w:
        exchanging = asyncio.ensure_future(w.connection.exchange(POST, Body(pieces(), 4 * MIB)))
        await turns(50)
        assert 1 <= pulled <= 4  # the peer's buffer, our transport's, and one more
        stopped = pulled
        await turns(50)
        assert pulled == stopped
        w.peer.transport.resume_reading()
        await turns(500)
        assert pulled == 64
        w.peer.write(OK)
        assert (await exchanging).is_complete


class WithTrailers(Body):
    """A body with fields after it, known only when it was sent."""

    def __init__(self, pieces: Iterable[bytes], length: int | None = None, **fields: str) -> None:
        super().__init__(self.count(pieces), length)
        self.fields = fields
        self.octets = 0

    def count(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.octets += len(piece)
            yield piece

    def trailers(self) -> Iterable[tuple[str, object]]:
        return [*self.fields.items(), ("X-Octets", self.octets)]


@pytest.mark.parametrize("length", [None, 6])
async def test_trailer_fields_follow_a_body(connect: Connect, length: int | None) -> None:
    """RFC 9112 section 7.1.2: in chunks, whatever is known of the length."""
    head = RequestHead("POST", "http", "h", "/", FieldBlock({"Trailer": "X-Octets"}))
    async with connect(ReadRequest(), Send(OK)) as w:
        body = WithTrailers([b"abc", b"def"], length)
        assert isinstance(body, TrailerBody)
        await w.connection.exchange(head, body)
        assert w.peer.received.endswith(b"3\r\nabc\r\n3\r\ndef\r\n0\r\nX-Octets: 6\r\n\r\n")
        assert b"Content-Length" not in w.peer.received
        assert w.owner.told == ["idle"]


@pytest.mark.parametrize(
    "name", ["Content-Length", "Transfer-Encoding", "host", "Authorization", "Content-Type"]
)
async def test_a_field_that_must_not_follow_ends_the_connection(
    connect: Connect, name: str
) -> None:
    """R10, RFC 9110 section 6.5.1: the content was sent, and its end is not."""
    async with connect(ReadHead()) as w:
        with pytest.raises(ValueError, match="not allowed in a trailer section"):
            await w.connection.exchange(POST, WithTrailers([b"abc"], None, **{name: "x"}))
        await w.closed()
        assert w.peer.received.endswith(b"3\r\nabc\r\n")


async def test_trailer_fields_and_a_length_exclude_each_other(connect: Connect) -> None:
    """Nothing was sent."""
    head = RequestHead("POST", "http", "h", "/", FieldBlock({"Content-Length": "3"}))
    async with connect() as w:
        with pytest.raises(ValueError, match="sent in chunks"):
            await w.connection.exchange(head, WithTrailers([b"abc"], 3))
        assert w.peer.received == b""
        assert w.owner.told == ["idle"]


# --- What goes wrong with the body.


@pytest.mark.parametrize(
    ("pieces", "length", "message"),
    [([b"ab"], 3, "ended after 2 of the announced 3"), ([b"abcd"], 3, "longer than the announced")],
)
async def test_a_body_of_another_length_ends_the_connection(
    connect: Connect, pieces: list[bytes], length: int, message: str
) -> None:
    """R8, I10."""
    async with connect(ReadHead()) as w:
        with pytest.raises(ValueError, match=message):
            await w.connection.exchange(POST, Body(pieces, length))
        await w.closed()


async def test_an_error_of_the_body_ends_the_connection(connect: Connect) -> None:
    """R10, I10: no last chunk tells the peer that the part is the whole."""
    async with connect(ReadHead()) as w:
        slow = Slow()
        slow.queue.put_nowait(b"abc")
        slow.queue.put_nowait(LookupError("no more"))
        with pytest.raises(LookupError, match="no more"):
            await w.connection.exchange(POST, slow)
        await w.closed()
        assert not w.peer.received.endswith(b"0\r\n\r\n")


async def test_an_error_of_the_body_after_the_head_breaks_the_content(connect: Connect) -> None:
    """I1: the response has begun, so whoever reads it is told."""
    async with connect(ReadHead(), Send(response(200) + b"o")) as w:
        slow = Slow()
        exchange = await w.connection.exchange(POST, slow)
        slow.queue.put_nowait(LookupError("no more"))
        assert await exchange.content.readany() == b"o"
        with pytest.raises(LookupError, match="no more"):
            await exchange.content.readany()
        await w.closed()


async def test_a_body_that_was_cancelled_by_others_breaks_the_exchange(connect: Connect) -> None:
    """I10: what it waited for was cancelled, and not the upload; nobody may wait for ever."""
    async with connect(ReadHead()) as w:
        slow = Slow()
        slow.queue.put_nowait(b"abc")
        slow.queue.put_nowait(asyncio.CancelledError())
        with pytest.raises(ClientConnectionError, match="iterator was cancelled"):
            await w.connection.exchange(POST, slow)
        await w.closed()
        assert not w.peer.received.endswith(b"0\r\n\r\n")
    async with connect(ReadHead(), Send(response(200) + b"o")) as w:
        slow = Slow()
        exchange = await w.connection.exchange(POST, slow)
        slow.queue.put_nowait(asyncio.CancelledError())
        assert await exchange.content.readany() == b"o"
        with pytest.raises(ClientConnectionError, match="iterator was cancelled"):
            await exchange.content.readany()
        await w.closed()


async def test_an_error_of_the_body_after_the_connection_went_is_no_news(connect: Connect) -> None:
    async with connect(ReadHead()) as w:
        slow = Slow()
        slow.queue.put_nowait(b"abc")
        exchanging = asyncio.ensure_future(w.connection.exchange(POST, slow))
        await turns()
        w.end.lose(None)
        slow.queue.put_nowait(b"more")
        with pytest.raises(ServerDisconnectedError):
            await exchanging
        await turns()
        assert slow.closed


async def test_an_error_of_a_body_that_is_stopped_is_no_news(connect: Connect) -> None:
    """Whoever gave the exchange up does not wait for it, and nobody else is told."""
    stopped = False

    class Stubborn(Slow):
        async def chunks(self) -> AsyncIterator[bytes]:
            nonlocal stopped
            try:
                yield b"abc"
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError as exc:
                stopped = True
                raise LookupError("stopped") from exc

    async with connect(ReadHead()) as w:
        exchanging = asyncio.ensure_future(w.connection.exchange(POST, Stubborn()))
        await turns()
        w.connection.abort()
        with pytest.raises(ClientConnectionError, match="closed while"):
            await exchanging
        await turns()
        assert stopped


class Ending:
    """A body that ends in one of three ways."""

    content_type = None
    length = None
    replayable = False

    def __init__(self, ending: str) -> None:
        self.ending = ending

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"abc"
        if self.ending == "error":
            raise LookupError("no more")
        if self.ending == "stopped":
            await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("ending", ["whole", "error", "stopped"])
async def test_l16_an_upload_leaves_no_cycle(connect: Connect, ending: str) -> None:
    """Nothing of it waits for the garbage collector, which holds connections open till then."""
    gc.collect()
    gc.disable()
    try:
        script = [ReadRequest(), Send(OK)] if ending == "whole" else [ReadHead()]
        async with connect(*script) as w:
            body = Ending(ending)
            kept = weakref.ref(body)
            exchanging = asyncio.ensure_future(w.connection.exchange(POST, body))
            del body
            await turns()
            if ending == "stopped":
                exchanging.cancel()
            await asyncio.wait([exchanging])
            assert exchanging.cancelled() or bool(exchanging.exception()) is (ending == "error")
            del exchanging
            await turns()
            assert kept() is None
    finally:
        gc.enable()


# --- Connections that end under a body.


@pytest.mark.parametrize("end", [Fin(), Reset()])
async def test_a_connection_that_ends_under_a_body(connect: Connect, end: Action) -> None:
    """A peer that closes and leaves octets unread resets the connection, too."""
    async with connect(ReadHead(), Read(10), end) as w:
        with pytest.raises(ClientOSError) as caught:
            await w.connection.exchange(POST, Body([bytes(MIB)] * 8, 8 * MIB))
        assert isinstance(caught.value.__cause__, ConnectionError)
        await w.closed()


async def test_a_body_that_waits_for_a_peer_is_released_when_the_connection_goes(
    connect: Connect,
) -> None:
    """The transport that would have called `resume_writing` is gone."""
    async with connect(ReadHead(), Stall(reading=False)) as w:
        exchanging = asyncio.ensure_future(w.connection.exchange(POST, bytes(4 * MIB)))
        await turns()
        assert not exchanging.done()
        w.end.lose(OSError(32, "Broken pipe"))
        with pytest.raises(ClientOSError):
            await exchanging
        await w.closed()


async def test_a_cancelled_exchange_takes_its_body_along(connect: Connect) -> None:
    """I10."""
    async with connect(ReadHead()) as w:
        slow = Slow()
        exchanging = asyncio.ensure_future(w.connection.exchange(POST, slow))
        await turns()
        exchanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await exchanging
        await w.closed()
        await turns()
        assert slow.closed


def test_a_deadline_under_a_body_takes_it_along(connect: Connect) -> None:
    """I10: a body that never comes is within the deadline as well."""

    async def main() -> None:
        async with connect(ReadHead()) as w:
            slow = Slow()
            with pytest.raises(TimeoutError):
                await w.connection.exchange(POST, slow, deadline=Deadline.after(5))
            await w.closed()
            await turns()
            assert slow.closed

    run_with_fake_clock(main())


async def test_a_peer_that_sends_no_octet_of_http_ends_the_body(connect: Connect) -> None:
    """H5: its error is what the caller sees, and not that of the body."""
    async with connect(ReadHead(), Send(b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n")) as w:
        slow = Slow()
        with pytest.raises(BadStatusLine):
            await w.connection.exchange(POST, slow)
        await w.closed()
        await turns()
        assert slow.closed
