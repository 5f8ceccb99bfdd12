"""What all decoders of content codings share: input that waits, bounded steps, errors that come after the content."""

from abc import ABC, abstractmethod
from typing import ClassVar

from ._errors import ContentEncodingError

__all__ = ("SLICE", "StepwiseDecoder")

SLICE = 64 * 1024
"""Octets of input that one call of `decode` works on, unless a coding says otherwise. Hostile input that decodes to
next to nothing, table after table, costs DEFLATE and brotli five milliseconds per slice, so the loop gets its turn
(Z12); and libraries copy what they leave of their input."""

_AMPLE = 64 * 1024
"""Octets that are worth a call of their own: joining them with the next ones would cost a copy of both."""

_STEPS = 256
"""Pieces of work in one call of `decode`. Content takes a few; each empty member of a gzip stream takes four."""


class StepwiseDecoder(ABC):
    """Input that waits, and an error that waits for the output before it.

    A coding implements `_advance` and `_is_whole` over `_input`, of which the octets before `_at` are used up; it sets
    `_full` while there may be more output without more input.
    """

    __slots__ = ("_at", "_failure", "_full", "_input")

    _SLICE: ClassVar[int] = SLICE

    def __init__(self) -> None:
        self._input = b""
        self._at = 0
        self._full = False
        self._failure: ContentEncodingError | None = None

    @property
    def has_pending(self) -> bool:
        """Whether `decode(b"", …)` may give more before there is more input."""
        return self._full or self._at < len(self._input) or self._failure is not None

    def decode(self, data: bytes, max_length: int) -> bytes:
        """Take the next octets of the coded stream and return up to `max_length` decoded ones.

        Raises: `ContentEncodingError` for corrupt data, after the steps before it were returned.
        """
        if self._failure is not None:
            raise self._failure
        if data:
            waiting = self._input[self._at :]
            self._input = waiting + data if waiting else data
            self._at = 0
        end = self._at + self._SLICE
        pieces: list[bytes] = []
        room = max_length
        try:
            for _ in range(_STEPS):
                piece = self._advance(room) if room > 0 and self._at < end else None
                if piece is None:
                    break
                if piece:
                    pieces.append(piece)
                    room -= len(piece)
                    if len(piece) >= _AMPLE:
                        break
        except ContentEncodingError as error:
            self._failure = error
            if not pieces:
                raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def finish(self) -> None:
        """Say that the input has ended; call it when nothing is pending any more.

        A stream without a single octet is taken as empty content: servers label empty bodies.

        Raises: `ContentEncodingError` when the coded stream is incomplete.
        """
        if self._failure is not None:
            raise self._failure
        if not self._is_whole():
            self._failure = ContentEncodingError("the coded content ends too early")
            raise self._failure

    @abstractmethod
    def _advance(self, room: int) -> bytes | None:
        """Do the next piece of work: up to `room` octets of output, or None for want of input.

        A piece looks at no more than `_SLICE` octets of input.
        """

    @abstractmethod
    def _is_whole(self) -> bool:
        """Whether the stream may end here."""

    def _next_slice(self) -> bytes | memoryview:
        """The next octets of the input, at most a slice of it; a short input whole, without a copy."""
        if not self._at and len(self._input) <= self._SLICE:
            return self._input
        return memoryview(self._input)[self._at : self._at + self._SLICE]
