"""Server names: what is asked for, and what is verified."""

import pytest
from wayfare_connector._tls import server_name, sni_name


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.Com", "example.com"),
        ("example.com.", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("bücher。example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("_service.example.com", "_service.example.com"),
        ("localhost", "localhost"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        (".".join(["a" * 49] * 5) + ".xyz", ".".join(["a" * 49] * 5) + ".xyz"),
    ],
)
def test_t3_a_name_is_its_a_labels_without_the_dot(host: str, name: str) -> None:
    assert server_name(host) == name
    assert sni_name(host) == name


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("::1", "::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("\uff11\uff12\uff17.0.0.1", "127.0.0.1"),
    ],
)
def test_t2_an_address_is_verified_but_never_sent(host: str, address: str) -> None:
    assert server_name(host) == address
    assert sni_name(host) is None


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("localhost\0.evil.example", id="nul"),
        pytest.param("127.0.0.1\0.evil.example", id="nul-after-address"),
        pytest.param("bücher\0.example", id="nul-in-u-label"),
        pytest.param("fe80::1%\0", id="nul-in-zone"),
        pytest.param("127.0.0.1%eth0", id="zone-of-ipv4"),
        pytest.param("", id="empty"),
        pytest.param(".", id="root"),
        pytest.param("example..com", id="empty-label"),
        pytest.param("example.com..", id="two-dots"),
        pytest.param(".example.com", id="leading-dot"),
        pytest.param("*.example.com", id="wildcard"),
        pytest.param("exa mple.com", id="space"),
        pytest.param("exa\r\nmple.com", id="line-break"),
        pytest.param("example.com\n", id="trailing-line-break"),
        pytest.param("a" * 64 + ".example", id="long-label"),
        pytest.param(".".join(["a" * 49] * 5) + ".wxyz", id="long-name"),
        pytest.param("ü" * 64 + ".example", id="long-u-label"),
        pytest.param("\u2024\u00a0", id="no-name-at-all"),
    ],
)
def test_t4_what_no_certificate_can_hold_is_an_error(host: str) -> None:
    with pytest.raises(ValueError, match="server name"):
        server_name(host)
    with pytest.raises(ValueError, match="server name"):
        sni_name(host)
