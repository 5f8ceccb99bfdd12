"""`ClientSession`: requests with shared defaults and shared connections."""

import asyncio
import sys
import warnings
from functools import lru_cache, partial
from types import TracebackType
from typing import Any, final

from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_connector import BaseConnector, TCPConnector, TLSSetting
from wayfare_http_core import ExchangeOptions, FieldBlock, HeadLimits, RequestBody, hdrs
from wayfare_http_core.aio import DeadlineQueue
from yarl import URL

from ._bodies import JSONEncoder, body_from_data, body_from_json
from ._defaults import default_fields, merge_headers
from ._exchange import HopSettings, send_request
from ._options import (
    RequestOptions,
    SessionOptions,
    Unpack,
    check_kinds,
    check_names,
    checked_size,
)
from ._request import ClientRequest
from ._request_context import Delivery, RequestContext
from ._response import ClientResponse
from ._timeout import DEFAULT_TIMEOUT, UNSET, ClientTimeout, read_timeout_option
from ._urls import PreparedURL, check_base_url, join_url, prepare_url, with_params

__all__ = ("ClientSession",)

_PREPARED_URLS = 256
"""URLs that a session keeps parsed and checked. yarl keeps as many; an entry is about a kilobyte."""


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
        "_base_url",
        "_closed",
        "_connector",
        "_connector_owner",
        "_deadlines",
        "_fields",
        "_hop",
        "_json_serialize",
        "_loop",
        "_prepare",
        "_raise_for_status",
        "_site",
        "_timeout",
    )

    _deadlines: DeadlineQueue

    def __init__(
        self, base_url: str | URL | None = None, **options: Unpack[SessionOptions]
    ) -> None:
        self._closed = True  # until everything below went well, there is nothing to close
        check_names("ClientSession", options)
        check_kinds(options)
        if options.get("loop") is not None:
            warnings.warn(
                "loop= is ignored; a session finds its loop itself",
                DeprecationWarning,
                stacklevel=2,
            )
        self._base_url = check_base_url(base_url)
        self._timeout = read_timeout_option(options.get("timeout", UNSET), DEFAULT_TIMEOUT)
        auto_decompress = options.get("auto_decompress", True)
        self._fields = default_fields(options.get("headers"), decoding=auto_decompress)
        self._raise_for_status = options.get("raise_for_status", False)
        self._json_serialize = options.get("json_serialize")
        self._hop = HopSettings(_exchange_options(options), auto_decompress)
        self._loop: asyncio.AbstractEventLoop | None = None
        connector = options.get("connector")
        # What it made itself, nobody else will close.
        self._connector_owner = connector is None or options.get("connector_owner", True)
        self._connector: BaseConnector = TCPConnector() if connector is None else connector
        if self._connector_owner:
            self._connector.claim(self)
        join = partial(_joined_and_prepared, self._base_url, self._connector.ssl)
        self._prepare = lru_cache(maxsize=_PREPARED_URLS)(join)
        frame = sys._getframe(1)
        self._site = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        self._closed = False

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
        """Send a HEAD request; see `request`."""
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
        return RequestContext(self._request(method, url, options, delivery), delivery)

    async def _request(
        self,
        method: str,
        url: str | URL,
        options: RequestOptions,
        delivery: Delivery,
    ) -> ClientResponse:
        if self._closed or self._loop is None:
            self._bind()
        prepared = self._prepare(url)
        if options or prepared.authorization is not None:
            prepared, request = self._build(method, prepared, options)
            head = prepared.head(request.method, request.fields)
        else:
            request = ClientRequest(
                method, prepared.url, prepared.real_url, self._fields, None, self._timeout
            )
            head = prepared.usual_head(method, self._fields)
        deadline = self._deadlines.start(request.timeout.total, request.timeout.total_error)
        response = await send_request(self._connector, prepared, head, request, self._hop, deadline)
        check = options.get("raise_for_status")
        if check is None:
            check = self._raise_for_status
        if check is not False:
            await _check_status(response, check)
        if delivery.to_block:
            response.enter_block()
            delivery.response = response
        return response

    def _build(
        self, method: str, prepared: PreparedURL, options: RequestOptions
    ) -> tuple[PreparedURL, ClientRequest]:
        """The request that the session's defaults and the caller's arguments make together."""
        check_names("a request", options)
        params = options.get("params")
        if params:
            prepared = prepared.with_url(with_params(prepared.real_url, params))
        data, value = options.get("data"), options.get("json")
        if data is not None and value is not None:
            raise ValueError("data and json exclude each other: a request has one content")
        headers = merge_headers(self._fields.pairs, options.get("headers"))
        body: RequestBody | bytes | None = None
        if value is not None:
            body, content_type = body_from_json(value, self.json_serialize)
            headers.setdefault("Content-Type", content_type)
        elif data is not None:
            body, announced = body_from_data(data)
            if announced is not None:
                headers.setdefault("Content-Type", announced)
        if prepared.authorization is not None:
            headers.setdefault("Authorization", prepared.authorization)
        timeout = read_timeout_option(options.get("timeout", UNSET), self._timeout)
        request = ClientRequest(
            method, prepared.url, prepared.real_url, FieldBlock(headers), body, timeout
        )
        return prepared, request

    def _bind(self) -> None:
        """Bind the session to the running loop, at its first request. Later ones are checked by the connector.

        Raises: RuntimeError when the session is closed.
        """
        if self._closed:
            raise RuntimeError("the session is closed")
        self._loop = asyncio.get_running_loop()
        self._deadlines = DeadlineQueue.for_loop(self._loop)

    # -- state ----------------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether the session was closed."""
        return self._closed

    @property
    def connector(self) -> BaseConnector:
        """What connects for the session."""
        return self._connector

    @property
    def connector_owner(self) -> bool:
        """Whether closing the session closes its connector."""
        return self._connector_owner

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The fields that every request starts from."""
        return CIMultiDictProxy(CIMultiDict(self._fields.pairs))

    @property
    def timeout(self) -> ClientTimeout:
        """The limits that every request starts from."""
        return self._timeout

    @property
    def auto_decompress(self) -> bool:
        """Whether content codings are undone."""
        return self._hop.auto_decompress

    @property
    def raise_for_status(self) -> Any:
        """What was given as `raise_for_status`."""
        return self._raise_for_status

    @property
    def json_serialize(self) -> JSONEncoder:
        """What turns values into JSON text: `json.dumps` unless another was given."""
        if self._json_serialize is None:
            # Imported here: a session that speaks no JSON never needs it.
            import json

            self._json_serialize = json.dumps
        return self._json_serialize

    # -- the end ----------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Close the session and, if it owns it, the connector; return when every connection is really closed.

        Requests under way fail with `ClientConnectionError`. Idempotent.
        Cancellation: safe; the closing goes on.
        """
        self._closed = True
        if self._connector_owner:
            # A second call waits for the same end.
            await self._connector.close()

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
        if not getattr(self, "_closed", True):
            warnings.warn(
                f"unclosed client session, made at {self._site}",
                ResourceWarning,
                source=self,
                stacklevel=2,
            )


def _joined_and_prepared(base_url: URL | None, ssl: TLSSetting, url: str | URL) -> PreparedURL:
    return prepare_url(join_url(base_url, url), ssl)


def _exchange_options(options: SessionOptions) -> ExchangeOptions:
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


async def _check_status(response: ClientResponse, check: Any) -> None:
    """Let the response be judged as the caller asked; one that does not pass is released."""
    if check is True:
        response.raise_for_status()
        return
    try:
        await check(response)
    except BaseException:
        response.release()
        raise
