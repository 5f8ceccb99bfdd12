"""`StreamReader`: back-pressure, content codings and time (B13, B27, O2, O4)."""

import asyncio
import gzip
import zlib

import pytest
from wayfare_http_core import (
    ContentEncodingError,
    IncompleteBodyError,
    LineTooLong,
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

# --- Back-pressure.


async def test_the_marks_are_exact() -> None:
    """B27: pause above twice the limit, resume at the limit, each said once."""
    flow = RecordingFlow()
    stream = StreamReader(flow, limit=10)
    stream.feed_data(b"x" * 20)
    assert flow.asked == []
    stream.feed_data(b"x")
    stream.feed_data(b"x")  # one read may be under way when the pause is asked for
    assert flow.asked == ["pause"]
    await stream.readexactly(11)
    assert flow.asked == ["pause"]
    await stream.readexactly(1)
    assert flow.asked == ["pause", "resume"]
    await stream.readexactly(10)
    assert flow.asked == ["pause", "resume"]


@pytest.mark.parametrize("end", ["eof", "error"])
async def test_after_the_end_nobody_is_asked_to_resume(end: str) -> None:
    """The connection may serve another exchange by then."""
    flow = RecordingFlow()
    stream = StreamReader(flow, limit=1)
    stream.feed_data(b"xxxx")
    if end == "eof":
        stream.feed_eof()
    else:
        stream.set_exception(OSError())
    assert await stream.read(4) == b"xxxx"
    assert flow.asked == ["pause"]


async def test_without_flow_control_a_stream_takes_everything() -> None:
    stream = StreamReader(limit=1)
    stream.feed_data(b"xxxx")
    assert await stream.readany() == b"xxxx"


async def test_octets_given_back_count_again() -> None:
    """B27: what a failed read puts back presses on the next octet that arrives."""
    flow = RecordingFlow()
    stream = StreamReader(flow, limit=4)
    stream.feed_data(b"x" * 9)
    with pytest.raises(LineTooLong):
        await stream.readline()
    assert flow.asked == ["pause", "resume"]
    stream.feed_data(b"x")
    assert flow.asked == ["pause", "resume", "pause"]
    assert await stream.readany() == b"x" * 10
    assert flow.asked[3:] == ["resume"]


async def test_a_bomb_waits_coded() -> None:
    """B27: at any ratio what waits is bounded by the octets of the wire, and one decoding step."""
    content = bytes(64 * 1024 * 1024)
    coded = zlib.compress(content, 9)
    flow = RecordingFlow()
    stream = StreamReader(flow, limit=1024)
    stream.decode_with(decoder_of("deflate"))
    fed = 0
    while "pause" not in flow.asked:
        stream.feed_data(coded[fed : fed + 512])
        fed += 512
    assert fed == 2048 + 512
    total = 0
    while total < 2 * 1024 * 1024:
        piece = await stream.readany()
        assert 0 < len(piece) <= 256 * 1024
        assert not stream.read_nowait()  # nothing more was decoded than was asked for
        total += len(piece)
    assert flow.asked[1:] in ([], ["resume"])
    stream.set_exception(IncompleteBodyError(fed, len(coded)))


async def test_a_paused_bomb_is_resumed_when_its_coded_octets_are_used_up() -> None:
    flow = RecordingFlow()
    coded = gzip.compress(bytes(range(256)) * 40)
    stream = StreamReader(flow, limit=100)
    stream.decode_with(decoder_of("gzip"))
    for at in range(0, len(coded), 50):
        stream.feed_data(coded[at : at + 50])
    assert flow.asked == ["pause"]
    assert await stream.readany()
    while len(flow.asked) == 1:
        await stream.readany()
    assert flow.asked == ["pause", "resume"]
    stream.feed_eof()
    await stream.read()
    assert stream.total_bytes == 256 * 40


# --- Content codings.


async def test_content_is_decoded_as_it_is_read() -> None:
    content = b"line one\nline two\n" * 1000
    coded = gzip.compress(content)
    for cut in (1, len(coded) // 2, len(coded)):
        stream = StreamReader()
        stream.feed_data(coded[:cut])
        stream.decode_with(decoder_of("gzip"))
        if cut < len(coded):
            stream.feed_data(coded[cut:])
        stream.feed_eof()
        assert not stream.at_eof()
        assert await stream.readline() == b"line one\n"
        assert await stream.read() == content[9:]
        assert stream.at_eof()
        assert (stream.total_bytes, stream.total_raw_bytes) == (len(content), len(coded))


async def test_a_coding_must_be_known_before_the_first_read() -> None:
    stream = stream_of(b"abc")
    await stream.read(1)
    with pytest.raises(RuntimeError, match="being read already"):
        stream.decode_with(decoder_of("gzip"))
    twice = StreamReader()
    twice.decode_with(decoder_of("gzip"))
    with pytest.raises(RuntimeError, match="being read already"):
        twice.decode_with(decoder_of("gzip"))


async def test_no_content_has_no_coding() -> None:
    """A response to HEAD, 204 and 304 name the coding of content that they do not carry."""
    flow = RecordingFlow()
    stream = StreamReader(flow)
    stream.decode_with(decoder_of("gzip"))
    stream.feed_eof()
    assert stream.at_eof()
    assert await stream.read() == b""
    assert await stream.read() == b""
    assert flow.asked == []
    ended = stream_of(flow=flow)
    ended.decode_with(decoder_of("gzip"))
    assert ended.at_eof()
    assert ended.total_compressed_bytes is None


@pytest.mark.parametrize("name", ["read", "readany", "readline", "readuntil"])
async def test_corrupt_content_breaks_the_stream_and_the_trust(name: str) -> None:
    flow = RecordingFlow()
    stream = stream_of(b"this is no gzip", b" at all", flow=flow)
    stream.decode_with(decoder_of("gzip"))
    for _ in range(2):
        with pytest.raises(ContentEncodingError):
            await getattr(stream, name)()
    assert isinstance(stream.exception(), ContentEncodingError)
    assert flow.asked == ["distrust"]


async def test_corrupt_content_that_still_arrives_is_not_waited_for() -> None:
    """Nobody can read the rest: the connection goes at once, and so does the deadline."""
    flow = RecordingFlow()
    stream = stream_of(b"this is no gzip", eof=False, flow=flow)
    deadline = Deadline.after(5)
    stream.set_timeouts(deadline)
    stream.decode_with(decoder_of("gzip"))
    with pytest.raises(ContentEncodingError):
        await stream.readany()
    assert flow.asked == ["abort"]
    assert deadline.remaining() is None


async def test_corrupt_content_of_a_stream_that_broke_harms_no_other_exchange() -> None:
    """B29: the rest may have been dropped, and the connection be in use again."""
    flow = RecordingFlow()
    stream = stream_of(b"this is no gzip", eof=False, flow=flow)
    stream.decode_with(decoder_of("gzip"))
    stream.set_exception(IncompleteBodyError(15, 23))
    with pytest.raises(ContentEncodingError):
        await stream.readany()
    assert flow.asked == ["distrust"]


async def test_content_before_the_corruption_is_read_first() -> None:
    content = bytes(range(256)) * 4096  # more than one decoding step
    coded = bytearray(gzip.compress(content))
    coded[-8:-4] = b"\0\0\0\0"  # the checksum
    stream = stream_of(bytes(coded))  # and nobody to tell
    stream.decode_with(decoder_of("gzip"))
    read = b""

    async def read_on() -> None:
        nonlocal read
        async for piece in stream.iter_any():
            read += piece

    with pytest.raises(ContentEncodingError):
        await read_on()
    assert len(read) >= 3 * 256 * 1024
    assert content.startswith(read)


async def test_truncated_coded_content_is_an_error_also_where_the_framing_ended_well() -> None:
    """A coded stream that stops early must not pass for the whole."""
    flow = RecordingFlow()
    stream = stream_of(gzip.compress(b"content")[:-3], flow=flow)
    stream.decode_with(decoder_of("gzip"))
    assert await stream.readany() == b"content"
    for _ in range(2):
        with pytest.raises(ContentEncodingError):
            await stream.readany()
    assert flow.asked == ["distrust"]


async def test_a_broken_connection_is_told_after_the_octets_that_can_be_decoded() -> None:
    """B13: the error is the connection's, not the coding's."""
    flow = RecordingFlow()
    stream = stream_of(gzip.compress(b"content")[:-3], eof=False, flow=flow)
    stream.decode_with(decoder_of("gzip"))
    stream.set_exception(IncompleteBodyError(20, 23))
    assert await stream.readany() == b"content"
    with pytest.raises(IncompleteBodyError):
        await stream.readany()
    assert flow.asked == []


async def test_coded_octets_must_unpack_to_something() -> None:
    """Z9, F9: empty blocks of deflate without end give no octet for any limit to count."""
    block = b"\x00\x00\x00\xff\xff"  # stored, of no octets, not the last (RFC 1951 section 3.2.4)
    last = b"\x01\x00\x00\xff\xff"
    most = 1024 * 1024 // len(block)
    for blocks in (most, most + 1):
        stream = StreamReader()
        stream.decode_with(decoder_of("deflate"))
        stream.feed_data(b"\x00\x05\x00\xfa\xffhello")
        assert await stream.readany() == b"hello"
        stream.feed_data(block * (blocks - 1))
        stream.feed_data(last)
        stream.feed_eof()
        if blocks == most:
            assert await stream.readany() == b""
        else:
            with pytest.raises(ContentEncodingError, match="unpack to nothing"):
                await stream.readany()


async def test_decoding_leaves_the_loop_its_turns() -> None:
    """A small body that unpacks to much must not stop everything else while it is read at once."""
    stream = stream_of(gzip.compress(bytes(16 * 1024 * 1024)))
    stream.decode_with(decoder_of("gzip"))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    assert len(await stream.read()) == 16 * 1024 * 1024
    counting.cancel()
    assert turns >= 64 // 4 - 1


async def test_decoding_that_gives_nothing_leaves_the_loop_its_turns_and_one_reader() -> None:
    """Empty stored blocks: a few hundred octets unpack to many steps without a single octet."""
    empty_blocks = zlib.compressobj(wbits=-15)
    blocks = b"\0\0\0\xff\xff" * (400 * 1024)
    coded = gzip.compress(
        b"\x78\x9c" + blocks + empty_blocks.flush() + zlib.adler32(b"").to_bytes(4, "big")
    )
    stream = stream_of(coded)
    stream.decode_with(decoder_of("deflate", "gzip"))
    reading = asyncio.ensure_future(stream.readany())
    await asyncio.sleep(0)
    assert not reading.done()
    with pytest.raises(RuntimeError, match="another task"):
        await stream.readany()
    stream.feed_eof()
    assert await reading == b""


# --- Time.


def too_slow() -> SocketTimeoutError:
    return SocketTimeoutError("too slow")


class Late(TimeoutError):
    """The error of the deadlines here."""


def test_the_deadline_bounds_every_wait_together() -> None:
    """O4: the error is the deadline's, and the feeding side is told to give up."""

    async def main() -> None:
        flow = RecordingFlow()
        stream = StreamReader(flow)
        loop = asyncio.get_running_loop()
        start = loop.time()
        stream.set_timeouts(Deadline.after(10, Late))
        loop.call_later(6, stream.feed_data, b"in time")
        assert await stream.readany() == b"in time"
        with pytest.raises(Late):
            await stream.readany()
        assert loop.time() == pytest.approx(start + 10)
        assert flow.asked == ["abort"]

    run_with_fake_clock(main())


def test_the_read_timeout_bounds_each_wait_by_itself() -> None:
    """O2: a slow drip passes, a stall does not."""

    async def main() -> None:
        flow = RecordingFlow()
        stream = StreamReader(flow)
        loop = asyncio.get_running_loop()
        start = loop.time()
        stream.set_timeouts(None, (10, too_slow))
        for moment in (9, 18, 27):
            loop.call_later(moment, stream.feed_data, b"drip")
        with pytest.raises(SocketTimeoutError):
            await stream.read()
        assert loop.time() == pytest.approx(start + 37)
        assert stream.total_bytes == 0
        assert stream.read_nowait() == b"dripdripdrip"
        assert flow.asked == ["abort"]

    run_with_fake_clock(main())


@pytest.mark.parametrize(("total", "quiet", "error"), [(5, 9, Late), (9, 5, SocketTimeoutError)])
def test_of_both_bounds_the_earlier_one_counts(
    total: float, quiet: float, error: type[Exception]
) -> None:
    async def main() -> None:
        stream = StreamReader()  # nobody to abort
        stream.set_timeouts(Deadline.after(total, Late), (quiet, too_slow))
        start = asyncio.get_running_loop().time()
        with pytest.raises(error):
            await stream.readany()
        assert asyncio.get_running_loop().time() == pytest.approx(start + 5)

    run_with_fake_clock(main())


@pytest.mark.parametrize("end", ["eof", "error"])
def test_the_end_of_the_content_ends_its_deadline(end: str) -> None:
    async def main() -> None:
        flow = RecordingFlow()
        stream = StreamReader(flow)
        deadline = Deadline.after(10, Late)
        stream.set_timeouts(deadline, (20, too_slow))
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(1)
        if end == "eof":
            stream.feed_eof()
            assert await reading == b""
        else:
            stream.set_exception(OSError("broken"))
            with pytest.raises(OSError, match="broken"):
                await reading
        assert deadline.remaining() is None
        await asyncio.sleep(20)
        assert not deadline.expired
        assert flow.asked == []

    run_with_fake_clock(main())


@pytest.mark.parametrize("end", ["eof", "error"])
async def test_timeouts_for_content_that_ended_are_over_at_once(end: str) -> None:
    stream = stream_of(b"x", eof=end == "eof")
    if end == "error":
        stream.set_exception(OSError())
    deadline = Deadline.after(10, Late)
    stream.set_timeouts(deadline, (10, too_slow))
    assert deadline.remaining() is None
    stream.set_timeouts(None)
    assert await stream.readany() == b"x"


def test_octets_in_the_last_moment_are_given_and_nothing_is_given_up() -> None:
    """The deadline passes between the octets' arrival and the reader's turn: that read had them in time."""

    async def main() -> None:
        flow = RecordingFlow()
        stream = StreamReader(flow)
        loop = asyncio.get_running_loop()
        stream.set_timeouts(Deadline.after(10, Late), (10, too_slow))
        reading = asyncio.ensure_future(stream.readany())
        await asyncio.sleep(5)
        stream.feed_data(b"in time")
        assert isinstance(loop, FakeClockLoop)
        loop.jump_to(loop.time() + 5)
        assert await reading == b"in time"
        assert flow.asked == []

    run_with_fake_clock(main())


def test_a_cancellation_stays_one() -> None:
    """O4: not turned into a timeout, and nothing is given up: the next read may go on."""

    async def main() -> None:
        flow = RecordingFlow()
        stream = StreamReader(flow)
        stream.set_timeouts(Deadline.after(10, Late), (10, too_slow))
        reading = asyncio.ensure_future(stream.readany())
        await asyncio.sleep(5)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert flow.asked == []
        stream.feed_data(b"still here")
        assert await stream.readany() == b"still here"

    run_with_fake_clock(main())
