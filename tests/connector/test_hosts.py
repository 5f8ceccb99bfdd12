"""Hosts: one spelling each, nothing that means two things (N9, U2, U3, U5, U9)."""

import pytest
from wayfare_connector._hosts import is_ip_literal, name_fault, normalise_host, without_zone


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.Com", "example.com"),
        ("example.com.", "example.com."),
        ("a_b.example", "a_b.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("255.249.99.0", "255.249.99.0"),
        ("1.2.3.4x", "1.2.3.4x"),
        ("0xg", "0xg"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("2001:DB8::00A", "2001:db8::a"),
        ("::FFFF:7f00:1", "::ffff:127.0.0.1"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1"),
        ("[FE80::1%eth0]", "fe80::1%eth0"),
    ],
)
def test_l12_u9_each_host_has_one_spelling(given: str, normal: str) -> None:
    assert normalise_host(given) == normal
    assert normalise_host(normal) == normal


@pytest.mark.parametrize(
    "host",
    [
        "",
        "[]",
        "a b",
        "a\tb",
        "a\nb",
        "a\r\nHost: evil",
        "a\0.example",
        "a\x7f",
        "a/b",
        "a\\b",
        "a@b",
        "a?b",
        "a#b",
        "a%2fb",
        "a%00",
        "[a",
        "::1]",
        "1::2::3",
        "fe80::1%",
        "fe80::1%a/b",
        "fe80::1%a%b",
        "a:b",
    ],
)
def test_u2_u3_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        normalise_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "0x7f000001",
        "0x7f.0.0.1",
        "0x",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.1.",
        "1.2.3.4.5",
        "256.1.1.1",
        "example.0x7f",
        "example.1",
        "\uff11\uff12\uff17\u3002\uff11",
    ],
)
def test_u5_ipv4_in_other_spellings_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="not an IPv4 address"):
        normalise_host(host)


@pytest.mark.parametrize(
    ("host", "literal"),
    [("127.0.0.1", True), ("::1", True), ("fe80::1%3", True), ("example.com", False)],
)
def test_n9_literals_are_known(host: str, literal: bool) -> None:
    assert is_ip_literal(host) is literal


def test_a_zone_is_taken_off() -> None:
    assert without_zone("fe80::1%eth0") == "fe80::1"
    assert without_zone("example.com") == "example.com"


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("example.com", None),
        ("example.com.", None),
        ("a" * 63 + ".example", None),
        (".".join(["a" * 49] * 5) + ".abc", None),
        (".".join(["a" * 49] * 5) + ".abc.", None),
        ("a" * 64 + ".example", "label"),
        (".".join(["a" * 49] * 5) + ".abcd", "longer than 253"),
        ("a..example", "empty label"),
        (".example", "empty label"),
        (".", "empty label"),
    ],
)
def test_n9_names_that_cannot_be_looked_up(host: str, fault: str | None) -> None:
    found = name_fault(host)
    assert found is None if fault is None else fault in str(found)
