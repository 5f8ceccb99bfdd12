"""What the handlers of tracing signals are told: one class for each signal of `TraceConfig`.

Names and fields that users know from elsewhere stand first and in the order they know; what follows them has a default,
so that tests of handlers can make values in the short form too.

Headers and content stay out of their `repr`: they hold credentials, and logs print this. Seconds are those of the event
loop's clock. A peer's address has the shape that `socket.getpeername` gives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, final

from multidict import CIMultiDict
from yarl import URL

if TYPE_CHECKING:
    from ._response import ClientResponse

__all__ = (
    "TraceConnectionCreateEndParams",
    "TraceConnectionCreateStartParams",
    "TraceConnectionQueuedEndParams",
    "TraceConnectionQueuedStartParams",
    "TraceConnectionReuseconnParams",
    "TraceDialEndParams",
    "TraceDialStartParams",
    "TraceDnsCacheHitParams",
    "TraceDnsCacheMissParams",
    "TraceDnsResolveHostEndParams",
    "TraceDnsResolveHostStartParams",
    "TraceInformationalParams",
    "TraceRequestChunkSentParams",
    "TraceRequestEndParams",
    "TraceRequestExceptionParams",
    "TraceRequestHeadersSentParams",
    "TraceRequestRedirectParams",
    "TraceRequestRetryParams",
    "TraceRequestStartParams",
    "TraceResponseChunkReceivedParams",
    "TraceResponseEndParams",
    "TraceResponseStartParams",
    "TraceTlsHandshakeEndParams",
    "TraceTlsHandshakeStartParams",
    "TraceTunnelEndParams",
    "TraceTunnelStartParams",
)

Address: TypeAlias = tuple[Any, ...] | str | None


# -- the request ------------------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class TraceRequestStartParams:
    """A request begins. What a handler changes in `headers` is sent."""

    method: str
    url: URL
    headers: CIMultiDict[str] = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class TraceRequestHeadersSentParams:
    """The head of a request goes to its connection: once for each redirect and each retry."""

    method: str
    url: URL
    headers: CIMultiDict[str] = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class TraceRequestChunkSentParams:
    """A piece of the request's content goes to its connection."""

    method: str
    url: URL
    chunk: bytes = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class TraceRequestRedirectParams:
    """A response leads elsewhere and is followed; `response` is that response."""

    method: str
    url: URL
    headers: CIMultiDict[str] = field(repr=False)
    response: "ClientResponse"


@final
@dataclass(frozen=True, slots=True)
class TraceRequestRetryParams:
    """An attempt failed and the request is sent once more; `attempt` counts from 1, the one that failed.

    `exception` says how; it is None where a response asked for the other attempt: one of status 417, or one that a
    `RetryMiddleware` does not take.
    """

    method: str
    url: URL
    headers: CIMultiDict[str] = field(repr=False)
    exception: BaseException | None
    attempt: int = 1


@final
@dataclass(frozen=True, slots=True)
class TraceRequestEndParams:
    """The response that the caller gets is there; its content may still be on its way."""

    method: str
    url: URL
    headers: CIMultiDict[str] = field(repr=False)
    response: "ClientResponse"


@final
@dataclass(frozen=True, slots=True)
class TraceRequestExceptionParams:
    """The request failed, or was cancelled."""

    method: str
    url: URL
    headers: CIMultiDict[str] = field(repr=False)
    exception: BaseException


# -- the response -----------------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class TraceInformationalParams:
    """A response of the 1xx range came before the final one, `seconds` after the request's head was sent."""

    method: str
    url: URL
    status: int
    headers: Mapping[str, str] = field(repr=False)
    seconds: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class TraceResponseStartParams:
    """The head of a final response arrived, `seconds` after the request's head was sent."""

    method: str
    url: URL
    status: int
    headers: Mapping[str, str] = field(repr=False)
    seconds: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class TraceResponseChunkReceivedParams:
    """A piece of the response's content is there to be read, its coding undone."""

    method: str
    url: URL
    chunk: bytes = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class TraceResponseEndParams:
    """The content was read to its end, `seconds` after the response's head; or reading failed with `exception`.

    `octets` is how many there were to read, decoded.
    """

    method: str
    url: URL
    octets: int
    seconds: float = 0.0
    exception: BaseException | None = None


# -- the connection ---------------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True)
class TraceConnectionQueuedStartParams:
    """The pool has no place; waiting begins."""

    host: str = ""
    port: int = 0


@final
@dataclass(frozen=True, slots=True)
class TraceConnectionQueuedEndParams:
    """A place or a connection was granted."""

    host: str = ""
    port: int = 0
    seconds: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class TraceConnectionReuseconnParams:
    """An open connection is used again."""

    host: str = ""
    port: int = 0
    peername: Address = None
    tls_version: str | None = None


@final
@dataclass(frozen=True, slots=True)
class TraceConnectionCreateStartParams:
    """A new connection is being made."""

    host: str = ""
    port: int = 0
    is_ssl: bool = False


@final
@dataclass(frozen=True, slots=True)
class TraceConnectionCreateEndParams:
    """The new connection is ready, TLS included."""

    host: str = ""
    port: int = 0
    peername: Address = None
    tls_version: str | None = None
    alpn: str | None = None
    seconds: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class TraceDnsResolveHostStartParams:
    """A name is being resolved."""

    host: str


@final
@dataclass(frozen=True, slots=True)
class TraceDnsResolveHostEndParams:
    """The name has these addresses, in the order in which they are tried."""

    host: str
    addresses: tuple[str, ...] = ()
    seconds: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class TraceDnsCacheHitParams:
    """The name's addresses were known already."""

    host: str


@final
@dataclass(frozen=True, slots=True)
class TraceDnsCacheMissParams:
    """The name's addresses were not known."""

    host: str


@final
@dataclass(frozen=True, slots=True)
class TraceDialStartParams:
    """The transport is being opened."""

    host: str = ""
    port: int = 0


@final
@dataclass(frozen=True, slots=True)
class TraceDialEndParams:
    """The transport is open."""

    host: str = ""
    port: int = 0
    peername: Address = None
    seconds: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class TraceTunnelStartParams:
    """A proxy is being asked for a way to this host."""

    host: str = ""
    port: int = 0


@final
@dataclass(frozen=True, slots=True)
class TraceTunnelEndParams:
    """The way through the proxy is open."""

    host: str = ""
    port: int = 0
    seconds: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class TraceTlsHandshakeStartParams:
    """The TLS handshake begins."""

    host: str = ""
    port: int = 0


@final
@dataclass(frozen=True, slots=True)
class TraceTlsHandshakeEndParams:
    """The TLS handshake succeeded, with for example `TLSv1.3`."""

    host: str = ""
    port: int = 0
    tls_version: str | None = None
    seconds: float = 0.0
