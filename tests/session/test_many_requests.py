"""Ten thousand requests at once over a hundred connections of real sockets: each gets its own answer."""

import asyncio
import importlib.util
from collections.abc import Callable
from contextlib import suppress

import pytest
import wayfare
from wayfare_connector import TCPConnector

from tests.stream_server import stream_server

REQUESTS, LIMIT = 10_000, 100

LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop]
if importlib.util.find_spec("uvloop") is not None:  # not where this package is tested on its own
    LOOPS.append(importlib.import_module("uvloop").new_event_loop)


class Echo:
    """A server that answers with the path that it was asked for, and counts its clients."""

    def __init__(self) -> None:
        self.clients = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clients += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1]
                length = b"Content-Length: %d\r\n\r\n" % len(path)
                writer.write(b"HTTP/1.1 200 OK\r\n" + length + path)


@pytest.mark.parametrize("new_loop", LOOPS)
def test_each_of_many_gets_its_own_answer(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def main() -> None:
        echo = Echo()
        connector = TCPConnector(limit=LIMIT)
        async with stream_server(echo) as port:
            base = f"http://127.0.0.1:{port}/"
            async with wayfare.ClientSession(base, connector=connector) as session:

                async def ask(number: int) -> None:
                    async with session.get(f"{number}") as response:
                        assert await response.text() == f"/{number}"

                await asyncio.gather(*map(ask, range(REQUESTS)))
                stats = connector.stats()
                assert (stats.leased, stats.connecting, stats.waiting) == (0, 0, 0)
                assert (stats.created, stats.reused) == (LIMIT, REQUESTS - LIMIT)
        assert echo.clients == LIMIT

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())
