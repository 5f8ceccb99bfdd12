"""The keyword arguments of sessions and requests, typed once for all of them."""

import sys
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from wayfare_connector import BaseConnector
from wayfare_http_core import RequestBody

from ._bodies import JSONEncoder
from ._defaults import HeadersArgument
from ._timeout import ClientTimeout
from ._urls import Params

if sys.version_info >= (3, 12):
    from typing import Unpack
else:
    from typing_extensions import Unpack

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from wayfare_cookies import AbstractCookieJar, LooseCookies

    from ._middlewares import ClientMiddlewareType
    from ._redirects import RedirectPolicy
    from ._response import CharsetResolver, ClientResponse
    from ._tracing_config import TraceConfig

__all__ = (
    "Data",
    "RaiseForStatus",
    "RequestOptions",
    "SessionOptions",
    "Timeout",
    "Unpack",
    "check_kinds",
    "check_names",
    "checked_size",
)

Data: TypeAlias = bytes | bytearray | memoryview | str | AsyncIterable[bytes] | RequestBody
Timeout: TypeAlias = ClientTimeout | float | None
RaiseForStatus: TypeAlias = bool | Callable[["ClientResponse"], Awaitable[None]]


class RequestOptions(TypedDict, total=False):
    """What every verb takes beside the URL."""

    params: Params | None
    """Query parameters, added to those of the URL."""
    data: Data | None
    """The content to send; not together with `json`."""
    json: Any
    """A value to send as JSON; None for no content."""
    headers: HeadersArgument
    """Fields to send; each name replaces the session's fields of that name."""
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
    trace_request_ctx: Any
    """What the contexts of the session's trace configs are made with for this request."""


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
    """Whether a status of 400 and above raises `ClientResponseError`; or a coroutine function that decides."""
    json_serialize: JSONEncoder
    """What turns a value into JSON text: `json.dumps` unless given."""
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
    fallback_charset_resolver: "CharsetResolver"
    """Names the encoding of text whose charset is not said, from the response and its content; UTF-8 unless given."""
    loop: "AbstractEventLoop | None"
    """Ignored; a session is bound to the loop that it first runs in. Deprecated."""


_Size: TypeAlias = Literal["max_line_size", "max_field_size", "max_headers", "read_bufsize"]

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


def checked_size(options: SessionOptions, name: _Size, default: int) -> int:
    """A number of octets or fields among a session's arguments.

    Raises: TypeError for what is no whole number, ValueError below 1.
    """
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
    return value


def check_kinds(options: SessionOptions) -> None:
    """Refuse arguments of a session that are not what they should be.

    Raises: TypeError that names the argument.
    """
    connector = options.get("connector")
    if connector is not None and not isinstance(connector, BaseConnector):
        raise TypeError(f"connector must be a BaseConnector, not {type(connector).__name__}")
    jar = options.get("cookie_jar")
    if jar is not None:
        # Imported here: who gives a jar has it loaded.
        from wayfare_cookies import AbstractCookieJar

        if not isinstance(jar, AbstractCookieJar):
            raise TypeError(f"cookie_jar must be an AbstractCookieJar, not {type(jar).__name__}")
    for name in ("connector_owner", "auto_decompress"):
        if not isinstance(options.get(name, True), bool):
            raise TypeError(f"{name} must be True or False")
    for name in ("json_serialize", "fallback_charset_resolver"):
        if not callable(options.get(name, repr)):
            raise TypeError(f"{name} must be callable")
    check = options.get("raise_for_status", False)
    if not isinstance(check, bool) and not callable(check):
        raise TypeError("raise_for_status must be True, False or a coroutine function")
