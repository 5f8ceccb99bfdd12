"""`HTTP1Connection`: what it tells of itself and its last exchange (I9), the hook for 1xx responses, and the limit of
content (B26)."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from math import inf, nan
from typing import Any

import pytest
from wayfare_http_core import (
    BodyTooLargeError,
    ExchangeOptions,
    FieldBlock,
    RequestHead,
    ResponseHead,
)
from wayfare_http_core.aio import Deadline
from wayfare_http_core.testing import (
    Action,
    Drip,
    Fin,
    Read,
    ReadRequest,
    Send,
    Stall,
    run_with_fake_clock,
)

Connect = Callable[..., AbstractAsyncContextManager[Any]]

GET = RequestHead("GET", "http", "h", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


async def test_exchanges_are_counted(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(OK), ReadRequest(), Send(OK)) as w:
        c = w.connection
        assert (c.exchanges_started, c.request_started, c.response_started) == (0, False, False)
        await c.exchange(GET)
        assert (c.exchanges_started, c.request_started, c.response_started) == (1, True, True)
        exchanging = asyncio.ensure_future(c.exchange(GET))
        await asyncio.sleep(0)
        assert (c.exchanges_started, c.request_started, c.response_started) == (2, True, False)
        await exchanging
        assert c.response_started


async def test_a_request_that_cannot_be_sent_is_not_started(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(OK)) as w:
        await w.connection.exchange(GET)
        with pytest.raises(ValueError, match="method"):
            await w.connection.exchange(RequestHead("G T", "http", "h", "/"))
        c = w.connection
        assert (c.exchanges_started, c.request_started, c.response_started) == (1, False, False)


@pytest.mark.parametrize(
    ("answer", "started"), [(b"", False), (b"H", True), (HINTS, True)], ids=["none", "octet", "1xx"]
)
def test_any_octet_of_an_answer_starts_the_response(
    connect: Connect, answer: bytes, started: bool
) -> None:
    """L9: only a request that nothing answered may be sent again."""
    script: list[Action] = [ReadRequest(), Send(answer)] if answer else [ReadRequest()]

    async def main() -> None:
        async with connect(*script, Stall()) as w:
            with pytest.raises(TimeoutError):
                await w.connection.exchange(GET, deadline=Deadline.after(1))
            assert w.connection.request_started
            assert w.connection.response_started is started

    run_with_fake_clock(main())


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        (b"", None),
        (b"Keep-Alive: timeout=5\r\n", 4.0),
        (b"keep-alive: max=3, timeout=60\r\n", 59.0),
        (b"Keep-Alive: max=3\r\nKeep-Alive: timeout=1\r\n", 0.0),
        (b"Keep-Alive: max=3\r\n", None),
        (b"Keep-Alive: timeout=soon\r\n", None),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
async def test_i9_the_peer_says_how_long_it_keeps_the_connection(
    connect: Connect, field: bytes, hint: float | None, whole: bool
) -> None:
    answer = OK.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n")
    hinted = OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=9\r\n\r\n")
    send = Send(answer) if whole else Drip(answer, len(answer) - 1)
    async with connect(ReadRequest(), Send(hinted), ReadRequest(), send) as w:
        await w.connection.exchange(GET)
        assert w.connection.keep_alive_hint == 8.0
        exchange = await w.connection.exchange(GET)
        assert await exchange.content.read() == b"ok"
        assert w.connection.keep_alive_hint == hint


# --- Informational responses.


async def test_informational_responses_are_handed_to_the_hook(connect: Connect) -> None:
    """H9: all of them in order, and the final one is none of them."""
    seen: list[ResponseHead] = []
    options = ExchangeOptions(on_informational=seen.append)
    early = b"HTTP/1.1 100 Continue\r\n\r\n" + HINTS + HINTS
    script = [ReadRequest(), Send(early), Drip(HINTS, 7), Send(OK), ReadRequest(), Send(early + OK)]
    async with connect(*script) as w:
        exchange = await w.connection.exchange(GET, options=options)
        assert await exchange.content.read() == b"ok"
        assert [head.status for head in seen] == [100, 103, 103, 103]
        assert seen[1].headers["Link"] == "</a>"
        await w.connection.exchange(GET)
        assert len(seen) == 4
        assert w.owner.told == ["idle", "idle"]


async def test_a_hook_that_raises_ends_the_exchange(connect: Connect) -> None:
    """O11: its error is the caller's, and the connection is gone, whatever else arrived."""

    def refuse(head: ResponseHead) -> None:
        raise LookupError(head.headers["Link"])

    async with connect(ReadRequest(), Send(HINTS + OK)) as w:
        with pytest.raises(LookupError, match="</a>"):
            await w.connection.exchange(GET, options=ExchangeOptions(on_informational=refuse))
        await w.closed()
        assert w.owner.told == ["retired", "lost"]


async def test_the_hook_is_not_called_for_nobody(connect: Connect) -> None:
    """The caller was cancelled in the tick in which the response came."""
    seen: list[ResponseHead] = []
    async with connect(ReadRequest()) as w:
        options = ExchangeOptions(on_informational=seen.append)
        exchanging = asyncio.ensure_future(w.connection.exchange(GET, options=options))
        await w.sent(1)
        exchanging.cancel()
        w.connection.data_received(HINTS)
        with pytest.raises(asyncio.CancelledError):
            await exchanging
        w.connection.data_received(HINTS)
        assert seen == []


async def test_101_is_no_informational_response(connect: Connect) -> None:
    seen: list[ResponseHead] = []
    head = RequestHead("GET", "http", "h", "/", FieldBlock({"Upgrade": "x"}))
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
    async with connect(Read(10), Send(switch), Fin()) as w:
        options = ExchangeOptions(on_informational=seen.append)
        await w.connection.exchange(head, options=options)
        assert seen == []


# --- The limit of content.


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("limit", "enough"), [(2, True), (1, False), (0, False), (None, True)])
async def test_b26_content_is_bounded(
    connect: Connect, whole: bool, limit: int | None, enough: bool
) -> None:
    send = Send(OK) if whole else Drip(OK, len(OK) - 2)
    async with connect(ReadRequest(), send) as w:
        exchange = await w.connection.exchange(GET, options=ExchangeOptions(max_body_size=limit))
        if enough:
            assert (exchange.take_whole() or await exchange.content.read()) == b"ok"
            assert w.owner.told == ["idle"]
            return
        assert exchange.take_whole() is None
        with pytest.raises(BodyTooLargeError):
            await exchange.content.read()


@pytest.mark.parametrize(
    "options",
    [ExchangeOptions(max_body_size=-1), ExchangeOptions(read_limit=-1)],
    ids=["all", "read"],
)
async def test_b26_a_limit_that_is_none_is_refused(
    connect: Connect, options: ExchangeOptions
) -> None:
    """Nothing was sent, so the connection is offered again."""
    async with connect(ReadRequest(), Send(OK)) as w:
        with pytest.raises(ValueError, match="negative"):
            await w.connection.exchange(GET, options=options)
        assert w.owner.told == ["idle"]
        await w.connection.exchange(GET)


@pytest.mark.parametrize(
    "name", ["read_timeout", "write_timeout", "first_byte_timeout", "expect_timeout"]
)
@pytest.mark.parametrize("seconds", [-1, -0.001, -inf, nan])
async def test_o1_a_timeout_that_is_none_is_refused(
    connect: Connect, name: str, seconds: float
) -> None:
    """Nothing was sent, so the connection is offered again. An infinite one is a long one."""
    wrong: dict[str, Any] = {name: seconds}
    endless: dict[str, Any] = {name: inf}
    async with connect(ReadRequest(), Send(OK), ReadRequest(), Send(OK)) as w:
        for _ in range(2):
            with pytest.raises(ValueError, match=f"{name} must be .* not negative"):
                await w.connection.exchange(GET, options=ExchangeOptions(**wrong))
        assert w.owner.told == ["idle", "idle"]
        assert not w.connection.exchanges_started
        await w.connection.exchange(GET)
        await w.connection.exchange(GET, options=ExchangeOptions(**endless))
