"""Forms (M1, M2): both shapes, by the words of the standards and by parsers that are not ours."""

import io
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import multipart as defnull  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from python_multipart import MultipartParser
from wayfare_multipart import (
    BytesPayload,
    FormData,
    MultipartWriter,
    Payload,
    PayloadRegistry,
    StringPayload,
)
from werkzeug.formparser import parse_form_data


def octets(payload: Payload) -> bytes:
    return b"".join(payload.iter_bytes())


def urlencoded(*arguments: Any, **keywords: Any) -> str:
    form = FormData(*arguments, **keywords)
    assert not form.is_multipart
    payload = form()
    assert payload.content_type.startswith("application/x-www-form-urlencoded")
    return octets(payload).decode("ascii")


def heads(form: FormData) -> list[list[str]]:
    """The lines of each part's head."""
    payload = form()
    assert isinstance(payload, MultipartWriter)
    parts = octets(payload).split(f"--{payload.boundary}".encode())[1:-1]
    return [part.partition(b"\r\n\r\n")[0].decode().strip().split("\r\n") for part in parts]


# -- urlencoded -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((), ""),
        ({}, ""),
        ({"a": "1", "b": "x y"}, "a=1&b=x+y"),
        ([("a", "1"), ("a", "2")], "a=1&a=2"),
        (("a", "1"), "a=1"),
        ((("a", "1"), ("b", "2")), "a=1&b=2"),
        (MultiDict([("a", "1"), ("a", "2")]), "a=1&a=2"),
        ([{"a": "1"}, ("b", 2)], "a=1&b=2"),
        (iter([("a", 1.5)]), "a=1.5"),
        ({"é": "&=+%~*-._"}, "%C3%A9=%26%3D%2B%25%7E*-._"),
        ({"a": "\r\n"}, "a=%0D%0A"),
    ],
)
def test_fields_in_the_urlencoded_shape(fields: Any, expected: str) -> None:
    assert urlencoded(fields) == expected


def test_a_charset() -> None:
    form = FormData({"a": "é"}, charset="latin-1")
    assert octets(form()) == b"a=%E9"
    assert form().content_type == "application/x-www-form-urlencoded; charset=latin-1"
    with pytest.raises(UnicodeEncodeError):
        FormData({"a": "é"}, charset="ascii")()
    assert (
        FormData({"a": "é"}, charset="UTF-8")().content_type == "application/x-www-form-urlencoded"
    )


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_pythons_own_parser_reads_them(pairs: list[tuple[str, str]]) -> None:
    sendable = [
        pair for pair in pairs if not any("\ud800" <= one <= "\udfff" for one in "".join(pair))
    ]
    text = urlencoded(sendable)
    assert parse_qsl(text, keep_blank_values=True) == sendable


# -- multipart --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a", "a"),
        ('"', "%22"),
        ("\r\n", "%0D%0A"),
        ("\\", "\\"),
        ("%22", "%22"),
        ("é😀", "é😀"),
        (" ", " "),
    ],
)
def test_names_are_written_as_browsers_write_them_m1(name: str, said: str) -> None:
    form = FormData(default_to_multipart=True)
    form.add_field(name, "1")
    form.add_field("f", b"", filename=name)
    text, file = heads(form)
    assert text == [f'Content-Disposition: form-data; name="{said}"']
    assert file[0] == f'Content-Disposition: form-data; name="f"; filename="{said}"'


def test_names_with_backslashes_for_old_servers() -> None:
    form = FormData({'a"b': "1"}, quote_fields=False, default_to_multipart=True)
    assert heads(form) == [['Content-Disposition: form-data; name="a\\"b"']]


@pytest.mark.parametrize("bad", ["\0", "a\x7f"])
def test_what_no_field_can_say_m2(bad: str) -> None:
    form = FormData(default_to_multipart=True)
    form.add_field(bad, "1")
    with pytest.raises(ValueError, match="control character"):
        form()
    with pytest.raises(ValueError, match="control character"):
        FormData().add_field("a", "1", content_type="a/b\r\nX: y")


def test_files_bring_their_names(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(b"a,b\r\n")
    with path.open("rb") as file, path.open("rb") as again:
        form = FormData({"file": file})
        form.add_field("own", again, filename="x.bin", content_type="a/b")
        form.add_field("none", io.BytesIO(b"x"), filename="")
        form.add_field("bytes", io.BytesIO(b"x"))
        form.add_fields(again)
        assert form.is_multipart
        assert heads(form) == [
            [
                'Content-Disposition: form-data; name="file"; filename="report.csv"',
                "Content-Type: text/csv",
            ],
            ['Content-Disposition: form-data; name="own"; filename="x.bin"', "Content-Type: a/b"],
            [
                'Content-Disposition: form-data; name="none"',
                "Content-Type: application/octet-stream",
            ],
            [
                'Content-Disposition: form-data; name="bytes"; filename="bytes"',
                "Content-Type: application/octet-stream",
            ],
            [
                'Content-Disposition: form-data; name="report.csv"; filename="report.csv"',
                "Content-Type: text/csv",
            ],
        ]
        payload = form()
        assert payload.size == len(octets(payload))
        assert octets(payload) == octets(payload)
        assert payload.replayable
    with pytest.raises(TypeError, match="not int"):
        FormData([("a", "1"), 5])
    assert heads(FormData(io.BytesIO(b"x")))[0][0] == (
        'Content-Disposition: form-data; name="unknown"; filename="unknown"'
    )


def test_a_form_can_be_sent_again_from_where_its_files_stood() -> None:
    file = io.BytesIO(b"abcdef")
    file.seek(2)
    form = FormData({"file": file})
    first, second = form(), form()
    assert b"cdef" in octets(first)
    assert b"cdef" in octets(second)
    assert b"abcdef" not in octets(first)


def test_octets_without_a_name_are_a_file_with_a_warning() -> None:
    form = FormData()
    with pytest.warns(DeprecationWarning, match="say filename="):
        form.add_field("a", b"xyz")
    assert heads(form)[0][0] == 'Content-Disposition: form-data; name="a"; filename="a"'


def test_a_transfer_encoding_means_nothing() -> None:
    form = FormData()
    with pytest.warns(DeprecationWarning, match="means nothing in a form"):
        form.add_field("a", b"xyz", content_transfer_encoding="base64")
    assert heads(form) == [
        ['Content-Disposition: form-data; name="a"', "Content-Type: application/octet-stream"]
    ]


def test_a_type_or_a_name_makes_a_form_multipart() -> None:
    form = FormData({"plain": "1"})
    form.add_field("json", "{}", content_type="application/json")
    form.add_field("named", "text", filename="a.txt")
    assert heads(form) == [
        ['Content-Disposition: form-data; name="plain"'],
        ['Content-Disposition: form-data; name="json"', "Content-Type: application/json"],
        [
            'Content-Disposition: form-data; name="named"; filename="a.txt"',
            "Content-Type: text/plain; charset=utf-8",
        ],
    ]


def test_a_charset_is_said_with_each_text() -> None:
    form = FormData({"a": "é"}, charset="latin-1", default_to_multipart=True)
    form.add_field("b", "é", filename="x")
    assert [lines[1] for lines in heads(form)] == ["Content-Type: text/plain; charset=latin-1"] * 2
    assert octets(form()).count(b"\xe9") == 2


def test_payloads_of_ones_own() -> None:
    form = FormData()
    form.add_field("a", BytesPayload(b"x", filename="own.bin"), content_type="a/b")
    form.add_field("b", StringPayload("y"))
    assert heads(form) == [
        ['Content-Disposition: form-data; name="a"; filename="own.bin"', "Content-Type: a/b"],
        ['Content-Disposition: form-data; name="b"', "Content-Type: text/plain; charset=utf-8"],
    ]
    registry = PayloadRegistry()
    registry.register(lambda value, **extra: StringPayload(str(value), **extra), complex)
    assert b"1j" in octets(FormData({"c": 1j}, registry=registry)())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": 1, "value": "1"}, "name must be a str, not int"),
        ({"name": "a", "value": "1", "filename": 1}, "filename must be a str"),
        ({"name": "a", "value": "1", "content_type": 1}, "content_type must be a str"),
        (
            {"name": "a", "value": "1", "content_transfer_encoding": 1},
            "content_transfer_encoding must be",
        ),
        ({"name": "a", "value": None}, "a form cannot send a NoneType"),
        ({"name": "a", "value": {}}, "a form cannot send a dict"),
        ({"name": "a", "value": ("b.txt", "c")}, "a form cannot send a tuple"),
    ],
)
def test_what_is_no_field(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        FormData().add_field(**arguments)


# -- other people's parsers -------------------------------------------------------------------------------------------

NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\%'),
    min_size=1,
    max_size=20,
)
FIELDS = st.lists(
    st.tuples(NAMES, st.none() | NAMES, st.binary(max_size=100)), min_size=1, max_size=5
)


def form_of(fields: list[tuple[str, str | None, bytes]]) -> tuple[Payload, bytes]:
    form = FormData(default_to_multipart=True)
    for name, filename, content in fields:
        form.add_field(name, BytesPayload(content), filename=filename or "")
    payload = form()
    return payload, octets(payload)


@given(FIELDS)
def test_the_parser_of_multipart_reads_them(fields: list[tuple[str, str | None, bytes]]) -> None:
    payload, body = form_of(fields)
    assert isinstance(payload, MultipartWriter)
    parser = defnull.MultipartParser(io.BytesIO(body), payload.boundary, content_length=len(body))
    parts = list(parser)
    assert [(part.name, part.raw) for part in parts] == [
        (name, content) for name, _, content in fields
    ]
    for part in parts:
        part.close()


@given(FIELDS)
def test_the_parser_of_werkzeug_reads_them(fields: list[tuple[str, str | None, bytes]]) -> None:
    payload, body = form_of(
        [(name, filename or "f", content) for name, filename, content in fields]
    )
    environ = {
        "wsgi.input": io.BytesIO(body),
        "CONTENT_TYPE": payload.content_type,
        "CONTENT_LENGTH": str(len(body)),
        "REQUEST_METHOD": "POST",
    }
    _, _, files = parse_form_data(environ)
    found = [(name, file.read()) for name, file in files.items(multi=True)]
    for _, file in files.items(multi=True):
        file.close()
    assert sorted(found) == sorted((name, content) for name, _, content in fields)


@given(FIELDS)
def test_the_parser_of_python_multipart_reads_them(
    fields: list[tuple[str, str | None, bytes]],
) -> None:
    payload, body = form_of(fields)
    assert isinstance(payload, MultipartWriter)
    found: list[bytearray] = []
    parser = MultipartParser(
        payload.boundary.encode(),
        {
            "on_part_begin": lambda: found.append(bytearray()),
            "on_part_data": lambda data, start, end: found[-1].extend(data[start:end]),
        },
    )
    parser.write(body)
    parser.finalize()
    assert [bytes(content) for content in found] == [content for *_, content in fields]


def test_a_list_is_several_fields_of_its_name() -> None:
    form = FormData({"a": ["1", 2], "b": []})
    assert octets(form()) == b"a=1&a=2"
    form.add_field("c", [io.BytesIO(b"x"), "y"], filename="n")
    assert [head[0].partition("; ")[2] for head in heads(form)] == [
        'name="a"',
        'name="a"',
        'name="c"; filename="n"',
        'name="c"; filename="n"',
    ]


@pytest.mark.parametrize("charset", ["nope", "", "utf-8\r\nX: y"])
def test_a_charset_that_is_not_known(charset: str) -> None:
    with pytest.raises(ValueError, match="charset"):
        FormData({}, charset=charset)


@pytest.mark.parametrize("fields", [None, 5])
def test_fields_that_are_none(fields: object) -> None:
    with pytest.raises(TypeError, match="a field is a pair"):
        FormData(fields)
