"""Memory that runs out while a response is taken apart (F17): a typed error, and the next connection works."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
from wayfare_http_core import (
    ClientConnectionError,
    ExchangeOptions,
    HeadLimits,
    RequestHead,
)
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    Drip,
    ReadHead,
    ReadRequest,
    Repeat,
    ScriptedServer,
    Send,
    listening,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

GET = RequestHead("GET", "http", "h", "/")
POST = RequestHead("POST", "http", "h", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Exhausted(HeadLimits):
    """Limits that cannot be looked up: where the parser does, there is no memory left."""

    @property
    @override
    def start_line(self) -> int:
        raise MemoryError

    head = fields = field_line = start_line


class Body:
    content_type = None
    length = None
    replayable = False

    def __init__(self) -> None:
        self.closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            yield b"abc"
            await asyncio.get_running_loop().create_future()
        finally:
            self.closed = True


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("upload", [True, False])
def test_f17_no_memory_in_the_parser(
    loop_runner: asyncio.Runner, whole: bool, upload: bool
) -> None:
    """The loop is told as well, which is asyncio's way with errors that no system call made."""
    complaints: list[object] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: complaints.append(context["exception"]))
        first = [ReadHead(), Send(OK) if whole else Drip(OK, 5)]
        server = ScriptedServer(first, [Repeat(ReadRequest(), Send(OK))])
        async with listening(server) as address:
            _, connection = await loop.create_connection(HTTP1Connection, *address)
            body = Body() if upload else None
            with pytest.raises(ClientConnectionError) as caught:
                await connection.exchange(
                    POST if upload else GET, body, ExchangeOptions(limits=Exhausted())
                )
            assert isinstance(caught.value.__cause__, MemoryError)
            assert str(caught.value) == "MemoryError"
            assert connection.available_exchanges == 0
            await connection.wait_closed()
            await asyncio.sleep(0)
            assert body is None or body.closed
            _, connection = await loop.create_connection(HTTP1Connection, *address)
            assert (await connection.exchange(GET)).take_whole() == b"ok"
            connection.close()
            await connection.wait_closed()

    loop_runner.run(main())
    assert [type(complaint) for complaint in complaints] == [MemoryError]
