"""Certificates for the TLS tests: one authority that clients trust, and what it issued."""

import ssl

import pytest
import trustme


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
