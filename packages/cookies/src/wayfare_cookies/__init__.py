"""The cookie jars of the Wayfare HTTP client, for any client."""

from ._abstract import AbstractCookieJar, DummyCookieJar
from ._cookie import Cookie, Identity, SameSite
from ._cookie_map import CookieMap
from ._errors import (
    CookieError,
    CookieFormatError,
    StoreUnavailableError,
    StoreUnavailableWarning,
)
from ._explanation import Explanation
from ._jar import CookieJar
from ._parse import SetCookie, parse_set_cookie
from ._policy import CookieLimits, SiteContext
from ._public_suffixes import PublicSuffixes, PublicSuffixList
from ._rules import Rule
from ._store import Change, Changes, CookieStore, Revision, StoreOptions
from ._supplied import CookieValue, LooseCookies
from ._unstored import request_cookies, response_cookies
from ._version import __version__

__all__ = (
    "AbstractCookieJar",
    "Change",
    "Changes",
    "Cookie",
    "CookieError",
    "CookieFormatError",
    "CookieJar",
    "CookieLimits",
    "CookieMap",
    "CookieStore",
    "CookieValue",
    "DummyCookieJar",
    "Explanation",
    "Identity",
    "LooseCookies",
    "PublicSuffixList",
    "PublicSuffixes",
    "Revision",
    "Rule",
    "SameSite",
    "SetCookie",
    "SiteContext",
    "StoreOptions",
    "StoreUnavailableError",
    "StoreUnavailableWarning",
    "__version__",
    "parse_set_cookie",
    "request_cookies",
    "response_cookies",
)
