"""Tokens, quoted strings, extended values and continuations, as fields share them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import decode_ext_value, encode_ext_value, quote_string
from wayfare_http_core._parameters import (
    Fault,
    RawParameter,
    ascii_lower,
    format_parameter,
    join_sections,
    resolve_parameters,
    scan_parameters,
    unquote_pairs,
)


def scan(text: str, *, in_list: bool = False) -> list[tuple[str, str, Fault | None]]:
    raw, _ = scan_parameters(text, in_list=in_list)
    return [(each.name, each.value, each.fault) for each in raw]


def resolve(text: str, *, values_needed: bool = True) -> tuple[dict[str, list[str]], list[str]]:
    problems: list[str] = []
    raw, _ = scan_parameters(text)
    return resolve_parameters(raw, problems, values_needed=values_needed), problems


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", []),
        ("a=b", []),
        (";a=b", [("a", "b", None)]),
        ("; \ta \t=\t b \t", [("a", "b", None)]),
        (";A=B", [("a", "B", None)]),
        (';a="b"', [("a", "b", None)]),
        (r';a="b\"c\\d\e;,"; f=g', [("a", 'b"c\\de;,', None), ("f", "g", None)]),
        (';a=""', [("a", "", None)]),
        (";", [("", "", Fault.EMPTY)]),
        ("; ;a=b", [("", "", Fault.EMPTY), ("a", "b", None)]),
        (";a", [("a", "", Fault.NO_VALUE)]),
        (";a=;b=c", [("a", "", Fault.NO_VALUE), ("b", "c", None)]),
        (";a=b c", [("a", "b c", Fault.NO_TOKEN)]),
        (";a=b=c", [("a", "b=c", Fault.NO_TOKEN)]),
        (';a=b"c;d"', [("a", 'b"c', Fault.NO_TOKEN), ('d"', "", Fault.NO_VALUE)]),
        (';a="b', [("a", "b", Fault.UNCLOSED)]),
        (';a="b\\', [("a", "b", Fault.UNCLOSED)]),
        (';a="b;c=d', [("a", "b;c=d", Fault.UNCLOSED)]),
        (';a="b"c;d=e', [("a", "b", Fault.TRAILING), ("d", "e", None)]),
        (";=b", [("", "b", Fault.NAME)]),
        (";a b=c", [("a b", "c", Fault.NAME)]),
        (";\u212a=c", [("\u212a", "c", Fault.NAME)]),
        (";a=\xa0b", [("a", "\xa0b", Fault.NO_TOKEN)]),
        (";a\x85=b", [("a\x85", "b", Fault.NAME)]),
        (";a=b,c", [("a", "b,c", Fault.NO_TOKEN)]),
    ],
)
def test_m13_y2_scan(text: str, parameters: list[tuple[str, str, Fault | None]]) -> None:
    """M13, Y2: each parameter is cut out, whatever is wrong with it; only SP and HTAB are trimmed."""
    assert scan(text) == parameters


def test_scan_in_a_list() -> None:
    """A comma ends an element of a list, unless it is quoted."""
    assert scan_parameters(';a="b,c";d=e , f', in_list=True) == (
        [RawParameter("a", "b,c", None, True), RawParameter("d", "e", None)],
        13,
    )
    assert scan_parameters(";a,;b", in_list=True)[1] == 2
    assert scan_parameters("x;a=b", 1)[1] == 5


def test_h27_parameters_are_counted() -> None:
    """H27: the rest is skipped, and said to be."""
    text = "".join(f";p{n}=v" for n in range(1000))
    raw, end = scan_parameters(text)
    assert end == len(text)
    assert len(raw) == 65
    assert raw[-1].fault is Fault.TOO_MANY
    values, problems = resolve(text)
    assert len(values) == 64
    assert problems == ["parameter '' is number 65, and no more are read"]


@pytest.mark.parametrize(
    ("text", "values", "problems"),
    [
        (";a=b;c=d;a=e;", {"a": ["b", "e"], "c": ["d"]}, []),
        (";a=b c", {"a": ["b c"]}, ["parameter 'a' has a value that should be quoted"]),
        (';a="b', {"a": ["b"]}, ["parameter 'a' has a quoted string without an end"]),
        (';a="b"c', {"a": ["b"]}, ["parameter 'a' has text after its quoted string"]),
        (";a b=c", {}, ["parameter 'a b' has a name that is no token"]),
        (";a", {}, ["parameter 'a' has no value"]),
        # The extended value wins by definition, wherever it stands.
        (";a=b;a*=UTF-8''c;a=d", {"a": ["c"]}, []),
        (";a*=utf-8'en'%C3%A4", {"a": ["\xe4"]}, []),
        (";a=b;a*=x-none''c", {"a": ["b"]}, ["parameter 'a*' cannot be decoded"]),
        (";a=b;a*=\"utf-8''c\"", {"a": ["b"]}, ["parameter 'a*' is quoted"]),
        (";a*=utf-8''b;a*=utf-8''c", {"a": ["b"]}, ["parameter 'a*' is repeated"]),
        (";a*b=c", {}, ["parameter 'a*b' is neither plain nor extended"]),
        (";a*01=c", {}, ["parameter 'a*01' is neither plain nor extended"]),
        (";*=c", {}, ["parameter '*' is neither plain nor extended"]),
        # Continuations.
        (";a*0=b;a*1=c", {"a": ["bc"]}, []),
        (";a*1=c;a*0=b", {"a": ["bc"]}, []),
        (";a*0=b;a*0=c", {"a": ["b"]}, []),
        (";a*0*=utf-8''%C3;a*1*=%A4;a*2=.txt", {"a": ["\xe4.txt"]}, []),
        (';a*0="%41";a*1*=%42', {"a": ["%41B"]}, []),
        (";a*0=b;a*2=c", {"a": ["b"]}, ["a section of parameter 'a' is missing"]),
        (";a*1=c", {}, ["the sections of parameter 'a' cannot be joined"]),
        (";a*0*=b", {}, ["the sections of parameter 'a' cannot be joined"]),
        (";a*0*=utf-8''b;a*1*=%E4", {}, ["the sections of parameter 'a' cannot be joined"]),
        (";a*0=b;a=c", {"a": ["c"]}, []),
        (";a*0=b;a*=utf-8''c", {"a": ["c"]}, []),
    ],
)
def test_m13_resolve(text: str, values: dict[str, list[str]], problems: list[str]) -> None:
    """M13: extended values and continuations stand under their plain name, with a defined winner."""
    assert resolve(text) == (values, problems)


def test_a_field_may_have_parameters_without_values() -> None:
    assert resolve(";a;b", values_needed=False) == ({"a": [""], "b": [""]}, [])


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("UTF-8''na%C3%AFve%20file", "na\xefve file"),
        ("utf-8'en-GB'%e2%82%ac", "\u20ac"),
        ("iso-8859-1''%A3", "\xa3"),
        ("ISO-8859-15''%A4", "\u20ac"),
        ("windows-1252''%80", "\u20ac"),
        ("us-ascii''a", "a"),
        ("Shift_JIS''%83%65", "\u30c6"),
        ("''%C3%A4", "\xe4"),
        ("utf-8''", ""),
        ("utf-8''a'b(c)", "a'b(c)"),
        ("", None),
        ("abc", None),
        ("utf-8'abc", None),
        ("utf-8'e n'abc", None),
        ("utf-8''%", None),
        ("utf-8''%4", None),
        ("utf-8''%4G", None),
        ("utf-8''%\u0664\u0661", None),
        ("utf-8''\xe4", None),
        ("utf-8''%E4", None),
        ("utf-8''%ED%A0%80", None),
        ("us-ascii''%80", None),
        ("utf-7''+AOQ-", None),
        ("rot13''a", None),
        ("zlib''a", None),
        ("idna''a", None),
        ("undefined''a", None),
        ("x\u017fhift_jis''a", None),
        ("no-such-charset''a", None),
    ],
)
def test_m13_decode_ext_value(text: str, decoded: str | None) -> None:
    """M13: a charset that is unknown, or that is no charset, is no LookupError and no decompression."""
    assert decode_ext_value(text) == decoded


def test_every_charset_is_one_that_python_has() -> None:
    names = ["utf-8", "ascii", "latin1", "koi8-r", "koi8-u", "gbk", "gb2312", "gb18030", "big5"]
    names += ["euc-jp", "iso-2022-jp", "euc-kr", *(f"iso-8859-{n}" for n in range(2, 11))]
    names += ["iso-8859-13", "iso-8859-14", "iso-8859-16", "windows-874"]
    names += [f"windows-{n}" for n in range(1250, 1259)]
    assert [decode_ext_value(f"{name}''a%41") for name in names] == len(names) * ["aA"]


def test_encode_ext_value() -> None:
    assert encode_ext_value("na\xefve \u20ac.txt") == "UTF-8''na%C3%AFve%20%E2%82%AC.txt"
    assert encode_ext_value("\xa3", "iso-8859-1", "en") == "iso-8859-1'en'%A3"
    assert encode_ext_value("!#$&+-.^_`|~*'%()\"") == "UTF-8''!#$&+-.^_`|~%2A%27%25%28%29%22"


@pytest.mark.parametrize(
    ("text", "charset", "language"),
    [
        ("a\r", "UTF-8", ""),
        ("a\n", "UTF-8", ""),
        ("a\0", "UTF-8", ""),
        ("a\x7f", "UTF-8", ""),
        ("\ud800", "UTF-8", ""),
        ("\u20ac", "iso-8859-1", ""),
        ("a", "", ""),
        ("a", "zlib", ""),
        ("a", "no-such\r\n", ""),
        ("a", "UTF-8", "e'n"),
        ("a", "UTF-8", "en\n"),
    ],
)
def test_an_extended_value_that_cannot_be(text: str, charset: str, language: str) -> None:
    with pytest.raises(ValueError, match=r"charset|language|control|characters"):
        encode_ext_value(text, charset, language)


def test_quote_string() -> None:
    assert quote_string("") == '""'
    assert quote_string('a "b" \\ \t\xe4') == '"a \\"b\\" \\\\ \t\xe4"'
    for control in "\r\n\0\x1b\x7f":
        with pytest.raises(ValueError, match="control"):
            quote_string(f"a{control}b")


def test_unquote_pairs() -> None:
    assert unquote_pairs(r"a\"b\\c\d") == 'a"b\\cd'
    assert unquote_pairs("\\\n") == "\n"


def test_format_parameter() -> None:
    assert format_parameter("a", "b") == "a=b"
    assert format_parameter("a", "") == 'a=""'
    assert format_parameter("a", "b c") == 'a="b c"'
    assert format_parameter("a", "b", quoted=True) == 'a="b"'
    assert format_parameter("a", "\xe4") == "a*=UTF-8''%C3%A4"
    for name in ("", "a*", "a b", "\u212a", "a\n"):
        with pytest.raises(ValueError, match="name"):
            format_parameter(name, "b")
    with pytest.raises(ValueError, match="ASCII"):
        format_parameter("a", "\xe4", extended=False)


def test_h24_y4_lower_case_is_of_ascii_only() -> None:
    """H24, Y4: no other letter becomes an ASCII one, and none is changed."""
    assert ascii_lower("aBZ@[\u212a\u0130\xc4") == "abz@[\u212a\u0130\xc4"


def test_join_sections() -> None:
    """Literal sections stay as they are, whatever they look like (RFC 2231 section 4.1)."""
    assert join_sections({0: ("a", False), 1: ("%41", False), 2: ("%41", True)}) == "a%41A"
    assert join_sections({}) is None


PRINTABLE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), "\x7f"]),
    max_size=40,
)


@given(PRINTABLE)
def test_round_trip_of_extended_values(text: str) -> None:
    assert decode_ext_value(encode_ext_value(text)) == text


@given(st.text("abc", min_size=1, max_size=3), PRINTABLE)
def test_round_trip_of_parameters(name: str, value: str) -> None:
    assert resolve(f";{format_parameter(name, value)}") == ({name: [value]}, [])


@given(PRINTABLE)
def test_round_trip_of_quoted_strings(text: str) -> None:
    assert scan(f";a={quote_string(text)}") == [("a", text, None)]


@given(PRINTABLE, st.integers(1, 12))
def test_round_trip_of_continuations(text: str, size: int) -> None:
    """Wherever an encoded value is cut, even within a character, it comes together again."""
    octets = text.encode()
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)][:60]
    encoded = ["".join(f"%{octet:02x}" for octet in piece) for piece in pieces]
    sections = "".join(f";a*{n}*={piece}" for n, piece in enumerate(encoded[1:], 1))
    values, problems = resolve(f";a*0*=utf-8''{encoded[0] if encoded else ''}{sections}")
    if len(octets) <= 60 * size:
        assert (values, problems) == ({"a": [text]}, [])
