"""Cookies of a session: what servers set, where the jar sends it, and what a response tells of it."""

import subprocess
import sys
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

import pytest
import wayfare
import wayfare.abc
import wayfare.cookiejar
from wayfare_cookies import (
    AbstractCookieJar,
    Cookie,
    CookieJar,
    CookieMap,
    LooseCookies,
)
from yarl import URL

from .cookie_web import A, B, Web, sent, to


async def test_what_a_server_sets_is_sent_back(web: Web) -> None:
    async with web.session() as session:
        assert await sent(session, A + "?set=a=1&set=b=2") == ""
        assert await sent(session, A) == "a=1; b=2"
        assert await sent(session, B) == ""
        assert await sent(session, A + "?set=a=;Max-Age=0") == "a=1; b=2"
        assert await sent(session, A) == "b=2"
        assert {cookie.name for cookie in session.cookie_jar} == {"b"}


@pytest.mark.parametrize("status", [200, 204, 401, 404, 417, 500])
async def test_every_final_status_may_set_cookies_c20(web: Web, status: int) -> None:
    async with web.session() as session:
        async with session.get(A + f"?set=a=1&status={status}") as response:
            assert response.status == status
        assert await sent(session, A) == "a=1"


async def test_an_error_status_that_raises_has_set_its_cookies_c20(web: Web) -> None:
    async with web.session(raise_for_status=True) as session:
        with pytest.raises(wayfare.ClientResponseError):
            await session.get(A + "?set=a=1&status=403")
        assert await sent(session, A) == "a=1"


async def test_an_informational_response_sets_none_c20(web: Web) -> None:
    async with web.session() as session:
        await sent(session, A + "?hint&set=b=2")
        assert [cookie.pair for cookie in session.cookie_jar] == ["b=2"]


async def test_cookies_are_stored_at_every_hop_before_the_next_d15(web: Web) -> None:
    async with web.session() as session:
        second = B + to(A + "end", "b=2", "gone=1;Domain=a.example")
        assert await sent(session, A + to(second, "a=1;Path=/")) == "a=1"
        assert web.fields() == [None, None, "a=1"]
        assert {(one.name, one.domain) for one in session.cookie_jar} == {
            ("a", "a.example"),
            ("b", "b.example"),
        }


async def test_the_host_of_the_url_decides_not_the_host_field_c25(web: Web) -> None:
    async with web.session() as session:
        await sent(session, A + "?set=a=1", headers={"Host": "b.example"})
        assert await sent(session, B) == ""
        assert await sent(session, A, headers={"Host": "b.example"}) == "a=1"


async def test_addresses_have_no_cookies_unless_asked_c9(web: Web) -> None:
    url = "http://127.0.0.1/"
    async with web.session() as session:
        async with session.get(url + "?set=a=1") as response:
            assert response.cookies["a"].value == "1"
        assert await sent(session, url) == ""
    async with web.session(cookie_jar=CookieJar(unsafe=True)) as session:
        await sent(session, url + "?set=a=1")
        assert await sent(session, url) == "a=1"


async def test_octets_go_back_as_they_came(web: Web) -> None:
    async with web.session() as session:
        await sent(session, A + '?set=a="x y"&set=b=%E9&set=c=%C3%A9')
        async with session.get(A) as response:
            assert await response.read() == b'a="x y"; b=\xe9; c=\xc3\xa9'


async def test_a_dummy_keeps_nothing_and_sends_what_is_given(web: Web) -> None:
    async with web.session(cookie_jar=wayfare.DummyCookieJar(), cookies={"s": "1"}) as session:
        assert await sent(session, A + "?set=a=1", cookies={"r": "1"}) == "r=1; s=1"
        assert await sent(session, A) == "s=1"


async def test_a_jar_may_be_shared_by_sessions(web: Web) -> None:
    jar = CookieJar()
    async with web.session(cookie_jar=jar) as one:
        assert one.cookie_jar is jar
        await sent(one, A + "?set=a=1")
    async with web.session(cookie_jar=jar) as two:
        assert await sent(two, A) == "a=1"


class OwnJar(AbstractCookieJar):
    """A jar of one's own: two methods."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[tuple[str, str]] = []

    def filter_cookies(self, request_url: str | URL) -> Mapping[str, Any]:
        return SimpleCookie("m=1; n=2")

    def update_cookies(self, cookies: LooseCookies, response_url: str | URL = "") -> None:
        for cookie in CookieMap(dict(cookies).values()).all:  # type: ignore[arg-type]  # pairs of name and Cookie
            if cookie.name == "bad":
                raise LookupError("the jar is broken")
            self.stored.append((cookie.name, str(response_url)))


async def test_a_jar_of_ones_own_needs_two_methods(web: Web) -> None:
    jar = OwnJar()
    async with web.session(cookie_jar=jar) as session:
        assert await sent(session, A + "?set=a=1") == "m=1; n=2"
        assert await sent(session, A, cookies={"n": "3"}) == "n=3; m=1"
        assert jar.stored == [("a", A + "?set=a=1")]


async def test_a_jar_that_fails_leaks_no_connection(web: Web) -> None:
    async with web.session(cookie_jar=OwnJar()) as session:
        for middlewares in ((), (passing,)):
            with pytest.raises(LookupError, match="the jar is broken"):
                await session.get(A + "?set=bad=1", middlewares=middlewares)
            assert session.connector.stats().leased == 0
        assert await sent(session, A) == "m=1; n=2"


async def passing(request: wayfare.ClientRequest, handler: Any) -> wayfare.ClientResponse:
    response = await handler(request)
    assert isinstance(response, wayfare.ClientResponse)
    return response


async def test_a_middleware_sees_the_field_and_its_side_requests_set_cookies(web: Web) -> None:
    seen: list[str | None] = []

    async def twice(request: wayfare.ClientRequest, handler: Any) -> Any:
        seen.append(request.headers.get("Cookie"))
        await handler(request)
        request.headers["Cookie"] = "mine=1"
        return await handler(request)

    async with web.session(middlewares=[twice]) as session:
        assert await sent(session, A + "?set=a=1;Path=/") == "mine=1"
        assert await sent(session, A + to(A)) == "mine=1"
    assert seen == [None, "a=1", "a=1"]
    assert web.fields()[0::2] == [None, "a=1", "a=1"]


async def test_a_response_tells_its_own_cookies(web: Web) -> None:
    async with web.session() as session:
        async with session.get(A + to("/end?set=c=3", "a=1")) as response:
            assert list(response.cookies) == ["c"]
            assert response.cookies is response.cookies
            [first] = response.history
            assert first.cookies["a"].value == "1"
        async with session.get(A + "?set=public=1;Domain=com&set=c=;Max-Age=0") as response:
            assert list(response.cookies) == ["public", "c"]
            assert response.cookies["c"].expires == 0.0
        async with session.get(B) as response:
            assert response.cookies == {}


async def test_whoever_makes_a_response_up_sets_its_cookies(web: Web) -> None:
    async with web.session() as session, session.get(A) as response:
        response.cookies = SimpleCookie("a=1")
        assert response.cookies["a"].value == "1"
        response.cookies = {"b": Cookie(name="b", value="2", domain="")}
        assert response.cookies.all[0].pair == "b=2"
        mine = CookieMap([Cookie(name="b", value=value, domain="") for value in "12"])
        response.cookies = mine
        assert response.cookies.all == mine.all


# -- what it costs ----------------------------------------------------------------------------------------------------


async def test_a_field_that_stays_the_same_is_encoded_once(web: Web) -> None:
    blocks = []
    async with web.session() as session:
        await sent(session, A + "?set=a=1")
        cookies = session._pipeline.cookies
        for _ in range(2):
            request = session._pipeline.builder.request(session, "GET", A, {})
            blocks.append(cookies.dressed(request).head().fields)
    assert blocks[0] is blocks[1]


def test_the_names_are_where_applications_look_for_them() -> None:
    assert wayfare.abc.AbstractCookieJar is AbstractCookieJar
    assert wayfare.cookiejar.CookieJar is wayfare.CookieJar is CookieJar
    assert wayfare.abc.AbstractResolver.__name__ == "AbstractResolver"


def test_a_session_without_cookies_needs_no_jar() -> None:
    program = (
        "import sys, wayfare; session = wayfare.ClientSession(); wayfare.ClientTimeout();"
        "print('wayfare_cookies' in sys.modules); session.cookie_jar; print('wayfare_cookies' in sys.modules);"
        "import wayfare.abc, wayfare.cookiejar;"
        "print(isinstance(session.cookie_jar, wayfare.abc.AbstractCookieJar),"
        " wayfare.cookiejar.CookieJar is wayfare.CookieJar)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True", "True", "True"]
