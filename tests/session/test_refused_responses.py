"""`raise_for_status=True`: the error waits a little for what the server has to say, and never long."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
import wayfare
from wayfare import ClientSession, TCPConnector
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    Action,
    Fin,
    MemoryNetwork,
    ReadRequest,
    ScriptedServer,
    Send,
    Stall,
    Wait,
    run_with_fake_clock,
)

Result = TypeVar("Result")

HEAD = b"HTTP/1.1 500 Oops\r\nContent-Length: 12\r\n\r\n"


def refused(*actions: Action, **options: Any) -> tuple[wayfare.ClientResponseError, float]:
    """The error that a script leads to, and after how many seconds."""

    async def use(session: ClientSession) -> tuple[wayfare.ClientResponseError, float]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(wayfare.ClientResponseError) as caught:
            await session.get("/", raise_for_status=True, **options)
        return caught.value, loop.time() - started

    return against(use, *actions)


def against(
    use: Callable[[ClientSession], Coroutine[Any, Any, Result]], *actions: Action
) -> Result:
    async def main() -> Result:
        network = MemoryNetwork()
        server = ScriptedServer((ReadRequest(), *actions))
        network.serve("h", 80, server)
        connector = TCPConnector(dialer=MemoryDialer(network))
        async with ClientSession("http://h/", connector=connector) as session:
            result = await use(session)
            await asyncio.sleep(
                60
            )  # a small rest of the content is waited for before it is given up
            assert connector.stats().leased == 0
        network.client_transports.assert_all_closed()
        server.abort()
        await asyncio.sleep(0)
        return result

    return run_with_fake_clock(main())


def test_content_that_comes_behind_the_head_is_in_the_error() -> None:
    error, elapsed = refused(Send(HEAD), Wait(0.5), Send(b"the "), Wait(0.3), Send(b"database"))
    assert (error.status, error.body) == (500, b"the database")
    assert elapsed == pytest.approx(0.8, abs=0.05)


def test_content_that_is_slow_is_waited_for_one_second() -> None:
    error, elapsed = refused(Send(HEAD), Wait(0.5), Send(b"the "), Stall())
    assert error.body == b"the "
    assert elapsed == pytest.approx(1, abs=0.05)


def test_the_total_time_ends_the_waiting_too() -> None:
    error, elapsed = refused(Send(HEAD + b"the "), Stall(), timeout=0.2)
    assert error.body == b"the "
    assert elapsed == pytest.approx(0.2, abs=0.05)


def test_content_that_breaks_off_is_kept_as_far_as_it_came() -> None:
    error, _ = refused(Send(HEAD), Wait(0.1), Send(b"the data"), Fin())
    assert (error.status, error.body) == (500, b"the data")


def test_endless_content_is_kept_up_to_64_kib() -> None:
    head = b"HTTP/1.1 500 Oops\r\nContent-Length: 10000000\r\n\r\n"
    error, elapsed = refused(Send(head), Wait(0.1), Send(bytes(500_000)), Stall())
    assert error.body == bytes(64 * 1024)
    assert elapsed < 1


def test_an_error_without_content_does_not_wait() -> None:
    error, elapsed = refused(Send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
    assert error.body == b""
    assert elapsed < 0.05


def test_cancelled_while_it_waits_it_releases_the_response() -> None:
    async def use(session: ClientSession) -> None:
        async def request() -> None:
            await session.get("/", raise_for_status=True)

        task = asyncio.create_task(request())
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    against(use, Send(HEAD + b"the "), Stall())
