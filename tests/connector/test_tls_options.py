"""The arguments for TLS, new and old: what they mean, and which exclude each other."""

import ssl
import warnings
from typing import Any

import pytest
from wayfare_connector import Fingerprint, TCPConnector, read_tls_options

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PIN = Fingerprint(bytes(32))


@pytest.mark.parametrize("setting", [None, True, False, CONTEXT, PIN])
def test_the_new_argument_means_what_it_says(setting: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_tls_options(setting) is setting


@pytest.mark.parametrize("ssl_", [None, True])
@pytest.mark.parametrize(
    ("old", "meaning"),
    [
        ({"verify_ssl": True}, None),
        ({"verify_ssl": False}, False),
        ({"ssl_context": CONTEXT}, CONTEXT),
        ({"fingerprint": bytes(32)}, PIN),
        ({"fingerprint": bytes(20)}, Fingerprint.of_any_length(bytes(20))),
        ({"fingerprint": bytes(16)}, Fingerprint.of_any_length(bytes(16))),
    ],
)
def test_the_arguments_of_old_work_and_warn(
    old: dict[str, Any], meaning: object, ssl_: bool | None
) -> None:
    with pytest.warns(DeprecationWarning, match=f"{next(iter(old))}= is old") as caught:
        setting = read_tls_options(ssl_, stacklevel=1, **old)
    assert setting == (ssl_ if meaning is None else meaning)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("old", "instead"),
    [
        ({"verify_ssl": True}, "verified anyway"),
        ({"verify_ssl": False}, "write ssl=False"),
        ({"ssl_context": CONTEXT}, "write ssl=… with the context"),
        ({"fingerprint": bytes(32)}, r"write ssl=Fingerprint\(…\)"),
    ],
)
def test_a_warning_says_what_to_write(old: dict[str, Any], instead: str) -> None:
    with pytest.warns(DeprecationWarning, match=instead):
        read_tls_options(**old)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"verify_ssl": False, "ssl_context": CONTEXT}, "verify_ssl and ssl_context"),
        ({"verify_ssl": False, "fingerprint": bytes(32)}, "verify_ssl and fingerprint"),
        ({"ssl_context": CONTEXT, "fingerprint": bytes(32)}, "ssl_context and fingerprint"),
        ({"ssl": False, "fingerprint": bytes(32)}, "ssl and fingerprint"),
        ({"ssl": CONTEXT, "ssl_context": CONTEXT}, "ssl and ssl_context"),
        ({"ssl": PIN, "verify_ssl": False}, "ssl and verify_ssl"),
    ],
)
def test_two_of_them_exclude_each_other(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=f"{named} exclude each other"):
        read_tls_options(**given)
    with pytest.raises(ValueError, match=f"{named} exclude each other"):
        TCPConnector(**given)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_verifying_stands_beside_what_says_how() -> None:
    assert read_tls_options(CONTEXT, verify_ssl=True) is CONTEXT
    assert read_tls_options(verify_ssl=True, fingerprint=bytes(32)) == PIN


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_values_of_another_kind_are_refused() -> None:
    with pytest.raises(TypeError, match="must be a bool, an SSLContext or a Fingerprint"):
        read_tls_options("yes")  # type: ignore[arg-type]  # the mistake tested
    with pytest.raises(TypeError, match="ssl_context must be an SSLContext, not str"):
        read_tls_options(ssl_context="yes")  # type: ignore[arg-type]  # the mistake tested
    with pytest.raises(ValueError, match="16, 20 or 32 bytes"):
        read_tls_options(fingerprint="ab")


def test_a_connector_takes_them_too() -> None:
    assert TCPConnector(ssl=PIN).ssl == PIN
    assert TCPConnector().ssl is True
    with pytest.warns(DeprecationWarning, match="verify_ssl= is old") as caught:
        assert TCPConnector(verify_ssl=False).ssl is False
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="fingerprint= is old"):
        assert TCPConnector(fingerprint=bytes(32)).ssl == PIN
    with pytest.warns(DeprecationWarning, match="ssl_context= is old"):
        assert TCPConnector(ssl_context=CONTEXT).ssl is CONTEXT
