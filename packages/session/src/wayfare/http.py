"""Versions of HTTP, and what the User-Agent field says by default, where applications look for them."""

from wayfare_http_core import HttpVersion, HttpVersion10, HttpVersion11

from ._defaults import USER_AGENT as SERVER_SOFTWARE

__all__ = ("SERVER_SOFTWARE", "HttpVersion", "HttpVersion10", "HttpVersion11")
