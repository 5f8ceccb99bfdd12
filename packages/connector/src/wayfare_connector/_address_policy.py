"""Which addresses a program may connect to: the seam, and a policy against requests to the inside.

A server that fetches what its users name (a picture, a web hook) must not fetch from its own
network: server-side request forgery. Looking at the URL does not help, for a name can lead anywhere,
and elsewhere the next moment. So a policy is asked about the very address that is connected to, after
the name was resolved, and about addresses that stand in URLs.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Protocol, TypeAlias, final

from ._target import Target

__all__ = ("AddressPolicy", "PublicAddresses")

Address: TypeAlias = IPv4Address | IPv6Address
_Network: TypeAlias = IPv4Network | IPv6Network


class AddressPolicy(Protocol):
    """Decides about addresses; give one to `TCPConnector(address_policy=…)`.

    It is asked for each address of a name, and for those that are names of their own; for the latter
    also where a proxy is to connect to them. What other names lead to there, the proxy finds out. An
    IPv4 address that is mapped into IPv6 comes as it is.
    """

    def refusal(self, target: Target, address: Address) -> str | None:
        """Why not to connect to this address of the target, in a few words; None if nothing speaks
        against it. Synchronous; one that raises permits nothing.
        """
        ...


# The registries of special-purpose addresses (RFC 6890 and what was added since) by our own list:
# what the ipaddress module calls global depends on the version of Python.

_NOT_PUBLIC_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # looks public, and answers inside of Azure alone
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out for global unicast (RFC 4291 section 2.4)."""

_NOT_PUBLIC_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocols, Teredo among them
        "2001:db8::/32",
        "3fff::/20",
    )
)

_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last four octets are an IPv4 address."""

_6TO4 = IPv6Network("2002::/16")
"""RFC 3056: octets 2 to 5 are an IPv4 address."""

_COMPATIBLE = IPv6Network("::/96")
"""RFC 4291 section 2.5.5.1, abandoned; the last four octets are an IPv4 address."""


@final
class PublicAddresses:
    """The policy that leaves nothing but the public Internet.

    Private, loopback, link-local, shared, reserved and multicast addresses are refused, and with them
    the metadata services of clouds; in IPv6 whatever is not global unicast, and any address that
    carries a refused one of IPv4 (mapped, NAT64, 6to4). `allow` names networks that are fine all the
    same, such as that of a proxy: behind a proxy no policy sees where names lead.

    Raises: `ValueError` for what is no network.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._allowed: tuple[_Network, ...] = tuple(ip_network(text) for text in allow)

    def refusal(self, target: Target, address: Address) -> str | None:
        """See `AddressPolicy`."""
        carried = _carried(address) if isinstance(address, IPv6Address) else None
        if any(a in network for a in (address, carried) if a for network in self._allowed):
            return None
        return None if _is_public(carried or address) else "it is not a public address"


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    special = any(address in network for network in _NOT_PUBLIC_V6)
    return address in _GLOBAL_UNICAST and not special


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this one end up at, if there is one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _6TO4:
        return address.sixtofour
    if address in _NAT64 or address in _COMPATIBLE:
        return IPv4Address(address.packed[12:])
    return None
