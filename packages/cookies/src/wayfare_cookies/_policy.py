"""What a jar is told once: its limits, what it takes for secure, whose suffix list it trusts; and
what one request says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, final

from yarl import URL

from ._match import canonical_host, host_of
from ._public_suffixes import PublicSuffixes, site_of

__all__ = (
    "CookieLimits",
    "Policy",
    "Scope",
    "SiteContext",
    "as_url",
    "origins",
    "scope_of",
    "scope_of_host",
)

Origin = tuple[str, str | None, int | None]

_SECURE_SCHEMES = frozenset(("https", "wss"))
_HTTP_SCHEMES = {"ws": "http", "wss": "https"}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CookieLimits:
    """How much a jar holds, takes and sends; None means no limit.

    RFC 6265bis 6.1 asks for at least 50 cookies per domain and 3,000 in all.

    Raises:
        ValueError: a limit is negative.
    """

    per_domain: int | None = 180
    """Cookies of one domain; Firefox and Chrome have the same number."""
    total: int | None = 3_000
    """Cookies in the jar."""
    per_response: int | None = 50
    """Set-Cookie fields of one response, as in curl; further ones are ignored."""
    header_bytes: int | None = 8_192
    """Octets of a Cookie field value, as in curl; the cookies that come last in sending order are
    left out.
    """

    def __post_init__(self) -> None:
        for name in ("per_domain", "total", "per_response", "header_bytes"):
            limit = getattr(self, name)
            if limit is not None and limit < 0:
                raise ValueError(f"{name} is {limit}: a limit is 0 or more, or None")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SiteContext:
    """On whose behalf a request is made, for clients that show pages: SameSite and Partitioned
    need it.

    Without a context every request counts as made by its own site, which is what a program's
    requests are.
    """

    page: str | URL
    """The top-level page: where the request starts, and whose site is the partition."""
    method: str = "GET"
    navigation: bool = False
    """The response will replace the page (the user followed a link, or sent a form)."""

    @property
    def safe(self) -> bool:
        """Whether the method is safe. Source: RFC 9110 9.2.1."""
        return self.method in ("GET", "HEAD", "OPTIONS", "TRACE")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The choices that are the same for every cookie of a jar."""

    public_suffixes: PublicSuffixes
    unsafe: bool = False
    secure_origins: frozenset[Origin] = frozenset()
    limits: CookieLimits = CookieLimits()

    def same_site(self, scope: "Scope", context: SiteContext) -> bool:
        """Whether a request stays within the site of its page. Source: RFC 6265bis 5.2."""
        return self.partition(scope, None) == self._page_site(context)

    def partition(self, scope: "Scope", context: SiteContext | None) -> str:
        """The partition of a request: the site of the top-level page, which a navigation replaces.
        Source: CHIPS.
        """
        if context is None or context.navigation:
            return site_of(scope.scheme, scope.host, self.public_suffixes)
        return self._page_site(context)

    def _page_site(self, context: SiteContext) -> str:
        page = scope_of(as_url(context.page), self)
        # A page without a host (about:blank, a file) is nobody's site.
        return "" if page is None else site_of(page.scheme, page.host, self.public_suffixes)


class Scope(NamedTuple):
    """What the rules ask of a request's URL."""

    host: str
    """Canonical."""
    path: str
    """As it stands on the wire: percent-encoded."""
    secure: bool
    numeric: bool
    """The host is an IP address."""
    scheme: str
    """"http" or "https", also for WebSockets."""
    domains: tuple[str, ...]
    """The host and the domains over it, whose cookies may go with the request."""


def as_url(url: str | URL) -> URL:
    """A URL from either spelling that callers use."""
    return URL(url) if isinstance(url, str) else url


def scope_of(url: URL, policy: Policy) -> Scope | None:
    """The scope of a URL, or None where it has no host. The URL decides, never a Host header."""
    scope = _scope_by_scheme(url)
    if (
        policy.secure_origins
        and scope is not None
        and (url.scheme, scope.host, url.port) in policy.secure_origins
    ):
        return scope._replace(secure=True)
    return scope


def scope_of_host(raw: str, *, path: str) -> Scope | None:
    """The scope of a host by itself, as if a secure connection led to it; None where it is none."""
    host = host_of(raw)
    return (
        None if host is None else Scope(host.name, path, True, host.numeric, "https", host.domains)
    )


@lru_cache(maxsize=256)
def _scope_by_scheme(url: URL) -> Scope | None:
    """Remembered, because a request asks three times: what to send, what came, and again after a redirect."""
    host = host_of(url.raw_host or "")
    if host is None:
        return None
    scheme = url.scheme
    return Scope(
        host.name,
        url.raw_path or "/",
        scheme in _SECURE_SCHEMES,
        host.numeric,
        _HTTP_SCHEMES.get(scheme, scheme),
        host.domains,
    )


def origins(given: str | URL | Iterable[str | URL] | None) -> frozenset[Origin]:
    """`treat_as_secure_origin` in any of its shapes, as a set to look origins up in.

    Raises:
        ValueError: one of them is no origin.
    """
    if given is None:
        return frozenset()
    found = (given,) if isinstance(given, str | URL) else tuple(given)
    urls = [as_url(one).origin() for one in found]
    return frozenset((url.scheme, canonical_host(url.raw_host or ""), url.port) for url in urls)
