"""`ConnectionInfo`: over which connection a response came."""

from dataclasses import dataclass
from typing import Any, final

from wayfare_http_core import ConnectionFacts, ConnectTimings

__all__ = ("ConnectionInfo", "connection_info")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionInfo:
    """Facts of the connection that a response came over; they stay when it is gone.

    Addresses have the shape that `socket.getpeername` gives: `(host, port)` for IPv4, four items for IPv6, a path for a
    Unix socket, None where there is none. The TLS facts are None on a plain connection.
    """

    peername: tuple[Any, ...] | str | None
    """Whom the connection leads to: the server, or its proxy."""
    sockname: tuple[Any, ...] | str | None
    """Our own end."""
    tls_version: str | None
    """As OpenSSL spells it, for example `TLSv1.3`."""
    cipher: tuple[str, str, int] | None
    """Name, protocol version, secret bits."""
    peer_certificate: bytes | None
    """The server's certificate, DER."""
    alpn: str | None
    """The protocol that server and client agreed on by ALPN."""
    exchange: int
    """Which request of its connection this was: 1 for the first."""
    timings: ConnectTimings
    """How long it took to make the connection, stage by stage, whoever it was made for."""
    first_byte: float | None
    """Seconds from sending the request until the response's head was there; None where no trace measured it."""

    @property
    def reused(self) -> bool:
        """Whether the connection had carried other requests before."""
        return self.exchange > 1


def connection_info(
    facts: ConnectionFacts, exchange: int, first_byte: float | None
) -> ConnectionInfo:
    """What is to be known of a connection and of one exchange on it."""
    return ConnectionInfo(
        peername=facts.peername,
        sockname=facts.sockname,
        tls_version=facts.tls_version,
        cipher=facts.cipher,
        peer_certificate=facts.peer_certificate,
        alpn=facts.alpn,
        exchange=exchange,
        timings=facts.timings or ConnectTimings(),
        first_byte=first_byte,
    )
