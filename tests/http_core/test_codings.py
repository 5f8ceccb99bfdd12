"""Content codings: what is decoded, what is refused, and that neither depends on how it arrives."""

import gzip
import importlib
import importlib.util
import random
import struct
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core._codings import (
    ACCEPT_ENCODING,
    DECODE_STEP,
    MAX_CONTENT_CODINGS,
    Decoder,
    UnsupportedCodings,
    make_decoder,
    parse_content_codings,
)
from wayfare_http_core._errors import ContentEncodingError
from wayfare_http_core._inflate import MAX_GZIP_HEADER, MAX_GZIP_MEMBERS
from wayfare_http_core._zlib_backend import set_zlib_backend, zlib_backend

TEXT = b"".join(b"%d bottles of beer on the wall, " % n for n in range(99, 0, -1))


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def member(
    data: bytes,
    *,
    extra: bytes | None = None,
    name: bytes = b"",
    comment: bytes = b"",
    check: bool = False,
    crc: int | None = None,
    size: int | None = None,
) -> bytes:
    """One gzip member with the optional parts of RFC 1952 section 2.3."""
    flags = 0x02 * check + 0x04 * (extra is not None) + 0x08 * bool(name) + 0x10 * bool(comment)
    head = struct.pack("<3sBIBB", b"\x1f\x8b\x08", flags, 0, 0, 255)
    if extra is not None:
        head += struct.pack("<H", len(extra)) + extra
    for text in (name, comment):
        head += text + b"\0" if text else b""
    if check:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    crc = zlib.crc32(data) if crc is None else crc
    size = len(data) if size is None else size
    return head + raw_deflate(data) + struct.pack("<II", crc, size & 0xFFFFFFFF)


def decoder_of(*codings: str) -> Decoder:
    decoder = make_decoder(codings)
    assert decoder is not None
    assert not isinstance(decoder, UnsupportedCodings)
    return decoder


def decode(
    codings: Iterable[str], pieces: Iterable[bytes], step: int = DECODE_STEP
) -> tuple[bytes, str | None]:
    """Everything that a stream gives, and the error that ends it."""
    decoder = decoder_of(*codings)
    out = bytearray()
    try:
        for piece in pieces:
            out += decoder.decode(piece, step)
            while decoder.has_pending:
                more = decoder.decode(b"", step)
                assert len(more) <= step
                out += more
        decoder.finish()
    except ContentEncodingError as error:
        return bytes(out), str(error)
    return bytes(out), None


def bytewise(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


FULL_HEADER = member(
    b"abc", extra=b"\x01\x02\x00\x00" + 5 * b"e", name=b"n.txt", comment=b"a comment", check=True
)

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "raw": raw_deflate,
}

STREAMS: dict[str, tuple[str, bytes, bytes]] = {
    "gzip": ("gzip", gzip.compress(TEXT), TEXT),
    "gzip-empty-content": ("gzip", gzip.compress(b""), b""),
    "gzip-no-octets": ("gzip", b"", b""),
    "gzip-all-header-parts": ("gzip", FULL_HEADER, b"abc"),
    "gzip-empty-extra": ("gzip", member(b"x", extra=b""), b"x"),
    "gzip-empty-extra-and-check": ("gzip", member(b"x", extra=b"", check=True), b"x"),
    "gzip-name": ("gzip", member(b"x", name=b"name"), b"x"),
    "gzip-members": ("gzip", gzip.compress(b"one ") + member(b"") + FULL_HEADER, b"one abc"),
    "gzip-padding": ("gzip", gzip.compress(b"x") + bytes(600), b"x"),
    "gzip-padding-between": ("gzip", gzip.compress(b"x") + bytes(3) + gzip.compress(b"y"), b"xy"),
    "gzip-garbage": ("gzip", gzip.compress(b"x") + b"garbage" + gzip.compress(b"y"), b"x"),
    "gzip-garbage-that-starts-well": ("gzip", gzip.compress(b"x") + b"\x1f\x8b\x07" + TEXT, b"x"),
    "gzip-half-a-magic": ("gzip", gzip.compress(b"x") + b"\x1f\x8b", b"x"),
    "gzip-padding-then-garbage": ("gzip", gzip.compress(b"x") + bytes(5) + b"\r\n", b"x"),
    "deflate-zlib": ("deflate", zlib.compress(TEXT), TEXT),
    "deflate-zlib-small-window": ("deflate", b"\x18\x95" + zlib.compress(b"abc")[2:], b"abc"),
    "deflate-raw": ("deflate", raw_deflate(TEXT), TEXT),
    "deflate-raw-stored": ("deflate", b"\x01\x03\x00\xfc\xffabc", b"abc"),
    "deflate-raw-stored-odd-padding": (
        "deflate",
        b"\x08\x03\x00\xfc\xffabc" + raw_deflate(b"def"),
        b"abcdef",
    ),
    "deflate-empty-content": ("deflate", zlib.compress(b""), b""),
    "deflate-no-octets": ("deflate", b"", b""),
    "deflate-zlib-garbage": ("deflate", zlib.compress(b"x") + b"garbage", b"x"),
    "deflate-raw-garbage": ("deflate", raw_deflate(b"x") + b"garbage", b"x"),
}

NAMES = pytest.mark.parametrize("name", STREAMS)


@NAMES
def test_z1_z3_decodes(name: str) -> None:
    """Z1, Z3: members, padding, garbage behind the end; deflate with and without its wrapper."""
    coding, coded, plain = STREAMS[name]
    assert decode([coding], [coded]) == (plain, None)


@NAMES
def test_z3_z14_bytewise(name: str) -> None:
    """Z3, Z14: the same octet by octet, however little is asked for."""
    coding, coded, plain = STREAMS[name]
    assert decode([coding], bytewise(coded)) == (plain, None)
    assert decode([coding], bytewise(coded), step=1) == (plain, None)
    assert decode([coding], [coded], step=1) == (plain, None)


@NAMES
def test_z14_cut_anywhere(name: str) -> None:
    """Z14: and cut in two at every position."""
    coding, coded, plain = STREAMS[name]
    for cut in range(len(coded) + 1):
        assert decode([coding], [coded[:cut], coded[cut:]]) == (plain, None), cut


@given(
    data=st.binary(max_size=2000),
    coding=st.sampled_from(["gzip", "zlib", "raw"]),
    steps=st.lists(st.integers(1, 300), min_size=1),
    limit=st.integers(1, 500),
)
def test_z14_any_split(data: bytes, coding: str, steps: list[int], limit: int) -> None:
    """Z14: any content, any pieces, any limit."""
    packed = PACKERS[coding](data)
    pieces: list[bytes] = []
    at = 0
    while at < len(packed):
        size = steps[len(pieces) % len(steps)]
        pieces.append(packed[at : at + size])
        at += size
    name = "gzip" if coding == "gzip" else "deflate"
    assert decode([name], pieces, limit) == (data, None)


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        ("gzip", FULL_HEADER),
        ("gzip", gzip.compress(b"abc", mtime=0)),
        ("deflate", zlib.compress(b"abc")),
        ("deflate", raw_deflate(b"abc")),
    ],
)
def test_z6_truncated_at_every_octet(coding: str, coded: bytes) -> None:
    """Z4, Z6: an error at the end, after what could be decoded."""
    for cut in range(1, len(coded)):
        for pieces in ([coded[:cut]], bytewise(coded[:cut])):
            plain, error = decode([coding], pieces)
            assert b"abc".startswith(plain)
            assert error == "the coded content ends too early", cut
    plain, _ = decode([coding], [coded[:-1]])
    assert plain == (b"abc" if coding == "gzip" or coded[0] == 0x78 else plain)


def test_z6_truncated_second_member() -> None:
    """Z6: what starts as a member has to be one."""
    second = gzip.compress(b"y")
    for cut in range(3, len(second)):
        plain, error = decode(["gzip"], [gzip.compress(b"x") + second[:cut]])
        assert plain.startswith(b"x")
        assert error is not None


CORRUPT: dict[str, tuple[str, bytes, bytes, str]] = {
    "crc": ("gzip", member(TEXT, crc=1), TEXT, "the checksum of the gzip data is wrong"),
    "size": ("gzip", member(TEXT, size=1), TEXT, "the length in the gzip trailer is wrong"),
    "second-crc": (
        "gzip",
        member(b"one") + member(b"two", crc=1),
        b"onetwo",
        "the checksum of the gzip data is wrong",
    ),
    "adler": (
        "deflate",
        zlib.compress(TEXT)[:-1] + b"\0",
        TEXT,
        "the checksum of the zlib data is wrong",
    ),
    "header-crc": (
        "gzip",
        FULL_HEADER.replace(b"n.txt", b"N.txt"),
        b"",
        "the checksum of the gzip header is wrong",
    ),
    "not-gzip": ("gzip", b"<!doctype html>", b"", "the content is not gzip data"),
    "zlib-is-not-gzip": ("gzip", zlib.compress(TEXT), b"", "the content is not gzip data"),
    "method": ("gzip", b"\x1f\x8b\x07" + bytes(20), b"", "the content is not gzip data"),
    "reserved-flag": ("gzip", b"\x1f\x8b\x08\x20" + bytes(20), b"", "the content is not gzip data"),
    "gzip-data": ("gzip", member(b"")[:10] + b"\xff", b"", "the DEFLATE data is corrupt"),
    "gzip-is-not-deflate": ("deflate", gzip.compress(TEXT), b"", "the DEFLATE data is corrupt"),
    "html-is-not-deflate": ("deflate", b"<html>", b"", "the DEFLATE data is corrupt"),
    "dictionary": (
        "deflate",
        b"\x78\x20" + zlib.compress(b"x")[2:],
        b"",
        "the zlib data needs a dictionary that nobody sent",
    ),
    "window": (
        "deflate",
        b"\x88\x1c" + zlib.compress(TEXT)[2:],
        b"",
        "the DEFLATE data is corrupt",
    ),
}


@pytest.mark.parametrize("name", CORRUPT)
def test_z4_z7_corrupt(name: str) -> None:
    """Z4, Z7: an error, after all that was decoded before it; the same however it arrives."""
    coding, coded, plain, message = CORRUPT[name]
    assert decode([coding], [coded]) == (plain, message)
    assert decode([coding], bytewise(coded)) == (plain, message)
    assert decode([coding], [coded], step=7) == (plain, message)


def test_z4_dictionary_flag_needs_a_valid_header() -> None:
    assert int.from_bytes(b"\x78\x20", "big") % 31 == 0


def test_z7_an_error_stays() -> None:
    """Z7: output comes first and is pending until then; the error is raised by every later call."""
    decoder = decoder_of("gzip")
    assert decoder.decode(member(b"abc", crc=1), DECODE_STEP) == b"abc"
    assert decoder.has_pending
    for _ in range(2):
        with pytest.raises(ContentEncodingError, match="checksum"):
            decoder.decode(b"", DECODE_STEP)
    with pytest.raises(ContentEncodingError, match="checksum"):
        decoder.finish()


def test_z6_an_incomplete_stream_stays_incomplete() -> None:
    """Z6: as does the error of `finish`."""
    decoder = decoder_of("deflate")
    decoder.decode(zlib.compress(b"abc")[:-1], DECODE_STEP)
    for _ in range(2):
        with pytest.raises(ContentEncodingError, match="too early"):
            decoder.finish()


def test_the_cause_is_kept() -> None:
    decoder = decoder_of("deflate")
    with pytest.raises(ContentEncodingError) as caught:
        decoder.decode(b"\xff\xff", 10)
    assert isinstance(caught.value.__cause__, zlib.error)
    assert caught.value.status == 400


def test_data_may_come_while_some_is_pending() -> None:
    packed = gzip.compress(TEXT)
    decoder = decoder_of("gzip")
    out = decoder.decode(packed[:50], 3) + decoder.decode(packed[50:], 3)
    while decoder.has_pending:
        out += decoder.decode(b"", 100)
    decoder.finish()
    assert out == TEXT


@pytest.mark.parametrize("extra", [0, 1])
def test_z2_members_are_limited(extra: int) -> None:
    """Z2: 1,024 members are decoded, one more is an error after their content."""
    one = member(b"x")
    plain, error = decode(["gzip"], [(MAX_GZIP_MEMBERS + extra) * one])
    assert plain == MAX_GZIP_MEMBERS * b"x"
    assert error == (f"more than {MAX_GZIP_MEMBERS} gzip members" if extra else None)


class CountingBackend:
    """zlib, counting the octets that it is shown."""

    error = zlib.error
    Z_DEFAULT_COMPRESSION = zlib.Z_DEFAULT_COMPRESSION
    Z_SYNC_FLUSH = zlib.Z_SYNC_FLUSH
    Z_FINISH = zlib.Z_FINISH

    def __init__(self) -> None:
        self.seen = 0
        self.made = 0

    def decompressobj(self, wbits: int, /) -> Any:
        self.made += 1
        backend = self
        real = zlib.decompressobj(wbits)

        class Inflater:
            eof = property(lambda _: real.eof)
            unconsumed_tail = property(lambda _: real.unconsumed_tail)
            unused_data = property(lambda _: real.unused_data)

            def decompress(self, data: bytes, max_length: int) -> bytes:
                backend.seen += len(data)
                return real.decompress(data, max_length)

        return Inflater()

    def compressobj(self, level: int, method: int, wbits: int, /) -> Any:
        return zlib.compressobj(level, method, wbits)

    def crc32(self, data: bytes, value: int, /) -> int:
        return zlib.crc32(data, value)

    def adler32(self, data: bytes, value: int, /) -> int:
        return zlib.adler32(data, value)


@pytest.fixture
def counting() -> Iterable[CountingBackend]:
    before = zlib_backend()
    backend = CountingBackend()
    set_zlib_backend(backend)
    yield backend
    set_zlib_backend(before)


def test_z2_members_cost_linear_work(counting: CountingBackend) -> None:
    """Z2: a member does not make zlib look at, and copy, the whole rest of a large input."""
    one = member(random.Random(1).randbytes(1000))
    coded = MAX_GZIP_MEMBERS * one
    plain, error = decode(["gzip"], [coded])
    assert error is None
    assert len(plain) == MAX_GZIP_MEMBERS * 1000
    assert counting.made == MAX_GZIP_MEMBERS
    # Each is shown one slice of 64 KiB at most; the input has 17 of them.
    assert counting.seen <= MAX_GZIP_MEMBERS * 64 * 1024


def test_z9_a_bomb_costs_linear_work(counting: CountingBackend) -> None:
    """Z9: the same for a large input of which each step takes little."""
    coded = gzip.compress(bytes(64 << 20), 9)
    decoder = decoder_of("gzip")
    total = len(decoder.decode(coded + coded, DECODE_STEP))
    while decoder.has_pending:
        total += len(decoder.decode(b"", DECODE_STEP))
    decoder.finish()
    assert total == 128 << 20
    assert counting.seen <= (total // DECODE_STEP + 4) * 64 * 1024


@pytest.mark.parametrize("size", [MAX_GZIP_HEADER, MAX_GZIP_HEADER + 1])
def test_header_is_limited(size: int) -> None:
    coded = member(b"abc", name=(size - 11) * b"n")
    expected = (b"abc", None) if size <= MAX_GZIP_HEADER else (b"", "the gzip header is too long")
    assert decode(["gzip"], [coded]) == expected
    assert decode(["gzip"], [coded[i : i + 999] for i in range(0, len(coded), 999)]) == expected


def test_z8_stacked() -> None:
    """Z8: undone from right to left, with any split."""
    coded = gzip.compress(zlib.compress(gzip.compress(TEXT)))
    stack = ["gzip", "deflate", "gzip"]
    assert decode(stack, [coded]) == (TEXT, None)
    assert decode(stack, bytewise(coded)) == (TEXT, None)
    assert decode(stack, [coded], step=5) == (TEXT, None)
    for cut in range(len(coded)):
        assert decode(stack, [coded[:cut], coded[cut:]])[0] == TEXT


@pytest.mark.parametrize("cut", range(1, 12))
def test_z6_z8_stacked_and_truncated(cut: int) -> None:
    """Z6, Z8: whichever of the two is short."""
    inner = gzip.compress(TEXT)
    for coded in (zlib.compress(inner)[:-cut], zlib.compress(inner[:-cut])):
        _, error = decode(["gzip", "deflate"], [coded])
        assert error == "the coded content ends too early"


def test_z9_a_stack_gives_way_and_stays_small() -> None:
    """Z9: a bomb in a bomb: no call does more than one step of work in each coding."""
    inner = gzip.compress(bytes(32 << 20), 9)
    outer = gzip.compress(256 * inner, 9)
    assert len(outer) < 100_000
    decoder = decoder_of("gzip", "gzip")
    total = 0
    out = decoder.decode(outer, DECODE_STEP)
    for _ in range(200):
        assert len(out) <= DECODE_STEP
        assert decoder.has_pending
        total += len(out)
        out = decoder.decode(b"", DECODE_STEP)
    assert 40 << 20 <= total <= 200 * DECODE_STEP


def test_z9_output_may_be_empty_while_work_is_pending() -> None:
    """Z9: a stack that decodes to a long name of nothing returns often, and empty-handed."""
    decoder = decoder_of("gzip", "gzip")
    hollow = gzip.compress(gzip.compress(b"x") + bytes(4 * DECODE_STEP))
    calls = 1
    out = decoder.decode(hollow, DECODE_STEP)
    while decoder.has_pending:
        out += decoder.decode(b"", DECODE_STEP)
        calls += 1
    decoder.finish()
    assert out == b"x"
    assert calls >= 4


@pytest.mark.parametrize(
    ("values", "codings"),
    [
        ([], []),
        ([""], []),
        (["gzip"], ["gzip"]),
        (["GZip"], ["gzip"]),
        (["x-gzip, X-GZIP"], ["gzip", "gzip"]),
        (["deflate , gzip"], ["deflate", "gzip"]),
        (["deflate", "gzip"], ["deflate", "gzip"]),
        ([",, deflate,\t,", " gzip\t"], ["deflate", "gzip"]),
        (["identity"], ["identity"]),
        (["br;q=1"], ["br;q=1"]),
        (["gz\u0131p"], ["gz\u0131p"]),
        (["\xa0gzip"], ["\xa0gzip"]),
        (["\u212agzip"], ["\u212agzip"]),
    ],
)
def test_z8_parse(values: list[str], codings: list[str]) -> None:
    """Z8, Y2, Y4: a list over several fields; only ASCII letters fold, only SP and HTAB are space."""
    assert parse_content_codings(values) == codings
    assert parse_content_codings(iter(values)) == codings


@pytest.mark.parametrize("codings", [[], ["identity"], ["identity", "identity"]])
def test_z8_nothing_to_undo(codings: list[str]) -> None:
    """Z8: identity is no coding."""
    assert make_decoder(codings) is None


def test_z8_identity_in_a_stack_is_ignored() -> None:
    """Z8: and does not count."""
    stack = ["identity", "deflate", "identity", "gzip", *(MAX_CONTENT_CODINGS * ["identity"])]
    assert decode(stack, [gzip.compress(zlib.compress(TEXT))]) == (TEXT, None)


def test_z8_unknown_codings_are_refused_as_data() -> None:
    """Z8: the body stays coded, and the answer says which coding it was."""
    assert make_decoder(["gzip", "sdch", "compress"]) == UnsupportedCodings(
        ("gzip", "sdch", "compress"), ("sdch", "compress")
    )


def test_z8_number_of_codings() -> None:
    """Z8: five are undone, six are an error, whatever they are."""
    coded = TEXT
    for _ in range(MAX_CONTENT_CODINGS):
        coded = gzip.compress(coded)
    stack = MAX_CONTENT_CODINGS * ["gzip"]
    assert decode(stack, [coded]) == (TEXT, None)
    for sixth in ("gzip", "sdch"):
        with pytest.raises(ContentEncodingError, match="more than 5 content codings"):
            make_decoder([*stack, sixth])


def test_what_is_offered_can_be_undone() -> None:
    names = parse_content_codings([ACCEPT_ENCODING])
    assert names == ["gzip", "deflate", "br", "zstd"]
    for name in names:
        decoder_of(name)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ("zlib", "isal.isal_zlib", "zlib_ng.zlib_ng")
        if importlib.util.find_spec(name.partition(".")[0]) is not None
    ],
)
def test_other_backends(name: str) -> None:
    """Each backend that is installed gives the same content and the same verdicts."""
    before = zlib_backend()
    set_zlib_backend(importlib.import_module(name))
    try:
        for coding, coded, plain in STREAMS.values():
            assert decode([coding], [coded]) == (plain, None)
            assert decode([coding], bytewise(coded), step=3) == (plain, None)
        for coding, coded, plain, message in CORRUPT.values():
            assert decode([coding], [coded]) == (plain, message)
    finally:
        set_zlib_backend(before)


def test_a_whole_body_in_one_piece_takes_one_call() -> None:
    decoder = decoder_of("gzip")
    assert decoder.decode(gzip.compress(TEXT), DECODE_STEP) == TEXT
    assert not decoder.has_pending
    decoder.finish()
