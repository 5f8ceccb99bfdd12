"""Errors of the session: what it refuses before anything is sent, and what it finds in a response.

    ClientError
    ├ ClientResponseError
    │ └ ContentTypeError                    the content is not of the type that was asked for
    ├ InvalidURL                            (+ ValueError)
    │ └ InvalidUrlClientError               no host, a bad port, a host that is none
    └ NonHttpUrlClientError                 a scheme that no connector of the session speaks

The rest of the tree is drawn in `wayfare_http_core` and `wayfare_connector`, where those errors come from.
"""

import sys

from wayfare_http_core import ClientError, ClientResponseError
from yarl import URL

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ContentTypeError", "InvalidURL", "InvalidUrlClientError", "NonHttpUrlClientError")


def _public(url: object) -> str:
    """The URL's text without its user and password.

    Of text that is no URL, everything before the last "@" goes: where user info ends there is anybody's guess.
    """
    if isinstance(url, URL) and url.absolute:
        return str(url.with_user(None))
    scheme, separator, rest = str(url).partition("://")
    if not separator:
        return scheme.rpartition("@")[2]
    return scheme + separator + rest.rpartition("@")[2]


class ContentTypeError(ClientResponseError):
    """The content's media type is not the expected one."""


class InvalidURL(ClientError, ValueError):
    """A URL that no request can go to. `url` is its text, with user and password removed; `description` says why."""

    url: str
    description: str | None

    def __init__(self, url: object, description: str | None = None) -> None:
        self.url = _public(url)
        self.description = description
        super().__init__(self.url, description)

    @override
    def __str__(self) -> str:
        return self.url if self.description is None else f"{self.url} - {self.description}"


class InvalidUrlClientError(InvalidURL):
    """The URL of a request is invalid."""


class NonHttpUrlClientError(ClientError):
    """The URL's scheme is none that the session can speak."""

    url: str

    def __init__(self, url: object) -> None:
        self.url = _public(url)
        super().__init__(self.url)

    @override
    def __str__(self) -> str:
        return f"{self.url}: not a URL for an HTTP client"
