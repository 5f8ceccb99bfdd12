"""Which proxy a URL needs: rules by patterns of hosts, and the suite for choosers of one's own."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from wayfare_connector import EnvironmentProxies, Proxy, ProxyRules, choose_proxy
from wayfare_connector.testing import FakeProxyChooser, check_proxy_chooser
from yarl import URL

RULES = {
    "https://secure.example": "http://for-tls:1",
    "direct.example, 192.0.2.9": None,
    "*.a.example": "http://names:2",
    "10.0.0.0/8": "http://network:3",
    "[2001:db8::7]:8443": "http://address:4",
    "bücher.example": "http://idn:5",
    "*": "socks5h://rest",
}


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://secure.example/", "for-tls"),
        ("wss://secure.example/", "rest"),
        ("http://secure.example/", "rest"),
        ("http://direct.example/", None),
        ("http://www.direct.example/", None),
        ("http://192.0.2.9/", None),
        ("http://a.example/", "names"),
        ("http://WWW.A.Example./", "names"),
        ("http://nota.example/", "rest"),
        ("http://10.1.2.3/", "network"),
        ("http://[::ffff:10.1.2.3]/", "network"),
        ("https://[2001:db8::7]:8443/", "address"),
        ("https://[2001:db8::7]/", "rest"),
        ("http://xn--bcher-kva.example/", "idn"),
        ("ws://else.example/", "rest"),
    ],
)
def test_p11_the_first_pattern_that_fits_counts(url: str, host: str | None) -> None:
    proxy = ProxyRules(RULES)(URL(url))
    assert (proxy and proxy.host) == host


def test_without_a_pattern_that_fits_it_is_the_direct_way() -> None:
    assert ProxyRules({"a.example": "http://p"})(URL("http://b.example")) is None
    assert ProxyRules({})(URL("http://b.example")) is None


def test_ports_are_those_of_the_scheme_where_none_is_given() -> None:
    rules = ProxyRules({"a.example:443": "http://p"})
    assert rules(URL("https://a.example/")) == rules(URL("wss://a.example/")) == Proxy("http://p")
    assert rules(URL("http://a.example/")) is None
    assert rules(URL("http://a.example:443/")) == Proxy("http://p")


@pytest.mark.parametrize(
    "pattern", ["", " ", "https://", "ftp://a", "a.example:x", "a b/c", "[::1"]
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"not a (pattern|scheme)"):
        ProxyRules({pattern: None})


def test_p14_p15_what_is_no_proxy_is_refused_at_once_and_without_its_password() -> None:
    with pytest.raises(ValueError, match="unknown kind of proxy") as raised:
        ProxyRules({"*": "ftp://user:secret@proxy"})
    assert "secret" not in str(raised.value)
    with pytest.raises(TypeError, match="a proxy is a URL or a str, not int"):
        ProxyRules({"*": 3128})  # type: ignore[dict-item]  # what is refused
    assert repr(ProxyRules({"*": "http://user:secret@p"})) == "<ProxyRules 1 patterns>"


def test_a_chooser_sees_neither_user_nor_fragment() -> None:
    chooser = FakeProxyChooser({"a.example": "http://p"})
    url = URL("https://user:secret@a.example/path?query#fragment")
    assert choose_proxy(chooser, url) == Proxy("http://p")
    assert choose_proxy(chooser, URL("http://b.example/")) is None
    assert chooser.asked == [URL("https://a.example/path?query"), URL("http://b.example/")]


def test_an_answer_that_is_no_proxy_is_refused() -> None:
    with pytest.raises(TypeError, match="a proxy is a URL or a str"):
        choose_proxy(lambda _: 7, URL("http://h"))  # type: ignore[arg-type]  # what is refused
    with pytest.raises(ValueError, match="unknown kind"):
        choose_proxy(FakeProxyChooser({}, "gopher://p"), URL("http://h"))


async def test_an_answer_that_has_to_be_awaited_is_refused() -> None:
    """And nothing warns of a coroutine that was never awaited."""

    async def late(url: URL) -> None:
        """Nobody waits for it."""

    future = asyncio.get_running_loop().create_future()
    for chooser in (late, lambda _: future):
        with pytest.raises(TypeError, match="it cannot be async"):
            choose_proxy(chooser, URL("http://h"))  # type: ignore[arg-type]  # what is refused


# -- the suite


@pytest.mark.parametrize(
    "chooser",
    [
        ProxyRules(RULES),
        FakeProxyChooser({"direct.example": None}, URL("http://p")),
        EnvironmentProxies({"all_proxy": "http://u:p@proxy", "no_proxy": "direct.example"}),
        lambda url: None if url.host == "direct.example" else Proxy("http://p"),
    ],
)
def test_choosers_pass_their_suite(chooser: Any) -> None:
    check_proxy_chooser(chooser, proxied="http://else.example/", direct="https://direct.example/")


async def sleepy(url: URL) -> None:
    pass


def broken(answer: Any) -> Callable[[URL], Any]:
    return lambda url: answer


@pytest.mark.parametrize(
    ("chooser", "rule"),
    [
        (broken(3128), "the answer is a proxy or None, not int"),
        (broken("proxy:3128"), "the answer is a proxy: not the URL of a proxy"),
        (sleepy, "not coroutine"),
        (broken(None), "http://a.example/: there is a proxy for it"),
        (broken("http://p"), "http://b.example/: there is no proxy for it"),
    ],
)
def test_the_suite_finds_what_is_wrong(chooser: Any, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_proxy_chooser(chooser, proxied="http://a.example/", direct="http://b.example/")


def test_the_suite_needs_no_examples() -> None:
    check_proxy_chooser(ProxyRules({}))
