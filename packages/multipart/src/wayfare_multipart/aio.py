"""Bodies for asyncio: what blocks while it is read is read by a thread.

    connection.exchange(head, AsyncBody(form))

A payload is a `RequestBody` already, and reads files in its place when it is asked for its octets; that holds the event
loop up for as long as a disk takes. `AsyncBody` is the same body without that.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import BinaryIO, final

from wayfare_http_core import RequestBody

from ._payload import Payload
from ._segments import BlockingReader, gathered

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("AsyncBody", "AsyncFileBody", "async_body")


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
