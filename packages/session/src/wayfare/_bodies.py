"""What `data=` and `json=` become: octets, or a body that yields them, with the media type to announce."""

import sys
from collections.abc import AsyncIterable, Callable
from typing import Any, final

from wayfare_http_core import RequestBody

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("AsyncIterableBody", "JSONEncoder", "body_from_data", "body_from_json")

JSONEncoder = Callable[[Any], str]

_OCTET_STREAM = "application/octet-stream"


@final
class AsyncIterableBody(RequestBody):
    """A body from an async iterable of bytes: of unknown length, to be sent once."""

    __slots__ = ("_chunks",)

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = chunks

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
        """Never: what was iterated over is gone."""
        return False

    @override
    def chunks(self) -> AsyncIterable[bytes]:
        """The iterable."""
        return self._chunks


def body_from_data(data: object) -> tuple[RequestBody | bytes, str | None]:
    """A body and its media type from what a caller gave as `data=`.

    Raises: TypeError, naming the type, for what cannot be sent.
    """
    if isinstance(data, bytes):
        return data, _OCTET_STREAM
    if isinstance(data, str):
        return data.encode("utf-8"), "text/plain; charset=utf-8"
    if isinstance(data, bytearray | memoryview):
        # A copy: the caller may change his while ours is being sent.
        return bytes(data), _OCTET_STREAM
    if isinstance(data, RequestBody):
        return data, data.content_type
    if isinstance(data, AsyncIterable):
        return AsyncIterableBody(data), _OCTET_STREAM
    raise TypeError(
        f"data must be bytes, str, an async iterable of bytes or a RequestBody, not {type(data).__name__}"
    )


def body_from_json(value: object, encode: JSONEncoder) -> tuple[bytes, str]:
    """A JSON body and its media type."""
    return encode(value).encode("utf-8"), "application/json"
