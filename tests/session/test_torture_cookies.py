"""Torture of a session's cookies: a redirect that sets some, a jar that shares a store; every await is disturbed."""

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from wayfare import ClientSession, ClientTimeout, CookieJar, TCPConnector
from wayfare_connector.testing import MemoryDialer
from wayfare_cookies import StoreOptions
from wayfare_cookies.testing import MemoryStore
from wayfare_http_core.testing import ReceivedRequest as Received
from wayfare_http_core.testing import Reply, Scenario, Serve, World, torture

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

_T = TypeVar("_T")


class AtOnce(ThreadPoolExecutor):
    """Runs what it is given before it returns: the way of a run must not depend on threads."""

    @override
    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


def reply(request: Received) -> Reply:
    cookies = request.get("Cookie") or ""
    if request.path == "/login":
        fields = [("Set-Cookie", "sid=1; Path=/"), ("Location", "/home")]
        return Reply("", 302, fields=fields)
    return Reply(cookies)


class Login(Scenario):
    """A login that redirects, with cookies of the caller's, and a store to ask before and to tell after."""

    with_store = False

    @override
    async def setup(self) -> None:
        self.world.loop.set_default_executor(AtOnce())
        self.world.serve("h", 80, [Serve(reply)])
        self.connector = TCPConnector(dialer=MemoryDialer(self.world.network))
        self.store = MemoryStore()
        self.jar = CookieJar(
            store=self.store if self.with_store else None, store_options=StoreOptions(max_age=0)
        )
        self.session = ClientSession(
            "http://h/",
            connector=self.connector,
            timeout=ClientTimeout(total=30),
            cookie_jar=self.jar,
            cookies={"session": "s"},
        )

    @override
    async def run(self) -> None:
        async with self.session.get("/login", cookies={"mine": "m"}) as answer:
            assert await answer.text() == "mine=m; sid=1; session=s"

    @override
    async def follow_up(self) -> None:
        async with self.session.get("/after") as answer:
            # What was set before the disturbance is kept; what the caller gave to the first request is not.
            assert await answer.text() in ("session=s", "sid=1; session=s")

    @override
    async def close(self) -> None:
        await self.session.close()
        if self.with_store:
            other = CookieJar(store=self.store)
            other.sync()
            assert [cookie.pair for cookie in other] == [cookie.pair for cookie in self.jar]

    @override
    def idle_transports(self) -> int:
        return self.connector.stats().idle

    @override
    def violations(self) -> Iterable[str]:
        stats = self.connector.stats()
        if (stats.leased, stats.waiting, stats.connecting) != (0, 0, 0):
            yield f"the pool's books: {stats}"


class LoginWithStore(Login):
    """The same, with a store."""

    with_store = True


@pytest.mark.parametrize("scenario", [Login, LoginWithStore])
def test_torture(scenario: Callable[[World], Login]) -> None:
    report = torture(scenario, lingering_timers=("DeadlineQueue._fire", "SessionCookies._sync"))
    assert report.points > 0
    assert report.acted > report.points
