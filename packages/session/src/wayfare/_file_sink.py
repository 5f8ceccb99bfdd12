"""`FileSink`: content on its way into a file, written by a thread while more of it arrives."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final, final

from ._partial_file import PartialFile

__all__ = ("PIECE", "FileSink")

PIECE: Final = 1024 * 1024
"""Octets that are written at once. Handing work to a thread costs: in pieces of 256 KiB writing took half as much
again of the processor's time, and in larger ones than this no less."""


@final
class FileSink:
    """Writes to a file from an offset on. One piece is being written while the next is gathered: memory holds two.

    `told` is called with the octets of each piece that was written. `thread` must do one thing after the other.
    """

    __slots__ = ("_file", "_gathered", "_offset", "_size", "_thread", "_told", "_writing")

    def __init__(
        self, file: PartialFile, thread: Executor, offset: int, told: Callable[[int], None]
    ) -> None:
        self._file = file
        self._thread = thread
        self._offset = offset
        self._told = told
        self._gathered: list[bytes] = []
        self._size = 0
        self._writing: tuple[asyncio.Future[None], int] | None = None

    async def write(self, octets: bytes) -> None:
        """Take content. It may be written later.

        Raises: OSError for what was written before.
        Cancellation: the octets are taken.
        """
        self._gathered.append(octets)
        self._size += len(octets)
        if self._size >= PIECE:
            await self._written()
            self.start()

    async def drain(self) -> None:
        """Return when all is written.

        Raises: OSError.
        """
        await self._written()
        self.start()
        await self._written()

    def start(self) -> None:
        """Have what was gathered written, after all else that the thread has to do."""
        if not self._gathered:
            return
        loop = asyncio.get_running_loop()
        pieces, size = self._gathered, self._size
        self._gathered, self._size = [], 0
        future = loop.run_in_executor(self._thread, self._file.write, self._offset, pieces)
        # Nobody may be there to look at the error: whoever reads the content may have failed before.
        future.add_done_callback(_look)
        self._offset += size
        self._writing = future, size

    async def _written(self) -> None:
        """Return when the piece that is under way is written."""
        if self._writing is not None:
            future, size = self._writing
            await future
            self._writing = None
            self._told(size)


def _look(future: "asyncio.Future[None]") -> None:
    _ = future.cancelled() or future.exception()
