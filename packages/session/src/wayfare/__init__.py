"""Wayfare: an asyncio HTTP client made of small, composable packages.

async with wayfare.ClientSession() as session:
    async with session.get("https://example.org/") as response:
        print(response.status, await response.text())
"""

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
    ServerConnectionError,
    ServerDisconnectedError,
    ServerTimeoutError,
    SocketTimeoutError,
    UploadAbortedError,
    hdrs,
)
from wayfare_http_core.aio import StreamReader

from ._errors import ContentTypeError, InvalidURL, InvalidUrlClientError, NonHttpUrlClientError
from ._options import RequestOptions, SessionOptions
from ._request import ClientRequest, RequestInfo
from ._request_context import RequestContext
from ._response import ClientResponse
from ._session import ClientSession
from ._timeout import ClientTimeout
from ._version import __version__

if TYPE_CHECKING:
    from wayfare_http_core import BasicAuth, encode_basic_auth
else:

    def __getattr__(name):
        # What http-core itself loads when it is asked for.
        if name not in ("BasicAuth", "encode_basic_auth"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import wayfare_http_core

        value = globals()[name] = getattr(wayfare_http_core, name)
        return value


__all__ = (
    "BaseConnector",
    "BasicAuth",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientError",
    "ClientOSError",
    "ClientPayloadError",
    "ClientRequest",
    "ClientResponse",
    "ClientResponseError",
    "ClientSSLError",
    "ClientSession",
    "ClientTimeout",
    "ConnectionTimeoutError",
    "ContentTypeError",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "InvalidURL",
    "InvalidUrlClientError",
    "NonHttpUrlClientError",
    "RequestContext",
    "RequestInfo",
    "RequestOptions",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerTimeoutError",
    "SessionOptions",
    "SocketTimeoutError",
    "StreamReader",
    "TCPConnector",
    "ThreadedResolver",
    "UploadAbortedError",
    "__version__",
    "encode_basic_auth",
    "hdrs",
)
