"""`StreamBuffer`: what goes in comes out, in memory that small pieces do not multiply (B22)."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core.aio._stream_buffer import StreamBuffer


def filled(*pieces: bytes) -> StreamBuffer:
    buffer = StreamBuffer()
    for piece in pieces:
        buffer.append(piece)
    return buffer


def test_a_whole_piece_is_never_copied() -> None:
    piece = bytes(1000)
    assert filled(piece).take(1000) is piece
    assert filled(piece).take_all() is piece
    assert filled(piece).take_piece() is piece


def test_taking_more_than_there_is() -> None:
    buffer = filled(b"ab", b"cd")
    assert buffer.take(0) == b""
    assert buffer.take(3) == b"abc"
    assert buffer.take(9) == b"d"
    assert buffer.take(9) == b""
    assert buffer.size == 0


def test_what_waits_can_be_looked_at() -> None:
    buffer = filled(b"abc", b"de", b"f")
    assert buffer.take(1) == b"a"
    assert buffer.pieces_behind(0) == [b"bc", b"de", b"f"]
    assert buffer.pieces_behind(1) == [b"c", b"de", b"f"]
    assert buffer.pieces_behind(2) == [b"de", b"f"]
    assert buffer.pieces_behind(3) == [b"e", b"f"]
    assert buffer.pieces_behind(5) == []
    assert buffer.size == 5


def test_what_is_behind_can_be_dropped() -> None:
    buffer = filled(b"abc", b"de", b"f")
    buffer.truncate(4)
    assert buffer.take_all() == b"abcd"
    buffer.append(b"x")
    buffer.truncate(0)
    assert buffer.size == 0
    buffer.append(b"y")
    assert buffer.take_all() == b"y"


def test_b22_tiny_pieces_take_little_memory() -> None:
    """B22: pieces of two octets, alone and behind a large piece."""
    for first in (b"x", bytes(1 << 17)):
        buffer = filled(first)
        expected = first
        tracemalloc.start()
        for number in range(1 << 16):
            buffer.append(b"%02x" % (number & 255))
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        expected += b"".join(b"%02x" % number for number in range(256)) * (1 << 8)
        assert held < 2 * len(expected)
        assert peak < 4 * len(expected)
        assert buffer.size == len(expected)
        assert buffer.take(1 << 15) + buffer.take_all() == expected


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.binary(min_size=1, max_size=5)),
            st.tuples(st.just("put_back"), st.binary(max_size=5)),
            st.tuples(st.just("take"), st.integers(0, 9)),
            st.tuples(st.just("take_piece"), st.none()),
            st.tuples(st.just("take_all"), st.none()),
            st.tuples(st.just("take_until"), st.integers(1, 9)),
            st.tuples(st.just("truncate"), st.integers(0, 9)),
        ),
        max_size=40,
    )
)
def test_it_is_a_string_of_octets(steps: list[tuple[str, bytes | int | None]]) -> None:
    buffer, model = StreamBuffer(), b""
    for name, value in steps:
        if isinstance(value, bytes):
            getattr(buffer, name)(value)
            model = value + model if name == "put_back" else model + value
        elif name == "truncate" and isinstance(value, int):
            buffer.truncate(value)
            model = model[:value]
        elif name == "take" and isinstance(value, int):
            assert buffer.take(value) == model[:value]
            model = model[value:]
        elif name == "take_until" and isinstance(value, int) and model:
            data, found = buffer.take_until(b"\0", b"", value)
            assert model.startswith(data)
            assert 0 < len(data) <= value + 1
            assert found is (data.endswith(b"\0") and len(data) <= value)
            model = model[len(data) :]
        elif name in ("take_piece", "take_all") and model:
            data = getattr(buffer, name)()
            assert data
            assert model.startswith(data)
            assert name == "take_piece" or data == model
            model = model[len(data) :]
        assert buffer.size == len(model)
        assert b"".join(buffer.pieces_behind(0)) == model
