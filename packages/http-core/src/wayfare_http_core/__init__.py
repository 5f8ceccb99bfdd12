"""The HTTP/1.1 toolkit of Wayfare: heads, framing, bodies and errors as values, with no I/O.

What needs an event loop is in `wayfare_http_core.aio`; importing this package imports no asyncio, socket or ssl.
"""

from . import hdrs
from ._basic_auth import BasicAuth, encode_basic_auth
from ._chunked import ChunkedDecoder, encode_chunk, encode_last_chunk
from ._codings import (
    ACCEPT_ENCODING,
    Decoder,
    UnsupportedCodings,
    make_decoder,
    parse_content_codings,
)
from ._connection import (
    DEFAULT_EXCHANGE_OPTIONS,
    Connection,
    ConnectionFacts,
    ConnectionOwner,
    Exchange,
    ExchangeOptions,
    RequestBody,
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
    HttpProcessingError,
    IncompleteBodyError,
    InvalidHeader,
    LineTooLong,
    PayloadEncodingError,
    RequestInfoLike,
    ResponseSummary,
    ServerConnectionError,
    ServerDisconnectedError,
    ServerTimeoutError,
    SocketTimeoutError,
    TransferEncodingError,
    UnsupportedVersionError,
    UploadAbortedError,
)
from ._fields import EMPTY_FIELDS, FieldBlock
from ._framing import BodyKind, Framing, connection_persists, content_length, response_framing
from ._head import RequestHead, ResponseHead
from ._http_version import HttpVersion, HttpVersion10, HttpVersion11
from ._limits import (
    DEFAULT_HEAD_LIMITS,
    MAX_CHUNK_EXTENSIONS,
    MAX_CHUNK_LINE,
    MAX_TRAILERS,
    HeadLimits,
)
from ._list_field import ListField
from ._media_type import MediaType, parse_media_type
from ._parameters import decode_ext_value, encode_ext_value, quote_string
from ._request_writer import EncodedRequest, encode_request_head
from ._response_parser import END_OF_MESSAGE, EndOfMessage, ResponseEvent, ResponseParser
from ._version import __version__

__all__ = (
    "ACCEPT_ENCODING",
    "DEFAULT_EXCHANGE_OPTIONS",
    "DEFAULT_HEAD_LIMITS",
    "EMPTY_FIELDS",
    "END_OF_MESSAGE",
    "MAX_CHUNK_EXTENSIONS",
    "MAX_CHUNK_LINE",
    "MAX_TRAILERS",
    "BadHttpMessage",
    "BadStatusLine",
    "BasicAuth",
    "BodyKind",
    "BodyTooLargeError",
    "ChunkedDecoder",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientError",
    "ClientOSError",
    "ClientPayloadError",
    "ClientResponseError",
    "Connection",
    "ConnectionFacts",
    "ConnectionOwner",
    "ContentEncodingError",
    "ContentLengthError",
    "Decoder",
    "EncodedRequest",
    "EndOfMessage",
    "Exchange",
    "ExchangeOptions",
    "FieldBlock",
    "Framing",
    "HeadLimits",
    "HttpProcessingError",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "IncompleteBodyError",
    "InvalidHeader",
    "LineTooLong",
    "ListField",
    "MediaType",
    "PayloadEncodingError",
    "RequestBody",
    "RequestHead",
    "RequestInfoLike",
    "ResponseEvent",
    "ResponseHead",
    "ResponseParser",
    "ResponseSummary",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerTimeoutError",
    "SocketTimeoutError",
    "TransferEncodingError",
    "UnsupportedCodings",
    "UnsupportedVersionError",
    "UploadAbortedError",
    "__version__",
    "connection_persists",
    "content_length",
    "decode_ext_value",
    "encode_basic_auth",
    "encode_chunk",
    "encode_ext_value",
    "encode_last_chunk",
    "encode_request_head",
    "hdrs",
    "make_decoder",
    "parse_content_codings",
    "parse_media_type",
    "quote_string",
    "response_framing",
)
