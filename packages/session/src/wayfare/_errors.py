"""Errors of the session: what it refuses before anything is sent, and what it finds in a response.

    ClientError
    ├ ClientResponseError
    │ ├ ContentTypeError                    the content is not of the type that was asked for
    │ ├ DigestProofError                    a server did not prove that it knows the password
    │ └ TooManyRedirects                    the limit was reached
    ├ ClientPayloadError
    │ ├ ChecksumMismatchError               a download is not what its checksum says
    │ ├ DownloadMismatchError               a part of a download is none of the whole
    │ ├ EventTooLargeError                  an event that a server sent is longer than allowed
    │ └ JSONModelError                      (+ ValueError) JSON that is not what the type takes
    ├ InvalidURL                            (+ ValueError)
    │ └ InvalidUrlClientError               no host, a bad port, a host that is none
    │   └ InvalidUrlRedirectClientError     (+ RedirectClientError) a redirect leads to one
    ├ NonHttpUrlClientError                 a scheme that no connector of the session speaks
    │ └ NonHttpUrlRedirectClientError       (+ RedirectClientError) a redirect leads to one
    └ RedirectClientError                   a redirect leads nowhere
    TimeoutError
    └ TotalTimeoutError                     the whole took too long

The rest of the tree is drawn in `wayfare_http_core` and `wayfare_connector`, where those errors come from.
"""

import sys

from wayfare_http_core import (
    ClientError,
    ClientPayloadError,
    ClientResponseError,
    RequestFailure,
)
from yarl import URL

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = (
    "ChecksumMismatchError",
    "ContentTypeError",
    "DigestProofError",
    "DownloadMismatchError",
    "EventTooLargeError",
    "InvalidURL",
    "InvalidUrlClientError",
    "InvalidUrlRedirectClientError",
    "JSONModelError",
    "NonHttpUrlClientError",
    "NonHttpUrlRedirectClientError",
    "RedirectClientError",
    "TooManyRedirects",
    "TotalTimeoutError",
)


_MAX_SHOWN = 2000
"""Characters of a URL that an error keeps."""


def _public(url: object) -> str:
    """The URL's text without its user and password, and no more of it than a message can take.

    Of text that is no URL, everything before the last "@" goes: where user info ends there is anybody's guess.
    """
    if isinstance(url, URL) and url.absolute:
        text = str(url.with_user(None))
    else:
        scheme, separator, rest = str(url).partition("://")
        text = f"{scheme}://{rest.rpartition('@')[2]}" if separator else scheme.rpartition("@")[2]
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


class ContentTypeError(ClientResponseError):
    """The content's media type is not the expected one."""


class DigestProofError(ClientResponseError):
    """A server that was sent Digest credentials did not prove that it knows the password itself.

    What it sent as its proof is wrong, or there is none where one was wanted (RFC 7616 section 3.5).
    """


class TooManyRedirects(ClientResponseError):
    """More redirects than allowed; `history` has those that were followed, and the last response in the end."""


class ChecksumMismatchError(ClientPayloadError):
    """What was downloaded has another checksum; `expected` and `actual` are hex digits by `algorithm`."""

    algorithm: str
    expected: str
    actual: str

    def __init__(self, algorithm: str, expected: str, actual: str) -> None:
        super().__init__(algorithm, expected, actual)
        self.algorithm = algorithm
        self.expected = expected
        self.actual = actual

    @override
    def __str__(self) -> str:
        return f"the {self.algorithm} is {self.actual}, not {self.expected}"


class DownloadMismatchError(ClientPayloadError):
    """A part of a download came that is not of the file that was begun, or not the part that was asked for."""


class EventTooLargeError(ClientPayloadError):
    """A line or the data of an event that a server sent is longer than allowed; `limit` is in octets."""

    limit: int

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    @override
    def __str__(self) -> str:
        return f"an event is larger than the limit of {self.limit} octets"


class JSONModelError(ClientPayloadError, ValueError):
    """A value of JSON is not what the type takes that it was to become.

    `path` says where, in the notation of JSONPath: `$` is the whole, `$.items[3].price` a part. `reason` says what is
    wrong there. What another library or the type itself raised is the `__cause__`.
    """

    path: str
    reason: str

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    @override
    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


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


class RedirectClientError(ClientError):
    """A redirect leads nowhere."""


class InvalidUrlRedirectClientError(InvalidUrlClientError, RedirectClientError):
    """The Location of a redirect is no URL to go to."""


class NonHttpUrlRedirectClientError(NonHttpUrlClientError, RedirectClientError):
    """A redirect leads to a scheme other than http and https; nothing was opened."""


class TotalTimeoutError(TimeoutError):
    """The whole operation took longer than `ClientTimeout.total`, which is `seconds`.

    Like the TimeoutError that it is, it is no `ClientError`; `failure` is what it is there.
    """

    failure: RequestFailure | None = None
    seconds: float | None

    def __init__(self, seconds: float | None = None) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    @override
    def __str__(self) -> str:
        if self.seconds is None:
            return "the request took too long in total"
        return f"the request took longer than {self.seconds:g} s in total"
