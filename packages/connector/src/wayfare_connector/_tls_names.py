"""The name under which a TLS server is asked for and verified (RFC 6066 section 3, RFC 9525)."""

import ipaddress
import re

from yarl import URL

__all__ = ("server_name", "sni_name")

_LONGEST_NAME = 253
"""RFC 1035 section 2.3.4: 255 octets on the wire, less the first length octet and the root's."""

_A_LABELS = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


def server_name(host: str) -> str:
    """The `server_hostname` for ssl: A-labels without a trailing dot, or an address without a zone.

    OpenSSL puts a DNS name into SNI and matches the certificate's dNSName entries; an address it
    only matches, with the iPAddress entries. Both happen for what stands here, so a host has one
    normal form for both.

    Raises: ValueError when host is no name that a certificate could hold, an embedded NUL among
        others: C code would end the name there and verify another one (CVE-2009-2417).
    """
    if "\0" in host:
        raise ValueError(f"server name {host!r} contains a NUL character")
    name = (host.lower() if host.isascii() else _to_ascii(host)).removesuffix(".")
    # Other scripts have digits and dots of their own, which only now have become an address.
    address = _address(name)
    if address is not None:
        return address
    if len(name) > _LONGEST_NAME or not _A_LABELS.fullmatch(name):
        raise ValueError(f"{host!r} is not a valid server name")
    return name


def sni_name(host: str) -> str | None:
    """The name that goes on the wire for host, or None: RFC 6066 section 3 permits no addresses.

    Raises: ValueError, as `server_name` does.
    """
    name = server_name(host)
    return None if _address(name) is not None else name


def _to_ascii(host: str) -> str:
    """The A-labels of an internationalised name, as yarl makes them for URLs."""
    try:
        return URL.build(scheme="https", host=host).raw_host or ""
    except ValueError as exc:
        raise ValueError(f"{host!r} is not a valid server name") from exc


def _address(host: str) -> str | None:
    """The normal form of an IP literal, without its zone; None for a name.

    A zone means something on this machine only, and no certificate holds one (RFC 6874 section 4).
    """
    if ":" in host:
        host = host.partition("%")[0]
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
