"""Cookies that no jar keeps: those of one request (C14, C23) and those of one response (C5)."""

from http.cookies import SimpleCookie

import pytest
from wayfare_cookies import (
    Cookie,
    CookieJar,
    CookieMap,
    CookieValue,
    LooseCookies,
    SameSite,
    request_cookies,
    response_cookies,
)

URL_ = "https://www.example.com/dir/page"
NOW = 1_800_000_000.0


def pairs(cookies: LooseCookies, url: str = URL_) -> list[str]:
    return [cookie.pair for cookie in request_cookies(cookies, url, clock=lambda: NOW).all]


def test_plain_cookies_belong_to_the_url_c23() -> None:
    given: dict[str, CookieValue] = {"b": "1", "a": "x y", "n": 5}
    for url in (URL_, "http://127.0.0.1/", "http://[::1]/", "http://localhost:1/x/y"):
        assert pairs(given, url) == ["b=1", 'a="x y"', "n=5"]
    assert pairs(given, "/no/host") == []
    plain = request_cookies({"a": "x y"}, URL_, quote_cookie=False)
    assert plain["a"].value == "x y"


def test_of_two_with_one_name_the_later_counts() -> None:
    assert pairs([("a", "1"), ("b", "2"), ("a", "3")]) == ["a=3", "b=2"]


def test_what_a_morsel_says_is_obeyed_c14() -> None:
    morsels: SimpleCookie = SimpleCookie()
    for field in (
        "a=1; Path=/dir",
        "b=1; Path=/other",
        "c=1; Domain=example.com",
        "d=1; Domain=other.example",
        "e=1; Secure",
        "f=1; Max-Age=0",
        "g=1; Max-Age=60",
    ):
        morsels.load(field)
    assert pairs(morsels) == ["a=1", "c=1", "e=1", "g=1"]
    assert pairs(morsels, "http://www.example.com/dir/") == ["a=1", "c=1", "g=1"]
    assert pairs(morsels, "https://example.com/") == ["c=1", "e=1", "g=1"]
    local = request_cookies(
        morsels, "http://localhost:80/", treat_as_secure_origin="http://localhost"
    )
    assert list(local) == ["e", "g"]


def test_a_cookie_of_a_jar_goes_to_its_host_alone_c12() -> None:
    jar = CookieJar()
    jar.update_cookies_from_headers(["a=1; Path=/", "b=2; Path=/; Domain=example.com"], URL_)
    assert pairs(jar) == ["a=1", "b=2"]
    assert pairs(jar.filter_cookies(URL_), "https://sub.www.example.com/") == ["b=2"]
    assert pairs(jar, "https://other.example/") == []


def test_what_cannot_be_sent() -> None:
    assert pairs({"a": "x" * 5_000, "b": "1"}) == ["b=1"]
    with pytest.raises(ValueError, match="no header field can carry"):
        request_cookies({"a\r\nEvil": "1"}, URL_)
    with pytest.raises(TypeError, match="not NoneType"):
        request_cookies({"a": None}, "/no/host")  # type: ignore[arg-type]  # the mistake


def said(*fields: str, url: str = URL_) -> CookieMap:
    return response_cookies(fields, url, clock=lambda: NOW)


def test_a_response_is_told_as_it_said_c5() -> None:
    found = said(
        "a=1",
        "b=2; Domain=.Example.com; Path=/x; Secure; HttpOnly; SameSite=Strict; Max-Age=60",
        "public=1; Domain=co.uk",
        "gone=; Max-Age=0",
        "bad=\0",
        "",
        "=nameless",
    )
    assert list(found) == ["a", "b", "public", "gone", ""]
    assert found["a"] == Cookie(name="a", value="1", domain="", path="", created=NOW)
    assert (found["a"]["domain"], found["a"]["path"], found["a"].key) == ("", "", "a")
    assert found["b"] == Cookie(
        name="b",
        value="2",
        domain="example.com",
        path="/x",
        host_only=False,
        secure=True,
        http_only=True,
        same_site=SameSite.STRICT,
        expires=NOW + 60,
        created=NOW,
    )
    assert found["gone"].expires == 0.0
    assert not found["a"].partitioned


def test_an_address_may_say_what_a_jar_does_not_keep() -> None:
    found = said("a=1; Secure; Partitioned", "b=1; Domain=a..b", url="http://127.0.0.1/")
    assert found["a"].partition_key == "http://127.0.0.1"
    assert found["b"].domain == "a..b"
    assert said("a=1; Partitioned", url="/no/host")["a"].partition_key is None


def test_of_a_responses_cookies_the_mapping_has_the_later() -> None:
    found = said("a=1", "b=1", "a=2", "a=3; Path=/x")
    assert [cookie.value for cookie in found.all] == ["1", "2", "3"]
    assert found["a"].value == "3"


def test_a_response_has_no_more_cookies_than_a_jar_takes_c21() -> None:
    assert len(said(*(f"n{number}=1" for number in range(60)))) == 50
    with pytest.raises(TypeError, match="put the one into a list"):
        response_cookies("a=1", URL_)


def test_what_a_response_said_can_be_given_to_a_request() -> None:
    assert pairs(said("a=1", "b=2; Domain=example.com"), "https://api.example.com/") == [
        "a=1",
        "b=2",
    ]
    assert pairs(said("a=1", "b=2; Domain=example.com"), "https://other.example/") == ["a=1"]
