"""Whoever looks on while content is read, such as tracing."""

import sys
from typing import Protocol, final

from ._stream_buffer import StreamBuffer

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ContentWatcher", "Watch")


class ContentWatcher(Protocol):
    """Whoever wants to see the content as it is read. The reader waits for both calls and gets what they raise.

    Cancellation: the reader loses no octet; nothing is told twice.
    """

    async def content_arrived(self, piece: bytes) -> None:
        """Decoded octets are about to be read."""

    async def content_ended(self, exception: Exception | None) -> None:
        """The content was read to its end, or reading it failed: called once, nothing follows."""


@final
class _Both(ContentWatcher):
    __slots__ = ("_first", "_second")

    def __init__(self, first: ContentWatcher, second: ContentWatcher) -> None:
        self._first = first
        self._second = second

    @override
    async def content_arrived(self, piece: bytes) -> None:
        await self._first.content_arrived(piece)
        await self._second.content_arrived(piece)

    @override
    async def content_ended(self, exception: Exception | None) -> None:
        await self._first.content_ended(exception)
        await self._second.content_ended(exception)


@final
class Watch:
    """A watcher, and how much it knows of: octets from the beginning of the content."""

    __slots__ = ("_told", "watcher")

    def __init__(self, watcher: ContentWatcher, told: int) -> None:
        self.watcher = watcher
        self._told = told

    def add(self, watcher: ContentWatcher) -> None:
        """Tell another one, too."""
        self.watcher = _Both(self.watcher, watcher)

    async def tell(self, waiting: StreamBuffer, taken: int) -> None:
        """Tell of what waits to be read and was not told yet; `taken` octets were read before.

        Cancellation: safe, as far as the watcher is.
        """
        # What was taken without a wait passed untold.
        self._told = max(self._told, taken)
        for piece in waiting.pieces_behind(self._told - taken):
            self._told += len(piece)
            await self.watcher.content_arrived(piece)
