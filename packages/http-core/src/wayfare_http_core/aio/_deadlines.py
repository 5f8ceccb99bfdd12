"""Deadlines for asyncio: one queue and one armed timer per event loop, for all its requests.

A timer of the loop per request (`asyncio.timeout`) costs more than parsing the response's head.
Here a deadline is a moment, and it only enters the queue while a task waits under it:

    deadline = Deadline.after(30)
    with deadline:              # queued: a task may be cancelled
        await send()
    ...                         # not queued: nothing refers to the deadline
    with deadline:              # the same moment again; raises at once when it has passed
        await receive()
    deadline.close()            # from now on it never expires

Invariants:

- The timer is armed for the earliest queued moment or an earlier one; when it fires too early, it
  finds nothing due and is armed again.
- The heap holds a moment and a number for each who waits. Who that is stands in a dictionary by the
  number: so a request under way adds no object that the garbage collector looks at again and again,
  as it forgets a pair of numbers after the first look.
- What is released leaves the dictionary at once, a guard whose block was left and a future that is
  done later: when their pair reaches the top, or all at once when dead pairs may be half of the heap.
- The queue refers to guards, never to deadlines, so that a deadline that is dropped unclosed is
  freed at once.
"""

from asyncio import (
    AbstractEventLoop,
    CancelledError,
    Future,
    Task,
    TimerHandle,
    current_task,
    get_running_loop,
)
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from math import inf, isnan
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias, final
from weakref import WeakValueDictionary, ref

if TYPE_CHECKING:
    from ._waiter import Waiter

__all__ = ("Deadline", "DeadlineQueue")

_SPARE_ENTRIES = 64
"""Dead entries that are always tolerated, so that a small heap is not swept over and over."""


# The states of a guard. LIVE: its task waits under a deadline that may come. FIRED: the moment came
# and the task was asked to cancel. OVER: its deadline was closed first, or the block was left.
_LIVE = 0
_FIRED = 1
_OVER = 2


@final
class _Guard:
    """One task inside one `with` block of a deadline.

    `cancelling` is the number of requests to cancel that the task had when it entered; `outer` is
    the guard that was entered before, by whichever task.
    """

    __slots__ = ("cancelling", "outer", "state", "task")

    def __init__(self, task: Task[Any], state: int, outer: "_Guard | None") -> None:
        self.task: Task[Any] | None = task
        self.state = state
        self.cancelling = task.cancelling()
        self.outer = outer


@final
class Deadline:
    """A moment by which an operation must be over, of one event loop.

    `with deadline:` guards the awaits of the current task inside the block. When the moment comes,
    the task is cancelled and the block raises `error()` from that `CancelledError`. A cancellation
    from elsewhere always stays a `CancelledError`, also when it comes in the same tick (the rules
    of `asyncio.timeout`). The block can be entered again, nested, and by several tasks at once.
    Entering it after the moment raises at once.

    Made by `Deadline.after` or `DeadlineQueue.start`. Not thread-safe, like the loop itself. A
    generator must not yield inside the block: the task would be cancelled somewhere else.
    """

    __slots__ = ("__weakref__", "_error", "_guard", "_queue", "_raised", "when")

    when: float | None
    """The moment on the scale of `loop.time()`, in seconds; None if it never comes. Read-only."""

    def __init__(
        self,
        queue: "DeadlineQueue | None",
        when: float | None,
        error: Callable[[], BaseException],
    ) -> None:
        self.when = when
        self._queue = queue
        self._error = error
        self._guard: _Guard | None = None
        self._raised = False

    @classmethod
    def after(
        cls, seconds: float | None, error: Callable[[], BaseException] = TimeoutError
    ) -> "Deadline":
        """A deadline of the running loop, `seconds` from now.

        None and infinity never expire, zero and less have expired already. `error` makes the
        exception that is raised on expiry; the deadline keeps it, so it should not refer to what
        the deadline is kept in.

        Raises: `RuntimeError` when no loop runs, `ValueError` for NaN.
        """
        loop = get_running_loop()
        queue = _latest()
        if queue is None or queue.loop is not loop:
            queue = _queue_of(loop)
        return queue.start(seconds, error)

    @property
    def expired(self) -> bool:
        """Whether the moment has come; once closed, whether a block raised because of it."""
        queue = self._queue
        if self.when is None or queue is None:
            return self._raised
        return self._raised or queue.loop.time() >= self.when

    def remaining(self) -> float | None:
        """Seconds until the moment, 0.0 once it has come, None if it never comes."""
        queue = self._queue
        if self.when is None or queue is None:
            return None
        return max(0.0, self.when - queue.loop.time())

    def close(self) -> None:
        """The operation is over: never expire from now on, not even for tasks inside the block.

        Idempotent. An expiry that is on its way to a task already is not taken back.
        """
        self.when = None
        guard = self._guard
        while guard is not None:
            if guard.state == _LIVE:
                guard.state = _OVER
            guard = guard.outer

    def restart(self, seconds: float) -> None:
        """Come `seconds` from now, instead of when it would have, also if it was closed.

        Only for a deadline that guards nothing at this moment: a block that was entered before keeps its moment.
        """
        if self._queue is not None:
            self.when = self._queue.loop.time() + seconds

    def limit(self, future: "_Awaited") -> None:
        """Let a future fail with this deadline's error when the moment comes, unless it is done by then.

        For whoever waits for nothing but that one future: it costs a third of a `with` block. Closing the deadline
        does not take the limit back; a future that is done is left alone. If the moment has come already, the future
        fails in the loop's next iteration.
        """
        when = self.when
        queue = self._queue
        if when is not None and queue is not None:
            queue.push(when, ref(future), self._error)

    def hold(self, future: "_Awaited") -> int:
        """`limit` for many: cheaper, but the queue keeps the future. Returns the number to `release` it by.

        Whoever holds a future must release it, however the waiting ends; its result may be large.
        """
        when = self.when
        queue = self._queue
        if when is None or queue is None:
            return 0
        return queue.push(when, future, self._error)

    def release(self, number: int) -> None:
        """Take back what `hold` returned this number for; without effect when it was taken back already."""
        queue = self._queue
        # Without a call of `drop`, since each request comes this way.
        if queue is not None and queue._waiting.pop(number, None) is not None:
            del queue._errors[number]

    def __enter__(self) -> "Deadline":
        when = self.when
        queue = self._queue
        if queue is None or (when is None and self._guard is None):
            return self
        task = current_task(queue.loop)
        if task is None:
            raise RuntimeError("a deadline guards a task, and no task of its loop is running")
        if when is None:
            # Closed, and others are still inside: a guard that does nothing, so that each block
            # leaves with its own.
            self._guard = _Guard(task, _OVER, self._guard)
            return self
        if queue.loop.time() >= when:
            self._raised = True
            raise self._error()
        self._guard = guard = _Guard(task, _LIVE, self._guard)
        queue.push(when, guard)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        guard = self._guard
        if guard is None:
            return
        if guard.outer is None:
            self._guard = None
        else:
            guard = self._leave(guard)
        task = guard.task
        fired = guard.state == _FIRED
        guard.state = _OVER
        guard.task = None
        # Our one request to cancel is withdrawn. If others are left, the task has to end:
        # CancelledError it stays.
        if (
            fired
            and task is not None
            and task.uncancel() <= guard.cancelling
            and exc_type is not None
            and issubclass(exc_type, CancelledError)
        ):
            self._raised = True
            raise self._error() from exc

    def _leave(self, innermost: _Guard) -> _Guard:
        """Unlink and return the guard of the block that is being left, out of several.

        It is the current task's innermost one. A coroutine that the garbage collector closes runs
        in no task of its own; no exception of ours can reach anybody there, so any guard will do.
        """
        try:
            task = current_task()
        except RuntimeError:
            task = None
        inner = None
        guard: _Guard | None = innermost
        while guard is not None and guard.task is not task:
            inner = guard
            guard = guard.outer
        if guard is None or inner is None:
            self._guard = innermost.outer
            return innermost
        inner.outer = guard.outer
        return guard


@final
class DeadlineQueue:
    """The deadlines of one event loop that a task waits under, and the loop's one timer for them.

    Keep it where requests are made often: `start` skips the search for the queue that
    `Deadline.after` does.
    """

    __slots__ = (
        "__weakref__",
        "_armed",
        "_errors",
        "_heap",
        "_order",
        "_room",
        "_timer",
        "_waiting",
        "loop",
    )

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self._heap: list[tuple[float, int]] = []
        self._waiting: dict[int, _Waiting] = {}
        self._errors: dict[int, Callable[[], BaseException]] = {}
        self._order = 0
        self._room = _SPARE_ENTRIES
        self._timer: TimerHandle | None = None
        self._armed = inf

    @classmethod
    def for_loop(cls, loop: AbstractEventLoop) -> "DeadlineQueue":
        """The queue of a loop; always the same one while anybody refers to it."""
        return _queue_of(loop)

    def start(
        self, seconds: float | None, error: Callable[[], BaseException] = TimeoutError
    ) -> Deadline:
        """A deadline `seconds` from now; see `Deadline.after`."""
        if seconds is None or not seconds < inf:
            if seconds is not None and isnan(seconds):
                raise ValueError("a deadline cannot be NaN seconds away")
            return _NEVER
        # loop.time() cannot jump: neither the wall clock nor a suspended machine fires or loses a
        # deadline.
        return Deadline(self, self.loop.time() + seconds, error)

    def push(
        self, when: float, waiting: "_Waiting", error: Callable[[], BaseException] | None = None
    ) -> int:
        """Take in a guard, or a future with the error it is to fail with; for `Deadline` alone. Returns its number."""
        self._order = order = self._order + 1
        self._waiting[order] = waiting
        if error is not None:
            self._errors[order] = error
        heap = self._heap
        heappush(heap, (when, order))
        if when < self._armed:
            self._arm(when)
        elif len(heap) > self._room:
            self._sweep()
        return order

    def drop(self, order: int) -> None:
        """Let go of who was taken in by this number, if it is there still; for `Deadline` alone."""
        if self._waiting.pop(order, None) is not None:
            self._errors.pop(order, None)

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = when
        self._timer = self.loop.call_at(when, self._fire)

    def _sweep(self) -> None:
        """Drop the dead entries.

        Amortised O(1): before the next sweep, as many pushes must come as entries are left now.
        """
        waiting = self._waiting
        if 2 * len(waiting) > len(self._heap):
            # Not enough of them were released. Others may wait no more, and only a look at each tells.
            # In a copy: the collector may come between, and what it frees may release others.
            for order, one in list(waiting.items()):
                if _live(one) is None:
                    self.drop(order)
        self._heap = [entry for entry in self._heap if entry[1] in waiting]
        heapify(self._heap)
        self._room = 2 * len(self._heap) + _SPARE_ENTRIES

    def _fire(self) -> None:
        # A loop may run a timer early, by as much as its clock's resolution (15.6 ms on Windows).
        # What the timer was armed for is due then too, or it would be armed for the same moment
        # again and again.
        due = max(self.loop.time(), self._armed)
        self._timer = None
        self._armed = inf
        while self._heap:
            when, order = self._heap[0]
            waiting = self._waiting.get(order)
            live = _live(waiting)
            if live is not None:
                if when > due:
                    self._arm(when)
                    return
                if isinstance(waiting, _Guard):
                    waiting.state = _FIRED
                    live.cancel()
                else:
                    live.set_exception(self._errors.get(order, TimeoutError)())
            heappop(self._heap)
            self.drop(order)


_Awaited: TypeAlias = "Future[Any] | Waiter[Any]"
_Waiting: TypeAlias = "_Guard | _Awaited | ref[_Awaited]"
"""Who waits. A future that nobody promised to release is referred to weakly: its entry may outlive it by minutes."""


def _live(waiting: "_Waiting | None") -> "_Awaited | None":
    """The task or the future that still waits, or None."""
    if isinstance(waiting, _Guard):
        return waiting.task if waiting.state == _LIVE else None
    future = waiting() if isinstance(waiting, ref) else waiting
    return None if future is None or future.done() else future


_NEVER = Deadline(None, None, TimeoutError)

# A queue refers to its loop, so it must not be held here: it lives as long as a deadline, a timer
# or a session does. While it lives, no other loop can have its loop's id.
_queues: WeakValueDictionary[int, DeadlineQueue] = WeakValueDictionary()


def _no_queue() -> DeadlineQueue | None:
    return None


# A weak reference to the queue that was asked for last: nearly every process has one loop, and one
# comparison is quicker than the dictionary.
_latest: Callable[[], DeadlineQueue | None] = _no_queue


def _queue_of(loop: AbstractEventLoop) -> DeadlineQueue:
    global _latest
    queue = _queues.get(id(loop))
    if queue is None:
        _queues[id(loop)] = queue = DeadlineQueue(loop)
    _latest = ref(queue)
    return queue
