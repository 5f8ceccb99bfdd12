"""Redirects, decided purely: whether to follow, with which method, and what may go along.

Nothing here sends anything. `next_hop` takes the request that was answered and the head of its answer, and gives the
request to send next, or None for an answer that is to be returned as it is.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import Final, NamedTuple

from wayfare_http_core import ClientPayloadError, FieldBlock, RequestBody
from yarl import URL

from ._errors import (
    InvalidUrlClientError,
    InvalidUrlRedirectClientError,
    NonHttpUrlClientError,
    NonHttpUrlRedirectClientError,
)
from ._request import ClientRequest
from ._route import Route
from ._urls import PreparedURL, prepare_url, split_address, text_fault, with_raw_fragment

__all__ = (
    "HARMLESS",
    "REDIRECTS",
    "RedirectPolicy",
    "RedirectStep",
    "is_sensitive",
    "location_of",
    "next_hop",
    "same_origin",
)

REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
"""300 leaves the choice to the user, 304 to 306 are no redirects (RFC 9110 section 15.4)."""

_OF_CONTENT: Final = frozenset(
    (
        "content-digest",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "digest",
        "expect",
        "repr-digest",
        "trailer",
        "transfer-encoding",
    )
)
"""Fields that speak of the content: they go with it (RFC 9110 section 15.4)."""

_OF_ORIGIN: Final = frozenset(("host", "origin", "referer"))
"""Fields that name the origin that is left; a Host kept would send the request astray."""

_SECRETS: Final = frozenset(
    (
        "apikey",
        "auth",
        "authentication",
        "authorization",
        "cookie",
        "cookie2",
        "credential",
        "credentials",
        "csrf",
        "jwt",
        "key",
        "passwd",
        "password",
        "secret",
        "session",
        "sessionid",
        "sid",
        "signature",
        "token",
        "xsrf",
    )
)
"""Words that make a field a credential: Authorization, X-API-Key, Private-Token, X-CSRF-Token and the like."""

HARMLESS: Final = frozenset(("sec-websocket-key", "idempotency-key"))
"""Names with such a word that are none."""

_OF_CONNECTION: Final = {"ws": "http", "wss": "https"}
_OF_WEBSOCKET: Final = {"http": "ws", "https": "wss"}

_WORD: Final = re.compile(r"[a-z0-9]+", re.ASCII)
_UNSENDABLE: Final = re.compile(r"[^\x21-\x7e]", re.ASCII)
"""What no request line may contain."""


class RedirectStep(NamedTuple):
    """One redirect, as a policy sees it."""

    status: int
    """301, 302, 303, 307 or 308."""
    method: str
    """Of the request that was redirected."""
    url: URL
    """Of the request that was redirected, without user info."""
    location: URL
    """Where it leads: absolute, without user info."""
    headers: Mapping[str, str]
    """The fields of the response."""
    followed: int
    """Redirects followed before this one."""

    @property
    def is_downgrade(self) -> bool:
        """Whether it leads from an encrypted connection to one that is not."""
        return self.url.scheme in ("https", "wss") and self.location.scheme in ("http", "ws")

    @property
    def is_upgrade(self) -> bool:
        """Whether it leads to the same host, at default ports, from HTTP to HTTPS."""
        return (
            (self.url.scheme, self.location.scheme) in (("http", "https"), ("ws", "wss"))
            and self.url.is_default_port()
            and self.location.is_default_port()
            and self.url.raw_host == self.location.raw_host
        )

    @property
    def is_same_origin(self) -> bool:
        """Whether scheme, host and port stay the same (RFC 6454 section 5)."""
        return same_origin(self.url, self.location)


class RedirectPolicy:
    """Which redirects are followed, and which may be told the caller's secrets. Override either method, or both.

    Its methods must be quick and without side effects: they are asked in the middle of a request.

    - `allow_downgrade`: whether to follow from https to http. Credentials never go along.
    - `credentials_on_upgrade`: whether a redirect from http to https of the same host, at default ports, keeps the
    credentials. - `credentials_in_location`: whether user and password in a Location are used as Basic credentials
    where it leads to another origin.
    """

    __slots__ = ("allow_downgrade", "credentials_in_location", "credentials_on_upgrade")

    def __init__(
        self,
        *,
        allow_downgrade: bool = True,
        credentials_on_upgrade: bool = False,
        credentials_in_location: bool = False,
    ) -> None:
        self.allow_downgrade = allow_downgrade
        self.credentials_on_upgrade = credentials_on_upgrade
        self.credentials_in_location = credentials_in_location

    def follows(self, step: RedirectStep) -> bool:
        """Whether to follow; if not, the redirect is returned as the response."""
        return self.allow_downgrade or not step.is_downgrade

    def keeps_credentials(self, step: RedirectStep) -> bool:
        """Whether credentials and cookies of the request may go along. Not asked for a downgrade: they may not.

        What is dropped once stays dropped for the rest of the chain.
        """
        return step.is_same_origin or (self.credentials_on_upgrade and step.is_upgrade)


_USUAL: Final = RedirectPolicy()


def next_hop(
    request: ClientRequest,
    status: int,
    headers: Mapping[str, str],
    followed: int,
    sent: URL | None = None,
) -> ClientRequest | None:
    """The request to send after this one was answered with a redirect; None if the answer is the one to return.

    `followed` counts the redirects before. `sent` is the URL that was really asked, where a middleware chose another:
    a relative Location leads on from there (RFC 9110 section 10.2.2), and a policy is asked about the way from there.
    What may go along is decided by the request's own origin all the same, since its fields are for that one; but
    nothing secret leaves an encrypted connection for one that is not, whichever of the two URLs had it.

    Raises: `InvalidUrlRedirectClientError`, `NonHttpUrlRedirectClientError` for a Location that leads nowhere,
    `ClientPayloadError` where content would have to be sent again and cannot be.
    """
    settings = request.settings
    location = location_of(headers)
    if status not in REDIRECTS or location is None:
        return None
    target = _resolved(sent or request.real_url, location, requote=settings.requote_redirect_url)
    schemes = _OF_WEBSOCKET
    if request.url.scheme in _OF_CONNECTION:
        # A server need not know that it was asked for a WebSocket: its http means the same.
        schemes = _OF_CONNECTION
        target = target.with_scheme(_OF_WEBSOCKET.get(target.scheme, target.scheme))
    if target.scheme not in schemes:
        raise NonHttpUrlRedirectClientError(target)
    if not target.raw_host:
        raise InvalidUrlRedirectClientError(location, "the Location has no host")
    policy = settings.redirect_policy or _USUAL
    bare = target.with_user(None)
    step = RedirectStep(status, request.method, request.url, bare, headers, followed)
    real = step if sent is None else step._replace(url=sent.with_fragment(None))
    if not policy.follows(real):
        return None
    same = step.is_same_origin
    old = request.prepared
    prepared = _prepared(
        target if same or policy.credentials_in_location else bare,
        # The name to verify is that of one server.
        old.route if same else old.route._replace(server_hostname=None),
    )
    method = _method_after(status, request.method)
    keeps_content = method == request.method and (status != 303 or method == "HEAD")
    is_downgrade = step.is_downgrade or real.is_downgrade
    keeps_credentials = not is_downgrade and policy.keeps_credentials(step)
    following = request.redirected(
        method,
        prepared,
        _fields_after(
            request,
            prepared,
            _of_step(step, keeps_content=keeps_content),
            keeps_credentials=keeps_credentials,
        ),
        _content_after(request, status) if keeps_content else None,
    )
    if keeps_credentials:
        following.cookies = request.cookies
    return following


def _of_step(step: RedirectStep, *, keeps_content: bool) -> frozenset[str]:
    """The fields, in lower case, that mean nothing after this redirect."""
    of_content = frozenset() if keeps_content else _OF_CONTENT
    return of_content if step.is_same_origin else of_content | _OF_ORIGIN


def _fields_after(
    request: ClientRequest,
    prepared: PreparedURL,
    meaningless: frozenset[str],
    *,
    keeps_credentials: bool,
) -> FieldBlock:
    """The fields that go along (D2, D5)."""
    old = request.fields
    settings = request.settings
    dropped: set[str] = set(old.names & meaningless)
    if not keeps_credentials:
        dropped.update(name for name in old.names if is_sensitive(name, settings.sensitive_headers))
    if prepared.authorization is None:
        if not dropped:
            return old
        added = []
    else:
        dropped.add("authorization")
        added = [("Authorization", prepared.authorization)]
    return FieldBlock([pair for pair in old.pairs if pair[0].lower() not in dropped] + added)


def _content_after(request: ClientRequest, status: int) -> RequestBody | bytes | None:
    """The content, to be sent once more (D3)."""
    body = request.body
    if body is not None and not isinstance(body, bytes) and not body.replayable:
        raise ClientPayloadError(
            f"a {status} redirect asks for the content again, and it can be sent only once"
        )
    return body


def is_sensitive(name: str, registered: frozenset[str] = frozenset()) -> bool:
    """Whether a field of that name must not reach another origin: a known credential, by the words of its name, or
    one that the caller registered (in lower case)."""
    lower = name.lower()
    if lower in registered:
        return True
    return lower not in HARMLESS and not _SECRETS.isdisjoint(_WORD.findall(lower))


def same_origin(one: URL, other: URL) -> bool:
    """Whether two absolute URLs have scheme, host and port in common, default ports included.

    A WebSocket's scheme is that of the connection that it is opened on: ws is http, and wss is https. An IPv4 address
    is the same when it comes as an IPv4-mapped IPv6 address; a trailing dot makes another host.
    """
    return (
        _OF_CONNECTION.get(one.scheme, one.scheme) == _OF_CONNECTION.get(other.scheme, other.scheme)
        and one.port == other.port
        and _plain_host(one.raw_host) == _plain_host(other.raw_host)
    )


def location_of(headers: Mapping[str, str]) -> str | None:
    """Where a response says to go, as it says it; None if it does not, or says nothing.

    Of several Location fields the first counts. URI is what a few servers of old send instead.
    """
    return headers.get("Location") or headers.get("URI") or None


def _plain_host(host: str | None) -> str:
    host = (host or "").lower()
    if host.startswith("::ffff:"):
        mapped = IPv6Address(host.partition("%")[0]).ipv4_mapped
        if mapped is not None:
            return str(mapped)
    return host


def _method_after(status: int, method: str) -> str:
    if status == 303:
        return method if method == "HEAD" else "GET"
    if status in (301, 302) and method == "POST":
        return "GET"
    return method


def _resolved(base: URL, location: str, *, requote: bool) -> URL:
    """Where a Location leads from a URL (RFC 9110 section 10.2.2), its user info kept.

    Octets that no URL may contain are percent-encoded as they came, so that the server gets back what it sent.
    `requote` gives the rest the one spelling of yarl's; without it, it stays as it is.
    """
    scheme, authority, address, rest = split_address(location)
    if text_fault(address) is not None:
        raise InvalidUrlRedirectClientError(location, "the host of the Location is none")
    # Names of hosts are not percent-encoded: they become A-labels, or are refused.
    text = address + _UNSENDABLE.sub(_encoded, rest)
    if authority == "" and (scheme or base.scheme).lower() in ("http", "https"):
        raise InvalidUrlRedirectClientError(location, "the Location has no host")
    if scheme is not None and scheme.lower() == base.scheme and authority is None:
        # RFC 3986 section 5.2.2: "http:/x" is taken for "/x" as parsers of old did, and browsers do.
        text = text[len(scheme) + 1 :]
    try:
        reference = URL(text, encoded=not requote)
        # RFC 9110 section 10.2.2: the fragment is inherited where the Location has none.
        joined = base.with_fragment(None).join(reference)
    except ValueError:
        # The cause would quote it, and with it a password.
        raise InvalidUrlRedirectClientError(location, "the Location is no URL") from None
    if joined.raw_fragment or not base.raw_fragment:
        return joined
    return with_raw_fragment(joined, base.raw_fragment)


def _encoded(match: "re.Match[str]") -> str:
    return "".join(f"%{octet:02X}" for octet in match[0].encode("utf-8", "surrogateescape"))


def _prepared(url: URL, route: Route) -> PreparedURL:
    try:
        return prepare_url(url, route)
    except InvalidUrlClientError as exc:
        raise InvalidUrlRedirectClientError(exc.url, exc.description) from None
    except NonHttpUrlClientError as exc:
        # The connector has other schemes alone.
        raise NonHttpUrlRedirectClientError(exc.url) from None
