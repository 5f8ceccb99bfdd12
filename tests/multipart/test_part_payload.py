"""`BodyPartReaderPayload`: parts of one body that become parts of another."""

from collections.abc import AsyncIterator

import pytest
from wayfare_multipart import (
    BodyPartReader,
    BodyPartReaderPayload,
    FormData,
    MultipartReader,
    MultipartWriter,
    get_payload,
)

TYPE = {"Content-Type": "multipart/mixed; boundary=f"}
BODY = (
    b"--f\r\nContent-Type: text/x\r\nContent-Transfer-Encoding: base64\r\n\r\neHl6\r\n"
    b'--f\r\nContent-Disposition: attachment; filename="a.png"\r\n\r\npicture\r\n--f--\r\n'
)


async def arriving() -> AsyncIterator[bytes]:
    for at in range(0, len(BODY), 7):
        yield BODY[at : at + 7]


async def parts() -> AsyncIterator[BodyPartReader]:
    async for part in MultipartReader(TYPE, arriving()):
        assert isinstance(part, BodyPartReader)
        yield part


async def sent(writer: MultipartWriter) -> bytes:
    return b"".join([piece async for piece in writer.aiter_bytes()])


async def test_parts_are_sent_on_with_their_type_and_decoded() -> None:
    bodies = []
    async for part in parts():
        writer = MultipartWriter("mixed", "xyz")
        payload = writer.append(part)
        assert isinstance(payload, BodyPartReaderPayload)
        assert (payload.size, payload.is_async, writer.size) == (None, True, None)
        bodies.append(await sent(writer))
        assert not payload.replayable
        with pytest.raises(ValueError, match="only once"):
            await sent(writer)
    assert bodies[0] == b"--xyz\r\nContent-Type: text/x\r\n\r\nxyz\r\n--xyz--\r\n"
    assert b"Content-Type: image/png\r\n" in bodies[1]
    assert b'Content-Disposition: attachment; filename="a.png"\r\n' in bodies[1]
    assert bodies[1].endswith(b"\r\n\r\npicture\r\n--xyz--\r\n")


async def test_a_part_is_a_field_of_a_form() -> None:
    async for part in parts():
        form = FormData()
        form.add_field("field", part, filename="b.txt")
        body = b"".join([piece async for piece in form().aiter_bytes()])
        assert b'name="field"; filename="b.txt"' in body


async def test_what_is_said_wins() -> None:
    async for part in parts():
        payload = get_payload(part, content_type="a/b", filename="c")
        assert (payload.content_type, payload.filename) == ("a/b", "c")
        fields = {"Content-Disposition": "inline"}
        other = BodyPartReaderPayload(part, fields)
        assert other.headers["Content-Disposition"] == "inline"


def test_what_is_no_part() -> None:
    with pytest.raises(TypeError, match="must be a BodyPartReader, not bytes"):
        BodyPartReaderPayload(b"x")  # type: ignore[arg-type]  # what is refused
