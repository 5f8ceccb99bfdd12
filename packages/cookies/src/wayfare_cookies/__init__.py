"""The cookie jars of the Wayfare HTTP client, for any client."""

from ._cookie import Cookie, Identity, SameSite
from ._errors import (
    CookieError,
    CookieFormatError,
    StoreUnavailableError,
    StoreUnavailableWarning,
)
from ._policy import CookieLimits, SiteContext
from ._public_suffixes import PublicSuffixes, PublicSuffixList
from ._rules import Rule
from ._version import __version__

__all__ = (
    "Cookie",
    "CookieError",
    "CookieFormatError",
    "CookieLimits",
    "Identity",
    "PublicSuffixList",
    "PublicSuffixes",
    "Rule",
    "SameSite",
    "SiteContext",
    "StoreUnavailableError",
    "StoreUnavailableWarning",
    "__version__",
)
