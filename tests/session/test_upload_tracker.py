"""`UploadTracker`: what it says while content goes out, and in the end."""

import asyncio
from collections.abc import AsyncIterator
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
            await asyncio.wait_for(tracker.upload_complete, 5)
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
        with pytest.raises(AttributeError, match="'int' object"):
            session.post("/", data=b"x", upload_tracker=5)
