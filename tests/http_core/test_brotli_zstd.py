"""The codings br and zstd: what is decoded and what is refused, with each library that there is."""

import gzip
import importlib
import random
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import Decoder, UnsupportedCodings, make_decoder, make_encoder
from wayfare_http_core._brotli import MAX_BROTLI_WINDOW, BrotliDecoder
from wayfare_http_core._coding_libraries import BrotliLibrary
from wayfare_http_core._codings import DECODE_STEP
from wayfare_http_core._errors import ContentEncodingError
from wayfare_http_core._zstd import MAX_ZSTD_FRAMES, MAX_ZSTD_WINDOW

brotli = importlib.import_module("brotli")  # it has no types
TEXT = b"".join(b"%d bottles of beer on the wall, " % n for n in range(99, 0, -1))
NOISE = random.Random(7).randbytes(200_000)


def with_brotli(name: str) -> Callable[[], Decoder]:
    library = cast(BrotliLibrary, importlib.import_module(name))
    return lambda: BrotliDecoder(library)


def made(*codings: str, max_window: int | None = None) -> Callable[[], Decoder]:
    def make() -> Decoder:
        decoder = make_decoder(codings, max_window=max_window)
        assert decoder is not None
        assert not isinstance(decoder, UnsupportedCodings)
        return decoder

    return make


def decode(
    make: Callable[[], Decoder], pieces: Iterable[bytes], step: int = DECODE_STEP
) -> tuple[bytes, str | None]:
    """Everything that a stream gives, and the error that ends it."""
    decoder = make()
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


def zstd_frame(data: bytes, *flags: zstd.CompressionParameter) -> bytes:
    return zstd.compress(data, options=dict.fromkeys(flags, 1))


def skippable(data: bytes, kind: int = 0) -> bytes:
    """A skippable frame (RFC 8878 section 3.1.2)."""
    return struct.pack("<II", 0x184D2A50 + kind, len(data)) + data


def raw_frame(descriptor: int, fields: bytes, *blocks: tuple[int, int, bytes]) -> bytes:
    """A zstd frame made by hand; a block is its type, its size, and what stands there."""
    frame = b"\x28\xb5\x2f\xfd" + bytes([descriptor]) + fields
    for index, (kind, size, body) in enumerate(blocks):
        last = index == len(blocks) - 1
        frame += (size << 3 | kind << 1 | last).to_bytes(3, "little") + body
    return frame


CHECKSUM = zstd.CompressionParameter.checksum_flag
BROTLI = pytest.mark.parametrize("library", ["brotli", "brotlicffi"])

ZSTD_STREAMS: dict[str, tuple[bytes, bytes]] = {
    "text": (zstd.compress(TEXT), TEXT),
    "checksum": (zstd_frame(TEXT, CHECKSUM), TEXT),
    "empty-content": (zstd.compress(b""), b""),
    "no-octets": (b"", b""),
    "frames": (
        zstd.compress(b"one ") + zstd.compress(b"") + zstd_frame(b"two", CHECKSUM),
        b"one two",
    ),
    "skippable-first": (skippable(b"index") + zstd.compress(b"x"), b"x"),
    "skippable-between": (zstd.compress(b"x") + skippable(b"", 15) + zstd.compress(b"y"), b"xy"),
    "skippable-last": (zstd.compress(b"x") + skippable(bytes(99), 7), b"x"),
    "skippable-only": (skippable(b"nothing"), b""),
    "raw-and-rle-blocks": (
        raw_frame(0, b"\x38", (0, 3, b"abc"), (1, 70_000, b"z")),
        b"abc" + 70_000 * b"z",
    ),
}

BROTLI_STREAMS: dict[str, tuple[bytes, bytes]] = {
    "text": (brotli.compress(TEXT), TEXT),
    "empty-content": (brotli.compress(b""), b""),
    "one-octet": (b"\x06", b""),
    "no-octets": (b"", b""),
    "stored": (brotli.compress(NOISE[:3000]), NOISE[:3000]),
    "small-window": (brotli.compress(TEXT, lgwin=10), TEXT),
    "large-window": (brotli.compress(TEXT, lgwin=24), TEXT),
    "long-runs": (brotli.compress(300_000 * b"a"), 300_000 * b"a"),
}


@pytest.mark.parametrize("name", ZSTD_STREAMS)
def test_z5_zstd_decodes(name: str) -> None:
    """Z5, Z14: frames, skippable ones too, whole, octet by octet, and however little is asked for."""
    coded, plain = ZSTD_STREAMS[name]
    make = made("zstd")
    assert decode(make, [coded]) == (plain, None)
    assert decode(make, bytewise(coded)) == (plain, None)
    assert decode(make, [coded], step=37) == (plain, None)
    for cut in range(len(coded) + 1):
        assert decode(make, [coded[:cut], coded[cut:]]) == (plain, None), cut


@BROTLI
@pytest.mark.parametrize("name", BROTLI_STREAMS)
def test_z5_brotli_decodes(library: str, name: str) -> None:
    """Z5, Z14: the same for br, with both libraries."""
    coded, plain = BROTLI_STREAMS[name]
    make = with_brotli(library)
    assert decode(make, [coded]) == (plain, None)
    assert decode(make, bytewise(coded)) == (plain, None)
    assert decode(make, [coded], step=37) == (plain, None)
    for cut in range(0, len(coded) + 1, 1 + len(coded) // 500):
        assert decode(make, [coded[:cut], coded[cut:]]) == (plain, None), cut


def cut_up(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[at : at + size])
        at += size
    return pieces


@given(
    content=st.binary(max_size=2000) | st.integers(0, 400_000),
    coding=st.sampled_from(["br", "zstd", "brotlicffi"]),
    sizes=st.lists(st.integers(1, 300), min_size=1),
    limit=st.integers(100, 500_000),
)
def test_z14_any_split(content: bytes | int, coding: str, sizes: list[int], limit: int) -> None:
    """Z14: any content, any pieces, any limit; the library's own decoder is the judge."""
    data = bytes(content)  # a number stands for so many zeros
    if coding == "zstd":
        coded, make = zstd.compress(data), made("zstd")
        assert zstd.decompress(coded) == data
    else:
        coded = brotli.compress(data, quality=4)
        make = made("br") if coding == "br" else with_brotli(coding)
        assert brotli.decompress(coded) == data
    assert decode(make, cut_up(coded, sizes), limit) == (data, None)


@given(data=st.data(), coding=st.sampled_from(["br", "zstd", "brotlicffi"]))
def test_z5_damaged_streams(data: st.DataObject, coding: str) -> None:
    """Z5: whatever one octet does to a stream, the verdict is the library's own, and nothing else escapes."""
    coded = zstd_frame(TEXT, CHECKSUM) if coding == "zstd" else brotli.compress(TEXT)
    at = data.draw(st.integers(0, len(coded) - 1))
    damaged = coded[:at] + data.draw(st.binary(min_size=1, max_size=1)) + coded[at + 1 :]
    make = with_brotli(coding) if coding == "brotlicffi" else made(coding)
    plain, error = decode(make, [damaged])
    try:
        expected = (zstd if coding == "zstd" else brotli).decompress(damaged)
    except (zstd.ZstdError, brotli.error):
        assert error is not None
        assert decode(make, bytewise(damaged))[1] is not None
    else:
        assert (plain, error) == (expected, None)


@pytest.mark.parametrize("coded", [ZSTD_STREAMS["checksum"][0], ZSTD_STREAMS["skippable-first"][0]])
def test_z6_zstd_truncated_at_every_octet(coded: bytes) -> None:
    """Z5, Z6: an error at the end, after what could be decoded; only between frames may a stream end."""
    whole = {len(skippable(b"index"))}
    for cut in range(1, len(coded)):
        if coded[:cut].startswith(skippable(b"index")) and cut in whole:
            continue
        plain, error = decode(made("zstd"), [coded[:cut]])
        assert TEXT.startswith(plain) or plain == b"x"
        assert error == "the coded content ends too early", cut


@BROTLI
def test_z6_brotli_truncated_at_every_octet(library: str) -> None:
    """Z5, Z6: the same for br."""
    coded = brotli.compress(TEXT)
    for cut in range(1, len(coded)):
        for pieces in ([coded[:cut]], bytewise(coded[:cut])):
            plain, error = decode(with_brotli(library), pieces)
            assert TEXT.startswith(plain)
            assert error == "the coded content ends too early", cut


CORRUPT_ZSTD: dict[str, bytes] = {
    "not-zstd": b"<!doctype html>",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "garbage-behind-a-frame": zstd.compress(b"x") + b"garbage",
    "zeros-behind-a-frame": zstd.compress(b"x") + bytes(8),
    "checksum": zstd_frame(TEXT, CHECKSUM)[:-1] + b"\x00",
    "reserved-bit": raw_frame(0x08, b"\x38", (0, 1, b"a")),
    "reserved-block-type": raw_frame(0, b"\x38", (3, 1, b"a")),
    "block-too-large": raw_frame(0, b"\x58", (0, (128 << 10) + 1, bytes((128 << 10) + 1))),
    "block-larger-than-the-window": raw_frame(0, b"\x00", (1, 2000, b"a")),
    "content-shorter-than-declared": raw_frame(0x20, b"\x04", (0, 3, b"abc")),
    "content-longer-than-declared": raw_frame(0x20, b"\x02", (0, 3, b"abc")),
    "dictionary": raw_frame(0x21, b"\x07\x03", (0, 3, b"abc")),
    # A match at distance 0: the first of the repeated distances, 1, less one (RFC 8878 section 3.1.1.5).
    "distance-0": raw_frame(0, b"\x38", (2, 12, b"\x28abcde\x01\x54\x00\x01\x00\x03")),
    # A distance that reaches behind the first octet.
    "distance-too-far": raw_frame(0, b"\x38", (2, 12, b"\x28abcde\x01\x54\x05\x04\x00\x1f")),
    # No sequences, and then an octet that belongs to nothing.
    "no-sequences-and-more": raw_frame(0, b"\x38", (2, 5, b"\x10ab\x00\x00")),
    "huffman-tree-of-earlier": raw_frame(0, b"\x38", (2, 6, b"\x13\x40\x00a\x00\x00")),
    "huffman-tree-cut-short": raw_frame(0, b"\x38", (2, 8, b"\x52\x00\x01\x02\x10\x00\x00\x00")),
}


@pytest.mark.parametrize("name", CORRUPT_ZSTD)
def test_z5_zstd_corrupt(name: str) -> None:
    """Z5, Z7: what the format forbids is an error, however it arrives; the library's own decoder agrees."""
    coded = CORRUPT_ZSTD[name]
    with pytest.raises(zstd.ZstdError):
        zstd.decompress(coded)
    for pieces in ([coded], bytewise(coded)):
        plain, error = decode(made("zstd"), pieces)
        assert error in ("the zstd data is corrupt", "the coded content ends too early")
        assert len(plain) <= len(TEXT)


def test_z5_what_stands_before_garbage_is_delivered() -> None:
    """Z5, Z7: the error comes after the content of the frames before."""
    coded = zstd.compress(b"one ") + zstd.compress(b"two") + b"garbage"
    assert decode(made("zstd"), [coded]) == (b"one two", "the zstd data is corrupt")
    assert decode(made("zstd"), bytewise(coded)) == (b"one two", "the zstd data is corrupt")


CORRUPT_BROTLI: dict[str, bytes] = {
    "not-brotli": b"<!doctype html>",
    "large-window": b"\x11\x1e" + bytes(20),
    "reserved-bit-in-metadata": b"\x1c\x00",
    "padding": b"\x86\x00",
    "checksumless-noise": NOISE[1:100],
    "too-many-nibbles": b"\x0c\x00\x00\x00\x00",
}


@BROTLI
@pytest.mark.parametrize("name", CORRUPT_BROTLI)
def test_z5_brotli_corrupt(library: str, name: str) -> None:
    """Z5: the same for br."""
    coded = CORRUPT_BROTLI[name]
    with pytest.raises(brotli.error):
        brotli.decompress(coded)
    for pieces in ([coded], bytewise(coded)):
        _, error = decode(with_brotli(library), pieces)
        assert error in ("the brotli data is corrupt", "the coded content ends too early")


@BROTLI
def test_z5_nothing_follows_a_brotli_stream(library: str) -> None:
    """Z5: garbage behind the end is an error, whether the library meets it or we do."""
    coded = brotli.compress(b"abc")
    assert decode(with_brotli(library), [coded, b"x"]) == (
        b"abc",
        "data follows the end of the brotli stream",
    )
    assert decode(with_brotli(library), [coded + b"x"])[1] == "the brotli data is corrupt"


def test_the_cause_is_kept() -> None:
    for coding, cause in (("br", brotli.error), ("zstd", zstd.ZstdError)):
        decoder = made(coding)()
        with pytest.raises(ContentEncodingError) as caught:
            decoder.decode(b"<!doctype html>" + NOISE, 10)
        assert isinstance(caught.value.__cause__, cause)


def windowed(exponent: int, mantissa: int = 0) -> bytes:
    """A zstd frame of three octets that asks for a window (RFC 8878 section 3.1.1.1.2)."""
    return raw_frame(0, bytes([exponent - 10 << 3 | mantissa]), (0, 3, b"abc"))


@pytest.mark.parametrize(
    ("coded", "accepted"),
    [
        (windowed(10), True),
        (windowed(22, 7), True),
        (windowed(23), True),
        (windowed(23, 1), False),
        (windowed(24), False),
        (windowed(41, 7), False),
    ],
)
def test_z5_zstd_window(coded: bytes, accepted: bool) -> None:
    """Z5: 8 MiB, and not an octet more (RFC 9659 section 3)."""
    assert MAX_ZSTD_WINDOW == 1 << 23
    expected = (
        (b"abc", None)
        if accepted
        else (b"", "the zstd data needs a window of more than 8388608 octets")
    )
    assert decode(made("zstd"), [coded]) == expected
    assert decode(made("zstd"), bytewise(coded)) == expected


def test_z5_zstd_content_in_one_segment_counts_as_its_window() -> None:
    """Z5: a frame that is its own window is limited too."""
    size = MAX_ZSTD_WINDOW + 1
    blocks = [(1, 1 << 17, b"a")] * (size >> 17) + [(1, 1, b"a")]
    coded = raw_frame(0xA0, size.to_bytes(4, "little"), *blocks)
    assert zstd.decompress(coded) == size * b"a"
    assert (
        decode(made("zstd"), [coded])[1]
        == "the zstd data needs a window of more than 8388608 octets"
    )
    assert decode(made("zstd", max_window=16 << 20), [coded])[1] is None


@pytest.mark.parametrize(
    ("max_window", "accepted"), [(1024, 10), (1 << 16, 16), ((1 << 17) - 1, 16), (1 << 27, 27)]
)
def test_z5_zstd_window_by_option(max_window: int, accepted: int) -> None:
    """Z5: `max_window` lowers and raises the limit."""
    make = made("zstd", max_window=max_window)
    assert decode(make, [windowed(accepted)]) == (b"abc", None)
    assert decode(make, [windowed(accepted + 1)])[1] == (
        f"the zstd data needs a window of more than {max_window} octets"
    )


@pytest.mark.parametrize("bits", range(10, 25))
def test_z5_brotli_window(bits: int) -> None:
    """Z5: every window of RFC 7932 is accepted, and by option only the smaller ones."""
    coded = brotli.compress(TEXT, lgwin=bits)
    assert decode(made("br", max_window=1 << bits), bytewise(coded)) == (TEXT, None)
    assert decode(made("br"), [coded]) == (TEXT, None)
    if bits > 10:
        allowed = (1 << bits) - 1
        assert decode(made("br", max_window=allowed), [coded]) == (
            b"",
            f"the brotli data needs a window of {1 << bits} octets, and {allowed} are allowed",
        )
    assert MAX_BROTLI_WINDOW == 1 << 24


def test_a_window_has_a_least_size() -> None:
    with pytest.raises(ValueError, match="at least 1024 octets"):
        make_decoder(["br"], max_window=1023)


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("frame", [zstd.compress(b"x"), skippable(b"")])
def test_z2_frames_are_limited(frame: bytes, extra: int) -> None:
    """Z2: 1,024 frames are decoded, one more is an error after their content."""
    plain, error = decode(made("zstd"), [(MAX_ZSTD_FRAMES + extra) * frame])
    assert plain == (MAX_ZSTD_FRAMES * b"x" if frame[:1] == b"\x28" else b"")
    assert error == (f"more than {MAX_ZSTD_FRAMES} zstd frames" if extra else None)


def test_input_may_come_while_a_frame_gives_more() -> None:
    """The rest of a frame's input, given back at its end, comes before the input that arrived meanwhile."""
    coded = zstd.compress(bytes(5000)) + zstd.compress(b"two ") + zstd.compress(b"three")
    decoder = made("zstd")()
    out = decoder.decode(coded[:-1], 3000)
    out += decoder.decode(coded[-1:], 1000)
    while decoder.has_pending:
        out += decoder.decode(b"", 700)
    decoder.finish()
    assert out == bytes(5000) + b"two three"


def test_z8_stacked_with_all() -> None:
    """Z8: all four in one body, undone from right to left."""
    coded = gzip.compress(zstd.compress(zlib.compress(brotli.compress(TEXT))))
    stack = ["br", "deflate", "zstd", "gzip"]
    assert decode(made(*stack), [coded]) == (TEXT, None)
    assert decode(made(*stack), bytewise(coded), step=7) == (TEXT, None)


@BROTLI
@pytest.mark.parametrize("size", [32751, 32752, 32753, 98272, 98273, 229_328, 229_329])
def test_all_that_arrived_is_given(library: str, size: int) -> None:
    """Without waiting for more input, also where the library stops at the end of one of its buffers."""
    encoder = make_encoder("br")
    coded = encoder.encode(bytes(size)) + encoder.sync_flush()
    decoder = with_brotli(library)()
    out = decoder.decode(coded, DECODE_STEP)
    while decoder.has_pending:
        out += decoder.decode(b"", DECODE_STEP)
    assert len(out) == size


@pytest.mark.parametrize("name", ["br", "zstd", "brotlicffi"])
def test_z9_steps_are_bounded(name: str) -> None:
    """Z9: a call never gives more than it was asked for, nor more than a step is held."""
    plain = bytes(32 << 20)
    coded = zstd.compress(plain, options={zstd.CompressionParameter.window_log: 20})
    if name != "zstd":
        coded = brotli.compress(plain, quality=4)
    make = with_brotli(name) if name == "brotlicffi" else made(name)
    for step in (1000, DECODE_STEP):
        decoder = make()
        total = len(decoder.decode(coded, step))
        assert 0 < total <= step
        for _ in range(50):
            piece = decoder.decode(b"", step)
            total += len(piece)
            assert len(piece) <= step
            assert decoder.has_pending
        assert total > 20 * min(step, 64 * 1024)
