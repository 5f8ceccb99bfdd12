"""Certificates of clients, which an nginx that is not ours accepts and refuses."""

import asyncio
import importlib
import os
import ssl
from collections.abc import Callable

import pytest
import trustme
import wayfare

pytestmark = pytest.mark.needs("nginx", "nginx_mutual")

LOOPS = [asyncio.new_event_loop, importlib.import_module("uvloop").new_event_loop]


@pytest.fixture
def url() -> str:
    """The server that asks for certificates."""
    return os.environ["WAYFARE_NGINX_MUTUAL_URL"] + "/"


def without_certificate() -> ssl.SSLContext:
    """A context that trusts the server, and has nothing to show to it."""
    return ssl.create_default_context(cafile=os.environ["WAYFARE_NGINX_CERTIFICATE"])


def with_certificate() -> ssl.SSLContext:
    """A context with the certificate that the server knows."""
    context = without_certificate()
    context.load_cert_chain(os.environ["WAYFARE_NGINX_CLIENT_CERTIFICATE"])
    return context


def with_foreign_certificate() -> ssl.SSLContext:
    """A context with a certificate of an authority that the server does not know."""
    context = without_certificate()
    trustme.CA().issue_cert("client.example").configure_cert(context)
    return context


@pytest.mark.parametrize("new_loop", LOOPS)
def test_a_known_certificate_is_accepted(
    new_loop: Callable[[], asyncio.AbstractEventLoop], url: str
) -> None:
    async def main() -> None:
        async with wayfare.ClientSession(ssl=with_certificate()) as session:
            for number in (1, 2):
                async with session.get(url) as response:
                    assert response.status == 200
                    assert await response.text() == "hello CN=client\n"
                    assert response.connection_info is not None
                    assert response.connection_info.exchange == number

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())


@pytest.mark.parametrize("make", [without_certificate, with_foreign_certificate])
@pytest.mark.parametrize("new_loop", LOOPS)
def test_another_certificate_is_refused(
    new_loop: Callable[[], asyncio.AbstractEventLoop], make: Callable[[], ssl.SSLContext], url: str
) -> None:
    """nginx ends the handshake well and answers 400."""

    async def main() -> None:
        async with wayfare.ClientSession(ssl=make()) as session, session.get(url) as response:
            assert response.status == 400
            assert "certificate" in await response.text()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())


async def test_t7_l12_who_has_no_certificate_gets_no_connection_of_who_has(url: str) -> None:
    async with wayfare.ClientSession() as session:
        for context, status in (
            (with_certificate(), 200),
            (without_certificate(), 400),
            (with_certificate(), 200),
        ):
            async with session.get(url, ssl=context) as response:
                assert response.status == status
                assert response.connection_info is not None
                assert not response.connection_info.reused
        assert session.connector.stats().created == 3


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("SQUID", marks=pytest.mark.needs("squid")),
        pytest.param("MICROSOCKS", marks=pytest.mark.needs("microsocks")),
    ],
)
async def test_t12_a_certificate_is_shown_through_a_tunnel(url: str, name: str) -> None:
    proxy = os.environ[f"WAYFARE_{name}_URL"]
    async with (
        wayfare.ClientSession(proxy=proxy, ssl=with_certificate()) as session,
        session.get(url) as response,
    ):
        assert await response.text() == "hello CN=client\n"


async def test_t1_a_certificate_of_ours_vouches_for_no_server(url: str) -> None:
    context = ssl.create_default_context()
    context.load_cert_chain(os.environ["WAYFARE_NGINX_CLIENT_CERTIFICATE"])
    async with wayfare.ClientSession(ssl=context) as session:
        with pytest.raises(wayfare.ClientConnectorCertificateError):
            await session.get(url)
