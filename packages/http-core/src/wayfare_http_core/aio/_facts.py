"""What a transport and a response tell of a connection, as typed facts."""

import asyncio
from math import inf

from wayfare_http_core import hdrs
from wayfare_http_core._connection import ConnectionFacts
from wayfare_http_core._head import ResponseHead

__all__ = ("has_plain_socket", "keep_alive_hint", "transport_facts")

_SOCKET_TRANSPORTS = frozenset(("asyncio.selector_events", "uvloop.loop"))


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


def keep_alive_hint(head: ResponseHead) -> float | None:
    """Seconds for which a response's Keep-Alive field says that the idle connection stays, less a second (I9)."""
    values = head.headers.getall(hdrs.KEEP_ALIVE, None)
    if values is None:
        return None
    # Imported here: few servers send the field.
    from wayfare_http_core._keep_alive import parse_keep_alive

    hint = parse_keep_alive(",".join(values)).shorten(inf)
    return hint if hint < inf else None


def has_plain_socket(transport: asyncio.BaseTransport) -> bool:
    """Whether the transport gives to its socket what it is given, and nothing else.

    Others have one, too, and a protocol of their own on it: TLS, a tunnel.
    """
    return (
        type(transport).__module__ in _SOCKET_TRANSPORTS
        and transport.get_extra_info("ssl_object") is None
        and transport.get_extra_info("socket") is not None
    )
