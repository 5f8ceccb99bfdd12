"""The pool's rules, one by one, on plain values."""

import itertools
import math

import pytest
from wayfare_connector import Decision, Pool, PoolStats, Target, Ticket, TicketState

A = Target("http", "a.example")
B = Target("http", "b.example")
A_TLS = Target("https", "a.example", 80)
A_OTHER = Target("http", "a.example", local_addr=("127.0.0.1", 0))

WAITING, CONNECTING = TicketState.WAITING, TicketState.CONNECTING
GRANTED, DONE = TicketState.GRANTED, TicketState.DONE


class Conn:
    """A connection: nothing but an identity."""

    numbers = itertools.count()

    def __init__(self) -> None:
        self.number = next(self.numbers)

    def __repr__(self) -> str:
        return f"c{self.number}"


def opened(pool: Pool[Conn], target: Target, now: float = 0.0) -> Conn:
    """Lease a new connection; there must be a place."""
    ticket, close = pool.request(target, now)
    assert ticket.state is CONNECTING
    assert close == []
    connection = Conn()
    pool.fill(ticket, connection, 0.0)
    return connection


def queued(pool: Pool[Conn], target: Target, now: float = 0.0) -> Ticket[Conn]:
    ticket, close = pool.request(target, now)
    assert ticket.state is WAITING
    assert close == []
    return ticket


def woken(decision: Decision[Conn] | None) -> list[Ticket[Conn]]:
    return [] if decision is None else decision.wake


def closed(decision: Decision[Conn] | None) -> list[Conn]:
    return [] if decision is None else decision.close


def counts(pool: Pool[Conn]) -> tuple[int, int, int, int]:
    """Leased, connecting, idle, waiting."""
    stats = pool.stats()
    return stats.leased, stats.connecting, stats.idle, stats.waiting


def test_an_empty_pool_leases_nothing() -> None:
    assert Pool[Conn]().lease(A, 0.0) is None


def test_a_connection_goes_round() -> None:
    pool = Pool[Conn]()
    connection = opened(pool, A)
    assert counts(pool) == (1, 0, 0, 0)
    assert pool.idle(connection, 1.0) is None
    assert counts(pool) == (0, 0, 1, 0)
    assert pool.idle_connections == {connection}
    assert pool.lease(B, 2.0) is None
    assert pool.lease(A, 2.0) is connection
    assert pool.lease(A, 2.0) is None
    assert counts(pool) == (1, 0, 0, 0)


def test_l12_targets_do_not_share_connections() -> None:
    pool = Pool[Conn]()
    pool.idle(opened(pool, A), 0.0)
    for other in (B, A_TLS, A_OTHER):
        assert pool.lease(other, 0.0) is None


def test_l13_the_connection_used_last_is_leased_first() -> None:
    pool = Pool[Conn]()
    one, two, three = (opened(pool, A) for _ in range(3))
    for connection in (two, one, three):
        pool.idle(connection, 0.0)
    assert [pool.lease(A, 0.0) for _ in range(4)] == [three, one, two, None]


def test_l6_l8_an_idle_connection_expires() -> None:
    pool = Pool[Conn](keepalive_timeout=15)
    one, two = opened(pool, A), opened(pool, B)
    assert pool.next_expiry() is None
    pool.idle(one, 100.0)
    pool.idle(two, 101.0)
    assert pool.next_expiry() == 115.0
    assert pool.expire(114.9) == []
    assert pool.lease(A, 115.0) is None
    assert pool.next_expiry() == -math.inf
    assert pool.stats().closed == 1
    assert pool.expire(115.0) == [one]
    assert pool.next_expiry() == 116.0
    assert pool.expire(200.0) == [two]
    assert pool.next_expiry() is None
    assert counts(pool) == (0, 0, 0, 0)


def test_a_request_does_not_get_an_expired_connection() -> None:
    pool = Pool[Conn](limit=1, keepalive_timeout=15)
    old = opened(pool, A)
    pool.idle(old, 0.0)
    ticket, close = pool.request(A, 15.0)
    assert (ticket.state, close) == (CONNECTING, [old])


def test_i9_a_peer_that_waits_less_shortens_the_idling() -> None:
    pool = Pool[Conn](keepalive_timeout=15)
    short, normal, long = (opened(pool, A) for _ in range(3))
    assert pool.idle(normal, 0.0) is None
    assert pool.idle(long, 0.0, 60.0) is None
    assert pool.idle(short, 1.0, 4.0) is None
    assert pool.next_expiry() == 5.0
    assert pool.lease(A, 4.9) is short
    assert pool.next_expiry() == 15.0
    assert pool.idle(short, 4.9, 4.0) is None
    # What was used last has ended, and what lies below it has not.
    assert pool.lease(A, 9.0) is long
    ticket, close = pool.request(B, 9.0)
    assert (ticket.state, close) == (CONNECTING, [short])
    assert pool.lease(A, 15.0) is None
    assert pool.expire(15.0) == [normal]


def test_i9_a_peer_that_does_not_wait_at_all_is_left() -> None:
    pool = Pool[Conn]()
    connection = opened(pool, A)
    decision = pool.idle(connection, 0.0, 0.0)
    assert decision is not None
    assert decision.close == [connection]


def test_l13_a_connection_ends_at_its_age() -> None:
    pool = Pool[Conn](max_age=10)
    ticket, _ = pool.request(A, 100.0)
    connection = Conn()
    pool.fill(ticket, connection, 100.0)
    assert pool.idle(connection, 105.0) is None
    assert pool.next_expiry() == 110.0
    assert pool.lease(A, 109.0) is connection
    decision = pool.idle(connection, 110.0)
    assert decision is not None
    assert decision.close == [connection]


def test_l13_a_connection_ends_after_so_many_uses() -> None:
    pool = Pool[Conn](max_uses=2)
    connection = opened(pool, A)
    assert pool.idle(connection, 0.0) is None
    assert pool.lease(A, 0.0) is connection
    decision = pool.idle(connection, 0.0)
    assert decision is not None
    assert decision.close == [connection]


def test_i9_l13_a_connection_that_was_granted_in_vain_was_not_used() -> None:
    pool = Pool[Conn](limit=1, keepalive_timeout=15, max_uses=2)
    connection = opened(pool, A)
    ticket, _ = pool.request(A, 0.0)
    assert pool.idle(connection, 0.0, 5.0) is not None
    assert ticket.state is GRANTED
    assert pool.abandon(ticket, 1.0) is None
    assert pool.next_expiry() == 5.0
    again, _ = pool.request(A, 2.0)
    assert again.state is GRANTED
    assert pool.abandon(again, 2.0) is None
    assert pool.next_expiry() == 5.0
    assert pool.lease(A, 3.0) is connection
    assert pool.give_back(connection, 4.0) is None
    assert pool.give_back(connection, 4.0) is None  # it idles already
    assert pool.next_expiry() == 5.0
    assert pool.lease(A, 4.0) is connection
    decision = pool.idle(connection, 4.0)
    assert decision is not None
    assert decision.close == [connection]
    assert pool.give_back(connection, 4.0) is None


def test_i9_a_connection_that_was_granted_until_its_end_is_closed() -> None:
    pool = Pool[Conn](limit=1)
    connection = opened(pool, A)
    ticket, _ = pool.request(A, 0.0)
    pool.idle(connection, 0.0, 5.0)
    decision = pool.abandon(ticket, 5.0)
    assert decision is not None
    assert decision.close == [connection]


def test_the_ends_of_idle_connections_that_are_used_again_are_forgotten() -> None:
    pool = Pool[Conn]()
    connection = opened(pool, A)
    for moment in range(10_000):
        pool.idle(connection, float(moment), 5.0)
        assert pool.lease(A, float(moment)) is connection
    assert len(pool._early) < 200


def test_clearing_closes_what_has_ended_too() -> None:
    pool = Pool[Conn]()
    connection = opened(pool, A)
    pool.idle(connection, 0.0)
    assert pool.lease(A, 15.0) is None
    assert pool.clear().close == [connection]


def test_without_a_timeout_nothing_expires() -> None:
    pool = Pool[Conn](keepalive_timeout=None)
    connection = opened(pool, A)
    pool.idle(connection, 0.0)
    assert pool.next_expiry() is None
    assert pool.expire(1e9) == []
    assert pool.lease(A, 1e9) is connection


@pytest.mark.parametrize("options", [{"force_close": True}, {"keepalive_timeout": 0}])
def test_l6_without_keep_alive_nothing_is_used_twice(options: dict[str, bool]) -> None:
    pool = Pool[Conn](limit=1, **options)
    connection = opened(pool, A)
    waiter = queued(pool, A)
    decision = pool.idle(connection, 0.0)
    assert closed(decision) == [connection]
    assert woken(decision) == [waiter]
    assert waiter.state is CONNECTING


def test_l5_the_limit_counts_leased_connecting_and_idle() -> None:
    pool = Pool[Conn](limit=3)
    opened(pool, A)
    pool.idle(idle := opened(pool, A), 0.0)
    ticket, _ = pool.request(B, 0.0)
    assert ticket.state is CONNECTING
    assert counts(pool) == (1, 1, 1, 0)
    # Full: the idle one makes room.
    ticket, close = pool.request(B, 0.0)
    assert (ticket.state, close) == (CONNECTING, [idle])
    queued(pool, A)
    assert counts(pool) == (1, 2, 0, 1)


def test_the_connection_that_is_idle_longest_makes_room() -> None:
    pool = Pool[Conn](limit=3)
    one, two, three = (opened(pool, target) for target in (A, B, A))
    for now, connection in enumerate((two, three, one)):
        pool.idle(connection, now)
    assert pool.request(A_TLS, 9.0)[1] == [two]
    assert pool.request(A_TLS, 9.0)[1] == [three]
    assert pool.request(A_TLS, 9.0)[1] == [one]


@pytest.mark.parametrize("none", [0, None])
def test_l5_limits_of_zero_and_none_are_none(none: int | None) -> None:
    pool = Pool[Conn](limit=none, limit_per_host=none)
    for _ in range(1000):
        opened(pool, A)
    assert counts(pool) == (1000, 0, 0, 0)
    assert (pool.limit, pool.limit_per_host) == (0, 0)


def test_l5_the_limit_per_host_counts_by_host_port_and_tls() -> None:
    pool = Pool[Conn](limit=0, limit_per_host=1)
    opened(pool, A)
    waiter = queued(pool, A_OTHER)
    opened(pool, A_TLS)
    opened(pool, B)
    queued(pool, A)
    assert waiter.state is WAITING


def test_an_idle_connection_of_the_same_host_makes_room() -> None:
    pool = Pool[Conn](limit=0, limit_per_host=1)
    pool.idle(opened(pool, B), 0.0)
    pool.idle(mine := opened(pool, A), 1.0)
    ticket, close = pool.request(A_OTHER, 2.0)
    assert (ticket.state, close) == (CONNECTING, [mine])


def test_waiters_are_served_in_their_order() -> None:
    pool = Pool[Conn](limit=1)
    connection = opened(pool, A)
    tickets = [queued(pool, A) for _ in range(3)]
    for ticket in tickets:
        assert woken(pool.idle(connection, 0.0)) == [ticket]
        assert ticket.state is GRANTED
        assert counts(pool)[0] == 1
        assert pool.take(ticket) is connection
        assert ticket.state is DONE
    assert pool.stats().reused == 3


def test_a_granted_connection_is_nobody_elses() -> None:
    pool = Pool[Conn](limit=1)
    connection = opened(pool, A)
    ticket = queued(pool, A)
    pool.idle(connection, 0.0)
    assert pool.lease(A, 0.0) is None
    assert pool.idle(connection, 0.0) is None  # not leased: not its turn to turn idle
    assert ticket.connection is connection
    assert counts(pool) == (1, 0, 0, 0)


def test_a_retired_connection_frees_its_place() -> None:
    pool = Pool[Conn](limit=1)
    connection = opened(pool, A)
    one, two = queued(pool, B), queued(pool, A)
    assert woken(pool.retire(connection)) == [one]
    assert (one.state, two.state) == (CONNECTING, WAITING)
    assert pool.retire(connection) is None
    pool.fill(one, other := Conn(), 0.0)
    assert woken(pool.retire(other)) == [two]
    assert pool.stats().closed == 2


def test_l8_an_idle_connection_that_dies_leaves_the_pool() -> None:
    pool = Pool[Conn](limit_per_host=10)
    one, two = opened(pool, A), opened(pool, A)
    pool.idle(one, 0.0)
    pool.idle(two, 0.0)
    assert pool.retire(one) is None
    assert counts(pool) == (0, 0, 1, 0)
    assert pool.lease(A, 0.0) is two


def test_a_failed_dial_wakes_the_next() -> None:
    pool = Pool[Conn](limit=1)
    dial, _ = pool.request(A, 0.0)
    waiter = queued(pool, B)
    assert woken(pool.abandon(dial, 0.0)) == [waiter]
    assert (dial.state, waiter.state) == (DONE, CONNECTING)
    assert pool.abandon(dial, 0.0) is None
    assert pool.abandon(waiter, 0.0) is None
    assert counts(pool) == (0, 0, 0, 0)


def test_a_waiter_can_leave() -> None:
    pool = Pool[Conn](limit=1)
    connection = opened(pool, A)
    one, two, three = (queued(pool, A) for _ in range(3))
    assert pool.abandon(one, 0.0) is None
    assert pool.abandon(three, 0.0) is None
    assert woken(pool.idle(connection, 0.0)) == [two]
    assert counts(pool) == (1, 0, 0, 0)


def test_l3_a_connection_that_was_granted_in_vain_goes_to_the_next() -> None:
    pool = Pool[Conn](limit=1)
    connection = opened(pool, A)
    one, two = queued(pool, A), queued(pool, A)
    pool.idle(connection, 0.0)
    assert woken(pool.abandon(one, 0.0)) == [two]
    assert pool.abandon(two, 0.0) is None
    assert pool.lease(A, 0.0) is connection


def test_l3_a_place_that_was_granted_in_vain_goes_to_the_next() -> None:
    pool = Pool[Conn](limit=1)
    connection = opened(pool, A)
    one, two = queued(pool, B), queued(pool, A)
    assert woken(pool.retire(connection)) == [one]
    assert woken(pool.abandon(one, 0.0)) == [two]


def test_a_granted_connection_that_dies_leaves_its_place_to_the_ticket() -> None:
    pool = Pool[Conn](limit=1)
    connection = opened(pool, A)
    one, two = queued(pool, A), queued(pool, A)
    pool.idle(connection, 0.0)
    assert pool.retire(connection) is None
    assert (one.state, one.connection, two.state) == (CONNECTING, None, WAITING)
    assert counts(pool) == (0, 1, 0, 1)
    pool.fill(one, Conn(), 0.0)
    assert counts(pool) == (1, 0, 0, 1)


def test_a_request_is_granted_an_idle_connection() -> None:
    pool = Pool[Conn]()
    connection = opened(pool, A)
    pool.idle(connection, 0.0)
    ticket, close = pool.request(A, 0.0)
    assert (ticket.state, close) == (GRANTED, [])
    assert pool.take(ticket) is connection
    assert pool.stats().reused == 1


def test_tickets_are_ended_the_right_way_only() -> None:
    pool = Pool[Conn](limit=1)
    ticket, _ = pool.request(A, 0.0)
    with pytest.raises(RuntimeError, match="no connection was granted: CONNECTING"):
        pool.take(ticket)
    pool.fill(ticket, Conn(), 0.0)
    with pytest.raises(RuntimeError, match="no place was granted: DONE"):
        pool.fill(ticket, Conn(), 0.0)


def test_l4_an_older_ticket_of_another_target_is_passed_over_as_often_as_there_are_places() -> None:
    pool = Pool[Conn](limit=2)
    one, two = opened(pool, A), opened(pool, A)
    oldest = queued(pool, B)
    for connection in (one, two):
        younger = queued(pool, A)
        assert woken(pool.idle(connection, 0.0)) == [younger]
        pool.take(younger)
    younger = queued(pool, A)
    decision = pool.idle(one, 0.0)
    assert closed(decision) == [one]
    assert woken(decision) == [oldest]
    assert younger.state is WAITING


def test_an_idle_connection_makes_room_for_a_waiter_when_its_own_target_has_none() -> None:
    pool = Pool[Conn](limit=1)
    connection = opened(pool, A)
    waiter = queued(pool, B)
    decision = pool.idle(connection, 0.0)
    assert closed(decision) == [connection]
    assert woken(decision) == [waiter]
    assert waiter.state is CONNECTING


def test_a_waiter_that_its_host_holds_back_holds_nobody_back() -> None:
    pool = Pool[Conn](limit=2, limit_per_host=1)
    a, b = opened(pool, A), opened(pool, B)
    held_back, free = queued(pool, A), queued(pool, A_TLS)
    # B's place can be used by the younger ticket only.
    assert woken(pool.retire(b)) == [free]
    assert woken(pool.retire(a)) == [held_back]


def test_a_place_that_nobody_can_use_stays_free() -> None:
    pool = Pool[Conn](limit=3, limit_per_host=1)
    opened(pool, A)
    b = opened(pool, B)
    waiter = queued(pool, A)
    assert pool.retire(b) is None
    assert waiter.state is WAITING


def test_an_idle_connection_stays_when_nobody_could_use_its_place() -> None:
    pool = Pool[Conn](limit=0, limit_per_host=1)
    opened(pool, A)
    b = opened(pool, B)
    queued(pool, A)
    assert pool.idle(b, 0.0) is None
    assert counts(pool) == (1, 0, 1, 1)


def test_the_oldest_ready_ticket_of_all_hosts_is_served() -> None:
    pool = Pool[Conn](limit=3, limit_per_host=2)
    hosts = [Target("http", f"h{n}.example") for n in range(4)]
    connections = [opened(pool, hosts[0]), opened(pool, hosts[0]), opened(pool, hosts[1])]
    first, second, third = (queued(pool, hosts[n]) for n in (0, 2, 1))
    # Host 0 is full, so its ticket cannot use a place of host 1; host 2's is the oldest that can.
    assert woken(pool.retire(connections[2])) == [second]
    assert woken(pool.retire(connections[0])) == [first]
    assert woken(pool.abandon(second, 0.0)) == [third]


def test_the_second_in_line_is_served_when_the_first_has_left() -> None:
    pool = Pool[Conn](limit=2, limit_per_host=2)
    opened(pool, A)
    b = opened(pool, B)
    first, second = queued(pool, A), queued(pool, A)
    pool.abandon(first, 0.0)
    assert woken(pool.retire(b)) == [second]


def test_hosts_that_come_and_go_leave_nothing_behind() -> None:
    pool = Pool[Conn](limit=1, limit_per_host=1)
    holder = opened(pool, A)
    waiters = [queued(pool, Target("http", f"h{n}.example")) for n in range(500)]
    for waiter in waiters[1:]:
        pool.abandon(waiter, 0.0)
    for n in range(5000):
        pool.abandon(queued(pool, Target("http", f"i{n}.example")), 0.0)
    assert len(pool._heap) < 100
    assert woken(pool.retire(holder)) == [waiters[0]]
    pool.abandon(waiters[0], 0.0)
    for n in range(500):
        pool.abandon(pool.request(Target("http", f"g{n}.example"), 0.0)[0], 0.0)
    assert pool._groups == {}
    assert pool._hosts == {}
    assert len(pool._heap) < 100


def test_l13_clearing_gives_everything_up() -> None:
    pool = Pool[Conn](limit=3)
    leased, idle = opened(pool, A), opened(pool, A)
    dial, _ = pool.request(B, 0.0)
    reserved = queued(pool, A)
    waiter = queued(pool, B)
    pool.idle(idle, 0.0)
    decision = pool.clear()
    assert set(decision.close) == {leased, idle}
    assert decision.wake == [waiter]
    assert (waiter.state, reserved.state) == (DONE, CONNECTING)
    assert counts(pool) == (0, 2, 0, 0)
    assert pool.idle(leased, 0.0) is None
    assert pool.retire(idle) is None
    pool.abandon(dial, 0.0)
    pool.abandon(reserved, 0.0)
    assert counts(pool) == (0, 0, 0, 0)
    assert pool._groups == {}


def test_clearing_works_with_a_limit_per_host() -> None:
    pool = Pool[Conn](limit_per_host=1)
    connection = opened(pool, A)
    waiter = queued(pool, A)
    decision = pool.clear()
    assert (decision.close, decision.wake) == ([connection], [waiter])
    assert pool._hosts == {}


def test_the_statistics_are_a_snapshot() -> None:
    pool = Pool[Conn](limit=2, limit_per_host=2)
    connection = opened(pool, A)
    pool.idle(connection, 0.0)
    pool.lease(A, 0.0)
    pool.request(A, 0.0)
    queued(pool, A)
    stats = pool.stats()
    pool.retire(connection)
    assert stats == PoolStats(
        limit=2,
        limit_per_host=2,
        leased=1,
        connecting=1,
        idle=0,
        waiting=1,
        created=1,
        reused=1,
        closed=0,
    )


@pytest.mark.parametrize(
    "options", [{"limit": -1}, {"limit_per_host": -1}, {"keepalive_timeout": -1}]
)
def test_negative_limits_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        Pool[Conn](**options)  # type: ignore[arg-type]  # a mapping of mixed options
    with pytest.raises(ValueError, match="cannot be negative"):
        Pool[Conn](keepalive_timeout=float("nan"))


def test_l4_two_hosts_share_a_full_pool() -> None:
    """With limit 10, each of two hosts with endless demand is served within 2x of the other."""
    pool = Pool[Conn](limit=10)
    demand = {A: 0, B: 0}
    served = {A: 0, B: 0}
    running: list[tuple[Target, Conn]] = []
    tickets: list[tuple[Target, Ticket[Conn]]] = []
    dials = 0

    def ask(target: Target) -> None:
        ticket, _ = pool.request(target, 0.0)
        tickets.append((target, ticket))

    for _ in range(30):  # A comes first, with all its demand
        ask(A)
    for _ in range(30):
        ask(B)
    for _ in range(2000):
        for target, ticket in list(tickets):
            if ticket.state is CONNECTING:
                connection = Conn()
                dials += 1
                pool.fill(ticket, connection, 0.0)
            elif ticket.state is GRANTED:
                connection = pool.take(ticket)
            else:
                continue
            tickets.remove((target, ticket))
            served[target] += 1
            running.append((target, connection))
        target, connection = running.pop(0)
        pool.idle(connection, 0.0)
        ask(target)
        demand[target] += 1
    assert 0.5 < served[A] / served[B] < 2
    assert dials < sum(served.values()) / 5  # and most of it over connections that were there


@pytest.mark.parametrize("options", [{"max_age": 0}, {"max_age": -1.0}, {"max_uses": 0}])
def test_a_connection_must_be_of_some_use(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="max_"):
        Pool[Conn](**options)  # type: ignore[arg-type]  # a mapping of mixed options
