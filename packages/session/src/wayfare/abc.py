"""What applications write themselves, under the names that they know: a cookie jar, a resolver."""

from wayfare_connector import AbstractResolver, ResolveResult
from wayfare_cookies import AbstractCookieJar

__all__ = ("AbstractCookieJar", "AbstractResolver", "ResolveResult")
