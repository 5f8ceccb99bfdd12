"""A dialer that fails on purpose: put it round another one to see what a program does without a network.

    connector = TCPConnector(dialer=FaultyDialer(TCPDialer(), Fault.REFUSED, every=3))

It uses public names alone.
"""

import asyncio
import enum
import errno
from collections.abc import Callable
from typing import TypeVar

from wayfare_connector import ConnectDeadline, ConnectObserver, Dialer, Target

P = TypeVar("P", bound=asyncio.BaseProtocol)


class Fault(enum.Enum):
    """What happens in place of a connection."""

    REFUSED = "the peer refuses"
    SILENT = "nobody answers"
    CUT = "the connection is lost at once"


class FaultyDialer:
    """Hands every dial to another dialer but each `every`-th one, which has the fault."""

    def __init__(self, dialer: Dialer, fault: Fault, *, every: int = 1) -> None:
        self.dialer = dialer
        self.fault = fault
        self.every = every
        self.dials = 0
        # What is meant for a proxy must not reach a peer that is none.
        self.fixed_destination = getattr(dialer, "fixed_destination", False)

    async def dial(
        self,
        target: Target,
        protocol_factory: Callable[[], P],
        *,
        deadline: ConnectDeadline,
        observer: ConnectObserver | None,
    ) -> tuple[asyncio.Transport, P]:
        """Dial, or fail; see `wayfare_connector.Dialer`."""
        self.dials += 1
        faulty = self.dials % self.every == 0
        if faulty and self.fault is Fault.REFUSED:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "refused on purpose")
        if faulty and self.fault is Fault.SILENT:
            with deadline.connecting():
                await asyncio.get_running_loop().create_future()
        transport, protocol = await self.dialer.dial(
            target, protocol_factory, deadline=deadline, observer=observer
        )
        if faulty:
            transport.abort()
        return transport, protocol
