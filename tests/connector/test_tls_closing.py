"""Closing TLS: who says goodbye, who waits for whom, and for how long."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from wayfare_connector._tls import TLSLayer
from wayfare_http_core.testing import MemoryTransport, memory_pair, run_with_fake_clock

GARBAGE = b"\x17\x03\x03\x00\x20" + bytes(32)


class App(asyncio.Protocol):
    """Keeps what it gets; `lost` is done with the exception of connection_lost."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.eof = False
        self.lost: asyncio.Future[BaseException | None] = asyncio.Future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> None:
        self.eof = True

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(exc)


class End:
    """One end of a connection: its application, its layer and its raw transport."""

    def __init__(self, app: App, layer: TLSLayer, raw: MemoryTransport) -> None:
        self.app = app
        self.layer = layer
        self.raw = raw
        self.transport = app.transport


@pytest.fixture
def contexts(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return tls_client_context, tls_server_context


@asynccontextmanager
async def connected(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    shutdown_timeout: float | None = None,
    capacity: int = 1 << 20,
) -> AsyncIterator[tuple[End, End]]:
    """A client with this timeout and a server; both ends must be closed at the end."""
    apps = App(), App()
    layers = (
        TLSLayer(
            apps[0], contexts[0], server_hostname="localhost", shutdown_timeout=shutdown_timeout
        ),
        TLSLayer(
            apps[1], contexts[1], server_hostname=None, server_side=True, shutdown_timeout=None
        ),
    )
    raws = memory_pair(*layers, capacity=capacity)
    await asyncio.gather(*(layer.handshake() for layer in layers))
    await asyncio.sleep(0)  # The session tickets.
    yield End(apps[0], layers[0], raws[0]), End(apps[1], layers[1], raws[1])
    for app in apps:
        await app.lost


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def elapsed(contexts: tuple[ssl.SSLContext, ssl.SSLContext], timeout: float | None) -> float:
    """How long closing takes against a peer that stays silent for 100 s."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        async with connected(contexts, timeout) as (client, server):
            server.raw.pause_reading()
            loop.call_later(100, server.raw.resume_reading)
            start = loop.time()
            client.transport.write(b"x")
            client.transport.close()
            assert client.transport.is_closing()
            assert await client.app.lost is None
            return loop.time() - start

    return run_with_fake_clock(main())


def test_t16_a_silent_peer_is_waited_for_until_the_timeout(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    assert elapsed(contexts, 1.0) == pytest.approx(1.0)
    assert elapsed(contexts, 7.5) == pytest.approx(7.5)


def test_t16_zero_aborts_at_once(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    assert elapsed(contexts, 0) == 0


def test_t16_none_waits_as_long_as_it_takes(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    assert elapsed(contexts, None) == pytest.approx(100.0)


async def test_t16_the_timer_does_not_outlive_the_connection(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    start = time.monotonic()
    async with connected(contexts, 1000.0) as (client, server):
        client.transport.close()
        assert await client.app.lost is None
        assert await server.app.lost is None
        assert server.app.eof
    assert time.monotonic() - start < 100


async def test_everything_written_arrives_before_the_goodbye(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with connected(contexts, capacity=1000) as (client, server):
        client.transport.write(bytes(300_000))
        client.transport.close()
        client.transport.write(b"too late")
        assert await client.app.lost is None
        assert await server.app.lost is None
        assert server.app.data == bytes(300_000)
        assert server.app.eof


async def test_both_close_at_once(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with connected(contexts) as (client, server):
        client.transport.close()
        server.transport.close()
        assert await client.app.lost is None
        assert await server.app.lost is None
        assert not client.app.eof
        assert not server.app.eof


async def test_closing_again_changes_nothing(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with connected(contexts) as (client, _):
        client.transport.close()
        client.transport.close()
        await client.app.lost
        client.transport.close()
        client.transport.abort()
        client.transport.write(b"x")
        client.transport.pause_reading()
        client.transport.resume_reading()
        assert client.transport.is_closing()
        assert not client.transport.is_reading()
        assert client.transport.get_extra_info("peername") == ("b", 2)
        assert client.transport.get_extra_info("cipher") is not None


async def test_an_abort_says_nothing(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with connected(contexts) as (client, server):
        client.transport.abort()
        client.transport.abort()
        assert client.transport.is_closing()
        assert await client.app.lost is None
        assert isinstance(await server.app.lost, ssl.SSLEOFError)


async def test_an_abort_ends_closing(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with connected(contexts, None) as (client, server):
        server.raw.pause_reading()
        client.transport.close()
        client.transport.abort()
        assert await client.app.lost is None
        server.raw.resume_reading()


@pytest.mark.parametrize("paused", [False, True])
async def test_what_still_arrives_is_thrown_away(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], paused: bool
) -> None:
    async with connected(contexts, None) as (client, server):
        if paused:
            client.transport.pause_reading()
        server.transport.write(bytes(30_000))
        client.transport.close()
        server.transport.write(bytes(30_000))
        assert await client.app.lost is None
        assert await server.app.lost is None
        assert client.app.data == b""


async def test_closing_with_data_held_back_by_a_pause(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with connected(contexts, None) as (client, server):
        client.transport.pause_reading()
        client.layer.data_received(server.layer.engine.encrypt(b"never seen"))
        client.transport.resume_reading()
        client.transport.close()
        assert await client.app.lost is None
        assert client.app.data == b""


async def test_the_goodbye_that_a_pause_held_back(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with connected(contexts, None) as (client, server):
        client.transport.pause_reading()
        server.transport.close()
        await settle()
        client.transport.close()
        assert await client.app.lost is None
        assert await server.app.lost is None


async def test_a_peer_that_goes_on_sending_is_cut_off(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with connected(contexts, None) as (client, server):
        server.raw.pause_reading()  # It never gets to the goodbye.
        client.transport.close()
        server.transport.write(bytes(65_537))
        assert await client.app.lost is None
        server.raw.resume_reading()


@pytest.mark.parametrize("after", ["nothing", "data"])
async def test_garbage_while_closing(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], after: str
) -> None:
    async with connected(contexts, None) as (client, server):
        server.raw.pause_reading()
        if after == "data":
            server.transport.write(b"data")
        server.raw.write(GARBAGE)
        client.transport.close()
        error = await client.app.lost
        assert isinstance(error, ssl.SSLError)
        server.raw.resume_reading()


async def test_a_peer_that_just_hangs_up_while_closing(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with connected(contexts, None) as (client, server):
        server.raw.pause_reading()
        client.transport.close()
        server.raw.write_eof()
        assert await client.app.lost is None
        server.raw.resume_reading()


async def test_a_reset_while_closing(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with connected(contexts, None) as (client, server):
        server.raw.pause_reading()
        client.transport.close()
        server.raw.reset()
        assert isinstance(await client.app.lost, ConnectionResetError)


async def test_openssl_refuses_to_say_goodbye(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with connected(contexts, None) as (client, server):
        # A fatal alert of its own making, behind the layer's back.
        engine = client.layer.engine
        engine.receive(memoryview(GARBAGE))
        assert engine.readable()
        with pytest.raises(ssl.SSLError):
            engine.read()
        client.transport.close()
        assert isinstance(await client.app.lost, ssl.SSLError)
        await server.app.lost
