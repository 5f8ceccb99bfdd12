"""The same on every event loop and under every way to run tasks (O5, O12)."""

import asyncio
import errno
import gc
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvloop
from wayfare_connector import (
    ClientConnectorError,
    ConnectTimeouts,
    PoolTimeoutError,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import FakeResolver
from wayfare_http_core import Connection, RequestHead

from tests.stream_server import stream_server


def eager_loop() -> asyncio.AbstractEventLoop:
    """A loop whose tasks begin at once; before Python 3.12 there is none, and this is a plain one."""
    loop = asyncio.new_event_loop()
    loop.set_task_factory(getattr(asyncio, "eager_task_factory", None))
    return loop


LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [
    asyncio.new_event_loop,
    eager_loop,
    uvloop.new_event_loop,
]


@pytest.fixture(params=LOOPS, ids=["asyncio", "eager", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Runs a coroutine on one of the loops, in debug mode."""

    def run(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param, debug=True) as runner:
            runner.run(main)
        gc.collect()

    return run


Run = Callable[[Coroutine[Any, Any, None]], None]


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of an HTTP server that answers every request with 200, on any loop."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(OK)

    async with stream_server(serve, tls) as port:
        yield port


async def get(connection: Connection) -> bytes:
    exchange = await connection.exchange(RequestHead("GET", "http", "localhost", "/"))
    return await exchange.content.read()


async def connect_twice(target: Target) -> None:
    names = FakeResolver({"localhost": ["::1", "127.0.0.1"]})
    async with TCPConnector(resolver=names) as connector:
        for _ in range(2):
            connection = connector.lease_nowait(target) or await connector.connect(target)
            assert await get(connection) == b"hi"
        assert (connector.stats().created, connector.stats().reused) == (1, 1)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_o12_plain(run: Run, host: str) -> None:
    async def main() -> None:
        async with serving() as port:
            await connect_twice(Target("http", host, port))

    run(main())


def test_o12_tls(
    run: Run, tls_server_context: ssl.SSLContext, tls_client_context: ssl.SSLContext
) -> None:
    async def main() -> None:
        async with serving(tls_server_context) as port:
            await connect_twice(Target("https", "localhost", port, ssl=tls_client_context))

    run(main())


def test_o12_n2_refused(run: Run) -> None:
    async def main() -> None:
        with socket.socket() as sock:
            sock.bind(("", 0))  # on both addresses, and does not listen
            port = sock.getsockname()[1]
            names = FakeResolver({"localhost": ["127.0.0.2", "127.0.0.1"]})
            async with TCPConnector(resolver=names) as connector:
                with pytest.raises(ClientConnectorError) as raised:
                    await connector.connect(Target("http", "localhost", port))
        assert raised.value.errno == errno.ECONNREFUSED
        assert [attempt.address for attempt in raised.value.attempts] == [
            ("127.0.0.2", port),
            ("127.0.0.1", port),
        ]

    run(main())


async def fail_in_a_group(connector: TCPConnector, target: Target) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(connector.connect(target))
        await asyncio.sleep(0)
        raise ZeroDivisionError


def test_o5_under_what_bounds_and_groups_tasks(run: Run) -> None:
    async def main() -> None:
        async with serving() as port, TCPConnector(limit=1) as connector:
            target = Target("http", "127.0.0.1", port)
            connection = await connector.connect(target)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(connector.connect(target), 0.001)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await connector.connect(target)
            with pytest.raises(PoolTimeoutError):
                async with asyncio.timeout(3600):
                    await connector.connect(target, ConnectTimeouts(connect=0.001))
            with pytest.raises(ExceptionGroup):
                await fail_in_a_group(connector, target)
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0
            assert connector.stats().waiting == 0
            assert await get(connection) == b"hi"

    run(main())


def test_o5_close_during_a_dial_leaves_the_count_of_cancellations(run: Run) -> None:
    async def main() -> None:
        resolver = FakeResolver({"localhost": ["127.0.0.1"]})
        resolver.hold()
        connector = TCPConnector(resolver=resolver)
        counts: list[int] = []

        async def connect() -> None:
            try:
                await connector.connect(Target("http", "localhost", 1))
            finally:
                task = asyncio.current_task()
                counts.append(-1 if task is None else task.cancelling())

        tasks = [asyncio.ensure_future(connect()) for _ in range(3)]
        while not resolver.calls:
            await asyncio.sleep(0)
        await connector.close()
        await asyncio.wait(tasks)
        assert counts == [0, 0, 0]
        assert not any(task.cancelled() for task in tasks)

    run(main())
