"""Which proxy a URL needs: the seam, and a chooser by patterns of hosts."""

import sys
from collections.abc import Awaitable, Coroutine, Mapping
from typing import Protocol, final

from yarl import URL

from ._hosts import normalise_host
from ._no_proxy import NoProxy
from ._proxy import Proxy, as_proxy

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ProxyChooser", "ProxyRules", "choose_proxy")

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class ProxyChooser(Protocol):
    """Says which proxy stands between us and a URL: any function of one argument.

    It is asked once for each request and again for each redirect, so it may take turns. It must not
    block, and answers at once: an async function is a TypeError. Its word is final: where it says
    None, the environment is not asked.
    """

    def __call__(self, url: URL, /) -> Proxy | URL | str | None:
        """The proxy for this URL, or None for none.

        The URL is absolute, its scheme one of http, https, ws and wss; it has neither user info nor
        fragment. What this raises goes to whoever sent the request.
        """
        ...


@final
class ProxyRules:
    """Chooses a proxy by patterns of hosts: of those that match, the first counts.

    `rules` maps a pattern to a proxy, or to None for the direct way; without a match it is the direct
    way, too. A pattern is what an entry of NO_PROXY can be (see `NoProxy`): `example.com` with all names
    below it, an address, a network such as `10.0.0.0/8`, each of the first two with a port if it has
    one, or `*` for all. `https://` before it, or another of the four schemes, restricts it to that.

    Raises: `ValueError` for what is no pattern and for what is no proxy, `TypeError` for values of
    another kind.
    """

    __slots__ = ("_rules",)

    def __init__(self, rules: Mapping[str, Proxy | URL | str | None]) -> None:
        self._rules = tuple(
            (*_parsed(pattern), None if proxy is None else as_proxy(proxy))
            for pattern, proxy in rules.items()
        )

    def __call__(self, url: URL, /) -> Proxy | None:
        """The proxy of the first pattern that fits the URL."""
        scheme, host = url.scheme, normalise_host(url.raw_host or "")
        port = url.port or _DEFAULT_PORTS.get(scheme, 0)
        for only, hosts, proxy in self._rules:
            if only in ("", scheme) and hosts.matches(host, port):
                return proxy
        return None

    @override
    def __repr__(self) -> str:
        return f"<ProxyRules {len(self._rules)} patterns>"


def choose_proxy(chooser: ProxyChooser, url: URL) -> Proxy | None:
    """What a chooser says of a URL; its user info and its fragment are kept from it.

    Raises: `TypeError`, `ValueError` for an answer that is no proxy or has to be awaited, and whatever the
    chooser does.
    """
    proxy = chooser(url.with_user(None).with_fragment(None))
    if isinstance(proxy, Awaitable):
        if isinstance(proxy, Coroutine):
            proxy.close()
        raise TypeError("a function that chooses proxies answers at once: it cannot be async")
    return None if proxy is None else as_proxy(proxy)


def _parsed(pattern: str) -> tuple[str, NoProxy]:
    """The scheme of a pattern, "" for any, and its hosts."""
    scheme, mark, entry = pattern.rpartition("://")
    if mark and scheme not in _DEFAULT_PORTS:
        raise ValueError(f"not a scheme of requests: {scheme[:100]!r}")
    hosts = NoProxy(entry)
    if hosts.unread or not entry.strip():
        raise ValueError(f"not a pattern of hosts: {pattern[:100]!r}")
    return scheme, hosts
