"""The HTTP/1.1 toolkit of Wayfare: heads, framing, bodies and errors as values, with no I/O.

What needs an event loop is in `wayfare_http_core.aio`; importing this package imports no asyncio, socket or ssl.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from . import hdrs
from ._connection import (
    DEFAULT_EXCHANGE_OPTIONS,
    Connection,
    ConnectionFacts,
    ConnectionOwner,
    Exchange,
    ExchangeOptions,
    FileBody,
    RequestBody,
    TrailerBody,
)
from ._errors import (
    BadHttpMessage,
    BadStatusLine,
    BodyTooLargeError,
    ClientConnectionError,
    ClientConnectionResetError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientResponseError,
    ContentEncodingError,
    ContentLengthError,
    FirstByteTimeoutError,
    HttpProcessingError,
    IncompleteBodyError,
    InvalidHeader,
    LineTooLong,
    PayloadEncodingError,
    ReadTimeoutError,
    RequestFailure,
    RequestInfoLike,
    ResponseSummary,
    ServerConnectionError,
    ServerDisconnectedError,
    ServerTimeoutError,
    SlowTransferError,
    SocketTimeoutError,
    TransferEncodingError,
    UnsupportedVersionError,
    UploadAbortedError,
    WriteTimeoutError,
)
from ._fields import EMPTY_FIELDS, FieldBlock
from ._head import RequestHead, ResponseHead
from ._http_version import HttpVersion, HttpVersion10, HttpVersion11
from ._limits import (
    DEFAULT_HEAD_LIMITS,
    MAX_CHUNK_EXTENSIONS,
    MAX_CHUNK_LINE,
    MAX_TRAILERS,
    HeadLimits,
)
from ._version import __version__

if TYPE_CHECKING:
    from ._basic_auth import BasicAuth, encode_basic_auth
    from ._challenges import Challenge, parse_challenges
    from ._chunked import ChunkedDecoder, encode_chunk, encode_last_chunk
    from ._codings import (
        ACCEPT_ENCODING,
        Decoder,
        UnsupportedCodings,
        make_decoder,
        parse_content_codings,
    )
    from ._connect_timings import ConnectTimings
    from ._content_disposition import (
        BadContentDispositionHeader,
        BadContentDispositionParam,
        ContentDisposition,
        content_disposition_filename,
        content_disposition_header,
        parse_content_disposition,
    )
    from ._content_range import ContentRange
    from ._encoders import Encoder, make_encoder
    from ._etag import ETag, parse_etags
    from ._field_section import parse_field_section
    from ._filename import safe_filename
    from ._framing import BodyKind, Framing, connection_persists, content_length, response_framing
    from ._http_date import format_http_date, parse_http_date
    from ._keep_alive import KeepAlive, parse_keep_alive
    from ._link import Link, parse_links
    from ._list_field import ListField
    from ._media_type import MediaType, parse_media_type
    from ._parameters import decode_ext_value, encode_ext_value, quote_string
    from ._request_writer import EncodedRequest, encode_request_head
    from ._response_parser import END_OF_MESSAGE, EndOfMessage, ResponseEvent, ResponseParser
    from ._retry_after import parse_retry_after
    from ._zlib_backend import ZlibBackend, set_zlib_backend
else:
    # What reads and writes single field values compiles many patterns, and codings bring zlib; most programs need few
    # of them, and none at import. These modules load when one of their names is asked for. Add new ones above and here.
    _LAZY = {
        "ContentRange": "_content_range",
        "ChunkedDecoder": "_chunked",
        "encode_chunk": "_chunked",
        "encode_last_chunk": "_chunked",
        "BodyKind": "_framing",
        "Framing": "_framing",
        "connection_persists": "_framing",
        "content_length": "_framing",
        "response_framing": "_framing",
        "EncodedRequest": "_request_writer",
        "encode_request_head": "_request_writer",
        "END_OF_MESSAGE": "_response_parser",
        "EndOfMessage": "_response_parser",
        "ResponseEvent": "_response_parser",
        "ResponseParser": "_response_parser",
        "ACCEPT_ENCODING": "_codings",
        "Decoder": "_codings",
        "UnsupportedCodings": "_codings",
        "make_decoder": "_codings",
        "parse_content_codings": "_codings",
        "Encoder": "_encoders",
        "make_encoder": "_encoders",
        "ZlibBackend": "_zlib_backend",
        "set_zlib_backend": "_zlib_backend",
        "BasicAuth": "_basic_auth",
        "encode_basic_auth": "_basic_auth",
        "ConnectTimings": "_connect_timings",
        "BadContentDispositionHeader": "_content_disposition",
        "BadContentDispositionParam": "_content_disposition",
        "ContentDisposition": "_content_disposition",
        "content_disposition_filename": "_content_disposition",
        "content_disposition_header": "_content_disposition",
        "parse_content_disposition": "_content_disposition",
        "parse_field_section": "_field_section",
        "safe_filename": "_filename",
        "ListField": "_list_field",
        "MediaType": "_media_type",
        "decode_ext_value": "_parameters",
        "encode_ext_value": "_parameters",
        "parse_media_type": "_media_type",
        "quote_string": "_parameters",
        "Challenge": "_challenges",
        "parse_challenges": "_challenges",
        "ETag": "_etag",
        "parse_etags": "_etag",
        "format_http_date": "_http_date",
        "parse_http_date": "_http_date",
        "KeepAlive": "_keep_alive",
        "parse_keep_alive": "_keep_alive",
        "Link": "_link",
        "parse_links": "_link",
        "parse_retry_after": "_retry_after",
    }

    def __getattr__(name):
        module = _LAZY.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f".{module}", __name__), name)
        return value


__all__ = (
    "ACCEPT_ENCODING",
    "DEFAULT_EXCHANGE_OPTIONS",
    "DEFAULT_HEAD_LIMITS",
    "EMPTY_FIELDS",
    "END_OF_MESSAGE",
    "MAX_CHUNK_EXTENSIONS",
    "MAX_CHUNK_LINE",
    "MAX_TRAILERS",
    "BadContentDispositionHeader",
    "BadContentDispositionParam",
    "BadHttpMessage",
    "BadStatusLine",
    "BasicAuth",
    "BodyKind",
    "BodyTooLargeError",
    "Challenge",
    "ChunkedDecoder",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientError",
    "ClientOSError",
    "ClientPayloadError",
    "ClientResponseError",
    "ConnectTimings",
    "Connection",
    "ConnectionFacts",
    "ConnectionOwner",
    "ContentDisposition",
    "ContentEncodingError",
    "ContentLengthError",
    "ContentRange",
    "Decoder",
    "ETag",
    "EncodedRequest",
    "Encoder",
    "EndOfMessage",
    "Exchange",
    "ExchangeOptions",
    "FieldBlock",
    "FileBody",
    "FirstByteTimeoutError",
    "Framing",
    "HeadLimits",
    "HttpProcessingError",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "IncompleteBodyError",
    "InvalidHeader",
    "KeepAlive",
    "LineTooLong",
    "Link",
    "ListField",
    "MediaType",
    "PayloadEncodingError",
    "ReadTimeoutError",
    "RequestBody",
    "RequestFailure",
    "RequestHead",
    "RequestInfoLike",
    "ResponseEvent",
    "ResponseHead",
    "ResponseParser",
    "ResponseSummary",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerTimeoutError",
    "SlowTransferError",
    "SocketTimeoutError",
    "TrailerBody",
    "TransferEncodingError",
    "UnsupportedCodings",
    "UnsupportedVersionError",
    "UploadAbortedError",
    "WriteTimeoutError",
    "ZlibBackend",
    "__version__",
    "connection_persists",
    "content_disposition_filename",
    "content_disposition_header",
    "content_length",
    "decode_ext_value",
    "encode_basic_auth",
    "encode_chunk",
    "encode_ext_value",
    "encode_last_chunk",
    "encode_request_head",
    "format_http_date",
    "hdrs",
    "make_decoder",
    "make_encoder",
    "parse_challenges",
    "parse_content_codings",
    "parse_content_disposition",
    "parse_etags",
    "parse_field_section",
    "parse_http_date",
    "parse_keep_alive",
    "parse_links",
    "parse_media_type",
    "parse_retry_after",
    "quote_string",
    "response_framing",
    "safe_filename",
    "set_zlib_backend",
)
