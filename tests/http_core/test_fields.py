"""`FieldBlock`: what may be sent as a field, and how it is written and looked up (R4, R5, R7, H24, H25)."""

import enum
from collections.abc import Callable
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_http_core import EMPTY_FIELDS, FieldBlock, RequestHead, encode_request_head
from wayfare_http_core._fields import encode_field

TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CONTROLS = [chr(n) for n in range(0x20) if n != 9] + ["\x7f"]


# --- Names.


def test_every_token_character_may_stand_in_a_name() -> None:
    """R4."""
    line = encode_field(TOKEN_CHARACTERS, "x")
    assert line == TOKEN_CHARACTERS.encode("ascii") + b": x\r\n"


@pytest.mark.parametrize("character", sorted({chr(n) for n in range(256)} - set(TOKEN_CHARACTERS)))
def test_no_other_character_may(character: str) -> None:
    """R4: at the beginning, within and at the end."""
    for name in (character, f"{character}A", f"A{character}B", f"A{character}"):
        with pytest.raises(ValueError, match="is not a token"):
            FieldBlock({name: "x"})


@pytest.mark.parametrize(
    "name", ["", "\u212aeep", "\u0131f", "\u010a", "A\u0000", "\ud800", "\U0001d400"]
)
def test_no_name_outside_ascii(name: str) -> None:
    """R4, H24."""
    with pytest.raises(ValueError, match="is not a token"):
        encode_field(name, "x")


@pytest.mark.parametrize("name", ["__proto__", "__class__", "self", "Close", "constructor", "0"])
def test_no_name_is_special(name: str) -> None:
    """H25."""
    block = FieldBlock({name: "x"})
    assert block.encoded == name.encode() + b": x\r\n"
    assert block.get(name) == "x"
    assert block.plain


# --- Values.


@pytest.mark.parametrize("character", CONTROLS)
@pytest.mark.parametrize("make", [str, str.encode, lambda text: memoryview(text.encode())])
def test_no_control_character_in_a_value(character: str, make: Callable[[str], object]) -> None:
    """R4: a value cannot end its line, whatever it was made of."""
    for value in (character, f"{character}a", f"a{character}b", f"a{character}"):
        with pytest.raises(ValueError, match="contains a control character") as caught:
            FieldBlock({"A": make(value)})
        assert "'A'" in str(caught.value)


def test_values_are_utf_8() -> None:
    """R5: one rule for all of them."""
    assert FieldBlock({"A": "h\u00e9llo \u20ac \U0001f600\t!"}).encoded == (
        "A: h\u00e9llo \u20ac \U0001f600\t!\r\n".encode()
    )


@pytest.mark.parametrize(
    "text", ["\u010a", "\u010d", "\u560a", "\u2028", "\x85", "\uff0a", "\u0d0a"]
)
def test_no_character_is_cut_to_its_low_octet(text: str) -> None:
    """R5: U+010A is not a line feed (CVE-2022-31150)."""
    encoded = FieldBlock({"A": f"x{text}Injected: y"}).encoded
    assert encoded == f"A: x{text}Injected: y\r\n".encode()
    assert encoded.count(b"\n") == encoded.count(b"\r") == 1


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC0A, 0xDC0D, 0xDC7F, 0xDFFF])
def test_lone_surrogates_are_refused(code: int) -> None:
    """R5: also those that `surrogateescape` would turn into control characters."""
    with pytest.raises(ValueError, match="lone surrogate"):
        FieldBlock({"A": f"a{chr(code)}b"})


@given(st.binary(max_size=40))
def test_octets_go_out_as_they_came(octets: bytes) -> None:
    """R5: whether given as bytes or as the text of a received field."""
    sendable = bytes(octet for octet in octets if octet >= 0x20 and octet != 0x7F).strip(b" ")
    text = sendable.decode("utf-8", "surrogateescape")
    for value in (sendable, bytearray(sendable), memoryview(sendable), text):
        block = FieldBlock([("A", value)])
        assert block.encoded == b"A: " + sendable + b"\r\n"
        assert block.get("a") == text


@given(
    st.text(st.sampled_from(TOKEN_CHARACTERS + " :\r\n\u212a"), max_size=8), st.text(max_size=20)
)
def test_a_field_is_one_line_or_an_error(name: str, value: str) -> None:
    """R4, R5: nothing else can come out."""
    try:
        encoded = FieldBlock([(name, value)]).encoded
    except ValueError:
        return
    own, colon, rest = encoded.partition(b":")
    assert (own.decode("ascii"), colon) == (name, b":")
    assert rest.endswith(b"\r\n")
    assert not set(rest[:-2]) & {0x00, 0x0A, 0x0D}


def test_white_space_around_a_value_is_not_sent() -> None:
    """RFC 9110 section 5.5: only SP and HTAB are; other white space is content."""
    assert FieldBlock({"A": " \tx y\t "}).encoded == b"A: x y\r\n"
    assert FieldBlock({"A": ""}).encoded == b"A: \r\n"
    assert FieldBlock({"A": "\xa0x\u3000"}).encoded == "A: \xa0x\u3000\r\n".encode()


class Number(enum.IntEnum):
    SEVEN = 7


class Text(str):
    """A subclass of str, as enums and multidict have them."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (-1, "-1"),
        (2**70, str(2**70)),
        (Number.SEVEN, "7"),
        (HTTPStatus.OK, "200"),
        (Text("t"), "t"),
    ],
)
def test_what_else_is_a_value(value: object, text: str) -> None:
    """R4."""
    assert FieldBlock({"A": value}).get("A") == text


@pytest.mark.parametrize("value", [None, True, False, 1.5, ["a"], {"a": 1}, object()])
def test_what_is_none(value: object) -> None:
    """R4: what `str` makes of an object is seldom what a server wants."""
    with pytest.raises(TypeError, match="str, bytes or int"):
        FieldBlock({"A": value})


def test_a_class_that_writes_itself_is_checked_as_text() -> None:
    """R4: what counts is what would be sent."""

    class Sly(int):
        def __str__(self) -> str:
            return "1\r\nInjected: yes"

    with pytest.raises(ValueError, match="control character"):
        FieldBlock({"A": Sly(1)})


# --- Blocks.


def test_fields_keep_their_order_case_and_number() -> None:
    pairs = [("B", "1"), ("a", "2"), ("b", "3"), ("A", "4")]
    for fields in (pairs, CIMultiDict(pairs), CIMultiDictProxy(CIMultiDict(pairs)), iter(pairs)):
        block = FieldBlock(fields)
        assert block.encoded == b"B: 1\r\na: 2\r\nb: 3\r\nA: 4\r\n"
        assert block.pairs == tuple(pairs)
        assert block.names == {"a", "b"}
        assert len(block) == 4
        assert (block.get("A"), block.getall("B")) == ("2", ["1", "3"])
        assert (block.get("c"), block.getall("c")) == (None, [])


def test_names_are_looked_up_in_ascii_only() -> None:
    """H24: U+212A is a `k` for `str.lower`, U+0130 nearly an `i`."""
    block = FieldBlock({"Keep-Alive": "5", "If-Match": "x"})
    assert block.get("KEEP-ALIVE") == "5"
    assert block.get("\u212aeep-alive") is None
    assert block.getall("\u212aeep-alive") == []
    assert block.get("\u0130f-match") is None


def test_options_are_the_elements_of_a_list() -> None:
    block = FieldBlock([("Connection", "Close, ,TE"), ("connection", "\tUpgrade ,")])
    assert block.options("CONNECTION") == ["close", "te", "upgrade"]
    assert block.options("te") == []


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "content-length",
        "Content-Type",
        "EXPECT",
        "Host",
        "Transfer-Encoding",
        "Upgrade",
    ],
)
def test_what_manages_the_connection_is_not_plain(name: str) -> None:
    assert not FieldBlock({"A": "x", name: "1"}).plain
    assert FieldBlock({"A": "x", f"X-{name}": "1"}).plain


def test_no_fields() -> None:
    assert (EMPTY_FIELDS.encoded, EMPTY_FIELDS.pairs, len(EMPTY_FIELDS)) == (b"", (), 0)
    assert EMPTY_FIELDS.plain
    assert FieldBlock({}).names == frozenset()


def test_a_block_shows_names_and_no_values() -> None:
    """Values may be credentials."""
    block = FieldBlock({"Authorization": "Basic c2VjcmV0", "A": "b"})
    assert repr(block) == "<FieldBlock ['Authorization', 'A']>"


@pytest.mark.parametrize("first", ["Host", "HOST", "hOsT"])
@pytest.mark.parametrize("name", ["Host", "Content-Length"])
def test_a_second_host_or_length_is_found_in_any_case(first: str, name: str) -> None:
    """R7: the block keeps both, so that the head is refused and neither is chosen silently."""
    own = first if name == "Host" else name.swapcase()
    block = FieldBlock([(own, "1"), (name.lower(), "1")])
    with pytest.raises(ValueError, match=r"more than one Host|must be one number"):
        encode_request_head(RequestHead("GET", "http", "h", "/", block), 1)
