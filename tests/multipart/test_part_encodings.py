"""The encodings of a part's content, undone while it is read (M16, M17)."""

import gzip
import zlib
from base64 import b64encode

import pytest
from wayfare_multipart import (
    PartEncodingError,
    SyncBodyPartReader,
    SyncMultipartReader,
)

from tests.multipart.bodies import FORM, MIXED, body, only, part

CONTENT = bytes(range(256)) * 3


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        (["Content-Transfer-Encoding: BASE64"], b64encode(CONTENT)),
        (["Content-Transfer-Encoding: binary"], CONTENT),
        (["Content-Encoding: gzip"], gzip.compress(CONTENT)),
        (["Content-Encoding: identity"], CONTENT),
        (["Content-Encoding: deflate, gzip"], gzip.compress(zlib.compress(CONTENT))),
        (
            ["Content-Encoding: deflate", "content-encoding: gzip"],
            gzip.compress(zlib.compress(CONTENT)),
        ),
        (
            ["Content-Transfer-Encoding: base64", "Content-Encoding: gzip"],
            b64encode(gzip.compress(CONTENT)),
        ),
    ],
)
async def test_m16_m17_encodings_are_undone(fields: list[str], sent: bytes) -> None:
    """M16, M17: whole and in pieces; and not, where that is not asked for."""
    assert await (await only(sent, *fields)).read() == sent
    assert await (await only(sent, *fields)).read(decode=True) == CONTENT
    found = await only(sent, *fields)
    assert b"".join([piece async for piece in found.iter_chunks(5, decode=True)]) == CONTENT
    assert found.decode(sent) == CONTENT
    assert b"".join([piece async for piece in found.decode_iter(sent)]) == CONTENT
    lines = SyncMultipartReader(MIXED, [body(part(sent, *fields))]).next()
    assert isinstance(lines, SyncBodyPartReader)
    assert b"".join(lines.iter_chunks(5, decode=True)) == CONTENT


def test_content_that_unpacks_to_whole_steps() -> None:
    """Nothing is left behind the last of them, and no empty piece is given."""
    content = bytes(2 * 256 * 1024)
    octets = body(part(gzip.compress(content), "Content-Encoding: gzip"))
    found = SyncMultipartReader(MIXED, [octets]).next()
    assert isinstance(found, SyncBodyPartReader)
    assert [len(piece) for piece in found.iter_chunks(decode=True)] == [256 * 1024] * 2


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("Content-Transfer-Encoding: rot13", b"x"),
        ("Content-Encoding: rot13", b"x"),
        ("Content-Encoding: " + "gzip, " * 6, b"x"),
        ("Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: base64", b"QUJD"),
        ("Content-Transfer-Encoding: base64", b"QUJ"),
        ("Content-Encoding: gzip", gzip.compress(CONTENT)[:-4]),
        ("Content-Encoding: gzip", b"no gzip"),
    ],
)
async def test_m16_m17_encodings_that_cannot_be_undone(field: str, sent: bytes) -> None:
    found = await only(sent, field)
    with pytest.raises(PartEncodingError):
        await found.read(decode=True)
    with pytest.raises(PartEncodingError):
        [piece async for piece in (await only(sent, field)).iter_chunks(decode=True)]


async def test_a_form_has_no_content_encoding() -> None:
    """RFC 7578 section 4.8: the field means nothing there."""
    found = await only(CONTENT, "Content-Encoding: gzip", headers=FORM)
    assert await found.read(decode=True) == CONTENT
