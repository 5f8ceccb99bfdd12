"""The jar for other clients: a face of `http.cookiejar` for urllib, requests, httpx and what else takes one.

urllib asks the face for each request, and gets exactly the jar's answer. requests and httpx copy the cookies into jars
of their own first and apply Python's older rules to the copies, which send a host-only cookie to subdomains;
`bind_requests` and `bind_httpx` set the face and put the jar's own answer in place of theirs.
"""

import sys
from collections.abc import Callable, Iterator, MutableMapping
from http.cookiejar import Cookie as StdlibCookie
from http.cookiejar import CookieJar as StdlibCookieJar
from time import time
from typing import TYPE_CHECKING, Any, Protocol, final

from yarl import URL

from ._cookie import Cookie
from ._jar import CookieJar
from ._match import canonical_host, domain_match

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.request import Request

__all__ = ("HTTPCookieJar", "bind_httpx", "bind_requests")


@final
class HTTPCookieJar(StdlibCookieJar):
    """A `CookieJar` that looks like an `http.cookiejar.CookieJar`.

    jar: the jar behind it; a new one by default. Both may be used; there is one set of cookies and one set of rules.

    Cookies are converted when they are looked at. A cookie that is put in must name its domain.
    """

    def __init__(self, jar: CookieJar | None = None) -> None:
        super().__init__()
        self.jar = CookieJar() if jar is None else jar

    @override
    def add_cookie_header(self, request: "Request") -> None:
        """Give a request the Cookie field that the jar has for its URL, unless it has one."""
        if not request.has_header("Cookie"):
            header = self.jar.cookie_header(_url(request))
            if header is not None:
                request.add_unredirected_header("Cookie", header)

    @override
    def extract_cookies(self, response: "HTTPResponse", request: "Request") -> None:
        """Store what a response sets."""
        self.jar.update_cookies_from_headers(_set_cookies(response), _url(request))

    @override
    def make_cookies(self, response: "HTTPResponse", request: "Request") -> list[StdlibCookie]:
        """The cookies that a response sets, without storing them."""
        scratch = CookieJar(
            unsafe=self.jar.unsafe,
            treat_as_secure_origin=self.jar.treat_as_secure_origin,
            limits=self.jar.limits,
        )
        scratch.update_cookies_from_headers(_set_cookies(response), _url(request))
        return [cookie.to_http_cookiejar() for cookie in scratch]

    @override
    def set_cookie(self, cookie: StdlibCookie) -> None:
        """Store a cookie, if the jar's rules allow it.

        Raises:
            ValueError: it names no domain.
        """
        self.jar.update_cookies([Cookie.from_http_cookiejar(cookie, now=time())])

    @override
    def set_cookie_if_ok(self, cookie: StdlibCookie, request: "Request") -> None:
        """The same as `set_cookie`: the jar's rules hold for both."""
        self.set_cookie(cookie)

    @override
    def clear(
        self, domain: str | None = None, path: str | None = None, name: str | None = None
    ) -> None:
        """Remove all cookies, or those of a domain (as these cookies spell it), of a path there, or one name.

        Raises:
            KeyError: there is no such cookie.
            ValueError: a name without a path, or a path without a domain.
        """
        if (name is not None and path is None) or (path is not None and domain is None):
            raise ValueError("a name needs a path, and a path needs a domain")
        wanted = (domain, path, name)

        def matches(cookie: Cookie) -> bool:
            theirs = cookie.to_http_cookiejar()
            return all(
                want is None or want == have
                for want, have in zip(
                    wanted, (theirs.domain, theirs.path, theirs.name), strict=True
                )
            )

        if domain is not None and not any(matches(cookie) for cookie in self.jar):
            raise KeyError(wanted)
        self.jar.clear(matches)

    @override
    def clear_session_cookies(self) -> None:
        """Remove the cookies that end with the session."""
        self.jar.clear(lambda cookie: not cookie.persistent)

    @override
    def clear_expired_cookies(self) -> None:
        """Nothing to do: an expired cookie is never in the jar."""

    @override
    def __iter__(self) -> Iterator[StdlibCookie]:
        return (cookie.to_http_cookiejar() for cookie in self.jar)

    @override
    def __len__(self) -> int:
        return len(self.jar)

    @override
    def __repr__(self) -> str:
        # The base class prints every value.
        return f"<HTTPCookieJar of {len(self)} cookies>"

    __str__ = __repr__


def _set_cookies(response: "HTTPResponse") -> list[str]:
    return response.info().get_all("Set-Cookie", [])


def _url(request: Any) -> URL:
    """The URL of a request, which its Host header does not change."""
    url = URL(request.get_full_url())
    # requests puts a Host header that was set by hand into this URL, and only there.
    if hasattr(request, "get_host"):
        return URL.build(
            scheme=url.scheme, authority=request.get_host(), path=url.raw_path, encoded=True
        )
    return url


class _RequestsSession(Protocol):
    """What is used of `requests.Session`."""

    cookies: Any

    @property
    def adapters(self) -> MutableMapping[str, Any]: ...
    def mount(self, prefix: Any, adapter: Any) -> None: ...


class _HttpxClient(Protocol):
    """What is used of `httpx.Client` and `httpx.AsyncClient`."""

    @property
    def event_hooks(self) -> dict[str, list[Callable[..., Any]]]: ...
    @event_hooks.setter
    def event_hooks(self, event_hooks: dict[str, list[Callable[..., Any]]]) -> None: ...


def bind_requests(session: _RequestsSession, jar: CookieJar) -> HTTPCookieJar:
    """Let a `requests.Session` store into and send from a jar, by the jar's rules.

    Sets `session.cookies` and wraps the adapters that are mounted now. Cookies given to a single request go along with
    that request. Returns the face that the session has for its cookies.
    """
    face = HTTPCookieJar(jar)
    session.cookies = face
    for prefix, adapter in list(session.adapters.items()):
        session.mount(prefix, _Adapter(adapter, jar))
    return face


@final
class _Adapter:
    """Puts the jar's cookies into each request that passes; redirects pass too, one by one."""

    def __init__(self, adapter: Any, jar: CookieJar) -> None:
        self._adapter = adapter
        self._jar = jar

    def send(self, request: Any, *arguments: Any, **keywords: Any) -> Any:
        _correct(request.headers, request.url, self._jar)
        return self._adapter.send(request, *arguments, **keywords)

    def close(self) -> None:
        self._adapter.close()


def bind_httpx(client: _HttpxClient, jar: CookieJar) -> HTTPCookieJar:
    """Let an `httpx.Client` or `httpx.AsyncClient` store into and send from a jar, by the jar's rules.

    Sets `client.cookies` and adds a request hook. Cookies given to a single request go along with that request.
    Returns the face that the client has for its cookies.
    """
    face = HTTPCookieJar(jar)

    def hook(request: Any) -> None:
        _correct(request.headers, str(request.url), jar)

    async def async_hook(request: Any) -> None:
        hook(request)

    setattr(client, "cookies", face)  # noqa: B010  # its annotation does not have what its setter takes
    hooks = client.event_hooks
    mine = async_hook if hasattr(client, "aclose") else hook
    client.event_hooks = {**hooks, "request": [*hooks.get("request", []), mine]}
    return face


def _correct(headers: MutableMapping[str, str], url: str, jar: CookieJar) -> None:
    """Replace what Python's rules made of the jar's cookies by what the jar sends; other cookies stay."""
    host = canonical_host(URL(url).raw_host or "") or ""
    # What Python's rules may have taken from the jar for this host: more than the jar sends, but no other host's,
    # so that a cookie of the request's own is not taken for one of them.
    # requests drops backslashes before quotes on the way through its own jar.
    known = {
        pair
        for one in jar
        if domain_match(host, one.domain)
        for pair in (one.pair, one.pair.replace('\\"', ""))
    }
    others = [pair for pair in headers.get("Cookie", "").split("; ") if pair and pair not in known]
    own = jar.cookie_header(url)
    pairs = others if own is None else [own, *others]
    if pairs:
        headers["Cookie"] = "; ".join(pairs)
    else:
        headers.pop("Cookie", None)
