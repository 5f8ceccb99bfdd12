"""How long connecting may take: the limits, and the deadline that watches over one connect."""

from asyncio import get_running_loop
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, final

from wayfare_http_core.aio import Deadline

from ._errors import (
    ConnectionTimeoutError,
    DialTimeoutError,
    DNSTimeoutError,
    PoolTimeoutError,
    ProxyTimeoutError,
    TLSTimeoutError,
)
from ._target import Target

if TYPE_CHECKING:
    from wayfare_http_core import ConnectTimings

    from ._failed_attempt import FailedAttempt
    from ._proxy import Proxy

__all__ = ("ConnectDeadline", "ConnectTimeouts")


@final
class ConnectTimeouts(NamedTuple):
    """Limits of one connect, in seconds; None is no limit. Give them by keyword."""

    connect: float | None = None
    """All of it: waiting for a place in the pool, resolving, TCP, proxy, TLS."""
    sock_connect: float | None = None
    """Connecting to the peer: TCP, a proxy on the way, and TLS together; neither waiting nor
    resolving count."""
    pool: float | None = None
    """Waiting for a place in the pool."""
    dns: float | None = None
    """Resolving a name."""
    tls: float | None = None
    """One TLS handshake; a proxy's and the target's are two."""
    proxy: float | None = None
    """One proxy's answer when it is asked for the way, by CONNECT or SOCKS (P3); each of a chain has
    its own."""


@final
class _Progress:
    """What an error of a deadline has to know. It does not know the deadline: no cycle."""

    __slots__ = (
        "attempts",
        "here",
        "loop",
        "phase",
        "proxy",
        "since",
        "started",
        "target",
        "timeouts",
        "took",
    )

    def __init__(self, target: Target, timeouts: ConnectTimeouts) -> None:
        self.target = target
        self.timeouts = timeouts
        self.loop = get_running_loop()
        self.phase: type[ConnectionTimeoutError] = PoolTimeoutError
        self.since = self.started = self.loop.time()
        self.took: dict[type[ConnectionTimeoutError], float] = {}
        """Seconds spent in each phase so far."""
        self.attempts: tuple[FailedAttempt, ...] = ()
        self.here: Proxy | None = None
        """The proxy that the phases to come are about."""
        self.proxy: Proxy | None = None
        """That of the phase."""

    def error(self, limit: float | None) -> ConnectionTimeoutError:
        elapsed = self.loop.time() - self.since
        return self.phase(self.target, limit, elapsed, self.attempts, self.proxy)

    def connect_expired(self) -> ConnectionTimeoutError:
        return self.error(self.timeouts.connect)

    def sock_connect_expired(self) -> ConnectionTimeoutError:
        return self.error(self.timeouts.sock_connect)

    def pool_expired(self) -> ConnectionTimeoutError:
        return self.error(self.timeouts.pool)

    def dns_expired(self) -> ConnectionTimeoutError:
        return self.error(self.timeouts.dns)

    def proxy_expired(self) -> ConnectionTimeoutError:
        return self.error(self.timeouts.proxy)

    def tls_expired(self) -> ConnectionTimeoutError:
        return self.error(self.timeouts.tls)


@final
class _Phase:
    """One block of a phase: guards it by what ends first, and measures it."""

    __slots__ = ("_deadline", "_kind", "_progress")

    def __init__(
        self, progress: _Progress, kind: type[ConnectionTimeoutError], deadline: Deadline
    ) -> None:
        self._progress = progress
        self._kind = kind
        self._deadline = deadline

    def __enter__(self) -> None:
        progress = self._progress
        progress.phase = self._kind
        progress.since = progress.loop.time()
        progress.attempts = ()
        progress.proxy = progress.here
        self._deadline.__enter__()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        progress = self._progress
        before = progress.took.get(self._kind, 0.0)
        progress.took[self._kind] = before + progress.loop.time() - progress.since
        self._deadline.__exit__(exc_type, exc, traceback)


@final
class ConnectDeadline:
    """The time left to one connect, which phase it is in, and how long each one took.

    `with deadline.resolving():` and its kin guard the awaits of the current task inside the block
    and raise the phase's `ConnectionTimeoutError` there. Each of these calls starts the phase: enter
    what it returns at once.
    """

    __slots__ = ("_current", "_overall", "_progress", "_socket")

    def __init__(self, target: Target, timeouts: ConnectTimeouts) -> None:
        """The time for all of it starts now; a loop must be running."""
        self._progress = _Progress(target, timeouts)
        self._overall = Deadline.after(timeouts.connect, self._progress.connect_expired)
        self._current = self._overall
        self._socket: Deadline | None = None

    def overall(self) -> AbstractContextManager[Any]:
        """Guards against `connect` alone; whoever calls a dialer holds it around everything."""
        return self._overall

    def waiting(self) -> AbstractContextManager[Any]:
        """For waiting in the pool's line."""
        progress = self._progress
        own = Deadline.after(progress.timeouts.pool, progress.pool_expired)
        return self._begin(PoolTimeoutError, own)

    def resolving(self) -> AbstractContextManager[Any]:
        """For looking up a name; `sock_connect` does not run meanwhile."""
        progress = self._progress
        own = Deadline.after(progress.timeouts.dns, progress.dns_expired)
        return self._begin(DNSTimeoutError, own)

    def connecting(self) -> AbstractContextManager[Any]:
        """For opening the transport: `sock_connect` starts with the first of these blocks."""
        return self._begin(DialTimeoutError, self._sock_connect())

    def tunnelling(self) -> AbstractContextManager[Any]:
        """For asking a proxy for the way, part of the time that `connecting` started."""
        progress = self._progress
        own = Deadline.after(progress.timeouts.proxy, progress.proxy_expired)
        return self._begin(ProxyTimeoutError, _earlier(own, self._sock_connect()))

    def securing(self) -> AbstractContextManager[Any]:
        """For a TLS handshake, part of the time that `connecting` started."""
        progress = self._progress
        own = Deadline.after(progress.timeouts.tls, progress.tls_expired)
        return self._begin(TLSTimeoutError, _earlier(own, self._sock_connect()))

    @contextmanager
    def at_proxy(self, proxy: "Proxy") -> Iterator[None]:
        """The phases inside are about this proxy, and their errors say so."""
        progress = self._progress
        outer, progress.here = progress.here, proxy
        try:
            yield
        finally:
            progress.here = outer

    def tried(self, attempts: "tuple[FailedAttempt, ...]") -> None:
        """Let the error of the running phase tell of these addresses, if it comes to one (N2).

        For a dialer whose `connecting` block is cancelled, before it leaves the block.
        """
        self._progress.attempts = attempts

    def remaining(self) -> float | None:
        """Seconds left to the phase, 0.0 when it is over, None without a limit."""
        return self._current.remaining()

    def timings(self) -> "ConnectTimings":
        """How long each phase took until now; one that goes on still is not counted."""
        # Of use only to those who make a connection, which is rare.
        from wayfare_http_core import ConnectTimings

        progress = self._progress
        took = progress.took.get
        return ConnectTimings(
            queued=took(PoolTimeoutError),
            dns=took(DNSTimeoutError),
            dial=took(DialTimeoutError),
            tunnel=took(ProxyTimeoutError),
            tls=took(TLSTimeoutError),
            total=progress.loop.time() - progress.started,
        )

    def _begin(self, kind: type[ConnectionTimeoutError], own: Deadline) -> _Phase:
        self._current = _earlier(own, self._overall)
        return _Phase(self._progress, kind, self._current)

    def _sock_connect(self) -> Deadline:
        if self._socket is None:
            self._socket = Deadline.after(
                self._progress.timeouts.sock_connect, self._progress.sock_connect_expired
            )
        return self._socket


def _earlier(one: Deadline, other: Deadline) -> Deadline:
    """The one whose moment comes first, if there is any."""
    if one.when is None or (other.when is not None and other.when < one.when):
        return other
    return one
