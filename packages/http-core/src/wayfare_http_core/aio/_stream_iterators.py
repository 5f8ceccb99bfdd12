"""Iterators over a `StreamReader`, by octets.

They are objects and not generators: nothing has to be closed when a loop is left early, and a cancelled step can be
made again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, Protocol, TypeVar, final

__all__ = ("AsyncStreamIterator", "ChunkTupleAsyncStreamIterator")

T = TypeVar("T")


@final
class AsyncStreamIterator(AsyncIterator[T], Generic[T]):
    """Iterates over what a function reads, until that is empty.

    Cancellation: what the function says of itself; the iterator holds nothing.
    """

    __slots__ = ("_read",)

    def __init__(self, read_func: Callable[[], Awaitable[T]]) -> None:
        self._read = read_func

    def __aiter__(self) -> "AsyncStreamIterator[T]":
        return self

    async def __anext__(self) -> T:
        piece = await self._read()
        if not piece:
            raise StopAsyncIteration
        return piece


class _ChunkReader(Protocol):
    async def readchunk(self) -> tuple[bytes, bool]: ...


@final
class ChunkTupleAsyncStreamIterator(AsyncIterator[tuple[bytes, bool]]):
    """Iterates over a stream by HTTP chunks: octets, and whether they are the last ones of their chunk.

    Cancellation: loses no octet.
    """

    __slots__ = ("_stream",)

    def __init__(self, stream: _ChunkReader) -> None:
        self._stream = stream

    def __aiter__(self) -> "ChunkTupleAsyncStreamIterator":
        return self

    async def __anext__(self) -> tuple[bytes, bool]:
        data, ends = await self._stream.readchunk()
        if not data and not ends:
            raise StopAsyncIteration
        return data, ends
