"""Opening a transport to a target: the dialer's seam."""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from ._observer import ConnectObserver
from ._target import Target
from ._timeouts import ConnectDeadline

__all__ = ("Dialer",)

P = TypeVar("P", bound=asyncio.BaseProtocol)


class Dialer(Protocol):
    """Opens transports: over TCP, SSH, a child process, memory, whatever carries octets.

    TLS is no business of a dialer; it is laid over the transport afterwards.

    One that leads to the same peer whatever the target is, such as one for a Unix socket, says so by an attribute
    `fixed_destination = True`; one without the attribute leads where it is told. Proxies are not for the former: what
    is meant for a proxy, its credentials too, would reach the peer.
    """

    async def dial(
        self,
        target: Target,
        protocol_factory: Callable[[], P],
        *,
        deadline: ConnectDeadline,
        observer: ConnectObserver | None,
    ) -> tuple[asyncio.Transport, P]:
        """Open a transport to the target and start the factory's protocol on it.

        The factory is called once, and `connection_made` was called when this returns. Bound the
        work by `with deadline.connecting():`, and the look-up of a name by
        `with deadline.resolving():`. Tell the observer, if there is one.

        Raises: `ClientConnectorError` or any `OSError` when the target cannot be reached.
        Cancellation: nothing stays open.
        """
        ...
