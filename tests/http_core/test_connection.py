"""`HTTP1Connection`: exchanges from their request to a free connection (I3 to I8, B1, B13, B25)."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from wayfare_http_core import (
    ClientConnectionError,
    ContentEncodingError,
    ExchangeOptions,
    FieldBlock,
    LineTooLong,
    RequestHead,
    UnsupportedCodings,
    make_decoder,
)
from wayfare_http_core.aio import Deadline, HTTP1Connection
from wayfare_http_core.testing import (
    CloseWrite,
    Fin,
    ReadRequest,
    ScriptedPeer,
    Send,
    memory_pair,
)

Connect = Callable[..., AbstractAsyncContextManager[Any]]

GET = RequestHead("GET", "http", "h", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


def head(method: str = "GET", **fields: str) -> RequestHead:
    return RequestHead(method, "http", "h", "/", FieldBlock(fields))


# --- One exchange after the other.


async def test_a_whole_response_frees_the_connection_before_the_caller_wakes(
    connect: Connect,
) -> None:
    async with connect(ReadRequest(), Send(OK), ReadRequest(), Send(OK)) as w:
        for number in (1, 2):
            assert w.connection.available_exchanges == 1
            exchanging = asyncio.ensure_future(w.connection.exchange(GET))
            await asyncio.sleep(0)
            assert w.connection.available_exchanges == 0
            exchange = await exchanging
            assert w.owner.told == ["idle"] * number
            assert exchange.head.status == 200
            assert exchange.is_complete
            assert exchange.is_over
            assert not exchange.trailers
            assert exchange.take_whole() == b"ok"
            assert exchange.take_whole() is None
            assert await exchange.content.read() == b""
            exchange.abort()
            exchange.discard()
            assert w.connection.available_exchanges == 1
        assert [request.target for request in w.peer.requests] == ["/", "/"]


async def test_the_content_of_a_whole_response_is_a_stream_for_who_asks(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(OK)) as w:
        exchange = await w.connection.exchange(GET)
        assert exchange.content is exchange.content
        assert exchange.take_whole() is None
        assert await exchange.content.read() == b"ok"


async def test_a_response_that_comes_in_pieces_frees_the_connection_with_its_last_octet(
    connect: Connect,
) -> None:
    async with connect(ReadRequest(), Send(BEGUN + b"01234")) as w:
        exchange = await w.connection.exchange(GET)
        assert exchange.take_whole() is None
        assert not exchange.is_complete
        assert not exchange.is_over
        assert await exchange.content.readany() == b"01234"
        assert w.owner.told == []
        w.peer.write(b"56789")
        assert await exchange.content.read() == b"56789"
        assert w.owner.told == ["idle"]
        assert exchange.is_complete
        assert exchange.is_over


async def test_trailers_are_given_once_the_content_ended(connect: Connect) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n"
    async with connect(ReadRequest(), Send(chunked)) as w:
        exchange = await w.connection.exchange(GET)
        assert await exchange.content.read() == b"ok"
        assert list(exchange.trailers.items()) == [("A", "b")]
        assert w.connection.available_exchanges == 1


@pytest.mark.parametrize(
    ("method", "response"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ],
)
async def test_a_response_without_content_is_complete_with_its_head(
    connect: Connect, method: str, response: bytes
) -> None:
    """B1."""
    async with connect(ReadRequest(), Send(response)) as w:
        exchange = await w.connection.exchange(head(method))
        assert exchange.is_complete
        assert exchange.take_whole() == b""
        assert w.connection.available_exchanges == 1


@pytest.mark.parametrize("together", [True, False])
async def test_informational_responses_are_passed_over(connect: Connect, together: bool) -> None:
    """H7: whether they come by themselves or with the final one."""
    early = [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]
    pieces = [b"".join(early) + OK] if together else [*early, OK]
    async with connect(ReadRequest(), *map(Send, pieces)) as w:
        exchange = await w.connection.exchange(GET)
        assert exchange.head.status == 200
        assert await exchange.content.read() == b"ok"
        assert w.owner.told == ["idle"]


async def test_octets_may_come_either_way(connect: Connect) -> None:
    """A loop fills the buffer; pipes and memory transports of others call `data_received`."""
    async with connect() as w:
        for feed in (w.connection.data_received, lambda data: fill(w.connection, data)):
            exchanging = asyncio.ensure_future(w.connection.exchange(GET))
            await asyncio.sleep(0)
            feed(OK)
            assert (await exchanging).take_whole() == b"ok"


def fill(connection: HTTP1Connection, data: bytes) -> None:
    buffer = connection.get_buffer(-1)
    buffer[: len(data)] = data
    connection.buffer_updated(len(data))


async def test_all_connections_of_a_loop_receive_into_one_memoryview(connect: Connect) -> None:
    async with connect() as one, connect() as other:
        buffer = one.connection.get_buffer(100)
        assert isinstance(buffer, memoryview)
        assert len(buffer) == 256 * 1024
        assert other.connection.get_buffer(100) is buffer


async def test_a_connection_needs_no_owner() -> None:
    connection = HTTP1Connection()
    peer = ScriptedPeer([ReadRequest(), Send(OK)])
    memory_pair(connection, peer)
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="not a token"):
        await connection.exchange(RequestHead("G T", "http", "h", "/"))
    assert (await connection.exchange(GET)).is_complete
    assert connection.available_exchanges == 1
    connection.close()
    await connection.wait_closed()
    await peer.wait_closed()


async def test_what_a_connection_says_of_itself(connect: Connect) -> None:
    async with connect() as w:
        assert repr(w.connection) == "<HTTP1Connection free, peer ('b', 2)>"
        assert w.connection.facts.peername == ("b", 2)
        assert w.connection.facts.sockname == ("a", 1)
        assert w.connection.facts.tls_version is None
    assert repr(w.connection) == "<HTTP1Connection closed and gone, peer ('b', 2)>"
    assert w.connection.facts.peername == ("b", 2)


# --- When no exchange can start.


async def test_one_exchange_at_a_time(connect: Connect) -> None:
    async with connect(ReadRequest()) as w:
        first = asyncio.ensure_future(w.connection.exchange(GET))
        await w.sent(1)
        with pytest.raises(RuntimeError, match="busy with another exchange"):
            await w.connection.exchange(GET)
        w.peer.write(OK)
        assert (await first).is_complete


async def test_no_exchange_before_or_after_the_connection(connect: Connect) -> None:
    unconnected = HTTP1Connection()
    assert unconnected.available_exchanges == 0
    with pytest.raises(RuntimeError, match="no exchange can start"):
        await unconnected.exchange(GET)
    async with connect() as w:
        w.connection.close()
        assert w.connection.available_exchanges == 0
        with pytest.raises(RuntimeError, match="closed"):
            await w.connection.exchange(GET)


async def test_a_closing_transport_has_no_exchange(connect: Connect) -> None:
    async with connect() as w:
        w.end.close()
        assert w.connection.available_exchanges == 0


@pytest.mark.parametrize(
    "wrong",
    [
        RequestHead("G T", "http", "h", "/"),
        RequestHead("GET", "http", "h", "/ x"),
        head(**{"Content-Length": "5"}),
        RequestHead("GET", "http", "h", "/", FieldBlock([("Host", "a"), ("host", "b")])),
    ],
)
@pytest.mark.parametrize("seconds", [None, 10.0])
async def test_a_request_that_cannot_be_sent_leaves_the_connection_as_it_was(
    connect: Connect, wrong: RequestHead, seconds: float | None
) -> None:
    """R1, R3, R7, R8: nothing was written, so it is offered again."""
    async with connect(ReadRequest(), Send(OK)) as w:
        with pytest.raises(ValueError, match=r".+"):
            await w.connection.exchange(wrong, deadline=Deadline.after(seconds))
        assert w.owner.told == ["idle"]
        assert w.peer.received == b""
        assert (await w.connection.exchange(GET)).is_complete


# --- Whether the connection is used again.


@pytest.mark.parametrize(
    ("response", "again"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: ClOsE\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: a, close\r\nContent-Length: 0\r\n\r\n", False),
        (
            b"HTTP/1.1 200 OK\r\nConnection: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            False,
        ),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: not-close\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nProxy-Connection: close\r\nContent-Length: 0\r\n\r\n", True),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
async def test_what_the_response_says_of_the_connection(
    connect: Connect, response: bytes, again: bool, whole: bool
) -> None:
    """I7, I8."""
    pieces = [response] if whole else [response[:-1], response[-1:]]
    async with connect(ReadRequest(), *map(Send, pieces)) as w:
        exchange = await w.connection.exchange(GET)
        assert exchange.is_complete
        assert w.owner.told == (["idle"] if again else ["retired"])
        if not again:
            await w.closed()


@pytest.mark.parametrize(
    ("value", "again"), [("close", False), ("TE, Close", False), ("closed", True), ("TE", True)]
)
async def test_what_the_request_says_of_the_connection(
    connect: Connect, value: str, again: bool
) -> None:
    """I7, I8: who asked for the end ends the connection, whatever the server thinks."""
    async with connect(ReadRequest(), Send(OK), ReadRequest(), Send(OK)) as w:
        assert (await w.connection.exchange(head(Connection=value))).is_complete
        assert w.owner.told == (["idle"] if again else ["retired"])
        if again:  # and the next request does not inherit it
            assert (await w.connection.exchange(GET)).is_complete
            assert w.owner.told == ["idle", "idle"]


async def test_octets_before_any_request_end_the_connection(connect: Connect) -> None:
    """I3: they must not become the first response."""
    async with connect(Send(OK)) as w:
        await w.closed()
        with pytest.raises(RuntimeError):
            await w.connection.exchange(GET)


async def test_octets_on_a_free_connection_end_it(connect: Connect) -> None:
    """I4."""
    async with connect(ReadRequest(), Send(OK)) as w:
        await w.connection.exchange(GET)
        assert w.owner.told == ["idle"]
        w.peer.write(OK)
        await w.closed()


async def test_of_two_responses_at_once_the_second_goes_with_the_connection(
    connect: Connect,
) -> None:
    """I5, B14."""
    async with connect(ReadRequest(), Send(OK + OK)) as w:
        exchange = await w.connection.exchange(GET)
        assert exchange.take_whole() == b"ok"
        assert w.owner.told == ["retired"]
        await w.closed()


@pytest.mark.parametrize("together", [True, False])
async def test_one_crlf_after_a_response_is_tolerated(connect: Connect, together: bool) -> None:
    """I6."""
    pieces = [OK + b"\r\n"] if together else [OK, b"\r", b"\n"]
    async with connect(ReadRequest(), *map(Send, pieces), ReadRequest(), Send(OK)) as w:
        assert (await w.connection.exchange(GET)).is_complete
        for _ in range(10):
            await asyncio.sleep(0)
        assert w.connection.available_exchanges == 1
        assert (await w.connection.exchange(GET)).take_whole() == b"ok"


@pytest.mark.parametrize("surplus", [b"\n", b" ", b"\r\n\r\n", b"\r\nX", b"\0"])
async def test_nothing_else_after_a_response_is_tolerated(connect: Connect, surplus: bytes) -> None:
    """I6."""
    async with connect(ReadRequest(), Send(OK), Send(surplus)) as w:
        assert (await w.connection.exchange(GET)).is_complete
        await w.closed()


async def test_the_end_of_a_free_connection_retires_it(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(OK), Fin()) as w:
        assert (await w.connection.exchange(GET)).is_complete
        await w.closed()
        assert w.owner.told == ["idle", "retired", "lost"]


async def test_the_end_of_the_connection_ends_content_without_a_length(connect: Connect) -> None:
    """B15: and the connection is not used again, though only one half is closed."""
    response = b"HTTP/1.1 200 OK\r\n\r\nall of it"
    async with connect(ReadRequest(), Send(response), CloseWrite()) as w:
        exchange = await w.connection.exchange(GET)
        assert await exchange.content.read() == b"all of it"
        assert exchange.is_complete
        await w.closed()
        assert w.owner.told == ["retired", "lost"]


# --- Reading no faster than the reader.


async def test_reading_stops_and_goes_on_with_the_reader(connect: Connect) -> None:
    """B27: the marks are those of the exchange."""
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 30
    async with connect(ReadRequest(), Send(response)) as w:
        exchange = await w.connection.exchange(GET, options=ExchangeOptions(read_limit=10))
        assert not w.end.is_reading()
        await exchange.content.read(19)
        assert not w.end.is_reading()
        await exchange.content.read(1)
        assert w.end.is_reading()
        w.peer.write(b"y" * 70)
        assert await exchange.content.readexactly(80) == b"x" * 10 + b"y" * 70
        assert w.connection.available_exchanges == 1
        assert w.end.is_reading()


async def test_a_response_that_ends_unread_lets_the_connection_go_on(connect: Connect) -> None:
    """The octets wait in their stream; the connection is the next exchange's."""
    async with connect(ReadRequest(), Send(BEGUN), ReadRequest(), Send(OK)) as w:
        options = ExchangeOptions(read_limit=1)
        exchange = await w.connection.exchange(GET, options=options)
        w.peer.write(b"0123456789")
        while not exchange.is_complete:
            await asyncio.sleep(0)
        assert w.end.is_reading()
        assert (await w.connection.exchange(GET)).is_complete
        assert await exchange.content.read() == b"0123456789"


async def test_a_whole_response_beyond_the_marks_does_not_stop_the_connection(
    connect: Connect,
) -> None:
    """The connection is free when somebody first asks for the stream; its limit is that of the exchange."""
    content = b"x" * 100
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + content
    async with connect(ReadRequest(), Send(response), ReadRequest(), Send(OK)) as w:
        exchange = await w.connection.exchange(GET, options=ExchangeOptions(read_limit=10))
        stream = exchange.content
        assert w.end.is_reading()
        with pytest.raises(LineTooLong) as caught:
            await stream.readline()
        assert caught.value.limit == 20
        assert (await w.connection.exchange(GET)).is_complete
        assert await stream.read() == content


async def test_the_reader_may_outlive_the_connection(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(BEGUN + b"012345")) as w:
        exchange = await w.connection.exchange(GET, options=ExchangeOptions(read_limit=2))
        w.connection.abort()
        await w.connection.wait_closed()
        w.connection.pause_reading()
        w.connection.resume_reading()
        assert await exchange.content.readany() == b"012345"
        with pytest.raises(ClientConnectionError, match="closed while the exchange was under way"):
            await exchange.content.readany()


# --- Corrupt content.


@pytest.mark.parametrize("whole", [True, False])
async def test_corrupt_content_ends_the_trust_in_its_connection(
    connect: Connect, whole: bool
) -> None:
    """Whether it is free by then, or still receives, which nobody waits for."""
    gzip = make_decoder(["gzip"])
    assert gzip is not None
    assert not isinstance(gzip, UnsupportedCodings)
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" + b"no gzip, " * 4
    pieces = [response + b"none"] if whole else [response]
    async with connect(ReadRequest(), *map(Send, pieces)) as w:
        exchange = await w.connection.exchange(GET)
        exchange.content.decode_with(gzip)
        with pytest.raises(ContentEncodingError):
            await exchange.content.read()
        assert w.owner.told == (["idle", "retired"] if whole else ["retired"])
        await w.closed()
        assert w.owner.told == (["idle", "retired", "lost"] if whole else ["retired", "lost"])


async def test_corrupt_content_that_is_read_late_lets_the_next_exchange_end(
    connect: Connect,
) -> None:
    gzip = make_decoder(["gzip"])
    assert gzip is not None
    assert not isinstance(gzip, UnsupportedCodings)
    async with connect(ReadRequest(), Send(OK), ReadRequest()) as w:
        first = await w.connection.exchange(GET)
        first.content.decode_with(gzip)
        second = asyncio.ensure_future(w.connection.exchange(GET))
        await w.sent(2)
        with pytest.raises(ContentEncodingError):
            await first.content.read()
        w.peer.write(OK)
        assert (await second).is_complete
        await w.closed()
        assert w.owner.told == ["idle", "retired", "lost"]


# --- Closing.


@pytest.mark.parametrize("end", [HTTP1Connection.close, HTTP1Connection.abort])
async def test_closing_breaks_what_is_under_way(
    connect: Connect, end: Callable[[HTTP1Connection], None]
) -> None:
    async with connect(ReadRequest()) as w:
        exchanging = asyncio.ensure_future(w.connection.exchange(GET))
        await w.sent(1)
        end(w.connection)
        end(w.connection)
        assert w.owner.told == ["retired"]
        with pytest.raises(ClientConnectionError, match="closed while the exchange was under way"):
            await exchanging
        await w.closed()
        end(w.connection)
        assert w.owner.told == ["retired", "lost"]


async def test_an_exchange_can_be_given_up_with_its_connection(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(BEGUN + b"0123")) as w:
        exchange = await w.connection.exchange(GET)
        exchange.abort()
        exchange.abort()
        assert exchange.is_over
        assert not exchange.is_complete
        assert await exchange.content.readany() == b"0123"
        with pytest.raises(ClientConnectionError):
            await exchange.content.readany()
        await w.closed()


async def test_closing_sends_first_what_was_written(connect: Connect) -> None:
    """And aborting does not."""
    head = RequestHead("GET", "http", "h", "/" + 200_000 * "x")
    for end, complete in ((HTTP1Connection.close, True), (HTTP1Connection.abort, False)):
        async with connect() as w:
            exchanging = asyncio.ensure_future(w.connection.exchange(head))
            await asyncio.sleep(0)
            end(w.connection)
            await w.connection.wait_closed()
            with pytest.raises(ClientConnectionError):
                await exchanging
            for _ in range(20):
                await asyncio.sleep(0)
            assert (len(w.peer.received) > 200_000) is complete


async def test_any_number_of_tasks_wait_for_the_closing(connect: Connect) -> None:
    """A cancelled one disturbs neither the others nor the closing."""
    async with connect() as w:
        waiting = [asyncio.ensure_future(w.connection.wait_closed()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
        assert not waiting[1].done()
        w.connection.close()
        await asyncio.gather(*waiting[1:])
        await w.connection.wait_closed()
        assert w.owner.told == ["retired", "lost"]


async def test_what_was_never_connected_is_closed() -> None:
    connection = HTTP1Connection()
    await connection.wait_closed()
    connection.abort()
    connection.close()
    with pytest.raises(RuntimeError, match="closed"):
        await connection.exchange(GET)
