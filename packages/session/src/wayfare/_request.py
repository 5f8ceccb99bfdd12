"""`ClientRequest`: a request as plain data, until it is sent."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, final

from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_connector import Target, TLSSetting
from wayfare_http_core import FieldBlock, HttpVersion, RequestBody, RequestHead
from yarl import URL

from ._bodies import EncodedBody, EncodedBytes, body_from_data, own_fields
from ._route import Route
from ._settings import RequestSettings
from ._timeout import ClientTimeout
from ._urls import PreparedURL, prepare_url

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from wayfare_connector import Proxy

    from ._cookies import CallerCookies
    from ._options import Data
    from ._session import ClientSession

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

    `body` is None, octets, or what yields them. `cookies` are those that the caller gave, until the request leaves
    their origin; the Cookie field is among `headers` when a middleware sees the request. `session` is for the side
    requests of a middleware; what sends this request never looks at it.
    """

    __slots__ = (
        "_block",
        "_head",
        "_headers",
        "_prepared",
        "body",
        "cookies",
        "method",
        "session",
        "settings",
        "timeout",
    )

    def __init__(
        self,
        method: str,
        prepared: PreparedURL,
        fields: FieldBlock,
        body: RequestBody | bytes | None,
        timeout: ClientTimeout,
        settings: RequestSettings,
        session: "ClientSession | None" = None,
        head: RequestHead | None = None,
    ) -> None:
        """Made by a session. `head` is that of exactly these arguments, where it is at hand."""
        self.method = method
        self.body = body
        self.cookies: CallerCookies | None = None
        self.timeout = timeout
        self.settings = settings
        self.session = session
        self._prepared = prepared
        self._block = fields
        self._headers: CIMultiDict[str] | None = None
        self._head = head

    # -- where to -----------------------------------------------------------------------------------------------

    @property
    def url(self) -> URL:
        """The URL, without fragment and user info. Settable: the request goes where the new one leads, and what its
        fields say goes along, credentials and cookies included. User info in it becomes the Basic credentials."""
        return self._prepared.url

    @url.setter
    def url(self, url: URL) -> None:
        old = self._prepared
        self._prepared = prepare_url(url, old.route)
        self._head = None
        if self._prepared.authorization is not None:
            self.headers["Authorization"] = self._prepared.authorization

    @property
    def real_url(self) -> URL:
        """The URL with its fragment, without user info."""
        return self._prepared.real_url

    original_url = real_url

    @property
    def prepared(self) -> PreparedURL:
        """The URL, checked and taken apart."""
        return self._prepared

    @property
    def host(self) -> str:
        """The host as it is connected to: an A-label in lower case, or an address."""
        return self._prepared.target.host

    @property
    def port(self) -> int:
        """The port."""
        return self._prepared.target.port

    def is_ssl(self) -> bool:
        """Whether the connection is encrypted."""
        return self._prepared.target.is_ssl

    @property
    def ssl(self) -> TLSSetting:
        """How to verify the server; see `RequestOptions`. Settable."""
        return self._prepared.route.tls

    @ssl.setter
    def ssl(self, setting: TLSSetting) -> None:
        self._go_by(self._prepared.route._replace(tls=setting))

    @property
    def server_hostname(self) -> str | None:
        """The name to verify the server's certificate for, where it is not the URL's host. Settable."""
        return self._prepared.route.server_hostname

    @server_hostname.setter
    def server_hostname(self, name: str | None) -> None:
        self._go_by(self._prepared.route._replace(server_hostname=name))

    @property
    def proxy(self) -> "Proxy | None":
        """The proxy that the request goes through. Settable, also to a URL; None lets the environment decide, where it
        is trusted."""
        return self._prepared.target.proxy

    @proxy.setter
    def proxy(self, proxy: "Proxy | URL | str | None") -> None:
        # Imported here: few requests go through one.
        from wayfare_connector import as_proxy

        chosen = None if proxy is None else as_proxy(proxy)
        self._go_by(self._prepared.route._replace(proxy=chosen))

    def _go_by(self, route: Route) -> None:
        self._prepared = self._prepared.by(route)
        self._head = None

    @property
    def connection_key(self) -> Target:
        """What a connection must lead to so that the request can be sent over it."""
        return self._prepared.target

    # -- what to send -------------------------------------------------------------------------------------------

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
        headers, block = self._headers, self._block
        # Where somebody only looked at them, they need not be checked and encoded again.
        if headers is None or tuple(headers.items()) == block.pairs:
            return block
        return FieldBlock(headers)

    @property
    def version(self) -> HttpVersion:
        """The version of HTTP that the request is sent in."""
        return self.settings.version

    async def update_body(self, data: "Data | None") -> None:
        """Send other content, of any kind that `data=` takes; None sends none.

        Its media type is announced unless there is a Content-Type already. What was said about the length and the
        transfer of the old content is forgotten, and so is a coding that this session applied to it.

        Raises: TypeError for what cannot be sent.
        Cancellation: safe; it never waits.
        """
        headers = self.headers
        for name in ("Content-Length", "Transfer-Encoding"):
            headers.popall(name, None)
        if isinstance(self.body, EncodedBody | EncodedBytes):
            headers.popall("Content-Encoding", None)
        if data is None:
            self.body = None
            return
        self.body, content_type = body_from_data(data)
        if content_type is not None:
            headers.setdefault("Content-Type", content_type)
        for name, field in own_fields(data):
            headers.setdefault(name, field)

    def head(self) -> RequestHead:
        """The head as it will be sent.

        Raises: ValueError, TypeError for what cannot be sent.
        """
        head = self._head
        fields = self._block if self._headers is None else self.fields
        if head is None or head.fields is not fields or head.method is not self.method:
            head = self._prepared.head(self.method, fields, self.settings.version)
        return head

    # -- about it -----------------------------------------------------------------------------------------------

    @property
    def request_info(self) -> RequestInfo:
        """A frozen summary, for responses and errors."""
        fields = self._block.pairs if self._headers is None else self._headers
        return RequestInfo(
            self.url, self.method, CIMultiDictProxy(CIMultiDict(fields)), self.real_url
        )

    def copy(self) -> "ClientRequest":
        """The same request, to be changed without changing this one; the body is shared."""
        twin = ClientRequest(
            self.method,
            self._prepared,
            self._block,
            self.body,
            self.timeout,
            self.settings,
            self.session,
            self._head,
        )
        twin.cookies = self.cookies
        if self._headers is not None:
            twin._headers = self._headers.copy()
        return twin

    def with_fields(self, fields: FieldBlock) -> "ClientRequest":
        """The same request with other fields; the body is shared."""
        twin = ClientRequest(
            self.method,
            self._prepared,
            fields,
            self.body,
            self.timeout,
            self.settings,
            self.session,
            self._prepared.usual_head(self.method, fields),
        )
        twin.cookies = self.cookies
        return twin

    def redirected(
        self,
        method: str,
        prepared: PreparedURL,
        fields: FieldBlock,
        body: RequestBody | bytes | None,
    ) -> "ClientRequest":
        """The request that follows this one: what is not named here stays, but for the caller's cookies."""
        return ClientRequest(
            method, prepared, fields, body, self.timeout, self.settings, self.session
        )

    @override
    def __repr__(self) -> str:
        return f"<ClientRequest {self.method} {self.url}>"
