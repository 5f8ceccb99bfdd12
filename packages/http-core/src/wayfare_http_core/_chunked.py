"""The chunked transfer coding, both ways (RFC 9112 section 7.1).

Chunk framing is read more strictly than heads: no bare LF, no white space round the size. Every leniency here
was a request smuggling vulnerability in some other project.
"""

import enum
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import final

from multidict import CIMultiDict, CIMultiDictProxy

from ._chunk_runs import FEW_OCTETS, RUN_OCTETS, SMALL_CHUNK, read_run
from ._chunk_sizes import pack_sizes
from ._errors import BadHttpMessage, LineTooLong, TransferEncodingError
from ._fields import FieldBlock
from ._head_parser import parse_fields
from ._limits import (
    DEFAULT_HEAD_LIMITS,
    MAX_CHUNK_EXTENSIONS,
    MAX_CHUNK_LINE,
    MAX_TRAILERS,
    HeadLimits,
)

__all__ = ("NO_TRAILERS", "ChunkedDecoder", "encode_chunk", "encode_last_chunk")

NO_TRAILERS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())

_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
# chunk-ext with BWS as RFC 9112 section 7.1.1 has it, except directly behind the size (B16). A quoted string may hold
# semicolons, nothing may hold CR, LF or NUL.
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_EXTENSIONS = re.compile(
    rb"(?:[ \t]*;[ \t]*"
    + _TOKEN
    + rb"(?:[ \t]*=[ \t]*(?:"
    + _TOKEN
    + rb'|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*'
)
_MAX_SIZE = 2**63 - 1
_LARGE_CHUNK = 1024

_FRAMING_NAMES = frozenset(
    (
        "content-length",
        "transfer-encoding",
        "content-encoding",
        "connection",
        "host",
        "te",
        "trailer",
        "upgrade",
    )
)
"""What a trailer must not change after the fact (RFC 9110 section 6.5.1)."""
_HEAD_ONLY = _FRAMING_NAMES | frozenset(
    (
        "authorization",
        "cache-control",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "keep-alive",
        "max-forwards",
        "pragma",
        "proxy-authorization",
        "proxy-connection",
        "range",
    )
)
"""What a recipient needs before the content, so that it is not sent after it (RFC 9110 section 6.5.1)."""


@lru_cache(maxsize=512)
def _chunk_size(line: bytes) -> int:
    """The size of a chunk line without extensions, or -1 where it is anything else."""
    if _SIZE.fullmatch(line) is None:
        return -1
    size = int(line, 16)
    return size if size <= _MAX_SIZE else -1


class _Phase(enum.Enum):
    SIZE = "chunk-size line"
    DATA = "chunk data"
    DATA_END = "end of a chunk"
    TRAILERS = "trailer section"
    DONE = "done"


# Looked up for every read of a chunked body; an attribute of an enum class costs a multiple of a global.
_AT_SIZE, _IN_DATA, _AT_DATA_END, _IN_TRAILERS, _DONE = _Phase


@final
class ChunkedDecoder:
    """Content octets out of chunks, in time and memory linear in what arrives.

    `decode` gives the content found in the octets it is fed and never raises for what a peer sent: after it,
    `error` says what was wrong (the content before it was returned), `done` whether the last chunk and the trailers
    arrived, `unused` what came after them. `trailers` holds the trailer fields, those that would change framing
    left out. `chunk_sizes` are the sizes of the chunks whose last octet the latest `decode` gave, packed.
    """

    __slots__ = (
        "_ended",
        "_extensions",
        "_fields_before",
        "_limits",
        "_pending",
        "_phase",
        "_remaining",
        "_size",
        "chunk_sizes",
        "error",
        "trailers",
        "unused",
    )

    chunk_sizes: bytes
    error: BadHttpMessage | None
    trailers: CIMultiDictProxy[str]
    unused: bytes

    def __init__(self, limits: HeadLimits = DEFAULT_HEAD_LIMITS, *, fields_before: int = 0) -> None:
        self._limits = limits
        self._fields_before = fields_before
        self._phase = _AT_SIZE
        self._size = 0  # of the chunk under way
        self._remaining = 0  # octets of it that are still to come
        self._ended: list[int] = []
        self._extensions = 0
        self._pending = b""
        self.chunk_sizes = b""
        self.error = None
        self.trailers = NO_TRAILERS
        self.unused = b""

    @property
    def done(self) -> bool:
        """Whether the body is complete."""
        return self._phase is _DONE

    def decode(self, data: bytes) -> bytes:
        """The content octets in the next octets from the wire."""
        if self._phase is _IN_DATA and len(data) < self._remaining:
            self._remaining -= len(data)
            self.chunk_sizes = b""
            return data
        if self._pending:
            data = self._pending + data
            self._pending = b""
        content: list[bytes | memoryview] = []
        position = 0
        try:
            while position < len(data) and self._phase is not _DONE:
                step = self._read_on(data, position, content)
                if step == position:
                    self._pending = data[position:]
                    break
                position = step
        except BadHttpMessage as exc:
            self.error = exc
        if self._phase is _DONE:
            self.unused = data[position:]
        if self._ended:
            self.chunk_sizes = pack_sizes(self._ended)
            self._ended.clear()
        else:
            self.chunk_sizes = b""
        if len(content) == 1 and isinstance(content[0], bytes):
            return content[0]
        return b"".join(content)

    def _read_on(self, data: bytes, position: int, content: list[bytes | memoryview]) -> int:
        """Read what the phase says; returns how far it came: no further where more octets are needed."""
        phase = self._phase
        if phase is _AT_SIZE:
            return self._read_chunks(data, position, content)
        if phase is _IN_DATA:
            return self._read_data(data, position, content)
        if phase is _AT_DATA_END:
            return self._read_data_end(data, position)
        return self._read_trailers(data, position)

    def _read_chunks(self, data: bytes, position: int, content: list[bytes | memoryview]) -> int:
        """Read as many whole chunks as there are; returns how far it came."""
        ended = self._ended
        view = memoryview(data)
        run_from = 0  # where reading many small chunks at once may be tried next
        while True:
            end = data.find(b"\r\n", position, position + MAX_CHUNK_LINE + 2)
            if end < 0:
                self._check_partial_line(data[position : position + MAX_CHUNK_LINE + 2])
                return position
            line = data[position:end]
            size = _chunk_size(line) if len(line) <= 16 else -1
            if size < 0:
                size = self._size_with_extensions(line)
            if size == 0:
                self._phase = _IN_TRAILERS
                return end + 2
            start = end + 2
            end = start + size
            if data[end : end + 2] != b"\r\n":
                self._size = self._remaining = size
                self._phase = _IN_DATA
                return start
            # A view is dearer than a few octets, and much cheaper than many of them, which are joined later anyway.
            content.append(data[start:end] if size < _LARGE_CHUNK else view[start:end])
            ended.append(size)
            position = end + 2
            while size < SMALL_CHUNK and run_from <= position < len(data) - FEW_OCTETS:
                window = position + RUN_OCTETS
                position, more = read_run(data, position, content, ended)
                if not more:
                    # Where a run broke off, others may at each chunk: the rest of this stretch is read one by one.
                    run_from = window

    def _size_with_extensions(self, line: bytes) -> int:
        size = _SIZE.match(line)
        if (
            size is None
            or line[size.end() : size.end() + 1] in (b" ", b"\t")
            or _EXTENSIONS.fullmatch(line, size.end()) is None
            or _chunk_size(size[0]) < 0
        ):
            raise TransferEncodingError(f"invalid chunk-size line: {line[:100]!r}")
        self._extensions += len(line) - size.end()
        if self._extensions > MAX_CHUNK_EXTENSIONS:
            raise TransferEncodingError(
                f"more than {MAX_CHUNK_EXTENSIONS} octets of chunk extensions"
            )
        return _chunk_size(size[0])

    def _check_partial_line(self, line: bytes) -> None:
        if len(line) > MAX_CHUNK_LINE + 1:
            raise LineTooLong(line[:100], MAX_CHUNK_LINE, len(line))
        if line and (_SIZE.match(line) is None or b"\n" in line or b"\r" in line[:-1]):
            raise TransferEncodingError(f"invalid chunk-size line: {line[:100]!r}")

    def _read_data(self, data: bytes, position: int, content: list[bytes | memoryview]) -> int:
        piece = data[position : position + self._remaining]
        self._remaining -= len(piece)
        content.append(piece)
        position += len(piece)
        if not self._remaining:
            self._ended.append(self._size)
            if data[position : position + 2] == b"\r\n":
                self._phase = _AT_SIZE
                return position + 2
            self._phase = _AT_DATA_END
        return position

    def _read_data_end(self, data: bytes, position: int) -> int:
        end = data[position : position + 2]
        if end == b"\r\n":
            self._phase = _AT_SIZE
            return position + 2
        if end != b"\r":
            raise TransferEncodingError(f"chunk data is followed by {end!r}, not by CRLF")
        return position

    def _read_trailers(self, data: bytes, position: int) -> int:
        if data.startswith(b"\r\n", position):
            self._phase = _DONE
            return position + 2
        end = data.find(b"\r\n\r\n", position, position + MAX_TRAILERS + 4)
        if end < 0:
            if len(data) - position > MAX_TRAILERS + 3:
                raise BadHttpMessage(f"the trailer section has more than {MAX_TRAILERS} octets")
            return position
        lines = data[position:end].split(b"\r\n")
        fields = parse_fields(lines, self._limits, before=self._fields_before)
        self.trailers = CIMultiDictProxy(
            CIMultiDict(
                (name.decode("ascii"), value.decode("utf-8", "surrogateescape"))
                for name, value in fields
                if name.lower().decode("ascii") not in _FRAMING_NAMES
            )
        )
        self._phase = _DONE
        return end + 4


def encode_chunk(data: bytes | bytearray | memoryview) -> bytes:
    """One chunk with its size line; b"" for no data, since an empty chunk would end the body."""
    size = data.nbytes if isinstance(data, memoryview) else len(data)
    return b"".join((b"%x\r\n" % size, data, b"\r\n")) if size else b""


def encode_last_chunk(trailers: Iterable[tuple[str, object]] = ()) -> bytes:
    """The chunk that ends a body, with its trailer fields.

    Raises: ValueError, TypeError as `FieldBlock`, and ValueError for a field that a trailer must not carry.
    """
    block = FieldBlock(trailers)
    forbidden = block.names & _HEAD_ONLY
    if forbidden:
        raise ValueError(f"not allowed in a trailer section: {', '.join(sorted(forbidden))}")
    return b"0\r\n%b\r\n" % block.encoded
