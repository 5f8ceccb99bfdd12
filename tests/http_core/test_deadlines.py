"""Deadlines: what expiry and cancellation do to each other, and what the queue keeps.

Time is a number here (`run_with_fake_clock`), so an hour passes at once and every order of events
is exact. The table of cancellations runs with `asyncio.timeout` too: where both can express a case,
both must end the same way.
"""

import asyncio
import contextlib
import gc
import importlib.util
import math
import sys
import weakref
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, TypeVarTuple

import pytest
from wayfare_http_core.aio._deadlines import _SPARE_ENTRIES, Deadline, DeadlineQueue
from wayfare_http_core.testing import FakeClockLoop, run_with_fake_clock

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

_Ts = TypeVarTuple("_Ts")

LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.SelectorEventLoop]
if importlib.util.find_spec("uvloop") is not None:  # not where this package is tested on its own
    LOOPS.append(importlib.import_module("uvloop").new_event_loop)


class Late(Exception):
    """What the deadlines of this module raise."""


def now() -> float:
    return asyncio.get_running_loop().time()


def forever() -> Awaitable[None]:
    return asyncio.get_running_loop().create_future()


def cancelling() -> int:
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


def entries(loop: asyncio.AbstractEventLoop | None = None) -> int:
    return len(DeadlineQueue.for_loop(loop or asyncio.get_running_loop())._heap)


# --- A deadline by itself.


def test_a_deadline_is_a_moment() -> None:
    async def main() -> None:
        deadline = Deadline.after(10)
        assert deadline.when == now() + 10
        await asyncio.sleep(4)
        assert deadline.remaining() == pytest.approx(6)
        assert not deadline.expired
        await asyncio.sleep(6)
        assert deadline.remaining() == 0.0
        assert deadline.expired
        await asyncio.sleep(1)
        assert deadline.remaining() == 0.0
        deadline.close()
        deadline.close()
        assert deadline.when is None
        assert not deadline.expired

    run_with_fake_clock(main())


@pytest.mark.parametrize("seconds", [None, math.inf])
def test_o3_never(seconds: float | None) -> None:
    """O3: None never expires and occupies nothing."""

    async def main() -> None:
        deadline = Deadline.after(seconds, Late)
        assert Deadline.after(None) is deadline
        with deadline, deadline:
            assert entries() == 0
            await asyncio.sleep(1e6)
        assert (deadline.when, deadline.remaining(), deadline.expired) == (None, None, False)
        deadline.close()

    run_with_fake_clock(main())


@pytest.mark.parametrize("seconds", [0, -1, -1e300, -math.inf])
def test_o3_expired_from_the_start(seconds: float) -> None:
    """O3: zero and less raise on entry, before anything is awaited."""

    async def main() -> None:
        deadline = Deadline.after(seconds, Late)
        assert deadline.expired
        with pytest.raises(Late) as caught, deadline:
            raise AssertionError("entered")
        assert caught.value.__cause__ is None
        assert entries() == 0
        assert cancelling() == 0

    run_with_fake_clock(main())


@pytest.mark.parametrize("new_loop", LOOPS)
@pytest.mark.parametrize("seconds", [1e10, 1e18, 1e308])
def test_o3_huge(new_loop: Callable[[], asyncio.AbstractEventLoop], seconds: float) -> None:
    """O3: a time beyond all clocks is as good as never, on real loops too."""

    async def main() -> bool:
        with Deadline.after(seconds):
            await asyncio.sleep(0)
        return True

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(main())


def test_o3_nan_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="NaN"):
            Deadline.after(math.nan)

    run_with_fake_clock(main())


def test_a_deadline_needs_a_loop_and_a_task() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        Deadline.after(1)
    raised: list[str] = []

    def callback() -> None:
        try:
            with Deadline.after(1):
                raise AssertionError("entered")
        except RuntimeError as error:
            raised.append(str(error))

    async def main() -> None:
        asyncio.get_running_loop().call_soon(callback)
        await asyncio.sleep(0)

    run_with_fake_clock(main())
    assert raised == ["a deadline guards a task, and no task of its loop is running"]


def test_another_loop_cannot_enter() -> None:
    async def make() -> Deadline:
        return Deadline.after(5)

    async def enter(deadline: Deadline) -> None:
        with deadline:
            raise AssertionError("entered")

    with asyncio.Runner(loop_factory=FakeClockLoop) as first:
        deadline = first.run(make())
        with pytest.raises(RuntimeError, match="its loop"):
            run_with_fake_clock(enter(deadline))


# --- Expiry.


def test_o1_expiry_is_exact() -> None:
    """O1: neither early nor rounded up."""

    async def main() -> None:
        start = now()
        deadline = Deadline.after(0.0123, Late)
        with pytest.raises(Late) as caught, deadline:
            await forever()
        assert now() == pytest.approx(start + 0.0123, abs=1e-6)
        assert isinstance(caught.value.__cause__, asyncio.CancelledError)
        assert cancelling() == 0
        assert deadline.expired
        with pytest.raises(Late), deadline:
            raise AssertionError("entered")
        deadline.close()
        assert deadline.expired
        refused = Deadline.after(0, Late)
        with pytest.raises(Late), refused:
            raise AssertionError("entered")
        refused.close()
        assert refused.expired

    run_with_fake_clock(main())


def test_the_default_error_is_a_timeout() -> None:
    async def main() -> None:
        with Deadline.after(1):
            await forever()

    with pytest.raises(TimeoutError):
        run_with_fake_clock(main())


@pytest.mark.parametrize("new_loop", LOOPS)
def test_o12_real_loops(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """O1, O12: on real clocks each deadline fires at its moment, whatever the order."""

    async def wait(seconds: float) -> float:
        start = now()
        with pytest.raises(Late), Deadline.after(seconds, Late):
            await forever()
        return now() - start - seconds

    async def main() -> tuple[float, ...]:
        return await asyncio.gather(wait(0.03), wait(0.01), wait(0.02), wait(0.01))

    with asyncio.Runner(loop_factory=new_loop, debug=True) as runner:
        late = runner.run(main())
    # uvloop's clock counts whole milliseconds. How late a loaded machine runs us is not ours to
    # promise.
    assert all(each > -0.0021 for each in late)


def test_entering_again_keeps_the_moment() -> None:
    async def main() -> None:
        start = now()
        deadline = Deadline.after(10, Late)
        for _ in range(3):
            with deadline:
                await asyncio.sleep(3)
        with pytest.raises(Late), deadline:
            await asyncio.sleep(3)
        assert now() == pytest.approx(start + 10)

    run_with_fake_clock(main())


def test_the_time_between_two_blocks_is_not_interrupted() -> None:
    async def main() -> None:
        deadline = Deadline.after(10, Late)
        with deadline:
            await asyncio.sleep(1)
        await asyncio.sleep(100)
        with pytest.raises(Late), deadline:
            raise AssertionError("entered")

    run_with_fake_clock(main())


def test_another_task_may_go_on() -> None:
    async def read(deadline: Deadline) -> None:
        with deadline:
            await forever()

    async def main() -> None:
        deadline = Deadline.after(10, Late)
        with deadline:
            await asyncio.sleep(4)
        task = asyncio.create_task(read(deadline))
        await asyncio.sleep(5)
        assert not task.done()
        with pytest.raises(Late):
            await task

    run_with_fake_clock(main())


def test_several_tasks_at_once() -> None:
    async def use(deadline: Deadline, seconds: float) -> str:
        try:
            with deadline:
                await asyncio.sleep(seconds)
        except Late:
            assert cancelling() == 0
            return "late"
        return "done"

    async def main() -> list[str]:
        deadline = Deadline.after(10, Late)
        uses = [use(deadline, seconds) for seconds in (20, 1, 30, 9, 11, 2)]
        results = await asyncio.gather(*uses)
        assert deadline._guard is None
        return results

    assert run_with_fake_clock(main()) == ["late", "done", "late", "done", "late", "done"]


def test_the_same_task_nested() -> None:
    """As with two timeouts of one moment, the outermost block raises: all of them are late."""

    async def main() -> str:
        deadline = Deadline.after(10, Late)
        try:
            with deadline:
                with pytest.raises(asyncio.CancelledError), deadline:
                    await forever()
                raise asyncio.CancelledError
        except Late:
            assert cancelling() == 0
            assert deadline._guard is None
            return "outer"

    assert run_with_fake_clock(main()) == "outer"


def test_leaving_the_inner_block_keeps_the_outer_one() -> None:
    async def main() -> None:
        deadline = Deadline.after(10, Late)
        start = now()
        try:
            with deadline:
                with deadline:
                    await asyncio.sleep(5)
                await forever()
        except Late:
            assert now() == pytest.approx(start + 10)

    run_with_fake_clock(main())


def test_an_earlier_moment_rearms_and_a_later_one_does_not() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        start = now()

        def timers() -> list[float]:
            return [round(timer.when() - start, 6) for timer in loop.pending_timers()]

        first, second, third = (Deadline.after(seconds, Late) for seconds in (10, 20, 5))
        with first:
            assert timers() == [10]
            with second:
                assert timers() == [10]
                with third:
                    assert timers() == [5]
        assert timers() == [5]
        with pytest.raises(Late), second:
            await forever()
        assert now() == pytest.approx(start + 20)
        assert timers() == []

    run_with_fake_clock(main())


def test_a_timer_that_runs_early_is_on_time() -> None:
    """Where the clock is coarse, a loop runs timers before their moment; that must not spin."""

    fired = 0

    class EarlyLoop(asyncio.SelectorEventLoop):
        @override
        def call_at(
            self,
            when: float,
            callback: Callable[[*_Ts], object],
            *args: *_Ts,
            context: Context | None = None,
        ) -> asyncio.TimerHandle:
            def run() -> None:
                nonlocal fired
                fired += 1
                callback(*args)

            return super().call_at(when - 3600, run, context=context)

    async def main() -> None:
        with pytest.raises(Late), Deadline.after(3600, Late):
            await forever()

    with asyncio.Runner(loop_factory=EarlyLoop) as runner:
        runner.run(main())
    assert fired == 1


# --- Closing and forgetting.


def test_closing_frees_those_who_wait() -> None:
    async def wait(deadline: Deadline, release: asyncio.Event) -> str:
        with deadline:
            await release.wait()
        return "not late"

    async def main() -> list[str]:
        deadline = Deadline.after(10, Late)
        release = asyncio.Event()
        tasks = [asyncio.create_task(wait(deadline, release)) for _ in range(3)]
        await asyncio.sleep(5)
        deadline.close()
        await asyncio.sleep(10)
        assert entries() == 0
        release.set()
        return await asyncio.gather(*tasks)

    assert run_with_fake_clock(main()) == 3 * ["not late"]


def test_closing_does_not_take_back_an_expiry() -> None:
    async def main() -> None:
        deadline = Deadline.after(10, Late)

        async def wait_and_close() -> None:
            asyncio.get_running_loop().call_later(10, deadline.close)
            await forever()

        with pytest.raises(Late), deadline:
            await wait_and_close()
        assert deadline.when is None
        assert cancelling() == 0

    run_with_fake_clock(main())


@pytest.mark.parametrize("first_out", ["fired", "closed"])
def test_a_closed_deadline_guards_nothing_beside_one_that_fired(first_out: str) -> None:
    """Each block leaves with its own guard, also when the deadline was closed in between."""

    async def wait(deadline: Deadline) -> str:
        try:
            with deadline:
                await forever()
        except Late:
            assert cancelling() == 0
            return "late"
        raise AssertionError("never")

    async def main() -> str:
        deadline = Deadline.after(10, Late)
        task = asyncio.create_task(wait(deadline))
        await asyncio.sleep(0)
        # As the loop does at the moment, but in this task's turn: the other has not run since.
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        loop.jump_to(now() + 10)
        DeadlineQueue.for_loop(loop)._fire()
        deadline.close()
        with deadline:
            if first_out == "fired":
                return await task
            assert cancelling() == 0
        return await task

    assert run_with_fake_clock(main()) == "late"


def test_an_unclosed_deadline_is_freed_at_once() -> None:
    async def main() -> None:
        gc.disable()
        try:
            deadline = Deadline.after(3600, Late)
            with deadline:
                await asyncio.sleep(1)
            gone = weakref.ref(deadline)
            del deadline
            assert gone() is None
        finally:
            gc.enable()
        await asyncio.sleep(7200)
        assert entries() == 0

    run_with_fake_clock(main())


def test_a_task_is_released_when_it_leaves() -> None:
    async def use() -> None:
        with Deadline.after(3600):
            await asyncio.sleep(1)

    async def main() -> None:
        task = asyncio.create_task(use())
        await task
        gone = weakref.ref(task)
        del task
        # The callback that woke us holds the task as its argument until we give way.
        await asyncio.sleep(0)
        gc.collect()
        assert gone() is None

    run_with_fake_clock(main())


def test_a_coroutine_that_is_closed_from_outside() -> None:
    async def use(deadline: Deadline) -> None:
        with deadline:
            await asyncio.sleep(math.inf)

    async def start(deadline: Deadline, coroutines: list[Any]) -> None:
        for coroutine in coroutines:
            asyncio.create_task(coroutine)  # noqa: RUF006  # lost on purpose
        await asyncio.sleep(0)
        assert deadline._guard is not None

    async def make() -> Deadline:
        return Deadline.after(10, Late)

    loop = FakeClockLoop()
    deadline = loop.run_until_complete(make())
    coroutines = [use(deadline) for _ in range(3)]
    loop.run_until_complete(start(deadline, coroutines))
    tasks = asyncio.all_tasks(loop)
    # No loop runs here, as when the interpreter goes down.
    for coroutine in coroutines:
        coroutine.close()
    assert deadline._guard is None
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()


def test_dead_entries_are_swept() -> None:
    """Thousands of requests keep no more entries than twice those that wait."""

    async def main() -> None:
        queue = DeadlineQueue.for_loop(asyncio.get_running_loop())
        most = 0
        for _ in range(10_000):
            deadline = queue.start(300)
            with deadline:
                most = max(most, entries())
            deadline.close()
        assert most <= _SPARE_ENTRIES + 3
        with contextlib.ExitStack() as stack:
            live = [stack.enter_context(queue.start(300, Late)) for _ in range(500)]
            for _ in range(5_000):
                with queue.start(200):
                    most = max(most, entries())
            assert most <= 2 * len(live) + _SPARE_ENTRIES + 3
        await asyncio.sleep(300)
        assert entries() == 0

    run_with_fake_clock(main())


def test_sweeping_keeps_who_waits() -> None:
    async def wait(seconds: float) -> float:
        start = now()
        with pytest.raises(Late), Deadline.after(seconds, Late):
            await forever()
        return now() - start

    async def main() -> None:
        times = [float(number % 37 + 1) for number in range(300)]
        waiting = asyncio.gather(*map(wait, times))
        await asyncio.sleep(0)
        for _ in range(2_000):
            with Deadline.after(5):
                await asyncio.sleep(0)
        assert await waiting == pytest.approx(times)

    run_with_fake_clock(main())


def test_one_queue_per_loop() -> None:
    async def queue() -> DeadlineQueue:
        loop = asyncio.get_running_loop()
        found = DeadlineQueue.for_loop(loop)
        deadline = Deadline.after(1)
        assert deadline._queue is found is DeadlineQueue.for_loop(loop)
        return found

    with (
        asyncio.Runner(loop_factory=FakeClockLoop) as first,
        asyncio.Runner(loop_factory=FakeClockLoop) as second,
    ):
        queues = [runner.run(queue()) for runner in (first, second, first, second)]
    assert queues[0] is queues[2]
    assert queues[1] is queues[3]
    assert queues[0] is not queues[1]


def test_loops_are_not_kept() -> None:
    async def use() -> None:
        with Deadline.after(3600):
            await asyncio.sleep(1)

    loop = FakeClockLoop()
    loop.run_until_complete(use())
    loop.close()
    gone = weakref.ref(loop)
    del loop
    gc.collect()
    assert gone() is None


def test_o15_time_is_the_loop_s() -> None:
    """O15: after the machine slept, what is due fires at once and in order, nothing else."""

    async def wait(seconds: float, order: list[float]) -> None:
        with pytest.raises(Late), Deadline.after(seconds, Late):
            await forever()
        order.append(seconds)

    async def main() -> list[float]:
        order: list[float] = []
        tasks = [asyncio.create_task(wait(seconds, order)) for seconds in (3, 1, 7200, 2)]
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        loop.jump_to(now() + 3600)
        await asyncio.sleep(1)
        assert order == [1, 2, 3]
        await asyncio.gather(*tasks)
        return order

    assert run_with_fake_clock(main()) == [1, 2, 3, 7200]


def test_a_deadline_can_start_anew() -> None:
    """Closed or not, it comes so many seconds from now; one that never comes still does not."""

    async def main() -> None:
        deadline = Deadline.after(5)
        await asyncio.sleep(3)
        deadline.restart(5)
        assert deadline.remaining() == 5
        deadline.close()
        deadline.restart(1)
        with pytest.raises(TimeoutError), deadline:
            await asyncio.sleep(2)
        never = Deadline.after(None)
        never.restart(1)
        assert never.remaining() is None

    run_with_fake_clock(main())
