"""`Upload`: the task that sends a body, held back, stopped and broken."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from wayfare_http_core import (
    ClientConnectionError,
    ClientConnectionResetError,
    EncodedRequest,
    ExchangeOptions,
    UploadAbortedError,
)
from wayfare_http_core.aio._upload_task import Upload
from wayfare_http_core.testing import memory_pair, run_with_fake_clock

KIB = 1024
CHUNKED = EncodedRequest(b"", True, 0)


def sized(length: int) -> EncodedRequest:
    return EncodedRequest(b"", False, length)


class Peer(asyncio.Protocol):
    def __init__(self) -> None:
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data


class Owner(asyncio.Protocol):
    """A connection, as far as an upload sees one."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.upload: Upload | None = None

    def upload_whole(self, upload: Upload) -> None:
        assert upload is self.upload
        self.told.append("whole")

    def upload_failed(self, error: BaseException) -> None:
        self.told.append(error)

    def write_failed(self, transport: asyncio.WriteTransport, error: OSError) -> None:
        raise AssertionError("no file is sent here")

    def pause_writing(self) -> None:
        if self.upload is not None:
            self.upload.pause_writing()

    def resume_writing(self) -> None:
        if self.upload is not None:
            self.upload.resume_writing()


class World:
    """An upload, its owner, and both ends of the connection."""

    def __init__(self, request: EncodedRequest) -> None:
        self.sent: list[int] = []
        self.ended: list[UploadAbortedError | None] = []
        options = ExchangeOptions(on_sent=self.sent.append, on_upload_end=self.ended.append)
        self.owner = Owner()
        self.peer = Peer()
        self.end, self.other = memory_pair(self.owner, self.peer)
        self.upload = self.owner.upload = Upload(self.owner, self.end, request, options, None)

    async def __aenter__(self) -> "World":
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.upload.stop()
        self.end.abort()
        self.other.abort()
        await turns()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert len(self.ended) <= 1


class Body:
    """A body whose generator can be looked at."""

    content_type = None
    replayable = False

    def __init__(
        self,
        *pieces: bytes | BaseException | None,
        stubborn: bool = False,
        length: int | None = None,
    ) -> None:
        self.pieces = pieces
        self.stubborn = stubborn
        self.length = length
        self.asked = 0
        self.closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            for piece in self.pieces:
                self.asked += 1
                if isinstance(piece, BaseException):
                    raise piece
                if piece is None:
                    try:
                        await asyncio.get_running_loop().create_future()
                    except asyncio.CancelledError:
                        if not self.stubborn:
                            raise
                else:
                    yield piece
        finally:
            self.closed = True


async def turns(number: int = 20) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_body_is_sent_and_counted() -> None:
    """The octets are those of the content, whatever the framing."""
    async with World(CHUNKED) as w:
        w.upload.start(Body(b"abc", b"", b"de"))
        assert w.upload.pending
        await turns()
        assert w.peer.received == b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        assert w.sent == [3, 2]
        assert (w.owner.told, w.ended) == (["whole"], [None])
        assert w.upload.is_whole
        assert w.upload.sent == 5
        w.upload.stop()
        assert w.upload.is_whole


async def test_a_body_is_whole_with_its_last_octet() -> None:
    """Before its iterator has found its end: the response may come in between."""
    async with World(sized(5)) as w:
        body = Body(b"abc", b"de", None)
        w.upload.start(body)
        await turns()
        assert w.upload.is_whole
        assert not w.upload.pending
        assert (w.owner.told, w.ended) == ([], [None])
        w.upload.stop()
        await turns()
        assert body.closed
        assert w.upload.is_whole
        assert (w.owner.told, w.ended) == ([], [None])


async def test_a_piece_after_the_last_octet_is_an_error_all_the_same() -> None:
    """R8."""
    async with World(sized(3)) as w:
        w.upload.start(Body(b"abc", b"d"))
        await turns()
        assert w.ended == [None]
        assert str(w.owner.told[0]) == "the body is longer than the announced 3 octets"
        assert w.peer.received == b"abc"


@pytest.mark.parametrize("request_", [CHUNKED, sized(10)], ids=["chunked", "sized"])
async def test_an_upload_that_is_stopped_sends_nothing_more(request_: EncodedRequest) -> None:
    """Twice is the same as once."""
    async with World(request_) as w:
        body = Body(b"abc", None, b"def")
        w.upload.start(body)
        await turns()
        before = w.peer.received
        w.upload.stop()
        w.upload.stop()
        await turns()
        assert w.peer.received == before
        assert body.closed
        assert w.owner.told == []
        [error] = w.ended
        assert isinstance(error, UploadAbortedError)
        announced = "" if request_.chunked else " of 10"
        assert str(error) == f"the body was given up after 3{announced} octets"
        assert not w.upload.is_whole
        assert not w.upload.pending


async def test_an_iterator_that_does_not_end_when_it_is_cancelled_sends_nothing_either() -> None:
    async with World(CHUNKED) as w:
        body = Body(b"abc", None, b"def", b"ghi", stubborn=True)
        w.upload.start(body)
        await turns()
        w.upload.stop()
        await turns()
        assert body.closed
        assert body.asked == 3
        assert w.peer.received == b"3\r\nabc\r\n"
        with pytest.raises(ClientConnectionResetError, match="not wanted"):
            w.upload.write(b"x", 1)


async def test_an_upload_may_be_stopped_before_its_first_step() -> None:
    async with World(CHUNKED) as w:
        body = Body(b"abc")
        w.upload.start(body)
        w.upload.stop()
        await turns()
        assert body.asked == 0
        assert w.peer.received == b""


@pytest.mark.parametrize(
    ("piece", "error", "message"),
    [
        (LookupError("no more"), LookupError, "no more"),
        (asyncio.CancelledError(), ClientConnectionError, "iterator was cancelled"),
    ],
)
async def test_what_the_body_raises_is_told(
    piece: BaseException, error: type[Exception], message: str
) -> None:
    """R10: no last chunk follows."""
    async with World(CHUNKED) as w:
        w.upload.start(Body(b"abc", piece))
        await turns()
        [told] = w.owner.told
        assert isinstance(told, error)
        assert message in str(told)
        [ended] = w.ended
        assert ended is not None
        assert ended.__cause__ is told
        assert w.peer.received == b"3\r\nabc\r\n"


async def test_what_the_hook_raises_is_told_like_an_error_of_the_body() -> None:
    async with World(CHUNKED) as w:

        def refuse(octets: int) -> None:
            raise LookupError(octets)

        options = ExchangeOptions(on_sent=refuse)
        w.upload = w.owner.upload = Upload(w.owner, w.end, CHUNKED, options, None)
        w.upload.start(b"abc")
        await turns()
        assert isinstance(w.owner.told[0], LookupError)


# --- Waiting for the peer.


async def test_f18_a_peer_that_reads_nothing_costs_one_piece() -> None:
    """And nothing more is asked of the body."""
    async with World(CHUNKED) as w:
        w.other.pause_reading()
        body = Body(*[bytes(32 * KIB)] * 100)
        w.upload.start(body)
        await turns()
        asked = body.asked
        assert asked <= 4
        assert w.end.get_write_buffer_size() <= 33 * KIB
        await turns()
        assert body.asked == asked
        w.other.resume_reading()
        await turns(500)
        assert w.owner.told == ["whole"]
        assert sum(w.sent) == 100 * 32 * KIB


async def test_pieces_are_small_for_a_slow_peer_and_large_for_a_fast_one() -> None:
    async with World(sized(4096 * KIB)) as w:
        w.other.pause_reading()
        w.upload.start(bytes(4096 * KIB))
        await turns()
        assert w.sent == [256 * KIB]
        assert w.upload.piece == 64 * KIB
        w.other.resume_reading()
        await turns(500)
        assert w.upload.is_whole
        assert max(w.sent[1:]) <= 128 * KIB

    class Swallow(asyncio.Transport):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            """Take everything at once."""

        def is_closing(self) -> bool:
            return False

        def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
            assert (high, low) == (1, 0)

    sent: list[int] = []
    upload = Upload(w.owner, Swallow(), sized(0), ExchangeOptions(on_sent=sent.append), None)
    upload.pause_writing()
    upload.write(b"", 0)
    upload.resume_writing()
    for expected in (128, 256, 256):
        upload.write(b"", 0)
        assert upload.piece == expected * KIB


async def test_nothing_is_written_to_a_transport_that_is_lost() -> None:
    """It says that it is, later; the body waits for that."""
    async with World(CHUNKED) as w:
        body = Body(b"abc", b"def", b"ghi")
        w.other.reset()
        await turns(1)
        w.upload.start(body)
        await turns(1)
        assert w.end.is_closing()
        assert body.asked <= 1
        await turns()
        assert body.asked <= 1
        assert w.owner.told == []


async def test_a_transport_may_know_no_limits() -> None:
    """Another's may have only what it needs."""
    Upload(Owner(), asyncio.Transport(), CHUNKED, ExchangeOptions(), None)


async def test_a_cancelled_drain_leaves_the_writing_as_it_was() -> None:
    """Also where the transport went on between the cancellation and its delivery."""
    async with World(CHUNKED) as w:
        for resumed in (False, True):
            w.upload.pause_writing()
            draining = asyncio.ensure_future(w.upload.drain())
            await asyncio.sleep(0)
            draining.cancel()
            if resumed:
                w.upload.resume_writing()
            with pytest.raises(asyncio.CancelledError):
                await draining
        await w.upload.drain()


# --- Waiting for 100.


@pytest.mark.parametrize("stop", [False, True])
async def test_a_body_is_held_back_until_the_server_asks_for_it(stop: bool) -> None:
    """R15."""
    async with World(sized(3)) as w:
        body = Body(b"abc")
        w.upload.hold(None)
        w.upload.start(body)
        await turns()
        assert body.asked == 0
        assert w.upload.reason_to_stop(200, closes=False)
        assert not w.upload.pending
        if stop:
            w.upload.stop()
        w.upload.proceed()
        w.upload.proceed()
        await turns()
        assert w.upload.reason_to_stop(200, closes=False) is None
        assert w.peer.received == (b"" if stop else b"abc")
        assert body.asked == (0 if stop else 1)


def test_a_body_is_held_back_for_a_time() -> None:
    """R15."""

    async def main() -> None:
        for stop in (False, True):
            async with World(sized(3)) as w:
                w.upload.hold(5)
                w.upload.start(b"abc")
                assert w.upload.pending
                await asyncio.sleep(4)
                assert w.upload.reason_to_stop(200, closes=False)
                assert w.peer.received == b""
                if stop:
                    w.upload.stop()
                await asyncio.sleep(2)
                assert w.peer.received == (b"" if stop else b"abc")

    run_with_fake_clock(main())


async def test_the_answer_may_come_in_the_tick_of_the_cancellation() -> None:
    async with World(sized(3)) as w:
        w.upload.hold(5)
        w.upload.start(b"abc")
        await turns()
        w.upload.stop()
        w.upload.proceed()
        await turns()
        assert w.peer.received == b""


async def test_a_task_that_others_cancel_need_not_be_asked_for() -> None:
    """The answer may come in the tick of the cancellation, too."""
    async with World(sized(3)) as w:
        before = asyncio.all_tasks()
        w.upload.hold(5)
        w.upload.start(b"abc")
        await turns()
        [task] = asyncio.all_tasks() - before
        task.cancel()
        w.upload.proceed()
        await turns()
        assert str(w.owner.told[0]) == "the body's iterator was cancelled"
        assert w.peer.received == b""


async def test_an_eager_task_is_stopped_as_well() -> None:
    """O5: with an eager task factory the body is sent before `start` returns."""
    loop = asyncio.get_running_loop()
    factory = getattr(asyncio, "eager_task_factory", None)
    loop.set_task_factory(factory)
    try:
        async with World(sized(3)) as w:
            w.upload.start(b"abc")
            await turns()
            assert w.owner.told == ["whole"]
        async with World(CHUNKED) as w:
            body = Body(b"abc", None)

            def stop(octets: int) -> None:
                w.upload.stop()

            options = ExchangeOptions(on_sent=stop)
            w.upload = w.owner.upload = Upload(w.owner, w.end, CHUNKED, options, None)
            w.upload.start(body)
            await turns()
            assert body.closed
    finally:
        loop.set_task_factory(None)
