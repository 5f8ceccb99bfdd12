"""`StreamReader`: bounds on the size of the content, on its speed, and on the time to undo its coding (B26, O2)."""

import asyncio
import gzip
import math
import zlib

import pytest
from wayfare_http_core import (
    BodyTooLargeError,
    IncompleteBodyError,
    SlowTransferError,
    SocketTimeoutError,
)
from wayfare_http_core.aio import Deadline, StreamReader
from wayfare_http_core.testing import (
    FakeClockLoop,
    RecordingFlow,
    decoder_of,
    run_with_fake_clock,
    stream_of,
)


class Late(TimeoutError):
    """The error of the deadlines here."""


def too_slow() -> SocketTimeoutError:
    return SocketTimeoutError("too slow")


# --- Size.


@pytest.mark.parametrize("eof", [False, True])
async def test_content_over_the_limit_is_delivered_up_to_it(eof: bool) -> None:
    """B26: however it is cut; what still arrives is aborted, and a connection that is free again is not."""
    for pieces in ([b"0123456789"], [b"01234", b"56789"], [b"0123", b"4", b"5", b"6789"]):
        flow = RecordingFlow()
        stream = stream_of(*pieces, eof=eof, flow=flow)
        stream.limit_size(5)
        read = b""
        while len(read) < 5:
            read += await stream.read(3)
        assert read == b"01234"
        for _ in range(2):
            with pytest.raises(BodyTooLargeError) as caught:
                await stream.read(3)
            assert caught.value.limit == 5
        assert not stream.at_eof()
        assert flow.asked == ([] if eof else ["abort"])


async def test_content_of_exactly_the_limit_passes() -> None:
    flow = RecordingFlow()
    stream = stream_of(b"01234", b"56789", flow=flow)
    stream.limit_size(10)
    assert await stream.read() == b"0123456789"
    assert stream.at_eof()
    empty = stream_of(flow=flow)
    empty.limit_size(0)
    assert await empty.read() == b""
    assert flow.asked == []


@pytest.mark.parametrize("name", ["read", "readline", "readuntil"])
async def test_what_is_not_whole_is_not_given_out_as_whole(name: str) -> None:
    """B26: a read up to the end fails, and leaves what was within the limit readable."""
    stream = stream_of(b"01", b"23456789")
    stream.limit_size(5)
    for _ in range(2):
        with pytest.raises(BodyTooLargeError):
            await getattr(stream, name)()
    assert stream.total_bytes == 0
    assert stream.read_nowait() == b"01234"
    with pytest.raises(BodyTooLargeError):
        stream.read_nowait()


async def test_what_waits_can_be_read_up_to_the_limit_without_waiting() -> None:
    stream = stream_of(b"0123456789", eof=False)
    stream.limit_size(5)
    assert stream.read_nowait() == b"01234"
    with pytest.raises(BodyTooLargeError):
        stream.read_nowait()


async def test_a_limit_on_content_that_was_read_already_counts_what_was_read() -> None:
    flow = RecordingFlow()
    stream = stream_of(b"0123456789", eof=False, flow=flow)
    assert await stream.read(4) == b"0123"
    stream.limit_size(6)
    assert await stream.readany() == b"45"
    beyond = stream_of(b"0123456789", eof=False, flow=flow)
    assert await beyond.read(4) == b"0123"
    beyond.limit_size(3)
    with pytest.raises(BodyTooLargeError):
        await beyond.readany()


async def test_a_limit_can_be_lifted() -> None:
    stream = stream_of(b"0123456789")
    stream.limit_size(5)
    stream.limit_size(None)
    assert await stream.read() == b"0123456789"
    with pytest.raises(ValueError, match="negative"):
        stream.limit_size(-1)


@pytest.mark.parametrize("eof", [False, True])
async def test_decoded_octets_count(eof: bool) -> None:
    """B26: a little content that unpacks to much is stopped where it is too much, not when it is unpacked."""
    flow = RecordingFlow()
    coded = gzip.compress(bytes(64 * 1024 * 1024))
    stream = stream_of(coded, eof=eof, flow=flow)
    stream.limit_size(1_000_000)
    stream.decode_with(decoder_of("gzip"))
    while stream.total_bytes < 1_000_000:
        assert await stream.readany()
    assert stream.total_bytes == 1_000_000
    with pytest.raises(BodyTooLargeError):
        await stream.readany()
    assert not stream.at_eof()
    assert flow.asked == ([] if eof else ["abort"])


async def test_coded_octets_do_not_count() -> None:
    """Content that grew when it was coded is within the limit all the same."""
    coded = gzip.compress(b"0123456789")
    assert len(coded) > 10
    stream = stream_of(coded)
    stream.limit_size(10)
    stream.decode_with(decoder_of("gzip"))
    assert await stream.read() == b"0123456789"


async def test_a_paused_peer_is_aborted_and_not_resumed() -> None:
    """B26, B27: taking what is within the limit makes room, which is for nobody."""
    flow = RecordingFlow()
    stream = StreamReader(flow, limit=4)
    stream.feed_data(b"0123456789")
    stream.limit_size(2)
    assert await stream.readany() == b"01"
    assert flow.asked == ["pause", "abort"]


async def test_too_much_of_a_stream_that_broke_is_told_once_and_aborts_nothing() -> None:
    """The octets come before the break, and so does their error."""
    flow = RecordingFlow()
    stream = stream_of(b"0123456789", eof=False, flow=flow)
    stream.set_exception(IncompleteBodyError(10, 20))
    stream.limit_size(5)
    assert await stream.readany() == b"01234"
    with pytest.raises(BodyTooLargeError):
        await stream.readany()
    assert flow.asked == []


# --- Speed.


def test_a_peer_that_is_too_slow_is_given_up() -> None:
    """O2: a drip that every read timeout lets pass."""

    async def main() -> None:
        flow = RecordingFlow()
        stream = StreamReader(flow)
        stream.set_timeouts(None, (9, too_slow))
        stream.set_minimum_speed(10, 5)
        loop = asyncio.get_running_loop()
        start = loop.time()
        for second in range(1, 9):
            loop.call_later(second, stream.feed_data, b"drip")
        with pytest.raises(SlowTransferError) as caught:
            await stream.read()
        assert loop.time() == pytest.approx(start + 5)
        assert (caught.value.octets_per_second, caught.value.seconds) == (10, 5)
        assert flow.asked == ["abort"]

    run_with_fake_clock(main())


def test_a_peer_that_is_fast_enough_may_pause() -> None:
    """Each quota counts from the octet that completed the one before."""

    async def main() -> None:
        stream = StreamReader()
        stream.set_minimum_speed(10, 5)
        loop = asyncio.get_running_loop()
        start = loop.time()
        for moment in (4.5, 9, 13.5):
            loop.call_later(moment, stream.feed_data, b"x" * 50)
        with pytest.raises(SlowTransferError):
            await stream.read()
        assert loop.time() == pytest.approx(start + 18.5)

    run_with_fake_clock(main())


def test_the_time_in_which_nobody_reads_does_not_count() -> None:
    """O2: a slow reader is not a slow peer."""

    async def main() -> None:
        stream = StreamReader()
        stream.set_minimum_speed(10, 5)
        loop = asyncio.get_running_loop()
        for _ in range(4):
            loop.call_later(1, stream.feed_data, b"x")
            assert await stream.readany() == b"x"
            await asyncio.sleep(100)
        start = loop.time()
        with pytest.raises(SlowTransferError):
            await stream.readany()
        assert loop.time() == pytest.approx(start + 1)

    run_with_fake_clock(main())


def test_the_shorter_of_read_timeout_and_minimum_speed_counts() -> None:
    async def main() -> None:
        stream = StreamReader()
        stream.set_minimum_speed(10, 5)
        stream.set_timeouts(None, (2, too_slow))
        start = asyncio.get_running_loop().time()
        with pytest.raises(SocketTimeoutError, match="too slow"):
            await stream.readany()
        assert asyncio.get_running_loop().time() == pytest.approx(start + 2)

    run_with_fake_clock(main())


@pytest.mark.parametrize(
    ("rate", "seconds"), [(0, 1), (1, 0), (-1, 1), (1, -1), (math.inf, 1), (1, math.nan)]
)
def test_a_minimum_speed_must_be_one(rate: float, seconds: float) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        StreamReader().set_minimum_speed(rate, seconds)


# --- Time to undo codings.


def bomb(blocks: int = 400 * 1024) -> bytes:
    """Empty stored blocks, coded twice: many decoding steps, and not one octet."""
    end = zlib.compressobj(wbits=-15).flush() + zlib.adler32(b"").to_bytes(4, "big")
    return gzip.compress(b"\x78\x9c" + b"\0\0\0\xff\xff" * blocks + end)


@pytest.mark.parametrize("complete", ["before", "after", "not"])
def test_the_deadline_bounds_the_undoing_of_codings(complete: str) -> None:
    """O2: what arrived may take longer to unpack than anybody has; time spent before the first long read is free."""

    async def main() -> None:
        flow = RecordingFlow()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        stream = StreamReader(flow)
        stream.feed_data(bomb())
        if complete == "before":
            stream.feed_eof()
        stream.decode_with(decoder_of("deflate", "gzip"))
        deadline = Deadline.after(10, Late)
        stream.set_timeouts(deadline)
        if complete == "after":
            stream.feed_eof()
        if complete != "not":
            assert deadline.remaining() is None
            await asyncio.sleep(100)
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(0)
        assert not reading.done()
        assert deadline.remaining() == 10
        loop.jump_to(loop.time() + 10)
        with pytest.raises(Late):
            await reading
        assert flow.asked == (["abort"] if complete == "not" else [])

    run_with_fake_clock(main())


def test_a_cancellation_while_codings_are_undone_stays_one() -> None:
    async def main() -> None:
        flow = RecordingFlow()
        stream = stream_of(bomb(), flow=flow)
        stream.decode_with(decoder_of("deflate", "gzip"))
        deadline = Deadline.after(10, Late)
        stream.set_timeouts(deadline)
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await stream.read() == b""
        assert flow.asked == []
        assert deadline.remaining() is None

    run_with_fake_clock(main())


def test_content_without_a_deadline_takes_its_time() -> None:
    """Also where the deadline is one that never comes."""

    async def main() -> None:
        for deadline in (None, Deadline.after(None)):
            stream = stream_of(bomb())
            stream.decode_with(decoder_of("deflate", "gzip"))
            stream.set_timeouts(deadline)
            assert await stream.read() == b""

    run_with_fake_clock(main())


def test_a_stream_that_was_given_up_as_time_ran_out_aborts_no_connection() -> None:
    """What fed it may serve another by then."""
    flow = RecordingFlow()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        stream = StreamReader(flow)
        stream.set_timeouts(None, (1.0, TimeoutError))
        reading = asyncio.ensure_future(stream.read(1))
        await asyncio.sleep(0)
        loop.call_at(loop.time() + 1 - 1e-12, stream.set_exception, LookupError("given up"))
        with pytest.raises(TimeoutError):
            await reading

    run_with_fake_clock(main())
    assert flow.asked == []
