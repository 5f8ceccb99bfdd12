"""MemoryTransport keeps the contract of asyncio's socket transports."""

import asyncio
import sys
from typing import Any

import pytest
from wayfare_http_core.testing import (
    RecordingProtocol,
    memory_pair,
    ticks,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


class Buffered(asyncio.BufferedProtocol):
    """Takes octets through a buffer of the given size."""

    def __init__(self, size: int) -> None:
        self.buffer = bytearray(size)
        self.reads: list[bytes] = []
        self.events: list[str] = []

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        assert sizehint == -1
        return memoryview(self.buffer)

    @override
    def buffer_updated(self, nbytes: int) -> None:
        self.reads.append(bytes(self.buffer[:nbytes]))

    @override
    def eof_received(self) -> None:
        self.events.append("eof")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")


@pytest.fixture
def reports() -> "list[dict[str, Any]]":
    return []


@pytest.fixture(autouse=True)
async def collect_reports(reports: "list[dict[str, Any]]") -> None:
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reports.append(context))


async def test_connection_made_comes_from_a_callback_and_first() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b)
    tb.write(b"early")
    assert a.events == b.events == []
    await ticks(3)
    assert a.events == ["made", b"early"]
    assert a.transport is ta
    assert b.transport is tb
    ta.close()
    await ticks(5)


async def test_data_received_comes_from_a_callback_one_read_per_tick() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b, read_size=2)
    await ticks(2)
    ta.write(b"abcde")
    ta.write(b"f")
    assert b.events == ["made"]
    await ticks(1)
    assert b.events == ["made", b"ab"]
    await ticks(3)
    assert b.events == ["made", b"ab", b"cd", b"ef"]
    ta.close()
    await ticks(4)
    assert tb.is_closing()


async def test_a_buffered_protocol_gets_octets_in_its_buffer() -> None:
    a, b = RecordingProtocol(), Buffered(3)
    ta, _ = memory_pair(a, b)
    ta.write(b"abcdefgh")
    await ticks(6)
    assert b.reads == [b"abc", b"def", b"gh"]
    ta.close()
    await ticks(5)
    assert b.events == ["eof", "lost"]


async def test_set_protocol_switches_between_the_kinds_of_protocol() -> None:
    a, b, c = RecordingProtocol(), RecordingProtocol(), Buffered(8)
    ta, tb = memory_pair(a, b)
    await ticks(2)
    tb.set_protocol(c)
    assert tb.get_protocol() is c
    ta.write(b"xyz")
    await ticks(2)
    assert c.reads == [b"xyz"]
    tb.set_protocol(b)
    ta.write(b"abc")
    await ticks(2)
    assert b.events == ["made", b"abc"]
    tb.abort()
    await ticks(5)


async def test_pause_reading_holds_octets_and_eof_back() -> None:
    a, b = RecordingProtocol(), RecordingProtocol(keep_open=True)
    ta, tb = memory_pair(a, b)
    await ticks(2)
    assert tb.is_reading()
    tb.pause_reading()
    tb.pause_reading()
    assert not tb.is_reading()
    ta.write(b"1")
    ta.close()
    await ticks(5)
    assert b.events == ["made"]
    tb.resume_reading()
    tb.resume_reading()
    await ticks(3)
    assert b.events == ["made", b"1", "eof"]
    tb.close()
    assert not tb.is_reading()
    await ticks(2)


async def test_pausing_within_data_received_stops_after_that_read() -> None:
    class PausesItself(RecordingProtocol):
        @override
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            assert self.transport is not None
            self.transport.pause_reading()

    a, b = RecordingProtocol(), PausesItself()
    ta, tb = memory_pair(a, b, read_size=1)
    ta.write(b"ab")
    await ticks(6)
    assert b.events == ["made", b"a"]
    tb.resume_reading()
    tb.pause_reading()  # the read that was scheduled finds reading paused
    await ticks(2)
    assert b.events == ["made", b"a"]
    ta.abort()
    tb.abort()
    await ticks(2)


async def test_write_limits_pause_and_resume_the_writer() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b, capacity=4, read_size=4)
    ta.set_write_buffer_limits(high=6, low=2)
    assert ta.get_write_buffer_limits() == (2, 6)
    await ticks(2)
    ta.write(b"x" * 10)  # 4 in flight, 6 buffered: not above the mark
    assert ta.get_write_buffer_size() == 6
    assert a.events == ["made"]
    ta.write(b"y")
    ta.write(b"z")  # one pause only
    assert a.events == ["made", "pause"]
    await ticks(10)
    assert a.events == ["made", "pause", "resume"]
    assert bytes(b.data) == b"x" * 10 + b"yz"
    assert ta.get_write_buffer_size() == 0
    ta.close()
    tb.close()
    await ticks(2)


@pytest.mark.parametrize(
    ("high", "low", "expected"),
    [
        (None, None, (16384, 65536)),
        (None, 10, (10, 40)),
        (8, None, (2, 8)),
        (0, 0, (0, 0)),
    ],
)
async def test_default_write_limits(
    high: int | None, low: int | None, expected: tuple[int, int]
) -> None:
    ta, _ = memory_pair(RecordingProtocol(), RecordingProtocol())
    ta.set_write_buffer_limits(high, low)
    assert ta.get_write_buffer_limits() == expected
    ta.abort()
    await ticks(5)


async def test_impossible_write_limits_are_refused() -> None:
    ta, _ = memory_pair(RecordingProtocol(), RecordingProtocol())
    with pytest.raises(ValueError, match="must be >="):
        ta.set_write_buffer_limits(1, 2)
    ta.abort()
    await ticks(5)


async def test_write_eof_half_closes_and_the_answer_still_arrives() -> None:
    a, b = RecordingProtocol(), RecordingProtocol(keep_open=True)
    ta, tb = memory_pair(a, b)
    assert ta.can_write_eof()
    ta.write(b"request")
    ta.write_eof()
    ta.write_eof()
    with pytest.raises(RuntimeError, match="write_eof"):
        ta.write(b"more")
    await ticks(4)
    assert b.events == ["made", b"request", "eof"]
    tb.write(b"answer")
    tb.close()
    await ticks(5)
    assert a.events == ["made", b"answer", "eof", ("lost", type(None))]
    assert b.events[-1] == ("lost", type(None))


async def test_write_eof_waits_for_what_was_written() -> None:
    a, b = RecordingProtocol(), RecordingProtocol(keep_open=True)
    ta, tb = memory_pair(a, b, capacity=2)
    ta.write(b"abcdef")
    ta.write_eof()
    await ticks(12)
    assert bytes(b.data) == b"abcdef"
    assert b.events[-1] == "eof"
    ta.close()
    tb.close()
    await ticks(3)


async def test_write_eof_towards_a_closed_peer_does_nothing() -> None:
    a, b = RecordingProtocol(keep_open=True), RecordingProtocol()
    ta, tb = memory_pair(a, b)
    tb.close()
    await ticks(4)
    ta.write_eof()
    ta.close()
    await ticks(3)
    assert a.events == ["made", "eof", ("lost", type(None))]


async def test_close_flushes_first_and_then_loses_the_connection() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, _ = memory_pair(a, b, capacity=2)
    await ticks(2)
    ta.write(b"abcdef")
    ta.close()
    ta.close()
    assert ta.is_closing()
    assert a.events == ["made"]
    ta.write(b"g")  # asyncio accepts writes while it flushes
    await ticks(16)
    assert bytes(b.data) == b"abcdefg"
    assert a.events == ["made", ("lost", type(None))]
    assert b.events[-2:] == ["eof", ("lost", type(None))]


async def test_nothing_is_read_after_close() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b)
    await ticks(2)
    tb.write(b"late")  # the read is scheduled
    ta.close()
    ta.resume_reading()
    await ticks(5)
    assert a.events == ["made", ("lost", type(None))]


async def test_abort_drops_what_was_not_sent() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, _ = memory_pair(a, b, capacity=2)
    await ticks(2)
    ta.write(b"abcdef")
    ta.abort()
    ta.abort()
    ta.write(b"dropped")
    await ticks(6)
    assert a.events == ["made", ("lost", type(None))]
    assert b.events == ["made", b"ab", "eof", ("lost", type(None))]


async def test_abort_before_connection_made_still_makes_the_connection_first() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, _ = memory_pair(a, b)
    ta.abort()
    await ticks(6)
    assert a.events == ["made", ("lost", type(None))]
    assert b.events == ["made", "eof", ("lost", type(None))]


async def test_reset_arrives_after_the_octets_that_were_in_flight() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, _ = memory_pair(a, b)
    await ticks(2)
    ta.write(b"abc")
    ta.reset()
    ta.reset()
    await ticks(5)
    assert a.events == ["made", ("lost", type(None))]
    assert b.events == ["made", b"abc", ("lost", ConnectionResetError)]
    exc = b.lost.result()
    assert isinstance(exc, ConnectionResetError)
    assert exc.errno


async def test_lose_breaks_one_end_with_the_given_error() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b)
    await ticks(2)
    tb.write(b"never seen")
    ta.lose(TimeoutError("no route"))
    await ticks(5)
    assert a.events == ["made", ("lost", TimeoutError)]
    # Octets were left unread: the peer learns that by an RST.
    assert b.events == ["made", ("lost", ConnectionResetError)]


async def test_cut_drops_what_is_in_flight_and_delivers_eof() -> None:
    a, b = RecordingProtocol(), RecordingProtocol(keep_open=True)
    ta, tb = memory_pair(a, b)
    await ticks(2)
    ta.write(b"abc")
    tb.cut()
    await ticks(3)
    assert b.events == ["made", "eof"]
    ta.abort()
    tb.abort()
    await ticks(2)


async def test_writing_to_a_closed_peer_brings_a_reset() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b)
    await ticks(2)
    ta.pause_reading()
    tb.abort()
    await ticks(2)
    ta.write(b"vanishes")
    assert a.events == ["made"]
    ta.write(b"refused")
    await ticks(2)
    assert a.events == ["made", ("lost", BrokenPipeError)]


async def test_writing_after_a_reset_arrived_is_refused() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b)
    await ticks(2)
    ta.pause_reading()
    tb.reset()
    await ticks(2)
    ta.write(b"refused")
    await ticks(2)
    assert a.events == ["made", ("lost", ConnectionResetError)]


async def test_a_blocked_write_meets_the_closed_peer() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b, capacity=2)
    await ticks(2)
    tb.pause_reading()
    ta.write(b"abcdef")
    tb.abort()
    await ticks(5)
    assert a.events == ["made", ("lost", ConnectionResetError)]


async def test_a_flush_that_comes_too_late_does_nothing() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b, capacity=2)
    await ticks(2)
    ta.write(b"abcdef")
    tb.pause_reading()
    tb.abort()
    await ticks(1)  # the flush is scheduled
    ta.abort()
    await ticks(5)
    assert a.events == ["made", ("lost", type(None))]


async def test_the_last_writes_of_both_closing_ends() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b)
    await ticks(2)
    ta.close()
    tb.close()
    await ticks(3)
    assert a.events == b.events == ["made", ("lost", type(None))]


@pytest.mark.parametrize("bad", ["text", 3, None, [b"x"]])
async def test_only_octets_can_be_written(bad: Any) -> None:
    ta, _ = memory_pair(RecordingProtocol(), RecordingProtocol())
    with pytest.raises(TypeError, match="bytes-like"):
        ta.write(bad)
    ta.abort()
    await ticks(5)


async def test_every_kind_of_octets_can_be_written() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, _ = memory_pair(a, b)
    ta.write(b"")
    ta.writelines([b"a", bytearray(b"b"), memoryview(b"c")])
    ta.close()
    await ticks(6)
    assert bytes(b.data) == b"abc"


async def test_extra_info() -> None:
    ta, tb = memory_pair(
        RecordingProtocol(), RecordingProtocol(), extra_a={"peername": ("192.0.2.1", 80), "x": 1}
    )
    assert ta.get_extra_info("peername") == ("192.0.2.1", 80)
    assert ta.get_extra_info("x") == 1
    assert ta.get_extra_info("ssl_object") is None
    assert tb.get_extra_info("peername") == ta.get_extra_info("sockname")
    assert "192.0.2.1" in repr(ta)
    assert "open" in repr(ta)
    ta.abort()
    assert "closing" in repr(ta)
    await ticks(5)
    assert "closed" in repr(ta)


def failing(name: str) -> RecordingProtocol:
    def fail(*args: object) -> None:
        raise LookupError(name)

    recorder = RecordingProtocol()
    setattr(recorder, name, fail)
    return recorder


@pytest.mark.parametrize("name", ["data_received", "eof_received"])
async def test_a_protocol_that_raises_ends_its_connection(
    name: str, reports: "list[dict[str, Any]]"
) -> None:
    a, b = RecordingProtocol(), failing(name)
    ta, _ = memory_pair(a, b)
    await ticks(2)
    ta.write(b"x")
    ta.write_eof()
    await ticks(6)
    assert b.events[-1] == ("lost", LookupError)
    assert [str(report["exception"]) for report in reports] == [name]


@pytest.mark.parametrize("name", ["pause_writing", "resume_writing"])
async def test_flow_control_that_raises_is_reported_and_survived(
    name: str, reports: "list[dict[str, Any]]"
) -> None:
    a, b = failing(name), RecordingProtocol()
    ta, _ = memory_pair(a, b, capacity=1)
    ta.set_write_buffer_limits(0)
    ta.write(b"xyz")
    await ticks(12)
    assert bytes(b.data) == b"xyz"
    assert [str(report["exception"]) for report in reports] == [name]
    ta.close()
    await ticks(4)


async def test_an_empty_buffer_ends_the_connection(reports: "list[dict[str, Any]]") -> None:
    b = Buffered(0)
    ta, _ = memory_pair(RecordingProtocol(), b)
    ta.write(b"x")
    await ticks(5)
    assert b.events == ["lost"]
    assert "empty buffer" in str(reports[0]["exception"])
    ta.abort()
    await ticks(3)


async def test_a_protocol_without_octets_is_an_error_and_gets_no_eof(
    reports: "list[dict[str, Any]]",
) -> None:
    a = RecordingProtocol()
    ta, tb = memory_pair(a, asyncio.BaseProtocol())
    ta.write(b"x")
    await ticks(5)
    assert tb.is_closing()
    assert isinstance(reports[0]["exception"], TypeError)
    tc, td = memory_pair(RecordingProtocol(), asyncio.BaseProtocol())
    tc.close()
    await ticks(5)
    assert td.is_closing()
    ta.abort()
    await ticks(3)
