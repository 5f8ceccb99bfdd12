"""What a connector tells about its work while it goes on: a seam for tracing and metrics."""

from typing import Any

from wayfare_http_core import Connection

from ._target import Target

__all__ = ("ConnectObserver",)


class ConnectObserver:
    """Called at the stages of one connect; override what is of interest, the rest does nothing.

    The target of a stage is where that stage leads: with a proxy, names are resolved, transports
    opened and the first handshake is done for the proxy's.

    The connector awaits each call, so whatever an observer does takes part in the time and in the
    timeouts of the request; an exception ends the connect and is raised from it. An `…_end` comes
    only when the stage succeeded. All times are in seconds.

    Cancellation: like an exception; nothing stays leased.
    """

    async def queued_start(self, target: Target) -> None:
        """The pool has no place: waiting begins."""

    async def queued_end(self, target: Target, seconds: float) -> None:
        """A place or a connection was granted."""

    async def reused(self, target: Target, connection: Connection) -> None:
        """An open connection is used again."""

    async def create_start(self, target: Target) -> None:
        """A new connection is being made."""

    async def create_end(self, target: Target, connection: Connection, seconds: float) -> None:
        """The new connection is ready, TLS included."""

    async def dns_start(self, target: Target) -> None:
        """The target's name is being resolved; not called for an address."""

    async def dns_end(self, target: Target, addresses: tuple[str, ...], seconds: float) -> None:
        """The name has these addresses, in the order in which they are tried."""

    async def dns_cache_hit(self, target: Target) -> None:
        """The addresses of the target's name are known from before; no dns_start follows."""

    async def dns_cache_miss(self, target: Target) -> None:
        """The addresses of the target's name are not known, or not any more."""

    async def dial_start(self, target: Target) -> None:
        """The transport is being opened."""

    async def dial_end(self, target: Target, peername: Any, seconds: float) -> None:
        """The transport is open, to the peer that `socket.getpeername` names."""

    async def tunnel_start(self, target: Target) -> None:
        """The target's proxy is being asked for a way to it."""

    async def tunnel_end(self, target: Target, seconds: float) -> None:
        """The way through the proxy is open."""

    async def tls_start(self, target: Target) -> None:
        """The TLS handshake begins."""

    async def tls_end(self, target: Target, tls_version: str | None, seconds: float) -> None:
        """The TLS handshake succeeded, with for example `TLSv1.3`."""
