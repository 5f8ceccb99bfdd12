"""Bodies for asyncio: what blocks while it is read is read by a thread.

    connection.exchange(head, AsyncBody(form))

A payload is a `RequestBody` already, and reads files in its place when it is asked for its octets; that holds the event
loop up for as long as a disk takes. `AsyncBody` is the same body without that.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import BinaryIO, final

from wayfare_http_core import RequestBody

from ._payload import BodyWriter, Payload
from ._segments import BlockingReader, gathered

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("AsyncBody", "AsyncFileBody", "async_body", "pushed")


class AsyncBody(RequestBody):
    """A payload as a body to send from an event loop; files and blocking iterators are read in the loop's executor."""

    __slots__ = ("_payload",)

    def __init__(self, payload: Payload) -> None:
        self._payload = payload

    @property
    @override
    def content_type(self) -> str:
        """The payload's."""
        return self._payload.content_type

    @property
    @override
    def length(self) -> int | None:
        """The payload's size."""
        return self._payload.size

    @property
    @override
    def replayable(self) -> bool:
        """The payload's."""
        return self._payload.replayable

    @override
    async def chunks(self) -> AsyncIterator[bytes]:
        """One pass over the octets.

        Raises: as `Payload.segments`.
        Cancellation: safe. A thread may still be reading for a moment; another pass does not mind.
        """
        loop = asyncio.get_running_loop()
        for segment in gathered(self._payload.segments()):
            if isinstance(segment, bytes):
                yield segment
            elif isinstance(segment, BlockingReader):
                while True:
                    piece = segment.read_nowait()
                    if piece is None:
                        piece = await loop.run_in_executor(None, segment.read)
                    if not piece:
                        break
                    yield piece
            else:
                async for piece in segment:
                    if piece:
                        yield piece


@final
class AsyncFileBody(AsyncBody):
    """The body of a payload that is a file on disk and nothing else: the kernel may send it."""

    __slots__ = ()

    def file_range(self) -> tuple[BinaryIO, int, int] | None:
        """Where the content lies; see `wayfare_http_core.FileBody`."""
        from ._file_payloads import BufferedReaderPayload

        payload = self._payload
        return payload.file_range() if isinstance(payload, BufferedReaderPayload) else None


def async_body(payload: Payload) -> AsyncBody:
    """The body to send a payload with."""
    from ._file_payloads import BufferedReaderPayload

    kind = AsyncFileBody if isinstance(payload, BufferedReaderPayload) else AsyncBody
    return kind(payload)


@final
class _HandOver(BodyWriter):
    """Between a function that writes and an iterator that is asked: one piece, and whoever waits for the other."""

    __slots__ = ("_asked", "_piece", "_taken")

    def __init__(self) -> None:
        self._piece: bytes | None = None
        self._asked: asyncio.Future[None] | None = None
        self._taken: asyncio.Future[None] | None = None

    @override
    async def write(self, chunk: bytes) -> None:
        """Hand the next octets over; return when they were taken.

        Cancellation: safe; they were taken or not.
        """
        if not chunk:
            return
        if self._piece is not None:
            raise RuntimeError("two tasks write to one body at once")
        self._piece = bytes(chunk)
        self._taken = asyncio.get_running_loop().create_future()
        self.wake()
        await self._taken

    async def drain(self) -> None:
        """Nothing: `write` waits itself."""

    async def write_eof(self, chunk: bytes = b"") -> None:
        """The last octets; the end comes with the end of the function."""
        await self.write(chunk)

    def take(self) -> bytes | None:
        """The piece that is there, or None."""
        piece, self._piece = self._piece, None
        if self._taken is not None and not self._taken.done():
            self._taken.set_result(None)
        return piece

    async def wait(self) -> None:
        """Return when `wake` was called."""
        self._asked = asyncio.get_running_loop().create_future()
        await self._asked

    def wake(self, task: object = None) -> None:
        """Something happened."""
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)


async def pushed(push: Callable[[BodyWriter], Awaitable[object]]) -> AsyncIterator[bytes]:
    """What a function writes, as an iterator; the function runs in a task, and waits until each piece was taken.

    Raises: what the function raises.
    Cancellation: safe; the function is cancelled too.
    """
    between = _HandOver()
    task = asyncio.ensure_future(push(between))
    task.add_done_callback(between.wake)
    try:
        while True:
            piece = between.take()
            if piece is not None:
                yield piece
            elif task.done():
                break
            else:
                await between.wait()
        await task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
