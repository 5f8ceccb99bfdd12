"""Verifying by the trust store of the operating system (T1)."""

import ssl
import sys
from collections.abc import AsyncIterator

import pytest
import trustme
from wayfare_connector import (
    ClientConnectorCertificateError,
    Target,
    TCPConnector,
    truststore_context,
)
from wayfare_connector.testing import FakeResolver
from wayfare_http_core import RequestHead
from wayfare_http_core.testing import ScriptedServer, listening


@pytest.fixture
async def port(ok_server: ScriptedServer, tls_server_context: ssl.SSLContext) -> AsyncIterator[int]:
    async with listening(ok_server, tls=tls_server_context) as (_, port):
        yield port


def test_t1_it_verifies_certificate_and_host() -> None:
    context = truststore_context()
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_without_the_extra_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "truststore", None)
    with pytest.raises(ImportError, match=r"wayfare-connector\[truststore\]"):
        truststore_context()


async def test_t1_an_authority_that_the_system_does_not_know_is_refused(
    port: int, tls_authority: trustme.CA
) -> None:
    names = FakeResolver({"localhost": ["127.0.0.1"], "wrong.example": ["127.0.0.1"]})
    async with TCPConnector(resolver=names, ssl=truststore_context()) as connector:
        with pytest.raises(ClientConnectorCertificateError):
            await connector.connect(Target("https", "localhost", port, ssl=connector.ssl))
    context = truststore_context()
    tls_authority.configure_trust(context)
    async with TCPConnector(resolver=names) as connector:
        connection = await connector.connect(Target("https", "localhost", port, ssl=context))
        assert connection.facts.tls_version == "TLSv1.3"
        exchange = await connection.exchange(RequestHead("GET", "https", "localhost", "/"))
        assert await exchange.content.read() == b"hi"
        connection.close()
        await connection.wait_closed()
        with pytest.raises(ClientConnectorCertificateError):
            await connector.connect(Target("https", "wrong.example", port, ssl=context))
