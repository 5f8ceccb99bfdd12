"""The receiving half of an HTTP/1.1 client connection, without the connection (RFC 9112).

AWAIT_HEAD --final head--> BODY --last octet--> DONE --begin()--> AWAIT_HEAD
             \\-- 101, or 2xx to CONNECT -----> TUNNEL
any of them --what cannot be HTTP------------> FAILED
"""

import enum
import re
from collections.abc import Sequence
from typing import final

from multidict import CIMultiDictProxy

from ._chunked import NO_TRAILERS, ChunkedDecoder
from ._errors import (
    BadHttpMessage,
    BadStatusLine,
    ClientPayloadError,
    IncompleteBodyError,
    ServerDisconnectedError,
)
from ._framing import BodyKind, Framing, connection_persists, response_framing
from ._head import ResponseHead
from ._head_parser import check_partial_head, parse_response_head, quick_response_head
from ._limits import DEFAULT_HEAD_LIMITS, HeadLimits

__all__ = ("END_OF_MESSAGE", "EndOfMessage", "ResponseEvent", "ResponseParser")


@final
class EndOfMessage:
    """The end of a response, with its trailer fields (none for most)."""

    __slots__ = ("trailers",)

    trailers: CIMultiDictProxy[str]

    def __init__(self, trailers: CIMultiDictProxy[str] = NO_TRAILERS) -> None:
        self.trailers = trailers

    def __repr__(self) -> str:
        return f"<EndOfMessage, {len(self.trailers)} trailers>"


END_OF_MESSAGE = EndOfMessage()
"""The event at the end of a message without trailers."""

ResponseEvent = (
    ResponseHead
    | bytes
    | EndOfMessage
    | BadHttpMessage
    | ClientPayloadError
    | ServerDisconnectedError
)
"""What a `ResponseParser` answers: a head (informational ones first), pieces of content, the end, or what went
wrong."""


class _State(enum.Enum):
    IDLE = "no request under way"
    HEAD = "waiting for a head"
    BODY = "within a body"
    DONE = "message complete"
    TUNNEL = "no longer HTTP"
    FAILED = "failed"


_BLANK_LINE = re.compile(rb"\n\r?\n")
# Looked up for every response; an attribute of an enum class costs a multiple of a global.
_IDLE, _HEAD, _BODY, _DONE, _TUNNEL, _FAILED = _State
_NONE, _LENGTH, _CHUNKED, _UNTIL_CLOSE, _ = BodyKind


@final
class ResponseParser:
    """Turns a connection's octets into the heads and contents of its responses.

    Call `begin` when a request is sent, then `feed` with whatever arrives and `feed_eof` at its end. Both answer with
    events in order and never raise for what a peer sent: an error is the last event, so the content before it is not
    lost. The verdict does not depend on how the octets are cut.
    """

    __slots__ = (
        "_buffer",
        "_chunks",
        "_crlf_allowed",
        "_framing",
        "_head_octets",
        "_informational",
        "_limits",
        "_line_start",
        "_lines",
        "_method",
        "_persistent",
        "_received",
        "_scanned",
        "_state",
        "_surplus",
        "_upgrade_offered",
        "chunk_sizes",
    )

    _chunks: ChunkedDecoder  # from the first chunked body on
    chunk_sizes: bytes
    """The sizes of the chunks whose last octets are in the content that the latest `feed` gave, packed; see
    `ChunkedDecoder.chunk_sizes`. Empty where the content is not chunked."""

    def __init__(self, limits: HeadLimits = DEFAULT_HEAD_LIMITS) -> None:
        self._limits = limits
        self._state = _IDLE
        self._buffer = bytearray()
        self._scanned = 0
        self._lines = 0
        self._line_start = 0
        self._surplus = b""
        self._framing = Framing(_NONE)
        self._persistent = True
        self._method = "GET"
        self._upgrade_offered = False
        self._crlf_allowed = False
        self._informational = 0
        self._head_octets = 0
        self._received = 0
        self.chunk_sizes = b""

    def begin(self, method: str, limits: HeadLimits | None = None) -> None:
        """Expect the response to a request that is being sent now, within the limits given here or before.

        Raises: RuntimeError while another response is awaited, or when the connection cannot carry another.
        """
        first = self._state is _IDLE
        if (
            self._surplus or first or self._state is not _DONE or not self._persistent
        ) and not self.reusable:
            raise RuntimeError(f"cannot begin a response here: {self._state.value}")
        # One empty line is tolerated, and only directly after a response (RFC 9112 section 9.2).
        self._crlf_allowed = not first
        self._state = _HEAD
        self._method = method
        self._upgrade_offered = False
        self.chunk_sizes = b""
        if limits is not None:
            self._limits = limits
        self._received = self._informational = self._head_octets = 0
        if self._surplus:
            # Part of the CRLF that is tolerated after a response.
            self._buffer += self._surplus
            self._surplus = b""

    def offer_upgrade(self) -> None:
        """Say that the request carries an Upgrade field; without one, 101 is an error."""
        self._upgrade_offered = True

    @property
    def reusable(self) -> bool:
        """Whether another exchange may start on the connection: the last message ended, its framing and its fields
        allow it, and nothing but at most one CRLF followed it (RFC 9112 sections 9.2 and 9.3)."""
        if self._state is _DONE:
            return self._persistent and (not self._surplus or self._surplus in (b"\r", b"\r\n"))
        return self._state is _IDLE and not self._surplus

    @property
    def persistent(self) -> bool:
        """Whether the response's framing and fields allow another exchange, should it end well."""
        return self._persistent

    @property
    def tunnelling(self) -> bool:
        """Whether HTTP ended here: the octets that follow are a tunnel's or another protocol's.

        All that is fed from here on waits for `take_unused`, without a bound: stop reading before you feed more.
        """
        return self._state is _TUNNEL

    @property
    def remaining(self) -> int | None:
        """Octets of the body still to come: None where only the end of the connection tells, 0 where it cannot be
        known before the last chunk."""
        kind = self._framing.kind
        if kind is _LENGTH:
            return self._framing.length - self._received
        return None if kind is _UNTIL_CLOSE else 0

    @property
    def state(self) -> str:
        """What the parser is doing, in words for an error message."""
        return self._state.value

    def take_unused(self) -> bytes:
        """The octets that belong to no message: those of the tunnel or the upgraded protocol, once it began."""
        unused, self._surplus = self._surplus, b""
        return unused

    def feed(self, data: bytes) -> Sequence[ResponseEvent]:
        """The events in the next octets from the wire."""
        state = self._state
        if state is _HEAD:
            if not self._buffer and not (self._crlf_allowed and data.startswith(b"\r")):
                # The usual case, made short: a head that comes at once and is plainly valid.
                end = data.find(b"\r\n\r\n")
                head = quick_response_head(data[:end], self._limits) if end > 0 else None
                if head is not None and head.status >= 200:
                    return self._feed_after(head, data, end + 4)
            return self._feed_head(data)
        if state is _BODY:
            events: list[ResponseEvent] = []
            self._feed_body(data, events)
            return events
        if state is not _FAILED and (state is _TUNNEL or len(self._surplus) <= 2):
            self._surplus += data
        return ()

    def feed_eof(self) -> Sequence[ResponseEvent]:
        """The events that an orderly end of the octets means; a connection that broke is the caller's to report."""
        state = self._state
        self._persistent = False
        if state is _BODY and self._framing.kind is _UNTIL_CLOSE:
            self._state = _DONE
            return (END_OF_MESSAGE,)
        if state is _IDLE or state is _HEAD or state is _BODY:
            self._state = _FAILED
        if state is _HEAD:
            return (self._refuse_end_in_head(),)
        return () if state is not _BODY else (self._incomplete(),)

    def _refuse_end_in_head(self) -> BadStatusLine | ServerDisconnectedError:
        begun = bytes(self._buffer).lstrip(b"\r\n")
        if not begun.startswith(b"HTTP/"[: len(begun)]):
            return BadStatusLine(begun)
        return ServerDisconnectedError(
            "the server closed the connection within the head" if begun else None
        )

    def connection_broken(self) -> IncompleteBodyError | None:
        """The error to report when the connection breaks within a body, or None outside one."""
        if self._state is not _BODY:
            return None
        self._state = _FAILED
        return self._incomplete()

    def _incomplete(self) -> IncompleteBodyError:
        expected = self._framing.length if self._framing.kind is _LENGTH else None
        return IncompleteBodyError(self._received, expected)

    def _feed_after(self, head: ResponseHead, data: bytes, start: int) -> Sequence[ResponseEvent]:
        """The events of a final head and of the octets that came with it, from `start` on."""
        events: list[ResponseEvent] = []
        try:
            self._accept_final(head, events)
        except BadHttpMessage as exc:
            self._state = _FAILED
            return (exc,)
        if start < len(data):
            if self._state is _BODY:
                self._feed_body(data[start:], events)
            else:
                self._surplus = data[start:]
        return events

    def _feed_head(self, data: bytes) -> Sequence[ResponseEvent]:
        """The same for heads that come in pieces, that are informational, or that the quick reader did not like."""
        events: list[ResponseEvent] = []
        try:
            while self._state is _HEAD:
                rest = self._read_head(data, events)
                if rest is None:
                    return events
                data = rest
        except BadHttpMessage as exc:
            self._state = _FAILED
            self._buffer.clear()
            events.append(exc)
            return events
        if self._state is _BODY:
            if data:
                self._feed_body(data, events)
        else:
            self._surplus = data
        return events

    def _read_head(self, data: bytes, events: list[ResponseEvent]) -> bytes | None:
        """Take one head off the octets; returns what follows it, or None where the head is not complete."""
        buffer = self._buffer
        buffer += data
        if self._crlf_allowed:
            if not buffer or buffer == b"\r":
                return None
            if buffer.startswith(b"\r\n"):
                del buffer[:2]
            self._crlf_allowed = False
        # Only what is new is looked at: a head that comes octet by octet must not cost the square of its length.
        scanned = self._scanned
        blank = _BLANK_LINE.search(buffer, max(0, scanned - 2))
        if blank is None:
            self._lines += buffer.count(b"\n", scanned)
            self._line_start = max(self._line_start, buffer.rfind(b"\n", scanned) + 1)
            self._scanned = len(buffer)
            check_partial_head(buffer, self._lines, self._line_start, self._limits)
            return None
        head = bytes(buffer[: blank.start()].removesuffix(b"\r"))
        rest = bytes(buffer[blank.end() :])
        buffer.clear()
        self._scanned = self._lines = self._line_start = 0
        self._accept_head(parse_response_head(head, self._limits), len(head), events)
        return rest

    def _accept_head(self, head: ResponseHead, octets: int, events: list[ResponseEvent]) -> None:
        if head.status < 200:
            self._count_informational(head, octets)
            if head.status != 101:
                events.append(head)
                return
        self._accept_final(head, events)

    def _accept_final(self, head: ResponseHead, events: list[ResponseEvent]) -> None:
        self._framing = framing = response_framing(self._method, head)
        self._persistent = framing.persistent and connection_persists(head)
        events.append(head)
        kind = framing.kind
        if kind is _LENGTH or kind is _UNTIL_CLOSE:
            self._state = _BODY
        elif kind is _NONE:
            self._state = _DONE
            events.append(END_OF_MESSAGE)
        elif kind is _CHUNKED:
            self._chunks = ChunkedDecoder(self._limits, fields_before=len(head.headers))
            self._state = _BODY
        else:
            self._state = _TUNNEL
            events.append(END_OF_MESSAGE)

    def _count_informational(self, head: ResponseHead, octets: int) -> None:
        if head.status == 101 and not self._upgrade_offered:
            raise BadHttpMessage("101 Switching Protocols without a request to upgrade")
        self._informational += 1
        self._head_octets += octets
        if self._informational > self._limits.informational:
            raise BadHttpMessage(f"more than {self._limits.informational} informational responses")
        if self._head_octets > self._limits.head:
            raise BadHttpMessage(f"informational responses of more than {self._limits.head} octets")

    def _feed_body(self, data: bytes, events: list[ResponseEvent]) -> None:
        kind = self._framing.kind
        if kind is _LENGTH:
            missing = self._framing.length - self._received
            if len(data) < missing:
                self._received += len(data)
                events.append(data)
                return
            if len(data) > missing:
                self._surplus = data[missing:]
                data = data[:missing]
            self._received += missing
            self._state = _DONE
            events += (data, END_OF_MESSAGE)
        elif kind is _UNTIL_CLOSE:
            self._received += len(data)
            events.append(data)
        else:
            self._feed_chunks(data, events)

    def _feed_chunks(self, data: bytes, events: list[ResponseEvent]) -> None:
        chunks = self._chunks
        content = chunks.decode(data)
        self.chunk_sizes = chunks.chunk_sizes
        if content:
            self._received += len(content)
            events.append(content)
        if chunks.error is not None:
            self._state = _FAILED
            events.append(chunks.error)
        elif chunks.done:
            self._state = _DONE
            self._surplus = chunks.unused
            events.append(EndOfMessage(chunks.trailers) if chunks.trailers else END_OF_MESSAGE)
