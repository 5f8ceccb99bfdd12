"""Where TLS records end: the one thing that must be known of TLS outside of OpenSSL.

Two costs are avoided by feeding OpenSSL whole records. `SSLObject.read` reports an unfinished
record with an exception that takes as long as decrypting a small message; and a memory BIO never
gives back what it once grew to, so that a connection which was fed 256 KiB at once keeps that much
for the rest of its life.
"""

import struct
from typing import final

__all__ = ("RecordFramer",)

_HEADER = 5
"""Content type, two octets of version, two of length (RFC 8446 section 5.1)."""

_unpack_header = struct.Struct("!BBxH").unpack_from

_KINDS = range(20, 25)
"""The content types there are, from change_cipher_spec to heartbeat."""

_LARGEST = 16384 + 2048
"""The largest length field, by RFC 5246 section 6.2.3; TLS 1.3 allows less."""

_BATCH = 16384
"""Small records are handed over together until they reach the size of one large one."""


@final
class RecordFramer:
    """Finds the ends of records in a stream of ciphertext that arrives in arbitrary pieces.

    What looks like no record at all is passed on whole and at once: OpenSSL has the better error
    for it.
    """

    __slots__ = ("_head", "missing")

    def __init__(self) -> None:
        self._head = b""
        self.missing = 0
        """How many octets the record begun by the last cut still lacks; 0 when the last cut ended a
        record."""

    def cut(self, data: memoryview) -> int:
        """How many octets of data (at least one of them there) to hand over now.

        Either whole records, about 16 KiB of them, or all there is of a record that is unfinished;
        `missing` tells which. The next call continues where this cut ended.
        """
        end = len(data)
        position = self._continued(data, end) if self.missing else 0
        kind: int
        major: int
        length: int
        while position < end and position < _BATCH:
            if end - position < _HEADER:
                if not position:
                    self._head = bytes(data)
                    self.missing = _HEADER - end
                    return end
                break
            kind, major, length = _unpack_header(data, position)
            if major != 3 or kind not in _KINDS or length > _LARGEST:
                return end
            size = _HEADER + length
            if size > end - position:
                if not position:
                    self.missing = size - end
                    return end
                break
            position += size
        return position

    def _continued(self, data: memoryview, end: int) -> int:
        """Account for the rest of the record begun earlier; return where it, or the data, ends."""
        position = min(self.missing, end)
        self.missing -= position
        if not self._head:
            return position
        self._head += bytes(data[:position])
        if self.missing:
            return position
        kind: int
        major: int
        length: int
        kind, major, length = _unpack_header(self._head)
        self._head = b""
        if major != 3 or kind not in _KINDS or length > _LARGEST:
            return end
        taken = min(length, end - position)
        self.missing = length - taken
        return position + taken
