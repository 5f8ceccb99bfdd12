"""Responses for scripts: right by themselves, and wrong as far as you say so."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from http import HTTPStatus
from typing import Literal, TypeAlias, final

from wayfare_http_core._encoders import make_encoder

__all__ = ("Reply",)

_Fields: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]


@final
@dataclass(frozen=True, slots=True)
class Reply:
    """Answer a request: the one that was read last, or the next one where that has its answer already.

    A request that is read for this is read whole, and told to continue if it asks. The response is framed, and the
    connection kept or closed, as request and status want it. `fields` are sent as they stand and before all others; a
    Content-Length, Transfer-Encoding, Connection, Content-Type or Content-Encoding among them replaces the one that
    would be made, so that a response can contradict itself. Text is sent as UTF-8.
    """

    body: bytes | str = b""
    status: int = 200
    _: KW_ONLY
    fields: _Fields = ()
    reason: str | None = None
    """None means the usual words for the status."""
    framing: Literal["length", "chunked", "close"] = "length"
    """How the end of the content is told; the connection is closed after "close"."""
    chunk_size: int = 16 * 1024
    """Octets of one chunk, with the framing "chunked"."""
    trailers: _Fields = ()
    """Fields after the last chunk, with the framing "chunked"."""
    coding: str = ""
    """Content codings to apply, in that order: "gzip" or "deflate, br"."""
    close: bool = False
    """Close the connection afterwards, and say so."""
    version: str = "1.1"

    @property
    def is_final(self) -> bool:
        """Whether it answers the request: an informational response leaves that to another."""
        return self.status >= 200 or self.status == 101

    @property
    def closes(self) -> bool:
        """Whether the connection ends with this response, whatever the request says."""
        return self.close or self.framing == "close"

    def encode(self, method: str = "GET") -> bytes:
        """The octets of the response to a request with that method."""
        tunnel = method == "CONNECT" and 200 <= self.status < 300
        without = self.status < 200 or self.status == 204 or tunnel
        content = self._content()
        head = self._head(None if without else len(content))
        if without or method == "HEAD" or self.status == 304:
            return head
        return head + (self._chunks(content) if self.framing == "chunked" else content)

    def _content(self) -> bytes:
        content = self.body.encode() if isinstance(self.body, str) else self.body
        if not self.coding:
            return content
        encoder = make_encoder(self.coding)
        return encoder.encode(content) + encoder.flush()

    def _head(self, length: int | None) -> bytes:
        """The head; None instead of a length leaves the framing out."""
        own = _pairs(self.fields)
        names = {name.lower() for name, _ in own}
        framed = length is None or bool(names & {"content-length", "transfer-encoding"})
        made: list[tuple[str, str]] = []
        if isinstance(self.body, str) and self.body:
            made.append(("Content-Type", "text/plain; charset=utf-8"))
        if self.coding:
            made.append(("Content-Encoding", self.coding))
        if not framed and self.framing == "chunked":
            made.append(("Transfer-Encoding", "chunked"))
        if not framed and self.framing == "length":
            made.append(("Content-Length", str(length)))
        if self.closes:
            made.append(("Connection", "close"))
        made = [(name, value) for name, value in made if name.lower() not in names]
        reason = _usual_reason(self.status) if self.reason is None else self.reason
        return _octets(f"HTTP/{self.version} {self.status} {reason}\r\n") + _section(own + made)

    def _chunks(self, content: bytes) -> bytes:
        size = self.chunk_size
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        chunks = b"".join([b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces])
        return chunks + b"0\r\n" + _section(_pairs(self.trailers))


def _usual_reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _pairs(fields: _Fields) -> list[tuple[str, str]]:
    return list(fields.items() if isinstance(fields, Mapping) else fields)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _section(fields: list[tuple[str, str]]) -> bytes:
    return b"".join([_octets(f"{name}: {value}\r\n") for name, value in fields]) + b"\r\n"
