"""The zstd content coding, undone step by step (RFC 8878, RFC 9659)."""

import sys
from typing import Final, final

from ._coding_libraries import ZstdDecompressor, ZstdLibrary
from ._errors import ContentEncodingError
from ._stepwise import StepwiseDecoder

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MAX_ZSTD_FRAMES", "MAX_ZSTD_WINDOW", "ZstdDecoder")

MAX_ZSTD_WINDOW: Final = 8 << 20
"""The largest window that a sender may ask for (RFC 9659 section 3)."""

MAX_ZSTD_FRAMES: Final = 1024
"""Frames of one body, skippable ones included. Each costs a fixed amount of work, however little it holds."""

_WINDOW_LOG_MAX = 100  # ZSTD_d_windowLogMax: the number is part of the C library's stable interface


@final
class ZstdDecoder(StepwiseDecoder):
    """The zstd coding: one frame or several, skippable ones among them."""

    __slots__ = ("_decompressor", "_frames", "_library", "_options", "_window")

    # Tables cost more here than with the other codings: hostile ones a millisecond for 4 KiB.
    _SLICE = 16 * 1024

    def __init__(self, library: ZstdLibrary, max_window: int | None = None) -> None:
        super().__init__()
        self._library = library
        self._window = MAX_ZSTD_WINDOW if max_window is None else max_window
        # The library knows powers of two; smaller than its own limits there is nothing to decode.
        bits = min(max(self._window.bit_length() - 1, 10), 31)
        self._options = {_WINDOW_LOG_MAX: bits}
        self._decompressor: ZstdDecompressor | None = None
        self._frames = 0

    @override
    def _advance(self, room: int) -> bytes | None:
        if self._at == len(self._input) and not self._full:
            return None
        decompressor = self._decompressor
        if decompressor is None:
            decompressor = self._decompressor = self._next_frame()
        piece = b"" if self._full else self._next_slice()
        try:
            out = decompressor.decompress(piece, room)
        except self._library.ZstdError as error:
            raise self._refusal(error) from error
        self._at += len(piece)
        if decompressor.eof:
            self._full = False
            self._decompressor = None
            self._put_back(decompressor.unused_data)
        else:
            self._full = not decompressor.needs_input
        return out

    @override
    def _is_whole(self) -> bool:
        return self._decompressor is None

    def _next_frame(self) -> ZstdDecompressor:
        self._frames += 1
        if self._frames > MAX_ZSTD_FRAMES:
            raise ContentEncodingError(f"more than {MAX_ZSTD_FRAMES} zstd frames")
        return self._library.ZstdDecompressor(options=self._options)

    def _refusal(self, error: Exception) -> ContentEncodingError:
        # The library has one type of error; this one is no corruption, and has a remedy.
        if "too much memory" in str(error):
            return ContentEncodingError(
                f"the zstd data needs a window of more than {self._window} octets"
            )
        return ContentEncodingError("the zstd data is corrupt")

    def _put_back(self, unused: bytes) -> None:
        """Have the octets behind a frame before us again; they are the last ones that the library took."""
        if len(unused) <= self._at:
            self._at -= len(unused)
        else:
            # They came before the input that waits now.
            self._input = unused + self._input[self._at :]
            self._at = 0
