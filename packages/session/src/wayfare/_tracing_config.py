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
    """The handlers of one signal, in the order in which they are called: append yours."""
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
    """Before anything else; what is changed in `params.headers` is sent."""
    on_request_headers_sent = _SignalOf(TraceRequestHeadersSentParams)
    """The head goes to its connection."""
    on_request_chunk_sent = _SignalOf(TraceRequestChunkSentParams)
    """A piece of the content goes to its connection."""
    on_request_redirect = _SignalOf(TraceRequestRedirectParams)
    """A redirect is followed."""
    on_request_retry = _SignalOf(TraceRequestRetryParams)
    """An attempt failed and is repeated."""
    on_request_end = _SignalOf(TraceRequestEndParams)
    """The caller gets the response."""
    on_request_exception = _SignalOf(TraceRequestExceptionParams)
    """The request failed or was cancelled."""

    on_informational = _SignalOf(TraceInformationalParams)
    """A response of the 1xx range came; told with the final one."""
    on_response_start = _SignalOf(TraceResponseStartParams)
    """The head of a final response is there."""
    on_response_chunk_received = _SignalOf(TraceResponseChunkReceivedParams)
    """A piece of the content is about to be read, its coding undone."""
    on_response_end = _SignalOf(TraceResponseEndParams)
    """The content was read to its end, or reading it failed."""

    on_connection_queued_start = _SignalOf(TraceConnectionQueuedStartParams)
    """The pool has no place: waiting begins."""
    on_connection_queued_end = _SignalOf(TraceConnectionQueuedEndParams)
    """A place or a connection was granted."""
    on_connection_create_start = _SignalOf(TraceConnectionCreateStartParams)
    """A new connection is being made."""
    on_connection_create_end = _SignalOf(TraceConnectionCreateEndParams)
    """The new connection is ready."""
    on_connection_reuseconn = _SignalOf(TraceConnectionReuseconnParams)
    """A pooled connection is used."""
    on_dns_resolvehost_start = _SignalOf(TraceDnsResolveHostStartParams)
    """A name is being resolved."""
    on_dns_resolvehost_end = _SignalOf(TraceDnsResolveHostEndParams)
    """The name's addresses are there."""
    on_dns_cache_hit = _SignalOf(TraceDnsCacheHitParams)
    """The name's addresses were known."""
    on_dns_cache_miss = _SignalOf(TraceDnsCacheMissParams)
    """The name's addresses were not known."""
    on_dial_start = _SignalOf(TraceDialStartParams)
    """The transport is being opened."""
    on_dial_end = _SignalOf(TraceDialEndParams)
    """The transport is open."""
    on_tunnel_start = _SignalOf(TraceTunnelStartParams)
    """A proxy is asked for a way to the server."""
    on_tunnel_end = _SignalOf(TraceTunnelEndParams)
    """The way through the proxy is open."""
    on_tls_handshake_start = _SignalOf(TraceTlsHandshakeStartParams)
    """A TLS handshake begins."""
    on_tls_handshake_end = _SignalOf(TraceTlsHandshakeEndParams)
    """The TLS handshake succeeded."""

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
