"""`Waiter`: woken at once where no task runs, by the loop otherwise."""

import asyncio
import contextvars
import gc
import weakref
from contextlib import suppress

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
