"""Which cookies go with a request, RFC 6265bis 5.8.3: C9, C12 to C14, C17."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from wayfare_cookies import Cookie, Rule, SameSite, SiteContext
from wayfare_cookies._policy import Policy, Scope, scope_of
from wayfare_cookies._retrieval import withheld
from yarl import URL

MakeScope = Callable[..., Scope]
COOKIE = Cookie(name="a", value="1", domain="example.com")


@pytest.mark.parametrize(
    ("change", "url", "rule"),
    [
        ({}, "http://example.com/", None),
        ({}, "http://example.com/x/y", None),
        ({}, "http://www.example.com/", Rule.OTHER_HOST),
        ({"host_only": False}, "http://www.example.com/", None),
        ({"host_only": False}, "http://example.com/", None),
        ({"path": "/x"}, "http://example.com/x", None),
        ({"path": "/x"}, "http://example.com/x/y", None),
        ({"path": "/x"}, "http://example.com/", Rule.OTHER_PATH),
        ({"path": "/x"}, "http://example.com/xy", Rule.OTHER_PATH),
        ({"secure": True}, "http://example.com/", Rule.NEEDS_SECURE),
        ({"secure": True}, "ws://example.com/", Rule.NEEDS_SECURE),
        ({"secure": True}, "https://example.com/", None),
        ({"secure": True}, "wss://example.com/", None),
        ({"http_only": True}, "http://example.com/", None),
        ({"expires": 101.0}, "http://example.com/", None),
        ({"expires": 100.0}, "http://example.com/", Rule.EXPIRED),
        ({"same_site": SameSite.STRICT}, "http://example.com/", None),
        ({"partition_key": "http://example.com"}, "http://example.com/", None),
        ({"partition_key": "http://a.example"}, "http://example.com/", Rule.OTHER_PARTITION),
    ],
)
def test_without_a_context_c12_c13_c14(
    scope: MakeScope, policy: Policy, change: dict[str, object], url: str, rule: Rule | None
) -> None:
    cookie = replace(COOKIE, **change)  # type: ignore[arg-type]  # a table of mixed fields
    assert withheld(cookie, scope(url), 100.0, policy, None) is rule


HERE = "https://www.example.com/"
THERE = "https://other.example/"


@pytest.mark.parametrize(
    ("same_site", "context", "sent"),
    [
        (SameSite.STRICT, SiteContext(page=HERE), True),
        (SameSite.STRICT, SiteContext(page=THERE), False),
        (SameSite.STRICT, SiteContext(page=THERE, navigation=True), False),
        (SameSite.LAX, SiteContext(page=HERE, method="POST"), True),
        (SameSite.LAX, SiteContext(page=THERE), False),
        (SameSite.LAX, SiteContext(page=THERE, navigation=True), True),
        (SameSite.LAX, SiteContext(page=THERE, navigation=True, method="HEAD"), True),
        (SameSite.LAX, SiteContext(page=THERE, navigation=True, method="POST"), False),
        (SameSite.DEFAULT, SiteContext(page=THERE), False),
        (SameSite.DEFAULT, SiteContext(page=THERE, navigation=True), True),
        (SameSite.NONE, SiteContext(page=THERE), True),
        (SameSite.NONE, SiteContext(page=THERE, method="POST"), True),
    ],
)
def test_with_a_context_c17(
    scope: MakeScope, policy: Policy, same_site: SameSite, context: SiteContext, sent: bool
) -> None:
    cookie = replace(COOKIE, same_site=same_site, secure=True)
    found = withheld(cookie, scope("https://example.com/"), 0.0, policy, context)
    assert found is (None if sent else Rule.CROSS_SITE_REQUEST)


@pytest.mark.parametrize(
    ("page", "navigation", "sent"),
    [(THERE, False, True), (THERE, True, False), (HERE, False, False)],
)
def test_a_partitioned_cookie_stays_in_its_partition(
    scope: MakeScope, policy: Policy, page: str, navigation: bool, sent: bool
) -> None:
    """CHIPS: embedded in another page, the same host has another cookie."""
    cookie = replace(
        COOKIE, same_site=SameSite.NONE, secure=True, partition_key="https://other.example"
    )
    context = SiteContext(page=page, navigation=navigation)
    where = scope("https://example.com/")
    found = withheld(cookie, where, 0.0, policy, context)
    assert found is (None if sent else Rule.OTHER_PARTITION)


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("example.com", ["example.com", "com"]),
        ("a.b.example.com", ["a.b.example.com", "b.example.com", "example.com", "com"]),
        ("localhost", ["localhost"]),
        ("example.com.", ["example.com.", "com."]),
        ("127.0.0.1", ["127.0.0.1"]),
        ("[::1]", ["::1"]),
        ("127.1", ["127.1"]),
    ],
)
def test_the_domains_of_a_host_c9(scope: MakeScope, host: str, domains: list[str]) -> None:
    assert list(scope(f"http://{host}/").domains) == domains


def test_a_host_that_no_dns_knows_has_no_cookies_c26(scope: MakeScope, policy: Policy) -> None:
    """What is done per label has a bound: 254 octets of host."""
    longest = "a." * 123 + "examples"
    assert len(longest) == 254
    assert len(scope(f"http://{longest}/").domains) == 124
    assert scope_of(URL(f"http://b{longest}/"), policy) is None
