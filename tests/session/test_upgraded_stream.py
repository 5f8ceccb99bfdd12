"""Connections that leave HTTP: octets both ways after status 101 (RFC 9110 section 7.8)."""

import asyncio
import ssl
from typing import Any

import pytest
import trustme
import wayfare
from wayfare import ClientConnectionError, ClientResponseError, UpgradedStream
from wayfare._upgrade import take_over
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    Call,
    CloseWrite,
    FakeClockLoop,
    Fin,
    Read,
    ReadRequest,
    Reset,
    Script,
    ScriptedServer,
    Send,
    Stall,
    Wait,
    World,
    listening,
)

FIELDS = {"Connection": "Upgrade", "Upgrade": "echo"}
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo/1\r\n\r\n"
SWITCH: Script = (ReadRequest(), Send(SWITCHED))


async def upgraded(session: wayfare.ClientSession) -> UpgradedStream:
    response = await session.get("/", headers=FIELDS)
    assert response.status == 101
    return response.upgrade()


async def read_into(received: list[bytes], stream: UpgradedStream) -> None:
    while octets := await stream.read(100):
        received.append(octets)


def leased(session: wayfare.ClientSession) -> int:
    return session.connector.stats().leased


async def test_octets_both_ways(serve: Any) -> None:
    script = (ReadRequest(), Send(SWITCHED + b"first"), Read(4), Send(b"second"), Fin())
    async with serve(script) as (session, server):
        async with await upgraded(session) as stream:
            assert (stream.protocol, stream.closed) == ("echo/1", False)
            assert stream.facts.peername is not None
            # What came right behind the response is read first.
            assert await stream.read(5) == b"first"
            assert leased(session) == 1
            stream.write(b"ping")
            await stream.drain()
            assert await stream.read() == b"second"
            assert await stream.read() == b""
        assert stream.closed
        assert leased(session) == 0
        assert server.requests[0].get("Upgrade") == "echo"
        # The end comes once.
        stream.close()
        stream.abort()
        await stream.wait_closed()


async def test_all_ways_of_reading(serve: Any) -> None:
    async with (
        serve((*SWITCH, Send(b"line\n1234rest"), Fin())) as (session, _),
        await upgraded(session) as stream,
    ):
        assert await stream.reader.readline() == b"line\n"
        assert await stream.reader.readexactly(4) == b"1234"
        assert [piece async for piece in stream.reader.iter_chunked(2)] == [b"re", b"st"]


async def test_it_counts_in_the_pool_until_it_is_closed(serve: Any) -> None:
    connector = wayfare.TCPConnector(limit=1)
    over = (ReadRequest(), Send(b"HTTP/1.1 204 No Content\r\n\r\n"))
    async with serve((*SWITCH, Stall()), over, connector=connector) as (session, server):
        stream = await upgraded(session)
        waiting = asyncio.ensure_future(session.get("/"))
        while not connector.stats().waiting:
            await asyncio.sleep(0)
        stream.close()
        assert (await waiting).status == 204
        await stream.wait_closed()
        server.abort()


async def test_our_half_ends_first(serve: Any) -> None:
    def answer(peer: Any) -> None:
        peer.write(b"all of it")

    script = (*SWITCH, Read(3), Call(answer), Stall())
    async with serve(script) as (session, server):
        async with await upgraded(session) as stream:
            stream.write(b"abc")
            stream.write_eof()
            assert await stream.read(9) == b"all of it"
            assert not stream.reader.at_eof()
        server.abort()


async def test_the_peers_half_ends_first(serve: Any) -> None:
    async with serve((*SWITCH, Send(b"bye"), CloseWrite(), Read(3), Fin())) as (session, server):
        async with await upgraded(session) as stream:
            assert await stream.read() == b"bye"
            assert not stream.closed
            stream.write(b"you")
            await stream.drain()
        assert server.errors == ()


async def test_a_connection_that_breaks(serve: Any) -> None:
    async with serve((*SWITCH, Read(1), Send(b"half"), Reset())) as (session, _):
        stream = await upgraded(session)
        stream.write(b"?")
        received: list[bytes] = []
        with pytest.raises(wayfare.ClientOSError):
            await read_into(received, stream)
        # A reset may overtake what was sent before it.
        assert b"".join(received) in (b"half", b"")
        await stream.wait_closed()
        for failing in (stream.drain(), stream.read()):
            with pytest.raises(ClientConnectionError):
                await failing
        with pytest.raises(ClientConnectionError):
            stream.write(b"x")
        with pytest.raises(ClientConnectionError):
            stream.write_eof()
        assert leased(session) == 0


async def test_a_closed_stream_takes_nothing(serve: Any) -> None:
    async with serve((*SWITCH, Stall())) as (session, server):
        stream = await upgraded(session)
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(0)
        stream.close()
        with pytest.raises(ClientConnectionError, match="the stream is closed"):
            stream.write(b"x")
        with pytest.raises(ClientConnectionError, match="the connection is closed"):
            await reading
        server.abort()


async def test_back_pressure_both_ways(serve: Any) -> None:
    """Neither a peer that takes nothing nor a reader that reads nothing fills the memory."""
    big = bytes(4 * 1024 * 1024)
    async with serve((*SWITCH, Send(big), Stall(reading=False))) as (session, server):
        stream = await upgraded(session)
        # The peer's octets wait in the system: a bit over the marks is here.
        while stream.reader.total_raw_bytes < 512 * 1024:
            await asyncio.sleep(0.001)
        assert stream.reader.total_raw_bytes < 1024 * 1024
        stream.write(bytes(32 * 1024 * 1024))
        draining = asyncio.ensure_future(stream.drain())
        assert await stream.reader.readexactly(len(big)) == big
        assert not draining.done()
        stream.abort()
        with pytest.raises(ClientConnectionError):
            await draining
        server.abort()


async def test_a_drain_that_ends(serve: Any) -> None:
    size = 16 * 1024 * 1024
    async with serve((*SWITCH, Read(size), Send(b"got it"), Fin())) as (session, _):
        stream = await upgraded(session)
        stream.write(bytes(size))
        waiting = asyncio.ensure_future(stream.drain())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await stream.drain()
        await stream.drain()
        assert await stream.read() == b"got it"
        stream.close()
        await stream.wait_closed()


async def test_an_error_in_the_block_drops_the_connection(serve: Any) -> None:
    async with serve((*SWITCH, Stall())) as (session, server):
        with pytest.raises(LookupError):
            async with await upgraded(session):
                raise LookupError
        assert leased(session) == 0
        server.abort()


async def test_any_other_status_is_an_error(serve: Any) -> None:
    head = "HTTP/1.1 426 Upgrade Required\nUpgrade: other\nContent-Length: 3"
    async with serve((head, b"why")) as (session, _), session.get("/", headers=FIELDS) as response:
        with pytest.raises(ClientResponseError, match="status 101, not by 426") as caught:
            response.upgrade()
        assert (caught.value.status, caught.value.body) == (426, b"why")


async def test_it_is_taken_over_once_and_while_it_is_there(serve: Any) -> None:
    async with serve((*SWITCH, Stall()), (*SWITCH, Stall())) as (session, server):
        response = await session.get("/", headers=FIELDS)
        stream = response.upgrade()
        with pytest.raises(ClientConnectionError, match="before it was taken over"):
            response.upgrade()
        stream.abort()
        response = await session.get("/", headers=FIELDS)
        response.release()
        with pytest.raises(ClientConnectionError, match="before it was taken over"):
            response.upgrade()
        await response.wait_for_close()
        server.abort()


def test_the_limits_of_the_request_are_over() -> None:
    """O3: its total time was that of the response."""

    async def running() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        world = World(loop)
        world.serve("h", 80, (*SWITCH, Wait(1000), Send(b"x"), Fin()))
        connector = wayfare.TCPConnector(dialer=MemoryDialer(world.network))
        async with wayfare.ClientSession("http://h/", connector=connector) as session:
            response = await session.get("/", headers=FIELDS, timeout=10)
            async with response.upgrade() as stream:
                assert await stream.read() == b"x"
        assert loop.time() > 1900

    with asyncio.Runner(loop_factory=FakeClockLoop) as runner:
        runner.run(running())


async def test_the_session_closes_under_it(serve: Any) -> None:
    async with serve((*SWITCH, Stall())) as (session, server):
        stream = await upgraded(session)
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(0)
        await session.close()
        with pytest.raises(ClientConnectionError):
            await reading
        await stream.wait_closed()
        server.abort()


class Foreign:
    """A response over a connection of another version of HTTP."""

    def __init__(self) -> None:
        self.connection = self.protocol = self
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_a_connection_that_knows_no_upgrade() -> None:
    response: Any = Foreign()
    with pytest.raises(RuntimeError, match="a Foreign cannot be taken over"):
        take_over(response)
    assert response.closed


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Those of a server and of its clients."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


async def test_over_tls(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server = ScriptedServer((*SWITCH, Read(4), Send(b"pong"), Stall()))
    async with listening(server, tls=contexts[0]) as (host, port):
        async with wayfare.ClientSession(f"https://{host}:{port}/") as session:
            response = await session.get("/", headers=FIELDS, ssl=contexts[1])
            async with response.upgrade() as stream:
                assert stream.facts.tls_version is not None
                with pytest.raises(NotImplementedError, match="TLS has no such thing"):
                    stream.write_eof()
                stream.write(b"ping")
                assert await stream.reader.readexactly(4) == b"pong"
        server.abort()
