"""Transfer encodings undone, cut at every octet (M16)."""

import quopri
from base64 import b64encode, encodebytes
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_multipart import PartEncodingError
from wayfare_multipart._transfer_codings import make_transfer_decoder


def undone(coding: str, pieces: Iterable[bytes]) -> bytes | None:
    """The content, or None where it is refused."""
    decoder = make_transfer_decoder(coding)
    assert decoder is not None
    try:
        return b"".join([decoder.decode(piece) for piece in pieces]) + decoder.finish()
    except PartEncodingError:
        return None


def decoded(coding: str, sent: bytes) -> bytes | None:
    """The same whole, cut in two everywhere, and octet by octet."""
    whole = undone(coding, [sent])
    assert undone(coding, (sent[at : at + 1] for at in range(len(sent)))) == whole
    for at in range(len(sent)):
        assert undone(coding, [sent[:at], sent[at:]]) == whole, at
    return whole


@pytest.mark.parametrize("coding", ["", "7bit", "8bit", "binary", "Binary", " 7BIT\t"])
def test_encodings_that_change_nothing(coding: str) -> None:
    assert make_transfer_decoder(coding) is None


@pytest.mark.parametrize(
    "coding", ["x-uuencode", "base 64", "base64, base64", "gzip", "ba\u017fe64"]
)
def test_encodings_that_are_not_known(coding: str) -> None:
    with pytest.raises(PartEncodingError, match="not known"):
        make_transfer_decoder(coding)


@pytest.mark.parametrize(
    ("sent", "content"),
    [
        (b"", b""),
        (b"QQ==", b"A"),
        (b"QUI=", b"AB"),
        (b"QUJD", b"ABC"),
        (b"Q\r\nU\tJ D\n", b"ABC"),
        (b"QQ=\r\n=\r\n", b"A"),
        (b"/+/+", b"\xff\xef\xfe"),
    ],
)
def test_m16_base64(sent: bytes, content: bytes) -> None:
    assert decoded("base64", sent) == content


@pytest.mark.parametrize(
    "sent",
    [
        b"Q",
        b"QQ",
        b"QUJ",
        b"QQ=",
        b"=",
        b"====",
        b"Q===",
        b"QQ==QQ==",
        b"QQ==\nQUJD",
        b"QQ==Q",
        b"QU-_",
        b"QU.J",
        b"Q\0Q=",
    ],
)
def test_m16_no_base64(sent: bytes) -> None:
    """M16: bad padding, octets that are none of its characters, more after the end."""
    assert decoded("base64", sent) is None


@pytest.mark.parametrize(
    ("sent", "content"),
    [
        (b"", b""),
        (b"caf=C3=A9", b"caf\xc3\xa9"),
        (b"caf=c3=a9\r\n", b"caf\xc3\xa9\r\n"),
        (b"one =\r\ntwo", b"one two"),
        (b"one=  \t\r\ntwo", b"onetwo"),
        (b"one=\ntwo", b"onetwo"),
        (b"one  \r\ntwo \t\nthree", b"one\r\ntwo\nthree"),
        (b"one \r two", b"one \r two"),
        (b"blanks at the end  \t", b"blanks at the end"),
        (b"=20 =09", b"  \t"),
        (b"=3D=\r\n=3D", b"=="),
        (b"a" * 3000, b"a" * 3000),
    ],
)
def test_m16_quoted_printable(sent: bytes, content: bytes) -> None:
    assert decoded("quoted-printable", sent) == content


@pytest.mark.parametrize(
    "sent", [b"=", b"a=4", b"=G0", b"=4G", b"= x", b"=4 1", b"a=\rb", b"=\r \n", b"==41"]
)
def test_m16_no_quoted_printable(sent: bytes) -> None:
    assert decoded("quoted-printable", sent) is None


def test_blanks_without_end_are_refused() -> None:
    """They would have to be kept until their end is seen, and looked at again."""
    assert decoded("quoted-printable", b"a" + b" " * 1024 + b"b") == b"a" + b" " * 1024 + b"b"
    assert decoded("quoted-printable", b"a" + b" " * 1025 + b"b") is None


@given(st.binary(max_size=200), st.integers(1, 90))
def test_what_others_encode_is_decoded(content: bytes, piece: int) -> None:
    for coding, sent in (
        ("base64", b64encode(content)),
        ("base64", encodebytes(content).replace(b"\n", b"\r\n")),
        ("quoted-printable", quopri.encodestring(content, quotetabs=True)),
    ):
        cut = [sent[at : at + piece] for at in range(0, len(sent), piece)]
        assert undone(coding, cut) == content


@given(st.lists(st.sampled_from([b"=", b"4", b"a", b" ", b"\t", b"\r", b"\n", b"Q", b"G"])))
def test_anything_has_one_verdict(tokens: list[bytes]) -> None:
    decoded("quoted-printable", b"".join(tokens))
    decoded("base64", b"".join(tokens))
