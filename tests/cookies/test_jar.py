"""The jar as a client uses it (C12, C14, C15, C18 to C25, C27)."""

import threading
from collections.abc import Callable
from http.cookies import Morsel, SimpleCookie

import pytest
from wayfare_cookies import (
    Cookie,
    CookieJar,
    CookieLimits,
    CookieMap,
    CookieValue,
    Rule,
    SameSite,
    SiteContext,
)
from yarl import URL

URL_ = URL("https://www.example.com/dir/page")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jar(clock: Clock) -> CookieJar:
    return CookieJar(clock=clock)


def pairs(jar: CookieJar, url: str | URL = URL_, **keywords: object) -> list[str]:
    return [cookie.pair for cookie in jar.filter_cookies(url, **keywords).all]  # type: ignore[arg-type]  # only context=


def test_what_is_set_is_sent(jar: CookieJar) -> None:
    jar.update_cookies_from_headers(["a=1", 'b="x y"; Path=/', "c=3; Domain=example.com"], URL_)
    assert jar.cookie_header(URL_) == 'a=1; c=3; b="x y"'
    assert jar.cookie_header("https://example.com/dir/") == "c=3"
    assert jar.cookie_header("https://other.example/") is None
    found = jar.filter_cookies(str(URL_))
    assert isinstance(found, CookieMap)
    assert list(found) == ["a", "c", "b"]
    assert (found["b"].key, found["b"].value, found["b"]["path"]) == ("b", '"x y"', "/")
    assert repr(found).startswith("<CookieMap [<Cookie a=…")
    assert "nothing" not in found


def test_two_cookies_of_one_name_are_both_sent_c19(jar: CookieJar) -> None:
    jar.update_cookies_from_headers(["a=root; Path=/", "a=dir", "a=any; Domain=example.com"], URL_)
    assert jar.cookie_header(URL_) == "a=dir; a=any; a=root"
    found = jar.filter_cookies(URL_)
    assert (len(found), found["a"].value, len(found.all)) == (1, "dir", 3)


def test_sending_order_is_path_length_then_creation_c19(jar: CookieJar, clock: Clock) -> None:
    jar.update_cookies_from_headers(["b=1; Path=/", "a=1; Path=/", "z=1; Path=/dir/page"], URL_)
    clock.now -= 10  # C27: a cookie created before the others, by the clock
    jar.update_cookies_from_headers(["c=1; Path=/"], URL_)
    clock.now += 20
    jar.update_cookies_from_headers(["b=2; Path=/"], URL_)  # keeps its place
    assert jar.cookie_header(URL_) == "z=1; c=1; b=2; a=1"


def test_an_empty_jar_is_false(jar: CookieJar) -> None:
    assert not jar
    assert len(jar) == 0
    assert jar.cookie_header("not an URL at all : /") is None
    jar.update_cookies({"a": "1"}, URL_)
    assert jar
    assert jar.cookie_header("/no/host") is None
    assert not jar.filter_cookies(URL())


def test_host_only_cookies_stay_with_their_host_c12(jar: CookieJar, clock: Clock) -> None:
    """Also when the sibling that is shared expires."""
    jar.update_cookies_from_headers(["a=host", "a=shared; Domain=example.com; Max-Age=5"], URL_)
    assert pairs(jar, "https://sub.www.example.com/dir/") == ["a=shared"]
    assert pairs(jar, "https://api.example.com/dir/") == ["a=shared"]
    clock.now += 6
    assert pairs(jar, "https://api.example.com/dir/") == []
    assert pairs(jar) == ["a=host"]
    assert jar.host_only_cookies == {("www.example.com", "/dir", "a")}


def test_a_replacement_without_expiry_clears_the_old_one_c18(jar: CookieJar, clock: Clock) -> None:
    jar.update_cookies_from_headers(["a=1; Max-Age=5"], URL_)
    (before,) = jar
    clock.now += 1
    jar.update_cookies_from_headers(["a=2"], URL_)
    clock.now += 100
    (after,) = jar
    assert (after.value, after.expires, after.created) == ("2", None, before.created)


@pytest.mark.parametrize("ending", ["Max-Age=0", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_an_expired_cookie_removes_the_stored_one_c7(jar: CookieJar, ending: str) -> None:
    jar.update_cookies_from_headers(["a=1", "b=1"], URL_)
    jar.update_cookies_from_headers([f"a=; {ending}", f"c=1; {ending}"], URL_)
    assert pairs(jar) == ["b=1"]


def test_expired_cookies_are_gone_c22(jar: CookieJar, clock: Clock) -> None:
    jar.update_cookies_from_headers(["a=1; Max-Age=10", "b=1"], URL_)
    clock.now += 9.5
    assert pairs(jar) == ["a=1", "b=1"]
    clock.now += 0.5
    assert len(jar) == 1
    assert [cookie.name for cookie in jar] == ["b"]
    clock.now -= 5  # C27: what expired stays gone
    assert pairs(jar) == ["b=1"]


def test_expiry_in_the_far_future_is_cut_and_does_not_crash_c27(
    jar: CookieJar, clock: Clock
) -> None:
    jar.update_cookies_from_headers(
        ["a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", "b=1; Max-Age=" + "9" * 30], URL_
    )
    clock.now += 400 * 86_400 - 1
    assert len(jar) == 2
    clock.now += 1
    assert len(jar) == 0


def test_secure_cookies_are_not_hidden_by_insecure_ones_c15(jar: CookieJar) -> None:
    jar.update_cookies_from_headers(["sid=good; Secure; Path=/login; Domain=example.com"], URL_)
    for url, field in (
        ("http://www.example.com/login", "sid=evil; Path=/login"),
        ("http://www.example.com/login", "sid=evil; Path=/login/x"),
        ("http://example.com/login", "sid=evil; Path=/login"),
        ("http://a.b.example.com/", "sid=evil; Domain=b.example.com; Path=/login"),
    ):
        jar.update_cookies_from_headers([field], url)
        assert jar.explain(field, url).rule is Rule.SECURE_OVERLAY
        assert [cookie.value for cookie in jar] == ["good"]
    jar.update_cookies_from_headers(["other=1; Secure; Path=/y"], "https://deep.www.example.com/")
    field = "other=evil; Path=/login"
    assert jar.explain("other=evil; Path=/x", "http://www.example.com/").rule is Rule.STORED
    assert jar.explain("other=evil; Path=/", "http://www.example.com/").rule is Rule.STORED
    jar.update_cookies_from_headers(["other=1; Secure; Path=/login"], "https://d.www.example.com/")
    assert jar.explain(field, "http://www.example.com/").rule is Rule.SECURE_OVERLAY
    assert jar.explain("sid=evil; Path=/", "http://www.example.com/").rule is Rule.STORED
    assert jar.explain("sid=evil; Path=/login", "http://other.com/").rule is Rule.STORED


def test_deleting_a_secure_cookie_from_http_is_refused_c15(jar: CookieJar) -> None:
    jar.update_cookies_from_headers(["sid=good; Secure; Path=/"], URL_)
    jar.update_cookies_from_headers(["sid=; Max-Age=0; Path=/"], "http://www.example.com/")
    assert pairs(jar) == ["sid=good"]


def test_secure_applies_to_supplied_cookies_c14(jar: CookieJar) -> None:
    morsel = SimpleCookie("a=1; Secure")["a"]
    jar.update_cookies({"a": morsel}, "http://www.example.com/")
    assert len(jar) == 0
    jar.update_cookies({"a": morsel}, "https://www.example.com/")
    assert pairs(jar, "http://www.example.com/") == []
    assert pairs(jar, "wss://www.example.com/") == ["a=1"]


def test_localhost_is_secure_only_by_option_c14() -> None:
    plain = CookieJar()
    plain.update_cookies_from_headers(["a=1; Secure"], "http://localhost:8080/")
    assert len(plain) == 0
    jar = CookieJar(treat_as_secure_origin="http://localhost:8080")
    jar.update_cookies_from_headers(["a=1; Secure"], "http://localhost:8080/")
    assert pairs(jar, "http://localhost:8080/x") == ["a=1"]
    assert pairs(jar, "http://localhost:8081/x") == []
    assert jar.treat_as_secure_origin == {URL("http://localhost:8080")}


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "127.1"])
def test_addresses_need_an_unsafe_jar_c9(host: str) -> None:
    url = f"http://{host}:8080/"
    plain = CookieJar()
    plain.update_cookies({"a": "1"}, url)
    plain.update_cookies_from_headers(["a=1"], url)
    assert len(plain) == 0
    assert plain.explain("a=1", url).rule is Rule.IP_ADDRESS
    jar = CookieJar(unsafe=True)
    jar.update_cookies({"a": "1"}, url)
    jar.update_cookies_from_headers(["b=1"], url)
    assert jar.unsafe
    assert pairs(jar, url) == ["a=1", "b=1"]
    assert pairs(jar, f"http://{host}/") == ["a=1", "b=1"]


def test_an_address_shares_nothing_with_other_names_c9() -> None:
    """Also not where a store or a file brought a cookie of a domain that looks like its end."""
    jar = CookieJar(unsafe=True)
    jar.update_cookies_from_headers(["a=1"], "http://0.0.1/")
    assert pairs(jar, "http://127.0.0.1/") == []
    assert jar.explain("a=2", "http://127.0.0.1/").rule is Rule.STORED


def test_loop_is_taken_and_means_nothing() -> None:
    with pytest.warns(DeprecationWarning, match="event loop"):
        CookieJar(loop=object())


def test_supplied_cookies_are_scoped_to_their_url_c23(jar: CookieJar) -> None:
    mixed: dict[str, CookieValue] = {"a": "1", "n": 5}
    jar.update_cookies(mixed, URL_)
    jar.update_cookies([("b", "2")], URL_)
    assert jar.cookie_header(URL_) == "a=1; n=5; b=2"
    for url in ("https://example.com/dir/", "https://www.example.com/", "https://other.example/"):
        assert jar.cookie_header(url) is None


def test_nothing_is_shared_with_all_hosts_c23(jar: CookieJar) -> None:
    mixed: dict[str, CookieValue] = {"ok": SimpleCookie("ok=1; Domain=example.com")["ok"], "a": "1"}
    with pytest.raises(ValueError, match="response_url or a domain"):
        jar.update_cookies(mixed)
    assert len(jar) == 0
    with pytest.raises(ValueError, match="response_url or a domain"):
        jar.update_cookies({"a": "1"}, "/relative")


def test_cookies_that_name_a_domain_need_no_url(jar: CookieJar) -> None:
    jar.update_cookies(SimpleCookie("a=1; Domain=.example.com; Path=/x; Secure"))
    jar.update_cookies([Cookie(name="b", value="2", domain="www.example.com", path="/x%20y")])
    jar.update_cookies({"ignored": Cookie(name="c", value="3", domain="other.example")})
    assert jar.cookie_header("https://www.example.com/x/y") == "a=1"
    assert jar.cookie_header("http://www.example.com/x%20y/z") == "b=2"
    assert jar.cookie_header("http://other.example/") == "c=3"
    unsafe = CookieJar(unsafe=True)
    unsafe.update_cookies([Cookie(name="d", value="4", domain="::1")])
    assert unsafe.cookie_header("http://[::1]/") == "d=4"


def test_a_whole_jar_can_be_poured_into_another(jar: CookieJar, clock: Clock) -> None:
    fields = ["a=1; Secure; Path=/; SameSite=Strict; HttpOnly; Max-Age=60", "a=2", "=nameless"]
    jar.update_cookies_from_headers(fields, URL_)
    context = SiteContext(page="https://shop.example/")
    field = "p=1; Secure; SameSite=None; Partitioned"
    jar.update_cookies_from_headers([field], URL_, context=context)
    other = CookieJar(clock=clock)
    other.update_cookies(jar)
    assert list(other) == list(jar)
    with_values = CookieJar(clock=clock)
    with_values.update_cookies(
        dict.fromkeys(["any key"], next(cookie for cookie in jar if cookie.partitioned))
    )
    assert with_values.cookie_header(URL_, context=context) == "p=1"
    third = CookieJar(clock=clock)
    third.update_cookies(jar.filter_cookies(URL_), URL_)
    assert third.cookie_header(URL_) == "a=2; nameless; a=1"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("plain", "a=plain"),
        ("YWI==", "a=YWI=="),
        ("x y", 'a="x y"'),
        ("x;y", 'a="x\\073y"'),
        ('"quoted"', 'a="quoted"'),
    ],
)
def test_supplied_values_are_quoted_where_they_need_it(
    jar: CookieJar, value: str, sent: str
) -> None:
    jar.update_cookies({"a": value}, URL_)
    assert jar.cookie_header(URL_) == sent


def test_quote_cookie_false_sends_values_as_they_are() -> None:
    jar = CookieJar(quote_cookie=False)
    morsel: SimpleCookie = SimpleCookie()
    morsel["m"] = "x y"
    mixed: dict[str, CookieValue] = {"a": "x y", "m": morsel["m"]}
    jar.update_cookies(mixed, URL_)
    assert jar.cookie_header(URL_) == "a=x y; m=x y"
    quoting = CookieJar()
    quoting.update_cookies(morsel, URL_)
    assert quoting.cookie_header(URL_) == 'm="x y"'
    assert (jar.quote_cookie, quoting.quote_cookie) == (False, True)


@pytest.mark.parametrize("name", ["a=b", "a;b", " a", "a\t", "a\r\nEvil: 1"])
def test_a_name_that_no_field_can_say_is_the_callers_mistake(jar: CookieJar, name: str) -> None:
    with pytest.raises(ValueError, match="no header field can carry"):
        jar.update_cookies({name: "1"}, URL_)


@pytest.mark.parametrize("value", ["a;b", "a\r\nEvil: 1", " a", "\0"])
def test_a_value_that_no_field_can_say_is_the_callers_mistake(value: str) -> None:
    jar = CookieJar(quote_cookie=False)
    with pytest.raises(ValueError, match="no header field can carry"):
        jar.update_cookies({"ok": "1", "a": value}, URL_)
    assert len(jar) == 0


def test_what_is_no_cookie_is_refused(jar: CookieJar) -> None:
    with pytest.raises(TypeError, match="not bytes"):
        jar.update_cookies({"a": b"1"}, URL_)  # type: ignore[arg-type]  # the point of the test
    for cookies in ("a=1", ["a=1"], [("a", "1", "2")], [5]):
        with pytest.raises(TypeError, match="a pair of name and value"):
            jar.update_cookies(cookies, URL_)  # type: ignore[arg-type]  # the point of the test
    assert len(jar) == 0


def test_a_value_must_have_octets_r5(jar: CookieJar) -> None:
    """Half a surrogate pair has none, and would fail every later request; an undecodable octet has one."""
    with pytest.raises(ValueError, match="no header field can carry"):
        jar.update_cookies({"a": "\ud800"}, URL_)
    jar.update_cookies({"a": "\udce9"}, URL_)
    assert jar.cookie_header(URL_) == "a=\udce9"


def test_a_morsels_numbers_have_no_limit_that_raises_c7(jar: CookieJar) -> None:
    morsel: Morsel[str] = Morsel()
    morsel.set("a", "1", "1")
    morsel["max-age"] = "9" * 5_000
    jar.update_cookies({"a": morsel}, URL_)
    (cookie,) = jar
    assert cookie.expires is None  # an attribute that is too long is ignored (C4)


def test_a_cookie_of_another_host_alone_stays_there_c12(jar: CookieJar) -> None:
    theirs = Cookie(name="a", value="1", domain="other.example")
    jar.update_cookies([theirs, Cookie(name="b", value="1", domain="")], URL_)
    jar.update_cookies([Cookie(name="c", value="1", domain="WWW.Example.com")], URL_)
    assert pairs(jar) == ["b=1", "c=1"]
    jar.update_cookies({"a": theirs})
    assert jar.cookie_header("https://other.example/") == "a=1"
    jar.update_cookies([Cookie(name="d", value="1", domain="x.example", path="")])
    assert jar.cookie_header("https://x.example/") == "d=1"


@pytest.mark.parametrize("name", ["per_domain", "total", "per_response", "header_bytes"])
def test_a_limit_is_no_negative_number(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is -1"):
        CookieLimits(**{name: -1})
    jar = CookieJar(limits=CookieLimits(**{name: 0}))
    jar.update_cookies_from_headers(["a=1"], URL_)
    assert jar.cookie_header(URL_) is None


def test_what_a_rule_refuses_is_left_out(jar: CookieJar) -> None:
    jar.update_cookies({"a": "x" * 5_000, "__Secure-b": "1", "c": "3"}, URL_)
    assert pairs(jar) == ["c=3"]
    jar.update_cookies_from_headers(["bad\0=1", "=", "d=4; Domain=com"], URL_)
    jar.update_cookies_from_headers(["e=5"], "/no/host")
    assert pairs(jar) == ["c=3"]


def test_a_response_sets_fifty_cookies_c21(jar: CookieJar) -> None:
    jar.update_cookies_from_headers([f"n{number}=1" for number in range(60)], URL_)
    assert len(jar) == 50
    free = CookieJar(limits=CookieLimits(per_response=None))
    free.update_cookies_from_headers([f"n{number}=1" for number in range(60)], URL_)
    assert len(free) == 60
    assert free.limits.per_response is None


def test_the_cookie_field_has_8192_octets_c21(jar: CookieJar) -> None:
    long = "é" * 2_046  # 4,092 octets
    jar.update_cookies({"a1": long, "a2": long}, URL_)
    jar.update_cookies({"b": "1"}, URL_)
    header = jar.cookie_header(URL_)
    assert header is not None
    assert len(header.encode()) == 2 * (3 + 4_092) + 2 == 8_192
    assert [found.rule for found in jar.explain_request(URL_)] == [
        Rule.SENT,
        Rule.SENT,
        Rule.HEADER_LIMIT,
    ]
    jar.update_cookies({"a1": long + "x"}, URL_)
    header = jar.cookie_header(URL_)
    assert header is not None
    assert len(header.encode()) == 4_096
    free = CookieJar(limits=CookieLimits(header_bytes=None))
    free.update_cookies(jar)
    assert len(free.filter_cookies(URL_)) == 3


def test_sending_counts_as_use_c21(clock: Clock) -> None:
    jar = CookieJar(clock=clock, limits=CookieLimits(per_domain=2))
    jar.update_cookies_from_headers(["old=1; Path=/a", "new=1; Path=/b"], URL_)
    clock.now += 1
    assert pairs(jar, "https://www.example.com/a") == ["old=1"]
    assert {cookie.name: clock.now - cookie.last_used for cookie in jar} == {"old": 0, "new": 1}
    jar.update_cookies_from_headers(["newest=1"], URL_)
    assert {cookie.name for cookie in jar} == {"old", "newest"}


def test_the_urls_host_decides_the_scope_c25(jar: CookieJar) -> None:
    """No argument could carry a Host header: the scope is the URL's, and is forgotten with it."""
    jar.update_cookies_from_headers(["a=1"], "https://real.example/")
    assert pairs(jar, "https://real.example/") == ["a=1"]
    assert pairs(jar, "https://custom.example/") == []


def test_every_status_may_set_cookies_c20(jar: CookieJar) -> None:
    """The jar knows no status: whoever has a final response passes its fields on, whatever it says."""
    jar.update_cookies_from_headers(iter(["a=1"]), URL_)
    assert pairs(jar) == ["a=1"]


def test_the_fields_may_come_from_code_that_uses_the_jar(jar: CookieJar) -> None:
    jar.update_cookies_from_headers((f"n{len(jar)}=1" for _ in range(1)), URL_)
    assert pairs(jar) == ["n0=1"]


def test_a_trailing_dot_makes_another_host_u9(jar: CookieJar) -> None:
    jar.update_cookies_from_headers(["a=1; Domain=example.com"], URL_)
    jar.update_cookies_from_headers(["b=1; Domain=example.com."], "https://www.example.com./dir/")
    assert pairs(jar, "https://www.example.com/dir/") == ["a=1"]
    assert pairs(jar, "https://www.example.com./dir/") == ["b=1"]


def test_same_site_is_enforced_with_a_context_c17(jar: CookieJar) -> None:
    jar.update_cookies_from_headers(
        [
            "strict=1; SameSite=Strict",
            "lax=1; SameSite=Lax",
            "d=1",
            "none=1; SameSite=None; Secure",
        ],
        URL_,
    )
    here = SiteContext(page="https://example.com/")
    there = SiteContext(page="https://other.example/")
    follow = SiteContext(page="https://other.example/", navigation=True)
    assert pairs(jar, context=here) == ["strict=1", "lax=1", "d=1", "none=1"]
    assert pairs(jar, context=there) == ["none=1"]
    assert jar.cookie_header(URL_, context=follow) == "lax=1; d=1; none=1"
    jar.update_cookies_from_headers(["x=1; SameSite=Lax"], URL_, context=there)
    assert jar.explain("x=1", URL_, context=there).rule is Rule.CROSS_SITE_RESPONSE
    assert "x" not in jar.filter_cookies(URL_)
    assert {found.rule for found in jar.explain_request(URL_, context=there)} == {
        Rule.SENT,
        Rule.CROSS_SITE_REQUEST,
    }


def test_partitions_are_apart(jar: CookieJar) -> None:
    field = "a={}; Secure; SameSite=None; Partitioned; Path=/"
    one, two = (SiteContext(page=f"https://{name}.example/") for name in ("one", "two"))
    jar.update_cookies_from_headers([field.format(1)], URL_, context=one)
    jar.update_cookies_from_headers([field.format(2)], URL_, context=two)
    jar.update_cookies_from_headers([field.format(0)], URL_)
    assert pairs(jar, context=one) == ["a=1"]
    assert pairs(jar, context=two) == ["a=2"]
    assert pairs(jar) == ["a=0"]
    assert pairs(jar, context=SiteContext(page=URL_)) == ["a=0"]


@pytest.mark.parametrize(
    ("field", "url", "rule"),
    [
        ("new=1", URL_, Rule.STORED),
        ("a=2", URL_, Rule.REPLACED),
        ("a=; Max-Age=0", URL_, Rule.DELETED),
        ("a=\x00", URL_, Rule.CONTROL_CHARACTER),
        ("a=1; Domain=other.example", URL_, Rule.DOMAIN_MISMATCH),
        ("a=1", "/", Rule.NO_HOST),
    ],
)
def test_explain(jar: CookieJar, field: str, url: str | URL, rule: Rule) -> None:
    jar.update_cookies_from_headers(["a=1"], URL_)
    before = list(jar)
    found = jar.explain(field, url)
    assert found.rule is rule
    assert found.accepted is (rule in {Rule.STORED, Rule.REPLACED, Rule.DELETED})
    assert (found.section, found.reason) == (rule.section, rule.reason)
    assert (found.cookie is None) is not found.accepted
    assert list(jar) == before


def test_explain_tells_when_there_is_no_room(clock: Clock) -> None:
    limits = CookieLimits(per_domain=1, total=2)
    jar = CookieJar(limits=limits, clock=clock)
    jar.update_cookies_from_headers(["a=1; Secure"], URL_)
    told = jar.explain("b=1", URL_)
    assert (told.rule, told.accepted) == (Rule.NO_ROOM, False)
    assert jar.explain("b=1; Secure", URL_).rule is Rule.STORED
    assert jar.explain("a=2", URL_).rule is Rule.REPLACED
    jar.update_cookies_from_headers(["a=1"], "https://b.example/")
    assert jar.explain("c=1", "https://c.example/").rule is Rule.STORED
    clock.now -= 60.0  # C27: everything that is there seems to have been used later
    assert jar.explain("c=1", "https://c.example/").rule is Rule.NO_ROOM
    jar.update_cookies_from_headers(["c=1"], "https://c.example/")
    assert jar.cookie_header("https://c.example/") is None


def test_an_explanation_is_a_sentence_without_values_y10(jar: CookieJar) -> None:
    secret = jar.explain("sid=hunter2; Secure", URL_)
    assert str(secret) == (
        "<Cookie sid=… for www.example.com/dir>: stored, the cookie is new and was stored (5.7 step 24)"
    )
    assert str(jar.explain("", URL_)) == (
        "the field: empty, name and value are both empty (5.7 step 2)"
    )
    assert "hunter2" not in repr(secret)


def test_explain_request_tells_of_every_cookie(jar: CookieJar, clock: Clock) -> None:
    jar.update_cookies_from_headers(
        ["sent=1", "path=1; Path=/x", "secure=1; Secure; Path=/", "gone=1; Max-Age=1"], URL_
    )
    jar.update_cookies_from_headers(["host=1"], "https://example.com/")
    jar.update_cookies_from_headers(["other=1"], "https://other.example/")
    clock.now += 1
    found = jar.explain_request("http://www.example.com/dir/page")
    assert {one.cookie.name: one.rule for one in found if one.cookie} == {
        "sent": Rule.SENT,
        "path": Rule.OTHER_PATH,
        "secure": Rule.NEEDS_SECURE,
        "gone": Rule.EXPIRED,
        "host": Rule.OTHER_HOST,
        "other": Rule.OTHER_DOMAIN,
    }
    assert found[0].accepted
    assert {one.rule for one in jar.explain_request("/")} == {Rule.NO_HOST}


def test_clear(jar: CookieJar) -> None:
    fields = ["a=1", "b=1; Path=/", "c=1; SameSite=Lax"]
    jar.update_cookies_from_headers(fields, URL_)
    jar.clear(lambda cookie: cookie.same_site is SameSite.LAX)
    assert pairs(jar) == ["a=1", "b=1"]
    jar.clear(lambda cookie: cookie["path"] == "/" and len(jar) > 0)  # the jar can be used inside
    assert pairs(jar) == ["a=1"]
    jar.clear()
    assert len(jar) == 0


@pytest.mark.parametrize(
    ("domain", "left"),
    [
        ("example.com", {"other.example"}),
        (".EXAMPLE.com", {"other.example"}),
        ("a.example.com", {"example.com", "www.example.com", "other.example"}),
        ("com", {"other.example"}),
        ("nowhere.example", {"example.com", "www.example.com", "b.a.example.com", "other.example"}),
        ("..", {"example.com", "www.example.com", "b.a.example.com", "other.example"}),
    ],
)
def test_clear_domain_clears_what_lies_under_it(
    jar: CookieJar, domain: str, left: set[str]
) -> None:
    for host in ("example.com", "www.example.com", "b.a.example.com", "other.example"):
        jar.update_cookies({"a": "1"}, f"https://{host}/")
    jar.clear_domain(domain)
    assert {cookie.domain for cookie in jar} == left


def test_cookies_by_domain_and_path(jar: CookieJar) -> None:
    jar.update_cookies_from_headers(["a=1", "b=1; Domain=example.com", "c=1"], URL_)
    assert {key: list(found) for key, found in jar.cookies.items()} == {
        ("www.example.com", "/dir"): ["a", "c"],
        ("example.com", "/dir"): ["b"],
    }


def test_threads_share_a_jar(jar: CookieJar) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def run(work: Callable[[int], object]) -> None:
        try:
            start.wait()
            for number in range(300):
                work(number)
        except BaseException as error:
            errors.append(error)

    work: list[Callable[[int], object]] = [
        lambda number: jar.update_cookies_from_headers([f"n{number % 50}=1"], URL_),
        lambda number: jar.cookie_header(URL_),
        lambda number: list(jar),
        lambda number: jar.clear(lambda cookie: cookie.name == f"n{number % 50}"),
    ]
    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
