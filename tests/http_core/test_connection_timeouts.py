"""`HTTP1Connection`: an exchange in which nothing moves ends with the error of whoever is late (O1, O2, F5, F18)."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any

import pytest
from wayfare_http_core import (
    ClientError,
    ExchangeOptions,
    FieldBlock,
    FirstByteTimeoutError,
    ReadTimeoutError,
    RequestHead,
    SocketTimeoutError,
    WriteTimeoutError,
)
from wayfare_http_core.aio import Deadline, HTTP1Connection
from wayfare_http_core.testing import (
    Action,
    Drip,
    ReadHead,
    ReadRequest,
    Send,
    Stall,
    Wait,
    memory_pair,
    run_with_fake_clock,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

Connect = Callable[..., AbstractAsyncContextManager[Any]]

GET = RequestHead("GET", "http", "h", "/")
POST = RequestHead("POST", "http", "h", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"
MIB = 1024 * 1024


class Slow:
    """A body that thinks for some seconds before each piece."""

    content_type = None
    replayable = False

    def __init__(self, seconds: float, *pieces: bytes) -> None:
        self.length = sum(map(len, pieces))
        self.pieces = pieces
        self.seconds = seconds

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(self.seconds)
            yield piece


@contextmanager
def fails(error: type[SocketTimeoutError], *, after: float, within: float = 0.0) -> Iterator[None]:
    """Expect the error after so many seconds of the loop's clock."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(error) as caught:
        yield
    assert caught.type is error
    assert isinstance(caught.value, ClientError)
    assert after <= loop.time() - start <= after + within + 0.001


ALL = ExchangeOptions(read_timeout=7, write_timeout=5, first_byte_timeout=6)


@pytest.mark.parametrize(
    ("options", "error", "after"),
    [
        (ExchangeOptions(read_timeout=7), ReadTimeoutError, 7),
        (ExchangeOptions(first_byte_timeout=6), FirstByteTimeoutError, 6),
        (ALL, FirstByteTimeoutError, 6),
        (ALL._replace(read_timeout=3), ReadTimeoutError, 3),
    ],
)
@pytest.mark.parametrize("reused", [False, True])
def test_f5_no_answer(
    connect: Connect,
    options: ExchangeOptions,
    error: type[SocketTimeoutError],
    after: float,
    reused: bool,
) -> None:
    async def main() -> None:
        before: list[Action] = [ReadRequest(), Wait(1), Send(OK)] if reused else []
        async with connect(*before, ReadRequest(), Stall()) as w:
            if reused:
                await w.connection.exchange(GET, options=options)
                await asyncio.sleep(4)
            with fails(error, after=after):
                await w.connection.exchange(GET, options=options)
            await w.closed()
            assert w.connection.response_started is False

    run_with_fake_clock(main())


def test_o2_every_octet_gives_the_head_more_time(connect: Connect) -> None:
    async def main() -> None:
        script: list[Action] = [ReadRequest()]
        for octet in OK[:10]:
            script += [Wait(6), Send(bytes([octet]))]
        async with connect(*script, Stall()) as w:
            with fails(ReadTimeoutError, after=67):
                await w.connection.exchange(GET, options=ALL._replace(first_byte_timeout=6.5))

    run_with_fake_clock(main())


def test_an_informational_response_is_an_answer(connect: Connect) -> None:
    async def main() -> None:
        async with connect(ReadRequest(), Wait(5), Send(HINTS), Stall()) as w:
            with fails(ReadTimeoutError, after=12):
                await w.connection.exchange(GET, options=ALL)

    run_with_fake_clock(main())


@pytest.mark.parametrize("body", [bytes(60_000), bytes(MIB), Slow(0, bytes(MIB))])
def test_f18_a_peer_that_takes_nothing(connect: Connect, body: Any) -> None:
    async def main() -> None:
        async with connect(ReadHead(), Stall(reading=False)) as w:
            w.peer.transport.pause_reading()
            with fails(WriteTimeoutError, after=5):
                await w.connection.exchange(
                    RequestHead("POST", "http", "h", "/" + "a" * 60_000), body, ALL
                )
            await w.closed()

    run_with_fake_clock(main())


def test_the_read_timeout_counts_while_a_peer_takes_nothing(connect: Connect) -> None:
    """From the last octet sent: whoever set it alone did not mean to wait for ever."""

    async def main() -> None:
        async with connect(ReadHead(), Stall(reading=False)) as w:
            with fails(ReadTimeoutError, after=7):
                await w.connection.exchange(POST, bytes(MIB), ExchangeOptions(read_timeout=7))

    run_with_fake_clock(main())


class Sipping(asyncio.Protocol):
    """A peer that takes what has arrived every four seconds, and answers after a MiB."""

    received = 0
    transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self.transport.pause_reading()
        asyncio.get_running_loop().call_later(4, self.transport.resume_reading)
        self.received += len(data)
        if self.received > MIB:
            self.transport.write(OK)


def test_a_peer_that_takes_little_by_little_is_not_late() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        connection = HTTP1Connection()
        memory_pair(connection, Sipping())
        await asyncio.sleep(0)
        start = loop.time()
        assert (await connection.exchange(POST, bytes(MIB), ALL)).is_complete
        assert loop.time() - start == pytest.approx(64)
        connection.abort()
        await connection.wait_closed()
        await asyncio.sleep(10)

    run_with_fake_clock(main())


def test_the_time_that_the_body_takes_is_the_callers(connect: Connect) -> None:
    """The peer has nothing to take and nothing to answer yet."""

    async def main() -> None:
        async with connect(ReadRequest(), Wait(3), Send(OK)) as w:
            exchange = await w.connection.exchange(POST, Slow(100, b"one", b"two"), ALL)
            assert exchange.is_complete
            assert w.owner.told == ["idle"]

    run_with_fake_clock(main())


def test_the_time_to_the_first_octet_runs_from_the_end_of_the_body(connect: Connect) -> None:
    async def main() -> None:
        async with connect(ReadRequest(), Stall()) as w:
            with fails(FirstByteTimeoutError, after=206):
                await w.connection.exchange(POST, Slow(100, b"one", b"two"), ALL)

    run_with_fake_clock(main())


def test_a_body_that_the_peer_stops_to_take_after_the_head_breaks_the_content(
    connect: Connect,
) -> None:
    async def main() -> None:
        early = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
        async with connect(ReadHead(), Send(early), Stall(reading=False)) as w:
            exchange = await w.connection.exchange(
                POST, bytes(4 * MIB), ExchangeOptions(write_timeout=5)
            )
            with fails(WriteTimeoutError, after=5):
                await exchange.content.read()

    run_with_fake_clock(main())


def test_the_read_timeout_goes_on_in_the_content(connect: Connect) -> None:
    async def main() -> None:
        begun = OK[:-1]
        async with connect(ReadRequest(), Send(begun), Stall()) as w:
            exchange = await w.connection.exchange(GET, options=ALL)
            assert await exchange.content.readany() == b"o"
            await asyncio.sleep(100)  # nobody waits
            with fails(ReadTimeoutError, after=7):
                await exchange.content.readany()
            await w.closed()

    run_with_fake_clock(main())


def test_options_may_change_from_exchange_to_exchange(connect: Connect) -> None:
    async def main() -> None:
        slow = [ReadRequest(), Wait(50), Send(OK)]
        async with connect(*slow, *slow, *slow, ReadRequest(), Stall()) as w:
            for options in (
                ExchangeOptions(),
                ALL._replace(read_timeout=60, first_byte_timeout=60),
            ):
                await w.connection.exchange(GET, options=options)
            await w.connection.exchange(GET)
            with fails(ReadTimeoutError, after=2):
                await w.connection.exchange(GET, options=ExchangeOptions(read_timeout=2))

    run_with_fake_clock(main())


def test_the_next_exchange_may_have_to_be_looked_at_earlier(connect: Connect) -> None:
    """The timer of the first one is set for the end of its timeout."""

    async def main() -> None:
        script = [ReadRequest(), Send(OK), ReadHead(), Stall(reading=False)]
        async with connect(*script) as w:
            options = ExchangeOptions(write_timeout=8)
            await w.connection.exchange(GET, options=options)
            await asyncio.sleep(1)
            with fails(WriteTimeoutError, after=8):
                await w.connection.exchange(POST, bytes(MIB), options)

    run_with_fake_clock(main())


def test_l11_a_timer_of_an_exchange_does_nothing_to_the_next(connect: Connect) -> None:
    async def main() -> None:
        script = [ReadRequest(), Send(OK), ReadRequest(), Wait(6.9), Drip(OK, 10)]
        async with connect(*script) as w:
            await w.connection.exchange(GET, options=ExchangeOptions(read_timeout=7))
            await asyncio.sleep(6.5)
            exchange = await w.connection.exchange(GET, options=ExchangeOptions(read_timeout=7))
            assert await exchange.content.read() == b"ok"
            await asyncio.sleep(100)
            assert w.owner.told == ["idle", "idle"]

    run_with_fake_clock(main())


def test_the_deadline_is_independent_of_the_timeouts(connect: Connect) -> None:
    async def main() -> None:
        async with connect(ReadRequest(), Stall()) as w:
            with pytest.raises(TimeoutError) as caught:
                await w.connection.exchange(GET, None, ALL, Deadline.after(4))
            assert not isinstance(caught.value, ClientError)

    run_with_fake_clock(main())


def test_no_timer_is_left(connect: Connect) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with connect(ReadRequest(), Send(OK)) as w:
            head = RequestHead("GET", "http", "h", "/", FieldBlock({"Connection": "close"}))
            await w.connection.exchange(head, options=ALL)
            await w.closed()
            assert not [t for t in loop._scheduled if not t.cancelled()]  # type: ignore[attr-defined]  # CPython's list of timers

    run_with_fake_clock(main())
