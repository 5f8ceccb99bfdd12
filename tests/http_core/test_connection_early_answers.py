"""`HTTP1Connection`: responses that come before the end of their request's body (I1, I2)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from wayfare_http_core import (
    ExchangeOptions,
    FieldBlock,
    RequestHead,
    UploadAbortedError,
)
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    Fin,
    ReadHead,
    ReadRequest,
    ScriptedPeer,
    Send,
    memory_pair,
)

from .test_connection_upload import (
    GET,
    MIB,
    OK,
    POST,
    Body,
    Connect,
    Slow,
    response,
    turns,
)


@pytest.mark.parametrize("status", [400, 413, 500])
async def test_an_early_error_stops_the_body_and_the_connection_is_not_used_again(
    connect: Connect, status: int
) -> None:
    """I1: the peer still waits for the rest and would take the next request for it."""
    async with connect(ReadHead(), Send(response(status))) as w:
        slow = Slow()
        exchange = await w.connection.exchange(POST, slow)
        assert exchange.head.status == status
        await turns()
        assert slow.closed
        w.peer.write(b"no")
        assert await exchange.content.read() == b"no"
        assert exchange.is_complete
        await w.closed()
        assert w.owner.told == ["retired", "lost"]


async def test_an_early_error_counts_also_where_the_body_does_not_stop_well(
    connect: Connect,
) -> None:
    """I2: it was stopped by us, so what it raises then must not break the response."""

    class Stubborn(Slow):
        async def chunks(self) -> AsyncIterator[bytes]:
            try:
                yield b"abc"
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError as exc:
                self.closed = True
                raise LookupError("stopped") from exc

    async with connect(ReadHead(), Send(response(413))) as w:
        body = Stubborn()
        exchange = await w.connection.exchange(POST, body)
        await turns()
        assert body.closed
        w.peer.write(b"no")
        assert await exchange.content.read() == b"no"
        await w.closed()


@pytest.mark.parametrize(
    ("status", "field", "reason"),
    [
        (
            200,
            b"Connection: close",
            "the server answered 200 before its end, and closes the connection",
        ),
        (
            307,
            b"Connection: close",
            "the server answered 307 before its end, and closes the connection",
        ),
        (
            413,
            b"Connection: close",
            "the server answered 413 before its end, and closes the connection",
        ),
        (413, b"X: y", "the server answered 413 before its end"),
    ],
)
async def test_an_early_response_that_ends_the_connection_stops_the_body(
    connect: Connect, status: int, field: bytes, reason: str
) -> None:
    """I1: whatever its status; whoever waits for the body's end is told why there is none."""
    ended: list[UploadAbortedError | None] = []
    async with connect(ReadHead(), Send(response(status, field))) as w:
        slow = Slow()
        options = ExchangeOptions(on_upload_end=ended.append)
        exchange = await w.connection.exchange(POST, slow, options)
        assert [str(error) for error in ended] == [
            f"the body was given up after 0 octets: {reason}"
        ]
        await turns()
        assert slow.closed
        w.peer.write(b"ok")
        assert await exchange.content.read() == b"ok"
        await w.closed()


async def test_an_early_success_lets_the_body_go_on(connect: Connect) -> None:
    """I1: both directions end well, and the connection is used again."""
    script = [ReadHead(), Send(response(200)), ReadRequest(), Send(b"ok"), ReadRequest(), Send(OK)]
    async with connect(*script) as w:
        slow = Slow()
        exchange = await w.connection.exchange(POST, slow)
        for piece in (b"abc", b"def", None):
            slow.queue.put_nowait(piece)
        assert await exchange.content.read() == b"ok"
        assert w.peer.requests[0].body == b"abcdef"
        assert w.owner.told == ["idle"]
        assert (await w.connection.exchange(GET)).is_complete


async def test_informational_responses_do_not_stop_the_body(connect: Connect) -> None:
    """H9."""
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"
    async with connect(ReadHead(), Send(early), ReadRequest(), Send(OK)) as w:
        slow = Slow(3)
        exchanging = asyncio.ensure_future(w.connection.exchange(POST, slow))
        await turns()
        slow.queue.put_nowait(b"abc")
        slow.queue.put_nowait(None)
        assert (await exchanging).is_complete
        assert w.peer.requests[0].body == b"abc"
        assert w.owner.told == ["idle"]


@pytest.mark.parametrize("status", [200, 413])
async def test_a_response_that_is_complete_before_the_body_ends_the_connection(
    connect: Connect, status: int
) -> None:
    """I1, I10: the response counts all the same."""
    ended: list[UploadAbortedError | None] = []
    async with connect(ReadHead(), Send(response(status) + b"ok")) as w:
        slow = Slow()
        options = ExchangeOptions(on_upload_end=ended.append)
        exchange = await w.connection.exchange(POST, slow, options)
        assert await exchange.content.read() == b"ok"
        assert exchange.is_complete
        await w.closed()
        await turns()
        assert slow.closed
        assert "before its end" in str(ended[0])
        assert w.owner.told == ["retired", "lost"]


@pytest.mark.parametrize("length", [0, 5])
async def test_a_body_of_known_length_is_whole_before_its_iterator_ends(
    connect: Connect, length: int
) -> None:
    """I1: nothing of the request is missing, so the connection can be used again."""
    ended: list[UploadAbortedError | None] = []
    async with connect() as w:
        slow = Slow(length)
        slow.queue.put_nowait(bytes(length))
        options = ExchangeOptions(on_upload_end=ended.append)
        exchanging = asyncio.ensure_future(w.connection.exchange(POST, slow, options))
        await turns()
        w.peer.write(OK)
        assert await (await exchanging).content.read() == b"ok"
        await turns()
        assert (ended, slow.closed, w.owner.told) == ([None], True, ["idle"])


LONG = RequestHead("GET", "http", "h", "/" + 100_000 * "a")
FIELD = RequestHead("GET", "http", "h", "/", FieldBlock({"X-Long": 100_000 * "a"}))


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (LONG, None),
        (FIELD, None),
        (POST, bytes(64 * 1024)),
        (POST, bytes(65 * 1024)),
        (POST, Body([bytes(65 * 1024)], 65 * 1024)),
    ],
    ids=["path", "field", "joined", "bytes", "body"],
)
@pytest.mark.parametrize("early", [True, False])
async def test_a_connection_with_unsent_octets_of_a_request_is_not_used_again(
    connect: Connect, head: RequestHead, body: bytes | Body | None, early: bool
) -> None:
    """I1: the next request would stand behind octets that the peer may never take."""
    async with connect() as w:
        if early:
            w.peer.transport.pause_reading()
        exchanging = asyncio.ensure_future(w.connection.exchange(head, body))
        await turns()
        assert (w.end.get_write_buffer_size() > 0) is early
        w.peer.write(OK)
        assert await (await exchanging).content.read() == b"ok"
        await turns()
        assert w.owner.told == (["retired", "lost"] if early else ["idle"])


@pytest.mark.parametrize("whole", [True, False])
async def test_a_transport_that_takes_little_is_asked_as_well(whole: bool) -> None:
    """I1: it said that it has enough to send, however small the request."""
    connection = HTTP1Connection()
    peer = ScriptedPeer([])
    end, _ = memory_pair(connection, peer, capacity=10)
    end.set_write_buffer_limits(high=0)
    await turns(1)
    peer.transport.pause_reading()
    exchanging = asyncio.ensure_future(connection.exchange(GET))
    await turns()
    for piece in [OK] if whole else [OK[:-1], OK[-1:]]:
        connection.data_received(piece)
    assert (await (await exchanging).content.read()) == b"ok"
    await connection.wait_closed()
    peer.transport.abort()
    await peer.wait_closed()


async def test_a_response_before_the_end_of_the_connection_is_given(connect: Connect) -> None:
    """I2: the peer answers, closes, and leaves our octets unread."""
    answer = response(413, b"Connection: close") + b"no"
    async with connect(ReadHead(), Send(answer), Fin()) as w:
        exchange = await w.connection.exchange(POST, bytes(MIB))
        assert exchange.head.status == 413
        assert await exchange.content.read() == b"no"
        await w.closed()


async def test_a_response_that_is_given_up_takes_its_body_along(connect: Connect) -> None:
    """B29: a rest that would have to be sent first is not waited for."""
    async with connect(ReadHead(), Send(response(200))) as w:
        slow = Slow()
        exchange = await w.connection.exchange(POST, slow)
        exchange.discard()
        await w.closed()
        await turns()
        assert slow.closed
