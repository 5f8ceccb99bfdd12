"""Names whose addresses the program knows by itself."""

import socket
import sys
from collections.abc import Iterable, Mapping
from typing import final

from ._hosts import is_ip_literal, normalise_host
from ._resolver import AbstractResolver, ResolveResult

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("StaticResolver",)


@final
class StaticResolver(AbstractResolver):
    """Resolves the names of a table, as /etc/hosts does: `{"a.example": "192.0.2.1"}`.

    A name has one address or several, best first. All other names go to `otherwise`, which stays
    the caller's to close; without it they have no address.

    Raises: `ValueError` for what is no host or no address.
    """

    def __init__(
        self,
        hosts: Mapping[str, str | Iterable[str]],
        otherwise: AbstractResolver | None = None,
    ) -> None:
        self._table = {normalise_host(name): _addresses(value) for name, value in hosts.items()}
        self._otherwise = otherwise
        self._closed = False

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of the table that are of this family; see `AbstractResolver`.

        Raises: `socket.gaierror` when there is none, what `otherwise` raises, `OSError` once closed.
        Cancellation: safe.
        """
        if self._closed:
            raise OSError("the resolver is closed")
        addresses = self._table.get(host)
        if addresses is None and self._otherwise is not None:
            return await self._otherwise.resolve(host, port, family)
        results = [_result(host, address, port) for address in addresses or ()]
        results = [r for r in results if family in (socket.AF_UNSPEC, r["family"])]
        if not results:
            raise socket.gaierror(socket.EAI_NONAME, "the table has no address for the name")
        return results

    @override
    async def close(self) -> None:
        """Resolve nothing more. Cancellation: never waits."""
        self._closed = True


def _addresses(value: str | Iterable[str]) -> tuple[str, ...]:
    addresses = tuple(normalise_host(a) for a in ([value] if isinstance(value, str) else value))
    for address in addresses:
        if not is_ip_literal(address):
            raise ValueError(f"not an address: {address[:100]!r}")
    return addresses


def _result(hostname: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=hostname,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
