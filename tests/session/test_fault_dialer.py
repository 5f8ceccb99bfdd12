"""`FaultDialer`: connections that fail at the very octet that a test says."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import trustme
import wayfare
from wayfare import ClientSession, TCPConnector
from wayfare.testing import Fault, FaultDialer
from wayfare.testing._faulty_transport import FaultyTransport
from wayfare_connector import Target
from wayfare_connector.testing import DialerCase, MemoryDialer, check_dialer
from wayfare_http_core.testing import (
    MemoryNetwork,
    ReadRequest,
    RecordingProtocol,
    Repeat,
    ScriptedServer,
    Send,
    listening,
    memory_pair,
    run_with_fake_clock,
    ticks,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
SERVE = [Repeat(ReadRequest(), Send(HEAD + b"body"))]


def over(faults: Any, **options: Any) -> ClientSession:
    """A session over a network in memory that has one server, `http://h`."""
    network = MemoryNetwork()
    network.serve("h", 80, ScriptedServer(*[SERVE] * 9))
    dialer = FaultDialer(faults, MemoryDialer(network), **options)
    connector = TCPConnector(dialer=dialer, force_close=True)
    return ClientSession("http://h/", connector=connector)


async def read(session: ClientSession, **options: Any) -> bytes:
    """What the server has to say."""
    async with session.get("", **options) as response:
        return await response.read()


async def test_faults_come_in_turn_and_then_none() -> None:
    async with over([Fault.refused(), None, Fault(error=OSError("broken"))]) as session:
        with pytest.raises(wayfare.ClientConnectorError, match="refused"):
            await read(session)
        assert await read(session) == b"body"
        with pytest.raises(wayfare.ClientConnectorError, match="broken"):
            await read(session)
        assert await read(session) == b"body"
        assert session.connector.dialer.dials == 4  # type: ignore[attr-defined]  # a TCPConnector


async def test_closing_closes_what_it_made_itself() -> None:
    await FaultDialer([]).close()
    async with over([]) as session:
        await session.connector.dialer.close()  # type: ignore[attr-defined]  # a TCPConnector
        assert await read(session) == b"body"


async def test_faults_may_begin_anew() -> None:
    async with over([None, Fault.refused()], repeat=True) as session:
        for _ in range(2):
            assert await read(session) == b"body"
            with pytest.raises(wayfare.ClientConnectorError):
                await read(session)


@pytest.mark.parametrize("octets", range(len(HEAD) + 4))
@pytest.mark.parametrize("then", ["reset", "close"])
async def test_a_response_is_cut_at_every_octet(octets: int, then: Any) -> None:
    async with over([Fault(received=octets, then=then)]) as session:
        with pytest.raises(wayfare.ClientError):
            await read(session)


@pytest.mark.parametrize("then", ["reset", "close"])
async def test_after_the_last_octet_it_is_too_late(then: Any) -> None:
    async with over([Fault(received=len(HEAD) + 4, then=then), Fault(received=999)]) as session:
        assert await read(session) == b"body"
        assert await read(session) == b"body"


@pytest.mark.parametrize("octets", [0, 1, 20])
@pytest.mark.parametrize("then", ["reset", "close"])
async def test_a_request_is_cut(octets: int, then: Any) -> None:
    async with over([Fault(sent=octets, then=then)]) as session:
        with pytest.raises(wayfare.ClientConnectionError):
            await session.post("", data=bytes(100))


async def test_a_request_that_was_sent_before_the_fault() -> None:
    async with over([Fault(sent=100_000)]) as session:
        assert await read(session) == b"body"


@pytest.mark.parametrize("fault", [Fault(received=20, then="stall"), Fault(sent=20, then="stall")])
def test_a_connection_that_stalls_is_for_the_timeouts(fault: Fault) -> None:
    async def main() -> None:
        async with over([fault]) as session:
            with pytest.raises(wayfare.SocketTimeoutError):
                await read(session, timeout=wayfare.ClientTimeout(sock_read=5))

    run_with_fake_clock(main())


def test_a_connection_that_is_late() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        late = Fault(delay=3)
        endless = Fault(delay=float("inf"))
        async with over([late, Fault(delay=3, error=OSError("late")), endless]) as session:
            started = loop.time()
            assert await read(session) == b"body"
            with pytest.raises(wayfare.ClientConnectorError, match="late"):
                await read(session)
            assert loop.time() - started == pytest.approx(6, abs=0.1)
            with pytest.raises(wayfare.ConnectionTimeoutError):
                await read(session, timeout=wayfare.ClientTimeout(sock_connect=5))

    run_with_fake_clock(main())


@pytest.mark.parametrize("octets", [10, 2000, 100_000])
async def test_with_tls_octets_are_those_on_the_wire(octets: int) -> None:
    """The handshake fails, the content breaks, or all is well."""
    authority = trustme.CA()
    server, client = (
        ssl.SSLContext(kind) for kind in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT)
    )
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + bytes(50_000)
    peer = ScriptedServer([ReadRequest(), Send(large)])
    dialer = FaultDialer([Fault(received=octets)])
    connector = TCPConnector(dialer=dialer, ssl=client)
    async with (
        listening(peer, tls=server) as (_, port),
        ClientSession(connector=connector) as session,
    ):
        url = f"https://localhost:{port}/"
        if octets > 50_000:
            assert await (await session.get(url)).read() == bytes(50_000)
            return
        with pytest.raises(wayfare.ClientError):
            async with session.get(url) as response:
                await response.read()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"delay": -1}, "cannot be negative"),
        ({"delay": float("nan")}, "cannot be negative"),
        ({"received": -1}, "cannot be negative"),
        ({"sent": -1}, "cannot be negative"),
        ({"then": "boom"}, "must be reset, close or stall, not 'boom'"),
    ],
)
def test_faults_that_make_no_sense(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Fault(**arguments)


def test_there_must_be_something_to_repeat() -> None:
    with pytest.raises(ValueError, match="no fault is given"):
        FaultDialer([], repeat=True)


# -- the transport in between -----------------------------------------------------------------------


@asynccontextmanager
async def echo_case() -> AsyncIterator[DialerCase]:
    """A dialer with a fault that never comes, and where it leads."""
    network = MemoryNetwork()
    network.serve("echo", 7, Echo)
    yield DialerCase(
        dialer=FaultDialer(
            [Fault(received=1 << 40, sent=1 << 40)], MemoryDialer(network), repeat=True
        ),
        echo=Target("http", "echo", 7),
        refused=Target("http", "nobody", 7),
    )
    await asyncio.sleep(0)
    network.client_transports.assert_all_closed()


class Echo(asyncio.Protocol):
    """Sends back what it gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def test_it_is_a_dialer_as_any_other() -> None:
    await check_dialer(echo_case)


async def between(
    near: asyncio.BaseProtocol, far: asyncio.BaseProtocol, *limits: int | None, then: Any = "reset"
) -> FaultyTransport:
    """A faulty transport between two protocols in memory."""
    received, sent = (*limits, None, None)[:2]
    faulty = FaultyTransport(near, received, sent, then)
    memory_pair(faulty.shim(), far, capacity=4)
    await ticks(2)
    return faulty


async def test_all_that_a_transport_can_is_passed_on() -> None:
    near, far = RecordingProtocol(), RecordingProtocol(keep_open=True)
    faulty = await between(near, far)
    assert faulty.can_write_eof()
    assert faulty.is_reading()
    faulty.pause_reading()
    assert not faulty.is_reading()
    faulty.resume_reading()
    faulty.set_write_buffer_limits(8, 2)
    assert faulty.get_write_buffer_limits() == (2, 8)
    far.transport.pause_reading()
    faulty.write(b"0123456789abcdef")
    assert faulty.get_write_buffer_size() == 12
    far.transport.resume_reading()
    await ticks()
    assert [event for event in near.events if isinstance(event, str)] == ["made", "pause", "resume"]
    assert faulty.get_extra_info("peername") == ("b", 2)
    assert faulty.get_extra_info("socket", 7) == 7
    faulty.write_eof()
    await far.ended.wait()
    assert not faulty.is_closing()
    faulty.close()
    assert faulty.is_closing()
    assert await near.lost is None
    far.transport.close()
    await far.lost


async def test_a_protocol_may_be_replaced() -> None:
    near, other, far = RecordingProtocol(), RecordingProtocol(), RecordingProtocol()
    faulty = await between(near, far)
    faulty.set_protocol(other)
    assert faulty.get_protocol() is other
    far.transport.write(b"ab")
    await ticks()
    assert bytes(other.data) == b"ab"
    faulty.abort()
    await other.lost
    await far.lost


@pytest.mark.parametrize("then", ["reset", "close", "stall"])
@pytest.mark.parametrize("limits", [(2, None), (None, 3), (2, 3)])
async def test_a_side_reaches_its_octet(then: Any, limits: Any) -> None:
    near, far = RecordingProtocol(), RecordingProtocol()
    faulty = await between(near, far, *limits, then=then)
    if limits[1] is not None:
        faulty.write(b"abcd")
        await ticks()
        faulty.write(b"efgh")
        assert bytes(far.data) == b"abc"
    if not faulty.is_closing():
        far.transport.write(b"1234")
        await ticks()
        assert bytes(near.data) == (b"12" if limits[1] is None else b"")
    if then == "stall":
        far.transport.write(b"56")
        await ticks()
        far.transport.close()
        await ticks()
        assert b"56" not in bytes(near.data)
        assert "eof" not in near.events
    lost = await near.lost
    assert isinstance(lost, ConnectionResetError) is (then == "reset")
    assert near.events.count("eof") == (then == "close")
    faulty.abort()
    await far.lost


async def test_a_protocol_that_receives_nothing() -> None:
    far = RecordingProtocol()
    faulty = await between(asyncio.BaseProtocol(), far, 0, None, then="close")
    await far.lost
    assert faulty.is_closing()
    faulty = await between(asyncio.BaseProtocol(), far := RecordingProtocol())
    far.transport.close()
    await ticks()
    assert faulty.is_closing()


async def test_the_peer_may_end_it_before_its_fault() -> None:
    near, far = RecordingProtocol(), RecordingProtocol()
    await between(near, far, 9)
    far.transport.close()
    assert await near.lost is None
    assert near.events[-2] == "eof"


def test_before_it_is_connected() -> None:
    with pytest.raises(RuntimeError, match="not connected yet"):
        FaultyTransport(asyncio.BaseProtocol(), None, None, "reset").close()
