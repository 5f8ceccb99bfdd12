"""NO_PROXY: which hosts go without a proxy (P11, U6)."""

import pytest
from wayfare_connector import NoProxy, Target

from tests.cpu_time import takes_less


def goes_direct(text: str, host: str, port: int = 80) -> bool:
    return NoProxy(text).matches(Target("http", host, port).host, port)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("*", "anything.example"),
        ("*", "::1"),
        ("example.com", "example.com"),
        ("example.com", "EXAMPLE.com"),
        ("EXAMPLE.COM", "example.com"),
        ("example.com", "www.example.com"),
        (".example.com", "www.example.com"),
        (".example.com", "example.com"),
        ("*.example.com", "a.b.example.com"),
        ("*.example.com", "example.com"),
        ("example.com.", "example.com"),
        ("example.com", "example.com."),
        ("localhost", "localhost"),
        ("a.example, b.example", "b.example"),
        ("a.example b.example", "b.example"),
        (" a.example ,,\tb.example ", "b.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "www.bücher.example"),
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.0/24", "192.0.2.255"),
        ("192.0.2.9/24", "192.0.2.1"),
        ("::1", "::1"),
        ("[::1]", "[::1]"),
        ("2001:DB8::1", "2001:db8:0:0::1"),
        ("2001:db8::/32", "2001:db8:ffff::1"),
        ("[2001:db8::]/32", "2001:db8::1"),
        ("fe80::/10", "fe80::1%eth0"),
        ("fe80::1", "fe80::1%eth0"),
    ],
)
def test_what_goes_without_a_proxy(text: str, host: str) -> None:
    """P11: exact names, suffixes, the star, addresses, networks, brackets, spaces, IDNA on both sides."""
    assert goes_direct(text, host)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("", "example.com"),
        ("example.com", "badexample.com"),
        (".example.com", "badexample.com"),
        ("*.example.com", "badexample.com"),
        ("example.com", "example.com.evil.example"),
        ("www.example.com", "example.com"),
        ("ample.com", "example.com"),
        ("com.", "example.org"),
        ("192.0.2.7", "192.0.2.70"),
        ("2.7", "192.0.2.7.example"),
        ("192.0.2.0/24", "192.0.3.1"),
        ("192.0.2.0/24", "2001:db8::1"),
        ("::1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "localhost"),
        ("2001:db8::/32", "192.0.2.1"),
    ],
)
def test_what_goes_through_the_proxy(text: str, host: str) -> None:
    """P11: suffixes end at a label, and an address is no name."""
    assert not goes_direct(text, host)


def test_loopback_is_no_exception() -> None:
    """P11, the loopback rule: nothing goes without a proxy that nobody named."""
    assert not goes_direct("", "localhost")
    assert not goes_direct("", "127.0.0.1")
    assert not goes_direct("", "::1")


@pytest.mark.parametrize("host", ["fe80::1%eth0.example.com", "fe80::1%.example.com"])
def test_a_zone_is_no_name(host: str) -> None:
    """P11, CVE-2025-22870: what stands behind an address's percent sign is compared with nothing."""
    assert not goes_direct("example.com,*.example.com", host)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("192.0.2.7", "::ffff:192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.0/24", "::ffff:192.0.2.200"),
        ("::ffff:192.0.2.0/120", "192.0.2.200"),
        ("::ffff:192.0.2.0/120", "::ffff:192.0.2.200"),
    ],
)
def test_a_mapped_address_is_the_address(text: str, host: str) -> None:
    """U6, CVE-2026-44492: one machine, whichever family its address is written in."""
    assert goes_direct(text, host)


def test_a_wide_network_of_ipv6_holds_no_ipv4() -> None:
    assert not goes_direct("::/0", "192.0.2.1")
    assert goes_direct("::/0", "2001:db8::1")
    assert not goes_direct("::ffff:0.0.0.0/95", "192.0.2.1")


@pytest.mark.parametrize(
    ("text", "host", "port", "direct"),
    [
        ("example.com:8080", "example.com", 8080, True),
        ("example.com:8080", "www.example.com", 8080, True),
        ("example.com:8080", "example.com", 80, False),
        ("example.com:8080,example.com:81", "example.com", 81, True),
        ("example.com:8080,example.com", "example.com", 80, True),
        ("192.0.2.7:443", "192.0.2.7", 443, True),
        ("192.0.2.7:443", "192.0.2.7", 80, False),
        ("[::1]:443", "::1", 443, True),
        ("[::1]:443", "::1", 80, False),
        ("::1:443", "::1", 443, False),  # the address ::1:443
    ],
)
def test_a_port_of_an_entry(text: str, host: str, port: int, direct: bool) -> None:
    assert goes_direct(text, host, port) is direct


@pytest.mark.parametrize(
    "entry",
    [
        "example.com:http",
        "example.com:",
        "example.com:-1",
        "example.com:65536",
        "example.com:123456",
        "example.com:८०",
        "127.1",
        "0x7f000001",
        "192.0.2.0/33",
        "192.0.2.0/x",
        "::g",
        "[::1",
        "a/b",
        "*.",
        "http://example.com",
    ],
)
def test_what_cannot_be_read_matches_nothing(entry: str) -> None:
    """U5: a spelling that resolvers disagree about is no entry either; and nothing is lost silently."""
    listed = NoProxy(f"{entry},good.example")
    assert listed.unread == (entry,)
    assert listed.matches("good.example", 80)
    assert not listed.matches("example.com", 80)


def test_it_says_little_of_itself() -> None:
    assert repr(NoProxy("a.example,192.0.2.1")) == "<NoProxy 2 entries>"
    assert repr(NoProxy("*")) == "<NoProxy *>"


def test_many_entries_and_long_names_take_little_time() -> None:
    """U1: names are looked up label by label, not compared one by one."""
    listed = NoProxy(",".join(f"host{n}.example" for n in range(20_000)))
    name = ".".join(["a"] * 120)

    def ask() -> None:
        for _ in range(1000):
            assert not listed.matches(name, 80)

    assert takes_less(1, ask)
