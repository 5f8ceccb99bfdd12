"""The server goes away after any octet of the request (F3): a typed error, and nothing is left."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from wayfare_http_core import ClientError, ClientPayloadError, FieldBlock, RequestBody, RequestHead
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    Action,
    FakeClockLoop,
    Fin,
    MemoryNetwork,
    Read,
    ReadHead,
    ReadRequest,
    Reset,
    ScriptedServer,
    Send,
    run_with_fake_clock,
)

OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
PIECES = (b"a" * 10, b"b" * 30, b"c")


class Body:
    """A body from an asynchronous generator that waits between its pieces."""

    content_type = None
    replayable = False

    def __init__(self, length: int | None) -> None:
        self.length = length

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in PIECES:
            yield piece
            await asyncio.sleep(0)


class WithTrailers(Body):
    """Fields follow."""

    def trailers(self) -> list[tuple[str, object]]:
        return [("X-Sum", 41)]


def request(name: str) -> tuple[RequestHead, RequestBody | bytes | None]:
    method = "GET" if name == "get" else "POST"
    fields = FieldBlock({"Expect": "100-continue"} if name == "expect" else {})
    bodies: dict[str, RequestBody | bytes | None] = {
        "get": None,
        "bytes": b"x" * 41,
        "length": Body(41),
        "chunked": Body(None),
        "trailers": WithTrailers(None),
        "expect": b"x" * 41,
    }
    return RequestHead(method, "http", "h", "/", fields), bodies[name]


async def play(name: str, script: list[Action]) -> tuple[Exception | bytes, bytes]:
    """What came of the exchange, and the octets that the server got."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FakeClockLoop)
    complaints: list[object] = []
    loop.set_exception_handler(lambda loop, context: complaints.append(context))
    network = MemoryNetwork()
    server = ScriptedServer(script)
    network.serve("h", 80, server)
    _, connection = await network.dial("h", 80, HTTP1Connection)
    outcome: Exception | bytes
    try:
        async with asyncio.timeout(30):
            exchange = await connection.exchange(*request(name))
            outcome = await exchange.content.read()
    except ClientError as exc:
        outcome = exc
    await loop.settled()
    assert connection.available_exchanges == 0
    await connection.wait_closed()
    network.client_transports.assert_all_closed()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert complaints == []
    assert server.errors == ()
    received = bytes(server.peers[0].received)
    server.abort()
    return outcome, received


REQUESTS = ("get", "bytes", "length", "chunked", "trailers", "expect")
CONTINUE: list[Action] = [ReadHead(), Send(b"HTTP/1.1 100 Continue\r\n\r\n")]


@pytest.mark.parametrize("ending", [Fin(), Reset()], ids=["fin", "reset"])
@pytest.mark.parametrize("name", REQUESTS)
def test_f3_the_server_goes_away_after_any_octet_of_the_request(name: str, ending: Action) -> None:
    async def main() -> None:
        _, whole = await play(name, [ReadRequest(), Send(OK)])
        for offset in range(len(whole) + 1):
            outcome, _ = await play(name, [Read(offset), ending])
            assert isinstance(outcome, ClientError), f"after {offset} octets: {outcome!r}"
            # No response began, so it is the connection that failed, and not some content.
            assert not isinstance(outcome, ClientPayloadError)

    run_with_fake_clock(main())


@pytest.mark.parametrize("name", REQUESTS)
def test_f7_an_answer_after_any_octet_of_the_request_is_read(name: str) -> None:
    """The server answers, says that it closes, and reads on: what RFC 9112 section 9.6 asks of it."""

    async def main() -> None:
        _, whole = await play(name, [ReadRequest(), Send(OK)])
        head_end = whole.index(b"\r\n\r\n") + 4
        for offset in range(1, len(whole) + 1):
            outcome, received = await play(name, [Read(offset), Send(OK), Read(100_000)])
            assert outcome == b"ok", f"after {offset} octets: {outcome!r}"
            assert whole.startswith(received)
            assert len(received) >= min(offset, head_end)

    run_with_fake_clock(main())


@pytest.mark.parametrize("ending", [Fin(), Reset()], ids=["fin", "reset"])
def test_f3_the_server_goes_away_after_any_octet_that_it_asked_for(ending: Action) -> None:
    """R15: also directly after 100."""

    async def main() -> None:
        for offset in range(42):
            outcome, received = await play("expect", [*CONTINUE, Read(offset), ending])
            assert isinstance(outcome, ClientError), f"after {offset} octets: {outcome!r}"
            assert not isinstance(outcome, ClientPayloadError)
            assert len(received.partition(b"\r\n\r\n")[2]) in (0, 41)

    run_with_fake_clock(main())


def test_f7_an_answer_after_any_octet_that_the_server_asked_for_is_read() -> None:
    async def main() -> None:
        for offset in range(42):
            script = [*CONTINUE, Read(offset), Send(OK), Read(100_000)]
            outcome, _ = await play("expect", script)
            assert outcome == b"ok", f"after {offset} octets: {outcome!r}"

    run_with_fake_clock(main())
