"""URLs of requests: joined, given their query, checked, and taken apart for the wire."""

import re
from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, final

from wayfare_connector import Target
from wayfare_http_core import FieldBlock, HttpVersion, HttpVersion11, RequestHead
from yarl import URL

from ._errors import InvalidURL, InvalidUrlClientError, NonHttpUrlClientError
from ._route import SCHEMES, Route

if TYPE_CHECKING:
    from wayfare_connector import Proxy

__all__ = (
    "Params",
    "PreparedURL",
    "as_http",
    "check_base_url",
    "join_url",
    "prepare_url",
    "split_address",
    "text_fault",
    "with_params",
    "with_raw_fragment",
)

ParamValue = str | int | float | bool | None
Params = str | Mapping[str, ParamValue | Sequence[ParamValue]] | Sequence[tuple[str, ParamValue]]

# RFC 3986 section 3.4, with "+" kept and percent signs that encode nothing.
_UNQUERYABLE = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*,;=:@/?+%]", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]", re.ASCII)
_ADDRESS = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?", re.ASCII)
"""Scheme and authority of a URL reference (RFC 3986 appendix B)."""
_DOTS = re.compile(r"[.\u3002\uff0e\uff61]", re.ASCII)
"""What ends a label (UTS 46 section 4)."""
_MAX_LABEL = 63
_MAX_NAME = 1024
"""Characters that are looked at where DNS takes 253: with user info and before full-width forms are folded."""
_DIRECT = Route()


@final
class PreparedURL:
    """A URL with everything that a request needs of it; a session keeps those it used last.

    `url` has neither user info nor fragment, `real_url` has the fragment; `path` is the path and query as they stand
    in a request line; `authorization` is the user info as a Basic credential, for this origin only; `route` is what the
    target was made by.
    """

    __slots__ = ("_usual", "authorization", "path", "real_url", "route", "target", "url")

    def __init__(
        self,
        url: URL,
        target: Target,
        authorization: str | None,
        route: Route,
    ) -> None:
        self.url = url.with_fragment(None) if url.raw_fragment else url
        self.real_url = url
        self.target = target
        self.route = route
        self.path = url.raw_path_qs
        self.authorization = authorization
        self._usual: RequestHead | None = None

    def with_url(self, url: URL) -> "PreparedURL":
        """The same for a URL that differs in its path, query or fragment only."""
        return PreparedURL(url, self.target, self.authorization, self.route)

    def without_netrc(self) -> "PreparedURL":
        """The same, with nothing from .netrc."""
        route = self.route._replace(netrc=False)
        return PreparedURL(self.real_url, self.target, self.authorization, route)

    def behind(self, proxy: "Proxy") -> "PreparedURL":
        """The same through this proxy, whatever the route says.

        Raises: TypeError, ValueError for what cannot be asked for.
        """
        target = self.route.behind(self.url, proxy)
        return PreparedURL(self.real_url, target, self.authorization, self.route)

    def by(self, route: Route) -> "PreparedURL":
        """The same by another route.

        Raises: TypeError, ValueError for what cannot be asked for.
        """
        old, target = self.route, route.target(self.url)
        if route.asks:
            # A chooser is asked once for each request: it may count.
            if old.asks and old.choose is route.choose:
                target = route.behind(self.url, self.target.proxy)
            else:
                target = route.chosen(self.url, target)
        return PreparedURL(self.real_url, target, self.authorization, route)

    def head(
        self, method: str, fields: FieldBlock, version: HttpVersion = HttpVersion11
    ) -> RequestHead:
        """The head of a request to this URL.

        Raises: ValueError for CONNECT, which makes a tunnel and gets no response, and for what no server may know.
        """
        if "proxy-authorization" in fields.names:
            # P5: whoever had it to give was to give it to the proxy.
            raise ValueError("a Proxy-Authorization field is for a proxy, never for a server")
        if method == "CONNECT":
            raise ValueError(
                "CONNECT asks for a tunnel, not for a response; proxies are the connector's"
            )
        target = self.target
        return RequestHead(method, target.scheme, target.authority, self.path, fields, version)

    def usual_head(
        self, method: str, fields: FieldBlock, version: HttpVersion = HttpVersion11
    ) -> RequestHead:
        """The same, made once for as long as method and fields stay what they were last time.

        The version is that of the session, which is one for all of its requests.
        """
        usual = self._usual
        if usual is None or usual.method != method or usual.fields is not fields:
            self._usual = usual = self.head(method, fields, version)
        return usual


def as_http(url: URL, schemes: Set[str]) -> URL:
    """A URL whose scheme is a connector's own name of plain HTTP, such as `unix`, as an `http` one; any other as it is.

    All that is decided by a URL (redirects, cookies, proxies) then knows it.
    """
    if url.scheme in SCHEMES or url.scheme not in schemes or not url.raw_host:
        return url
    return url.with_scheme("http")


def check_base_url(base_url: str | URL | None, schemes: Set[str] = SCHEMES) -> URL | None:
    """A session's base URL; `schemes` are those of its connector.

    Raises: `InvalidURL` unless it is absolute and its path ends with a slash, so that joining keeps all of it.
    """
    if base_url is None:
        return None
    url = as_http(_parse(base_url), schemes)
    if not url.absolute:
        raise InvalidURL(url, "base_url must be absolute")
    if not url.raw_path.endswith("/"):
        raise InvalidURL(url, "the path of base_url must end with '/'")
    return url


def join_url(base_url: URL | None, url: str | URL) -> URL:
    """The URL of a request, resolved against the session's base (RFC 3986 section 5).

    A network-path reference (`//host/…`) is not resolved: it would lead to another host and looks like a path.

    Raises: `InvalidUrlClientError`.
    """
    parsed = _parse(url)
    # What has a scheme is relative to nothing: "https:" and "https:/x" lack their host (U4).
    if base_url is None or parsed.absolute or parsed.scheme:
        return parsed
    return base_url.join(parsed)


def with_params(url: URL, params: Params) -> URL:
    """The URL with more query parameters.

    True and False become `true` and `false`, None drops its key, a str of parameters keeps its `+`.

    Raises: TypeError for values that have no text form.
    """
    if isinstance(params, str):
        parts = (url.raw_query_string, _UNQUERYABLE.sub(_quoted, params))
        joined = "&".join(part for part in parts if part)
        return _with_raw_query(url, joined) if joined else url.with_query(None)
    pairs = _query_pairs(params)
    return url.extend_query(pairs) if pairs else url


def _quoted(match: "re.Match[str]") -> str:
    """What may not stand in a query as it is; a space becomes "+", as in forms."""
    text = match[0]
    if text == " ":
        return "+"
    return "".join(f"%{octet:02X}" for octet in text.encode("utf-8", "surrogateescape"))


def with_raw_fragment(url: URL, fragment: str) -> URL:
    """The URL with a fragment that is encoded already."""
    return _rebuilt(url, url.raw_query_string, fragment)


def _with_raw_query(url: URL, query: str) -> URL:
    return _rebuilt(url, query, url.raw_fragment)


def _rebuilt(url: URL, query: str, fragment: str) -> URL:
    return URL.build(
        scheme=url.scheme,
        authority=url.raw_authority,
        path=url.raw_path,
        query_string=query,
        fragment=fragment,
        encoded=True,
    )


def _query_pairs(
    params: Mapping[str, ParamValue | Sequence[ParamValue]] | Sequence[tuple[str, ParamValue]],
) -> list[tuple[str, str]]:
    items = params.items() if isinstance(params, Mapping) else params
    pairs = []
    for name, value in items:
        values = value if isinstance(value, list | tuple) else (value,)
        pairs += [(name, _text(name, one)) for one in values if one is not None]
    return pairs


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    raise TypeError(
        f"parameter {name!r} must be str, int, float, bool or None, not {type(value).__name__}"
    )


def prepare_url(url: URL, route: Route = _DIRECT) -> PreparedURL:
    """Check a URL and take it apart.

    Raises: `InvalidUrlClientError`, `NonHttpUrlClientError`, and what the route's chooser of proxies does.
    """
    if not url.absolute or not url.scheme:
        raise InvalidUrlClientError(
            url, "the URL is not absolute" if not url.scheme else "the URL has no host"
        )
    if url.scheme not in route.schemes:
        raise NonHttpUrlClientError(url)
    url = as_http(url, route.schemes)
    try:
        target = route.target(url)
    except ValueError as exc:
        raise InvalidUrlClientError(url, str(exc)[:200]) from exc
    if route.asks:
        target = route.chosen(url, target)
    authorization = None
    if url.raw_user is not None or url.raw_password is not None:
        from wayfare_http_core import BasicAuth

        try:
            authorization = BasicAuth(url.user or "", url.password or "", "utf-8").encode()
        except ValueError:
            # The cause would quote what it did not like.
            raise InvalidUrlClientError(url, "its user info cannot be a Basic credential") from None
        url = url.with_user(None)
    return PreparedURL(url, target, authorization, route)


def _parse(url: str | URL) -> URL:
    if isinstance(url, URL):
        return url
    if not isinstance(url, str):
        raise TypeError(f"a URL is a str or a yarl.URL, not {type(url).__name__}")
    fault = text_fault(url)
    if fault is not None:
        raise InvalidUrlClientError(url, fault)
    try:
        return URL(url)
    except ValueError:
        # yarl's message quotes the authority, and with it a password.
        raise InvalidUrlClientError(url, "it cannot be read as a URL") from None


def split_address(reference: str) -> tuple[str | None, str | None, str, str]:
    """A URL reference's scheme, authority (both None where there is none), the text of both, and the rest."""
    found = next(_ADDRESS.finditer(reference))  # it matches everywhere, if only nothing
    return found[1], found[2], found[0], reference[found.end() :]


def text_fault(url: str) -> str | None:
    """Why text must not be parsed as a URL, or None if it may.

    yarl drops tabs and line breaks, as browsers do, and two filters could read two hosts then (U2). And what makes an
    A-label takes time that grows faster than the label (U7); one that is too long for DNS is none anyway.
    """
    if _CONTROL.search(url) is not None:
        return "it has a control character"
    authority = "" if url.isascii() else split_address(url)[1] or ""
    if not authority.isascii():
        labels = _DOTS.split(authority)
        if len(authority) > _MAX_NAME or max(map(len, labels)) > _MAX_LABEL:
            return "the name of the host is too long"
    return None
