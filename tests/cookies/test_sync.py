"""A jar and its store: who wins, what is told, and what happens when the store is away."""

from collections.abc import Sequence
from typing import Any

import pytest
from wayfare_cookies import (
    Change,
    Changes,
    Cookie,
    CookieJar,
    CookieLimits,
    Revision,
    StoreOptions,
    StoreUnavailableError,
    StoreUnavailableWarning,
)
from wayfare_cookies.testing import MemoryStore

URL_ = "https://www.example.com/"


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def pairs(jar: CookieJar) -> list[str]:
    return sorted(cookie.pair for cookie in jar)


def test_two_jars_share_what_they_store() -> None:
    store = MemoryStore()
    one, two = CookieJar(store=store), CookieJar(store=store)
    one.update_cookies({"a": "1"}, URL_)
    assert one.sync()
    assert two.sync()
    assert list(two) == list(one)
    two.update_cookies_from_headers(["a=2", "b=1"], URL_)
    two.sync()
    one.sync()
    assert pairs(one) == ["a=2", "b=1"]
    one.update_cookies_from_headers(["a=; Max-Age=0", "never=; Max-Age=0"], URL_)
    one.clear(lambda cookie: cookie.name == "b")
    one.sync()
    two.sync()
    assert pairs(two) == []


def test_the_later_change_wins_though_it_is_told_first() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    one, two = CookieJar(store=store, clock=clock), CookieJar(store=store, clock=clock)
    one.update_cookies({"a": "earlier"}, URL_)
    clock.now += 1
    two.update_cookies({"a": "later"}, URL_)
    clock.now += 1
    two.sync()
    one.sync()
    assert pairs(one) == ["a=later"]


def test_the_later_change_wins_whatever_the_clients_clocks_say() -> None:
    """Only the age of a change is told, so a clock that is a year ahead wins nothing."""
    true, ahead = Clock(), Clock(1_800_000_000.0 + 365 * 86_400)
    store = MemoryStore(clock=true)
    one, two = CookieJar(store=store, clock=ahead), CookieJar(store=store, clock=true)
    one.update_cookies({"a": "earlier"}, URL_)
    for clock in (true, ahead):
        clock.now += 1
    two.update_cookies({"a": "later"}, URL_)
    two.sync()
    one.sync()
    assert pairs(one) == ["a=later"]


def test_a_removal_wins_and_loses_like_any_change() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    one, two = CookieJar(store=store, clock=clock), CookieJar(store=store, clock=clock)
    one.update_cookies({"a": "1", "b": "1"}, URL_)
    one.sync()
    two.sync()
    one.clear(lambda cookie: cookie.name == "a")
    two.update_cookies({"b": "2"}, URL_)
    clock.now += 1
    two.update_cookies({"a": "2"}, URL_)
    one.clear(lambda cookie: cookie.name == "b")
    two.sync()
    one.sync()
    two.sync()
    assert pairs(one) == pairs(two) == ["a=2"]


def test_setting_a_cookie_again_is_a_change_though_nothing_differs() -> None:
    """The server confirmed the cookie after the other jar had removed it: the later change wins."""
    clock = Clock()
    store = MemoryStore(clock=clock)
    one, two = CookieJar(store=store, clock=clock), CookieJar(store=store, clock=clock)
    one.update_cookies_from_headers(["a=1"], URL_)
    one.sync()
    two.sync()
    clock.now += 1
    two.clear()
    clock.now += 1
    one.update_cookies_from_headers(["a=1"], URL_)
    one.sync()
    two.sync()
    assert pairs(one) == pairs(two) == ["a=1"]


def test_a_cookie_can_be_removed_by_a_jar_that_never_saw_it() -> None:
    """A logout answered to one process ends the session of all."""
    clock = Clock()
    store = MemoryStore(clock=clock)
    one, two = CookieJar(store=store, clock=clock), CookieJar(store=store, clock=clock)
    one.update_cookies_from_headers(["sid=1"], URL_)
    one.sync()
    clock.now += 1
    two.update_cookies_from_headers(["sid=; Max-Age=0"], URL_)
    two.sync()
    one.sync()
    assert pairs(one) == pairs(two) == []


def test_a_jar_that_changes_nothing_tells_nothing() -> None:
    store = MemoryStore()
    jar = CookieJar(store=store)
    jar.update_cookies_from_headers(["a=1"], URL_)
    jar.sync()
    revision = store.changes_since(None).revision
    jar.filter_cookies(URL_)
    jar.sync()
    assert store.changes_since(None).revision == revision


def test_a_cookie_that_expired_untold_takes_what_it_replaced_with_it() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    one, two = CookieJar(store=store, clock=clock), CookieJar(store=store, clock=clock)
    one.update_cookies_from_headers(["a=old"], URL_)
    one.sync()
    two.sync()
    two.update_cookies_from_headers(["a=short; Max-Age=1"], URL_)
    clock.now += 2
    two.sync()
    one.sync()
    assert pairs(one) == pairs(two) == []


def test_loading_a_file_replaces_what_the_store_has(tmp_path: object) -> None:
    store = MemoryStore()
    one, two = CookieJar(store=store), CookieJar(store=store)
    one.update_cookies({"a": "1", "b": "1"}, URL_)
    one.sync()
    two.sync()
    path = f"{tmp_path}/jar.json"
    one.clear(lambda cookie: cookie.name == "a")
    one.update_cookies({"c": "1"}, URL_)
    one.save(path)
    two.update_cookies({"d": "1"}, URL_)
    two.load(path)
    two.sync()
    fresh = CookieJar(store=store)
    fresh.sync()
    assert pairs(fresh) == ["b=1", "c=1"]


def test_a_store_that_is_away_loses_nothing() -> None:
    store = MemoryStore()
    jar = CookieJar(store=store)
    jar.update_cookies({"a": "1"}, URL_)
    store.away = True
    with pytest.raises(StoreUnavailableError, match="away"):
        jar.sync()
    with pytest.warns(StoreUnavailableWarning, match="away"):
        assert not jar.sync(on_error="warn")
    assert pairs(jar) == ["a=1"]
    store.away = False
    assert jar.sync()
    other = CookieJar(store=store)
    other.sync()
    assert pairs(other) == ["a=1"]


def test_a_jar_without_a_store_cannot_sync() -> None:
    with pytest.raises(ValueError, match="no store"):
        CookieJar().sync()
    assert not CookieJar().sync_due
    assert not CookieJar().has_news


def test_a_sync_is_due_when_what_was_read_is_old() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    jar = CookieJar(store=store, clock=clock)
    assert jar  # the store may have something
    assert jar.sync_due
    jar.sync()
    assert not jar.sync_due
    clock.now += 0.9
    assert not jar.sync_due
    clock.now += 0.1
    assert jar.sync_due
    jar.sync()
    clock.now -= 3_600.0  # C27
    assert jar.sync_due
    always = CookieJar(store=store, store_options=StoreOptions(max_age=0))
    always.sync()
    assert always.sync_due


def test_there_is_news_until_the_store_was_told() -> None:
    store = MemoryStore()
    jar = CookieJar(store=store)
    assert not jar.has_news
    jar.update_cookies({"a": "1"}, URL_)
    assert jar.has_news
    store.away = True
    with pytest.raises(StoreUnavailableError):
        jar.sync()
    assert jar.has_news
    assert jar.sync_due  # an error: the next request asks again
    store.away = False
    jar.sync()
    assert not jar.has_news


def test_a_store_that_may_be_away_is_asked_no_more_often() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    store.away = True
    options = StoreOptions(max_age=5.0, on_error="warn")
    jar = CookieJar(store=store, store_options=options, clock=clock)
    with pytest.warns(StoreUnavailableWarning, match="away"):
        assert not jar.sync()
    assert not jar.sync_due
    clock.now += 5.0
    assert jar.sync_due
    with pytest.raises(StoreUnavailableError):
        jar.sync(on_error="raise")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_age": -1}, "max_age"),
        ({"max_age": float("nan")}, "max_age"),
        ({"on_error": "x"}, "on_error"),
    ],
)
def test_store_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StoreOptions(**options)


class Exchangeable:
    """A store behind which another can be put."""

    def __init__(self) -> None:
        self.inside = MemoryStore()
        self.meanwhile: CookieJar | None = None

    def changes_since(self, revision: Revision | None) -> Changes:
        return self.inside.changes_since(revision)

    def apply(self, changes: Sequence[Change]) -> None:
        self.inside.apply(changes)
        if self.meanwhile is not None:
            jar, self.meanwhile = self.meanwhile, None
            jar.update_cookies({"a": "meanwhile", "c": "meanwhile"}, URL_)


def test_an_emptied_store_gets_the_jar_back() -> None:
    store = Exchangeable()
    jar = CookieJar(store=store)
    jar.update_cookies({"a": "1", "b": "1"}, URL_)
    jar.sync()
    store.inside = MemoryStore()
    other = CookieJar(store=store)
    other.update_cookies({"c": "1"}, URL_)
    other.sync()
    jar.update_cookies({"b": "2"}, URL_)
    jar.sync()
    other.sync()
    assert pairs(jar) == pairs(other) == ["a=1", "b=2", "c=1"]


def test_what_changes_during_a_sync_is_told_by_the_next() -> None:
    store = Exchangeable()
    jar = CookieJar(store=store)
    jar.update_cookies({"a": "1"}, URL_)
    store.meanwhile = jar
    jar.sync()
    assert pairs(jar) == ["a=meanwhile", "c=meanwhile"]
    other = CookieJar(store=store)
    other.sync()
    assert pairs(other) == ["a=1"]
    jar.sync()
    other.sync()
    assert pairs(other) == ["a=meanwhile", "c=meanwhile"]


def test_a_jar_that_was_away_for_long_reads_the_store_anew() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock, forget_after=10.0)
    one, two = CookieJar(store=store, clock=clock), CookieJar(store=store, clock=clock)
    one.update_cookies({"a": "1", "b": "1"}, URL_)
    one.sync()
    two.sync()
    one.clear(lambda cookie: cookie.name == "a")
    one.sync()
    clock.now += 11
    one.update_cookies({"c": "1"}, URL_)
    one.sync()  # forgets the removal
    two.update_cookies({"d": "1"}, URL_)
    two.sync()
    assert pairs(two) == ["b=1", "c=1", "d=1"]


def test_a_jar_keeps_only_what_its_own_rules_allow() -> None:
    store = MemoryStore()
    unsafe = CookieJar(store=store, unsafe=True)
    unsafe.update_cookies({"a": "1"}, "http://127.0.0.1/")
    unsafe.sync()
    hostile = Cookie(name="b", value="1", domain="co.uk", host_only=False)
    store.apply([Change(hostile.identity, hostile)])
    jar = CookieJar(store=store, limits=CookieLimits(total=2))
    jar.update_cookies({"c": "1"}, URL_)
    jar.sync()
    assert pairs(jar) == ["c=1"]
    assert len(store.changes_since(None).changes) == 3
