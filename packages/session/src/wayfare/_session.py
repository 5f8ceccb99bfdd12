"""`ClientSession`: requests with shared defaults and shared connections."""

import sys
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, final

from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_connector import BaseConnector, TCPConnector
from wayfare_http_core import ExchangeOptions, HeadLimits, hdrs
from yarl import URL

from ._bodies import JSONEncoder
from ._build import RequestBuilder
from ._cookies import SessionCookies
from ._defaults import default_fields
from ._options import (
    RequestOptions,
    SessionOptions,
    Unpack,
    check_kinds,
    check_names,
    checked_size,
)
from ._pipeline import Pipeline
from ._request_context import Delivery, RequestContext
from ._settings import RequestSettings, exchange_options
from ._timeout import DEFAULT_TIMEOUT, UNSET, ClientTimeout, read_timeout_option
from ._urls import check_base_url

if TYPE_CHECKING:
    from wayfare_cookies import AbstractCookieJar

    from ._tracing_config import TraceConfig

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
        check_names("ClientSession", options)
        check_kinds(options)
        if options.get("loop") is not None:
            warnings.warn(
                "loop= is ignored; a session finds its loop itself",
                DeprecationWarning,
                stacklevel=2,
            )
        timeout = read_timeout_option(options.get("timeout", UNSET), DEFAULT_TIMEOUT)
        settings = _settings(options, timeout)
        fields = default_fields(options.get("headers"), decoding=settings.auto_decompress)
        base_url = check_base_url(base_url)
        cookies = SessionCookies(
            options.get("cookie_jar"), options.get("cookies"), base_url, fields.getall("Cookie")
        )
        connector = options.get("connector")
        # What it made itself, nobody else will close.
        self._connector_owner = connector is None or options.get("connector_owner", True)
        if connector is None:
            connector = TCPConnector()
        if self._connector_owner:
            connector.claim(self)
        builder = RequestBuilder(
            base_url, fields, timeout, settings, connector.ssl, options.get("json_serialize")
        )
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

    def _start(self, method: str, url: str | URL, options: RequestOptions) -> RequestContext:
        delivery = Delivery()
        return RequestContext(self._pipeline.run(self, method, url, options, delivery), delivery)

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
    def headers(self) -> CIMultiDictProxy[str]:
        """The fields that every request starts from."""
        return CIMultiDictProxy(CIMultiDict(self._pipeline.builder.fields.pairs))

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
        return self._pipeline.builder.settings.trace_configs

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


def _settings(options: SessionOptions, timeout: ClientTimeout) -> RequestSettings:
    return RequestSettings(
        exchange=exchange_options(_exchange_sizes(options), timeout),
        auto_decompress=options.get("auto_decompress", True),
        raise_for_status=options.get("raise_for_status", False),
        redirect_policy=options.get("redirect_policy"),
        sensitive_headers=frozenset(name.lower() for name in options.get("sensitive_headers", ())),
        requote_redirect_url=options.get("requote_redirect_url", True),
        retry_stale=options.get("retry_stale", True),
        middlewares=tuple(options.get("middlewares", ())),
        fallback_charset_resolver=options.get("fallback_charset_resolver"),
        trace_configs=_frozen(options.get("trace_configs")),
    )


def _frozen(trace_configs: "Sequence[TraceConfig] | None") -> "tuple[TraceConfig, ...]":
    if not trace_configs:
        return ()
    # Imported here: most sessions are not traced.
    from ._tracing import freeze_trace_configs

    return freeze_trace_configs(trace_configs)


def _exchange_sizes(options: SessionOptions) -> ExchangeOptions:
    defaults = HeadLimits()
    line = checked_size(options, "max_line_size", defaults.start_line)
    field = checked_size(options, "max_field_size", defaults.field_line)
    return ExchangeOptions(
        limits=HeadLimits(
            start_line=line,
            field_line=field,
            fields=checked_size(options, "max_headers", defaults.fields),
            # A single field of the allowed size must fit.
            head=max(defaults.head, line + 2 * field),
        ),
        read_limit=checked_size(options, "read_bufsize", ExchangeOptions().read_limit),
    )
