"""`ClientSession`: requests with shared defaults and shared connections."""

import asyncio
import sys
import warnings
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast, final, overload

from multidict import CIMultiDict
from wayfare_connector import BaseConnector, TCPConnector
from wayfare_http_core import (
    DEFAULT_EXCHANGE_OPTIONS,
    ExchangeOptions,
    HttpVersion,
    HttpVersion11,
    hdrs,
)
from yarl import URL

from ._bodies import JSONEncoder
from ._build import RequestBuilder
from ._cookies import SessionCookies
from ._defaults import SessionFields, skipped_names
from ._options import (
    OLD_REQUEST_NAMES,
    OLD_SESSION_NAMES,
    SIZES,
    RequestOptions,
    SessionOptions,
    Unpack,
    check_kinds,
    check_names,
    check_tracker,
)
from ._pipeline import Pipeline
from ._request_context import Delivery, RequestContext
from ._response import ClientResponse
from ._session_route import proxy_arguments, session_route
from ._settings import RequestSettings, exchange_options, with_sizes
from ._timeout import DEFAULT_TIMEOUT, UNSET, ClientTimeout, read_timeout_option
from ._urls import check_base_url

if TYPE_CHECKING:
    from os import PathLike

    from wayfare_cookies import AbstractCookieJar
    from wayfare_http_core import BasicAuth

    from ._download import SavedFile
    from ._download_options import DownloadOptions
    from ._event_source import EventSource, Reconnection
    from ._tracing import TracePlan
    from ._tracing_config import TraceConfig
    from ._ws_connect import WebSocketContext
    from ._ws_options import WSConnectOptions
    from ._ws_reconnect import ReconnectingWebSocket

__all__ = ("ClientSession",)


@final
class ClientSession:
    """Requests that share their defaults, their connections and their limits.

    Make one per application, not one per request: it can be made before an event loop runs, is bound to the loop of
    its first request, and is closed with `await session.close()` or by leaving `async with`. Not thread-safe, like
    the loop.

    `base_url` is what relative URLs are resolved against; it must be absolute and its path must end with a slash.
    The other arguments stand in `SessionOptions`.

    Raises: ValueError, TypeError for arguments that make no sense, each saying which; ValueError for a connector
    that belongs to another session already.
    """

    __slots__ = (
        "__weakref__",
        "_connector_owner",
        "_pipeline",
        "_site",
    )

    def __init__(
        self, base_url: str | URL | None = None, **options: Unpack[SessionOptions]
    ) -> None:
        if not OLD_SESSION_NAMES.isdisjoint(options):
            options = _modern_session(options)
        check_names("ClientSession", options)
        check_kinds(options)
        timeout = read_timeout_option(options.get("timeout", UNSET), DEFAULT_TIMEOUT)
        settings = _settings(options, timeout)
        headers, proxy = proxy_arguments(options)
        fields = SessionFields(
            headers,
            decoding=settings.auto_decompress,
            skip=settings.skip_auto_headers,
        )
        connector = options.get("connector")
        schemes = (connector or TCPConnector).allowed_protocol_schema_set
        base_url = check_base_url(base_url, schemes)
        cookies = SessionCookies(
            options.get("cookie_jar"),
            options.get("cookies"),
            base_url,
            fields,
        )
        # What it made itself, nobody else will close.
        self._connector_owner = connector is None or options.get("connector_owner", True)
        if connector is None:
            connector = TCPConnector()
        builder = RequestBuilder(
            base_url,
            fields,
            timeout,
            settings,
            session_route(options, connector, proxy),
            options.get("json_serialize_bytes") or options.get("json_serialize"),
            options.get("auth"),
            proxy,
        )
        if self._connector_owner:
            connector.claim(self)
        frame = sys._getframe(1)
        self._site = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        # The last step: what has no pipeline has nothing to close.
        self._pipeline = Pipeline(builder, connector, cookies)

    # -- requests -------------------------------------------------------------------------------------------------

    def request(
        self, method: str, url: str | URL, **options: Unpack[RequestOptions]
    ) -> RequestContext:
        """Send a request with any method; await it or enter it with `async with` for its `ClientResponse`.

        `url` may be relative where the session has a base URL. The keyword arguments stand in `RequestOptions`.

        Raises, when awaited: `InvalidURL` and `NonHttpUrlClientError` for the URL, ValueError and TypeError for
        what cannot be sent, `ClientConnectionError` and its kin for connections that fail or break,
        `BadHttpMessage` for an answer that is no HTTP, TimeoutError, `ClientResponseError` where `raise_for_status`
        asks for it, RuntimeError after `close`.
        Cancellation: the request is given up and its connection closed; some, all or none of it may have been sent.
        """
        # Names of methods are case-sensitive (RFC 9110 section 9.1), and nobody means "get" to be another than GET.
        usual = method.upper() if isinstance(method, str) else method
        return self._start(usual if usual in hdrs.METH_ALL else method, url, options)

    def get(self, url: str | URL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Send a GET request; see `request`."""
        return self._start("GET", url, options)

    def options(self, url: str | URL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Send an OPTIONS request; see `request`."""
        return self._start("OPTIONS", url, options)

    def head(self, url: str | URL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Send a HEAD request; see `request`. Redirects are followed only with `allow_redirects=True`."""
        options.setdefault("allow_redirects", False)
        return self._start("HEAD", url, options)

    def post(self, url: str | URL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Send a POST request; see `request`."""
        return self._start("POST", url, options)

    def put(self, url: str | URL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Send a PUT request; see `request`."""
        return self._start("PUT", url, options)

    def patch(self, url: str | URL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Send a PATCH request; see `request`."""
        return self._start("PATCH", url, options)

    def delete(self, url: str | URL, **options: Unpack[RequestOptions]) -> RequestContext:
        """Send a DELETE request; see `request`."""
        return self._start("DELETE", url, options)

    def events(
        self,
        url: str | URL,
        *,
        method: str = "GET",
        last_event_id: str = "",
        reconnection: "Reconnection | None" = None,
        max_event_size: int | None = None,
        **options: Unpack[RequestOptions],
    ) -> "EventSource":
        """Iterate over the events that a server sends, connecting again where a connection ends (HTML standard,
        section 9.2).

        Nothing is sent before the first event is asked for. `last_event_id` goes on after an event that was received
        before; `reconnection` says when to connect again; a line, or an event's data, has at most `max_event_size`
        octets, 4 MiB unless given. The other keyword arguments stand in `RequestOptions` and count for each connection;
        without a `timeout` there is no limit on the whole of one.

        Raises: ValueError for `raise_for_status`, which is the source's to judge. When iterated: see `EventSource`.
        """
        # Imported here: few programs listen to events.
        from ._event_parser import MAX_EVENT_SIZE
        from ._event_source import EventSource, Reconnection

        options.setdefault("timeout", None)
        return EventSource(
            self,
            method,
            url,
            options,
            last_event_id=last_event_id,
            reconnection=reconnection or Reconnection(),
            max_event_size=MAX_EVENT_SIZE if max_event_size is None else max_event_size,
        )

    async def download(
        self, url: str | URL, path: "str | PathLike[str]", **options: "Unpack[DownloadOptions]"
    ) -> "SavedFile":
        """Download a URL into a file, which has its name only once it is whole; what had the name before is replaced.

        The keyword arguments stand in `DownloadOptions`. Without a `timeout` there is no limit on the whole, and one of
        60 s on silence unless the session has another.

        Raises: `ClientResponseError` for any status but success, `DownloadMismatchError` for a part that is not of the
        same file, `ChecksumMismatchError`, OSError for what the file system refuses (FileExistsError where another
        download writes the same file), ValueError and TypeError for arguments that make no sense; else as `request` and
        as reading.
        Cancellation: what came is kept or removed, as `resume` says; in the last moment the file may have its name.
        """
        # Imported here: few programs download files.
        from ._downloads import download

        return await download(self, url, path, options)

    @overload
    def ws_connect(
        self,
        url: str | URL,
        *,
        decode_text: Literal[True] = True,
        **options: Unpack["WSConnectOptions"],
    ) -> "WebSocketContext[Literal[True]]": ...
    @overload
    def ws_connect(
        self, url: str | URL, *, decode_text: Literal[False], **options: Unpack["WSConnectOptions"]
    ) -> "WebSocketContext[Literal[False]]": ...
    @overload
    def ws_connect(
        self, url: str | URL, *, decode_text: bool, **options: Unpack["WSConnectOptions"]
    ) -> "WebSocketContext[bool]": ...
    def ws_connect(
        self, url: str | URL, *, decode_text: bool = True, **options: Unpack["WSConnectOptions"]
    ) -> "WebSocketContext[Any]":
        """Open a WebSocket; await it or enter it with `async with` for its `ClientWebSocketResponse`.

        `url` may say ws and wss, or http and https for the same. With `decode_text=False` texts come as bytes that are
        UTF-8. The other arguments stand in `WSConnectOptions`.

        Raises, when awaited: `WSServerHandshakeError` where the server does not open one, `WSOpenTimeoutError` where
        that takes too long, else as `request`.
        Cancellation: the handshake is given up and its connection closed.
        """
        # Imported here: many programs open none.
        from ._ws_connect import WebSocketContext, open_websocket
        from ._ws_options import modern_ws_options

        modern = modern_ws_options(options, stacklevel=3)
        site = _caller()
        return WebSocketContext(
            open_websocket(self, self._pipeline, url, modern, decode_text, site)
        )

    def ws_reconnect(
        self,
        url: str | URL,
        *,
        reconnection: "Reconnection | None" = None,
        decode_text: bool = True,
        **options: Unpack["WSConnectOptions"],
    ) -> "ReconnectingWebSocket":
        """Iterate over WebSockets to one URL with `async for`: another one whenever the connection ends.

        `reconnection` says how long to wait before: 3 to 6 s unless given, and longer with each failure in a row.
        Failures that may pass are not raised, those of the first connection included: what cannot be reached now, a
        status of `RETRY_STATUSES` (Retry-After is obeyed), a handshake that takes too long. The other
        arguments are those of `ws_connect`.

        Raises, when iterated: see `ReconnectingWebSocket`.
        """
        # Imported here, like the others: few programs do that.
        from ._event_source import Reconnection
        from ._ws_connect import open_websocket
        from ._ws_options import modern_ws_options
        from ._ws_reconnect import ReconnectingWebSocket

        modern = modern_ws_options(options, stacklevel=3)
        site = _caller()
        open_next = partial(open_websocket, self, self._pipeline, url, modern, decode_text, site)
        return ReconnectingWebSocket(open_next, lambda: self.closed, reconnection or Reconnection())

    def _start(self, method: str, url: str | URL, options: RequestOptions) -> RequestContext:
        if options and not OLD_REQUEST_NAMES.isdisjoint(options):
            options = _modern_request(options)
        delivery: Delivery = {}
        tracker = options.get("upload_tracker") if options else None
        if tracker is not None:
            check_tracker(tracker)
            tracker.begin()
            request = partial(self._run, method, url, options, delivery)
            return RequestContext(tracker.watch(request), delivery)
        if options:
            return RequestContext(self._run(method, url, options, delivery), delivery)
        return RequestContext(self._pipeline.run(self, method, url, options, delivery), delivery)

    def _run(
        self, method: str, url: str | URL, options: RequestOptions, delivery: Delivery
    ) -> Coroutine[Any, Any, ClientResponse]:
        """The coroutine of a request that has arguments."""
        data = options.get("data")
        # What can be given up is a stream of ours, most likely.
        if hasattr(data, "give_up"):
            # Imported here: few requests send a stream.
            from ._fed_uploads import as_stream_body, deliver

            body = as_stream_body(data)
            if body is not None:
                options["data"] = body
                request = partial(self._pipeline.run, self, method, url, options, delivery)
                return deliver(body, request)
        return self._pipeline.run(self, method, url, options, delivery)

    # -- state ----------------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether the session was closed."""
        return self._pipeline.closed

    @property
    def base_url(self) -> URL | None:
        """What relative URLs are resolved against."""
        return self._pipeline.builder.base_url

    @property
    def connector(self) -> BaseConnector:
        """What connects for the session."""
        return self._pipeline.connector

    @property
    def cookie_jar(self) -> "AbstractCookieJar":
        """Where the session keeps what servers set: the jar that it was given, or one of its own."""
        return self._pipeline.cookies.get_jar()

    @property
    def connector_owner(self) -> bool:
        """Whether closing the session closes its connector."""
        return self._connector_owner

    @property
    def headers(self) -> CIMultiDict[str]:
        """The fields that every request starts from. What is changed here counts for the requests after that."""
        return self._pipeline.builder.live_fields

    @property
    def skip_auto_headers(self) -> frozenset[str]:
        """The names of automatic fields that are not sent, in lower case."""
        return self._pipeline.builder.fields.skip

    @property
    def auth(self) -> "BasicAuth | None":
        """The credentials for the session's origin."""
        return self._pipeline.builder.auth

    @property
    def trust_env(self) -> bool:
        """Whether the environment names proxies, and .netrc credentials."""
        return self._pipeline.builder.trust_env

    @property
    def version(self) -> HttpVersion:
        """The version of HTTP that is spoken."""
        return self._pipeline.builder.settings.version

    @property
    def requote_redirect_url(self) -> bool:
        """Whether the URL of a redirect is brought to the usual spelling. Setting it is deprecated."""
        return self._pipeline.builder.settings.requote_redirect_url

    @requote_redirect_url.setter
    def requote_redirect_url(self, value: bool) -> None:
        warnings.warn(
            "say requote_redirect_url when the session is made", DeprecationWarning, stacklevel=2
        )
        builder = self._pipeline.builder
        builder.settings = builder.settings._replace(requote_redirect_url=bool(value))

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that the session is bound to, or the running one before its first request.

        Deprecated: `asyncio.get_running_loop()`.

        Raises: RuntimeError where there is neither.
        """
        warnings.warn(
            "session.loop is deprecated: asyncio.get_running_loop() is the same",
            DeprecationWarning,
            stacklevel=2,
        )
        return self._pipeline.loop or asyncio.get_running_loop()

    @property
    def timeout(self) -> ClientTimeout:
        """The limits that every request starts from."""
        return self._pipeline.builder.timeout

    @property
    def auto_decompress(self) -> bool:
        """Whether content codings are undone."""
        return self._pipeline.builder.settings.auto_decompress

    @property
    def trace_configs(self) -> "tuple[TraceConfig, ...]":
        """Handlers for what happens during requests."""
        plan = self._pipeline.builder.settings.trace_plan
        return () if plan is None else plan.configs

    @property
    def raise_for_status(self) -> Any:
        """What was given as `raise_for_status`."""
        return self._pipeline.builder.settings.raise_for_status

    @property
    def json_serialize(self) -> JSONEncoder:
        """What turns values into JSON text: `json.dumps` unless another was given."""
        return self._pipeline.builder.json_serialize

    # -- the end ----------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Close the session and, if it owns it, the connector; return when every connection is really closed.

        Requests under way fail with `ClientConnectionError`. A cookie jar with a store tells it what it does not know
        yet. Idempotent.

        Raises: `StoreUnavailableError` where a cookie jar's store cannot be reached; everything else is closed then.
        Cancellation: safe; the closing goes on.
        """
        pipeline = self._pipeline
        pipeline.closed = True
        try:
            if self._connector_owner:
                # A second call waits for the same end.
                await pipeline.connector.close()
        finally:
            await pipeline.cookies.close()

    def detach(self) -> None:
        """Give up the connector without closing it: the session is closed, and whoever else has it goes on.

        Idempotent.
        """
        pipeline = self._pipeline
        pipeline.closed = True
        if self._connector_owner:
            pipeline.connector.disclaim(self)
            self._connector_owner = False

    async def __aenter__(self) -> "ClientSession":
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __enter__(self) -> None:
        raise TypeError("use 'async with' with a ClientSession")

    def __exit__(self, *args: object) -> None:
        """Never called: `__enter__` raises."""

    def __del__(self) -> None:
        pipeline: Pipeline | None = getattr(self, "_pipeline", None)
        if pipeline is not None and not pipeline.closed:
            warnings.warn(
                f"unclosed client session, made at {self._site}",
                ResourceWarning,
                source=self,
                stacklevel=2,
            )


def _caller() -> str:
    """The line that called the method which asks."""
    frame = sys._getframe(2)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _modern_session(options: SessionOptions) -> SessionOptions:
    # Imported here, like the other one: most programs are younger.
    from ._old_spellings import modern_session

    return cast(SessionOptions, modern_session(options, stacklevel=4))


def _modern_request(options: RequestOptions) -> RequestOptions:
    from ._old_spellings import modern_request

    return cast(RequestOptions, modern_request(options, stacklevel=5))


def _settings(options: SessionOptions, timeout: ClientTimeout) -> RequestSettings:
    return RequestSettings(
        exchange=exchange_options(_sizes(options), timeout),
        auto_decompress=options.get("auto_decompress", True),
        raise_for_status=options.get("raise_for_status", False),
        redirect_policy=options.get("redirect_policy"),
        sensitive_headers=frozenset(name.lower() for name in options.get("sensitive_headers", ())),
        requote_redirect_url=options.get("requote_redirect_url", True),
        retry_stale=options.get("retry_stale", True),
        max_redirects=options.get("max_redirects", 10),
        max_body_size=options.get("max_body_size"),
        bounded=options.get("max_body_size") is not None,
        version=options.get("version", HttpVersion11),
        middlewares=tuple(options.get("middlewares", ())),
        payload_registry=options.get("payload_registry"),
        zlib_backend=options.get("zlib_backend"),
        fallback_charset_resolver=options.get("fallback_charset_resolver"),
        skip_auto_headers=skipped_names(options.get("skip_auto_headers")),
        trace_plan=_trace_plan(options.get("trace_configs")),
    )


def _trace_plan(trace_configs: "Sequence[TraceConfig] | None") -> "TracePlan | None":
    if not trace_configs:
        return None
    # Imported here: most sessions are not traced.
    from ._tracing import TracePlan

    return TracePlan(trace_configs)


def _sizes(options: SessionOptions) -> ExchangeOptions:
    given: Mapping[str, Any] = options
    sizes = [given.get(name) for name in SIZES]
    return with_sizes(DEFAULT_EXCHANGE_OPTIONS, *sizes) if any(sizes) else DEFAULT_EXCHANGE_OPTIONS
