"""The cookie jars, where applications look for them."""

from wayfare_cookies import CookieJar, DummyCookieJar

__all__ = ("CookieJar", "DummyCookieJar")
