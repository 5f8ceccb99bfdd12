"""Certificates for the TLS tests, and servers in memory for those of the connector."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme
from wayfare_connector import TCPConnector
from wayfare_connector._tls import TLSLayer
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    MemoryNetwork,
    ReadRequest,
    Repeat,
    ScriptedServer,
    Send,
    memory_pair,
)

from .tls_applications import BufferedApp, Connect, Connected, PlainApp


@pytest.fixture(scope="session")
def tls_authority() -> trustme.CA:
    """The authority that `tls_client_context` trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def tls_certificate(tls_authority: trustme.CA) -> trustme.LeafCert:
    """A certificate for localhost and both loopback addresses, and for one more name."""
    return tls_authority.issue_cert("localhost", "127.0.0.1", "::1", "xn--bcher-kva.example")


@pytest.fixture
def tls_server_context(tls_certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server's context with `tls_certificate`; the caller may change it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls_certificate.configure_cert(context)
    return context


@pytest.fixture
def tls_client_context(tls_authority: trustme.CA) -> ssl.SSLContext:
    """A client's context that trusts `tls_authority` alone; the caller may change it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls_authority.configure_trust(context)
    return context


@pytest.fixture
def connect(tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext) -> Connect:
    """Connect two applications, TLSLayer to TLSLayer, and wait for both handshakes."""

    async def connected(
        client: PlainApp | BufferedApp | None = None,
        server: PlainApp | BufferedApp | None = None,
        *,
        shutdown_timeout: float | None = None,
        **memory: Any,
    ) -> Connected:
        client = client or PlainApp()
        server = server or PlainApp()
        client_layer = TLSLayer(
            client,
            tls_client_context,
            server_hostname="localhost",
            shutdown_timeout=shutdown_timeout,
        )
        server_layer = TLSLayer(
            server,
            tls_server_context,
            server_hostname=None,
            server_side=True,
            shutdown_timeout=None,
        )
        raw = memory_pair(client_layer, server_layer, **memory)
        await asyncio.gather(client_layer.handshake(), server_layer.handshake())
        return Connected(client, server, *raw, client_layer, server_layer)

    return connected


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture
def ok_server() -> ScriptedServer:
    """An HTTP server that answers every request with 200 and two octets, and keeps the connection."""
    return ScriptedServer([Repeat(ReadRequest(), Send(OK))])


@pytest.fixture
def network(ok_server: ScriptedServer) -> MemoryNetwork:
    """A network in memory: `ok_server` at a.example and b.example, port 80; nobody elsewhere."""
    network = MemoryNetwork()
    network.serve("a.example", 80, ok_server)
    network.serve("b.example", 80, ok_server)
    return network


@pytest.fixture
def dialer(network: MemoryNetwork) -> MemoryDialer:
    return MemoryDialer(network)


@pytest.fixture
async def connector(dialer: MemoryDialer, network: MemoryNetwork) -> AsyncIterator[TCPConnector]:
    """With two places; in the end everything is closed, and nothing was left on the way (L1)."""
    async with TCPConnector(limit=2, dialer=dialer) as connector:
        yield connector
        stats = connector.stats()
        assert (stats.leased, stats.connecting, stats.waiting) == (0, 0, 0)
        assert stats.idle == stats.created - stats.closed
    network.client_transports.assert_all_closed()
