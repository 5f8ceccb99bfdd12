"""`FaultDialer`: connections that fail as networks do, at the very octet that you say."""

import asyncio
import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal, Self, TypeVar, cast, final

from wayfare_connector import ConnectDeadline, Dialer, Target, TCPDialer

from ._faulty_transport import FaultyTransport

if TYPE_CHECKING:
    from wayfare_connector import ConnectObserver

__all__ = ("Fault", "FaultDialer")

P = TypeVar("P", bound=asyncio.BaseProtocol)


@final
@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one connection.

    `error` is raised in place of a connection. `delay` is how many seconds later it stands, or fails; infinity leaves
    it to the timeouts. After `received` octets from the peer, or `sent` octets to it, whichever comes first, it is
    reset, closed as by the peer, or stalls: nothing arrives or leaves any more. Octets are those on the wire, TLS
    included.
    """

    _: KW_ONLY
    error: Exception | type[Exception] | None = None
    delay: float = 0.0
    received: int | None = None
    sent: int | None = None
    then: Literal["reset", "close", "stall"] = "reset"

    def __post_init__(self) -> None:
        """Raises: ValueError for what makes no sense."""
        if not self.delay >= 0 or (self.received or 0) < 0 or (self.sent or 0) < 0:
            raise ValueError("delay, received and sent cannot be negative")
        if self.then not in ("reset", "close", "stall"):
            raise ValueError(f"then must be reset, close or stall, not {self.then!r}")

    @classmethod
    def refused(cls) -> Self:
        """The peer refuses the connection."""
        return cls(
            error=ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        )


@final
class FaultDialer:
    """Gives each connection of another dialer its fault, in turn: the first connection has the first.

    None is a connection without one, and so are all that come after the last; `repeat` begins anew instead. It is made
    for one connector, as in `TCPConnector(dialer=FaultDialer([Fault.refused(), None]))`. Without a `dialer` connections
    go over TCP. `dials` counts them.

    Raises: ValueError for `repeat` without faults.
    """

    def __init__(
        self, faults: Iterable[Fault | None], dialer: Dialer | None = None, *, repeat: bool = False
    ) -> None:
        self._faults = tuple(faults)
        if repeat and not self._faults:
            raise ValueError("no fault is given to repeat")
        self._repeat = repeat
        self._own = TCPDialer() if dialer is None else None
        self._dialer: Dialer = self._own or cast(Dialer, dialer)
        self.dials = 0

    @property
    def fixed_destination(self) -> bool:
        """Whether the other dialer leads to the same peer whatever the target is."""
        return bool(getattr(self._dialer, "fixed_destination", False))

    async def dial(
        self,
        target: Target,
        protocol_factory: Callable[[], P],
        *,
        deadline: ConnectDeadline,
        observer: "ConnectObserver | None",
    ) -> tuple[asyncio.Transport, P]:
        """Dial, and let go wrong what is to; see `wayfare_connector.Dialer`.

        Cancellation: nothing stays open.
        """
        fault = self._next()
        if fault is None:
            return await self._dialer.dial(
                target, protocol_factory, deadline=deadline, observer=observer
            )
        if fault.delay:
            with deadline.connecting():
                await _sleep(fault.delay)
        if fault.error is not None:
            raise fault.error
        faulty = FaultyTransport(protocol_factory(), fault.received, fault.sent, fault.then)
        await self._dialer.dial(target, faulty.shim, deadline=deadline, observer=observer)
        protocol: P = faulty.get_protocol()  # type: ignore[assignment]  # it is the factory's, as yet
        return faulty, protocol

    async def close(self) -> None:
        """Close what it made itself: the dialer for TCP, if none was given. Idempotent. Cancellation: safe."""
        if self._own is not None:
            await self._own.close()

    def _next(self) -> Fault | None:
        number = self.dials
        self.dials += 1
        if self._repeat:
            number %= len(self._faults)
        return self._faults[number] if number < len(self._faults) else None


async def _sleep(seconds: float) -> None:
    if seconds == float("inf"):
        await asyncio.get_running_loop().create_future()
    await asyncio.sleep(seconds)
