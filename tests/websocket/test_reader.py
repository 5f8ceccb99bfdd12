"""What arrives: frames become messages, and every violation its close code (W7 to W17, W26, W27)."""

import struct
import tracemalloc
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_websocket import (
    MAX_MESSAGE_SIZE,
    DeflateParameters,
    Role,
    State,
    WebSocketEngine,
    WebSocketError,
    WSCloseCode,
    WSFragment,
    WSMessage,
    WSMessageTextBytes,
    WSMsgType,
    mask_payload,
)

KEY = b"\x12\xa5\x00\xff"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CONTINUATION = 0
RSV1 = 0x40


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, key: bytes = b""
) -> bytes:
    """A frame as the RFC draws it, with nothing of the code under test."""
    size = len(payload)
    masked = 0x80 if key else 0
    if size < 126:
        length = bytes([masked | size])
    elif size < 65536:
        length = struct.pack("!BH", masked | 126, size)
    else:
        length = struct.pack("!BQ", masked | 127, size)
    body = bytes(octet ^ key[index % 4] for index, octet in enumerate(payload)) if key else payload
    return bytes([0x80 * fin | rsv | opcode]) + length + key + body


def client(
    *, max_message_size: int = MAX_MESSAGE_SIZE, decode_text: bool = True
) -> WebSocketEngine:
    return WebSocketEngine(Role.CLIENT, max_message_size=max_message_size, decode_text=decode_text)


def read(wire: bytes | Iterable[bytes], engine: WebSocketEngine | None = None) -> list[WSMessage]:
    engine = client() if engine is None else engine
    pieces = [wire] if isinstance(wire, bytes) else wire
    out = [message for piece in pieces for message in engine.receive_data(piece)]
    assert all(isinstance(message, WSMessage) for message in out)
    return [message for message in out if isinstance(message, WSMessage)]


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def plain(messages: Sequence[WSMessage]) -> list[tuple[str, object]]:
    """Types and data, and the close codes of errors: what two readings have to agree on."""
    return [
        (message.type.name, message.data.code if message.type is WSMsgType.ERROR else message.data)
        for message in messages
    ]


LONG = b"0123456789" * 13
STREAMS: dict[str, tuple[bytes, list[tuple[str, object]]]] = {
    "text": (frame(TEXT, "grüße".encode()), [("TEXT", "grüße")]),
    "binary": (frame(BINARY, b"\x00\xff"), [("BINARY", b"\x00\xff")]),
    "empty": (frame(TEXT) + frame(BINARY), [("TEXT", ""), ("BINARY", b"")]),
    "125": (frame(BINARY, LONG[:125]), [("BINARY", LONG[:125])]),
    "126": (frame(BINARY, LONG[:126]), [("BINARY", LONG[:126])]),
    "fragments": (
        frame(TEXT, b"a", fin=False)
        + frame(CONTINUATION, b"b", fin=False)
        + frame(CONTINUATION, b"c"),
        [("TEXT", "abc")],
    ),
    "binary-fragments": (
        frame(BINARY, b"a", fin=False) + frame(CONTINUATION, LONG) + frame(BINARY, b"z"),
        [("BINARY", b"a" + LONG), ("BINARY", b"z")],
    ),
    "empty-fragments": (
        frame(TEXT, fin=False) + 3 * frame(CONTINUATION, fin=False) + frame(CONTINUATION),
        [("TEXT", "")],
    ),
    "empty-first-fragment": (
        frame(BINARY, fin=False) + frame(CONTINUATION, b"x"),
        [("BINARY", b"x")],
    ),
    "a-character-in-two-fragments": (
        frame(TEXT, b"\xe2\x82", fin=False) + frame(CONTINUATION, b"\xac!"),
        [("TEXT", "€!")],
    ),
    "controls-between-fragments": (
        frame(TEXT, b"a", fin=False)
        + frame(PING, b"?")
        + frame(CONTINUATION, b"b", fin=False)
        + frame(PONG, LONG[:125])
        + frame(CONTINUATION, b"c"),
        [("PING", b"?"), ("PONG", LONG[:125]), ("TEXT", "abc")],
    ),
    "empty-controls": (frame(PING) + frame(PONG), [("PING", b""), ("PONG", b"")]),
    "close": (frame(CLOSE, b"\x03\xe8bye \xe2\x82\xac"), [("CLOSE", 1000)]),
    "close-without-code": (frame(CLOSE), [("CLOSE", 1005)]),
    "nothing-counts-behind-a-close": (
        frame(CLOSE, b"\x0f\xa0") + frame(TEXT, b"late") + b"\xff\xff\xff",
        [("CLOSE", 4000)],
    ),
    "close-inside-of-a-message": (
        frame(TEXT, b"a", fin=False) + frame(CLOSE, b"\x03\xe9"),
        [("CLOSE", 1001)],
    ),
}

VIOLATIONS: dict[str, tuple[bytes, int, str]] = {
    "w7-masked": (frame(TEXT, b"x", key=KEY), 1002, "a server's frame is masked"),
    "w8-rsv2": (frame(TEXT, b"x", rsv=0x20), 1002, "a reserved bit is set"),
    "w8-rsv3": (frame(PING, b"x", rsv=0x10), 1002, "a reserved bit is set"),
    "w8-rsv1": (frame(TEXT, b"x", rsv=RSV1), 1002, "compressed, which was not agreed on"),
    "w8-rsv1-continuation": (
        frame(TEXT, b"x", fin=False) + frame(CONTINUATION, b"x", rsv=RSV1),
        1002,
        "a continuation is marked as compressed",
    ),
    "w8-rsv1-control": (
        frame(PING, b"x", rsv=RSV1),
        1002,
        "a control frame is marked as compressed",
    ),
    **{
        f"w9-opcode-{opcode}": (frame(opcode, b"x"), 1002, f"the opcode {opcode} is reserved")
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    "w10-fragmented-control": (frame(PING, b"x", fin=False), 1002, "a control frame is fragmented"),
    "w10-large-control": (
        frame(PING, LONG[:126]),
        1002,
        "a control frame has more than 125 octets",
    ),
    "w10-huge-control": (
        frame(PONG, 70_000 * b"x"),
        1002,
        "a control frame has more than 125 octets",
    ),
    "w11-continuation": (frame(CONTINUATION, b"x"), 1002, "has nothing to continue"),
    "w11-message-in-message": (
        frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"),
        1002,
        "a message begins inside of another one",
    ),
    "w12-16-bits-for-125": (b"\x82\x7e\x00\x7d" + LONG[:125], 1002, "not in its shortest form"),
    "w12-64-bits-for-65535": (
        b"\x82\x7f" + (65535).to_bytes(8, "big"),
        1002,
        "not in its shortest form",
    ),
    "w12-64-bits-for-1": (b"\x82\x7f" + (1).to_bytes(8, "big") + b"x", 1002, "not in its shortest"),
    "w12-highest-bit": (b"\x82\x7f\x80" + bytes(7), 1002, "has its highest bit set"),
    "w13-utf8": (frame(TEXT, b"\xff"), 1007, "a text is not UTF-8"),
    "w13-surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007, "a text is not UTF-8"),
    "w13-overlong": (frame(TEXT, b"\xc0\xaf"), 1007, "a text is not UTF-8"),
    "w13-half-a-character": (frame(TEXT, b"\xe2\x82"), 1007, "a text is not UTF-8"),
    "w13-half-a-character-in-fragments": (
        frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"\x82"),
        1007,
        "a text is not UTF-8",
    ),
    "w13-reason": (frame(CLOSE, b"\x03\xe8\xff"), 1007, "a text is not UTF-8"),
    "w14-one-octet": (frame(CLOSE, b"\x03"), 1002, "a Close frame has no valid code"),
    **{
        f"w14-code-{code}": (frame(CLOSE, code.to_bytes(2, "big")), 1002, "no valid code")
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
}


@pytest.mark.parametrize("name", STREAMS)
def test_w5_w10_w13_messages(name: str) -> None:
    """W5, W10, W13, W27: whole, octet by octet, and cut in two at every place."""
    wire, expected = STREAMS[name]
    assert plain(read(wire)) == expected
    assert plain(read(bytewise(wire))) == expected
    for cut in range(len(wire) + 1):
        assert plain(read([wire[:cut], b"", wire[cut:]])) == expected, cut


@pytest.mark.parametrize("name", STREAMS)
def test_a_server_reads_masked_frames(name: str) -> None:
    """The same in the other role: each frame masked, with a key of its own, and cut anywhere."""
    wire, expected = STREAMS[name]
    masked = b""
    at = 0
    number = 0
    while at < len(wire) and wire[at : at + 3] != b"\xff\xff\xff":
        size, start = wire[at + 1], at + 2
        if size == 126:
            size, start = int.from_bytes(wire[start : start + 2], "big"), start + 2
        first = wire[at]
        number += 1
        masked += frame(
            first & 15, wire[start : start + size], fin=first > 127, key=bytes([number, 2, 3, 0])
        )
        at = start + size
    for pieces in ([masked], bytewise(masked), [masked[:7], masked[7:9], masked[9:]]):
        assert plain(read(pieces, WebSocketEngine(Role.SERVER))) == expected


@pytest.mark.parametrize("name", VIOLATIONS)
def test_w7_to_w14_violations(name: str) -> None:
    """W7 to W14: the message before is delivered, the violation is the last one, and the rest is thrown away."""
    wire, code, words = VIOLATIONS[name]
    before = frame(BINARY, b"before")
    for pieces in ([before + wire + before], [before, *bytewise(wire), before]):
        engine = client()
        messages = read(pieces, engine)
        assert plain(messages) == [("BINARY", b"before"), ("ERROR", code)]
        error = messages[-1].data
        assert isinstance(error, WebSocketError)
        assert words in str(error)
        assert engine.failure is error
        assert engine.state is State.CLOSED
        assert (engine.close_code, engine.close_reason) == (code, str(error))
        assert engine.receive_data(before) == []
        (sent,) = read(engine.take_output(), WebSocketEngine(Role.SERVER))
        assert (sent.type, sent.data, sent.extra) == (WSMsgType.CLOSE, code, str(error))
        assert engine.take_output() == b""


def test_w7_a_server_wants_masks() -> None:
    """W7: RFC 6455 section 5.1, the other way round."""
    (error,) = read(frame(TEXT, b"x"), WebSocketEngine(Role.SERVER))
    assert str(error.data) == "a client's frame is not masked"
    assert error.data.code == 1002


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]
)
def test_w14_codes(code: int) -> None:
    """W14: what is registered, 1012 to 1014 included, and what applications choose."""
    (message,) = read(frame(CLOSE, code.to_bytes(2, "big") + b"why"))
    assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, code, "why")


def test_w12_early() -> None:
    """W8, W9, W12: what the first octets forbid is said before the others come."""
    for start in (b"\xf1\x00", b"\x83\x00", b"\x89\x7e", b"\x81\x80", b"\x80\x00"):
        (message,) = read(start)
        assert message.type is WSMsgType.ERROR


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("limit", [10, 125, 126, 70_000])
def test_w15_w17_the_limit_of_a_message(limit: int, extra: int) -> None:
    """W15, W17: declared sizes are checked before anything of the payload is there; fragments add up."""
    content = bytes(limit + extra)
    expected: list[tuple[str, object]] = [("ERROR", 1009)] if extra else [("BINARY", content)]
    engine = client(max_message_size=limit)
    assert plain(read(frame(BINARY, content), engine)) == expected
    if extra:
        head = frame(BINARY, content)[: -len(content)]
        assert plain(read(head, client(max_message_size=limit))) == expected
    parts = frame(BINARY, content[:7], fin=False) + frame(CONTINUATION, content[7:])
    assert plain(read(parts, client(max_message_size=limit))) == expected
    assert (
        plain(read([*bytewise(parts)[:200], parts[200:]], client(max_message_size=limit)))
        == expected
    )


def test_w15_the_limit_by_default_and_none() -> None:
    """W15: 4 MiB; 0 is no limit."""
    assert MAX_MESSAGE_SIZE == 4 << 20
    content = bytes(MAX_MESSAGE_SIZE + 1)
    assert plain(read(frame(BINARY, content[1:]))) == [("BINARY", content[1:])]
    assert plain(read(frame(BINARY, content))) == [("ERROR", WSCloseCode.MESSAGE_TOO_BIG)]
    assert plain(read(frame(BINARY, content), client(max_message_size=0))) == [("BINARY", content)]
    assert plain(read(frame(BINARY, b"x"), client(max_message_size=0))) == [("BINARY", b"x")]
    with pytest.raises(ValueError, match="must not be negative"):
        client(max_message_size=-1)


@pytest.mark.parametrize("payload", [b"x", b""])
def test_w16_w26_tiny_fragments_cost_their_octets(payload: bytes) -> None:
    """W16, W26: 50,000 fragments of one octet, or of none, are one buffer and no objects."""
    count = 50_000
    engine = client()
    engine.receive_data(frame(TEXT, b"", fin=False))
    block = 1000 * frame(CONTINUATION, payload, fin=False)
    tracemalloc.start()
    try:
        for _ in range(count // 1000):
            assert engine.receive_data(block) == []
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held <= len(payload) * count * 9 // 8 + 64 * 1024
    assert plain(read(frame(CONTINUATION), engine)) == [("TEXT", count * payload.decode())]


def test_w26_4_mib_in_fragments_of_64_octets() -> None:
    """W26: the most fragments of Autobahn, at the limit of a message."""
    wire = frame(BINARY, 64 * b"a", fin=False) + 65_534 * frame(CONTINUATION, 64 * b"a", fin=False)
    assert plain(read(wire + frame(CONTINUATION, 64 * b"a"))) == [("BINARY", (4 << 20) * b"a")]


def test_w17_a_frame_that_dribbles_in() -> None:
    """W17: memory is what arrived, not what was declared."""
    engine = client()
    tracemalloc.start()
    try:
        engine.receive_data(b"\x82\x7f" + (4 << 20).to_bytes(8, "big"))
        for _ in range(5000):
            engine.receive_data(b"x")
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 64 * 1024


def test_a_text_in_one_frame_and_many_reads() -> None:
    """W13: UTF-8 is checked as it arrives: what is wrong ends the connection before the frame does."""
    content = ("grüße €" * 9000).encode()
    wire = frame(TEXT, content)
    pieces = [wire[at : at + 1001] for at in range(0, len(wire), 1001)]
    assert plain(read(pieces)) == [("TEXT", content.decode())]
    broken = frame(TEXT, content[:5000] + b"\xff" + content)
    assert plain(read(broken[:6000])) == [("ERROR", 1007)]


def test_decode_text_false() -> None:
    """Texts stay bytes, and are checked all the same."""
    engine = client(decode_text=False)
    whole, joined = read(
        frame(TEXT, b'{"a": 1}') + frame(TEXT, b"[", fin=False) + frame(CONTINUATION, b"]"), engine
    )
    for message in (whole, joined):
        assert isinstance(message, WSMessageTextBytes)
        assert message.type is WSMsgType.TEXT
    assert whole.data == b'{"a": 1}'
    assert whole.json() == {"a": 1}
    assert joined.json() == []
    assert plain(read(frame(TEXT, b"\xff"), engine)) == [("ERROR", 1007)]


@given(
    messages=st.lists(
        st.tuples(
            st.sampled_from([TEXT, BINARY, PING]),
            st.text(max_size=60) | st.integers(0, 70_000),
            st.lists(st.integers(1, 40), max_size=4),
        ),
        max_size=6,
    ),
    cuts=st.lists(st.integers(1, 999), min_size=1),
    masked=st.booleans(),
)
def test_w27_any_messages_any_cuts(
    messages: list[tuple[int, str | int, list[int]]], cuts: list[int], masked: bool
) -> None:
    """W10, W13, W27: whatever the frames and however they are cut, the messages are the same."""
    key = KEY if masked else b""
    wire = bytearray()
    expected: list[tuple[str, object]] = []
    for opcode, content, parts in messages:
        data = content.encode() if isinstance(content, str) else bytes(content)
        if opcode == PING:
            data = data[:125]
            wire += frame(PING, data, key=key)
            expected.append(("PING", data))
            continue
        at = 0
        kind = opcode
        for size in parts:
            wire += frame(kind, data[at : at + size], fin=False, key=key) + frame(PONG, key=key)
            expected.append(("PONG", b""))
            at += size
            kind = CONTINUATION
        wire += frame(kind, data[at:], key=key)
        expected.append(("TEXT", data.decode()) if opcode == TEXT else ("BINARY", data))
    pieces: list[bytes] = []
    at = 0
    while at < len(wire):
        size = cuts[len(pieces) % len(cuts)]
        pieces.append(bytes(wire[at : at + size]))
        at += size
    role = Role.SERVER if masked else Role.CLIENT
    assert plain(read(pieces, WebSocketEngine(role))) == expected
    assert plain(read(bytes(wire), WebSocketEngine(role))) == expected


@pytest.mark.fuzz
@given(wire=st.binary(max_size=300), cut=st.integers(0, 300), deflate=st.booleans())
def test_w27_any_octets(wire: bytes, cut: int, deflate: bool) -> None:
    """W27: no octets raise or hang, and the verdict does not depend on how they are cut."""
    agreed = DeflateParameters() if deflate else None
    for role in Role:
        whole = read(wire, WebSocketEngine(role, deflate=agreed))
        parts = read([wire[:cut], wire[cut:]], WebSocketEngine(role, deflate=agreed))
        assert plain(parts) == plain(whole)
        assert all(message.type is not WSMsgType.ERROR for message in whole[:-1])


# --- Messages that are streamed.


def fragments(wire: Iterable[bytes], engine: WebSocketEngine) -> list[WSFragment | WSMessage]:
    out: list[WSFragment | WSMessage] = []
    for piece in wire:
        out += engine.receive_data(piece)
        while engine.has_pending:
            out += engine.receive_data(b"")
    return out


def test_a_streamed_message() -> None:
    """It comes in the pieces in which it arrived, without a limit, and the next one is whole again if so switched."""
    engine = client(max_message_size=10)
    engine.stream = True
    assert engine.stream
    wire = frame(TEXT, "aé".encode() * 20, fin=False) + frame(PING) + frame(CONTINUATION, b"z")
    out = fragments([wire[:5], wire[5:]], engine)
    texts = [part for part in out if isinstance(part, WSFragment)]
    assert "".join(str(part.data) for part in texts) == 20 * "aé" + "z"
    assert [part.final for part in texts] == [False] * (len(texts) - 1) + [True]
    assert {part.type for part in texts} == {WSMsgType.TEXT}
    assert WSMessage(WSMsgType.PING, b"", None) in out
    engine.stream = False
    assert plain(read(frame(BINARY, b"x"), engine)) == [("BINARY", b"x")]
    assert plain(read(frame(BINARY, bytes(11)), engine)) == [("ERROR", 1009)]


def test_one_streamed_message() -> None:
    """`stream_next` is for one message, whatever comes behind it in the same octets."""
    engine = WebSocketEngine(Role.CLIENT)
    engine.stream_next = True
    assert engine.stream_next
    first, *rest = engine.receive_data(b"\x01\x01a\x00\x01b")
    assert first == WSFragment(WSMsgType.TEXT, "a", False)
    assert (len(rest), engine.stream_next, engine.is_streaming) == (1, False, True)
    end, *others = engine.receive_data(b"\x80\x01c\x01\x01d\x80\x01e\x81\x01f")
    assert end == WSFragment(WSMsgType.TEXT, "c", True)
    assert [type(one) for one in others] == [WSMessage, WSMessage]
    assert [one.data for one in others] == ["de", "f"]
    assert not engine.is_streaming


def test_a_streamed_message_in_one_frame() -> None:
    engine = client(decode_text=False)
    engine.stream = True
    assert fragments([frame(BINARY, b"x")], engine) == [WSFragment(WSMsgType.BINARY, b"x", True)]
    assert fragments([frame(TEXT, b"x")], engine) == [WSFragment(WSMsgType.TEXT, b"x", True)]
    assert fragments([frame(TEXT)], engine) == [WSFragment(WSMsgType.TEXT, b"", True)]
    assert fragments(bytewise(frame(BINARY, fin=False) + frame(CONTINUATION)), engine) == [
        WSFragment(WSMsgType.BINARY, b"", True)
    ]


def test_w13_a_streamed_text_is_checked() -> None:
    """W13: the character that is not whole at the end, too."""
    for wire in (frame(TEXT, b"a\xff"), frame(TEXT, b"a\xe2", fin=False) + frame(CONTINUATION)):
        engine = client()
        engine.stream = True
        last = fragments(bytewise(wire), engine)[-1]
        assert isinstance(last, WSMessage)
        assert last.data.code == 1007


def test_switching_counts_from_the_next_message() -> None:
    engine = client()
    assert engine.receive_data(frame(TEXT, b"a", fin=False)) == []
    engine.stream = True
    assert fragments([frame(CONTINUATION, b"b")], engine) == [WSMessage(WSMsgType.TEXT, "ab", None)]
    assert fragments([frame(TEXT, b"c", fin=False)], engine) == [
        WSFragment(WSMsgType.TEXT, "c", False)
    ]
    engine.stream = False
    assert fragments([frame(CONTINUATION, b"d")], engine) == [WSFragment(WSMsgType.TEXT, "d", True)]


def test_masking_is_what_the_tests_mean_by_it() -> None:
    assert frame(BINARY, LONG, key=KEY)[8:] == mask_payload(LONG, KEY)
