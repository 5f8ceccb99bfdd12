"""Cookies of the standard library, both ways. Only this module imports `http.cookies` and
`http.cookiejar`.

Its functions are reached through `Cookie`, which imports this module when one is called:
`http.cookiejar` brings `socket` and `email`, which a jar has no use for.
"""

import http.cookiejar
import http.cookies
from typing import Any

from ._cookie import Cookie, SameSite
from ._parse import SAME_SITE, ascii_lower
from ._quoting import unquote
from ._supplied import from_morsel as morsel_fields

__all__ = ("from_http_cookiejar", "from_morsel", "to_http_cookiejar", "to_morsel")


def to_morsel(cookie: Cookie) -> "http.cookies.Morsel[str]":
    """See `Cookie.to_morsel`."""
    morsel: http.cookies.Morsel[str] = http.cookies.Morsel()
    morsel.set(cookie.name, unquote(cookie.value), cookie.value)
    for attribute in list(morsel):  # "partitioned" is known from Python 3.14 on
        morsel[attribute] = cookie[attribute]
    if cookie.host_only:
        morsel["domain"] = ""
    return morsel


def from_morsel(morsel: "http.cookies.Morsel[Any]", host: str, now: float) -> Cookie:
    """See `Cookie.from_morsel`."""
    parsed = morsel_fields(morsel)
    expires = parsed.expires if parsed.max_age is None else now + parsed.max_age
    return Cookie(
        name=parsed.name,
        value=parsed.value,
        domain=ascii_lower(parsed.domain or host),
        path=parsed.path or "/",
        host_only=not parsed.domain,
        expires=expires,
        secure=parsed.secure,
        http_only=parsed.http_only,
        same_site=parsed.same_site,
        created=now,
        last_used=now,
    )


def to_http_cookiejar(cookie: Cookie) -> http.cookiejar.Cookie:
    """See `Cookie.to_http_cookiejar`."""
    rest: dict[str, str | None] = {}
    if cookie.http_only:
        rest["HttpOnly"] = None
    if cookie.same_site is not SameSite.DEFAULT:
        rest["SameSite"] = cookie.same_site.value
    if cookie.partition_key is not None:
        rest["Partitioned"] = cookie.partition_key
    # There, a cookie without a name is one without a value.
    name, value = (cookie.name, cookie.value) if cookie.name else (cookie.value, None)
    return http.cookiejar.Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain=_effective_host(cookie.domain) if cookie.host_only else "." + cookie.domain,
        domain_specified=not cookie.host_only,
        domain_initial_dot=not cookie.host_only,
        path=cookie.path,
        path_specified=True,
        secure=cookie.secure,
        expires=None if cookie.expires is None else int(cookie.expires),  # Y1: a number
        discard=cookie.expires is None,
        comment=None,
        comment_url=None,
        rest=rest,  # type: ignore[arg-type]  # typeshed has no None here; the standard library puts it
        rfc2109=False,
    )


def from_http_cookiejar(cookie: http.cookiejar.Cookie, now: float) -> Cookie:
    """See `Cookie.from_http_cookiejar`."""
    same_site = cookie.get_nonstandard_attr("SameSite") or ""
    partition = cookie.get_nonstandard_attr("Partitioned")
    nameless = cookie.value is None
    return Cookie(
        name="" if nameless else cookie.name,
        value=cookie.name if cookie.value is None else cookie.value,
        domain=_plain_host(cookie.domain),
        path=cookie.path,
        host_only=not cookie.domain.startswith("."),
        expires=cookie.expires,
        secure=cookie.secure,
        http_only=cookie.has_nonstandard_attr("HttpOnly"),
        same_site=SAME_SITE.get(ascii_lower(same_site), SameSite.DEFAULT),
        partition_key=partition or None,
        created=now,
        last_used=now,
    )


def _effective_host(host: str) -> str:
    """RFC 2965's effective host name, by which that jar files hosts without a dot."""
    if ":" in host:
        return f"[{host}].local"
    return host if "." in host else host + ".local"


def _plain_host(domain: str) -> str:
    """The host behind a domain of that jar. "web.local" may be a host's real name, so it stays."""
    domain = ascii_lower(domain.removeprefix("."))
    if domain.startswith("["):
        return domain[1:].partition("]")[0]
    return "localhost" if domain == "localhost.local" else domain
