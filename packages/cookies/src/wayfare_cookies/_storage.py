"""From a parsed Set-Cookie field to the cookie that is stored: RFC 6265bis section 5.7.

Pure functions: time, policy and the stored cookies are arguments. The numbers in the comments are
the steps of the specification. The step that looks at other cookies (16) is a function of its own,
and the last two (23 and 24) belong to the jar; an ignored cookie is ignored whichever step says so
first.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from ._cookie import Cookie, Identity, SameSite
from ._match import default_path, domain_match, host_of, path_match
from ._parse import (
    MAX_AGE_LIMIT,
    NAME_VALUE_LIMIT,
    SetCookie,
    ascii_lower,
    control_character,
    octets,
)
from ._policy import Policy, Scope, SiteContext
from ._public_suffixes import is_public_suffix
from ._rules import Rule

__all__ = ("create_cookie", "expiry", "refused_pair", "restore_cookie", "would_hide_secure")

_EARLIEST = 0.0


def create_cookie(
    parsed: SetCookie,
    scope: Scope,
    *,
    now: float,
    policy: Policy,
    context: SiteContext | None = None,
    stored: Callable[[Identity], Cookie | None] | None = None,
) -> Cookie | Rule:
    """The cookie that a field sets, or the rule by which it is ignored.

    `stored` finds the stored cookie of an identity. What a server sets again unchanged is answered by the stored cookie
    itself. A cookie whose `expires` is not after `now` removes the stored one. `now` is in seconds since 1970.
    """
    if scope.numeric and not policy.unsafe:
        return Rule.IP_ADDRESS
    if not parsed.name and not parsed.value:  # 2; 3 and 4 are the parser's
        return Rule.EMPTY
    domain = _domain(parsed.domain, scope, policy)  # 7 to 10
    if isinstance(domain, Rule):
        return domain
    host_only = domain == ""
    refusal = _refused_flags(parsed, scope, policy, context)
    if refusal is not None:
        return refusal
    path = parsed.path or default_path(scope.path)  # 11
    if parsed.name[:2] == "__" or not parsed.name:
        refusal = _refused_prefix(parsed, path, host_only=host_only)
        if refusal is not None:
            return refusal
    partition = policy.partition(scope, context) if parsed.partitioned else None
    identity = Identity(parsed.name, domain or scope.host, host_only, path, partition)
    old = None if stored is None else stored(identity)
    expires = expiry(parsed, now)
    if (
        old is not None
        and old.value == parsed.value
        and old.expires == expires
        and old.secure == parsed.secure
        and old.http_only == parsed.http_only
        and old.same_site is parsed.same_site
    ):
        return old
    return Cookie(
        name=parsed.name,
        value=parsed.value,
        domain=identity.domain,
        path=path,
        host_only=host_only,
        expires=expires,
        secure=parsed.secure,
        http_only=parsed.http_only,  # 14
        same_site=parsed.same_site,
        partition_key=partition,
        created=now if old is None else old.created,  # 5 and 23.3
        last_used=now,
    )


def _refused_flags(
    parsed: SetCookie, scope: Scope, policy: Policy, context: SiteContext | None
) -> Rule | None:
    """Steps 12, 13 and 17 to 19, and CHIPS: what Secure, SameSite and Partitioned ask for."""
    if not parsed.secure:
        if parsed.same_site is SameSite.NONE:  # 19
            return Rule.NONE_NOT_SECURE
        if parsed.partitioned:
            return Rule.PARTITIONED_NOT_SECURE
    elif not scope.secure:  # 13
        return Rule.INSECURE_ORIGIN
    if (
        context is not None
        and parsed.same_site is not SameSite.NONE
        and not context.navigation
        and not policy.same_site(scope, context)
    ):  # 18
        return Rule.CROSS_SITE_RESPONSE
    return None


def refused_pair(name: str, value: str) -> Rule | None:
    """Steps 3 and 4, for a name and value that the parser has not seen."""
    if control_character(name) or control_character(value):
        return Rule.CONTROL_CHARACTER
    if octets(name) + octets(value) > NAME_VALUE_LIMIT:
        return Rule.TOO_LONG
    return None


def expiry(parsed: SetCookie, now: float) -> float | None:
    """Step 6, with the limits of 5.6.1 and 5.6.2: Max-Age wins over Expires wherever it stands. None without both."""
    if parsed.max_age is not None:
        return now + parsed.max_age if parsed.max_age > 0 else _EARLIEST
    if parsed.expires is not None:
        return min(parsed.expires, now + MAX_AGE_LIMIT)
    return None


def _domain(attribute: str | None, scope: Scope, policy: Policy) -> str | Rule:
    """Steps 7 to 10: the domain that the cookie is shared with, "" for the host alone, or a
    refusal.
    """
    if not attribute:
        return ""
    found = host_of(attribute)  # 8: by IDNA, as browsers do, where the draft just ignores
    if found is None:
        return Rule.BAD_DOMAIN
    domain = found.name
    if scope.numeric or found.numeric:
        return "" if domain == scope.host else Rule.DOMAIN_MISMATCH
    if is_public_suffix(domain, policy.public_suffixes):  # 9
        return "" if domain == scope.host else Rule.PUBLIC_SUFFIX
    # 10: a name domain-matches itself and every domain that it lies in.
    return domain if domain in scope.domains else Rule.DOMAIN_MISMATCH


def _refused_prefix(parsed: SetCookie, path: str, *, host_only: bool) -> Rule | None:
    """Steps 20 to 22, for names that begin with two underscores and for cookies without a name."""
    if not parsed.name:
        imitates = ascii_lower(parsed.value[:9]).startswith(("__secure-", "__host-"))
        return Rule.NAMELESS_PREFIX if imitates else None
    prefix = ascii_lower(parsed.name[:9])
    if prefix == "__secure-" and not parsed.secure:
        return Rule.SECURE_PREFIX
    if prefix.startswith("__host-") and not (
        parsed.secure and host_only and parsed.path is not None and path == "/"
    ):
        return Rule.HOST_PREFIX
    return None


def would_hide_secure(cookie: Cookie, scope: Scope, stored: Iterable[Cookie]) -> bool:
    """Step 16: whether a cookie from an insecure response overlays a Secure one among `stored`.

    `stored` must hold every cookie whose domain lies over or under the new cookie's.
    """
    if cookie.secure or scope.secure:
        return False
    return any(
        old.secure
        and old.name == cookie.name
        and (domain_match(old.domain, cookie.domain) or domain_match(cookie.domain, old.domain))
        and path_match(cookie.path, old.path)
        for old in stored
    )


def restore_cookie(cookie: Cookie, *, now: float, policy: Policy) -> Cookie | Rule:
    """A saved cookie as it may be used now: what is loaded is checked like what is received.

    A lifetime that is too long is cut, times in the future are taken back to `now`, and a cookie
    whose domain has become a public suffix since is refused (5.8.3, note).
    """
    host = host_of(cookie.domain)
    if host is None or host.name != cookie.domain:
        return Rule.BAD_DOMAIN
    if cookie.path[:1] != "/" or control_character(cookie.path) or ";" in cookie.path:
        return Rule.BAD_PATH
    parsed = SetCookie(
        cookie.name,
        cookie.value,
        None,
        cookie.expires,
        None if cookie.host_only else cookie.domain,
        cookie.path,
        cookie.secure,
        cookie.http_only,
        cookie.same_site,
        cookie.partitioned,
    )
    scheme = "https" if cookie.secure else "http"
    scope = Scope(host.name, cookie.path, cookie.secure, host.numeric, scheme, host.domains)
    created = refused_pair(cookie.name, cookie.value) or create_cookie(
        parsed, scope, now=now, policy=policy
    )
    if isinstance(created, Rule):
        return created
    if created.host_only and not cookie.host_only and not scope.numeric:
        return Rule.PUBLIC_SUFFIX
    if created.expires is not None and created.expires <= now:
        return Rule.EXPIRED
    return replace(
        created,
        created=min(cookie.created, now),
        last_used=min(cookie.last_used, now),
        partition_key=cookie.partition_key,
    )
