"""`TraceConfig`: handlers for what happens during a request.

A handler is `async def handler(session, context, params)`. The request waits for each of them, so what a handler does
is part of the request's time, and what it raises fails the request. The context is made once for each request by the
config's factory and is the same for every signal of that request, from its start until its content is read.

The order of the signals:

    on_request_start
        on_connection_reuseconn, or
            on_connection_queued_start, on_connection_queued_end        where the pool is full
            on_connection_create_start
                on_dns_cache_hit, or
                on_dns_cache_miss, on_dns_resolvehost_start, on_dns_resolvehost_end
                on_dial_start, on_dial_end
                on_tunnel_start, on_tunnel_end                          through a proxy
                on_tls_handshake_start, on_tls_handshake_end
            on_connection_create_end
        on_request_headers_sent
            on_request_chunk_sent …
        on_informational …
        on_response_start
        on_request_retry or on_request_redirect, then once more from the connection on
    on_request_end, or on_request_exception
        on_response_chunk_received …
        on_response_end
"""

from types import SimpleNamespace
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Generic,
    NoReturn,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    final,
    overload,
)

from aiosignal import Signal

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
    TraceInformationalParams,
    TraceRequestChunkSentParams,
    TraceRequestEndParams,
    TraceRequestExceptionParams,
    TraceRequestHeadersSentParams,
    TraceRequestRedirectParams,
    TraceRequestRetryParams,
    TraceRequestStartParams,
    TraceResponseChunkReceivedParams,
    TraceResponseEndParams,
    TraceResponseStartParams,
    TraceTlsHandshakeEndParams,
    TraceTlsHandshakeStartParams,
    TraceTunnelEndParams,
    TraceTunnelStartParams,
)

Told = TypeVar("Told")

if TYPE_CHECKING:
    from ._session import ClientSession

    # A list of handlers that take the session, the request's context and the signal's parameters.
    TraceSignal: TypeAlias = Signal[ClientSession, Any, Told]
else:
    TraceSignal = Signal

__all__ = ("SIGNALS", "TraceConfig", "TraceContextFactory", "TraceSignal")


class TraceContextFactory(Protocol):
    """Makes the context of one request."""

    def __call__(self, *, trace_request_ctx: Any) -> Any:
        """A context that holds what the caller of the request gave as `trace_request_ctx`."""


@final
class _SignalOf(Generic[Told]):
    """A signal of each `TraceConfig`, made when it is first asked for: most have no handler."""

    def __init__(self, params: type[Told]) -> None:
        self.params = params

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, config: None, owner: type) -> Self: ...

    @overload
    def __get__(self, config: "TraceConfig", owner: type) -> TraceSignal[Told]: ...

    def __get__(self, config: "TraceConfig | None", owner: type) -> Self | TraceSignal[Told]:
        return self if config is None else config._signal(self._name)

    def __set__(self, config: "TraceConfig", value: object) -> NoReturn:
        raise AttributeError(f"append handlers to {self._name}, it cannot be replaced")


class TraceConfig:
    """Handlers for the signals of requests: `config.on_request_start.append(handler)`.

    Hand it to a session as one of `trace_configs`; from then on no handler can be added. One config may serve several
    sessions.

    `trace_config_ctx_factory` makes the context of a request; it is called with the keyword `trace_request_ctx`, what
    the request was given under that name.
    """

    on_request_start = _SignalOf(TraceRequestStartParams)
    on_request_headers_sent = _SignalOf(TraceRequestHeadersSentParams)
    on_request_chunk_sent = _SignalOf(TraceRequestChunkSentParams)
    on_request_redirect = _SignalOf(TraceRequestRedirectParams)
    on_request_retry = _SignalOf(TraceRequestRetryParams)
    on_request_end = _SignalOf(TraceRequestEndParams)
    on_request_exception = _SignalOf(TraceRequestExceptionParams)

    on_informational = _SignalOf(TraceInformationalParams)
    on_response_start = _SignalOf(TraceResponseStartParams)
    on_response_chunk_received = _SignalOf(TraceResponseChunkReceivedParams)
    on_response_end = _SignalOf(TraceResponseEndParams)

    on_connection_queued_start = _SignalOf(TraceConnectionQueuedStartParams)
    on_connection_queued_end = _SignalOf(TraceConnectionQueuedEndParams)
    on_connection_create_start = _SignalOf(TraceConnectionCreateStartParams)
    on_connection_create_end = _SignalOf(TraceConnectionCreateEndParams)
    on_connection_reuseconn = _SignalOf(TraceConnectionReuseconnParams)
    on_dns_resolvehost_start = _SignalOf(TraceDnsResolveHostStartParams)
    on_dns_resolvehost_end = _SignalOf(TraceDnsResolveHostEndParams)
    on_dns_cache_hit = _SignalOf(TraceDnsCacheHitParams)
    on_dns_cache_miss = _SignalOf(TraceDnsCacheMissParams)
    on_dial_start = _SignalOf(TraceDialStartParams)
    on_dial_end = _SignalOf(TraceDialEndParams)
    on_tunnel_start = _SignalOf(TraceTunnelStartParams)
    on_tunnel_end = _SignalOf(TraceTunnelEndParams)
    on_tls_handshake_start = _SignalOf(TraceTlsHandshakeStartParams)
    on_tls_handshake_end = _SignalOf(TraceTlsHandshakeEndParams)

    def __init__(self, trace_config_ctx_factory: TraceContextFactory = SimpleNamespace) -> None:
        self._factory = trace_config_ctx_factory
        self._frozen = False
        self._signals: dict[str, Signal[Any, Any, Any]] = {}

    def trace_config_ctx(self, trace_request_ctx: Any = None) -> Any:
        """A new context, from the factory."""
        return self._factory(trace_request_ctx=trace_request_ctx)

    def freeze(self) -> None:
        """Let no handler be added from now on; a session does this. Idempotent."""
        self._frozen = True
        for signal in self._signals.values():
            signal.freeze()

    def _signal(self, name: str) -> "Signal[Any, Any, Any]":
        signal = self._signals.get(name)
        if signal is None:
            signal = self._signals[name] = Signal(self)
            if self._frozen:
                signal.freeze()
        return signal


SIGNALS: Final = tuple(
    name for name, value in vars(TraceConfig).items() if isinstance(value, _SignalOf)
)
"""The names of all signals."""
