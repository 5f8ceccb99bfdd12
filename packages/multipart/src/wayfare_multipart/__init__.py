"""Multipart and form bodies, in and out."""

from ._errors import (
    BodyTruncatedError,
    BoundaryError,
    MultipartError,
    MultipartLimitError,
    PartEncodingError,
    PartHeadError,
    PayloadSizeError,
)
from ._file_payloads import (
    BufferedReaderPayload,
    BytesIOPayload,
    IOBasePayload,
    StringIOPayload,
    TextIOPayload,
)
from ._form_data import FormData
from ._limits import DEFAULT_MULTIPART_LIMITS, MultipartLimits
from ._memory_payloads import BytesPayload, JsonBytesPayload, JsonPayload, StringPayload
from ._multipart_writer import MultipartWriter
from ._parser import END_OF_PART, EndOfPart, MultipartEvent, MultipartParser, PartHead
from ._payload import AsyncOctets, BodyWriter, Octets, Payload
from ._registry import (
    PAYLOAD_REGISTRY,
    Order,
    PayloadRegistry,
    get_payload,
    payload_type,
    register_payload,
)
from ._segments import BlockingReader, Segment
from ._stream_payloads import AsyncIterablePayload, IterablePayload, StreamReaderPayload
from ._version import __version__

__all__ = (
    "DEFAULT_MULTIPART_LIMITS",
    "END_OF_PART",
    "PAYLOAD_REGISTRY",
    "AsyncIterablePayload",
    "AsyncOctets",
    "BlockingReader",
    "BodyTruncatedError",
    "BodyWriter",
    "BoundaryError",
    "BufferedReaderPayload",
    "BytesIOPayload",
    "BytesPayload",
    "EndOfPart",
    "FormData",
    "IOBasePayload",
    "IterablePayload",
    "JsonBytesPayload",
    "JsonPayload",
    "MultipartError",
    "MultipartEvent",
    "MultipartLimitError",
    "MultipartLimits",
    "MultipartParser",
    "MultipartWriter",
    "Octets",
    "Order",
    "PartEncodingError",
    "PartHead",
    "PartHeadError",
    "Payload",
    "PayloadRegistry",
    "PayloadSizeError",
    "Segment",
    "StreamReaderPayload",
    "StringIOPayload",
    "StringPayload",
    "TextIOPayload",
    "__version__",
    "get_payload",
    "payload_type",
    "register_payload",
)
