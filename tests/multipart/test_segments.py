"""Segments: joined where they are small, encoded where they must be, read by whoever drives them."""

import gzip
import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import make_encoder
from wayfare_multipart import BlockingReader
from wayfare_multipart._segments import (
    PIECE,
    Segment,
    aiter_pieces,
    encoded,
    gathered,
    iter_pieces,
)


class Reader(BlockingReader):
    """Gives these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


async def asynchronous(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@given(st.lists(st.integers(0, 40_000), max_size=40))
def test_joining_loses_nothing(sizes: list[int]) -> None:
    segments = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
    joined = list(gathered(segments))
    assert b"".join(one for one in joined if isinstance(one, bytes)) == b"".join(segments)
    assert all(joined)
    small = [one for one in joined if len(one) < 16 * 1024]  # type: ignore[arg-type]  # all are octets
    assert len(small) <= sum(size >= 16 * 1024 for size in sizes) + 1


def test_large_segments_are_not_copied() -> None:
    large = bytes(PIECE)
    found = list(gathered([b"a", b"b", large, b"c", *[bytes(1000)] * 600]))
    assert found[0] == b"ab"
    assert found[1] is large
    assert [len(one) for one in found[2:] if isinstance(one, bytes)] == [263_001, 263_000, 74_000]


def test_readers_stay_between_their_neighbours() -> None:
    assert list(iter_pieces([b"a", Reader(b"b", b"c"), b"d", b"", b"e"])) == [
        b"a",
        b"b",
        b"c",
        b"de",
    ]
    with pytest.raises(TypeError, match="asynchronous"):
        list(iter_pieces([asynchronous(b"a")]))


async def test_a_coroutine_takes_all_kinds() -> None:
    segments: list[Segment] = [b"a", Reader(b"b"), asynchronous(b"c", b"", b"d"), b"e"]
    assert [piece async for piece in aiter_pieces(segments)] == [b"a", b"b", b"c", b"d", b"e"]


async def test_an_encoder_goes_through_all_kinds() -> None:
    segments: list[Segment] = [b"a" * 9, Reader(b"b" * 9, b"c" * 9), asynchronous(b"d" * 9)]
    pieces = [piece async for piece in aiter_pieces(encoded(segments, make_encoder("gzip")))]
    assert decompress(b"".join(pieces)) == b"a" * 9 + b"b" * 9 + b"c" * 9 + b"d" * 9


def decompress(octets: bytes) -> bytes:
    return gzip.decompress(octets)


def test_an_encoder_that_keeps_what_it_gets_does_not_end_a_reader() -> None:
    noise = random.Random(1).randbytes(50)
    reader = Reader(noise, noise, noise)
    assert decompress(b"".join(iter_pieces(encoded([reader], make_encoder("gzip"))))) == noise * 3
