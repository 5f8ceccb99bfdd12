"""The pool against a model that is as plain as possible: lists that are searched from the start."""

from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from wayfare_connector import Decision, Pool, Target, Ticket, TicketState

TARGETS = [
    Target("http", "a.example"),
    Target("http", "a.example", local_addr=("127.0.0.1", 0)),
    Target("https", "a.example"),
    Target("http", "b.example"),
    Target("http", "c.example"),
]
KEEPALIVE = 10.0


@dataclass(eq=False)
class Conn:
    target: Target
    dies: float = inf
    uses: int = 0
    idle_until: float = inf


@dataclass(eq=False)
class Want:
    """A ticket as the model sees it."""

    target: Target
    ticket: Ticket[Conn]
    state: str = "waiting"
    connection: Conn | None = None


@dataclass
class Model:
    """The books as lists, oldest first; `idle` is in the order of turning idle."""

    limit: int
    limit_per_host: int
    leased: list[Conn] = field(default_factory=list)
    idle: list[Conn] = field(default_factory=list)
    wants: list[Want] = field(default_factory=list)
    passed_over: dict[Target, int] = field(default_factory=dict)
    stale: list[Conn] = field(default_factory=list)

    def places(self) -> list[Target]:
        taken = [c.target for c in self.leased + self.idle]
        taken += [w.connection.target for w in self.wants if w.connection is not None]
        return taken + [w.target for w in self.wants if w.state == "connecting"]

    def room(self, target: Target, without: Conn | None = None) -> bool:
        """Whether one more place can be taken, once `without` has given up its own."""
        places = self.places()
        if without is not None:
            places.remove(without.target)
        used = sum(t.limit_key == target.limit_key for t in places)
        in_all = not self.limit or len(places) < self.limit
        return in_all and (not self.limit_per_host or used < self.limit_per_host)

    def forget_idlers(self) -> None:
        """What was counted for a target is forgotten with its last connection and ticket."""
        live = {*self.places(), *(w.target for w in self.wants)}
        self.passed_over = {t: n for t, n in self.passed_over.items() if t in live}

    def victim(self, target: Target) -> Conn | None:
        """The idle connection to close so that there is room: of the same host if that is full."""
        return next((c for c in self.idle if self.room(target, without=c)), None)

    def waiting(self) -> list[Want]:
        return [w for w in self.wants if w.state == "waiting"]

    def serve(self) -> list[Want]:
        """Give free places away, one at a time, to the oldest that fits."""
        served = []
        while fitting := [w for w in self.waiting() if self.room(w.target)]:
            fitting[0].state = "connecting"
            served.append(fitting[0])
        return served


class PoolMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.woken: list[Want] = []
        self.to_close: list[Conn] = []

    @initialize(
        limit=st.integers(0, 4),
        limit_per_host=st.integers(0, 3),
        max_age=st.sampled_from([None, 5.0, 30.0]),
        max_uses=st.sampled_from([None, 1, 3]),
    )
    def begin(
        self, limit: int, limit_per_host: int, max_age: float | None, max_uses: int | None
    ) -> None:
        self.max_age = max_age
        self.max_uses = max_uses
        self.pool = Pool[Conn](
            limit=limit,
            limit_per_host=limit_per_host,
            keepalive_timeout=KEEPALIVE,
            max_age=max_age,
            max_uses=max_uses,
        )
        self.model = Model(limit, limit_per_host)
        self.created = self.reused = self.closed = 0

    def expect(self, decision: Decision[Conn] | None, close: list[Conn], wake: list[Want]) -> None:
        assert (decision.close if decision else []) == close
        assert (decision.wake if decision else []) == [w.ticket for w in wake]
        assert decision is None or decision.close or decision.wake
        self.closed += len(close)

    def use_up(self, connection: Conn, keep_alive: float | None) -> bool:
        """Count a use of a connection, and say until when it may idle; whether it may."""
        connection.uses += 1
        patience = inf if keep_alive is None else keep_alive
        ends = [KEEPALIVE + self.now, patience + self.now, connection.dies]
        connection.idle_until = min(ends)
        return connection.uses != self.max_uses and not self.expired(connection)

    def turn_idle(
        self, connection: Conn, keep_alive: float | None = None, *, used: bool = True
    ) -> tuple[list[Conn], list[Want]]:
        """The model's decision for a leased connection that turns idle; the docstring's words."""
        model = self.model
        model.leased.remove(connection)
        if used:
            lasts = self.use_up(connection, keep_alive)
        else:
            ends = [connection.idle_until, connection.dies, KEEPALIVE + self.now]
            connection.idle_until = min(ends)
            lasts = not self.expired(connection)
        if not lasts:
            return [connection], model.serve()
        model.idle.append(connection)
        mine = [w for w in model.waiting() if w.target == connection.target]
        able = [
            w
            for w in model.waiting()
            if w.target == connection.target or model.room(w.target, without=connection)
        ]
        # A ticket of the same host, or of a host with room, can use the place; whether in all
        # there is room without the eviction plays no part.
        if not able:
            return [], []
        oldest = chosen = able[0]
        patience = model.limit_per_host or model.limit
        if oldest.target != connection.target:
            passed_over = model.passed_over.get(oldest.target, 0)
            if mine and passed_over < patience:
                chosen = mine[0]
                model.passed_over[oldest.target] = passed_over + 1
            else:
                model.passed_over[oldest.target] = 0
        model.idle.remove(connection)
        if chosen.target == connection.target:
            chosen.state = "granted"
            chosen.connection = connection
            return [], [chosen]
        chosen.state = "connecting"
        return [connection], [chosen]

    def usable(self, target: Target) -> Conn | None:
        """The connection to lend; those that were used after it and have ended are put aside."""
        for connection in [c for c in reversed(self.model.idle) if c.target == target]:
            if not self.expired(connection):
                return connection
            self.model.idle.remove(connection)
            self.model.stale.append(connection)
            self.closed += 1
        return None

    @rule(where=st.sampled_from(TARGETS))
    def lease(self, where: Target) -> None:
        target = where  # Hypothesis keeps the name `target` to itself
        expected = self.usable(target)
        assert self.pool.lease(target, self.now) is expected
        if expected is not None:
            self.model.idle.remove(expected)
            self.model.leased.append(expected)
            self.reused += 1

    @rule(where=st.sampled_from(TARGETS))
    def request(self, where: Target) -> None:
        model, target = self.model, where
        ticket, close = self.pool.request(target, self.now)
        want = Want(target, ticket)
        usable = self.usable(target)
        expected, model.stale = model.stale, []
        self.closed -= len(expected)
        if usable is not None:
            want.state, want.connection = "granted", usable
            model.idle.remove(usable)
        elif model.room(target):
            want.state = "connecting"
        elif (victim := model.victim(target)) is not None:
            model.idle.remove(victim)
            expected.append(victim)
            want.state = "connecting"
        assert close == expected
        self.closed += len(close)
        model.wants.append(want)

    @precondition(lambda self: self.model.leased)
    @rule(data=st.data(), keep_alive=st.sampled_from([None, None, 0.0, 2.0, 4.0, 20.0]))
    def idle(self, data: st.DataObject, keep_alive: float | None) -> None:
        connection = data.draw(st.sampled_from(self.model.leased))
        close, wake = self.turn_idle(connection, keep_alive)
        self.expect(self.pool.idle(connection, self.now, keep_alive), close, wake)

    @precondition(lambda self: self.model.leased)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        connection = data.draw(st.sampled_from(self.model.leased))
        close, wake = self.turn_idle(connection, used=False)
        self.expect(self.pool.give_back(connection, self.now), close, wake)

    @precondition(lambda self: self.model.leased or self.model.idle)
    @rule(data=st.data())
    def retire(self, data: st.DataObject) -> None:
        connection = data.draw(st.sampled_from(self.model.leased + self.model.idle))
        for books in (self.model.leased, self.model.idle):
            if connection in books:
                books.remove(connection)
        self.closed += 1
        self.expect(self.pool.retire(connection), [], self.model.serve())

    @precondition(lambda self: any(w.connection for w in self.model.wants))
    @rule(data=st.data())
    def retire_granted(self, data: st.DataObject) -> None:
        want = data.draw(st.sampled_from([w for w in self.model.wants if w.connection]))
        assert want.connection is not None
        connection, want.connection = want.connection, None
        want.state = "connecting"
        self.closed += 1
        self.expect(self.pool.retire(connection), [], [])

    @precondition(lambda self: any(w.state != "waiting" for w in self.model.wants))
    @rule(data=st.data())
    def use(self, data: st.DataObject) -> None:
        """Take or fill."""
        want = data.draw(st.sampled_from([w for w in self.model.wants if w.state != "waiting"]))
        self.model.wants.remove(want)
        if want.connection is not None:
            connection = want.connection
            assert self.pool.take(want.ticket) is connection
            self.reused += 1
        else:
            dies = inf if self.max_age is None else self.now + self.max_age
            connection = Conn(want.target, dies)
            self.pool.fill(want.ticket, connection, self.now)
            self.created += 1
        self.model.leased.append(connection)

    @precondition(lambda self: self.model.wants)
    @rule(data=st.data())
    def abandon(self, data: st.DataObject) -> None:
        want = data.draw(st.sampled_from(self.model.wants))
        self.model.wants.remove(want)
        close: list[Conn] = []
        wake: list[Want] = []
        if want.connection is not None:
            self.model.leased.append(want.connection)
            close, wake = self.turn_idle(want.connection, used=False)
        elif want.state == "connecting":
            wake = self.model.serve()
        self.expect(self.pool.abandon(want.ticket, self.now), close, wake)

    @rule(seconds=st.sampled_from([0.0, 1.0, 4.0, KEEPALIVE]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def expire(self) -> None:
        gone = [c for c in self.model.idle if self.expired(c)]
        stale, self.model.stale = self.model.stale, []
        closed = self.pool.expire(self.now)
        assert closed[: len(stale)] == stale
        assert sorted(closed[len(stale) :], key=id) == sorted(gone, key=id)
        self.closed += len(gone)
        self.model.idle = [c for c in self.model.idle if c not in gone]
        assert self.model.serve() == []

    def expired(self, connection: Conn) -> bool:
        return self.now >= connection.idle_until

    @invariant()
    def the_books_agree(self) -> None:
        model = getattr(self, "model", None)
        if model is None:
            return
        stats = self.pool.stats()
        granted = [w for w in model.wants if w.connection is not None]
        assert stats.leased == len(model.leased) + len(granted)
        assert stats.idle == len(model.idle)
        assert stats.connecting == sum(w.state == "connecting" for w in model.wants)
        assert stats.waiting == len(model.waiting())
        assert (stats.created, stats.reused, stats.closed) == (
            self.created,
            self.reused,
            self.closed,
        )
        for want in model.wants:
            assert want.ticket.state is TicketState[want.state.upper()]
            assert want.ticket.connection is want.connection
        first = min((c.idle_until for c in model.idle), default=None)
        assert self.pool.next_expiry() == (-inf if model.stale else first)

    @invariant()
    def limits_hold_and_nobody_waits_in_vain(self) -> None:
        model = getattr(self, "model", None)
        if model is None:
            return
        model.forget_idlers()
        places = model.places()
        assert not model.limit or len(places) <= model.limit
        for target in TARGETS:
            used = sum(t.limit_key == target.limit_key for t in places)
            assert not model.limit_per_host or used <= model.limit_per_host
        for want in model.waiting():
            assert not model.room(want.target)
            assert model.victim(want.target) is None
            assert all(c.target != want.target for c in model.idle)

    def teardown(self) -> None:
        pool = getattr(self, "pool", None)
        if pool is None:
            return
        waiting = self.model.waiting()
        decision = pool.clear()
        assert set(self.model.stale) <= set(decision.close)
        assert {w.ticket for w in waiting} == set(decision.wake)
        for want in self.model.wants:
            pool.abandon(want.ticket, self.now)
        stats = pool.stats()
        assert (stats.leased, stats.connecting, stats.idle, stats.waiting) == (0, 0, 0, 0)
        assert pool._groups == {}
        assert pool._hosts == {}
        assert pool._used == 0


@pytest.mark.fuzz
class TestPoolAgainstModel(PoolMachine.TestCase):  # type: ignore[misc, valid-type]  # made at run time
    """L3, L4, L5, L6, L13: each decision is the model's."""

    settings = settings(stateful_step_count=60)
