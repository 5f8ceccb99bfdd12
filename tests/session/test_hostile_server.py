"""Whatever a server does, a caller meets a ClientError or a TimeoutError, and the session goes on.

Each answer is played on a new and on a used connection, and met in each of the ways in which callers take content.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from wayfare import ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    HOSTILE_ANSWERS,
    HostileAnswer,
    MemoryNetwork,
    ReadRequest,
    Repeat,
    ScriptedServer,
    Send,
    run_with_fake_clock,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GOOD = Repeat(ReadRequest(), Send(OK))
LIMIT = ClientTimeout(total=60, sock_read=10)

ASKED_AGAIN = ("no answer, then FIN", "no answer, then RST")
"""What looks like a pooled connection that the server had closed: a GET is sent once more then."""

CODED = ("a broken coding", "a wrong checksum")
"""Answers that break nothing but the coding of their content."""

Taking = Callable[[ClientResponse], Awaitable[object]]


async def read(response: ClientResponse) -> None:
    await response.read()


async def stream(response: ClientResponse) -> None:
    async for _ in response.content.iter_chunked(3):
        pass


async def parse(response: ClientResponse) -> None:
    await response.json(content_type=None, loads=str)


async def take_lines(response: ClientResponse) -> None:
    while await response.content.readline():
        pass


async def leave(response: ClientResponse) -> None:
    """Nothing of the content is looked at."""


def session_of(network: MemoryNetwork) -> ClientSession:
    connector = TCPConnector(dialer=MemoryDialer(network))
    return ClientSession("http://h/", connector=connector, timeout=LIMIT)


Serve = Callable[..., Any]


async def meet(hostile: HostileAnswer, take: Taking, *, reused: bool) -> BaseException | None:
    """What a caller meets; afterwards the session must be as good as new."""
    network = MemoryNetwork()
    before = (ReadRequest(), Send(OK)) if reused else ()
    actions = hostile.actions
    if take is leave and hostile.name in CODED:
        # Nobody looked at the content, and HTTP was sound: the connection is as good as any.
        actions = (*actions[:-1], GOOD)
    server = ScriptedServer([*before, ReadRequest(), *actions], [GOOD])
    network.serve("h", 80, server)
    met: BaseException | None = None
    async with session_of(network) as session:
        if reused:
            await (await session.get("/before")).read()
        try:
            async with session.get("/") as response:
                await take(response)
        except Exception as exc:
            met = exc
        # Whatever became of that connection, the next request is answered.
        async with session.get("/after") as response:
            assert await response.text() == "ok"
        await asyncio.sleep(2)  # of the fake clock: time to drain what was released
        assert session.connector.stats().leased == 0
    network.client_transports.assert_all_closed()
    server.abort()
    await asyncio.sleep(0.1)
    return met


@pytest.mark.parametrize("reused", [False, True], ids=["new", "reused"])
@pytest.mark.parametrize("take", [read, stream, parse, take_lines, leave])
@pytest.mark.parametrize("hostile", HOSTILE_ANSWERS, ids=lambda answer: answer.name)
def test_nothing_but_client_errors_and_timeouts(
    hostile: HostileAnswer, take: Taking, *, reused: bool
) -> None:
    met = run_with_fake_clock(meet(hostile, take, reused=reused))
    asked_again = reused and hostile.name in ASKED_AGAIN
    if asked_again or (take is leave and hostile.with_head):
        # Answered by another connection; or the head was sound, and nobody asked for more.
        assert met is None
        return
    assert isinstance(met, ClientError | TimeoutError), f"met {met!r}"
    assert isinstance(met, TimeoutError) or not hostile.never_ends
    assert len(str(met)) < 1000


@pytest.mark.parametrize(
    "hostile",
    [one for one in HOSTILE_ANSWERS if not one.never_ends],
    ids=lambda answer: answer.name,
)
async def test_over_sockets_too(serve: Serve, hostile: HostileAnswer) -> None:
    script = [ReadRequest(), *hostile.actions]
    async with serve(script, [GOOD], timeout=LIMIT) as (session, server):
        with pytest.raises((ClientError, TimeoutError)):
            async with session.get("/") as response:
                await response.read()
        async with session.get("/after") as response:
            assert await response.text() == "ok"
        assert session.connector.stats().leased == 0
        server.abort()
