"""Frames on their way out and masking (RFC 6455 sections 5.2 and 5.3): in Python, and in C where that was built."""

import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple, TypeAlias

import pytest
import wayfare_websocket
from hypothesis import given
from hypothesis import strategies as st
from wayfare_websocket import _compiled, _frames, _masking

NATIVE = "_wayfare_frames"

Encode: TypeAlias = Callable[[int, bytes, bytes | None], bytes]


class Implementation(NamedTuple):
    """One way to do what is written in C and in Python."""

    encode_frame: Encode
    mask_payload: Callable[[bytes, bytes], bytes]


IMPLEMENTATIONS = {"python": Implementation(_frames.encode_frame, _masking.mask_payload)}
if importlib.util.find_spec(NATIVE):
    _native = importlib.import_module(NATIVE)
    IMPLEMENTATIONS["compiled"] = Implementation(_native.encode_frame, _native.mask_payload)

every_implementation = pytest.mark.parametrize(
    "implementation", IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS
)
KEY = b"\x01\x82\x03\xf4"


def content(size: int) -> bytes:
    """Octets in which neither a lost one nor an exchanged one goes unnoticed."""
    return bytes(at * 7 + (at >> 8) & 0xFF for at in range(size))


def masked(data: bytes, key: bytes) -> bytes:
    """RFC 6455 section 5.3, word for word."""
    return bytes(octet ^ key[index % 4] for index, octet in enumerate(data))


@every_implementation
@given(data=st.binary(max_size=100), key=st.binary(min_size=4, max_size=4))
def test_masking(implementation: Implementation, data: bytes, key: bytes) -> None:
    """RFC 6455 section 5.3, and back."""
    result = implementation.mask_payload(data, key)
    assert result == masked(data, key)
    assert implementation.mask_payload(result, key) == data


@every_implementation
@pytest.mark.parametrize("size", [16383, 16384, 16385, 49159, 1 << 20])
def test_masking_of_long_payloads(implementation: Implementation, size: int) -> None:
    data = content(size)
    assert implementation.mask_payload(data, KEY) == masked(data, KEY)


@every_implementation
def test_masking_at_any_address(implementation: Implementation) -> None:
    """Pieces that begin anywhere and end anywhere: no word may be read or written beside them."""
    mask: Callable[..., bytes] = implementation.mask_payload
    data = content(150)
    for start in range(9):
        for end in range(start, len(data)):
            piece = memoryview(data)[start:end]
            assert mask(piece, KEY) == masked(bytes(piece), KEY)


@every_implementation
@pytest.mark.parametrize("key", [b"", b"abc", b"abcde"])
def test_a_key_of_another_size_is_refused(implementation: Implementation, key: bytes) -> None:
    with pytest.raises(ValueError, match="a masking key has 4 octets"):
        implementation.mask_payload(b"data", key)
    with pytest.raises(ValueError, match="a masking key has 4 octets"):
        implementation.encode_frame(0x82, b"data", key)


@every_implementation
@pytest.mark.parametrize(
    ("size", "length"),
    [
        (0, b"\x00"),
        (1, b"\x01"),
        (125, b"\x7d"),
        (126, b"\x7e\x00\x7e"),
        (65535, b"\x7e\xff\xff"),
        (65536, b"\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        (0x12345, b"\x7f\x00\x00\x00\x00\x00\x01\x23\x45"),
    ],
)
def test_w12_lengths_are_minimal(implementation: Implementation, size: int, length: bytes) -> None:
    """W12: seven bits, then 16, then 64, each only where the shorter form does not do."""
    data = content(size)
    assert implementation.encode_frame(0x82, data, None) == b"\x82" + length + data
    length = bytes([length[0] | 0x80]) + length[1:]
    assert implementation.encode_frame(0xC1, data, KEY) == b"\xc1" + length + KEY + masked(
        data, KEY
    )


@every_implementation
@pytest.mark.parametrize("wrong", ["text", None, 5])
def test_what_is_no_payload_is_refused(implementation: Implementation, wrong: object) -> None:
    """A TypeError, whatever is in the wrong place; nothing is read that is no octets."""
    mask: Callable[..., bytes] = implementation.mask_payload
    encode: Callable[..., bytes] = implementation.encode_frame
    calls: tuple[Callable[[], bytes], ...] = (
        lambda: mask(wrong, KEY),
        lambda: mask(b"data", wrong),
        lambda: encode(0x82, wrong, KEY),
        lambda: encode(0x82, b"data", wrong if wrong is not None else "key"),
        lambda: encode("first", b"data", KEY),
        lambda: mask(b"data"),
        lambda: encode(0x82, b"data"),
    )
    for call in calls:
        with pytest.raises((TypeError, ValueError)):
            call()


@every_implementation
@pytest.mark.parametrize("first", [-1, 256, 1 << 80])
def test_the_first_octet_is_one(implementation: Implementation, first: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        implementation.encode_frame(first, b"data", None)


def loaded_anew() -> ModuleType:
    """The module that chooses, as a fresh interpreter would import it."""
    spec = importlib.util.spec_from_file_location(_compiled.__name__, _compiled.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_python_does_it_where_nothing_was_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, NATIVE, None)
    module = loaded_anew()
    assert module.encode_frame is _frames.encode_frame
    assert module.mask_payload is _masking.mask_payload


def test_what_was_compiled_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = ModuleType(NATIVE)
    compiled.__dict__.update(encode_frame=bytes, mask_payload=bytearray)
    monkeypatch.setitem(sys.modules, NATIVE, compiled)
    module = loaded_anew()
    assert module.encode_frame is bytes
    assert module.mask_payload is bytearray


def test_the_public_function_is_the_chosen_one() -> None:
    chosen = IMPLEMENTATIONS.get("compiled", IMPLEMENTATIONS["python"])
    assert wayfare_websocket.mask_payload is _compiled.mask_payload is chosen.mask_payload
    assert _compiled.encode_frame is chosen.encode_frame
