"""`HTTP1Connection`: exchanges that end before their response does (I4, I5, B13)."""

import asyncio

import pytest
from wayfare_http_core import (
    BadHttpMessage,
    BadStatusLine,
    ClientConnectionError,
    ClientOSError,
    ExchangeOptions,
    HeadLimits,
    IncompleteBodyError,
    ServerDisconnectedError,
    TransferEncodingError,
)
from wayfare_http_core.aio import Deadline
from wayfare_http_core.testing import (
    Action,
    Fin,
    ReadRequest,
    Reset,
    Send,
    run_with_fake_clock,
)

from .test_connection import BEGUN, GET, OK, Connect


async def test_the_end_instead_of_a_response(connect: Connect) -> None:
    async with connect(ReadRequest(), Fin()) as w:
        with pytest.raises(ServerDisconnectedError):
            await w.connection.exchange(GET)
        assert w.owner.told[0] == "retired"


async def test_a_loss_without_a_reason_instead_of_a_response(connect: Connect) -> None:
    async with connect(ReadRequest()) as w:
        exchanging = asyncio.ensure_future(w.connection.exchange(GET))
        await w.sent(1)
        w.end.lose(None)
        with pytest.raises(ServerDisconnectedError) as caught:
            await exchanging
        assert caught.value.__cause__ is None


async def test_a_reset_instead_of_a_response(connect: Connect) -> None:
    async with connect(ReadRequest(), Reset()) as w:
        with pytest.raises(ClientOSError) as caught:
            await w.connection.exchange(GET)
        assert isinstance(caught.value.__cause__, ConnectionResetError)
        assert caught.value.errno == caught.value.__cause__.errno


@pytest.mark.parametrize(
    ("cause", "error", "text"),
    [
        (OSError("no number"), ClientOSError, "no number"),
        (RuntimeError("of the loop"), ClientConnectionError, "of the loop"),
    ],
)
async def test_whatever_breaks_a_transport_is_an_error_of_ours(
    connect: Connect, cause: Exception, error: type[Exception], text: str
) -> None:
    async with connect(ReadRequest()) as w:
        exchanging = asyncio.ensure_future(w.connection.exchange(GET))
        await w.sent(1)
        w.end.lose(cause)
        with pytest.raises(error, match=text) as caught:
            await exchanging
        assert caught.value.__cause__ is cause


async def test_a_transport_may_say_it_in_our_words(connect: Connect) -> None:
    """As a layer of TLS does that knows what an alert means."""
    async with connect(ReadRequest()) as w:
        exchanging = asyncio.ensure_future(w.connection.exchange(GET))
        await w.sent(1)
        error = ClientOSError(1, "refused by an alert")
        w.end.lose(error)
        with pytest.raises(ClientOSError) as caught:
            await exchanging
        assert caught.value is error
    async with connect(ReadRequest(), Send(BEGUN)) as w:
        exchange = await w.connection.exchange(GET)
        w.end.lose(error)
        with pytest.raises(IncompleteBodyError) as broken:
            await exchange.content.readany()
        assert broken.value.__cause__ is error


@pytest.mark.parametrize("end", [Fin(), Reset()])
async def test_a_connection_that_ends_within_the_content(connect: Connect, end: Action) -> None:
    """B13: what came is read first; the error says how much is missing."""
    async with connect(ReadRequest(), Send(BEGUN + b"0123"), end) as w:
        exchange = await w.connection.exchange(GET)
        await w.connection.wait_closed()
        assert await exchange.content.readany() == b"0123"
        with pytest.raises(IncompleteBodyError) as caught:
            await exchange.content.readany()
        assert (caught.value.received, caught.value.expected) == (4, 10)
        assert exchange.is_over
        assert not exchange.is_complete


async def test_a_head_that_is_none_ends_the_connection(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")) as w:
        with pytest.raises(BadStatusLine):
            await w.connection.exchange(GET)
        await w.closed()


async def test_a_head_beyond_the_limits_of_its_exchange(connect: Connect) -> None:
    options = ExchangeOptions(limits=HeadLimits(field_line=10))
    response = b"HTTP/1.1 200 OK\r\nA-long-name: x\r\nContent-Length: 2\r\n\r\nok"
    async with connect(ReadRequest(), Send(response)) as w:
        with pytest.raises(BadHttpMessage):
            await w.connection.exchange(GET, options=options)
        await w.closed()


async def test_a_chunk_that_is_none_is_told_after_the_content_before_it(connect: Connect) -> None:
    """B25."""
    response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n"
    async with connect(ReadRequest(), Send(response)) as w:
        exchange = await w.connection.exchange(GET)
        assert await exchange.content.readany() == b"ok"
        with pytest.raises(TransferEncodingError):
            await exchange.content.readany()
        await w.closed()


@pytest.mark.parametrize("seconds", [5.0, 0.0, -1.0])
def test_the_deadline_comes_before_the_head(connect: Connect, seconds: float) -> None:
    class Late(TimeoutError):
        pass

    async def main() -> None:
        async with connect(ReadRequest()) as w:
            loop = asyncio.get_running_loop()
            start = loop.time()
            with pytest.raises(Late):
                await w.connection.exchange(GET, deadline=Deadline.after(seconds, Late))
            assert loop.time() == pytest.approx(start + max(0.0, seconds))
            await w.closed()

    run_with_fake_clock(main())


async def test_a_cancelled_exchange_takes_its_connection_along(connect: Connect) -> None:
    """I10: its response would be taken for the next one's."""
    async with connect(ReadRequest()) as w:
        exchanging = asyncio.ensure_future(w.connection.exchange(GET))
        await w.sent(1)
        exchanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await exchanging
        await w.closed()


@pytest.mark.parametrize("octets", [OK, BEGUN, OK[:20], b"no head\r\n\r\n"])
async def test_octets_after_an_abort_are_nobodys(connect: Connect, octets: bytes) -> None:
    """A TLS layer goes on through what it had decrypted, whatever happened on the way."""
    async with connect(ReadRequest()) as w:
        exchanging = asyncio.ensure_future(w.connection.exchange(GET))
        await w.sent(1)
        w.connection.abort()
        w.connection.data_received(octets)
        w.connection.data_received(octets)
        assert w.owner.told == ["retired"]
        with pytest.raises(ClientConnectionError, match="closed while"):
            await exchanging
