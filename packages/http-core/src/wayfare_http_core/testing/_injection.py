"""The ways in which the torture harness disturbs an operation where it waits."""

import asyncio
import enum
import errno
import os
from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, final

from ._world import World

__all__ = ("Disturbance", "Injection", "Moment", "SteppedCoroutine")


@final
class Moment(enum.StrEnum):
    """Which moments of an operation are counted as points."""

    YIELD = "yield"
    """The task of the operation starts to wait; the rest of the loop's iteration comes after."""
    TICK = "tick"
    """An iteration of the loop is over, while the operation runs, whatever it waits for."""


@final
class Injection(enum.StrEnum):
    """What happens at the chosen point."""

    CANCEL = "cancel"
    """The task is cancelled."""
    CANCEL_TWICE = "cancel-twice"
    """The task is cancelled, and once more where it waits next."""
    CANCEL_AT_COMPLETION = "cancel-at-completion"
    """The task is cancelled in the very tick in which what it waits for completes."""
    CANCEL_BEFORE_DELIVERY = "cancel-before-delivery"
    """The task is cancelled right before the next event reaches a client's protocol."""
    DEADLINE = "deadline"
    """The clock jumps to the client's next timer."""
    LOST_WITH_ERROR = "lost-with-error"
    """Every client transport breaks with ConnectionResetError."""
    LOST = "lost"
    """Every client transport goes away without an error."""
    EOF = "eof"
    """Every client transport sees EOF next; what was in flight is gone."""

    @property
    def cancels(self) -> bool:
        """Whether the task is cancelled, so that it has to end with CancelledError."""
        return self.value.startswith("cancel")

    @property
    def moments(self) -> tuple[Moment, ...]:
        """Where the injection differs from every other one."""
        if self in (Injection.CANCEL_TWICE, Injection.CANCEL_AT_COMPLETION):
            return (Moment.YIELD,)
        return (Moment.YIELD, Moment.TICK)


@final
class SteppedCoroutine(Coroutine[Any, Any, None]):
    """A coroutine that reports each of its yields: the moments at which its task starts to wait.

    `on_yield(k, yielded)` is called inside the task's step, before the task itself sees what was
    yielded. A cancellation requested there acts as one that comes at the first moment of waiting.
    """

    def __init__(
        self, inner: Coroutine[Any, Any, None], on_yield: Callable[[int, object], None]
    ) -> None:
        self.points = 0
        self._inner = inner
        self._on_yield = on_yield

    def send(self, value: Any, /) -> Any:
        """Go on until the next yield."""
        return self._yielded(self._inner.send(value))

    def throw(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
        /,
    ) -> Any:
        """Raise inside, and go on until the next yield."""
        exc = typ if isinstance(typ, BaseException) else typ()
        return self._yielded(self._inner.throw(exc))

    def close(self) -> None:
        """Give the inner coroutine up."""
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, None]:
        """Not supported: the object is made for a task."""
        raise TypeError("a stepped coroutine is run by a task only")

    def _yielded(self, yielded: object) -> object:
        self.points += 1
        self._on_yield(self.points, yielded)
        return yielded


@final
class Disturbance:
    """Carries one injection out at one point of one run. Set `task` before it starts to run."""

    task: asyncio.Task[None]

    def __init__(
        self, injection: Injection | None, moment: Moment, point: int, world: World
    ) -> None:
        self.injection = injection
        self.moment = moment
        self.point = point
        self.ticks = 0
        """Iterations of the loop so far."""
        self.reached = False
        """Whether the run came to the point."""
        self.cancelled = False
        """Whether the task was asked to cancel while it still ran."""
        self.at: float | None = None
        """When the injection acted, on the loop's clock; None if it had nothing to act upon."""
        self._world = world

    def on_yield(self, k: int, yielded: object) -> None:
        """Act if this is the point."""
        if self.moment is not Moment.YIELD:
            return
        if k == self.point:
            self.reached = True
            self._act(yielded)
        elif k == self.point + 1 and self.injection is Injection.CANCEL_TWICE:
            self._cancel()

    def on_tick(self) -> bool:
        """Act if this is the point; returns whether it is."""
        if self.task.done():
            return False
        self.ticks += 1
        if self.moment is not Moment.TICK or self.ticks != self.point:
            return False
        self.reached = True
        self._act(None)
        return True

    def _act(self, yielded: object) -> None:
        network = self._world.network
        match self.injection:
            case Injection.CANCEL | Injection.CANCEL_TWICE:
                self._cancel()
            case Injection.CANCEL_AT_COMPLETION:
                if isinstance(yielded, asyncio.Future):
                    # Called before the task's own callback, which is added after this step.
                    yielded.add_done_callback(self._cancel)
            case Injection.CANCEL_BEFORE_DELIVERY:
                network.client_transports.on_delivery = self._on_delivery
            case Injection.DEADLINE:
                timers = self._world.client_timers()
                if timers:
                    self._world.loop.jump_to(timers[0].when())
                    self._note()
            case _:
                self._break_transports()

    def _break_transports(self) -> None:
        for transport in self._world.open_transports:
            self._note()
            if self.injection is Injection.EOF:
                transport.cut()
            elif self.injection is Injection.LOST:
                transport.lose(None)
            else:
                code = errno.ECONNRESET
                transport.lose(ConnectionResetError(code, os.strerror(code)))

    def _on_delivery(self, transport: object) -> None:
        self._world.network.client_transports.on_delivery = None
        self._cancel()

    def _cancel(self, completed: object = None) -> None:
        self.cancelled = self.task.cancel() or self.cancelled
        self._note()

    def _note(self) -> None:
        if self.at is None:
            self.at = self._world.loop.time()
