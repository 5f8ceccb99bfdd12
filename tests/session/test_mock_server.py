"""`MockServer`: expectations on a real port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import wayfare
from wayfare import ClientSession
from wayfare.testing import MockCall, MockReply, MockServer, UnmetExpectationsError
from wayfare_http_core.testing import ticks


async def pieces() -> AsyncIterator[bytes]:
    """Content that breaks off."""
    yield b"half"
    raise KeyError("broken")


async def test_it_answers_as_it_was_told_to() -> None:
    async with MockServer() as server:
        server.post("/a", json=[1]).reply(201, "made").times(2)
        async with ClientSession(server.url) as session:
            for _ in range(2):
                async with session.post("a", json=[1]) as response:
                    assert (response.status, await response.text()) == (201, "made")
        assert [call.url.path for call in server.calls] == ["/a", "/a"]
        assert server.calls[0].url.host == "127.0.0.1"


async def test_large_content_goes_both_ways() -> None:
    large = bytes(5_000_000)
    async with MockServer() as server:
        server.post("/").call(lambda call: MockReply(body=call.body))
        async with ClientSession(server.url) as session, session.post("", data=large) as response:
            assert await response.read() == large


async def test_what_nobody_expected_is_explained_and_kept_for_the_end() -> None:
    server = MockServer()
    async with server, ClientSession(server.url) as session, session.get("x") as response:
        assert response.status == 501
        assert (await response.text()).startswith("UnexpectedRequestError: unexpected")
        with pytest.raises(UnmetExpectationsError, match="asked for and not expected"):
            await server.__aexit__(None, None, None)
        server.reset()


async def test_what_a_function_raises_is_kept_for_the_end() -> None:
    def check(call: MockCall) -> MockReply:
        raise AssertionError("not like this")

    server = MockServer()
    async with server, ClientSession(server.url) as session:
        server.get("/").call(check)
        async with session.get("") as response:
            assert response.status == 500
            assert await response.text() == "AssertionError: not like this\n"
        with pytest.raises(AssertionError, match="not like this"):
            server.verify()
        server.reset()


async def test_content_that_fails_breaks_the_connection() -> None:
    async with MockServer() as server, ClientSession(server.url) as session:
        server.get("/").reply(body=pieces)
        with pytest.raises(wayfare.ClientError):
            async with session.get("") as response:
                await response.read()
        with pytest.raises(KeyError):
            server.verify()
        server.reset()
        server.verify()


async def test_a_failure_that_was_asked_for_breaks_the_connection() -> None:
    async with MockServer() as server, ClientSession(server.url) as session:
        server.get("/").fail(OSError)
        with pytest.raises(wayfare.ClientConnectionError):
            await session.get("")


async def test_an_exception_that_is_on_its_way_is_not_hidden() -> None:
    async def fail() -> None:
        async with MockServer() as server:
            server.get("/")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()


async def test_leaving_ends_what_goes_on() -> None:
    entered = asyncio.Event()

    async def wait(call: MockCall) -> MockReply:
        entered.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with MockServer() as server:
        server.get("/").call(wait)
        url = server.url
        session = ClientSession(url)
        sending = asyncio.ensure_future(session.get(""))
        await entered.wait()
    with pytest.raises(wayfare.ClientConnectionError):
        await sending
    await session.close()
    await server.__aexit__(None, None, None)
    with pytest.raises(RuntimeError, match="does not run"):
        _ = server.url


async def test_what_is_no_http_has_no_answer() -> None:
    async with MockServer() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.url.port)
        writer.write(b"\x16\x03\x01 no HTTP")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("iterations", range(6))
async def test_leaving_drops_who_is_just_being_accepted(iterations: int) -> None:
    """Whatever the loop has come to with this client, nothing of it is left behind."""
    async with MockServer() as server:
        client = socket.create_connection(("127.0.0.1", server.url.port))
        await ticks(iterations)
    client.setblocking(False)
    with client, suppress(ConnectionError):
        assert client.recv(1) == b""
    sides = set(server._sides)
    assert not any(side.is_open for side in sides)
    await ticks()
    assert server._sides == sides
