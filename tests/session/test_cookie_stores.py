"""A jar with a store: when a session asks it, and when it tells it."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from wayfare._cookies import SessionCookies
from wayfare_cookies import (
    Change,
    Changes,
    CookieJar,
    Revision,
    StoreOptions,
    StoreUnavailableError,
    StoreUnavailableWarning,
)
from wayfare_cookies.testing import MemoryStore

from .cookie_web import A, Web, sent


class Counting:
    """A store that counts, waits at its gate while that is closed, and tells the loop when it was told something."""

    def __init__(self) -> None:
        self.inside = MemoryStore()
        self.reads = 0
        self.gate = threading.Event()
        self.gate.set()
        self.loop = asyncio.get_running_loop()
        self.told = asyncio.Event()

    def changes_since(self, revision: Revision | None) -> Changes:
        self.reads += 1
        self.gate.wait()
        return self.inside.changes_since(revision)

    def apply(self, changes: Sequence[Change]) -> None:
        self.inside.apply(changes)
        self.loop.call_soon_threadsafe(self.told.set)


async def test_a_store_is_asked_before_a_request_and_not_again_for_a_while(web: Web) -> None:
    store, now = Counting(), [1_800_000_000.0]
    jar = CookieJar(store=store, clock=lambda: now[0])
    elsewhere = CookieJar(store=store.inside)
    elsewhere.update_cookies({"a": "1"}, A)
    elsewhere.sync()
    async with web.session(cookie_jar=jar) as session:
        assert await sent(session, A) == "a=1"
        elsewhere.update_cookies({"a": "2"}, A)
        elsewhere.sync()
        assert await sent(session, A) == "a=1"
        assert store.reads == 1
        now[0] += 1.0
        assert await sent(session, A) == "a=2"
        assert store.reads == 2


async def test_requests_that_ask_at_once_wait_for_one_answer(web: Web) -> None:
    store = Counting()
    elsewhere = CookieJar(store=store.inside)
    elsewhere.update_cookies({"a": "1"}, A)
    elsewhere.sync()
    async with web.session(cookie_jar=CookieJar(store=store)) as session:
        store.gate.clear()
        requests = [asyncio.ensure_future(sent(session, A)) for _ in range(5)]
        await asyncio.sleep(0)  # each of them has begun, and waits
        store.gate.set()
        assert await asyncio.gather(*requests) == ["a=1"] * 5
        assert store.reads == 1


async def test_what_a_server_set_reaches_the_store_soon(web: Web) -> None:
    store = Counting()
    jar = CookieJar(store=store, store_options=StoreOptions(max_age=3_600))
    async with web.session(cookie_jar=jar) as session:
        await sent(session, A + "?set=a=1&set=b=2")
        await sent(session, A + "?set=c=3")
        await store.told.wait()
        elsewhere = CookieJar(store=store.inside)
        elsewhere.sync()
        assert {cookie.name for cookie in elsewhere} == {"a", "b", "c"}


async def test_what_is_set_while_the_store_is_told_is_told_afterwards() -> None:
    store = Counting()
    jar = CookieJar(store=store)
    cookies = SessionCookies(jar)
    jar.update_cookies({"a": "1"}, A)
    store.gate.clear()
    telling = asyncio.ensure_future(cookies.refresh())
    await store.told.wait()
    store.told.clear()
    jar.update_cookies({"b": "1"}, A)
    store.gate.set()
    await telling
    await store.told.wait()
    await cookies.close()
    assert not jar.has_news


async def test_an_end_waits_for_what_is_being_told() -> None:
    store = Counting()
    jar = CookieJar(store=store)
    cookies = SessionCookies(jar)
    jar.update_cookies({"a": "1"}, A)
    store.gate.clear()
    telling = asyncio.ensure_future(cookies.refresh())
    await store.told.wait()
    closing = asyncio.ensure_future(cookies.close())
    await asyncio.sleep(0)
    assert not closing.done()
    store.gate.set()
    await closing
    await telling
    assert store.reads == 1


async def test_the_end_of_a_session_tells_the_store(web: Web) -> None:
    store = Counting()
    jar = CookieJar(store=store)
    async with web.session(cookie_jar=jar) as session:
        await sent(session, A + "?set=a=1")
        jar.update_cookies({"b": "2"}, A)
    elsewhere = CookieJar(store=store.inside)
    elsewhere.sync()
    assert {cookie.name for cookie in elsewhere} == {"a", "b"}


async def test_a_store_that_is_away_is_an_error_before_anything_is_sent(web: Web) -> None:
    store = Counting()
    jar = CookieJar(store=store)
    async with web.session(cookie_jar=jar) as session:
        store.inside.away = True
        with pytest.raises(StoreUnavailableError, match="away"):
            await session.get(A)
        assert web.server.requests == []
        assert session.connector.stats().leased == 0
        jar.update_cookies({"a": "1"}, A)
        with pytest.raises(StoreUnavailableError, match="away"):
            await session.close()
        assert session.closed
        assert session.connector.closed
        assert jar.has_news
        store.inside.away = False
    assert not jar.has_news


async def test_a_store_that_goes_away_behind_the_back_is_told_later(web: Web) -> None:
    store, now = Counting(), [1_800_000_000.0]
    jar = CookieJar(store=store, clock=lambda: now[0])
    cookies = SessionCookies(jar)
    await cookies.refresh()
    jar.update_cookies({"a": "1"}, A)
    store.inside.away = True
    with pytest.raises(StoreUnavailableError):
        await cookies.refresh()
    store.inside.away = False
    await cookies.close()
    assert not jar.has_news


async def test_a_store_that_may_be_away_is_a_warning(web: Web) -> None:
    store = Counting()
    store.inside.away = True
    jar = CookieJar(store=store, store_options=StoreOptions(on_error="warn"))
    async with web.session(cookie_jar=jar) as session:
        with pytest.warns(StoreUnavailableWarning, match="away"):
            await sent(session, A + "?set=a=1")
        assert await sent(session, A) == "a=1"
        store.inside.away = False


async def test_a_request_that_is_given_up_leaves_the_others_waiting_for_the_store(web: Web) -> None:
    """Cancellation."""
    store = Counting()
    jar = CookieJar(store=store)
    async with web.session(cookie_jar=jar) as session:
        store.gate.clear()
        one, two = (asyncio.ensure_future(sent(session, A)) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        store.gate.set()
        assert await two == ""
        with pytest.raises(asyncio.CancelledError):
            await one
