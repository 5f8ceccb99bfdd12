"""A caller goes on where its response arrives, inside of the transport's callback, and may do anything there."""

import asyncio

import pytest
from wayfare_http_core import FieldBlock, RequestHead
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import ScriptedPeer, memory_pair, ticks

HEAD = RequestHead("GET", "http", "h", "/")
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


def connect() -> HTTP1Connection:
    """A connection to a silent peer; the tests play the peer by hand."""
    connection = HTTP1Connection()
    memory_pair(connection, ScriptedPeer(()))
    return connection


async def from_the_loop(connection: HTTP1Connection, octets: bytes, then: list[str]) -> None:
    """Let octets arrive in a callback of the loop, as from a transport, and note that it returned."""
    arrived = asyncio.get_running_loop().create_future()

    def arrive() -> None:
        connection.data_received(octets)
        then.append("returned")
        arrived.set_result(None)

    asyncio.get_running_loop().call_soon(arrive)
    await arrived


async def test_each_response_is_used_before_the_next_one_is_read() -> None:
    """However many connections are ready at once, there is one response at a time."""
    connections = [connect() for _ in range(3)]
    seen: list[str] = []

    async def ask(name: int) -> None:
        for _ in range(2):
            exchange = await connections[name].exchange(HEAD)
            seen.append(f"{name} {exchange.take_whole()!r}")

    tasks = [asyncio.ensure_future(ask(name)) for name in range(3)]
    await ticks(2)
    loop = asyncio.get_running_loop()
    for name, connection in enumerate(connections):
        loop.call_soon(seen.append, f"{name} arrives")
        loop.call_soon(connection.data_received, WHOLE)
    await ticks(2)
    one_by_one = [step for name in range(3) for step in (f"{name} arrives", f"{name} b'ok'")]
    assert seen == one_by_one
    assert [connection.exchanges_started for connection in connections] == [2, 2, 2]
    for connection in connections:
        loop.call_soon(connection.data_received, WHOLE)
    await asyncio.gather(*tasks)
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("octets", [WHOLE, LAST])
@pytest.mark.parametrize("way", ["close", "abort"])
async def test_the_caller_closes_the_connection_that_woke_it(octets: bytes, way: str) -> None:
    connection = connect()
    seen: list[str] = []

    async def ask() -> None:
        exchange = await connection.exchange(HEAD)
        getattr(connection, way)()
        seen.append(repr(exchange.take_whole()))

    task = asyncio.ensure_future(ask())
    await ticks(2)
    await from_the_loop(connection, octets, seen)
    await task
    assert seen == ["b'ok'", "returned"]
    await connection.wait_closed()


async def test_an_error_of_the_caller_stays_its_own() -> None:
    connection = connect()
    seen: list[str] = []

    async def ask() -> None:
        await connection.exchange(HEAD)
        raise RuntimeError("of the caller")

    task = asyncio.ensure_future(ask())
    await ticks(2)
    await from_the_loop(connection, WHOLE, seen)
    with pytest.raises(RuntimeError, match="of the caller"):
        await task
    assert (seen, connection.available_exchanges) == (["returned"], 1)
    connection.close()


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nnews",
        BEGUN,
    ],
)
async def test_the_loop_wakes_for_an_upgrade_and_for_content_that_goes_on(octets: bytes) -> None:
    """The protocol of the transport is not changed inside of its callback, nor an exchange inside of its events."""
    connection = connect()
    seen: list[str] = []
    fields = FieldBlock({"Connection": "upgrade", "Upgrade": "x"})

    async def ask() -> None:
        await connection.exchange(RequestHead("GET", "http", "h", "/", fields))
        seen.append("woken")

    task = asyncio.ensure_future(ask())
    await ticks(2)
    await from_the_loop(connection, octets, seen)
    await task
    assert seen == ["returned", "woken"]
    connection.abort()
    await connection.wait_closed()
