"""`MultipartReader`: the parts of a multipart body, read as they arrive, over any asynchronous source."""

import sys
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any, ClassVar, Protocol, TypeAlias

from ._body_part_reader import BodyPartReader
from ._boundary import multipart_type
from ._errors import MultipartLimitError, PartEncodingError
from ._limits import DEFAULT_MULTIPART_LIMITS, MultipartLimits
from ._octet_source import OctetSource, reading_from
from ._parser import MultipartParser
from ._part_context import PartContext
from ._part_events import PartEvents
from ._part_head import PartHead

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MultipartReader", "MultipartResponseWrapper", "Part", "ResponseLike")

_CHARSET_NAME = 31
"""Octets of the charset that a form names for its fields: the longest registered ones have fewer."""

Part: TypeAlias = "BodyPartReader | MultipartReader"
"""What a `MultipartReader` gives: a part, or a reader of the parts within one."""


class ResponseLike(Protocol):
    """A response whose content is a multipart body."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its fields."""

    @property
    def content(self) -> OctetSource:
        """Its content."""

    def release(self) -> Any:
        """Be done with it; awaited where that is needed."""


class MultipartReader(AsyncIterator["Part"]):
    """Iterates over the parts of a body: `BodyPartReader`, and `MultipartReader` for a part that is a body of parts.

    `headers` are the fields of the message or the part, of which Content-Type counts, and `content` gives its octets: a
    stream with `readany` or `read`, or any asynchronous iterable of bytes. A part that is not read to its end is passed
    over when the next one is asked for. Only one task at a time may read.

    `limits` bounds parts, heads and nesting; `max_field_size` and `max_headers` are its `head` and `fields` under other
    names. `client_max_size` bounds what `BodyPartReader.read` and its like collect, and decode, of one part, with
    `max_size_error_cls(client_max_size)` for more.

    Raises: `BoundaryError` for a Content-Type that is no multipart type with a boundary.
    """

    response_wrapper_cls: ClassVar["type[MultipartResponseWrapper]"]
    multipart_reader_cls: "ClassVar[type[MultipartReader] | None]" = None
    """The class of readers for bodies within this one; this one's unless set."""
    part_reader_cls: ClassVar[type[BodyPartReader]] = BodyPartReader

    def __init__(
        self,
        headers: Mapping[str, str],
        content: OctetSource,
        *,
        client_max_size: int = sys.maxsize,
        max_field_size: int | None = None,
        max_headers: int | None = None,
        max_size_error_cls: type[Exception] = ValueError,
        limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS,
    ) -> None:
        if max_field_size is not None:
            limits = limits._replace(head=max_field_size)
        if max_headers is not None:
            limits = limits._replace(fields=max_headers)
        media_type, boundary = multipart_type(headers.get("Content-Type", ""))
        self.headers = headers
        self.media_type = media_type
        self._limits = limits
        self._context = PartContext(
            form_data=media_type.subtype == "form-data",
            max_size=client_max_size,
            max_size_error=max_size_error_cls,
        )
        self._events = PartEvents(
            MultipartParser(boundary.decode("ascii"), limits), reading_from(content)
        )
        self._depth = 1
        self._first = True
        self._last: BodyPartReader | None = None
        self._ended = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.media_type.essence}>"

    @classmethod
    def from_response(cls, response: ResponseLike) -> "MultipartResponseWrapper":
        """A reader of a response's content that releases the response behind the last part."""
        return cls.response_wrapper_cls(response, cls(response.headers, response.content))

    def at_eof(self) -> bool:
        """Whether the last part was passed."""
        return self._ended

    async def next(self) -> "Part | None":
        """The next part, None behind the last one.

        Raises: `MultipartError` for a body that breaks a rule or a limit, what reading it raises, RuntimeError while
        another task reads.
        Cancellation: safe, call it again.
        """
        part = await self.fetch_next_part()
        if self._first:
            self._first = False
            if (
                isinstance(part, BodyPartReader)
                and self._context.form_data
                and part.name == "_charset_"
            ):
                # The charset of all fields that name none (RFC 7578 section 4.6).
                self._context = self._context._replace(charset=await _charset_of(part))
                part = await self.fetch_next_part()
        return part

    @override
    async def __anext__(self) -> "Part":
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    async def fetch_next_part(self) -> "Part | None":
        """The same as `next`, but a form's `_charset_` is a part like others."""
        head = self._events.take_head()
        if head is None:
            # The part before was not read to its end, or the next one has not arrived.
            if self._last is not None:
                await self._last.release()
                self._last = None
            event = await self._events.next()
            if not isinstance(event, PartHead):
                self._ended = True
                return None
            head = event
        return self._reader_of(head)

    async def release(self) -> None:
        """Pass over all parts that were not read. Nothing is decoded. Cancellation: may be called again."""
        while await self.fetch_next_part() is not None:
            pass

    def _reader_of(self, head: PartHead) -> "Part":
        part = self._last = self.part_reader_cls(head, self._events, self._context)
        if not head.has_parts:
            return part
        limit = self._limits.depth
        if limit is not None and self._depth >= limit:
            raise MultipartLimitError("multipart bodies within each other", limit)
        reader = (self.multipart_reader_cls or type(self))(
            head.fields,
            part,
            client_max_size=self._context.max_size,
            max_size_error_cls=self._context.max_size_error,
            limits=self._limits,
        )
        reader._depth = self._depth + 1
        return reader


class MultipartResponseWrapper(AsyncIterator["Part"]):
    """A reader together with the response that it reads, which is released behind the last part."""

    def __init__(self, resp: ResponseLike, stream: MultipartReader) -> None:
        self.resp = resp
        self.stream = stream

    def at_eof(self) -> bool:
        """Whether the last part was passed."""
        return self.stream.at_eof()

    async def next(self) -> "Part | None":
        """The next part, None behind the last one. Raises and cancels as `MultipartReader.next`."""
        part = await self.stream.next()
        if self.stream.at_eof():
            await self.release()
        return part

    @override
    async def __anext__(self) -> "Part":
        part = await self.next()
        if part is None:
            raise StopAsyncIteration
        return part

    async def release(self) -> None:
        """Be done with the response. Cancellation: safe."""
        released = self.resp.release()
        if isinstance(released, Awaitable):
            await released


MultipartReader.response_wrapper_cls = MultipartResponseWrapper


async def _charset_of(part: BodyPartReader) -> str:
    charset = await part.read()
    if len(charset) > _CHARSET_NAME or not charset.isascii():
        raise PartEncodingError(f"the form's charset {charset[:_CHARSET_NAME]!r} is none")
    return charset.decode("ascii").strip(" \t\r\n")
