"""Fourteen correct responses, one for each way in which a response can be framed or mean something.

They are what a fault is injected into: cut, reset, stalled or continued with garbage after every
octet, each of them has exactly one right verdict.
"""

import zlib
from dataclasses import dataclass
from typing import final

__all__ = ("CANONICAL_RESPONSES", "CanonicalResponse")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalResponse:
    """A response as octets, and what a client must make of it."""

    name: str
    data: bytes
    """Everything the server sends; nothing of it is optional."""
    status: int = 200
    method: str = "GET"
    """The method of the request that it answers."""
    content: bytes = b""
    """The content without framing and with its coding undone."""
    coding: str | None = None
    """The Content-Encoding, where the response has content."""
    trailers: tuple[tuple[str, str], ...] = ()
    until_close: bool = False
    """The content ends with the connection: only FIN completes it."""
    tunnel: bool = False
    """HTTP ends on the connection after the head (101, or 2xx to CONNECT)."""

    @property
    def head_end(self) -> int:
        """The offset of the first octet after the final head."""
        final = self.data.rindex(b"HTTP/1.1 ")
        return self.data.index(b"\r\n\r\n", final) + 4

    def is_complete(self, offset: int, *, closed: bool) -> bool:
        """Whether the first `offset` octets are the whole response; `closed` says that FIN followed."""
        if self.until_close:
            return closed and offset >= self.head_end
        return offset >= len(self.data)

    def offsets(self) -> tuple[int, ...]:
        """Where to cut: after every octet; in the middle of a large body only here and there."""
        size = len(self.data)
        if size < 4096:
            return tuple(range(size + 1))
        start, stop = self.head_end + 16, size - 16
        return (*range(start), *range(start, stop, 9973), *range(stop, size + 1))


def _gzip(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=31)
    return compressor.compress(data) + compressor.flush()


def _with_length(head: bytes, content: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (head, len(content), content)


_TEXT = b"The quick brown fox jumps over the lazy dog. "
_ZIPPED = _gzip(_TEXT)
_TWO_MEMBERS = _gzip(_TEXT[:20]) + _gzip(_TEXT[20:])
_LARGE = bytes(range(256)) * 1200

CANONICAL_RESPONSES = (
    CanonicalResponse(
        name="content-length",
        data=_with_length(b"200 OK\r\nContent-Type: text/plain", _TEXT),
        content=_TEXT,
    ),
    CanonicalResponse(
        name="chunked-trailers",
        data=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
        b"14;ext=1\r\n" + _TEXT[:20] + b"\r\n19\r\n" + _TEXT[20:] + b"\r\n0\r\nX-Sum: 45\r\n\r\n",
        content=_TEXT,
        trailers=(("X-Sum", "45"),),
    ),
    CanonicalResponse(
        name="gzip",
        data=_with_length(b"200 OK\r\nContent-Encoding: gzip", _ZIPPED),
        content=_TEXT,
        coding="gzip",
    ),
    CanonicalResponse(
        name="until-close",
        data=b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + _TEXT,
        content=_TEXT,
        until_close=True,
    ),
    CanonicalResponse(
        name="informational",
        data=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        + _with_length(b"200 OK", _TEXT),
        content=_TEXT,
    ),
    CanonicalResponse(
        name="no-content", data=b"HTTP/1.1 204 No Content\r\nX-Id: 1\r\n\r\n", status=204
    ),
    CanonicalResponse(
        name="not-modified",
        data=b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 45\r\n\r\n',
        status=304,
    ),
    CanonicalResponse(
        name="upgrade",
        data=b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
        status=101,
        tunnel=True,
    ),
    CanonicalResponse(
        name="redirect",
        data=_with_length(b"302 Found\r\nLocation: /elsewhere", b"moved"),
        status=302,
        content=b"moved",
    ),
    CanonicalResponse(
        name="unauthorized",
        data=_with_length(b'401 Unauthorized\r\nWWW-Authenticate: Basic realm="r"', b"who?"),
        status=401,
        content=b"who?",
    ),
    CanonicalResponse(
        name="head",
        data=b"HTTP/1.1 200 OK\r\nContent-Length: 45\r\nContent-Encoding: gzip\r\n\r\n",
        method="HEAD",
    ),
    CanonicalResponse(
        name="gzip-members",
        data=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
        + b"%x\r\n%b\r\n0\r\n\r\n" % (len(_TWO_MEMBERS), _TWO_MEMBERS),
        content=_TEXT,
        coding="gzip",
    ),
    CanonicalResponse(name="large", data=_with_length(b"200 OK", _LARGE), content=_LARGE),
    CanonicalResponse(
        name="connect",
        data=b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n",
        method="CONNECT",
        tunnel=True,
    ),
)
"""Responses that every client has to understand, one for each way to frame or code them."""
