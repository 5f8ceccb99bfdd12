"""What applications write themselves, under the names that they know: a cookie jar, a resolver, payloads' writers."""

from wayfare_connector import AbstractResolver, ResolveResult
from wayfare_cookies import AbstractCookieJar
from wayfare_multipart import BodyWriter as AbstractStreamWriter

__all__ = ("AbstractCookieJar", "AbstractResolver", "AbstractStreamWriter", "ResolveResult")
