"""Finding out that a peer is gone: a Ping after a time without a sign of life, and a bound on the wait for another."""

from collections.abc import Callable
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, TimerHandle

__all__ = ("Heartbeat",)


@final
class Heartbeat:
    """Calls `ping` when nothing came for `interval` seconds, and `dead` when nothing comes for `patience` seconds more.

    Whatever arrives is a sign of life: say `seen`. One timer is armed, whatever arrives. `deaf` tells whether nothing
    can be heard now because our own side does not read; that time does not count.
    """

    __slots__ = (
        "_awaiting",
        "_dead",
        "_deaf",
        "_interval",
        "_last",
        "_loop",
        "_patience",
        "_ping",
        "_timer",
    )

    def __init__(
        self,
        loop: "AbstractEventLoop",
        interval: float,
        patience: float,
        *,
        ping: Callable[[], None],
        deaf: Callable[[], bool],
        dead: Callable[[float], None],
    ) -> None:
        self._loop = loop
        self._interval = interval
        self._patience = patience
        self._ping = ping
        self._deaf = deaf
        self._dead = dead
        self._awaiting = False
        self._last = loop.time()
        self._timer: TimerHandle = loop.call_at(self._last + interval, self._look)

    def seen(self) -> None:
        """Something arrived."""
        self._last = self._loop.time()
        self._awaiting = False

    def stop(self) -> None:
        """Nobody is interested any more. Idempotent."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        if self._deaf():
            self.seen()
        elif self._awaiting:
            # The timer is armed for no other moment then, unless something was seen.
            self._dead(self._patience)
            return
        elif now >= self._last + self._interval:
            self._awaiting = True
            self._ping()
            self._timer = self._loop.call_at(now + self._patience, self._look)
            return
        self._timer = self._loop.call_at(self._last + self._interval, self._look)
