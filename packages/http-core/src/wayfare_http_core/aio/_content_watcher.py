"""Whoever looks on while content is read, such as tracing."""

from typing import Protocol, final

from ._stream_buffer import StreamBuffer

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
class Watch:
    """A watcher, and how much it knows of: octets from the beginning of the content."""

    __slots__ = ("_told", "watcher")

    def __init__(self, watcher: ContentWatcher, told: int) -> None:
        self.watcher = watcher
        self._told = told

    async def tell(self, waiting: StreamBuffer, taken: int) -> None:
        """Tell of what waits to be read and was not told yet; `taken` octets were read before.

        Cancellation: safe, as far as the watcher is.
        """
        # What was taken without a wait passed untold.
        self._told = max(self._told, taken)
        for piece in waiting.pieces_behind(self._told - taken):
            self._told += len(piece)
            await self.watcher.content_arrived(piece)
