"""Where a request ends, for peers that read requests: small, strict, and independent of the writer.

It shares no code with the package's own serialiser or grammar: a test peer that had their mistakes
would not notice them. It accepts what RFC 9112 lets a client send, and refuses the rest.
"""

import re
from dataclasses import dataclass
from typing import final

__all__ = ("BadRequestError", "ReceivedRequest", "RequestScanner")

_REQUEST_LINE = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP/1\.([01])"  # RFC 9112 section 3
)
_FIELD_LINE = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*"
    rb"[\x21-\x7e\x80-\xff])?)?)[ \t]*"
)
_DIGITS = re.compile(rb"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")


@final
class BadRequestError(ValueError):
    """What a client sent is no request that RFC 9112 lets it send."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A request as it was received: names and values as text (latin-1), content without framing."""

    method: str
    target: str
    version: str
    fields: tuple[tuple[str, str], ...]
    body: bytes = b""
    trailers: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str | None:
        """The only value of that field (any case), or None.

        Raises: BadRequestError when it was sent more than once.
        """
        values = [value for own, value in self.fields if own.lower() == name.lower()]
        if len(values) > 1:
            raise BadRequestError(f"{name} was sent {len(values)} times")
        return values[0] if values else None


@final
class RequestScanner:
    """Takes octets as they arrive and gives out requests, heads, or plain octets.

    Each `maybe_` method answers None while more octets are needed. They raise BadRequestError.
    """

    __slots__ = ("_chunks", "_head", "_trailers", "unread")

    unread: bytearray
    """What has arrived and was not given out."""

    def __init__(self) -> None:
        self.unread = bytearray()
        self._head: ReceivedRequest | None = None
        self._chunks = bytearray()
        self._trailers: list[tuple[str, str]] | None = None

    def feed(self, data: bytes) -> None:
        """Append what arrived."""
        self.unread += data

    def maybe_octets(self, count: int) -> bytes | None:
        """Exactly `count` octets, whatever they mean."""
        if len(self.unread) < count:
            return None
        taken = bytes(self.unread[:count])
        del self.unread[:count]
        return taken

    def maybe_head(self) -> ReceivedRequest | None:
        """The next request's head; its content is still to be read, by `maybe_request`."""
        if self._head is not None:
            raise BadRequestError("the content of the previous request was not read")
        end = self.unread.find(b"\r\n\r\n")
        if end < 0:
            if b"\n\n" in self.unread or b"\n\r\n" in self.unread:
                raise BadRequestError("a line ends without CR")
            return None
        lines = bytes(self.unread[:end]).split(b"\r\n")
        del self.unread[: end + 4]
        self._head = _parse_head(lines)
        return self._head

    def maybe_request(self) -> ReceivedRequest | None:
        """The next request whole, or the rest of the one whose head was read."""
        head = self._head or self.maybe_head()
        if head is None:
            return None
        if head.get("transfer-encoding") is not None:
            if not self._read_chunks():
                return None
            body, trailers = bytes(self._chunks), tuple(self._trailers or ())
            self._chunks.clear()
            self._trailers = None
        else:
            length = 0 if head.method == "CONNECT" else int(head.get("content-length") or 0)
            octets = self.maybe_octets(length)
            if octets is None:
                return None
            body, trailers = octets, ()
        self._head = None
        return ReceivedRequest(
            method=head.method,
            target=head.target,
            version=head.version,
            fields=head.fields,
            body=body,
            trailers=trailers,
        )

    def _read_chunks(self) -> bool:
        while self._trailers is None:
            line, found, _ = bytes(self.unread[:32]).partition(b"\r\n")
            if not found:
                if len(self.unread) >= 32:
                    raise BadRequestError(f"chunk size line too long: {line!r}")
                return False
            if _CHUNK_SIZE.fullmatch(line) is None:
                raise BadRequestError(f"bad chunk size {line!r}")
            size, start = int(line, 16), len(line) + 2
            if size == 0:
                del self.unread[:start]
                self._trailers = []
                break
            if len(self.unread) < start + size + 2:
                return False
            if self.unread[start + size : start + size + 2] != b"\r\n":
                raise BadRequestError("chunk data longer than its size")
            self._chunks += self.unread[start : start + size]
            del self.unread[: start + size + 2]
        return self._read_trailers(self._trailers)

    def _read_trailers(self, trailers: list[tuple[str, str]]) -> bool:
        while True:
            end = self.unread.find(b"\r\n")
            if end < 0:
                return False
            line = bytes(self.unread[:end])
            del self.unread[: end + 2]
            if not line:
                return True
            trailers.append(_parse_field(line))


def _parse_field(line: bytes) -> tuple[str, str]:
    match = _FIELD_LINE.fullmatch(line)
    if match is None:
        raise BadRequestError(f"bad field line {line!r}")
    return match[1].decode("ascii"), match[2].decode("latin-1")


def _parse_head(lines: list[bytes]) -> ReceivedRequest:
    match = _REQUEST_LINE.fullmatch(lines[0])
    if match is None:
        raise BadRequestError(f"bad request line {lines[0]!r}")
    head = ReceivedRequest(
        method=match[1].decode("ascii"),
        target=match[2].decode("ascii"),
        version="1." + match[3].decode("ascii"),
        fields=tuple(_parse_field(line) for line in lines[1:]),
    )
    _check_framing(head)
    return head


def _check_framing(head: ReceivedRequest) -> None:
    length, coding = head.get("content-length"), head.get("transfer-encoding")
    if head.get("host") is None and head.version == "1.1":
        raise BadRequestError("no Host field (RFC 9112 section 3.2)")
    if length is not None and _DIGITS.fullmatch(length.encode("latin-1")) is None:
        raise BadRequestError(f"bad Content-Length {length!r}")
    if coding is None:
        return
    if length is not None:
        raise BadRequestError("both Content-Length and Transfer-Encoding (RFC 9112 section 6.2)")
    if coding != "chunked" or head.version == "1.0":
        raise BadRequestError(f"Transfer-Encoding {coding!r} in HTTP/{head.version}")
