"""`ClientResponse`: a response as users see it."""

import asyncio
import sys
import warnings
import weakref
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, final, overload

from multidict import CIMultiDictProxy
from wayfare_http_core import (
    ClientError,
    ClientResponseError,
    Connection,
    Exchange,
    HttpVersion,
    hdrs,
)
from yarl import URL

from ._release import RELEASED, Released, abandon
from ._request import ClientRequest, RequestInfo

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from http.cookies import Morsel
    from os import PathLike

    from multidict import MultiDictProxy
    from wayfare_cookies import Cookie, CookieMap
    from wayfare_http_core import ContentDisposition, MediaType
    from wayfare_http_core.aio import StreamReader

    from ._connection_info import ConnectionInfo
    from ._download import SavedFile
    from ._download_options import SaveOptions
    from ._event_stream import EventStream
    from ._options import Unpack
    from ._response_connection import ResponseConnection
    from ._upgraded_stream import UpgradedStream

__all__ = ("CharsetResolver", "ClientResponse")

CharsetResolver: TypeAlias = Callable[["ClientResponse", bytes], str]
"""Names the encoding of content whose charset is not said: `(response, content) -> name`."""

Failure = TypeVar("Failure", bound=ClientResponseError)
Model = TypeVar("Model")


@final
class ClientResponse:
    """A response: its head, and its content to be read once in pieces or whole.

    Use it with `async with`, or call `release` when you are done: until its content was read or released, a response
    holds a connection. Its head stays readable for ever.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_connection",
        "_cookies",
        "_exchange",
        "_exchange_number",
        "_finalizer",
        "_first_byte",
        "_history",
        "_in_context",
        "_media_type",
        "_request",
        "status",
    )

    status: int
    """The three-digit status code."""

    def __init__(
        self,
        request: ClientRequest,
        exchange: Exchange,
        connection: Connection,
        exchange_number: int,
        first_byte: float | None = None,
    ) -> None:
        """Made by a session; `exchange_number` counts from 1, `first_byte` seconds from when the request was sent."""
        self._request = request
        self._exchange = exchange
        self._connection = connection
        self._exchange_number = exchange_number
        self._first_byte = first_byte
        self._body: bytes | None = None
        self._cookies: CookieMap | None = None
        self._history: tuple[ClientResponse, ...] = ()
        self._in_context = False
        self._media_type: MediaType | None = None
        self._finalizer: weakref.finalize[..., ClientResponse] | None = None
        self.status = exchange.head.status
        if not exchange.is_complete:
            description = f"<{request.method} {request.url} [{self.status}]>"
            loop = asyncio.get_running_loop()
            self._finalizer = weakref.finalize(self, abandon, exchange, loop, description)
            self._finalizer.atexit = False

    # -- the head -------------------------------------------------------------------------------------------------

    @property
    def version(self) -> HttpVersion:
        """The protocol version of the response."""
        return self._exchange.head.version

    @property
    def reason(self) -> str:
        """The reason phrase; empty where there is none (RFC 9112 section 4), and good for nothing but logs."""
        return self._exchange.head.reason

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The fields, looked up in any case. Content-Encoding and Content-Length speak of the octets on the wire."""
        return self._exchange.head.headers

    @property
    def trailers(self) -> Mapping[str, str]:
        """The fields that followed the content, looked up in any case; empty until it is complete, mostly then too."""
        return self._exchange.trailers

    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The fields as octets, in order and in the case received."""
        return self._exchange.head.raw_headers

    @property
    def cookies(self) -> "CookieMap":
        """The cookies that this very response sets, by name and as it says, whether the session's jar took them or not.

        Settable, for whoever makes responses up: with a mapping to Morsels, too.
        """
        if self._cookies is None:
            # Imported here: most responses are not asked.
            from wayfare_cookies import response_cookies

            fields = self.headers.getall(hdrs.SET_COOKIE, ())
            self._cookies = response_cookies(fields, self.url)
        return self._cookies

    @cookies.setter
    def cookies(self, cookies: "Mapping[str, Cookie | Morsel[Any]]") -> None:
        from ._cookies import made_up_cookies

        self._cookies = made_up_cookies(cookies)

    @property
    def method(self) -> str:
        """The method of the request."""
        return self._request.method

    @property
    def url(self) -> URL:
        """The URL of the request, without fragment and user info."""
        return self._request.url

    @property
    def real_url(self) -> URL:
        """The URL of the request with its fragment."""
        return self._request.real_url

    @property
    def url_obj(self) -> URL:
        """Deprecated: use `url`."""
        warnings.warn("ClientResponse.url_obj is called url now", DeprecationWarning, stacklevel=2)
        return self.url

    @property
    def host(self) -> str | None:
        """The host of the request's URL."""
        return self._request.url.host

    @property
    def request_info(self) -> RequestInfo:
        """The request that this answers."""
        return self._request.request_info

    @property
    def history(self) -> tuple["ClientResponse", ...]:
        """The redirects that led here, the first one first; `()` when none was followed."""
        return self._history

    @property
    def attempt(self) -> int:
        """Which attempt of its hop this answers, counted from 1: more where something was repeated."""
        return self._request.attempt

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    @property
    def content_type(self) -> str:
        """The media type without its parameters; application/octet-stream where none is said."""
        return self._parsed_media_type().essence

    @property
    def charset(self) -> str | None:
        """The charset that Content-Type names, or None."""
        return self._parsed_media_type().parameters.get("charset")

    @property
    def content_length(self) -> int | None:
        """The Content-Length in octets on the wire, or None."""
        from wayfare_http_core import content_length

        return content_length(self.headers)

    @property
    def content_disposition(self) -> "ContentDisposition | None":
        """How the content wants to be presented and what its file might be called, or None where that is not said.

        The file name is the server's choice: `safe_filename` makes a name of it that is no path.
        """
        value = self.headers.get("Content-Disposition")
        if value is None:
            return None
        # Imported here: most responses have no such field.
        from wayfare_http_core import ContentDisposition

        return ContentDisposition.parse(value)

    def suggested_filename(self, default: str = "download") -> str:
        """A name for a file with the content: the server's, or the last part of the URL's path, or the default.

        It can be joined to a folder's path: it has no separators, no dot at its beginning, nothing that is no name on
        some system; see `wayfare_http_core.safe_filename` (M14). A file of that name may exist.
        """
        from wayfare_http_core import safe_filename

        disposition = self.content_disposition
        said = None if disposition is None else disposition.filename
        return safe_filename(said or self.url.name, default)

    @property
    def links(self) -> "MultiDictProxy[MultiDictProxy[str | URL]]":
        """The links of the Link fields by relation type, each with its parameters and, as `url`, its resolved URL."""
        from ._response_links import links_of

        return links_of(self.headers, self.url)

    # -- the connection -------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether the response holds no connection any more."""
        return self._exchange.is_over

    @property
    def connection(self) -> "ResponseConnection | None":
        """The connection while the response holds it, None afterwards."""
        if self._exchange.is_over:
            return None
        from ._response_connection import ResponseConnection

        return ResponseConnection(self, self._connection)

    @property
    def connection_info(self) -> "ConnectionInfo":
        """Facts of the connection: peer, TLS, how it was made. They stay when the response is released."""
        from ._connection_info import connection_info

        return connection_info(self._connection.facts, self._exchange_number, self._first_byte)

    @override
    def __repr__(self) -> str:
        return f"<ClientResponse({self.url}) [{self.status} {self.reason}]>"

    @property
    def content(self) -> "StreamReader":
        """The content as a stream, its codings undone."""
        return self._exchange.content

    # -- the content ------------------------------------------------------------------------------------------------

    async def read(self) -> bytes:
        """The whole content, kept for further calls.

        Raises: `ClientPayloadError` for content that is cut short or cannot be decoded, `ClientConnectionError`,
        TimeoutError, and RuntimeError when part of the content was read from `content` already.
        Cancellation: safe; a later call reads the rest.
        """
        if self._body is None:
            self._body = self._exchange.take_whole()
        if self._body is None:
            content = self._exchange.content
            if content.total_bytes:
                raise RuntimeError(
                    f"{content.total_bytes} octets of the content were read from response.content already; "
                    "read the rest from there"
                )
            try:
                self._body = await content.read()
            except Exception as exc:
                self._note_failure(exc)
                raise
        return self._body

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """The whole content as text, in `encoding`, or the charset of Content-Type, or UTF-8.

        Raises: UnicodeDecodeError, LookupError for an unknown encoding, else as `read`.
        Cancellation: safe.
        """
        body = await self.read()
        return body.decode(encoding or self.get_encoding(), errors)

    @overload
    async def json(
        self,
        model: type[Model],
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] | None = None,
        content_type: str | None = "application/json",
    ) -> Model: ...

    @overload
    async def json(
        self,
        model: object = None,
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] | None = None,
        content_type: str | None = "application/json",
    ) -> Any: ...

    async def json(
        self,
        model: Any = None,
        *,
        encoding: str | None = None,
        loads: Callable[[str], Any] | None = None,
        content_type: str | None = "application/json",
    ) -> Any:
        """The whole content as JSON, read by `loads` (`json.loads` unless given); None where it is empty.

        `model` is the type to make it into: a dataclass, a TypedDict, a model of attrs, msgspec or pydantic, or what
        holds such. `content_type` is the media type to insist on (`application/*+json` counts as application/json),
        None for any.

        Raises: `ContentTypeError`, what `loads` raises, `JSONModelError` for what the model does not take, TypeError
        for what is no model, else as `text`.
        Cancellation: safe.
        """
        self._insist_on(content_type)
        if model is not None:
            from ._json_models import read_model, reader_of

            reader = reader_of(model)
        body = await self.read()
        value = None
        if body.strip(b" \t\r\n"):
            text = body.decode(encoding or self.get_encoding())
            if loads is None:
                # Imported here: a program that reads no JSON never needs it.
                from ._json_text import read_json

                loads = read_json
            value = loads(text)
        if model is None:
            return value
        try:
            return read_model(value, reader)
        except ClientError as exc:
            self._note_failure(exc)
            raise

    @overload
    def json_lines(
        self,
        model: type[Model],
        *,
        loads: Callable[[str], Any] | None = None,
        max_line_length: int | None = None,
        content_type: str | None = None,
    ) -> AsyncIterator[Model]: ...

    @overload
    def json_lines(
        self,
        model: object = None,
        *,
        loads: Callable[[str], Any] | None = None,
        max_line_length: int | None = None,
        content_type: str | None = None,
    ) -> AsyncIterator[Any]: ...

    def json_lines(
        self,
        model: Any = None,
        *,
        loads: Callable[[str], Any] | None = None,
        max_line_length: int | None = None,
        content_type: str | None = None,
    ) -> AsyncIterator[Any]:
        """Iterate over values of JSON as they arrive, one on each line, in UTF-8; blank lines are skipped.

        `model` is the type to make each into, as in `json`. A line of more than `max_line_length` octets (twice the
        session's `read_bufsize` unless given) raises `LineTooLong`. `content_type` is the media type to insist on: none
        unless given, as there is no registered one.

        Raises: `ContentTypeError`, TypeError for what is no model; when iterated, what `loads` raises and
        `JSONModelError`, each for its line alone: the next value is that of the next line.
        Cancellation of a step: loses nothing.
        """
        self._insist_on(content_type)
        lines = self._stream().iter_json_lines(loads, max_line_length=max_line_length)
        if model is None:
            return lines
        from ._json_lines import ModelIterator

        return ModelIterator(lines, model)

    def events(
        self,
        *,
        content_type: str | None = "text/event-stream",
        last_event_id: str = "",
        max_event_size: int | None = None,
    ) -> "EventStream":
        """Iterate over the events that a server sends (HTML standard, section 9.2), as they arrive.

        `content_type` is the media type to insist on, None for any. `last_event_id` is what events have as their id
        until the server gives one. A line, or an event's data, of more than `max_event_size` octets (4 MiB unless
        given) raises `EventTooLargeError`. `ClientSession.events` connects again where a stream ends.

        Raises: `ContentTypeError`.
        """
        self._insist_on(content_type)
        from ._event_parser import MAX_EVENT_SIZE, EventParser
        from ._event_stream import EventStream

        limit = MAX_EVENT_SIZE if max_event_size is None else max_event_size
        return EventStream(self._stream().readany, EventParser(last_event_id, limit))

    async def save(
        self, path: "str | PathLike[str]", **options: "Unpack[SaveOptions]"
    ) -> "SavedFile":
        """Write the content into a file, which has its name only once it is whole; what had the name is replaced.

        The keyword arguments stand in `SaveOptions`. `suggested_filename` is a name from the server that is no path.

        Raises: `ChecksumMismatchError`, OSError for what the file system refuses, ValueError and TypeError for options
        that make no sense, else as `read`.
        Cancellation: nothing is left; in the last moment the file may have its name.
        """
        from ._downloads import save

        return await save(self, path, options)

    def get_encoding(self) -> str:
        """The encoding of the text: the charset of Content-Type where it is one of text, UTF-8 for JSON, else what the
        session's `fallback_charset_resolver` says, which is UTF-8 where there is none.

        Raises: RuntimeError where that resolver needs the content and it was not read yet.
        """
        # Imported here: a program that reads no text never needs it.
        from ._content_text import said_encoding

        said = said_encoding(self._parsed_media_type())
        if said is not None:
            return said
        resolver = self._request.settings.fallback_charset_resolver
        if resolver is None:
            return "utf-8"
        if self._body is None:
            raise RuntimeError("the encoding is guessed from the content, which was not read yet")
        return resolver(self, self._body)

    def upgrade(self) -> "UpgradedStream":
        """Take the connection over after status 101 (RFC 9110 section 7.8), as a stream of octets both ways.

        The request asks for it with the fields `Connection: Upgrade` and `Upgrade`, which names the protocol. The
        connection counts among those of the pool until the stream is closed.

        Raises: `ClientResponseError` for another status, `ClientConnectionError` where the connection is gone.
        """
        from ._upgraded_stream import upgraded_stream

        stream = upgraded_stream(self)
        self._forget_finalizer()
        return stream

    def raise_for_status(self) -> None:
        """Raise `ClientResponseError` for a status of 400 and above, releasing the response first.

        Inside `async with` the block releases it. The error's `body` has the beginning of the content, as far as that
        arrived already.
        """
        if self.status >= 400:
            error = self.make_error(ClientResponseError, self.reason)
            if not self._in_context:
                self.release()
            raise error

    def make_error(self, kind: type[Failure], message: str) -> Failure:
        """An error of that class that tells of this response: request, status, fields, the beginning of the content.

        For whoever judges responses: a middleware, or a function given as `raise_for_status`. It releases nothing.
        """
        from ._response_summary import error_of

        return error_of(self, kind, message)

    def release(self) -> Released:
        """Be done with the response. Content that was not read is given up: a small rest is dropped so that the
        connection can be used again, else the connection is closed. Idempotent; may be awaited."""
        if not self._exchange.is_complete:
            self._exchange.discard()
            self._forget_finalizer()
        return RELEASED

    def close(self) -> None:
        """Be done with the response and with its connection, unless the content arrived whole already. Idempotent."""
        if not self._exchange.is_complete:
            self._exchange.abort()
            self._forget_finalizer()

    async def wait_for_close(self) -> None:
        """Be done with the response, as `release` is, and return when nothing of it is under way: its connection can be
        used again or is really closed. Cancellation: safe; the response is released all the same."""
        self.release()
        await self._exchange.wait_over()

    def set_history(self, history: "tuple[ClientResponse, ...]") -> None:
        """Keep the redirects that led here."""
        self._history = history

    def enter_block(self) -> None:
        """Know that an `async with` block will release the response, so that `raise_for_status` does not."""
        self._in_context = True

    async def __aenter__(self) -> "ClientResponse":
        self.enter_block()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        self._in_context = False
        self.release()
        return False

    # -- inside -------------------------------------------------------------------------------------------------------

    def _beginning(self, most: int) -> bytes:
        """What is at hand of the content, up to so many octets; nothing where somebody reads it as a stream."""
        if self._body is None:
            self._body = self._exchange.take_whole()
        if self._body is not None:
            return self._body[:most]
        content = self._exchange.content
        return b"" if content.total_bytes else content.peek(most)

    def _note_failure(self, error: BaseException) -> None:
        from ._failures import note_content_failure

        note_content_failure(error, self._request, [str(hop.real_url) for hop in self._history])

    def _stream(self) -> "StreamReader":
        """The content as a stream, also where it was read whole already."""
        if self._body is None:
            return self.content
        from wayfare_http_core.aio import StreamReader

        return StreamReader.of_whole(self._body)

    def _forget_finalizer(self) -> None:
        if self._finalizer is not None:
            self._finalizer.detach()
            self._finalizer = None

    def _parsed_media_type(self) -> "MediaType":
        if self._media_type is None:
            # Imported here: the parser of media types loads when one is asked for.
            from ._content_text import media_type_of

            self._media_type = media_type_of(self.headers)
        return self._media_type

    def _insist_on(self, content_type: str | None) -> None:
        if content_type is not None:
            from ._content_text import insist_on

            insist_on(self, self._parsed_media_type(), content_type)
