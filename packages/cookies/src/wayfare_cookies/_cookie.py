"""One stored cookie, as RFC 6265bis section 5.7 describes it, and its forms outside a jar."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from time import gmtime
from typing import TYPE_CHECKING, Any, NamedTuple, final

from ._errors import CookieFormatError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import http.cookiejar
    import http.cookies

__all__ = ("Cookie", "Identity", "SameSite")


class SameSite(StrEnum):
    """The same-site-flag. DEFAULT means that the server gave none that is known; it is enforced as
    LAX.
    """

    STRICT = "Strict"
    LAX = "Lax"
    NONE = "None"
    DEFAULT = "Default"


class Identity(NamedTuple):
    """What makes two cookies the same cookie (5.7 step 23; the partition as CHIPS adds it)."""

    name: str
    domain: str
    host_only: bool
    path: str
    partition_key: str | None


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Cookie:
    """One cookie.

    `value` is what stands on the wire: nothing is unquoted, decoded or quoted again. Times are
    seconds since 1970-01-01 UTC. Two cookies are equal when all but `last_used` is equal.
    """

    name: str
    value: str
    domain: str
    """Canonical: lower case, A-labels, without a leading dot."""
    path: str = "/"
    host_only: bool = True
    """True: only the host `domain` itself gets the cookie; False: hosts under it too."""
    expires: float | None = None
    """When it ends; None: with the session (the persistent-flag is false)."""
    secure: bool = False
    http_only: bool = False
    same_site: SameSite = SameSite.DEFAULT
    partition_key: str | None = None
    """The top-level site in whose partition the cookie lives, or None for a cookie that is not
    partitioned.
    """
    created: float = 0.0
    last_used: float = field(default=0.0, compare=False)

    @property
    def partitioned(self) -> bool:
        """Whether the cookie was set with the Partitioned attribute."""
        return self.partition_key is not None

    @property
    def persistent(self) -> bool:
        """Whether the cookie outlives the session."""
        return self.expires is not None

    @property
    def identity(self) -> Identity:
        """The key under which a jar keeps this cookie."""
        return Identity(self.name, self.domain, self.host_only, self.path, self.partition_key)

    @property
    def key(self) -> str:
        """The name, spelled as `http.cookies.Morsel` spells it."""
        return self.name

    @property
    def coded_value(self) -> str:
        """The value on the wire, spelled as `http.cookies.Morsel` spells it."""
        return self.value

    @property
    def pair(self) -> str:
        """What a Cookie header field says of this cookie. Source: RFC 6265bis 5.8.3 step 4."""
        return f"{self.name}={self.value}" if self.name else self.value

    def __getitem__(self, attribute: str) -> Any:
        """An attribute by the key that `http.cookies.Morsel` has for it: "domain", "path",
        "httponly", …

        Absent attributes are "" as they are there; "domain" is there for a host-only cookie too.

        Raises:
            KeyError: a Morsel has no such key.
        """
        return self._attributes()[attribute]

    def _attributes(self) -> dict[str, Any]:
        given = self.same_site is not SameSite.DEFAULT
        return {
            "domain": self.domain,
            "path": self.path,
            "expires": "" if self.expires is None else _http_date(self.expires),
            "max-age": "",
            "secure": self.secure or "",
            "httponly": self.http_only or "",
            "samesite": self.same_site.value if given else "",
            "partitioned": self.partitioned or "",
            "comment": "",
            "version": "",
        }

    @override
    def __repr__(self) -> str:
        # Values are credentials: they stay out of logs and tracebacks.
        return (
            f"<Cookie {self.name}=… for {'' if self.host_only else '*.'}{self.domain}{self.path}>"
        )

    def to_json(self) -> dict[str, Any]:
        """The cookie as a dictionary of JSON values; fields that have their default are left
        out.
        """
        found: dict[str, Any] = {
            "name": self.name,
            "value": self.value,
            "domain": self.domain,
            "path": self.path,
            "host_only": self.host_only,
            "created": self.created,
            "last_used": self.last_used,
        }
        if self.expires is not None:
            found["expires"] = self.expires
        if self.secure:
            found["secure"] = True
        if self.http_only:
            found["http_only"] = True
        if self.same_site is not SameSite.DEFAULT:
            found["same_site"] = self.same_site.value
        if self.partition_key is not None:
            found["partition_key"] = self.partition_key
        return found

    @classmethod
    def from_json(cls, data: object) -> "Cookie":
        """The cookie that `to_json` wrote. Types are checked; a jar checks the rules again when it
        loads.

        Raises:
            CookieFormatError: a field is missing, unknown, or of another type.
        """
        if not isinstance(data, Mapping):
            raise CookieFormatError("a cookie is a JSON object")
        unknown = data.keys() - _JSON_TYPES.keys()
        missing = _REQUIRED - data.keys()
        if unknown or missing:
            raise CookieFormatError(f"a cookie's fields: {sorted(unknown | missing)!r}")
        for name, value in data.items():
            # bool is an int to isinstance, and 1 is no flag.
            if type(value) not in _JSON_TYPES[name]:
                raise CookieFormatError(f"a cookie's {name!r} is a {type(value).__name__}")
            # Also false for NaN, which JSON has no word for but Python's reader takes.
            if type(value) in _NUMBER and not abs(value) < _FAR:
                raise CookieFormatError(f"a cookie's {name!r} is no time")
        fields: dict[str, Any] = dict(data)
        if "same_site" in fields:
            try:
                fields["same_site"] = SameSite(fields["same_site"])
            except ValueError as error:
                raise CookieFormatError("a cookie's 'same_site' is no known word") from error
        return cls(**fields)

    def to_morsel(self) -> "http.cookies.Morsel[str]":
        """The cookie as the standard library's `http.cookies.Morsel`; `value` is unquoted there.

        Raises:
            http.cookies.CookieError: a Morsel cannot have this name or value.
        """
        from ._conversion import to_morsel

        return to_morsel(self)

    @classmethod
    def from_morsel(cls, morsel: "http.cookies.Morsel[Any]", host: str, *, now: float) -> "Cookie":
        """A Morsel as a cookie of `host`, with its coded value. `now` dates it and its Max-Age.

        Nothing is checked here: `CookieJar.update_cookies` takes Morsels and applies the rules.
        """
        from ._conversion import from_morsel

        return from_morsel(morsel, host, now)

    def to_http_cookiejar(self) -> "http.cookiejar.Cookie":
        """The cookie as the standard library's `http.cookiejar.Cookie`."""
        from ._conversion import to_http_cookiejar

        return to_http_cookiejar(self)

    @classmethod
    def from_http_cookiejar(cls, cookie: "http.cookiejar.Cookie", *, now: float) -> "Cookie":
        """A cookie of the standard library's jar; `now` is its creation time, which is not kept
        there.
        """
        from ._conversion import from_http_cookiejar

        return from_http_cookiejar(cookie, now)


_NUMBER = (int, float)
_FAR = 1e13
"""Seconds; three hundred thousand years, more than any Expires can say."""
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "value": (str,),
    "domain": (str,),
    "path": (str,),
    "host_only": (bool,),
    "created": _NUMBER,
    "last_used": _NUMBER,
    "expires": _NUMBER,
    "secure": (bool,),
    "http_only": (bool,),
    "same_site": (str,),
    "partition_key": (str,),
}
_REQUIRED = frozenset(("name", "value", "domain", "path", "host_only"))
_DAYS = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _http_date(seconds: float) -> str:
    """Seconds since 1970 as an IMF-fixdate, in English whatever the locale is; beyond year 9999
    its last second.
    """
    seconds = int(min(max(seconds, 0.0), 253_402_300_799.0))  # Y1: a number
    at = gmtime(seconds)
    return (
        f"{_DAYS[seconds // 86_400 % 7]}, {at.tm_mday:02} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04} "
        f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT"
    )
