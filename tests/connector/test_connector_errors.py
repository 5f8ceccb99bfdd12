"""The connector's part of the exception tree: its shape, its data, its sentences."""

import asyncio
import copy
import errno
import inspect
import pickle
import socket
import ssl

import pytest
import wayfare_connector._errors as errors
from wayfare_connector import (
    AddressRefusedError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientSSLError,
    ConnectionTimeoutError,
    ConnectorClosedError,
    DialTimeoutError,
    DNSTimeoutError,
    FailedAttempt,
    Fingerprint,
    FingerprintMismatch,
    PoolTimeoutError,
    Proxy,
    ProxyTimeoutError,
    ServerFingerprintMismatch,
    Target,
    TLSContextRef,
    TLSTimeoutError,
    UnixClientConnectorError,
)
from wayfare_http_core import (
    ClientConnectionError,
    ClientError,
    ClientOSError,
    ClientResponseError,
    ServerConnectionError,
    ServerTimeoutError,
)

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
SECURE = Target("https", "example.com", ssl=CONTEXT)
PLAIN = Target("http", "::1", 8080)
REFUSED = OSError(errno.ECONNREFUSED, "Connection refused")


def certificate_error() -> ssl.SSLCertVerificationError:
    exc = ssl.SSLCertVerificationError(1, "certificate verify failed")
    exc.verify_code = 18
    exc.verify_message = "self-signed certificate"
    return exc


SAMPLES: list[ClientError] = [
    ClientProxyConnectionError(PLAIN, REFUSED),
    UnixClientConnectorError("/run/s", PLAIN, REFUSED),
    ClientHttpProxyError(None, status=407, message="Proxy Authentication Required"),
    ConnectorClosedError(),
    ConnectorClosedError("closed for the night"),
    ClientConnectorError(None, REFUSED),
    UnixClientConnectorError("/run/s", None, REFUSED),
    ClientConnectorCertificateError(None, certificate_error()),
    ClientConnectorError(PLAIN, REFUSED),
    ClientConnectorError(SECURE, OSError("no errno")),
    ClientConnectorError(
        PLAIN, REFUSED, (FailedAttempt(("::1", 8080, 0, 0), errno.ECONNREFUSED, "refused"),)
    ),
    AddressRefusedError(
        PLAIN,
        OSError(errno.EACCES, "the address policy refuses it"),
        (FailedAttempt(("::1", 8080, 0, 0), errno.EACCES, "it is not a public address"),),
    ),
    ClientConnectorDNSError(PLAIN, socket.gaierror(socket.EAI_NONAME, "unknown")),
    ClientSSLError(SECURE, ConnectionResetError(errno.ECONNRESET, "reset")),
    ClientConnectorSSLError(SECURE, ssl.SSLError(1, "wrong version number")),
    ClientConnectorCertificateError(SECURE, certificate_error()),
    ConnectionTimeoutError(),
    ConnectionTimeoutError(PLAIN),
    PoolTimeoutError(SECURE, 1.5),
    ProxyTimeoutError(SECURE, 1.5, 0.75),
    DNSTimeoutError(PLAIN, 2),
    DialTimeoutError(PLAIN, 3),
    DialTimeoutError(
        PLAIN, 3, 2.5, (FailedAttempt(("::1", 8080, 0, 0), errno.ETIMEDOUT, "no answer"),)
    ),
    TLSTimeoutError(SECURE, 4),
    TLSTimeoutError(SECURE, 4, 3.5, (), Proxy("https://u:secret@proxy.example", ssl=CONTEXT)),
    ServerFingerprintMismatch("ab" * 32, "cd" * 32, "example.com", 443),
    ServerFingerprintMismatch(b"\x01" * 32, b"\x02" * 32, "example.com", 443),
    ServerFingerprintMismatch(b"0a" * 32, b"0b" * 32, "example.com", 443),
    ClientConnectorError(Target("https", "a", ssl=Fingerprint("ab" * 32)), REFUSED),
]


def test_every_class_has_a_sample() -> None:
    classes = {
        value
        for name, value in vars(errors).items()
        if name in errors.__all__ and inspect.isclass(value) and issubclass(value, Exception)
    }
    assert classes == {type(sample) for sample in SAMPLES}


def facts(exc: ClientError) -> tuple[object, ...]:
    names = (
        "host",
        "port",
        "ssl",
        "errno",
        "strerror",
        "connection_key",
        "seconds",
        "attempts",
        "proxy",
        "path",
    )
    texts = [repr(getattr(exc, name, None)) for name in (*names, "os_error", "certificate_error")]
    return type(exc), str(exc), repr(exc), texts


@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_each_pickles(sample: ClientError, protocol: int) -> None:
    assert facts(pickle.loads(pickle.dumps(sample, protocol))) == facts(sample)


@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_each_copies(sample: ClientError) -> None:
    assert facts(copy.copy(sample)) == facts(sample)
    assert facts(copy.deepcopy(sample)) == facts(sample)


@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_none_holds_a_context(sample: ClientError) -> None:
    pickle.dumps(vars(sample))
    assert "SSLContext object" not in repr(sample)


def test_the_bases_are_those_that_except_clauses_name() -> None:
    for sample in SAMPLES:
        assert isinstance(sample, ClientConnectionError | ClientHttpProxyError)
        assert isinstance(sample, ClientError)
    assert issubclass(ClientHttpProxyError, ClientResponseError)
    assert issubclass(ClientProxyConnectionError, ClientConnectorError)
    assert issubclass(ClientConnectorError, ClientOSError)
    assert issubclass(ClientConnectorDNSError, ClientConnectorError)
    assert issubclass(ClientSSLError, ClientConnectorError)
    assert issubclass(ClientConnectorSSLError, (ClientSSLError, ssl.SSLError))
    assert issubclass(ClientConnectorSSLError, ssl.SSLError)
    assert issubclass(ClientConnectorCertificateError, ClientSSLError)
    assert issubclass(ClientConnectorCertificateError, ssl.CertificateError)
    assert issubclass(ClientConnectorCertificateError, ValueError)
    assert issubclass(ConnectionTimeoutError, ServerTimeoutError)
    assert issubclass(ConnectionTimeoutError, asyncio.TimeoutError)
    for phase in (
        PoolTimeoutError,
        DNSTimeoutError,
        DialTimeoutError,
        ProxyTimeoutError,
        TLSTimeoutError,
    ):
        assert issubclass(phase, ConnectionTimeoutError)


def test_a_connector_error_carries_the_target_and_the_os_error() -> None:
    exc = ClientConnectorError(SECURE, REFUSED)
    assert (exc.host, exc.port, exc.ssl) == ("example.com", 443, TLSContextRef(id(CONTEXT)))
    assert exc.os_error is REFUSED
    assert (exc.errno, exc.strerror) == (errno.ECONNREFUSED, "Connection refused")
    assert exc.connection_key == SECURE.detached()
    assert exc.attempts == ()


def test_a_connector_error_may_be_made_without_a_target() -> None:
    exc = ClientConnectorError(None, REFUSED)
    assert (exc.connection_key, exc.host, exc.port, exc.ssl) == (None, "", 0, None)
    assert exc.errno == errno.ECONNREFUSED


def test_a_certificate_error_carries_the_reason() -> None:
    reason = certificate_error()
    exc = ClientConnectorCertificateError(SECURE, reason)
    assert exc.certificate_error is reason
    assert exc.os_error is reason


@pytest.mark.parametrize(
    ("exc", "sentence"),
    [
        (
            ClientConnectorError(PLAIN, REFUSED),
            "Cannot connect to host [::1]:8080: Connection refused",
        ),
        (
            ClientConnectorError(Target("https", "a.example"), OSError("weird")),
            "Cannot connect to host a.example:443 (TLS, verified): weird",
        ),
        (
            ClientConnectorError(Target("https", "a.example", ssl=False), OSError()),
            "Cannot connect to host a.example:443 (TLS, not verified): OSError",
        ),
        (
            ClientConnectorSSLError(SECURE, ssl.SSLError(1, "wrong version number")),
            "Cannot connect to host example.com:443 (TLS, own context): wrong version number",
        ),
        (ClientConnectorError(None, REFUSED), "Cannot connect to host: Connection refused"),
        (ClientProxyConnectionError(None, OSError()), "Cannot connect to proxy: OSError"),
        (
            UnixClientConnectorError("/s", None, REFUSED),
            "Cannot connect to socket '/s': Connection refused",
        ),
        (ConnectionTimeoutError(), "no connection: timed out while connecting"),
        (
            PoolTimeoutError(PLAIN, 1.5),
            "no connection to [::1]:8080 within 1.5 s: "
            "timed out while waiting for a place in the pool",
        ),
        (
            ProxyTimeoutError(PLAIN, 1.5, 0.7512),
            "no connection to [::1]:8080 within 1.5 s: "
            "timed out while asking the proxy for the way, which took 0.751 s",
        ),
        (
            DialTimeoutError(PLAIN, 1.5, proxy=Proxy("http://u:secret@[::1]:3128")),
            "no connection to [::1]:8080 within 1.5 s: "
            "timed out at the proxy [::1]:3128 while connecting",
        ),
        (
            TLSTimeoutError(PLAIN, 1.5, proxy=Proxy("https://proxy.example", ssl=False)),
            "no connection to [::1]:8080 within 1.5 s: "
            "timed out at the proxy proxy.example:443 (TLS, not verified) "
            "while doing the TLS handshake",
        ),
        (ConnectorClosedError(), "the connector is closed"),
    ],
)
def test_the_message_is_a_sentence(exc: Exception, sentence: str) -> None:
    assert str(exc) == sentence


def test_a_fingerprint_that_differs_is_shown_beside_the_expected_one() -> None:
    exc = ServerFingerprintMismatch(b"\x01" * 32, b"\x02" * 32, "example.com", 443)
    expected = "01" * 32
    got = "02" * 32
    assert str(exc) == (
        f"the certificate of example.com:443 has the fingerprint {got}, not the expected {expected}"
    )
    assert isinstance(exc, ServerConnectionError)
    assert FingerprintMismatch is ServerFingerprintMismatch
