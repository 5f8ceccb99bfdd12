"""One cookie, and its forms as Morsel, as cookie of `http.cookiejar`, and as JSON (C18, C24)."""

import copy
import json
import pickle
from dataclasses import replace
from http.cookiejar import Cookie as StdlibCookie
from http.cookies import CookieError as MorselError
from http.cookies import SimpleCookie
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_cookies import Cookie, CookieError, CookieFormatError, SameSite, StoreUnavailableError

PLAIN = Cookie(name="a", value="1", domain="example.com", created=5.0, last_used=5.0)
FULL = Cookie(
    name="b",
    value='"x y"',
    domain="example.com",
    path="/p",
    host_only=False,
    expires=1812536294,
    secure=True,
    http_only=True,
    same_site=SameSite.STRICT,
    partition_key="https://example.com",
    created=5.0,
    last_used=5.0,
)
NAMELESS = Cookie(name="", value="v", domain="example.com", created=5.0, last_used=5.0)


def test_a_cookie_is_a_frozen_value() -> None:
    assert copy.copy(PLAIN) == PLAIN
    assert replace(PLAIN, last_used=9.0) == PLAIN != replace(PLAIN, created=9.0)
    assert hash(PLAIN) == hash(copy.copy(PLAIN))
    assert pickle.loads(pickle.dumps(FULL)) == FULL
    with pytest.raises(AttributeError):
        PLAIN.value = "2"  # type: ignore[misc]  # the point of the test
    assert (PLAIN.persistent, FULL.persistent) == (False, True)
    assert FULL.identity == ("b", "example.com", False, "/p", "https://example.com")


def test_the_value_stays_out_of_repr_y10() -> None:
    secret = Cookie(name="sid", value="hunter2", domain="example.com", path="/p")
    assert "hunter2" not in repr(secret)
    assert repr(secret) == "<Cookie sid=… for example.com/p>"
    assert repr(FULL) == "<Cookie b=… for *.example.com/p>"


def test_a_cookie_reads_like_a_morsel() -> None:
    assert (FULL.key, FULL.coded_value, FULL.pair) == ("b", '"x y"', 'b="x y"')
    assert FULL["domain"] == "example.com"
    assert (PLAIN["domain"], PLAIN.to_morsel()["domain"]) == ("example.com", "")
    assert FULL["expires"] == "Wed, 09 Jun 2027 10:18:14 GMT"
    assert (FULL["samesite"], PLAIN["samesite"]) == ("Strict", "")
    assert FULL["httponly"] is True
    with pytest.raises(KeyError):
        PLAIN["no such attribute"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-5, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_399.9, "Mon, 28 Feb 2000 23:59:59 GMT"),
        (1e13, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ],
)
def test_expiry_dates_of_every_year_c27(seconds: float, text: str) -> None:
    assert Cookie(name="a", value="", domain="a.example", expires=seconds)["expires"] == text


def test_to_morsel_and_back() -> None:
    morsel = FULL.to_morsel()
    assert (morsel.key, morsel.value, morsel.coded_value) == ("b", "x y", '"x y"')
    assert morsel["httponly"] is True
    expected = Cookie.from_json({**FULL.to_json(), "partition_key": "x"})
    back = Cookie.from_morsel(morsel, "www.example.com", now=5.0)
    assert back == Cookie.from_json(
        {key: value for key, value in expected.to_json().items() if key != "partition_key"}
    )
    assert Cookie.from_morsel(PLAIN.to_morsel(), "example.com", now=5.0) == PLAIN


def test_from_a_morsel_with_max_age() -> None:
    morsel = SimpleCookie("a=b; Path=/x; Max-Age=60; SameSite=nonsense")["a"]
    found = Cookie.from_morsel(morsel, "example.com", now=100.0)
    assert (found.expires, found.path, found.same_site) == (160.0, "/x", SameSite.DEFAULT)


def test_a_name_that_no_morsel_has() -> None:
    with pytest.raises(MorselError):
        NAMELESS.to_morsel()


@pytest.mark.parametrize("cookie", [PLAIN, FULL, NAMELESS])
def test_to_http_cookiejar_and_back(cookie: Cookie) -> None:
    theirs = cookie.to_http_cookiejar()
    assert isinstance(theirs, StdlibCookie)
    assert Cookie.from_http_cookiejar(theirs, now=5.0) == cookie


@pytest.mark.parametrize(
    ("domain", "theirs"), [("localhost", "localhost.local"), ("::1", "[::1].local")]
)
def test_hosts_without_a_dot_in_the_other_jar(domain: str, theirs: str) -> None:
    cookie = Cookie(name="a", value="1", domain=domain, created=5.0, last_used=5.0)
    assert cookie.to_http_cookiejar().domain == theirs
    assert Cookie.from_http_cookiejar(cookie.to_http_cookiejar(), now=5.0) == cookie


@pytest.mark.parametrize("cookie", [PLAIN, FULL, NAMELESS])
def test_json_and_back_c24(cookie: Cookie) -> None:
    text = json.dumps(cookie.to_json())
    assert Cookie.from_json(json.loads(text)) == cookie


@given(
    st.builds(
        Cookie,
        name=st.text(),
        value=st.text(),
        domain=st.text(),
        path=st.text(),
        host_only=st.booleans(),
        expires=st.none() | st.floats(-1e12, 1e12) | st.integers(0, 10**12),
        secure=st.booleans(),
        http_only=st.booleans(),
        same_site=st.sampled_from(SameSite),
        partition_key=st.none() | st.text(),
        created=st.floats(0, 1e12),
    )
)
def test_any_cookie_survives_json_c24(cookie: Cookie) -> None:
    back = Cookie.from_json(json.loads(json.dumps(cookie.to_json())))
    assert back == cookie
    assert back.last_used == cookie.last_used


@pytest.mark.parametrize(
    "change",
    [
        {"name": 1},
        {"host_only": 1},
        {"host_only": "false"},
        {"created": "now"},
        {"created": True},
        {"expires": None},
        {"expires": float("nan")},
        {"expires": float("inf")},
        {"expires": 10**400},
        {"same_site": "Sometimes"},
        {"unknown": 1},
        {"secure": []},
    ],
)
def test_json_of_another_shape_is_refused_c24(change: dict[str, Any]) -> None:
    with pytest.raises(CookieFormatError):
        Cookie.from_json({**PLAIN.to_json(), **change})


@pytest.mark.parametrize("data", [None, [], "x", 1, {}, {"name": "a"}])
def test_json_that_is_no_cookie_is_refused_c24(data: object) -> None:
    with pytest.raises(CookieFormatError):
        Cookie.from_json(data)


@pytest.mark.parametrize("kind", [CookieError, CookieFormatError, StoreUnavailableError])
def test_errors_can_be_pickled(kind: type[CookieError]) -> None:
    error = pickle.loads(pickle.dumps(kind("what happened")))
    assert type(error) is kind
    assert str(error) == "what happened"
    assert isinstance(error, ValueError)
