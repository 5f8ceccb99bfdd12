"""From the stages of a connect to the signals of a request."""

import sys
from typing import TYPE_CHECKING, Any, final

from wayfare_connector import ConnectObserver, Target
from wayfare_http_core import Connection

from ._tracing_params import (
    TraceConnectionCreateEndParams,
    TraceConnectionCreateStartParams,
    TraceConnectionQueuedEndParams,
    TraceConnectionQueuedStartParams,
    TraceConnectionReuseconnParams,
    TraceDialEndParams,
    TraceDialStartParams,
    TraceDnsCacheHitParams,
    TraceDnsCacheMissParams,
    TraceDnsResolveHostEndParams,
    TraceDnsResolveHostStartParams,
    TraceTlsHandshakeEndParams,
    TraceTlsHandshakeStartParams,
    TraceTunnelEndParams,
    TraceTunnelStartParams,
)

if TYPE_CHECKING:
    from ._tracing import RequestTrace

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ConnectTrace",)


@final
class ConnectTrace(ConnectObserver):
    """Sends a signal for each stage of a connect. Raises what handlers raise, which ends the connect."""

    __slots__ = ("_trace",)

    def __init__(self, trace: "RequestTrace") -> None:
        self._trace = trace

    @override
    async def queued_start(self, target: Target) -> None:
        await self._trace.send(
            "on_connection_queued_start",
            TraceConnectionQueuedStartParams,
            target.host,
            target.port,
        )

    @override
    async def queued_end(self, target: Target, seconds: float) -> None:
        await self._trace.send(
            "on_connection_queued_end",
            TraceConnectionQueuedEndParams,
            target.host,
            target.port,
            seconds,
        )

    @override
    async def reused(self, target: Target, connection: Connection) -> None:
        facts = connection.facts
        await self._trace.send(
            "on_connection_reuseconn",
            TraceConnectionReuseconnParams,
            target.host,
            target.port,
            facts.peername,
            facts.tls_version,
        )

    @override
    async def create_start(self, target: Target) -> None:
        await self._trace.send(
            "on_connection_create_start",
            TraceConnectionCreateStartParams,
            target.host,
            target.port,
            target.is_ssl,
        )

    @override
    async def create_end(self, target: Target, connection: Connection, seconds: float) -> None:
        facts = connection.facts
        await self._trace.send(
            "on_connection_create_end",
            TraceConnectionCreateEndParams,
            target.host,
            target.port,
            facts.peername,
            facts.tls_version,
            facts.alpn,
            seconds,
        )

    @override
    async def dns_start(self, target: Target) -> None:
        await self._trace.send(
            "on_dns_resolvehost_start", TraceDnsResolveHostStartParams, target.host
        )

    @override
    async def dns_end(self, target: Target, addresses: tuple[str, ...], seconds: float) -> None:
        await self._trace.send(
            "on_dns_resolvehost_end",
            TraceDnsResolveHostEndParams,
            target.host,
            addresses,
            seconds,
        )

    @override
    async def dns_cache_hit(self, target: Target) -> None:
        await self._trace.send("on_dns_cache_hit", TraceDnsCacheHitParams, target.host)

    @override
    async def dns_cache_miss(self, target: Target) -> None:
        await self._trace.send("on_dns_cache_miss", TraceDnsCacheMissParams, target.host)

    @override
    async def dial_start(self, target: Target) -> None:
        await self._trace.send("on_dial_start", TraceDialStartParams, target.host, target.port)

    @override
    async def dial_end(self, target: Target, peername: Any, seconds: float) -> None:
        await self._trace.send(
            "on_dial_end", TraceDialEndParams, target.host, target.port, peername, seconds
        )

    @override
    async def tunnel_start(self, target: Target) -> None:
        await self._trace.send("on_tunnel_start", TraceTunnelStartParams, target.host, target.port)

    @override
    async def tunnel_end(self, target: Target, seconds: float) -> None:
        await self._trace.send(
            "on_tunnel_end", TraceTunnelEndParams, target.host, target.port, seconds
        )

    @override
    async def tls_start(self, target: Target) -> None:
        await self._trace.send(
            "on_tls_handshake_start", TraceTlsHandshakeStartParams, target.host, target.port
        )

    @override
    async def tls_end(self, target: Target, tls_version: str | None, seconds: float) -> None:
        await self._trace.send(
            "on_tls_handshake_end",
            TraceTlsHandshakeEndParams,
            target.host,
            target.port,
            tls_version,
            seconds,
        )
