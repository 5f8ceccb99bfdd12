"""An event loop that never sleeps: time jumps to the next timer when nothing else can happen."""

import asyncio
import selectors
import sys
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple, final

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("DeadlockError", "FakeClockLoop", "run_with_fake_clock")

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_START = 1000.0
"""Not zero, so that a time that was never set is not mistaken for now."""

_RESOLUTION = 1e-9
"""A timer this close counts as due: adding a distance to a time rounds."""

_MAX_KEPT_TIMERS = 256


@final
class DeadlockError(RuntimeError):
    """Nothing is ready, no timer is pending, and the main coroutine still waits."""


@final
class _JumpingSelector(selectors.BaseSelector):
    """Asks the loop what to do instead of waiting; it takes the loop's own wake-up pipe only."""

    def __init__(self, nothing_ready: Callable[[float | None], float | None]) -> None:
        self._real = selectors.DefaultSelector()
        self._nothing_ready = nothing_ready
        self.sealed = False
        self.on_iteration: Callable[[], bool] | None = None

    @override
    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self.sealed:
            raise RuntimeError(
                "a loop with a fake clock cannot wait for sockets: use memory transports"
            )
        return self._real.register(fileobj, events, data)

    @override
    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.on_iteration is not None and self.on_iteration():
            timeout = (
                0  # something is ready now, or the clock has moved: time must not pass as well
            )
        events = self._real.select(0)
        if events or (timeout is not None and timeout <= 0):
            return events
        return self._real.select(self._nothing_ready(timeout))

    @override
    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    @override
    def close(self) -> None:
        self._real.close()


@final
class FakeClockLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop whose clock is a number.

    While callbacks are ready, time stands still. When none is, the clock jumps to the next timer;
    when there is no timer either, the run ends with `DeadlockError`, which names every waiting
    task, where a real loop would hang. While a thread works for `run_in_executor`, the loop really
    waits for it and the clock stands still. Sockets are refused.

    A whole run is deterministic: the same coroutine sees the same order of events each time.
    """

    def __init__(self) -> None:
        self._fake_now = _START
        self._fake_timers: list[asyncio.TimerHandle] = []
        self._fake_threads = 0
        self._fake_settlers: list[asyncio.Future[None]] = []
        self._fake_selector = _JumpingSelector(self._nothing_ready)
        super().__init__(self._fake_selector)
        self._fake_selector.sealed = True

    @override
    def time(self) -> float:
        """The clock, in seconds."""
        return self._fake_now

    @override
    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule a callback for a time on the fake clock."""
        handle = super().call_at(when, callback, *args, context=context)
        if len(self._fake_timers) > _MAX_KEPT_TIMERS:
            self._fake_timers = list(self.pending_timers())
        self._fake_timers.append(handle)
        return handle

    def pending_timers(self) -> tuple[asyncio.TimerHandle, ...]:
        """The timers that lie in the future and are not cancelled, earliest first."""
        waiting = [
            t
            for t in self._fake_timers
            if not t.cancelled() and t.when() > self._fake_now + _RESOLUTION
        ]
        return tuple(sorted(waiting, key=asyncio.TimerHandle.when))

    def watch_iterations(self, callback: Callable[[], bool] | None) -> None:
        """Call a function between every two iterations, while no callback runs; None ends it.

        The function says whether it changed anything: scheduled a callback, or moved the clock.
        """
        self._fake_selector.on_iteration = callback

    def jump_to(self, when: float) -> None:
        """Move the clock forward now; timers that are due fire in the next loop iteration."""
        self._fake_now = max(self._fake_now, when)

    async def settled(self) -> None:
        """Return when nothing is ready: what can happen without time passing has happened.

        Cancellation: safe.
        """
        settler = self.create_future()
        self._fake_settlers.append(settler)
        await settler

    @override
    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """Run a function in a thread; the clock stands still meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        self._fake_threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, future: object) -> None:
        self._fake_threads -= 1

    @override
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads of the default executor, however long they take."""
        self._fake_threads += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._fake_threads -= 1

    def _nothing_ready(self, timeout: float | None) -> float | None:
        """How long the selector really waits; `timeout` is the distance of the next timer."""
        if self._fake_threads:
            return None
        if self._fake_settlers:
            settlers, self._fake_settlers = self._fake_settlers, []
            for settler in settlers:
                if not settler.done():
                    settler.set_result(None)
        elif timeout is None:
            raise DeadlockError(self._describe_deadlock())
        else:
            self._fake_now += timeout
        return 0

    def _describe_deadlock(self) -> str:
        lines = ["nothing is ready and no timer is pending; these tasks wait for ever:"]
        for task in sorted(asyncio.all_tasks(self), key=asyncio.Task.get_name):
            lines.append(f"  {task.get_name()}: {task.get_coro()!r}")
            lines.extend(
                f"    {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
                for frame in task.get_stack()
            )
        return "\n".join(lines)


def run_with_fake_clock(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end on a fresh `FakeClockLoop`, as `asyncio.run` does.

    Raises: DeadlockError when it waits for something that can never happen; the tasks are
    cancelled then, as for any other error.
    """
    with asyncio.Runner(loop_factory=FakeClockLoop) as runner:
        return runner.run(main)
