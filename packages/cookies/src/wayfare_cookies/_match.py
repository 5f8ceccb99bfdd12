"""Hosts and paths: RFC 6265bis sections 5.1.2 to 5.1.4, as functions of strings."""

import re
from functools import lru_cache
from typing import NamedTuple

from yarl import URL

__all__ = (
    "Host",
    "canonical_host",
    "default_path",
    "domain_match",
    "host_of",
    "is_numeric_host",
    "path_match",
)

LONGEST_HOST = 254
"""Octets of a name that DNS can hold (RFC 1035 2.3.4), with a trailing dot. No longer one has cookies: what a jar does
per label then has a bound.
"""

_HEX = frozenset("0123456789abcdef")
# What ends a host in a URL, or a field in a file, is in none: the forbidden domain code points of the URL standard.
_NO_NAME = re.compile(r"[\x00-\x20#%/:<>?@\[\\\]^|\x7F]")
_IPV6 = re.compile(r"[0-9a-f:.]+(?:%[0-9a-z%._~-]+)?")


def canonical_host(host: str) -> str | None:
    """Lower-case ASCII form of a host name (A-labels for what is not ASCII), or None where it is
    no host name.

    A single trailing dot stays: "example.com." is another host than "example.com", for cookies as
    for TLS. Source: RFC 6265bis 5.1.2.
    """
    if host.isascii():
        host = host.lower()
    else:
        try:
            host = URL.build(scheme="http", host=host).raw_host or ""
        except ValueError:
            return None
    # An empty label ("a..example") is none of U-label, A-label and NR-LDH label.
    if not host or host[0] == "." or ".." in host or len(host) > LONGEST_HOST:
        return None
    if ":" in host:
        return host if _IPV6.fullmatch(host) else None
    return None if _NO_NAME.search(host) else host


def is_numeric_host(host: str) -> bool:
    """Tell IP addresses from names: IPv6 literals, and every host whose last label is a number.

    "127.1", "0x7f000001", "2130706433" and "127.0.0.1." name an address on many systems, so none
    of them may share cookies by suffix (5.1.3: "The string is a host name (i.e., not an IP
    address)"). No top-level domain is a number.
    """
    if ":" in host:
        return True
    stem = host[:-1] if host.endswith(".") else host
    label = stem[stem.rfind(".") + 1 :]
    if not label or not "0" <= label[0] <= "9":
        return False
    if label[:2] == "0x":
        return _HEX.issuperset(label[2:])
    return label.isascii() and label.isdigit()


class Host(NamedTuple):
    """A canonical host and what follows from its name."""

    name: str
    numeric: bool
    """It is an IP address."""
    domains: tuple[str, ...]
    """The host and, from near to far, every domain that it lies in. An IP address lies in none (5.1.3)."""


@lru_cache(maxsize=256)
def host_of(raw: str) -> Host | None:
    """All that the rules ask of a URL's host, or None where it is none. Remembered, because requests repeat hosts."""
    name = canonical_host(raw)
    if name is None:
        return None
    numeric = is_numeric_host(name)
    return Host(name, numeric, (name,) if numeric else _domains(name))


def _domains(name: str) -> tuple[str, ...]:
    found = []
    while name:
        found.append(name)
        name = name.partition(".")[2]
    return tuple(found)


def domain_match(host: str, domain: str) -> bool:
    """Whether a canonical host lies in a canonical domain. Source: RFC 6265bis 5.1.3."""
    if host == domain:
        return True
    return host.endswith("." + domain) and not is_numeric_host(host)


def default_path(path: str) -> str:
    """The path of a cookie that names none: the request path's directory. Source: RFC 6265bis
    5.1.4.
    """
    if path[:1] != "/":
        return "/"
    return path[: path.rfind("/")] or "/"


def path_match(request_path: str, cookie_path: str) -> bool:
    """Whether a request path lies under a cookie path, on a segment's boundary. Source: RFC
    6265bis 5.1.4.
    """
    if request_path == cookie_path:
        return True
    if not request_path.startswith(cookie_path):
        return False
    return cookie_path.endswith("/") or request_path[len(cookie_path)] == "/"
