"""`Waiter`: what a task waits for, again and again; `Wakings`: the tasks of a loop that are to go on.

A future is made for each wait, with an iterator, and has its task called through a handle of the loop. A connection has
one waiter for all of its exchanges, and one handle lets all the tasks go on whose answers came in the same iteration of
the loop: less to make, and less for the garbage collector to look at while thousands of requests are under way.

It is awaitable by the protocol between tasks and futures that `asyncio` has for foreign futures (`asyncio.isfuture`).
"""

from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from contextvars import Context

__all__ = ("Waiter",)

Result = TypeVar("Result")


@final
class Waiter(Generic[Result]):
    """One wait of one task, which is over by `set_result`, `wake`, `set_exception` or `cancel`; `arm` begins another.

    Only a task may await it, and only one. Not thread-safe, like the loop itself.
    """

    __slots__ = (
        "__weakref__",
        "_asyncio_future_blocking",
        "_callback",
        "_context",
        "_done",
        "_error",
        "_result",
        "_wakings",
    )

    def __init__(self, loop: "AbstractEventLoop") -> None:
        """`loop` is that of the task."""
        self._wakings = _wakings_of(loop)
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

    def set_result(self, result: Result) -> None:
        """Let the task go on with this result in the loop's next iteration. Without effect when the wait is over."""
        if not self._done:
            self._done = True
            self._result = result
            if self._callback is not None:
                wakings = self._wakings
                wakings.due.append(self)
                if not wakings.scheduled:
                    wakings.schedule()

    def set_exception(self, error: BaseException) -> None:
        """Let the task go on with an error in the loop's next iteration. Without effect when the wait is over."""
        if not self._done:
            self._done = True
            self._error = error
            if self._callback is not None:
                wakings = self._wakings
                wakings.due.append(self)
                if not wakings.scheduled:
                    wakings.schedule()

    def cancel(self, msg: Any = None) -> bool:
        """End the wait as `asyncio.Future.cancel` does."""
        if self._done:
            return False
        self.set_exception(CancelledError() if msg is None else CancelledError(msg))
        return True

    def wake(self, result: Result) -> None:
        """Let the task go on with this result, now if that is possible. Without effect when the wait is over.

        For callbacks of a transport, as the last thing that they do: the task may do anything before this returns. It
        saves an iteration of the loop where one answer comes at a time. Where many come at once, let them go on
        together: what they send leaves in one burst then, and comes back in one.
        """
        if not self._done:
            self._done = True
            self._result = result
            if self._callback is not None:
                self._go_on()

    def _go_on(self, *, by_the_loop: bool = False) -> None:
        """Run the task that waits, if no other one is running; or have the loop run it, as a future does."""
        callback, context = self._callback, self._context
        # Neither is kept: a waiter may be spare for minutes.
        self._callback = self._context = None
        if callback is None or context is None:
            return  # it went on already, for what ended its wait before
        try:
            if by_the_loop:
                self._wakings.loop.call_soon(callback, self, context=context)
            else:
                context.run(callback, self)
        except RuntimeError:
            # Another task is running, or the context is in use. Nothing of this task has run then, and what it raises
            # itself never comes here.
            self._wakings.loop.call_soon(callback, self, context=context)
        finally:
            # What the task raises refers to this frame, which must not refer to the task: that would be a cycle.
            del callback, context

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
        return self._wakings.loop

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


@final
class Wakings:
    """The tasks of one loop that are to go on in its next iteration, in the order in which their waits ended."""

    __slots__ = ("__weakref__", "_singly", "due", "loop", "scheduled")

    def __init__(self, loop: "AbstractEventLoop") -> None:
        self.loop = loop
        self.due: deque[Waiter[Any]] = deque()
        self.scheduled = False
        # Debug mode says which task was slow: it looks for it in the handle.
        self._singly = loop.get_debug()

    def schedule(self) -> None:
        """Let those that are due go on, after the first of them was added."""
        if self._singly:
            self.due.pop()._go_on(by_the_loop=True)
        else:
            self.scheduled = True
            self.loop.call_soon(self._wake)

    def _wake(self) -> None:
        due = self.due
        self.scheduled = False
        try:
            # Not those that are added meanwhile: other callbacks of the loop have their turn first.
            for _ in range(len(due)):
                due.popleft()._go_on()
        except BaseException:
            # A task that ends the program does not keep the others from going on.
            if due and not self.scheduled:
                self.schedule()
            raise


# Kept by the waiters, and no longer: while one lives, no other loop can have its loop's id.
_wakings: WeakValueDictionary[int, Wakings] = WeakValueDictionary()


def _wakings_of(loop: "AbstractEventLoop") -> Wakings:
    wakings = _wakings.get(id(loop))
    if wakings is None:
        _wakings[id(loop)] = wakings = Wakings(loop)
    return wakings
