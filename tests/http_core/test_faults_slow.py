"""Peers that are slow, silent or half gone, after every octet (F4, F5, F6, O1, O2)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from wayfare_http_core import (
    ExchangeOptions,
    FieldBlock,
    FirstByteTimeoutError,
    ReadTimeoutError,
    RequestHead,
    ServerDisconnectedError,
    SocketTimeoutError,
)
from wayfare_http_core.aio import Deadline, HTTP1Connection
from wayfare_http_core.testing import (
    CANONICAL_RESPONSES,
    Action,
    CanonicalResponse,
    CloseWrite,
    Drip,
    Fin,
    Read,
    ReadHead,
    ReadRequest,
    Send,
    Stall,
    Wait,
    run_with_fake_clock,
)

Connect = Callable[..., AbstractAsyncContextManager[Any]]

GET = RequestHead("GET", "http", "h", "/")
POST = RequestHead("POST", "http", "h", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

each_response = pytest.mark.parametrize(
    "response",
    [response for response in CANONICAL_RESPONSES if not response.tunnel],
    ids=lambda response: response.name,
)


def request_for(response: CanonicalResponse) -> RequestHead:
    return RequestHead(response.method, "http", "h", "/", FieldBlock())


async def read(
    connection: HTTP1Connection,
    head: RequestHead,
    options: ExchangeOptions,
    total: float | None = None,
) -> bytes:
    """The whole content, as a session reads it."""
    deadline = Deadline.after(total)
    exchange = await connection.exchange(head, None, options, deadline)
    if total is not None:
        limit = None if options.read_timeout is None else (options.read_timeout, TimeoutError)
        exchange.content.set_timeouts(deadline, limit)
    return await exchange.content.read()


# --- Slow.


@each_response
def test_f4_an_octet_at_a_time_is_slow_and_no_fault(
    connect: Connect, response: CanonicalResponse
) -> None:
    """Each comes just before the read timeout. (Of a chunked body, a reader waits for whole framing as well.)"""

    async def main() -> None:
        slow: list[Action] = [ReadRequest()]
        size = response.head_end if b"chunked" in response.data else 400
        for octet in response.data[:size]:
            slow += [Wait(0.99), Send(bytes([octet]))]
        slow += [Send(response.data[size:])] if len(response.data) > size else []
        slow += [Fin()] if response.until_close else [Stall()]
        async with connect(*slow) as w:
            content = await read(
                w.connection,
                request_for(response),
                ExchangeOptions(read_timeout=1, first_byte_timeout=1),
            )
            assert len(content) == len(response.content) or response.coding

    run_with_fake_clock(main())


@each_response
def test_o2_the_total_time_ends_a_slow_response(
    connect: Connect, response: CanonicalResponse
) -> None:
    """F4: to the moment, wherever it is."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        slow: list[Action] = [ReadRequest()]
        for octet in response.data[:60]:
            slow += [Wait(0.99), Send(bytes([octet]))]
        async with connect(*slow, Stall()) as w:
            start = loop.time()
            seconds = min(len(response.data), 60) * 0.99 - 0.5
            with pytest.raises(TimeoutError) as caught:
                await read(
                    w.connection, request_for(response), ExchangeOptions(read_timeout=1), seconds
                )
            assert not isinstance(caught.value, SocketTimeoutError)
            assert loop.time() - start == pytest.approx(seconds)
            await w.closed()

    run_with_fake_clock(main())


# --- Silent.


@each_response
def test_f5_a_response_that_stops_after_any_octet(
    connect: Connect, response: CanonicalResponse
) -> None:
    """O1: the error says which timeout it was, and comes when that is over."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        options = ExchangeOptions(read_timeout=3, first_byte_timeout=2)
        for offset in response.offsets()[:: 1 if len(response.data) < 4096 else 7]:
            if response.is_complete(offset, closed=False):
                continue
            script = [ReadRequest(), Wait(1)]
            script += [Send(response.data[:offset])] if offset else []
            async with connect(*script, Stall()) as w:
                start = loop.time()
                with pytest.raises(ReadTimeoutError if offset else FirstByteTimeoutError):
                    await read(w.connection, request_for(response), options)
                assert loop.time() - start == pytest.approx(4 if offset else 2)
                await w.closed()

    run_with_fake_clock(main())


# --- Half gone.


class Slow:
    """A body that is not through when the answer comes."""

    content_type = None
    replayable = False

    def __init__(self, length: int | None) -> None:
        self.length = length
        self.closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            yield b"abc"
            await asyncio.sleep(1000)
        finally:
            self.closed = True


@each_response
@pytest.mark.parametrize("apart", [False, True])
async def test_f6_a_response_before_the_end_of_what_the_peer_sends(
    connect: Connect, response: CanonicalResponse, apart: bool
) -> None:
    """Whether its FIN comes with the last octet or after it. asyncio closes at FIN, so nothing can be sent any more."""
    sending: list[Action] = [Send(response.data)]
    if apart:
        sending = [Drip(response.data, max(1, len(response.data) // 3))]
    async with connect(ReadRequest(), *sending, CloseWrite(), Read(1000)) as w:
        exchange = await w.connection.exchange(request_for(response))
        assert exchange.head.status == response.status
        content = await exchange.content.read()
        assert len(content) == len(response.content) or response.coding
        await w.closed()


@pytest.mark.parametrize("length", [None, 10])
@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
    ids=["length", "until close", "chunked"],
)
async def test_f6_a_response_and_its_end_during_an_upload(
    connect: Connect, length: int | None, answer: bytes
) -> None:
    """I2: the response counts, and the body is given up."""
    async with connect(ReadHead(), Send(answer), CloseWrite(), Read(1000)) as w:
        body = Slow(length)
        exchange = await w.connection.exchange(POST, body)
        assert await exchange.content.read() == b"ok"
        await w.closed()
        await asyncio.sleep(0)
        assert body.closed


@pytest.mark.parametrize("body", [None, b"abc", Slow(None)], ids=["get", "post", "upload"])
async def test_f6_an_end_before_the_response(connect: Connect, body: Any) -> None:
    """A peer that sends no more sends no response, whatever it still reads."""
    async with connect(ReadHead(), CloseWrite(), Read(1000)) as w:
        with pytest.raises(ServerDisconnectedError):
            await w.connection.exchange(POST, body)
        await w.closed()


def test_f6_content_that_waits_for_its_reader_survives_the_end(connect: Connect) -> None:
    """Nothing is read while the reader is behind, the end neither."""

    async def main() -> None:
        content = bytes(3 * 1024 * 1024)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content)
        async with connect(ReadRequest(), Send(answer + content), CloseWrite()) as w:
            options = ExchangeOptions(read_limit=1024, read_timeout=5)
            exchange = await w.connection.exchange(GET, options=options)
            received = b""
            while piece := await exchange.content.read(100_000):
                received += piece
                await asyncio.sleep(10)
            assert received == content

    run_with_fake_clock(main())
