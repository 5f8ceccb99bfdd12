"""The gzip and deflate content codings, undone step by step (RFC 9110 section 8.4.1).

zlib could check headers and trailers too, but it raises away the output of the call that meets a
wrong checksum. So it only inflates here, and what surrounds the DEFLATE data is read by us: content
that was decoded is delivered, and the error comes after it.
"""

import re
import sys
from typing import cast, final

from ._errors import ContentEncodingError
from ._stepwise import StepwiseDecoder
from ._zlib_backend import Inflater, ZlibBackend, zlib_backend

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MAX_GZIP_HEADER", "MAX_GZIP_MEMBERS", "DeflateDecoder", "GzipDecoder")

MAX_GZIP_MEMBERS = 1024
"""Members of one gzip stream. Each costs a fixed amount of work, however little it holds."""

MAX_GZIP_HEADER = 128 * 1024
"""Octets of one member's header: its extra field may have 64 KiB, its name and comment no end."""

_RAW = -15
_MAGIC = b"\x1f\x8b\x08"
_PLAIN_HEADER = _MAGIC + b"\x00"
_NOT_ZERO = re.compile(rb"[^\x00]")


class _InflatingDecoder(StepwiseDecoder):
    """One inflater after the other; what stands around their data is read by the subclasses."""

    __slots__ = ("_error", "_inflater", "_zlib")

    def __init__(self, backend: ZlibBackend | None = None) -> None:
        super().__init__()
        self._zlib = zlib_backend() if backend is None else backend
        self._error = cast(type[Exception], self._zlib.error)
        self._inflater: Inflater = self._zlib.decompressobj(_RAW)

    def _inflate(self, room: int) -> bytes | None:
        """Inflate a slice of the input, up to `room` octets; None when it takes more input."""
        if self._at == len(self._input) and not self._full:
            return None
        piece = self._next_slice()
        inflater = self._inflater
        try:
            out = inflater.decompress(piece, room)
        except self._error as error:
            raise ContentEncodingError("the DEFLATE data is corrupt") from error
        ended = inflater.eof
        left = inflater.unused_data if ended else inflater.unconsumed_tail
        self._at += len(piece) - len(left)
        # A full output says nothing about what the inflater still holds.
        self._full = len(out) == room and not ended
        return out

    def _take(self, held: bytearray, octets: int) -> bytes | None:
        """Move input to `held` until it has so many octets, then empty and return it."""
        end = self._at + octets - len(held)
        if not held and end <= len(self._input):
            taken = self._input[self._at : end]
            self._at = end
            return taken
        held += self._input[self._at : end]
        self._at = min(end, len(self._input))
        if len(held) < octets:
            return None
        taken = bytes(held)
        held.clear()
        return taken

    def _ignore_rest(self) -> None:
        self._input = b""
        self._at = 0


# The states of both decoders. A deflate stream goes HEADER → DATA → (TRAILER →) REST; a gzip stream
# HEADER → DATA → TRAILER → BETWEEN, and from there to the next HEADER or to REST.
_HEADER = 0
_DATA = 1
_TRAILER = 2
_BETWEEN = 3
_REST = 4


@final
class GzipDecoder(_InflatingDecoder):
    """The gzip coding: one member or several (RFC 1952).

    Zeros behind a member are padding. What is neither padding nor another member is ignored, as
    curl and the browsers do (Z1).
    """

    __slots__ = ("_checksum", "_header", "_held", "_matched", "_members", "_size", "_state")

    def __init__(self, backend: ZlibBackend | None = None) -> None:
        super().__init__(backend)
        self._state = _HEADER
        self._header: _GzipHeader | None = None
        self._held = bytearray()
        self._matched = 0
        self._members = 1
        self._checksum = 0
        self._size = 0

    @override
    def _advance(self, room: int) -> bytes | None:
        state = self._state
        if state == _DATA:
            out = self._inflate(room)
            if out:
                self._checksum = self._zlib.crc32(out, self._checksum)
                self._size += len(out)
            if self._inflater.eof:
                self._state = _TRAILER
            return out
        if self._at == len(self._input):
            return None
        if state == _HEADER:
            self._read_header()
        elif state == _TRAILER:
            self._read_trailer()
        elif state == _BETWEEN:
            self._look_for_a_member()
        else:
            self._ignore_rest()
        return b""

    @override
    def _is_whole(self) -> bool:
        if self._state == _HEADER:
            # Not a single octet came: not even a header was begun.
            return self._header is None
        return self._state >= _BETWEEN

    def _read_header(self) -> None:
        header = self._header
        if header is None:
            # Nearly all headers have no optional part and come in one piece: ten octets.
            if len(self._input) >= 10 and self._input.startswith(_PLAIN_HEADER):
                self._at = 10
                self._state = _DATA
                return
            header = self._header = _GzipHeader(self._zlib)
        self._at = header.feed(self._input, self._at)
        if header.done:
            self._state = _DATA

    def _read_trailer(self) -> None:
        trailer = self._take(self._held, 8)
        if trailer is None:
            return
        if int.from_bytes(trailer[:4], "little") != self._checksum:
            raise ContentEncodingError("the checksum of the gzip data is wrong")
        if int.from_bytes(trailer[4:], "little") != self._size & 0xFFFFFFFF:
            raise ContentEncodingError("the length in the gzip trailer is wrong")
        self._state = _BETWEEN

    def _look_for_a_member(self) -> None:
        if self._matched == 0:
            behind_padding = _NOT_ZERO.search(self._input, self._at)
            self._at = behind_padding.start() if behind_padding else len(self._input)
        while self._at < len(self._input) and self._matched < len(_MAGIC):
            if self._input[self._at] != _MAGIC[self._matched]:
                self._state = _REST
                return
            self._at += 1
            self._matched += 1
        if self._matched == len(_MAGIC):
            self._start_member()

    def _start_member(self) -> None:
        self._members += 1
        if self._members > MAX_GZIP_MEMBERS:
            raise ContentEncodingError(f"more than {MAX_GZIP_MEMBERS} gzip members")
        self._matched = 0
        self._checksum = 0
        self._size = 0
        self._inflater = self._zlib.decompressobj(_RAW)
        self._header = header = _GzipHeader(self._zlib)
        header.feed(_MAGIC, 0)
        self._state = _HEADER


# The parts of a gzip header after the fixed one, each with its flag, in their order (RFC 1952
# section 2.3.1).
_FIXED = 0
_CHECK = 0x02
_EXTRA = 0x04
_NAME = 0x08
_COMMENT = 0x10
_RESERVED = 0xE0
_EXTRA_LENGTH = 0x100


@final
class _GzipHeader:
    """Reads the header of one gzip member (RFC 1952 section 2.3).

    It takes linear time however the header is cut, and keeps neither names nor comments.
    """

    __slots__ = ("_checksum", "_held", "_needs", "_parts", "_zlib", "size")

    def __init__(self, zlib: ZlibBackend) -> None:
        self._zlib = zlib
        self._parts = [_FIXED]  # what is still to come, the next one last
        self._needs = 10
        self._held = bytearray()
        self._checksum = 0
        self.size = 0

    @property
    def done(self) -> bool:
        """Whether the header is complete."""
        return not self._parts

    def feed(self, data: bytes, at: int) -> int:
        """Read on from an index, and return the index of the first octet that is not used."""
        while self._parts and at < len(data):
            part = self._parts[-1]
            if part in (_NAME, _COMMENT):
                zero = data.find(0, at)
                end = len(data) if zero < 0 else zero + 1
                complete = zero >= 0
            else:
                end = min(len(data), at + self._needs - len(self._held))
                self._held += data[at:end]
                complete = len(self._held) == self._needs
            self.size += end - at
            if self.size > MAX_GZIP_HEADER:
                raise ContentEncodingError("the gzip header is too long")
            if part != _CHECK:
                self._checksum = self._zlib.crc32(data[at:end], self._checksum)
            at = end
            if complete:
                self._parts.pop()
                self._close(part, bytes(self._held))
                self._held.clear()
        return at

    def _close(self, part: int, octets: bytes) -> None:
        """Draw the conclusions from a complete part."""
        if part == _FIXED:
            flags = octets[3]
            if not octets.startswith(_MAGIC) or flags & _RESERVED:
                raise ContentEncodingError("the content is not gzip data")
            # Backwards, since the list is read from its end.
            self._parts = [flag for flag in (_CHECK, _COMMENT, _NAME) if flags & flag]
            if flags & _EXTRA:
                self._parts.append(_EXTRA_LENGTH)
            self._needs = 2
        elif part == _EXTRA_LENGTH:
            length = int.from_bytes(octets, "little")
            if length:
                self._parts.append(_EXTRA)
                self._needs = length
        elif part == _EXTRA:
            self._needs = 2
        elif part == _CHECK and int.from_bytes(octets, "little") != self._checksum & 0xFFFF:
            raise ContentEncodingError("the checksum of the gzip header is wrong")


@final
class DeflateDecoder(_InflatingDecoder):
    """The deflate coding: zlib data, and from many servers DEFLATE data without the wrapper.

    The first two octets decide which (Z3). A raw stream never starts like a zlib header: it would
    be a stored block whose padding is not zero. What follows the end is ignored.
    """

    __slots__ = ("_checksum", "_held", "_state", "_wrapped")

    def __init__(self, backend: ZlibBackend | None = None) -> None:
        super().__init__(backend)
        self._state = _HEADER
        self._wrapped = False
        self._held = bytearray()
        self._checksum = 1

    @override
    def _advance(self, room: int) -> bytes | None:
        if self._state == _DATA:
            out = self._inflate(room)
            if out and self._wrapped:
                self._checksum = self._zlib.adler32(out, self._checksum)
            if self._inflater.eof:
                self._state = _TRAILER if self._wrapped else _REST
            return out
        if self._at == len(self._input):
            return None
        if self._state == _HEADER:
            self._detect()
        elif self._state == _TRAILER:
            self._read_trailer()
        else:
            self._ignore_rest()
        return b""

    @override
    def _is_whole(self) -> bool:
        return self._state == _REST or (self._state == _HEADER and not self._held)

    def _detect(self) -> None:
        """Decide on the first one or two octets (RFC 1950 section 2.2)."""
        held = self._held
        if not held and not _may_start_zlib(self._input[self._at]):
            self._state = _DATA
            return
        first_two = self._take(held, 2)
        if first_two is None:
            return
        self._state = _DATA
        if int.from_bytes(first_two, "big") % 31:
            # Raw after all: the octets that were looked at belong to the data.
            self._input = first_two + self._input[self._at :]
            self._at = 0
        elif first_two[1] & 0x20:
            raise ContentEncodingError("the zlib data needs a dictionary that nobody sent")
        else:
            self._wrapped = True

    def _read_trailer(self) -> None:
        trailer = self._take(self._held, 4)
        if trailer is None:
            return
        if int.from_bytes(trailer, "big") != self._checksum:
            raise ContentEncodingError("the checksum of the zlib data is wrong")
        self._state = _REST


def _may_start_zlib(octet: int) -> bool:
    """Whether an octet says DEFLATE with a window of at most 32 KiB (CM and CINFO of RFC 1950)."""
    return octet & 0x0F == 8 and octet >> 4 <= 7
