"""What can go wrong between a request and its response: the root of Wayfare's exception tree.

    Exception
    └ ClientError
      ├ ClientResponseError                 a response that is not what was asked for
      │ └ HttpProcessingError               bytes that break HTTP
      │   └ BadHttpMessage                  (status 400)
      │     ├ BadStatusLine
      │     │ └ UnsupportedVersionError     another protocol, or another version of this one
      │     ├ InvalidHeader
      │     ├ LineTooLong
      │     └ PayloadEncodingError          (+ ClientPayloadError)
      │       ├ TransferEncodingError       broken chunks
      │       ├ ContentLengthError          a length that is no length, or two of them
      │       └ ContentEncodingError        broken gzip, deflate, …
      ├ ClientConnectionError
      │ ├ ClientOSError                     (+ OSError)
      │ ├ ClientConnectionResetError        (+ ConnectionResetError)
      │ └ ServerConnectionError
      │   ├ ServerDisconnectedError
      │   └ ServerTimeoutError              (+ TimeoutError)
      │     └ SocketTimeoutError
      │       ├ SlowTransferError           octets arrive, but too few of them
      │       ├ FirstByteTimeoutError       no answer began
      │       ├ ReadTimeoutError            no octet came
      │       └ WriteTimeoutError           no octet was taken
      ├ ClientPayloadError
      │ ├ IncompleteBodyError               the connection ended before the body did
      │ └ BodyTooLargeError                 the body ran over a limit of the application
      └ UploadAbortedError

An exception here holds data and nothing that is alive, so it can be logged, pickled and kept. Its
message describes the failure at this level; `__cause__` describes the one below. Wire data in a
message is cut to `EXCERPT_OCTETS` and escaped, and no request field ever enters a message or a
`repr`: those fields carry credentials.
"""

import re
import sys
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from multidict import CIMultiDict, CIMultiDictProxy

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = (
    "EXCERPT_OCTETS",
    "BadHttpMessage",
    "BadStatusLine",
    "BodyTooLargeError",
    "ClientConnectionError",
    "ClientConnectionResetError",
    "ClientError",
    "ClientOSError",
    "ClientPayloadError",
    "ClientResponseError",
    "ContentEncodingError",
    "ContentLengthError",
    "FirstByteTimeoutError",
    "HttpProcessingError",
    "IncompleteBodyError",
    "InvalidHeader",
    "LineTooLong",
    "PayloadEncodingError",
    "ReadTimeoutError",
    "RequestFailure",
    "RequestInfoLike",
    "ResponseSummary",
    "ServerConnectionError",
    "ServerDisconnectedError",
    "ServerTimeoutError",
    "SlowTransferError",
    "SocketTimeoutError",
    "TransferEncodingError",
    "UnsupportedVersionError",
    "UploadAbortedError",
    "WriteTimeoutError",
)

EXCERPT_OCTETS = 100
"""How much of an offending line an error keeps: it can be recognised and fills no log (H28)."""

# The userinfo of an authority. It may itself hold "@" when the URL is malformed, hence the greedy
# match.
_USERINFO = re.compile(r"(?<=//)[^/?#\s]*@", re.ASCII)


class RequestInfoLike(Protocol):
    """The request that an error belongs to: data only, filled in by whoever built the request."""

    @property
    def url(self) -> object:
        """The URL without its fragment; `str()` gives its text."""

    @property
    def method(self) -> str:
        """The request method."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The fields as sent, credentials included: keep them out of messages and logs."""

    @property
    def real_url(self) -> object:
        """The URL with its fragment."""


class ResponseSummary(Protocol):
    """One response that was followed on the way to an error: data only, its connection is gone."""

    @property
    def method(self) -> str:
        """The method of the request it answered."""

    @property
    def url(self) -> object:
        """The URL of the request it answered."""

    @property
    def status(self) -> int:
        """The three-digit status code."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The response's fields."""


class RequestFailure(NamedTuple):
    """Which request an error ended, and how far it had come: data only, without credentials."""

    method: str
    urls: tuple[str, ...]
    """The URLs of its hops; the last one failed."""
    phase: str
    """What was going on, in words."""
    attempt: int = 1
    """Which attempt of the last hop it was, counted from 1."""
    elapsed: float | None = None
    """Seconds from the beginning of the first hop; None while the error is on its way to whoever knows."""
    reused: bool = False
    """Whether the connection had carried an exchange before."""
    request_started: bool = False
    """Whether any octet of the last hop's request was handed to the transport."""
    response_started: bool = False
    """Whether any octet of its answer had arrived."""


class ClientError(Exception):
    """What a request can fail with, except its total timeout, which is a plain `TimeoutError`.

    `failure` says which request it was, where one is known: whoever sends requests fills it in on the way out.
    """

    failure: RequestFailure | None = None


class ClientResponseError(ClientError):
    """A response arrived and is not what was asked for.

    `status` is 0 when there is none. `request_info` may be None: a part that knows no request
    raises the error, and the session fills it in on the way out. `body` is the beginning of the
    response's content, decoded, as far as it was at hand: no more than 64 KiB, often nothing, and
    never part of a message.
    """

    request_info: RequestInfoLike | None
    history: tuple[ResponseSummary, ...]
    status: int
    message: str
    headers: Mapping[str, str] | None
    body: bytes

    def __init__(
        self,
        request_info: RequestInfoLike | None,
        history: tuple[ResponseSummary, ...] = (),
        *,
        status: int | None = None,
        message: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.args = (request_info, history)
        self.request_info = request_info
        self.history = history
        self.status = 0 if status is None else status
        self.message = message
        self.headers = headers
        self.body = b""

    @property
    def code(self) -> int:
        """The status under its old name.

        Deprecated: use `status`.
        """
        warnings.warn("ClientResponseError.code is called status now", DeprecationWarning, 2)
        return self.status

    @override
    def __str__(self) -> str:
        return f"{self.status}, message={self.message!r}{self._where()}"

    # The default repr shows `args`, and with them the request's fields.
    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def _where(self) -> str:
        """The words that name the URL, without its user and password; none while it is unknown."""
        if self.request_info is None:
            return ""
        return f", url={_USERINFO.sub('', str(self.request_info.real_url))!r}"

    # A read-only view of a multidict does not pickle. Its pairs do, and become a view again.
    @override
    def __reduce__(self) -> tuple[Any, ...]:
        state = self.__dict__.copy()
        if isinstance(self.headers, CIMultiDictProxy):
            state["headers"] = tuple(self.headers.items())
        return type(self), self.args, state

    @override
    def __setstate__(self, state: dict[str, Any] | None) -> None:
        self.__dict__.update(state or {})
        if isinstance(self.headers, tuple):
            self.headers = CIMultiDictProxy(CIMultiDict(self.headers))


class HttpProcessingError(ClientResponseError):
    """The peer's bytes cannot be taken as HTTP."""

    def __init__(
        self,
        *,
        code: int | None = None,
        message: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(None, (), status=code, message=message, headers=headers)
        self.args = ()

    @property
    @override
    def code(self) -> int:
        """The status; not deprecated here."""
        return self.status

    @override
    def __str__(self) -> str:
        return f"{self.message}{self._where()}"


class BadHttpMessage(HttpProcessingError):
    """A message that breaks the grammar, the framing or a limit; its connection is closed.

    The status is 400 although it is the server that erred: callers tell protocol errors by that
    number.
    """

    def __init__(self, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code=400, message=message, headers=headers)
        self.args = (message,)


class BadStatusLine(BadHttpMessage):
    """The first line of a response is not a status line (RFC 9112 section 4).

    `line` is the beginning of the offending line, escaped. Other words than the usual ones can be
    given as `reason`.
    """

    line: str

    def __init__(self, line: bytes | str = b"", reason: str = "malformed status line") -> None:
        self.line = _excerpt(line)
        super().__init__(f'{reason}: "{self.line}"')
        self.args = (line[:EXCERPT_OCTETS], reason)


class UnsupportedVersionError(BadStatusLine):
    """The peer speaks another protocol, or another version of HTTP (RFC 9112 section 2.3)."""

    def __init__(
        self, line: bytes | str = b"", reason: str = "neither HTTP/1.0 nor HTTP/1.1"
    ) -> None:
        super().__init__(line, reason)


class InvalidHeader(BadHttpMessage):
    """A field line breaks the grammar (RFC 9112 section 5).

    `hdr` is the beginning of the offending line, escaped. Other words than the usual ones can be
    given as `reason`.
    """

    hdr: str

    def __init__(self, hdr: bytes | str, reason: str = "malformed field line") -> None:
        self.hdr = _excerpt(hdr)
        super().__init__(f'{reason}: "{self.hdr}"')
        self.args = (hdr[:EXCERPT_OCTETS], reason)


class LineTooLong(BadHttpMessage):
    """A line, or the head as a whole, runs over its limit.

    `line` is its beginning, escaped. `limit` is in octets, and so is `actual`: what had arrived
    when the limit was checked, None when that was not counted.
    """

    line: str
    limit: int
    actual: int | None

    def __init__(self, line: bytes | str, limit: int, actual: int | None = None) -> None:
        self.line = _excerpt(line)
        self.limit = limit
        self.actual = actual
        seen = "" if actual is None else f", {actual} arrived"
        super().__init__(f'more than {limit} octets{seen}: "{self.line}"')
        self.args = (line[:EXCERPT_OCTETS], limit, actual)


class ClientConnectionError(ClientError):
    """The connection could not be made, or broke."""


class ClientOSError(ClientConnectionError, OSError):
    """The operating system refused or ended the connection; `errno` and `strerror` say why."""


class ClientConnectionResetError(ClientConnectionError, ConnectionResetError):
    """The connection was lost while the request was still being written."""


class ServerConnectionError(ClientConnectionError):
    """The server's end of the connection is to blame."""


class ServerDisconnectedError(ServerConnectionError):
    """The server closed the connection before the response's head was complete."""

    message: str

    def __init__(self, message: str | None = None) -> None:
        self.message = "the server closed the connection" if message is None else message
        self.args = (self.message,)


class ServerTimeoutError(ServerConnectionError, TimeoutError):
    """The server took too long."""


class SocketTimeoutError(ServerTimeoutError):
    """Nothing moved on the connection for longer than the read or write timeout."""


class FirstByteTimeoutError(SocketTimeoutError):
    """The request was sent and no octet of an answer came within `seconds`."""

    seconds: float

    def __init__(self, seconds: float) -> None:
        self.args = (seconds,)
        self.seconds = seconds

    @override
    def __str__(self) -> str:
        return f"no answer began within {self.seconds:g} s of the end of the request"


class ReadTimeoutError(SocketTimeoutError):
    """No octet arrived for `seconds`, and it was the peer that had to send."""

    seconds: float

    def __init__(self, seconds: float) -> None:
        self.args = (seconds,)
        self.seconds = seconds

    @override
    def __str__(self) -> str:
        return f"nothing arrived for {self.seconds:g} s"


class WriteTimeoutError(SocketTimeoutError):
    """The peer took no octet of the request for `seconds`, although some waited."""

    seconds: float

    def __init__(self, seconds: float) -> None:
        self.args = (seconds,)
        self.seconds = seconds

    @override
    def __str__(self) -> str:
        return f"the peer took nothing of the request for {self.seconds:g} s"


class SlowTransferError(SocketTimeoutError):
    """Content arrived more slowly than the application allows.

    While somebody waited for `seconds`, fewer than `octets_per_second` times as many octets arrived.
    """

    octets_per_second: float
    seconds: float

    def __init__(self, octets_per_second: float, seconds: float) -> None:
        self.args = (octets_per_second, seconds)
        self.octets_per_second = octets_per_second
        self.seconds = seconds

    @override
    def __str__(self) -> str:
        return f"fewer than {self.octets_per_second:g} octets per second arrived for {self.seconds:g} seconds"


class ClientPayloadError(ClientError):
    """The body is incomplete or cannot be decoded; what was read before is right as it stands."""


class PayloadEncodingError(BadHttpMessage, ClientPayloadError):
    """The body breaks its own framing or coding."""


class TransferEncodingError(PayloadEncodingError):
    """The chunked coding is broken, or a transfer coding is not supported (RFC 9112 section 7)."""


class ContentLengthError(PayloadEncodingError):
    """Content-Length is malformed, out of range or contradicts itself (RFC 9112 section 6.3)."""


class ContentEncodingError(PayloadEncodingError):
    """The content coding is corrupt, truncated or over a limit (RFC 9110 section 8.4)."""


class IncompleteBodyError(ClientPayloadError):
    """The connection ended before the body did (RFC 9112 section 8).

    `received` counts the octets of content that came, before content decoding; `expected` is the
    announced number, None when the body had no announced length (chunked, or a coding that ends by
    itself).
    """

    received: int
    expected: int | None

    def __init__(self, received: int, expected: int | None = None) -> None:
        self.args = (received, expected)
        self.received = received
        self.expected = expected

    @override
    def __str__(self) -> str:
        if self.expected is None:
            return f"the connection ended after {self.received} octets, before the end of the body"
        missing = self.expected - self.received
        return (
            f"the connection ended after {self.received} of {self.expected} octets, "
            f"{missing} are missing"
        )


class BodyTooLargeError(ClientPayloadError):
    """The content is larger than the application allows; `limit` is in octets after decoding."""

    limit: int

    def __init__(self, limit: int) -> None:
        self.args = (limit,)
        self.limit = limit

    @override
    def __str__(self) -> str:
        return f"the body is larger than the limit of {self.limit} octets"


class UploadAbortedError(ClientError):
    """The request's body was given up before it was sent completely."""


def _excerpt(line: bytes | str) -> str:
    """The beginning of a line as printable ASCII."""
    text = line[:EXCERPT_OCTETS]
    if not isinstance(text, str):
        text = bytes(text).decode("latin-1")
    return text.encode("unicode_escape").decode("ascii")
