"""Every hostile answer of `.testing` ends an exchange with an error of the tree, and the connection with it (F8, F9).

The suite is the proof that nothing else escapes, and that the catalogue holds what it says.
"""

import asyncio
from dataclasses import dataclass

import pytest
from wayfare_http_core import (
    ClientError,
    ExchangeOptions,
    RequestHead,
    UnsupportedCodings,
    make_decoder,
    parse_content_codings,
)
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    HOSTILE_ANSWERS,
    FakeClockLoop,
    HostileAnswer,
    MemoryNetwork,
    Reply,
    ScriptedServer,
    Serve,
    run_with_fake_clock,
)

PATIENCE = 30.0
GET = RequestHead("GET", "http", "h", "/")


@dataclass
class Outcome:
    """What a client saw."""

    error: Exception | None = None
    head: bool = False
    content: bytes = b""


async def ask(connection: HTTP1Connection, outcome: Outcome) -> None:
    exchange = await connection.exchange(GET, options=ExchangeOptions(read_limit=4096))
    outcome.head = True
    codings = parse_content_codings(exchange.head.headers.getall("Content-Encoding", []))
    decoder = make_decoder(codings)
    assert not isinstance(decoder, UnsupportedCodings)
    if decoder is not None:
        exchange.content.decode_with(decoder)
    while piece := await exchange.content.readany():
        outcome.content += piece
        outcome.content = outcome.content[-100:]


async def play(answer: HostileAnswer, read_size: int, *, reused: bool) -> Outcome:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FakeClockLoop)
    complaints: list[object] = []
    loop.set_exception_handler(lambda loop, context: complaints.append(context))
    network = MemoryNetwork(read_size=read_size)
    before = [Reply(b"ok")] if reused else []
    server = ScriptedServer([*before, Serve(answer.actions)])
    network.serve("h", 80, server)
    _, connection = await network.dial("h", 80, HTTP1Connection)
    if reused:
        exchange = await connection.exchange(GET)
        assert await exchange.content.read() == b"ok"
    outcome = Outcome()
    try:
        async with asyncio.timeout(PATIENCE):
            await ask(connection, outcome)
    except (ClientError, TimeoutError) as exc:
        outcome.error = exc
    await loop.settled()
    assert connection.available_exchanges == 0
    connection.abort()
    server.abort()
    await loop.settled()
    network.client_transports.assert_all_closed()
    network.server_transports.assert_all_closed()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert complaints == []
    assert server.errors == ()
    return outcome


@pytest.mark.parametrize("answer", HOSTILE_ANSWERS, ids=lambda answer: answer.name)
@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
@pytest.mark.parametrize("read_size", [1, 7, 256 * 1024])
def test_f8_f9_hostile_answers_end_in_an_error_of_the_tree(
    answer: HostileAnswer, reused: bool, read_size: int
) -> None:
    """F8, F9, H5: whatever comes, and however it is cut."""
    outcome = run_with_fake_clock(play(answer, read_size, reused=reused))
    assert isinstance(outcome.error, TimeoutError) == answer.never_ends
    assert isinstance(outcome.error, ClientError) != answer.never_ends
    assert outcome.head == answer.with_head


def test_names_are_unique() -> None:
    names = [answer.name for answer in HOSTILE_ANSWERS]
    assert len(set(names)) == len(names) > 50
