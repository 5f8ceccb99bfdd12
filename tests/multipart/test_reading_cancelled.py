"""Reading is cancelled at every wait, and no octet is lost."""

import asyncio
from base64 import b64encode
from typing import Any

import pytest
from wayfare_http_core.aio import StreamReader
from wayfare_multipart import (
    MultipartReader,
)

from tests.multipart.bodies import MIXED, body, part


class Stepper:
    """Makes calls, one of which is cancelled at a turn of the loop and made again."""

    def __init__(self, cancel_at: int) -> None:
        self.turns = 0
        self._cancel_at = cancel_at

    async def __call__(self, call: Any, *arguments: Any) -> Any:
        while True:
            task = asyncio.ensure_future(call(*arguments))
            while not task.done():
                await asyncio.sleep(0)
                self.turns += 1
                if self.turns == self._cancel_at:
                    task.cancel()
                    break
            try:
                return await task
            except asyncio.CancelledError:
                continue


async def read_in_steps(octets: bytes, step: Stepper) -> list[bytes]:
    """Decoded chunks of one part, a part within a part, a line and the rest of the last one."""
    stream = StreamReader()

    async def feed() -> None:
        for at in range(0, len(octets), 9):
            stream.feed_data(octets[at : at + 9])
            for _ in range(3):
                await asyncio.sleep(0)
        stream.feed_eof()

    feeding = asyncio.ensure_future(feed())
    parts = MultipartReader(MIXED, stream)
    first = await step(parts.next)
    chunks = first.iter_chunks(3, decode=True)
    text = b""

    async def next_chunk() -> bytes:
        return await anext(chunks, b"")

    while chunk := await step(next_chunk):
        text += chunk
    nested = await step(parts.next)
    inner = await step(nested.next)
    found = [text, await step(inner.read)]
    last = await step(parts.next)
    found += [await step(last.readline), await step(last.read)]
    assert await step(parts.next) is None
    await feeding
    return found


async def test_a_read_cancelled_at_any_wait_loses_no_octet() -> None:
    """Of a part, of its decoded chunks, and on the way to the next part."""
    octets = body(
        part(b64encode(b"line one\nline two"), "Content-Transfer-Encoding: base64"),
        part(b"--C\r\n\r\ninner\r\n--C--", "Content-Type: multipart/mixed; boundary=C"),
        part(b"last\nlines"),
    )
    step = Stepper(0)
    assert await read_in_steps(octets, step) == [
        b"line one\nline two",
        b"inner",
        b"last\n",
        b"lines",
    ]
    assert step.turns > 30
    for cancel_at in range(1, step.turns + 1):
        again = await read_in_steps(octets, Stepper(cancel_at))
        assert again == [b"line one\nline two", b"inner", b"last\n", b"lines"], cancel_at


async def test_two_tasks_cannot_read_at_once() -> None:
    stream = StreamReader()
    parts = MultipartReader(MIXED, stream)
    reading = asyncio.ensure_future(parts.next())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task"):
        await parts.next()
    stream.feed_data(body())
    assert await reading is None
