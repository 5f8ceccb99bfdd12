"""`ClientRequest`: a request as plain data, until it is sent."""

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, final

from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_connector import Target, TLSSetting
from wayfare_http_core import FieldBlock, HttpVersion, RequestBody, RequestHead
from yarl import URL

from ._bodies import (
    EncodedBody,
    EncodedBytes,
    UntypedBody,
    body_from_data,
    encoded_body,
    own_fields,
    uncoded_body,
)
from ._route import Route
from ._settings import RequestSettings
from ._timeout import ClientTimeout, read_timeout_option
from ._urls import PreparedURL, prepare_url

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from wayfare_connector import Proxy, ProxyChooser
    from wayfare_http_core import BasicAuth

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

    `attempt` says which attempt of its hop it is, counted from 1. `body` is None, octets, or what yields them.
    `cookies` are those that the caller gave, until the request leaves their origin; the Cookie field is among `headers`
    when a middleware sees the request.
    """

    __slots__ = (
        "_block",
        "_head",
        "_headers",
        "_notes",
        "_prepared",
        "_session",
        "_span",
        "attempt",
        "body",
        "cookies",
        "method",
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
        self._session = session
        self.attempt = 1
        self._span: tuple[float, ClientTimeout] | None = None
        self._prepared = prepared
        self._block = fields
        self._headers: CIMultiDict[str] | None = None
        self._notes: dict[object, Any] | None = None
        self._head = head

    @property
    def session(self) -> "ClientSession":
        """The session, for the side requests of a middleware: `middlewares=()` keeps them from going in circles.

        Raises: RuntimeError for a request that no session made.
        """
        if self._session is None:
            raise RuntimeError("no session made this request")
        return self._session

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
        route = self._prepared.route
        self._go_by(route._replace(tls=route.tls_for(setting)))

    @property
    def server_hostname(self) -> str | None:
        """The name to verify the server's certificate for, where it is not the URL's host. Settable."""
        return self._prepared.route.server_hostname

    @server_hostname.setter
    def server_hostname(self, name: str | None) -> None:
        self._go_by(self._prepared.route._replace(server_hostname=name))

    @property
    def proxy(self) -> "Proxy | None":
        """The proxy that the request goes through. Settable, also to a URL or a function that chooses; None lets the
        environment decide, where it is trusted."""
        return self._prepared.target.proxy

    @proxy.setter
    def proxy(self, proxy: "Proxy | URL | str | ProxyChooser | None") -> None:
        # Imported here: few requests go through one.
        from ._proxy_option import read_proxy

        choice = read_proxy(proxy)
        self._go_by(self._prepared.route._replace(proxy=choice.proxy, choose=choice.choose))

    @property
    def proxy_auth(self) -> "BasicAuth | str | None":
        """The credentials for the proxy; of another scheme than Basic, the whole value of their field.

        They belong to the proxy: to change them, set `proxy` to a `Proxy` that has others.

        Raises: ValueError for a SOCKS user whose name has a colon.
        """
        proxy = self.proxy
        if proxy is None:
            return None
        # Imported here: few requests go through one.
        from wayfare_http_core import BasicAuth

        if proxy.is_socks:
            user = proxy.username
            return None if user is None else BasicAuth(user, proxy.password or "", "utf-8")
        values = proxy.fields.getall("Proxy-Authorization")
        if not values:
            return None
        try:
            return BasicAuth.decode(values[0])
        except ValueError:
            return values[0]

    @property
    def proxy_headers(self) -> CIMultiDictProxy[str] | None:
        """The fields for the proxy alone, without its credentials; None without a proxy. Changed as `proxy_auth`."""
        proxy = self.proxy
        if proxy is None:
            return None
        pairs = [pair for pair in proxy.fields.pairs if pair[0].lower() != "proxy-authorization"]
        return CIMultiDictProxy(CIMultiDict(pairs))

    def through(self, proxy: "Proxy") -> "ClientRequest":
        """The same request through this proxy; what was asked for stays, for the hops to come."""
        twin = self.copy()
        twin._prepared = self._prepared.behind(proxy)
        return twin

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

    @property
    def skip_auto_headers(self) -> frozenset[str]:
        """The names, in lower case, of fields that are not sent unless somebody asked for them.

        The session's and the request's own. What is among `headers` is sent all the same.
        """
        return self.settings.skip_auto_headers

    @property
    def length(self) -> int | None:
        """The octets of the content as it is sent, 0 without any; None where that is not known before.

        It follows from the content: see `update_body`.
        """
        body = self.body
        if body is None or isinstance(body, bytes):
            return len(body or b"")
        if body.length is not None:
            return body.length
        announced = self._values("Content-Length")
        # Nineteen digits are what can be sent; what cannot is refused then.
        value = announced[0] if len(announced) == 1 and len(announced[0]) <= 19 else ""
        return int(value) if value.isascii() and value.isdigit() else None

    @property
    def chunked(self) -> bool:
        """Whether the content is sent in chunks, as content of unknown length is. Settable.

        Raises, where it is set to False: ValueError for content of unknown length.
        """
        return bool(self._values("Transfer-Encoding")) or self.length is None

    @chunked.setter
    def chunked(self, chunked: bool) -> None:
        headers = self.headers
        if chunked:
            headers.popall("Content-Length", None)
            headers["Transfer-Encoding"] = "chunked"
            self.body = b"" if self.body is None else self.body
        elif self.length is None:
            raise ValueError("content of unknown length can only be sent in chunks")
        else:
            headers.popall("Transfer-Encoding", None)

    @property
    def compress(self) -> str | None:
        """The content coding that this session applies to the content. Settable, as `compress=` of a request.

        Raises, where it is set: ValueError for a coding that is not known, and for content that comes in a coding
        already; ModuleNotFoundError for a coding whose library is not installed.
        """
        if isinstance(self.body, EncodedBody | EncodedBytes):
            return ", ".join(self._values("Content-Encoding")) or None
        return None

    @compress.setter
    def compress(self, compress: str | bool | None) -> None:
        headers, body = self.headers, uncoded_body(self.body)
        if body is self.body and "Content-Encoding" in headers:
            if not compress:
                return
            raise ValueError("compress and a Content-Encoding field exclude each other")
        coding = compress if isinstance(compress, str) else "deflate"
        coded = (
            encoded_body(body, coding, self.settings.zlib_backend) if compress and body else body
        )
        if coded is self.body:
            return
        self.body = coded
        for name in ("Content-Encoding", "Content-Length"):
            headers.popall(name, None)
        if coded is not body:
            headers["Content-Encoding"] = coding

    def has_field(self, name: str) -> bool:
        """Whether a field of this name, in lower case, is among those to send; `headers` is not made for that."""
        return name in (self._block.names if self._headers is None else self._headers)

    def _values(self, name: str) -> list[str]:
        """The values of a field, without making what nobody asked for yet."""
        headers = self._headers
        return self._block.getall(name) if headers is None else headers.getall(name, [])

    async def update_body(self, data: "Data | None") -> None:
        """Send other content, of any kind that `data=` takes; None sends none.

        Its media type is announced unless there is a Content-Type already, or `skip_auto_headers` has its name. What
        was said about the length and the transfer of the old content is forgotten, and so is a coding that this session
        applied to it.

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
        self.body, content_type = body_from_data(data, self.settings.payload_registry)
        skip = self.skip_auto_headers
        if content_type is not None:
            if "content-type" not in skip:
                headers.setdefault("Content-Type", content_type)
            elif not isinstance(self.body, bytes):
                self.body = UntypedBody(self.body)
        for name, field in own_fields(data):
            if name.lower() not in skip:
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

    @property
    def notes(self) -> dict[object, Any]:
        """What middlewares keep for one call of a session: all its hops, attempts and copies have the same ones.

        A middleware uses itself as its key, or another object that nobody else has.
        """
        return self.keep_notes()

    def keep_notes(self) -> dict[object, Any]:
        """Have notes from now on, to be shared with every request that is made of this one; `notes` then."""
        if self._notes is None:
            self._notes = {}
        return self._notes

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop.

        Raises: RuntimeError where none runs.
        """
        return asyncio.get_running_loop()

    def as_curl(self, *, secrets: bool = False) -> str:
        """A command line of curl that sends this request, quoted for a POSIX shell: for reports and experiments.

        What is a secret by its name stands there as `***`, in fields, in the URL and in a form or JSON alike, unless
        `secrets` asks for it. Content that is no text, or can be read only once, is for the command's standard input; a
        remark at the end of the line says so.

        Raises: ValueError, TypeError for what cannot be sent.
        """
        # Imported here: it is for people.
        from ._curl import curl_command

        return curl_command(self, secrets=secrets)

    def without_netrc(self) -> "ClientRequest":
        """The same request, to which .netrc adds nothing: for a middleware that has credentials of its own."""
        if not self._prepared.route.trust_env:
            return self
        twin = self.copy()
        twin._prepared = self._prepared.without_netrc()
        return twin

    def time_left(self) -> float | None:
        """Seconds until the total time is over, for all that a middleware may do; 0.0 once it is, None for no limit.

        What a middleware sets as `timeout` counts too, from the beginning of the whole request.

        Raises: RuntimeError where no loop runs, ValueError, TypeError for a timeout that is none.
        """
        if self._span is None:
            return None
        started, limits = self._span
        totals = (limits.total, read_timeout_option(self.timeout, limits).total)
        ends = [started + total for total in totals if total is not None]
        return max(0.0, min(ends) - asyncio.get_running_loop().time()) if ends else None

    def count_from(self, started: float) -> None:
        """Let the total time be that of a request which began then, on the loop's clock."""
        self._span = started, self.timeout

    def copy(self) -> "ClientRequest":
        """The same request, to be changed without changing this one; the body is shared."""
        twin = ClientRequest(
            self.method,
            self._prepared,
            self._block,
            self.body,
            self.timeout,
            self.settings,
            self._session,
            self._head,
        )
        twin.attempt = self.attempt
        twin.cookies = self.cookies
        twin._span = self._span
        twin._notes = self._notes
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
            self._session,
            self._prepared.usual_head(self.method, fields, self.settings.version),
        )
        twin.attempt = self.attempt
        twin.cookies = self.cookies
        twin._notes = self._notes
        return twin

    def redirected(
        self,
        method: str,
        prepared: PreparedURL,
        fields: FieldBlock,
        body: RequestBody | bytes | None,
    ) -> "ClientRequest":
        """The request that follows this one: what is not named here stays, but for the caller's cookies."""
        following = ClientRequest(
            method, prepared, fields, body, self.timeout, self.settings, self._session
        )
        following._notes = self._notes
        return following

    @override
    def __repr__(self) -> str:
        return f"<ClientRequest {self.method} {self.url}>"
