"""What `socket.connect` takes, made from hosts and resolver's answers, without ever asking DNS."""

import socket
from collections.abc import Iterable
from typing import Any, TypeAlias

from ._resolver import ResolveResult

__all__ = ("AddrInfoType", "addr_infos_of_literal", "addr_infos_of_results")

AddrInfoType: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
"""As `socket.getaddrinfo` returns it: family, type, protocol, name, address for `connect`."""


def addr_infos_of_literal(
    host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
) -> list[AddrInfoType]:
    """The one address that a literal is (N9).

    Raises: `OSError` when it is of another family than asked for, or its zone is unknown here.
    """
    info = _addr_info(host, port)
    if family not in (socket.AF_UNSPEC, info[0]):
        raise socket.gaierror(socket.EAI_FAMILY, f"{host} is not an address of {family.name}")
    return [info]


def addr_infos_of_results(
    results: Iterable[ResolveResult], port: int, family: socket.AddressFamily = socket.AF_UNSPEC
) -> list[AddrInfoType]:
    """The usable ones of a resolver's results, in their order, each once (N8).

    Results of another family than asked for, and what is no address, are left out: a resolver is
    foreign code. The port is the target's, whatever a result says.

    Raises: `TypeError`, `KeyError` for what are no results at all.
    """
    infos: dict[AddrInfoType, None] = {}
    for result in results:
        try:
            info = _addr_info(result["host"], port)
        except (OSError, ValueError):
            # A ValueError is for what has NUL or a lone surrogate in it.
            continue
        if family in (socket.AF_UNSPEC, info[0]):
            infos[info] = None
    return list(infos)


def _addr_info(host: str, port: int) -> AddrInfoType:
    """Parse an address.

    Raises: `OSError` for what is none.
    """
    tcp = socket.IPPROTO_TCP
    if ":" not in host:
        # inet_pton takes the canonical form only; inet_aton's other spellings must not come in
        # through a resolver either.
        socket.inet_pton(socket.AF_INET, host)
        return socket.AF_INET, socket.SOCK_STREAM, tcp, "", (host, port)
    address, _, zone = host.partition("%")
    socket.inet_pton(socket.AF_INET6, address)
    scope = _scope_id(zone) if zone else 0
    return socket.AF_INET6, socket.SOCK_STREAM, tcp, "", (address, port, 0, scope)


def _scope_id(zone: str) -> int:
    """The number of an interface that is given by number or by name."""
    if zone.isascii() and zone.isdecimal() and len(zone) <= 10:
        return int(zone)
    return socket.if_nametoindex(zone)
