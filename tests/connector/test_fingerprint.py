"""`Fingerprint`: which certificate it trusts, and when that is found out (T5, T7)."""

import copy
import hashlib
import pickle
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from wayfare_connector import (
    ClientSSLError,
    Fingerprint,
    ServerFingerprintMismatch,
    Target,
    TCPConnector,
)
from wayfare_connector._route import _check
from wayfare_connector._tls import TLSFacts
from wayfare_connector.testing import FakeResolver, RecordingObserver
from wayfare_http_core import RequestHead
from wayfare_http_core.testing import ScriptedServer, listening

CERTIFICATE = b"not really one"
DIGEST = hashlib.sha256(CERTIFICATE).digest()
OTHER = bytes(32)


@pytest.mark.parametrize(
    "given", [DIGEST, DIGEST.hex(), DIGEST.hex().upper(), DIGEST.hex().encode()], ids=repr
)
def test_t5_each_form_is_the_same_fingerprint(given: bytes | str) -> None:
    fingerprint = Fingerprint(given)
    assert fingerprint.given == given
    assert fingerprint.matches(CERTIFICATE)
    assert not fingerprint.matches(b"another")
    assert fingerprint == Fingerprint(DIGEST)
    assert hash(fingerprint) == hash(Fingerprint(DIGEST))
    assert repr(fingerprint) == f"Fingerprint('{DIGEST.hex()}')"


@pytest.mark.parametrize(
    ("given", "got"),
    [
        (OTHER, DIGEST),
        (OTHER.hex(), DIGEST.hex()),
        (OTHER.hex().encode(), DIGEST.hex().encode()),
    ],
    ids=repr,
)
def test_t5_what_was_got_has_the_form_of_what_was_given(
    given: bytes | str, got: bytes | str
) -> None:
    assert Fingerprint(given).same_form(CERTIFICATE) == got


@pytest.mark.parametrize(
    "given",
    [
        b"",
        "",
        b"\x00" * 31,
        "ab" * 31,
        "ab" * 33,
        "g" * 64,
        "a" * 63,
        b"z" * 64,
        "ab:" * 32,
        "é" * 64,
    ],
    ids=repr,
)
def test_t5_anything_else_is_refused_early(given: bytes | str) -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        Fingerprint(given)


@pytest.mark.parametrize("given", [bytes(16), bytes(20), "ab" * 16, "ab" * 20], ids=repr)
def test_t5_a_shorter_digest_is_for_the_argument_of_old(given: bytes | str) -> None:
    with pytest.raises(ValueError, match="a SHA-256"):
        Fingerprint(given)
    assert not Fingerprint.of_any_length(given).matches(CERTIFICATE)


def test_t5_the_argument_of_old_knows_md5_and_sha1() -> None:
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, CERTIFICATE).digest()
        assert Fingerprint.of_any_length(digest).matches(CERTIFICATE)
    with pytest.raises(ValueError, match="16, 20 or 32 bytes, not 4"):
        Fingerprint.of_any_length("ab" * 4)


def test_it_is_no_number() -> None:
    with pytest.raises(TypeError, match="bytes or str, not int"):
        Fingerprint(5)  # type: ignore[arg-type]  # the mistake tested


def test_it_is_a_value() -> None:
    fingerprint = Fingerprint(DIGEST.hex())
    for other in (pickle.loads(pickle.dumps(fingerprint)), copy.deepcopy(fingerprint)):
        assert other == fingerprint
        assert other.given == fingerprint.given
    assert fingerprint != Fingerprint(OTHER)
    assert fingerprint != DIGEST


def test_t7_targets_with_other_fingerprints_are_other_targets() -> None:
    one = Target("https", "a.example", ssl=Fingerprint(DIGEST))
    assert one == Target("https", "a.example", ssl=Fingerprint(DIGEST.hex()))
    assert one != Target("https", "a.example", ssl=Fingerprint(OTHER))
    assert one != Target("https", "a.example")
    assert one.detached() is one
    assert pickle.loads(pickle.dumps(one)) == one
    assert repr(one) == f"<Target https://a.example:443 ssl=Fingerprint('{DIGEST.hex()}')>"


# -- on the wire


@pytest.fixture
async def port(ok_server: ScriptedServer, tls_server_context: ssl.SSLContext) -> AsyncIterator[int]:
    async with listening(ok_server, tls=tls_server_context) as (_, port):
        yield port


@pytest.fixture
async def connector() -> AsyncIterator[TCPConnector]:
    async with TCPConnector(resolver=FakeResolver({"localhost": ["127.0.0.1"]})) as connector:
        yield connector


def digest_of(certificate: trustme.LeafCert) -> bytes:
    pem = certificate.cert_chain_pems[0].bytes().decode("ascii")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()


async def test_t5_the_right_certificate_needs_no_authority(
    connector: TCPConnector, port: int, tls_certificate: trustme.LeafCert
) -> None:
    pin = Fingerprint(digest_of(tls_certificate))
    connection = await connector.connect(Target("https", "localhost", port, ssl=pin))
    exchange = await connection.exchange(RequestHead("GET", "https", "localhost", "/"))
    assert await exchange.content.read() == b"hi"


async def test_t5_the_wrong_certificate_ends_before_any_octet_of_a_request(
    connector: TCPConnector,
    port: int,
    ok_server: ScriptedServer,
    tls_certificate: trustme.LeafCert,
) -> None:
    pin = Fingerprint(OTHER.hex())
    observer = RecordingObserver()
    with pytest.raises(ServerFingerprintMismatch) as raised:
        await connector.connect(Target("https", "localhost", port, ssl=pin), observer=observer)
    exc = raised.value
    assert (exc.expected, exc.got) == (OTHER.hex(), digest_of(tls_certificate).hex())
    assert (exc.host, exc.port) == ("localhost", port)
    assert observer.names[-1] == "tls_start"
    assert [peer.requests for peer in ok_server.peers] == [[]]
    assert connector.stats().leased == 0


async def test_t5_a_mismatch_is_not_hidden_by_the_next_address(
    port: int, ok_server: ScriptedServer
) -> None:
    names = FakeResolver({"localhost": ["127.0.0.1", "127.0.0.2"]})
    async with TCPConnector(resolver=names, ssl=Fingerprint(OTHER)) as connector:
        target = Target("https", "localhost", port, ssl=connector.ssl)
        with pytest.raises(ServerFingerprintMismatch):
            await connector.connect(target)
    assert len(ok_server.peers) == 1


def test_t5_a_server_without_a_certificate_is_refused() -> None:
    target = Target("https", "a.example", ssl=Fingerprint(DIGEST))
    with pytest.raises(ClientSSLError, match="showed no certificate"):
        _check(target, TLSFacts("TLSv1.3", None, None, None))
