"""Octets that wait with their content coding, which is undone piece by piece as somebody reads."""

from typing import TYPE_CHECKING, final

from ._stream_buffer import StreamBuffer

if TYPE_CHECKING:
    from wayfare_http_core._codings import Decoder

__all__ = ("CodedContent",)

_DECODE_STEP = 256 * 1024


@final
class CodedContent:
    """What waits coded, and what undoes the coding."""

    __slots__ = ("_decoder", "_raw")

    def __init__(self, decoder: "Decoder", raw: StreamBuffer) -> None:
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

        Raises: `ContentEncodingError` for corrupt data, once everything before it was returned.
        """
        data = b""
        if self._raw.size and not self._decoder.has_pending:
            data = self._raw.take_piece() if at_most is None else self._raw.take(at_most)
        return self._decoder.decode(data, _DECODE_STEP)

    def finish(self) -> None:
        """Say that nothing more comes.

        Raises: `ContentEncodingError` where the coded content is not whole.
        """
        self._decoder.finish()
