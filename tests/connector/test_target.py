"""The pool's key: everything that makes two connections different, and nothing else (L12, T7)."""

import copy
import pickle
import ssl

import pytest
from wayfare_connector import Fingerprint, Pool, Proxy, Target, TLSContextRef
from wayfare_http_core import BasicAuth
from yarl import URL

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
OTHER_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PIN = Fingerprint(b"1" * 32)


def targets() -> dict[str, Target]:
    """Each differs from every other one in something that a connection depends on."""
    return {
        "plain": Target("http", "example.com"),
        "plain on the port of TLS": Target("http", "example.com", 443),
        "TLS": Target("https", "example.com"),
        "TLS on the port of plain": Target("https", "example.com", 80),
        "another host": Target("https", "example.org"),
        "a trailing dot (U9)": Target("https", "example.com."),
        "a subdomain": Target("https", "www.example.com"),
        "another port": Target("https", "example.com", 8443),
        "not verified (T6)": Target("https", "example.com", ssl=False),
        "a context": Target("https", "example.com", ssl=CONTEXT),
        "an equal context": Target("https", "example.com", ssl=OTHER_CONTEXT),
        "another name to verify": Target("https", "example.com", server_hostname="example.org"),
        "that and not verified": Target(
            "https", "example.com", ssl=False, server_hostname="example.org"
        ),
        "a local address": Target("http", "example.com", local_addr=("127.0.0.1", 0)),
        "another local address": Target("http", "example.com", local_addr=("127.0.0.2", 0)),
        "another local port": Target("http", "example.com", local_addr=("127.0.0.1", 1)),
        "TLS from a local address": Target("https", "example.com", local_addr=("127.0.0.1", 0)),
        "IPv4": Target("http", "127.0.0.1"),
        "IPv6": Target("http", "::1"),
        "IPv6 that holds IPv4": Target("http", "::ffff:127.0.0.1"),
        "link-local": Target("http", "fe80::1%eth0"),
        "link-local elsewhere": Target("http", "fe80::1%eth1"),
        "a fingerprint (T5)": Target("https", "example.com", ssl=PIN),
        "another fingerprint": Target("https", "example.com", ssl=Fingerprint(b"2" * 32)),
        "that for another name": Target(
            "https", "example.com", ssl=PIN, server_hostname="example.org"
        ),
        **{f"http by {name}": Target("http", "example.com", proxy=p) for name, p in proxies()},
        **{f"https by {name}": Target("https", "example.com", proxy=p) for name, p in proxies()},
        "ws by a proxy (a tunnel)": Target("ws", "example.com", proxy=Proxy("http://p")),
        "not verified by a proxy": Target(
            "https", "example.com", ssl=False, proxy=Proxy("http://p")
        ),
        "another host by a proxy": Target("http", "example.org", proxy=Proxy("http://p")),
        "the proxy itself": Target("http", "p"),
        "the proxy itself, with TLS": Target("https", "p"),
    }


def proxies() -> list[tuple[str, Proxy]]:
    """Each differs from every other one in something that the way through it depends on (P7)."""
    return [
        ("a proxy", Proxy("http://p")),
        ("another proxy", Proxy("http://q")),
        ("a proxy at another port", Proxy("http://p:3128")),
        ("a user", Proxy("http://u@p")),
        ("a user with a password", Proxy("http://u:one@p")),
        ("a user with another password", Proxy("http://u:two@p")),
        ("another user", Proxy("http://v:one@p")),
        ("another scheme of credentials", Proxy("http://p", auth="Bearer one")),
        ("a field for the proxy", Proxy("http://p", headers={"X-Team": "one"})),
        ("another value of it", Proxy("http://p", headers={"X-Team": "two"})),
        ("TLS with the proxy", Proxy("https://p:80")),
        ("TLS not verified (T12)", Proxy("https://p:80", ssl=False)),
        ("TLS by a context", Proxy("https://p:80", ssl=CONTEXT)),
        ("TLS by an equal context", Proxy("https://p:80", ssl=OTHER_CONTEXT)),
        ("TLS by a fingerprint", Proxy("https://p:80", ssl=PIN)),
        ("TLS for another name", Proxy("https://p:80", server_hostname="q")),
        ("SOCKS 5", Proxy("socks5://p:80")),
        ("SOCKS 5, names there", Proxy("socks5h://p:80")),
        ("SOCKS 5 for a user", Proxy("socks5://u:one@p:80")),
        ("SOCKS 5 with another password", Proxy("socks5://u:two@p:80")),
        ("SOCKS 4", Proxy("socks4://p:80")),
        ("SOCKS 4, names there", Proxy("socks4a://p:80")),
        ("a chain", Proxy("http://p", via="http://q")),
        ("a chain the other way round", Proxy("http://q", via="http://p")),
        ("a chain with a password", Proxy("http://p", via="http://u:one@q")),
    ]


@pytest.mark.parametrize("name", targets())
def test_l12_p7_t5_t6_t7_n11_these_must_not_share_a_connection(name: str) -> None:
    """Not as keys, and not in a pool that has an idle connection for each of the others."""
    one = targets()[name]
    pool = Pool[object](limit=0)
    for other_name, other in targets().items():
        if other_name == name:
            continue
        assert one != other, other_name
        assert len({one: 1, other: 2}) == 2, other_name
        ticket, _ = pool.request(other, 0.0)
        connection = object()
        pool.fill(ticket, connection, 0.0)
        pool.idle(connection, 0.0)
    assert pool.lease(one, 1.0) is None
    assert pool.stats().idle == len(targets()) - 1


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Target("http", "example.com"), Target("http", "EXAMPLE.com", 80)),
        (Target("http", "example.com"), Target("ws", "example.com")),
        (Target("https", "example.com"), Target("wss", "example.com", 443)),
        (Target("http", "bücher.example"), Target("http", "xn--bcher-kva.example")),
        (Target("http", "[::1]"), Target("http", "0::1")),
        (Target("https", "a.example", ssl=CONTEXT), Target("https", "a.example", ssl=CONTEXT)),
        (
            Target("https", "a.example", server_hostname="B.example"),
            Target("https", "a.example", server_hostname="b.example"),
        ),
        (
            Target("http", "a.example", proxy=Proxy("http://u:p@proxy.example:80")),
            Target(
                "http", "a.example", proxy=Proxy("http://PROXY.example", auth=BasicAuth("u", "p"))
            ),
        ),
        (
            Target("https", "a.example", ssl=PIN),
            Target("https", "a.example", ssl=Fingerprint(b"1" * 32)),
        ),
        # Without TLS its settings mean nothing.
        (Target("http", "a.example"), Target("http", "a.example", ssl=False)),
        (Target("http", "a.example"), Target("http", "a.example", server_hostname="b")),
    ],
)
def test_l12_these_share_a_connection(one: Target, two: Target) -> None:
    assert one == two
    assert hash(one) == hash(two)


def test_a_target_equals_no_other_kind() -> None:
    assert Target("http", "a.example") != "http://a.example"


@pytest.mark.parametrize(
    ("target", "authority"),
    [
        (Target("http", "example.com"), "example.com"),
        (Target("http", "example.com", 443), "example.com:443"),
        (Target("https", "example.com"), "example.com"),
        (Target("https", "example.com", 80), "example.com:80"),
        (Target("http", "::1"), "[::1]"),
        (Target("http", "::1", 8080), "[::1]:8080"),
        (Target("http", "fe80::1%eth0"), "[fe80::1]"),
    ],
)
def test_the_authority_is_that_of_a_host_field(target: Target, authority: str) -> None:
    assert target.authority == authority


def test_limits_count_by_host_port_and_tls() -> None:
    assert Target("https", "a.example", ssl=False).limit_key == ("a.example", 443, True)
    assert Target("ws", "a.example").limit_key == ("a.example", 80, False)


def test_it_is_made_from_a_url_without_its_user() -> None:
    url = URL("https://user:secret@Example.com:8443/path?query#fragment")
    target = Target.from_url(url, ssl=False, server_hostname="b", local_addr=("::1", 0))
    assert target == Target(
        "https", "example.com", 8443, ssl=False, server_hostname="b", local_addr=("::1", 0)
    )
    assert "secret" not in repr(target)
    with pytest.raises(ValueError, match="not a scheme"):
        Target.from_url(URL("/relative"))


@pytest.mark.parametrize("port", [0, -1, 65536, True, "80", 80.0])
def test_a_bad_port_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match="not a port"):
        Target("http", "a.example", port)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="not a scheme"):
        Target("ftp", "a.example")
    with pytest.raises(ValueError, match="not a host"):
        Target("http", "a example")
    with pytest.raises(TypeError, match="must be a bool, an SSLContext or"):
        Target("https", "a.example", ssl=None)  # type: ignore[arg-type]  # the mistake tested


def test_it_cannot_be_changed() -> None:
    target = Target("http", "a.example")
    with pytest.raises(AttributeError, match="immutable"):
        target.port = 81
    with pytest.raises(AttributeError, match="immutable"):
        del target.port


@pytest.mark.parametrize("target", targets().values(), ids=targets().keys())
def test_it_pickles_with_a_reference_in_place_of_a_context(target: Target) -> None:
    copied = pickle.loads(pickle.dumps(target))
    assert copied == target.detached()
    assert copied.authority == target.authority
    assert not isinstance(copied.ssl, ssl.SSLContext)
    assert copy.deepcopy(copied) == copied


def test_t7_references_tell_contexts_apart() -> None:
    one = Target("https", "a.example", ssl=CONTEXT).detached()
    two = Target("https", "a.example", ssl=OTHER_CONTEXT).detached()
    assert one != two
    assert one.ssl == TLSContextRef(id(CONTEXT))
    assert one.detached() is one


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Target("http", "a.example"), "<Target http://a.example:80>"),
        (Target("https", "::1"), "<Target https://[::1]:443>"),
        (Target("https", "a.example", ssl=False), "<Target https://a.example:443 ssl=False>"),
        (Target("https", "a", ssl=CONTEXT), "<Target https://a:443 ssl=<context>>"),
        (
            Target("https", "a", server_hostname="b", local_addr=("::1", 0)),
            "<Target https://a:443 server_hostname='b' local_addr=('::1', 0)>",
        ),
    ],
)
def test_its_repr_says_what_it_is(target: Target, text: str) -> None:
    assert repr(target) == text


def test_it_knows_an_address() -> None:
    assert Target("http", "::1").is_ip_literal
    assert not Target("http", "a.example").is_ip_literal
