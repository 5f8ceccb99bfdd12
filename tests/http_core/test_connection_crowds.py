"""Many responses at once: the callers look at those that a crowd has come before, and whatever happens first counts."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from wayfare_http_core import (
    BadHttpMessage,
    ClientConnectionError,
    ClientPayloadError,
    Connection,
    ExchangeOptions,
    FieldBlock,
    RequestHead,
    ResponseHead,
    ServerDisconnectedError,
)
from wayfare_http_core.aio import Deadline, HTTP1Connection, HTTP1Exchange, _connection
from wayfare_http_core.testing import ScriptedPeer, memory_pair, ticks

HEAD = RequestHead("GET", "http", "h", "/")
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nnews"


class Owner:
    """Notes what it is told, and whether an idle connection can carry an exchange."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def connection_idle(self, connection: Connection, /) -> None:
        self.told.append("idle" if connection.available_exchanges else "idle, and useless")

    def connection_retired(self, connection: Connection, /) -> None:
        self.told.append("retired")

    def connection_lost(self, connection: Connection, /) -> None:
        self.told.append("lost")


async def ask(
    connection: HTTP1Connection,
    options: ExchangeOptions | None = None,
    deadline: Deadline | None = None,
) -> HTTP1Exchange:
    """Send the request, in whose answer the caller sees an exchange."""
    return await connection.exchange(HEAD, None, options or ExchangeOptions(), deadline)


async def test_who_comes_after_a_crowd_looks_at_its_response_itself() -> None:
    """Each gets its own, in the order of arrival; the last connections are free only when their callers go on."""
    crowd, number = _connection._CROWD, _connection._CROWD + 6
    connections = [HTTP1Connection(Owner()) for _ in range(number)]
    for connection in connections:
        memory_pair(connection, ScriptedPeer(()))
    await asyncio.sleep(0)
    order: list[int] = []

    async def request(place: int) -> bytes | None:
        exchange = await ask(connections[place])
        order.append(place)
        return exchange.take_whole()

    for _ in range(2):
        order.clear()
        tasks = [asyncio.ensure_future(request(place)) for place in range(number)]
        await ticks(2)
        for place, connection in enumerate(connections):
            body = b"%03d" % place
            connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + body)
        free = [place for place, one in enumerate(connections) if one.available_exchanges]
        assert free == list(range(crowd))
        assert await asyncio.gather(*tasks) == [b"%03d" % place for place in range(number)]
        assert order == list(range(number))
        assert all(connection.available_exchanges for connection in connections)
    for connection in connections:
        connection.abort()


# With a crowd that is there from the first


@pytest.fixture
async def connection(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HTTP1Connection]:
    """A connection to a silent peer, whose responses are always left to the caller."""
    monkeypatch.setattr(_connection, "_CROWD", 0)
    connection = HTTP1Connection(Owner())
    peer = ScriptedPeer(())
    memory_pair(connection, peer)
    await asyncio.sleep(0)
    transport = connection._transport
    yield connection
    assert transport is not None
    transport.abort()
    await peer.wait_closed()


def told(connection: HTTP1Connection) -> list[str]:
    """What the owner was told."""
    owner = connection.owner
    assert isinstance(owner, Owner)
    return owner.told


async def begin(
    connection: HTTP1Connection,
    options: ExchangeOptions | None = None,
    deadline: Deadline | None = None,
) -> "asyncio.Task[HTTP1Exchange]":
    """Start an exchange in a task of its own and let it come to its wait."""
    task = asyncio.ensure_future(ask(connection, options, deadline))
    await ticks(2)
    return task


async def test_what_comes_before_the_caller_is_taken_with_it(connection: HTTP1Connection) -> None:
    task = await begin(connection)
    connection.data_received(BEGUN + b"o")
    assert told(connection) == []
    connection.data_received(b"k")
    assert told(connection) == ["idle"]
    assert (await task).take_whole() == b"ok"


async def test_octets_that_nobody_asked_for_spoil_the_connection(
    connection: HTTP1Connection,
) -> None:
    """They are seen together with the response before: nobody is offered the connection."""
    task = await begin(connection)
    connection.data_received(WHOLE)
    connection.data_received(WHOLE)
    assert told(connection) == ["retired"]
    assert (await task).take_whole() == b"ok"


async def test_an_informational_response_lets_the_caller_wait_on(
    connection: HTTP1Connection,
) -> None:
    seen: list[ResponseHead] = []
    task = await begin(connection, ExchangeOptions(on_informational=seen.append))
    connection.data_received(HINTS)
    await ticks(3)
    assert ([head.status for head in seen], task.done()) == ([103], False)
    connection.data_received(WHOLE)
    assert (await task).take_whole() == b"ok"


async def test_content_that_goes_on(connection: HTTP1Connection) -> None:
    task = await begin(connection)
    connection.data_received(BEGUN)
    exchange = await task
    connection.data_received(b"ok")
    assert await exchange.content.read() == b"ok"
    assert told(connection) == ["idle"]


async def test_what_is_no_response(connection: HTTP1Connection) -> None:
    task = await begin(connection)
    connection.data_received(b"SSH-2.0-OpenSSH\r\n\r\n")
    with pytest.raises(BadHttpMessage):
        await task
    assert told(connection)[0] == "retired"


async def test_an_upgrade_holds_what_follows_for_the_new_protocol(
    connection: HTTP1Connection,
) -> None:
    fields = FieldBlock({"Connection": "upgrade", "Upgrade": "x"})
    head = RequestHead("GET", "http", "h", "/", fields)
    task = asyncio.ensure_future(connection.exchange(head))
    await ticks(2)
    connection.data_received(SWITCH)
    connection.data_received(b" and more")
    assert (await task).head.status == 101
    upgraded = connection.upgrade()
    assert upgraded.unread == b"news and more"
    upgraded.transport.abort()
    upgraded.release()


ENDS: dict[str, Callable[[HTTP1Connection], object]] = {
    "eof": HTTP1Connection.eof_received,
    "lost": lambda connection: connection.connection_lost(None),
    "broken": lambda connection: connection.connection_lost(ConnectionResetError(104, "reset")),
    "close": HTTP1Connection.close,
    "abort": HTTP1Connection.abort,
    "given up": lambda connection: connection.give_up(ClientConnectionError("given up")),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_response_that_is_whole_survives_the_end_of_its_connection(
    connection: HTTP1Connection, end: Callable[[HTTP1Connection], object]
) -> None:
    task = await begin(connection)
    connection.data_received(WHOLE)
    end(connection)
    assert (await task).take_whole() == b"ok"
    assert "idle" not in " ".join(told(connection))
    assert told(connection)[0] == "retired"


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_one_that_is_not_whole_does_not(
    connection: HTTP1Connection, end: Callable[[HTTP1Connection], object]
) -> None:
    task = await begin(connection)
    connection.data_received(BEGUN + b"o")
    end(connection)
    exchange = await task
    with pytest.raises((ClientConnectionError, ClientPayloadError)):
        await exchange.content.read()


@pytest.mark.parametrize("end", [ENDS["eof"], ENDS["lost"]])
async def test_a_head_that_is_cut_off(
    connection: HTTP1Connection, end: Callable[[HTTP1Connection], object]
) -> None:
    task = await begin(connection)
    connection.data_received(BEGUN[:-4])
    end(connection)
    with pytest.raises(ServerDisconnectedError):
        await task


async def test_a_transport_that_is_closing_offers_nothing(connection: HTTP1Connection) -> None:
    task = await begin(connection)
    connection.data_received(WHOLE)
    transport = connection._transport
    assert transport is not None
    transport.abort()
    assert (await task).take_whole() == b"ok"
    assert told(connection)[0] == "retired"


async def test_a_cancelled_caller_leaves_a_connection_whose_response_is_whole(
    connection: HTTP1Connection,
) -> None:
    task = await begin(connection)
    connection.data_received(WHOLE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told(connection) == ["idle"]
    second = await begin(connection)
    connection.data_received(WHOLE)
    assert (await second).take_whole() == b"ok"


@pytest.mark.parametrize("octets", [BEGUN, BEGUN[:-4], HINTS])
async def test_a_cancelled_caller_ends_one_that_has_more_to_say(
    connection: HTTP1Connection, octets: bytes
) -> None:
    task = await begin(connection)
    connection.data_received(octets)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told(connection)[0] == "retired"


async def test_a_deadline_that_comes_before_the_caller_is_met(connection: HTTP1Connection) -> None:
    deadline = Deadline.after(3600)
    task = await begin(connection, deadline=deadline)
    connection.data_received(WHOLE)
    # The moment comes between the octets and their caller.
    deadline._queue._armed = 0.0  # type: ignore[union-attr]  # every deadline of the loop is due
    deadline._queue._fire()  # type: ignore[union-attr]  # as the loop's timer does
    assert (await task).take_whole() == b"ok"
