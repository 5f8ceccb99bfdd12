"""Hosts as they stand in a target: checked, one spelling each.

Two spellings of one host must not miss each other in the pool, and no spelling may mean one host to
a policy and another to the system's resolver. So a host enters here once and leaves as

- a DNS name: A-label, lower case, a trailing dot kept (it is another host for certificates, U9);
- an IPv4 address in the canonical dotted form;
- an IPv6 address as RFC 5952 writes it, without brackets, with its zone if it has one.
"""

from functools import lru_cache

__all__ = ("is_ip_literal", "name_fault", "normalise_host", "without_zone")

# Sets of characters rather than patterns: `not text.strip(SET)` says that a text has no others, and
# nothing is compiled where this is imported.

_DIGITS = "0123456789"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

_REG_NAME = _LETTERS + _DIGITS + "._~!$&'()*+,;=-"
"""RFC 3986 section 3.2.2, reg-name, without percent-encoding: an encoded octet could become
structure for whoever decodes it (U3)."""

_ZONE = _LETTERS + _LETTERS.upper() + _DIGITS + "._~-"

MAX_NAME = 253
"""Octets of a DNS name without its trailing dot (RFC 1035 section 2.3.4, in text form)."""

MAX_LABEL = 63
"""Octets of a label (RFC 1035 section 2.3.4)."""


@lru_cache(maxsize=1024)
def normalise_host(host: str) -> str:
    """The one spelling of a host; brackets round an IPv6 address are taken off.

    Raises: `ValueError` for what is no host, and for IPv4 addresses in the spellings of inet_aton
    (`127.1`, `0x7f000001`, `2130706433`, `0177.0.0.1`): filters and resolvers disagree about them
    (U5).
    """
    if host[:1] == "[" and host[-1:] == "]":
        host = host[1:-1]
    if ":" in host:
        return _normalise_ipv6(host)
    if not host.isascii():
        host = _to_a_labels(host)
    host = host.lower()
    if not host or host.strip(_REG_NAME):
        raise ValueError(f"not a host: {host[:100]!r}")
    last_label = host.removesuffix(".").rpartition(".")[2]
    if _is_number(last_label) and not _is_ipv4(host):
        raise ValueError(f"not an IPv4 address in its canonical form: {host[:100]!r}")
    return host


def is_ip_literal(host: str) -> bool:
    """Whether a normalised host is an address, which must never reach DNS (N9)."""
    return ":" in host or _is_ipv4(host)


def without_zone(host: str) -> str:
    """A normalised host without its IPv6 zone, which means nothing to a peer (RFC 6874)."""
    return host.partition("%")[0]


def name_fault(host: str) -> str | None:
    """Why a normalised DNS name cannot be looked up, or None if it can (N9)."""
    name = host.removesuffix(".")
    if len(name) > MAX_NAME:
        return f"the name is longer than {MAX_NAME} octets"
    for label in name.split("."):
        if not label:
            return "the name has an empty label"
        if len(label) > MAX_LABEL:
            return f"a label of the name is longer than {MAX_LABEL} octets"
    return None


def _is_number(label: str) -> bool:
    """Whether inet_aton takes it for a number: a last label like that makes it read the whole host
    as an address."""
    if label[:2] == "0x":
        return not label[2:].strip(_DIGITS + "abcdef")
    return bool(label) and not label.strip(_DIGITS)


def _is_ipv4(host: str) -> bool:
    """Whether it is an address in the canonical dotted form: a leading zero means octal to
    inet_aton."""
    octets = host.split(".")
    return len(octets) == 4 and all(
        0 < len(octet) < 4
        and not octet.strip(_DIGITS)
        and (octet == "0" or octet[0] != "0")
        and (len(octet) < 3 or octet <= "255")
        for octet in octets
    )


def _normalise_ipv6(host: str) -> str:
    from ipaddress import IPv6Address

    address, percent, zone = host.partition("%")
    if percent and (not zone or zone.strip(_ZONE)):
        raise ValueError(f"not an IPv6 zone: {zone[:100]!r}")
    parsed = IPv6Address(address)
    # RFC 5952 section 5; what `compressed` makes of these depends on the version of Python.
    mapped = parsed.ipv4_mapped
    text = parsed.compressed if mapped is None else f"::ffff:{mapped}"
    return f"{text}{percent}{zone}"


def _to_a_labels(host: str) -> str:
    """By yarl, so that a target and a URL agree about internationalised names."""
    from yarl import URL

    return URL.build(scheme="http", host=host).raw_host or ""
