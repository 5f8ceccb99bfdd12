"""Octets that wait with their content coding, which is undone piece by piece as somebody reads."""

from typing import TYPE_CHECKING, final

from wayfare_http_core._errors import ContentEncodingError

from ._stream_buffer import StreamBuffer

if TYPE_CHECKING:
    from wayfare_http_core._codings import Decoder

__all__ = ("CodedContent",)

_DECODE_STEP = 256 * 1024
_MAX_BARREN = 1024 * 1024
"""Octets in a row that may unpack to nothing. A header, a comment or a skippable frame has few; empty blocks of deflate
can go on for ever, and no limit of the content's size would see them."""


@final
class CodedContent:
    """What waits coded, and what undoes the coding."""

    __slots__ = ("_barren", "_decoder", "_raw")

    def __init__(self, decoder: "Decoder", raw: StreamBuffer) -> None:
        self._barren = 0
        self._decoder = decoder
        self._raw = raw

    @property
    def size(self) -> int:
        """How many octets of the wire wait."""
        return self._raw.size

    def append(self, data: bytes) -> None:
        """Add coded octets."""
        self._raw.append(data)

    @property
    def pending(self) -> bool:
        """Whether `decode` may give more before there is more input."""
        return self._raw.size > 0 or self._decoder.has_pending

    @property
    def drained(self) -> bool:
        """Whether all that the octets taken so far unpack to was given."""
        return not self._decoder.has_pending

    def decode(self, at_most: int | None = None) -> bytes:
        """Do one step: up to 256 KiB, perhaps nothing; with input from the next piece, up to so many octets of it.

        Raises: `ContentEncodingError` for corrupt data, once everything before it was returned, and where too much
            unpacks to nothing.
        """
        data = b""
        if self._raw.size and not self._decoder.has_pending:
            data = self._raw.take_piece() if at_most is None else self._raw.take(at_most)
        piece = self._decoder.decode(data, _DECODE_STEP)
        if piece:
            self._barren = 0
        else:
            self._barren += len(data)
            if self._barren > _MAX_BARREN:
                raise ContentEncodingError(f"more than {_MAX_BARREN} octets unpack to nothing")
        return piece

    def finish(self) -> None:
        """Say that nothing more comes.

        Raises: `ContentEncodingError` where the coded content is not whole.
        """
        self._decoder.finish()
