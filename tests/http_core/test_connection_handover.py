"""`HTTP1Connection`: content that nobody wants, and connections that become something else (B2, B3, B29)."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from wayfare_http_core import (
    BadHttpMessage,
    ClientConnectionError,
    ContentEncodingError,
    ExchangeOptions,
    FieldBlock,
    RequestHead,
    UnsupportedCodings,
    make_decoder,
)
from wayfare_http_core.aio import HTTP1Exchange
from wayfare_http_core.testing import (
    Fin,
    ReadHead,
    ReadRequest,
    Send,
    run_with_fake_clock,
)

Connect = Callable[..., AbstractAsyncContextManager[Any]]
RECEIVE_BUFFER_SIZE = 256 * 1024  # octets that one read brings at most

GET = RequestHead("GET", "http", "h", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UPGRADE = RequestHead(
    "GET", "http", "h", "/", FieldBlock({"Connection": "upgrade", "Upgrade": "echo"})
)
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
TUNNEL = RequestHead("CONNECT", "http", "h:443", "h:443")
DRAIN = 64 * 1024


def begun(length: int, content: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + content


async def turns(number: int = 20) -> None:
    """Let what is ready happen; nothing here waits for time."""
    for _ in range(number):
        await asyncio.sleep(0)


# --- Discarding.


@pytest.mark.parametrize("size", [10, DRAIN])
async def test_a_small_rest_is_dropped_and_the_connection_saved(
    connect: Connect, size: int
) -> None:
    """B29: exactly the bound still passes."""
    script = [ReadRequest(), Send(begun(size)), ReadRequest(), Send(OK)]
    async with connect(*script) as w:
        exchange = await w.connection.exchange(GET)
        exchange.discard()
        exchange.discard()
        assert exchange.is_over
        assert not exchange.is_complete
        with pytest.raises(ClientConnectionError, match="released before its content was read"):
            await exchange.content.read()
        assert w.owner.told == []
        w.peer.write(bytes(size))
        await turns()
        assert exchange.is_complete
        assert w.owner.told == ["idle"]
        assert (await w.connection.exchange(GET)).take_whole() == b"ok"


async def test_what_was_received_before_counts_not(connect: Connect) -> None:
    """B29: only what is still to come has to be waited for."""
    async with connect(ReadRequest(), Send(begun(DRAIN + 10, bytes(10)))) as w:
        exchange = await w.connection.exchange(GET)
        exchange.discard()
        w.peer.write(bytes(DRAIN))
        await turns()
        assert w.owner.told == ["idle"]


@pytest.mark.parametrize("response", [begun(DRAIN + 1), b"HTTP/1.1 200 OK\r\n\r\nuntil close"])
async def test_a_rest_that_is_large_or_endless_is_not_waited_for(
    connect: Connect, response: bytes
) -> None:
    """B29."""
    async with connect(ReadRequest(), Send(response)) as w:
        exchange = await w.connection.exchange(GET)
        exchange.discard()
        assert w.owner.told == ["retired"]
        await w.closed()


async def test_chunks_are_dropped_up_to_the_bound(connect: Connect) -> None:
    """B29: their sum is not known before."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    block = b"8000\r\n" + bytes(0x8000) + b"\r\n"
    for blocks, last, told in ((2, b"", ["idle"]), (2, b"1\r\nx\r\n", ["retired", "lost"])):
        async with connect(ReadRequest(), Send(chunked)) as w:
            exchange = await w.connection.exchange(GET)
            exchange.discard()
            w.peer.write(block * blocks + last + b"0\r\n\r\n")
            await turns()
            assert w.owner.told == told


def test_a_rest_that_does_not_come_is_waited_for_one_second(connect: Connect) -> None:
    """B29."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with connect(ReadRequest(), Send(begun(10))) as w:
            exchange = await w.connection.exchange(GET)
            start = loop.time()
            exchange.discard()
            await w.closed()
            assert loop.time() == pytest.approx(start + 1.0)

    run_with_fake_clock(main())


def test_the_second_ends_with_the_content(connect: Connect) -> None:
    """B29: no timer of one exchange reaches into the next."""

    async def main() -> None:
        async with connect(ReadRequest(), Send(begun(10))) as w:
            exchange = await w.connection.exchange(GET)
            exchange.discard()
            w.peer.write(bytes(10))
            await asyncio.sleep(5)
            assert w.owner.told == ["idle"]

    run_with_fake_clock(main())


def test_closing_ends_the_second(connect: Connect) -> None:
    async def main() -> None:
        async with connect(ReadRequest(), Send(begun(10))) as w:
            exchange = await w.connection.exchange(GET)
            exchange.discard()
            exchange.abort()
            await w.closed()
            await asyncio.sleep(5)
            assert w.owner.told == ["retired", "lost"]

    run_with_fake_clock(main())


async def test_discarding_starts_the_reading_again(connect: Connect) -> None:
    """B27, B29: the stream had asked for a pause, and nobody reads it any more."""
    async with connect(ReadRequest(), Send(begun(100, bytes(90)))) as w:
        exchange = await w.connection.exchange(GET, options=ExchangeOptions(read_limit=1))
        assert not w.end.is_reading()
        exchange.discard()
        assert w.end.is_reading()
        w.peer.write(bytes(10))
        await turns()
        assert w.owner.told == ["idle"]


async def test_nothing_is_decoded_of_what_is_discarded(connect: Connect) -> None:
    """B29: corrupt or not, it only has to end."""

    class Never:
        has_pending = False

        def decode(self, data: bytes, max_length: int) -> bytes:
            raise AssertionError("decoded what nobody reads")

        def finish(self) -> None:
            raise AssertionError("decoded what nobody reads")

    async with connect(ReadRequest(), Send(begun(20, b"0123456789"))) as w:
        exchange = await w.connection.exchange(GET)
        exchange.content.decode_with(Never())
        exchange.discard()
        w.peer.write(b"0123456789")
        await turns()
        assert w.owner.told == ["idle"]


async def test_corrupt_content_that_still_arrives_ends_the_connection(connect: Connect) -> None:
    """The reader gets the coding's error and nothing more; the peer has nobody to send the rest to."""
    async with connect(ReadRequest(), Send(begun(100, b"this is no gzip"))) as w:
        exchange = await w.connection.exchange(GET)
        decoder = make_decoder(["gzip"])
        assert decoder is not None
        assert not isinstance(decoder, UnsupportedCodings)
        exchange.content.decode_with(decoder)
        with pytest.raises(ContentEncodingError):
            await exchange.content.readany()
        assert exchange.is_over
        await w.closed()
        with pytest.raises(ContentEncodingError):
            await exchange.content.readany()


async def test_discarding_a_response_that_is_over_harms_no_other(connect: Connect) -> None:
    script = [ReadRequest(), Send(begun(4, b"ab")), ReadRequest(), Send(begun(4, b"ab"))]
    async with connect(*script) as w:
        first = await w.connection.exchange(GET)
        w.peer.write(b"cd")
        assert await first.content.read() == b"abcd"
        second = await w.connection.exchange(GET)
        first.discard()
        first.abort()
        w.peer.write(b"cd")
        assert await second.content.read() == b"abcd"
        assert w.owner.told == ["idle", "idle"]


async def test_discarding_what_broke_does_nothing(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(begun(4, b"ab")), Fin()) as w:
        exchange = await w.connection.exchange(GET)
        await w.closed()
        exchange.discard()
        exchange.abort()
        assert await exchange.content.readany() == b"ab"
        assert w.owner.told == ["retired", "lost"]


# --- Upgrades and tunnels.


class Echo(asyncio.Protocol):
    """The protocol that takes a transport over."""

    def __init__(self) -> None:
        self.received = b""
        self.lost = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)


@pytest.mark.parametrize(
    ("request_head", "response"),
    [
        (UPGRADE, SWITCHING),
        (UPGRADE, b"HTTP/1.1 100 Continue\r\n\r\n" + SWITCHING),
        (TUNNEL, b"HTTP/1.1 200 OK\r\n\r\n"),
        (TUNNEL, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("early", [b"", b"first words"])
@pytest.mark.parametrize("whole", [True, False])
async def test_an_upgrade_hands_over_the_transport_and_what_was_read(
    connect: Connect, request_head: RequestHead, response: bytes, early: bytes, whole: bool
) -> None:
    """B2, B3: no octet of the new protocol is lost or taken for HTTP."""
    pieces = [response + early] if whole else [response[:20], response[20:] + early]
    async with connect(ReadHead(), *map(Send, pieces)) as w:
        exchange = await w.connection.exchange(request_head)
        assert not exchange.is_complete
        assert not exchange.is_over
        assert w.connection.available_exchanges == 0
        w.peer.write(b"more, ")
        await turns()
        upgraded = w.connection.upgrade()
        assert exchange.is_complete
        assert upgraded.unread == early
        assert upgraded.transport is w.end
        assert w.owner.told == []
        echo = Echo()
        upgraded.transport.set_protocol(echo)
        w.peer.write(b"later")
        await turns()
        assert echo.received == b"more, later"
        exchange.abort()
        exchange.discard()
        assert not upgraded.transport.is_closing()
        assert await exchange.content.read() == b""
        with pytest.raises(RuntimeError, match="upgraded to another protocol"):
            await w.connection.exchange(GET)
        upgraded.transport.close()
        await echo.lost
        assert w.owner.told == []
        upgraded.release()
        upgraded.release()
        assert w.owner.told == ["retired", "lost"]


async def test_what_was_read_too_far_is_a_copy(connect: Connect) -> None:
    """B3: the buffer belongs to all connections of the loop."""
    async with connect(ReadHead(), Send(SWITCHING + b"words")) as w:
        await w.connection.exchange(UPGRADE)
        upgraded = w.connection.upgrade()
        buffer = w.connection.get_buffer(-1)
        buffer[:] = bytes(len(buffer))
        assert upgraded.unread == b"words"
        upgraded.transport.abort()
        upgraded.release()


async def test_an_upgrade_after_an_upload_gives_the_usual_buffer(connect: Connect) -> None:
    """Uploads keep little in the transport; the next protocol may have other plans."""
    async with connect(ReadRequest(), Send(OK), ReadHead(), Send(SWITCHING)) as w:
        usual = w.end.get_write_buffer_limits()
        await w.connection.exchange(RequestHead("POST", "http", "h", "/"), bytes(100_000))
        assert w.end.get_write_buffer_limits() == (0, 1)
        await w.connection.exchange(UPGRADE)
        upgraded = w.connection.upgrade()
        assert upgraded.transport.get_write_buffer_limits() == usual
        upgraded.transport.set_protocol(asyncio.Protocol())
        upgraded.transport.abort()
        upgraded.release()


@pytest.mark.parametrize("end", ["close", "abort"])
async def test_an_owner_can_end_what_was_upgraded(connect: Connect, end: str) -> None:
    """The lease lasts until the release, and closing a pool reaches the transport until then."""
    async with connect(ReadHead(), Send(SWITCHING)) as w:
        await w.connection.exchange(UPGRADE)
        upgraded = w.connection.upgrade()
        echo = Echo()
        upgraded.transport.set_protocol(echo)
        waiting = asyncio.ensure_future(w.connection.wait_closed())
        getattr(w.connection, end)()
        assert upgraded.transport.is_closing()
        await echo.lost
        assert not waiting.done()
        assert w.owner.told == ["retired"]
        upgraded.release()
        await waiting
        assert w.owner.told == ["retired", "lost"]


async def test_there_is_no_upgrade_at_any_other_moment(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(begun(4, b"ab")), ReadHead(), Send(SWITCHING)) as w:
        with pytest.raises(RuntimeError, match="was not upgraded"):
            w.connection.upgrade()
        exchange = await w.connection.exchange(GET)
        with pytest.raises(RuntimeError, match="was not upgraded"):
            w.connection.upgrade()
        w.peer.write(b"cd")
        await exchange.content.read()
        with pytest.raises(RuntimeError, match="was not upgraded"):
            w.connection.upgrade()
        await w.connection.exchange(UPGRADE)
        upgraded = w.connection.upgrade()
        with pytest.raises(RuntimeError, match="was not upgraded"):
            w.connection.upgrade()
        upgraded.transport.abort()
        upgraded.release()


async def test_an_upgrade_that_nobody_asked_for_is_an_error(connect: Connect) -> None:
    """H7."""
    async with connect(ReadRequest(), Send(SWITCHING)) as w:
        with pytest.raises(BadHttpMessage, match="without a request to upgrade"):
            await w.connection.exchange(GET)
        await w.closed()


async def test_a_refused_upgrade_is_a_response_as_any_other(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(OK)) as w:
        exchange = await w.connection.exchange(UPGRADE)
        assert exchange.take_whole() == b"ok"
        assert w.owner.told == ["idle"]


@pytest.mark.parametrize("give_up", [HTTP1Exchange.discard, HTTP1Exchange.abort])
@pytest.mark.parametrize("whole", [True, False])
async def test_a_tunnel_that_nobody_wants_is_closed(
    connect: Connect, give_up: Callable[[HTTP1Exchange], None], whole: bool
) -> None:
    pieces = [SWITCHING] if whole else [SWITCHING[:20], SWITCHING[20:]]
    async with connect(ReadHead(), *map(Send, pieces)) as w:
        exchange = await w.connection.exchange(UPGRADE)
        give_up(exchange)
        assert w.owner.told == ["retired"]
        await w.closed()
        with pytest.raises(RuntimeError, match="was not upgraded"):
            w.connection.upgrade()


async def test_a_tunnel_for_a_caller_who_is_gone_is_closed(connect: Connect) -> None:
    """O6: the response and the cancellation came in the same tick."""
    async with connect(ReadHead()) as w:
        exchanging = asyncio.ensure_future(w.connection.exchange(UPGRADE))
        await turns(3)
        exchanging.cancel()
        w.connection.data_received(SWITCHING)
        with pytest.raises(asyncio.CancelledError):
            await exchanging
        await w.closed()


async def test_a_peer_that_ends_a_tunnel_before_it_is_taken(connect: Connect) -> None:
    """Nothing is read before that, so that the end comes to the new protocol, after what was sent before it."""
    async with connect(ReadHead(), Send(SWITCHING), Send(b"bye"), Fin()) as w:
        await w.connection.exchange(UPGRADE)
        await turns()
        upgraded = w.connection.upgrade()
        echo = Echo()
        upgraded.transport.set_protocol(echo)
        await echo.lost
        assert upgraded.unread + echo.received == b"bye"
        upgraded.release()


async def test_a_tunnel_that_is_lost_before_it_is_taken(connect: Connect) -> None:
    async with connect(ReadHead(), Send(SWITCHING)) as w:
        exchange = await w.connection.exchange(UPGRADE)
        w.end.lose(OSError(32, "Broken pipe"))
        await w.closed()
        with pytest.raises(RuntimeError, match="was not upgraded"):
            w.connection.upgrade()
        assert exchange.is_over
        exchange.abort()


async def test_a_transport_that_is_closing_is_handed_over_as_it_is(connect: Connect) -> None:
    """The new owner sees the loss; transports of uvloop would refuse to read on."""
    async with connect(ReadHead(), Send(SWITCHING + b"words")) as w:
        await w.connection.exchange(UPGRADE)
        w.end.close()
        upgraded = w.connection.upgrade()
        assert upgraded.unread == b"words"
        echo = Echo()
        upgraded.transport.set_protocol(echo)
        await echo.lost
        upgraded.release()


@pytest.mark.parametrize("request_head", [UPGRADE, TUNNEL])
@pytest.mark.parametrize("whole", [True, False])
async def test_a_peer_that_floods_a_tunnel_before_it_is_taken_has_to_wait(
    connect: Connect, request_head: RequestHead, whole: bool
) -> None:
    """B3: one read at most is kept, and no octet is lost."""
    head = SWITCHING if request_head is UPGRADE else b"HTTP/1.1 200 OK\r\n\r\n"
    flood = bytes(range(256)) * 16 * 1024
    pieces = [head + flood] if whole else [head[:10], head[10:] + flood]
    async with connect(ReadHead(), *map(Send, pieces)) as w:
        await w.connection.exchange(request_head)
        await turns(100)
        assert not w.end.is_reading()
        upgraded = w.connection.upgrade()
        assert len(upgraded.unread) <= RECEIVE_BUFFER_SIZE
        assert upgraded.transport.is_reading()
        echo = Echo()
        upgraded.transport.set_protocol(echo)
        while len(upgraded.unread) + len(echo.received) < len(flood):
            await asyncio.sleep(0)
        assert upgraded.unread + echo.received == flood
        upgraded.transport.abort()
        upgraded.release()


async def test_an_upgraded_transport_that_is_lost_first_gives_the_place_back(
    connect: Connect,
) -> None:
    """Where nobody set another protocol, the old one still hears of it."""
    async with connect(ReadHead(), Send(SWITCHING)) as w:
        await w.connection.exchange(UPGRADE)
        upgraded = w.connection.upgrade()
        upgraded.transport.abort()
        await turns()
        assert w.owner.told == ["retired", "lost"]
        upgraded.release()
        assert w.owner.told == ["retired", "lost"]
