"""Iterators over a part's content. They are objects and not generators, so that a cancelled step can be made again."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import final

from ._part_decoding import PartDecoder

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("DecodedChunks", "PartChunks")


@final
class PartChunks(AsyncIterator[bytes]):
    """Iterates over the content as it was sent.

    Cancellation: loses no octet.
    """

    __slots__ = ("_read", "_size")

    def __init__(self, read: Callable[[int], Awaitable[bytes]], size: int) -> None:
        self._read = read
        self._size = size

    @override
    async def __anext__(self) -> bytes:
        piece = await self._read(self._size)
        if not piece:
            raise StopAsyncIteration
        return piece


@final
class DecodedChunks(AsyncIterator[bytes]):
    """Iterates over the content with its encodings undone.

    Cancellation: loses no octet.
    """

    __slots__ = ("_decoded", "_decoder", "_ended", "_pieces")

    def __init__(self, pieces: PartChunks, decoder: PartDecoder) -> None:
        self._pieces = pieces
        self._decoder = decoder
        self._decoded: Iterator[bytes] = iter(())
        self._ended = False

    @override
    async def __anext__(self) -> bytes:
        while True:
            decoded = next(self._decoded, None)
            if decoded is not None:
                return decoded
            if self._ended:
                raise StopAsyncIteration
            piece = await anext(self._pieces, b"")
            self._ended = not piece
            self._decoded = self._decoder.decode(piece, final=self._ended)
