"""Chunks and trailers: the rules B16 to B25, and the chunks that we write (R10).

`respond` feeds every wire whole, octet by octet and cut in two everywhere, and fails when that
changes anything.
"""

import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from wayfare_http_core import (
    MAX_CHUNK_EXTENSIONS,
    MAX_CHUNK_LINE,
    MAX_TRAILERS,
    BadHttpMessage,
    ChunkedDecoder,
    ClientPayloadError,
    HeadLimits,
    IncompleteBodyError,
    InvalidHeader,
    LineTooLong,
    ResponseParser,
    TransferEncodingError,
    encode_chunk,
    encode_last_chunk,
)

from tests.cpu_time import is_linear

Respond = Callable[..., Any]

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


# --- Chunks.


@pytest.mark.parametrize(
    "size", [b"5", b"05", b"0000000000000005", b"5;a", b"5;a=b", b'5;a="b"', b"5; a", b"5;a ;b=c"]
)
def test_b16_sizes(respond: Respond, size: bytes) -> None:
    """B16, B20: hexadecimal digits, up to sixteen, and well-formed extensions, which say nothing."""
    outcome = respond(CHUNKED + size + b"\r\nhello\r\n0\r\n\r\n")
    assert outcome.content == b"hello"
    assert outcome.reusable


@pytest.mark.parametrize(("size", "octets"), [(b"a", 10), (b"A", 10), (b"1f", 31), (b"Ff", 255)])
def test_b16_hexadecimal(respond: Respond, size: bytes, octets: int) -> None:
    outcome = respond(CHUNKED + size + b"\r\n" + octets * b"x" + b"\r\n0\r\n\r\n")
    assert outcome.content == octets * b"x"


@pytest.mark.parametrize(
    "size",
    [
        *(b"", b"0x5", b"+5", b"-5", b"5_0", b"_5", b" 5", b"5 ", b"\t5", b"5\t", b"5\x0b", b"5h"),
        *(b"g", b"\xd9\xa5", b"\xef\xbc\x95", b"5\x00", b"5\xa0", b"5.", b"5,5", b"5 5", b"-0"),
        *(b"5 ;a", b"5\t;a", b"+0", b"0x", b"\x005", b"5\r", b"5\r\r", b"x", b"'5'"),
    ],
)
def test_b16_y1_no_sizes(respond: Respond, size: bytes) -> None:
    """B16, Y1: anything else is refused, before a size of nothing ends a body."""
    outcome = respond(CHUNKED + size + b"\r\nhello\r\n0\r\n\r\n")
    assert isinstance(outcome.error, TransferEncodingError)
    assert outcome.content == b""
    assert not outcome.complete
    assert not outcome.reusable


@pytest.mark.parametrize(
    ("size", "fine"),
    [
        (b"7fffffffffffffff", True),
        (b"8000000000000000", False),
        (b"f0000000000000003", False),
        (b"ffffffffffffffff", False),
        (b"10000000000000005", False),
        (b"00000000000000005", False),
        (100 * b"f", False),
        (3000 * b"0" + b"5", False),
    ],
)
def test_b17_huge_chunks(respond: Respond, size: bytes, fine: bool) -> None:
    """B17: up to 2**63-1 and sixteen digits; nothing wraps round."""
    outcome = respond(CHUNKED + size + b"\r\nhello")
    assert (outcome.error is None) is fine
    assert outcome.content == (b"hello" if fine else b"")


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\r", b"\rx", b"x\r\n", b"\n\r", b"XX", b" \r\n"])
@pytest.mark.parametrize("data", [b"hello", b"hell\r"])
def test_b18_after_the_data(respond: Respond, end: bytes, data: bytes) -> None:
    """B18: CRLF and nothing else; the data before it is delivered."""
    outcome = respond(CHUNKED + b"5\r\n" + data + end + b"0\r\n\r\n")
    assert isinstance(outcome.error, TransferEncodingError)
    assert outcome.content == data
    assert not outcome.reusable


@pytest.mark.parametrize("line", [b"5\n", b"5\rx\n", b"5\r\r\n", b"5;a\n", b"5\r", b"5;a\rb\r\n"])
def test_b19_line_ends(respond: Respond, line: bytes) -> None:
    """B19, H18: no bare LF and no CR on its own in chunk framing."""
    outcome = respond(CHUNKED + line + b"hello\r\n0\r\n\r\n")
    assert isinstance(outcome.error, TransferEncodingError)
    assert outcome.content == b""


@pytest.mark.parametrize(
    "tail", [b"0\n\n", b"0\r\n\n", b"0\n\r\n", b"0\r\n\rX", b"0\r\n\r\r\n\r\n"]
)
def test_b19_the_last_line_ends(respond: Respond, tail: bytes) -> None:
    """B19: nor at the end of the body."""
    outcome = respond(CHUNKED + b"5\r\nhello\r\n" + tail, eof=True)
    assert outcome.content == b"hello"
    assert isinstance(outcome.error, BadHttpMessage | IncompleteBodyError)
    assert not outcome.complete


@pytest.mark.parametrize(
    "extension",
    [
        *(b";a", b";a=b", b";a=b;c", b'; a = "b;c" ; d', b';a="\\""', b';a="\\\\"', b';a=""'),
        *(b';a="x\ty"', b";a\t", b';a="\x80\xff"', b";!#$%&'*+-.^_`|~09=AZ"),
    ],
)
def test_b20_extensions(respond: Respond, extension: bytes) -> None:
    """B20: read as the grammar has them, quoted strings included."""
    outcome = respond(CHUNKED + b"5" + extension + b"\r\nhello\r\n0" + extension + b"\r\n\r\n")
    if extension == b";a\t":
        # Trailing white space belongs to no extension.
        assert isinstance(outcome.error, TransferEncodingError)
    else:
        assert outcome.content == b"hello"
        assert outcome.reusable


@pytest.mark.parametrize(
    "extension",
    [
        *(
            b";",
            b";;a",
            b";=b",
            b";a=",
            b';a="',
            b';a="b',
            b';a="b"c',
            b";a b",
            b";\x00",
            b";a=\x00",
        ),
        *(
            b';a="\x00"',
            b';a="\n"',
            b';a="\r"',
            b";a\r",
            b";\n",
            b";a=b\x7f",
            b';a="\x7f"',
            b";\xff",
        ),
        *(b';a="\\\x00"', b';a="\\\n"', b":a", b",a", b" a", b"a;b=", b';a="b\\"'),
    ],
)
def test_b20_malformed_extensions(respond: Respond, extension: bytes) -> None:
    """B20: refused, above all CR, LF and NUL, also inside quotes."""
    outcome = respond(CHUNKED + b"5" + extension + b"\r\nhello\r\n0\r\n\r\n")
    if extension.startswith(b"a"):
        # Not an extension: "5a" is a size.
        extension = b""
    assert isinstance(outcome.error, TransferEncodingError)
    assert not outcome.complete


@pytest.mark.parametrize("extra", [0, 1])
def test_b21_length_of_a_line(respond: Respond, extra: int) -> None:
    """B21: 4 KiB pass and one octet more does not, whole or octet by octet."""
    line = (b"5;a=" + MAX_CHUNK_LINE * b"x")[: MAX_CHUNK_LINE + extra]
    outcome = respond(CHUNKED + line + b"\r\nhello\r\n0\r\n\r\n")
    assert outcome.complete is (extra == 0)
    assert isinstance(outcome.error, LineTooLong) is (extra == 1)


@pytest.mark.parametrize("endless", [b"5;a=" + 9000 * b"x", 9000 * b"5"])
def test_b21_an_endless_line(respond: Respond, endless: bytes) -> None:
    """B21: refused although its end never comes."""
    outcome = respond(CHUNKED + endless)
    assert isinstance(outcome.error, BadHttpMessage)


@pytest.mark.parametrize("extra", [0, 1])
def test_b21_extensions_of_a_body(extra: int) -> None:
    """B21: 16 KiB of extensions in all, however small the chunks."""
    each = 64
    chunk = b"1;" + (each - 1) * b"x" + b"\r\nx\r\n"
    last = b"1;" + (each - 1 + extra) * b"x" + b"\r\nx\r\n"
    count = MAX_CHUNK_EXTENSIONS // each
    for piece in (1, 1000, 1 << 20):
        decoder = ChunkedDecoder()
        wire = (count - 1) * chunk + last
        content = b"".join(
            decoder.decode(wire[at : at + piece]) for at in range(0, len(wire), piece)
        )
        assert len(content) == count - extra
        assert isinstance(decoder.error, TransferEncodingError) is (extra == 1)


def decode_in_pieces(wire: bytes, piece: int) -> bytes:
    decoder = ChunkedDecoder()
    return b"".join([decoder.decode(wire[at : at + piece]) for at in range(0, len(wire), piece)])


@pytest.mark.parametrize("piece", [1 << 10, 1 << 18])
def test_b22_tiny_chunks(piece: int) -> None:
    """B22: a mebibyte octet by octet: linear, and no more than four times its size of memory."""

    def decoding(size: int) -> Callable[[], object]:
        return partial(decode_in_pieces, size * b"1\r\nx\r\n" + b"0\r\n\r\n", piece)

    assert is_linear(decoding, 1 << 11)
    wire = (1 << 20) * b"1\r\nx\r\n"
    decoder = ChunkedDecoder()
    total = 0
    tracemalloc.start()
    for at in range(0, 1 << 20, piece):
        total += len(decoder.decode(wire[at : at + piece]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
    assert total >= (1 << 20) // 6 - 1


@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_b22_large_chunks_octet_by_octet(piece: int) -> None:
    """B22, Y8: nor does one chunk cost more than its length."""

    def decoding(size: int) -> Callable[[], object]:
        wire = encode_chunk(size * b"x")
        assert len(decode_in_pieces(wire, piece)) == size
        return partial(decode_in_pieces, wire, piece)

    assert is_linear(decoding, 5_000)


# --- Trailers.

LAST = CHUNKED + b"5\r\nhello\r\n0\r\n"


def test_b23_trailers(respond: Respond) -> None:
    """B23: exposed apart from the head's fields, and never among them."""
    outcome = respond(LAST + b"Digest: x\r\nexpires:  soon \r\nDigest: y\r\n z\r\n\r\n")
    assert outcome.trailers == [("Digest", "x"), ("expires", "soon"), ("Digest", "y z")]
    assert list(outcome.head.headers) == ["Transfer-Encoding"]
    assert outcome.content == b"hello"
    assert outcome.reusable


@pytest.mark.parametrize(
    "name", ["Content-Length", "transfer-encoding", "Content-Encoding", "Connection", "Host", "TE"]
)
def test_b23_framing_fields_in_trailers(respond: Respond, name: str) -> None:
    """B23: ignored, since the message they would describe is over."""
    outcome = respond(LAST + f"{name}: close\r\nA: b\r\n\r\n".encode())
    assert outcome.trailers == [("A", "b")]
    assert outcome.reusable


@pytest.mark.parametrize(
    "section",
    [
        b"A\r\n",
        b": b\r\n",
        b"A b: c\r\n",
        b"A: b\x00\r\n",
        b"A: b\rc\r\n",
        b" A: b\r\n",
        b"A: b\nC: d\r\n",
        b"A: \x7f\r\n",
        b"A : b\r\n",
        b"\xff: b\r\n",
    ],
)
def test_b23_malformed_trailers(respond: Respond, section: bytes) -> None:
    """B23: the grammar of fields holds, without the bare LF; the content before is delivered."""
    outcome = respond(LAST + section + b"\r\n")
    assert isinstance(outcome.error, InvalidHeader)
    assert outcome.content == b"hello"
    assert not outcome.complete
    assert not outcome.reusable


@pytest.mark.parametrize("extra", [0, 1])
def test_b23_size_of_trailers(respond: Respond, extra: int) -> None:
    """B23: 16 KiB pass, one octet more does not, and an endless section neither."""
    section = (b"A: " + MAX_TRAILERS * b"v")[: MAX_TRAILERS + extra]
    for end in (b"\r\n\r\n", 10 * b"v"):
        outcome = respond(LAST + section + end, bytewise=False)
        if extra or end != b"\r\n\r\n":
            assert isinstance(outcome.error, BadHttpMessage)
        else:
            assert outcome.complete


@pytest.mark.parametrize("extra", [0, 1])
def test_b23_number_of_trailers(respond: Respond, extra: int) -> None:
    """B23: they count with the fields of the head."""
    limits = HeadLimits(fields=5)
    head = OK + b"A: b\r\nB: c\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    outcome = respond(head + (2 + extra) * b"T: v\r\n" + b"\r\n", limits=limits)
    assert outcome.complete is (extra == 0)
    assert (outcome.error is None) is (extra == 0)


@pytest.mark.parametrize(
    "tail",
    [b"", b"0", b"0\r", b"0\r\n", b"0\r\n\r", b"0\r\nA: b\r\n", b"0\r\nA: b\r\n\r", b"3\r\nab"],
)
def test_b24_missing_end(respond: Respond, tail: bytes) -> None:
    """B24: not complete before the last CRLF, whatever is missing."""
    outcome = respond(CHUNKED + b"5\r\nhello\r\n" + tail, eof=True)
    error = outcome.error
    assert isinstance(error, IncompleteBodyError)
    assert outcome.content == b"hello" + tail[3:] * tail.startswith(b"3")
    assert (error.received, error.expected) == (len(outcome.content), None)
    assert not outcome.complete
    assert not outcome.reusable


def test_b25_an_error_comes_after_the_data(respond: Respond) -> None:
    """B25: in one read, the content before the error is delivered and nothing behind it."""
    outcome = respond(CHUNKED + b"5\r\nhello\r\n6\r\n world\r\noops\r\n5\r\nnever\r\n")
    assert outcome.content == b"hello world"
    assert isinstance(outcome.error, ClientPayloadError)
    assert isinstance(outcome.error, BadHttpMessage)
    assert not outcome.reusable


def test_b25_nothing_follows_an_error() -> None:
    parser = ResponseParser()
    parser.begin("GET")
    assert len(parser.feed(CHUNKED + b"x\r\n")) == 2
    assert not parser.feed(b"5\r\nhello\r\n0\r\n\r\n")
    assert not parser.feed_eof()
    with pytest.raises(RuntimeError, match="cannot begin"):
        parser.begin("GET")


# --- Our own chunks.


@pytest.mark.parametrize(
    "data", [b"x", b"hello", bytes(300), bytearray(b"\r\n"), memoryview(b"abc")]
)
def test_r10_our_chunks_read_back(respond: Respond, data: bytes) -> None:
    """R10, R14: what is written is what is read."""
    wire = CHUNKED + encode_chunk(data) + encode_chunk(data) + encode_last_chunk([("A", "b")])
    outcome = respond(wire)
    assert outcome.content == 2 * bytes(data)
    assert outcome.trailers == [("A", "b")]


@pytest.mark.parametrize("empty", [b"", bytearray(), memoryview(b"")])
def test_r10_no_chunk_for_no_data(empty: bytes) -> None:
    """R10: an empty chunk would end the body."""
    assert encode_chunk(empty) == b""


def test_r10_trailers_of_ours_are_fields() -> None:
    """R4, R10: no injection there either, and none that would change the framing."""
    for name, value in (("a b", "c"), ("a", "b\r\nc: d"), ("Content-Length", "5"), ("TE", "x")):
        with pytest.raises(ValueError, match=r"token|control|trailer"):
            encode_last_chunk([(name, value)])
