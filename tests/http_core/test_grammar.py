"""The character sets of HTTP, and the bounds that carry numbers (H24)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import (
    DEFAULT_HEAD_LIMITS,
    MAX_CHUNK_EXTENSIONS,
    MAX_CHUNK_LINE,
    MAX_TRAILERS,
    HeadLimits,
)
from wayfare_http_core._grammar import is_digits, is_field_content, is_token, token_list

TCHAR = set(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize("octet", range(256))
def test_tchar_is_what_rfc_9110_lists(octet: int) -> None:
    """RFC 9110 section 5.6.2, for text and for octets, alone and at either end."""
    for text in (chr(octet), "a" + chr(octet), chr(octet) + "a"):
        assert is_token(text) is (octet in TCHAR)
        assert is_token(text.encode("latin-1")) is (octet in TCHAR)


def test_nothing_is_no_token() -> None:
    assert not is_token("")
    assert not is_token(b"")


@pytest.mark.parametrize("octet", range(256))
def test_field_content_is_all_but_control_characters(octet: int) -> None:
    """RFC 9110 section 5.5: HTAB, SP, VCHAR and obs-text."""
    allowed = octet == 9 or (octet >= 0x20 and octet != 0x7F)
    assert is_field_content("a" + chr(octet) + "b") is allowed
    assert is_field_content(chr(octet)) is allowed


def test_digits_are_those_of_ascii() -> None:
    assert is_digits("0123456789")
    for text in ("", "+5", "-1", "1_0", " 5", "5\n", "\u0663", "\u00b2", "0x1", "1.0"):
        assert not is_digits(text), text


@given(st.text(max_size=5))
def test_digits_are_what_int_reads_of_ascii_digits(text: str) -> None:
    assert is_digits(text) is (text != "" and set(text) <= set("0123456789"))


def test_a_list_is_spread_over_fields_and_has_no_empty_elements() -> None:
    """RFC 9110 section 5.6.1.2; only SP and HTAB are trimmed."""
    assert token_list(["a, B,,", " ,\tc\t", ""]) == ["a", "b", "c"]
    assert token_list(()) == []
    assert token_list(["\xa0chunked", "chunked\x0b", "x\x85"]) == [
        "\xa0chunked",
        "chunked\x0b",
        "x\x85",
    ]


def test_no_element_becomes_a_token_by_its_lower_case() -> None:
    """H24: U+212A KELVIN SIGN is a `k` to `str.lower`."""
    assert token_list(["chun\u212aed, KEEP-ALIVE"]) == ["chun\u212aed", "keep-alive"]


def test_the_bounds_are_the_documented_ones() -> None:
    """A change here changes what servers may send, and belongs into the changelog."""
    assert DEFAULT_HEAD_LIMITS._asdict() == {
        "start_line": 8190,
        "field_line": 32 * 1024,
        "fields": 256,
        "head": 128 * 1024,
        "informational": 10,
    }
    assert (MAX_CHUNK_LINE, MAX_CHUNK_EXTENSIONS, MAX_TRAILERS) == (4096, 16384, 16384)


def test_bounds_do_not_change_under_a_connection() -> None:
    limits = HeadLimits(fields=5)
    assert limits == HeadLimits(fields=5) != DEFAULT_HEAD_LIMITS
    with pytest.raises(AttributeError):
        setattr(limits, "fields", 6)  # noqa: B010 -- the type checker refuses the plain assignment
