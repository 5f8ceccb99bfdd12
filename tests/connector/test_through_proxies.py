"""Connections through proxies on the loopback interface: what goes to whom, and how it fails (P1 to P15)."""

import asyncio
import contextlib
import errno
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme
from wayfare_connector import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ConnectTimeouts,
    Fingerprint,
    Proxy,
    ProxyTimeoutError,
    ServerFingerprintMismatch,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import (
    FakeResolver,
    MemoryDialer,
    RecordingObserver,
    cancel_at_every_await,
)
from wayfare_http_core import Connection, FieldBlock, RequestHead
from wayfare_http_core.testing import (
    Fin,
    MemoryNetwork,
    Read,
    ReadHead,
    Reset,
    Script,
    ScriptedServer,
    Send,
    Stall,
    listening,
)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SECRET = FieldBlock([("Authorization", "Basic dGFyZ2V0"), ("Cookie", "a=b")])


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def relay(client: Streams, port: int) -> None:
    """Carry octets between a client and a local port until both have ended."""
    server = await asyncio.open_connection("127.0.0.1", port)
    await carry(client, server)


async def carry(one: Streams, other: Streams) -> None:
    """Carry octets both ways until both have ended."""
    try:
        await asyncio.gather(pump(one[0], other[1]), pump(other[0], one[1]))
    finally:
        for _, writer in (one, other):
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


class HTTPProxy:
    """A proxy that knows one target, whatever its name; keeps each head that it got."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
        self.answer = answer
        self.heads: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head.decode("ascii"))
            if head.startswith(b"CONNECT"):
                port = int(head.split()[1].rpartition(b":")[2])
                writer.write(self.answer)
                if self.answer.startswith(b"HTTP/1.1 2"):
                    await relay((reader, writer), port)
            else:
                authority = head.split()[1].split(b"/")[2]
                port = int(authority.rpartition(b":")[2])
                server = await asyncio.open_connection("127.0.0.1", port)
                server[1].write(head)
                await carry((reader, writer), server)
        writer.close()


class SOCKSProxy:
    """Both versions of SOCKS; keeps what it was told to connect to."""

    def __init__(self, reply: int = 0, user: bytes | None = None, extra: bytes = b"") -> None:
        self.reply = reply
        self.user = user
        self.extra = extra
        self.told: list[tuple[int, str, int]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            version = (await reader.readexactly(1))[0]
            port = await (self.five if version == 5 else self.four)(reader, writer)
            if port:
                await relay((reader, writer), port)
        writer.close()

    async def five(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        if self.user is None:
            writer.write(b"\x05\x00")
        elif 2 not in methods:
            writer.write(b"\x05\xff")
            return 0
        else:
            writer.write(b"\x05\x02")
            await reader.readexactly(1)
            user = await reader.readexactly((await reader.readexactly(1))[0])
            await reader.readexactly((await reader.readexactly(1))[0])
            writer.write(b"\x01\x00" if user == self.user else b"\x01\x01")
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            family = socket.AF_INET if kind == 1 else socket.AF_INET6
            host = socket.inet_ntop(family, await reader.readexactly(4 if kind == 1 else 16))
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        self.told.append((5, host, port))
        writer.write(bytes((5, self.reply, 0, 1, 127, 0, 0, 1, 0, 80)) + self.extra)
        return 0 if self.reply else port

    async def four(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        _, port, packed = struct.unpack("!BH4s", await reader.readexactly(7))
        await reader.readuntil(b"\0")
        host = socket.inet_ntoa(packed)
        if host == "0.0.0.1":
            host = (await reader.readuntil(b"\0"))[:-1].decode()
        self.told.append((4, host, port))
        writer.write(bytes((0, 0x5B if self.reply else 0x5A)) + bytes(6))
        return 0 if self.reply else port


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on a local port until the end, then wait for all handlers."""
    tasks: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        # The end of the test cancels it, which is no error.
        with contextlib.suppress(asyncio.CancelledError):
            await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(run, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


NAMES = {
    "localhost": ["127.0.0.1"],
    "proxy.example": ["127.0.0.1"],
    "only6.example": ["::1"],
}


@pytest.fixture
def resolver() -> FakeResolver:
    return FakeResolver(NAMES)


@pytest.fixture
async def connector(resolver: FakeResolver) -> AsyncIterator[TCPConnector]:
    async with TCPConnector(resolver=resolver) as connector:
        yield connector
        stats = connector.stats()
        assert (stats.connecting, stats.waiting) == (0, 0)


@pytest.fixture
async def plain_port(ok_server: ScriptedServer) -> AsyncIterator[int]:
    async with listening(ok_server) as (_, port):
        yield port


@pytest.fixture
async def tls_port(
    ok_server: ScriptedServer, tls_server_context: ssl.SSLContext
) -> AsyncIterator[int]:
    async with listening(ok_server, tls=tls_server_context) as (_, port):
        yield port


async def get(connection: Connection, target: Target, fields: FieldBlock = SECRET) -> bytes:
    head = RequestHead("GET", target.scheme, target.authority, "/path", fields)
    exchange = await connection.exchange(head)
    assert exchange.head.status == 200
    return await exchange.content.read()


# -- HTTP proxies


async def test_p5_plain_http_goes_to_the_proxy_with_its_credentials(
    connector: TCPConnector, plain_port: int
) -> None:
    proxy = HTTPProxy()
    async with serving(proxy.serve) as port:
        target = Target(
            "http", "localhost", plain_port, proxy=Proxy(f"http://u:p@proxy.example:{port}")
        )
        observer = RecordingObserver()
        connection = await connector.connect(target, observer=observer)
        assert await get(connection, target) == b"hi"
        assert connector.lease_nowait(target) is connection
        assert connector.lease_nowait(Target("http", "localhost", plain_port)) is None
        assert await get(connection, target) == b"hi"
    assert proxy.heads[0].startswith(f"GET http://localhost:{plain_port}/path HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic dTpw\r\n" in proxy.heads[0]
    assert "tunnel_start" not in observer.names
    dialled = {
        target.host
        for name, target in zip(observer.names, observer.targets, strict=True)
        if name == "dial_start"
    }
    assert dialled == {"proxy.example"}


async def test_p8_other_credentials_are_sent_with_the_next_request(
    connector: TCPConnector, plain_port: int
) -> None:
    proxy = HTTPProxy()
    async with serving(proxy.serve) as port:
        for auth in ("Basic b2xk", "Basic bmV3", None):
            via = Proxy(f"http://proxy.example:{port}", auth=auth)
            target = Target("http", "localhost", plain_port, proxy=via)
            assert connector.lease_nowait(target) is None
            assert await get(await connector.connect(target), target) == b"hi"
        while (idle := connector.lease_nowait(target)) is not None:
            idle.close()
            await idle.wait_closed()
    assert ["b2xk" in head for head in proxy.heads] == [True, False, False]
    assert ["bmV3" in head for head in proxy.heads] == [False, True, False]


async def test_p1_p5_p6_a_tunnel_shows_the_proxy_nothing_and_the_target_no_credentials(
    connector: TCPConnector,
    tls_port: int,
    tls_client_context: ssl.SSLContext,
    ok_server: ScriptedServer,
) -> None:
    proxy = HTTPProxy()
    async with serving(proxy.serve) as port:
        via = Proxy(f"http://proxy.example:{port}", auth="Basic dTpw", headers={"X-Hop": "1"})
        target = Target("https", "localhost", tls_port, ssl=tls_client_context, proxy=via)
        observer = RecordingObserver()
        connection = await connector.connect(target, observer=observer)
        assert await get(connection, target) == b"hi"
        timings = connection.facts.timings
        assert timings is not None
        assert timings.tunnel is not None
        assert connection.facts.tls_version == "TLSv1.3"
        connection.close()
        await connection.wait_closed()
    assert proxy.heads == [
        f"CONNECT localhost:{tls_port} HTTP/1.1\r\n"
        f"Host: localhost:{tls_port}\r\n"
        "Proxy-Authorization: Basic dTpw\r\n"
        "X-Hop: 1\r\n\r\n"
    ]
    (request,) = ok_server.peers[0].requests
    assert request.target == "/path"
    assert request.get("proxy-authorization") is None
    assert request.get("x-hop") is None
    assert observer.names == [
        "create_start",
        "dns_cache_miss",
        "dns_start",
        "dns_end",
        "dial_start",
        "dial_end",
        "tunnel_start",
        "tunnel_end",
        "tls_start",
        "tls_end",
        "create_end",
    ]


async def test_p1_addresses_of_ipv6_have_brackets_and_no_zone(connector: TCPConnector) -> None:
    proxy = HTTPProxy(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    async with serving(proxy.serve) as port:
        via = Proxy(f"http://127.0.0.1:{port}")
        for host in ("::1", "fe80::1%7"):
            with pytest.raises(ClientHttpProxyError):
                await connector.connect(Target("https", host, 8443, ssl=False, proxy=via))
    assert [head.split("\r\n")[:2] for head in proxy.heads] == [
        ["CONNECT [::1]:8443 HTTP/1.1", "Host: [::1]:8443"],
        ["CONNECT [fe80::1]:8443 HTTP/1.1", "Host: [fe80::1]:8443"],
    ]


@pytest.mark.parametrize("own_target_context", [True, False])
async def test_t11_t12_tls_in_tls_verifies_each_with_its_own_options(
    connector: TCPConnector,
    tls_port: int,
    tls_client_context: ssl.SSLContext,
    own_target_context: bool,
) -> None:
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("proxy.example").configure_cert(server_side)
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client_side)
    proxy = HTTPProxy()
    async with serving(proxy.serve, server_side) as port:
        url = f"https://proxy.example:{port}"
        if own_target_context:
            target = Target(
                "https",
                "localhost",
                tls_port,
                ssl=tls_client_context,
                proxy=Proxy(url, ssl=client_side),
            )
            connection = await connector.connect(target)
            assert await get(connection, target) == b"hi"
            assert connection.facts.peer_certificate is not None
            connection.close()
            await connection.wait_closed()
            return
        # The target's context is of no use with the proxy, and the other way round.
        swapped = Target(
            "https",
            "localhost",
            tls_port,
            ssl=client_side,
            proxy=Proxy(url, ssl=tls_client_context),
        )
        with pytest.raises(ClientProxyConnectionError) as raised:
            await connector.connect(swapped)
        assert isinstance(raised.value.__cause__, ClientConnectorCertificateError)
        assert (raised.value.host, raised.value.port) == ("proxy.example", port)
        half = Target(
            "https", "localhost", tls_port, ssl=client_side, proxy=Proxy(url, ssl=client_side)
        )
        with pytest.raises(ClientConnectorCertificateError) as target_fault:
            await connector.connect(half)
        assert target_fault.value.host == "localhost"


async def test_t5_a_fingerprint_is_checked_through_a_proxy(
    connector: TCPConnector, tls_port: int, ok_server: ScriptedServer
) -> None:
    proxy = HTTPProxy()
    async with serving(proxy.serve) as port:
        target = Target(
            "https",
            "localhost",
            tls_port,
            ssl=Fingerprint("ab" * 32),
            proxy=Proxy(f"http://127.0.0.1:{port}"),
        )
        with pytest.raises(ServerFingerprintMismatch):
            await connector.connect(target)
    assert [peer.requests for peer in ok_server.peers] == [[]]


async def test_a_chain_of_proxies(
    connector: TCPConnector, tls_port: int, tls_client_context: ssl.SSLContext
) -> None:
    first, second, last = HTTPProxy(), SOCKSProxy(), HTTPProxy()
    async with (
        serving(first.serve) as port1,
        serving(second.serve) as port2,
        serving(last.serve) as port3,
    ):
        chain = Proxy(
            f"http://c:c@127.0.0.1:{port3}",
            via=Proxy(f"socks5h://127.0.0.1:{port2}", via=Proxy(f"http://a:a@127.0.0.1:{port1}")),
        )
        target = Target("https", "localhost", tls_port, ssl=tls_client_context, proxy=chain)
        connection = await connector.connect(target)
        assert await get(connection, target) == b"hi"
        connection.close()
        await connection.wait_closed()
    assert first.heads[0].startswith(f"CONNECT 127.0.0.1:{port2} ")
    assert second.told == [(5, "127.0.0.1", port3)]
    assert last.heads[0].startswith(f"CONNECT localhost:{tls_port} ")
    assert "Basic YTph" in first.heads[0]
    assert "Basic Yzpj" in last.heads[0]


async def test_a_plain_request_goes_through_a_chain_too(
    connector: TCPConnector, plain_port: int
) -> None:
    first, last = HTTPProxy(), HTTPProxy()
    async with serving(first.serve) as port1, serving(last.serve) as port2:
        chain = Proxy(f"http://127.0.0.1:{port2}", via=f"http://127.0.0.1:{port1}")
        target = Target("http", "localhost", plain_port, proxy=chain)
        connection = await connector.connect(target)
        assert await get(connection, target) == b"hi"
        connection.close()
        await connection.wait_closed()
    assert first.heads[0].startswith(f"CONNECT 127.0.0.1:{port2} ")
    assert last.heads[0].startswith("GET http://localhost")


# -- what goes wrong with them


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 407 No\r\nContent-Length: 4\r\n\r\nlong", 407, b"long"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n", 302, b""),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\ncut", 500, b"cut"),
        (b"HTTP/1.1 503 No\r\n\r\n" + b"x" * 100_000, 503, b"x" * 65536),
    ],
)
async def test_p2_p4_another_answer_is_an_error_with_what_it_said(
    connector: TCPConnector, answer: bytes, status: int, body: bytes
) -> None:
    async with listening(ScriptedServer([ReadHead(), Send(answer), Fin()])) as (_, port):
        via = Proxy(f"http://u:secret@127.0.0.1:{port}")
        with pytest.raises(ClientHttpProxyError) as raised:
            await connector.connect(Target("https", "localhost", 8443, proxy=via))
    exc = raised.value
    assert (exc.status, exc.body) == (status, body)
    assert exc.headers is not None
    assert "secret" not in repr(exc)
    assert connector.stats().leased == 0


@pytest.mark.parametrize(
    "script",
    [
        [ReadHead(), Fin()],
        [ReadHead(), Reset()],
        [ReadHead(), Send(b"HTTP/1.1 200"), Fin()],
        [ReadHead(), Send(b"<html>this is HTTP/0.9</html>\r\n\r\n"), Fin()],
        [ReadHead(), Send(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n")],
        [ReadHead(), Send(b"HTTP/1.1 200 OK\r\n\r\ngarbage"), Stall()],
        [ReadHead(), Send(b"HTTP/1.1 101 What\r\n\r\n"), Stall()],
        [Fin()],
    ],
)
@pytest.mark.parametrize("scheme", ["https", "ws"])
async def test_p3_p9_p14_t10_nonsense_is_the_proxys_fault(
    connector: TCPConnector, script: Script, scheme: str
) -> None:
    async with listening(ScriptedServer(script)) as (_, port):
        via = Proxy(f"http://u:secret@127.0.0.1:{port}")
        with pytest.raises(ClientProxyConnectionError) as raised:
            await connector.connect(Target(scheme, "localhost", 8443, ssl=False, proxy=via))
    exc = raised.value
    assert (exc.host, exc.port) == ("127.0.0.1", port)
    assert str(exc).startswith(f"Cannot connect to proxy 127.0.0.1:{port}: ")
    assert "secret" not in f"{exc!r}{vars(exc)}"


async def test_p3_informational_answers_and_framing_of_a_yes_are_ignored(
    connector: TCPConnector, tls_port: int, tls_client_context: ssl.SSLContext
) -> None:
    proxy = HTTPProxy(
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    async with serving(proxy.serve) as port:
        target = Target(
            "https",
            "localhost",
            tls_port,
            ssl=tls_client_context,
            proxy=Proxy(f"http://127.0.0.1:{port}"),
        )
        connection = await connector.connect(target)
        assert await get(connection, target) == b"hi"
        connection.close()
        await connection.wait_closed()


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:{}", "socks5://127.0.0.1:{}"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_f15_a_proxy_that_is_not_there(
    connector: TCPConnector, proxy: str, scheme: str
) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    target = Target(scheme, "localhost", 1, ssl=False, proxy=Proxy(proxy.format(port)))
    with pytest.raises(ClientProxyConnectionError) as raised:
        await connector.connect(target)
    exc = raised.value
    assert exc.errno == errno.ECONNREFUSED
    assert exc.attempts[0].address == ("127.0.0.1", port)
    assert exc.connection_key == Proxy(proxy.format(port)).target


async def test_of_a_chain_the_proxy_that_is_at_fault_is_blamed(connector: TCPConnector) -> None:
    chain = Proxy("http://last.example", via="http://nobody.example")
    with pytest.raises(ClientProxyConnectionError) as raised:
        await connector.connect(Target("http", "localhost", proxy=chain))
    assert raised.value.host == "nobody.example"
    assert isinstance(raised.value.__cause__, ClientConnectorDNSError)


@pytest.mark.parametrize("proxy", ["http", "socks5h"])
async def test_o1_p3_a_proxy_that_does_not_answer_ends_by_sock_connect(
    connector: TCPConnector, proxy: str
) -> None:
    async with listening(ScriptedServer([Stall()])) as (_, port):
        target = Target(
            "https", "localhost", 1, ssl=False, proxy=Proxy(f"{proxy}://127.0.0.1:{port}")
        )
        with pytest.raises(ProxyTimeoutError) as raised:
            await connector.connect(target, ConnectTimeouts(connect=60, sock_connect=0.3))
    assert raised.value.seconds == 0.3
    assert raised.value.connection_key is not None
    assert raised.value.connection_key.host == "localhost"


# -- SOCKS


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("socks5h://u:p@127.0.0.1:{}", (5, "localhost")),
        ("socks5://u:p@127.0.0.1:{}", (5, "127.0.0.1")),
        ("socks4a://u@127.0.0.1:{}", (4, "localhost")),
        ("socks4://127.0.0.1:{}", (4, "127.0.0.1")),
    ],
)
async def test_p12_p13_each_version_of_socks(
    connector: TCPConnector,
    resolver: FakeResolver,
    plain_port: int,
    tls_port: int,
    tls_client_context: ssl.SSLContext,
    scheme: str,
    proxy: str,
    told: tuple[int, str],
) -> None:
    server = SOCKSProxy(user=b"u")
    target_port = tls_port if scheme == "https" else plain_port
    async with serving(server.serve) as port:
        target = Target(
            scheme,
            "localhost",
            target_port,
            ssl=tls_client_context,
            proxy=Proxy(proxy.format(port)),
        )
        observer = RecordingObserver()
        connection = await connector.connect(target, observer=observer)
        assert await get(connection, target) == b"hi"
        assert connector.lease_nowait(target) is connection
        connection.close()
        await connection.wait_closed()
    assert server.told == [(*told, target_port)]
    # Who resolves: we for the one, the proxy for the other.
    assert bool(resolver.calls) is (told[1] == "127.0.0.1")
    assert observer.names.count("tunnel_end") == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (3, errno.ENETUNREACH),
        (4, errno.EHOSTUNREACH),
        (5, errno.ECONNREFUSED),
        (6, errno.ETIMEDOUT),
        (1, None),
        (2, None),
        (9, None),
    ],
)
async def test_p12_a_refusal_tells_whose_fault_it_is(
    connector: TCPConnector, reply: int, error: int | None
) -> None:
    async with serving(SOCKSProxy(reply).serve) as port:
        via = Proxy(f"socks5h://127.0.0.1:{port}")
        with pytest.raises(ClientConnectorError) as raised:
            await connector.connect(Target("http", "localhost", 80, proxy=via))
    exc = raised.value
    if error is None:
        assert isinstance(exc, ClientProxyConnectionError)
        assert exc.host == "127.0.0.1"
    else:
        assert type(exc) is ClientConnectorError
        assert (exc.host, exc.errno) == ("localhost", error)


@pytest.mark.parametrize(
    ("proxy", "server", "message"),
    [
        ("socks5://127.0.0.1:{}", SOCKSProxy(user=b"u"), "wants credentials"),
        ("socks5://x:p@127.0.0.1:{}", SOCKSProxy(user=b"u"), "refused the username or password"),
        ("socks4://127.0.0.1:{}", SOCKSProxy(reply=1), "request rejected"),
        ("socks5://127.0.0.1:{}", SOCKSProxy(extra=b"more"), "4 octets unasked"),
        ("socks5://" + "u" * 300 + ":p@127.0.0.1:{}", SOCKSProxy(), "1 to 255 octets"),
        ("socks4://u:secret@127.0.0.1:{}", SOCKSProxy(), "users and no passwords"),
    ],
)
async def test_p12_p15_other_refusals_are_the_proxys(
    connector: TCPConnector, proxy: str, server: SOCKSProxy, message: str
) -> None:
    async with serving(server.serve) as port:
        with pytest.raises(ClientProxyConnectionError, match=message) as raised:
            await connector.connect(
                Target("http", "127.0.0.1", 80, proxy=Proxy(proxy.format(port)))
            )
    assert "secret" not in f"{raised.value!r}"


@pytest.mark.parametrize("script", [[Read(1), Fin()], [Read(1), Reset()], [Read(1), Send(b"HTTP")]])
async def test_f15_p12_what_is_no_socks(connector: TCPConnector, script: Script) -> None:
    async with listening(ScriptedServer(script)) as (_, port):
        via = Proxy(f"socks5://127.0.0.1:{port}")
        with pytest.raises(ClientProxyConnectionError):
            await connector.connect(Target("http", "127.0.0.1", 80, proxy=via))


async def test_p13_a_version_that_cannot_carry_the_address(connector: TCPConnector) -> None:
    via = Proxy("socks4://127.0.0.1:9")
    with pytest.raises(ClientConnectorDNSError, match="SOCKS 4 carries no others"):
        await connector.connect(Target("http", "only6.example", 80, proxy=via))
    with pytest.raises(ClientProxyConnectionError, match="SOCKS 4 cannot connect to IPv6"):
        await connector.connect(Target("http", "::1", 80, proxy=via))


async def test_p13_a_dialer_that_does_not_resolve(network: MemoryNetwork) -> None:
    async with TCPConnector(dialer=MemoryDialer(network)) as connector:
        via = Proxy("socks5://a.example:80")
        with pytest.raises(ClientProxyConnectionError, match="use socks5h instead"):
            await connector.connect(Target("http", "b.example", 80, proxy=via))


# -- cancelling and observers that raise


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:{}", "socks5h://127.0.0.1:{}"])
async def test_l2_p9_connecting_can_be_cancelled_at_every_await(
    connector: TCPConnector, tls_port: int, proxy: str
) -> None:
    handler = HTTPProxy().serve if proxy.startswith("http") else SOCKSProxy().serve
    async with serving(handler) as port:
        target = Target("https", "localhost", tls_port, ssl=False, proxy=Proxy(proxy.format(port)))

        async def scenario() -> None:
            connection = await connector.connect(
                target, ConnectTimeouts(connect=60, sock_connect=60), RecordingObserver()
            )
            assert await get(connection, target) == b"hi"
            connection.close()

        async def check() -> None:
            stats = connector.stats()
            assert (stats.leased, stats.connecting) == (0, 0)

        assert await cancel_at_every_await(scenario, check) > 8


class PlannedError(Exception):
    """Raised on purpose."""


@pytest.mark.parametrize("event", ["tunnel_start", "tunnel_end"])
@pytest.mark.parametrize("proxy", ["http", "socks5h"])
async def test_o11_an_observer_that_raises_ends_the_connection_to_the_proxy(
    connector: TCPConnector, plain_port: int, event: str, proxy: str
) -> None:
    handler = HTTPProxy().serve if proxy == "http" else SOCKSProxy().serve
    async with serving(handler) as port:
        target = Target("ws", "localhost", plain_port, proxy=Proxy(f"{proxy}://127.0.0.1:{port}"))
        observer: Any = RecordingObserver({event: PlannedError()})
        with pytest.raises(PlannedError):
            await connector.connect(target, observer=observer)
    stats = connector.stats()
    assert (stats.leased, stats.connecting, stats.idle) == (0, 0, 0)
