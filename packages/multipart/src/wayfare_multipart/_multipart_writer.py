"""`MultipartWriter`: parts, one behind the other, as one body (RFC 2046 section 5.1)."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, cast, final

from multidict import CIMultiDict, getversion, istr
from wayfare_http_core import FieldBlock, hdrs

from ._boundary import check_boundary
from ._errors import MultipartError
from ._form_encoding import urlencoded
from ._made_boundary import boundary_parameter, is_token, make_boundary
from ._memory_payloads import BytesPayload, JsonPayload
from ._part_codings import base64_size, content_encoder, transfer_encoder
from ._payload import BodyWriter, Payload
from ._registry import PAYLOAD_REGISTRY, PayloadRegistry
from ._segments import SMALL, Segment, aiter_pieces, encoded

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MultipartWriter",)

_USUAL: Final = frozenset(("Content-Disposition", "Content-Type"))
"""Names that need no look at them: they are what nearly every part has."""

_version = cast("Callable[[CIMultiDict[str]], int]", getversion)
"""A number that is another one as soon as the fields are changed."""

_Headers = Mapping[str, str] | Mapping[istr, str] | Iterable[tuple[str, str]] | None


class _Part(NamedTuple):
    """A part, and what is done to its octets. Empty names stand for codings that change nothing."""

    payload: Payload
    content_coding: str
    transfer_coding: str
    head: bytes
    """The delimiter, the part's fields, and the empty line behind them."""
    version: int
    """That of the payload's fields, as they are in `head`."""

    @property
    def size(self) -> int | None:
        size = self.payload.size
        if size is None or self.content_coding:
            return None
        if not self.transfer_coding:
            return size
        return base64_size(size) if self.transfer_coding == "base64" else None

    def segments(self) -> Iterator[Segment]:
        payload = self.payload
        octets = payload.in_memory
        if octets is not None and len(octets) < SMALL and not self[1] and not self[2]:
            # Most parts are small, and joining them here is quicker than further on.
            yield b"%b%b\r\n" % (self.head, octets)
            return
        yield self.head
        yield from self._coded(payload.segments())
        yield b"\r\n"

    def _coded(self, segments: Iterator[Segment]) -> Iterator[Segment]:
        if self.content_coding:
            coder = content_encoder(self.content_coding)
            segments = segments if coder is None else encoded(segments, coder)
        if self.transfer_coding:
            coder = transfer_encoder(self.transfer_coding)
            segments = segments if coder is None else encoded(segments, coder)
        return segments


@final
class MultipartWriter(Payload):
    """A body of parts. Append what you have, then send it: as `data=`, or by its octets.

    subtype: "mixed", "form-data", "related", …
    boundary: what stands between the parts; made at random unless given.
    registry: what decides which payload a value becomes.

    Its length is exact when every part's is known; otherwise it is sent in chunks. It can be sent again when each of
    its parts can. `with` is for the looks of it.

    Raises: `MultipartError` for a subtype or a boundary that is none.
    """

    def __init__(
        self,
        subtype: str = "mixed",
        boundary: str | None = None,
        *,
        registry: PayloadRegistry = PAYLOAD_REGISTRY,
    ) -> None:
        if not is_token(subtype):
            raise MultipartError(f"{subtype!r} is no subtype of multipart")
        if boundary is None:
            boundary = make_boundary()
        else:
            check_boundary(boundary)
        self._boundary = boundary
        super().__init__(
            None,
            content_type=f"multipart/{subtype}; boundary={boundary_parameter(self._boundary)}",
        )
        self._is_form_data = subtype.lower() == "form-data"
        self._registry = registry
        self._parts: list[_Part] = []
        self._delimiter = f"--{self._boundary}\r\n".encode("ascii")
        self._end = f"--{self._boundary}--\r\n".encode("ascii")

    # -- its parts ------------------------------------------------------------------------------------------------

    @property
    def boundary(self) -> str:
        """What stands between the parts."""
        return self._boundary

    def append(self, obj: Any, headers: _Headers = None) -> Payload:
        """Append what the registry makes of a value, with these fields in its head; returns the part's payload.

        Raises: TypeError for a value that cannot be sent, else as `append_payload`.
        """
        if isinstance(obj, Payload):
            obj.headers.update(headers or ())
            return self.append_payload(obj)
        try:
            payload = self._registry.get(obj, headers=CIMultiDict(headers or ()))
        except LookupError as error:
            raise TypeError(f"cannot make a part of a {type(obj).__name__}") from error
        return self.append_payload(payload)

    def append_payload(self, payload: Payload) -> Payload:
        """Append a payload; returns it. Its fields may still be changed until the body is measured or sent.

        Content-Encoding and Content-Transfer-Encoding among its fields are applied to its octets. A form has neither,
        and a name for each part (RFC 7578 section 4.8).

        Raises: `MultipartError` for an encoding that is not known or has no place in a form, and for a boundary that a
        part inside has too; ValueError for a field that cannot be sent. For what was changed afterwards, sending does.
        """
        if type(payload) is MultipartWriter and self._boundary in payload.boundaries():
            raise MultipartError("a part has the same boundary: its end would be the end of both")
        if self._is_form_data and hdrs.CONTENT_DISPOSITION not in payload.headers:
            payload.set_content_disposition("form-data", name=f"section-{len(self._parts)}")
        self._parts.append(self._part_of(payload))
        return payload

    def _part_of(self, payload: Payload) -> _Part:
        """The part as the payload's fields have it now."""
        headers = payload.headers
        usual = _usual_head(headers)
        if usual is not None:
            return _Part(payload, "", "", self._delimiter + usual, _version(headers))
        content = headers.get(hdrs.CONTENT_ENCODING, "")
        transfer = headers.get(hdrs.CONTENT_TRANSFER_ENCODING, "")
        if content or transfer:
            if self._is_form_data:
                raise MultipartError("the parts of a form have no encodings (RFC 7578 section 4.7)")
            content, transfer = content.strip().lower(), transfer.strip().lower()
        # Asked for now, so that a mistake is found where it is made.
        if content and content_encoder(content) is None:
            content = ""
        if transfer and transfer_encoder(transfer) is None:
            transfer = ""
        head = self._delimiter + _checked_head(headers)
        return _Part(payload, content, transfer, head, _version(headers))

    def _current_parts(self) -> list[_Part]:
        """The parts, those anew whose fields changed since they were appended."""
        parts = self._parts
        for index, part in enumerate(parts):
            if _version(part.payload.headers) != part.version:
                parts[index] = self._part_of(part.payload)
        return parts

    def append_json(self, obj: Any, headers: _Headers = None) -> Payload:
        """Append a value as JSON.

        Raises: as `append_payload`, and what `json.dumps` does.
        """
        return self.append_payload(JsonPayload(obj, headers=CIMultiDict(headers or ())))

    def append_form(
        self, obj: Sequence[tuple[str, Any]] | Mapping[str, Any], headers: _Headers = None
    ) -> Payload:
        """Append a form in its urlencoded shape.

        Raises: as `append_payload`.
        """
        pairs = obj.items() if isinstance(obj, Mapping) else obj
        return self.append_payload(
            BytesPayload(
                urlencoded(pairs),
                content_type="application/x-www-form-urlencoded",
                headers=CIMultiDict(headers or ()),
            )
        )

    def boundaries(self) -> frozenset[str]:
        """Its own boundary and those of the parts inside."""
        inside = [part.payload for part in self._parts]
        found = [one.boundaries() for one in inside if isinstance(one, MultipartWriter)]
        return frozenset((self._boundary,)).union(*found)

    def __len__(self) -> int:
        return len(self._parts)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[tuple[Payload, str, str]]:
        """Each part: its payload, its content encoding, its transfer encoding."""
        return iter([part[:3] for part in self._current_parts()])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing to do."""

    # -- its octets -----------------------------------------------------------------------------------------------

    @property
    @override
    def size(self) -> int | None:
        total = len(self._end)
        for part in self._current_parts():
            size = part.size
            if size is None:
                return None
            total += len(part.head) + size + 2
        return total

    @property
    @override
    def replayable(self) -> bool:
        return all(part.payload.replayable for part in self._parts)

    @property
    @override
    def is_async(self) -> bool:
        return any(part.payload.is_async for part in self._parts)

    @property
    @override
    def consumed(self) -> bool:
        return any(part.payload.consumed for part in self._parts)

    @property
    @override
    def autoclose(self) -> bool:
        return all(part.payload.autoclose for part in self._parts)

    @override
    def segments(self, close_boundary: bool = True) -> Iterator[Segment]:
        """See `Payload.segments`; without `close_boundary` the end is left open for more."""
        for part in self._current_parts():
            yield from part.segments()
        if close_boundary:
            yield self._end

    @override
    async def write(self, writer: BodyWriter, close_boundary: bool = True) -> None:
        """See `Payload.write`; without `close_boundary` the end is left open for more.

        Raises, Cancellation: as `Payload.write`.
        """
        async for piece in aiter_pieces(self.segments(close_boundary)):
            await writer.write(piece)

    @override
    async def close(self) -> None:
        """Let go of every part.

        Cancellation: safe; call it again for the rest.
        """
        for part in self._parts:
            await part.payload.close()


def _usual_head(headers: CIMultiDict[str]) -> bytes | None:
    """The fields and an empty line, if they are as most parts have them; None where they need a closer look."""
    text = ""
    for name, value in headers.items():
        if name not in _USUAL or not (value.isascii() and value.isprintable()):
            return None
        line = f"{name}: {value}\r\n"
        # Some servers look at the first field only, and browsers put this one there.
        text = line + text if name == "Content-Disposition" else text + line
    return f"{text}\r\n".encode("ascii")


def _checked_head(headers: CIMultiDict[str]) -> bytes:
    """The same for other fields, checked so that none can begin another one (M2)."""
    fields = sorted(headers.items(), key=lambda field: field[0].lower() != "content-disposition")
    return FieldBlock(fields).encoded + b"\r\n"
