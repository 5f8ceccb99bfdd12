"""Verifying by the trust store of the operating system, with the `truststore` package."""

import ssl

import truststore

__all__ = ("truststore_context",)


def truststore_context(alpn: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext:
    """A context, for `ssl=`, that lets the operating system verify: on Windows and macOS by what its
    users and administrators trust, where `ssl` alone sees only a part of that. Needs the extra
    `truststore`.

    alpn: the protocols to offer, best first. Make it once and use it often: connections are shared by
        those alone that have the same context. On Windows and macOS each handshake blocks for as long as the system
        takes to verify.
    """
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(list(alpn))
    return context
