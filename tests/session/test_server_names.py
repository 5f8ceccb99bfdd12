"""How a session verifies servers, and by which name: its own arguments and those of a request, over real TLS."""

import ssl
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest
import trustme
import wayfare
from wayfare_http_core.testing import ReceivedRequest, Reply, ScriptedServer, Serve, listening


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


@pytest.fixture
def certificate(authority: trustme.CA) -> trustme.LeafCert:
    """For a name that no URL of these tests has."""
    return authority.issue_cert("backend.example")


class Named:
    """A server with that certificate; it keeps the names that it was asked for in handshakes."""

    def __init__(self, certificate: trustme.LeafCert) -> None:
        self.names: list[str | None] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self.context)
        self.context.sni_callback = self.note
        self.url = ""

    def note(self, _: Any, name: str | None, __: Any) -> None:
        self.names.append(name)

    def answer(self, request: ReceivedRequest) -> Reply:
        if request.path == "/away":
            other = self.url.replace("127.0.0.1", "localhost")
            return Reply("", 302, fields=[("Location", f"{other}other")])
        if request.path == "/near":
            return Reply("", 302, fields=[("Location", "/here")])
        return Reply(str(request.get("host")))


@pytest.fixture
async def named(certificate: trustme.LeafCert) -> AsyncIterator[Named]:
    named = Named(certificate)
    async with listening(ScriptedServer([Serve(named.answer)]), tls=named.context) as (host, port):
        named.url = f"https://{host}:{port}/"
        yield named


async def test_t2_the_name_of_a_request_is_shown_and_verified(
    named: Named, trusting: ssl.SSLContext
) -> None:
    """T2, T7: and no connection is shared with another name; the Host field stays the URL's."""
    async with wayfare.ClientSession(ssl=trusting) as session:
        async with session.get(named.url, server_hostname="backend.example") as response:
            assert await response.text() == named.url[8:-1]
        with pytest.raises(wayfare.ClientConnectorCertificateError):
            await session.get(named.url)
        with pytest.raises(wayfare.ClientConnectorCertificateError):
            await session.get(named.url, server_hostname="other.example")
    assert named.names == ["backend.example", None, "other.example"]


async def test_t2_the_name_of_a_session_is_for_what_a_caller_names(
    named: Named, trusting: ssl.SSLContext
) -> None:
    """T2: a request's goes before it, and a redirect takes it to no other origin."""
    async with wayfare.ClientSession(ssl=trusting, server_hostname="backend.example") as session:
        for path in ("", "near"):
            async with session.get(f"{named.url}{path}") as response:
                assert response.status == 200
        with pytest.raises(wayfare.ClientConnectorCertificateError):
            await session.get(named.url, server_hostname="other.example")
        with pytest.raises(wayfare.ClientConnectorCertificateError):
            await session.get(f"{named.url}away")
    assert named.names == ["backend.example", "other.example", "localhost"]


async def test_a_session_s_ways_of_old_to_say_how_to_verify(
    named: Named, trusting: ssl.SSLContext, certificate: trustme.LeafCert
) -> None:
    """Each as for one request, with a warning at the line that has it."""
    pem = certificate.cert_chain_pems[0].bytes().decode("ascii")
    pin = sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()
    ways: tuple[tuple[str, dict[str, Any]], ...] = (
        ("verify_ssl= is old", {"verify_ssl": False}),
        ("fingerprint= is old", {"fingerprint": pin}),
        ("ssl_context= is old", {"ssl_context": trusting, "server_hostname": "backend.example"}),
    )
    for warning, options in ways:
        with pytest.warns(DeprecationWarning, match=warning) as caught:
            session = wayfare.ClientSession(**options)
        assert [one.filename for one in caught] == [__file__]
        async with session, session.get(named.url) as response:
            assert response.status == 200
    with pytest.warns(DeprecationWarning, match="verify_ssl= is old"):
        session = wayfare.ClientSession(verify_ssl=False)
    async with session:
        # A request's setting goes before it.
        with pytest.raises(wayfare.ClientConnectorCertificateError):
            await session.get(named.url, ssl=True)
    with pytest.warns(DeprecationWarning, match="certificates are verified anyway"):
        session = wayfare.ClientSession(verify_ssl=True, ssl=trusting)
    async with session:
        with pytest.raises(wayfare.ClientConnectorCertificateError):
            await session.get(named.url)


@pytest.mark.filterwarnings("ignore:.* is old:DeprecationWarning")
async def test_two_ways_at_once_exclude_each_other(trusting: ssl.SSLContext) -> None:
    pairs: tuple[dict[str, Any], ...] = (
        {"verify_ssl": False, "ssl_context": trusting},
        {"ssl": trusting, "fingerprint": b"\0" * 32},
        {"ssl": False, "verify_ssl": False},
    )
    for options in pairs:
        with pytest.raises(ValueError, match="exclude each other"):
            wayfare.ClientSession(**options)
    with pytest.raises(TypeError, match="server_hostname must be a str, not bytes"):
        wayfare.ClientSession(server_hostname=b"backend.example")  # type: ignore[arg-type]  # what is refused
