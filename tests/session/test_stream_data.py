"""Streams as a request's data: fed by hand, of asyncio, and the content of another response."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import wayfare
from wayfare._bodies import UntypedBody
from wayfare_http_core.aio import StreamBody
from wayfare_http_core.testing import Fin, ReadHead, ReadRequest, ScriptedServer, Send

from .conftest import in_memory

OK = (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))


async def test_a_stream_that_is_fed_while_it_is_sent(serve: Any) -> None:
    async with serve(OK) as (session, server):
        stream = wayfare.StreamReader()
        sending = asyncio.ensure_future(session.post("/", data=stream))
        for line in (b"one\n", b"two\n", b"three"):
            await asyncio.sleep(0)
            stream.feed_data(line)
            await stream.drain()
        stream.feed_eof()
        assert (await sending).status == 200
    request = server.peers[0].requests[0]
    assert request.get("transfer-encoding") == "chunked"
    assert request.get("content-type") == "application/octet-stream"
    assert request.body == b"one\ntwo\nthree"


async def test_a_stream_of_asyncio(serve: Any) -> None:
    async with serve(OK) as (session, server):
        stream = asyncio.StreamReader()
        stream.feed_data(b"one\ntwo\n" + bytes(200_000))
        stream.feed_eof()
        await session.post("/", data=stream)
    assert server.peers[0].requests[0].body == b"one\ntwo\n" + bytes(200_000)


async def test_the_content_of_another_response(serve: Any) -> None:
    """From one connection to the other, while it arrives."""
    content = bytes(range(256)) * 4000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content)
    async with serve((ReadRequest(), Send(head + content)), OK) as (session, server):
        response = await session.get("/")
        await session.post("/", data=response.content)
        assert response.content.at_eof()
    assert server.peers[1].requests[0].body == content


async def test_whoever_feeds_a_request_that_fails_is_told(serve: Any) -> None:
    async with serve((ReadHead(), Fin())) as (session, _):
        stream = wayfare.StreamReader(limit=1000)
        stream.feed_data(bytes(5000))

        async def feed() -> None:
            while True:
                await stream.drain()
                stream.feed_data(bytes(5000))

        feeding = asyncio.ensure_future(feed())
        with pytest.raises(wayfare.ClientError):
            await session.post("/", data=stream)
        with pytest.raises(wayfare.UploadAbortedError):
            await feeding


async def _feed(stream: wayfare.StreamReader) -> None:
    while True:
        stream.feed_data(bytes(5000))
        await stream.drain()


@pytest.mark.parametrize("wrap", [lambda stream: stream, StreamBody])
@pytest.mark.parametrize("status", [b"401 No", b"417 No", b"303 See\r\nLocation: /other"])
def test_whoever_feeds_a_body_that_nobody_asked_for_is_told(status: bytes, wrap: Any) -> None:
    """A final response came in place of 100: the content of the request never begins (R15)."""
    answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    final = b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    async def use(session: wayfare.ClientSession, server: ScriptedServer) -> None:
        stream = wayfare.StreamReader(limit=1000)
        feeding = asyncio.ensure_future(_feed(stream))
        response = await session.post("/", data=wrap(stream), expect100=True)
        assert response.status in (401, 403)
        with pytest.raises(wayfare.UploadAbortedError):
            await feeding

    in_memory(use, (ReadHead(), Send(answer), Fin()), (ReadHead(), Send(final), Fin()))


async def test_whoever_feeds_a_request_that_cannot_connect_is_told() -> None:
    stream, tracker = wayfare.StreamReader(limit=1000), wayfare.UploadTracker()
    feeding = asyncio.ensure_future(_feed(stream))
    async with wayfare.ClientSession() as session:
        with pytest.raises(wayfare.ClientConnectorError):
            await session.post("http://127.0.0.1:1/", data=stream, upload_tracker=tracker)
    with pytest.raises(wayfare.UploadAbortedError):
        await feeding


async def test_other_data_that_can_be_given_up_is_left_alone(serve: Any) -> None:
    class Pieces:
        def give_up(self) -> None:
            raise AssertionError

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"piece"

    async with serve(OK) as (session, server):
        await session.post("/", data=Pieces())
    assert server.peers[0].requests[0].body == b"piece"


@pytest.mark.parametrize("how", ["update_body", "body", "untyped", "coded"])
@pytest.mark.parametrize("before", [True, False])
async def test_whoever_feeds_what_a_middleware_sends_is_told(
    serve: Any, how: str, before: bool
) -> None:
    """As for `data=`: also where another middleware ends the request before it was sent at all."""
    stream = wayfare.StreamReader(limit=1000)

    async def feeding(request: Any, handler: Any) -> Any:
        if how == "update_body":
            await request.update_body(stream)
        else:
            request.body = StreamBody(stream)
        if how == "untyped":
            request.body = UntypedBody(request.body)
        if how == "coded":
            request.compress = "gzip"
        return await handler(request)

    async def failing(request: Any, handler: Any) -> Any:
        raise LookupError("not today")

    script = (ReadHead(), Send(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"))
    async with serve(script, middlewares=[feeding, *([failing] if before else [])]) as (session, _):
        task = asyncio.ensure_future(_feed(stream))
        request = session.put("/", expect100=True, headers={"Expect": "100-continue"})
        if before:
            with pytest.raises(LookupError):
                await request
        else:
            assert (await request).status == 401
        with pytest.raises(wayfare.UploadAbortedError):
            await task


async def test_other_content_of_a_middleware_is_nobodys_to_give_up(serve: Any) -> None:
    async def changing(request: Any, handler: Any) -> Any:
        await request.update_body(b"other")
        return await handler(request)

    async with serve(OK, middlewares=[changing]) as (session, server):
        await session.post("/", data=b"mine")
    assert server.peers[0].requests[0].body == b"other"
