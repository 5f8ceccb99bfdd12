"""Deadlines: what expiry and cancellation do to each other.

Time is a number here (`run_with_fake_clock`), so an hour passes at once and every order of events
is exact. The table of cancellations runs with `asyncio.timeout` too: where both can express a case,
both must end the same way.
"""

import asyncio
import importlib.util
import math
import sys
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import TypeVarTuple

import pytest
from wayfare_http_core.aio._deadlines import Deadline, DeadlineQueue
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
