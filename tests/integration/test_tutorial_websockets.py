"""What users of aiohttp were taught of WebSockets, of 2018 and of today, against a server of another library."""

from __future__ import annotations

import asyncio
import json

import pytest
import wayfare as aiohttp


async def test_a_conversation(websockets: str) -> None:
    """By each type of message, until one of them says to close."""
    heard: list[str] = []
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{websockets}/ws") as ws:
        await ws.send_str("hello")
        async for msg in ws:
            if msg.type == aiohttp.WSMsgType.TEXT:
                heard.append(msg.data)
                if len(heard) == 2:
                    await ws.close()
                    break
                await ws.send_str(msg.data)
            elif msg.type == aiohttp.WSMsgType.ERROR:
                break
        assert ws.closed
        assert ws.close_code == aiohttp.WSCloseCode.OK
    assert heard == ["hello/answer", "hello/answer/answer"]


async def test_an_address_of_http_and_a_base_url(websockets: str) -> None:
    base = websockets.replace("ws://", "http://")
    async with aiohttp.ClientSession(base) as session:
        async with session.ws_connect("/ws") as ws:
            await ws.send_str("one")
            assert await ws.receive_str() == "one/answer"
        async with session.ws_connect(f"{base}/ws") as ws:
            await ws.send_bytes(b"\x00\xff")
            assert await ws.receive_bytes() == b"\x00\xff"


async def test_json(websockets: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(websockets) as ws:
        await ws.send_bytes(json.dumps({"a": 1}).encode())
        msg = await ws.receive()
        assert msg.type is aiohttp.WSMsgType.BINARY
        assert json.loads(msg.data) == {"a": 1}
        await ws.send_json(["☃"], dumps=lambda value: json.dumps(value, ensure_ascii=False))
        assert await ws.receive_str(timeout=5) == '["☃"]/answer'
        await ws.send_str("text")
        with pytest.raises(aiohttp.WSMessageTypeError):
            await ws.receive_bytes()


async def test_a_server_that_closes(websockets: str) -> None:
    """What iteration ends on is not given to the program; what `receive` returns is."""
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(websockets) as ws:
            await ws.send_str("bye")
            assert [msg async for msg in ws] == []
            assert ws.close_code == 4000
        async with session.ws_connect(websockets) as ws:
            await ws.send_str("bye")
            msg = await ws.receive()
            assert (msg.type, msg.data, msg.extra) == (aiohttp.WSMsgType.CLOSE, 4000, "said so")
            assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSED


async def test_one_task_reads_and_others_write(websockets: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(websockets) as ws:

        async def write(number: int) -> None:
            await ws.send_str(f"{number}")

        writers = [asyncio.create_task(write(number)) for number in range(5)]
        heard = {await ws.receive_str() for _ in range(5)}
        await asyncio.gather(*writers)
    assert heard == {f"{number}/answer" for number in range(5)}


async def test_settings_of_a_connection(websockets: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            websockets,
            protocols=("chat",),
            heartbeat=10,
            autoping=True,
            compress=15,
            max_msg_size=1024,
            headers={"X-Token": "t"},
            origin="http://example.org",
            timeout=aiohttp.ClientWSTimeout(ws_close=5),
        ) as ws,
    ):
        assert ws.protocol == "chat"
        assert ws.compress
        await ws.ping(b"there")
        await ws.send_str("packed " * 10)
        assert await ws.receive_str() == "packed " * 10 + "/answer"
        await ws.send_bytes(bytes(1025))
        msg = await ws.receive()
        assert msg.type is aiohttp.WSMsgType.ERROR
        assert isinstance(ws.exception(), aiohttp.WebSocketError)


async def test_a_handshake_that_is_refused(websockets: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(f"{websockets}/refused")
    assert caught.value.status == 403
    assert isinstance(caught.value, aiohttp.ClientResponseError)


async def test_the_spellings_of_old(websockets: str) -> None:
    """A number as the timeout, and types of messages in small letters."""
    async with aiohttp.ClientSession() as session:
        with pytest.warns(DeprecationWarning, match="ClientWSTimeout"):
            ws = await session.ws_connect(websockets, timeout=10.0)
        await ws.send_str("old")
        msg = await ws.receive()
        assert msg.type == aiohttp.WSMsgType.text
        assert msg.data == "old/answer"
        await ws.close(code=1000, message=b"bye")
        assert ws.closed
