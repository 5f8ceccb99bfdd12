"""The deadline of one connect: which phase runs, which limit counts (O1, O3)."""

import asyncio
import errno

import pytest
from wayfare_connector import (
    ConnectDeadline,
    ConnectionTimeoutError,
    ConnectTimeouts,
    DialTimeoutError,
    DNSTimeoutError,
    FailedAttempt,
    PoolTimeoutError,
    ProxyTimeoutError,
    Target,
    TLSTimeoutError,
)
from wayfare_http_core import ConnectTimings
from wayfare_http_core.testing import run_with_fake_clock

A = Target("http", "a.example")


@pytest.mark.parametrize(
    ("phase", "error", "seconds"),
    [
        ("waiting", PoolTimeoutError, 5),
        ("resolving", DNSTimeoutError, 5),
        ("connecting", DialTimeoutError, 2),
        ("tunnelling", ProxyTimeoutError, 2),
        ("securing", TLSTimeoutError, 2),
    ],
)
def test_o1_each_phase_has_its_own_error(
    phase: str, error: type[ConnectionTimeoutError], seconds: float
) -> None:
    async def main() -> None:
        deadline = ConnectDeadline(A, ConnectTimeouts(connect=5, sock_connect=2))
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(error) as raised, deadline.overall(), getattr(deadline, phase)():
            await asyncio.Event().wait()
        assert type(raised.value) is error
        assert (raised.value.connection_key, raised.value.seconds) == (A, seconds)
        assert loop.time() - started == pytest.approx(seconds)

    run_with_fake_clock(main())


@pytest.mark.parametrize(
    ("phase", "limits", "error"),
    [
        ("waiting", {"pool": 3}, PoolTimeoutError),
        ("resolving", {"dns": 3}, DNSTimeoutError),
        ("securing", {"tls": 3}, TLSTimeoutError),
        ("securing", {"tls": 3, "sock_connect": 8}, TLSTimeoutError),
        ("tunnelling", {"proxy": 3}, ProxyTimeoutError),
        ("tunnelling", {"proxy": 3, "sock_connect": 8}, ProxyTimeoutError),
    ],
)
def test_o1_each_limit_of_one_phase_fires_alone(
    phase: str, limits: dict[str, float], error: type[ConnectionTimeoutError]
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        deadline = ConnectDeadline(A, ConnectTimeouts(connect=9, **limits))
        others = {"waiting", "resolving", "connecting", "tunnelling", "securing"} - {phase}
        for other in sorted(others):
            with deadline.overall(), getattr(deadline, other)():
                await asyncio.sleep(0.5)
        with pytest.raises(error) as raised, deadline.overall(), getattr(deadline, phase)():
            await asyncio.Event().wait()
        assert raised.value.seconds == 3
        assert raised.value.elapsed == pytest.approx(3)
        assert loop.time() - started == pytest.approx(5)

    run_with_fake_clock(main())


def test_the_timings_tell_what_each_phase_took() -> None:
    async def main() -> None:
        deadline = ConnectDeadline(A, ConnectTimeouts())
        assert deadline.timings() == ConnectTimings(total=0)
        for seconds, phase in enumerate(
            ("waiting", "resolving", "connecting", "tunnelling", "securing"), 1
        ):
            with getattr(deadline, phase)():
                await asyncio.sleep(seconds)
            await asyncio.sleep(0.5)
        with deadline.securing():
            await asyncio.sleep(1)
        timings = deadline.timings()
        expected = ConnectTimings(queued=1, dns=2, dial=3, tunnel=4, tls=6, total=18.5)
        assert timings == pytest.approx(expected)

    run_with_fake_clock(main())


def test_o1_the_error_of_the_whole_names_the_phase_it_ended_in() -> None:
    async def main() -> None:
        deadline = ConnectDeadline(A, ConnectTimeouts(connect=5))

        async def work() -> None:
            with deadline.overall():
                with deadline.connecting():
                    await asyncio.sleep(4)
                with deadline.securing():
                    await asyncio.sleep(4)

        with pytest.raises(TLSTimeoutError) as raised:
            await work()
        assert raised.value.seconds == 5

    run_with_fake_clock(main())


def test_n2_addresses_are_told_of_by_the_phase_that_tried_them() -> None:
    attempt = FailedAttempt(("192.0.2.1", 80), errno.ETIMEDOUT, "no answer")

    async def main() -> None:
        deadline = ConnectDeadline(A, ConnectTimeouts(connect=5))

        async def dial() -> None:
            with deadline.overall(), deadline.connecting():
                deadline.tried((attempt,))
                await asyncio.Event().wait()

        with pytest.raises(DialTimeoutError) as raised:
            await dial()
        assert raised.value.attempts == (attempt,)
        later = ConnectDeadline(A, ConnectTimeouts(connect=5))
        with later.connecting():
            later.tried((attempt,))
        with pytest.raises(TLSTimeoutError) as raised_later, later.securing():
            await asyncio.Event().wait()
        assert raised_later.value.attempts == ()

    run_with_fake_clock(main())


def test_sock_connect_covers_tcp_and_tls_together_and_nothing_before() -> None:
    async def main() -> None:
        deadline = ConnectDeadline(A, ConnectTimeouts(sock_connect=5))
        with deadline.waiting():
            await asyncio.sleep(100)
        with deadline.resolving():
            await asyncio.sleep(100)
        with deadline.connecting():
            await asyncio.sleep(4)
        with pytest.raises(TLSTimeoutError), deadline.securing():
            await asyncio.sleep(4)

    run_with_fake_clock(main())


def test_what_remains_is_the_smaller_limit() -> None:
    async def main() -> None:
        deadline = ConnectDeadline(A, ConnectTimeouts(connect=9, sock_connect=5))
        assert deadline.remaining() == 9
        with deadline.connecting():
            assert deadline.remaining() == 5
            await asyncio.sleep(3)
            assert deadline.remaining() == 2
        assert ConnectDeadline(A, ConnectTimeouts()).remaining() is None

    run_with_fake_clock(main())


def test_o3_no_time_at_all_ends_before_the_first_await() -> None:
    async def main() -> None:
        deadline = ConnectDeadline(A, ConnectTimeouts(connect=0))
        with pytest.raises(PoolTimeoutError), deadline.overall():
            raise AssertionError("not entered")

    run_with_fake_clock(main())
