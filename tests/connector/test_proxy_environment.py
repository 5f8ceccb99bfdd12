"""The proxies that the environment names (P10, P14, P15)."""

import pickle
import traceback

import pytest
from wayfare_connector import EnvironmentProxies, ProxyVariableError, current_proxies
from yarl import URL

PROXY = "http://proxy.example:3128"


def chosen(
    variables: dict[str, str], scheme: str = "http", host: str = "example.com"
) -> URL | None:
    return EnvironmentProxies(variables).proxy_for(scheme, host, 80)


@pytest.mark.parametrize(
    ("scheme", "variable"),
    [
        ("http", "http_proxy"),
        ("http", "HTTP_PROXY"),
        ("http", "all_proxy"),
        ("http", "ALL_PROXY"),
        ("https", "https_proxy"),
        ("https", "HTTPS_PROXY"),
        ("https", "ALL_PROXY"),
        ("ws", "ws_proxy"),
        ("ws", "WS_PROXY"),
        ("ws", "http_proxy"),
        ("ws", "ALL_PROXY"),
        ("wss", "wss_proxy"),
        ("wss", "WSS_PROXY"),
        ("wss", "HTTPS_PROXY"),
        ("wss", "all_proxy"),
    ],
)
def test_a_variable_for_a_scheme(scheme: str, variable: str) -> None:
    assert chosen({variable: PROXY}, scheme) == URL(PROXY)


@pytest.mark.parametrize(
    ("scheme", "variable"),
    [
        ("http", "https_proxy"),
        ("https", "http_proxy"),
        ("http", "ws_proxy"),
        ("ws", "https_proxy"),
        ("wss", "http_proxy"),
    ],
)
def test_variables_of_other_schemes(scheme: str, variable: str) -> None:
    assert chosen({variable: PROXY}, scheme) is None


def test_the_more_special_variable_wins() -> None:
    variables = {"ALL_PROXY": "http://all:1", "HTTP_PROXY": "http://http:1", "ws_proxy": PROXY}
    assert chosen(variables, "ws") == URL(PROXY)
    assert chosen(variables, "http") == URL("http://http:1")
    assert chosen(variables, "https") == URL("http://all:1")


def test_the_lower_case_wins() -> None:
    """P10: also where it is empty, which switches the other one off."""
    assert chosen({"http_proxy": PROXY, "HTTP_PROXY": "http://other:1"}) == URL(PROXY)
    assert chosen({"http_proxy": "", "HTTP_PROXY": "http://other:1"}) is None
    assert chosen({"http_proxy": " ", "all_proxy": PROXY}) == URL(PROXY)
    both = {"http_proxy": PROXY, "no_proxy": "", "NO_PROXY": "*"}
    assert chosen(both) == URL(PROXY)


def test_httpoxy() -> None:
    """P10, CVE-2016-1000110: in a CGI program a visitor chooses HTTP_PROXY."""
    assert chosen({"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"}) is None
    assert chosen({"http_proxy": PROXY, "REQUEST_METHOD": "GET"}) == URL(PROXY)
    assert chosen({"HTTPS_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "https") == URL(PROXY)


def test_no_proxy() -> None:
    variables = {"ALL_PROXY": PROXY, "NO_PROXY": "example.com,192.0.2.0/24"}
    assert chosen(variables, "https") is None
    assert chosen(variables, "http", "192.0.2.9") is None
    assert chosen(variables, "http", "example.org") == URL(PROXY)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example", "http://proxy.example"),
        ("user:pass@proxy.example:1", "http://user:pass@proxy.example:1"),
        ("192.0.2.1:80", "http://192.0.2.1:80"),
        ("[::1]:3128", "http://[::1]:3128"),
        ("https://proxy.example", "https://proxy.example"),
        ("socks5h://proxy.example:1080", "socks5h://proxy.example:1080"),
        ("socks4a://proxy.example:1080/", "socks4a://proxy.example:1080/"),
        (" http://proxy.example/ ", "http://proxy.example/"),
    ],
)
def test_values(text: str, url: str) -> None:
    assert chosen({"http_proxy": text}) == URL(url)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://", "no URL"),
        ("http://user:secret@", "no URL"),
        ("http://user:secret@proxy.example:port", "no URL"),
        ("http://user:secret@127.1:80", "no URL"),
        ("http://user:secret@proxy.example/path", "path"),
        ("http://user:secret@proxy.example?q", "path"),
        ("http://user:secret@proxy.example#f", "path"),
        ("ftp://user:secret@proxy.example", "unknown kind 'ftp'"),
    ],
)
def test_bad_values(text: str, reason: str) -> None:
    """P14, P15: the error names the variable and what is wrong with it, and no password."""
    with pytest.raises(ProxyVariableError, match=reason) as caught:
        chosen({"HTTP_PROXY": text})
    told = traceback.format_exception(caught.value)
    assert "secret" not in "".join(told) + repr(caught.value)
    assert caught.value.variable == "HTTP_PROXY"
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.variable) == (str(caught.value), "HTTP_PROXY")


def test_bad_values_that_are_not_used_harm_nobody() -> None:
    variables = {"http_proxy": "ftp://x", "https_proxy": PROXY, "no_proxy": "direct.example"}
    assert chosen(variables, "https") == URL(PROXY)
    assert chosen(variables, "http", "direct.example") is None


def test_the_environment_is_read_again_when_it_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.delenv("no_proxy", raising=False)
    first = current_proxies()
    assert first.proxy_for("http", "example.com", 80) is None
    monkeypatch.setenv("UNRELATED", "1")
    assert current_proxies() is first
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    second = current_proxies()
    assert second.proxy_for("http", "example.com", 80) == URL(PROXY)
    assert current_proxies() is second
    monkeypatch.delenv("HTTP_PROXY")
    assert current_proxies().proxy_for("http", "example.com", 80) is None
