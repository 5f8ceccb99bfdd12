"""A server that wants a certificate, and says so by an alert (T13).

With TLS 1.2 that fails the handshake. With TLS 1.3 the client is finished first: the alert comes in answer to the
request, and means the same.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import trustme
import uvloop
from wayfare_connector import (
    ClientConnectorSSLError,
    ClientProxyConnectionError,
    ClientSSLError,
    Proxy,
    Target,
    TCPConnector,
)
from wayfare_http_core import ClientError, ClientOSError, RequestHead

LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [
    asyncio.SelectorEventLoop,
    uvloop.new_event_loop,
]


@contextmanager
def serving(context: ssl.SSLContext) -> Iterator[int]:
    """A server that does its handshakes with a blocking socket, as most do: it sends its alerts."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as tls:
                    tls.recv(65536)
                    tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
                    tls.recv(65536)
                # What is in flight, such as a large request, must not turn into a reset.
                with suppress(OSError):
                    plain.shutdown(socket.SHUT_WR)
                    while plain.recv(65536):
                        pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def demanding(
    request: pytest.FixtureRequest,
    tls_server_context: ssl.SSLContext,
    tls_authority: trustme.CA,
) -> ssl.SSLContext:
    """A server's context that takes clients with a certificate of the authority alone."""
    tls_authority.configure_trust(tls_server_context)
    tls_server_context.verify_mode = ssl.CERT_REQUIRED
    tls_server_context.minimum_version = tls_server_context.maximum_version = request.param
    return tls_server_context


async def request(connector: TCPConnector, target: Target, body: bytes = b"") -> bytes:
    connection = await connector.connect(target)
    try:
        head = RequestHead("POST", target.scheme, target.authority, "/")
        exchange = await connection.exchange(head, body)
        return await exchange.content.read()
    finally:
        connection.close()


@pytest.mark.parametrize("size", [1, 5_000_000])
@pytest.mark.parametrize("shown", ["nothing", "foreign"])
@pytest.mark.parametrize("new_loop", LOOPS)
def test_t13_a_certificate_that_is_refused_is_a_tls_error(
    demanding: ssl.SSLContext,
    tls_client_context: ssl.SSLContext,
    new_loop: Callable[[], asyncio.AbstractEventLoop],
    shown: str,
    size: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if shown == "foreign":
        trustme.CA().issue_cert("client.example").configure_cert(tls_client_context)

    async def main(port: int) -> None:
        target = Target("https", "localhost", port, ssl=tls_client_context)
        async with TCPConnector() as connector:
            for _ in range(2):
                with pytest.raises(ClientConnectorSSLError, match=r"(?i)alert") as raised:
                    await request(connector, target, bytes(size))
                exc = raised.value
                assert isinstance(exc, ClientSSLError)
                assert isinstance(exc, ClientOSError)
                assert isinstance(exc.__cause__, ssl.SSLError)
                assert (exc.host, exc.port) == ("localhost", port)
            assert connector.stats().leased == 0

    with serving(demanding) as port, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main(port))
    # Nothing was written to a transport that was lost.
    assert not caplog.records


async def test_a_certificate_that_is_known_is_taken(
    demanding: ssl.SSLContext, tls_client_context: ssl.SSLContext, tls_authority: trustme.CA
) -> None:
    tls_authority.issue_cert("client.example").configure_cert(tls_client_context)
    with serving(demanding) as port:
        async with TCPConnector() as connector:
            target = Target("https", "localhost", port, ssl=tls_client_context)
            assert await request(connector, target) == b"hi"


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_t12_a_proxy_that_refuses_is_told_from_the_target(
    demanding: ssl.SSLContext, tls_client_context: ssl.SSLContext, scheme: str
) -> None:
    with serving(demanding) as port:
        proxy = Proxy(f"https://localhost:{port}", ssl=tls_client_context)
        async with TCPConnector() as connector:
            target = Target(scheme, "target.example", ssl=False, proxy=proxy)
            with pytest.raises(ClientError) as raised:
                await request(connector, target)
    assert isinstance(raised.value, ClientProxyConnectionError | ClientConnectorSSLError)
    assert raised.value.host == "localhost"


async def test_t15_an_alert_after_an_answer_is_none_of_connecting(
    tls_server_context: ssl.SSLContext, tls_client_context: ssl.SSLContext
) -> None:
    """It is the answer that breaks then."""

    async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await writer.drain()
        # asyncio has no public way below its TLS.
        layer: Any = writer.transport
        raw: asyncio.Transport = layer._ssl_protocol._transport
        raw.write(b"\x17\x03\x03\x00\x05wrong")
        raw.close()
        layer.abort()

    server = await asyncio.start_server(breaking, "127.0.0.1", 0, ssl=tls_server_context)
    async with server, TCPConnector() as connector:
        port = server.sockets[0].getsockname()[1]
        target = Target("https", "localhost", port, ssl=tls_client_context)
        with pytest.raises(ClientError) as raised:
            await request(connector, target)
        assert not isinstance(raised.value, ClientSSLError)
        assert isinstance(raised.value.__cause__, ssl.SSLError)
