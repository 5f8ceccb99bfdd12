"""The torture harness itself: it passes a correct client and finds each planted bug.

`ToyClient` is a small correct client with a pool of one. Each test plants one bug and names the
injection that must find it, so the harness cannot quietly lose its teeth.
"""

import asyncio
import sys
import warnings
from collections.abc import Callable, Iterable

import pytest
from wayfare_http_core.testing import (
    Call,
    Injection,
    MemoryTransport,
    ReadRequest,
    Repeat,
    Scenario,
    ScriptedPeer,
    TortureError,
    TortureFailure,
    World,
    await_points,
    torture,
)
from wayfare_http_core.testing._injection import SteppedCoroutine

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

SIZE = 10
ERRORS = (OSError, TimeoutError)


class ToyProtocol(asyncio.Protocol):
    """Reads answers of ten octets."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.waiter: asyncio.Future[None] | None = None
        self.lost = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    @override
    def data_received(self, data: bytes) -> None:
        self.data += data
        self.wake()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.closed.set_result(None)
        self.wake()

    def loss(self) -> BaseException:
        return ConnectionResetError("lost")

    async def answer(self) -> str:
        while len(self.data) < SIZE:
            if self.lost:
                raise self.loss()
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter
        answer = bytes(self.data[:SIZE])
        del self.data[:SIZE]
        return answer.decode()


Connected = tuple[MemoryTransport, ToyProtocol]


class ToyClient:
    """Fetches answers over one connection, which it keeps."""

    protocol: type[ToyProtocol] = ToyProtocol

    def __init__(self, world: World) -> None:
        self.world = world
        self.idle: Connected | None = None
        self.busy = 0
        self.fetched = 0

    async def fetch(self) -> None:
        self.busy += 1
        try:
            connected = await self.connect()
            try:
                await self.exchange(connected)
            except BaseException:
                await self.give_up(connected)
                raise
            self.idle = connected
        finally:
            self.leave()

    async def connect(self) -> Connected:
        idle, self.idle = self.idle, None
        if idle is not None and not idle[1].lost and not idle[0].is_closing():
            return idle
        return await self.world.dial("h", 80, self.protocol)

    async def exchange(self, connected: Connected) -> None:
        transport, protocol = connected
        self.fetched += 1
        target = f"/{self.fetched:09}"
        transport.write(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        async with asyncio.timeout(300):
            assert await protocol.answer() == target

    async def give_up(self, connected: Connected) -> None:
        connected[0].abort()

    def leave(self) -> None:
        self.busy -= 1

    async def close(self) -> None:
        if self.idle is not None:
            self.idle[0].close()
            await self.idle[1].closed


def echo_target(peer: ScriptedPeer) -> None:
    peer.write(peer.requests[-1].target.encode())


class Fetch(Scenario):
    """A fetch over a fresh connection, or over a used one; the answer arrives in three pieces."""

    def __init__(self, world: World, client: type[ToyClient], *, reused: bool = False) -> None:
        super().__init__(world)
        self.world.network.read_size = 4
        self.client = client(world)
        self.reused = reused

    @override
    async def setup(self) -> None:
        self.world.serve("h", 80, [Repeat(ReadRequest(), Call(echo_target))])
        if self.reused:
            await self.client.fetch()

    @override
    async def run(self) -> None:
        await self.client.fetch()

    @override
    async def follow_up(self) -> None:
        await self.client.fetch()

    @override
    async def close(self) -> None:
        await self.client.close()

    @override
    def idle_transports(self) -> int:
        idle = self.client.idle
        return int(idle is not None and not idle[1].lost)

    @override
    def violations(self) -> Iterable[str]:
        if self.client.busy:
            yield f"busy: {self.client.busy}"


def fetch_with(client: type[ToyClient], *, reused: bool = False) -> Callable[[World], Scenario]:
    return lambda world: Fetch(world, client, reused=reused)


def damage(
    client: type[ToyClient],
    injections: Iterable[Injection] = tuple(Injection),
    *,
    lingering_timers: tuple[str, ...] = (),
) -> str:
    """The violations that the harness finds, one string."""
    with pytest.raises(TortureError) as caught:
        torture(
            fetch_with(client),
            injections=injections,
            allowed_errors=ERRORS,
            lingering_timers=lingering_timers,
        )
    return "\n".join(line for failure in caught.value.failures for line in failure.violations)


@pytest.mark.parametrize("reused", [False, True])
def test_a_correct_client_passes(reused: bool) -> None:
    report = torture(fetch_with(ToyClient, reused=reused), allowed_errors=ERRORS)
    points = 3 if reused else 4
    assert report.points == points
    assert report.ticks > points
    assert report.runs == 1 + 8 * points + 6 * report.ticks
    assert report.acted > 6 * points + 4 * report.ticks


def test_await_points_counts_the_yields_of_the_operation() -> None:
    assert await_points(fetch_with(ToyClient)) == 4


def test_every_injection_runs_at_every_point() -> None:
    report = torture(Hops)
    assert report.points == 30
    assert report.ticks == 31  # the task's start is a tick of its own
    assert report.runs == 1 + 8 * 30 + 6 * 31
    # No future to complete, no transport, no timer: only the plain cancellations find a victim.
    assert report.acted == 1 + 2 * 30 + 31


class Hops(Scenario):
    """Thirty yields that nothing but a cancellation can disturb."""

    @override
    async def run(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0)


def test_a_leak_on_cancel_is_found() -> None:
    class Leaks(ToyClient):
        @override
        async def give_up(self, connected: Connected) -> None:
            pass

    assert "1 transports open after run, 0 expected" in damage(Leaks, [Injection.CANCEL])
    assert "transports open after close" in damage(Leaks, [Injection.CANCEL_AT_COMPLETION])


def test_a_leak_that_needs_two_cancellations_is_found() -> None:
    class AbortsLate(ToyClient):
        @override
        async def give_up(self, connected: Connected) -> None:
            await asyncio.sleep(0)
            connected[0].abort()

    torture(
        fetch_with(AbortsLate),
        injections=[Injection.CANCEL, Injection.LOST],
        allowed_errors=ERRORS,
    )
    assert "transports open" in damage(AbortsLate, [Injection.CANCEL_TWICE])


def test_a_swallowed_cancellation_is_found() -> None:
    class Swallows(ToyClient):
        @override
        async def fetch(self) -> None:
            try:
                await super().fetch()
            except asyncio.CancelledError:
                return

    assert "swallowed: run ended with success" in damage(Swallows, [Injection.CANCEL])


def test_a_cancellation_that_becomes_another_error_is_found() -> None:
    class Translates(ToyClient):
        @override
        async def fetch(self) -> None:
            try:
                await super().fetch()
            except asyncio.CancelledError as exc:
                raise ConnectionAbortedError from exc

    assert "run ended with ConnectionAbortedError" in damage(Translates, [Injection.CANCEL])


def test_a_future_that_is_completed_after_its_cancellation_is_found() -> None:
    class Unguarded(ToyProtocol):
        @override
        def wake(self) -> None:
            if self.waiter is not None:
                waiter, self.waiter = self.waiter, None
                waiter.set_result(None)

    class Client(ToyClient):
        protocol = Unguarded

    assert "InvalidStateError" in damage(Client, [Injection.CANCEL_BEFORE_DELIVERY])


def test_a_future_that_is_never_completed_is_a_hang() -> None:
    class Deaf(ToyProtocol):
        @override
        def connection_lost(self, exc: Exception | None) -> None:
            self.lost = True
            self.closed.set_result(None)

    class Client(ToyClient):
        protocol = Deaf

        @override
        async def exchange(self, connected: Connected) -> None:
            connected[0].write(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
            await connected[1].answer()

    with pytest.raises(TortureError, match=r"(?s)hang during run.*tortured"):
        torture(
            lambda world: Unanswered(world, Client),
            injections=[Injection.LOST, Injection.EOF, Injection.LOST_WITH_ERROR],
            allowed_errors=ERRORS,
        )


class Unanswered(Fetch):
    """Nothing is checked about the answer."""

    @override
    async def setup(self) -> None:
        self.world.serve("h", 80, [ReadRequest(), Call(lambda peer: peer.write(b"x" * SIZE))])

    @override
    async def follow_up(self) -> None:
        pass


def test_a_lost_wake_up_that_a_timeout_hides_is_found() -> None:
    class Deaf(ToyProtocol):
        @override
        def connection_lost(self, exc: Exception | None) -> None:
            self.lost = True
            self.closed.set_result(None)

    class Client(ToyClient):
        protocol = Deaf

    assert "only 300 seconds after" in damage(Client, [Injection.LOST])


def test_an_untyped_error_is_found() -> None:
    class Untyped(ToyProtocol):
        @override
        def loss(self) -> BaseException:
            return LookupError("lost")

    class Client(ToyClient):
        protocol = Untyped

    assert "run ended with LookupError('lost')" in damage(Client, [Injection.EOF])


def test_a_cancelled_error_from_nowhere_is_found() -> None:
    class Cancels(ToyProtocol):
        @override
        def loss(self) -> BaseException:
            return asyncio.CancelledError()

    class Client(ToyClient):
        protocol = Cancels

    assert "although nobody cancelled it" in damage(Client, [Injection.LOST])


def test_a_connection_that_is_reused_after_a_cancelled_exchange_is_found() -> None:
    class KeepsAll(ToyClient):
        @override
        async def give_up(self, connected: Connected) -> None:
            self.idle = connected

    assert "follow-up failed with AssertionError" in damage(KeepsAll, [Injection.CANCEL])


def test_stray_timers_are_found() -> None:
    class Times(ToyClient):
        @override
        async def exchange(self, connected: Connected) -> None:
            asyncio.get_running_loop().call_later(500, connected[0].is_closing)
            await super().exchange(connected)

    assert "a timer is left after close" in damage(Times, ())
    torture(
        fetch_with(Times), allowed_errors=ERRORS, lingering_timers=("MemoryTransport.is_closing",)
    )


def test_a_timer_that_may_linger_must_come_to_rest() -> None:
    class Ticks(ToyClient):
        @override
        async def exchange(self, connected: Connected) -> None:
            self.tick()
            await super().exchange(connected)

        def tick(self) -> None:
            asyncio.get_running_loop().call_later(500, self.tick)

    assert "armed again and again" in damage(Ticks, (), lingering_timers=("tick",))


def test_stray_tasks_are_found() -> None:
    class Spawns(ToyClient):
        @override
        async def exchange(self, connected: Connected) -> None:
            self.quick = asyncio.create_task(self.world.loop.settled(), name="quick")
            self.stray = asyncio.create_task(asyncio.Event().wait(), name="stray")
            await super().exchange(connected)

    found = damage(Spawns, ())
    assert "a task is left after the run" in found
    assert "name='stray'" in found
    assert "quick" not in found


def test_an_error_that_nobody_retrieves_is_found() -> None:
    class Forgets(ToyClient):
        @override
        async def give_up(self, connected: Connected) -> None:
            await super().give_up(connected)
            asyncio.get_running_loop().create_future().set_exception(OSError("nobody looks"))

    assert "never retrieved: OSError('nobody looks')" in damage(Forgets, [Injection.CANCEL])


def test_warnings_are_found() -> None:
    class Warns(ToyClient):
        @override
        async def give_up(self, connected: Connected) -> None:
            await super().give_up(connected)
            warnings.warn("odd", ResourceWarning, stacklevel=1)

    assert "warning: odd" in damage(Warns, [Injection.LOST])


def test_errors_in_destructors_are_found() -> None:
    class Bad:
        def __del__(self) -> None:
            raise LookupError("in a destructor")

    class Client(ToyClient):
        @override
        async def give_up(self, connected: Connected) -> None:
            await super().give_up(connected)
            Bad()

    assert "unraisable: LookupError('in a destructor')" in damage(Client, [Injection.CANCEL])


def test_wrong_books_are_found() -> None:
    class Miscounts(ToyClient):
        @override
        def leave(self) -> None:
            if sys.exc_info()[0] is None:
                super().leave()

    assert "busy: 1" in damage(Miscounts, [Injection.CANCEL_AT_COMPLETION])


def test_a_close_that_closes_nothing_is_found() -> None:
    class StaysOpen(ToyClient):
        @override
        async def close(self) -> None:
            pass

    assert "1 transports open after close, 0 expected" in damage(StaysOpen, ())


def test_a_close_that_fails_is_found() -> None:
    class Fails(ToyClient):
        @override
        async def close(self) -> None:
            await super().close()
            raise LookupError("closing")

    assert "close failed with LookupError('closing')" in damage(Fails, ())


def test_a_malformed_request_is_found() -> None:
    class Injects(ToyClient):
        @override
        async def exchange(self, connected: Connected) -> None:
            connected[0].write(b"\r\n")
            await super().exchange(connected)

    found = damage(Injects, ())
    assert "a server was sent nonsense: BadRequestError" in found
    assert "run ended with ConnectionResetError" in found


def test_an_operation_that_takes_another_way_each_time_is_found() -> None:
    runs = 0

    class Wanders(ToyClient):
        @override
        async def exchange(self, connected: Connected) -> None:
            nonlocal runs
            runs += 1
            if runs == 1:
                await asyncio.sleep(0)
            await super().exchange(connected)

    assert "never came to yield 5: it is not deterministic" in damage(Wanders, [Injection.CANCEL])


def test_tasks_that_resist_after_a_hang_do_not_stop_the_harness() -> None:
    class Resists(Hops):
        @override
        async def run(self) -> None:
            while True:
                try:
                    await asyncio.get_running_loop().create_future()
                except asyncio.CancelledError:
                    await asyncio.get_running_loop().create_future()

    with pytest.raises(TortureError, match="hang during run"):
        torture(Resists)


def test_failures_can_be_replayed_one_by_one() -> None:
    class Leaks(ToyClient):
        @override
        async def give_up(self, connected: Connected) -> None:
            if self.fetched == 1:
                return
            await super().give_up(connected)

    with pytest.raises(TortureError) as caught:
        torture(fetch_with(Leaks), allowed_errors=ERRORS, injections=[Injection.CANCEL])
    failure = caught.value.failures[0]
    assert isinstance(failure, TortureFailure)
    assert failure.injection is not None
    only = (failure.injection.value, failure.moment.value, failure.point)
    assert f"only={only}" in str(caught.value)
    with pytest.raises(TortureError) as again:
        torture(fetch_with(Leaks), allowed_errors=ERRORS, only=only)
    assert again.value.failures[0].point == failure.point
    assert again.value.runs == 2
    torture(fetch_with(Leaks), allowed_errors=ERRORS, only=("lost", "tick", 1))


def test_an_undisturbed_failure_ends_the_sweep() -> None:
    class Fails(Hops):
        @override
        async def run(self) -> None:
            raise LookupError("at once")

    with pytest.raises(TortureError, match=r"1 of 1 runs did damage\nundisturbed:\n.*at once"):
        torture(Fails)


def test_a_setup_that_fails_is_an_error_of_the_test() -> None:
    class Fails(Hops):
        @override
        async def setup(self) -> None:
            raise LookupError("the test is wrong")

    with pytest.raises(LookupError, match="the test is wrong"):
        torture(Fails)


async def test_a_stepped_coroutine_is_driven_like_any_other() -> None:
    seen: list[int] = []

    async def main() -> None:
        try:
            await asyncio.sleep(0)
        except LookupError:
            await asyncio.sleep(0)

    stepped = SteppedCoroutine(main(), lambda k, yielded: seen.append(k))
    stepped.send(None)
    stepped.throw(LookupError)
    with pytest.raises(TypeError, match="run by a task"):
        await stepped
    stepped.close()
    assert (seen, stepped.points) == ([1, 2], 2)


def test_injections_know_whether_they_cancel() -> None:
    assert Injection.CANCEL_TWICE.cancels
    assert not Injection.EOF.cancels
