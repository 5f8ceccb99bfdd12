"""Octets that wait to be read: pieces as they came, taken out without copying more than must be."""

from collections import deque
from typing import final

__all__ = ("StreamBuffer",)

_LARGE_PIECE = 64 * 1024
_MANY_PIECES = 1024
_SMALL_PIECE = 256
"""Octets under which a piece takes more room than it is worth, where many of them wait."""


@final
class StreamBuffer:
    """Pieces of octets, first in, first out; `size` is how many octets wait in all.

    Memory stays within a small multiple of `size` and a fixed 64 KiB, however small the pieces are.
    """

    __slots__ = ("_compact_at", "_offset", "_pieces", "size")

    size: int

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._offset = 0  # octets of the first piece that were taken already
        self._compact_at = _MANY_PIECES
        self.size = 0

    def append(self, data: bytes) -> None:
        """Add octets at the end; not nothing."""
        pieces = self._pieces
        pieces.append(data)
        self.size += len(data)
        if len(pieces) >= self._compact_at:
            self._compact()

    def _compact(self) -> None:
        # Amortised: joining costs as much as a few pieces, and comes after many of them.
        if self.size < len(self._pieces) * _SMALL_PIECE:
            self._join()
        self._compact_at = len(self._pieces) + _MANY_PIECES

    def _join(self) -> None:
        pieces = self._pieces
        if self._offset:
            pieces[0] = pieces[0][self._offset :]
            self._offset = 0
        data = b"".join(pieces)
        pieces.clear()
        pieces.append(data)

    def put_back(self, data: bytes) -> None:
        """Add octets in front."""
        if not data:
            return
        if self._offset:
            self._pieces[0] = self._pieces[0][self._offset :]
            self._offset = 0
        self._pieces.appendleft(data)
        self.size += len(data)

    def clear(self) -> None:
        """Forget all that waits."""
        self._pieces.clear()
        self._offset = self.size = 0
        self._compact_at = _MANY_PIECES

    def truncate(self, octets: int) -> None:
        """Forget what waits behind so many octets."""
        kept = self.take(octets)
        self.clear()
        self.put_back(kept)

    def pieces_behind(self, octets: int) -> list[bytes]:
        """The pieces that wait behind so many octets, which must wait too; nothing is taken."""
        found: list[bytes] = []
        skipped = self._offset + octets
        for piece in self._pieces:
            if skipped < len(piece):
                found.append(piece[skipped:] if skipped else piece)
                skipped = 0
            else:
                skipped -= len(piece)
        return found

    def take(self, n: int) -> bytes:
        """Up to n octets, from as many pieces as it takes."""
        pieces = self._pieces
        taken: list[bytes] = []
        missing = n
        while pieces and missing > 0:
            first, start = pieces[0], self._offset
            rest = len(first) - start
            if rest > missing:
                taken.append(first[start : start + missing])
                self._offset = start + missing
                missing = 0
                break
            taken.append(first[start:] if start else first)
            missing -= rest
            pieces.popleft()
            self._offset = 0
        self.size -= n - missing
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def take_piece(self) -> bytes:
        """The first piece where it is large, else all that waits: never a copy of much."""
        first = self._pieces[0]
        if self._offset or len(first) < _LARGE_PIECE:
            return self.take_all()
        self._pieces.popleft()
        self.size -= len(first)
        return first

    def take_all(self) -> bytes:
        """All that waits."""
        if len(self._pieces) > 1 or self._offset:
            self._join()
        data = self._pieces.popleft()
        self.size = 0
        self._compact_at = _MANY_PIECES
        return data

    def take_until(self, separator: bytes, tail: bytes, limit: int) -> tuple[bytes, bool]:
        """Octets of the first piece up to the end of a separator, which may begin in `tail`, and True.

        Where it does not come within `limit` octets, False, and what the piece has: up to one octet more than that.
        """
        first, start = self._pieces[0], self._offset
        end = _end_of(separator, tail, first, start, limit)
        found = end > 0
        if not found:
            end = min(len(first), start + limit + 1)
        self.size -= end - start
        if end < len(first):
            self._offset = end
            return first[start:end], found
        self._pieces.popleft()
        self._offset = 0
        return first[start:] if start else first, found


def _end_of(separator: bytes, tail: bytes, piece: bytes, start: int, limit: int) -> int:
    """Where the first separator ends that begins in `tail` or in a piece from `start` on; -1 where none does in time.

    The piece is looked at in place: of a large one, many lines are read.
    """
    if tail:
        found = (tail + piece[start : start + len(separator) - 1]).find(separator)
        if found >= 0:
            end = found + len(separator) - len(tail)
            return start + end if end <= limit else -1
    found = piece.find(separator, start, start + limit)
    return found + len(separator) if found >= 0 else -1
