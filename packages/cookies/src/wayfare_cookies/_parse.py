"""The Set-Cookie field: RFC 6265bis section 5.6.

A field yields one cookie or none. Nothing is unquoted or percent-decoded, commas mean nothing,
attributes that are not known mean nothing. Every step is one pass over the text, so hostile fields
cost what their length costs.
"""

import re
import sys
from typing import NamedTuple

from ._cookie import SameSite
from ._dates import parse_cookie_date
from ._rules import Rule

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = (
    "MAX_AGE_LIMIT",
    "NAME_VALUE_LIMIT",
    "SAME_SITE",
    "SetCookie",
    "ascii_lower",
    "control_character",
    "max_age",
    "octets",
    "parse_set_cookie",
)

NAME_VALUE_LIMIT = 4096
"""Octets of name and value together (5.6 step 5, 5.7 step 4); all browsers have this number."""

ATTRIBUTE_LIMIT = 1024
"""Octets of one attribute's value (5.6, unparsed-attributes step 7)."""

MAX_AGE_LIMIT = 400 * 86_400
"""Seconds: no cookie lives longer than 400 days after it was set (5.5)."""

_SURELY_SHORT = 256
"""Characters that cannot be more than either limit's octets: a character has four octets at most."""

_KINDS = {
    prefix + spelling: spelling.lower()
    for name in (
        "Path",
        "Secure",
        "HttpOnly",
        "SameSite",
        "Expires",
        "Max-Age",
        "Domain",
        "Partitioned",
    )
    for spelling in (name, name.lower())
    for prefix in ("", " ")
}
"""Attributes by their name; the usual spellings, with the blank that stands before them, need no further look."""

control_character = re.compile(r"[\x00-\x08\x0A-\x1F\x7F]").search
_MAX_AGE = re.compile(r"-?[0-9]+")
SAME_SITE = {"strict": SameSite.STRICT, "lax": SameSite.LAX, "none": SameSite.NONE}
_TO_ASCII_LOWER = {upper: upper + 32 for upper in range(0x41, 0x5B)}


class SetCookie(NamedTuple):
    """A parsed Set-Cookie field: of each attribute the last occurrence that counts."""

    name: str
    value: str
    max_age: int | None = None
    """Seconds, at most `MAX_AGE_LIMIT`; zero or less means: remove."""
    expires: float | None = None
    """Seconds since 1970; not yet limited."""
    domain: str | None = None
    """Without one leading dot, not yet canonical; None or "" for the host itself."""
    path: str | None = None
    """Begins with "/"; "" when the attribute asks for the default path; None without the
    attribute.
    """
    secure: bool = False
    http_only: bool = False
    same_site: SameSite = SameSite.DEFAULT
    partitioned: bool = False

    @override
    def __repr__(self) -> str:
        # Values are credentials: they stay out of logs and tracebacks.
        return f"<SetCookie {self.name}=…>"


def parse_set_cookie(field: str) -> SetCookie | Rule:
    """Read one Set-Cookie field value; a `Rule` says why the field is ignored.

    `field` is the value on the wire as text (UTF-8 with surrogate escapes, or latin-1). Source:
    RFC 6265bis 5.6.
    """
    if control_character(field):  # step 1
        return Rule.CONTROL_CHARACTER
    pair, _, rest = field.partition(";")  # step 2
    name, equals, value = pair.partition("=")  # step 3
    if not equals:
        name, value = "", pair
    name = name.strip(" \t")  # step 4
    value = value.strip(" \t")
    if len(pair) > _SURELY_SHORT and octets(name) + octets(value) > NAME_VALUE_LIMIT:  # step 5
        return Rule.TOO_LONG
    if not rest:
        return SetCookie(name, value)
    return _with_attributes(name, value, rest)


def _with_attributes(name: str, value: str, rest: str) -> SetCookie:
    """The second half of 5.6, with 5.6.1 to 5.6.7 and CHIPS: the unparsed attributes, one by
    one.
    """
    lifetime: int | None = None
    expires: float | None = None
    domain: str | None = None
    path: str | None = None
    secure = http_only = partitioned = False
    same_site = SameSite.DEFAULT
    for attribute in rest.split(";"):
        key, _, given = attribute.partition("=")
        kind = _KINDS.get(key) or _KINDS.get(ascii_lower(key.strip(" \t")))
        if kind is None:
            continue
        if given:
            given = given.strip(" \t")
            if len(given) > _SURELY_SHORT and octets(given) > ATTRIBUTE_LIMIT:  # step 7
                continue
        if kind == "path":  # 5.6.4
            path = given if given[:1] == "/" else ""
        elif kind == "secure":  # 5.6.5
            secure = True
        elif kind == "httponly":  # 5.6.6
            http_only = True
        elif kind == "samesite":  # 5.6.7
            same_site = SAME_SITE.get(ascii_lower(given), SameSite.DEFAULT)
        elif kind == "expires":  # 5.6.1
            parsed = parse_cookie_date(given)
            expires = expires if parsed is None else parsed
        elif kind == "max-age":  # 5.6.2
            seconds = max_age(given)
            lifetime = lifetime if seconds is None else seconds
        elif kind == "domain":  # 5.6.3
            domain = given[1:] if given[:1] == "." else given
        else:
            partitioned = True
    return SetCookie(
        name, value, lifetime, expires, domain, path, secure, http_only, same_site, partitioned
    )


def max_age(given: str) -> int | None:
    """Seconds that a Max-Age value says, at most `MAX_AGE_LIMIT`; None where it says none. Source: RFC 6265bis
    5.6.2.
    """
    # The limit of step 7 holds for a Morsel's attribute too; int() raises for some thousand digits.
    if len(given) > ATTRIBUTE_LIMIT or not _MAX_AGE.fullmatch(given):
        return None
    return min(int(given), MAX_AGE_LIMIT)


def ascii_lower(text: str) -> str:
    """Lower-case A to Z and nothing else: str.lower() would turn a Kelvin sign into a k."""
    return text.lower() if text.isascii() else text.translate(_TO_ASCII_LOWER)


def octets(text: str) -> int:
    """The length of text on the wire, as UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
