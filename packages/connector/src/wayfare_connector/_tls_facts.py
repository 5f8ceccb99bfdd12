"""What is known of a TLS connection once the handshake is over."""

import ssl
from typing import NamedTuple

__all__ = ("TLSFacts", "tls_facts")


class TLSFacts(NamedTuple):
    """The outcome of a handshake, in values that outlive the connection."""

    tls_version: str | None
    """As OpenSSL spells it: "TLSv1.2", "TLSv1.3"."""
    cipher: tuple[str, str, int] | None
    """Name, protocol version, secret bits."""
    peer_certificate: bytes | None
    """The peer's leaf certificate, DER; None if it sent none."""
    alpn: str | None
    """The protocol the server selected, None if it selected none."""


def tls_facts(ssl_object: ssl.SSLObject) -> TLSFacts:
    """The facts of an established connection. Its handshake must be complete.

    Raises: ValueError before the handshake.
    """
    return TLSFacts(
        tls_version=ssl_object.version(),
        cipher=ssl_object.cipher(),
        peer_certificate=ssl_object.getpeercert(binary_form=True),
        alpn=ssl_object.selected_alpn_protocol(),
    )
