"""A WebSocket without I/O: `WebSocketEngine` says what to send, and what the octets that arrived mean.

The closing handshake is a table. Two rules for changing it: every state has a word for every event, and no event leads
out of CLOSED.

    state            we send a Close     a Close arrives     a violation arrives    the transport ends
    OPEN             CLOSE_SENT          CLOSE_RECEIVED      CLOSED (and a Close)   CLOSED (1006)
    CLOSE_SENT       refused             CLOSED              CLOSED                 CLOSED (1006)
    CLOSE_RECEIVED   CLOSED              never read          never read             CLOSED
    CLOSED           refused             never read          never read             CLOSED

CLOSED is the protocol's word: a client then waits for the server to end the transport, and a server ends it (RFC 6455
section 7.1.1).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, final

from wayfare_http_core import ClientConnectionResetError

from ._close_codes import WSCloseCode
from ._deflate import Deflater, Inflater
from ._messages import WSMsgType
from ._reader import MessageReader
from ._writer import MessageWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._deflate import DeflateParameters
    from ._errors import WebSocketError
    from ._messages import WSFragment, WSMessage

__all__ = ("MAX_MESSAGE_SIZE", "Role", "State", "WebSocketEngine")

MAX_MESSAGE_SIZE: Final = 4 << 20
"""Octets of a message that is received, after decompression, unless said otherwise."""


class Role(Enum):
    """Whose side an engine is on: clients mask what they send, servers must not."""

    CLIENT = "client"
    SERVER = "server"


class State(Enum):
    """How far the closing handshake is."""

    OPEN = "open"
    CLOSE_SENT = "close sent"
    CLOSE_RECEIVED = "close received"
    CLOSED = "closed"


# Looking a member up in its enumeration takes a tenth of what a small message does.
_OPEN = State.OPEN
_TEXT = int(WSMsgType.TEXT)
_BINARY = int(WSMsgType.BINARY)


class _Event(Enum):
    SEND_CLOSE = 1
    RECEIVE_CLOSE = 2
    VIOLATION = 3
    END = 4


_NEXT: dict[tuple[State, _Event], State] = {
    (State.OPEN, _Event.SEND_CLOSE): State.CLOSE_SENT,
    (State.OPEN, _Event.RECEIVE_CLOSE): State.CLOSE_RECEIVED,
    (State.OPEN, _Event.VIOLATION): State.CLOSED,
    (State.OPEN, _Event.END): State.CLOSED,
    (State.CLOSE_SENT, _Event.RECEIVE_CLOSE): State.CLOSED,
    (State.CLOSE_SENT, _Event.VIOLATION): State.CLOSED,
    (State.CLOSE_SENT, _Event.END): State.CLOSED,
    (State.CLOSE_RECEIVED, _Event.SEND_CLOSE): State.CLOSED,
    (State.CLOSE_RECEIVED, _Event.END): State.CLOSED,
    (State.CLOSED, _Event.END): State.CLOSED,
}


@final
class WebSocketEngine:
    """Both directions of one WebSocket after its handshake.

    `deflate` is what the handshake agreed on; `max_message_size` counts octets after decompression, 0 for no limit.
    With `decode_text=False` texts come as bytes that are UTF-8. `compression_level` is zlib's.

    `close_code` and `close_reason` say how it ended: the peer's where it sent them, 1006 where the transport ended
    without, our own where it was us who failed it; None and "" until then.
    """

    __slots__ = (
        "_reader",
        "_violation_frame",
        "_writer",
        "close_code",
        "close_reason",
        "role",
        "state",
    )

    def __init__(
        self,
        role: Role,
        *,
        deflate: DeflateParameters | None = None,
        max_message_size: int = MAX_MESSAGE_SIZE,
        decode_text: bool = True,
        compression_level: int = -1,
    ) -> None:
        if max_message_size < 0:
            raise ValueError("the limit of a message's size must not be negative")
        self.role = role
        client = role is Role.CLIENT
        deflater, inflater = _compression(client, deflate, compression_level)
        self._reader = MessageReader(
            masked=not client,
            max_size=max_message_size,
            inflater=inflater,
            decode_text=decode_text,
        )
        self._writer = MessageWriter(masked=client, deflater=deflater)
        self._violation_frame = b""
        self.state = State.OPEN
        self.close_code: int | None = None
        self.close_reason = ""

    # -- receiving --------------------------------------------------------------------------------------------

    @property
    def failure(self) -> WebSocketError | None:
        """The violation that ended the connection."""
        return self._reader.failure

    @property
    def stream(self) -> bool:
        """Whether messages come as `WSFragment`, piece by piece and without a limit, from the next one that begins."""
        return self._reader.stream

    @stream.setter
    def stream(self, on: bool) -> None:
        self._reader.stream = on

    @property
    def stream_next(self) -> bool:
        """Whether the next message that begins comes piece by piece, and only that one."""
        return self._reader.stream_next

    @stream_next.setter
    def stream_next(self, on: bool) -> None:
        self._reader.stream_next = on

    @property
    def on_too_big(self) -> Callable[[], None] | None:
        """What is called when a message turns out to be larger than the limit; None makes it a violation at once.

        With a function the message waits for a verdict: `refuse` or `stream_rest`, inside of the function or later.
        Nothing is read until then: what `receive_data` is given is kept, and the function called again each time.
        """
        return self._reader.on_too_big

    @on_too_big.setter
    def on_too_big(self, call: Callable[[], None] | None) -> None:
        self._reader.on_too_big = call

    @property
    def is_streaming(self) -> bool:
        """Whether a message that comes piece by piece has begun, and did not end."""
        return self._reader.is_streaming

    @property
    def has_pending(self) -> bool:
        """Whether `receive_data(b"")` gives more: of a streamed message, of which no call gives more than a step."""
        return self._reader.has_pending

    def receive_data(self, data: bytes) -> list[WSMessage | WSFragment]:
        """Take octets of the peer and return what became complete. It never raises for what they are.

        The last message may be of type CLOSE, then answer it with `close`; or of type ERROR, then send `take_output()`
        and end the transport. What comes behind either is ignored.
        """
        reader = self._reader
        messages = reader.feed(data)
        if reader.ended:
            self._note_end(messages)
        return messages

    def stream_rest(self) -> list[WSMessage | WSFragment]:
        """Let the message that is arriving come piece by piece from here on, else the next one that begins.

        What is there of it is returned; then call `receive_data(b"")`, which goes on.
        """
        return self._reader.stream_rest()

    def refuse(self) -> list[WSMessage | WSFragment]:
        """Take the message that waits for a verdict (`on_too_big`) as a violation: else as `receive_data`."""
        messages = self._reader.refuse()
        self._note_end(messages)
        return messages

    @property
    def vacancy(self) -> memoryview | None:
        """Where a transport may receive to instead, while a large message is arriving; None for nowhere.

        It is the rest of the message's own buffer, so that nothing has to be copied. After writing to its beginning,
        call `filled`; do not use it after that, or after `receive_data`.
        """
        return self._reader.vacancy

    def filled(self, count: int) -> list[WSMessage | WSFragment]:
        """Take so many octets of the peer that were written to `vacancy`; else as `receive_data`.

        Raises: ValueError for more than there was room for.
        """
        messages = self._reader.filled(count)
        if self._reader.ended:
            self._note_end(messages)
        return messages

    def receive_eof(self) -> None:
        """Say that the transport ended. Without a Close frame of the peer the close code is 1006."""
        if self.close_code is None:
            self.close_code = WSCloseCode.ABNORMAL_CLOSURE
        self.state = _NEXT[self.state, _Event.END]

    def release(self) -> None:
        """Let go of a message that will not be completed: no more octets will come."""
        self._reader.stop()

    def take_output(self) -> bytes:
        """What is to be sent on the engine's own account: after a violation the Close frame that names it."""
        frame, self._violation_frame = self._violation_frame, b""
        return frame

    # -- sending ----------------------------------------------------------------------------------------------

    def send_text(self, text: str | bytes, *, compress: bool | None = None) -> bytes:
        """The frame of a text message; bytes have to be UTF-8. `compress=False` leaves it uncompressed.

        Raises: `ClientConnectionResetError` when the closing handshake has begun, RuntimeError inside of a fragmented
            message, ValueError for `compress=True` where that was not agreed on.
        """
        if self.state is not _OPEN:
            raise self._closing()
        payload = text.encode() if isinstance(text, str) else text
        return self._writer.message(_TEXT, payload, compress)

    def send_bytes(self, data: bytes, *, compress: bool | None = None) -> bytes:
        """The frame of a binary message; else as `send_text`."""
        if self.state is not _OPEN:
            raise self._closing()
        return self._writer.message(_BINARY, data, compress)

    def send_fragment(
        self,
        data: str | bytes,
        *,
        text: bool = False,
        final: bool = False,
        compress: bool | None = None,
    ) -> bytes:
        """The next frame of a message whose end is not known yet; `text` and `compress` count for the first one.

        Raises: `ClientConnectionResetError` when the closing handshake has begun, ValueError as `send_text`.
        """
        self._check_open()
        payload = data.encode() if isinstance(data, str) else data
        opcode = WSMsgType.TEXT if text else WSMsgType.BINARY
        return self._writer.fragment(opcode, payload, final=final, compress=compress)

    def ping(self, data: bytes = b"") -> bytes:
        """A Ping frame; the peer answers with a Pong of the same data.

        Raises: ValueError for more than 125 octets, `ClientConnectionResetError` when the closing handshake has begun.
        """
        self._check_open()
        return self._writer.control(WSMsgType.PING, data)

    def pong(self, data: bytes = b"") -> bytes:
        """A Pong frame; else as `ping`."""
        self._check_open()
        return self._writer.control(WSMsgType.PONG, data)

    def close(self, code: int | None = WSCloseCode.OK, reason: str | bytes = b"") -> bytes:
        """The Close frame that begins or ends the closing handshake; without a code where it is None.

        Raises: ValueError for a code that must not stand on the wire or a reason of more than 123 octets,
            `ClientConnectionResetError` when a Close was sent already.
        """
        after = _NEXT.get((self.state, _Event.SEND_CLOSE))
        if after is None:
            raise self._closing()
        frame = self._writer.close(code, reason.encode() if isinstance(reason, str) else reason)
        self.state = after
        return frame

    # -- inside -----------------------------------------------------------------------------------------------

    def _note_end(self, messages: list[WSMessage | WSFragment]) -> None:
        """The peer has said its last word, now or before."""
        reader = self._reader
        if not messages or self.state is State.CLOSED:
            return
        if reader.failure is not None:
            self._fail(reader.failure)
        else:
            self.close_code, self.close_reason = reader.close
            self.state = _NEXT[self.state, _Event.RECEIVE_CLOSE]

    def _check_open(self) -> None:
        if self.state is not _OPEN:
            raise self._closing()

    def _closing(self) -> ClientConnectionResetError:
        return ClientConnectionResetError(f"the WebSocket is closing: {self.state.value}")

    def _fail(self, error: WebSocketError) -> None:
        if self.state is State.OPEN:
            self._violation_frame = self._writer.close(error.code, error.message.encode())
        self.close_code = error.code
        self.close_reason = error.message
        self.state = _NEXT[self.state, _Event.VIOLATION]


def _compression(
    client: bool, agreed: DeflateParameters | None, level: int
) -> tuple[Deflater | None, Inflater | None]:
    """What compresses our messages, and what decompresses the peer's."""
    if agreed is None:
        return None, None
    ours = (agreed.client_max_window_bits, not agreed.client_no_context_takeover)
    theirs = (agreed.server_max_window_bits, not agreed.server_no_context_takeover)
    if not client:
        ours, theirs = theirs, ours
    # zlib cannot keep to a window of 8 bits. Not to compress is always allowed (RFC 7692 section 6).
    deflater = Deflater(ours[0], takeover=ours[1], level=level) if ours[0] > 8 else None
    return deflater, Inflater(theirs[0], takeover=theirs[1])
