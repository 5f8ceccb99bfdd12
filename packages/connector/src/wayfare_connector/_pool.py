"""The pool: who may have which connection, decided without a clock, a loop or a socket.

Every method takes the moment it is called at where it needs one, changes the books, and returns
what the caller has to carry out: connections to close and tickets to wake.

A connection is leased or idle from `fill` to `retire`. A ticket asks for one:

    WAITING ──► CONNECTING ──► DONE         a place was granted: dial, then `fill`
       │            ▲
       └──────► GRANTED ─────► DONE         a connection was granted: `take` it

    any of them ──`abandon`──► DONE         whatever was granted goes to the next

Places: each leased, idle and connecting one takes one place, of `limit` in all and of
`limit_per_host` among those with the same `Target.limit_key`. Idle connections are given out last
in, first out; to make room for another target the one that is idle longest is closed.

Fairness: places go to the oldest ticket that can use them. A connection that turns idle goes to the
oldest ticket of its own target, which costs nothing; but a target whose ticket is older lets that
happen only as many times as there are places, all its tickets together. Then the connection is
closed for it: so no target starves another (L4), and few connections are closed for fairness.

Invariant after each call: no waiting ticket could be served, that is, no ticket waits for a target
with an idle connection, nor while there is room, nor while there is an idle connection whose end
would make room for it.
"""

import enum
from collections import OrderedDict
from heapq import heapify, heappop, heappush
from math import inf
from typing import TYPE_CHECKING, Final, Generic, TypeVar, final

from ._target import LimitKey, Target

if TYPE_CHECKING:
    from ._pool_stats import PoolStats

__all__ = ("Decision", "Pool", "Ticket", "TicketState")

C = TypeVar("C")
"""A connection: anything that hashes by its identity."""


@final
class TicketState(enum.Enum):
    """Where a request for a connection stands."""

    WAITING = enum.auto()
    CONNECTING = enum.auto()
    GRANTED = enum.auto()
    DONE = enum.auto()


@final
class Ticket(Generic[C]):
    """A request for a connection; read-only for all but the pool."""

    __slots__ = ("connection", "group", "number", "state")

    def __init__(self, group: "_Group[C]", number: int) -> None:
        self.group = group
        self.number = number
        """Counts up: the ticket with the smaller number came first."""
        self.state = TicketState.WAITING
        self.connection: C | None = None
        """The connection that is kept for it while it is GRANTED."""


@final
class Decision(Generic[C]):
    """What a caller has to do: close these connections, wake the holders of these tickets."""

    __slots__ = ("close", "wake")

    def __init__(self, close: list[C], wake: list[Ticket[C]]) -> None:
        self.close = close
        self.wake = wake


@final
class _Host(Generic[C]):
    """The targets that share a limit per host; without such a limit, all targets."""

    __slots__ = ("groups", "idle", "limit_key", "line", "pushed", "used")

    def __init__(self, limit_key: LimitKey | None, idle: "OrderedDict[C, _Entry[C]]") -> None:
        self.limit_key = limit_key
        self.idle = idle
        """Longest idle first."""
        self.line: OrderedDict[Ticket[C], None] = OrderedDict()
        """Waiting tickets, oldest first."""
        self.groups = 0
        self.used = 0
        """Places taken."""
        self.pushed = -1
        """The number under which it stands in the pool's heap of hosts, -1 if it does not."""


@final
class _Group(Generic[C]):
    """One target's connections and tickets; it lives while it has any."""

    __slots__ = ("host", "idle", "line", "members", "passed_over", "target")

    def __init__(self, target: Target, host: _Host[C]) -> None:
        self.target = target
        self.host = host
        self.idle: dict[C, _Entry[C]] = {}
        """A stack: `popitem` takes the one that came last."""
        self.line: OrderedDict[Ticket[C], None] = OrderedDict()
        """Waiting tickets, oldest first."""
        self.members = 0
        """Connections, places of connections to come, and waiting tickets."""
        self.passed_over = 0
        """How often another target's ticket was served while the oldest was one of these."""


@final
class _Entry(Generic[C]):
    """One connection's place: leased, or granted to a ticket, or else idle."""

    __slots__ = ("dies", "expires", "group", "leased", "ticket", "uses")

    def __init__(self, group: _Group[C], dies: float) -> None:
        self.group = group
        self.dies = dies
        """The moment from which it is too old to be lent again."""
        self.uses = 0
        """How often it was used; counted only where there is a limit."""
        self.leased = True
        self.expires = inf
        """The moment from which the idle connection must not be used."""
        self.ticket: Ticket[C] | None = None
        """Whom it is granted to until `take`."""


@final
class Pool(Generic[C]):
    """Connections by target, idle, leased and still connecting, and the tickets that wait.

    `limit` and `limit_per_host` are in connections, 0 or None for none. `keepalive_timeout` is in
    seconds of idling, None for ever. With `force_close`, and with a timeout of 0, no connection
    is used twice. A connection is lent no more once it is `max_age` seconds old, or was lent
    `max_uses` times; None for no such limit. `now` is in seconds on any scale that never goes back.

    All methods are O(1), amortised; with a limit per host, what frees a place while tickets wait
    is O(log hosts), and a connection that must not idle for as long as the others costs O(log idle).
    """

    def __init__(
        self,
        *,
        limit: int | None = 100,
        limit_per_host: int | None = 0,
        keepalive_timeout: float | None = 15.0,
        force_close: bool = False,
        max_age: float | None = None,
        max_uses: int | None = None,
    ) -> None:
        self.limit: Final = limit or 0
        self.limit_per_host: Final = limit_per_host or 0
        self.keepalive_timeout: Final = keepalive_timeout
        self.force_close: Final = force_close
        self.max_age: Final = max_age
        self.max_uses: Final = max_uses
        if self.limit < 0 or self.limit_per_host < 0:
            raise ValueError("a limit of connections cannot be negative")
        if keepalive_timeout is not None and not keepalive_timeout >= 0:
            raise ValueError("keepalive_timeout cannot be negative")
        if max_age is not None and not max_age > 0:
            raise ValueError("max_age must be more than no time at all")
        if max_uses is not None and max_uses < 1:
            raise ValueError("max_uses must be at least 1")
        self._lasting = inf if keepalive_timeout is None else keepalive_timeout
        self._reuses = not force_close and keepalive_timeout != 0
        self._wears_out = max_age is not None or max_uses is not None
        self._patience = self.limit_per_host or self.limit
        self._entries: dict[C, _Entry[C]] = {}
        self._idle: OrderedDict[C, _Entry[C]] = OrderedDict()
        # Idle connections that end out of turn: moment, a number that tells equal moments apart,
        # connection. What is no longer true is dropped when it comes up.
        self._early: list[tuple[float, int, C]] = []
        # Ended, and to be closed by whoever calls `request`, `expire` or `clear` next.
        self._stale: list[C] = []
        self._groups: dict[Target, _Group[C]] = {}
        self._hosts: dict[LimitKey, _Host[C]] = {}
        self._everyone: _Host[C] = _Host(None, self._idle)
        # With a limit per host only: the hosts that have room and a line, by their oldest ticket;
        # the same holds for it.
        self._heap: list[tuple[int, _Host[C]]] = []
        self._tickets = 0
        self._used = 0
        self._waiting = 0
        self._created = 0
        self._reused = 0
        self._closed = 0

    def lease(self, target: Target, now: float) -> C | None:
        """The idle connection to this target that was used last, leased from now on, or None."""
        group = self._groups.get(target)
        if group is None or not group.idle:
            return None
        connection, entry = group.idle.popitem()
        if now >= entry.expires:
            group.idle[connection] = entry
            return self._lease_below(group, now)
        del self._idle[connection]
        if self.limit_per_host:
            del group.host.idle[connection]
        entry.leased = True
        self._reused += 1
        return connection

    def _lease_below(self, group: _Group[C], now: float) -> C | None:
        """`lease` when the connection that was used last has ended: others may last longer."""
        while group.idle:
            connection, entry = next(reversed(group.idle.items()))
            if now < entry.expires:
                return self.lease(group.target, now)
            self._forget(connection, entry)
            self._stale.append(connection)
        return None

    def idle(
        self, connection: C, now: float, keep_alive: float | None = None
    ) -> Decision[C] | None:
        """A leased connection can be used again. None when there is nothing to do.

        `keep_alive` is for how many seconds its peer will have it idle, None if that is unknown.
        """
        entry = self._entries.get(connection)
        if entry is None or not entry.leased:
            return None
        entry.expires = now + self._lasting
        special = self._wears_out or keep_alive is not None
        if not self._reuses or (special and self._is_spent(entry, now, keep_alive)):
            return self.retire(connection, close=True)
        if self._waiting and (decision := self._pass_on(connection, entry)) is not None:
            return decision
        entry.leased = False
        group = entry.group
        group.idle[connection] = self._idle[connection] = entry
        if self.limit_per_host:
            group.host.idle[connection] = entry
        if special and entry.expires < now + self._lasting:
            self._end_early(connection, entry.expires)
        return None

    def give_back(self, connection: C, now: float) -> Decision[C] | None:
        """A leased connection was not used: it idles as before, its time goes on. None as `idle`."""
        entry = self._entries.get(connection)
        if entry is None or not entry.leased:
            return None
        entry.uses -= 1  # `idle` counts it
        return self.idle(connection, now, entry.expires - now)

    def retire(self, connection: C, *, close: bool = False) -> Decision[C] | None:
        """A connection, leased or idle, will not be used again: its place is free.

        If it was granted to a ticket that has not taken it, the ticket keeps the place and has to
        dial. With `close` it is also among those to close. None when there is nothing to do.
        """
        entry = self._entries.get(connection)
        if entry is None:
            return None
        decision: Decision[C] = Decision([connection] if close else [], [])
        if entry.ticket is None:
            self._forget(connection, entry)
        else:
            entry.ticket.state = TicketState.CONNECTING
            entry.ticket.connection = None
            del self._entries[connection]
            self._closed += 1
        self._serve(decision)
        return decision if decision.close or decision.wake else None

    def request(self, target: Target, now: float) -> tuple[Ticket[C], list[C]]:
        """Ask for a connection: a ticket, and the connections to close to make room for it.

        The ticket is GRANTED or CONNECTING at once, or it waits. Whoever got it must end it by
        `take`, `fill` or `abandon`.
        """
        connection = self.lease(target, now)
        stale, self._stale = self._stale, []
        if connection is not None:
            entry = self._entries[connection]
            ticket: Ticket[C] = Ticket(entry.group, self._next_number())
            self._reused -= 1  # `take` counts it
            self._grant_connection(ticket, connection, entry)
            return ticket, stale
        group = self._group(target)
        ticket = Ticket(group, self._next_number())
        group.members += 1
        decision: Decision[C] = Decision(stale, [])
        if self._make_room(group.host, decision):
            self._occupy(ticket)
        else:
            self._queue(ticket)
        return ticket, decision.close

    def take(self, ticket: Ticket[C]) -> C:
        """Lease the connection that the GRANTED ticket holds."""
        connection = ticket.connection
        if connection is None:
            raise RuntimeError(f"no connection was granted: {ticket.state.name}")
        entry = self._entries[connection]
        entry.ticket = None
        entry.leased = True
        ticket.connection = None
        ticket.state = TicketState.DONE
        self._reused += 1
        return connection

    def fill(self, ticket: Ticket[C], connection: C, now: float) -> None:
        """The new connection of a CONNECTING ticket is made, and leased."""
        if ticket.state is not TicketState.CONNECTING:
            raise RuntimeError(f"no place was granted: {ticket.state.name}")
        ticket.state = TicketState.DONE
        dies = inf if self.max_age is None else now + self.max_age
        self._entries[connection] = _Entry(ticket.group, dies)
        self._created += 1

    def abandon(self, ticket: Ticket[C], now: float) -> Decision[C] | None:
        """The ticket's holder gives up; what was granted to it goes to the next (L3).

        None when there is nothing to do.
        """
        state, ticket.state = ticket.state, TicketState.DONE
        if state is TicketState.WAITING:
            self._unqueue(ticket)
            self._leave_group(ticket.group)
        elif state is TicketState.CONNECTING:
            self._vacate(ticket.group)
            decision: Decision[C] = Decision([], [])
            self._serve(decision)
            return decision if decision.close or decision.wake else None
        elif (connection := ticket.connection) is not None:
            ticket.connection = None
            entry = self._entries[connection]
            entry.ticket = None
            entry.leased = True
            return self.give_back(connection, now)
        return None

    def expire(self, now: float) -> list[C]:
        """Give up the connections that have ended; they are to be closed."""
        expired, self._stale = self._stale, []
        while (first := self._first_to_end()) is not None and first[1].expires <= now:
            self._forget(*first)
            expired.append(first[0])
        # By the invariant nobody waits who could use these places.
        return expired

    def next_expiry(self) -> float | None:
        """The moment at which `expire` will find something, None if nothing idles or lasts ever."""
        if self._stale:
            return -inf
        first = self._first_to_end()
        return None if first is None or first[1].expires == inf else first[1].expires

    def clear(self) -> Decision[C]:
        """Give up everything: all connections are to be closed, all waiting tickets woken, DONE.

        Tickets that are connecting keep their places until they are abandoned.
        """
        decision: Decision[C] = Decision(list(self._entries), [])
        hosts = self._hosts.values() if self.limit_per_host else (self._everyone,)
        for ticket in [ticket for host in hosts for ticket in host.line]:
            self._unqueue(ticket)
            self._leave_group(ticket.group)
            ticket.state = TicketState.DONE
            decision.wake.append(ticket)
        for connection in decision.close:
            self.retire(connection)
        decision.close += self._stale
        self._stale = []
        return decision

    @property
    def idle_connections(self) -> frozenset[C]:
        """Those that nobody uses."""
        return frozenset(self._idle)

    def stats(self) -> "PoolStats":
        """The books at this moment."""
        # Loads when it is asked for: most programs never look.
        from ._pool_stats import PoolStats

        held = len(self._entries)
        return PoolStats(
            limit=self.limit,
            limit_per_host=self.limit_per_host,
            leased=held - len(self._idle),
            connecting=self._used - held,
            idle=len(self._idle),
            waiting=self._waiting,
            created=self._created,
            reused=self._reused,
            closed=self._closed,
        )

    # -- the ends of connections

    def _is_spent(self, entry: _Entry[C], now: float, keep_alive: float | None) -> bool:
        """Count a use, and let it end with its age or its peer's patience; whether it has ended."""
        entry.uses += 1
        patience = inf if keep_alive is None else now + keep_alive
        entry.expires = min(entry.expires, entry.dies, patience)
        return now >= entry.expires or (self.max_uses is not None and entry.uses >= self.max_uses)

    def _end_early(self, connection: C, moment: float) -> None:
        """Let an idle connection end before those that turned idle before it."""
        # A sweep when most of it may be untrue: as many must come before it as idle.
        if len(self._early) > 64 + 2 * len(self._idle):
            self._early = [item for item in self._early if self._ends_at(item[2], item[0])]
            heapify(self._early)
        heappush(self._early, (moment, self._next_number(), connection))

    def _ends_at(self, connection: C, moment: float) -> bool:
        """Whether a connection is idle and will end at this moment."""
        entry = self._idle.get(connection)
        return entry is not None and entry.expires == moment

    def _first_to_end(self) -> tuple[C, _Entry[C]] | None:
        """Of all idle connections the one that ends first."""
        first = next(iter(self._idle.items()), None)
        while first is not None and self._early:
            moment, _, connection = self._early[0]
            if self._ends_at(connection, moment):
                return (connection, self._idle[connection]) if moment < first[1].expires else first
            heappop(self._early)
        return first

    # -- places

    def _make_room(self, host: _Host[C], decision: Decision[C]) -> bool:
        """Whether one more place can be taken for this host, after closing an idle connection."""
        if self.limit_per_host and host.used >= self.limit_per_host:
            return self._evict(host.idle, decision)
        if self.limit and self._used >= self.limit:
            return self._evict(self._idle, decision)
        return True

    def _evict(self, idle: "OrderedDict[C, _Entry[C]]", decision: Decision[C]) -> bool:
        """Close the connection that is idle longest, if any is."""
        if not idle:
            return False
        connection, entry = next(iter(idle.items()))
        self._forget(connection, entry)
        decision.close.append(connection)
        return True

    def _occupy(self, ticket: Ticket[C]) -> None:
        """Give a free place to a ticket that is a member of its group."""
        ticket.state = TicketState.CONNECTING
        ticket.group.host.used += 1
        self._used += 1

    def _vacate(self, group: _Group[C]) -> None:
        """Free one place of a group."""
        self._used -= 1
        group.host.used -= 1
        self._push(group.host)
        self._leave_group(group)

    def _forget(self, connection: C, entry: _Entry[C]) -> None:
        """Take a leased or idle connection out of the books and free its place."""
        del self._entries[connection]
        if not entry.leased:
            del self._idle[connection]
            del entry.group.idle[connection]
            if self.limit_per_host:
                del entry.group.host.idle[connection]
        self._closed += 1
        self._vacate(entry.group)

    # -- tickets

    def _next_number(self) -> int:
        self._tickets += 1
        return self._tickets

    def _queue(self, ticket: Ticket[C]) -> None:
        self._waiting += 1
        ticket.group.line[ticket] = None
        ticket.group.host.line[ticket] = None
        self._push(ticket.group.host)

    def _unqueue(self, ticket: Ticket[C]) -> None:
        self._waiting -= 1
        del ticket.group.line[ticket]
        del ticket.group.host.line[ticket]
        self._push(ticket.group.host)

    def _grant_connection(self, ticket: Ticket[C], connection: C, entry: _Entry[C]) -> None:
        entry.leased = False
        entry.ticket = ticket
        ticket.connection = connection
        ticket.state = TicketState.GRANTED

    def _pass_on(self, connection: C, entry: _Entry[C]) -> Decision[C] | None:
        """Give a connection that turned idle, or else its place, to a ticket; None: nobody can."""
        group = entry.group
        oldest = self._oldest(group.host)
        if oldest is None:
            return None
        ticket = oldest
        if oldest.group is not group:
            if group.line and oldest.group.passed_over < self._patience:
                oldest.group.passed_over += 1
                ticket = next(iter(group.line))
            else:
                oldest.group.passed_over = 0
        self._unqueue(ticket)
        if ticket.group is group:
            self._leave_group(group)
            self._grant_connection(ticket, connection, entry)
            return Decision([], [ticket])
        self._forget(connection, entry)
        self._occupy(ticket)
        return Decision([connection], [ticket])

    def _serve(self, decision: Decision[C]) -> None:
        """Give free places to the oldest tickets that can use them."""
        while self._waiting and not (self.limit and self._used >= self.limit):
            ticket = self._oldest_ready()
            if ticket is None:
                return
            self._unqueue(ticket)
            self._occupy(ticket)
            decision.wake.append(ticket)

    def _oldest(self, host: _Host[C]) -> Ticket[C] | None:
        """The oldest ticket that could use a place of this host."""
        ready = self._oldest_ready()
        if not host.line:
            return ready
        own = next(iter(host.line))
        return own if ready is None or own.number < ready.number else ready

    def _oldest_ready(self) -> Ticket[C] | None:
        """The oldest ticket of a host that has room, whether or not there is room in all."""
        if not self.limit_per_host:
            return next(iter(self._everyone.line), None)
        while self._heap:
            number, host = self._heap[0]
            ticket = next(iter(host.line), None)
            if ticket is not None and ticket.number == number and host.used < self.limit_per_host:
                return ticket
            heappop(self._heap)
            if host.pushed == number:
                host.pushed = -1
        return None

    def _push(self, host: _Host[C]) -> None:
        """Enter a host whose room or oldest ticket changed into the heap, if it belongs there."""
        if not host.line or host.used >= self.limit_per_host:  # always so without a limit
            return
        number = next(iter(host.line)).number
        if host.pushed == number:
            return
        host.pushed = number
        heappush(self._heap, (number, host))
        # What is no longer true goes when it may be most of the heap: between two sweeps as many
        # entries must come as there are hosts.
        if len(self._heap) > 64 + 2 * len(self._hosts):
            self._heap = [
                (host.pushed, host)
                for host in self._hosts.values()
                if host.line and next(iter(host.line)).number == host.pushed
            ]
            heapify(self._heap)

    # -- groups

    def _group(self, target: Target) -> _Group[C]:
        group = self._groups.get(target)
        if group is None:
            host = self._host(target) if self.limit_per_host else self._everyone
            host.groups += 1
            self._groups[target] = group = _Group(target, host)
        return group

    def _host(self, target: Target) -> _Host[C]:
        host = self._hosts.get(target.limit_key)
        if host is None:
            self._hosts[target.limit_key] = host = _Host(target.limit_key, OrderedDict())
        return host

    def _leave_group(self, group: _Group[C]) -> None:
        """One member less; a group without members is forgotten, and so is its host."""
        group.members -= 1
        if group.members:
            return
        del self._groups[group.target]
        host = group.host
        host.groups -= 1
        if not host.groups and host.limit_key is not None:
            del self._hosts[host.limit_key]
