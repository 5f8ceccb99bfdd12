"""The pool of one connector on its event loop: carries out what `Pool` decides.

Connections refer to their lender and it refers to them, but nothing here refers to the connector:
so a connector that is dropped unclosed is freed at once, warns, and has its sockets closed.
"""

import asyncio
import os
import sys
from contextlib import suppress
from threading import get_ident
from types import TracebackType
from typing import TYPE_CHECKING, Any, final

from wayfare_http_core import Connection

from ._errors import ClientConnectorError, ConnectorClosedError
from ._pool import Decision, Pool, Ticket, TicketState
from ._target import Target
from ._timeouts import ConnectDeadline

if TYPE_CHECKING:
    from ._observer import ConnectObserver

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("Lender",)

_SWEEP_GAP = 0.1
"""Seconds between two sweeps at the least: connections that expire together go together."""

_ABORT_GRACE = 1.0
"""Seconds that aborted transports get to report their end; asyncio's need one loop iteration."""

_process = os.getpid()


def _enter_child() -> None:
    global _process
    _process = os.getpid()


# Asking the system for the process id at each lease would cost more than the lease. Where this
# does not exist, there is no fork.
with suppress(AttributeError):
    os.register_at_fork(after_in_child=_enter_child)


@final
class _Dial:
    """A connection being made by the current task, which `interrupt` ends from outside.

    The rules are those of `asyncio.timeout`: a cancellation from elsewhere stays one.
    """

    __slots__ = ("_cancelling", "_interrupted", "_task", "lender")

    def __init__(self, lender: "Lender") -> None:
        self.lender = lender
        self._interrupted = False
        self._task: asyncio.Task[Any] | None = None
        self._cancelling = 0

    def interrupt(self) -> None:
        """End the block with `ConnectorClosedError`."""
        if self._task is not None and not self._interrupted:
            self._interrupted = True
            self._task.cancel()

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self._cancelling = 0 if self._task is None else self._task.cancelling()
        self.lender.dials.add(self)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.lender.dial_ended(self)
        task, self._task = self._task, None
        if (
            self._interrupted
            and task is not None
            and task.uncancel() <= self._cancelling
            and isinstance(exc, asyncio.CancelledError)
        ):
            raise ConnectorClosedError from exc


@final
class Lender:
    """Lends the connections of a pool; their owner in the sense of `ConnectionOwner`."""

    def __init__(self, pool: Pool[Connection]) -> None:
        self.pool = pool
        self.closed = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.dials: set[_Dial] = set()
        self._thread = 0
        self._process = 0
        self._waiters: dict[Ticket[Connection], asyncio.Future[None]] = {}
        # All connections whose transports are not gone, pooled or not.
        self._open: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._all_gone: asyncio.Future[None] | None = None

    @property
    def open_connections(self) -> int:
        """How many transports are not closed yet."""
        return len(self._open)

    @property
    def is_foreign(self) -> bool:
        """Whether this is a copy in a child process: its sockets are the parent's (L15)."""
        return self._process not in (0, _process)

    def bind(self) -> asyncio.AbstractEventLoop:
        """Belong to the running loop from the first use on.

        Raises: `RuntimeError` without a loop, on a second loop (O10), and in a forked child (L15).
        """
        loop = asyncio.get_running_loop()
        if self.loop is None:
            self.loop = loop
            self._thread = get_ident()
            self._process = _process
        if self.is_foreign:
            raise RuntimeError(
                f"the connector's sockets belong to process {self._process}: "
                "make another connector after a fork"
            )
        if self.loop is not loop:
            raise RuntimeError(
                "the connector belongs to another event loop: make one connector per loop"
            )
        return loop

    # -- lending

    def lease(self, target: Target) -> Connection | None:
        """An idle connection that can start an exchange now, or None."""
        loop = self.loop
        if loop is None:
            return None
        # The same loop as at first, at a fraction of what asking for the running one costs: it
        # runs, and in this thread.
        if self._thread != get_ident() or not loop.is_running() or self._process != _process:
            self.bind()
        now = loop.time()
        while (connection := self.pool.lease(target, now)) is not None:
            if connection.available_exchanges and connection.is_quiet(now):
                return connection
            self.discard(connection)
        return None

    async def place(
        self, target: Target, deadline: ConnectDeadline, observer: "ConnectObserver | None"
    ) -> Ticket[Connection]:
        """Wait for a connection or for a place: the ticket is GRANTED or CONNECTING.

        Raises: `PoolTimeoutError`, `ConnectorClosedError`.
        Cancellation: what was granted meanwhile goes to the next (L3).
        """
        ticket, close = self.pool.request(target, self._now())
        for connection in close:
            connection.close()
        if ticket.state is TicketState.WAITING:
            await self._wait(ticket, target, deadline, observer)
        return ticket

    async def _wait(
        self,
        ticket: Ticket[Connection],
        target: Target,
        deadline: ConnectDeadline,
        observer: "ConnectObserver | None",
    ) -> None:
        loop = self.bind()
        self._waiters[ticket] = future = loop.create_future()
        started = loop.time()
        try:
            if observer is not None:
                await observer.queued_start(target)
            with deadline.waiting():
                await future
            if observer is not None:
                await observer.queued_end(target, loop.time() - started)
            # Also one that was granted a place in time: it would begin to dial now.
            if ticket.state is TicketState.DONE or self.closed:
                raise ConnectorClosedError
        except BaseException:
            self.give_up(ticket)
            raise
        finally:
            del self._waiters[ticket]

    def take(self, ticket: Ticket[Connection]) -> Connection | None:
        """The connection of a GRANTED ticket; None if it is of no use any more."""
        connection = self.pool.take(ticket)
        if connection.available_exchanges:
            return connection
        self.discard(connection)
        return None

    def give_up(self, ticket: Ticket[Connection]) -> None:
        """Nobody wants what the ticket stands for."""
        self._carry_out(self.pool.abandon(ticket, self._now()))
        self._arm()

    def give_back(self, connection: Connection) -> None:
        """A leased connection was not used."""
        if connection.available_exchanges:
            self._carry_out(self.pool.give_back(connection, self._now()))
            self._arm()
        else:
            self.discard(connection)

    def adopt(self, ticket: Ticket[Connection], target: Target, connection: Connection) -> None:
        """Lend a new connection to the one who made it.

        Raises: `ConnectorClosedError`, `ClientConnectorError` when the connection is gone already;
        it is aborted then, and the place given to the next.
        """
        error: Exception | None = None
        if self.closed:
            error = ConnectorClosedError()
        elif not connection.available_exchanges:
            reset = ConnectionResetError("the peer closed the connection at once")
            error = ClientConnectorError(target, reset)
        if error is not None:
            connection.abort()
            self.give_up(ticket)
            raise error
        self._open.add(connection)
        self.pool.fill(ticket, connection, self._now())

    def discard(self, connection: Connection) -> None:
        """Use a pooled connection no more."""
        self._carry_out(self.pool.retire(connection))
        connection.abort()

    # -- ConnectionOwner

    def connection_idle(self, connection: Connection, /) -> None:
        """See `ConnectionOwner`."""
        loop = self.loop
        if loop is None:
            return
        hint = connection.keep_alive_hint
        decision = self.pool.idle(connection, loop.time(), hint)
        if decision is not None:
            self._carry_out(decision)
        elif self._sweeper is None or hint is not None or self.pool.max_age is not None:
            self._arm()

    def connection_retired(self, connection: Connection, /) -> None:
        """See `ConnectionOwner`."""
        self._carry_out(self.pool.retire(connection))

    def connection_lost(self, connection: Connection, /) -> None:
        """See `ConnectionOwner`."""
        self._open.discard(connection)
        self._check_all_gone()

    # -- idling

    def _arm(self) -> None:
        """Set the timer to when the first idle connection ends."""
        moment = self.pool.next_expiry()
        if moment is None or self.loop is None:
            return
        moment = max(moment, self.loop.time() + _SWEEP_GAP)
        if self._sweeper is not None:
            if self._sweeper.when() <= moment:
                return
            self._sweeper.cancel()
        self._sweeper = self.loop.call_at(moment, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        for connection in self.pool.expire(self._now()):
            connection.close()
        self._arm()

    # -- closing

    async def close(self, patience: float | None) -> None:
        """Close idle connections, abort the others, end dials, and wait until all are gone.

        Idempotent, and a second call waits too. After the end of its loop there is nothing to wait
        for. What is left after `patience` seconds is aborted,
        None waits without limit.

        Raises: `RuntimeError` on another loop than before.
        Cancellation: everything is aborted and goes on to close.
        """
        if self.loop is None or self._is_out_of_reach:
            self._forget()
            return
        loop = self.bind()
        self._begin_close()
        if not self._open and not self.dials:
            return
        if self._all_gone is None:
            self._all_gone = loop.create_future()
        timer = None if patience is None else loop.call_later(patience, self._abort_open)
        try:
            bound = None if patience is None else patience + _ABORT_GRACE
            await asyncio.wait([self._all_gone], timeout=bound)
        except BaseException:
            self._abort_open()
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def abandon(self) -> None:
        """Close everything, from the garbage collector's thread, whichever that is."""
        self.closed = True
        if self.loop is None or self._is_out_of_reach:
            self._forget()
            return
        with suppress(RuntimeError):  # the loop was closed just now
            self.loop.call_soon_threadsafe(self._abort_all)

    @property
    def _is_out_of_reach(self) -> bool:
        """Whether no transport can be closed any more: they are the parent's, or the loop ended."""
        return self.is_foreign or (self.loop is not None and self.loop.is_closed())

    def _begin_close(self) -> None:
        self.closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        idle = self.pool.idle_connections
        decision = self.pool.clear()
        for connection in decision.close:
            if connection in idle:
                connection.close()
            else:
                connection.abort()
        decision.close = []
        self._carry_out(decision)
        for dial in tuple(self.dials):
            dial.interrupt()

    def _abort_all(self) -> None:
        self._begin_close()
        self._abort_open()

    def _abort_open(self) -> None:
        for connection in tuple(self._open):
            connection.abort()

    def _forget(self) -> None:
        """Give up everything without a word to the transports; their destructors do the rest."""
        self.closed = True
        self.pool.clear()
        self._open.clear()

    def dial_ended(self, dial: _Dial) -> None:
        """A dial is over, for `_Dial` alone."""
        self.dials.discard(dial)
        self._check_all_gone()

    def dialling(self) -> _Dial:
        """`with lender.dialling():` lets `close` end what the current task awaits in the block."""
        return _Dial(self)

    def _check_all_gone(self) -> None:
        waiting = self._all_gone
        if waiting is not None and not waiting.done() and not self._open and not self.dials:
            waiting.set_result(None)

    # -- inside

    def _now(self) -> float:
        return 0.0 if self.loop is None else self.loop.time()

    def _carry_out(self, decision: Decision[Connection] | None) -> None:
        if decision is None:
            return
        for connection in decision.close:
            connection.close()
        for ticket in decision.wake:
            future = self._waiters.get(ticket)
            if future is not None and not future.done():
                future.set_result(None)

    @override
    def __repr__(self) -> str:
        stats = self.pool.stats()
        return f"<Lender leased={stats.leased} idle={stats.idle} waiting={stats.waiting}>"
