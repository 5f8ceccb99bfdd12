"""Content-Disposition: read with good will, read strictly, and written."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import (
    BadContentDispositionHeader,
    BadContentDispositionParam,
    ContentDisposition,
    content_disposition_filename,
    content_disposition_header,
    parse_content_disposition,
)

# What both ways of reading agree on: value, type, parameters as sent, file name.
VALID = [
    ("inline", "inline", {}, None),
    ("ATTACHMENT", "attachment", {}, None),
    (" attachment ", "attachment", {}, None),
    ("x-other; a=b", "x-other", {"a": "b"}, None),
    ('attachment; filename="a file.html"', "attachment", {"filename": "a file.html"}, "a file.html"),
    ("attachment; FileName=a.html", "attachment", {"filename": "a.html"}, "a.html"),
    ("attachment;filename = a.html ;b=c", "attachment", {"filename": "a.html", "b": "c"}, "a.html"),
    (r'attachment; filename="a\b\"c\\d"', "attachment", {"filename": 'ab"c\\d'}, 'ab"c\\d'),
    ('attachment; filename="a;b=c, d"', "attachment", {"filename": "a;b=c, d"}, "a;b=c, d"),
    ("attachment; filename='a.b'", "attachment", {"filename": "'a.b'"}, "'a.b'"),
    ('attachment; filename="a-%41.html"', "attachment", {"filename": "a-%41.html"}, "a-%41.html"),
    ('attachment; filename="\xe4.txt"', "attachment", {"filename": "\xe4.txt"}, "\xe4.txt"),
    ('attachment; x="filename=a"', "attachment", {"x": "filename=a"}, None),
    ('attachment; filename="=?UTF-8?Q?a?="', "attachment", {"filename": "=?UTF-8?Q?a?="}, "=?UTF-8?Q?a?="),
    ("attachment; filename*=UTF-8''%c3%a4%20b", "attachment", {"filename*": "\xe4 b"}, "\xe4 b"),
    ("attachment; filename* = iso-8859-1'de'%e4", "attachment", {"filename*": "\xe4"}, "\xe4"),
    ("attachment; filename*=UTF-8''%5c%2f..", "attachment", {"filename*": "\\/.."}, "\\/.."),
    ("a; filename=b; filename*=UTF-8''c", "a", {"filename": "b", "filename*": "c"}, "c"),
    ("a; filename*=UTF-8''c; filename=b", "a", {"filename*": "c", "filename": "b"}, "c"),
    ('a; filename*0="b."; filename*1=c', "a", {"filename*0": "b.", "filename*1": "c"}, "b.c"),
    ("a; filename*1=c; filename*0=b", "a", {"filename*1": "c", "filename*0": "b"}, "bc"),
    (
        "a; filename*0*=UTF-8''%c3; filename*1*=%a4; filename*2=.txt",
        "a",
        {"filename*0*": "UTF-8''%c3", "filename*1*": "%a4", "filename*2": ".txt"},
        "\xe4.txt",
    ),
    ("a; filename*0=b; filename=c", "a", {"filename*0": "b", "filename": "c"}, "c"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "type_", "parameters", "filename"), VALID)
def test_m13_valid(
    value: str, type_: str, parameters: dict[str, str], filename: str | None
) -> None:
    """M13: extended values win, and continuations are joined."""
    disposition = ContentDisposition.parse(value)
    assert disposition.type == type_
    assert disposition.filename == filename
    assert disposition.parameters.get("filename") == filename
    assert disposition.problems == ()
    assert parse_content_disposition(value) == (type_, parameters)
    assert content_disposition_filename(parameters) == filename


# What breaks the grammar: value, what good will makes of it, what the strict reader keeps and warns of.
HEADER = BadContentDispositionHeader
PARAM = BadContentDispositionParam
BROKEN: list[tuple[str, str | None, str | None, dict[str, str] | None, type[Warning]]] = [
    # No type.
    (";", None, None, None, HEADER),
    ('"inline"', None, None, None, HEADER),
    ("filename=a", None, None, None, HEADER),
    ("; filename=a", None, None, None, HEADER),
    (": inline; filename=a", None, None, None, HEADER),
    ("attachment filename=a", None, None, None, HEADER),
    ("\u212aind; filename=a", None, None, None, HEADER),
    # The whole field.
    ("attachment; filename=", "attachment", None, None, HEADER),
    ("attachment; inline; filename=a", "attachment", "a", None, HEADER),
    ("attachment; ;filename=a", "attachment", "a", None, HEADER),
    ("attachment; filename=a b.html", "attachment", "a b.html", None, HEADER),
    ("attachment; filename=a[1](2).html", "attachment", "a[1](2).html", None, HEADER),
    ("attachment; filename=a,b", "attachment", "a,b", None, HEADER),
    ("attachment; filename=\xe4", "attachment", "\xe4", None, HEADER),
    ('attachment; filename="a', "attachment", "a", None, HEADER),
    ('attachment; filename="a\\', "attachment", "a", None, HEADER),
    ('attachment; filename="a".txt', "attachment", "a", None, HEADER),
    ('attachment; filename="a"; filename="b"', "attachment", "a", None, HEADER),
    ('attachment; a="b"; a="c"; filename=d', "attachment", "d", None, HEADER),
    ("attachment" + 65 * ";a=b" + ";filename=c", "attachment", None, None, HEADER),
    # One parameter.
    ("attachment; a b=c; filename=d", "attachment", "d", {"filename": "d"}, PARAM),
    ("attachment; =c; filename=d", "attachment", "d", {"filename": "d"}, PARAM),
    ("attachment; filename *=UTF-8''a", "attachment", None, {}, PARAM),
    ("attachment; filename*=", "attachment", None, {}, PARAM),
    ("attachment; filename*=a", "attachment", None, {}, PARAM),
    ("attachment; filename*=UTF-8'a", "attachment", None, {}, PARAM),
    ("attachment; filename*=UTF-8''%", "attachment", None, {}, PARAM),
    ("attachment; filename*=UTF-8''%oo", "attachment", None, {}, PARAM),
    ("attachment; filename*=UTF-8''%E4; filename=b", "attachment", "b", {"filename": "b"}, PARAM),
    ("attachment; filename*=x-none''a; filename=b", "attachment", "b", {"filename": "b"}, PARAM),
    ("attachment; filename*=\"UTF-8''a\"; filename=b", "attachment", "b", {"filename": "b"}, PARAM),
    ("attachment; filename*=UTF-8''a b", "attachment", "a b", {}, PARAM),
    ("attachment; filename*0=a; filename*x=b", "attachment", "a", {"filename*0": "a"}, PARAM),
    ('attachment; filename*0=a; filename*1="b', "attachment", "ab", {"filename*0": "a"}, PARAM),
]  # fmt: skip


@pytest.mark.parametrize(("value", "type_", "filename", "kept", "warning"), BROKEN)
def test_m13_broken(
    value: str,
    type_: str | None,
    filename: str | None,
    kept: dict[str, str] | None,
    warning: type[Warning],
) -> None:
    """M13: no IndexError for an empty value, no LookupError for a charset, and never silence."""
    with pytest.warns(warning) as caught:
        assert parse_content_disposition(value) == (
            (None, {}) if kept is None else ("attachment", kept)
        )
    assert {each.category for each in caught} == {warning}
    assert caught[0].filename == __file__
    disposition = ContentDisposition.parse(value)
    assert (disposition.type, disposition.filename) == (type_, filename)
    assert disposition.problems or value == "attachment; ;filename=a"


def test_nothing_is_no_warning() -> None:
    assert parse_content_disposition("") == (None, {})
    assert parse_content_disposition(None) == (None, {})


def test_a_semicolon_at_the_end_is_forgiven() -> None:
    with pytest.warns(BadContentDispositionHeader):
        assert parse_content_disposition('a; filename="b";') == ("a", {"filename": "b"})
    assert ContentDisposition.parse('a; filename="b";').problems == ()


def test_m14_the_name_is_raw() -> None:
    """M14: what the peer sent is what the caller sees; the old function keeps it inside of a directory."""
    assert ContentDisposition.parse('a; filename="/etc/../x"').filename == "/etc/../x"
    assert ContentDisposition.parse('a; filename="C:\\\\x"').filename == "C:\\x"
    assert parse_content_disposition('a; filename="/etc/../x"') == ("a", {"filename": "etc/../x"})
    assert parse_content_disposition('a; filename="\\\\\\\\x"') == ("a", {"filename": "x"})


def test_octets_that_are_not_utf_8() -> None:
    """A field is read as UTF-8; ISO-8859-1 comes as lone surrogates, and is told by them."""
    value = b'a; filename="\xe4-\xc3\xa4.txt"'.decode("utf-8", "surrogateescape")
    disposition = ContentDisposition.parse(value)
    assert disposition.filename == "\xe4-\xe4.txt"
    assert disposition.problems == ("octets that are not UTF-8 are read as ISO-8859-1",)
    assert ContentDisposition.parse('a; filename="\ud800"').filename == "\ud800"


@pytest.mark.parametrize(
    ("parameters", "filename"),
    [
        ({}, None),
        ({"name": "a"}, None),
        ({"filename": ""}, ""),
        ({"filename*1": "a"}, None),
        ({"filename*0": "a", "filename*2": "b"}, "a"),
        ({"filename*0": "a", "filename*01": "b"}, "a"),
        ({"filename*0": "a", "filename*0*": "UTF-8''b"}, "a"),
        ({"filename*0*": "a"}, None),
        ({"filename*0*": "no-such''a"}, None),
        ({"filename*0*": "UTF-8''%E4"}, None),
        ({"filename*\u0660": "a"}, None),
    ],
)
def test_m13_y1_filename_of_parameters(parameters: dict[str, str], filename: str | None) -> None:
    """M13, Y1: nothing that can stand in a parameter is an error, and digits are ASCII."""
    assert content_disposition_filename(parameters) == filename


def test_other_names_than_filename() -> None:
    assert content_disposition_filename({"name": "a", "filename": "b"}, "name") == "a"
    assert content_disposition_filename({"name*0": "a", "name*1": "b"}, name="name") == "ab"


def test_h27_problems_are_counted() -> None:
    """H27: a peer cannot fill a log."""
    value = "a" + "".join(f";p{n}=x y" for n in range(60))
    assert len(ContentDisposition.parse(value).problems) == 32
    value = 100_000 * "?"
    with pytest.warns(BadContentDispositionHeader) as caught:
        parse_content_disposition(value)
    assert len(str(caught[0].message)) < 50


def test_parameters_cannot_be_changed() -> None:
    disposition = ContentDisposition.parse("a; b=c")
    assert not hasattr(disposition.parameters, "__setitem__")
    assert disposition == ContentDisposition("a", {"b": "c"}, None, ("problem",))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (content_disposition_header("attachment"), "attachment"),
        (content_disposition_header("inline", a="b", c="d e"), 'inline; a="b"; c="d e"'),
        (content_disposition_header("a", filename='b"\\.txt'), r'a; filename="b\"\\.txt"'),
        (content_disposition_header("a", filename="\xe4%"), "a; filename*=utf-8''%C3%A4%25"),
        (content_disposition_header("a", True, "latin-1", b="\xe4"), "a; b*=latin-1''%E4"),
        (content_disposition_header("a", False, b='\xe4 "\\'), 'a; b="\xe4 \\"\\\\"'),
        (content_disposition_header("form-data", False, name='"'), r'form-data; name="\""'),
    ],
)
def test_written(value: str, written: str) -> None:
    assert value == written


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a", "a"),
        ("", ""),
        ('a"b', "a%22b"),
        ("a\rb", "a%0Db"),
        ("a\nb", "a%0Ab"),
        ("a\r\nb", "a%0D%0Ab"),
        ("a%22b", "a%22b"),
        ("a\\b", "a\\b"),
        ("a'b;c=d\t", "a'b;c=d\t"),
        ("\xe4\u20ac\U0001f600", "\xe4\u20ac\U0001f600"),
    ],
)
def test_m1_form_data(name: str, written: str) -> None:
    """M1: `"`, CR and LF are escaped as browsers do it, nothing else, and there is no filename*."""
    value = content_disposition_header("form-data", name=name, filename=name)
    assert value == f'form-data; name="{written}"; filename="{written}"'


@pytest.mark.parametrize("quote_fields", [True, False])
@pytest.mark.parametrize("disptype", ["attachment", "form-data", "Form-Data"])
@pytest.mark.parametrize("control", ["\0", "\x1b", "\x7f", "\r", "\n", "\r\nX: y"])
def test_m2_nothing_can_be_injected(disptype: str, quote_fields: bool, control: str) -> None:
    """M2: a control character is an error, unless it is one that form-data escapes."""
    if control[0] in "\r\n" and disptype != "attachment" and quote_fields:
        written = content_disposition_header(disptype, name=f"a{control}")
        assert "\r" not in written
        assert "\n" not in written
        return
    with pytest.raises(ValueError, match="control"):
        content_disposition_header(disptype, quote_fields, name=f"a{control}")


@pytest.mark.parametrize("disptype", ["", "a b", "a\r\nX: y", "a;b", "\xe4"])
def test_a_type_is_a_token(disptype: str) -> None:
    with pytest.raises(ValueError, match="type"):
        content_disposition_header(disptype)


@pytest.mark.parametrize("name", ["", "a b", "a*", "a\r\nX: y", 'a"', "\xe4"])
def test_a_name_is_a_token(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        content_disposition_header("attachment", True, "utf-8", **{name: "b"})


def test_what_the_charset_does_not_have() -> None:
    with pytest.raises(ValueError, match="iso-8859-1"):
        content_disposition_header("attachment", True, "iso-8859-1", a="\u20ac")
    with pytest.raises(ValueError, match="charset"):
        content_disposition_header("attachment", True, "utf-8''\r\n", a="\u20ac")


NAMES = st.text("abc-_.!", min_size=1, max_size=5)
PRINTABLE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), "\x7f"]),
    max_size=40,
)


@given(NAMES, st.dictionaries(NAMES | st.just("filename"), PRINTABLE, max_size=5))
def test_round_trip(type_: str, parameters: dict[str, str]) -> None:
    value = content_disposition_header(type_, True, "utf-8", **parameters)
    read = ContentDisposition.parse(value)
    assert read == ContentDisposition(type_, parameters, parameters.get("filename"))
    assert read.problems == ()
    old_type, old_parameters = parse_content_disposition(value)
    assert old_type == type_
    for name, sent in parameters.items():
        found = content_disposition_filename(old_parameters, name)
        assert found == (sent.lstrip("\\/") if sent.isascii() else sent)


PIECES = st.sampled_from(
    ["form-data", "A", ";", "; ", ";  ", "name=", "filename=", '""', '"a;b"', '"\\""', '"\udce4\u0436"', "a"]
)  # fmt: skip
QUOTED = st.text('ab-; ="\\\t\u0436\U0001f600\udce4', max_size=4)


@given(
    st.lists(PIECES, max_size=7).map("".join)
    | st.builds('form-data; name="{}"; filename="{}"'.format, QUOTED, QUOTED)
)
def test_what_most_fields_are_is_read_as_all_are(value: str) -> None:
    """With a blank in front, which means nothing, a value is not what most are."""
    usual, careful = ContentDisposition.parse(value), ContentDisposition.parse(f" {value}")
    assert usual == careful
    assert len(usual.problems) == len(careful.problems)


@given(st.text() | st.text("ab;=\"\\*'%01 \t,\xe4").map("a;filename".__add__))
def test_m13_never_raises(value: str) -> None:
    """M13: whatever a peer sends is read or told."""
    assert isinstance(ContentDisposition.parse(value), ContentDisposition)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, parameters = parse_content_disposition(value)
    content_disposition_filename(parameters)
