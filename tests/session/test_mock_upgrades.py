"""`MockConnector`: requests that leave HTTP, for WebSockets or for another protocol."""

import asyncio
from typing import Any

import pytest
import wayfare
from wayfare import ClientSession
from wayfare.testing import MockCall, MockConnector
from wayfare_connector import Target
from wayfare_http_core import FieldBlock, RequestHead
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import RecordingProtocol, ticks
from wayfare_websocket import DeflateParameters
from wayfare_websocket.aio import ClientWebSocketResponse

from .conftest import HOST

# -- upgrades ---------------------------------------------------------------------------------------


UPGRADE = {"Connection": "Upgrade", "Upgrade": "echo"}


async def echo(call: MockCall, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speak another protocol: each line comes back louder."""
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()


async def test_a_connection_may_leave_http(mock: MockConnector, session: ClientSession) -> None:
    mock.get("/", headers=UPGRADE).upgrade(echo, {"Upgrade": "echo"})
    response = await session.get("/", headers=UPGRADE)
    assert response.status == 101
    async with response.upgrade() as stream:
        for word in (b"one\n", b"two\n"):
            stream.write(word)
            assert await stream.read(10) == word.upper()
        stream.write_eof()
        assert await stream.read() == b""
    assert mock.stats().leased == 0


async def test_what_comes_with_the_request_is_read_as_well(mock: MockConnector) -> None:
    mock.get("/").upgrade(echo, {"Upgrade": "echo"})
    connection = await mock.connect(Target("http", "h", 80))
    assert isinstance(connection, HTTP1Connection)
    head = RequestHead("GET", "http", "h", "/", FieldBlock(UPGRADE))
    asking = asyncio.ensure_future(connection.exchange(head))
    await asyncio.sleep(0)
    transport = connection._transport
    assert transport is not None
    transport.write(b"early\n")
    await asking
    upgraded = connection.upgrade()
    far = RecordingProtocol()
    far.connection_made(upgraded.transport)
    upgraded.transport.set_protocol(far)
    far.data += upgraded.unread
    await ticks()
    assert bytes(far.data) == b"EARLY\n"
    upgraded.transport.close()
    await far.lost
    upgraded.release()


async def test_an_upgrade_that_fails_closes_the_connection(
    mock: MockConnector, session: ClientSession
) -> None:
    async def fail(call: MockCall, reader: Any, writer: Any) -> None:
        raise KeyError("in the other protocol")

    mock.get("/").upgrade(fail, {"Upgrade": "echo"})
    response = await session.get("/", headers=UPGRADE)
    async with response.upgrade() as stream:
        assert await stream.read() == b""
    with pytest.raises(KeyError, match="in the other protocol"):
        mock.verify()
    mock.reset()


async def test_closing_ends_an_upgraded_connection() -> None:
    mock = MockConnector()
    mock.get("/").upgrade(echo, {"Upgrade": "echo"})
    session = ClientSession(HOST, connector=mock)
    stream = (await session.get("/", headers=UPGRADE)).upgrade()
    await session.close()
    with pytest.raises(wayfare.ClientConnectionError):
        stream.write(b"late")
    await stream.wait_closed()


# -- WebSockets -------------------------------------------------------------------------------------


async def shout(call: MockCall, websocket: ClientWebSocketResponse[bool]) -> None:
    """Each text comes back louder."""
    async for message in websocket:
        await websocket.send_str(message.data.upper())


async def test_a_websocket(mock: MockConnector, session: ClientSession) -> None:
    mock.get("/ws", query={"a": 1}).websocket(shout, protocols=["loud"])
    async with session.ws_connect("/ws?a=1", protocols=["soft", "loud"]) as websocket:
        assert websocket.protocol == "loud"
        await websocket.send_str("one")
        assert await websocket.receive_str() == "ONE"
    assert websocket.close_code == 1000
    assert mock.calls[0].headers["Sec-WebSocket-Protocol"] == "soft, loud"


async def test_the_server_may_end_it_and_compress(
    mock: MockConnector, session: ClientSession
) -> None:
    async def greet(call: MockCall, websocket: ClientWebSocketResponse[bool]) -> None:
        await websocket.send_json({"hello": "a" * 1000})
        await websocket.close(code=4000, message=b"enough")

    mock.get("/").websocket(greet, deflate=DeflateParameters())
    async with session.ws_connect("/", compress=15) as websocket:
        assert await websocket.receive_json() == {"hello": "a" * 1000}
        assert (await websocket.receive()).extra == "enough"
    assert websocket.close_code == 4000
    assert websocket.compress


async def test_a_request_that_opens_none_is_refused(
    mock: MockConnector, session: ClientSession
) -> None:
    mock.get("/").websocket(shout)
    async with session.get("/") as response:
        assert response.status == 426
        assert "Upgrade is not websocket" in await response.text()


async def test_what_a_websockets_function_raises_is_kept(
    mock: MockConnector, session: ClientSession
) -> None:
    async def check(call: MockCall, websocket: ClientWebSocketResponse[bool]) -> None:
        assert await websocket.receive_str() == "two"

    mock.get("/").websocket(check)
    async with session.ws_connect("/") as websocket:
        await websocket.send_str("one")
        assert (await websocket.receive()).type is wayfare.WSMsgType.CLOSE
    with pytest.raises(AssertionError, match="one"):
        mock.verify()
    mock.reset()


async def test_closing_ends_a_websocket() -> None:
    mock = MockConnector()
    mock.get("/").websocket(shout)
    session = ClientSession(HOST, connector=mock)
    websocket = await session.ws_connect("/")
    await session.close()
    assert websocket.closed or (await websocket.receive()).type is not wayfare.WSMsgType.TEXT
    await websocket.close()
