"""`ClientRequest`: a request as plain data, until it is sent."""

import sys
from collections.abc import Callable
from typing import NamedTuple, final

from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_http_core import FieldBlock, RequestBody
from yarl import URL

from ._timeout import ClientTimeout

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ClientRequest", "RequestInfo")


class RequestInfo(NamedTuple):
    """The request that a response or an error belongs to.

    `headers` are the session's and the caller's; what the connection adds (Host, framing) is not among them.
    `url` is without its fragment, `real_url` with it; neither has user info.
    """

    url: URL
    method: str
    headers: CIMultiDictProxy[str]
    real_url: URL

    @override
    def __repr__(self) -> str:
        # No fields: they carry credentials, and tracebacks and logs print this.
        return f"<RequestInfo {self.method} {self.url}>"

    @override
    def __reduce__(self) -> "tuple[Callable[..., RequestInfo], tuple[object, ...]]":
        # A read-only view of a multidict does not pickle; its pairs do.
        return _restore, (self.url, self.method, tuple(self.headers.items()), self.real_url)


def _restore(
    url: URL, method: str, fields: tuple[tuple[str, str], ...], real_url: URL
) -> RequestInfo:
    return RequestInfo(url, method, CIMultiDictProxy(CIMultiDict(fields)), real_url)


@final
class ClientRequest:
    """One request of a session: what to ask, whom, and within which time. Mutable until it is sent.

    `url` has neither fragment nor user info; `real_url` has the fragment. `body` is None, octets, or what yields them.
    """

    __slots__ = ("_block", "_headers", "body", "method", "real_url", "timeout", "url")

    def __init__(
        self,
        method: str,
        url: URL,
        real_url: URL,
        fields: FieldBlock,
        body: RequestBody | bytes | None,
        timeout: ClientTimeout,
    ) -> None:
        self.method = method
        self.url = url
        self.real_url = real_url
        self.body = body
        self.timeout = timeout
        self._block = fields
        self._headers: CIMultiDict[str] | None = None

    @property
    def headers(self) -> CIMultiDict[str]:
        """The fields to send, in order; yours to change. Made when first asked for: most requests send defaults."""
        if self._headers is None:
            self._headers = CIMultiDict(self._block.pairs)
        return self._headers

    @property
    def fields(self) -> FieldBlock:
        """The fields as they will be sent, checked and encoded.

        Raises: ValueError, TypeError where a field cannot be sent.
        """
        if self._headers is not None:
            return FieldBlock(self._headers)
        return self._block

    @property
    def request_info(self) -> RequestInfo:
        """A frozen summary, for responses and errors."""
        return RequestInfo(
            self.url, self.method, CIMultiDictProxy(self.headers.copy()), self.real_url
        )

    @override
    def __repr__(self) -> str:
        return f"<ClientRequest {self.method} {self.url}>"
