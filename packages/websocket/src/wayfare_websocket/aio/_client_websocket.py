"""`ClientWebSocketResponse`: a WebSocket as users see it."""

# ruff: noqa: ASYNC109  # asyncio users know the argument `timeout`, which bounds the wait for one message only

import asyncio
import json
import sys
import warnings
from collections.abc import AsyncIterable, Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, final, overload

from wayfare_websocket._close_codes import WSCloseCode
from wayfare_websocket._deflate import DeflateParameters
from wayfare_websocket._engine import State, WebSocketEngine
from wayfare_websocket._errors import WSMessageTypeError
from wayfare_websocket._messages import WSMessage, WSMsgType

from ._fragments import FragmentStream
from ._inbox import already_taken
from ._link import Link, LinkOptions

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    DecodeText = TypeVar("DecodeText", bound=bool, default=Literal[True])
else:
    from typing import TypeVar

    DecodeText = TypeVar("DecodeText", bound=bool)

__all__ = ("ClientWebSocketResponse",)

_TEXT = WSMsgType.TEXT
_BINARY = WSMsgType.BINARY
_CLOSED_MESSAGE = WSMessage(WSMsgType.CLOSED, None, None)
_LAST = frozenset((WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED))

Compress = int | bool | None


@final
class ClientWebSocketResponse(Generic[DecodeText]):
    """An open WebSocket: messages in both directions, over any asyncio transport.

    One task may receive at a time, and any number may send. Close it with `await ws.close()` or by leaving
    `async with`. `session.ws_connect` makes it; to make one by hand, give it the transport of a handshake that is
    over and an engine for what was agreed.

    `DecodeText` tells type checkers whether texts come as str: `ClientWebSocketResponse[bool]` where you do not know.
    """

    __slots__ = (
        "__weakref__",
        "_deflate",
        "_description",
        "_engine",
        "_inbox",
        "_link",
        "_outbox",
        "_protocol",
        "_queue",
        "_receive_timeout",
    )

    _link: Link

    def __init__(
        self,
        transport: asyncio.Transport,
        engine: WebSocketEngine,
        options: LinkOptions | None = None,
        *,
        unread: bytes = b"",
        protocol: str | None = None,
        deflate: DeflateParameters | None = None,
        on_lost: Callable[[], None] | None = None,
        description: str = "",
    ) -> None:
        """Take the transport over, in its loop.

        `unread` are octets that were read behind the handshake; `protocol` is the subprotocol and `deflate` the
        compression that were agreed on (the engine's); `on_lost` is called when the transport is gone; `description`
        is for the warning about a WebSocket that nobody closed.
        """
        options = LinkOptions() if options is None else options
        self._protocol = protocol
        self._deflate = deflate
        self._description = description
        self._receive_timeout = options.receive_timeout
        self._engine = engine
        self._link = link = Link(
            transport, engine, options, on_lost, compressed=deflate is not None
        )
        self._inbox = link.inbox
        self._queue = link.inbox.queue
        self._outbox = link.outbox
        link.start(unread)

    # -- what it is -------------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether it is closed, or was lost, and every message that came before was received."""
        link = self._link
        return (link.closing or link.is_over) and not self._queue

    @property
    def close_code(self) -> int | None:
        """Why it was closed (`WSCloseCode`): 1006 where it ended without a Close frame; None until then."""
        return self._engine.close_code

    @property
    def close_reason(self) -> str:
        """The words that came with `close_code`, mostly none."""
        return self._engine.close_reason

    @property
    def protocol(self) -> str | None:
        """The subprotocol that the server chose."""
        return self._protocol

    @property
    def compress(self) -> int:
        """The window of the compression that we may use, as its binary logarithm; 0 without compression."""
        return 0 if self._deflate is None else self._deflate.client_max_window_bits

    @property
    def client_notakeover(self) -> bool:
        """Whether each message that we send is compressed by itself."""
        return self._deflate is not None and self._deflate.client_no_context_takeover

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport knows: `peername`, `ssl_object`, …; see `asyncio.BaseTransport.get_extra_info`."""
        return self._link.transport.get_extra_info(name, default)

    def exception(self) -> BaseException | None:
        """What ended it, unless that was a closing handshake."""
        return self._link.error

    @override
    def __repr__(self) -> str:
        return f"<ClientWebSocketResponse {self._engine.state.value}>"

    # -- receiving --------------------------------------------------------------------------------------------------

    async def receive(self, timeout: float | None = None) -> WSMessage:
        """The next message, within `timeout` seconds, or those of `receive_timeout`.

        Besides TEXT and BINARY it is: CLOSE, when the peer closes; CLOSING, when somebody called `close` meanwhile;
        ERROR, with the exception as its data, for a violation of the protocol or a peer that is dead; CLOSED,
        whenever you ask after that, or where the connection ended without a Close frame. PING and PONG come without
        `autoping` only.

        Raises: RuntimeError when another task is receiving, TimeoutError.
        Cancellation: safe; no message is lost.
        """
        inbox = self._inbox
        queue = self._queue
        if inbox.taken:
            raise already_taken()
        if not queue:
            if inbox.undecided:
                inbox.refuse()
            elif not inbox.ended:
                inbox.taken = True
                try:
                    await inbox.wait(self._receive_timeout if timeout is None else timeout)
                finally:
                    inbox.taken = False
            if not queue:
                return await self._receive_nothing()
        message: WSMessage = queue.popleft()
        if inbox.full and not queue:
            inbox.refill()
        return message

    async def _receive_nothing(self) -> WSMessage:
        """What there is when there is nothing more: the answer to the peer's Close, if that was left to the caller."""
        if self._engine.state is State.CLOSE_RECEIVED:
            await self.close()
        return _CLOSED_MESSAGE

    @overload
    async def receive_str(
        self: "ClientWebSocketResponse[Literal[True]]", *, timeout: float | None = None
    ) -> str: ...
    @overload
    async def receive_str(
        self: "ClientWebSocketResponse[Literal[False]]", *, timeout: float | None = None
    ) -> bytes: ...
    @overload
    async def receive_str(
        self: "ClientWebSocketResponse[bool]", *, timeout: float | None = None
    ) -> str | bytes: ...
    async def receive_str(self, *, timeout: float | None = None) -> str | bytes:
        """The next message, which must be a text; as bytes with `decode_text=False`.

        Raises: `WSMessageTypeError` for another message and when the WebSocket closes, else as `receive`.
        Cancellation: safe; no message is lost.
        """
        message = await self.receive(timeout)
        if message[0] is not _TEXT:
            raise _wrong_type(message, "TEXT")
        data: str | bytes = message[1]
        return data

    async def receive_bytes(self, *, timeout: float | None = None) -> bytes:
        """The next message, which must be binary.

        Raises: `WSMessageTypeError` for another message and when the WebSocket closes, else as `receive`.
        Cancellation: safe; no message is lost.
        """
        message = await self.receive(timeout)
        if message[0] is not _BINARY:
            raise _wrong_type(message, "BINARY")
        data: bytes = message[1]
        return data

    async def receive_json(
        self, *, loads: Callable[[Any], Any] = json.loads, timeout: float | None = None
    ) -> Any:
        """The value of the next message, which must be a text.

        Raises: what `loads` raises, else as `receive_str`.
        Cancellation: safe; no message is lost.
        """
        message = await self.receive(timeout)
        if message[0] is not _TEXT:
            raise _wrong_type(message, "TEXT")
        return loads(message[1])

    def receive_fragments(self, timeout: float | None = None) -> FragmentStream:
        """The next message piece by piece, whatever its size: iterate over it with `async for`.

        A message that is arriving already goes on piece by piece from here, and what has arrived of it is one piece.
        `timeout` is for each piece.

        Raises: RuntimeError when another task is receiving.
        """
        return FragmentStream(self._link, self._receive_timeout if timeout is None else timeout)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WSMessage:
        """The next message; the iteration ends when the WebSocket does."""
        message = await self.receive()
        if message[0] in _LAST:
            raise StopAsyncIteration
        return message

    # -- sending ----------------------------------------------------------------------------------------------------

    async def send_str(self, data: str, compress: Compress = None) -> None:
        """Send a text. `compress=False` leaves it uncompressed where compression was agreed on.

        It waits only while the peer takes nothing, or while another task sends a message in fragments.

        Raises: TypeError for what is no text, `ClientConnectionResetError` when the WebSocket is closing or lost,
            ValueError for `compress=True` where that was not agreed on.
        Cancellation: safe; then nothing was sent.
        """
        if not isinstance(data, str):
            raise TypeError(f"data must be str, not {type(data).__name__}")
        outbox = self._outbox
        if outbox.blocked:
            async with outbox:
                outbox.write(self._engine.send_text(data, compress=_flag(compress)))
        else:
            flag = compress if compress is None else bool(compress)
            outbox.write(self._engine.send_text(data, compress=flag))

    async def send_bytes(
        self, data: bytes | bytearray | memoryview, compress: Compress = None
    ) -> None:
        """Send a binary message; else as `send_str`."""
        if type(data) is not bytes:
            data = _as_bytes(data)
        outbox = self._outbox
        if outbox.blocked:
            async with outbox:
                outbox.write(self._engine.send_bytes(data, compress=_flag(compress)))
        else:
            flag = compress if compress is None else bool(compress)
            outbox.write(self._engine.send_bytes(data, compress=flag))

    async def send_json(
        self, data: Any, compress: Compress = None, *, dumps: Callable[[Any], str] = json.dumps
    ) -> None:
        """Send a value as JSON in a text. Raises: what `dumps` raises, else as `send_str`."""
        await self.send_str(dumps(data), compress)

    async def send_json_bytes(
        self, data: Any, compress: Compress = None, *, dumps: Callable[[Any], bytes]
    ) -> None:
        """Send a value as JSON in a binary message, by an encoder that gives bytes.

        Raises: what `dumps` raises, else as `send_bytes`.
        """
        await self.send_bytes(dumps(data), compress)

    async def send_fragments(
        self,
        source: AsyncIterable[str | bytes] | Iterable[str | bytes],
        compress: Compress = None,
        *,
        text: bool = False,
    ) -> None:
        """Send one message whose pieces are not all there yet, each as it comes.

        A text, if `text` is true or the first piece is a str. Messages of other tasks wait meanwhile.

        Raises: what `source` raises, TypeError for what is neither str nor bytes, else as `send_str`.
        Cancellation: as an error of `source` does, it leaves a message that has no end: once a piece was sent the
            WebSocket is closed, with 1011.
        """
        # Imported here: few messages are sent so.
        from ._outgoing_fragments import send_fragments

        await send_fragments(self._link, source, _flag(compress), text=text)

    async def send_frame(
        self, message: bytes, opcode: WSMsgType, compress: Compress = None
    ) -> None:
        """Send one whole message by its opcode: TEXT (UTF-8), BINARY, PING or PONG.

        Raises: ValueError for another opcode, else as `send_str`.
        Cancellation: safe; then nothing was sent.
        """
        data = _as_bytes(message)
        if opcode == WSMsgType.BINARY:
            await self.send_bytes(data, compress)
        elif opcode == WSMsgType.TEXT:
            async with self._outbox:
                self._outbox.write(self._engine.send_text(data, compress=_flag(compress)))
        elif opcode == WSMsgType.PING:
            await self.ping(data)
        elif opcode == WSMsgType.PONG:
            await self.pong(data)
        else:
            raise ValueError(f"a frame with the opcode {opcode!r} is not sent by itself")

    async def ping(self, message: str | bytes | None = None) -> "asyncio.Future[float]":
        """Send a Ping. What is returned may be awaited, or not: the seconds until its Pong.

        Without a message it gets octets of its own, at most 125 of them otherwise.

        Raises: ValueError for more octets, `ClientConnectionResetError` when the WebSocket is closing or lost. What is
            returned raises `WSPingTimeoutError` after `ping_timeout`, `ClientConnectionResetError` when no Pong can
            come any more.
        Cancellation: safe; then nothing was sent.
        """
        link = self._link
        if self._outbox.paused:
            await self._outbox.drain()
        data = link.pings.make_payload() if message is None else _octets(message)
        self._outbox.write(self._engine.ping(data))
        return link.pings.begin(data)

    async def pong(self, message: str | bytes = b"") -> None:
        """Send a Pong that nobody asked for, or that `autoping` does not send.

        Raises: ValueError for more than 125 octets, `ClientConnectionResetError` when the WebSocket is closing or lost.
        Cancellation: safe; then nothing was sent.
        """
        if self._outbox.paused:
            await self._outbox.drain()
        self._outbox.write(self._engine.pong(_octets(message)))

    # -- the end ----------------------------------------------------------------------------------------------------

    async def close(self, *, code: int | None = WSCloseCode.OK, message: str | bytes = b"") -> bool:
        """Close it with a code and a reason of at most 123 octets, and return when the connection is gone.

        Messages that were not received are dropped. A peer that does not answer within `close_timeout` is cut off: see
        `exception` then. True, if it was this call that closed it; others wait with it.

        Raises: ValueError for a code that must not be sent.
        Cancellation: the connection is cut off.
        """
        link = self._link
        began = link.close(code, message)
        try:
            await link.wait_closed()
        except BaseException:
            link.abort()
            raise
        return began

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is None or isinstance(exc, Exception):
            await self.close()
        else:
            # The task is to end, and not to wait for a peer.
            self._link.close(WSCloseCode.GOING_AWAY, b"")
            self._link.hang_up()

    def __del__(self) -> None:
        link: Link | None = getattr(self, "_link", None)
        if link is None or link.is_over:
            return
        if link.forget():
            message = f"unclosed WebSocket {self._description}"
            warnings.warn(message, ResourceWarning, source=self, stacklevel=2)


def _flag(compress: Compress) -> bool | None:
    return None if compress is None else bool(compress)


def _as_bytes(data: object) -> bytes:
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    raise TypeError(f"data must be bytes, bytearray or memoryview, not {type(data).__name__}")


def _octets(message: str | bytes) -> bytes:
    return message.encode() if isinstance(message, str) else _as_bytes(message)


def _wrong_type(message: WSMessage, wanted: str) -> WSMessageTypeError:
    return WSMessageTypeError(
        f"a message of type {message.type.name} came where {wanted} was expected"
    )
