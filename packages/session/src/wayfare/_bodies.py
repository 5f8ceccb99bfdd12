"""What `data=` and `json=` become: octets, or a body that yields them, with the media type to announce."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, final

from wayfare_http_core import RequestBody

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from wayfare_http_core import ZlibBackend
    from wayfare_multipart import PayloadRegistry

__all__ = (
    "AsyncIterableBody",
    "EncodedBody",
    "EncodedBytes",
    "JSONEncoder",
    "UntypedBody",
    "body_from_data",
    "body_from_json",
    "encoded_body",
    "own_fields",
    "pieces_of",
    "uncoded_body",
)

JSONEncoder = Callable[[Any], str | bytes]
"""Makes JSON of a value, as `json.dumps` does; octets are sent as they are."""

_OCTET_STREAM = "application/octet-stream"
_NOT_OF_REQUESTS = frozenset(
    (
        "content-disposition",
        "content-length",
        "content-transfer-encoding",
        "content-type",
        "transfer-encoding",
    )
)
_PIECE = 64 * 1024
"""Octets that are encoded at a time: a few milliseconds of the loop's time."""


@final
class AsyncIterableBody(RequestBody):
    """A body from an async iterable of bytes: of unknown length, to be sent once."""

    __slots__ = ("_chunks", "_used")

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = chunks
        self._used = False

    @property
    @override
    def content_type(self) -> str:
        """Octets, as far as anybody can tell."""
        return _OCTET_STREAM

    @property
    @override
    def length(self) -> None:
        """Not known."""
        return None

    @property
    @override
    def replayable(self) -> bool:
        """Only as long as it was not begun: what was iterated over is gone."""
        return not self._used

    @override
    def chunks(self) -> AsyncIterable[bytes]:
        """The iterable."""
        self._used = True
        return self._chunks


@final
class UntypedBody(RequestBody):
    """Another body, whose media type is not to be announced."""

    __slots__ = ("bare",)

    def __init__(self, body: RequestBody) -> None:
        self.bare = body

    @property
    @override
    def content_type(self) -> None:
        """None."""
        return None

    @property
    @override
    def length(self) -> int | None:
        """The body's."""
        return self.bare.length

    @property
    @override
    def replayable(self) -> bool:
        """The body's."""
        return self.bare.replayable

    @override
    def chunks(self) -> Iterable[bytes] | AsyncIterable[bytes]:
        """The body's."""
        return self.bare.chunks()


@final
class EncodedBody(RequestBody):
    """Another body in a content coding: its length is not known before it is sent."""

    __slots__ = ("_backend", "_body", "_coding")

    def __init__(
        self, body: RequestBody | bytes, coding: str, backend: "ZlibBackend | None" = None
    ) -> None:
        self._body = body
        self._coding = coding
        self._backend = backend

    @property
    @override
    def content_type(self) -> str | None:
        """The body's: a coding changes nothing about it."""
        return None if isinstance(self._body, bytes) else self._body.content_type

    @property
    @override
    def length(self) -> None:
        """Not known."""
        return None

    @property
    @override
    def replayable(self) -> bool:
        """Whether the body itself is."""
        return isinstance(self._body, bytes) or self._body.replayable

    @override
    async def chunks(self) -> AsyncGenerator[bytes]:
        """The coded octets. The loop has its turn after each piece that was encoded."""
        from wayfare_http_core import make_encoder

        encoder = make_encoder(self._coding, zlib_backend=self._backend)
        async with aclosing(pieces_of(self._body)) as pieces:
            async for piece in pieces:
                coded = encoder.encode(piece)
                if coded:
                    yield coded
                await asyncio.sleep(0)
        yield encoder.flush()


async def pieces_of(body: RequestBody | bytes) -> AsyncGenerator[bytes]:
    """The body in pieces that take little time each. What its generator has open is closed with this one."""
    chunks = (body,) if isinstance(body, bytes) else body.chunks()
    if isinstance(chunks, AsyncIterable):
        try:
            async for chunk in chunks:
                for start in range(0, len(chunk), _PIECE):
                    yield chunk[start : start + _PIECE]
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()
    else:
        for chunk in chunks:
            for start in range(0, len(chunk), _PIECE):
                yield chunk[start : start + _PIECE]


def body_from_data(
    data: object, registry: "PayloadRegistry | None" = None
) -> tuple[RequestBody | bytes, str | None]:
    """A body and its media type from what a caller gave as `data=`.

    `registry` knows what is neither octets nor a body; None for the usual one.

    Raises: TypeError, naming the type, for what cannot be sent; ValueError for a form that cannot be.
    """
    if isinstance(data, bytes):
        return data, _OCTET_STREAM
    if isinstance(data, str):
        return data.encode("utf-8"), "text/plain; charset=utf-8"
    if isinstance(data, bytearray | memoryview):
        # A copy: the caller may change his while ours is being sent.
        return bytes(data), _OCTET_STREAM
    multipart = sys.modules.get("wayfare_multipart")
    if multipart is not None and isinstance(data, multipart.Payload):
        # It is a body already, but one that may read files in the middle of the loop.
        from ._payload_bodies import body_from_payload

        return body_from_payload(data)
    if isinstance(data, RequestBody):
        return data, data.content_type
    if multipart is not None and isinstance(data, AsyncIterable):
        from ._payload_bodies import body_from_registered

        registered = body_from_registered(data, registry)
        if registered is not None:
            return registered
    # Imported here: few requests send a stream on.
    from wayfare_http_core.aio import StreamBody, StreamReader

    if isinstance(data, StreamReader | asyncio.StreamReader):
        # Iterating over either gives lines.
        return StreamBody(data), _OCTET_STREAM
    if isinstance(data, AsyncIterable):
        return AsyncIterableBody(data), _OCTET_STREAM
    # Imported here: most requests have no form.
    from ._payload_bodies import body_from_value

    return body_from_value(data, registry)


def own_fields(data: object) -> Iterable[tuple[str, str]]:
    """The fields that a payload brings along, but for its type: what it is coded in, for example.

    Not those that matter to a part of a form alone, nor those that frame a message.
    """
    multipart = sys.modules.get("wayfare_multipart")
    if multipart is None or not isinstance(data, multipart.Payload):
        return ()
    return [pair for pair in data.headers.items() if pair[0].lower() not in _NOT_OF_REQUESTS]


def body_from_json(value: object, encode: JSONEncoder) -> tuple[bytes, str]:
    """A JSON body and its media type, from an encoder that gives text or octets."""
    encoded = encode(value)
    octets = encoded.encode("utf-8") if isinstance(encoded, str) else bytes(encoded)
    return octets, "application/json"


@final
class EncodedBytes(bytes):
    """Octets in a content coding that was applied here; `plain` are those without it."""

    # No slots: what has a variable size cannot have any.
    plain: bytes


def encoded_body(
    body: RequestBody | bytes, coding: str, backend: "ZlibBackend | None" = None
) -> RequestBody | bytes:
    """A body in a content coding. Little is encoded at once, so that its length is known.

    `backend` is what gzip and deflate are made with; None for what the process uses.

    Raises: ValueError for a coding that is not known, ModuleNotFoundError for one whose library is not installed.
    """
    from wayfare_http_core import make_encoder

    encoder = make_encoder(coding, zlib_backend=backend)
    if isinstance(body, bytes) and len(body) <= _PIECE:
        encoded = EncodedBytes(encoder.encode(body) + encoder.flush())
        encoded.plain = body
        return encoded
    return EncodedBody(body, coding, backend)


def uncoded_body(body: RequestBody | bytes | None) -> RequestBody | bytes | None:
    """A body without the content coding that was applied here, if one was."""
    if isinstance(body, EncodedBytes):
        return body.plain
    return body._body if isinstance(body, EncodedBody) else body
