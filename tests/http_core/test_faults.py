"""Every canonical response, cut and continued in every way after every octet (F1, F2, F5, F8).

The verdict is always the same two-part one: a typed error or a complete result, and complete if and
only if every framed octet arrived. Whatever happened, nothing leaks and the owner is told in order.
"""

import asyncio
import enum
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from wayfare_http_core import (
    ClientError,
    ClientPayloadError,
    Connection,
    FieldBlock,
    RequestHead,
    ServerDisconnectedError,
    UnsupportedCodings,
    make_decoder,
)
from wayfare_http_core.aio import HTTP1Connection, HTTP1Exchange
from wayfare_http_core.testing import (
    CANONICAL_RESPONSES,
    Action,
    CanonicalResponse,
    FakeClockLoop,
    Fin,
    Garbage,
    MemoryNetwork,
    ReadHead,
    ReadRequest,
    Reset,
    ScriptedServer,
    Send,
    Stall,
    run_with_fake_clock,
)

PATIENCE = 30.0


class Ending(enum.Enum):
    """What the server does after the octets it sends."""

    RESET = "reset"
    FIN = "fin"
    STALL = "stall"
    GARBAGE = "garbage"

    def actions(self, seed: int) -> Sequence[Action]:
        match self:
            case Ending.RESET:
                return [Reset()]
            case Ending.FIN:
                return [Fin()]
            case Ending.STALL:
                return [Stall()]
            case Ending.GARBAGE:
                return [Garbage(seed), Fin()]


class Owner:
    """A pool of nothing: it notes what it is told and checks the order of the calls."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def connection_idle(self, connection: Connection, /) -> None:
        assert connection.available_exchanges == 1
        assert "retired" not in self.events
        self.events.append("idle")

    def connection_retired(self, connection: Connection, /) -> None:
        assert "retired" not in self.events
        assert connection.available_exchanges == 0
        self.events.append("retired")

    def connection_lost(self, connection: Connection, /) -> None:
        assert self.events[-1] == "retired"
        self.events.append("lost")


@dataclass
class Outcome:
    """What became of one exchange."""

    owner: Owner
    status: int | None = None
    content: bytes = b""
    trailers: tuple[tuple[str, str], ...] = ()
    error: Exception | None = None
    available: int = 0
    """How many exchanges the connection could carry in the end."""
    open: int = 0
    """How many transports of the client were open in the end."""
    complaints: list[str] = field(default_factory=list)


def request_for(response: CanonicalResponse) -> RequestHead:
    if response.method == "CONNECT":
        return RequestHead("CONNECT", "http", "h:443", "h:443")
    fields = {"Connection": "upgrade", "Upgrade": "echo"} if response.status == 101 else {}
    return RequestHead(response.method, "http", "h", "/", FieldBlock(fields))


async def consume(
    exchange: HTTP1Exchange,
    connection: HTTP1Connection,
    outcome: Outcome,
    response: CanonicalResponse,
) -> None:
    """Read everything, keeping what came before an error."""
    outcome.status = exchange.head.status
    if response.tunnel:
        upgraded = connection.upgrade()
        outcome.content = upgraded.unread
        upgraded.transport.abort()
        upgraded.release()
        return
    decoder = make_decoder([response.coding] if response.coding else [])
    assert not isinstance(decoder, UnsupportedCodings)
    if decoder is not None:
        exchange.content.decode_with(decoder)
    while piece := await exchange.content.readany():
        outcome.content += piece
    outcome.trailers = tuple(exchange.trailers.items())


SMALL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Play:
    """How an exchange is carried out."""

    ending: Ending
    read_size: int = 256 * 1024
    reused: bool = False
    """Whether the connection carried an exchange before."""
    discarded: bool = False
    """Whether the content is given up as soon as the head is there."""


async def play(response: CanonicalResponse, offset: int, how: Play) -> Outcome:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FakeClockLoop)
    outcome = Outcome(Owner())
    loop.set_exception_handler(lambda loop, context: outcome.complaints.append(str(context)))
    network = MemoryNetwork(read_size=how.read_size)
    first: list[Action] = [ReadRequest(), Send(SMALL)] if how.reused else []
    last: list[Action] = [ReadHead(), Send(response.data[:offset]), *how.ending.actions(offset)]
    server = ScriptedServer([*first, *last])
    network.serve("h", 80, server)
    _, connection = await network.dial("h", 80, lambda: HTTP1Connection(outcome.owner))
    if how.reused:
        before = await connection.exchange(RequestHead("GET", "http", "h", "/before"))
        assert await before.content.read() == b"ok"
        assert outcome.owner.events == ["idle"]
        outcome.owner.events.clear()
    exchange: HTTP1Exchange | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            exchange = await connection.exchange(request_for(response))
            if how.discarded:
                exchange.discard()
            else:
                await consume(exchange, connection, outcome, response)
    except (ClientError, TimeoutError) as exc:
        outcome.error = exc
        if exchange is not None:
            exchange.abort()
    if how.discarded:
        await asyncio.sleep(2)  # on a fake clock: draining has a time limit
    await loop.settled()
    outcome.available = connection.available_exchanges
    outcome.open = len(network.client_transports.open_transports)
    connection.close()
    server.abort()
    await loop.settled()
    network.client_transports.assert_all_closed()
    network.server_transports.assert_all_closed()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert connection.available_exchanges == 0
    assert not server.errors
    return outcome


def check(response: CanonicalResponse, offset: int, ending: Ending, outcome: Outcome) -> None:
    """One verdict for each way to end."""
    assert not outcome.complaints
    assert outcome.open == outcome.available
    assert outcome.owner.events[-2:] == ["retired", "lost"]
    closed = ending in (Ending.FIN, Ending.GARBAGE)
    if response.is_complete(offset, closed=closed):
        check_complete(response, offset, ending, outcome)
    elif ending is Ending.GARBAGE:
        check_garbage_within(response, offset, outcome)
    else:
        check_incomplete(response, offset, ending, outcome)


def check_complete(
    response: CanonicalResponse, offset: int, ending: Ending, outcome: Outcome
) -> None:
    assert outcome.error is None
    assert outcome.status == response.status
    assert outcome.trailers == response.trailers
    if response.tunnel:
        assert outcome.owner.events == ["retired", "lost"]
        return
    if response.until_close:
        garbage = random.Random(offset).randbytes(64) if ending is Ending.GARBAGE else b""
        assert outcome.content == response.content[: offset - response.head_end] + garbage
    else:
        assert outcome.content == response.content
    if ending is Ending.STALL:
        assert outcome.available == 1
        assert outcome.owner.events == ["idle", "retired", "lost"]
    else:
        assert outcome.available == 0


def check_incomplete(
    response: CanonicalResponse, offset: int, ending: Ending, outcome: Outcome
) -> None:
    assert outcome.error is not None
    assert outcome.available == 0
    assert outcome.owner.events == ["retired", "lost"]
    assert isinstance(outcome.error, TimeoutError) == (ending is Ending.STALL)
    if offset < response.head_end:
        assert outcome.status is None
        if ending is Ending.FIN:
            assert isinstance(outcome.error, ServerDisconnectedError)
        elif ending is Ending.RESET:
            assert isinstance(outcome.error, OSError)
    else:
        assert outcome.status == response.status
        assert ending is Ending.STALL or isinstance(outcome.error, ClientPayloadError)
        assert response.content.startswith(outcome.content)
        if response.coding is None and not response.trailers:
            assert outcome.content == response.content[: offset - response.head_end]


def check_garbage_within(response: CanonicalResponse, offset: int, outcome: Outcome) -> None:
    """Random octets may pass for content where the framing asks for content, and nowhere else."""
    assert outcome.available == 0
    if outcome.error is None:
        assert offset >= response.head_end
        assert len(outcome.content) == len(response.content)
        assert outcome.content.startswith(response.content[: offset - response.head_end])


def check_discarded(
    response: CanonicalResponse, offset: int, ending: Ending, outcome: Outcome
) -> None:
    """Nobody waits for the content any more, so its end is no error, and nothing may linger."""
    assert not outcome.complaints
    assert outcome.open == outcome.available
    assert outcome.owner.events[-2:] == ["retired", "lost"]
    if offset < response.head_end:
        assert outcome.error is not None
    else:
        assert outcome.error is None
    # Draining saves the connection where the rest is small and comes in time, and only there.
    if len(response.data) < 4096:
        saved = response.is_complete(offset, closed=False) and not response.tunnel
        assert outcome.available == (saved and ending is Ending.STALL)


def sweep(response: CanonicalResponse, how: Play) -> list[str]:
    """Play every offset on one loop; the wrong ones are listed, so that one run shows the pattern."""

    async def main() -> list[str]:
        wrong = []
        for offset in response.offsets():
            try:
                outcome = await play(response, offset, how)
                if how.discarded:
                    check_discarded(response, offset, how.ending, outcome)
                else:
                    check(response, offset, how.ending, outcome)
            except Exception as exc:
                wrong.append(f"after {offset} octets: {type(exc).__name__}: {exc}")
        return wrong

    return run_with_fake_clock(main())


every_response = pytest.mark.parametrize(
    "response", CANONICAL_RESPONSES, ids=lambda response: response.name
)
every_ending = pytest.mark.parametrize("ending", Ending)


@every_ending
@every_response
def test_f1_f2_a_response_that_ends_after_any_octet(
    response: CanonicalResponse, ending: Ending
) -> None:
    assert sweep(response, Play(ending)) == []


@every_ending
@every_response
def test_f1_f2_the_same_octet_by_octet(response: CanonicalResponse, ending: Ending) -> None:
    # A large body octet by octet would only be slow: the small ones have been through everything.
    read_size = 1 if len(response.data) < 4096 else 1021
    assert sweep(response, Play(ending, read_size=read_size)) == []


@every_ending
@every_response
def test_f1_f2_the_same_on_a_reused_connection(response: CanonicalResponse, ending: Ending) -> None:
    assert sweep(response, Play(ending, reused=True)) == []


@every_ending
@every_response
def test_f1_f2_the_same_when_the_content_is_given_up(
    response: CanonicalResponse, ending: Ending
) -> None:
    assert sweep(response, Play(ending, discarded=True)) == []


@every_ending
@every_response
def test_f1_f2_the_same_when_the_content_is_given_up_while_it_comes(
    response: CanonicalResponse, ending: Ending
) -> None:
    read_size = 1 if len(response.data) < 4096 else 1021
    assert sweep(response, Play(ending, read_size=read_size, discarded=True)) == []
