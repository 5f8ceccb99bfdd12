"""`Route`: how to get to wherever a URL leads."""

from collections.abc import Set
from ssl import CERT_REQUIRED, SSLContext
from typing import TYPE_CHECKING, Final, NamedTuple

from wayfare_connector import Target, TLSSetting
from yarl import URL

if TYPE_CHECKING:
    from wayfare_connector import Proxy, ProxyChooser
    from wayfare_http_core import BasicAuth

__all__ = ("SCHEMES", "Route", "first_verifying")

SCHEMES: Final = frozenset(("http", "https", "ws", "wss"))
"""What every connector can connect to, unless it says otherwise."""


def first_verifying(*settings: TLSSetting | None) -> TLSSetting:
    """The first of these that verifies a server in a way of its own; True, the default context, where none does."""
    for setting in settings:
        if isinstance(setting, SSLContext):
            if setting.verify_mode is CERT_REQUIRED and setting.check_hostname:
                return setting
        elif setting is not None and not isinstance(setting, bool):
            return setting
    return True


class Route(NamedTuple):
    """What was asked for, whatever one URL needs of it: a redirect may lead to another that needs the rest."""

    tls: TLSSetting = True
    server_hostname: str | None = None
    proxy: "Proxy | None" = None
    trust_env: bool = False
    """Whether the environment names the proxy, and .netrc the credentials, where nobody else does."""
    netrc: bool = True
    """Whether it may name credentials: not where somebody else has them, but waits to be asked."""
    choose: "ProxyChooser | None" = None
    """Who names the proxy where `proxy` does not; the environment is not asked then."""
    proxy_auth: "BasicAuth | str | None" = None
    """Credentials for the proxy that the environment names, in place of those that stand there."""
    proxy_headers: "tuple[tuple[str, str], ...]" = ()
    """Fields for the proxy that the environment names."""
    is_fixed: bool = False
    """Whether the connector leads to one peer, whatever is asked for: the environment's proxies are for others."""
    schemes: Set[str] = SCHEMES
    """Those that the connector can connect to; beside the usual four, names of plain HTTP."""
    verifying: TLSSetting = True
    """What `ssl=True` stands for: the context or the pin of the session or its connector, where that verifies."""

    def tls_for(self, setting: TLSSetting) -> TLSSetting:
        """The setting that a request's own one stands for."""
        return self.verifying if setting is True else setting

    @property
    def asks(self) -> bool:
        """Whether a chooser has to be asked."""
        return self.choose is not None and self.proxy is None

    @property
    def asks_environment(self) -> bool:
        """Whether the environment is asked for a proxy where `proxy` names none."""
        return self.trust_env and self.choose is None and not self.is_fixed

    def target(self, url: URL) -> Target:
        """Where a connection must lead for this URL; the proxy is chosen for each anew (D17).

        A chooser is not asked: `behind` is for what it says.

        Raises: ValueError for what is no target, TypeError for what is no TLS setting.
        """
        target = self.behind(url, self.proxy)
        if target.proxy is not None or not self.asks_environment:
            return target
        # Imported here: few programs look for proxies.
        from wayfare_connector import as_proxy, current_proxies

        named = current_proxies().proxy_for(url.scheme, target.host, target.port)
        if named is None:
            return target
        return self.behind(url, as_proxy(named, auth=self.proxy_auth, headers=self.proxy_headers))

    def behind(self, url: URL, proxy: "Proxy | None") -> Target:
        """Where a connection must lead for this URL when this proxy stands between.

        Raises: as `target`.
        """
        return Target.from_url(url, ssl=self.tls, server_hostname=self.server_hostname, proxy=proxy)

    def chosen(self, url: URL, target: Target) -> Target:
        """The same target behind the proxy that the chooser names for the URL.

        Raises: TypeError, ValueError for what is no proxy, and whatever the chooser does.
        """
        # Imported here: few sessions have a chooser.
        from wayfare_connector import choose_proxy

        proxy = None if self.choose is None else choose_proxy(self.choose, url)
        return target if proxy is None else self.behind(url, proxy)
