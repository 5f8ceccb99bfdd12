"""Torture of WebSockets: every await from handshake to end, disturbed in every way (section 4.3, F19, W21, W22)."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

import pytest
from multidict import CIMultiDict
from wayfare import ClientSession, ClientWSTimeout, TCPConnector
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import Scenario, torture
from wayfare_websocket import (
    DeflateParameters,
    Role,
    ServerAnswer,
    State,
    WebSocketEngine,
    WSMessage,
    WSMsgType,
    answer_handshake,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

LINGERING = ("DeadlineQueue._fire",)


class Door(asyncio.Protocol):
    """A server without tasks and timers: it repeats texts, and answers Pings and Close frames."""

    def __init__(self) -> None:
        self._head = b""
        self._engine: WebSocketEngine | None = None
        self._transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        if self._engine is not None:
            self._converse(self._engine, data)
            return
        self._head += data
        head, blank, rest = self._head.partition(b"\r\n\r\n")
        if not blank:
            return
        _, *lines = head.decode().split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        headers = CIMultiDict((name, value) for name, value in pairs)
        answer = answer_handshake("GET", headers, deflate=DeflateParameters())
        assert isinstance(answer, ServerAnswer)
        fields = "".join(f"{name}: {value}\r\n" for name, value in answer.fields)
        self._transport.write(f"HTTP/1.1 101 Yes\r\n{fields}\r\n".encode())
        self._engine = WebSocketEngine(Role.SERVER, deflate=answer.deflate)
        self._converse(self._engine, rest)

    def _converse(self, engine: WebSocketEngine, data: bytes) -> None:
        for message in engine.receive_data(data):
            if not isinstance(message, WSMessage) or engine.state is State.CLOSED:
                continue
            if message.type is WSMsgType.CLOSE:
                self._transport.write(engine.close(message.data))
                self._transport.close()
            elif engine.state is not State.OPEN:
                continue
            elif message.type is WSMsgType.PING:
                self._transport.write(engine.pong(message.data))
            elif message.type is WSMsgType.TEXT:
                self._transport.write(engine.send_text(message.data))
            elif message.type is WSMsgType.BINARY:
                for _ in range(4):
                    self._transport.write(engine.send_bytes(message.data))


class Conversation(Scenario):
    """A session and a WebSocket server in memory; `run` opens a WebSocket, and leaves none."""

    compress = 0
    heartbeat: float | None = None

    @override
    async def setup(self) -> None:
        self.world.network.serve("h", 80, Door)
        self.connector = TCPConnector(limit=1, dialer=MemoryDialer(self.world.network))
        self.session = ClientSession("http://h/", connector=self.connector)

    @override
    async def run(self) -> None:
        timeout = ClientWSTimeout(ws_close=5.0, ws_open=20.0)
        async with self.session.ws_connect(
            "/", timeout=timeout, compress=self.compress, heartbeat=self.heartbeat
        ) as ws:
            await ws.send_str("one")
            assert await ws.receive_str() == "one"

    @override
    async def follow_up(self) -> None:
        self.world.network.serve("h", 80, Door)
        async with self.session.ws_connect("/") as ws:
            await ws.send_str("again")
            assert await ws.receive_str() == "again"

    @override
    async def close(self) -> None:
        await self.session.close()

    @override
    def idle_transports(self) -> int:
        return self.connector.stats().idle

    @override
    def violations(self) -> Iterable[str]:
        stats = self.connector.stats()
        if (stats.leased, stats.waiting, stats.connecting) != (0, 0, 0):
            yield f"the pool's books: {stats}"


class Compressed(Conversation):
    """With both windows kept from message to message."""

    compress = 12


class Beating(Conversation):
    """The heartbeat's timer ends with the WebSocket."""

    heartbeat = 15.0

    @override
    async def run(self) -> None:
        async with self.session.ws_connect("/", heartbeat=self.heartbeat) as ws:
            with suppress(TimeoutError):
                await ws.receive(40.0)
            await ws.send_str("alive")
            assert await ws.receive_str() == "alive"


class Awaited(Conversation):
    """Without a block; the caller closes."""

    @override
    async def run(self) -> None:
        ws = await self.session.ws_connect("/")
        try:
            latency = await ws.ping()
            assert await latency >= 0
        finally:
            # A caller who is cancelled again while closing leaves a connection that is cut off.
            await ws.close()


class Large(Conversation):
    """More than the transports hold at once, in both directions: both sides wait for each other."""

    @override
    async def run(self) -> None:
        async with self.session.ws_connect("/") as ws:
            sending = asyncio.ensure_future(ws.send_bytes(bytes(200_000)))
            try:
                for _ in range(4):
                    assert len(await ws.receive_bytes()) == 200_000
                await sending
            finally:
                sending.cancel()
                await asyncio.wait([sending])


class InPieces(Conversation):
    """A message in fragments, out and in."""

    @override
    async def run(self) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield bytes(30_000)
                await asyncio.sleep(0)

        async with self.session.ws_connect("/") as ws:
            stream = ws.receive_fragments()
            await ws.send_fragments(pieces())
            assert sum([len(piece) async for piece in stream]) == 90_000
            for _ in range(3):
                assert len(await ws.receive_bytes()) == 90_000


class Two(Conversation):
    """A reader and a writer, and an end that both see."""

    @override
    async def run(self) -> None:
        async with self.session.ws_connect("/") as ws:
            seen: list[str] = []

            async def read() -> None:
                async for message in ws:
                    seen.append(message.data)

            reading = asyncio.ensure_future(read())
            try:
                for number in range(3):
                    await ws.send_str(str(number))
                    await asyncio.sleep(0.1)
                await ws.close()
            finally:
                reading.cancel()
                await asyncio.wait([reading])
            # What came came whole and in order.
            assert seen == ["0", "1", "2"][: len(seen)]


SCENARIOS = [Conversation, Compressed, Beating, Awaited, Large, InPieces, Two]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_left_whatever_happens(scenario: type[Conversation]) -> None:
    report = torture(scenario, lingering_timers=LINGERING)
    assert report.points > 0
    assert report.acted > report.points
