"""Submodules that applications know: each hands on names that live elsewhere, and none makes importing slower."""

import subprocess
import sys
from importlib import import_module
from typing import Any, get_type_hints

import pytest
import wayfare
import wayfare_http_core

# What programs written since 2018 import from each of them.
KNOWN = {
    "abc": "AbstractCookieJar AbstractResolver AbstractStreamWriter ResolveResult",
    "client": "ClientSession ClientTimeout ClientResponse ClientRequest ClientError InvalidURL DEFAULT_TIMEOUT "
    "TCPConnector UnixConnector BaseConnector Fingerprint request ClientWebSocketResponse ClientWSTimeout "
    "WSServerHandshakeError WSMessageTypeError",
    "client_exceptions": "ClientConnectorError ClientOSError ClientPayloadError ContentTypeError "
    "ServerDisconnectedError ServerTimeoutError TooManyRedirects ClientSSLError ServerFingerprintMismatch",
    "client_reqrep": "ClientRequest ClientResponse ConnectionKey RequestInfo Fingerprint ContentDisposition",
    "client_ws": "ClientWebSocketResponse ClientWSTimeout",
    "connector": "BaseConnector TCPConnector Connection",
    "cookiejar": "CookieJar DummyCookieJar",
    "formdata": "FormData",
    "helpers": "BasicAuth ChainMapProxy ETag content_disposition_header encode_basic_auth parse_http_date sentinel",
    "http": "HttpVersion HttpVersion10 HttpVersion11 SERVER_SOFTWARE WSMsgType WSMessage WSCloseCode WebSocketError",
    "http_exceptions": "HttpProcessingError BadHttpMessage BadStatusLine LineTooLong InvalidHeader "
    "TransferEncodingError ContentEncodingError ContentLengthError PayloadEncodingError",
    "multipart": "MultipartReader MultipartWriter BodyPartReader MultipartResponseWrapper "
    "parse_content_disposition content_disposition_filename",
    "payload": "PAYLOAD_REGISTRY Payload BytesPayload StringPayload JsonPayload JsonBytesPayload Order "
    "get_payload register_payload StreamReaderPayload StreamWrapperPayload",
    "resolver": "AsyncResolver ThreadedResolver DefaultResolver",
    "streams": "StreamReader EofStream DataQueue FlowControlDataQueue EMPTY_PAYLOAD",
    "tracing": "TraceConfig TraceRequestStartParams",
    "typedefs": "StrOrURL LooseHeaders LooseCookies JSONEncoder JSONDecoder PathLike Query RawHeaders Byteish "
    "DEFAULT_JSON_ENCODER DEFAULT_JSON_DECODER",
}


# What they take from the package itself.
ROOT = """
AddrInfoType BaseConnector ClientConnectionError ClientConnectionResetError ClientConnectorCertificateError
ClientConnectorDNSError ClientConnectorError ClientConnectorSSLError ClientError ClientHttpProxyError ClientOSError
ClientPayloadError ClientProxyConnectionError ClientResponse ClientRequest ClientResponseError ClientSSLError
ClientSession ClientTimeout ConnectionTimeoutError ContentTypeError Fingerprint FingerprintMismatch
FlowControlDataQueue InvalidURL InvalidUrlClientError InvalidUrlRedirectClientError NonHttpUrlClientError
NonHttpUrlRedirectClientError RedirectClientError RequestInfo ServerConnectionError ServerDisconnectedError
ServerFingerprintMismatch ServerTimeoutError SocketFactoryType SocketTimeoutError TCPConnector TooManyRedirects
UnixConnector UploadAbortedError UploadTracker NamedPipeConnector request ClientMiddlewareType ClientHandlerType
CookieJar DummyCookieJar FormData BasicAuth ChainMapProxy DigestAuthMiddleware ETag encode_basic_auth
set_zlib_backend HttpVersion HttpVersion10 HttpVersion11 BadContentDispositionHeader BadContentDispositionParam
BodyPartReader MultipartReader MultipartWriter content_disposition_filename parse_content_disposition
AsyncIterablePayload BufferedReaderPayload BytesIOPayload BytesPayload IOBasePayload JsonPayload PAYLOAD_REGISTRY
Payload StringIOPayload StringPayload TextIOPayload get_payload payload_type streamer AsyncResolver DefaultResolver
ThreadedResolver DataQueue EMPTY_PAYLOAD EofStream StreamReader TraceConfig TraceRequestStartParams
TraceRequestEndParams TraceRequestExceptionParams TraceRequestRedirectParams TraceRequestChunkSentParams
TraceRequestHeadersSentParams TraceResponseChunkReceivedParams TraceConnectionQueuedStartParams
TraceConnectionQueuedEndParams TraceConnectionCreateStartParams TraceConnectionCreateEndParams
TraceConnectionReuseconnParams TraceDnsResolveHostStartParams TraceDnsResolveHostEndParams TraceDnsCacheHitParams
TraceDnsCacheMissParams hdrs __version__ ClientWSTimeout ClientWebSocketResponse WSCloseCode WSMessage
WSMessageTypeError WSMsgType WSServerHandshakeError WebSocketError
"""


def test_what_applications_take_from_the_package_is_there() -> None:
    assert set(ROOT.split()) <= set(wayfare.__all__)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_what_applications_import_is_there(name: str) -> None:
    module = import_module(f"wayfare.{name}")
    assert set(KNOWN[name].split()) <= set(module.__all__)
    for exported in module.__all__:
        value = getattr(module, exported)
        if exported in wayfare.__all__:
            assert getattr(wayfare, exported) is value


def test_every_error_of_the_root_is_among_the_exceptions() -> None:
    errors = {
        name
        for name in wayfare.__all__
        if isinstance(value := getattr(wayfare, name), type) and issubclass(value, Exception)
    }
    from wayfare import client_exceptions

    elsewhere = {"EofStream", "FingerprintMismatch"}
    assert errors - elsewhere - set(client_exceptions.__all__) == {
        name for name in errors if issubclass(getattr(wayfare, name), Warning)
    }


def test_hdrs_are_all_there() -> None:
    hdrs = import_module("wayfare.hdrs")
    names = {name for name in vars(wayfare_http_core.hdrs) if name.isupper()}
    assert len(names) > 100
    assert {name for name in vars(hdrs) if name.isupper()} == names
    assert hdrs.CONTENT_TYPE is wayfare_http_core.hdrs.CONTENT_TYPE


async def test_the_mark_of_what_was_not_given_can_be_handed_on(serve: Any) -> None:
    """Libraries that wrap a session have it as the default of their own argument."""
    from wayfare.helpers import sentinel
    from wayfare.http import SERVER_SOFTWARE

    limit = wayfare.ClientTimeout(total=7)
    async with (
        serve("HTTP/1.1 204 No Content", timeout=limit) as (session, server),
        session.get("/", timeout=sentinel) as response,
    ):
        assert response.status == 204
    assert server.peers[0].requests[0].get("user-agent") == SERVER_SOFTWARE
    async with wayfare.ClientSession(timeout=sentinel) as session:
        assert (session.timeout.total, session.timeout.sock_connect) == (300, 30)


def test_types_can_be_resolved() -> None:
    """Annotations with these names are looked at by libraries at run time."""
    from wayfare import typedefs

    def annotated(url: typedefs.StrOrURL, headers: typedefs.LooseHeaders) -> None:
        """What an application writes."""

    assert set(get_type_hints(annotated)) == {"url", "headers", "return"}


def test_none_is_imported_before_it_is_asked_for() -> None:
    program = (
        "import sys, wayfare; print(sorted(name for name in sys.modules "
        "if name.startswith('wayfare.') and not name.startswith('wayfare._')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
