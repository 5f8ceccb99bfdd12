"""What an application in memory answers with: heads and content, framed as the request and the status want it."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, final

from wayfare_http_core import FieldBlock

if TYPE_CHECKING:
    from ._incoming import IncomingRequest
    from ._server_side import ServerSide

__all__ = ("WITHOUT_CONTENT", "Fields", "Responder")

WITHOUT_CONTENT = frozenset((204, 304))
"""Statuses that have none: a length may not be said (RFC 9110 section 8.6), or is that of another response."""

Fields = Iterable[tuple[str, str]]

_FRAMING = frozenset(("connection", "transfer-encoding"))


@final
class Responder:
    """Answers one request. A response is begun once, given content in pieces, and ended.

    What an application gets wrong is a RuntimeError or a ValueError here, as it would be a broken connection elsewhere.
    What is written after the client is gone goes nowhere.
    """

    __slots__ = ("_chunked", "_remaining", "_request", "_side", "_silent", "ended", "started")

    started: bool
    """Whether the final head was sent."""
    ended: bool

    def __init__(self, side: "ServerSide", request: "IncomingRequest") -> None:
        self._side = side
        self._request = request
        self._chunked = False
        self._silent = False
        """Whether content is left out, as of a response to HEAD."""
        self._remaining: int | None = None
        self.started = False
        self.ended = False

    def inform(self, status: int, fields: Fields = ()) -> None:
        """Send an informational response.

        Raises: ValueError for what none is, or cannot be sent; RuntimeError after the final head.
        """
        if not 100 <= status < 200 or status == 101:
            raise ValueError(f"{status} is no informational status")
        if self.started:
            raise RuntimeError("the response has begun already")
        self._side.send(_head(status, None, fields))

    def start(self, status: int, fields: Fields = (), reason: str | None = None) -> None:
        """Send the final head, once; without a Content-Length the content is sent in chunks.

        Raises: ValueError for what cannot be sent.
        """
        if not 200 <= status < 1000:
            raise ValueError(f"{status} is no final status")
        pairs = [pair for pair in fields if pair[0].lower() not in _FRAMING]
        self._frame(status, pairs)
        self.started = True
        self._side.send(_head(status, reason, pairs))

    def _frame(self, status: int, pairs: list[tuple[str, str]]) -> None:
        lengths = [value for name, value in pairs if name.lower() == "content-length"]
        if len(lengths) > 1 or (lengths and not (lengths[0].isascii() and lengths[0].isdigit())):
            raise ValueError(f"this is no Content-Length: {', '.join(lengths)[:100]!r}")
        self._silent = self._request.method == "HEAD" or status in WITHOUT_CONTENT
        # Lengths of more digits than these are for no content that anybody has.
        self._remaining = int(lengths[0][:19]) if lengths and not self._silent else None
        self._chunked = self._remaining is None and not self._silent
        if self._chunked and self._request.head.version == "1.0":
            self._chunked = False
            self._side.close_after = True
        if self._chunked:
            pairs.append(("Transfer-Encoding", "chunked"))
        if self._side.close_after:
            pairs.append(("Connection", "close"))

    async def write(self, data: bytes) -> None:
        """Send a piece of the content, and wait while too much of it waits for the client.

        Raises: RuntimeError before the head, after the end, and for more than Content-Length says.
        Cancellation: safe; the piece is sent.
        """
        if not self.started or self.ended:
            raise RuntimeError("content has its place between the head and the end of a response")
        if not data or self._silent:
            return
        if self._remaining is not None:
            self._remaining -= len(data)
            if self._remaining < 0:
                raise RuntimeError("the content is longer than its Content-Length")
        self._side.send(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else bytes(data))
        await self._side.drained()

    def end(self, trailers: Fields = ()) -> None:
        """Complete the response, whose head was sent; idempotent.

        Raises: RuntimeError for less than Content-Length says.
        """
        if self.ended:
            return
        if self._remaining:
            raise RuntimeError(f"the content lacks {self._remaining} octets of its Content-Length")
        self.ended = True
        if self._chunked:
            self._side.send(b"0\r\n" + FieldBlock(trailers).encoded + b"\r\n")

    def upgrade(self, fields: Fields = ()) -> tuple[asyncio.Transport, bytes]:
        """Send 101, and hand out the transport with what was read too far; whoever gets it sets a protocol of its own
        at once.

        Raises: ValueError for what cannot be sent.
        """
        pairs = [pair for pair in fields if pair[0].lower() not in _FRAMING]
        head = _head(101, None, [*pairs, ("Connection", "Upgrade")])
        self.started = self.ended = True
        return self._side.hand_over(head)

    def abort(self) -> None:
        """Break the connection, as a server does that fails in the middle of a response."""
        self.started = self.ended = True
        self._side.abort()


def _head(status: int, reason: str | None, fields: Fields) -> bytes:
    # What cannot stand in a field is refused here, by the same rules as in a request.
    section = FieldBlock(fields).encoded
    if reason is None:
        reason = HTTPStatus(status).phrase if status in _KNOWN else ""
    if not reason.isprintable():
        raise ValueError(f"this is no reason phrase: {reason[:100]!r}")
    return f"HTTP/1.1 {status} {reason}\r\n".encode() + section + b"\r\n"


_KNOWN = frozenset(status.value for status in HTTPStatus)
