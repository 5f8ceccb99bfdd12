"""How long connecting may take: the limits, and the deadline that watches over one connect."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, final

from wayfare_http_core.aio import Deadline

from ._errors import (
    ConnectionTimeoutError,
    DialTimeoutError,
    DNSTimeoutError,
    PoolTimeoutError,
    TLSTimeoutError,
)
from ._target import Target

__all__ = ("ConnectDeadline", "ConnectTimeouts")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectTimeouts:
    """Limits of one connect, in seconds; None is no limit."""

    connect: float | None = None
    """All of it: waiting for a place in the pool, resolving, TCP, TLS."""
    sock_connect: float | None = None
    """Connecting to the peer alone, TCP and TLS together; neither waiting nor resolving count."""


@final
class _Progress:
    """What an error of a deadline has to know. It does not know the deadline: no cycle."""

    __slots__ = ("phase", "target", "timeouts")

    def __init__(self, target: Target, timeouts: ConnectTimeouts) -> None:
        self.target = target
        self.timeouts = timeouts
        self.phase: type[ConnectionTimeoutError] = PoolTimeoutError

    def connect_expired(self) -> ConnectionTimeoutError:
        return self.phase(self.target, self.timeouts.connect)

    def sock_connect_expired(self) -> ConnectionTimeoutError:
        return self.phase(self.target, self.timeouts.sock_connect)


@final
class ConnectDeadline:
    """The time left to one connect, and which phase it is in.

    `with deadline.resolving():` and its kin guard the awaits of the current task inside the block
    and raise the phase's `ConnectionTimeoutError` there.
    """

    __slots__ = ("_overall", "_progress", "_socket")

    def __init__(self, target: Target, timeouts: ConnectTimeouts) -> None:
        """The time for all of it starts now; a loop must be running."""
        self._progress = _Progress(target, timeouts)
        self._overall = Deadline.after(timeouts.connect, self._progress.connect_expired)
        self._socket: Deadline | None = None

    def overall(self) -> AbstractContextManager[Any]:
        """Guards against `connect` alone; whoever calls a dialer holds it around everything."""
        return self._overall

    def waiting(self) -> AbstractContextManager[Any]:
        """For waiting in the pool's line."""
        self._progress.phase = PoolTimeoutError
        return self._overall

    def resolving(self) -> AbstractContextManager[Any]:
        """For looking up a name; `sock_connect` does not run meanwhile."""
        self._progress.phase = DNSTimeoutError
        return self._overall

    def connecting(self) -> AbstractContextManager[Any]:
        """For opening the transport: `sock_connect` starts with the first of these blocks."""
        self._progress.phase = DialTimeoutError
        return self._sock_connect()

    def securing(self) -> AbstractContextManager[Any]:
        """For the TLS handshake, which is part of the time that `connecting` started."""
        self._progress.phase = TLSTimeoutError
        return self._sock_connect()

    def remaining(self) -> float | None:
        """Seconds left to the phase, 0.0 when it is over, None without a limit."""
        times = [self._overall.remaining()]
        if self._socket is not None:
            times.append(self._socket.remaining())
        return min((time for time in times if time is not None), default=None)

    def _sock_connect(self) -> Deadline:
        if self._socket is None:
            self._socket = Deadline.after(
                self._progress.timeouts.sock_connect, self._progress.sock_connect_expired
            )
        return self._socket
