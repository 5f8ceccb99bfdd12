"""`Proxy` as a value: what it takes, what it keeps to itself, what tells two of them apart (P)."""

import copy
import pickle
import ssl
from typing import Any

import pytest
from wayfare_connector import ClientConnectorError, Proxy, Target, as_proxy
from wayfare_http_core import BasicAuth
from yarl import URL

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PLAIN = "http://proxy.example"


@pytest.mark.parametrize(
    ("url", "port", "tls", "socks", "resolves"),
    [
        ("http://proxy.example", 80, False, False, True),
        ("https://proxy.example", 443, True, False, True),
        ("http://proxy.example:3128/", 3128, False, False, True),
        ("socks4://proxy.example", 1080, False, True, False),
        ("socks4a://proxy.example", 1080, False, True, True),
        ("socks5://proxy.example", 1080, False, True, False),
        ("socks5h://proxy.example:9", 9, False, True, True),
    ],
)
def test_p13_each_kind_has_its_port_and_its_habits(
    url: str, port: int, tls: bool, socks: bool, resolves: bool
) -> None:
    proxy = Proxy(url)
    assert (proxy.host, proxy.port) == ("proxy.example", port)
    assert (proxy.target.host, proxy.target.port) == ("proxy.example", port)
    assert (proxy.target.is_ssl, proxy.is_socks, proxy.resolves_names) == (tls, socks, resolves)
    assert proxy == Proxy(URL(url))


@pytest.mark.parametrize(
    ("url", "auth", "value"),
    [
        ("http://u:p@proxy.example", None, "Basic dTpw"),
        ("http://u%40:%C3%BC@proxy.example", None, "Basic dUA6w7w="),
        ("http://u@proxy.example", None, "Basic dTo="),
        ("http://proxy.example", BasicAuth("u", "p"), "Basic dTpw"),
        ("http://other:word@proxy.example", BasicAuth("u", "p"), "Basic dTpw"),
        ("http://proxy.example", "Bearer token", "Bearer token"),
        ("http://proxy.example", None, None),
    ],
)
def test_credentials_of_an_http_proxy_are_a_field(
    url: str, auth: BasicAuth | str | None, value: str | None
) -> None:
    proxy = Proxy(url, auth=auth, headers={"X-Hop": "1"})
    assert proxy.fields.get("proxy-authorization") == value
    assert proxy.fields.get("X-Hop") == "1"
    assert (proxy.username, proxy.password) == (None, None)


def test_credentials_of_a_socks_proxy_are_a_user_and_a_password() -> None:
    proxy = Proxy("socks5://u%40x:p%3Aw@proxy.example")
    assert (proxy.username, proxy.password) == ("u@x", "p:w")
    assert not proxy.fields
    other = Proxy("socks5://u:p@proxy.example", auth=BasicAuth("a", "b"))
    assert (other.username, other.password) == ("a", "b")
    older = Proxy("socks4a://u@proxy.example")
    assert (older.username, older.password) == ("u", None)


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("proxy.example:3128", {}, "unknown kind of proxy|not the URL"),
        ("//proxy.example", {}, "unknown kind of proxy ''"),
        ("ftp://u:secret@proxy.example", {}, "unknown kind of proxy 'ftp'"),
        ("http://u:secret@proxy.example/path", {}, "has no path"),
        ("http://u:secret@proxy.example?query", {}, "has no path"),
        ("http://u:secret@proxy.example#fragment", {}, "has no path"),
        ("http://u:secret@", {}, "not the URL of a proxy"),
        ("http://u:secret@proxy.example:99999", {}, "not the URL of a proxy"),
        ("http://u:secret@exa mple", {}, "not the URL of a proxy"),
        ("socks5://proxy.example", {"auth": "Bearer secret"}, "give it a BasicAuth"),
        ("socks5://proxy.example", {"headers": {"A": "secret"}}, "no header fields"),
        ("socks5://secret@proxy.example", {}, "the password has 0"),
        ("socks5h://secret:@proxy.example", {}, "the password has 0"),
        ("socks5h://:secret@proxy.example", {}, "the user has 0"),
        ("socks5://:@proxy.example", {}, "the user has 0"),
        ("socks5://proxy.example", {"auth": BasicAuth("secret")}, "the password has 0"),
        ("socks5://" + "secret" * 50 + ":p@proxy.example", {}, "the user has 300"),
        (
            "socks5://u:" + "secret" * 50 + "@proxy.example",
            {},
            "1 to 255 octets .* password has 300",
        ),
        ("socks4://u:secret@proxy.example", {}, "SOCKS 4 has users and no passwords"),
        ("socks4a://:secret@proxy.example", {}, "SOCKS 4 has users and no passwords"),
        ("socks4://sec%00ret@proxy.example", {}, "must not contain NUL"),
        (PLAIN, {"headers": {"Host": "secret"}}, "has its own host"),
        (PLAIN, {"headers": {"Transfer-Encoding": "chunked"}}, "its own transfer-encoding"),
        (
            PLAIN,
            {"headers": {"Proxy-Authorization": "secret"}, "auth": "Basic secret"},
            "given twice",
        ),
    ],
)
def test_p14_p15_what_is_no_proxy_is_refused_in_words_without_secrets(
    url: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        Proxy(url, **options)
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_it_is_no_number() -> None:
    with pytest.raises(TypeError, match="a URL or a str, not int"):
        Proxy(3128)  # type: ignore[arg-type]  # the mistake tested


def different() -> dict[str, Proxy]:
    return {
        "plain": Proxy(PLAIN),
        "another host": Proxy("http://other.example"),
        "another port": Proxy("http://proxy.example:3128"),
        "over TLS": Proxy("https://proxy.example:80"),
        "TLS unverified": Proxy("https://proxy.example:80", ssl=False),
        "TLS by a context": Proxy("https://proxy.example:80", ssl=CONTEXT),
        "TLS by another name": Proxy("https://proxy.example:80", server_hostname="b.example"),
        "SOCKS": Proxy("socks5://proxy.example:80"),
        "SOCKS with names": Proxy("socks5h://proxy.example:80"),
        "SOCKS with a user": Proxy("socks5://u:p@proxy.example:80"),
        "SOCKS with another password": Proxy("socks5://u:q@proxy.example:80"),
        "credentials": Proxy("http://u:p@proxy.example"),
        "other credentials": Proxy("http://u:q@proxy.example"),
        "fields": Proxy(PLAIN, headers={"X-Hop": "1"}),
        "other fields": Proxy(PLAIN, headers={"X-Hop": "2"}),
        "through another": Proxy(PLAIN, via="http://first.example"),
        "through a third": Proxy(PLAIN, via="http://third.example"),
    }


def test_p7_l12_no_two_of_these_are_the_same_and_no_two_targets_behind_them() -> None:
    proxies = list(different().values())
    assert len(set(proxies)) == len(proxies)
    targets = [Target("http", "a.example", proxy=proxy) for proxy in (None, *proxies)]
    assert len(set(targets)) == len(targets)
    assert targets[1] == Target("http", "a.example", proxy=Proxy(PLAIN))
    assert proxies[0] != PLAIN


def test_a_tunnel_is_another_connection() -> None:
    proxy = Proxy(PLAIN)
    given = Target("http", "a.example", proxy=proxy)
    assert not given.tunnels
    assert not Target("http", "a.example", tunnel=True).tunnels
    tunnelled = [
        Target("http", "a.example", proxy=proxy, tunnel=True),
        Target("ws", "a.example", proxy=proxy),
    ]
    assert tunnelled[0] == tunnelled[1]
    assert tunnelled[0].tunnels
    assert given not in tunnelled
    assert Target("https", "a.example", proxy=proxy).tunnels
    assert Target("http", "a.example", proxy=Proxy("socks5://p.example")).tunnels
    assert Target.from_url(URL("wss://a.example"), proxy=proxy).tunnels


@pytest.mark.parametrize("proxy", different().values(), ids=different().keys())
def test_p15_it_keeps_its_secrets_and_its_targets_do(proxy: Proxy) -> None:
    target = Target("https", "a.example", proxy=proxy)
    exc = ClientConnectorError(target, OSError("no"))
    for text in (repr(proxy), repr(target), repr(exc), str(exc), repr(vars(exc))):
        assert "Basic" not in text
        assert ":p@" not in text
    assert exc.connection_key is not None
    kept = exc.connection_key.proxy
    assert kept is not None
    assert not kept.fields
    assert (kept.username, kept.password) == (None, None)
    assert pickle.loads(pickle.dumps(target)) == target.detached()
    assert copy.deepcopy(target.detached()) == target.detached()
    assert pickle.loads(pickle.dumps(proxy)) == proxy.detached()


def test_its_repr_says_where_it_is() -> None:
    proxy = Proxy("socks5h://u:p@[::1]:9050", via="http://first.example")
    assert repr(proxy) == "<Proxy socks5h://[::1]:9050 via <Proxy http://first.example:80>>"
    target = Target("http", "a.example", proxy=Proxy(PLAIN))
    assert repr(target) == "<Target http://a.example:80 proxy=<Proxy http://proxy.example:80>>"


def test_it_cannot_be_changed() -> None:
    proxy = Proxy(PLAIN)
    with pytest.raises(AttributeError, match="immutable"):
        proxy.host = "other.example"
    with pytest.raises(AttributeError, match="immutable"):
        del proxy.host


def test_an_argument_is_a_proxy_or_describes_one() -> None:
    proxy = Proxy(PLAIN, auth="Basic x")
    assert as_proxy(proxy) is proxy
    assert as_proxy(PLAIN, auth="Basic x") == proxy
    assert as_proxy(URL(PLAIN), headers={"Proxy-Authorization": "Basic x"}) == proxy
    assert as_proxy("https://p.example", ssl=False).ssl is False
    for beside in ({"auth": "Basic y"}, {"headers": {"A": "b"}}, {"ssl": False}):
        with pytest.raises(ValueError, match="says by itself"):
            as_proxy(proxy, **beside)


def test_p8_a_proxy_with_other_credentials() -> None:
    """P8: all else stays."""
    proxy = Proxy(
        "https://old:secret@p.example", headers={"X-Key": "k"}, ssl=False, via="http://v.example"
    )
    assert proxy.is_authorized
    other = proxy.authorized("Bearer new")
    assert other == Proxy(
        "https://p.example",
        auth="Bearer new",
        headers={"X-Key": "k"},
        ssl=False,
        via="http://v.example",
    )
    assert other.is_authorized
    assert not Proxy("http://p.example", headers={"X-Key": "k"}).is_authorized
    assert Proxy("socks5://u:p@p.example").is_authorized
    assert not Proxy("socks5://p.example").is_authorized
    with pytest.raises(ValueError, match="give it a BasicAuth"):
        Proxy("socks5://p.example").authorized("Basic x")
