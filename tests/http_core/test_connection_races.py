"""Exchanges that end and are given up in the same tick: the connection must follow what came first."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from wayfare_http_core import Connection, RequestHead
from wayfare_http_core.aio import Deadline, HTTP1Connection
from wayfare_http_core.testing import ScriptedPeer, memory_pair

HEAD = RequestHead("GET", "http", "h", "/")
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


class Owner:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def connection_idle(self, connection: Connection, /) -> None:
        self.told.append("idle")

    def connection_retired(self, connection: Connection, /) -> None:
        self.told.append("retired")

    def connection_lost(self, connection: Connection, /) -> None:
        self.told.append("lost")


@pytest.fixture
async def connection() -> AsyncIterator[HTTP1Connection]:
    """A connection to a silent peer; the tests play the peer by hand."""
    connection = HTTP1Connection(Owner())
    peer = ScriptedPeer(())
    memory_pair(connection, peer)
    await asyncio.sleep(0)
    yield connection
    connection.abort()
    await connection.wait_closed()
    await peer.wait_closed()


async def begin(
    connection: HTTP1Connection, deadline: Deadline | None = None
) -> "asyncio.Task[bytes]":
    """Start an exchange in a task of its own and let it come to its wait."""

    async def run() -> bytes:
        exchange = await connection.exchange(HEAD, deadline=deadline)
        return await exchange.content.read()

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    return task


async def test_a_cancelled_caller_of_a_complete_response_harms_no_other(
    connection: HTTP1Connection,
) -> None:
    """L2, O4: the connection is lent again before the cancelled caller wakes."""
    first = await begin(connection)
    connection.data_received(WHOLE)
    first.cancel()
    second = asyncio.create_task(connection.exchange(HEAD))
    with pytest.raises(asyncio.CancelledError):
        await first
    await asyncio.sleep(0)
    connection.data_received(WHOLE)
    assert (await second).is_complete
    assert connection.available_exchanges == 1


async def test_two_exchanges_that_end_before_the_first_caller_wakes(
    connection: HTTP1Connection,
) -> None:
    """Each caller gets its own response, and so does the next one."""
    first = await begin(connection)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    asyncio.get_running_loop().call_soon(connection.data_received, answer + b"2")
    connection.data_received(answer + b"1")
    # It begins here and ends in that callback, which comes before the first caller's turn.
    second = await connection.exchange(HEAD)
    assert (second.take_whole(), await first) == (b"2", b"1")
    third = await begin(connection)
    connection.data_received(answer + b"3")
    assert await third == b"3"


async def test_a_cancelled_caller_of_a_response_that_goes_on_ends_the_connection(
    connection: HTTP1Connection,
) -> None:
    task = await begin(connection)
    connection.data_received(BEGUN)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.available_exchanges == 0


@pytest.mark.parametrize("octets", [WHOLE, BEGUN])
async def test_octets_for_a_caller_who_is_cancelled_already(
    connection: HTTP1Connection, octets: bytes
) -> None:
    """A whole response leaves the connection usable, a part of one does not."""
    task = await begin(connection)
    task.cancel()
    connection.data_received(octets)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.available_exchanges == (1 if octets is WHOLE else 0)


async def test_octets_after_the_deadline_came_and_before_the_caller_woke(
    connection: HTTP1Connection,
) -> None:
    task = await begin(connection, Deadline.after(0))
    # The queue's timer and this one are due together: the first fails the wait, and the octets come before the task
    # runs.
    loop = asyncio.get_running_loop()
    loop.call_at(loop.time(), connection.data_received, BEGUN)
    with pytest.raises(TimeoutError):
        await task
    assert connection.available_exchanges == 0


@pytest.mark.parametrize("way", ["close", "abort"])
async def test_a_connection_closed_at_the_end_of_the_content_is_not_free_again(
    connection: HTTP1Connection, way: str
) -> None:
    task = asyncio.create_task(connection.exchange(HEAD))
    await asyncio.sleep(0)
    connection.data_received(BEGUN)
    exchange = await task
    exchange.content.on_eof(getattr(connection, way))
    connection.data_received(b"ok")
    assert (exchange.is_complete, await exchange.content.read()) == (True, b"ok")
    await connection.wait_closed()
    assert isinstance(connection.owner, Owner)
    assert connection.owner.told == ["retired", "lost"]
