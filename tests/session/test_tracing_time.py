"""How long handlers of trace configs may take: the total time, and where that is over, a second."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from wayfare import (
    ClientPayloadError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
    TotalTimeoutError,
    TraceConfig,
)
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    Action,
    Fin,
    MemoryNetwork,
    ReadRequest,
    ScriptedServer,
    Send,
    Stall,
    run_with_fake_clock,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
SLACK = 0.02


class Traced:
    """A session with a handler of one signal, which takes so many seconds, and what became of it."""

    def __init__(
        self, signal: str, takes: float, *script: Action, total: float | None = 5.0
    ) -> None:
        self.begun = self.done = 0
        self.takes = takes
        self.raises: Exception | None = None
        config = TraceConfig()
        getattr(config, signal).append(self.handle)
        network = MemoryNetwork()
        self.server = ScriptedServer(script)
        network.serve("h", 80, self.server)
        self.session = ClientSession(
            "http://h/",
            connector=TCPConnector(dialer=MemoryDialer(network)),
            timeout=ClientTimeout(total=total),
            trace_configs=[config],
        )

    async def __aenter__(self) -> None:
        """Nothing to do."""

    async def __aexit__(self, *args: object) -> None:
        await self.session.close()
        self.server.abort()
        await asyncio.sleep(0)

    async def handle(self, session: Any, context: Any, params: Any) -> None:
        self.begun += 1
        await asyncio.sleep(self.takes)
        self.done += 1
        if self.raises is not None:
            raise self.raises

    async def read(self, after: float = 0.0) -> bytes:
        async with self.session.get("/") as response:
            await asyncio.sleep(after)
            return await response.read()


def run(traced_by: Any) -> None:
    async def body() -> None:
        async with asyncio.timeout(1000):
            await traced_by()

    run_with_fake_clock(body())


async def timed(awaited: Coroutine[Any, Any, Any]) -> tuple[Any, float]:
    """What comes of it, and after how many seconds."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        result = await awaited
    except BaseException as exc:
        result = exc
    return result, loop.time() - started


SIGNALS = ("on_response_chunk_received", "on_response_end")


@pytest.mark.parametrize("signal", SIGNALS)
def test_handlers_of_content_have_what_is_left(signal: str) -> None:
    async def main() -> None:
        slow = Traced(signal, 100.0, ReadRequest(), Send(OK))
        async with slow:
            error, seconds = await timed(slow.read())
        assert type(error) is TotalTimeoutError
        assert (slow.begun, slow.done) == (1, 0)
        assert seconds == pytest.approx(5, abs=SLACK)

    run(main)


@pytest.mark.parametrize("signal", SIGNALS)
def test_content_may_be_read_after_the_total_time(signal: str) -> None:
    """It came in time; the handlers have a second then."""

    async def main() -> None:
        quick = Traced(signal, 0.9, ReadRequest(), Send(OK))
        async with quick:
            assert await quick.read(after=60.0) == b"ok"
        assert quick.done == 1
        slow = Traced(signal, 1.1, ReadRequest(), Send(OK))
        async with slow:
            error, seconds = await timed(slow.read(after=60.0))
        assert type(error) is TotalTimeoutError
        assert seconds == pytest.approx(61, abs=SLACK)

    run(main)


def test_without_a_total_handlers_take_as_long_as_they_like() -> None:
    async def main() -> None:
        slow = Traced("on_response_end", 900.0, ReadRequest(), Send(OK), total=None)
        async with slow:
            assert await slow.read() == b"ok"
        assert slow.done == 1

    run(main)


def test_content_that_breaks_off_says_so_whatever_its_handlers_do() -> None:
    async def main() -> None:
        slow = Traced("on_response_end", 100.0, ReadRequest(), Send(HALF), Fin())
        async with slow:
            error, seconds = await timed(slow.read())
        assert isinstance(error, ClientPayloadError)
        assert (slow.begun, slow.done) == (1, 0)
        assert seconds == pytest.approx(5, abs=SLACK)

    run(main)


def test_a_total_time_that_is_over_is_told_all_the_same() -> None:
    async def main() -> None:
        for signal, action in (
            ("on_response_end", Send(HALF)),
            ("on_request_exception", Stall()),
        ):
            quick = Traced(signal, 0.9, ReadRequest(), action, Stall())
            async with quick:
                error, seconds = await timed(quick.read())
            assert type(error) is TotalTimeoutError
            assert quick.done == 1
            assert seconds == pytest.approx(5.9, abs=SLACK)

    run(main)


def test_handlers_of_errors_have_what_is_left_and_the_error_stays() -> None:
    async def main() -> None:
        slow = Traced("on_request_exception", 100.0, ReadRequest(), Fin())
        async with slow:
            error, seconds = await timed(slow.read())
        assert type(error).__name__ == "ServerDisconnectedError"
        assert (slow.begun, slow.done) == (1, 0)
        assert seconds == pytest.approx(5, abs=SLACK)

    run(main)


def test_a_cancelled_request_waits_for_its_handlers_no_longer_than_that() -> None:
    async def main() -> None:
        slow = Traced("on_request_exception", 100.0, ReadRequest(), Stall())
        async with slow:
            task = asyncio.create_task(slow.read())
            await asyncio.sleep(2.0)
            task.cancel()
            _, seconds = await timed(asyncio.wait([task]))
            assert task.cancelled()
        assert seconds == pytest.approx(3, abs=SLACK)

    run(main)


@pytest.mark.parametrize("signal", ["on_response_end", "on_request_exception"])
def test_a_timeout_that_a_handler_raises_is_its_own(signal: str) -> None:
    async def main() -> None:
        script = (Send(HALF),) if signal == "on_response_end" else ()
        traced = Traced(signal, 0.0, ReadRequest(), *script, Fin())
        traced.raises = TotalTimeoutError(77.0)
        async with traced:
            error, _ = await timed(traced.read())
        assert error is traced.raises

    run(main)
