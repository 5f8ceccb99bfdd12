"""What a body consists of while it is written: octets that are there, octets to wait for, octets to read.

A payload tells its content as segments, and does no waiting itself. Three drivers turn segments into pieces of octets:
`iter_pieces` for programs without an event loop, `aiter_pieces` for coroutines, and the one in `wayfare_multipart.aio`,
which lets a thread do what blocks. So a form with a large file in it is written by the same code in all three worlds.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Final, TypeAlias, final

from wayfare_http_core import Encoder

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = (
    "PIECE",
    "SMALL",
    "BlockingReader",
    "EncodedReader",
    "Segment",
    "aiter_pieces",
    "encoded",
    "gathered",
    "iter_pieces",
)

PIECE: Final = 256 * 1024
"""Octets that are read at a time. Larger reads are no faster, and each reader holds one of them."""

SMALL: Final = 16 * 1024
"""Octets below which a segment is joined with its neighbours: copying so few costs less than handing them on."""


class BlockingReader(ABC):
    """Octets that come by calls which may block: of a file, of an iterator."""

    __slots__ = ()

    @abstractmethod
    def read(self) -> bytes:
        """The next octets, about `PIECE` of them; none at the end. Never called from two threads at once."""

    def read_nowait(self) -> bytes | None:
        """The same if it will not block, None where it may: then `read` gives what comes next."""
        return None


Segment: TypeAlias = bytes | BlockingReader | AsyncIterable[bytes]
"""A piece of a body: octets, what has to be read for them, or what has to be awaited."""


@final
class EncodedReader(BlockingReader):
    """A reader whose octets go through an encoder, in the thread that reads them."""

    __slots__ = ("_encoder", "_reader")

    def __init__(self, reader: BlockingReader, encoder: Encoder) -> None:
        self._reader = reader
        self._encoder = encoder

    @override
    def read(self) -> bytes:
        # An encoder may keep what it got; empty octets would mean the end.
        while piece := self._reader.read():
            coded = self._encoder.encode(piece)
            if coded:
                return coded
        return b""


def encoded(segments: Iterable[Segment], encoder: Encoder) -> Iterator[Segment]:
    """Segments with an encoding applied to their octets, and its end behind them."""
    for segment in segments:
        if isinstance(segment, bytes):
            yield encoder.encode(segment)
        elif isinstance(segment, BlockingReader):
            yield EncodedReader(segment, encoder)
        else:
            yield _aencoded(segment, encoder)
    yield encoder.flush()


async def _aencoded(pieces: AsyncIterable[bytes], encoder: Encoder) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield encoder.encode(piece)


def gathered(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Segments with small neighbours joined: a form of many fields is written in few pieces. None is empty."""
    waiting: list[bytes] = []
    size = 0
    for segment in segments:
        if isinstance(segment, bytes) and len(segment) < SMALL:
            if segment:
                waiting.append(segment)
                size += len(segment)
            if size < PIECE:
                continue
            segment = b""
        if size:
            yield b"".join(waiting)
            waiting.clear()
            size = 0
        if segment != b"":
            yield segment
    if size:
        yield b"".join(waiting)


def iter_pieces(segments: Iterable[Segment]) -> Iterator[bytes]:
    """The octets of segments, read here and now.

    Raises: TypeError for a segment that only a coroutine can wait for.
    """
    for segment in gathered(segments):
        if isinstance(segment, bytes):
            yield segment
        elif isinstance(segment, BlockingReader):
            while piece := segment.read():
                yield piece
        else:
            raise TypeError("a part of this body is asynchronous: iterate over it with `async for`")


async def aiter_pieces(segments: Iterable[Segment]) -> AsyncIterator[bytes]:
    """The octets of segments, in a coroutine; what blocks is read in its place. `wayfare_multipart.aio` has better."""
    for segment in gathered(segments):
        if isinstance(segment, bytes):
            yield segment
        elif isinstance(segment, BlockingReader):
            while piece := segment.read():
                yield piece
        else:
            async for piece in segment:
                if piece:
                    yield piece
