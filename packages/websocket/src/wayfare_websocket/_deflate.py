"""permessage-deflate: compressed messages (RFC 7692).

A message is DEFLATE data that ends with an empty stored block, whose last four octets are left out. Each side may keep
its window from message to message ("context takeover") or not, as was agreed.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import final

from ._close_codes import WSCloseCode
from ._errors import WebSocketError

__all__ = ("DeflateParameters", "Deflater", "Inflater")

_TAIL = b"\x00\x00\xff\xff"
_WINDOW = 32 * 1024
_SMALLEST_BITS = 9  # zlib writes no smaller window


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DeflateParameters:
    """What both sides agreed on: the binary logarithm of each sender's window, and who forgets it after a message."""

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int = 15
    client_max_window_bits: int = 15

    def __post_init__(self) -> None:
        for bits in (self.server_max_window_bits, self.client_max_window_bits):
            if not 8 <= bits <= 15:
                raise ValueError(f"a window has 8 to 15 bits, not {bits}")


@final
class Deflater:
    """Compresses messages, or their fragments; None where a peer allows only a window that zlib cannot keep to."""

    __slots__ = ("_bits", "_compressor", "_level", "_takeover")

    def __init__(
        self, bits: int, *, takeover: bool, level: int = zlib.Z_DEFAULT_COMPRESSION
    ) -> None:
        self._bits = max(bits, _SMALLEST_BITS)
        self._takeover = takeover
        self._level = level
        self._compressor: zlib._Compress | None = None

    def compress(self, data: bytes, *, final: bool) -> bytes:
        """The payload of a frame that holds the data; `final` for the last frame of the message."""
        compressor = self._compressor
        if compressor is None:
            # As much memory for hashes as for the window: 12 bits take 32 KiB in all, 15 take 256 KiB.
            compressor = self._compressor = zlib.compressobj(
                self._level, zlib.DEFLATED, -self._bits, self._bits - 7
            )
        payload = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        if not final:
            return payload
        if not self._takeover:
            self._compressor = None
        # After a flush nothing is left to be flushed, and an empty block is one octet (RFC 7692 section 7.2.3.6).
        return payload.removesuffix(_TAIL) or b"\x00"


@final
class Inflater:
    """Decompresses messages piece by piece, never more than it is asked for."""

    __slots__ = ("_bits", "_decompressor", "_full", "_takeover", "_waiting")

    def __init__(self, bits: int, *, takeover: bool) -> None:
        self._bits = max(bits, _SMALLEST_BITS)
        self._takeover = takeover
        self._decompressor: zlib._Decompress | None = None
        self._waiting = b""
        self._full = False

    @property
    def has_pending(self) -> bool:
        """Whether `inflate(b"", …)` may give more."""
        return self._full or bool(self._waiting)

    def inflate(self, data: bytes, most: int) -> bytes:
        """What a piece of a message decompresses to, at most so many octets, at least one; the rest of it waits.

        Raises: `WebSocketError` for what is no DEFLATE data.
        """
        waiting = self._waiting + data if self._waiting else data
        pieces: list[bytes] = []
        room = most
        while True:
            decompressor = self._decompressor
            if decompressor is None:
                decompressor = self._decompressor = zlib.decompressobj(-self._bits)
            try:
                piece = decompressor.decompress(waiting, room)
            except zlib.error as error:
                raise WebSocketError(
                    WSCloseCode.INVALID_TEXT, "the compressed message is corrupt"
                ) from error
            pieces.append(piece)
            room -= len(piece)
            if not decompressor.eof:
                waiting = decompressor.unconsumed_tail
                break
            # The sender's compressor came to its end, and so did its window (RFC 7692 section 7.2.3.4).
            waiting = decompressor.unused_data
            self._decompressor = None
            if not waiting or not room:
                break
        self._waiting = waiting
        # A full output says nothing about what the decompressor still holds.
        self._full = room == 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def end_message(self, most: int) -> bytes:
        """What is left of the message, at most so many octets; then call `end`."""
        return self.inflate(_TAIL, most)

    def end(self) -> None:
        """Forget the message, and the window where that was agreed."""
        self._waiting = b""
        self._full = False
        if not self._takeover:
            self._decompressor = None
