"""`Waiter`: a task goes on at once or by the loop, and many of them together."""

import asyncio
import contextvars
import gc
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import pytest
from wayfare_http_core.aio import Deadline, Waiter
from wayfare_http_core.testing import ticks


def new_waiter() -> Waiter[str]:
    return Waiter(asyncio.get_running_loop())


async def wait(waiter: Waiter[str], seen: list[str]) -> None:
    try:
        seen.append(await waiter)
    except BaseException as error:
        seen.append(repr(error))
        raise


async def test_woken_in_a_callback_it_goes_on_at_once() -> None:
    waiter, seen = new_waiter(), list[str]()
    task = asyncio.ensure_future(wait(waiter, seen))
    await ticks(2)
    assert asyncio.isfuture(waiter)
    inside: list[list[str]] = []

    def callback() -> None:
        waiter.wake("woken")
        inside.append(list(seen))
        waiter.wake("again")

    asyncio.get_running_loop().call_soon(callback)
    await task
    assert inside == [["woken"]]
    assert (waiter.peek(), seen) == (None, ["woken"])


async def test_a_result_that_is_set_goes_by_the_loop() -> None:
    waiter, seen = new_waiter(), list[str]()
    task = asyncio.ensure_future(wait(waiter, seen))
    await ticks(2)
    assert waiter.peek() is None
    inside: list[list[str]] = []

    def callback() -> None:
        waiter.set_result("set")
        inside.append(list(seen))
        waiter.set_result("again")
        waiter.set_exception(KeyError("too late"))

    asyncio.get_running_loop().call_soon(callback)
    await task
    assert (inside, seen) == ([[]], ["set"])


async def test_woken_by_a_task_it_goes_by_the_loop() -> None:
    waiter, seen = new_waiter(), list[str]()
    task = asyncio.ensure_future(wait(waiter, seen))
    await ticks(2)
    waiter.wake("woken")
    assert (waiter.done(), waiter.peek(), seen) == (True, "woken", [])
    await task
    assert seen == ["woken"]


async def test_woken_before_anybody_waits() -> None:
    waiter = new_waiter()
    waiter.wake("first")
    assert await waiter == "first"
    waiter.arm()
    assert (waiter.done(), waiter.peek()) == (False, None)
    waiter.set_result("second")
    assert await waiter == "second"
    waiter.arm()
    waiter.set_exception(KeyError("early"))
    with pytest.raises(KeyError):
        await waiter


async def test_a_context_that_cannot_be_entered_twice() -> None:
    """A callback that runs in the task's own context leaves it to the loop."""
    loop = asyncio.get_running_loop()
    waiter, seen = new_waiter(), list[str]()
    shared = contextvars.copy_context()
    task = loop.create_task(wait(waiter, seen), context=shared)
    await ticks(2)
    loop.call_soon(waiter.wake, "woken", context=shared)
    await task
    assert seen == ["woken"]


@pytest.mark.parametrize("message", [None, "why"])
async def test_cancelled(message: str | None) -> None:
    waiter, seen = new_waiter(), list[str]()
    task = asyncio.ensure_future(wait(waiter, seen))
    await ticks(2)
    task.cancel(message)
    waiter.wake("too late")
    assert waiter.cancel() is False
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == [f"CancelledError({'' if message is None else repr(message)})"]
    assert waiter.get_loop() is asyncio.get_running_loop()


@pytest.mark.parametrize("way", ["limit", "hold"])
async def test_a_deadline_ends_the_wait(way: str) -> None:
    waiter, seen = new_waiter(), list[str]()
    getattr(Deadline.after(0.001), way)(waiter)
    with pytest.raises(TimeoutError):
        await wait(waiter, seen)
    assert seen == ["TimeoutError()"]


class _Failure(Exception):
    """An exception that can be referred to weakly."""


async def test_an_error_leaves_no_cycle_for_the_garbage_collector() -> None:
    """Its traceback holds the frames that it passed, and these the waiter."""
    held: list[weakref.ref[_Failure]] = []

    async def fail() -> None:
        waiter, error = new_waiter(), _Failure()
        held.append(weakref.ref(error))
        waiter.set_exception(error)
        del error
        await waiter

    gc.disable()
    try:
        with suppress(_Failure):
            await fail()
        assert held[0]() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("how", ["wake", "set_result"])
async def test_an_error_of_the_task_leaves_no_cycle_either(how: str) -> None:
    """Its traceback holds the frames that let the task go on, and these must not hold the task."""
    waiter = new_waiter()

    async def fail() -> None:
        await waiter
        raise _Failure

    gc.disable()
    try:
        task = asyncio.ensure_future(fail())
        await ticks(2)
        asyncio.get_running_loop().call_soon(getattr(waiter, how), "result")
        await asyncio.wait([task])
        error = weakref.ref(cast(_Failure, task.exception()))
        del task
        await ticks(2)
        assert error() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("how", ["wake", "set_result"])
async def test_nothing_of_the_task_is_kept(how: str) -> None:
    """A connection has its waiter for the next exchange, which may come in minutes."""

    class Mine:
        """What a task has in its context."""

    variable: contextvars.ContextVar[Mine] = contextvars.ContextVar("variable")
    waiter = new_waiter()
    mine = Mine()
    kept = weakref.ref(mine)
    context = contextvars.copy_context()
    context.run(variable.set, mine)
    task = asyncio.get_running_loop().create_task(wait(waiter, []), context=context)
    await ticks(2)
    asyncio.get_running_loop().call_soon(getattr(waiter, how), "result")
    await task
    del task, context, mine
    await ticks(2)
    assert kept() is None


# Many at once


async def waiting(
    number: int, steps: list[str], then: Callable[[int], object] = lambda number: None
) -> tuple[list[Waiter[str]], list[asyncio.Task[None]]]:
    """So many tasks that wait, each for its own waiter, and note what they get."""

    async def wait_for(place: int, waiter: Waiter[str]) -> None:
        steps.append(f"{place} {await waiter}")
        then(place)

    waiters = [new_waiter() for _ in range(number)]
    tasks = [asyncio.ensure_future(wait_for(*pair)) for pair in enumerate(waiters)]
    await ticks(2)
    return waiters, tasks


async def test_all_that_end_in_one_iteration_go_on_in_the_next_in_their_order() -> None:
    loop, steps = asyncio.get_running_loop(), list[str]()
    waiters, tasks = await waiting(3, steps, lambda place: loop.call_soon(steps.append, "later"))
    for place in (2, 0):
        loop.call_soon(waiters[place].set_result, "together")
    loop.call_soon(waiters[1].set_exception, KeyError("why"))
    loop.call_soon(steps.append, "all arrived")
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert steps == ["all arrived", "2 together", "0 together", "later", "later"]
    assert [repr(one) for one in done] == ["None", "KeyError('why')", "None"]


async def test_those_that_one_of_them_lets_go_on_have_their_turn_after_other_callbacks() -> None:
    loop, steps = asyncio.get_running_loop(), list[str]()

    def pass_on(place: int) -> None:
        if place < 2:
            loop.call_soon(steps.append, "another callback")
            waiters[place + 1].set_result("by the one before")

    waiters, tasks = await waiting(3, steps, pass_on)
    waiters[0].set_result("first")
    await asyncio.gather(*tasks)
    another = "another callback"
    assert steps == ["0 first", another, "1 by the one before", another, "2 by the one before"]


@pytest.mark.parametrize("leaver", [0, 2])
@pytest.mark.parametrize("debug", [False, True])
def test_a_task_that_ends_the_program_keeps_no_other_from_going_on(
    debug: bool, leaver: int
) -> None:
    """An exit leaves the loop from within a task; who runs the loop again finds everything in order."""
    steps: list[str] = []

    def leave(place: int) -> None:
        if place == leaver:
            raise SystemExit(3)

    with asyncio.Runner(debug=debug) as runner:
        loop = runner.get_loop()
        waiters, tasks = loop.run_until_complete(waiting(3, steps, leave))
        for waiter in waiters:
            waiter.set_result("woken")
        with pytest.raises(SystemExit):
            loop.run_until_complete(asyncio.wait(tasks))
        assert steps == [f"{place} woken" for place in range(leaver + 1)]
        loop.run_until_complete(asyncio.wait(tasks))
        assert steps == ["0 woken", "1 woken", "2 woken"]
        assert isinstance(tasks[leaver].exception(), SystemExit)


def test_debug_mode_says_which_task_was_slow(caplog: pytest.LogCaptureFixture) -> None:
    """What many tasks take together is not the time of one slow callback."""
    now = 0.0

    def take_a_while(place: int) -> None:
        nonlocal now
        now += 0.6 if place == 1 else 0.4

    async def run() -> str:
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 0.5
        loop.time = lambda: now  # type: ignore[method-assign]  # the clock that debug mode reads
        waiters, tasks = await waiting(3, [], take_a_while)
        for waiter in waiters:
            waiter.set_result("woken")
        await asyncio.gather(*tasks)
        return tasks[1].get_name()

    with caplog.at_level("WARNING", logger="asyncio"):
        name = asyncio.run(run(), debug=True)
    assert now == pytest.approx(1.4)
    (message,) = [one for one in caplog.messages if "took" in one]
    assert name in message
