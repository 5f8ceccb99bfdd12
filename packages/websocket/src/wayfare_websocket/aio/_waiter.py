"""`Waiter`: what a task waits for that is to go on at once.

A future has its task scheduled for the loop's next iteration. What arrives for a reader arrives between two tasks, in a
callback of the transport, so the task can as well run there: that saves an iteration for each message that somebody
waits for, and a tenth of an echo's time. Whatever else ends the waiting (a timeout, a cancellation, another task) goes
by the loop, as a future's does.

It is awaitable by the protocol between tasks and futures that `asyncio` has for foreign futures (`asyncio.isfuture`).
"""

from asyncio import CancelledError
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from contextvars import Context

__all__ = ("Waiter",)


@final
class Waiter:
    """One wait of one task at a time: `arm`, await, and it is over by `wake`, `set_exception` or `cancel`."""

    __slots__ = (
        "__weakref__",
        "_asyncio_future_blocking",
        "_callback",
        "_context",
        "_done",
        "_error",
        "_loop",
    )

    def __init__(self, loop: "AbstractEventLoop") -> None:
        self._loop = loop
        self._asyncio_future_blocking = False
        self._callback: Callable[[Waiter], object] | None = None
        self._context: Context | None = None
        self._error: BaseException | None = None
        self._done = True

    def arm(self) -> None:
        """Begin another wait."""
        self._done = False
        self._error = None

    def wake(self) -> None:
        """Let the task go on, now if that is possible. Without effect when nobody waits."""
        if self._done:
            return
        self._done = True
        callback, context = self._callback, self._context
        if callback is None or context is None:
            return
        self._callback = None
        try:
            context.run(callback, self)
        except RuntimeError:
            # Another task is running, or the context is in use. Nothing of this task has run then, and what it raises
            # itself never comes here.
            self._loop.call_soon(callback, self, context=context)

    # -- what tasks, deadlines and `asyncio.isfuture` ask of a future -------------------------------------------------

    def __await__(self) -> Generator["Waiter", None, None]:
        if self._done:
            self.result()
            return
        self._asyncio_future_blocking = True
        # The task asks for the result itself, and throws it in here if it is an error.
        yield self

    def get_loop(self) -> "AbstractEventLoop":
        """The loop of the task."""
        return self._loop

    def add_done_callback(
        self, callback: Callable[["Waiter"], object], *, context: "Context"
    ) -> None:
        """Say what to call in the end, and where; for the task that waits."""
        self._callback = callback
        self._context = context

    def done(self) -> bool:
        """Whether the wait is over."""
        return self._done

    def result(self) -> None:
        """Raise what ended the wait, if that was an error."""
        if self._error is not None:
            raise self._error

    def set_exception(self, error: BaseException) -> None:
        """End the wait with an error, in the loop's next iteration."""
        self._error = error
        self._done = True
        callback, context = self._callback, self._context
        if callback is not None:
            self._callback = None
            self._loop.call_soon(callback, self, context=context)

    def cancel(self, msg: Any = None) -> bool:
        """End the wait as `asyncio.Future.cancel` does."""
        if self._done:
            return False
        self.set_exception(CancelledError() if msg is None else CancelledError(msg))
        return True
