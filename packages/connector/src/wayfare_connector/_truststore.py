"""Verifying by the trust store of the operating system, with the `truststore` package."""

import ssl

__all__ = ("truststore_context",)


def truststore_context(alpn: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext:
    """A context, for `ssl=`, that lets the operating system verify: on Windows and macOS by what its
    users and administrators trust, where `ssl` alone sees only a part of that. Needs the extra
    `truststore`.

    alpn: the protocols to offer, best first. Make it once and use it often: connections are shared by
        those alone that have the same context. On Windows and macOS each handshake blocks for as long as the system
        takes to verify.

    Raises: `ImportError` where the extra is not installed.
    """
    try:
        # Imported here: the name is there for all, the library only for who installs the extra.
        import truststore
    except ImportError as exc:
        raise ImportError(
            "truststore_context() needs truststore: pip install wayfare-connector[truststore]"
        ) from exc
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(list(alpn))
    return context
