"""The storage model, RFC 6265bis 5.7: C3, C7 to C11, C14 to C17, and CHIPS."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from wayfare_cookies import Cookie, Rule, SameSite, SiteContext
from wayfare_cookies._parse import MAX_AGE_LIMIT, SetCookie
from wayfare_cookies._policy import Policy, Scope, as_url, origins, scope_of
from wayfare_cookies._storage import create_cookie, refused_pair, restore_cookie, would_hide_secure
from yarl import URL

Receive = Callable[..., Cookie | Rule]
MakeScope = Callable[..., Scope]


def test_a_plain_cookie_has_every_field(receive: Receive, now: float) -> None:
    assert receive("a=1") == Cookie(
        name="a", value="1", domain="www.example.com", path="/dir", created=now, last_used=now
    )


def test_every_attribute_is_kept_c18(receive: Receive, now: float) -> None:
    found = receive(
        "a=1; Domain=example.com; Path=/x; Secure; HttpOnly; SameSite=Lax; Max-Age=60; Partitioned"
    )
    assert found == Cookie(
        name="a",
        value="1",
        domain="example.com",
        path="/x",
        host_only=False,
        expires=now + 60,
        secure=True,
        http_only=True,
        same_site=SameSite.LAX,
        partition_key="https://example.com",
        created=now,
    )


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ("", Rule.EMPTY),
        ("=", Rule.EMPTY),
        (" ; Path=/", Rule.EMPTY),
        ("a=\x01", Rule.CONTROL_CHARACTER),
        ("=__Secure-a=1; Secure", Rule.NAMELESS_PREFIX),
        ("__SECURE-a", Rule.NAMELESS_PREFIX),
        ("=__host-", Rule.NAMELESS_PREFIX),
        ("a=1; SameSite=None", Rule.NONE_NOT_SECURE),
        ("a=1; Partitioned", Rule.PARTITIONED_NOT_SECURE),
        ("a=" + "x" * 4096, Rule.TOO_LONG),
    ],
)
def test_ignored_fields_c3_c17(receive: Receive, field: str, rule: Rule) -> None:
    assert receive(field) is rule


def test_a_nameless_cookie_has_an_empty_name_c3(receive: Receive) -> None:
    found = receive("=token")
    assert isinstance(found, Cookie)
    assert (found.name, found.value, found.pair) == ("", "token", "token")


@pytest.mark.parametrize(
    ("pair", "rule"),
    [
        (("a", "\n"), Rule.CONTROL_CHARACTER),
        (("\0", "b"), Rule.CONTROL_CHARACTER),
        (("a", "b" * 4096), Rule.TOO_LONG),
        (("a", "b" * 4095), None),
    ],
)
def test_what_was_never_parsed_is_checked_all_the_same(
    pair: tuple[str, str], rule: Rule | None
) -> None:
    """5.7 steps 3 and 4."""
    assert refused_pair(*pair) is rule


def test_what_is_set_again_unchanged_is_the_stored_cookie_c18(
    scope: MakeScope, policy: Policy
) -> None:
    where = scope("https://example.com/")

    field = SetCookie("a", "1")
    first = create_cookie(field, where, now=1.0, policy=policy)
    assert isinstance(first, Cookie)
    stored = {first.identity: first}

    def again(field: SetCookie, now: float) -> Cookie | Rule:
        return create_cookie(field, where, now=now, policy=policy, stored=stored.get)

    assert again(field, 2.0) is first
    for change in (
        {"value": "2"},
        {"max_age": 5},
        {"secure": True},
        {"http_only": True},
        {"same_site": SameSite.LAX},
    ):
        other = again(field._replace(**change), 2.0)
        assert isinstance(other, Cookie)
        assert (other.created, other.last_used) == (1.0, 2.0)
        assert other != first


@pytest.mark.parametrize(
    ("attributes", "expires"),
    [
        ("", None),
        ("Max-Age=60", 60),
        ("Max-Age=0", -1),
        ("Max-Age=-5", -1),
        ("Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 60),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", 60),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", -1),
        ("Expires=Fri, 31 Dec 9999 23:59:59 GMT", MAX_AGE_LIMIT),
        ("Max-Age=" + "9" * 30, MAX_AGE_LIMIT),
        ("Expires=never", None),
    ],
)
def test_expiry_c7(receive: Receive, now: float, attributes: str, expires: int | None) -> None:
    found = receive("a=1; " + attributes)
    assert isinstance(found, Cookie)
    if expires == -1:
        assert found.expires is not None
        assert found.expires <= now
    else:
        assert found.expires == (None if expires is None else now + expires)


@pytest.mark.parametrize(
    ("host", "attribute", "expected"),
    [
        ("www.example.com", "example.com", "example.com"),
        ("www.example.com", ".EXAMPLE.com", "example.com"),
        ("www.example.com", "www.example.com", "www.example.com"),
        ("www.example.com", "", ""),
        ("www.example.com", ".", ""),
        ("www.example.com", "..example.com", Rule.BAD_DOMAIN),
        ("a..example.com", ".", ""),
        ("www.example.com", "other.com", Rule.DOMAIN_MISMATCH),
        ("www.example.com", "a.www.example.com", Rule.DOMAIN_MISMATCH),
        ("www.example.com", "ample.com", Rule.DOMAIN_MISMATCH),
        ("www.example.com", "com", Rule.PUBLIC_SUFFIX),
        ("www.example.com", "COM.", Rule.PUBLIC_SUFFIX),
        ("www.example.co.uk", ".Co.Uk", Rule.PUBLIC_SUFFIX),
        ("co.uk", "co.uk", ""),
        ("tenant.github.io", "github.io", Rule.PUBLIC_SUFFIX),
        ("localhost", "localhost", ""),
        ("www.example.com.", "example.com.", "example.com."),
        ("www.example.com.", "example.com", Rule.DOMAIN_MISMATCH),
        ("www.example.com.", "com.", Rule.PUBLIC_SUFFIX),
        ("www.example.com", "example.com.", Rule.DOMAIN_MISMATCH),
        ("www.xn--bcher-kva.example", "bücher.example", "xn--bcher-kva.example"),
        ("www.xn--bcher-kva.example", "XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("www.example.com", "ex\udce9mple.com", Rule.BAD_DOMAIN),
        ("www.example.com", "example.com:443", Rule.BAD_DOMAIN),
        ("www.example.com", "1", Rule.DOMAIN_MISMATCH),
    ],
)
def test_domain_c8_c10_c11(
    receive: Receive, host: str, attribute: str, expected: str | Rule
) -> None:
    if ".." in host:
        assert scope_of(URL(f"https://{host}/"), Policy(public_suffixes=_never())) is None
        return
    found = receive(f"a=1; Domain={attribute}", f"https://{host}/")
    if isinstance(expected, Rule):
        assert found is expected
    else:
        assert isinstance(found, Cookie)
        assert found.domain == (expected or host)
        assert found.host_only is (expected == "")


class _never:
    """A public suffix list that must not be asked."""

    def public_suffix(self, domain: str) -> str:
        raise AssertionError(domain)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "0x7f.1", "2130706433", "127.0.0.1."])
def test_addresses_have_cookies_only_where_the_jar_is_unsafe_c9(
    receive: Receive, host: str
) -> None:
    url = f"http://{host}/"
    name = URL(url).raw_host
    assert receive("a=1", url) is Rule.IP_ADDRESS
    for attributes in ("", "; Domain=", f"; Domain={name}"):
        found = receive("a=1" + attributes, url, unsafe=True)
        assert isinstance(found, Cookie)
        assert (found.domain, found.host_only) == (name, True)
    for attributes in ("; Domain=1", "; Domain=0.0.1", "; Domain=example.com"):
        assert receive("a=1" + attributes, url, unsafe=True) is Rule.DOMAIN_MISMATCH


@pytest.mark.parametrize("path", ["/x", "/x/", "/"])
def test_path_c13(receive: Receive, path: str) -> None:
    found = receive(f"a=1; Path={path}")
    assert isinstance(found, Cookie)
    assert found.path == path
    for other in ("", "x", '"/x"'):
        found = receive(f"a=1; Path={path}; Path={other}")
        assert isinstance(found, Cookie)
        assert found.path == "/dir"


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("https://example.com/", True),
        ("wss://example.com/", True),
        ("http://example.com/", False),
        ("ws://example.com/", False),
        ("ftp://example.com/", False),
        ("http://localhost/", False),
    ],
)
def test_secure_cookies_need_a_secure_connection_c14(
    receive: Receive, url: str, secure: bool
) -> None:
    found = receive("a=1; Secure", url)
    assert isinstance(found, Cookie) if secure else found is Rule.INSECURE_ORIGIN


@pytest.mark.parametrize(
    "given", ["http://localhost:8080", URL("http://LOCALHOST:8080/x"), ["http://localhost:8080"]]
)
def test_an_origin_may_count_as_secure_c14(receive: Receive, given: str | URL | list[str]) -> None:
    chosen = origins(given)
    found = receive("a=1; Secure", "http://localhost:8080/", secure_origins=chosen)
    assert isinstance(found, Cookie)
    for other in ("http://localhost/", "http://localhost:8081/", "http://a.localhost:8080/"):
        found = receive("a=1; Secure", other, secure_origins=chosen)
        assert found is Rule.INSECURE_ORIGIN


def test_origins_are_checked() -> None:
    assert origins(None) == frozenset()
    with pytest.raises(ValueError, match="absolute"):
        origins("localhost")


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ("__Secure-a=1; Secure", None),
        ("__secure-a=1; Secure; Domain=example.com", None),
        ("__Secure-a=1", Rule.SECURE_PREFIX),
        ("__SeCuRe-a=1", Rule.SECURE_PREFIX),
        ("__Secure-=1", Rule.SECURE_PREFIX),
        ("__Host-a=1; Secure; Path=/", None),
        ("__Host-a=1; Secure; Path=/; Domain=", None),
        ("__host-a=1; Secure; Path=/", None),
        ("__Host-a=1; Path=/", Rule.HOST_PREFIX),
        ("__Host-a=1; Secure", Rule.HOST_PREFIX),
        ("__Host-a=1; Secure; Path", Rule.HOST_PREFIX),
        ("__Host-a=1; Secure; Path=/x", Rule.HOST_PREFIX),
        ("__hOsT-a=1; Secure; Path=/; Domain=www.example.com", Rule.HOST_PREFIX),
        ("__Hosta=1", None),
        ("__Secure=1", None),
        ("_Host-a=1", None),
    ],
)
def test_name_prefixes_c16(receive: Receive, field: str, rule: Rule | None) -> None:
    found = receive(field)
    assert isinstance(found, Cookie) if rule is None else found is rule


def test_host_prefix_takes_a_path_attribute_that_means_the_root_c16(receive: Receive) -> None:
    """5.6.4: `Path` without a value appends the default path, which is / for a page at the root."""
    assert isinstance(receive("__Host-a=1; Secure; Path", "https://example.com/page"), Cookie)
    assert receive("__Host-a=1; Secure", "https://example.com/page") is Rule.HOST_PREFIX


@pytest.mark.parametrize(
    ("page", "navigation", "field", "rule"),
    [
        ("https://example.com/", False, "a=1; SameSite=Strict", None),
        ("https://example.com./", False, "a=1; SameSite=Strict", Rule.CROSS_SITE_RESPONSE),
        ("https://other.example/", False, "a=1; SameSite=Strict", Rule.CROSS_SITE_RESPONSE),
        ("https://other.example/", False, "a=1", Rule.CROSS_SITE_RESPONSE),
        ("https://other.example/", False, "a=1; SameSite=None; Secure", None),
        ("https://other.example/", True, "a=1; SameSite=Strict", None),
        ("http://example.com/", False, "a=1; SameSite=Lax", Rule.CROSS_SITE_RESPONSE),
        ("wss://example.com/", False, "a=1; SameSite=Lax", None),
        ("about:blank", False, "a=1; SameSite=Lax", Rule.CROSS_SITE_RESPONSE),
    ],
)
def test_same_site_with_a_context_c17(
    receive: Receive, page: str, navigation: bool, field: str, rule: Rule | None
) -> None:
    found = receive(field, context=SiteContext(page=page, navigation=navigation))
    assert isinstance(found, Cookie) if rule is None else found is rule


@pytest.mark.parametrize(
    ("context", "key"),
    [
        (None, "https://example.com"),
        (SiteContext(page="https://shop.example/"), "https://shop.example"),
        (SiteContext(page=URL("https://a.shop.example:8443/x")), "https://shop.example"),
        (SiteContext(page="https://shop.example/", navigation=True), "https://example.com"),
        (SiteContext(page="about:blank"), ""),
    ],
)
def test_a_partitioned_cookie_belongs_to_the_page(
    receive: Receive, context: SiteContext | None, key: str
) -> None:
    """CHIPS: the partition is the site of the top-level page."""
    found = receive("a=1; Secure; SameSite=None; Partitioned", context=context)
    assert isinstance(found, Cookie)
    assert found.partition_key == key
    assert found.partitioned


@pytest.mark.parametrize(
    ("path", "domain", "hides"),
    [
        ("/login", "", True),
        ("/login/en", "", True),
        ("/", "", False),
        ("/foo", "", False),
        ("/login", "example.com", True),
    ],
)
def test_an_insecure_cookie_must_not_hide_a_secure_one_c15(
    receive: Receive, scope: MakeScope, path: str, domain: str, hides: bool
) -> None:
    """The example in 5.7 step 16's note, over http."""
    http = scope("http://www.example.com/")
    stored = receive("a=1; Secure; Path=/login")
    assert isinstance(stored, Cookie)
    field = f"a=2; Path={path}; Domain={domain}"
    new = receive(field, "http://www.example.com/")
    assert isinstance(new, Cookie)
    assert would_hide_secure(new, http, [stored]) is hides
    assert not would_hide_secure(new, http, [replace(stored, secure=False)])
    assert not would_hide_secure(new, http, [replace(stored, name="b")])
    assert not would_hide_secure(new, http, [replace(stored, domain="a.example.com")]) or domain
    assert would_hide_secure(new, http, [replace(stored, domain="example.com")]) is hides
    assert not would_hide_secure(new, scope("https://www.example.com/"), [stored])
    assert not would_hide_secure(replace(new, secure=True), http, [stored])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({}, None),
        ({"domain": "example.com", "host_only": False}, None),
        ({"secure": True, "same_site": SameSite.NONE, "partition_key": "https://a.example"}, None),
        ({"domain": "Example.com"}, Rule.BAD_DOMAIN),
        ({"domain": ".example.com"}, Rule.BAD_DOMAIN),
        ({"domain": ""}, Rule.BAD_DOMAIN),
        ({"domain": "co.uk", "host_only": False}, Rule.PUBLIC_SUFFIX),
        ({"domain": "127.0.0.1"}, Rule.IP_ADDRESS),
        ({"path": ""}, Rule.BAD_PATH),
        ({"path": "x"}, Rule.BAD_PATH),
        ({"path": "/\n"}, Rule.BAD_PATH),
        ({"path": "/;"}, Rule.BAD_PATH),
        ({"value": "a\r\nb"}, Rule.CONTROL_CHARACTER),
        ({"value": "x" * 5000}, Rule.TOO_LONG),
        ({"name": "__Host-a"}, Rule.HOST_PREFIX),
        ({"partition_key": "https://a.example"}, Rule.PARTITIONED_NOT_SECURE),
        ({"expires": 0.0}, Rule.EXPIRED),
    ],
)
def test_saved_cookies_are_checked_again_c24(
    receive: Receive, policy: Policy, now: float, change: dict[str, object], rule: Rule | None
) -> None:
    stored = receive("a=1; Max-Age=60")
    assert isinstance(stored, Cookie)
    changed = replace(stored, **change)  # type: ignore[arg-type]  # a table of mixed fields
    found = restore_cookie(changed, now=now + 1, policy=policy)
    assert found == (changed if rule is None else rule)


def test_saved_times_are_taken_back_to_now_c24_c27(
    receive: Receive, policy: Policy, now: float
) -> None:
    far = Cookie(
        name="a",
        value="1",
        domain="example.com",
        expires=now * 5,
        created=now * 2,
        last_used=now * 2,
    )
    found = restore_cookie(far, now=now, policy=policy)
    assert isinstance(found, Cookie)
    assert (found.created, found.last_used) == (now, now)
    assert found.expires == now + MAX_AGE_LIMIT
    saved_unsafe = replace(far, domain="127.0.0.1", expires=None)
    unsafe = Policy(public_suffixes=policy.public_suffixes, unsafe=True)
    assert isinstance(restore_cookie(saved_unsafe, now=now, policy=unsafe), Cookie)
    shared = replace(saved_unsafe, host_only=False)
    found = restore_cookie(shared, now=now, policy=unsafe)
    assert isinstance(found, Cookie)
    assert found.host_only


def test_scopes(policy: Policy) -> None:
    assert scope_of(URL("/relative"), policy) is None
    assert scope_of(URL("https://a..b/"), policy) is None
    assert as_url("http://a/") == as_url(URL("http://a/"))
    found = scope_of(URL("wss://BÜCHER.example:8443/a b?q#f"), policy)
    assert found == Scope(
        "xn--bcher-kva.example",
        "/a%20b",
        True,
        False,
        "https",
        ("xn--bcher-kva.example", "example"),
    )
    assert scope_of(URL("http://EXAMPLE.com", encoded=True), policy) == Scope(
        "example.com", "/", False, False, "http", ("example.com", "com")
    )


def test_rules_say_where_they_stand() -> None:
    for rule in Rule:
        assert rule.section
        assert rule.reason
    assert len({rule.value for rule in Rule}) == len(Rule)
