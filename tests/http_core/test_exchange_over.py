"""Waiting until nothing of an exchange is under way (B29)."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from wayfare_http_core import RequestHead
from wayfare_http_core.testing import ReadRequest, Send

Connect = Callable[..., AbstractAsyncContextManager[Any]]

GET = RequestHead("GET", "http", "h", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"


async def test_a_complete_exchange_is_over(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(OK)) as w:
        exchange = await w.connection.exchange(GET)
        await exchange.wait_over()
        assert w.owner.told == ["idle"]


async def test_a_discarded_one_is_over_when_its_rest_has_arrived(connect: Connect) -> None:
    script = (ReadRequest(), Send(BEGUN), ReadRequest(), Send(OK))
    async with connect(*script) as w:
        exchange = await w.connection.exchange(GET)
        exchange.discard()
        waiting = [asyncio.create_task(exchange.wait_over()) for _ in range(2)]
        await asyncio.sleep(0)
        w.peer.write(b"the ")
        for _ in range(5):
            await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        w.peer.write(b"rest!")
        await asyncio.gather(*waiting)
        assert w.owner.told == ["idle"]
        # What happens on the connection from now on is another exchange's.
        other = await w.connection.exchange(GET)
        await exchange.wait_over()
        assert other.take_whole() == b"ok"


async def test_a_discarded_one_is_over_when_its_connection_is_gone(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(BEGUN)) as w:
        exchange = await w.connection.exchange(GET)
        exchange.discard()
        waiting = asyncio.create_task(exchange.wait_over())
        await asyncio.sleep(0)
        w.peer.transport.abort()
        await waiting
        assert w.owner.told == ["retired", "lost"]


async def test_an_aborted_one_is_over_when_its_connection_is_gone(connect: Connect) -> None:
    async with connect(ReadRequest(), Send(BEGUN)) as w:
        exchange = await w.connection.exchange(GET)
        exchange.abort()
        assert w.owner.told == ["retired"]
        await exchange.wait_over()
        assert w.owner.told == ["retired", "lost"]


async def test_cancelling_the_wait_cancels_nothing_else(connect: Connect) -> None:
    """Cancellation: the rest is read on."""
    async with connect(ReadRequest(), Send(BEGUN)) as w:
        exchange = await w.connection.exchange(GET)
        exchange.discard()
        waiting = asyncio.create_task(exchange.wait_over())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        w.peer.write(b"the rest!")
        await exchange.wait_over()
        assert w.owner.told == ["idle"]
