"""Fields on their way out: the rules R4 and R5."""

import pytest
from wayfare_http_core import FieldBlock, RequestHead, encode_request_head

HEAD = RequestHead("POST", "http", "example.com", "/")
CTL = [*(chr(octet) for octet in range(0x20) if octet != 0x09), "\x7f"]


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a:", "a\r\n", "a\n", "é", "\u212aey", "a\x00", "(a)", "a/b", *CTL]
)
def test_r4_names(name: str) -> None:
    """R4: names are tokens."""
    with pytest.raises(ValueError, match="not a token"):
        FieldBlock([(name, "v")])


@pytest.mark.parametrize("character", CTL)
def test_r4_values(character: str) -> None:
    """R4: no control character except HTAB, whatever type the value has."""
    for value in (f"a{character}b", character, f"a{character}", f"a{character}b".encode()):
        with pytest.raises(ValueError, match="control character"):
            FieldBlock([("Name", value)])
    with pytest.raises(ValueError, match="control character"):
        encode_request_head(HEAD, 0, content_type=f"text/plain{character}")


def test_r4_types() -> None:
    """R4: text, octets and whole numbers; nothing is turned into text by accident."""
    fields = [("S", "a\tb"), ("B", b"c"), ("A", bytearray(b"d")), ("M", memoryview(b"e")), ("I", 5)]
    assert FieldBlock(fields).encoded == b"S: a\tb\r\nB: c\r\nA: d\r\nM: e\r\nI: 5\r\n"
    for value in (None, True, 1.5, ["a"], object()):
        with pytest.raises(TypeError, match="str, bytes or int"):
            FieldBlock([("Name", value)])


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        ("é", b"\xc3\xa9"),
        ("\u010a", b"\xc4\x8a"),
        ("\u560a\u560d", b"\xe5\x98\x8a\xe5\x98\x8d"),
        ("\U0001f600", b"\xf0\x9f\x98\x80"),
        (b"\xe9", b"\xe9"),
        ("\udce9", b"\xe9"),
        (b"\xff\xfe", b"\xff\xfe"),
        ("  v\t", b"v"),
        ("", b""),
    ],
)
def test_r5_values_are_utf_8(value: object, octets: bytes) -> None:
    """R5: one rule; a character is never cut to its low octet, and received octets go out unchanged."""
    assert FieldBlock([("A", value)]).encoded == b"A: " + octets + b"\r\n"


@pytest.mark.parametrize("value", ["\ud800", "a\udfff"])
def test_r5_lone_surrogates(value: str) -> None:
    """R5: those that stand for no octet are refused."""
    with pytest.raises(ValueError, match="lone surrogate"):
        FieldBlock([("A", value)])


def test_fields_can_be_looked_up() -> None:
    """And their values do not show."""
    block = FieldBlock([("Connection", "a, B"), ("X", "secret"), ("connection", "c")])
    assert len(block) == 3
    assert block.get("x") == "secret"
    assert block.get("y") is None
    assert block.getall("CONNECTION") == ["a, B", "c"]
    assert block.options("Connection") == ["a", "b", "c"]
    assert block.names == {"connection", "x"}
    assert not block.plain
    assert FieldBlock({"A": "b"}).plain
    assert "secret" not in repr(block)
    assert repr(RequestHead("GET", "http", "h", "/?token=secret")) == "<RequestHead GET http://h>"
