"""Wayfare: an asyncio HTTP client made of small, composable packages.

async with wayfare.ClientSession() as session:
    async with session.get("https://example.org/") as response:
        print(response.status, await response.text())
"""

from importlib import import_module
from typing import TYPE_CHECKING

from wayfare_connector import (
    BaseConnector,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientSSLError,
    ConnectionTimeoutError,
    TCPConnector,
    ThreadedResolver,
)
from wayfare_http_core import (
    ClientConnectionError,
    ClientConnectionResetError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientResponseError,
    HttpVersion,
    HttpVersion10,
    HttpVersion11,
    RequestFailure,
    ServerConnectionError,
    ServerDisconnectedError,
    ServerTimeoutError,
    SocketTimeoutError,
    UploadAbortedError,
    hdrs,
)
from wayfare_http_core.aio import StreamReader

from ._errors import (
    ContentTypeError,
    InvalidURL,
    InvalidUrlClientError,
    InvalidUrlRedirectClientError,
    NonHttpUrlClientError,
    NonHttpUrlRedirectClientError,
    RedirectClientError,
    TooManyRedirects,
    TotalTimeoutError,
)
from ._options import RequestOptions, SessionOptions
from ._request import ClientRequest, RequestInfo
from ._request_context import RequestContext
from ._response import ClientResponse
from ._session import ClientSession
from ._timeout import ClientTimeout
from ._version import __version__

if TYPE_CHECKING:
    from wayfare_connector import (
        AddrInfoType,
        AsyncResolver,
        DefaultResolver,
        Fingerprint,
        FingerprintMismatch,
        ServerFingerprintMismatch,
        SocketFactoryType,
    )
    from wayfare_cookies import CookieJar, DummyCookieJar
    from wayfare_http_core import (
        BadContentDispositionHeader,
        BadContentDispositionParam,
        BasicAuth,
        ETag,
        content_disposition_filename,
        encode_basic_auth,
        parse_content_disposition,
        set_zlib_backend,
    )
    from wayfare_http_core.aio import EMPTY_PAYLOAD, DataQueue, EofStream, FlowControlDataQueue

    from ._connection_info import ConnectionInfo
    from ._middlewares import ClientHandlerType, ClientMiddlewareType
    from ._one_request import request
    from ._redirects import RedirectPolicy, RedirectStep
    from ._response_summary import FollowedResponse
    from ._tracing_config import TraceConfig
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
else:
    # What a plain request does not need loads when one of its names is asked for. Add new ones above and here.
    _LAZY = {
        "AddrInfoType": "wayfare_connector",
        "AsyncResolver": "wayfare_connector",
        "DefaultResolver": "wayfare_connector",
        "Fingerprint": "wayfare_connector",
        "FingerprintMismatch": "wayfare_connector",
        "ServerFingerprintMismatch": "wayfare_connector",
        "SocketFactoryType": "wayfare_connector",
        "CookieJar": "wayfare_cookies",
        "DummyCookieJar": "wayfare_cookies",
        "BadContentDispositionHeader": "wayfare_http_core",
        "BadContentDispositionParam": "wayfare_http_core",
        "BasicAuth": "wayfare_http_core",
        "ETag": "wayfare_http_core",
        "content_disposition_filename": "wayfare_http_core",
        "encode_basic_auth": "wayfare_http_core",
        "parse_content_disposition": "wayfare_http_core",
        "set_zlib_backend": "wayfare_http_core",
        "DataQueue": "wayfare_http_core.aio",
        "EMPTY_PAYLOAD": "wayfare_http_core.aio",
        "EofStream": "wayfare_http_core.aio",
        "FlowControlDataQueue": "wayfare_http_core.aio",
        "ConnectionInfo": "wayfare._connection_info",
        "ClientHandlerType": "wayfare._middlewares",
        "ClientMiddlewareType": "wayfare._middlewares",
        "request": "wayfare._one_request",
        "RedirectPolicy": "wayfare._redirects",
        "RedirectStep": "wayfare._redirects",
        "FollowedResponse": "wayfare._response_summary",
        "TraceConfig": "wayfare._tracing_config",
        "TraceConnectionCreateEndParams": "wayfare._tracing_params",
        "TraceConnectionCreateStartParams": "wayfare._tracing_params",
        "TraceConnectionQueuedEndParams": "wayfare._tracing_params",
        "TraceConnectionQueuedStartParams": "wayfare._tracing_params",
        "TraceConnectionReuseconnParams": "wayfare._tracing_params",
        "TraceDialEndParams": "wayfare._tracing_params",
        "TraceDialStartParams": "wayfare._tracing_params",
        "TraceDnsCacheHitParams": "wayfare._tracing_params",
        "TraceDnsCacheMissParams": "wayfare._tracing_params",
        "TraceDnsResolveHostEndParams": "wayfare._tracing_params",
        "TraceDnsResolveHostStartParams": "wayfare._tracing_params",
        "TraceInformationalParams": "wayfare._tracing_params",
        "TraceRequestChunkSentParams": "wayfare._tracing_params",
        "TraceRequestEndParams": "wayfare._tracing_params",
        "TraceRequestExceptionParams": "wayfare._tracing_params",
        "TraceRequestHeadersSentParams": "wayfare._tracing_params",
        "TraceRequestRedirectParams": "wayfare._tracing_params",
        "TraceRequestRetryParams": "wayfare._tracing_params",
        "TraceRequestStartParams": "wayfare._tracing_params",
        "TraceResponseChunkReceivedParams": "wayfare._tracing_params",
        "TraceResponseEndParams": "wayfare._tracing_params",
        "TraceResponseStartParams": "wayfare._tracing_params",
        "TraceTlsHandshakeEndParams": "wayfare._tracing_params",
        "TraceTlsHandshakeStartParams": "wayfare._tracing_params",
        "TraceTunnelEndParams": "wayfare._tracing_params",
        "TraceTunnelStartParams": "wayfare._tracing_params",
    }

    def __getattr__(name):
        module = _LAZY.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(module), name)
        return value


__all__ = (
    "EMPTY_PAYLOAD",
    "AddrInfoType",
    "AsyncResolver",
    "BadContentDispositionHeader",
    "BadContentDispositionParam",
    "BaseConnector",
    "BasicAuth",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientError",
    "ClientHandlerType",
    "ClientMiddlewareType",
    "ClientOSError",
    "ClientPayloadError",
    "ClientRequest",
    "ClientResponse",
    "ClientResponseError",
    "ClientSSLError",
    "ClientSession",
    "ClientTimeout",
    "ConnectionInfo",
    "ConnectionTimeoutError",
    "ContentTypeError",
    "CookieJar",
    "DataQueue",
    "DefaultResolver",
    "DummyCookieJar",
    "ETag",
    "EofStream",
    "Fingerprint",
    "FingerprintMismatch",
    "FlowControlDataQueue",
    "FollowedResponse",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "NonHttpUrlClientError",
    "NonHttpUrlRedirectClientError",
    "RedirectClientError",
    "RedirectPolicy",
    "RedirectStep",
    "RequestContext",
    "RequestFailure",
    "RequestInfo",
    "RequestOptions",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerFingerprintMismatch",
    "ServerTimeoutError",
    "SessionOptions",
    "SocketFactoryType",
    "SocketTimeoutError",
    "StreamReader",
    "TCPConnector",
    "ThreadedResolver",
    "TooManyRedirects",
    "TotalTimeoutError",
    "TraceConfig",
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
    "UploadAbortedError",
    "__version__",
    "content_disposition_filename",
    "encode_basic_auth",
    "hdrs",
    "parse_content_disposition",
    "request",
    "set_zlib_backend",
)
