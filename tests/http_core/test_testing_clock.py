"""The loop with a fake clock: time jumps, deadlocks are errors, threads are waited for."""

import asyncio
import socket
import threading

import pytest
from wayfare_http_core.testing import DeadlockError, FakeClockLoop, run_with_fake_clock


def fake_loop() -> FakeClockLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FakeClockLoop)
    return loop


def test_a_long_sleep_is_a_jump_of_the_clock() -> None:
    async def main() -> tuple[float, float]:
        loop = fake_loop()
        start = loop.time()
        await asyncio.sleep(3 * 86400)
        return start, loop.time()

    start, end = run_with_fake_clock(main())
    assert start > 0
    assert end - start == pytest.approx(3 * 86400)


def test_timers_fire_in_the_order_of_their_times() -> None:
    async def main() -> list[str]:
        seen: list[str] = []
        loop = fake_loop()
        loop.call_later(2, seen.append, "late")
        loop.call_later(1, seen.append, "early")
        loop.call_later(1.5, seen.append, "cancelled").cancel()
        await asyncio.sleep(3)
        return seen

    assert run_with_fake_clock(main()) == ["early", "late"]


def test_waiting_for_nothing_is_a_deadlock_that_names_the_tasks() -> None:
    async def other() -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        task = asyncio.create_task(other(), name="the other one")
        await task

    with pytest.raises(DeadlockError, match=r"(?s)the other one.*in other"):
        run_with_fake_clock(main())


def test_a_timeout_fires_without_real_waiting() -> None:
    async def main() -> None:
        async with asyncio.timeout(300):
            await asyncio.get_running_loop().create_future()

    with pytest.raises(TimeoutError):
        run_with_fake_clock(main())


def test_pending_timers_are_those_that_can_still_fire() -> None:
    async def main() -> None:
        loop = fake_loop()
        late = loop.call_later(9, lambda: None)
        early = loop.call_later(5, lambda: None)
        loop.call_later(1, lambda: None).cancel()
        assert loop.pending_timers() == (early, late)
        await asyncio.sleep(6)
        assert loop.pending_timers() == (late,)
        late.cancel()
        assert loop.pending_timers() == ()

    run_with_fake_clock(main())


def test_the_list_of_timers_does_not_grow_with_every_timer() -> None:
    async def main() -> int:
        loop = fake_loop()
        keep = loop.call_later(1000, lambda: None)
        for _ in range(1000):
            loop.call_later(1, lambda: None).cancel()
        assert loop.pending_timers() == (keep,)
        keep.cancel()
        return len(loop._fake_timers)

    assert run_with_fake_clock(main()) < 300


def test_jump_to_makes_a_timer_due_and_never_goes_back() -> None:
    async def main() -> None:
        loop = fake_loop()
        fired: list[float] = []
        timer = loop.call_later(5, lambda: fired.append(loop.time()))
        loop.jump_to(timer.when())
        loop.jump_to(0)
        assert loop.time() == timer.when()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert fired == [timer.when()]

    run_with_fake_clock(main())


def test_settled_returns_before_time_passes() -> None:
    async def hops(n: int) -> None:
        for _ in range(n):
            await asyncio.sleep(0)

    async def main() -> None:
        loop = fake_loop()
        start = loop.time()
        sleeper = asyncio.create_task(asyncio.sleep(1))
        hopper = asyncio.create_task(hops(50))
        await loop.settled()
        assert hopper.done()
        assert not sleeper.done()
        assert loop.time() == start
        await sleeper

    run_with_fake_clock(main())


def test_settled_can_be_cancelled() -> None:
    async def main() -> None:
        loop = fake_loop()
        task = asyncio.create_task(loop.settled())
        await asyncio.sleep(0)
        task.cancel()
        await loop.settled()
        assert task.cancelled()

    run_with_fake_clock(main())


def test_the_clock_stands_still_while_a_thread_works() -> None:
    released = threading.Event()

    def work() -> str:
        released.wait()
        return "done"

    async def main() -> str:
        loop = fake_loop()
        start = loop.time()
        future = loop.run_in_executor(None, work)
        # The thread ends no sooner than the loop has nothing else to wait for.
        nothing_ready = loop._fake_selector._nothing_ready

        def idle(timeout: float | None) -> float | None:
            waits = nothing_ready(timeout)
            released.set()
            return waits

        loop._fake_selector._nothing_ready = idle
        async with asyncio.timeout(1):
            answer = await future
        assert loop.time() == start
        return answer

    assert run_with_fake_clock(main()) == "done"


def test_sockets_are_refused() -> None:
    async def main(receiver: socket.socket) -> None:
        await asyncio.get_running_loop().sock_recv(receiver, 1)

    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        with pytest.raises(RuntimeError, match="use memory transports"):
            run_with_fake_clock(main(left))
