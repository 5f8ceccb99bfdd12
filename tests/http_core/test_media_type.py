"""Media types: read as far as they are well-formed, never raising, in linear time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import MediaType, parse_media_type


@pytest.mark.parametrize(
    ("value", "essence", "parameters"),
    [
        ("text/html", "text/html", {}),
        ("TEXT/Html", "text/html", {}),
        (" \ttext/html\t ", "text/html", {}),
        ("application/vnd.api+json", "application/vnd.api+json", {}),
        ("text/html;charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        ("text/html ; Charset=utf-8 ; a=b", "text/html", {"charset": "utf-8", "a": "b"}),
        ('text/html; charset="utf-8"', "text/html", {"charset": "utf-8"}),
        (r'a/b; c="d\"e\\f;g"; h=i', "a/b", {"c": r'd"e\f;g', "h": "i"}),
        ('a/b; c=""', "a/b", {"c": ""}),
        ("a/b;", "a/b", {}),
        ("a/b;;; ;c=d", "a/b", {"c": "d"}),
        ("a/b; c=1; C=2", "a/b", {"c": "1"}),
        # What is malformed ends the reading.
        ("a/b; c", "a/b", {}),
        ("a/b; c=d e; f=g", "a/b", {}),
        ("a/b; c = d", "a/b", {}),
        ('a/b; c="d', "a/b", {}),
        ('a/b; c="d"e; f=g', "a/b", {}),
        ("a/b; c=d; =e; f=g", "a/b", {"c": "d"}),
    ],
)
def test_read(value: str, essence: str, parameters: dict[str, str]) -> None:
    media_type = parse_media_type(value)
    assert media_type is not None
    assert media_type.essence == essence
    main, _, subtype = essence.partition("/")
    assert media_type == MediaType(main, subtype, parameters)


@pytest.mark.parametrize(
    "value",
    ["", " ", "text", "text/", "/html", "a/b/c", "a b/c", "a/b c", "text/\xfcml", ";a=b", "*"],
)
def test_none(value: str) -> None:
    assert parse_media_type(value) is None


@given(st.text())
def test_never_raises(value: str) -> None:
    parse_media_type(value)
    parse_media_type("a/b;" + value)


@pytest.mark.parametrize(
    "piece", [" ", "\t", ";", "; ", "\\", '"', "a", "a=", 'a="\\', ";a=b", ';a="']
)
def test_h27_y3_linear_time(piece: str) -> None:
    """H27, Y3: a field as long as a head may have costs milliseconds, whatever fills it."""
    value = "a/b;" + 32_768 // len(piece) * piece
    for end in ("", "x", '"', "\x00"):
        start = time.process_time()
        parse_media_type(value + end)
        assert time.process_time() - start < 0.2
