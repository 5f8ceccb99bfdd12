"""Resolving without threads of Python: c-ares, by way of aiodns."""

import asyncio
import socket
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

from ._resolver import AbstractResolver, ResolveResult, address_text

if TYPE_CHECKING:
    from aiodns import DNSResolver

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("AsyncResolver",)

_ARES_ENOTFOUND = 4
_ARES_ENODATA = 1


@final
class AsyncResolver(AbstractResolver):
    """Asks name servers itself, with c-ares; needs the extra `aiodns`.

    `nameservers` are addresses to ask, each with `:port` behind it if that is not 53; without them
    those of the system are asked, and /etc/hosts is read first. `options` are those of
    `aiodns.DNSResolver`, for example `timeout` and `tries`. What else the system knows of names
    (mDNS, NIS and other modules of nsswitch) plays no part here. `loop` is accepted and ignored, with
    a `DeprecationWarning`.

    Raises: `ImportError` where the extra is not installed.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        nameservers: Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        if loop is not None:
            warnings.warn(
                "loop= does nothing: a resolver belongs to the loop that uses it first",
                DeprecationWarning,
                stacklevel=2,
            )
        try:
            # Imported here: the name is there for all, the library only for who installs the extra.
            import aiodns
        except ImportError as exc:
            raise ImportError(
                "AsyncResolver needs aiodns: pip install wayfare-connector[aiodns]"
            ) from exc
        self._library = aiodns
        self._nameservers = nameservers
        self._options = options
        self._resolver: DNSResolver | None = None
        self._closed = False

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Ask the name servers; see `AbstractResolver`.

        Raises: `socket.gaierror` when they know no address or do not answer, `OSError` once closed.
        Cancellation: safe; an answer that comes later is dropped.
        """
        if self._closed:
            raise OSError("the resolver is closed")
        if self._resolver is None:
            loop = asyncio.get_running_loop()
            self._resolver = self._library.DNSResolver(self._nameservers, loop, **self._options)
        try:
            answer = await self._resolver.getaddrinfo(
                host, family=family, port=port, type=socket.SOCK_STREAM
            )
        except self._library.error.DNSError as exc:
            code, message = exc.args
            unknown = code in (_ARES_ENOTFOUND, _ARES_ENODATA)
            kind = socket.EAI_NONAME if unknown else socket.EAI_AGAIN
            raise socket.gaierror(kind, message) from exc
        return [
            ResolveResult(
                hostname=host,
                host=address_text((node.addr[0].decode("ascii"), *node.addr[1:])),
                port=port,
                family=node.family,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for node in answer.nodes
        ]

    @override
    async def close(self) -> None:
        """Fail the look-ups that go on, and give the sockets back. Cancellation: never waits."""
        self._closed = True
        resolver, self._resolver = self._resolver, None
        if resolver is not None:
            await resolver.close()
