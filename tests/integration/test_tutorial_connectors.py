"""What users of aiohttp were taught of connectors, of 2018 and of today: limits, names, sockets, TLS, proxies."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest
import trustme
import wayfare as aiohttp
from wayfare.resolver import AsyncResolver
from wayfare_http_core.testing import Read, Reply, ScriptedServer, Send, Serve, Stall, listening
from yarl import URL

from tests.stream_server import stream_server

AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("localhost", "127.0.0.1")


def hello() -> ScriptedServer:
    """A server that says where it was asked."""
    return ScriptedServer([Serve(lambda request: Reply(f"hello {request.target}"))])


def digest() -> bytes:
    """SHA-256 of the server's certificate."""
    der = ssl.PEM_cert_to_DER_cert(CERTIFICATE.cert_chain_pems[0].bytes().decode("ascii"))
    return hashlib.sha256(der).digest()


def trusting() -> ssl.SSLContext:
    """A context that trusts the server's authority, as `create_default_context(cafile=…)` makes one."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A plain server."""
    async with listening(hello()) as (host, port):
        yield f"http://{host}:{port}/"


@pytest.fixture
async def secure() -> AsyncIterator[str]:
    """The same over TLS, with a certificate of an authority that nobody knows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CERTIFICATE.configure_cert(context)
    async with listening(hello(), tls=context) as (host, port):
        yield f"https://{host}:{port}/"


async def text(session: aiohttp.ClientSession, url: str, **options: Any) -> str:
    """What a server says."""
    async with session.get(url, **options) as resp:
        assert resp.status == 200
        return await resp.text()


# --- The pool and the network ---------------------------------------------------------------------


async def test_limiting_the_pool(url: str) -> None:
    for conn, opened in (
        (aiohttp.TCPConnector(limit=30), 4),
        (aiohttp.TCPConnector(limit=0), 4),
        (aiohttp.TCPConnector(limit=2), 2),
        (aiohttp.TCPConnector(limit_per_host=1), 1),
    ):
        async with aiohttp.ClientSession(connector=conn) as session:
            assert await asyncio.gather(*[text(session, url) for _ in range(4)]) == ["hello /"] * 4
            assert conn.stats().created == opened
        assert conn.closed


async def test_a_connector_of_two_sessions(url: str) -> None:
    async with aiohttp.TCPConnector() as conn:
        for _ in range(2):
            async with aiohttp.ClientSession(connector=conn, connector_owner=False) as session:
                await text(session, url)
        assert conn.stats().created == 1


class Names(asyncio.DatagramProtocol):
    """A name server: every name has the address 127.0.0.1."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        name_end = data.index(b"\0", 12) + 1
        (kind,) = struct.unpack("!H", data[name_end : name_end + 2])
        self.asked.append(data[12:name_end])
        found = [b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x7f\0\0\x01"] if kind == 1 else []
        head = data[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0)
        self.transport.sendto(head + data[12 : name_end + 4] + b"".join(found), addr)


async def test_resolving_by_custom_nameservers(url: str) -> None:
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(Names, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    resolver = AsyncResolver(nameservers=[f"127.0.0.1:{port}"])
    conn = aiohttp.TCPConnector(resolver=resolver)
    try:
        async with aiohttp.ClientSession(connector=conn) as session:
            assert await text(session, str(URL(url).with_host("shop.example"))) == "hello /"
    finally:
        await resolver.close()
        transport.close()
    assert set(names.asked) == {b"\x04shop\x07example\0"}


async def test_the_cache_of_names(url: str) -> None:
    conn = aiohttp.TCPConnector(use_dns_cache=True, ttl_dns_cache=300)
    async with aiohttp.ClientSession(connector=conn) as session:
        assert await text(session, url) == "hello /"
        conn.clear_dns_cache()
        conn.clear_dns_cache("localhost", 80)


async def test_a_socket_factory_and_a_local_address(url: str) -> None:
    made: list[socket.socket] = []

    def my_socket_factory(addr_info: aiohttp.AddrInfoType) -> socket.socket:
        family, type_, proto, _, _ = addr_info
        sock = socket.socket(family=family, type=type_, proto=proto)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, True)
        made.append(sock)
        return sock

    conn = aiohttp.TCPConnector(socket_factory=my_socket_factory, local_addr=("127.0.0.1", 0))
    async with aiohttp.ClientSession(connector=conn) as session:
        assert await text(session, url) == "hello /"
        (sock,) = made
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_unix_domain_sockets(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    server = hello()
    listener = await asyncio.get_running_loop().create_unix_server(server, path)
    conn = aiohttp.UnixConnector(path=path)
    async with aiohttp.ClientSession(connector=conn) as session:
        async with session.get("http://localhost/version") as resp:
            assert await resp.text() == "hello /version"
        assert conn.path == path
    listener.close()
    await server.wait_closed()
    await listener.wait_closed()


# --- TLS ------------------------------------------------------------------------------------------


async def test_a_certificate_that_nobody_vouches_for(secure: str) -> None:
    """One handler for each of the names, and for those of the standard library."""
    caught: type[Exception]
    async with aiohttp.ClientSession() as session:
        for caught in (
            aiohttp.ClientConnectorCertificateError,
            aiohttp.ClientSSLError,
            aiohttp.ClientConnectorError,
            aiohttp.ClientError,
            ssl.CertificateError,
            OSError,
        ):
            with pytest.raises(caught) as error:
                await session.get(secure)
            assert isinstance(error.value, aiohttp.ClientConnectorCertificateError)
            assert isinstance(error.value.certificate_error, ssl.CertificateError)


async def test_a_server_that_speaks_no_tls() -> None:
    server = ScriptedServer([Read(5), Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Stall()])
    async with listening(server) as (host, port), aiohttp.ClientSession() as session:
        with pytest.raises(ssl.SSLError) as error:
            await session.get(f"https://{host}:{port}/")
        assert isinstance(error.value, aiohttp.ClientConnectorSSLError)


async def test_verification_can_be_left_out(secure: str) -> None:
    async with aiohttp.ClientSession() as session:
        assert await text(session, secure, ssl=False) == "hello /"
        with pytest.warns(DeprecationWarning, match="ssl=False"):
            assert await text(session, secure, verify_ssl=False) == "hello /"
    conn = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(connector=conn) as session:
        assert await text(session, secure) == "hello /"
        with pytest.raises(aiohttp.ClientSSLError):  # True means what it says.
            await session.get(secure, ssl=True, headers={"Connection": "close"})
    with pytest.warns(DeprecationWarning, match="verify_ssl"):
        conn = aiohttp.TCPConnector(verify_ssl=False)
    async with aiohttp.ClientSession(connector=conn) as session:
        assert await text(session, secure) == "hello /"


async def test_a_context_of_ones_own(secure: str) -> None:
    sslcontext = trusting()
    async with aiohttp.ClientSession() as session:
        assert await text(session, secure, ssl=sslcontext) == "hello /"
        with pytest.warns(DeprecationWarning, match="ssl_context"):
            assert await text(session, secure, ssl_context=sslcontext) == "hello /"
    with pytest.warns(DeprecationWarning, match="ssl_context"):
        conn = aiohttp.TCPConnector(ssl_context=sslcontext)
    async with aiohttp.ClientSession(connector=conn) as session:
        assert await text(session, secure) == "hello /"
    async with aiohttp.ClientSession(ssl=sslcontext) as session:
        assert await text(session, secure) == "hello /"


async def test_a_certificate_of_the_clients() -> None:
    """`load_cert_chain`, for a server that asks for one; without it the server ends the connection."""
    asking = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CERTIFICATE.configure_cert(asking)
    AUTHORITY.configure_trust(asking)
    asking.verify_mode = ssl.CERT_REQUIRED
    sslcontext = trusting()
    AUTHORITY.issue_cert("client@example.org").configure_cert(sslcontext)
    async with (
        listening(hello(), tls=asking) as (host, port),
        aiohttp.ClientSession(f"https://{host}:{port}/") as session,
    ):
        assert await text(session, "private", ssl=sslcontext) == "hello /private"
        with pytest.raises(aiohttp.ClientError):
            await session.get("private", ssl=trusting())


FORMS: list[Callable[[bytes], bytes | str]] = [
    lambda raw: raw,
    lambda raw: raw.hex(),
    lambda raw: raw.hex().encode("ascii"),
]


@pytest.mark.parametrize("form", FORMS, ids=["raw", "hex", "hex-octets"])
async def test_a_certificate_is_pinned(secure: str, form: Callable[[bytes], bytes | str]) -> None:
    """In either spelling; `expected` and `got` have the form of what was given."""
    good, bad = form(digest()), form(bytes(32))
    async with aiohttp.ClientSession() as session:
        assert await text(session, secure, ssl=aiohttp.Fingerprint(good)) == "hello /"
        with pytest.raises(aiohttp.FingerprintMismatch) as caught:
            await session.get(secure, ssl=aiohttp.Fingerprint(bad))
        assert (caught.value.expected, caught.value.got) == (bad, good)
        assert isinstance(caught.value, aiohttp.ServerFingerprintMismatch)
        with pytest.warns(DeprecationWarning, match="Fingerprint"):
            assert await text(session, secure, fingerprint=good) == "hello /"
        with (
            pytest.warns(DeprecationWarning, match="Fingerprint"),
            pytest.raises(aiohttp.FingerprintMismatch) as caught,
        ):
            await session.get(secure, fingerprint=bad)
        assert (caught.value.host, caught.value.port) == ("127.0.0.1", URL(secure).port)


async def test_a_pin_of_the_connector(secure: str) -> None:
    with pytest.warns(DeprecationWarning, match="fingerprint"):
        conn = aiohttp.TCPConnector(fingerprint=digest().hex())
    async with aiohttp.ClientSession(connector=conn) as session:
        assert await text(session, secure) == "hello /"
    conn = aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(bytes(32)))
    async with aiohttp.ClientSession(connector=conn) as session:
        with pytest.raises(aiohttp.FingerprintMismatch):
            await session.get(secure)


# --- Proxies --------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def tunnels() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A proxy that makes tunnels for whoever has the password: its URL, and the heads that it read."""
    heads: list[bytes] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while octets := await reader.read(65536):
                writer.write(octets)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        if b"Proxy-Authorization: Basic dXNlcjpwYXNz\r\n" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = head.split()[1].decode("ascii").rpartition(":")
        back, forth = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pump(back, writer), pump(reader, forth))

    async with stream_server(serve) as port:
        yield f"http://127.0.0.1:{port}", heads


async def test_a_proxy_for_plain_requests(url: str) -> None:
    """The server answers as a proxy would: it is asked for whole URLs."""
    async with aiohttp.ClientSession() as session:
        assert (
            await text(session, "http://python.example/", proxy=url)
            == "hello http://python.example/"
        )
    async with aiohttp.ClientSession(proxy=url) as session:
        assert await text(session, "http://python.example/a") == "hello http://python.example/a"


async def test_proxy_authorization(secure: str) -> None:
    """By an argument, in the URL, and among the proxy's fields."""
    context = trusting()
    proxy_auth = aiohttp.BasicAuth("user", "pass")
    encoded = {"Proxy-Authorization": aiohttp.encode_basic_auth("user", "pass")}
    async with tunnels() as (proxy, heads), aiohttp.ClientSession(ssl=context) as session:
        assert await text(session, secure, proxy=proxy, proxy_auth=proxy_auth) == "hello /"
        with_user = str(URL(proxy).with_user("user").with_password("pass"))
        assert await text(session, secure, proxy=with_user) == "hello /"
        assert await text(session, secure, proxy=proxy, proxy_headers=encoded) == "hello /"
        with pytest.raises(aiohttp.ClientHttpProxyError) as caught:
            await session.get(secure, proxy=proxy)
        assert caught.value.status == 407
        await session.close()
    assert {head.split()[0] for head in heads} == {b"CONNECT"}


async def test_a_proxy_that_is_not_there(secure: str) -> None:
    with socket.socket() as claimed:
        claimed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{claimed.getsockname()[1]}"
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientProxyConnectionError):
                await session.get(secure, proxy=nowhere)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without any proxy of this machine's."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


async def test_proxies_of_the_environment(url: str, environment: pytest.MonkeyPatch) -> None:
    """For a session, or for one request."""
    environment.setenv("HTTP_PROXY", url)
    environment.setenv("NO_PROXY", "127.0.0.1")
    target = "http://python.example/"
    async with aiohttp.ClientSession(trust_env=True) as session:
        assert await text(session, target) == f"hello {target}"
        assert await text(session, url) == "hello /"
    async with aiohttp.ClientSession() as session:
        assert await text(session, target, trust_env=True) == f"hello {target}"
