"""Multipart and form bodies, in and out."""

from ._body_part_reader import BodyPartReader
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
from ._multipart_reader import MultipartReader, MultipartResponseWrapper, Part, ResponseLike
from ._multipart_writer import MultipartWriter
from ._octet_source import OctetSource
from ._parser import END_OF_PART, EndOfPart, MultipartEvent, MultipartParser
from ._part_context import PartContext
from ._part_events import PartEvents
from ._part_head import PartHead
from ._part_payload import BodyPartReaderPayload
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
from ._streamer import StreamerCall, StreamWrapperPayload, streamer
from ._sync_reader import BinaryFile, SyncBodyPartReader, SyncMultipartReader, SyncPart
from ._version import __version__

__all__ = (
    "DEFAULT_MULTIPART_LIMITS",
    "END_OF_PART",
    "PAYLOAD_REGISTRY",
    "AsyncIterablePayload",
    "AsyncOctets",
    "BinaryFile",
    "BlockingReader",
    "BodyPartReader",
    "BodyPartReaderPayload",
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
    "MultipartReader",
    "MultipartResponseWrapper",
    "MultipartWriter",
    "OctetSource",
    "Octets",
    "Order",
    "Part",
    "PartContext",
    "PartEncodingError",
    "PartEvents",
    "PartHead",
    "PartHeadError",
    "Payload",
    "PayloadRegistry",
    "PayloadSizeError",
    "ResponseLike",
    "Segment",
    "StreamReaderPayload",
    "StreamWrapperPayload",
    "StreamerCall",
    "StringIOPayload",
    "StringPayload",
    "SyncBodyPartReader",
    "SyncMultipartReader",
    "SyncPart",
    "TextIOPayload",
    "__version__",
    "get_payload",
    "payload_type",
    "register_payload",
    "streamer",
)
