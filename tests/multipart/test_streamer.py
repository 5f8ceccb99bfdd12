"""`@streamer`: functions that write a body, as they were written in 2018."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from wayfare_multipart import (
    MultipartWriter,
    StreamerCall,
    StreamWrapperPayload,
    get_payload,
    streamer,
)
from wayfare_multipart.aio import async_body, pushed


def decorated(function: Any) -> streamer:
    with pytest.warns(DeprecationWarning, match="send an async generator"):
        return streamer(function)


async def writes(writer: Any, *pieces: bytes, end: bytes = b"") -> None:
    for piece in pieces:
        await writer.write(piece)
        await writer.drain()
    await writer.write_eof(end)


def generates(writer: Any, *pieces: bytes) -> Iterator[Any]:
    for piece in pieces:
        yield from writer.write(piece)


@pytest.mark.parametrize("function", [writes, generates])
async def test_what_a_function_writes_is_sent(function: Any) -> None:
    sender = decorated(function)
    call = sender(b"one", b"", bytearray(b"two"))
    assert isinstance(call, StreamerCall)
    payload = get_payload(call)
    assert isinstance(payload, StreamWrapperPayload)
    assert (payload.size, payload.is_async, payload.replayable) == (None, True, True)
    assert [piece async for piece in async_body(payload).chunks()] == [b"one", b"two"]
    assert not payload.replayable
    with pytest.raises(ValueError, match="only once"):
        await payload.as_bytes()
    with pytest.raises(TypeError, match="asynchronous"):
        list(get_payload(sender(b"x")).iter_bytes())


async def test_a_function_without_arguments_need_not_be_called() -> None:
    assert await get_payload(decorated(writes)).as_bytes() == b""
    writer = MultipartWriter("mixed", "b")
    writer.append(decorated(writes)(b"x", end=b"y"))
    assert await writer.as_bytes() == (
        b"--b\r\nContent-Type: application/octet-stream\r\n\r\nxy\r\n--b--\r\n"
    )


async def test_an_error_ends_the_body() -> None:
    async def fails(writer: Any) -> None:
        await writer.write(b"begun")
        raise LookupError("no more")

    pieces = pushed(fails)
    assert await anext(pieces) == b"begun"
    with pytest.raises(LookupError, match="no more"):
        await anext(pieces)


async def test_the_function_is_one_piece_ahead_at_most() -> None:
    begun: list[int] = []

    async def many(writer: Any) -> None:
        for number in range(5):
            begun.append(number)
            await writer.write(b"x")

    async for _ in pushed(many):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        taken = len(begun)
        await asyncio.sleep(0)
        assert len(begun) == taken
    assert begun == [0, 1, 2, 3, 4]


async def test_a_body_that_is_given_up_ends_the_function() -> None:
    ended = asyncio.Event()

    async def endless(writer: Any) -> None:
        try:
            while True:
                await writer.write(b"x")
        finally:
            ended.set()

    pieces = pushed(endless)
    assert await anext(pieces) == b"x"
    await pieces.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert ended.is_set()


async def test_a_body_that_is_cancelled_ends_the_function() -> None:
    """Cancellation, while the function waits for something else."""
    waiting, ended = asyncio.Event(), asyncio.Event()

    async def stuck(writer: Any) -> None:
        try:
            waiting.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def read() -> None:
        async for _ in pushed(stuck):
            raise AssertionError("nothing was written")

    task = asyncio.ensure_future(read())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_two_tasks_cannot_write_at_once() -> None:
    async def both(writer: Any) -> None:
        await asyncio.gather(writer.write(b"a"), writer.write(b"b"))

    with pytest.raises(RuntimeError, match="two tasks"):
        async for _ in pushed(both):
            pass
