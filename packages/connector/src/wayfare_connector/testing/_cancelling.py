"""Cancelling a coroutine at each of its awaits, one run after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeVar, final

__all__ = ("cancel_at_every_await",)

T = TypeVar("T")


@final
class _CancelledAt(Awaitable[T]):
    """Awaits a coroutine and cancels the current task at its k-th suspension.

    With `late`, not when it is suspended but when what it waits for has just come: the task is
    about to go on, and its next step gets the cancellation in place of the result.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T], k: int, late: bool) -> None:
        self._coroutine = coroutine
        self._k = k
        self._late = late
        self.reached = False

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._coroutine.__await__()
        seen = 0
        error: BaseException | None = None
        while True:
            try:
                waited_for = steps.send(None) if error is None else steps.throw(error)
            except StopIteration as stop:
                result: T = stop.value
                return result
            seen += 1
            if seen == self._k:
                self._cancel(waited_for)
            error = None
            try:
                yield waited_for
            except BaseException as exc:
                error = exc

    def _cancel(self, waited_for: object) -> None:
        self.reached = True
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a task is needed to be cancelled")
        if self._late and isinstance(waited_for, asyncio.Future):
            # Before the task's own callback: it is registered when we have yielded.
            blocking = waited_for._asyncio_future_blocking
            waited_for.add_done_callback(lambda _: task.cancel())
            waited_for._asyncio_future_blocking = blocking
        else:
            task.cancel()


async def cancel_at_every_await(
    scenario: Callable[[], Coroutine[Any, Any, T]],
    check: Callable[[], Awaitable[None]],
) -> int:
    """Run the scenario again and again, cancelled at its 1st, 2nd, … await, until one is complete.

    Each await is hit in two ways: while it waits, and in the tick in which it is over. After each
    cancelled run `check` looks for what must not be left. Returns the number of cancelled runs.

    Raises: `AssertionError` when a cancellation does not come out as `CancelledError`.
    """
    runs = 0
    for late in (False, True):
        k = 0
        reached = True
        while reached:
            k += 1
            attempt = _CancelledAt(scenario(), k, late)
            task = asyncio.ensure_future(_run(attempt))
            await asyncio.wait([task])
            reached = attempt.reached
            if not reached:
                task.result()
                continue
            runs += 1
            if not task.cancelled():
                raise AssertionError(
                    f"cancelled at await {k} (late={late}), the scenario ended with {task!r}"
                )
            await check()
    return runs


async def _run(attempt: _CancelledAt[T]) -> T:
    return await attempt
