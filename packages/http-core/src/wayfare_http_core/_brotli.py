"""The br content coding, undone step by step (RFC 7932)."""

import sys
from typing import Final, final

from ._coding_libraries import BrotliLibrary
from ._errors import ContentEncodingError
from ._stepwise import StepwiseDecoder

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MAX_BROTLI_WINDOW", "BrotliDecoder")

MAX_BROTLI_WINDOW: Final = 1 << 24
"""The largest window of RFC 7932, 16 MiB. Larger ones are an extension of one library, and no content coding."""

_INPUT = 32 * 1024
"""Octets of input at once: the library copies what it leaves with each of its outputs."""

_OUTPUT = 64 * 1024
"""Octets of output after which the library is to stop. Its buffers grow by steps, so it gives half as much again."""


@final
class BrotliDecoder(StepwiseDecoder):
    """The br coding: one stream, and nothing behind it.

    The library cannot say where in its input a stream ended, so what follows the end is an error here, as it is for
    curl; nobody has a habit of sending it, which is what the tolerance for gzip is for.
    """

    __slots__ = (
        "_begun",
        "_decompressor",
        "_ended",
        "_error",
        "_max_window",
        "_more",
        "_ready",
        "_taken",
    )

    def __init__(self, library: BrotliLibrary, max_window: int | None = None) -> None:
        super().__init__()
        self._decompressor = library.Decompressor()
        self._error = library.error
        self._max_window = MAX_BROTLI_WINDOW if max_window is None else max_window
        self._begun = False
        self._ended = False
        self._more = False  # whether the library may give more without more input
        self._ready = b""  # what it gave, of which so much was taken
        self._taken = 0

    @override
    def _advance(self, room: int) -> bytes | None:
        if self._taken == len(self._ready) and not self._fetch():
            return None
        out = self._ready
        if self._taken or len(out) > room:
            out = out[self._taken : self._taken + room]
        self._taken += len(out)
        self._full = self._more or self._taken < len(self._ready)
        return out

    @override
    def _is_whole(self) -> bool:
        return self._ended or not self._begun

    def _fetch(self) -> bool:
        """Let the library do its next step; False for want of input."""
        piece = b""
        if not self._more:
            piece = self._input[self._at : self._at + _INPUT]
            if not piece:
                return False
            self._look_at(piece[0])
        decompressor = self._decompressor
        try:
            out = decompressor.process(piece, output_buffer_limit=_OUTPUT)
        except self._error as error:
            raise ContentEncodingError("the brotli data is corrupt") from error
        self._at += len(piece)
        self._ready = out
        self._taken = 0
        self._ended = decompressor.is_finished()
        # Having given something, the library may hold more at the end of each of its buffers, although it says that it
        # accepts data: only when it gives nothing, nothing is left.
        self._more = not self._ended and (bool(out) or not decompressor.can_accept_more_data())
        return True

    def _look_at(self, octet: int) -> None:
        """Check what may come: nothing behind the end, and at the start a window that is allowed."""
        if self._ended:
            raise ContentEncodingError("data follows the end of the brotli stream")
        if not self._begun:
            self._begun = True
            if _window(octet) > self._max_window:
                raise ContentEncodingError(
                    f"the brotli data needs a window of {_window(octet)} octets,"
                    f" and {self._max_window} are allowed"
                )


def _window(octet: int) -> int:
    """The window that the first octet of a stream asks for (WBITS, RFC 7932 section 9.1)."""
    if not octet & 0b1:
        return 1 << 16
    if octet & 0b1110:
        return 1 << 17 + (octet >> 1 & 0b111)
    short = octet >> 4 & 0b111
    # What stands for 9 is no window at all; the library says so.
    return 1 << (8 + short if short else 17)
