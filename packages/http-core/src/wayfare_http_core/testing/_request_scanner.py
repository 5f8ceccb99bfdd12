"""Requests as a server receives them, for peers that judge clients: incremental, bounded, and strict."""

import enum
import re
from dataclasses import dataclass, replace
from typing import TypeAlias, final

from ._request_rules import (
    DEFAULT_REQUEST_LIMITS,
    BadRequestError,
    ReceivedRequest,
    RequestLimits,
    parse_chunk_line,
    parse_head,
    parse_trailers,
)

__all__ = ("RequestEnd", "RequestEvent", "RequestScanner")


@final
@dataclass(frozen=True, slots=True)
class RequestEnd:
    """The end of a request, with its trailer fields."""

    trailers: tuple[tuple[str, str], ...] = ()


RequestEvent: TypeAlias = ReceivedRequest | bytes | RequestEnd
"""A request's head, a piece of its content (never empty), or its end."""


# Anything else than the first octet of a method: a TLS handshake, another protocol, an empty line.
_BEGINNING = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_NO_HEAD = ReceivedRequest(method="", target="", version="1.1", fields=())


class _Phase(enum.Enum):
    HEAD = "head"
    LENGTH = "content"
    CHUNK_LINE = "chunk size"
    CHUNK = "chunk"
    CHUNK_END = "end of a chunk"
    TRAILERS = "trailers"
    END = "end"


@final
class RequestScanner:
    """Takes octets as they arrive and gives out requests: as events, heads, or whole.

    Each `maybe_` method answers None while more octets are needed, and raises BadRequestError for what RFC 9112 forbids
    a client; after that the scanner is of no more use. What is given out does not depend on how the octets were cut.
    Pull one thing after the other: a caller may take plain octets between two of them, as after CONNECT.

    Targets are held to RFC 3986 to the letter only with `exact_targets`: URLs of browsers leave `[` or `|` unescaped,
    and servers take them.
    """

    __slots__ = (
        "_content",
        "_exact_targets",
        "_head",
        "_limits",
        "_looked",
        "_phase",
        "_received",
        "_remaining",
        "_trailers",
        "unread",
    )

    unread: bytearray
    """What has arrived and was not given out."""

    def __init__(
        self, limits: RequestLimits = DEFAULT_REQUEST_LIMITS, *, exact_targets: bool = False
    ) -> None:
        self.unread = bytearray()
        self._limits = limits
        self._exact_targets = exact_targets
        self._phase = _Phase.HEAD
        self._head = _NO_HEAD
        self._looked = 0  # octets of `unread` in which the end of the head is not
        self._remaining = 0
        self._received = 0
        self._content = bytearray()
        self._trailers: tuple[tuple[str, str], ...] = ()

    def feed(self, data: bytes) -> None:
        """Append what arrived."""
        self.unread += data

    def feed_eof(self) -> None:
        """Say that nothing more arrives.

        Raises: BadRequestError within a request, and for octets that nobody took.
        """
        if self._phase is not _Phase.HEAD:
            raise BadRequestError(f"the connection ended within a request: {self._phase.value}")
        if self.unread:
            raise BadRequestError(f"the connection ended after {bytes(self.unread[:100])!r}")

    def maybe_octets(self, count: int) -> bytes | None:
        """Exactly `count` octets, whatever they mean."""
        if len(self.unread) < count:
            return None
        self._looked = 0
        return self._take(count)

    def maybe_head(self) -> ReceivedRequest | None:
        """The next request's head; its content is still to be read, by `maybe_request` or `maybe_event`."""
        if self._phase is not _Phase.HEAD:
            raise BadRequestError("the content of the previous request was not read")
        event = self.maybe_event()
        return event if isinstance(event, ReceivedRequest) else None

    def maybe_request(self) -> ReceivedRequest | None:
        """The next request whole, or the rest of the one whose head was read."""
        while (event := self.maybe_event()) is not None:
            if isinstance(event, bytes):
                self._content += event
            elif isinstance(event, RequestEnd):
                body = bytes(self._content)
                self._content.clear()
                return replace(self._head, body=body, trailers=event.trailers)
        return None

    def maybe_event(self) -> RequestEvent | None:
        """The next event, as soon as there is one: content is given out as it comes."""
        while True:
            match self._phase:
                case _Phase.HEAD:
                    return self._read_head()
                case _Phase.LENGTH | _Phase.CHUNK:
                    return self._read_content()
                case _Phase.END:
                    self._phase = _Phase.HEAD
                    return RequestEnd(self._trailers)
                case _Phase.CHUNK_LINE:
                    advanced = self._read_chunk_line()
                case _Phase.CHUNK_END:
                    advanced = self._read_chunk_end()
                case _:
                    advanced = self._read_trailers()
            if not advanced:
                return None

    def _take(self, count: int) -> bytes:
        taken = bytes(self.unread[:count])
        del self.unread[:count]
        return taken

    def _read_head(self) -> ReceivedRequest | None:
        if self.unread:
            if self._head.closes:
                raise BadRequestError("octets after a request that closes the connection")
            if _BEGINNING.match(self.unread) is None:
                raise BadRequestError(f"no request begins with {bytes(self.unread[:100])!r}")
        lines = self._read_lines(self._limits.head, "head")
        if lines is None:
            return None
        head = parse_head(lines, self._limits, exact_target=self._exact_targets)
        self._begin(head)
        return head

    def _read_lines(self, limit: int, name: str) -> list[bytes] | None:
        """The lines before the next empty one, or None where that is still to come."""
        end = self.unread.find(b"\r\n\r\n", max(0, self._looked - 3))
        known = len(self.unread) if end < 0 else end
        if _BARE_LF.search(self.unread, self._looked, known) is not None:
            raise BadRequestError("a line ends without CR")
        if known - (3 if end < 0 else 0) > limit:
            raise BadRequestError(f"the {name} has more than {limit} octets")
        if end < 0:
            self._looked = known
            return None
        self._looked = 0
        return self._take(end + 4)[:-4].split(b"\r\n")

    def _begin(self, head: ReceivedRequest) -> None:
        self._head = head
        self._trailers = ()
        self._received = 0
        self._remaining = 0
        if head.chunked:
            self._phase = _Phase.CHUNK_LINE
        else:
            self._expect_content(head.length, _Phase.LENGTH)
            if not head.length:
                self._phase = _Phase.END

    def _expect_content(self, octets: int, phase: _Phase) -> None:
        limit = self._limits.body
        self._received += octets
        if limit is not None and self._received > limit:
            raise BadRequestError(f"the content has more than {limit} octets")
        self._remaining = octets
        self._phase = phase

    def _read_content(self) -> bytes | None:
        if not self.unread:
            return None
        content = self._take(min(self._remaining, len(self.unread)))
        self._remaining -= len(content)
        if not self._remaining:
            self._phase = _Phase.END if self._phase is _Phase.LENGTH else _Phase.CHUNK_END
        return content

    def _read_chunk_line(self) -> bool:
        limit = self._limits.chunk_line
        end = self.unread.find(b"\r\n", 0, limit + 2)
        if end < 0:
            if len(self.unread) > limit + 1:
                raise BadRequestError(f"a chunk's line has more than {limit} octets")
            if b"\n" in self.unread:
                raise BadRequestError("a line ends without CR")
            return False
        size = parse_chunk_line(self._take(end + 2)[:-2])
        self._expect_content(size, _Phase.CHUNK if size else _Phase.TRAILERS)
        return True

    def _read_chunk_end(self) -> bool:
        end = bytes(self.unread[:2])
        if not b"\r\n".startswith(end):
            raise BadRequestError(f"chunk data longer than its size: {end!r}")
        if len(end) < 2:
            return False
        self._take(2)
        self._phase = _Phase.CHUNK_LINE
        return True

    def _read_trailers(self) -> bool:
        if self.unread.startswith(b"\r\n"):
            self._take(2)
        else:
            lines = self._read_lines(self._limits.trailers, "trailer section")
            if lines is None:
                return False
            self._trailers = parse_trailers(lines, self._limits)
        self._phase = _Phase.END
        return True
