"""Cookies of a session: what servers set, what callers give, and where each may go."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote_plus

import pytest
import wayfare
import wayfare.abc
import wayfare.cookiejar
from wayfare._cookies import SessionCookies, merge_pairs, read_cookie_field
from wayfare_connector.testing import MemoryDialer
from wayfare_cookies import (
    AbstractCookieJar,
    Change,
    Changes,
    Cookie,
    CookieJar,
    CookieMap,
    LooseCookies,
    Revision,
    StoreOptions,
    StoreUnavailableError,
    StoreUnavailableWarning,
)
from wayfare_cookies.testing import MemoryStore
from wayfare_http_core.testing import MemoryNetwork, Reply, ScriptedServer, Serve
from wayfare_http_core.testing import ReceivedRequest as Received
from yarl import URL

A, B, SUB = "http://a.example/", "http://b.example/", "http://sub.a.example/"
HOSTS = ("a.example", "b.example", "sub.a.example", "127.0.0.1")


def reply(request: Received) -> Any:
    """Set what the query says (`set=…`), lead where it says (`to=…`), answer with the Cookie field."""
    said = [part.partition("=") for part in request.query.split("&")]
    fields = [
        ("Set-Cookie", unquote_plus(value, errors="surrogateescape"))
        for name, _, value in said
        if name == "set"
    ]
    status = 200
    for name, _, value in said:
        if name == "to":
            fields.append(("Location", unquote_plus(value)))
            status = 302
        elif name == "status":
            status = int(value)
    content = "; ".join(request.getall("Cookie")).encode("latin-1")
    final = Reply(content, status, fields=fields)
    if any(name == "hint" for name, *_ in said):
        return [Reply(status=103, fields=[("Set-Cookie", "early=1")]), final]
    return final


def to(url: str, *fields: str) -> str:
    """The query that leads on, and sets cookies before."""
    return f"?to={URL.build(path=url).raw_path.replace('?', '%3F').replace('&', '%26')}" + "".join(
        f"&set={field}" for field in fields
    )


class Web:
    """Some hosts on one network in memory, and sessions that reach them."""

    def __init__(self) -> None:
        self.server = ScriptedServer([Serve(reply)])
        self.network = MemoryNetwork()
        for host in HOSTS:
            self.network.serve(host, 80, self.server)
        self.network.serve("a.example", 8080, self.server)

    @asynccontextmanager
    async def session(
        self, base_url: str | None = None, **options: Any
    ) -> AsyncIterator[wayfare.ClientSession]:
        connector = wayfare.TCPConnector(dialer=MemoryDialer(self.network))
        async with wayfare.ClientSession(base_url, connector=connector, **options) as session:
            yield session
        assert self.server.errors == ()

    def fields(self) -> list[str | None]:
        """The Cookie field of each request so far; more than one is an error."""
        return [request.get("Cookie") for request in self.server.requests]


@pytest.fixture
def web() -> Web:
    return Web()


async def sent(session: wayfare.ClientSession, url: str, **options: Any) -> str:
    """What a request to an URL has for cookies, where it ends."""
    async with session.get(url, **options) as response:
        return await response.text()


# -- the jar ----------------------------------------------------------------------------------------------------------


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


# -- what callers give ------------------------------------------------------------------------------------------------


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


# -- what a response set ----------------------------------------------------------------------------------------------


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


# -- stores -----------------------------------------------------------------------------------------------------------


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
        assert self.gate.wait(10)
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
        await asyncio.wait_for(store.told.wait(), 10)
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
    await asyncio.wait_for(store.told.wait(), 10)
    store.told.clear()
    jar.update_cookies({"b": "1"}, A)
    store.gate.set()
    await telling
    await asyncio.wait_for(store.told.wait(), 10)
    await cookies.close()
    assert not jar.has_news


async def test_an_end_waits_for_what_is_being_told() -> None:
    store = Counting()
    jar = CookieJar(store=store)
    cookies = SessionCookies(jar)
    jar.update_cookies({"a": "1"}, A)
    store.gate.clear()
    telling = asyncio.ensure_future(cookies.refresh())
    await asyncio.wait_for(store.told.wait(), 10)
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
