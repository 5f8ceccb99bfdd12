"""Payloads of what gives its octets once, one after the other: iterables, async iterables, stream readers."""

import sys
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, Protocol, final

from ._payload import Payload
from ._segments import PIECE, BlockingReader, Segment

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = (
    "AsyncIterablePayload",
    "IterablePayload",
    "OncePayload",
    "StreamReaderPayload",
    "is_stream_reader",
)


class OncePayload(Payload):
    """What can be taken once."""

    @property
    @override
    def size(self) -> None:
        return None

    @property
    @override
    def replayable(self) -> bool:
        return not self._consumed

    def _take(self) -> Any:
        if self._consumed:
            raise ValueError("this content was taken already, and can be taken only once")
        self._consumed = True
        return self._value


@final
class _IteratorReader(BlockingReader):
    __slots__ = ("_pieces",)

    def __init__(self, pieces: Iterator[bytes | str]) -> None:
        self._pieces = pieces

    @override
    def read(self) -> bytes:
        for piece in self._pieces:
            if piece:
                return octets_of(piece)
        return b""


class IterablePayload(OncePayload):
    """An iterable of octets, which may block for each of its pieces. Sent once, in chunks."""

    def __init__(self, value: Iterable[bytes], *args: Any, **kwargs: Any) -> None:
        if not isinstance(value, Iterable):
            raise TypeError(f"value must be an iterable of bytes, not {type(value).__name__}")
        super().__init__(value, *args, **kwargs)

    @override
    def segments(self) -> Iterator[Segment]:
        yield _IteratorReader(iter(self._take()))


class AsyncIterablePayload(OncePayload):
    """An async iterable of octets. Sent once, in chunks."""

    def __init__(self, value: AsyncIterable[bytes], *args: Any, **kwargs: Any) -> None:
        if not isinstance(value, AsyncIterable):
            raise TypeError(f"value must be an async iterable of bytes, not {type(value).__name__}")
        super().__init__(value, *args, **kwargs)

    @property
    @override
    def is_async(self) -> bool:
        return True

    @override
    def segments(self) -> Iterator[Segment]:
        yield _octets(self._take())


class _Reads(Protocol):
    async def read(self, size: int, /) -> bytes: ...


@final
class StreamReaderPayload(AsyncIterablePayload):
    """A stream reader, Wayfare's or asyncio's, read by pieces as they come: iterating over one would give lines."""

    @override
    def segments(self) -> Iterator[Segment]:
        yield _read_by_pieces(self._take())


async def _read_by_pieces(reader: _Reads) -> AsyncIterator[bytes]:
    while piece := await reader.read(PIECE):
        yield piece


async def _octets(pieces: AsyncIterable[bytes | str]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield octets_of(piece)


def octets_of(piece: bytes | str) -> bytes:
    """A piece of somebody's iterable.

    Raises: TypeError for what is neither octets nor text.
    """
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, str):
        return piece.encode("utf-8")
    if isinstance(piece, bytearray | memoryview):
        return bytes(piece)
    raise TypeError(f"an iterable to send gives bytes, not {type(piece).__name__}")


def is_stream_reader(value: object) -> bool:
    """Whether it is a stream reader, found out without importing what it would come from: if that is not loaded, there
    is none."""
    for name, kind in (
        ("asyncio.streams", "StreamReader"),
        ("wayfare_http_core.aio", "StreamReader"),
    ):
        module = sys.modules.get(name)
        if module is not None and isinstance(value, getattr(module, kind)):
            return True
    return False
