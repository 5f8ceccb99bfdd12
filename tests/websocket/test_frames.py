"""Frames, messages of one frame, and masking (RFC 6455 section 5): in Python, and in C where that was built."""

import importlib.util
import sys
import tracemalloc
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple, TypeAlias

import pytest
import wayfare_websocket
from hypothesis import given
from hypothesis import strategies as st
from wayfare_websocket import (
    WSMessage,
    WSMsgType,
    _compiled,
    _frames,
    _masking,
    _whole_messages,
)

NATIVE = "_wayfare_frames"

Encode: TypeAlias = Callable[[int, bytes, bytes | None], bytes]


class Implementation(NamedTuple):
    """One way to do what is written in C and in Python."""

    encode_frame: Encode
    mask_payload: Callable[[bytes, bytes], bytes]
    read_whole: Callable[..., int]

    def read(
        self, data: bytes, at: int = 0, *, limit: int = 0, text: WSMsgType | None = WSMsgType.TEXT
    ) -> tuple[list[WSMessage], bytes]:
        """The whole messages from there on, and what is left."""
        out: list[WSMessage] = []
        rest = self.read_whole(data, at, limit, WSMessage, text, WSMsgType.BINARY, out)
        return out, data[rest:]


IMPLEMENTATIONS = {
    "python": Implementation(
        _frames.encode_frame, _masking.mask_payload, _whole_messages.read_whole
    )
}
if importlib.util.find_spec(NATIVE):
    _native = importlib.import_module(NATIVE)
    IMPLEMENTATIONS["compiled"] = Implementation(
        _native.encode_frame, _native.mask_payload, _native.read_whole
    )

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


@every_implementation
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 255, 256, 65535])
def test_whole_messages(implementation: Implementation, size: int) -> None:
    """One after the other, up to what is something else; at each index only those that begin there."""
    data = content(size)
    text = "é" * (size // 2) + "x" * (size % 2)
    frames = [
        _frames.encode_frame(0x82, data, None),
        _frames.encode_frame(0x81, text.encode(), None),
    ]
    expected = [
        WSMessage(WSMsgType.BINARY, data, None),
        WSMessage(WSMsgType.TEXT, text, None),
    ]
    for rest in (b"", b"\x81", b"\x89\x00", b"\x01\x00", b"\xc2\x00", b"\x82\x80", b"\x82\x05abcd"):
        wire = b"".join(frames) + rest
        assert implementation.read(wire) == (expected, rest)
        assert implementation.read(wire, len(frames[0])) == (expected[1:], rest)
        assert implementation.read(wire, len(wire)) == ([], b"")
        assert implementation.read(wire, text=None) == (expected[:1], frames[1] + rest)
    messages, _ = implementation.read(b"".join(frames))
    assert [type(message) for message in messages] == [WSMessage, WSMessage]
    for frame in frames:
        for cut in (*range(min(len(frame), 20)), len(frame) - 1):
            assert implementation.read(frame[:cut]) == ([], frame[:cut])


@every_implementation
@pytest.mark.parametrize(
    "wire",
    [
        b"\x82\x7e\x00\x7d" + bytes(125),
        b"\x82\x7e\x00\x00",
        b"\x82\x7f" + (70_000).to_bytes(8, "big") + bytes(70_000),
        b"\x82\xa0" + KEY + bytes(32),
        b"\x92\x00",
        b"\x83\x00",
        b"\x80\x00",
        b"\x81\x01\xff",
        b"\x81\x02\xc3\xa9"[:3] + b"\x28",
        b"\x81\x03\xed\xa0\x80",
    ],
)
def test_what_is_no_whole_message(implementation: Implementation, wire: bytes) -> None:
    """Whether it is wrong or only unusual is not for this function to say."""
    before = b"\x81\x01a"
    assert implementation.read(before + wire) == ([WSMessage(WSMsgType.TEXT, "a", None)], wire)


@every_implementation
def test_w17_a_message_above_the_limit_is_not_taken(implementation: Implementation) -> None:
    for size in (5, 130):
        wire = _frames.encode_frame(0x82, bytes(size), None)
        assert implementation.read(wire, limit=size - 1) == ([], wire)
        for limit in (0, size, 1 << 40):
            assert implementation.read(wire, limit=limit)[1] == b""


@given(
    wire=st.lists(
        st.one_of(
            st.binary(max_size=8),
            st.builds(
                _frames.encode_frame,
                st.sampled_from([0x81, 0x82, 0x01, 0x89, 0xC1]),
                st.one_of(st.binary(max_size=140), st.text(max_size=70).map(str.encode)),
                st.sampled_from([None, None, None, KEY]),
            ),
        )
    ).map(b"".join),
    limit=st.sampled_from([0, 20, 130]),
    decode_text=st.booleans(),
)
def test_all_read_the_same(wire: bytes, limit: int, decode_text: bool) -> None:
    text = WSMsgType.TEXT if decode_text else None
    read = [one.read(wire, limit=limit, text=text) for one in IMPLEMENTATIONS.values()]
    assert all(one == read[0] for one in read)


def arguments(**changes: object) -> list[object]:
    """Those of `read_whole`, for one message."""
    usual: dict[str, object] = {
        "data": b"\x81\x01a",
        "at": 0,
        "limit": 0,
        "message": WSMessage,
        "text": WSMsgType.TEXT,
        "binary": WSMsgType.BINARY,
        "out": [],
    }
    return list((usual | changes).values())


@every_implementation
def test_what_the_package_never_gives(implementation: Implementation) -> None:
    """An error, and never a crash; C looks at everything before it uses it."""
    read = implementation.read_whole
    assert read(*arguments()) == 3
    wrong = [
        arguments(at="x"),
        arguments(limit="x"),
        arguments(message=dict),
        arguments(message=5),
        arguments(out=()),
        arguments()[:6],
    ]
    if implementation.read_whole is not _whole_messages.read_whole:
        wrong += [arguments(data="text")]
        wrong += [arguments(at=at) for at in (-1, 4, 1 << 80)]
    for given_arguments in wrong:
        with pytest.raises((TypeError, IndexError, OverflowError, AttributeError, SystemError)):
            read(*given_arguments)


@every_implementation
def test_reading_leaves_nothing_behind(implementation: Implementation) -> None:
    """Each object belongs to its message, and goes with it."""
    wire = b"\x82\x7e\x04\x00" + bytes(1024) + b"\x81\x02ab" + b"\x81\x01\xff"
    tracemalloc.start()
    try:
        for _ in range(50):
            implementation.read(wire)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(500):
            implementation.read(wire)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1024


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
    assert module.read_whole is _whole_messages.read_whole


def test_what_was_compiled_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = ModuleType(NATIVE)
    compiled.__dict__.update(encode_frame=bytes, mask_payload=bytearray, read_whole=len)
    monkeypatch.setitem(sys.modules, NATIVE, compiled)
    module = loaded_anew()
    assert module.encode_frame is bytes
    assert module.mask_payload is bytearray
    assert module.read_whole is len


def test_the_public_function_is_the_chosen_one() -> None:
    chosen = IMPLEMENTATIONS.get("compiled", IMPLEMENTATIONS["python"])
    assert wayfare_websocket.mask_payload is _compiled.mask_payload is chosen.mask_payload
    assert _compiled.encode_frame is chosen.encode_frame
