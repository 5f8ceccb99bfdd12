"""`UploadTracker` and `on_progress`: what is said while content goes out, and in the end."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import wayfare
from wayfare_http_core.testing import Fin, Read, ReadHead, ReadRequest, Repeat, Send, Stall

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ALWAYS = (Repeat(ReadRequest(), Send(OK)),)


@pytest.mark.parametrize("size", [10, 1_000_000])
async def test_content_that_goes_out_whole(serve: Any, size: int) -> None:
    tracker = wayfare.UploadTracker()
    async with serve(ALWAYS) as (session, _):
        await session.post("/", data=b"x" * size, upload_tracker=tracker)
        assert (tracker.attempts, tracker.bytes_written) == (1, size)
        assert tracker.upload_complete.done()
        await tracker.upload_complete


async def test_content_is_watched_while_it_goes(serve: Any) -> None:
    tracker = wayfare.UploadTracker()
    seen = []

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"a" * 10, b"b" * 20):
            yield piece
            seen.append((tracker.bytes_written, tracker.upload_complete.done()))

    async with serve(ALWAYS) as (session, _):
        await session.post("/", data=pieces(), upload_tracker=tracker)
    assert seen == [(10, False), (30, False)]
    assert tracker.upload_complete.done()


async def test_each_attempt_begins_anew(serve: Any) -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
    tracker = wayfare.UploadTracker()
    async with serve((ReadRequest(), Send(moved), ReadRequest(), Send(OK))) as (session, _):
        await session.post("/", data=b"content", upload_tracker=tracker)
    assert (tracker.attempts, tracker.bytes_written) == (2, 7)
    await tracker.upload_complete


async def test_each_retry_begins_anew(serve: Any) -> None:
    tracker = wayfare.UploadTracker()
    progress: list[tuple[int, int | None]] = []
    losing = (ReadRequest(), Send(OK), ReadRequest(), Fin())
    async with serve(losing, ALWAYS) as (session, _):
        await session.get("/first")
        await session.put(
            "/second",
            data=b"content",
            upload_tracker=tracker,
            on_progress=lambda *told: progress.append(told),
        )
    assert (tracker.attempts, tracker.bytes_written) == (2, 7)
    assert progress == [(7, 7), (7, 7)]
    await tracker.upload_complete


async def test_it_is_complete_before_the_response(serve: Any) -> None:
    tracker = wayfare.UploadTracker()
    async with serve((ReadRequest(), Stall())) as (session, server):
        waiter = tracker.upload_complete
        request = asyncio.ensure_future(
            session.post("/", data=b"x" * 500_000, upload_tracker=tracker)
        )
        await waiter
        assert not request.done()
        request.cancel()
        await asyncio.wait((request,))
        assert tracker.upload_complete is waiter
        server.abort()


async def test_content_that_was_sent_stays_sent(serve: Any) -> None:
    tracker = wayfare.UploadTracker()
    async with serve((ReadRequest(), Fin())) as (session, _):
        with pytest.raises(wayfare.ServerDisconnectedError):
            await session.post("/", data=b"content", upload_tracker=tracker)
    await tracker.upload_complete


async def test_an_answer_that_comes_before_any_content(serve: Any) -> None:
    tracker = wayfare.UploadTracker()
    wanted = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        await wanted.wait()
        yield b"content"

    early = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    script = (ReadHead(), Send(early), Read(17), Send(b"ok"))
    async with (
        serve(script) as (session, _),
        session.post("/", data=pieces(), upload_tracker=tracker) as response,
    ):
        waiter = tracker.upload_complete
        assert (tracker.attempts, waiter.done()) == (0, False)
        wanted.set()
        await waiter
        assert await response.text() == "ok"
    assert tracker.bytes_written == 7


async def test_no_content_is_complete(serve: Any) -> None:
    for body, attempts in ((None, 0), (b"", 1)):
        tracker = wayfare.UploadTracker()
        async with serve(ALWAYS) as (session, _):
            await session.post("/", data=body, upload_tracker=tracker)
            assert (tracker.attempts, tracker.bytes_written) == (attempts, 0)
            await tracker.upload_complete


async def test_content_that_nobody_wants_any_more(serve: Any) -> None:
    refusing = (
        ReadHead(),
        Read(1000),
        Send(b"HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        Stall(reading=False),
    )
    tracker = wayfare.UploadTracker()
    async with serve(refusing) as (session, server):
        response = await session.post("/", data=b"x" * 50_000_000, upload_tracker=tracker)
        assert response.status == 413
        with pytest.raises(wayfare.UploadAbortedError):
            await tracker.upload_complete
        assert 0 < tracker.bytes_written < 50_000_000
        server.abort()


async def test_a_request_that_fails(serve: Any) -> None:
    tracker = wayfare.UploadTracker()
    async with serve((ReadHead(), Fin())) as (session, _):
        waiter = tracker.upload_complete
        with pytest.raises(wayfare.ClientError):
            await session.post("/", data=b"x" * 50_000_000, upload_tracker=tracker)
        with pytest.raises(wayfare.UploadAbortedError):
            await waiter
    other = wayfare.UploadTracker()
    async with wayfare.ClientSession() as session:
        with pytest.raises(wayfare.ClientConnectorError) as caught:
            await session.post("http://127.0.0.1:1/", data=b"x", upload_tracker=other)
    with pytest.raises(wayfare.UploadAbortedError) as aborted:
        await other.upload_complete
    assert aborted.value.__cause__ is caught.value
    assert other.attempts == 0


async def test_one_tracker_for_one_request(serve: Any) -> None:
    tracker = wayfare.UploadTracker()
    async with serve(ALWAYS) as (session, _):
        await session.post("/", data=b"x", upload_tracker=tracker)
        with pytest.raises(RuntimeError, match="for one request"):
            session.post("/", data=b"x", upload_tracker=tracker)
        await tracker.upload_complete
        with pytest.raises(TypeError, match="upload_tracker must be an UploadTracker, not int"):
            session.post("/", data=b"x", upload_tracker=5)


# -- on_progress ------------------------------------------------------------------------------------------------------


async def test_progress_of_content_whose_length_is_known(serve: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_000)
    with path.open("rb") as file:
        for data in (b"x" * 1_000_000, io.BytesIO(b"x" * 1_000_000), file):
            told: list[tuple[int, int | None]] = []
            tracker = wayfare.UploadTracker()
            async with serve(ALWAYS) as (session, _):
                await session.post(
                    "/",
                    data=data,
                    on_progress=lambda *pair, told=told: told.append(pair),
                    upload_tracker=tracker,
                )
            assert {total for _, total in told} == {1_000_000}
            counts = [sent for sent, _ in told]
            assert counts == sorted(set(counts))
            assert counts[-1] == tracker.bytes_written == 1_000_000
            assert tracker.upload_complete.done()


async def test_progress_of_a_stream_has_no_total(serve: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    told: list[tuple[int, int | None]] = []
    async with serve(ALWAYS) as (session, _):
        await session.post("/", data=pieces(), on_progress=lambda *pair: told.append(pair))
        await session.get("/", on_progress=lambda *pair: told.append(pair))
    assert told == [(2, None), (3, None)]


async def test_progress_knows_what_a_middleware_put_in_place(serve: Any) -> None:
    async def longer(request: Any, handler: Any) -> Any:
        await request.update_body(b"longer")
        return await handler(request)

    told: list[tuple[int, int | None]] = []
    async with serve(ALWAYS) as (session, _):
        await session.post(
            "/", data=b"x", on_progress=lambda *pair: told.append(pair), middlewares=[longer]
        )
    assert told == [(6, 6)]


async def test_progress_that_fails_ends_the_request(serve: Any) -> None:
    def refuse(sent: int, total: int | None) -> None:
        raise LookupError(sent)

    tracker = wayfare.UploadTracker()
    async with serve((ReadHead(), Fin())) as (session, _):
        with pytest.raises(LookupError):
            await session.post("/", data=b"x", on_progress=refuse, upload_tracker=tracker)
        assert session.connector.stats().leased == 0
    with pytest.raises(wayfare.UploadAbortedError):
        await tracker.upload_complete


async def test_progress_must_be_callable(serve: Any) -> None:
    async with serve(ALWAYS) as (session, _):
        with pytest.raises(TypeError, match="on_progress must be callable, not int"):
            await session.post("/", data=b"x", on_progress=5)


async def test_a_request_that_is_closed_before_it_began() -> None:
    async with wayfare.ClientSession() as session:
        tracker = wayfare.UploadTracker()
        request = session.post("http://h/", data=b"x", upload_tracker=tracker)
        waiter = tracker.upload_complete
        request.close()
        request.close()
        assert tracker.attempts == 0
        with pytest.raises(wayfare.UploadAbortedError, match="before it began"):
            await waiter


async def test_a_task_that_is_cancelled_before_its_first_step() -> None:
    async with wayfare.ClientSession() as session:
        tracker = wayfare.UploadTracker()
        task = asyncio.ensure_future(session.post("http://h/", data=b"x", upload_tracker=tracker))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(wayfare.UploadAbortedError, match="before it began"):
            await tracker.upload_complete
