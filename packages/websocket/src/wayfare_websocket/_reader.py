"""The receiving half: octets in, messages out (RFC 6455 sections 5 and 6.2).

A message is put together in one buffer, whatever its frames are (W26): between two calls nothing is held but that
buffer and the beginning of one frame's head, or of one control frame. A large message in one frame has a buffer of its
size once 64 KiB are there, which becomes the message without a copy, and which a transport may receive into
(`vacancy`). Nothing here raises for what a peer sends: a
violation is the last message, of type ERROR, and everything behind it is thrown away.

A message that is larger than the limit is a violation, too, unless there is `on_too_big`: then nothing is read until
somebody says whether it is to be refused (`refuse`) or to come as fragments (`stream_rest`), and what is fed meanwhile
waits.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, final

from ._close_codes import NO_STATUS, WSCloseCode, is_close_code
from ._compiled import mask_payload, read_whole
from ._errors import WebSocketError
from ._frames import CONTROL, FIN, MAX_CONTROL_PAYLOAD, OPCODE, RSV1, RSV23
from ._large_payload import LargePayload
from ._messages import WSFragment, WSMessage, WSMessageTextBytes, WSMsgType

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._deflate import Inflater

__all__ = ("MessageReader",)

_CONTINUATION = 0
_TEXT = 1
_BINARY = 2
_CLOSE = 8
_PING = 9
_PONG = 10
_IN_HEAD = -1

# Looking a member up in its enumeration, and a named tuple's own constructor, would take a third of a message's time.
_TEXT_TYPE = WSMsgType.TEXT
_BINARY_TYPE = WSMsgType.BINARY
_make = tuple.__new__

_LARGE = 64 * 1024
"""Octets that are there of a message, and that are missing, before it has a buffer of its size: a peer that announces
much and sends little must not cost that much (W17)."""
_LARGEST = 16 * 1024 * 1024
"""Octets of the largest such buffer: where there is no limit, a peer may announce any number."""

_STREAM_STEP = 256 * 1024
"""Octets that a streamed message gives at once, however much they were compressed."""

_UTF8 = codecs.getincrementaldecoder("utf-8")


@final
class MessageReader:
    """Reads the frames of one peer.

    `max_size` is the limit of a message in octets after decompression, 0 for none. `masked` says whether the peer has
    to mask (clients have to, servers must not). `stream` may be switched at any time and counts from the next message
    that begins: its content comes as fragments then, without a limit. `ended` says that a Close frame came or `failure`
    did: nothing counts behind either (RFC 6455 section 5.5.1). `close` is the code and the reason of that frame.
    `on_too_big` is called whenever something is fed while a message that is too large waits for its verdict.
    """

    __slots__ = (
        "_active",
        "_decode_text",
        "_final",
        "_held",
        "_inflater",
        "_key",
        "_key_at",
        "_large",
        "_left",
        "_masked",
        "_max_size",
        "_message",
        "_over",
        "_stream",
        "_text_type",
        "_type",
        "_utf8",
        "close",
        "ended",
        "failure",
        "on_too_big",
        "stream",
        "stream_next",
    )

    def __init__(
        self,
        *,
        masked: bool,
        max_size: int,
        inflater: Inflater | None,
        decode_text: bool,
    ) -> None:
        self._masked = masked
        self._max_size = max_size
        self._inflater = inflater
        self._decode_text = decode_text
        self._text_type = _TEXT_TYPE if decode_text else None
        self._held = b""
        # The frame whose payload is arriving: octets that are missing, masking key, place in the key, FIN.
        self._left = _IN_HEAD
        self._key = b""
        self._key_at = 0
        self._final = False
        # The message that is arriving; 0 where there is none.
        self._type = 0
        self._active: Inflater | None = None  # where the message is compressed
        self._stream = False
        self._message = bytearray()
        self._large: LargePayload | None = None  # in place of it
        self._utf8: codecs.IncrementalDecoder | None = None
        self._over = False  # whether it is larger than the limit, and waits for its verdict
        self.on_too_big: Callable[[], None] | None = None
        self.stream = False
        self.stream_next = False
        self.ended = False
        self.close = (NO_STATUS, "")
        self.failure: WebSocketError | None = None

    @property
    def is_streaming(self) -> bool:
        """Whether a message that comes as fragments has begun, and did not end."""
        return self._stream

    @property
    def has_pending(self) -> bool:
        """Whether `feed(b"")` may give more: of a streamed message that decompresses to much."""
        return self._stream and self._active is not None and self._active.has_pending

    def feed(self, data: bytes) -> list[WSMessage | WSFragment]:
        """Read on, and return what became complete."""
        out: list[WSMessage | WSFragment] = []
        if self.ended:
            return out
        at = 0
        if self._held:
            data = self._held + data
            self._held = b""
        elif not (self._type or self._masked or self.stream or self.stream_next):
            # Nearly always, that is all.
            at = read_whole(data, 0, self._max_size, WSMessage, self._text_type, _BINARY_TYPE, out)
            if at == len(data):
                return out
        try:
            at = self._read(data, at, out)
        except WebSocketError as error:
            self._fail(error, out)
            return out
        if at < len(data):
            self._held = data[at:]
        return out

    @property
    def vacancy(self) -> memoryview | None:
        """Where the next octets may be put instead of feeding them, then call `filled`; None for nowhere."""
        return None if self._large is None else self._large.vacancy

    def filled(self, count: int) -> list[WSMessage | WSFragment]:
        """Read on behind so many octets that were put into `vacancy`."""
        large = self._large
        if large is None or not 0 < count <= self._left:
            raise ValueError(f"there is no room for {count} octets")
        out: list[WSMessage | WSFragment] = []
        self._left -= count
        large.filled(count)
        try:
            self._look_at(large, count, out)
        except WebSocketError as error:
            self._fail(error, out)
        return out

    def _fail(self, error: WebSocketError, out: list[WSMessage | WSFragment]) -> None:
        self.failure = error
        self.stop()
        out.append(WSMessage(WSMsgType.ERROR, error, None))

    def refuse(self) -> list[WSMessage | WSFragment]:
        """A message that waits for its verdict is a violation: return that; otherwise nothing."""
        out: list[WSMessage | WSFragment] = []
        if self._over:
            self._fail(self._too_big(), out)
        return out

    def stream_rest(self) -> list[WSMessage | WSFragment]:
        """The message that is arriving comes as fragments from here on, else the next one that begins.

        Return what is there of it, then call `feed(b"")`: it goes on.
        """
        out: list[WSMessage | WSFragment] = []
        if not self._type or self._stream:
            self.stream_next = True
            return out
        self._stream = True
        if self._large is not None:
            self._message += self._large.received()
            self._large.drop()
            self._large = None
        if self._message:
            out.append(self._so_far())
            self._message = bytearray()
        if self._over:
            self._over = False
            if not (self._left or self.has_pending):
                # Its last octets made it too large.
                self._give(b"", True, out)
                self._left = _IN_HEAD
        return out

    def _so_far(self) -> WSFragment:
        """What was put together of a message, but for the beginning of a character."""
        piece = bytes(self._message)
        if self._utf8 is None:
            return WSFragment(_BINARY_TYPE, piece, False)
        if not self._decode_text:
            return WSFragment(_TEXT_TYPE, piece, False)
        held = len(self._utf8.getstate()[0])
        return WSFragment(_TEXT_TYPE, str(piece[: len(piece) - held], "utf-8"), False)

    def stop(self) -> None:
        """Nothing counts any more, and nothing of the message that was arriving is kept."""
        self.ended = True
        self._message = bytearray()
        self._utf8 = None
        self._over = False
        if self._large is not None:
            self._large.drop()
            self._large = None

    def _read(self, data: bytes, at: int, out: list[WSMessage | WSFragment]) -> int:
        """Read frames from an index on until data is missing; return that of what was not used."""
        end = len(data)
        limit = self._max_size
        text = self._text_type
        if self._over and self._wait_for_verdict():
            return at
        while True:
            if self._left == _IN_HEAD:
                if not (self._type or self._masked or self.stream or self.stream_next):
                    at = read_whole(data, at, limit, WSMessage, text, _BINARY_TYPE, out)
                if end - at < 2:
                    return at
                first = data[at]
                start = self._read_head(data, at)
                if start < 0:
                    return at
                if first & CONTROL:
                    stop = start + self._left
                    if stop > end:
                        # It is at most 139 octets: read it again when all of it is there.
                        self._left = _IN_HEAD
                        return at
                    out.append(self._control(first & OPCODE, self._unmask(data[start:stop])))
                    self._left = _IN_HEAD
                    at = stop
                    if self.ended:
                        return end
                    continue
                at = start
            elif at == end and not self.has_pending:
                return at
            if not self._over:
                at = self._read_payload(data, at, out)
            if self.has_pending or (self._over and self._wait_for_verdict()):
                return at

    # -- frames -----------------------------------------------------------------------------------------------

    def _read_head(self, data: bytes, at: int) -> int:
        """Read a frame's head; return the index behind it, or -1 where octets of it are missing.

        What the first two octets forbid is said before the others are there.
        """
        first, second = data[at], data[at + 1]
        self._check_first(first)
        if bool(second & 0x80) is not self._masked:
            raise _violation(
                "a client's frame is not masked" if self._masked else "a server's frame is masked"
            )
        size = second & 0x7F
        if first & CONTROL and size > MAX_CONTROL_PAYLOAD:
            raise _violation("a control frame has more than 125 octets")
        start = at + 2
        if size > 125:
            width = 2 if size == 126 else 8
            if len(data) < start + width:
                return -1
            size = int.from_bytes(data[start : start + width], "big")
            start += width
            if size < 126 or (width == 8 and size < 1 << 16):
                raise _violation("a frame's length is not in its shortest form")
            if size >> 63:
                raise _violation("a frame's length has its highest bit set")
        if self._masked and len(data) < start + 4:
            return -1
        if not first & CONTROL:
            self._begin_data(first, size)
        if self._masked:
            self._key = data[start : start + 4]
            self._key_at = 0
            start += 4
        self._left = size
        return start

    def _check_first(self, first: int) -> None:
        """FIN, the reserved bits and the opcode, in the light of what came before."""
        opcode = first & OPCODE
        if first & RSV23:
            raise _violation("a reserved bit is set")
        if opcode & CONTROL:
            if opcode > _PONG:
                raise _violation(f"the opcode {opcode} is reserved")
            if not first & FIN:
                raise _violation("a control frame is fragmented")
            if first & RSV1:
                raise _violation("a control frame is marked as compressed")
        elif opcode > _BINARY:
            raise _violation(f"the opcode {opcode} is reserved")
        elif opcode == _CONTINUATION:
            if not self._type:
                raise _violation("a continuation has nothing to continue")
            if first & RSV1:
                raise _violation("a continuation is marked as compressed")
        elif self._type:
            raise _violation("a message begins inside of another one")
        elif first & RSV1 and self._inflater is None:
            raise _violation("a message is compressed, which was not agreed on")

    def _begin_data(self, first: int, size: int) -> None:
        """Take note of a data frame; its size is checked before there is memory for it (W12, W17)."""
        if first & OPCODE:
            self._type = first & OPCODE
            self._active = self._inflater if first & RSV1 else None
            self._stream = self.stream or self.stream_next
            self.stream_next = False
        self._final = bool(first & FIN)
        if self._active is not None or self._stream or not self._max_size:
            return
        if len(self._message) + size > self._max_size:
            self._exceed()

    def _exceed(self) -> None:
        """The message is larger than the limit."""
        if self.on_too_big is None:
            raise self._too_big()
        self._over = True

    def _wait_for_verdict(self) -> bool:
        """Ask again what is to become of a message that is too large; whether nothing is to be read now."""
        if self.on_too_big is None:
            raise self._too_big()
        self.on_too_big()
        return self._over or self.ended

    def _unmask(self, payload: bytes) -> bytes:
        """The next octets of a frame without their mask."""
        if not self._masked or not payload:
            return payload
        turn = self._key_at & 3
        key = self._key[turn:] + self._key[:turn]
        self._key_at += len(payload)
        return mask_payload(payload, key)

    # -- messages ---------------------------------------------------------------------------------------------

    def _read_payload(self, data: bytes, at: int, out: list[WSMessage | WSFragment]) -> int:
        """Take what is here of a data frame, and return the index behind it."""
        if self.has_pending:
            piece = b""
        else:
            stop = min(len(data), at + self._left)
            piece = self._unmask(data[at:stop])
            self._left -= stop - at
            at = stop
        ended = not self._left and self._final
        if self._large is not None:
            self._large.add(piece)
            self._look_at(self._large, len(piece), out)
        elif self._stream:
            self._give(piece, ended, out)
        elif ended and not self._message and self._active is None and self._utf8 is None:
            out.append(self._whole(self._type, piece))
            self._type = 0
        else:
            self._collect(piece, ended, out)
        if not (self._left or self._over or self.has_pending):
            self._left = _IN_HEAD
        return at

    def _whole(self, kind: int, payload: bytes) -> WSMessage:
        if kind == _BINARY:
            return _make(WSMessage, (_BINARY_TYPE, payload, None))
        try:
            text = str(payload, "utf-8")
        except UnicodeDecodeError as error:
            raise _not_utf8() from error
        if self._decode_text:
            return _make(WSMessage, (_TEXT_TYPE, text, None))
        return WSMessageTextBytes(WSMsgType.TEXT, payload, None)

    def _look_at(self, large: LargePayload, count: int, out: list[WSMessage | WSFragment]) -> None:
        """So many octets are new in a large payload; give the message away when it is whole."""
        if self._utf8 is not None:
            with large.latest(count) as piece:
                self._check_text(self._utf8, piece, not self._left)
        if not self._left:
            kind = self._type
            self._type = 0
            self._utf8 = None
            self._large = None
            self._left = _IN_HEAD
            out.append(self._whole(kind, large.take()))

    def _collect(self, piece: bytes, ended: bool, out: list[WSMessage | WSFragment]) -> None:
        """Add to the message, and give it away when it is whole."""
        message = self._message
        if self._active is not None:
            piece = self._inflate_within_limit(self._active, piece, ended)
        if self._type == _TEXT:
            if self._utf8 is None:
                self._utf8 = _UTF8()
            self._check_text(self._utf8, piece, ended and not self._over)
        message += piece
        if self._over:
            return
        if ended:
            kind = self._type
            self._type = 0
            self._utf8 = None
            self._message = bytearray()
            out.append(self._whole(kind, bytes(message)))
        elif (
            self._final
            and self._left >= _LARGE <= len(message)
            and len(message) + self._left <= _LARGEST
            and not (self._masked or self._active is not None)
        ):
            self._large = LargePayload(len(message) + self._left)
            self._large.add(message)
            self._message = bytearray()

    def _inflate_within_limit(self, inflater: Inflater, piece: bytes, ended: bool) -> bytes:
        """Decompress a piece; what is more than the limit is refused while it decompresses (W15)."""
        room = self._max_size - len(self._message) + 1 if self._max_size else 1 << 62
        plain = inflater.inflate(piece, room)
        if ended and len(plain) < room:
            # What four octets become is not much.
            plain += inflater.end_message(_STREAM_STEP)
            inflater.end()
            self._active = None
        if self._max_size and len(plain) >= room:
            self._exceed()
        return plain

    def _check_text(
        self, decoder: codecs.IncrementalDecoder, piece: bytes | memoryview, ended: bool
    ) -> str:
        try:
            return decoder.decode(piece, ended)
        except UnicodeDecodeError as error:
            raise _not_utf8() from error

    def _give(self, piece: bytes, ended: bool, out: list[WSMessage | WSFragment]) -> None:
        """Give away a piece of a message that is streamed."""
        inflater = self._active
        if inflater is not None:
            piece = inflater.inflate(piece, _STREAM_STEP)
            ended = ended and not inflater.has_pending
            if ended:
                piece += inflater.end_message(_STREAM_STEP)
                inflater.end()
        data: str | bytes = piece
        if self._type == _TEXT:
            if self._utf8 is None:
                self._utf8 = _UTF8()
            text = self._check_text(self._utf8, piece, ended)
            data = text if self._decode_text else piece
        kind = WSMsgType.TEXT if self._type == _TEXT else WSMsgType.BINARY
        if ended:
            self._type = 0
            self._utf8 = None
            self._stream = False
        if data or ended:
            out.append(WSFragment(kind, data, ended))

    def _too_big(self) -> WebSocketError:
        return WebSocketError(
            WSCloseCode.MESSAGE_TOO_BIG, f"a message has more than {self._max_size} octets"
        )

    # -- control frames ---------------------------------------------------------------------------------------

    def _control(self, opcode: int, payload: bytes) -> WSMessage:
        if opcode == _PING:
            return WSMessage(WSMsgType.PING, payload, None)
        if opcode == _PONG:
            return WSMessage(WSMsgType.PONG, payload, None)
        code = int.from_bytes(payload[:2], "big") if payload else NO_STATUS
        if payload and (len(payload) == 1 or not is_close_code(code)):
            raise _violation("a Close frame has no valid code")
        try:
            reason = str(payload[2:], "utf-8")
        except UnicodeDecodeError as error:
            raise _not_utf8() from error
        self.ended = True
        self.close = (code, reason)
        return WSMessage(WSMsgType.CLOSE, code, reason)


def _violation(message: str) -> WebSocketError:
    return WebSocketError(WSCloseCode.PROTOCOL_ERROR, message)


def _not_utf8() -> WebSocketError:
    return WebSocketError(WSCloseCode.INVALID_TEXT, "a text is not UTF-8")
