"""Deadlines and cancellation: who wins when, and that nobody is cancelled twice or for nothing.

Each case runs with `asyncio.timeout` too, and both must end the same way.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import pytest
from wayfare_http_core.aio._deadlines import Deadline
from wayfare_http_core.testing import run_with_fake_clock


def forever() -> Awaitable[None]:
    return asyncio.get_running_loop().create_future()


def cancelling() -> int:
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


class AsyncDeadline:
    """A deadline with the shape of `asyncio.timeout`, so that a case fits both."""

    def __init__(self, seconds: float) -> None:
        self.deadline = Deadline.after(seconds)

    async def __aenter__(self) -> "AsyncDeadline":
        self.deadline.__enter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.deadline.__exit__(exc_type, exc, traceback)


Guard = Callable[[float], contextlib.AbstractAsyncContextManager[Any]]
Outcome = tuple[str, int]


async def outcome(body: Awaitable[object]) -> Outcome:
    """How a body ended in the current task, and the requests to cancel that it left behind."""
    try:
        await body
    except BaseException as error:
        return type(error).__name__, cancelling()
    return "returned", cancelling()


async def in_task(body: Callable[[], Awaitable[object]], *cancel_after: float) -> tuple[str, int]:
    """The outcome of a body in a task that is cancelled from outside after the given times."""
    task = asyncio.create_task(outcome(body()))
    loop = asyncio.get_running_loop()
    for seconds in cancel_after:
        loop.call_later(seconds, task.cancel)
    return await task


async def expiry(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            await forever()

    return await in_task(body)


async def in_time(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(2):
            await asyncio.sleep(1)
        await asyncio.sleep(5)

    return await in_task(body)


async def cancelled_first(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(2):
            await forever()

    return await in_task(body, 1)


async def cancelled_in_the_same_tick(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            await forever()

    return await in_task(body, 1)


async def cancelled_in_the_same_tick_but_first(guard: Guard) -> Outcome:
    async def body() -> None:
        await asyncio.sleep(0.5)
        async with guard(0.5):
            await forever()

    return await in_task(body, 1)


async def cancelled_twice_and_late(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            await forever()

    return await in_task(body, 1, 1)


async def cancelled_after_the_block(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            await asyncio.sleep(0.5)
        await forever()

    return await in_task(body, 2)


async def cancelled_before_the_block(guard: Guard) -> Outcome:
    async def body() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await forever()
        async with guard(1):
            await forever()

    return await in_task(body, 1)


async def cancelled_while_cleaning_up(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            try:
                await forever()
            finally:
                await asyncio.sleep(2)

    return await in_task(body, 2)


async def swallowed(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            with contextlib.suppress(asyncio.CancelledError):
                await forever()
        await asyncio.sleep(1)

    return await in_task(body)


async def replaced_by_another_error(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            try:
                await forever()
            except asyncio.CancelledError:
                raise KeyError from None

    return await in_task(body)


async def error_before_expiry(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            raise KeyError

    return await in_task(body)


async def own_cancelled_error(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            raise asyncio.CancelledError

    return await in_task(body)


async def inner_first(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(2):
            with contextlib.suppress(TimeoutError):
                async with guard(1):
                    await forever()
            await asyncio.sleep(0.5)

    return await in_task(body)


async def outer_first(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            with contextlib.suppress(TimeoutError):
                async with guard(2):
                    await forever()
            raise AssertionError("the outer block had expired")

    return await in_task(body)


async def inner_and_outer_together(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            with contextlib.suppress(TimeoutError):
                async with guard(1):
                    await forever()
            raise AssertionError("the outer block had expired")

    return await in_task(body)


async def timeout_outside(guard: Guard) -> Outcome:
    async def body() -> None:
        async with asyncio.timeout(1):
            with contextlib.suppress(TimeoutError):
                async with guard(2):
                    await forever()
            raise AssertionError("the outer block had expired")

    return await in_task(body)


async def timeout_inside(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await forever()
            raise AssertionError("the outer block had expired")

    return await in_task(body)


async def timeout_and_deadline_together(guard: Guard) -> Outcome:
    async def body() -> None:
        async with asyncio.timeout(1), guard(1), asyncio.timeout(1):
            await forever()

    return await in_task(body)


async def wait_for_outside(guard: Guard) -> Outcome:
    async def late() -> None:
        async with guard(2):
            await forever()

    async def body() -> None:
        await asyncio.wait_for(late(), 1)

    return await in_task(body)


async def wait_for_inside(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1):
            await asyncio.wait_for(forever(), 2)

    return await in_task(body)


async def group_inside(guard: Guard) -> Outcome:
    async def body() -> None:
        async with guard(1), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(5))
            await forever()

    return await in_task(body)


async def group_outside(guard: Guard) -> Outcome:
    async def body() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(5))
            async with guard(1):
                await forever()

    return await in_task(body)


async def group_child_fails(guard: Guard) -> Outcome:
    async def fail() -> None:
        await asyncio.sleep(0.5)
        raise KeyError

    async def body() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            async with guard(1):
                await forever()

    return await in_task(body)


async def group_child_fails_in_the_same_tick(guard: Guard) -> Outcome:
    async def fail() -> None:
        await asyncio.sleep(1)
        raise KeyError

    async def body() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            async with guard(1):
                await forever()

    return await in_task(body)


async def waiting_for_a_child(guard: Guard) -> Outcome:
    async def body() -> None:
        child = asyncio.create_task(asyncio.sleep(5))
        try:
            async with guard(1):
                await child
        finally:
            assert child.cancelled()

    return await in_task(body)


async def shielded(guard: Guard) -> Outcome:
    async def body() -> None:
        child = asyncio.create_task(asyncio.sleep(5))
        try:
            async with guard(1):
                await asyncio.shield(child)
        finally:
            assert not child.done()
            await child

    return await in_task(body)


async def ready_in_the_same_tick(guard: Guard) -> Outcome:
    """The timer of the block was armed first and is first."""

    async def body() -> None:
        async with guard(1):
            await asyncio.sleep(1)

    return await in_task(body)


CASES: list[tuple[Callable[[Guard], Awaitable[Outcome]], Outcome]] = [
    (expiry, ("TimeoutError", 0)),
    (in_time, ("returned", 0)),
    (cancelled_first, ("CancelledError", 1)),
    (cancelled_in_the_same_tick, ("CancelledError", 1)),
    (cancelled_in_the_same_tick_but_first, ("CancelledError", 1)),
    (cancelled_twice_and_late, ("CancelledError", 2)),
    (cancelled_after_the_block, ("CancelledError", 1)),
    (cancelled_before_the_block, ("TimeoutError", 1)),
    (cancelled_while_cleaning_up, ("CancelledError", 1)),
    (swallowed, ("returned", 0)),
    (replaced_by_another_error, ("KeyError", 0)),
    (error_before_expiry, ("KeyError", 0)),
    (own_cancelled_error, ("CancelledError", 0)),
    (inner_first, ("returned", 0)),
    (outer_first, ("TimeoutError", 0)),
    (inner_and_outer_together, ("TimeoutError", 0)),
    (timeout_outside, ("TimeoutError", 0)),
    (timeout_inside, ("TimeoutError", 0)),
    (timeout_and_deadline_together, ("TimeoutError", 0)),
    (wait_for_outside, ("TimeoutError", 0)),
    (wait_for_inside, ("TimeoutError", 0)),
    (group_inside, ("TimeoutError", 0)),
    (group_outside, ("ExceptionGroup", 0)),
    (group_child_fails, ("ExceptionGroup", 0)),
    (waiting_for_a_child, ("TimeoutError", 0)),
    (shielded, ("TimeoutError", 0)),
    (ready_in_the_same_tick, ("TimeoutError", 0)),
]


@pytest.mark.parametrize("guard", [AsyncDeadline, asyncio.timeout], ids=["deadline", "timeout"])
@pytest.mark.parametrize(("case", "expected"), CASES, ids=[case.__name__ for case, _ in CASES])
def test_o4_o5_cancellation(
    case: Callable[[Guard], Awaitable[Outcome]], expected: Outcome, guard: Guard
) -> None:
    """O4, O5, O6: who wins, and that the count of requests to cancel is balanced."""

    async def main() -> Outcome:
        return await case(guard)

    assert run_with_fake_clock(main()) == expected


def test_o5_group_and_expiry_in_the_same_tick() -> None:
    """O5: what the group reports is its choice; ours ends as `asyncio.timeout` does."""

    async def main() -> list[Outcome]:
        return [
            await group_child_fails_in_the_same_tick(guard)
            for guard in (AsyncDeadline, asyncio.timeout)
        ]

    ours, theirs = run_with_fake_clock(main())
    assert ours == theirs


def test_o5_eager_tasks() -> None:
    """O5: a block that is entered while a task starts eagerly guards that task."""

    async def main() -> Outcome:
        loop = asyncio.get_running_loop()
        factory = getattr(asyncio, "eager_task_factory", None)
        loop.set_task_factory(factory)
        return await expiry(AsyncDeadline)

    assert run_with_fake_clock(main()) == ("TimeoutError", 0)
