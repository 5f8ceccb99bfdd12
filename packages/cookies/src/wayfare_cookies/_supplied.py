"""Cookies that a program puts into a jar itself: mappings, pairs, Morsels and our own `Cookie`.

They go through the same rules as a Set-Cookie field. What no field could say (a name with "=", a value with ";")
is the program's mistake, and raises; what a rule refuses is left out, as it is for servers.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, Union

from ._cookie import Cookie, SameSite
from ._cookie_map import CookieMap
from ._dates import parse_cookie_date
from ._match import canonical_host
from ._parse import SAME_SITE, SetCookie, ascii_lower, max_age, parse_set_cookie
from ._quoting import quote, unquote
from ._rules import Rule

if TYPE_CHECKING:
    import http.cookies

__all__ = ("CookieValue", "LooseCookies", "Supplied", "from_morsel", "several", "supplied")

CookieValue: TypeAlias = Union[str, int, Cookie, "http.cookies.Morsel[Any]"]
"""What may be given as the value of a cookie."""
LooseCookies: TypeAlias = Mapping[str, CookieValue] | Iterable[tuple[str, CookieValue] | Cookie]
"""What may be given as cookies: a mapping of names, pairs, or whole cookies, those of another jar for example."""


class Supplied(NamedTuple):
    """A cookie to store, and the host and path it brings along, which count where the caller gives no URL."""

    name: str
    parsed: SetCookie | Rule
    """The rule where the cookie is too long: then it is left out, as a server's is."""
    host: str = ""
    path: str = "/"
    partition_key: str | None = None

    def is_of(self, host: str) -> bool:
        """Whether a canonical host may have the cookie as its own: one that belongs to a single host stays with it."""
        if not self.host or isinstance(self.parsed, Rule) or self.parsed.domain:
            return True
        return canonical_host(self.host) == host


def supplied(cookies: LooseCookies, *, quoting: bool) -> Iterator[Supplied]:
    """Each cookie of any shape that `update_cookies` takes; `quoting` is the jar's `quote_cookie`.

    Raises:
        TypeError: something is no cookie.
        ValueError: a name or value cannot stand in a header field.
    """
    for item in _items(cookies):
        if isinstance(item, Cookie):
            yield _from_cookie(item)
            continue
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise TypeError(f"a pair of name and value, or a Cookie, not {type(item).__name__}")
        name, value = item
        if isinstance(value, Cookie):
            yield _from_cookie(value)
        elif isinstance(value, str | int):
            text = quote(str(value)) if quoting else str(value)
            yield Supplied(name, _sayable(SetCookie(name, text)))
        elif hasattr(value, "coded_value"):
            yield _from_morsel(value, quoting=quoting)
        else:
            raise TypeError(f"a cookie is a str, a Cookie or a Morsel, not {type(value).__name__}")


def several(headers: Iterable[str]) -> Iterable[str]:
    """The field values, unless they are one: a str is iterable, and each of its letters would set a cookie.

    Raises:
        TypeError: they are a str or bytes.
    """
    if isinstance(headers, str | bytes):
        raise TypeError("headers are several Set-Cookie values: put the one into a list")
    return headers


def _items(cookies: LooseCookies) -> Iterable[tuple[str, CookieValue] | Cookie]:
    if isinstance(cookies, CookieMap):
        return cookies.all
    return cookies.items() if isinstance(cookies, Mapping) else cookies


def _from_cookie(cookie: Cookie) -> Supplied:
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
    path = cookie.path or "/"
    return Supplied(cookie.name, _sayable(parsed), cookie.domain, path, cookie.partition_key)


def _from_morsel(morsel: "http.cookies.Morsel[Any]", *, quoting: bool) -> Supplied:
    parsed = from_morsel(morsel)
    if not quoting:
        parsed = parsed._replace(value=unquote(parsed.value))
    return Supplied(parsed.name, _sayable(parsed), parsed.domain or "", parsed.path or "/")


def from_morsel(morsel: "http.cookies.Morsel[Any]") -> SetCookie:
    """A Morsel's attributes, read as those of a Set-Cookie field are; the value as it stands on the wire."""
    expires = str(morsel["expires"])
    return SetCookie(
        morsel.key,
        morsel.coded_value,
        max_age(str(morsel["max-age"])),
        parse_cookie_date(expires) if expires else None,
        str(morsel["domain"]).removeprefix(".") or None,
        str(morsel["path"]) or None,
        bool(morsel["secure"]),
        bool(morsel["httponly"]),
        SAME_SITE.get(ascii_lower(str(morsel["samesite"])), SameSite.DEFAULT),
        bool(morsel.get("partitioned")),  # a Morsel has it from Python 3.14 on
    )


def _sayable(parsed: SetCookie) -> SetCookie | Rule:
    """The cookie, if a header field can say its name and value so that they are read as they are."""
    pair = f"{parsed.name}={parsed.value}"
    back = parse_set_cookie(pair)
    if back is Rule.TOO_LONG:
        return back
    if back != SetCookie(parsed.name, parsed.value) or not _encodable(pair):
        raise ValueError(f"no header field can carry the cookie {parsed.name!r} with this value")
    return parsed


def _encodable(pair: str) -> bool:
    """Whether text has octets: it has none for half a surrogate pair, except one that stands for an octet."""
    try:
        pair.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
