"""From a name to addresses: the resolver's seam, and the system's resolver."""

import asyncio
import socket
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, final

from ._cancel_requests import cancel_requests
from ._hosts import without_zone

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("AbstractResolver", "ResolveResult", "ThreadedResolver", "address_text", "as_results")

THREADS = 16
"""Look-ups of one resolver that can hang at once; more wait in line, other work of the loop's
executor never does (N7). Firefox and Go's resolver choose the same order."""


class ResolveResult(TypedDict):
    """One address of a name, as `socket.getaddrinfo` knows it."""

    hostname: str
    """The name that was asked for."""
    host: str
    """The address; an IPv6 one may carry a zone, as in `fe80::1%eth0`."""
    port: int
    family: int
    proto: int
    flags: int


class AbstractResolver(ABC):
    """Looks names up. Subclass it and hand an instance to `TCPConnector(resolver=…)`."""

    @abstractmethod
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name, best first; `AF_UNSPEC` asks for all families.

        `host` is a name in A-labels, never an address.

        Raises: `OSError` when there is none; the dialer makes a `ClientConnectorDNSError` of it, and
        of whatever else a resolver raises.
        Cancellation: nobody waits for the answer any more.
        """

    @abstractmethod
    async def close(self) -> None:
        """Release what the resolver holds; idempotent."""


@final
class ThreadedResolver(AbstractResolver):
    """The system's resolver (`socket.getaddrinfo`), in threads of its own.

    A look-up that the system does not answer keeps its thread until it does: `getaddrinfo` cannot
    be interrupted. So there are at most `THREADS` of them, and none of the loop's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Look up by no loop in particular; `loop` is an argument of old, deprecated and without effect."""
        if loop is not None:
            warnings.warn(
                "loop= does nothing: a resolver belongs to no loop",
                DeprecationWarning,
                stacklevel=2,
            )
        self._executor: ThreadPoolExecutor | None = None
        self._closed = False

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look up in a thread; see `AbstractResolver`.

        Raises: `socket.gaierror` from the system, `OSError` once closed, also for a look-up that no
        thread had begun by then.
        Cancellation: safe; a look-up that has begun goes on in its thread.
        """
        if self._closed:
            raise OSError("the resolver is closed")
        if self._executor is None:
            # Loads threads and queues, which a program with another resolver never needs.
            from concurrent.futures import ThreadPoolExecutor

            self._executor = ThreadPoolExecutor(THREADS, "wayfare-resolver")
        loop = asyncio.get_running_loop()
        before = cancel_requests()
        try:
            infos = await loop.run_in_executor(self._executor, _getaddrinfo, host, port, family)
        except asyncio.CancelledError:
            if cancel_requests() > before:
                raise
            # Nobody cancelled the task: `close` gave up what waited for a thread.
            raise OSError("the resolver was closed during the look-up") from None
        return as_results(host, infos)

    @override
    async def close(self) -> None:
        """Give up the look-ups that have not begun. Cancellation: never waits."""
        self._closed = True
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None


def _getaddrinfo(
    host: str, port: int, family: socket.AddressFamily
) -> Sequence[tuple[int, int, int, str, Any]]:
    # AI_ADDRCONFIG leaves out families that no interface has an address of; the loopback
    # interface does not count, so that it could hide `localhost` on a machine without network (N3).
    is_local = host == "localhost" or host.endswith(".localhost")
    flags = 0 if is_local else socket.AI_ADDRCONFIG
    if not host.isascii() or "\0" in host:
        # C would end the name at NUL and look up another one.
        raise socket.gaierror(socket.EAI_NONAME, f"not a name: {host[:100]!r}")
    # As octets: a str would go through Python's codec for IDNA 2003, slow and not ours.
    name = host.encode("ascii")
    return socket.getaddrinfo(name, port, family=family, type=socket.SOCK_STREAM, flags=flags)


def address_text(address: tuple[Any, ...]) -> str:
    """An address of `getaddrinfo` as text, the number of its zone included."""
    host: str = without_zone(address[0])
    return f"{host}%{address[3]}" if len(address) == 4 and address[3] else host


def as_results(
    host: str, infos: Iterable[tuple[int, int, int, str, tuple[Any, ...]]]
) -> list[ResolveResult]:
    """What a resolver answers for a name, made from what `getaddrinfo` says of it."""
    return [
        ResolveResult(
            hostname=host,
            host=address_text(address),
            port=address[1],
            family=family,
            proto=proto,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for family, _, proto, _, address in infos
    ]
