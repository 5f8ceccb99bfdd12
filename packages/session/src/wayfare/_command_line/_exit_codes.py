"""What the process's exit status tells a script."""

import ssl
from enum import IntEnum
from typing import Final, TypeGuard

from wayfare_http_core import HttpProcessingError

from wayfare import (
    ClientConnectionError,
    ClientError,
    ClientHttpProxyError,
    ClientPayloadError,
    ClientProxyConnectionError,
    ClientResponseError,
    ClientSSLError,
    InvalidURL,
    NonHttpUrlClientError,
    ProxyTimeoutError,
    ServerFingerprintMismatch,
    TooManyRedirects,
)

__all__ = ("ExitCode", "code_of", "code_of_status")


class ExitCode(IntEnum):
    """The exit statuses of the program."""

    OK = 0
    ERROR = 1
    """Something that has no number of its own."""
    USAGE = 2
    """The arguments make no sense."""
    REDIRECT = 3
    """With `--check-status`: the response is a redirect that was not followed."""
    CLIENT_ERROR = 4
    """4xx, where a file or a WebSocket was wanted, or with `--check-status`."""
    SERVER_ERROR = 5
    """5xx, likewise."""
    TOO_MANY_REDIRECTS = 6
    TIMEOUT = 7
    CONNECTION = 8
    """No connection to the server, or it was lost."""
    TLS = 9
    """The server's certificate is not accepted, or the TLS handshake failed."""
    PROXY = 10
    """The proxy cannot be reached, or refuses."""
    ANSWER = 11
    """What the server sent is no HTTP, or is cut short."""
    FILE = 12
    """A file cannot be read or written."""
    INTERRUPTED = 130


# The first that fits counts, so what is special stands before what is general.
_CODES: Final[
    tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], ExitCode], ...]
] = (
    ((ClientProxyConnectionError, ClientHttpProxyError, ProxyTimeoutError), ExitCode.PROXY),
    (TooManyRedirects, ExitCode.TOO_MANY_REDIRECTS),
    ((ClientSSLError, ServerFingerprintMismatch, ssl.SSLError), ExitCode.TLS),
    ((InvalidURL, NonHttpUrlClientError), ExitCode.USAGE),
    (TimeoutError, ExitCode.TIMEOUT),
    (ClientPayloadError, ExitCode.ANSWER),
    (ClientConnectionError, ExitCode.CONNECTION),
    (ClientError, ExitCode.ANSWER),
    (OSError, ExitCode.FILE),
    (ValueError, ExitCode.USAGE),
)


def code_of(error: BaseException) -> ExitCode:
    """The exit status for a failure; for a response of 400 and above where another was needed, that of its status."""
    for kinds, code in _CODES:
        if isinstance(error, kinds):
            if code == ExitCode.ANSWER and _is_of_status(error):
                return code_of_status(error.status)
            return code
    return ExitCode.ERROR


def _is_of_status(error: BaseException) -> TypeGuard[ClientResponseError]:
    """Whether it is the status that is wrong; what is no HTTP has one of 400 that nobody sent."""
    if isinstance(error, HttpProcessingError):
        return False
    return isinstance(error, ClientResponseError) and error.status >= 400


def code_of_status(status: int) -> ExitCode:
    """The exit status for a response, where statuses count."""
    if status >= 500:
        return ExitCode.SERVER_ERROR
    if status >= 400:
        return ExitCode.CLIENT_ERROR
    return ExitCode.REDIRECT if 300 <= status < 400 else ExitCode.OK
