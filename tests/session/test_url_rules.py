"""Rules U1 to U11: which URLs a request can go to, and where it goes then.

The grammar is RFC 3986's, read by yarl. Where browsers (the WHATWG's URL standard) decide otherwise, the difference is
deliberate and stands in `DIFFERENCES`, case by case.
"""

from typing import Any

import pytest
import wayfare
from wayfare._urls import PreparedURL, join_url, prepare_url, with_params
from wayfare_http_core.testing import ReadRequest, Repeat, Send
from yarl import URL

from tests.cpu_time import takes_less

REFUSED = "refused"


def prepare(text: str) -> PreparedURL:
    return prepare_url(join_url(None, text))


def destination(text: str) -> str:
    """Where a request for this URL goes, with its path and query; or that it goes nowhere."""
    try:
        prepared = prepare(text)
    except (wayfare.InvalidURL, wayfare.NonHttpUrlClientError):
        return REFUSED
    target = prepared.target
    return f"{target.scheme}://{target.authority}{prepared.path}"


LONG = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "http://" + "@" * LONG + "h/",
        "http://h/" + "%" * LONG,
        "http://" + "a" * LONG + "/",
        "http://" + "\u00e9" * LONG + "/",
        "http://" + "\u00e9." * (LONG // 2) + "/",
        "http://h/?" + "&" * LONG,
        "http://h:" + "1" * LONG + "/",
        "http://[" + ":" * LONG + "]/",
        "http://h/" + "../" * (LONG // 3),
        "http://h/#" + "#" * LONG,
    ],
    ids=lambda text: text[:12],
)
def test_u1_u7_time_grows_with_the_length_alone(text: str) -> None:
    """U1, U7: ten times the length may take twenty times the time, and no more than a second."""
    assert takes_less(1, lambda: destination(text))
    with_message = None
    try:
        prepare(text)
    except wayfare.InvalidURL as exc:
        with_message = str(exc)
    assert with_message is None or len(with_message) < 3000


@pytest.mark.parametrize("character", ["\t", "\n", "\r", "\x00", "\x1f", "\x7f"])
@pytest.mark.parametrize("form", ["http://h{}.evil/", "http://h/{}", "http://h/?{}", "{}http://h/"])
def test_u2_control_characters_are_refused(character: str, form: str) -> None:
    """Browsers drop tabs and line breaks; then what a filter read is not what is asked."""
    with pytest.raises(wayfare.InvalidUrlClientError, match="control character"):
        prepare(form.format(character))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://h/a\\b", "http://h/a%5Cb"),
        ("http://h/\\\\evil", "http://h/%5C%5Cevil"),
        ("http://h\\@evil/", REFUSED),
        ("http:\\\\h/", REFUSED),
        ("http://h /", REFUSED),
        ("http://h/a b", "http://h/a%20b"),
        ("http://h/?a b", "http://h/?a+b"),
    ],
)
def test_u2_backslashes_and_spaces(text: str, expected: str) -> None:
    assert destination(text) == expected


@pytest.mark.parametrize(
    "encoded", ["%2f", "%40", "%00", "%3a", "%23", "%3f", "%5c", "%2e", "%0d%0a"]
)
def test_u3_what_is_encoded_in_a_host_stays_out_of_the_structure(encoded: str) -> None:
    assert destination(f"http://good{encoded}evil/") == REFUSED


@pytest.mark.parametrize("text", ["http://", "http:///x", "http://:80/", "http://u:p@/", "https:"])
def test_u4_no_host_no_request(text: str) -> None:
    assert destination(text) == REFUSED


@pytest.mark.parametrize(
    "host",
    ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1.", "1.2.3.4.5", "256.0.0.1"],
)
def test_u5_other_spellings_of_ipv4_are_refused(host: str) -> None:
    assert destination(f"http://{host}/") == REFUSED


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("fa\u00df.de", "xn--fa-hia.de"),
        ("EXAMPLE.com", "example.com"),
        ("\uff25xample.com", "example.com"),
        ("foo\u3002bar", "foo.bar"),
        ("foo\uff0ebar", "foo.bar"),
        ("foo\uff0fbar", None),
        ("foo\uff20bar", None),
        ("foo\uff1abar", None),
        ("foo\uff03bar", None),
        ("foo\uff1fbar", None),
        ("\uff0541.example", None),
        ("\u00ad", None),
        ("a\u200db", None),
        ("\u00e9" * 64, None),
    ],
)
def test_u7_names_in_other_scripts(host: str, expected: str | None) -> None:
    wanted = REFUSED if expected is None else f"http://{expected}/"
    assert destination(f"http://{host}/") == wanted


async def test_u8_user_info_goes_nowhere_but_into_its_field(serve: Any) -> None:
    ok = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    async with serve((Repeat(ReadRequest(), Send(ok)),)) as (session, server):
        url = str(session.base_url).replace("http://", "http://u:SECRET@")
        response = await session.get(url)
        shown = [repr(response), str(response.url), str(response.real_url)]
        shown += [repr(response.request_info), str(response.request_info.real_url)]
        with pytest.raises(wayfare.ClientResponseError) as caught:
            response.raise_for_status()
        shown += [str(caught.value), repr(caught.value)]
    assert not [text for text in shown if "SECRET" in text]
    request = server.peers[0].requests[0]
    assert request.get("authorization") == "Basic dTpTRUNSRVQ="
    assert "SECRET" not in f"{request.target} {request.get('host')} {request.get('referer')}"


def test_u9_a_trailing_dot_makes_another_host_everywhere() -> None:
    dotted, plain = prepare("http://h./"), prepare("http://h/")
    assert dotted.target != plain.target
    assert dotted.target.authority == "h."


@pytest.mark.parametrize("reference", ["//evil/x", "//evil", "///x", "\\\\evil\\x"])
def test_u10_a_path_leads_nowhere_else(reference: str) -> None:
    base = URL("http://h/api/")
    try:
        prepared = prepare_url(join_url(base, reference))
    except wayfare.InvalidURL:
        return
    assert prepared.target.host == "h"


def test_u10_another_origin_is_asked_for_in_full() -> None:
    assert prepare_url(join_url(URL("http://h/api/"), "http://other/x")).target.host == "other"


# What browsers do otherwise, and why not so here. (what, here, in browsers)
DIFFERENCES = (
    # Tabs and line breaks are dropped there: two readers of one text would see two hosts.
    ("http://example\t.\norg/", REFUSED, "http://example.org/"),
    # A backslash is a slash there, and a character here.
    ("http://h/a\\b", "http://h/a%5Cb", "http://h/a/b"),
    ("http:\\\\x:9\\path", REFUSED, "http://x:9/path"),
    # Slashes after the scheme can be left out there, or doubled.
    ("http:foo.com", REFUSED, "http://foo.com/"),
    ("http:////h/", REFUSED, "http://h/"),
    # Hosts are percent-decoded there.
    ("http://%65xample.com/", REFUSED, "http://example.com/"),
    ("http://%EF%BC%85%EF%BC%94%EF%BC%91.com/", REFUSED, REFUSED),
    # Numbers are IPv4 addresses there, in every base and with every number of parts.
    ("http://0x7f.1/", REFUSED, "http://127.0.0.1/"),
    ("http://2130706433/", REFUSED, "http://127.0.0.1/"),
    # Names need not have the form of DNS names there, nor here; what DNS refuses is refused when it is looked up.
    ("http://a_b/", "http://a_b/", "http://a_b/"),
    ("http://a.b-.co/", "http://a.b-.co/", "http://a.b-.co/"),
    # A space in a query is %20 there, and a plus here, as in forms.
    ("http://h/?a b", "http://h/?a+b", "http://h/?a%20b"),
    # What is encoded without need is decoded here, and left there.
    ("http://h/%7Ea?%41", "http://h/~a?A", "http://h/%7Ea?%41"),
    # A percent sign that encodes nothing is encoded here, and left there.
    ("http://h/%zz", "http://h/%25zz", "http://h/%zz"),
    # IPv6 addresses have zones here (RFC 6874), which stay at home.
    ("http://[fe80::1%25eth0]/", "http://[fe80::1]/", REFUSED),
    ("http://[::127.0.0.1]/", "http://[::7f00:1]/", "http://[::7f00:1]/"),
    # Port 0 is a port there.
    ("http://h:0/", REFUSED, "http://h:0/"),
    # Spaces round a URL are dropped there; here only before it.
    ("  http://h/", "http://h/", "http://h/"),
)


@pytest.mark.parametrize(("text", "here", "_browsers"), DIFFERENCES)
def test_u11_differences_from_browsers(text: str, here: str, _browsers: str) -> None:
    assert destination(text) == here


# -- encoded=True -----------------------------------------------------------------------------------------------------


def test_a_url_that_is_encoded_already_is_sent_as_it_is() -> None:
    url = URL("http://h/%7Ea%2Fb?x=%41+%20&y=a%2Bb", encoded=True)
    assert prepare_url(join_url(None, url)).path == "/%7Ea%2Fb?x=%41+%20&y=a%2Bb"


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"k": "a b&c"}, "x=%41&k=a+b%26c"),
        ([("k", 1), ("k", 2)], "x=%41&k=1&k=2"),
        ("raw=%7E&plus=+", "x=%41&raw=%7E&plus=+"),
    ],
)
def test_params_are_added_to_a_url_that_is_encoded_already(params: Any, query: str) -> None:
    """What was there stays as it was; what is added is encoded."""
    url = with_params(URL("http://h/%7Ea?x=%41#%7E", encoded=True), params)
    prepared = prepare_url(url)
    assert prepared.path == f"/%7Ea?{query}"
    assert prepared.real_url.raw_fragment == "%7E"


async def test_r3_what_cannot_stand_in_a_request_line_is_refused(serve: Any) -> None:
    """Also where the caller says that it is encoded already."""
    async with serve((ReadRequest(),)) as (session, server):
        url = URL(f"{session.base_url}a b", encoded=True)
        with pytest.raises(ValueError, match="request line"):
            await session.get(url)
        assert session.connector.stats().leased == 0
    assert not [request for peer in server.peers for request in peer.requests]
