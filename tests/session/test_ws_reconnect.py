"""`session.ws_reconnect`: WebSockets one after the other, with waits that fit the reason."""

import asyncio
from typing import Any

import pytest
from wayfare import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    InvalidUrlClientError,
    Reconnection,
    WebSocketError,
    WSServerHandshakeError,
)
from wayfare._ws_reconnect import ReconnectingWebSocket
from wayfare_http_core import ClientConnectionError
from wayfare_http_core.testing import memory_pair, run_with_fake_clock, ticks
from wayfare_websocket import Role, WebSocketEngine
from wayfare_websocket.aio import ClientWebSocketResponse

from .websocket_server import Asked, WebSocket, WebSocketServer, echo, serving

QUICK = Reconnection(delay=0.0)


async def once(websocket: WebSocket) -> None:
    """Echo one message, and go."""
    message = await websocket.receive()
    await websocket.send_str(message.data)
    await websocket.close(code=1001)


async def test_one_after_the_other() -> None:
    """A reader that goes on where the connection ended."""
    seen: list[str] = []
    async with serving(WebSocketServer(once)) as server, ClientSession() as session:
        async for ws in session.ws_reconnect(
            server.url, reconnection=QUICK, protocols=iter(["chat"])
        ):
            await ws.send_str(str(len(seen)))
            async for message in ws:
                seen.append(message.data)
            assert ws.close_code == 1001
            if len(seen) == 3:
                break
    assert seen == ["0", "1", "2"]
    offered = [asked.headers["Sec-WebSocket-Protocol"] for asked in server.asked]
    assert offered == ["chat"] * 3


async def test_the_one_before_is_closed() -> None:
    async with serving(WebSocketServer(echo)) as server, ClientSession() as session:
        websockets = session.ws_reconnect(server.url, reconnection=QUICK)
        first = await anext(websockets)
        second = await anext(websockets)
        assert first.closed
        assert first.close_code == 1000
        await second.send_str("x")
        assert await second.receive_str() == "x"
        await second.close()


async def test_failures_that_pass() -> None:
    """Statuses that say so; the first connection is no exception."""
    answers = [b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"] * 2

    def answer(asked: Asked) -> bytes | None:
        return answers.pop() if answers else None

    async with serving(WebSocketServer(echo, answer)) as server, ClientSession() as session:
        async for ws in session.ws_reconnect(server.url, reconnection=QUICK):
            await ws.close()
            break
    assert len(server.asked) == 3


async def test_failures_that_stay() -> None:
    refusal = b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
    async with ClientSession() as session:
        async with serving(WebSocketServer(echo, lambda asked: refusal)) as server:
            with pytest.raises(WSServerHandshakeError):
                await anext(session.ws_reconnect(server.url))
            assert len(server.asked) == 1
        with pytest.raises(InvalidUrlClientError):
            await anext(session.ws_reconnect("ws:///nowhere"))
        options: Any = {"nothing": 1}
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            await anext(session.ws_reconnect("ws://localhost/", **options))
        # Nobody listens there any more.
        few = Reconnection(delay=0.0, failures=2)
        with pytest.raises(ClientConnectorError):
            await anext(session.ws_reconnect(server.url, reconnection=few))


async def test_a_reason_that_stays() -> None:
    """1008 and its kin would only come again."""

    async def policy(websocket: WebSocket) -> None:
        await websocket.close(code=1008, message="who are you")

    async with serving(WebSocketServer(policy)) as server, ClientSession() as session:
        websockets = session.ws_reconnect(server.url, reconnection=QUICK)
        ws = await anext(websockets)
        assert [message async for message in ws] == []
        with pytest.raises(WebSocketError, match="who are you") as caught:
            await anext(websockets)
        assert caught.value.code == 1008
        # Whoever asks again means it.
        await (await anext(websockets)).close()
    assert len(server.asked) == 2


async def test_a_session_that_is_closed() -> None:
    async with serving(WebSocketServer(echo)) as server:
        session = ClientSession()
        websockets = session.ws_reconnect(server.url, reconnection=QUICK)
        await anext(websockets)
        await session.close()
        with pytest.raises(RuntimeError, match="the session is closed"):
            await anext(websockets)


class Nobody(asyncio.Protocol):
    """Who has a transport before it is a WebSocket's."""


class Network:
    """What opens WebSockets in memory; an exception is raised in place of one, a number lets one live for so long."""

    def __init__(self, *plan: float | Exception) -> None:
        self.plan = list(plan)
        self.times: list[float] = []

    async def open(self) -> ClientWebSocketResponse[Any]:
        loop = asyncio.get_running_loop()
        self.times.append(loop.time())
        step = self.plan.pop(0)
        if isinstance(step, Exception):
            raise step
        here, there = memory_pair(Nobody(), Nobody())
        await ticks(2)
        loop.call_later(step, there.abort)
        return ClientWebSocketResponse(here, WebSocketEngine(Role.CLIENT))


def waits(reconnection: Reconnection, *plan: float | Exception) -> list[float]:
    """The time from the end of each connection, or of each attempt, to the next attempt."""
    network = Network(*plan, KeyError("the end"))
    ends: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ends.append(loop.time())
        async for ws in ReconnectingWebSocket(network.open, bool, reconnection):
            # Attempts that failed ended when they began.
            ends.extend(network.times[len(ends) - 1 : -1])
            await ws.receive()
            ends.append(loop.time())

    with pytest.raises(KeyError):
        run_with_fake_clock(main())
    ends.extend(network.times[len(ends) - 1 : -1])
    return [began - ended for ended, began in zip(ends, network.times, strict=True)]


def test_waits_grow_with_failures_in_a_row() -> None:
    """Full jitter on top of the least wait; a connection that lasted begins anew."""
    broken = ClientConnectionError("no")
    found = waits(Reconnection(delay=1.0, max_delay=8.0), 100.0, *[broken] * 8, 100.0, 100.0)
    assert found[0] == 0.0
    for wait, spread in zip(found[1:], (1, 2, 4, 8, 8, 8, 8, 8, 8, 1, 1), strict=True):
        assert 1.0 <= wait <= 1.0 + spread


def test_connections_that_do_not_last_are_failures() -> None:
    """A server that opens each one and ends it at once is not asked ever faster."""
    found = waits(Reconnection(delay=1.0, max_delay=64.0), *[0.001] * 7)
    for wait, spread in zip(found[1:], (1, 2, 4, 8, 16, 32, 64), strict=True):
        assert 1.0 <= wait <= 1.0 + spread


def test_retry_after() -> None:
    """What a server asks for is waited for at least."""
    busy = WSServerHandshakeError(None, status=503, headers={"Retry-After": "120"})
    found = waits(Reconnection(delay=1.0, max_delay=8.0), busy, 100.0)
    assert 120.0 <= found[1] <= 248.0


def test_so_many_failures() -> None:
    broken = [ClientConnectionError(str(number)) for number in range(5)]
    network = Network(*broken)

    async def main() -> None:
        few = Reconnection(delay=1.0, failures=3)
        with pytest.raises(ClientError) as caught:
            await anext(ReconnectingWebSocket(network.open, bool, few))
        assert caught.value is broken[3]

    run_with_fake_clock(main())


def test_cancelled_while_it_waits() -> None:
    network = Network(ClientConnectionError("no"), 10.0)

    async def main() -> None:
        websockets = ReconnectingWebSocket(network.open, bool, Reconnection(delay=5.0))
        waiting = asyncio.ensure_future(anext(websockets))
        await asyncio.sleep(1.0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        ws = await anext(websockets)
        assert network.times[1] - network.times[0] >= 5.0
        await ws.receive()

    run_with_fake_clock(main())
