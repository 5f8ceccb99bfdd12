"""The suites for implementers: ours pass them, and what breaks a rule does not."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from wayfare_cookies import (
    AbstractCookieJar,
    Change,
    Changes,
    CookieJar,
    CookieMap,
    LooseCookies,
    PublicSuffixList,
    Revision,
    StoreUnavailableError,
)
from wayfare_cookies.sqlite import SQLiteStore
from wayfare_cookies.testing import MemoryStore, check_jar, check_public_suffixes, check_store
from yarl import URL


class Least(AbstractCookieJar):
    """A jar by the seam's two methods."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = CookieJar()

    def filter_cookies(self, request_url: str | URL) -> CookieMap:
        return self.inside.filter_cookies(request_url)

    def update_cookies(self, cookies: LooseCookies, response_url: str | URL = "") -> None:
        self.inside.update_cookies(cookies, response_url)


class Sharing(Least):
    """Sends everything to everybody."""

    def filter_cookies(self, request_url: str | URL) -> CookieMap:
        return CookieMap(self.inside)


@pytest.mark.parametrize("factory", [CookieJar, Least])
def test_jars_pass(factory: Callable[[], AbstractCookieJar]) -> None:
    check_jar(factory)


def test_a_jar_that_shares_cookies_fails() -> None:
    with pytest.raises(AssertionError, match="sent first"):
        check_jar(Sharing)


def test_stores_pass(tmp_path: Path) -> None:
    check_store(MemoryStore)
    made: list[SQLiteStore] = []

    def sqlite() -> SQLiteStore:
        made.append(SQLiteStore(tmp_path / f"{len(made)}.sqlite"))
        return made[-1]

    check_store(sqlite)
    for store in made:
        store.close()


class LastArrival(MemoryStore):  # type: ignore[misc]  # final, but a broken variant is wanted here
    """Ignores the age of changes."""

    def apply(self, changes: Sequence[Change]) -> None:
        super().apply([Change(change.identity, change.cookie) for change in changes])


class Failing(MemoryStore):  # type: ignore[misc]  # final, but a broken variant is wanted here
    """Cannot be written to by more than the first threads."""

    calls = 0

    def apply(self, changes: Sequence[Change]) -> None:
        self.calls += 1
        if self.calls > 7:
            raise StoreUnavailableError("no more")
        super().apply(changes)

    def changes_since(self, revision: Revision | None) -> Changes:
        return super().changes_since(revision)


def test_a_store_that_breaks_a_rule_fails() -> None:
    with pytest.raises(AssertionError, match="the later change wins, also if it arrives first"):
        check_store(LastArrival)
    with pytest.raises(AssertionError, match="threads may share a store"):
        check_store(Failing)


def test_a_memory_store_can_be_away() -> None:
    store = MemoryStore()
    store.away = True
    with pytest.raises(StoreUnavailableError, match="away"):
        store.changes_since(None)
    with pytest.raises(StoreUnavailableError, match="away"):
        store.apply([])


class Backwards:
    """Takes the first label for the suffix."""

    def public_suffix(self, domain: str) -> str:
        return domain.partition(".")[0]


def test_suffix_lists() -> None:
    check_public_suffixes(PublicSuffixList)
    with pytest.raises(AssertionError, match="ends"):
        check_public_suffixes(Backwards)
