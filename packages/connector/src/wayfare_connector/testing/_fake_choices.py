"""A chooser of proxies and an address policy for tests: they answer from tables and record what they were asked."""

import sys
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import final

from yarl import URL

from wayfare_connector._address_policy import AddressPolicy
from wayfare_connector._proxy import Proxy
from wayfare_connector._proxy_chooser import ProxyChooser
from wayfare_connector._target import Target

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("FakeAddressPolicy", "FakeProxyChooser")


@final
class FakeAddressPolicy(AddressPolicy):
    """Refuses the addresses of a table, for the reasons in it.

    `asked` records what it was asked: hosts, and one of their addresses each.
    """

    def __init__(self, refused: Mapping[str, str]) -> None:
        self.refused = dict(refused)
        self.asked: list[tuple[str, str]] = []

    @override
    def refusal(self, target: Target, address: IPv4Address | IPv6Address) -> str | None:
        self.asked.append((target.host, str(address)))
        return self.refused.get(str(address))


@final
class FakeProxyChooser(ProxyChooser):
    """Names proxies by host from a table; `otherwise` is for hosts that are not in it.

    `asked` records the URLs.
    """

    def __init__(
        self,
        table: Mapping[str, Proxy | URL | str | None],
        otherwise: Proxy | URL | str | None = None,
    ) -> None:
        self.table = dict(table)
        self.otherwise = otherwise
        self.asked: list[URL] = []

    @override
    def __call__(self, url: URL, /) -> Proxy | URL | str | None:
        self.asked.append(url)
        return self.table.get(url.raw_host or "", self.otherwise)
