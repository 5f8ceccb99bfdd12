"""How each client is used: in its fastest documented idiom, at its own defaults but for compression, which is off.

A conversation is one connection, on which a task sends and awaits what comes back. picows has only callbacks, to which
a future is added; without one it is measured as well, since that is what it is made for.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from typing import Any, Protocol, TypeAlias

from benchmarks.contract import WrongAnswerError
from benchmarks.websocket.server import MAX_SIZE, QUESTION


class Conversation(Protocol):
    """One open WebSocket."""

    async def echo(self, payload: bytes, until: float) -> int:
        """Send and await the payload, again and again until the clock says so; return how often."""

    async def flood(self, text: str, count: int) -> None:
        """Send so many texts, then a question, and await its answer."""


Open: TypeAlias = Callable[[str, bool], AbstractAsyncContextManager[Conversation]]
"""Of the address, and whether to compress."""


class _Aiohttp:
    """aiohttp's interface, which is also ours."""

    def __init__(self, ws: Any) -> None:
        self._ws = ws

    async def echo(self, payload: bytes, until: float) -> int:
        ws, size, done = self._ws, len(payload), 0
        while True:
            await ws.send_bytes(payload)
            if len(await ws.receive_bytes()) != size:
                raise WrongAnswerError("another size came back")
            done += 1
            if time.perf_counter() >= until:
                return done

    async def flood(self, text: str, count: int) -> None:
        ws = self._ws
        for _ in range(count):
            await ws.send_str(text)
        await ws.send_str(QUESTION)
        if await ws.receive_str() != QUESTION:
            raise WrongAnswerError("another answer came back")


def _open_like_aiohttp(module: str) -> Open:
    @asynccontextmanager
    async def opened(url: str, compress: bool) -> AsyncIterator[Conversation]:
        client = import_module(module)
        async with (
            client.ClientSession() as session,
            session.ws_connect(url, compress=12 if compress else 0) as ws,
        ):
            yield _Aiohttp(ws)

    return opened


class _Websockets:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def echo(self, payload: bytes, until: float) -> int:
        connection, size, done = self._connection, len(payload), 0
        while True:
            await connection.send(payload)
            if len(await connection.recv()) != size:
                raise WrongAnswerError("another size came back")
            done += 1
            if time.perf_counter() >= until:
                return done

    async def flood(self, text: str, count: int) -> None:
        connection = self._connection
        for _ in range(count):
            await connection.send(text)
        await connection.send(QUESTION)
        if await connection.recv() != QUESTION:
            raise WrongAnswerError("another answer came back")


@asynccontextmanager
async def _open_websockets(url: str, compress: bool) -> AsyncIterator[Conversation]:
    connect = import_module("websockets.asyncio.client").connect
    compression = "deflate" if compress else None
    async with connect(url, compression=compression, max_size=MAX_SIZE) as connection:
        yield _Websockets(connection)


class _PicowsFrames:
    """picows as a task uses it: a listener hands frames to whoever awaits them."""

    def __init__(self, picows: Any) -> None:
        self._binary = picows.WSMsgType.BINARY
        self._text = picows.WSMsgType.TEXT
        self._frames: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self.transport: Any = None

    def take(self, payload: bytes) -> None:
        """A frame arrived."""
        self._frames.append(payload)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _receive(self) -> bytes:
        if not self._frames:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._frames.popleft()

    async def echo(self, payload: bytes, until: float) -> int:
        size, done = len(payload), 0
        while True:
            self.transport.send(self._binary, payload)
            if len(await self._receive()) != size:
                raise WrongAnswerError("another size came back")
            done += 1
            if time.perf_counter() >= until:
                return done

    async def flood(self, text: str, count: int) -> None:
        transport, kind, payload = self.transport, self._text, text.encode()
        for _ in range(count):
            transport.send(kind, payload)
        transport.send(kind, QUESTION.encode())
        if await self._receive() != QUESTION.encode():
            raise WrongAnswerError("another answer came back")


class _PicowsListener:
    """picows without a task: what is sent next is decided where a frame arrives."""

    def __init__(self, picows: Any) -> None:
        self._binary = picows.WSMsgType.BINARY
        self._payload = b""
        self._until = 0.0
        self._done = 0
        self._finished: asyncio.Future[None] | None = None
        self.transport: Any = None

    def take(self, payload: bytes) -> None:
        """A frame arrived."""
        assert self._finished is not None
        if len(payload) != len(self._payload):
            self._finished.set_exception(WrongAnswerError("another size came back"))
            return
        self._done += 1
        if time.perf_counter() >= self._until:
            self._finished.set_result(None)
        else:
            self.transport.send(self._binary, self._payload)

    async def echo(self, payload: bytes, until: float) -> int:
        self._payload, self._until, self._done = payload, until, 0
        self._finished = asyncio.get_running_loop().create_future()
        self.transport.send(self._binary, payload)
        await self._finished
        return self._done

    async def flood(self, text: str, count: int) -> None:
        raise NotImplementedError("sending alone is the same with a task")


def _open_picows(
    make: Callable[[Any], _PicowsFrames | _PicowsListener], *, own_transport: bool = False
) -> Open:
    @asynccontextmanager
    async def opened(url: str, compress: bool) -> AsyncIterator[Conversation]:
        picows = import_module("picows")
        if compress:
            raise NotImplementedError("it does not compress")
        conversation = make(picows)

        class Listener(picows.WSListener):  # type: ignore[name-defined, misc]  # it is not always there
            def on_ws_frame(self, transport: Any, frame: Any) -> None:
                # As bytes, which is what the other clients give.
                conversation.take(frame.get_payload_as_bytes())

        conversation.transport, _ = await picows.ws_connect(
            Listener, url, use_aiofastnet=own_transport, max_frame_size=MAX_SIZE
        )
        yield conversation
        conversation.transport.disconnect()
        await conversation.transport.wait_disconnected()

    return opened


ADAPTERS: dict[str, Open] = {
    "wayfare": _open_like_aiohttp("wayfare"),
    "aiohttp": _open_like_aiohttp("aiohttp"),
    "picows": _open_picows(_PicowsFrames),
    "picows-listener": _open_picows(_PicowsListener),
    "picows-aiofastnet": _open_picows(_PicowsFrames, own_transport=True),
    "websockets": _open_websockets,
}
"""Every client by name. picows comes three times: awaited by a task as all others, with callbacks alone, and awaited
over transports of its own, in C, in place of asyncio's."""
