"""Cookies that no jar keeps: those that a program gives to one request, and those that one response set."""

from collections.abc import Callable, Iterable
from itertools import islice
from time import time

from yarl import URL

from ._cookie import Cookie, Identity
from ._cookie_map import CookieMap
from ._match import canonical_host
from ._parse import SetCookie, parse_set_cookie
from ._policy import Policy, Scope, as_url, origins, scope_of
from ._public_suffixes import PublicSuffixList
from ._retrieval import withheld
from ._storage import create_cookie, expiry
from ._supplied import LooseCookies, several, supplied

__all__ = ("request_cookies", "response_cookies")

# Who names a host names an address too.
_POLICY = Policy(public_suffixes=PublicSuffixList(), unsafe=True)


def request_cookies(
    cookies: LooseCookies,
    url: str | URL,
    *,
    quote_cookie: bool = True,
    treat_as_secure_origin: str | URL | Iterable[str | URL] | None = None,
    clock: Callable[[], float] = time,
) -> CookieMap:
    """Those of a program's own cookies that go with a request to `url`, in the order given.

    `cookies` has the shapes that `CookieJar.update_cookies` takes. One that names no domain belongs to the URL,
    whatever its path; a domain, a path, an expiry or Secure that a Morsel or a `Cookie` brings along is obeyed. Of two
    cookies with one name, domain and path the later counts.

    Raises:
        ValueError: no header field can carry a name or value.
        TypeError: something is no cookie.
    """
    secure = origins(treat_as_secure_origin)
    policy = _POLICY
    if secure:
        policy = Policy(public_suffixes=_POLICY.public_suffixes, unsafe=True, secure_origins=secure)
    given = list(supplied(cookies, quoting=quote_cookie))
    scope = scope_of(as_url(url), policy)
    if scope is None:
        return CookieMap()
    now = clock()
    found: dict[Identity, Cookie] = {}
    for one in given:
        if not isinstance(one.parsed, SetCookie) or not one.is_of(scope.host):
            continue
        cookie = create_cookie(one.parsed, scope, now=now, policy=policy)
        if isinstance(cookie, Cookie) and not _is_withheld(cookie, scope, now, policy):
            found[cookie.identity] = cookie
    return CookieMap(found.values())


def _is_withheld(cookie: Cookie, scope: Scope, now: float, policy: Policy) -> bool:
    return withheld(cookie, scope, now, policy, None) is not None


def response_cookies(
    headers: Iterable[str], url: str | URL, *, clock: Callable[[], float] = time
) -> CookieMap:
    """What the Set-Cookie field values of a response to `url` say, whether a jar would keep it or not.

    An absent Domain or Path is "", as in a Morsel; a cookie that is to be removed is there, with its expiry. Fields
    that the parser ignores are left out (RFC 6265bis 5.6). Of two cookies of one name the mapping has the later.

    Raises:
        TypeError: `headers` is a single value.
    """
    scope = scope_of(as_url(url), _POLICY)
    now = clock()
    found: dict[tuple[str, str, str], Cookie] = {}
    for field in islice(several(headers), _POLICY.limits.per_response):
        parsed = parse_set_cookie(field)
        if isinstance(parsed, SetCookie) and (parsed.name or parsed.value):
            cookie = _as_said(parsed, scope, now)
            key = (cookie.name, cookie.domain, cookie.path)
            found.pop(key, None)  # the later one stands where it came
            found[key] = cookie
    return CookieMap(found.values(), later_wins=True)


def _as_said(parsed: SetCookie, scope: Scope | None, now: float) -> Cookie:
    domain = parsed.domain or ""
    partitioned = parsed.partitioned and scope is not None
    return Cookie(
        name=parsed.name,
        value=parsed.value,
        domain=canonical_host(domain) or domain,
        path=parsed.path or "",
        host_only=not domain,
        expires=expiry(parsed, now),
        secure=parsed.secure,
        http_only=parsed.http_only,
        same_site=parsed.same_site,
        partition_key=_POLICY.partition(scope, None) if partitioned and scope else None,
        created=now,
        last_used=now,
    )
