"""Where the octets of a body come from: anything asynchronous, without asyncio (and without an import of it)."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeAlias, final, runtime_checkable

__all__ = ("OctetSource", "reading_from")

_PIECE = 64 * 1024


@runtime_checkable
class _ReadsAny(Protocol):
    """Streams that give what has arrived: those of http-core, and of other HTTP clients."""

    def readany(self) -> Awaitable[bytes]: ...


@runtime_checkable
class _Reads(Protocol):
    """Streams that give up to n octets: asyncio's, and asynchronous files."""

    def read(self, n: int, /) -> Awaitable[bytes]: ...


OctetSource: TypeAlias = AsyncIterable[bytes] | _ReadsAny | _Reads
"""A stream with `readany` or `read`, or any asynchronous iterable of octets."""


def reading_from(source: OctetSource) -> Callable[[], Awaitable[bytes]]:
    """A function that gives the next octets, none at the end.

    Streams are asked for what they have: iterating over them gives lines, and a body has long ones.

    Raises: TypeError for what is no source.
    """
    if isinstance(source, _ReadsAny):
        return source.readany
    if isinstance(source, _Reads):
        read = source.read
        return lambda: read(_PIECE)
    if isinstance(source, AsyncIterable):
        return _Iteration(aiter(source)).read
    raise TypeError(f"no octets can be awaited from {type(source).__name__}")


@final
class _Iteration:
    __slots__ = ("_pieces",)

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    async def read(self) -> bytes:
        # Empty pieces are no end.
        async for piece in self._pieces:
            if piece:
                return piece
        return b""
