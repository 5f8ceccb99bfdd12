"""`BodyPartReader`: what a part says of itself, and its content in each shape (M13)."""

import gzip
import json
import zlib
from typing import Any

import pytest
from wayfare_multipart import (
    BodyPartReader,
    MultipartLimitError,
    MultipartLimits,
    MultipartReader,
    PartEncodingError,
)

from tests.multipart.bodies import FORM, MIXED, body, only, part, pieces, reader


async def test_what_a_part_says_of_itself() -> None:
    found = await only(
        b"x",
        'Content-Disposition: form-data; name="a"; filename="../é.txt"',
        "Content-Type: text/plain; charset=latin-1",
        headers=FORM,
    )
    assert (found.name, found.filename) == ("a", "../é.txt")
    assert found.headers["content-type"] == "text/plain; charset=latin-1"
    assert found.get_charset("utf-8") == "latin-1"
    assert repr(found) == "<BodyPartReader 'a'>"
    plain = await only(b"x")
    assert (plain.name, plain.filename, plain.get_charset("utf-8")) == (None, None, "utf-8")


@pytest.mark.parametrize(
    ("value", "filename"),
    [
        ("", None),
        ("form-data; filename", None),
        ("form-data; filename=a; filename*=utf-8''b", "b"),
        ("form-data; filename*=no-such-charset''b", None),
        ("form-data; filename*0=a; filename*1=b", "ab"),
        ("form-data; " + "; " * 4000 + "filename=a", None),
    ],
)
async def test_m13_any_content_disposition(value: str, filename: str | None) -> None:
    """M13, M14: no error, and one winner."""
    found = await only(b"x", f"Content-Disposition: {value}", limits=MultipartLimits(head=16_000))
    assert found.filename == filename or filename is None


async def test_a_part_is_read_once() -> None:
    found = await only(b"content")
    assert not found.at_eof()
    assert await found.read() == b"content"
    assert found.at_eof()
    assert await found.read() == b""
    assert await found.next() is None
    assert await (await only(b"content")).next() == b"content"


async def test_a_part_in_chunks() -> None:
    found = await only(b"0123456789")
    chunks = []
    while chunk := await found.read_chunk(4):
        assert len(chunk) <= 4
        chunks.append(chunk)
    assert b"".join(chunks) == b"0123456789"
    assert b"".join([chunk async for chunk in await only(b"0123456789")]) == b"0123456789"
    assert [chunk async for chunk in (await only(b"ab")).iter_chunks(1)] == [b"a", b"b"]
    whole = await only(b"0123456789" * 2)
    assert await whole.readany()


@pytest.mark.parametrize("size", [0, -1])
async def test_a_chunk_has_a_size(size: int) -> None:
    found = await only(b"0123456789")
    with pytest.raises(ValueError, match="at least 1"):
        await found.read_chunk(size)
    with pytest.raises(ValueError, match="at least 1"):
        found.iter_chunks(size)
    assert await found.read() == b"0123456789"


async def test_json_that_is_too_deep_is_no_json() -> None:
    with pytest.raises(json.JSONDecodeError, match="too deep"):
        await (await only(b"[" * 100_000)).json()


async def test_a_part_in_lines() -> None:
    found = await only(b"one\r\ntwo\n\nthree")
    lines = []
    while line := await found.readline():
        lines.append(line)
    assert lines == [b"one\r\n", b"two\n", b"\n", b"three"]


async def test_a_line_that_is_too_long_stays_readable() -> None:
    content = b"x" * (513 * 1024)
    parts = MultipartReader(MIXED, pieces(body(part(content)), 100_000))
    found = await parts.next()
    assert isinstance(found, BodyPartReader)
    with pytest.raises(MultipartLimitError, match="octets in a line"):
        await found.readline()
    assert await found.read() == content


async def test_text_json_and_forms() -> None:
    assert await (await only("é".encode())).text() == "é"
    latin = await only(b"\xe9", "Content-Type: text/plain; charset=iso-8859-1")
    assert await latin.text() == "é"
    assert await (await only(b"\xe9")).text(encoding="latin-1") == "é"
    with pytest.raises(UnicodeDecodeError):
        await (await only(b"\xe9")).text()
    with pytest.raises(PartEncodingError, match="not known"):
        await (await only(b"x", "Content-Type: text/plain; charset=klingon")).text()
    assert await (await only(b'{"a": 1}')).json() == {"a": 1}
    assert await (await only(b"")).json() is None
    with pytest.raises(json.JSONDecodeError):
        await (await only(b"{")).json()
    form = await only(b"a=1&b=%C3%A9+x&c=\r\n")
    assert await form.form() == [("a", "1"), ("b", "é x"), ("c", "")]
    assert await (await only(b"a=\xe9")).form(encoding="latin-1") == [("a", "é")]
    with pytest.raises(ValueError, match="fields"):
        await (await only(b"&".join([b"a=1"] * 1001))).form()


async def test_the_charset_of_a_form() -> None:
    """RFC 7578 section 4.6: a part named `_charset_` speaks for all that name none."""
    charset = part(b"latin-1", 'Content-Disposition: form-data; name="_charset_"')
    plain = part(b"\xe9", 'Content-Disposition: form-data; name="a"')
    parts = reader(charset, plain, headers=FORM)
    found = await parts.next()
    assert isinstance(found, BodyPartReader)
    assert (found.name, await found.text()) == ("a", "é")
    assert await parts.next() is None
    mixed = await reader(charset, plain).next()
    assert isinstance(mixed, BodyPartReader)
    assert mixed.name == "_charset_"
    for wrong in (b"x" * 32, b"\xff"):
        with pytest.raises(PartEncodingError):
            await reader(
                part(wrong, 'Content-Disposition: form-data; name="_charset_"'), headers=FORM
            ).next()


async def test_more_than_the_application_allows() -> None:
    class TooMuchError(Exception):
        pass

    options: dict[str, Any] = {"client_max_size": 5, "max_size_error_cls": TooMuchError}
    assert await (await only(b"12345", **options)).read() == b"12345"
    found = await only(b"123456", **options)
    with pytest.raises(TooMuchError, match="5"):
        await found.read()
    assert b"".join([chunk async for chunk in found]) == b"123456"
    bomb = await only(zlib.compress(bytes(6)), "Content-Encoding: deflate", client_max_size=12)
    assert await bomb.read(decode=True) == bytes(6)
    bomb = await only(
        gzip.compress(bytes(50 << 20)), "Content-Encoding: gzip", client_max_size=1 << 20
    )
    with pytest.raises(ValueError, match="1048576"):
        await bomb.read(decode=True)
