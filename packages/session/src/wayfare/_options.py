"""The keyword arguments of sessions and requests, typed once for all of them."""

import sys
from collections.abc import (
    AsyncIterable,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias, TypedDict

from wayfare_connector import BaseConnector, read_tls_options
from wayfare_http_core import HttpVersion, HttpVersion10, HttpVersion11, RequestBody

from ._defaults import HeadersArgument
from ._timeout import ClientTimeout, Unset
from ._urls import Params

if sys.version_info >= (3, 12):
    from typing import Unpack
else:
    from typing_extensions import Unpack

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from ssl import SSLContext

    from wayfare_connector import Proxy, ProxyChooser, TLSSetting
    from wayfare_cookies import AbstractCookieJar, LooseCookies
    from wayfare_http_core import BasicAuth, ZlibBackend
    from wayfare_multipart import FormData, Payload, PayloadRegistry
    from yarl import URL

    from ._middlewares import ClientMiddlewareType
    from ._redirects import RedirectPolicy
    from ._response import CharsetResolver, ClientResponse
    from ._tracing_config import TraceConfig
    from ._upload_tracker import UploadTracker

__all__ = (
    "OLD_REQUEST_NAMES",
    "OLD_SESSION_NAMES",
    "OLD_TLS_NAMES",
    "SIZES",
    "Data",
    "OneRequestOptions",
    "RaiseForStatus",
    "RequestOptions",
    "SessionOptions",
    "Timeout",
    "Unpack",
    "check_kinds",
    "check_names",
    "check_request_kinds",
    "check_tracker",
)

Data: TypeAlias = (
    "bytes | bytearray | memoryview | str | Mapping[str, Any] | Sequence[tuple[str, Any]] | FormData | Payload"
    " | IO[Any] | Iterator[bytes] | AsyncIterable[bytes] | RequestBody"
)
Timeout: TypeAlias = ClientTimeout | float | Unset | None
RaiseForStatus: TypeAlias = bool | Callable[["ClientResponse"], Awaitable[None] | None]


class RequestOptions(TypedDict, total=False):
    """What every verb takes beside the URL."""

    params: Params | None
    """Query parameters, added to those of the URL."""
    data: "Data | None"
    """The content to send; not together with `json`."""
    json: Any
    """A value to send as JSON; None for no content."""
    headers: HeadersArgument
    """Fields to send; each name replaces the session's fields of that name. A Proxy-Authorization is taken for
    `proxy_auth`: no server gets it."""
    cookies: "LooseCookies | None"
    """Cookies for this request and its redirects within its origin, in place of the jar's of the same names; they are
    not stored. A mapping or pairs; a Morsel or a `Cookie` goes only where its domain, path and Secure let it."""
    timeout: Timeout
    """A `ClientTimeout`, or a number of seconds for the whole request; None for no limit on the whole."""
    raise_for_status: RaiseForStatus | None
    """Whether a status of 400 and above raises; None for what the session says."""
    allow_redirects: bool
    """Whether redirects are followed (the default, but not for `head`)."""
    max_redirects: int
    """How many are followed at most, 10 unless given; one more raises `TooManyRedirects`. With 0 none is followed."""
    redirect_policy: "RedirectPolicy | None"
    """What decides about each redirect; None for what the session says."""
    retry_stale: bool | None
    """Whether to ask once more where a pooled connection turns out to be closed; None for what the session says."""
    middlewares: "Sequence[ClientMiddlewareType] | None"
    """Middlewares in place of the session's, the first outermost; None for the session's."""
    auto_decompress: bool | None
    """Whether content codings are undone; None for what the session says."""
    skip_auto_headers: Iterable[str] | None
    """Names of fields that are not to be sent unless somebody asked for them, beside those of the session."""
    auth: "BasicAuth | None"
    """Credentials for the origin of the URL; a redirect to another one drops them."""
    compress: str | bool | None
    """A content coding for the content to send: "gzip", "deflate" (also for True), "br" or "zstd"."""
    chunked: bool | None
    """Whether content is sent in chunks even where its length is known; where it is not, it always is."""
    expect100: bool
    """Whether to send content only when the server asked for it, or said nothing for a second."""
    read_until_eof: bool
    """Whether content without a length is read until the server closes (the default); False takes it for empty."""
    ssl: "TLSSetting | None"
    """True verifies the server, False does not, an `SSLContext` or a `Fingerprint` as it says; None for the session's
    setting, or else the connector's. True does so by that setting where it verifies, names included."""
    server_hostname: str | None
    """The name to verify the server's certificate for, in place of the URL's host."""
    proxy: "Proxy | URL | str | ProxyChooser | None"
    """A proxy to go through: its URL, a `Proxy` that says more, or a function that chooses; None for the session's."""
    proxy_auth: "BasicAuth | str | None"
    """Credentials for the proxy, that of the environment included: a `BasicAuth`, or a whole Proxy-Authorization
    value."""
    proxy_headers: "Mapping[str, str] | Iterable[tuple[str, str]] | None"
    """Fields for the proxy alone, that of the environment included."""
    trust_env: bool | None
    """Whether HTTP_PROXY and its kin name the proxy, and .netrc the credentials, where nobody else does; None for what
    the session says."""
    read_bufsize: int | None
    """Octets of content that may wait to be read before receiving pauses at twice as many."""
    max_line_size: int | None
    """Octets of the status line."""
    max_field_size: int | None
    """Octets of a field line."""
    max_headers: int | None
    """Field lines of the response."""
    max_body_size: int | None
    """Octets of content, after decoding; more raise `BodyTooLargeError` when they are read. None for the session's."""
    upload_tracker: "UploadTracker | None"
    """What is told how far the content has come; one for each request."""
    on_progress: Callable[[int, int | None], None] | None
    """Called with the octets of content sent so far, codings included, and their number in all, or None where nobody
    knows it; from 0 again where the content is sent again. What it raises ends the request."""
    verify_ssl: bool | None
    """Deprecated: `ssl=False` for False."""
    ssl_context: "SSLContext | None"
    """Deprecated: `ssl=`."""
    fingerprint: bytes | str | None
    """Deprecated: `ssl=Fingerprint(…)`."""
    text: str | None
    """Deprecated: `data=`."""
    trace_request_ctx: Any
    """What the contexts of the session's trace configs are made with for this request."""


class OneRequestOptions(RequestOptions, total=False):
    """What `wayfare.request` takes beside method and URL."""

    connector: BaseConnector | None
    """What connects, and stays open; a `TCPConnector` of its own unless given."""
    cookie_jar: "AbstractCookieJar | None"
    """Where what servers set is kept."""
    trace_configs: "Sequence[TraceConfig] | None"
    """Handlers for what happens during the request."""
    version: HttpVersion
    """`HttpVersion11` or `HttpVersion10`."""
    loop: "AbstractEventLoop | None"
    """Deprecated and ignored."""


class SessionOptions(TypedDict, total=False):
    """What a session takes beside its base URL."""

    connector: BaseConnector | None
    """What connects; a `TCPConnector` of its own unless given."""
    connector_owner: bool
    """Whether closing the session closes the connector (the default); False to share one between sessions."""
    headers: HeadersArgument
    """Fields for every request, in place of the automatic ones of the same name."""
    cookies: "LooseCookies | None"
    """Cookies for every request to the origin of the base URL, or without one to every URL that a caller names, where
    the jar has none of the same names; by redirects to no other origin. They are not stored."""
    cookie_jar: "AbstractCookieJar | None"
    """Where what servers set is kept: a `CookieJar` of its own unless given; a `DummyCookieJar` keeps nothing."""
    timeout: Timeout
    """Limits for every request; what is not given comes from `ClientTimeout(total=300, sock_connect=30)`."""
    raise_for_status: RaiseForStatus
    """Whether a status of 400 and above raises `ClientResponseError`; or a function, async or not, that decides."""
    skip_auto_headers: Iterable[str] | None
    """Names of fields that are not to be sent unless somebody asked for them: Accept, Accept-Encoding, User-Agent,
    Content-Type."""
    auth: "BasicAuth | None"
    """Credentials for the base URL's origin; without a base URL, for every origin that a caller names."""
    version: HttpVersion
    """`HttpVersion11`, or `HttpVersion10` for servers that need it: no chunks, one request for each connection."""
    json_serialize: "Callable[[Any], str]"
    """What turns a value into JSON text: `json.dumps` unless given."""
    json_serialize_bytes: "Callable[[Any], bytes] | None"
    """What turns a value into JSON as octets; it goes before `json_serialize`."""
    auto_decompress: bool
    """Whether content codings are undone (the default)."""
    read_bufsize: int
    """Octets of content that may wait to be read before receiving pauses at twice as many; 256 KiB unless given."""
    max_line_size: int
    """Octets of a status line; 8,190 unless given."""
    max_field_size: int
    """Octets of a field line; 32 KiB unless given."""
    max_headers: int
    """Field lines of a response; 256 unless given."""
    max_body_size: int | None
    """Octets of content, after decoding; more raise `BodyTooLargeError` when they are read. No limit unless given."""
    max_redirects: int
    """How many redirects are followed at most; 10 unless given."""
    ssl: "TLSSetting | None"
    """How to verify servers, in place of what the connector says: see `RequestOptions`."""
    server_hostname: str | None
    """The name to verify certificates for, in place of a URL's host: for every origin that a caller names, and by
    redirects for no other."""
    proxy: "Proxy | URL | str | ProxyChooser | None"
    """A proxy for every request: its URL, a `Proxy` that says more, or a function that chooses one for each URL."""
    proxy_auth: "BasicAuth | str | None"
    """Credentials for that proxy; without `proxy` and with `trust_env` for that of the environment."""
    proxy_headers: "Mapping[str, str] | Iterable[tuple[str, str]] | None"
    """Fields for the same proxy alone."""
    trust_env: bool
    """Whether HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY are obeyed where no proxy is given, and the file .netrc
    where a request has no credentials; False unless given."""
    redirect_policy: "RedirectPolicy | None"
    """What decides about each redirect; the usual rules unless given."""
    sensitive_headers: Iterable[str]
    """Names of fields that must not reach another origin by a redirect, beside those that are known to be secret."""
    requote_redirect_url: bool
    """Whether the URL of a redirect is brought to the usual spelling (the default); False keeps it as it came."""
    retry_stale: bool
    """Whether to ask once more where a pooled connection turns out to be closed (the default)."""
    middlewares: "Sequence[ClientMiddlewareType]"
    """What every request goes through, the first outermost."""
    trace_configs: "Sequence[TraceConfig] | None"
    """Handlers for what happens during requests; none can be added to them from now on."""
    payload_registry: "PayloadRegistry | None"
    """What knows how values given as `data=` are sent, fields of forms too; `PAYLOAD_REGISTRY`, which all share, unless
    given. Octets and text need none."""
    zlib_backend: "ZlibBackend | None"
    """What undoes and applies gzip and deflate, such as `isal.isal_zlib`; that of `set_zlib_backend` unless given."""
    fallback_charset_resolver: "CharsetResolver"
    """Names the encoding of text whose charset is not said, from the response and its content; UTF-8 unless given."""
    verify_ssl: bool | None
    """Deprecated: `ssl=False` for False."""
    ssl_context: "SSLContext | None"
    """Deprecated: `ssl=`."""
    fingerprint: bytes | str | None
    """Deprecated: `ssl=Fingerprint(…)`."""
    read_timeout: float | None
    """Deprecated: `timeout=ClientTimeout(total=…)`."""
    conn_timeout: float | None
    """Deprecated: `timeout=ClientTimeout(connect=…)`."""
    ssl_shutdown_timeout: float | None
    """Deprecated: `connector=TCPConnector(ssl_shutdown_timeout=…)`."""
    loop: "AbstractEventLoop | None"
    """Deprecated and ignored: a session is bound to the loop that it first runs in."""


OLD_TLS_NAMES: Final = frozenset(("verify_ssl", "ssl_context", "fingerprint"))
OLD_REQUEST_NAMES: Final = OLD_TLS_NAMES | {"text"}
OLD_SESSION_NAMES: Final = OLD_TLS_NAMES | {
    "read_timeout",
    "conn_timeout",
    "loop",
    "ssl_shutdown_timeout",
}
"""Arguments that have another name today; `_old_spellings` turns one into the other."""

SIZES: Final = ("read_bufsize", "max_line_size", "max_field_size", "max_headers")
"""Arguments that are numbers of octets or fields, in the order in which they are taken."""

_KNOWN: Mapping[str, frozenset[str]] = {
    "a request": frozenset(RequestOptions.__annotations__),
    "ClientSession": frozenset(SessionOptions.__annotations__),
}


def check_names(what: str, options: Mapping[str, object]) -> None:
    """Refuse arguments that do not exist, as Python does for functions that spell theirs out.

    Raises: TypeError that names the argument.
    """
    unknown = options.keys() - _KNOWN[what]
    if unknown:
        raise TypeError(f"{what} got an unexpected keyword argument {min(unknown)!r}")


def check_kinds(options: SessionOptions) -> None:
    """Refuse arguments of a session that are not what they should be.

    Raises: TypeError, ValueError that name the argument.
    """
    connector = options.get("connector")
    if connector is not None and not isinstance(connector, BaseConnector):
        raise TypeError(f"connector must be a BaseConnector, not {type(connector).__name__}")
    read_tls_options(options.get("ssl"))
    _check_flags(options, _SESSION_FLAGS)
    if isinstance(options.get("sensitive_headers"), str | bytes):
        raise TypeError("sensitive_headers must be several names, not one")
    for name in ("json_serialize", "fallback_charset_resolver"):
        if not callable(options.get(name, repr)):
            raise TypeError(f"{name} must be callable")
    if options.get("raise_for_status", False) is None:
        raise TypeError("raise_for_status must be True, False or a function")
    version = options.get("version", HttpVersion11)
    if version not in (HttpVersion10, HttpVersion11):
        raise ValueError(f"version must be HttpVersion10 or HttpVersion11, not {version!r}")
    for name in SIZES:
        if options.get(name, 1) is None:
            raise TypeError(f"{name} must be an int, not NoneType")
    _check_libraries(options)
    _check_shared(options)


def _check_libraries(options: SessionOptions) -> None:
    registry, backend = options.get("payload_registry"), options.get("zlib_backend")
    if registry is not None:
        # Imported here: whoever has one has imported it already.
        from wayfare_multipart import PayloadRegistry

        if not isinstance(registry, PayloadRegistry):
            raise TypeError(
                f"payload_registry must be a PayloadRegistry, not {type(registry).__name__}"
            )
    if backend is not None and not all(
        callable(getattr(backend, name, None)) for name in ("compressobj", "decompressobj")
    ):
        raise TypeError(f"zlib_backend must be a module like zlib, not {backend!r}")


def check_tracker(tracker: object) -> None:
    """Refuse what is no tracker.

    Raises: TypeError that names the argument.
    """
    # Imported here: few uploads are watched.
    from ._upload_tracker import UploadTracker

    if not isinstance(tracker, UploadTracker):
        raise TypeError(f"upload_tracker must be an UploadTracker, not {type(tracker).__name__}")


def check_request_kinds(options: RequestOptions) -> None:
    """Refuse arguments of a request that are not what they should be.

    Raises: TypeError, ValueError that name the argument.
    """
    _check_flags(options, _REQUEST_FLAGS)
    if "max_redirects" in options and options["max_redirects"] is None:
        raise TypeError("max_redirects must be an int, not NoneType")
    compress = options.get("compress")
    if compress is not None and not isinstance(compress, bool | str):
        raise TypeError(f"compress must be a str or a bool, not {type(compress).__name__}")
    on_progress = options.get("on_progress")
    if on_progress is not None and not callable(on_progress):
        raise TypeError(f"on_progress must be callable, not {type(on_progress).__name__}")
    _check_shared(options)


def _check_shared(options: Mapping[str, Any]) -> None:
    for name in SIZES:
        _check_number(options, name, 1)
    _check_number(options, "max_body_size", 0)
    _check_number(options, "max_redirects", 0)
    hostname = options.get("server_hostname")
    if hostname is not None and not isinstance(hostname, str):
        raise TypeError(f"server_hostname must be a str, not {type(hostname).__name__}")
    check = options.get("raise_for_status")
    if check is not None and not isinstance(check, bool) and not callable(check):
        raise TypeError("raise_for_status must be True, False or a function")
    auth = options.get("auth")
    if auth is not None:
        # Imported here: most requests have none.
        from wayfare_http_core import BasicAuth

        if not isinstance(auth, BasicAuth):
            raise TypeError(f"auth must be a BasicAuth, not {type(auth).__name__}")
    policy = options.get("redirect_policy")
    if policy is not None:
        # Imported here: this module is below that one.
        from ._redirects import RedirectPolicy

        if not isinstance(policy, RedirectPolicy):
            raise TypeError(
                f"redirect_policy must be a RedirectPolicy, not {type(policy).__name__}"
            )


def _check_flags(options: Mapping[str, Any], names: Mapping[str, bool]) -> None:
    """True or False each; None too, where it may inherit."""
    for name, inherits in names.items():
        value = options.get(name, True)
        if not isinstance(value, bool) and not (inherits and value is None):
            raise TypeError(f"{name} must be True or False, not {type(value).__name__}")


def _check_number(options: Mapping[str, Any], name: str, least: int) -> None:
    value = options.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")


_SESSION_FLAGS: Final = {
    "connector_owner": False,
    "auto_decompress": False,
    "requote_redirect_url": False,
    "retry_stale": False,
    "trust_env": False,
}
_REQUEST_FLAGS: Final = {
    "allow_redirects": False,
    "auto_decompress": True,
    "chunked": True,
    "expect100": False,
    "read_until_eof": False,
    "retry_stale": True,
    "trust_env": True,
}
