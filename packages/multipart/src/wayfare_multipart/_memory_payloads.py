"""Payloads of values in memory: octets, text, JSON."""

import sys
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, final

from ._payload import ABSENT, Absent, Payload, charset_of
from ._segments import Segment

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("BytesPayload", "JsonBytesPayload", "JsonPayload", "StringPayload")


class BytesPayload(Payload):
    """Octets. A bytearray or memoryview is copied: its owner may change it while it is being sent."""

    default_content_type: ClassVar[str] = "application/octet-stream"

    def __init__(self, value: bytes | bytearray | memoryview, *args: Any, **kwargs: Any) -> None:
        if type(value) is not bytes:
            if not isinstance(value, bytes | bytearray | memoryview):
                raise TypeError(
                    f"value must be bytes, bytearray or memoryview, not {type(value).__name__}"
                )
            value = bytes(value)
        super().__init__(value, *args, **kwargs)

    @property
    @override
    def size(self) -> int:
        return len(self._value)

    @property
    @override
    def replayable(self) -> bool:
        return True

    @property
    @override
    def in_memory(self) -> bytes:
        octets: bytes = self._value
        return octets

    @override
    def segments(self) -> Iterator[Segment]:
        yield self._value


class StringPayload(BytesPayload):
    """Text, in the encoding that is given, or that its media type names, or UTF-8."""

    def __init__(
        self,
        value: str,
        *args: Any,
        encoding: str | None = None,
        content_type: str | Absent | None = ABSENT,
        **kwargs: Any,
    ) -> None:
        if isinstance(content_type, Absent) or content_type is None:
            encoding = encoding or "utf-8"
            content_type = f"text/plain; charset={encoding}"
        else:
            encoding = encoding or charset_of(content_type) or "utf-8"
        octets = value.encode(encoding)
        super().__init__(octets, *args, encoding=encoding, content_type=content_type, **kwargs)


@final
class JsonPayload(StringPayload):
    """A value as JSON text, written by `dumps` (`json.dumps` unless given)."""

    def __init__(
        self,
        value: Any,
        encoding: str = "utf-8",
        content_type: str = "application/json",
        dumps: Callable[[Any], str] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        text = _dumps(value) if dumps is None else dumps(value)
        super().__init__(text, *args, encoding=encoding, content_type=content_type, **kwargs)


@final
class JsonBytesPayload(BytesPayload):
    """A value as JSON octets, written by a `dumps` that gives octets."""

    def __init__(
        self,
        value: Any,
        dumps: Callable[[Any], bytes],
        content_type: str = "application/json",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(dumps(value), *args, content_type=content_type, **kwargs)


def _dumps(value: Any) -> str:
    # Imported here: who sends no JSON needs none.
    import json

    return json.dumps(value)
