"""Redirects decided purely: rules D1 to D14 as tables, without a loop and without a network."""

from collections.abc import Iterable
from typing import Any

import pytest
import wayfare
from multidict import CIMultiDict
from wayfare import RedirectPolicy, RedirectStep
from wayfare._bodies import AsyncIterableBody
from wayfare._redirects import REDIRECTS, is_sensitive, next_hop, same_origin
from wayfare._request import ClientRequest
from wayfare._route import Route
from wayfare._settings import RequestSettings
from wayfare._urls import prepare_url
from wayfare_http_core import FieldBlock
from yarl import URL

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "PROPFIND")


def asked(
    url: str = "http://h/a/b?q=1",
    method: str = "GET",
    fields: Iterable[tuple[str, str]] = (),
    body: Any = None,
    **settings: Any,
) -> ClientRequest:
    """A request that is about to be answered with a redirect."""
    return ClientRequest(
        method,
        prepare_url(URL(url)),
        FieldBlock(fields),
        body,
        wayfare.ClientTimeout(),
        RequestSettings(**settings),
    )


def hop(request: ClientRequest, location: str, status: int = 302) -> ClientRequest:
    following = next_hop(request, status, {"Location": location}, 0)
    assert following is not None
    return following


def names(request: ClientRequest) -> list[str]:
    return [name for name, _ in request.fields.pairs]


@pytest.mark.parametrize("status", sorted(REDIRECTS))
@pytest.mark.parametrize("method", METHODS)
def test_d1_the_method_after_each_status(status: int, method: str) -> None:
    """D1: 303 makes everything but HEAD a GET, 301 and 302 only POST, 307 and 308 nothing."""
    expected = method
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        expected = "GET"
    following = hop(asked(method=method, body=b"x"), "/c", status)
    assert following.method == expected
    kept = expected == method and not (status == 303 and method == "GET")
    assert following.body == (b"x" if kept else None)


CONTENT_FIELDS = (
    "Content-Length",
    "Content-Type",
    "Content-Encoding",
    "Content-Language",
    "Content-Location",
    "Transfer-Encoding",
    "Digest",
    "Content-Digest",
    "Repr-Digest",
    "Content-MD5",
    "Content-Range",
    "Content-Disposition",
    "Trailer",
    "Expect",
)


@pytest.mark.parametrize("name", CONTENT_FIELDS)
def test_d2_fields_of_the_content_go_with_it(name: str) -> None:
    fields = [(name, "x"), (name.lower(), "y"), ("X-Kept", "1")]
    request = asked(method="POST", fields=fields, body=b"x")
    assert names(hop(request, "/c", 302)) == ["X-Kept"]
    assert names(hop(request, "/c", 307)) == [name, name.lower(), "X-Kept"]


async def test_d3_content_that_is_gone_is_not_sent_as_nothing() -> None:
    async def pieces() -> Any:
        yield b"x"

    body = AsyncIterableBody(pieces())
    request = asked(method="PUT", body=body)
    assert hop(request, "/c", 307).body is body  # nobody has begun with it
    async for _ in body.chunks():
        pass
    for status in (301, 302, 307, 308):
        with pytest.raises(wayfare.ClientPayloadError, match="sent only once"):
            hop(request, "/c", status)
    assert hop(request, "/c", 303).body is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://h/", "http://h/x?y#z", True),
        ("http://h/", "http://h:80/", True),
        ("https://h/", "https://h:443/", True),
        ("http://h/", "http://H/", True),
        ("http://h/", "https://h/", False),
        ("http://h/", "http://h:81/", False),
        ("http://h/", "http://i/", False),
        ("http://h/", "http://h./", False),
        ("http://h/", "http://sub.h/", False),
        ("http://[::1]/", "http://[0:0::1]/", True),
        ("http://127.0.0.1/", "http://[::ffff:127.0.0.1]/", True),
        ("http://127.0.0.1/", "http://[::ffff:7f00:1]/", True),
        ("http://127.0.0.2/", "http://[::ffff:127.0.0.1]/", False),
        ("http://[::ffff:1:2:3]/", "http://[::ffff:1:2:3]/", True),
        ("http://bücher.example/", "http://xn--bcher-kva.example/", True),
    ],
)
def test_d4_an_origin_is_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    """D4, U6, U9."""
    assert same_origin(URL(one), URL(other)) is same
    assert same_origin(URL(other), URL(one)) is same


SECRETS = (
    "Authorization",
    "authorization",
    "Proxy-Authorization",
    "Cookie",
    "Cookie2",
    "X-API-Key",
    "api_key",
    "ApiKey",
    "X-Auth-Token",
    "X-CSRF-Token",
    "X-Xsrf-Token",
    "Private-Token",
    "X-Amz-Security-Token",
    "Ocp-Apim-Subscription-Key",
    "X-Signature",
    "X-Session-Id",
    "Client-Secret",
)
HARMLESS = (
    "Accept",
    "Accept-Encoding",
    "User-Agent",
    "X-Request-Id",
    "Idempotency-Key",
    "Range",
    "Sec-WebSocket-Key",
    "X-Keyboard",
    "X-Monkey",
    "If-None-Match",
    "Traceparent",
)
ELSEWHERE = ("http://other/", "https://h/", "http://h:81/", "//other/x", "http://sub.h/")


@pytest.mark.parametrize("location", ELSEWHERE)
@pytest.mark.parametrize("name", SECRETS)
def test_d5_secrets_do_not_reach_another_origin(location: str, name: str) -> None:
    """D5: every occurrence, in any case."""
    fields = [(name, "1"), ("X-Kept", "1"), (name.swapcase(), "2")]
    assert names(hop(asked(fields=fields), location)) == ["X-Kept"]
    assert names(hop(asked(fields=fields), "/same")) == [name, "X-Kept", name.swapcase()]


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_no_secret_goes_along(name: str) -> None:
    assert names(hop(asked(fields=[(name, "1")]), "http://other/")) == [name]
    assert not is_sensitive(name)


def test_d5_what_the_caller_registered_is_secret_too() -> None:
    request = asked(fields=[("X-Tenant", "1")], sensitive_headers=frozenset(["x-tenant"]))
    assert names(hop(request, "http://other/")) == []
    assert names(hop(request, "/c")) == ["X-Tenant"]


@pytest.mark.parametrize("name", ["Host", "Origin", "Referer"])
def test_fields_that_name_the_old_origin_stay_behind(name: str) -> None:
    """D20, and a Host of the caller's, which would send the request astray."""
    request = asked(fields=[(name, "h")])
    assert names(hop(request, "http://other/")) == []
    assert names(hop(request, "/c")) == [name]


def test_d6_what_was_dropped_does_not_come_back() -> None:
    first = asked("http://a/", fields=[("Authorization", "Basic x"), ("X-Kept", "1")])
    second = hop(first, "http://b/")
    third = hop(second, "http://a/")
    assert names(third) == ["X-Kept"]


TRUSTING = RedirectPolicy(credentials_on_upgrade=True)


class Careless(RedirectPolicy):
    def keeps_credentials(self, step: RedirectStep) -> bool:
        return True


@pytest.mark.parametrize("policy", [None, TRUSTING, Careless()])
def test_d7_a_downgrade_never_takes_credentials_along(policy: RedirectPolicy | None) -> None:
    request = asked("https://h/", fields=[("Authorization", "x")], redirect_policy=policy)
    assert names(hop(request, "http://h/")) == []


def test_d7_a_downgrade_can_be_refused() -> None:
    request = asked("https://h/", redirect_policy=RedirectPolicy(allow_downgrade=False))
    assert next_hop(request, 302, {"Location": "http://h/"}, 0) is None
    assert hop(request, "https://i/").url == URL("https://i/")


@pytest.mark.parametrize(
    ("url", "location", "kept"),
    [
        ("http://h/", "https://h/", True),
        ("http://h:80/", "https://h:443/", True),
        ("http://h/", "https://h:444/", False),
        ("http://h:81/", "https://h/", False),
        ("http://h/", "https://i/", False),
    ],
)
def test_d8_an_upgrade_keeps_credentials_by_option_only(
    url: str, location: str, kept: bool
) -> None:
    fields = [("Authorization", "x")]
    assert names(hop(asked(url, fields=fields), location)) == []
    request = asked(url, fields=fields, redirect_policy=TRUSTING)
    assert names(hop(request, location)) == (["Authorization"] if kept else [])


def test_d9_user_info_in_a_location_counts_for_the_same_origin_only() -> None:
    def authorization(location: str, policy: RedirectPolicy | None = None) -> list[str]:
        request = asked(fields=[("Authorization", "old")], redirect_policy=policy)
        following = hop(request, location)
        assert following.url.user is None
        assert following.real_url.user is None
        return following.fields.getall("Authorization")

    assert authorization("/c") == ["old"]
    assert authorization("http://u:p@h/c") == ["Basic dTpw"]
    assert authorization("http://u:p@other/c") == []
    using = RedirectPolicy(credentials_in_location=True)
    assert authorization("http://u:p@other/c", using) == ["Basic dTpw"]
    assert authorization("http://other/c", using) == []


LOCATIONS = [
    ("/c", "http://h/c"),
    ("c", "http://h/a/c"),
    ("./c/../d", "http://h/a/d"),
    ("?x=2", "http://h/a/b?x=2"),
    ("#f", "http://h/a/b?q=1"),
    ("//other/x", "http://other/x"),
    ("http://other", "http://other"),
    ("https://h/c", "https://h/c"),
    ("HTTP://H/c", "http://h/c"),
    ("http:/c", "http://h/c"),
    ("http:c", "http://h/a/c"),
    ("/with space", "http://h/with%20space"),
    ("/tab\there", "http://h/tab%09here"),
    ("/caf\u00e9", "http://h/caf%C3%A9"),
    ("/caf\udce9", "http://h/caf%E9"),
    ("/100%25", "http://h/100%25"),
    ("/a%2Fb", "http://h/a%2Fb"),
    ("/a?b=c%20d+e", "http://h/a?b=c%20d+e"),
    ("/\\other", "http://h/%5Cother"),
    ("\\\\other", "http://h/a/%5C%5Cother"),
    ("http://b\u00fccher.example/", "http://xn--bcher-kva.example/"),
]


@pytest.mark.parametrize(("location", "expected"), LOCATIONS)
def test_d11_locations_lead_where_they_say(location: str, expected: str) -> None:
    """D11, U2, U4: percent-encoded once, nothing dropped, no backslash taken for a slash."""
    url = hop(asked(), location).url
    assert str(url) == expected
    assert str(hop(asked(), expected).url) == expected


def test_d11_of_several_locations_the_first_counts() -> None:
    headers = CIMultiDict([("Location", "/first"), ("Location", "/second")])
    following = next_hop(asked(), 302, headers, 0)
    assert following is not None
    assert following.url.path == "/first"


def test_the_uri_field_of_old_is_understood() -> None:
    following = next_hop(asked(), 301, {"URI": "/old"}, 0)
    assert following is not None
    assert following.url.path == "/old"


def test_requoting_can_be_left_out() -> None:
    request = asked(requote_redirect_url=False)
    assert hop(request, "/%7Ea?x=%41").url.raw_path_qs == "/%7Ea?x=%41"
    assert hop(request, "/a b\u00e9").url.raw_path_qs == "/a%20b%C3%A9"
    assert hop(asked(), "/%7Ea?x=%41").url.raw_path_qs == "/~a?x=A"


@pytest.mark.parametrize(
    ("url", "location", "expected"),
    [
        ("http://h/a#old", "/c", "old"),
        ("http://h/a#old", "/c#new", "new"),
        ("http://h/a", "/c", ""),
        ("http://h/a#%2520", "/c", "%2520"),
        ("http://h/a#old", "#new", "new"),
    ],
)
def test_d12_a_fragment_is_inherited(url: str, location: str, expected: str) -> None:
    following = hop(asked(url), location)
    assert following.real_url.raw_fragment == expected
    assert following.url.raw_fragment == ""


@pytest.mark.parametrize(
    "location",
    ["ftp://h/", "file:///etc/passwd", "data:,x", "javascript:alert(1)", "ws://h/", "mailto:a@h"],
)
def test_d13_other_schemes_are_refused(location: str) -> None:
    with pytest.raises(wayfare.NonHttpUrlRedirectClientError) as caught:
        hop(asked(), location)
    assert isinstance(caught.value, wayfare.RedirectClientError)
    assert isinstance(caught.value, wayfare.NonHttpUrlClientError)


@pytest.mark.parametrize(
    "location",
    [
        "http://",
        "http:///x",
        "///x",
        "//",
        "http://\udce9/",
        "http://h\tost/",
        "http://a\uff0fb/",
        "https:/x",
        "http://h:99999/",
        "http://h:0/",
        "http://[::1",
        "http://127.1/",
        "http://ex%2fample/",
        "http://a b/",
        "http://u:secret@h:x/",
        "http://a\\@b/",
    ],
)
def test_d11_a_location_that_leads_nowhere_is_refused(location: str) -> None:
    """U2, U3, U4, U5, U8."""
    with pytest.raises(wayfare.InvalidUrlRedirectClientError) as caught:
        hop(asked(), location)
    assert isinstance(caught.value, wayfare.RedirectClientError)
    assert isinstance(caught.value, ValueError)
    assert "secret" not in str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("status", [200, 201, 204, 300, 304, 305, 306, 310, 399, 404, 503])
def test_d14_other_statuses_are_no_redirects(status: int) -> None:
    assert next_hop(asked(), status, {"Location": "/c"}, 0) is None


@pytest.mark.parametrize("headers", [{}, {"Location": ""}, {"X": "y"}])
def test_d14_without_a_location_there_is_nowhere_to_go(headers: dict[str, str]) -> None:
    assert next_hop(asked(), 302, headers, 0) is None


def test_d17_tls_settings_are_those_of_the_chain_and_the_name_to_verify_of_one_server() -> None:
    prepared = prepare_url(URL("https://h/"), Route(False, "verify.me"))
    request = ClientRequest(
        "GET", prepared, FieldBlock(), None, wayfare.ClientTimeout(), RequestSettings()
    )
    assert hop(request, "/c").connection_key == prepared.target
    elsewhere = hop(request, "https://other/").connection_key
    assert (elsewhere.ssl, elsewhere.server_hostname) == (False, None)
    plain = hop(request, "http://other/")
    assert plain.connection_key.ssl is None
    assert hop(plain, "https://third/").connection_key.ssl is False


def test_a_policy_sees_the_whole_step() -> None:
    seen: list[RedirectStep] = []

    class Recording(RedirectPolicy):
        def follows(self, step: RedirectStep) -> bool:
            seen.append(step)
            return step.location.path != "/forbidden"

    request = asked("https://h/a", method="POST", redirect_policy=Recording())
    assert next_hop(request, 302, {"Location": "/forbidden"}, 3) is None
    assert next_hop(request, 302, {"Location": "http://u:p@i/"}, 0) is not None
    first, second = seen
    assert (first.status, first.method, first.followed) == (302, "POST", 3)
    assert (first.url, first.location) == (URL("https://h/a"), URL("https://h/forbidden"))
    assert (first.is_same_origin, first.is_downgrade, first.is_upgrade) == (True, False, False)
    assert (second.is_same_origin, second.is_downgrade) == (False, True)
    assert second.location == URL("http://i/")
    assert second.headers["Location"] == "http://u:p@i/"


def test_a_policy_sees_the_way_from_where_a_middleware_sent_the_request() -> None:
    """It is the connection that there was which is encrypted, or not."""
    policy = RedirectPolicy(allow_downgrade=False)
    request = asked("http://h/a", redirect_policy=policy)
    location = {"Location": "http://h/b"}
    assert next_hop(request, 302, location, 0, URL("http://gateway/a#f")) is not None
    assert next_hop(request, 302, location, 0, URL("https://gateway/a#f")) is None


def test_d5_nothing_secret_comes_back_from_an_encrypted_detour() -> None:
    """D5: neither of the two URLs may have been safer than the one that follows."""
    request = asked("http://h/a", fields=[("Authorization", "x"), ("X-Other", "y")])
    location = {"Location": "http://h/b"}
    for sent, kept in (
        (None, True),
        (URL("http://h/a"), True),
        (URL("http://gateway/a"), True),
        (URL("https://gateway/a"), False),
    ):
        following = next_hop(request, 302, location, 0, sent)
        assert following is not None
        assert names(following) == (["Authorization"] if kept else []) + ["X-Other"]
