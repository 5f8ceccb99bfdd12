"""Message heads as values: what a request asks and what a response answered."""

import sys
from typing import final

from multidict import CIMultiDict, CIMultiDictProxy

from ._fields import EMPTY_FIELDS, FieldBlock
from ._http_version import HttpVersion, HttpVersion11

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("RequestHead", "ResponseHead")


@final
class RequestHead:
    """A request head that belongs to no HTTP version yet; not to be changed.

    The connection that sends it derives the target form (RFC 9112 section 3.2) and adds the fields of its own hop:
    framing and connection management. `authority` is the host with its port, as a Host field carries it, without
    user info; `path` is the path with its query, percent-encoded, or `*`. `version` is what an HTTP/1 connection calls
    itself, 1.1 or 1.0; with 1.0, content must have a length, and no other request follows on the connection. Whoever
    sends the same head often keeps it: a connection leaves its encoded form with it.
    """

    __slots__ = ("_encoded", "authority", "fields", "method", "path", "scheme", "version")

    def __init__(
        self,
        method: str,
        scheme: str,
        authority: str,
        path: str,
        fields: FieldBlock = EMPTY_FIELDS,
        version: HttpVersion = HttpVersion11,
    ) -> None:
        self.method = method
        self.version = version
        self.scheme = scheme
        self.authority = authority
        self.path = path
        self.fields = fields
        self._encoded: bytes | None = None

    @override
    def __repr__(self) -> str:
        # No path: queries carry secrets.
        return f"<RequestHead {self.method} {self.scheme}://{self.authority}>"


@final
class ResponseHead:
    """A response's status line and fields.

    `headers` keeps names in the case received and is looked up in any case; values are UTF-8 with `surrogateescape`,
    so that no octet is lost. A field that came several times is there several times: `headers[name]` is the first
    (the rule for singletons such as Location or Content-Type), `headers.getall(name)` all. Content-Length is the
    exception: differing values are refused by the framing rules.
    """

    __slots__ = ("_raw", "_raw_headers", "headers", "reason", "status", "version")

    version: HttpVersion
    status: int
    reason: str
    headers: CIMultiDictProxy[str]

    def __init__(
        self, status_line: tuple[HttpVersion, int, str], headers: CIMultiDict[str], raw: bytes
    ) -> None:
        self.version, self.status, self.reason = status_line
        self.headers = CIMultiDictProxy(headers)
        self._raw = raw
        self._raw_headers: tuple[tuple[bytes, bytes], ...] | None = None

    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The fields as octets, in order, with the white space around values removed."""
        if self._raw_headers is None:
            lines = self._raw.split(b"\r\n")[1:]
            parts = [line.partition(b":") for line in lines]
            self._raw_headers = tuple([(name, value.strip(b" \t")) for name, _, value in parts])
        return self._raw_headers

    @property
    def is_informational(self) -> bool:
        """Whether a final response is still to come (RFC 9110 section 15.2); 101 is final for HTTP."""
        return self.status < 200 and self.status != 101

    @override
    def __repr__(self) -> str:
        return f"<ResponseHead {self.status} {self.reason!r}, {len(self.headers)} fields>"
