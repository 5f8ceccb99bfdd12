"""From a session's defaults and a caller's arguments to the request that they make together."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, final

from multidict import CIMultiDict
from wayfare_connector import Target
from wayfare_http_core import FieldBlock, RequestBody, hdrs
from yarl import URL

from ._bodies import (
    JSONEncoder,
    UntypedBody,
    body_from_data,
    body_from_json,
    encoded_body,
    own_fields,
)
from ._defaults import HeaderValue, SessionFields, header_pairs, merge_headers, skipped_names
from ._options import SIZES, RequestOptions, check_names, check_request_kinds
from ._request import ClientRequest
from ._route import Route
from ._settings import RequestSettings, exchange_options, with_sizes
from ._timeout import UNSET, ClientTimeout, read_timeout_option
from ._urls import PreparedURL, join_url, prepare_url, with_params

if TYPE_CHECKING:
    from wayfare_connector import Proxy, ProxyChooser
    from wayfare_http_core import BasicAuth, ZlibBackend

    from ._proxy_option import ProxyChoice
    from ._session import ClientSession

    ProxyArguments = tuple[
        Proxy | URL | str | ProxyChooser | None,
        BasicAuth | str | None,
        Mapping[str, str] | tuple[tuple[str, str], ...] | None,
    ]

__all__ = ("RequestBuilder",)

_PREPARED_URLS = 256
"""URLs that a session keeps parsed and checked. yarl keeps as many; an entry is about a kilobyte."""

_OF_ROUTE = {"ssl": "tls", "server_hostname": "server_hostname", "trust_env": "trust_env"}
"""Arguments of a request that change its route, with their names there."""

_OWN = (
    "allow_redirects",
    "auto_decompress",
    "max_body_size",
    "max_redirects",
    "raise_for_status",
    "read_until_eof",
    "redirect_policy",
    "retry_stale",
)
"""Arguments of a request that stand under the same name in its settings."""


@final
class RequestBuilder:
    """What a session starts each request from. `settings` and the fields may change between requests, nothing else."""

    __slots__ = (
        "_asking",
        "_changes",
        "_home",
        "_json_serialize",
        "_plain_fields",
        "_prepare",
        "_proxy",
        "auth",
        "base_url",
        "fields",
        "settings",
        "timeout",
        "trust_env",
    )

    def __init__(
        self,
        base_url: URL | None,
        fields: SessionFields,
        timeout: ClientTimeout,
        settings: RequestSettings,
        route: Route,
        json_serialize: JSONEncoder | None,
        auth: "BasicAuth | None" = None,
        proxy: "ProxyArguments" = (None, None, None),
    ) -> None:
        """`proxy` is what the route's proxy was made of, its credentials and its fields."""
        self.base_url = base_url
        self.fields = fields
        self.timeout = timeout
        self.settings = settings
        self.auth = auth
        self._json_serialize = json_serialize
        self._proxy = proxy
        self.trust_env = route.trust_env
        self._asking = partial(_prepared, base_url, route) if route.asks else None
        self._changes = route.trust_env or route.asks
        plain = route._replace(choose=None)
        self._prepare = lru_cache(maxsize=_PREPARED_URLS)(partial(_prepared, base_url, plain))
        self._home = None if base_url is None else self._prepare(base_url).target
        self._plain_fields: FieldBlock | None = fields.block if auth is None else None
        """The fields of a request without arguments; None where they have to be asked for."""

    def request(
        self, session: "ClientSession", method: str, url: str | URL, options: RequestOptions
    ) -> ClientRequest:
        """The request that these arguments ask for.

        Raises: what `ClientSession.request` does before anything is sent.
        """
        prepared = self._prepare(url) if not self._changes else self._prepare_anew(url)
        fields = self._plain_fields
        if fields is None or options or prepared.authorization is not None:
            return self._special(session, method, prepared, options)
        settings = self.settings
        return ClientRequest(
            method,
            prepared,
            fields,
            None,
            self.timeout,
            settings,
            session,
            prepared.usual_head(method, fields, settings.version),
        )

    def _prepare_anew(self, url: str | URL) -> PreparedURL:
        """The same where others have a say: the environment may change while the program runs, and a chooser is asked
        for each request."""
        if self._asking is not None:
            return self._asking(url)
        from wayfare_connector import current_proxies

        return self._prepare(url, current_proxies())

    @property
    def live_fields(self) -> CIMultiDict[str]:
        """The session's fields to look at and to change."""
        self._plain_fields = None
        return self.fields.live

    @property
    def json_serialize(self) -> JSONEncoder:
        """What turns values into JSON text, or into octets."""
        if self._json_serialize is None:
            # Imported here: a session that speaks no JSON never needs it.
            import json

            self._json_serialize = json.dumps
        return self._json_serialize

    def _special(
        self,
        session: "ClientSession",
        method: str,
        prepared: PreparedURL,
        options: RequestOptions,
    ) -> ClientRequest:
        """A request that is not made of defaults alone."""
        check_names("a request", options)
        check_request_kinds(options)
        skip = self.fields.skip | skipped_names(options.get("skip_auto_headers"))
        given = header_pairs(options.get("headers"))
        headers = merge_headers(self.fields.without(skip), given)
        if hdrs.PROXY_AUTHORIZATION in headers:
            options = _for_the_proxy(options, headers, given)
        prepared = _destination(prepared, options, self._proxy)
        self._authorize(headers, prepared, options, given)
        body = self._content(options, headers, skip)
        body = _for_the_wire(body, options, headers, self.settings.zlib_backend)
        timeout = read_timeout_option(options.get("timeout", UNSET), self.timeout)
        return ClientRequest(
            method,
            prepared,
            FieldBlock(headers),
            body,
            timeout,
            self._settings(options, timeout, skip),
            session,
        )

    def _authorize(
        self,
        headers: "CIMultiDict[object]",
        prepared: PreparedURL,
        options: RequestOptions,
        given: list[tuple[str, HeaderValue]],
    ) -> None:
        """Add the credentials: the request's own, else those in its URL, else the session's.

        Raises: ValueError for two of a request's own.
        """
        auth = options.get("auth")
        explicit = any(name.lower() == "authorization" for name, _ in given)
        if auth is not None:
            if explicit or prepared.authorization is not None:
                other = "an Authorization field" if explicit else "credentials in the URL"
                raise ValueError(f"auth and {other} exclude each other")
            headers["Authorization"] = auth.encode()
        elif explicit:
            return
        elif prepared.authorization is not None:
            headers["Authorization"] = prepared.authorization
        elif self.auth is not None and self._is_home(prepared.target):
            headers["Authorization"] = self.auth.encode()

    def _is_home(self, target: Target) -> bool:
        """Whether it is the origin that the session's credentials are for, whatever the way there."""
        home = self._home
        return home is None or (target.is_ssl, target.host, target.port) == (
            home.is_ssl,
            home.host,
            home.port,
        )

    def _content(
        self, options: RequestOptions, headers: "CIMultiDict[object]", skip: frozenset[str]
    ) -> RequestBody | bytes | None:
        """The content, its type added to the fields."""
        data, value = options.get("data"), options.get("json")
        if data is not None and value is not None:
            raise ValueError("data and json exclude each other: a request has one content")
        if data is None and value is None:
            return None
        body: RequestBody | bytes
        content_type: str | None
        if value is not None:
            body, content_type = body_from_json(value, self.json_serialize)
        else:
            body, content_type = body_from_data(data, self.settings.payload_registry)
            for name, field in own_fields(data):
                if name.lower() not in skip:
                    headers.setdefault(name, field)
        if "content-type" not in skip:
            if content_type is not None:
                headers.setdefault("Content-Type", content_type)
        elif content_type is not None and not isinstance(body, bytes):
            body = UntypedBody(body)
        return body

    def _settings(
        self, options: RequestOptions, timeout: ClientTimeout, skip: frozenset[str]
    ) -> RequestSettings:
        """The session's settings with what the request says otherwise."""
        given: Mapping[str, Any] = options
        settings = self.settings
        own = {name: given[name] for name in _OWN if given.get(name) is not None}
        if not own.get("read_until_eof", True) or "max_body_size" in own:
            own["bounded"] = True
        if given.get("middlewares") is not None:
            own["middlewares"] = tuple(given["middlewares"])
        if skip != settings.skip_auto_headers:
            own["skip_auto_headers"] = skip
        if timeout is not self.timeout:
            own["exchange"] = exchange_options(settings.exchange, timeout)
        sizes = tuple(given.get(name) for name in SIZES)
        if any(size is not None for size in sizes):
            own["exchange"] = with_sizes(own.get("exchange", settings.exchange), *sizes)
        tracker, on_progress = options.get("upload_tracker"), options.get("on_progress")
        if tracker is not None or on_progress is not None:
            # Imported here: few uploads are watched.
            from ._upload_tracker import UploadWatch

            own["upload_watch"] = UploadWatch(tracker, on_progress)
        return settings._replace(**own) if own else settings


def _prepared(
    base_url: URL | None, route: Route, url: str | URL, _environment: object = None
) -> PreparedURL:
    """`_environment` stands among the arguments because what is kept must be found by it."""
    return prepare_url(join_url(base_url, url), route)


def _destination(
    prepared: PreparedURL, options: RequestOptions, proxy: "ProxyArguments"
) -> PreparedURL:
    """Where the request goes: the URL with its parameters, by the route asked for. `proxy` is the session's."""
    params = options.get("params")
    if params:
        prepared = prepared.with_url(with_params(prepared.real_url, params))
    given: Mapping[str, Any] = options
    route = prepared.route
    changes = {own: given[name] for name, own in _OF_ROUTE.items() if given.get(name) is not None}
    if "tls" in changes:
        changes["tls"] = route.tls_for(changes["tls"])
    if any(given.get(name) is not None for name in ("proxy", "proxy_auth", "proxy_headers")):
        trusts = changes.get("trust_env", route.trust_env)
        environment = trusts and not route.is_fixed
        changes |= _proxy(options, proxy, environment=environment)._asdict()
    return prepared.by(route._replace(**changes)) if changes else prepared


def _for_the_proxy(
    options: RequestOptions,
    headers: "CIMultiDict[object]",
    given: list[tuple[str, HeaderValue]],
) -> RequestOptions:
    """The arguments, with the Proxy-Authorization among the fields as `proxy_auth`.

    Raises: ValueError where credentials for the proxy are given twice.
    """
    # Imported here: few requests go through one.
    from ._proxy_option import take_credentials

    own = any(name.lower() == "proxy-authorization" for name, _ in given)
    auth = options.get("proxy_auth")
    value = take_credentials(headers, auth if own else None)
    if not own and (auth is not None or options.get("proxy") is not None):
        return options  # it was added to the session's fields, and is for the session's proxy
    return {**options, "proxy_auth": value}


def _proxy(
    options: RequestOptions, of_session: "ProxyArguments", *, environment: bool
) -> "ProxyChoice":
    """The proxy that a request asks for; what it says of its own goes before what the session says.

    Raises: ValueError, TypeError for what is no proxy, and for its credentials without it.
    """
    # Imported here: few requests go through one.
    from ._proxy_option import read_proxy

    proxy, auth = options.get("proxy"), options.get("proxy_auth")
    headers = options.get("proxy_headers")
    if proxy is None:
        # The session's are for the session's proxy.
        proxy, auth_of_session, headers_of_session = of_session
        auth = auth_of_session if auth is None else auth
        headers = headers_of_session if headers is None else headers
    return read_proxy(proxy, auth, headers, environment=environment)


def _for_the_wire(
    body: RequestBody | bytes | None,
    options: RequestOptions,
    headers: "CIMultiDict[object]",
    backend: "ZlibBackend | None",
) -> RequestBody | bytes | None:
    """The content as it is sent, and the fields that say how.

    Raises: ValueError for fields of the caller that contradict the arguments.
    """
    compress = options.get("compress")
    if compress:
        if "Content-Encoding" in headers:
            raise ValueError("compress and a Content-Encoding field exclude each other")
        if body:
            coding = compress if isinstance(compress, str) else "deflate"
            body = encoded_body(body, coding, backend)
            headers["Content-Encoding"] = coding
    if options.get("chunked"):
        for name in ("Transfer-Encoding", "Content-Length"):
            if name in headers:
                raise ValueError(f"chunked and a {name} field exclude each other")
        headers["Transfer-Encoding"] = "chunked"
        body = b"" if body is None else body
    # Nobody has to be asked about content that is not there.
    if options.get("expect100") and body:
        headers.setdefault("Expect", "100-continue")
    return body
