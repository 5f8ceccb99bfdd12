"""Where the chunks of a body end in its content: for whoever reads chunk by chunk, and next to nothing for others."""

from collections import deque
from typing import final

from wayfare_http_core._chunk_sizes import pack_sizes, sum_sizes, unpack_size

__all__ = ("ChunkMarks",)

_JOINED = 512
"""Packed sizes of fewer octets than this are joined: in a `bytes` of their own, they would take a multiple of that."""


@final
class ChunkMarks:
    """The ends of chunks, as positions in the content: octets from its beginning, before content decoding.

    The sizes stay packed until somebody asks where a chunk ends. Those that were passed unasked are dropped in one
    piece when more are added, so that a long body whose reader does not ask costs no memory.
    """

    __slots__ = ("_at", "_ends", "_last", "_packed", "_passed")

    def __init__(self) -> None:
        self._packed: deque[bytes] = deque()
        self._ends: deque[int] = deque()  # where the last chunk of each of them ends
        self._at = 0  # index into the first one
        self._passed = 0  # where the chunk before that index ends
        self._last = 0  # where the last known chunk ends

    def add(self, sizes: bytes, position: int) -> None:
        """Take in the packed sizes of the chunks that follow; `position` is how far the content was read."""
        packed, ends = self._packed, self._ends
        while ends and ends[0] <= position:
            self._passed = ends.popleft()
            packed.popleft()
            self._at = 0
        self._last += sum_sizes(sizes)
        if packed and len(packed[-1]) < _JOINED:
            packed[-1] += sizes
            ends[-1] = self._last
        else:
            packed.append(sizes)
            ends.append(self._last)

    def end_chunk(self, received: int, position: int) -> None:
        """Say that a chunk ends behind the octets received so far; nothing where none came since the last one."""
        if received > self._last:
            self.add(pack_sizes([received - self._last]), position)

    def next_end(self, position: int) -> int | None:
        """Where the first chunk ends that ends behind a position; None where that is not known yet."""
        packed = self._packed
        while self._passed <= position and packed:
            size, self._at = unpack_size(packed[0], self._at)
            self._passed += size
            if self._at == len(packed[0]):
                packed.popleft()
                self._ends.popleft()
                self._at = 0
        return self._passed if self._passed > position else None
