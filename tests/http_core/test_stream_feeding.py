"""`StreamReader` fed by hand: how it is made, how those who feed it keep pace, and what they are told."""

import asyncio
from typing import Any

import pytest
from wayfare_http_core import IncompleteBodyError, RequestBody, UploadAbortedError
from wayfare_http_core.aio import (
    EMPTY_PAYLOAD,
    AsyncStreamIterator,
    Deadline,
    StreamBody,
    StreamReader,
)
from wayfare_http_core.testing import RecordingFlow, run_with_fake_clock


class Late(TimeoutError):
    """The error of the deadlines here."""


# --- Making one.


async def test_the_ways_to_make_one() -> None:
    flow = RecordingFlow()
    assert StreamReader().get_read_buffer_limits() == (256 * 1024, 512 * 1024)
    assert StreamReader(limit=10).get_read_buffer_limits() == (10, 20)
    stream = StreamReader(flow, 2)
    stream.feed_data(b"12345")
    assert flow.asked == ["pause"]
    assert StreamReader(protocol=flow, limit=3).get_read_buffer_limits() == (3, 6)
    with pytest.warns(DeprecationWarning, match="needs no loop"):
        old = StreamReader(flow, 2**16, loop=asyncio.get_running_loop())
    old.feed_eof()
    assert await old.read() == b""
    with pytest.raises(ValueError, match="negative"):
        StreamReader(limit=-1)


async def test_the_size_that_programs_of_old_say() -> None:
    stream = StreamReader()
    with pytest.warns(DeprecationWarning, match="leave size out"):
        stream.feed_data(b"12345", 5)
    stream.feed_eof()
    assert await stream.read() == b"12345"
    assert stream.total_raw_bytes == 5


def test_the_timer_of_a_stream_is_a_deadline() -> None:
    async def main() -> None:
        stream = StreamReader(timer=Deadline.after(5, Late))
        start = asyncio.get_running_loop().time()
        with pytest.raises(Late):
            await stream.read()
        assert asyncio.get_running_loop().time() == start + 5

    run_with_fake_clock(main())


def test_one_can_be_made_and_filled_before_any_loop_runs() -> None:
    stream = StreamReader()
    stream.feed_data(b"early")
    stream.feed_eof()
    assert asyncio.run(stream.read()) == b"early"


async def test_an_empty_stream_for_everybody() -> None:
    for _ in range(2):
        assert await EMPTY_PAYLOAD.read() == b""
        assert await EMPTY_PAYLOAD.readany() == b""
        assert await EMPTY_PAYLOAD.readchunk() == (b"", False)
        assert [line async for line in EMPTY_PAYLOAD] == []
    assert EMPTY_PAYLOAD.at_eof()
    EMPTY_PAYLOAD.set_exception(OSError())
    assert EMPTY_PAYLOAD.exception() is None
    with pytest.raises(RuntimeError):
        EMPTY_PAYLOAD.feed_data(b"x")
    with pytest.raises(ValueError, match="than were read"):
        EMPTY_PAYLOAD.unread(b"x")


# --- Keeping pace.


async def test_draining_waits_for_the_low_water_mark() -> None:
    stream = StreamReader(limit=10)
    stream.feed_data(b"x" * 20)
    await stream.drain()
    stream.feed_data(b"x")
    draining = [asyncio.ensure_future(stream.drain()) for _ in range(2)]
    await asyncio.sleep(0)
    await stream.readexactly(10)
    await asyncio.sleep(0)
    assert not any(each.done() for each in draining)
    await stream.readexactly(1)
    await asyncio.gather(*draining)
    await stream.drain()


async def test_feeding_never_blocks() -> None:
    stream = StreamReader(limit=1)
    for _ in range(100):
        stream.feed_data(b"xx")
    assert len(await stream.readany()) == 200


@pytest.mark.parametrize("end", ["error", "eof", "given up"])
async def test_whoever_drains_is_told_of_the_end(end: str) -> None:
    stream = StreamReader(limit=1)
    stream.feed_data(b"xxx")
    draining = asyncio.ensure_future(stream.drain())
    await asyncio.sleep(0)
    if end == "eof":
        stream.feed_eof()
        await draining
        return
    if end == "error":
        stream.set_exception(LookupError("gone"))
    else:
        stream.give_up(LookupError("gone"))
    for attempt in (draining, stream.drain()):
        with pytest.raises(LookupError, match="gone"):
            await attempt


async def test_a_cancelled_drain_changes_nothing() -> None:
    stream = StreamReader(limit=1)
    stream.feed_data(b"xxx")
    cancelled = asyncio.ensure_future(stream.drain())
    draining = asyncio.ensure_future(stream.drain())
    await asyncio.sleep(0)
    cancelled.cancel()
    assert await stream.readany() == b"xxx"  # in the same tick
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    await draining


async def test_what_is_fed_after_an_error_is_dropped() -> None:
    stream = StreamReader()
    stream.feed_data(b"before")
    stream.set_exception(IncompleteBodyError(6))
    stream.feed_data(b"after")
    stream.feed_eof()
    assert await stream.readany() == b"before"
    with pytest.raises(IncompleteBodyError):
        await stream.readany()
    assert repr(stream) == "<StreamReader broken by IncompleteBodyError, 0 octets waiting>"


async def test_an_error_keeps_its_cause() -> None:
    stream = StreamReader()
    error, cause = OSError("above"), LookupError("below")
    stream.set_exception(error, cause)
    with pytest.raises(OSError, match="above") as caught:
        await stream.read()
    assert caught.value.__cause__ is cause


async def test_a_larger_low_water_mark_lets_the_feeding_side_go_on() -> None:
    flow = RecordingFlow()
    stream = StreamReader(flow, limit=4)
    stream.feed_data(b"x" * 9)
    stream.set_read_chunk_size(8)
    assert stream.get_read_buffer_limits() == (8, 16)
    stream.set_read_chunk_size(2)
    assert stream.get_read_buffer_limits() == (8, 16)
    assert flow.asked == ["pause"]
    stream.set_read_chunk_size(9)
    assert flow.asked == ["pause", "resume"]
    stream.feed_eof()


# --- The end.


async def test_the_end_is_told_once() -> None:
    told: list[str] = []
    stream = StreamReader()
    stream.on_eof(lambda: told.append("first"))
    stream.on_eof(lambda: told.append("second"))
    stream.feed_data(b"x")
    assert told == []
    stream.feed_eof()
    stream.feed_eof()
    assert told == ["first", "second"]
    stream.on_eof(lambda: told.append("late"))
    assert told == ["first", "second", "late"]


async def test_a_stream_that_breaks_has_no_end() -> None:
    told: list[str] = []
    stream = StreamReader()
    stream.on_eof(lambda: told.append("end"))
    stream.set_exception(OSError())
    stream.feed_eof()
    assert told == []


async def test_a_stream_that_broke_does_not_become_complete() -> None:
    stream, told = StreamReader(), list[str]()
    stream.feed_data(b"some")
    stream.set_exception(IncompleteBodyError(4, 8))
    stream.feed_eof()
    stream.on_eof(lambda: told.append("end"))
    with pytest.raises(IncompleteBodyError):
        await stream.wait_eof()
    assert (stream.is_eof(), told, await stream.read(10)) == (False, [], b"some")
    with pytest.raises(IncompleteBodyError):
        await stream.read()


async def test_an_error_of_whoever_is_told_harms_nobody() -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    told: list[str] = []
    error = LookupError("theirs")

    def fail() -> None:
        raise error

    stream = StreamReader()
    stream.on_eof(fail)
    stream.on_eof(lambda: told.append("end"))
    stream.feed_eof()
    assert told == ["end"]
    assert [each["exception"] for each in reported] == [error]


async def test_waiting_for_the_end() -> None:
    stream = StreamReader()
    waiting = [asyncio.ensure_future(stream.wait_eof()) for _ in range(2)]
    await asyncio.sleep(0)
    stream.feed_data(b"x")
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    stream.feed_eof()
    await asyncio.gather(*waiting)
    await stream.wait_eof()
    assert await stream.read() == b"x"


async def test_waiting_for_the_end_of_a_stream_that_breaks() -> None:
    stream = StreamReader()
    waiting = asyncio.ensure_future(stream.wait_eof())
    await asyncio.sleep(0)
    stream.set_exception(LookupError("broken"))
    for attempt in (waiting, stream.wait_eof()):
        with pytest.raises(LookupError, match="broken"):
            await attempt


async def test_a_cancelled_wait_for_the_end_changes_nothing() -> None:
    flow = RecordingFlow()
    stream = StreamReader(flow)
    stream.set_timeouts(Deadline.after(100, Late))
    waiting = asyncio.ensure_future(stream.wait_eof())
    await asyncio.sleep(0)
    waiting.cancel()
    stream.feed_eof()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert flow.asked == []


def test_the_deadline_bounds_the_wait_for_the_end() -> None:
    """O4; the read timeout does not: a feeding side that was told to pause sends nothing."""

    async def main() -> None:
        flow = RecordingFlow()
        stream = StreamReader(flow)
        stream.set_timeouts(Deadline.after(5, Late), (1, OSError))
        start = asyncio.get_running_loop().time()
        with pytest.raises(Late):
            await stream.wait_eof()
        assert asyncio.get_running_loop().time() == start + 5
        assert flow.asked == ["abort"]
        bounded = StreamReader()
        bounded.set_timeouts(None, (1, OSError))
        asyncio.get_running_loop().call_later(3, bounded.feed_eof)
        await bounded.wait_eof()

    run_with_fake_clock(main())


# --- Putting back.


async def test_octets_put_back_are_read_again() -> None:
    stream = StreamReader()
    stream.feed_data(b"abcdef")
    stream.feed_eof()
    assert await stream.readexactly(4) == b"abcd"
    stream.unread(b"cd")
    assert stream.total_bytes == 2
    stream.unread(b"")
    with pytest.warns(DeprecationWarning, match="called unread now"):
        stream.unread_data(b"XY")
    assert await stream.read() == b"XYcdef"
    assert stream.at_eof()
    with pytest.raises(ValueError, match="than were read"):
        stream.unread(bytes(7))


async def test_nothing_is_put_back_while_a_task_reads() -> None:
    stream = StreamReader()
    reading = asyncio.ensure_future(stream.read())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task"):
        stream.unread(b"")
    stream.feed_eof()
    assert await reading == b""


async def test_what_a_stream_counts_before_decoding() -> None:
    assert StreamReader().total_compressed_bytes is None


async def test_an_iterator_can_be_made_by_hand() -> None:
    stream = StreamReader()
    stream.feed_data(b"one\ntwo\n")
    stream.feed_eof()
    iterator = AsyncStreamIterator(stream.readline)
    assert aiter(iterator) is iterator
    assert [line async for line in iterator] == [b"one\n", b"two\n"]


async def test_an_iterator_goes_on_where_it_was_left_or_cancelled() -> None:
    stream = StreamReader()
    stream.feed_data(b"one\ntwo\nthr")
    lines = aiter(stream)
    assert await anext(lines) == b"one\n"
    async for line in lines:
        assert line == b"two\n"
        break
    reading = asyncio.ensure_future(anext(lines))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    stream.feed_data(b"ee")
    stream.feed_eof()
    assert [line async for line in lines] == [b"three"]


# --- As a request's data.


async def test_a_stream_is_sent_in_pieces_and_not_by_lines() -> None:
    stream = StreamReader()
    body = StreamBody(stream)
    assert isinstance(body, RequestBody)
    assert (body.content_type, body.length, body.replayable) == (
        "application/octet-stream",
        None,
        True,
    )
    stream.feed_data(b"one\ntwo\n")
    pieces = aiter(body.chunks())
    assert not body.replayable
    assert await anext(pieces) == b"one\ntwo\n"
    stream.feed_data(b"x" * 70_000)
    stream.feed_eof()
    assert [len(piece) async for piece in pieces] == [65_536, 4_464]
    assert stream.exception() is None


async def test_what_is_known_of_a_stream_is_said() -> None:
    body = StreamBody(StreamReader(), length=3, content_type=None)
    assert (body.content_type, body.length) == (None, 3)


async def test_a_stream_of_asyncio_is_sent_in_pieces() -> None:
    stream = asyncio.StreamReader()
    stream.feed_data(b"one\ntwo\n")
    stream.feed_eof()
    assert [piece async for piece in StreamBody(stream).chunks()] == [b"one\ntwo\n"]


async def test_whoever_feeds_a_request_that_was_given_up_is_told() -> None:
    stream = StreamReader(limit=1)
    stream.feed_data(b"xxx")
    pieces = StreamBody(stream).chunks()
    assert await anext(pieces) == b"xxx"
    stream.feed_data(b"yyy")
    draining = asyncio.ensure_future(stream.drain())
    await asyncio.sleep(0)
    await pieces.aclose()
    with pytest.raises(UploadAbortedError, match="given up"):
        await draining
    stream.feed_data(b"zzz")


async def test_whoever_feeds_a_request_that_never_began_is_told() -> None:
    begun, fresh = StreamReader(limit=1), StreamReader(limit=1)
    body = StreamBody(begun)
    pieces = body.chunks()
    body.give_up()
    assert begun.exception() is None
    begun.feed_data(b"x")
    assert await anext(pieces) == b"x"
    StreamBody(fresh).give_up()
    with pytest.raises(UploadAbortedError, match="given up"):
        await fresh.drain()
    StreamBody(asyncio.StreamReader()).give_up()


async def test_a_response_that_is_sent_on_survives_the_request() -> None:
    """Its connection feeds it, and whoever has the response decides what becomes of it."""
    flow = RecordingFlow()
    stream = StreamReader(flow)
    stream.feed_data(b"xxx")
    pieces = StreamBody(stream).chunks()
    assert await anext(pieces) == b"xxx"
    await pieces.aclose()
    stream.feed_data(b"yyy")
    assert await stream.readany() == b"yyy"
    assert flow.asked == []
