"""Encoders: what they write can be read by the libraries and by our decoders, whatever the settings."""

import gzip
import importlib
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib
from wayfare_http_core import (
    UnsupportedCodings,
    ZlibBackend,
    make_decoder,
    make_encoder,
    parse_content_codings,
    set_zlib_backend,
)
from wayfare_http_core._codings import DECODE_STEP
from wayfare_http_core._zlib_backend import zlib_backend
from zlib_ng import zlib_ng

brotli = importlib.import_module("brotli")  # it has no types
TEXT = b"".join(b"%d bottles of beer on the wall, " % n for n in range(99, 0, -1))
CODINGS = ("gzip", "deflate", "br", "zstd")
LIBRARIES: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}
EACH = pytest.mark.parametrize("coding", CODINGS)


def undo(codings: str, coded: bytes) -> bytes:
    decoder = make_decoder(parse_content_codings([codings]))
    assert decoder is not None
    assert not isinstance(decoder, UnsupportedCodings)
    out = decoder.decode(coded, DECODE_STEP)
    while decoder.has_pending:
        out += decoder.decode(b"", DECODE_STEP)
    decoder.finish()
    return out


@EACH
def test_libraries_read_what_is_written(coding: str) -> None:
    encoder = make_encoder(coding)
    coded = encoder.encode(TEXT) + encoder.encode(b"") + encoder.encode(TEXT) + encoder.flush()
    assert len(coded) < len(TEXT)
    assert LIBRARIES[coding](coded) == 2 * TEXT


@EACH
def test_empty_content_is_a_whole_stream(coding: str) -> None:
    coded = make_encoder(coding).flush()
    assert coded
    assert LIBRARIES[coding](coded) == b""
    assert undo(coding, coded) == b""


@given(
    contents=st.lists(st.binary(max_size=500) | st.integers(0, 100_000)),
    codings=st.lists(st.sampled_from(CODINGS), min_size=1, max_size=5),
    syncs=st.lists(st.booleans(), min_size=1),
)
def test_z8_round_trips(contents: list[bytes | int], codings: list[str], syncs: list[bool]) -> None:
    """Z8: any pieces through any stack and back; after `sync_flush` all of them can be read."""
    encoder = make_encoder(codings)
    decoder = make_decoder(codings)
    assert decoder is not None
    assert not isinstance(decoder, UnsupportedCodings)
    sent = bytearray()
    got = bytearray()
    for index, content in enumerate(contents):
        piece = bytes(content)  # a number stands for so many zeros
        sent += piece
        coded = encoder.encode(piece)
        sync = syncs[index % len(syncs)]
        if sync:
            coded += encoder.sync_flush()
        got += decoder.decode(coded, DECODE_STEP)
        while decoder.has_pending:
            got += decoder.decode(b"", DECODE_STEP)
        if sync:
            assert got == sent
    got += decoder.decode(encoder.flush(), DECODE_STEP)
    while decoder.has_pending:
        got += decoder.decode(b"", DECODE_STEP)
    decoder.finish()
    assert got == sent


@EACH
def test_nothing_follows_the_end(coding: str) -> None:
    encoder = make_encoder(coding)
    encoder.flush()
    for call in (encoder.flush, encoder.sync_flush, lambda: encoder.encode(b"x")):
        with pytest.raises(ValueError, match="the coded stream has ended"):
            call()


@pytest.mark.parametrize("codings", ["deflate, gzip", ["deflate", "gzip"], ("Deflate", "x-gzip")])
def test_z8_names_as_in_the_field(codings: str | list[str]) -> None:
    """Z8: in the order in which Content-Encoding names them; names do not depend on their case."""
    encoder = make_encoder(codings)
    coded = encoder.encode(TEXT) + encoder.flush()
    assert zlib.decompress(gzip.decompress(coded)) == TEXT


def test_z8_identity_is_no_coding() -> None:
    """Z8: and there has to be one."""
    encoder = make_encoder("identity, gzip")
    assert gzip.decompress(encoder.encode(TEXT) + encoder.flush()) == TEXT
    nothing: list[str | list[str]] = ["", "identity", []]
    for none in nothing:
        with pytest.raises(ValueError, match="no content coding is named"):
            make_encoder(none)


def test_z8_what_cannot_be_applied() -> None:
    """Z8: unknown names, and more codings than anybody undoes."""
    with pytest.raises(ValueError, match="no content coding is called 'compress' here"):
        make_encoder("gzip, compress")
    make_encoder(5 * ["gzip"])
    with pytest.raises(ValueError, match="more than 5 content codings"):
        make_encoder(6 * ["gzip"])


LEVELS = {"gzip": (0, 1, 9), "deflate": (0, 1, 9), "br": (0, 5, 11), "zstd": (-5, 1, 19)}


@EACH
def test_levels(coding: str) -> None:
    """Every level can be read with the windows that receivers allow, and the lowest makes it largest."""
    sizes = []
    for level in LEVELS[coding]:
        encoder = make_encoder(coding, level=level)
        coded = encoder.encode(TEXT) + encoder.flush()
        sizes.append(len(coded))
        assert undo(coding, coded) == TEXT
    assert sizes[0] == max(sizes) > sizes[-1]


@pytest.mark.parametrize(
    ("coding", "level", "message"),
    [
        ("gzip", 10, "gzip has no level 10 here"),
        ("deflate", -2, "deflate has no level -2 here"),
        ("br", 12, "br has levels from 0 to 11, not 12"),
        ("br", -1, "br has levels from 0 to 11, not -1"),
        ("zstd", 23, "compression level 23"),
        ("gzip", 1 << 99, "gzip has no level 633825300114114700748351602688 here"),
        ("zstd", 1 << 99, "zstd has no level 633825300114114700748351602688"),
    ],
)
def test_levels_that_are_not_there(coding: str, level: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_encoder(coding, level=level)


@EACH
@pytest.mark.parametrize("setting", ["level", "window"])
@pytest.mark.parametrize("value", ["5", b"5", 5.0, [5]])
def test_settings_that_are_no_integers(coding: str, setting: str, value: Any) -> None:
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        make_encoder(coding, **{setting: value})


RANGES = {"gzip": (9, 15), "deflate": (9, 15), "br": (10, 24), "zstd": (10, 23)}


@EACH
def test_windows(coding: str) -> None:
    """What is written with a window can be read with that window, and says so where the format can."""
    smallest, largest = RANGES[coding]
    for bits in range(smallest, largest + 1):
        encoder = make_encoder(coding, window=1 << bits)
        coded = encoder.encode(TEXT) + encoder.flush()
        if coding == "gzip":
            assert zlib.decompress(coded, 16 + bits) == TEXT
        elif coding == "deflate":
            assert coded[0] >> 4 == bits - 8
            assert zlib.decompress(coded, bits) == TEXT
        else:
            decoder = make_decoder([coding], max_window=1 << bits)
            assert decoder is not None
            assert not isinstance(decoder, UnsupportedCodings)
            assert decoder.decode(coded, DECODE_STEP) == TEXT


@EACH
@pytest.mark.parametrize("window", [-1024, 0, 1, 256, 1025, 1 << 25])
def test_windows_that_are_not_there(coding: str, window: int) -> None:
    smallest, largest = (1 << bits for bits in RANGES[coding])
    message = f"the window of {coding} is a power of two from {smallest} to {largest}"
    with pytest.raises(ValueError, match=message):
        make_encoder(coding, window=window)


def test_z5_no_level_of_zstd_needs_more_than_8_mib() -> None:
    """Z5: also not where the library would take more (RFC 9659 section 3)."""
    encoder = make_encoder("zstd", level=22)
    coded = encoder.encode(TEXT) + encoder.sync_flush()
    assert coded[4] & 0x20 == 0
    assert coded[5] >> 3 == 23 - 10
    assert undo("zstd", coded + encoder.flush()) == TEXT


def test_z7_zstd_carries_a_checksum() -> None:
    """Z7: what arrives damaged is noticed."""
    encoder = make_encoder("zstd")
    coded = encoder.encode(TEXT) + encoder.flush()
    assert coded[4] & 0x04


@pytest.mark.parametrize("module", [isal_zlib, zlib_ng], ids=["isal", "zlib_ng"])
def test_a_backend_for_one_coder(module: ZlibBackend) -> None:
    """As a parameter, for one encoder and one decoder; with isal the levels are isal's."""
    for coding in ("gzip", "deflate"):
        encoder = make_encoder(coding, zlib_backend=module)
        coded = encoder.encode(TEXT) + encoder.flush()
        assert LIBRARIES[coding](coded) == TEXT
        decoder = make_decoder([coding], zlib_backend=module)
        assert decoder is not None
        assert not isinstance(decoder, UnsupportedCodings)
        assert decoder.decode(coded, DECODE_STEP) == TEXT
        decoder.finish()
    if module is isal_zlib:
        make_encoder("gzip", level=3, zlib_backend=module)
        with pytest.raises(ValueError, match="gzip has no level 4 here"):
            make_encoder("gzip", level=4, zlib_backend=module)


def test_a_backend_for_all() -> None:
    before = zlib_backend()
    set_zlib_backend(isal_zlib)
    try:
        with pytest.raises(ValueError, match="gzip has no level 9 here"):
            make_encoder("gzip", level=9)
        encoder = make_encoder("gzip")
        assert undo("gzip", encoder.encode(TEXT) + encoder.flush()) == TEXT
    finally:
        set_zlib_backend(before)
