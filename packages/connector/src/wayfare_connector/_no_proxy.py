"""`NoProxy`: which hosts are reached without a proxy, as the NO_PROXY variable says.

There is no standard for NO_PROXY, so every client reads it a little differently. We read it as curl and Go do, where
those two agree, and take the narrower meaning where they do not. A host enters in the one spelling of `normalise_host`
and is either an address or a name: an address is compared with addresses and networks only, a name with names only. So
no spelling of an address, and no zone behind one, can pass for a name (P11).
"""

import sys
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias, final

from ._hosts import is_ip_literal, normalise_host, without_zone

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("NoProxy",)

_Network: TypeAlias = IPv4Network | IPv6Network
_Address: TypeAlias = IPv4Address | IPv6Address


@final
class NoProxy:
    """A list of hosts, as the NO_PROXY variable has it: entries separated by commas or white space.

    - `*` is every host.
    - `example.com` is that name and every name below it; so are `.example.com` and `*.example.com`.
    - `192.0.2.7` and `[2001:db8::7]` (brackets or not) are one address.
    - `192.0.2.0/24` and `2001:db8::/32` are networks.
    - A name or an address followed by `:port` is that port of it alone; an IPv6 address needs its brackets then.

    Names are compared as A-labels in lower case, without a trailing dot. An IPv4 address that is mapped into IPv6
    (`::ffff:192.0.2.7`) is the IPv4 address. Loopback hosts are no exception: name them, as with curl. Entries that
    cannot be read match nothing and stand in `unread`.
    """

    __slots__ = ("_all", "_names", "_networks", "unread")

    unread: tuple[str, ...]
    """The entries that are none of the above."""

    def __init__(self, text: str) -> None:
        self._all = False
        self._names: dict[str, set[int | None]] = {}
        self._networks: list[tuple[_Network, int | None]] = []
        unread = []
        for entry in text.replace(",", " ").split():
            if not self._add(entry):
                unread.append(entry)
        self.unread = tuple(unread)

    def matches(self, host: str, port: int) -> bool:
        """Whether this host, normalised as in a `Target`, is reached without a proxy at this port."""
        if self._all:
            return True
        if is_ip_literal(host):
            address = _address(host)
            return any(
                address in network and own in (None, port) for network, own in self._networks
            )
        name = host.removesuffix(".")
        while name:
            ports = self._names.get(name)
            if ports is not None and (None in ports or port in ports):
                return True
            name = name.partition(".")[2]
        return False

    def _add(self, entry: str) -> bool:
        if entry == "*":
            self._all = True
            return True
        try:
            if "/" in entry:
                self._networks.append((_network(entry), None))
                return True
            host, port = _split_port(entry)
            if not host.startswith("["):
                host = host.removeprefix("*").removeprefix(".")
            host = normalise_host(host)
        except ValueError:
            return False
        if is_ip_literal(host):
            self._networks.append((ip_network(_address(host)), port))
        else:
            self._names.setdefault(host.removesuffix("."), set()).add(port)
        return True

    @override
    def __repr__(self) -> str:
        count = len(self._names) + len(self._networks)
        return f"<NoProxy {'*' if self._all else f'{count} entries'}>"


def _split_port(entry: str) -> tuple[str, int | None]:
    """The host of an entry and its port, if it has one."""
    host, colon, digits = entry.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        return entry, None
    # int() would take signs, underscores and digits of other scripts.
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) < 65536):
        raise ValueError(f"not a port: {digits[:100]!r}")
    return host, int(digits)


def _network(entry: str) -> _Network:
    """A network; one of mapped IPv4 addresses is the network of those addresses."""
    network = ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    if isinstance(network, IPv6Network):
        mapped = network.network_address.ipv4_mapped
        if mapped is not None and network.prefixlen >= 96:
            return IPv4Network((mapped, network.prefixlen - 96))
    return network


def _address(host: str) -> _Address:
    address = ip_address(without_zone(host))
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
