"""`Route`: how to get to wherever a URL leads."""

from typing import TYPE_CHECKING, NamedTuple

from wayfare_connector import Target, TLSSetting
from yarl import URL

if TYPE_CHECKING:
    from wayfare_connector import Proxy

__all__ = ("Route",)


class Route(NamedTuple):
    """What was asked for, whatever one URL needs of it: a redirect may lead to another that needs the rest."""

    tls: TLSSetting = True
    server_hostname: str | None = None
    proxy: "Proxy | None" = None
    trust_env: bool = False
    """Whether the environment names the proxy where nobody else does."""

    def target(self, url: URL) -> Target:
        """Where a connection must lead for this URL; the proxy is chosen for each anew (D17).

        Raises: ValueError for what is no target, TypeError for what is no TLS setting.
        """
        tls, server_hostname, proxy, trust_env = self
        target = Target.from_url(url, ssl=tls, server_hostname=server_hostname, proxy=proxy)
        if proxy is not None or not trust_env:
            return target
        # Imported here: few programs look for proxies.
        from wayfare_connector import as_proxy, current_proxies

        named = current_proxies().proxy_for(url.scheme, target.host, target.port)
        if named is None:
            return target
        return Target.from_url(url, ssl=tls, server_hostname=server_hostname, proxy=as_proxy(named))
