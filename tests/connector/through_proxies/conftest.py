"""A connector whose names lead to the loopback interface, and servers there."""

import ssl
from collections.abc import AsyncIterator

import pytest
from wayfare_connector import TCPConnector
from wayfare_connector.testing import FakeResolver
from wayfare_http_core.testing import (
    ScriptedServer,
    listening,
)

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
