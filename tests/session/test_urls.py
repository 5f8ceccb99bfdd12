"""URLs of requests: base, parameters, what is refused, and what goes on the wire."""

from typing import Any

import pytest
import wayfare
from wayfare._urls import check_base_url, join_url, prepare_url, with_params
from wayfare_http_core import FieldBlock
from yarl import URL


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"a": 1, "b": 2.5}, "a=1&b=2.5"),
        ({"flag": True, "off": False}, "flag=true&off=false"),
        ({"gone": None, "kept": ""}, "kept="),
        ([("k", "1"), ("k", "2")], "k=1&k=2"),
        ({"k": ["1", 2, None]}, "k=1&k=2"),
        ({"k": ("a b", "c+d", "e&f")}, "k=a+b&k=c%2Bd&k=e%26f"),
        ("k=a+b", "k=a+b"),
        ("k=%31", "k=%31"),
        ("k=путь", "k=%D0%BF%D1%83%D1%82%D1%8C"),
        ("a=b c+d", "a=b+c+d"),
        ("q=é+1", "q=%C3%A9+1"),
        ("a=%41 b%zz%", "a=%41+b%25zz%25"),
        ("a+b#c", "a+b%23c"),
        ("a=\r\n", "a=%0D%0A"),
        ({"gone": None}, ""),
    ],
)
def test_parameters(params: Any, query: str) -> None:
    assert with_params(URL("http://h/p"), params).raw_query_string == query


@pytest.mark.parametrize("params", [{"b": "2"}, "b=2"])
def test_parameters_are_added_to_those_of_the_url(params: Any) -> None:
    url = with_params(URL("http://u:p@h:81/p/%2F?a=1#f"), params)
    assert str(url) == "http://u:p@h:81/p/%2F?a=1&b=2#f"


def test_an_empty_str_adds_nothing() -> None:
    assert with_params(URL("http://h/p?a=1"), "") == URL("http://h/p?a=1")


@pytest.mark.parametrize("bad", [{"k": object()}, {"k": b"octets"}, [("k", {"a": 1})]])
def test_a_parameter_without_a_text_form_is_named(bad: Any) -> None:
    with pytest.raises(TypeError, match="parameter 'k' must be"):
        with_params(URL("http://h/"), bad)


def test_what_is_percent_encoded_stays_so_once() -> None:
    """The example of the design: decoding and encoding again as yarl does."""
    prepared = prepare_url(URL("http://example.com/путь%30?a=%31"))
    assert prepared.path == "/%D0%BF%D1%83%D1%82%D1%8C0?a=1"


def test_a_base_must_be_absolute_and_end_with_a_slash() -> None:
    assert check_base_url(None) is None
    assert check_base_url("http://h/api/") == URL("http://h/api/")
    with pytest.raises(wayfare.InvalidURL, match="absolute"):
        check_base_url("/api/")
    with pytest.raises(ValueError, match="end with '/'"):
        check_base_url(URL("http://h/api"))


@pytest.mark.parametrize(
    ("url", "joined"),
    [
        ("x", "http://h/api/x"),
        ("/x", "http://h/x"),
        ("?q=1", "http://h/api/?q=1"),
        ("http://other/y", "http://other/y"),
        (URL("z"), "http://h/api/z"),
    ],
)
def test_joining_follows_rfc_3986(url: Any, joined: str) -> None:
    assert str(join_url(URL("http://h/api/"), url)) == joined


def test_u10_a_path_cannot_change_the_origin() -> None:
    """U10: `//evil` looks like a path and leads elsewhere."""
    with pytest.raises(wayfare.InvalidUrlClientError):
        prepare_url(join_url(URL("http://h/api/"), "//evil/x"))


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("relative", wayfare.InvalidUrlClientError, "not absolute"),
        ("http:///x", wayfare.InvalidUrlClientError, "http:"),
        ("http://", wayfare.InvalidUrlClientError, "http:"),
        ("http://h:0/", wayfare.InvalidUrlClientError, "port"),
        ("http://h:99999/", wayfare.InvalidUrlClientError, "99999"),
        ("ftp://h/", wayfare.NonHttpUrlClientError, "not a URL for an HTTP client"),
        ("file:///etc/passwd", wayfare.InvalidUrlClientError, "file:"),
        ("http://user:secret@[::1/", wayfare.InvalidUrlClientError, "http:"),
    ],
)
def test_urls_that_no_request_can_go_to(url: str, error: type[Exception], words: str) -> None:
    """U4, U8: said before anything is sent, without user info."""
    with pytest.raises(error, match=words) as caught:
        prepare_url(join_url(None, url))
    assert isinstance(caught.value, wayfare.ClientError)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:se/cret@host:99999/",
        "http://user:sec#ret@host:99999/",
        "http://user:sec ret@host:99999/",
        "http://user:secret@host:99999/",
        "user:secret@host/",
        "http://user:secret@ex℀mple.com/",
        "http://us%3Aer:secret@host/",
        "http://user:se%0Acret@host/",
        "ftp://user:secret@host/",
        "http://user:secret@127.1/",
    ],
)
def test_u8_no_message_shows_a_password(url: str) -> None:
    """U8, Y10: not in the message, nor in what it was raised from."""
    with pytest.raises(wayfare.ClientError) as caught:
        prepare_url(join_url(None, url))
    error: BaseException | None = caught.value
    while error is not None:
        for text in (str(error), repr(error)):
            assert "secret" not in text
            assert "cret" not in text.replace("secret", "")
        error = error.__cause__


def test_connect_is_not_for_sessions() -> None:
    with pytest.raises(ValueError, match="asks for a tunnel"):
        prepare_url(URL("http://h/")).head("CONNECT", FieldBlock())


def test_a_url_of_another_type_is_named() -> None:
    with pytest.raises(TypeError, match="not int"):
        join_url(None, 5)  # type: ignore[arg-type]  # what the check is for


def test_invalid_url_keeps_its_parts_and_hides_credentials() -> None:
    error = wayfare.InvalidURL("http://u:secret@h/x", "why")
    assert (error.url, error.description) == ("http://h/x", "why")
    assert str(error) == "http://h/x - why"
    assert str(wayfare.InvalidURL("http://h/")) == "http://h/"
    assert isinstance(error, ValueError)


def test_user_info_becomes_a_credential_and_leaves_the_url() -> None:
    """U8: neither target nor Host nor request_info carry it."""
    prepared = prepare_url(URL("http://al:p%40ss@h/x#frag"))
    assert prepared.authorization == "Basic YWw6cEBzcw=="
    assert str(prepared.url) == "http://h/x"
    assert str(prepared.real_url) == "http://h/x#frag"
    assert prepared.target.authority == "h"


def test_the_usual_head_is_made_once() -> None:
    fields = FieldBlock([("Accept", "*/*")])
    prepared = prepare_url(URL("http://h/x"))
    usual = prepared.usual_head("GET", fields)
    assert prepared.usual_head("GET", fields) is usual
    assert prepared.usual_head("POST", fields).method == "POST"
    assert prepared.usual_head("POST", FieldBlock()).fields is not fields


@pytest.mark.parametrize("text", ["http://", "http:", "http:x", "https:/x", "mailto:x", "item:1"])
def test_u4_what_has_a_scheme_is_not_relative_to_the_base_url(text: str) -> None:
    with pytest.raises(wayfare.InvalidUrlClientError, match="no host"):
        prepare_url(join_url(URL("http://h/base/"), text))
