"""Cookies that callers give to a session and to a request, and where each may go."""

from http.cookies import SimpleCookie
from typing import Any

import pytest
import wayfare
import wayfare.abc
import wayfare.cookiejar
from wayfare._cookies import merge_pairs, read_cookie_field
from wayfare_cookies import (
    CookieJar,
)

from .cookie_web import SUB, A, B, Web, sent, to


async def test_the_cookies_of_a_request_are_merged_over_the_jars_and_not_stored_r17(
    web: Web,
) -> None:
    async with web.session() as session:
        await sent(session, A + "?set=a=1&set=b=2&set=a=3;Path=/deep")
        assert await sent(session, A + "deep", cookies={"a": "x y"}) == 'a="x y"; b=2'
        assert await sent(session, A + "deep") == "a=3; a=1; b=2"
        assert await sent(session, A, cookies=[("c", "1"), ("c", "2")]) == "c=2; a=1; b=2"
        assert await sent(session, A, cookies={}) == "a=1; b=2"


async def test_cookies_of_a_request_follow_redirects_within_their_origin_d5(web: Web) -> None:
    async with web.session() as session:
        assert await sent(session, A + to("/next"), cookies={"a": "1"}) == "a=1"
        # What the server sets on the way has another name, and joins them.
        assert await sent(session, A + to("/next", "b=2"), cookies={"a": "1"}) == "a=1; b=2"


@pytest.mark.parametrize("there", [B, SUB, "http://a.example:8080/"])
@pytest.mark.parametrize(
    "options",
    [
        {"cookies": {"mine": "1"}},
        {"headers": {"Cookie": "mine=1"}},
        {"headers": [("cookie", "mine=1"), ("COOKIE", "other=1")]},
    ],
)
async def test_they_go_to_no_other_origin_and_do_not_come_back_d5_d6(
    web: Web, there: str, options: dict[str, Any]
) -> None:
    async with web.session() as session:
        assert await sent(session, A + to(there + to(A + "end")), **options) == ""
        first, *others = web.fields()
        assert first is not None
        assert first.startswith("mine=1")
        assert others == [None, None]


async def test_a_redirect_policy_that_keeps_credentials_keeps_cookies(web: Web) -> None:
    class Keeping(wayfare.RedirectPolicy):
        def keeps_credentials(self, step: wayfare.RedirectStep) -> bool:
            return True

    async with web.session(redirect_policy=Keeping()) as session:
        assert await sent(session, A + to(B), cookies={"a": "1"}) == "a=1"


async def test_the_cookies_of_a_session_go_where_a_caller_sends_them_c23(web: Web) -> None:
    async with web.session(cookies={"s": "1"}) as session:
        assert await sent(session, A) == await sent(session, B) == "s=1"
        assert await sent(session, A + to("/next")) == "s=1"
        assert await sent(session, A + to(B)) == ""
        assert len(session.cookie_jar) == 0


async def test_with_a_base_url_they_go_to_its_origin_c23(web: Web) -> None:
    async with web.session(A + "v1/", cookies={"s": "1"}) as session:
        assert await sent(session, "x") == await sent(session, "/y") == "s=1"
        assert await sent(session, B) == await sent(session, "http://a.example:8080/") == ""
        assert await sent(session, SUB, cookies={"r": "1"}) == "r=1"


async def test_what_servers_set_wins_over_the_sessions_and_the_requests_over_both(
    web: Web,
) -> None:
    async with web.session(
        cookies={"a": "session", "s": "session"}, headers={"Cookie": "h=field; a=field"}
    ) as session:
        assert await sent(session, A) == "a=session; s=session; h=field"
        await sent(session, A + "?set=a=jar&set=h=jar")
        assert await sent(session, A) == "a=jar; h=jar; s=session"
        field = {"Cookie": "a=written; q=1"}
        assert await sent(session, A, headers=field) == "a=written; q=1; h=jar; s=session"
        both = await sent(session, A, headers=field, cookies={"a": "request"})
        assert both == "a=request; q=1; h=jar; s=session"


async def test_a_cookie_field_that_a_session_gets_later_is_the_sessions(web: Web) -> None:
    async with web.session(cookies={"s": "session"}) as session:
        assert await sent(session, A) == "s=session"
        session.headers["Cookie"] = "h=field; s=field"
        assert await sent(session, A) == "s=session; h=field"
        await sent(session, A + "?set=h=jar")
        assert await sent(session, A) == "h=jar; s=session"
        session.headers["Cookie"] = "h=other; i=other"
        assert await sent(session, A) == "h=jar; s=session; i=other"
        assert await sent(session, A, headers={"Cookie": "h=own"}) == "h=own; s=session"
        del session.headers["Cookie"]
        assert await sent(session, A) == "h=jar; s=session"


async def test_several_fields_of_a_caller_become_one_r17(web: Web) -> None:
    async with web.session() as session:
        fields = [("Cookie", "a=1; b=2;"), ("cookie", ' c="x y" ;d ; =e')]
        assert await sent(session, A, headers=fields) == 'a=1; b=2; c="x y"; d; =e'
        assert await sent(session, A, headers={"Cookie": "only"}) == "only"


async def test_morsels_go_where_they_may_c14(web: Web) -> None:
    cookies: SimpleCookie = SimpleCookie()
    for field in (
        "p=1; Path=/deep",
        "s=1; Secure",
        "d=1; Domain=a.example",
        "x=1; Domain=b.example",
    ):
        cookies.load(field)
    async with web.session(cookies=cookies) as session:
        assert await sent(session, A) == "d=1"
        assert await sent(session, A + "deep") == "p=1; d=1"
        assert await sent(session, SUB) == "d=1"
        assert await sent(session, B + "deep", cookies=cookies) == "p=1; x=1"
    local = CookieJar(treat_as_secure_origin=A)
    async with web.session(cookie_jar=local) as session:
        assert await sent(session, A, cookies=cookies) == "s=1; d=1"


async def test_names_with_a_prefix_need_a_secure_connection_c16(web: Web) -> None:
    async with web.session(cookies={"__Host-a": "1", "b": "1"}) as session:
        assert await sent(session, A) == "b=1"


async def test_what_a_response_set_may_be_given_to_a_request(web: Web) -> None:
    async with web.session() as session:
        async with session.get(A + "?set=a=1&set=b=2;Domain=a.example") as response:
            cookies = response.cookies
        assert await sent(session, B, cookies=cookies) == "a=1"
        assert await sent(session, SUB, cookies=session.cookie_jar) == "b=2"


async def test_the_jar_decides_about_quotes(web: Web) -> None:
    async with web.session(
        cookie_jar=CookieJar(quote_cookie=False), cookies={"a": "x y"}
    ) as session:
        assert await sent(session, A, cookies={"b": "x y"}) == "b=x y; a=x y"


async def test_what_cannot_be_sent_is_refused_where_it_is_given(web: Web) -> None:
    with pytest.raises(ValueError, match="no header field can carry"):
        wayfare.ClientSession(cookies={"a\r\nEvil": "1"})
    with pytest.raises(TypeError, match="cookie_jar must be an AbstractCookieJar, not dict"):
        wayfare.ClientSession(cookie_jar={})  # type: ignore[arg-type]  # the mistake
    async with web.session() as session:
        with pytest.raises(ValueError, match="no header field can carry"):
            await session.get(A, cookies={"a;b": "1"})
        with pytest.raises(TypeError, match="not NoneType"):
            await session.get(A, cookies={"a": None})  # type: ignore[arg-type]  # the mistake
        assert session.connector.stats().leased == 0
    assert web.server.requests == []


def test_a_groups_names_hide_those_of_weaker_groups() -> None:
    groups = [[("a", "a=1"), ("a", "a=2")], [("a", "a=3"), ("b", "b=1"), ("", "x")], [("", "y")]]
    assert merge_pairs(groups) == "a=1; a=2; b=1; x"
    assert merge_pairs([[], []]) is None


def test_a_written_field_is_read_by_name_and_kept_as_it_is() -> None:
    assert read_cookie_field(["a = 1;;b=2; ", "\tc"]) == [("a", "a = 1"), ("b", "b=2"), ("", "c")]
