"""`Waiter`: woken at once where no task runs, by the loop otherwise."""

import asyncio
import contextvars

import pytest
from wayfare_http_core.testing import ticks
from wayfare_websocket.aio._waiter import Waiter

from .conftest import Connect

COUNTER: contextvars.ContextVar[int] = contextvars.ContextVar("counter", default=0)


async def wait(waiter: Waiter, seen: list[str]) -> None:
    waiter.arm()
    try:
        await waiter
        seen.append("woken")
    except BaseException as error:
        seen.append(repr(error))
        raise


async def test_woken_in_a_callback_it_goes_on_at_once() -> None:
    loop = asyncio.get_running_loop()
    waiter, seen = Waiter(loop), list[str]()
    task = asyncio.ensure_future(wait(waiter, seen))
    await ticks(2)
    assert asyncio.isfuture(waiter)
    inside: list[list[str]] = []

    def callback() -> None:
        waiter.wake()
        inside.append(list(seen))
        waiter.wake()

    loop.call_soon(callback)
    await task
    assert inside == [["woken"]]


async def test_woken_by_a_task_it_goes_by_the_loop() -> None:
    waiter, seen = Waiter(asyncio.get_running_loop()), list[str]()
    task = asyncio.ensure_future(wait(waiter, seen))
    await ticks(2)
    waiter.wake()
    assert (waiter.done(), seen) == (True, [])
    await task
    assert seen == ["woken"]


async def test_woken_before_anybody_waits() -> None:
    waiter = Waiter(asyncio.get_running_loop())
    waiter.wake()
    waiter.arm()
    waiter.wake()
    await waiter
    waiter.arm()
    waiter.set_exception(KeyError("early"))
    with pytest.raises(KeyError):
        await waiter


async def test_a_context_that_cannot_be_entered_twice() -> None:
    """A callback that runs in the task's own context leaves it to the loop."""
    loop = asyncio.get_running_loop()
    waiter, seen = Waiter(loop), list[str]()
    shared = contextvars.copy_context()
    task = loop.create_task(wait(waiter, seen), context=shared)
    await ticks(2)
    loop.call_soon(waiter.wake, context=shared)
    await task
    assert seen == ["woken"]


async def test_the_task_runs_in_its_own_context(connect: Connect) -> None:
    client, peer = await connect()
    seen: list[int] = []

    async def read() -> None:
        COUNTER.set(7)
        await client.receive()
        seen.append(COUNTER.get())

    task = asyncio.ensure_future(read())
    await ticks(2)
    peer.text("x")
    await task
    assert seen == [7]
    assert COUNTER.get() == 0


@pytest.mark.parametrize("message", [None, "why"])
async def test_cancelled(message: str | None) -> None:
    waiter, seen = Waiter(asyncio.get_running_loop()), list[str]()
    task = asyncio.ensure_future(wait(waiter, seen))
    await ticks(2)
    task.cancel(message)
    waiter.wake()
    assert waiter.cancel() is False
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == [f"CancelledError({'' if message is None else repr(message)})"]
    assert waiter.get_loop() is asyncio.get_running_loop()


async def test_an_error_of_the_reader_stays_its_own(connect: Connect) -> None:
    """What goes wrong in a reader does not reach the transport that woke it."""
    client, peer = await connect()

    async def read() -> None:
        await client.receive()
        raise KeyError("of the reader")

    task = asyncio.ensure_future(read())
    await ticks(2)
    peer.text("x", "y")
    with pytest.raises(KeyError):
        await task
    assert await client.receive_str() == "y"


async def test_a_reader_that_closes_where_it_is_woken(connect: Connect) -> None:
    """The callback that brought the message goes on with a WebSocket that is closing."""
    client, peer = await connect()

    async def read() -> bool:
        await client.receive()
        return await client.close()

    task = asyncio.ensure_future(read())
    await ticks(2)
    peer.text("x", "y")
    await ticks()
    peer.close()
    peer.transport.close()
    assert await task
    assert client.close_code == 1000


async def test_a_large_message_is_received_into_its_place(connect: Connect) -> None:
    """Nothing is lost or mixed where the memory changes: before, inside of and behind it."""
    client, peer = await connect(capacity=1 << 20)
    large = bytes(range(256)) * 8192
    peer.text("a")
    peer.binary(large)
    peer.text("b")
    assert await client.receive_str() == "a"
    assert await client.receive_bytes() == large
    assert await client.receive_str() == "b"
    for _ in range(3):
        peer.binary(large, large[:100_000])
        assert await client.receive_bytes() == large
        assert await client.receive_bytes() == large[:100_000]
    peer.transport.write(peer.engine.send_bytes(large)[:500_000])
    await ticks()
    peer.transport.close()
    assert (await client.receive()).data is None
