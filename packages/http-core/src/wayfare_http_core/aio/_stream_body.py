"""A stream as the body of a request: sent in pieces as they come, and not line by line."""

import sys
from collections.abc import AsyncGenerator
from typing import Protocol, final

from wayfare_http_core._connection import RequestBody
from wayfare_http_core._errors import UploadAbortedError

from ._stream_reader import StreamReader

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("AsyncReadable", "StreamBody")

_PIECE = 64 * 1024


class AsyncReadable(Protocol):
    """What octets can be awaited from: `StreamReader`, `asyncio.StreamReader`, and the like."""

    async def read(self, n: int, /) -> bytes:
        """Up to n octets, at least one; b"" at the end."""


@final
class StreamBody(RequestBody):
    """A request's body read from a stream: as much at a time as waits there, up to 64 KiB.

    It can be sent once. `length` is the exact number of octets where that is known; without it the body goes out
    chunked. Where a hand-fed `StreamReader` is not read to its end, since the request was given up, it breaks with
    `UploadAbortedError`: whoever feeds it learns that from `drain`.
    """

    __slots__ = ("_content_type", "_length", "_stream", "_used")

    def __init__(
        self,
        stream: AsyncReadable,
        *,
        length: int | None = None,
        content_type: str | None = "application/octet-stream",
    ) -> None:
        self._stream = stream
        self._length = length
        self._content_type = content_type
        self._used = False

    @property
    @override
    def content_type(self) -> str | None:
        """As given."""
        return self._content_type

    @property
    @override
    def length(self) -> int | None:
        """As given."""
        return self._length

    @property
    @override
    def replayable(self) -> bool:
        """As long as nobody began with it: what was read is gone."""
        return not self._used

    @override
    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Read the stream to its end."""
        self._used = True
        return self._read()

    def give_up(self) -> None:
        """Say that it will not be sent, unless it was begun with: whoever feeds the stream learns that from `drain`."""
        if not self._used:
            self._break()

    async def _read(self) -> AsyncGenerator[bytes, None]:
        stream = self._stream
        try:
            while piece := await stream.read(_PIECE):
                yield piece
        finally:
            self._break()

    def _break(self) -> None:
        if isinstance(self._stream, StreamReader):
            self._stream.give_up(UploadAbortedError("the request was given up"))
