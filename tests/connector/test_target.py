"""The pool's key: everything that makes two connections different, and nothing else (L12, T7)."""

import copy
import itertools
import pickle
import ssl

import pytest
from wayfare_connector import Target, TLSContextRef
from yarl import URL

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
OTHER_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


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
    }


PAIRS = list(itertools.combinations(targets().items(), 2))


@pytest.mark.parametrize(
    ("one", "two"),
    [pytest.param(a, b, id=f"{a_name} / {b_name}") for (a_name, a), (b_name, b) in PAIRS],
)
def test_l12_t6_t7_n11_these_must_not_share_a_connection(one: Target, two: Target) -> None:
    assert one != two
    assert len({one: 1, two: 2}) == 2


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
