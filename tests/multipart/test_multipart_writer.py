"""Bodies of parts (M2 to M4), read back by parsers that are not ours."""

import email
import email.policy
import io
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_multipart import (
    BytesPayload,
    JsonPayload,
    MultipartError,
    MultipartWriter,
    Payload,
    PayloadRegistry,
    StringPayload,
)


def octets(payload: Payload) -> bytes:
    return b"".join(payload.iter_bytes())


def read(payload: Payload) -> EmailMessage:
    """The body as Python's own mail parser reads it."""
    head = f"Content-Type: {payload.content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + octets(payload), policy=email.policy.HTTP)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def parts(payload: Payload) -> list[Any]:
    return list(read(payload).iter_parts())


def contents(payload: Payload) -> list[Any]:
    return [part.get_payload(decode=True) for part in parts(payload)]


def test_parts_of_many_kinds() -> None:
    with MultipartWriter() as writer:
        writer.append(b"octets")
        writer.append("text")
        writer.append(io.BytesIO(b"file"), {"X-Part": "3"})
        writer.append_json({"a": 1})
        writer.append_form({"a": "1 2", "b": ["x", "y"]})
        writer.append_form([("c", "é")])
        writer.append(BytesPayload(b"payload"), {"X-Part": "7"})
    assert contents(writer) == [
        b"octets",
        b"text",
        b"file",
        b'{"a": 1}',
        b"a=1+2&b=x&b=y",
        b"c=%C3%A9",
        b"payload",
    ]
    assert [part["X-Part"] for part in parts(writer)][2::4] == ["3", "7"]
    assert (len(writer), bool(writer), bool(MultipartWriter())) == (7, True, True)
    assert writer.size == len(octets(writer))
    assert (writer.replayable, writer.consumed, writer.autoclose) == (True, False, True)
    assert [type(payload) for payload, *_ in writer][3] is JsonPayload
    assert [codings for _, *codings in writer] == [["", ""]] * 7


def test_an_empty_body_is_its_end() -> None:
    writer = MultipartWriter("mixed", "b")
    assert octets(writer) == b"--b--\r\n"
    assert writer.size == 7
    assert list(writer.segments(close_boundary=False)) == []


@pytest.mark.parametrize(
    ("boundary", "said"),
    [
        ("abc", "abc"),
        ("a b", '"a b"'),
        ("a:b=?/", '"a:b=?/"'),
        ("x" * 70, "x" * 70),
        ("x_y", "x_y"),
    ],
)
def test_boundaries_that_are_given_m3(boundary: str, said: str) -> None:
    writer = MultipartWriter("related", boundary)
    assert writer.content_type == f"multipart/related; boundary={said}"
    assert writer.boundary == boundary
    writer.append(b"x")
    assert contents(writer) == [b"x"]


@pytest.mark.parametrize("boundary", ["", "x" * 71, "a ", "é", 'a"b', "a\r\nb", "a;b"])
def test_what_is_no_boundary_m3(boundary: str) -> None:
    with pytest.raises(MultipartError):
        MultipartWriter(boundary=boundary)


def test_boundaries_that_are_made_m3() -> None:
    made = {MultipartWriter().boundary for _ in range(100)}
    assert len(made) == 100
    assert all(len(boundary) == 32 and int(boundary, 16) >= 0 for boundary in made)  # 128 bits


@pytest.mark.parametrize("subtype", ["", "a b", "a;b", "a\r\n"])
def test_what_is_no_subtype(subtype: str) -> None:
    with pytest.raises(MultipartError, match="no subtype"):
        MultipartWriter(subtype)


@pytest.mark.parametrize(
    "headers", [{"X-A": "a\r\nX-B: b"}, {"X-A\r\n": "a"}, {"X-A": "\0"}, {"Content-Type": "a/b\n"}]
)
def test_no_field_begins_another_m2(headers: dict[str, str]) -> None:
    writer = MultipartWriter()
    with pytest.raises(ValueError, match=r"control character|not a token"):
        writer.append(b"", headers)
    with pytest.raises(ValueError, match="control character"):
        writer.append_payload(BytesPayload(b"", content_type="a/b\r\nX: y"))
    assert len(writer) == 0


def test_encodings_of_parts() -> None:
    writer = MultipartWriter()
    content = bytes(range(256)) * 9
    for headers in (
        {"Content-Transfer-Encoding": "base64"},
        {"Content-Transfer-Encoding": "Quoted-Printable"},
        {"Content-Transfer-Encoding": "binary"},
        {"Content-Encoding": "identity"},
    ):
        writer.append(content, headers)
    assert contents(writer) == [content] * 4
    assert [codings for _, *codings in writer] == [
        ["", "base64"],
        ["", "quoted-printable"],
        ["", ""],
        ["", ""],
    ]


def test_a_part_may_be_named_and_coded_after_it_was_appended() -> None:
    """What `append` returns is the part: users set its fields afterwards."""
    writer = MultipartWriter(boundary="b")
    image = writer.append(b"octets", {"Content-Type": "image/png"})
    writer.append("text")
    before = writer.size
    image.set_content_disposition("attachment", filename="image.png")
    image.headers["Content-ID"] = "X-12345"
    assert writer.size == len(octets(writer)) > (before or 0)
    part, other = parts(writer)
    assert part.get_filename() == "image.png"
    assert part["Content-ID"] == "X-12345"
    assert other.get_payload() == "text"

    image.headers["Content-Transfer-Encoding"] = "base64"
    assert [transfer for _, _, transfer in writer] == ["base64", ""]
    assert contents(writer) == [b"octets", b"text"]
    assert b"b2N0ZXRz" in octets(writer)


def test_what_a_part_is_told_too_late_is_refused_m2() -> None:
    writer = MultipartWriter("form-data")
    part = writer.append("text")
    part.headers["X-Note"] = "a\r\nX-Other: b"
    with pytest.raises(ValueError, match="X-Note"):
        octets(writer)
    del part.headers["X-Note"]
    part.headers["Content-Encoding"] = "gzip"
    with pytest.raises(MultipartError, match="no encodings"):
        assert writer.size


def test_the_size_is_exact_where_it_can_be_m4() -> None:
    writer = MultipartWriter()
    for content in (b"", b"x" * 57, b"x" * 1000):
        writer.append(content, {"Content-Transfer-Encoding": "base64"})
        assert writer.size == len(octets(writer))
    both = MultipartWriter()
    both.append(b"x" * 99, {"Content-Encoding": "gzip", "Content-Transfer-Encoding": "base64"})
    assert both.size is None
    assert both.replayable
    assert len(contents(both)) == 1
    quoted = MultipartWriter()
    quoted.append(b"x", {"Content-Transfer-Encoding": "quoted-printable"})
    assert quoted.size is None


def test_encodings_that_nobody_knows() -> None:
    writer = MultipartWriter()
    for name in ("Content-Encoding", "Content-Transfer-Encoding"):
        with pytest.raises(MultipartError, match="unknown"):
            writer.append(b"", {name: "x"})


def test_a_form_has_names_and_no_encodings() -> None:
    writer = MultipartWriter("form-data")
    writer.append("a")
    writer.append("b", {"Content-Disposition": 'form-data; name="mine"'})
    names = [part.get_param("name", header="content-disposition") for part in parts(writer)]
    assert names == ["section-0", "mine"]
    for name in ("Content-Encoding", "Content-Transfer-Encoding"):
        with pytest.raises(MultipartError, match="no encodings"):
            writer.append("c", {name: "gzip"})
    assert octets(writer).split(b"\r\n")[1].startswith(b"Content-Disposition: ")


def test_bodies_in_bodies_m15() -> None:
    outer, inner = MultipartWriter("mixed", "one"), MultipartWriter("mixed", "one-two")
    inner.append("deep")
    outer.append(inner)
    outer.append("after")
    message = read(outer)
    deep, after = message.iter_parts()
    assert [part.get_content() for part in deep.iter_parts()] == ["deep"]
    assert after.get_content() == "after"
    assert outer.size == len(octets(outer))
    with pytest.raises(MultipartError, match="same boundary"):
        outer.append(MultipartWriter("mixed", "one"))
    third = MultipartWriter("mixed", "three")
    third.append(outer)
    with pytest.raises(MultipartError, match="same boundary"):
        MultipartWriter("mixed", "one-two").append(third)


def test_values_that_cannot_be_parts() -> None:
    with pytest.raises(TypeError, match="cannot make a part of a dict"):
        MultipartWriter().append({})
    own = PayloadRegistry()
    own.register(lambda value, **extra: StringPayload(str(value), **extra), int)
    writer = MultipartWriter(registry=own)
    writer.append(5)
    assert contents(writer) == [b"5"]


async def test_asynchronous_parts() -> None:
    async def give() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    writer = MultipartWriter("mixed", "b")
    writer.append(give(), {"Content-Transfer-Encoding": "base64"})
    assert (writer.size, writer.is_async, writer.replayable) == (None, True, True)
    with pytest.raises(TypeError, match="async for"):
        octets(writer)
    assert writer.consumed
    assert not writer.replayable


@pytest.mark.parametrize(("close_boundary", "end"), [(True, b"--b--\r\n"), (False, b"")])
async def test_the_end_may_be_left_open_for_more(close_boundary: bool, end: bytes) -> None:
    class Sink:
        written = b""

        async def write(self, chunk: bytes) -> None:
            self.written += chunk

    sink = Sink()
    writer = MultipartWriter("mixed", "b")
    writer.append("text")
    await writer.write(sink, close_boundary=close_boundary)
    assert sink.written == b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ntext\r\n" + end


async def test_parts_are_closed_with_the_body(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"abc")
    with path.open("rb") as file:
        writer = MultipartWriter()
        writer.append(file)
        writer.append("x")
        assert not writer.autoclose
        assert b"".join([piece async for piece in writer.aiter_bytes()]) == octets(writer)
        await writer.close()
        assert file.closed


@given(st.lists(st.binary(max_size=300)))
def test_what_is_written_is_read_by_the_mail_parser(written: list[bytes]) -> None:
    writer = MultipartWriter()
    for content in written:
        writer.append(content, {"Content-Transfer-Encoding": "base64"})
    assert writer.size == len(octets(writer))
    if written:
        assert contents(writer) == written
