"""What a transport knows of its peer, as typed facts."""

import asyncio

from wayfare_http_core._connection import ConnectionFacts

__all__ = ("transport_facts",)


def transport_facts(transport: asyncio.BaseTransport) -> ConnectionFacts:
    """The facts of a connected transport, TLS or not.

    The TLS facts come from the transport's `ssl_object`, which our TLS stage and asyncio's both give.
    """
    info = transport.get_extra_info
    tls = info("ssl_object")
    if tls is None:
        return ConnectionFacts(peername=info("peername"), sockname=info("sockname"))
    return ConnectionFacts(
        peername=info("peername"),
        sockname=info("sockname"),
        tls_version=tls.version(),
        cipher=tls.cipher(),
        peer_certificate=tls.getpeercert(binary_form=True),
        alpn=tls.selected_alpn_protocol(),
    )
