"""`HTTP1Connection`: a body that waits until the server asks for it (R15, I10; RFC 9110 section 10.1.1)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from wayfare_http_core import (
    BadHttpMessage,
    ClientError,
    ExchangeOptions,
    FieldBlock,
    ReadTimeoutError,
    RequestBody,
    RequestHead,
    ServerDisconnectedError,
    UploadAbortedError,
)
from wayfare_http_core.aio import Deadline
from wayfare_http_core.aio._outgoing import prepare_request
from wayfare_http_core.testing import (
    Action,
    Call,
    Fin,
    ReadHead,
    ReadRequest,
    Reset,
    ScriptedPeer,
    Send,
    Stall,
    Wait,
    run_with_fake_clock,
)

Connect = Callable[..., AbstractAsyncContextManager[Any]]

POST = RequestHead("POST", "http", "h", "/", FieldBlock({"Expect": "100-continue", "X": "y"}))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"


class Body:
    """A body that knows whether it was asked for, from an asynchronous generator."""

    content_type = None
    replayable = False

    def __init__(self, length: int | None = 3) -> None:
        self.length = length
        self.asked = False

    async def chunks(self) -> AsyncIterator[bytes]:
        self.asked = True
        yield b"abc"[: self.length]


def headers_only(peer: ScriptedPeer) -> None:
    assert peer.received.endswith(b"\r\n\r\n")


BODIES = [b"abc", Body(), Body(None), bytes(200_000)]


@pytest.mark.parametrize("body", BODIES, ids=["bytes", "body", "chunked", "large"])
@pytest.mark.parametrize("hints", [b"", EARLY_HINTS], ids=["", "103"])
def test_r15_the_body_is_sent_when_the_server_asks_for_it(
    connect: Connect, body: Any, hints: bytes
) -> None:
    """And not for another informational response. The connection is used again."""

    async def main() -> None:
        script: list[Action] = [ReadHead()]
        if hints:
            script += [Send(hints)]
        script += [Wait(0.9), Call(headers_only), Send(CONTINUE), ReadRequest(), Send(OK)]
        async with connect(*script, ReadRequest(), Send(OK)) as w:
            start = asyncio.get_running_loop().time()
            exchange = await w.connection.exchange(POST, body)
            assert await exchange.content.read() == b"ok"
            assert asyncio.get_running_loop().time() - start == pytest.approx(0.9)
            assert w.peer.requests[0].body == (body if isinstance(body, bytes) else b"abc")
            assert w.owner.told == ["idle"]
            assert (await w.connection.exchange(RequestHead("GET", "http", "h", "/"))).is_complete

    run_with_fake_clock(main())


@pytest.mark.parametrize(("seconds", "after"), [(1.0, 1), (5.0, 5), (0.0, 0)])
def test_r15_a_silent_server_is_sent_the_body_all_the_same(
    connect: Connect, seconds: float, after: float
) -> None:
    """It may not know the field. A 100 that comes late changes nothing."""

    async def main() -> None:
        script = [ReadHead(), ReadRequest(), Send(CONTINUE + OK)]
        async with connect(*script) as w:
            start = asyncio.get_running_loop().time()
            options = ExchangeOptions(expect_timeout=seconds)
            exchange = await w.connection.exchange(POST, b"abc", options)
            assert await exchange.content.read() == b"ok"
            assert asyncio.get_running_loop().time() - start == pytest.approx(after)
            assert w.owner.told == ["idle"]

    assert ExchangeOptions().expect_timeout == 1.0
    run_with_fake_clock(main())


@pytest.mark.parametrize("status", [b"417 Expectation Failed", b"413 Too Large", b"200 OK"])
@pytest.mark.parametrize("length", [0, 2])
async def test_r15_a_final_response_first_and_the_body_is_not_sent(
    connect: Connect, status: bytes, length: int
) -> None:
    """The peer would take the next request for the body, so the connection goes (RFC 9110 section 10.1.1)."""
    ended: list[UploadAbortedError | None] = []
    answer = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, length, b"no"[:length])
    body = Body()
    async with connect(ReadHead(), Send(answer)) as w:
        options = ExchangeOptions(on_upload_end=ended.append)
        exchange = await w.connection.exchange(POST, body, options)
        assert exchange.head.status == int(status[:3])
        assert await exchange.content.read() == b"no"[:length]
        await w.closed()
        headers_only(w.peer)
        assert not body.asked
        assert w.owner.told == ["retired", "lost"]
        reason = f"the server answered {int(status[:3])} before its end"
        assert str(ended[0]) == f"the body was given up after 0 of 3 octets: {reason}"


@pytest.mark.parametrize("body", [None, b"", Body(0)], ids=["none", "bytes", "body"])
async def test_r15_nothing_is_expected_without_content(
    connect: Connect, body: RequestBody | bytes | None
) -> None:
    """A client must not (RFC 9110 section 10.1.1); the other fields are sent as they were."""
    async with connect(ReadRequest(), Send(OK)) as w:
        await w.connection.exchange(POST, body)
        assert b"expect" not in w.peer.received.lower()
        assert b"X: y\r\n" in w.peer.received
        assert w.owner.told == ["idle"]


async def test_r15_nothing_is_expected_of_a_peer_that_spoke_http_1_0(connect: Connect) -> None:
    old = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"
    async with connect(ReadRequest(), Send(old), ReadRequest(), Send(OK)) as w:
        await w.connection.exchange(RequestHead("GET", "http", "h", "/"))
        await w.connection.exchange(POST, b"abc")
        assert b"expect" not in w.peer.received.lower()
        assert w.peer.received.endswith(b"\r\n\r\nabc")


def test_another_expectation_is_the_callers() -> None:
    head = RequestHead("POST", "http", "h", "/", FieldBlock({"Expect": "42-wonders"}))
    for body in (b"abc", None):
        outgoing = prepare_request(head, body, may_expect=False)
        assert b"Expect: 42-wonders\r\n" in outgoing.octets
        assert not outgoing.expects_continue


def test_i10_a_cancelled_wait_for_100_ends_the_connection(connect: Connect) -> None:
    """Before and after 100 may have come, also by a deadline."""

    async def main() -> None:
        for how in ("cancel", "deadline", "same tick"):
            body = Body()
            async with connect(ReadHead(), Stall()) as w:
                deadline = Deadline.after(0.5) if how == "deadline" else None
                exchanging = asyncio.ensure_future(
                    w.connection.exchange(POST, body, deadline=deadline)
                )
                await asyncio.sleep(0.1)
                if how != "deadline":
                    exchanging.cancel()
                if how == "same tick":
                    w.connection.data_received(CONTINUE)
                with pytest.raises((asyncio.CancelledError, TimeoutError)):
                    await exchanging
                await w.closed()
                await asyncio.sleep(5)
                headers_only(w.peer)
                assert not body.asked
                assert w.owner.told == ["retired", "lost"]

    run_with_fake_clock(main())


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (Fin(), ServerDisconnectedError),
        (Reset(), ClientError),
        (Send(b"no HTTP\r\n\r\n"), BadHttpMessage),
    ],
)
async def test_a_connection_that_ends_while_the_body_waits(
    connect: Connect, action: Action, error: type[Exception]
) -> None:
    async with connect(ReadHead(), action) as w:
        body = Body()
        with pytest.raises(error):
            await w.connection.exchange(POST, body)
        await w.closed()
        assert not body.asked


def test_without_a_limit_the_wait_is_for_the_peer(connect: Connect) -> None:
    """It is the peer that has to move, so the read timeout counts."""

    async def main() -> None:
        async with connect(ReadHead(), Wait(100), Send(CONTINUE), ReadRequest(), Send(OK)) as w:
            options = ExchangeOptions(expect_timeout=None)
            assert (
                await (await w.connection.exchange(POST, b"abc", options)).content.read()
            ) == b"ok"
        async with connect(ReadHead(), Stall()) as w:
            options = ExchangeOptions(expect_timeout=None, read_timeout=7)
            with pytest.raises(ReadTimeoutError):
                await w.connection.exchange(POST, b"abc", options)
            headers_only(w.peer)

    run_with_fake_clock(main())


def test_the_fallback_is_not_an_answer_of_the_peer(connect: Connect) -> None:
    """The timeouts begin to count when the body is sent."""

    async def main() -> None:
        async with connect(ReadHead(), ReadRequest(), Wait(0.4), Send(OK)) as w:
            options = ExchangeOptions(
                expect_timeout=2, read_timeout=0.5, first_byte_timeout=0.5, write_timeout=0.5
            )
            exchange = await w.connection.exchange(POST, b"abc", options)
            assert await exchange.content.read() == b"ok"

    run_with_fake_clock(main())


async def test_the_hook_sees_the_100(connect: Connect) -> None:
    statuses: list[int] = []
    script = [ReadHead(), Send(EARLY_HINTS), Send(CONTINUE), ReadRequest(), Send(OK)]
    async with connect(*script) as w:
        options = ExchangeOptions(on_informational=lambda head: statuses.append(head.status))
        await w.connection.exchange(POST, b"abc", options)
        assert statuses == [103, 100]
