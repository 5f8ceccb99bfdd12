"""Media types: read as far as they are well-formed, never raising, in linear time."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import MediaType, parse_media_type

from tests.cpu_time import takes_less


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
        assert takes_less(0.2, partial(parse_media_type, value + end))


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        ("text/html; a=b;", ()),
        ("text/html; a=b; ;c=d", ()),
        ("text/html; a=b; A=b", ("parameter 'a' is repeated",)),
        ("text/html; a=b; c=d e", ("nothing is read from '; c=d e' on",)),
        ('text/html; a="\xe4', ("nothing is read from '; a=\"\\xe4' on",)),
    ],
)
def test_what_was_not_read_is_told(value: str, problems: tuple[str, ...]) -> None:
    """A value says itself what is missing from it."""
    media_type = parse_media_type(value)
    assert media_type is not None
    assert media_type.problems == problems
    assert media_type == MediaType("text", "html", dict(media_type.parameters))


def test_h27_parameters_and_problems_are_counted() -> None:
    """H27: a peer decides neither how many parameters are kept nor how many complaints."""
    media_type = parse_media_type("a/b" + "".join(f";p{n}=v" for n in range(1000)))
    assert media_type is not None
    assert len(media_type.parameters) == 64
    assert media_type.problems == (
        "nothing is read from ';p64=v;p65=v;p66=v;p67=v;p68=v;p69=v;p70...' on",
    )
    media_type = parse_media_type("a/b" + 1000 * ";c=d" + "x y")
    assert media_type is not None
    assert media_type.parameters == {"c": "d"}
    assert len(media_type.problems) == 32
    assert media_type.problems[-1].startswith("nothing is read")


def test_parameters_cannot_be_changed() -> None:
    given = {"charset": "utf-8"}
    media_type = MediaType("text", "html", given)
    given["charset"] = "latin1"
    assert media_type.parameters == {"charset": "utf-8"}
    assert not hasattr(media_type.parameters, "__setitem__")
    assert MediaType("text", "html").parameters == {}


@pytest.mark.parametrize(
    ("media_type", "value"),
    [
        (MediaType("text", "html"), "text/html"),
        (MediaType("text", "html", {"charset": "utf-8"}), "text/html; charset=utf-8"),
        (
            MediaType("multipart", "mixed", {"boundary": "a b", "type": 'x"\\'}),
            r'multipart/mixed; boundary="a b"; type="x\"\\"',
        ),
        (MediaType("a", "b", {"c": "", "d": "x/y;z=1"}), 'a/b; c=""; d="x/y;z=1"'),
    ],
)
def test_encode(media_type: MediaType, value: str) -> None:
    assert media_type.encode() == value
    assert parse_media_type(value) == media_type


@pytest.mark.parametrize(
    "media_type",
    [
        MediaType("", "html"),
        MediaType("text", ""),
        MediaType("text", "html\r\nX: y"),
        MediaType("text/x", "html"),
        MediaType("t\xe4xt", "html"),
        MediaType("a", "b", {"": "c"}),
        MediaType("a", "b", {"c*": "d"}),
        MediaType("a", "b", {"c d": "e"}),
        MediaType("a", "b", {"c": "\u010a"}),
        *(MediaType("a", "b", {"c": f"d{control}"}) for control in "\r\n\0\x1f\x7f"),
    ],
)
def test_what_has_no_representation_is_refused(media_type: MediaType) -> None:
    with pytest.raises(ValueError, match=r"no media type|parameter"):
        media_type.encode()


TOKENS = st.text("abcXYZ019!#$%&'+-.^_`|~", min_size=1, max_size=8)
VALUES = st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20), max_size=20)


@given(TOKENS, TOKENS, st.dictionaries(TOKENS.map(str.lower), VALUES, max_size=5))
def test_round_trip(type_: str, subtype: str, parameters: dict[str, str]) -> None:
    encoded = MediaType(type_, subtype, parameters).encode()
    assert parse_media_type(encoded) == MediaType(type_.lower(), subtype.lower(), parameters)
