"""Deadlines on futures: `Deadline.limit`, for whoever waits for nothing but one future."""

import asyncio
import gc
import weakref

import pytest
from wayfare_http_core.aio._deadlines import _SPARE_ENTRIES, Deadline, DeadlineQueue
from wayfare_http_core.testing import run_with_fake_clock


class Late(Exception):
    """What the deadlines of this module raise."""


class Result:
    """Something that can be seen to be freed."""


def now() -> float:
    return asyncio.get_running_loop().time()


def future() -> "asyncio.Future[object]":
    return asyncio.get_running_loop().create_future()


def entries() -> int:
    return len(DeadlineQueue.for_loop(asyncio.get_running_loop())._heap)


@pytest.mark.parametrize("seconds", [10, 0, -5])
def test_a_future_fails_at_the_moment(seconds: float) -> None:
    async def main() -> None:
        start = now()
        waiting = future()
        Deadline.after(seconds, Late).limit(waiting)
        with pytest.raises(Late):
            await waiting
        assert now() == pytest.approx(start + max(seconds, 0))
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run_with_fake_clock(main())


@pytest.mark.parametrize("ended", ["result", "error", "cancelled", "dropped"])
def test_a_future_that_is_done_is_left_alone(ended: str) -> None:
    async def main() -> None:
        waiting = future()
        deadline = Deadline.after(10, Late)
        deadline.limit(waiting)
        deadline.close()
        if ended == "result":
            waiting.set_result(5)
        elif ended == "error":
            waiting.set_exception(KeyError())
        elif ended == "cancelled":
            waiting.cancel()
        kept = None if ended == "dropped" else waiting
        del waiting
        await asyncio.sleep(20)
        assert entries() == 0
        if ended == "result":
            assert kept is not None
            assert await kept == 5
        elif ended == "error":
            assert kept is not None
            with pytest.raises(KeyError):
                await kept
        elif ended == "cancelled":
            assert kept is not None
            assert kept.cancelled()

    run_with_fake_clock(main())


def test_closing_does_not_take_a_limit_back() -> None:
    async def main() -> None:
        waiting = future()
        deadline = Deadline.after(10, Late)
        deadline.limit(waiting)
        deadline.close()
        with pytest.raises(Late):
            await waiting

    run_with_fake_clock(main())


def test_never() -> None:
    async def main() -> None:
        waiting = future()
        Deadline.after(None, Late).limit(waiting)
        assert entries() == 0
        await asyncio.sleep(1e6)
        assert not waiting.done()

    run_with_fake_clock(main())


def test_blocks_and_futures_share_the_queue() -> None:
    async def block(seconds: float, order: list[float]) -> None:
        with pytest.raises(Late), Deadline.after(seconds, Late):
            await future()
        order.append(seconds)

    async def limited(seconds: float, order: list[float]) -> None:
        waiting = future()
        Deadline.after(seconds, Late).limit(waiting)
        with pytest.raises(Late):
            await waiting
        order.append(seconds)

    async def main() -> list[float]:
        order: list[float] = []
        await asyncio.gather(
            block(3, order), limited(2, order), limited(4, order), block(1, order), block(5, order)
        )
        return order

    assert run_with_fake_clock(main()) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("cancel_first", [True, False])
def test_o4_expiry_and_cancellation_together(cancel_first: bool) -> None:
    """O4: both in the same tick stay a cancellation."""

    async def wait(waiting: "asyncio.Future[object]") -> None:
        await waiting

    async def main() -> None:
        loop = asyncio.get_running_loop()
        waiting = future()
        task = asyncio.create_task(wait(waiting))
        await asyncio.sleep(0)
        when = now() + 10
        deadline = Deadline.after(10, Late)
        if cancel_first:
            loop.call_at(when, task.cancel)
            deadline.limit(waiting)
        else:
            deadline.limit(waiting)
            loop.call_at(when, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        if not cancel_first:
            assert isinstance(waiting.exception(), Late)

    run_with_fake_clock(main())


def test_results_are_not_kept() -> None:
    """An entry may wait for minutes; what the future brought, a response say, is freed before."""

    async def main() -> None:
        deadline = Deadline.after(3600, Late)
        waiting = future()
        deadline.limit(waiting)
        waiting.set_result(Result())
        gone = weakref.ref(await waiting)
        del waiting
        deadline.close()
        gc.collect()
        assert gone() is None
        assert entries() == 1

    run_with_fake_clock(main())


def test_dead_entries_are_swept() -> None:
    async def main() -> None:
        live = [future() for _ in range(100)]
        for waiting in live:
            Deadline.after(3600, Late).limit(waiting)
        most = 0
        for _ in range(5000):
            waiting = future()
            Deadline.after(3600).limit(waiting)
            waiting.set_result(None)
            most = max(most, entries())
        assert most <= 2 * len(live) + _SPARE_ENTRIES + 3
        await asyncio.sleep(3600)
        assert all(isinstance(waiting.exception(), Late) for waiting in live)
        assert entries() == 0

    run_with_fake_clock(main())


def test_a_held_future_fails_at_the_moment() -> None:
    async def main() -> None:
        start = now()
        waiting = future()
        deadline = Deadline.after(10, Late)
        number = deadline.hold(waiting)
        with pytest.raises(Late):
            await waiting
        assert now() == pytest.approx(start + 10)
        deadline.release(number)
        assert entries() == 0

    run_with_fake_clock(main())


@pytest.mark.parametrize("done", [True, False])
def test_a_released_future_is_left_alone_and_not_kept(done: bool) -> None:
    async def main() -> None:
        deadline = Deadline.after(10, Late)
        other = future()
        Deadline.after(20, Late).hold(other)
        waiting = future()
        number = deadline.hold(waiting)
        if done:
            waiting.set_result(Result())
        deadline.release(number)
        deadline.release(number)
        gone = weakref.ref(waiting)
        del waiting
        assert gone() is None
        await asyncio.sleep(15)
        assert not other.done()
        await asyncio.sleep(10)
        assert isinstance(other.exception(), Late)

    run_with_fake_clock(main())


def test_a_held_future_that_is_done_is_left_alone() -> None:
    async def main() -> None:
        waiting = future()
        Deadline.after(10, Late).hold(waiting)
        waiting.set_result(5)
        await asyncio.sleep(20)
        assert entries() == 0
        assert await waiting == 5

    run_with_fake_clock(main())


def test_a_deadline_that_never_comes_holds_nothing() -> None:
    async def main() -> None:
        deadline = Deadline.after(None, Late)
        waiting = future()
        number = deadline.hold(waiting)
        assert entries() == 0
        deadline.release(number)
        closed = Deadline.after(10, Late)
        closed.close()
        closed.release(closed.hold(waiting))
        assert entries() == 0
        await asyncio.sleep(20)
        assert not waiting.done()

    run_with_fake_clock(main())


def test_the_collector_need_not_look_at_the_entries_of_held_futures() -> None:
    """Many requests under way are looked at again and again, so what each of them adds is counted."""

    async def main() -> None:
        deadline = Deadline.after(3600, Late)
        waiting = [future() for _ in range(100)]
        queue = DeadlineQueue.for_loop(asyncio.get_running_loop())
        numbers = [deadline.hold(one) for one in waiting]
        gc.collect()
        assert len(queue._heap) == len(waiting)
        assert not any(gc.is_tracked(entry) for entry in queue._heap)
        for number in numbers:
            deadline.release(number)
        assert not queue._waiting
        assert not queue._errors

    run_with_fake_clock(main())


def test_entries_of_released_futures_are_swept() -> None:
    async def main() -> None:
        live = [future() for _ in range(100)]
        for waiting in live:
            Deadline.after(3600, Late).limit(waiting)
        most = 0
        for _ in range(5000):
            deadline = Deadline.after(3600)
            deadline.release(deadline.hold(future()))
            most = max(most, entries())
        assert most <= 2 * len(live) + _SPARE_ENTRIES + 3
        await asyncio.sleep(3600)
        assert all(isinstance(waiting.exception(), Late) for waiting in live)
        assert entries() == 0

    run_with_fake_clock(main())
