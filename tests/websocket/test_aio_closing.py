"""The end of a WebSocket, from either side, with peers that do not play along (W14, W21, F19)."""

import asyncio
import gc
import socket
import struct
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from wayfare_http_core import ClientConnectionError
from wayfare_http_core.testing import memory_pair, run_with_fake_clock, ticks
from wayfare_websocket import (
    Role,
    WebSocketEngine,
    WSCloseCode,
    WSCloseTimeoutError,
    WSMessage,
    WSMsgType,
)
from wayfare_websocket.aio import ClientWebSocketResponse, LinkOptions

from .conftest import Client, Connect, Nobody, Peer, end_of

CLOSED = WSMessage(WSMsgType.CLOSED, None, None)
CLOSING = WSMessage(WSMsgType.CLOSING, None, None)


def run(main: Callable[[Connect], Awaitable[None]], connect_now: Connect) -> None:
    async def whole() -> None:
        await main(connect_now)

    run_with_fake_clock(whole())


async def answered(client: Client, peer: Peer, code: int = 1000, reason: str = "") -> bool:
    """Close, with a peer that answers as it should."""
    closing = asyncio.ensure_future(client.close(code=code, message=reason))
    await ticks()
    peer.close(peer.engine.close_code, peer.engine.close_reason)
    peer.transport.close()
    return await closing


async def test_we_close(connect: Connect) -> None:
    client, peer = await connect()
    assert await answered(client, peer, 3000, "done")
    assert peer.messages == [WSMessage(WSMsgType.CLOSE, 3000, "done")]
    assert (client.close_code, client.close_reason) == (3000, "done")
    assert client.closed
    assert client.exception() is None
    assert await client.receive() == CLOSED
    assert await client.close() is False


async def test_the_peer_closes(connect: Connect) -> None:
    """W14: its Close frame is answered once and at once, with its code; then the peer is to end the transport."""
    client, peer = await connect()
    peer.close(1001, "bye")
    assert await client.receive() == WSMessage(WSMsgType.CLOSE, 1001, "bye")
    await ticks()
    assert peer.messages == [WSMessage(WSMsgType.CLOSE, 1001, "")]
    assert not peer.finished
    assert (client.close_code, client.close_reason) == (1001, "bye")
    assert await client.receive() == CLOSED
    peer.transport.close()
    assert await client.close() is False
    assert client.exception() is None


async def test_a_close_frame_without_a_code(connect: Connect) -> None:
    """W14: 1005 never stands on the wire, so the answer has none either."""
    client, peer = await connect()
    peer.close(None)
    assert await client.receive() == WSMessage(WSMsgType.CLOSE, 1005, "")
    await ticks()
    assert peer.messages == [WSMessage(WSMsgType.CLOSE, 1005, "")]


async def test_we_close_without_a_code(connect: Connect) -> None:
    client, peer = await connect()
    closing = asyncio.ensure_future(client.close(code=None))
    await ticks()
    assert peer.messages == [WSMessage(WSMsgType.CLOSE, 1005, "")]
    peer.transport.close()
    assert await closing
    assert client.close_code == 1006


async def test_codes_that_must_not_be_sent(connect: Connect) -> None:
    client, peer = await connect()
    for code in (1005, 1006, 1015, 999, 5000):
        with pytest.raises(ValueError, match="no code for a Close frame"):
            await client.close(code=code)
    with pytest.raises(ValueError, match="at most 123 octets"):
        await client.close(message="x" * 124)
    assert not client.closed
    await client.send_str("still open")
    await ticks()
    assert peer.data == ["still open"]


async def test_without_autoclose_the_answer_is_left_to_the_caller(connect: Connect) -> None:
    client, peer = await connect(autoclose=False)
    peer.close(1001)
    assert (await client.receive()).type is WSMsgType.CLOSE
    await ticks()
    assert peer.messages == []
    assert not client.closed
    closing = asyncio.ensure_future(client.close(code=3001))
    await ticks()
    assert peer.messages == [WSMessage(WSMsgType.CLOSE, 3001, "")]
    peer.transport.close()
    assert await closing
    assert client.close_code == 1001


async def test_without_autoclose_asking_for_more_answers(connect: Connect) -> None:
    client, peer = await connect(autoclose=False)
    peer.close(1001)
    await client.receive()
    asking = asyncio.ensure_future(client.receive())
    await ticks()
    assert peer.messages == [WSMessage(WSMsgType.CLOSE, 1000, "")]
    peer.transport.close()
    assert await asking == CLOSED


async def test_closing_while_somebody_receives(connect: Connect) -> None:
    """The reader hears of it, and what is not received any more is dropped."""
    client, peer = await connect()
    seen: list[WSMessage] = []

    async def read() -> None:
        for _ in range(3):
            seen.append(await client.receive())

    reading = asyncio.ensure_future(read())
    await ticks(2)
    closing = asyncio.ensure_future(client.close())
    peer.text("too late")
    await ticks()
    await reading
    assert seen == [CLOSING, CLOSED, CLOSED]
    peer.close()
    peer.transport.close()
    assert await closing


async def test_closing_drops_what_waits(connect: Connect) -> None:
    """W21: also where the queue is full and the transport stopped: the peer's answer is behind it."""
    client, peer = await connect(capacity=1 << 20)
    peer.binary(*[bytes(10_000)] * 60)
    await ticks()
    assert not client._link.transport.is_reading()
    assert await answered(client, peer)
    assert client.close_code == 1000


async def test_closing_after_the_peer_drops_what_waits(connect: Connect) -> None:
    """Whoever leaves early is done with it, also where the peer closed behind messages that nobody received."""
    client, peer = await connect()
    peer.text("a", "b")
    peer.close(1001)
    await ticks()
    peer.transport.close()
    assert not client.closed
    assert await client.close() is False
    assert client.closed
    assert client.close_code == 1001
    assert await client.receive() == CLOSED


async def test_closing_after_the_connection_broke_behind_a_full_queue(connect: Connect) -> None:
    client, peer = await connect(capacity=1 << 20)
    peer.binary(*[bytes(10_000)] * 60)
    await ticks()
    end_of(client).lose(ConnectionResetError(104, "reset"))
    await ticks()
    peer.transport.close()
    assert await client.close() is False
    assert client.closed
    assert client.close_code == 1006
    assert isinstance(client.exception(), ClientConnectionError)


@pytest.mark.parametrize("what", ["Pings", "a violation"])
async def test_nothing_is_kept_of_what_comes_while_we_close(connect: Connect, what: str) -> None:
    """W21: also control frames, where the caller wants them: a peer can send them until the time is up."""
    client, peer = await connect(autoping=False)
    closing = asyncio.ensure_future(client.close())
    await ticks()
    peer.transport.write(b"\x89\x01x" * 5000 if what == "Pings" else b"\x83\x00")
    await ticks()
    assert client.closed
    peer.transport.close()
    assert await closing
    assert await client.receive() == CLOSED


async def test_both_close_at_once(connect: Connect) -> None:
    """F19: the frames cross. Nobody answers twice."""
    client, peer = await connect()
    closing = asyncio.ensure_future(client.close(code=3000))
    peer.close(3001)
    await ticks()
    assert [one.data for one in peer.messages] == [3000]
    peer.transport.close()
    assert await closing
    assert client.close_code == 3001
    assert len(peer.messages) == 1


async def test_several_tasks_close(connect: Connect) -> None:
    client, peer = await connect()
    closings = [asyncio.ensure_future(client.close(code=code)) for code in (3000, 3001, 3002)]
    await ticks()
    assert [one.data for one in peer.messages] == [3000]
    assert not any(closing.done() for closing in closings)
    peer.close()
    peer.transport.close()
    assert await asyncio.gather(*closings) == [True, False, False]


async def test_data_after_our_close_frame_is_dropped(connect: Connect) -> None:
    """F19: a peer may go on until it sees it."""
    client, peer = await connect()
    closing = asyncio.ensure_future(client.close())
    await asyncio.sleep(0)
    peer.text("a", "b")
    await ticks()
    assert not closing.done()
    peer.close()
    peer.transport.close()
    assert await closing
    assert client.close_code == 1000


async def test_leaving_the_block(connect: Connect) -> None:
    client, peer = await connect()

    async def use() -> None:
        async with client as same:
            assert same is client
            raise KeyError("of the application")

    using = asyncio.ensure_future(use())
    await ticks()
    assert peer.messages == [WSMessage(WSMsgType.CLOSE, 1000, "")]
    peer.close()
    peer.transport.close()
    with pytest.raises(KeyError):
        await using
    assert client.closed


async def test_leaving_the_block_cancelled(connect: Connect) -> None:
    """Whoever is cancelled does not wait for a peer; this one is told all the same."""
    client, peer = await connect()

    async def use() -> None:
        async with client:
            await client.receive()

    using = asyncio.ensure_future(use())
    await ticks()
    using.cancel()
    await asyncio.wait([using])
    assert using.cancelled()
    await ticks()
    assert peer.messages == [WSMessage(WSMsgType.CLOSE, WSCloseCode.GOING_AWAY, "")]
    assert peer.finished


async def test_closing_cancelled(connect: Connect) -> None:
    client, peer = await connect()
    closing = asyncio.ensure_future(client.close())
    await ticks()
    closing.cancel()
    await asyncio.wait([closing])
    assert closing.cancelled()
    await ticks()
    assert peer.finished
    assert client.close_code == 1006


# -- peers that do not play along (W21) ---------------------------------------------------------------------------


async def silent(peer: Peer) -> None:
    """It says nothing any more."""


async def reads_nothing(peer: Peer) -> None:
    """It takes nothing, not even the Close frame."""
    peer.transport.pause_reading()


async def half_closed(peer: Peer) -> None:
    """It sends FIN, and keeps its other half open."""
    peer.transport.write_eof()


async def floods(peer: Peer) -> None:
    """It sends for ever, and no Close frame."""

    def flood() -> None:
        if not peer.lost:
            peer.transport.write(b"\x82\x7e\x10\x00" + bytes(4096))
            asyncio.get_running_loop().call_later(0.01, flood)

    flood()


async def drips(peer: Peer) -> None:
    """It sends an octet of an endless frame now and then."""
    peer.transport.write(b"\x82\x7f" + (1 << 20).to_bytes(8, "big"))

    def drip() -> None:
        if not peer.lost:
            peer.transport.write(b"x")
            asyncio.get_running_loop().call_later(0.5, drip)

    drip()


HOSTILE = [silent, reads_nothing, floods, drips]


@pytest.mark.parametrize("behaviour", HOSTILE)
@pytest.mark.parametrize("unsent", [0, 500_000])
def test_w21_closing_takes_no_longer_than_allowed(
    connect_now: Connect, behaviour: Callable[[Peer], Awaitable[None]], unsent: int
) -> None:
    """W21, F19: the peer is cut off after `close_timeout`, and the exception says so."""

    async def main(connect: Connect) -> None:
        client, peer = await connect(close_timeout=3.0)
        await behaviour(peer)
        if unsent:
            await client.send_bytes(bytes(unsent))
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await client.close()
        assert loop.time() - began == pytest.approx(3.0)
        assert isinstance(client.exception(), WSCloseTimeoutError)
        assert str(client.exception()) == "the Close frame was not answered within 3 s"
        assert client.close_code == 1006
        assert client.closed
        await end(peer)

    run(main, connect_now)


async def end(peer: Peer) -> None:
    peer.transport.resume_reading()
    peer.transport.abort()
    await ticks()


@pytest.mark.parametrize("unsent", [0, 500_000])
def test_w21_half_of_the_connection_is_none(connect_now: Connect, unsent: int) -> None:
    """W21: after FIN nothing can be agreed on; what the peer does not take keeps nobody waiting for ever."""

    async def main(connect: Connect) -> None:
        client, peer = await connect(close_timeout=None)
        peer.transport.pause_reading()
        if unsent:
            await client.send_bytes(bytes(unsent))
        await half_closed(peer)
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await client.receive() == CLOSED
        assert loop.time() - began <= 1.0
        assert client.close_code == 1006
        await end(peer)
        await client.close()

    run(main, connect_now)


@pytest.mark.parametrize("unsent", [0, 500_000])
def test_w21_a_peer_that_does_not_end_the_transport(connect_now: Connect, unsent: int) -> None:
    """W21: after its Close frame it has a second."""

    async def main(connect: Connect) -> None:
        client, peer = await connect()
        if unsent:
            peer.transport.pause_reading()
            await client.send_bytes(bytes(unsent))
        peer.close()
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await client.receive()).type is WSMsgType.CLOSE
        assert await client.close() is False
        assert loop.time() - began == pytest.approx(1.0)
        assert (client.close_code, client.exception()) == (1000, None)
        await end(peer)

    run(main, connect_now)


def test_no_limit_at_all(connect_now: Connect) -> None:
    """`close_timeout=None` waits as long as it takes."""

    async def main(connect: Connect) -> None:
        client, peer = await connect(close_timeout=None)
        closing = asyncio.ensure_future(client.close())
        await asyncio.sleep(10_000)
        assert not closing.done()
        peer.close()
        assert await closing
        await end(peer)

    run(main, connect_now)


@pytest.mark.parametrize("name", ["heartbeat", "receive_timeout", "close_timeout", "ping_timeout"])
@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_times_are_positive(name: str, seconds: float) -> None:
    options: dict[str, Any] = {name: seconds}
    with pytest.raises(ValueError, match=f"{name} must be more than 0 seconds"):
        LinkOptions(**options)


# -- whoever had it closes it, or nobody -------------------------------------------------------------------------------


async def test_its_owner_hears_of_the_end_once(connect: Connect) -> None:
    """The lease of a connection counts until its transport is gone."""
    ends: list[int] = []
    client, peer = await connect(on_lost=lambda: ends.append(1))
    closing = asyncio.ensure_future(client.close())
    await ticks()
    assert ends == []
    peer.close()
    peer.transport.close()
    await closing
    assert ends == [1]


async def test_the_owner_closes_the_transport(connect: Connect) -> None:
    """A session that is closed takes its WebSockets along."""
    client, _ = await connect()
    client._link.transport.abort()
    assert await client.receive() == CLOSED
    assert client.close_code == 1006
    error = client.exception()
    assert type(error) is ClientConnectionError
    assert str(error) == "the connection was closed without a Close frame"


async def test_the_peers_last_words_before_a_reset() -> None:
    """I2: a write meets the end of the connection first, and why it ended waits in the socket."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport, _ = await loop.create_connection(Nobody, *listener.getsockname())
        client = ClientWebSocketResponse[bool](transport, WebSocketEngine(Role.CLIENT))
        there, _ = listener.accept()
        there.sendall(WebSocketEngine(Role.SERVER).close(1008, "too much"))
        there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        there.close()
        await client.send_str("x")
        assert (await client.receive()).data == 1008
        assert await client.receive() == CLOSED
        assert (client.close_code, client.close_reason) == (1008, "too much")
        assert client.exception() is None
        await client.close()


async def test_o8_forgotten(connect: Connect) -> None:
    """O8: a warning that says which one, and the socket is closed."""
    here, there = memory_pair(Nobody(), peer := Peer())
    await ticks(2)
    clients = [
        ClientWebSocketResponse[bool](
            here, WebSocketEngine(Role.CLIENT), description="to ws://x/, opened at file.py:7"
        )
    ]
    with pytest.warns(ResourceWarning, match=r"WebSocket to ws://x/, opened at file\.py:7"):
        clients.clear()
    await ticks()
    assert peer.finished
    there.abort()
    await ticks()


async def test_o8_not_forgotten_but_over(connect: Connect) -> None:
    """O8: after the closing handshake nobody has to do anything."""
    here, there = memory_pair(Nobody(), peer := Peer())
    await ticks(2)
    client: Any = ClientWebSocketResponse(here, WebSocketEngine(Role.CLIENT))
    peer.close()
    await client.receive()
    del client
    gc.collect()
    there.close()
    await ticks()


def test_o8_forgotten_after_the_loop() -> None:
    """O8: nothing can be closed any more, and nothing is said."""

    async def main() -> Any:
        here, _ = memory_pair(Nobody(), Nobody())
        await ticks(2)
        return ClientWebSocketResponse(here, WebSocketEngine(Role.CLIENT))

    loop = asyncio.new_event_loop()
    client = loop.run_until_complete(main())
    loop.close()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del client
        gc.collect()
    # The transports of this test have something to say themselves.
    assert not [one for one in caught if "WebSocket" in str(one.message)]


async def test_a_transport_that_calls_data_received(connect: Connect) -> None:
    """Pipes and foreign transports know nothing of buffers."""
    client, _ = await connect()
    client._link.data_received(b"\x81\x01x")
    assert await client.receive_str() == "x"


async def test_two_of_ours(connect_both: Callable[..., Any]) -> None:
    """Both roles have the same interface."""
    client, server = await connect_both()
    await client.send_str("?")
    assert await server.receive_str() == "?"
    await server.send_str("!")
    assert await client.receive_str() == "!"
    closing = asyncio.ensure_future(server.close(code=1001))
    assert (await client.receive()).data == 1001
    await client.close()
    assert await closing
