"""`Payload`: a value with what is needed to send it: its media type, its size, its octets."""

import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final, Protocol, cast, final

from multidict import CIMultiDict, istr
from wayfare_http_core import content_disposition_header, hdrs, parse_media_type

from ._segments import Segment, aiter_pieces, iter_pieces

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ABSENT", "Absent", "AsyncOctets", "BodyWriter", "Octets", "Payload", "guessed_type")


class BodyWriter(Protocol):
    """Takes the octets of a body one after the other: what `Payload.write` writes to."""

    async def write(self, chunk: bytes) -> object:
        """Take the next octets; return when there is room for more."""


@final
class Absent:
    """An argument that was not given, where None means something else."""

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        return "<not given>"


ABSENT: Final = Absent()


@final
class Octets:
    """The octets of a payload, for clients that iterate: `requests.post(url, data=form.octets())`.

    `len` is the exact number where it is known; otherwise there is no length, and clients send chunks.
    """

    __slots__ = ("_payload",)

    def __init__(self, payload: "Payload") -> None:
        self._payload = payload

    def __iter__(self) -> Iterator[bytes]:
        return self._payload.iter_bytes()

    @property
    def len(self) -> int:
        """The number of octets.

        Raises: AttributeError where it is not known: to whoever looks for it, it is not there.
        """
        size = self._payload.size
        if size is None:
            raise AttributeError("the number of octets is not known")
        return size


@final
class AsyncOctets:
    """The octets of a payload, for clients that iterate in a coroutine: `httpx.AsyncClient`."""

    __slots__ = ("_payload",)

    def __init__(self, payload: "Payload") -> None:
        self._payload = payload

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._payload.aiter_bytes()


class Payload(ABC):
    """A value on its way into a body: `headers` say what it is, `segments` are its octets.

    A payload is a `RequestBody` (by its shape: a protocol among the bases would make it slow to recognise), a part of a
    `MultipartWriter`, and by itself a body for any client. Subclasses write `segments`, `size` and `replayable`.

    content_type: the media type; guessed from the file name, or the class's own, unless given. "" says none.
    filename: what the receiver may call it.
    encoding: that of text.
    """

    default_content_type: ClassVar[str] = "application/octet-stream"

    def __init__(
        self,
        value: Any,
        headers: Mapping[str, str] | Mapping[istr, str] | Iterable[tuple[str, str]] | None = None,
        content_type: str | Absent | None = ABSENT,
        filename: str | None = None,
        encoding: str | None = None,
    ) -> None:
        self._value = value
        self._filename = filename or None
        self._encoding = encoding
        self._consumed = False
        self._headers: CIMultiDict[str] = CIMultiDict()
        if content_type is None or content_type is ABSENT:
            kind = guessed_type(filename) if filename else None
            content_type = kind or self.default_content_type
        if content_type:
            self._headers[hdrs.CONTENT_TYPE] = cast("str", content_type)
        if headers:
            self._headers.update(headers)

    # -- what it is -----------------------------------------------------------------------------------------------

    @property
    def headers(self) -> CIMultiDict[str]:
        """The fields that describe it; a part's head is made of them."""
        return self._headers

    @property
    def content_type(self) -> str:
        """The media type; "" where none is said."""
        return self._headers.get(hdrs.CONTENT_TYPE, "")

    @property
    def filename(self) -> str | None:
        """What the receiver may call it."""
        return self._filename

    @property
    def encoding(self) -> str | None:
        """The encoding of text, or None."""
        return self._encoding

    @property
    @abstractmethod
    def size(self) -> int | None:
        """The exact number of octets, or None where it is not known. Asked anew each time: a file may grow."""

    @property
    @abstractmethod
    def replayable(self) -> bool:
        """Whether the octets can be taken again, the same as before."""

    @property
    def length(self) -> int | None:
        """The same as `size`, as a request's body has it."""
        return self.size

    @property
    def consumed(self) -> bool:
        """Whether the octets were taken, and cannot be taken again."""
        return self._consumed

    @property
    def autoclose(self) -> bool:
        """Whether nothing has to be closed when it was sent."""
        return True

    def set_content_disposition(
        self,
        disptype: str,
        quote_fields: bool = True,
        _charset: str = "utf-8",
        **params: str,
    ) -> None:
        """Say how the receiver may present it; see `wayfare_http_core.content_disposition_header`.

        Raises: ValueError for what a field cannot say.
        """
        if disptype == "form-data" and quote_fields and len(params) == 1 and "name" in params:
            name = params["name"]
            # Most names need nothing done to them.
            if name.isascii() and name.isprintable() and '"' not in name:
                self._headers[hdrs.CONTENT_DISPOSITION] = f'form-data; name="{name}"'
                return
        self._headers[hdrs.CONTENT_DISPOSITION] = content_disposition_header(
            disptype, quote_fields, _charset, **params
        )

    # -- its octets -----------------------------------------------------------------------------------------------

    @property
    def in_memory(self) -> bytes | None:
        """All octets, where they are there already; None where they have to be read."""
        return None

    @abstractmethod
    def segments(self) -> Iterator[Segment]:
        """One pass over the content, from its beginning.

        Raises: ValueError, while iterating, where the content is gone (`consumed`); `PayloadSizeError` where it is not
        as long as `size` was at the beginning of the pass.
        """

    def chunks(self) -> Iterable[bytes] | AsyncIterable[bytes]:
        """One pass over the octets: an iterable, or an async one where that is what the value is."""
        return self.aiter_bytes() if self.is_async else self.iter_bytes()

    @property
    def is_async(self) -> bool:
        """Whether only a coroutine can take the octets."""
        return False

    def iter_bytes(self) -> Iterator[bytes]:
        """One pass over the octets, in pieces.

        Raises: TypeError where the value is asynchronous, else as `segments`.
        """
        return iter_pieces(self.segments())

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """One pass over the octets, in a coroutine; files are read in its place, not in a thread.

        Raises: as `segments`.
        Cancellation: safe; the pass is over, and a replayable payload can be asked for another.
        """
        return aiter_pieces(self.segments())

    def octets(self) -> Octets:
        """The octets as an object to iterate over, with a length if it is known: for requests, httpx and urllib3."""
        return Octets(self)

    def async_octets(self) -> AsyncOctets:
        """The octets as an object to iterate over in a coroutine: for httpx.AsyncClient."""
        return AsyncOctets(self)

    async def write(self, writer: BodyWriter) -> None:
        """Write the octets to something that takes them.

        Raises: as `segments`, and what the writer raises.
        Cancellation: some, all or none of the octets were written.
        """
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: BodyWriter, content_length: int | None) -> None:
        """The same, for the first `content_length` octets; None for all.

        Raises, Cancellation: as `write`.
        """
        left = content_length
        async for piece in self.aiter_bytes():
            if left is None:
                await writer.write(piece)
                continue
            if left > 0:
                await writer.write(piece[:left])
            left -= len(piece)
            if left <= 0:
                return

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """All octets; `encoding` and `errors` are for those who know the argument, and mean nothing.

        Raises, Cancellation: as `aiter_bytes`.
        """
        return b"".join([piece async for piece in self.aiter_bytes()])

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """All octets as text.

        Raises: UnicodeDecodeError, TypeError where the value is asynchronous, else as `segments`.
        """
        return b"".join(self.iter_bytes()).decode(encoding, errors)

    async def close(self) -> None:  # noqa: B027  # most payloads hold nothing
        """Let go of the value; a file is closed.

        Cancellation: safe.
        """

    @override
    def __repr__(self) -> str:
        kind = self.content_type or "without a type"
        return f"<{type(self).__name__} {kind}, {self.size} octets>"


def charset_of(content_type: str) -> str | None:
    """The charset that a media type names, or None."""
    parsed = parse_media_type(content_type)
    return None if parsed is None else parsed.parameters.get("charset")


def guessed_type(filename: str | None) -> str | None:
    """The media type that a file name suggests, or None."""
    if not filename:
        return None
    # Imported here: it reads the system's tables, which takes some milliseconds.
    from mimetypes import guess_type

    kind, coding = guess_type(filename)
    # "a.tar.gz" is a gzip file, not a tar file: the coding is not said elsewhere.
    return _OF_CODING.get(coding) if coding else kind


_OF_CODING: Final = {
    "br": "application/octet-stream",
    "bzip2": "application/x-bzip2",
    "compress": "application/x-compress",
    "gzip": "application/gzip",
    "xz": "application/x-xz",
}
