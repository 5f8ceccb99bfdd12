"""`RateLimitMiddleware`: how fast, in which order, and what a cancellation leaves."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import wayfare
from wayfare import RateLimitMiddleware
from wayfare._rate_limit import TokenBucket
from wayfare._route import Route
from wayfare._settings import RequestSettings
from wayfare._urls import prepare_url
from wayfare_http_core import FieldBlock
from wayfare_http_core.testing import Reply, Serve, run_with_fake_clock, ticks
from yarl import URL


def request_to(url: str) -> wayfare.ClientRequest:
    prepared = prepare_url(URL(url), Route())
    return wayfare.ClientRequest(
        "GET", prepared, FieldBlock(()), None, wayfare.ClientTimeout(), RequestSettings()
    )


class Log(list[tuple[float, Any]]):
    """A handler: when which request was let through, in seconds from the beginning."""

    def __init__(self) -> None:
        self.started = asyncio.get_running_loop().time()

    async def __call__(self, request: wayfare.ClientRequest) -> Any:
        now = asyncio.get_running_loop().time() - self.started
        self.append((round(now, 6), request.url.path_qs))

    def send(
        self, middleware: RateLimitMiddleware, *urls: str
    ) -> "list[asyncio.Task[wayfare.ClientResponse]]":
        async def through(url: str) -> wayfare.ClientResponse:
            return await middleware(request_to(url), self)

        return [asyncio.create_task(through(url)) for url in urls]


def with_clock(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run a coroutine function as a test, on a loop whose time passes at once."""

    def run() -> None:
        async def body() -> None:
            await test()

        run_with_fake_clock(body())

    run.__name__ = test.__name__
    return run


URLS = [f"http://h/{number}" for number in range(6)]


# -- the arithmetic --------------------------------------------------------------------------------------------------


def test_a_bucket_fills_with_time_and_no_further_than_it_can() -> None:
    bucket = TokenBucket(2.0, 3.0, 100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait(100.0) == 0.5
    assert bucket.wait(100.25) == 0.25
    assert not bucket.is_full(100.25)
    assert bucket.take(100.5)
    assert not bucket.take(100.5)
    assert bucket.is_full(10_000.0)
    assert [bucket.take(10_000.0) for _ in range(4)] == [True, True, True, False]


def test_a_token_that_is_given_back_is_there_again() -> None:
    bucket = TokenBucket(1.0, 1.0, 0.0)
    assert bucket.take(0.0)
    bucket.give_back()
    assert bucket.is_full(0.0)
    bucket.give_back()
    assert [bucket.take(0.0) for _ in range(2)] == [True, False]


def test_a_clock_that_goes_back_takes_nothing() -> None:
    bucket = TokenBucket(1.0, 2.0, 50.0)
    assert bucket.take(50.0)
    assert bucket.take(10.0)
    assert not bucket.take(10.0)
    assert bucket.take(11.0)


def test_fractions_add_up() -> None:
    bucket = TokenBucket(10.0, 1.0, 0.0)
    now, taken = 0.0, 0
    for _ in range(1000):
        taken += bucket.take(now)
        now += 0.01
    assert taken == 100


# -- the line --------------------------------------------------------------------------------------------------------


@with_clock
async def test_a_burst_and_then_the_rate() -> None:
    log = Log()
    await asyncio.gather(*log.send(RateLimitMiddleware(2), *URLS))
    assert log == [(0, "/0"), (0, "/1"), (0.5, "/2"), (1.0, "/3"), (1.5, "/4"), (2.0, "/5")]


@with_clock
async def test_even_intervals() -> None:
    log = Log()
    await asyncio.gather(*log.send(RateLimitMiddleware(3, per=60, burst=1), *URLS[:4]))
    assert log == [(0, "/0"), (20, "/1"), (40, "/2"), (60, "/3")]


@with_clock
async def test_less_than_one_in_a_second() -> None:
    log = Log()
    await asyncio.gather(*log.send(RateLimitMiddleware(0.5), *URLS[:3]))
    assert log == [(0, "/0"), (2, "/1"), (4, "/2")]


@with_clock
async def test_nobody_overtakes() -> None:
    """Not even who comes when a token has just become free."""
    log, limit = Log(), RateLimitMiddleware(1)
    early = log.send(limit, *URLS[:3])
    await asyncio.sleep(1.0)
    late = log.send(limit, "http://h/late")
    await asyncio.gather(*early, *late)
    assert log == [(0, "/0"), (1, "/1"), (2, "/2"), (3, "/late")]


@with_clock
async def test_each_origin_has_its_own_limit() -> None:
    log = Log()
    urls = ["http://h/1", "http://i/1", "http://h:81/1", "https://h/1", "http://H:80/2"]
    await asyncio.gather(*log.send(RateLimitMiddleware(1), *urls))
    assert [when for when, _ in log] == [0, 0, 0, 0, 1]


@with_clock
async def test_who_is_cancelled_takes_nothing_from_others() -> None:
    log, limit = Log(), RateLimitMiddleware(1)
    tasks = log.send(limit, *URLS[:4])
    await asyncio.sleep(0.5)
    tasks[1].cancel()
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert log == [(0, "/0"), (1, "/3")]


@with_clock
async def test_who_is_cancelled_as_its_turn_comes_gives_it_back() -> None:
    log, limit = Log(), RateLimitMiddleware(1)
    first, second, third = log.send(limit, *URLS[:3])
    await first
    loop = asyncio.get_running_loop()
    # The timer of the line is armed for the same moment, and was so before.
    loop.call_at(log.started + 1.0, second.cancel)
    await asyncio.wait([third])
    assert second.cancelled()
    assert log == [(0, "/0"), (1, "/2")]


@with_clock
async def test_nothing_is_left_of_a_line_that_gave_up() -> None:
    log, limit = Log(), RateLimitMiddleware(1)
    first, second = log.send(limit, *URLS[:2])
    await first
    await ticks(3)
    second.cancel()
    await asyncio.wait([second])
    (gate,) = limit._gates.values()
    assert gate._timer is None
    assert not gate._line


@with_clock
async def test_only_origins_with_something_to_remember_are() -> None:
    log, limit = Log(), RateLimitMiddleware(1)
    await asyncio.gather(*log.send(limit, *[f"http://h{number}/" for number in range(1024)]))
    assert len(limit._gates) == 1024
    await asyncio.sleep(0.5)
    await asyncio.gather(*log.send(limit, "http://h0/"))
    await asyncio.sleep(0.75)
    await asyncio.gather(*log.send(limit, "http://new/"))
    assert {origin.host for origin in limit._gates} == {"h0", "new"}


def test_another_loop_begins_anew() -> None:
    limit = RateLimitMiddleware(1)

    async def abandoned() -> None:
        log = Log()
        first, second = log.send(limit, *URLS[:2])
        await first
        second.cancel()
        await asyncio.wait([second])

    async def fresh() -> None:
        log = Log()
        await asyncio.gather(*log.send(limit, *URLS[:2]))
        assert log == [(0, "/0"), (1, "/1")]

    run_with_fake_clock(abandoned())
    run_with_fake_clock(fresh())


# -- with a session --------------------------------------------------------------------------------------------------


async def test_the_wait_is_part_of_the_total(serve: Any) -> None:
    async with serve(
        (Serve(lambda request: Reply("ok")),), middlewares=[RateLimitMiddleware(1, per=3600)]
    ) as (session, server):
        async with session.get("/") as response:
            assert await response.text() == "ok"
        with pytest.raises(wayfare.TotalTimeoutError):
            await session.get("/", timeout=0.05)
        assert len(server.peers[0].requests) == 1


@pytest.mark.parametrize(
    ("error", "options"),
    [
        ("rate must be positive, and 0 is not", {"rate": 0}),
        ("rate must be a number, not str", {"rate": "1"}),
        ("rate must be a number, not bool", {"rate": True}),
        ("rate must be positive, and inf is not", {"rate": float("inf")}),
        ("per must be positive, and nan is not", {"rate": 1, "per": float("nan")}),
        ("burst must be positive, and 0 is not", {"rate": 1, "burst": 0}),
        ("burst must be an int, not float", {"rate": 1, "burst": 1.5}),
    ],
)
def test_limits_that_make_no_sense(error: str, options: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=error):
        RateLimitMiddleware(**options)
