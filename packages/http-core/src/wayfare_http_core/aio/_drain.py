"""Reading and dropping the rest of a content, where that costs less than a new connection."""

import asyncio
from collections.abc import Callable
from typing import final

__all__ = ("Drain", "is_worth_draining")

_MOST = 64 * 1024
"""Octets of an unread body that are read and dropped to save a connection; curl and Go choose the same order."""
_SECONDS = 1.0


def is_worth_draining(remaining: int | None) -> bool:
    """Whether so many octets may be dropped; None stands for those that only the connection's end delimits."""
    return remaining is not None and remaining <= _MOST


@final
class Drain:
    """Counts what is dropped, and gives up after too much or too long. Nothing is decoded."""

    __slots__ = ("_ended", "_give_up", "_left", "_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, give_up: Callable[[], None]) -> None:
        self._loop = loop
        self._left = _MOST
        self._ended: asyncio.Future[None] | None = None
        self._give_up = give_up
        self._timer = loop.call_later(_SECONDS, give_up)

    def drop(self, data: bytes) -> None:
        """Take octets of the content."""
        self._left -= len(data)
        if self._left < 0:
            self._give_up()

    def stop(self) -> None:
        """The content ended, or the connection; idempotent."""
        self._timer.cancel()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    async def wait(self) -> None:
        """Return when it is stopped, which it is not yet. Cancellation: safe, the draining goes on."""
        if self._ended is None:
            self._ended = self._loop.create_future()
        await asyncio.shield(self._ended)
