"""`Waiter`: what a task waits for that is to go on at once.

A future has its task scheduled for the loop's next iteration. What arrives for a task arrives between two tasks, in a
callback of the transport, so the task can as well run there. That saves an iteration for each answer that somebody
waits for. Where thousands of connections are ready at once it saves more: each answer is used and forgotten before the
next one is read, while it is in the processor's caches, and the garbage collector never sees thousands of them side by
side. Whatever else ends the waiting (a timeout, a cancellation, another task) goes by the loop, as a future's does.

It is awaitable by the protocol between tasks and futures that `asyncio` has for foreign futures (`asyncio.isfuture`).
"""

from asyncio import CancelledError
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from contextvars import Context

__all__ = ("Waiter",)

Result = TypeVar("Result")


@final
class Waiter(Generic[Result]):
    """One wait of one task, which is over by `wake`, `set_result`, `set_exception` or `cancel`; `arm` begins another.

    Only a task may await it, and only one. Not thread-safe, like the loop itself.
    """

    __slots__ = (
        "__weakref__",
        "_asyncio_future_blocking",
        "_callback",
        "_context",
        "_done",
        "_error",
        "_loop",
        "_result",
    )

    def __init__(self, loop: "AbstractEventLoop") -> None:
        """`loop` is that of the task."""
        self._loop = loop
        self._asyncio_future_blocking = False
        self._callback: Callable[[Waiter[Result]], object] | None = None
        self._context: Context | None = None
        self._error: BaseException | None = None
        self._result: Any = None
        self._done = False

    def arm(self) -> None:
        """Begin another wait."""
        self._done = False
        self._error = self._result = None

    def wake(self, result: Result) -> None:
        """Let the task go on with this result, now if that is possible. Without effect when the wait is over.

        For callbacks of a transport, as the last thing that they do: the task may do anything before this returns.
        """
        if self._done:
            return
        self._done = True
        self._result = result
        callback, context = self._callback, self._context
        if callback is None or context is None:
            return
        # Nor is the task's context kept: a waiter may be spare for minutes.
        self._callback = self._context = None
        try:
            context.run(callback, self)
        except RuntimeError:
            # Another task is running, or the context is in use. Nothing of this task has run then, and what it raises
            # itself never comes here.
            self._loop.call_soon(callback, self, context=context)

    def set_result(self, result: Result) -> None:
        """Let the task go on with this result in the loop's next iteration. Without effect when the wait is over."""
        if not self._done:
            self._result = result
            self._end()

    def _end(self) -> None:
        self._done = True
        callback, context = self._callback, self._context
        if callback is not None:
            self._callback = self._context = None
            self._loop.call_soon(callback, self, context=context)

    def peek(self) -> Result | None:
        """The result that came and was not taken, None where there is none: for a task that was stopped before."""
        result: Result | None = self._result
        return result

    # -- what tasks, deadlines and `asyncio.isfuture` ask of a future -------------------------------------------------

    def __await__(self) -> "Generator[Waiter[Result], None, Result]":
        if not self._done:
            self._asyncio_future_blocking = True
            # The task asks for the result itself, and throws it in here if it is an error.
            yield self
        result: Result = self._result if self._error is None else self.result()
        # Whoever keeps the waiter for its next wait does not keep that, which may be large.
        self._result = None
        return result

    def get_loop(self) -> "AbstractEventLoop":
        """The loop of the task."""
        return self._loop

    def add_done_callback(
        self, callback: "Callable[[Waiter[Result]], object]", *, context: "Context"
    ) -> None:
        """Say what to call in the end, and where; for the task that waits."""
        self._callback = callback
        self._context = context

    def done(self) -> bool:
        """Whether the wait is over."""
        return self._done

    def result(self) -> Result:
        """What the task goes on with, once the wait is over. An error that ended it is raised, once."""
        error = self._error
        if error is None:
            result: Result = self._result
            return result
        # The traceback of the error holds this frame, and it must not hold the error: that would be a cycle.
        self._error = None
        try:
            raise error
        finally:
            del error

    def set_exception(self, error: BaseException) -> None:
        """Let the task go on with an error in the loop's next iteration. Without effect when the wait is over."""
        if not self._done:
            self._error = error
            self._end()

    def cancel(self, msg: Any = None) -> bool:
        """End the wait as `asyncio.Future.cancel` does."""
        if self._done:
            return False
        self.set_exception(CancelledError() if msg is None else CancelledError(msg))
        return True
