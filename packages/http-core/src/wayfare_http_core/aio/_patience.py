"""How long a reader waits: a deadline for all of it, a bound on each wait, a minimum speed."""

import asyncio
import math
from collections.abc import Callable
from typing import TypeAlias, final

from wayfare_http_core._errors import SlowTransferError

from ._deadlines import Deadline

__all__ = ("MinimumSpeed", "Patience", "ReadTimeout")

ReadTimeout: TypeAlias = tuple[float, Callable[[], Exception]]
"""Seconds, and what makes the error."""


@final
class Patience:
    """The bounds on the waits of one stream's reader.

    `ran_out` says whether the latest wait ended because time did: whoever ran out of time will not read the rest.
    """

    __slots__ = ("_left", "deadline", "minimum_speed", "ran_out", "read_timeout")

    def __init__(self) -> None:
        self.deadline: Deadline | None = None
        self.read_timeout: ReadTimeout | None = None
        self.minimum_speed: MinimumSpeed | None = None
        self.ran_out = False
        self._left: float | None = None  # of the deadline when it was stopped, in seconds

    def close(self) -> None:
        """Nothing is waited for any more."""
        if self.deadline is not None:
            self.deadline.close()

    def stop(self) -> None:
        """Let the deadline stand still until `yield_in_time`: all octets are there."""
        if self.deadline is not None:
            self._left = self.deadline.remaining()
            self.deadline.close()

    async def wait(self, waiter: "asyncio.Future[None]", received: int) -> None:
        """Wait for octets, within all the bounds; `received` is how many came so far, on the wire.

        Raises: the error of the bound that is met first.
        Cancellation: safe.
        """
        quiet = self._next_quiet(received)
        total = self.deadline
        loop = waiter.get_loop()
        began = loop.time()
        try:
            with quiet:
                if total is None:
                    await waiter
                else:
                    with total:
                        await waiter
        except BaseException:
            self.ran_out = quiet.expired or (total is not None and total.expired)
            raise
        finally:
            quiet.close()
            if self.minimum_speed is not None:
                self.minimum_speed.waited(loop.time() - began)

    async def wait_for_end(self, waiter: "asyncio.Future[None]") -> None:
        """Wait for something else than octets: only the deadline bounds that, since it may be for the reader to act.

        Raises: the deadline's error.
        Cancellation: safe.
        """
        await self._in_time(waiter)

    async def yield_in_time(self) -> None:
        """Leave the loop its turn while codings are undone.

        Raises: the deadline's error, which counts on from where it was stopped.
        Cancellation: safe.
        """
        if self._left is not None and self.deadline is not None:
            self.deadline.restart(self._left)
            self._left = None
        await self._in_time(None)

    async def _in_time(self, waiter: "asyncio.Future[None] | None") -> None:
        total = self.deadline
        if total is None:
            await (asyncio.sleep(0) if waiter is None else waiter)
            return
        try:
            with total:
                await (asyncio.sleep(0) if waiter is None else waiter)
        except BaseException:
            self.ran_out = total.expired
            raise

    def _next_quiet(self, received: int) -> Deadline:
        """How long the next wait may take by itself: the read timeout, or what the minimum speed leaves of it."""
        bound = self.read_timeout
        if self.minimum_speed is not None:
            left = self.minimum_speed.left(received)
            if bound is None or left < bound[0]:
                bound = (left, self.minimum_speed.error)
        return Deadline.after(None) if bound is None else Deadline.after(*bound)


@final
class MinimumSpeed:
    """How long a stream may still wait for the octets that a minimum speed asks for.

    Raises: ValueError for numbers that are not positive and finite.
    """

    __slots__ = ("_left", "_quota", "_rate", "_seconds", "_start")

    def __init__(self, octets_per_second: float, seconds: float, received: int) -> None:
        if not (0 < octets_per_second < math.inf and 0 < seconds < math.inf):
            raise ValueError("a minimum speed must be positive and finite, and so must its seconds")
        self._rate = octets_per_second
        self._seconds = seconds
        self._quota = octets_per_second * seconds
        self._start = received
        self._left = seconds

    def left(self, received: int) -> float:
        """Seconds of waiting that are left now that so many octets arrived in all."""
        if received - self._start >= self._quota:
            self._start = received
            self._left = self._seconds
        return self._left

    def waited(self, seconds: float) -> None:
        """Count a wait."""
        self._left -= seconds

    def error(self) -> SlowTransferError:
        """What a reader gets when no time is left."""
        return SlowTransferError(self._rate, self._seconds)
