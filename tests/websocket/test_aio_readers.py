"""Who receives is woken where the message arrives, inside of a callback of the transport."""

import asyncio
import contextvars

import pytest
from wayfare_http_core.testing import ticks

from .conftest import Connect

COUNTER: contextvars.ContextVar[int] = contextvars.ContextVar("counter", default=0)


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
