"""Hosts and paths: C8, C9, C11, C13."""

import pytest
from wayfare_cookies._match import (
    canonical_host,
    default_path,
    domain_match,
    is_numeric_host,
    path_match,
)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("EXAMPLE.com", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("example.com.", "example.com."),
        ("localhost", "localhost"),
        ("::1", "::1"),
        ("a_b.example", "a_b.example"),
        ("", None),
        (".", None),
        (".example.com", None),
        ("a..example", None),
        ("example..", None),
        ("a\udce9.example", None),
        ("é..com", None),
        ("\uff45xample.com", "example.com"),
        ("日本。jp", "xn--wgv71a.jp"),
    ],
)
def test_canonical_host_c11(host: str, expected: str | None) -> None:
    assert canonical_host(host) == expected


@pytest.mark.parametrize(
    ("host", "numeric"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1.", True),
        ("127.1", True),
        ("2130706433", True),
        ("0x7f000001", True),
        ("0x", True),
        ("1.0xff", True),
        ("0177.0.0.1", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("a.1", True),
        ("1.a", False),
        ("a.1b", False),
        ("0xyz", False),
        ("example.com", False),
        ("3com.example", False),
        ("localhost", False),
        ("", False),
        (".", False),
        ("a.0\u0661", False),
    ],
)
def test_what_names_an_address_c9(host: str, numeric: bool) -> None:
    assert is_numeric_host(host) is numeric


@pytest.mark.parametrize(
    ("host", "domain", "matches"),
    [
        ("example.com", "example.com", True),
        ("www.example.com", "example.com", True),
        ("a.b.example.com", "example.com", True),
        ("badexample.com", "example.com", False),
        ("example.com", "www.example.com", False),
        ("example.com.", "example.com", False),
        ("www.example.com.", "example.com.", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "0.0.1", False),
        ("127.0.0.1", "1", False),
        ("10.0x1", "0x1", False),
        ("::ffff:1.2.3.4", "2.3.4", False),
    ],
)
def test_domain_match_is_label_aligned_and_never_for_addresses_c9(
    host: str, domain: str, matches: bool
) -> None:
    assert domain_match(host, domain) is matches


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/"),
        ("x", "/"),
        ("*", "/"),
        ("/", "/"),
        ("/x", "/"),
        ("/x/", "/x"),
        ("/x/y", "/x"),
        ("/x//y", "/x/"),
        ("/a/b/c", "/a/b"),
    ],
)
def test_default_path_c13(path: str, expected: str) -> None:
    assert default_path(path) == expected


@pytest.mark.parametrize(
    ("request_path", "cookie_path", "matches"),
    [
        ("/", "/", True),
        ("/a", "/", True),
        ("/a", "/a", True),
        ("/a/", "/a", True),
        ("/a/b", "/a", True),
        ("/a/b", "/a/", True),
        ("/a", "/a/", False),
        ("/ab", "/a", False),
        ("/b", "/a", False),
        ("/A", "/a", False),
        ("/%61", "/a", False),
    ],
)
def test_path_match_c13(request_path: str, cookie_path: str, matches: bool) -> None:
    assert path_match(request_path, cookie_path) is matches
