"""`parse_field_section`: fields without a start line, as strict as those of a head (H9 to H15)."""

import pytest
from wayfare_http_core import (
    BadHttpMessage,
    HeadLimits,
    InvalidHeader,
    LineTooLong,
    parse_field_section,
)


def test_fields() -> None:
    fields = parse_field_section(b"Content-Type: text/plain\r\nX-A:1\r\nx-a: \t2 \r\nEmpty:")
    assert list(fields.items()) == [
        ("Content-Type", "text/plain"),
        ("X-A", "1"),
        ("x-a", "2"),
        ("Empty", ""),
    ]
    assert fields.getall("X-A") == ["1", "2"]
    assert len(parse_field_section(b"")) == 0


def test_octets_of_other_encodings() -> None:
    fields = parse_field_section(b"A: \xc3\xa9\r\nB: \xe9")
    assert fields["A"] == "é"
    assert fields["B"].encode("utf-8", "surrogateescape") == b"\xe9"


def test_folded_lines_are_joined() -> None:
    fields = parse_field_section(b"A: one;\r\n\t two\r\nB: 3")
    assert dict(fields) == {"A": "one; two", "B": "3"}


@pytest.mark.parametrize(
    "section",
    [
        b"A",
        b": x",
        b"A : x",
        b" A: x",
        b"A: x\x00",
        b"A: x\ny",
        b"A: x\ry",
        b"A: x\r\n",
        b"\xe9: x",
    ],
)
def test_what_is_no_field_is_refused(section: bytes) -> None:
    with pytest.raises(InvalidHeader):
        parse_field_section(section)


def test_limits() -> None:
    limits = HeadLimits(field_line=20, fields=3, head=50)
    assert len(parse_field_section(b"A: 1\r\nB: 2\r\nC: 3", limits)) == 3
    with pytest.raises(BadHttpMessage, match="more than 3 field lines"):
        parse_field_section(b"A: 1\r\nB: 2\r\nC: 3\r\nD: 4", limits)
    with pytest.raises(BadHttpMessage, match="more than 1 field lines"):
        parse_field_section(b"A: 1\r\nB: 2", HeadLimits(fields=1))
    assert len(parse_field_section(b"A: 1\r\n 2", HeadLimits(fields=2))) == 1
    with pytest.raises(LineTooLong):
        parse_field_section(b"A: " + b"x" * 18, limits)
    with pytest.raises(BadHttpMessage, match="more than 50 octets"):
        parse_field_section(b"\r\n".join([b"A: 0123456789abcdef"] * 3), limits)
