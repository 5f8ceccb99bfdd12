"""The encodings of parts (M16): their octets come back, however they are cut."""

import base64
import gzip
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import Encoder
from wayfare_multipart import MultipartError
from wayfare_multipart._part_codings import base64_size, content_encoder, transfer_encoder


def applied(encoder: Encoder | None, pieces: list[bytes]) -> bytes:
    assert encoder is not None
    return b"".join([*(encoder.encode(piece) for piece in pieces), encoder.flush()])


PIECES = st.lists(st.binary(max_size=200) | st.text("ab =\r\n\t.").map(str.encode))


@given(PIECES)
def test_base64_comes_back(pieces: list[bytes]) -> None:
    coded = applied(transfer_encoder("Base64 "), pieces)
    assert base64.b64decode(coded) == b"".join(pieces)
    assert len(coded) == base64_size(len(b"".join(pieces)))
    assert all(len(line) <= 76 for line in coded.split(b"\r\n"))


@given(PIECES)
def test_quoted_printable_comes_back(pieces: list[bytes]) -> None:
    coded = applied(transfer_encoder("quoted-printable"), pieces)
    assert quopri.decodestring(coded) == b"".join(pieces)
    lines = coded.split(b"\r\n")
    assert all(len(line) <= 76 and line.isascii() for line in lines)
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert b"\n" not in b"".join(lines)


def test_long_content_costs_what_its_length_costs() -> None:
    for name in ("base64", "quoted-printable"):
        assert len(applied(transfer_encoder(name), [b"=" * 1_000_000])) > 1_000_000


@pytest.mark.parametrize("name", ["", "binary", "7bit", " 8BIT"])
def test_some_transfer_encodings_change_nothing(name: str) -> None:
    assert transfer_encoder(name) is None


def test_content_codings() -> None:
    assert gzip.decompress(applied(content_encoder("gzip"), [b"a", b"b"])) == b"ab"
    assert content_encoder("Identity") is content_encoder("") is None


def test_encodings_that_nobody_knows() -> None:
    with pytest.raises(MultipartError, match="unknown content encoding: x"):
        content_encoder("x")
    with pytest.raises(MultipartError, match="unknown content transfer encoding: x"):
        transfer_encoder("x")


def test_flushing_in_between() -> None:
    base = transfer_encoder("base64")
    quoted = transfer_encoder("quoted-printable")
    assert base is not None
    assert quoted is not None
    with pytest.raises(ValueError, match="no place to flush"):
        base.sync_flush()
    assert quoted.sync_flush() == b""
