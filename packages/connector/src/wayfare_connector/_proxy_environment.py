"""The proxies that the environment names, read as curl reads them.

`HTTP_PROXY`, `HTTPS_PROXY`, `WS_PROXY`, `WSS_PROXY`, `ALL_PROXY` and `NO_PROXY`, each in either case; where both are
set the lower case wins. Reading them is a pure function of the variables; only `current_proxies` looks at the process.
"""

import os
import sys
from collections.abc import Mapping
from typing import Final, final

from yarl import URL

from ._hosts import normalise_host
from ._no_proxy import NoProxy

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("EnvironmentProxies", "ProxyVariableError", "current_proxies")

_VARIABLES: Final = {
    "http": ("http_proxy", "all_proxy"),
    "https": ("https_proxy", "all_proxy"),
    # A proxy that carries requests carries the handshake of a WebSocket, too.
    "ws": ("ws_proxy", "http_proxy", "all_proxy"),
    "wss": ("wss_proxy", "https_proxy", "all_proxy"),
}
_NAMES: Final = ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "all_proxy", "no_proxy")
_SCHEMES: Final = frozenset(("http", "https", "socks4", "socks4a", "socks5", "socks5h"))
_WATCHED: Final = (*_NAMES, *(name.upper() for name in _NAMES), "REQUEST_METHOD")


class ProxyVariableError(ValueError):
    """A variable of the environment names no proxy that a URL could describe.

    `variable` is its name. The value is not told: it may hold a password.
    """

    variable: str
    reason: str

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(variable, reason)
        self.variable = variable
        self.reason = reason

    @override
    def __str__(self) -> str:
        return f"the environment variable {self.variable} {self.reason}"


@final
class EnvironmentProxies:
    """The proxies that a set of variables names; immutable.

    `HTTP_PROXY` in capitals is not looked at where `REQUEST_METHOD` is set: in a CGI program it is a field of the
    request that is being answered (CVE-2016-1000110). The lower-case `http_proxy` is safe there.
    """

    __slots__ = ("_no_proxy", "_values")

    def __init__(self, variables: Mapping[str, str]) -> None:
        values: dict[str, tuple[str, str]] = {}
        for name in _NAMES:
            for spelling in (name, name.upper()):
                if spelling == "HTTP_PROXY" and "REQUEST_METHOD" in variables:
                    continue
                text = variables.get(spelling)
                if text is not None:
                    # An empty one in lower case switches one in capitals off.
                    values[name] = (spelling, text.strip())
                    break
        self._values = values
        self._no_proxy = NoProxy(values.get("no_proxy", ("", ""))[1])

    def __call__(self, url: URL, /) -> URL | None:
        """The proxy for a URL; so it is a `ProxyChooser`.

        Raises: as `proxy_for`.
        """
        port = url.port or (443 if url.scheme in ("https", "wss") else 80)
        return self.proxy_for(url.scheme, normalise_host(url.raw_host or ""), port)

    def proxy_for(self, scheme: str, host: str, port: int) -> URL | None:
        """The proxy through which `scheme` (http, https, ws or wss) reaches a host, or None for none.

        `host` is normalised as in a `Target`. A value without a scheme is an HTTP proxy. User and password stay in the
        URL.

        Raises: `ProxyVariableError` for a variable that names no proxy; only when it would be used.
        """
        for name in _VARIABLES[scheme]:
            variable, text = self._values.get(name, ("", ""))
            if text:
                return None if self._no_proxy.matches(host, port) else _proxy_url(variable, text)
        return None


def _proxy_url(variable: str, text: str) -> URL:
    if "://" not in text:
        text = f"http://{text}"
    try:
        url = URL(text)
        normalise_host(url.raw_host or "")
    except ValueError:
        # No cause: its message would quote the value.
        raise ProxyVariableError(variable, "holds no URL of a proxy") from None
    if url.scheme not in _SCHEMES:
        raise ProxyVariableError(variable, f"names a proxy of the unknown kind {url.scheme!r}")
    if url.raw_path not in ("", "/") or url.raw_query_string or url.raw_fragment:
        raise ProxyVariableError(variable, "holds a URL with a path, which a proxy has not")
    return url


# One environment per process, so one reading of it.
_last: tuple[tuple[str | None, ...], EnvironmentProxies] | None = None


def current_proxies() -> EnvironmentProxies:
    """What this process's environment says now; read again only when one of the variables changed."""
    global _last
    values = tuple([os.environ.get(name) for name in _WATCHED])
    last = _last
    if last is None or last[0] != values:
        present = {n: v for n, v in zip(_WATCHED, values, strict=True) if v is not None}
        _last = last = (values, EnvironmentProxies(present))
    return last[1]
