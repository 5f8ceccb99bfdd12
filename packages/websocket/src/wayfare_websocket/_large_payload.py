"""The payload of a large frame, which becomes its message without being copied."""

from contextlib import suppress
from io import BytesIO
from typing import final

__all__ = ("LargePayload",)


@final
class LargePayload:
    """A buffer for so many octets, which arrive piece by piece.

    Memory is taken as octets arrive: the system gives a page when something is written to it.
    """

    __slots__ = ("_at", "_content", "_view", "vacancy")

    def __init__(self, size: int) -> None:
        # A BytesIO takes the bytes over, lends them to be written to, and gives them back; none of it copies them, as
        # long as nobody else has them.
        self._content = BytesIO(bytes(size))
        self._view = self._content.getbuffer()
        self._at = 0
        self.vacancy = self._view[:]

    def add(self, piece: bytes | bytearray) -> None:
        """Put a piece behind those before it."""
        self.vacancy[: len(piece)] = piece
        self.filled(len(piece))

    def filled(self, count: int) -> None:
        """So many octets were written to `vacancy`, which is what lies behind them from now on."""
        self._give_back()
        self._at += count
        self.vacancy = self._view[self._at :]

    def latest(self, count: int) -> memoryview:
        """The last so many octets; to be released before the payload is taken."""
        return self._view[self._at - count : self._at]

    def received(self) -> bytes:
        """What was written until now."""
        return bytes(self._view[: self._at])

    def take(self) -> bytes:
        """The whole payload; nothing can be added after this."""
        self._give_back()
        self._view.release()
        return self._content.getvalue()

    def drop(self) -> None:
        """Let the memory go: a buffer that is lent complains when it is collected."""
        self._give_back()
        self._view.release()

    def _give_back(self) -> None:
        """Release what was lent: a loop has it in its hands still when it tells that it wrote there."""
        # uvloop keeps it locked a moment longer, and `take` copies then.
        with suppress(BufferError):
            self.vacancy.release()
