"""The framer: whole records, whatever pieces the stream arrives in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_connector._tls_records import RecordFramer


def record(size: int, kind: int = 23) -> bytes:
    return bytes((kind, 3, 3)) + size.to_bytes(2, "big") + bytes(size)


def fed(framer: RecordFramer, data: bytes) -> list[tuple[int, bool]]:
    """Cut data to its end: the octets of each cut, and whether it ended a record."""
    cuts = []
    view = memoryview(data)
    while view:
        cut = framer.cut(view)
        assert 0 < cut <= len(view)
        cuts.append((cut, not framer.missing))
        view = view[cut:]
    return cuts


def test_small_records_go_together_and_large_ones_alone() -> None:
    assert fed(RecordFramer(), record(100) * 3) == [(315, True)]
    assert fed(RecordFramer(), record(16384) * 2) == [(16389, True), (16389, True)]
    assert fed(RecordFramer(), record(9000) * 3) == [(18010, True), (9005, True)]


def test_the_largest_record_of_tls_1_2() -> None:
    assert fed(RecordFramer(), record(18432)) == [(18437, True)]


@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_record_cut_at_every_position(size: int) -> None:
    stream = record(3) + record(size) + record(2)
    ends = {8, 8 + 5 + size, len(stream)}
    for position in range(1, len(stream)):
        framer = RecordFramer()
        complete = fed(framer, stream[:position])[-1][1]
        assert complete is (position in ends)
        assert fed(framer, stream[position:])[-1][1]


def test_octet_by_octet() -> None:
    framer = RecordFramer()
    stream = record(0) + record(4)
    flags = [fed(framer, bytes((octet,)))[0][1] for octet in stream]
    assert [index for index, complete in enumerate(flags, 1) if complete] == [5, 14]


def test_whole_records_first_then_the_unfinished_one() -> None:
    assert fed(RecordFramer(), record(5) + record(9)[:8]) == [(10, True), (8, False)]
    assert fed(RecordFramer(), record(5) + record(9)[:3]) == [(10, True), (3, False)]


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="http"),
        pytest.param(b"\x17\x02\x00\x00\x01x", id="version"),
        pytest.param(b"\x19\x03\x03\x00\x01x", id="content-type-above"),
        pytest.param(b"\x13\x03\x03\x00\x01x", id="content-type-below"),
        pytest.param(b"\x17\x03\x03\x48\x01x", id="length"),
    ],
)
def test_what_is_no_record_is_passed_on_at_once(garbage: bytes) -> None:
    assert fed(RecordFramer(), garbage) == [(len(garbage), True)]
    framer = RecordFramer()
    assert fed(framer, garbage[:4]) == [(4, False)]
    assert fed(framer, garbage[4:]) == [(len(garbage) - 4, True)]


@given(st.lists(st.sampled_from([0, 1, 4, 5, 300, 9000, 16384]), min_size=1, max_size=8), st.data())
def test_ends_are_found_in_any_pieces(sizes: list[int], data: st.DataObject) -> None:
    stream = b"".join(map(record, sizes))
    ends = {sum(5 + size for size in sizes[: index + 1]) for index in range(len(sizes))}
    framer = RecordFramer()
    position = 0
    while position < len(stream):
        piece = stream[position : position + data.draw(st.integers(1, 20000))]
        for cut, complete in fed(framer, piece):
            position += cut
            assert complete is (position in ends)
