"""Faults on the way to a connection: replies and handshakes cut anywhere, resources that are gone (F14, F15, F17)."""

import asyncio
import errno
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
from wayfare_connector import (
    AddrInfoType,
    ClientConnectorError,
    ClientProxyConnectionError,
    ClientSSLError,
    Proxy,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core import ClientError, Connection, RequestHead
from wayfare_http_core.testing import (
    Drip,
    Fin,
    MemoryNetwork,
    Read,
    ReadHead,
    ReadRequest,
    Reset,
    Script,
    ScriptedServer,
    Send,
    listening,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
HTTP_YES = b"HTTP/1.1 103 Early\r\nX: y\r\n\r\nHTTP/1.1 200 Fine\r\nVia: 1.1 proxy\r\n\r\n"
SOCKS_YES = b"\x05\x00\x00\x03\x09localhost\x00\x50"
HTTP = Proxy("http://proxy.example")
SOCKS = Proxy("socks5h://proxy.example")


async def get(connection: Connection) -> bytes:
    exchange = await connection.exchange(RequestHead("GET", "http", "a.example", "/"))
    return await exchange.content.read()


async def through(proxy: Proxy, script: Script) -> bytes:
    """One request through a scripted proxy in memory; nothing is left of it."""
    network = MemoryNetwork()
    network.serve("proxy.example", proxy.port, ScriptedServer(script))
    try:
        async with TCPConnector(dialer=MemoryDialer(network)) as connector:
            try:
                connection = await connector.connect(Target("ws", "a.example", proxy=proxy))
                return await get(connection)
            finally:
                stats = connector.stats()
                assert (stats.connecting, stats.waiting) == (0, 0)
    finally:
        await asyncio.sleep(0)  # what was aborted is closed in the loop's next turn
        network.client_transports.assert_all_closed()


@pytest.mark.parametrize("end", [Fin(), Reset()], ids=["fin", "reset"])
@pytest.mark.parametrize("length", range(len(HTTP_YES)))
async def test_f15_p3_an_answer_to_connect_that_ends_anywhere(
    length: int, end: Fin | Reset
) -> None:
    with pytest.raises(ClientProxyConnectionError):
        await through(HTTP, [ReadHead(), Send(HTTP_YES[:length]), end])


@pytest.mark.parametrize("end", [Fin(), Reset()], ids=["fin", "reset"])
@pytest.mark.parametrize("length", range(len(SOCKS_YES)))
async def test_f15_p12_an_answer_of_socks_that_ends_anywhere(length: int, end: Fin | Reset) -> None:
    with pytest.raises(ClientProxyConnectionError):
        await through(
            SOCKS,
            [Read(3), Send(b"\x05\x00"), Read(16), Send(SOCKS_YES[:length]), end],
        )


async def test_f15_answers_may_come_octet_by_octet() -> None:
    end: Script = [ReadRequest(), Send(OK)]
    assert await through(HTTP, [ReadHead(), Drip(HTTP_YES), *end]) == b"hi"
    script: Script = [Read(3), Drip(b"\x05\x00"), Read(16), Drip(SOCKS_YES), *end]
    assert await through(SOCKS, script) == b"hi"


# -- TLS


class CutServer(asyncio.Protocol):
    """Does its part of a handshake, but sends only so many octets of it before it hangs up."""

    def __init__(self, context: ssl.SSLContext, allowed: int | None) -> None:
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.allowed = allowed
        self.sent = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.allowed == 0:
            transport.close()

    def data_received(self, data: bytes) -> None:
        self.incoming.write(data)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.transport.close()  # the client gave up
            return
        octets = self.outgoing.read()
        if self.allowed is not None:
            octets = octets[: self.allowed - len(self.sent)]
        self.transport.write(octets)
        self.sent += octets
        if len(self.sent) == self.allowed:
            self.transport.close()


def record_ends(octets: bytes) -> list[int]:
    """Where the records of a stream end."""
    ends = []
    position = 0
    while position < len(octets):
        (length,) = struct.unpack_from("!H", octets, position + 3)
        position += 5 + length
        ends.append(position)
    return ends


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
async def test_f14_t13_a_handshake_that_ends_at_any_record(
    tls_server_context: ssl.SSLContext,
    tls_client_context: ssl.SSLContext,
    version: ssl.TLSVersion,
) -> None:
    tls_server_context.maximum_version = version
    servers: list[CutServer] = []

    async def connect(allowed: int | None) -> None:
        network = MemoryNetwork()

        def factory() -> CutServer:
            servers.append(CutServer(tls_server_context, allowed))
            return servers[-1]

        network.serve("localhost", 443, factory)
        async with TCPConnector(dialer=MemoryDialer(network), ssl_shutdown_timeout=0) as connector:
            try:
                await connector.connect(Target("https", "localhost", ssl=tls_client_context))
            finally:
                stats = connector.stats()
                assert (stats.connecting, stats.waiting) == (0, 0)
        await asyncio.sleep(0)
        network.client_transports.assert_all_closed()

    await connect(None)
    ends = record_ends(bytes(servers[0].sent))
    assert len(ends) > 3
    # The last record is the server's Finished: without it no client believes the server. What
    # follows in TLS 1.3 are tickets, which it can do without.
    needed = ends[-1] if version is ssl.TLSVersion.TLSv1_2 else ends[-3]
    for end in [0, *(e for e in ends if e < needed)]:
        for allowed in (end, end + 3):
            with pytest.raises(ClientSSLError):
                await connect(allowed)


# -- resources


@pytest.fixture
async def port(ok_server: ScriptedServer) -> AsyncIterator[int]:
    async with listening(ok_server) as (_, port):
        yield port


@pytest.mark.parametrize(
    "code",
    [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EACCES],
    ids=errno.errorcode.get,
)
async def test_f17_a_socket_that_cannot_be_had_is_an_error_and_passes(port: int, code: int) -> None:
    failing = True

    def make(info: AddrInfoType) -> socket.socket:
        if failing:
            raise OSError(code, "planned")
        return socket.socket(*info[:3])

    async with TCPConnector(limit=1, socket_factory=make) as connector:
        target = Target("http", "127.0.0.1", port)
        for _ in range(3):
            with pytest.raises(ClientConnectorError) as raised:
                await connector.connect(target)
            assert raised.value.errno == code
        failing = False
        assert await get(await connector.connect(target)) == b"hi"


async def test_f17_no_memory_leaves_the_place_free(port: int) -> None:
    errors: list[Exception] = [MemoryError(), RuntimeError("planned")]

    def make(info: AddrInfoType) -> socket.socket:
        if errors:
            raise errors.pop()
        return socket.socket(*info[:3])

    async with TCPConnector(limit=1, socket_factory=make) as connector:
        target = Target("http", "127.0.0.1", port)
        failures: list[Any] = []
        for _ in range(2):
            try:
                await connector.connect(target)
            except (MemoryError, RuntimeError, ClientError) as exc:
                failures.append(exc)
        assert len(failures) == 2
        assert await get(await connector.connect(target)) == b"hi"
