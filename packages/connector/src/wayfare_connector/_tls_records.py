"""Where TLS records end: the one thing that must be known of TLS outside of OpenSSL.

Two costs are avoided by feeding OpenSSL whole records. `SSLObject.read` reports an unfinished
record with an exception that takes as long as decrypting a small message; and a memory BIO never
gives back what it once grew to, so that a connection which was fed 256 KiB at once keeps that much
for the rest of its life.
"""

from typing import final

__all__ = ("RecordFramer",)

_HEADER = 5
"""Content type, two octets of version, two of length (RFC 8446 section 5.1)."""

_LARGEST = _HEADER + 16384 + 2048
"""A whole record at its largest, by RFC 5246 section 6.2.3; TLS 1.3 allows less."""

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
        while position < end and position < _BATCH:
            if end - position < _HEADER:
                if not position:
                    self._head = bytes(data)
                    self.missing = _HEADER - end
                    return end
                break
            size = _record_size(data, position)
            if not size:
                return end
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
        size = _record_size(self._head, 0)
        self._head = b""
        if not size:
            return end
        taken = min(size - _HEADER, end - position)
        self.missing = size - _HEADER - taken
        return position + taken


def _record_size(data: memoryview | bytes, start: int) -> int:
    """The octets of the record whose header stands at start, or 0 if that is no record of TLS."""
    size = _HEADER + (data[start + 3] << 8 | data[start + 4])
    if data[start + 1] != 3 or not 20 <= data[start] <= 24 or size > _LARGEST:
        return 0
    return size
