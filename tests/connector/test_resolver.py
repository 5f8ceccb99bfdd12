"""Names to addresses: the system's resolver, shared look-ups, what is an address (N3, N6 to N9)."""

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from wayfare_connector import AbstractResolver, DNSCache, ResolveResult, ThreadedResolver
from wayfare_connector._addresses import addr_infos_of_literal, addr_infos_of_results
from wayfare_connector._lookups import SharedLookups
from wayfare_connector._resolver import THREADS, address_text
from wayfare_connector.testing import (
    FakeResolver,
    ResolverCase,
    cancel_at_every_await,
    check_resolver,
)

UNSPEC, V4, V6 = socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6


def result(host: str, family: int = V4) -> ResolveResult:
    return ResolveResult(hostname="a.example", host=host, port=1, family=family, proto=6, flags=0)


def addresses(infos: list[tuple[int, int, int, str, tuple[object, ...]]]) -> list[object]:
    return [info[4] for info in infos]


# -- addresses


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", ("127.0.0.1", 80)),
        ("::1", ("::1", 80, 0, 0)),
        ("::ffff:127.0.0.1", ("::ffff:127.0.0.1", 80, 0, 0)),
        ("fe80::1%7", ("fe80::1", 80, 0, 7)),
        ("fe80::1%lo", ("fe80::1", 80, 0, socket.if_nametoindex("lo"))),
    ],
)
def test_n8_n9_a_literal_is_its_own_address(host: str, address: tuple[object, ...]) -> None:
    assert addresses(addr_infos_of_literal(host, 80)) == [address]


def test_a_literal_of_another_family_or_zone_is_refused() -> None:
    with pytest.raises(socket.gaierror, match="not an address of AF_INET6"):
        addr_infos_of_literal("127.0.0.1", 80, V6)
    with pytest.raises(OSError, match=r".+"):
        addr_infos_of_literal("fe80::1%nosuchif", 80)


def test_n8_odd_results_are_handled() -> None:
    results = [
        result("::1", V6),
        result("127.0.0.1"),
        result("::1", V6),  # a duplicate
        result("::ffff:1.2.3.4", V6),
        result("fe80::1%7", V6),
        result("fe80::1%nosuchif", V6),
        result("not an address"),
        result("127.1"),
        result("127.0.0.1\0"),
        result("\udc80"),
        result(""),
    ]
    infos = addr_infos_of_results(results, 80)
    assert addresses(infos) == [
        ("::1", 80, 0, 0),
        ("127.0.0.1", 80),
        ("::ffff:1.2.3.4", 80, 0, 0),
        ("fe80::1", 80, 0, 7),
    ]
    assert addresses(addr_infos_of_results(results, 80, V4)) == [("127.0.0.1", 80)]
    assert addr_infos_of_results([result("127.0.0.1")], 80, V6) == []
    assert addr_infos_of_results([], 80) == []


# -- the system's resolver


async def test_n3_localhost_resolves_whatever_the_network() -> None:
    resolver = ThreadedResolver()
    for name in ("localhost", "a.localhost"):
        try:
            results = await resolver.resolve(name, 8080, V4)
        except socket.gaierror:
            # Not every system knows the names below localhost.
            assert name != "localhost"
            continue
        assert [(r["host"], r["port"], r["family"]) for r in results] == [("127.0.0.1", 8080, V4)]
        assert results[0]["hostname"] == name
    await resolver.close()


@pytest.mark.parametrize("name", ["a\0.example", "b\u00fccher.example"])
async def test_what_is_no_name_is_an_os_error(name: str) -> None:
    resolver = ThreadedResolver()
    with pytest.raises(socket.gaierror, match="not a name"):
        await resolver.resolve(name)
    await resolver.close()


async def test_n7_look_ups_run_in_a_bounded_number_of_threads_of_their_own() -> None:
    resolver = ThreadedResolver()
    await asyncio.gather(*(resolver.resolve("localhost", 1, V4) for _ in range(THREADS * 3)))
    names = [t.name for t in threading.enumerate() if t.name.startswith("wayfare-resolver")]
    assert 1 <= len(names) <= THREADS
    await resolver.close()


@asynccontextmanager
async def busy_resolver() -> AsyncIterator[ThreadedResolver]:
    """A resolver all of whose threads are taken until the end."""
    resolver = ThreadedResolver()
    await resolver.resolve("localhost", 1, V4)
    gate = threading.Event()
    assert resolver._executor is not None
    for _ in range(THREADS):
        resolver._executor.submit(gate.wait)
    try:
        yield resolver
    finally:
        gate.set()
        await resolver.close()


async def test_f16_closing_fails_the_look_ups_that_wait_for_a_thread() -> None:
    async with busy_resolver() as resolver:
        queued = [asyncio.ensure_future(resolver.resolve("localhost")) for _ in range(2)]
        await tick()
        await resolver.close()
        for failure in await asyncio.gather(*queued, return_exceptions=True):
            assert isinstance(failure, OSError)
            assert str(failure) == "the resolver was closed during the look-up"


async def test_o4_a_look_up_that_waits_for_a_thread_can_be_cancelled() -> None:
    async with busy_resolver() as resolver:
        queued = [asyncio.ensure_future(resolver.resolve("localhost")) for _ in range(2)]
        await tick()
        queued[0].cancel()
        await asyncio.wait(queued[:1])
        queued[1].cancel()
        await resolver.close()  # in the same tick
        await asyncio.wait(queued)
        assert [look_up.cancelled() for look_up in queued] == [True, True]


def test_the_zone_of_a_link_local_address_is_kept() -> None:
    assert address_text(("127.0.0.1", 80)) == "127.0.0.1"
    assert address_text(("::1", 80, 0, 0)) == "::1"
    assert address_text(("fe80::1", 80, 0, 3)) == "fe80::1%3"
    assert address_text(("fe80::1%lo", 80, 0, 3)) == "fe80::1%3"


@asynccontextmanager
async def threaded() -> AsyncIterator[ResolverCase]:
    resolver = ThreadedResolver()
    unknown = "a" * 64 + ".invalid"
    yield ResolverCase(resolver=resolver, known="localhost", families=(V4,), unknown=unknown)
    await resolver.close()


@asynccontextmanager
async def fake() -> AsyncIterator[ResolverCase]:
    resolver = FakeResolver({"a.example": ["127.0.0.1", "::1"], "b.example": OSError("down")})
    yield ResolverCase(resolver=resolver, known="a.example", families=(V4, V6), unknown="b.example")


@pytest.mark.parametrize("factory", [threaded, fake])
async def test_our_resolvers_pass_their_suite(factory: Callable[[], Any]) -> None:
    await check_resolver(factory)


# -- shared look-ups


@pytest.fixture
def resolver() -> FakeResolver:
    return FakeResolver({"a.example": ["127.0.0.1"], "b.example": OSError("server failure")})


@pytest.fixture
def shared(resolver: FakeResolver) -> SharedLookups:
    return SharedLookups(resolver)


async def tick() -> None:
    await asyncio.sleep(0)


async def test_n6_a_hundred_callers_ask_once(resolver: FakeResolver, shared: SharedLookups) -> None:
    lists = await asyncio.gather(*(shared.resolve("a.example", 80, V4) for _ in range(100)))
    assert all(found == lists[0] for found in lists)
    assert len({id(found) for found in lists}) == 100
    assert resolver.calls == [("a.example", 80, V4)]
    await shared.resolve("a.example", 80, V4)
    assert len(resolver.calls) == 2  # nothing is kept


async def test_n6_what_is_asked_is_name_port_and_family(
    resolver: FakeResolver, shared: SharedLookups
) -> None:
    await asyncio.gather(
        shared.resolve("a.example", 80, V4),
        shared.resolve("a.example", 81, V4),
        shared.resolve("a.example", 80, UNSPEC),
    )
    assert len(resolver.calls) == 3


async def test_n6_a_failure_reaches_all(resolver: FakeResolver, shared: SharedLookups) -> None:
    failures = await asyncio.gather(
        *(shared.resolve("b.example", 80, V4) for _ in range(10)), return_exceptions=True
    )
    assert [str(failure) for failure in failures] == ["server failure"] * 10
    assert len(resolver.calls) == 1


@pytest.mark.parametrize("name", ["a.example", "b.example"])
async def test_n6_cancelling_the_first_does_not_cancel_the_rest(
    resolver: FakeResolver, shared: SharedLookups, name: str
) -> None:
    resolver.hold()
    first, second = (asyncio.ensure_future(shared.resolve(name, 80, V4)) for _ in range(2))
    await tick()
    first.cancel()
    await tick()
    resolver.release()
    await asyncio.wait([first, second])
    assert first.cancelled()
    assert second.exception() is not None if name == "b.example" else second.result()
    assert len(resolver.calls) == 1


@pytest.mark.parametrize("name", ["a.example", "b.example"])
async def test_n6_one_may_be_cancelled_in_the_tick_of_the_answer(
    resolver: FakeResolver, shared: SharedLookups, name: str
) -> None:
    resolver.hold()
    first, second = (asyncio.ensure_future(shared.resolve(name, 80, V4)) for _ in range(2))
    await tick()
    first.cancel()  # its future is cancelled, the task has not run yet
    for lookup in shared._lookups.values():
        assert sum(waiter.done() for waiter in lookup.waiters) == 1
    resolver.release()
    await asyncio.wait([first, second])
    assert first.cancelled()
    assert second.done()


async def test_n6_nobody_left_cancels_the_look_up(
    resolver: FakeResolver, shared: SharedLookups
) -> None:
    resolver.hold()
    callers = [asyncio.ensure_future(shared.resolve("a.example", 80, V4)) for _ in range(3)]
    await tick()
    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    await tick()
    assert len(asyncio.all_tasks()) == 1
    resolver.release()
    assert await shared.resolve("a.example", 80, V4)
    assert len(resolver.calls) == 2


async def test_n6_closing_fails_whoever_waits(
    resolver: FakeResolver, shared: SharedLookups
) -> None:
    resolver.hold()
    callers = [asyncio.ensure_future(shared.resolve("a.example", 80, V4)) for _ in range(2)]
    await tick()
    callers[0].cancel()
    shared.close()
    await asyncio.wait(callers)
    assert callers[0].cancelled()
    assert "closed during the look-up" in str(callers[1].exception())
    with pytest.raises(OSError, match="is closed"):
        await shared.resolve("a.example", 80, V4)
    assert not resolver.closed
    await tick()
    assert len(asyncio.all_tasks()) == 1


async def test_closing_before_the_look_up_began(shared: SharedLookups) -> None:
    caller = asyncio.ensure_future(shared.resolve("a.example", 80, V4))
    await tick()
    shared.close()
    with pytest.raises(OSError, match="closed during"):
        await caller


async def test_n6_a_look_up_can_be_cancelled_at_every_await(
    resolver: FakeResolver, shared: SharedLookups
) -> None:
    async def scenario() -> None:
        await shared.resolve("a.example", 80, V4)

    async def check() -> None:
        await tick()
        assert shared._lookups == {}

    assert await cancel_at_every_await(scenario, check) == 2


class Answering(AbstractResolver):
    """Answers with anything, or raises it, in the next iteration of the loop."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.calls = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = V4
    ) -> list[ResolveResult]:
        self.calls += 1
        await tick()
        if isinstance(self.answer, BaseException):
            raise self.answer
        found: list[ResolveResult] = self.answer
        return found

    async def close(self) -> None:
        raise AssertionError("it was handed in")


class StrangeError(BaseException):
    """What no `except Exception` catches."""


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (ZeroDivisionError("oops"), ZeroDivisionError, "oops"),
        (asyncio.CancelledError(), OSError, "the look-up was cancelled"),
        (StrangeError("oops"), OSError, "the resolver failed: StrangeError: oops"),
        (None, TypeError, "not iterable"),
        (7, TypeError, "not iterable"),
        ([None], TypeError, "not subscriptable"),
        ([{}], KeyError, "host"),
        ([{"host": b"127.0.0.1"}], TypeError, "bytes-like"),
        ([], socket.gaierror, "no usable address"),
        ([result("127.1")], socket.gaierror, "no usable address"),
        ([result("::1", V6)], socket.gaierror, "no usable address"),
    ],
)
async def test_f16_n8_whatever_a_resolver_does_reaches_all_and_is_not_kept(
    answer: Any, kind: type[Exception], message: str
) -> None:
    resolver = Answering(answer)
    shared = SharedLookups(resolver, DNSCache())
    for calls in (1, 2):
        callers = [asyncio.ensure_future(shared.resolve("a.example", 80, V4)) for _ in range(3)]
        await tick()
        callers[0].cancel()
        await asyncio.wait(callers, timeout=5)
        assert callers[0].cancelled()
        for caller in callers[1:]:
            failure = caller.exception()
            assert type(failure) is kind
            assert re.search(message, str(failure))
            if isinstance(answer, StrangeError):
                assert failure.__cause__ is answer
        assert resolver.calls == calls
        assert shared.known("a.example", 80, V4) is None
        assert shared._lookups == {}
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("answer", [SystemExit(3), KeyboardInterrupt()])
def test_f16_what_ends_the_program_ends_it(answer: BaseException) -> None:
    async def main() -> None:
        await SharedLookups(Answering(answer)).resolve("a.example", 80, V4)

    with pytest.raises(type(answer)) as raised:
        asyncio.run(main())
    assert raised.value is answer


async def test_n8_results_are_made_whole_before_they_are_kept() -> None:
    resolver = Answering(iter([{"host": "127.0.0.1"}, {"host": "127.1"}, {"host": "::1"}]))
    shared = SharedLookups(resolver, DNSCache())
    found = await shared.resolve("a.example", 80, UNSPEC)
    assert [(r["host"], r["port"], r["family"]) for r in found] == [
        ("127.0.0.1", 80, V4),
        ("::1", 80, V6),
    ]
    assert shared.known("a.example", 80, UNSPEC) == found
    assert resolver.calls == 1


# -- the fake


async def test_the_fake_resolver_answers_from_its_table() -> None:
    resolver = FakeResolver({"a.example": ["127.0.0.1", "::1"], "bad.example": ["127.1"]})
    assert [r["host"] for r in await resolver.resolve("a.example", 80, UNSPEC)] == [
        "127.0.0.1",
        "::1",
    ]
    assert [r["host"] for r in await resolver.resolve("a.example", 80, V6)] == ["::1"]
    with pytest.raises(socket.gaierror):
        await resolver.resolve("unknown.example")
    with pytest.raises(ValueError, match="not an address"):
        await resolver.resolve("bad.example")
    assert resolver.calls[0] == ("a.example", 80, UNSPEC)


def test_loop_is_accepted_and_ignored() -> None:
    with asyncio.Runner() as runner:
        with pytest.warns(DeprecationWarning, match="belongs to no loop"):
            resolver = ThreadedResolver(loop=runner.get_loop())
        runner.run(resolver.close())
