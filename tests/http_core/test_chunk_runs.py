"""Runs of small chunks: the same content, errors and sizes as chunk by chunk, in linear time (B16 to B22)."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import ChunkedDecoder
from wayfare_http_core._chunk_runs import RUN_OCTETS, SMALL_CHUNK
from wayfare_http_core._chunk_sizes import pack_sizes, sum_sizes, unpack_size

from tests.cpu_time import is_linear


def unpacked(packed: bytes) -> list[int]:
    sizes, at = [], 0
    while at < len(packed):
        size, at = unpack_size(packed, at)
        sizes.append(size)
    return sizes


def decoded(wire: bytes, piece: int) -> tuple[bytes, list[int], type | None, bool, bytes]:
    """Everything that must not depend on how the octets are cut."""
    decoder = ChunkedDecoder()
    content, sizes = b"", []
    for at in range(0, len(wire), piece):
        content += decoder.decode(wire[at : at + piece])
        sizes += unpacked(decoder.chunk_sizes)
        if decoder.error is not None or decoder.done:
            decoder.unused += wire[at + piece :]
            break
    error = None if decoder.error is None else type(decoder.error)
    return content, sizes, error, decoder.done, decoder.unused if decoder.done else b""


def chunk(data: bytes, line: bytes = b"%x") -> bytes:
    return line % len(data) + b"\r\n" + data + b"\r\n"


LAST = b"0\r\n\r\n"


@pytest.mark.parametrize("line", [b"%x", b"%X", b"%02x", b"%02X", b"%04x", b"%x;a=b", b"%x ; a"])
@pytest.mark.parametrize("data", [b"x", b"hello, world", b"\n" * 10, b"\r" * 11, bytes(171)])
def test_a_run_of_chunks(line: bytes, data: bytes) -> None:
    """B16, B20: in any spelling of the size, whether it is read in a run or not."""
    count = 3 * RUN_OCTETS // (len(data) + 4)
    if b";" in line:
        count = min(count, 2000)
    wire = count * chunk(data, line) + LAST + b"more"
    if line == b"%x ; a":
        assert decoded(wire, len(wire))[2] is not None
        return
    assert decoded(wire, len(wire)) == (count * data, count * [len(data)], None, True, b"more")


@pytest.mark.parametrize("inner", [b"\r\n", b"a\r\nb", b"\r\n\r\n", b"x\r\n3\r\n", b"2\r\nab\r\n"])
def test_data_that_looks_like_framing(inner: bytes) -> None:
    """B18: a chunk is as long as it says, whatever is in it."""
    for before in (0, 1, 50, RUN_OCTETS // 8, RUN_OCTETS // 4):
        wire = before * chunk(b"abc") + 3 * chunk(inner) + before * chunk(b"de") + LAST
        content = before * b"abc" + 3 * inner + before * b"de"
        sizes = before * [3] + 3 * [len(inner)] + before * [2]
        assert decoded(wire, len(wire)) == (content, sizes, None, True, b"")


@pytest.mark.parametrize(
    "bad",
    [b"3\r\nabcd\r\n", b"3\r\nab\r\n", b"-3\r\nabc\r\n", b"\r\n", b"3 \r\nabc\r\n", b"3\nabc\n"],
)
@pytest.mark.parametrize("before", [0, 1, 2, 1000, 4000])
def test_what_is_wrong_within_a_run(bad: bytes, before: int) -> None:
    """B25: the content before it is delivered, octet for octet as if it had come alone."""
    wire = before * chunk(b"abc") + bad + 2 * chunk(b"abc") + LAST
    content, sizes, error, done, _ = decoded(wire, len(wire))
    assert (content, sizes, error, done) == decoded(wire, 1)[:4]
    assert content.startswith(before * b"abc")
    assert len(content) <= 3 * before + 3
    assert error is not None
    assert not done


@given(
    st.lists(
        st.one_of(
            st.sampled_from([b"a", b"bc", b"\r\n", b"\r", b"\n", bytes(SMALL_CHUNK - 1)]),
            st.sampled_from([bytes(SMALL_CHUNK), bytes(SMALL_CHUNK + 1), bytes(3000)]),
            st.binary(min_size=1, max_size=20),
        ),
        max_size=30,
    ),
    st.integers(1, 12),
    st.integers(1, 4000),
    st.sampled_from([LAST, b"", b"0", b"x", b"0\r\nA: b\r\n\r\n", b"3\r\nab"]),
)
def test_any_chunks_in_any_pieces(
    chunks: list[bytes], repeated: int, piece: int, end: bytes
) -> None:
    """B22, H26: all at once, and cut."""
    wire = repeated * b"".join(map(chunk, chunks)) + end
    whole = decoded(wire, len(wire) or 1)
    assert whole[0].startswith(repeated * b"".join(chunks))
    assert whole[1] == repeated * [len(each) for each in chunks]
    assert decoded(wire, piece) == whole


def test_chunks_with_framing_in_their_data_cost_what_their_length_does() -> None:
    """B22: each breaks its run off, and none makes the rest be looked at again."""

    def decoding(count: int) -> Callable[[], object]:
        wire = count * chunk(b"a\r\nb") + LAST
        assert decoded(wire, len(wire))[3]
        return partial(decoded, wire, len(wire))

    assert is_linear(decoding, 1 << 12)


@given(st.lists(st.one_of(st.integers(1, 300), st.integers(1, 2**63 - 1))))
def test_packed_sizes(sizes: list[int]) -> None:
    packed = pack_sizes(sizes)
    assert unpacked(packed) == sizes
    assert sum_sizes(packed) == sum(sizes)
    assert len(packed) == sum(1 if size < 256 else 9 for size in sizes)
