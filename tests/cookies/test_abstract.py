"""The jar seam: what a jar of one's own must write, and what it gets for it."""

from collections.abc import Iterator, Mapping
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from wayfare_cookies import (
    AbstractCookieJar,
    Cookie,
    CookieJar,
    CookieMap,
    DummyCookieJar,
    LooseCookies,
)
from yarl import URL

URL_ = "https://www.example.com/dir/page"


class Least(AbstractCookieJar):
    """Only what must be written: it leaves the rules to a jar inside."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = CookieJar()

    def filter_cookies(self, request_url: str | URL) -> Mapping[str, Cookie | Morsel[Any]]:
        return self.inside.filter_cookies(request_url)

    def update_cookies(self, cookies: LooseCookies, response_url: str | URL = "") -> None:
        self.inside.update_cookies(cookies, response_url)


class Listing(Least):
    """With iteration, which brings len and clear."""

    def __iter__(self) -> Iterator[Cookie]:
        return iter(self.inside)


class Morsels(Least):
    """Answers with Morsels, as jars written for other clients do."""

    def filter_cookies(self, request_url: str | URL) -> Mapping[str, Cookie | Morsel[Any]]:
        return SimpleCookie('a=1; b="x y"')


def test_two_methods_are_enough() -> None:
    jar = Least()
    assert jar  # it does not know that it is empty
    assert jar.cookie_header(URL_) is None
    jar.update_cookies_from_headers(
        ["a=1", "=nameless", "a=root; Path=/", "bad=\0", "c=1; Domain=com"], URL_
    )
    assert jar.cookie_header(URL_) == "a=1; nameless; a=root"
    jar.update_cookies_from_headers(["a=; Max-Age=0"], URL_)
    assert jar.cookie_header(URL_) == "nameless; a=root"
    jar.update_cookies_from_headers(["a=1"], "/no/host")
    jar.update_cookies_from_headers(["bad=\0"], URL_)
    with pytest.raises(TypeError, match="Least cannot list its cookies"):
        len(jar)


def test_iteration_brings_len_and_clear() -> None:
    jar = Listing()
    for host in ("example.com", "a.example.com", "other.example"):
        jar.update_cookies({"a": "1", "b": "1"}, f"https://{host}/")
    assert len(jar) == 6
    jar.clear(lambda cookie: cookie.name == "b")
    assert len(jar) == 3
    jar.clear_domain("example.com")
    assert [cookie.domain for cookie in jar] == ["other.example"]
    jar.clear()
    assert len(jar) == 0


def test_what_other_clients_ask_a_jar_for() -> None:
    jar = Listing()
    assert (jar.unsafe, jar.quote_cookie, jar.treat_as_secure_origin) == (False, True, frozenset())
    assert (jar.sync_due, jar.has_news, jar.sync()) == (False, False, True)
    jar.update_cookies({"a": "1"}, URL_)
    assert list(jar.cookies) == [("www.example.com", "/dir")]
    assert jar.host_only_cookies == {("www.example.com", "/dir", "a")}


class Pairs(Least):
    """Takes pairs alone, as jars written for other clients do."""

    def update_cookies(self, cookies: LooseCookies, response_url: str | URL = "") -> None:
        for name, cookie in cookies:  # type: ignore[misc, str-unpack]  # what it is about
            super().update_cookies({name: cookie}, response_url)


def test_a_jar_that_takes_pairs_gets_pairs() -> None:
    jar = Pairs()
    jar.update_cookies_from_headers(["a=1; Path=/", "b=2"], URL_)
    assert jar.cookie_header(URL_) == "b=2; a=1"


def test_one_value_is_not_several() -> None:
    for jar in (Least(), CookieJar()):
        for value in ("a=1", b"a=1"):
            with pytest.raises(TypeError, match="put the one into a list"):
                jar.update_cookies_from_headers(value, URL_)  # type: ignore[arg-type]  # the mistake


def test_a_jar_may_answer_with_morsels() -> None:
    assert Morsels().cookie_header(URL_) == 'a=1; b="x y"'


def test_a_dummy_keeps_nothing() -> None:
    jar = DummyCookieJar()
    jar.update_cookies({"a": "1"}, URL_)
    jar.update_cookies_from_headers(["a=1"], URL_)
    jar.clear()
    jar.clear_domain("example.com")
    assert not jar
    assert len(jar) == 0
    assert list(jar) == []
    assert jar.filter_cookies(URL_) == CookieMap()
    assert jar.cookie_header(URL_) is None
    with pytest.warns(DeprecationWarning, match="event loop"):
        DummyCookieJar(loop=object())
