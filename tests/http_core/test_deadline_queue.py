"""Deadlines: what the queue keeps of them, and when it forgets; see `test_deadlines` for the rest."""

import asyncio
import contextlib
import gc
import math
import weakref
from collections.abc import Awaitable
from typing import Any

import pytest
from wayfare_http_core.aio._deadlines import _SPARE_ENTRIES, Deadline, DeadlineQueue
from wayfare_http_core.testing import FakeClockLoop, run_with_fake_clock


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
