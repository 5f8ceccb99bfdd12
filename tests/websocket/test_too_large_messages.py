"""A message that is larger than the limit, where whoever reads decides what becomes of it (W15, W17, W23)."""

import random
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_websocket import (
    DeflateParameters,
    Role,
    State,
    WebSocketEngine,
    WSFragment,
    WSMessage,
    WSMsgType,
)

from .test_reader import BINARY, CONTINUATION, KEY, PING, RSV1, TEXT, frame

LIMIT = 100
NOISE = random.Random(7).randbytes(4 * LIMIT)
CONTENTS = {
    "fits": b"a" * LIMIT,
    "one too many": b"a" * (LIMIT + 1),
    "characters": "grüße € ".encode() * 40,
    "noise": NOISE,
    "a bomb": bytes(700_000),
    "larger than a buffer of its own": bytes(range(251)) * 2000,
}


def deflated(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(content) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def message(
    content: bytes, *, text: bool, compressed: bool = False, cut: int = 0, key: bytes = b""
) -> bytes:
    """In one frame, or in three that are cut there, the last one empty."""
    opcode = TEXT if text else BINARY
    rsv = RSV1 if compressed else 0
    payload = deflated(content) if compressed else content
    if not cut:
        return frame(opcode, payload, rsv=rsv, key=key)
    return (
        frame(opcode, payload[:cut], fin=False, rsv=rsv, key=key)
        + frame(PING, key=key)
        + frame(CONTINUATION, payload[cut:], fin=False, key=key)
        + frame(CONTINUATION, key=key)
    )


class Reader:
    """An engine, and what became of what it was fed."""

    def __init__(
        self,
        *,
        limit: int = LIMIT,
        compressed: bool = False,
        role: Role = Role.CLIENT,
        decode_text: bool = True,
    ) -> None:
        self.engine = WebSocketEngine(
            role,
            deflate=DeflateParameters() if compressed else None,
            max_message_size=limit,
            decode_text=decode_text,
        )
        self.engine.on_too_big = self.hesitate
        self.asked = 0
        self.out: list[WSMessage | WSFragment] = []

    def hesitate(self) -> None:
        self.asked += 1

    def feed(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.out += self.engine.receive_data(piece)
            while self.engine.has_pending:
                self.out += self.engine.receive_data(b"")

    def stream_rest(self) -> None:
        self.out += self.engine.stream_rest()
        self.feed(b"")

    @property
    def fragments(self) -> list[WSFragment]:
        return [one for one in self.out if isinstance(one, WSFragment)]

    @property
    def content(self) -> bytes:
        """What came, whether whole or in pieces."""
        return b"".join(
            one.data.encode() if isinstance(one.data, str) else one.data
            for one in self.out
            if one.type in (WSMsgType.TEXT, WSMsgType.BINARY)
        )


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("cut", [0, 3])
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_it_comes_as_fragments_when_the_verdict_says_so(
    content: bytes, compressed: bool, cut: int, step: int
) -> None:
    """Nothing is lost, whatever was put together before, and the next message is whole again."""
    reader = Reader(compressed=compressed)
    wire = message(content, text=False, compressed=compressed, cut=cut)
    step = max(step, len(wire) // 3000)
    for at in range(0, len(wire), step):
        reader.feed(wire[at : at + step])
        if reader.asked:
            before = len(reader.out)
            reader.feed(b"")
            assert len(reader.out) == before
            reader.asked = 0
            reader.stream_rest()
    assert reader.content == content
    if len(content) > LIMIT:
        assert [one.final for one in reader.fragments][-1:] == [True]
        assert sum(one.final for one in reader.fragments) == 1
    else:
        assert not reader.fragments
    assert not reader.engine.is_streaming
    reader.feed(frame(TEXT, b"next"))
    assert reader.out[-1] == WSMessage(WSMsgType.TEXT, "next", None)


@given(
    text=st.text(max_size=200),
    cut=st.integers(1, 300),
    at=st.integers(0, 900),
    compressed=st.booleans(),
    role=st.sampled_from(Role),
    decode_text=st.booleans(),
)
def test_the_rest_of_a_text_at_any_moment(
    text: str, cut: int, at: int, compressed: bool, role: Role, decode_text: bool
) -> None:
    """A character that is cut is neither lost nor told twice, whether there is a limit in the way or none."""
    for limit in (0, 20):
        reader = Reader(limit=limit, compressed=compressed, role=role, decode_text=decode_text)
        key = KEY if role is Role.SERVER else b""
        wire = message(text.encode(), text=True, compressed=compressed, cut=cut, key=key)
        reader.feed(wire[:at])
        reader.stream_rest()
        reader.feed(wire[at:])
        if reader.asked:
            reader.stream_rest()
        assert reader.content.decode() == text
        assert all(isinstance(one.data, str) is decode_text for one in reader.fragments)


@pytest.mark.parametrize(
    ("opcode", "decode_text", "expected"),
    [(TEXT, True, "gr"), (TEXT, False, b"gr\xc3"), (BINARY, True, b"gr\xc3")],
)
def test_what_was_put_together(opcode: int, decode_text: bool, expected: str | bytes) -> None:
    """It is given away at once, but for a character that is not whole."""
    reader = Reader(decode_text=decode_text)
    reader.feed(frame(opcode, "grü".encode()[:3], fin=False))
    assert [one.data for one in reader.engine.stream_rest()] == [expected]


def test_w15_what_the_last_octets_become_counts() -> None:
    """A match whose end is in the four octets that a sender leaves out (RFC 7692 section 7.2.2)."""
    compressor = zlib.compressobj(wbits=-15, strategy=zlib.Z_FIXED)
    payload = compressor.compress(bytes(LIMIT + 2)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    reader = Reader(compressed=True)
    reader.feed(frame(BINARY, payload[:4], rsv=RSV1, fin=False))
    assert not reader.asked
    reader.feed(frame(CONTINUATION))
    assert (reader.asked, reader.out) == (1, [])
    reader.stream_rest()
    assert reader.content == bytes(LIMIT + 2)
    assert reader.fragments[-1].final


@pytest.mark.parametrize("compressed", [False, True])
def test_w17_it_is_refused_when_the_verdict_says_so(compressed: bool) -> None:
    reader = Reader(compressed=compressed)
    reader.feed(message(CONTENTS["noise"], text=False, compressed=compressed) + frame(TEXT, b"x"))
    assert (reader.asked, reader.out, reader.engine.state) == (1, [], State.OPEN)
    (error,) = reader.engine.refuse()
    assert (error.type, error.data.code) == (WSMsgType.ERROR, 1009)  # type: ignore[union-attr]  # an ERROR carries one
    assert (reader.engine.state, reader.engine.close_code) == (State.CLOSED, 1009)
    assert reader.engine.take_output()
    reader.feed(b"", frame(TEXT, b"y"))
    assert reader.out == []
    assert reader.engine.refuse() == []


def test_w17_nobody_is_left_who_would_say() -> None:
    reader = Reader()
    reader.feed(frame(BINARY, NOISE))
    assert reader.out == []
    reader.engine.on_too_big = None
    reader.feed(b"")
    assert reader.out[0].data.code == 1009  # type: ignore[union-attr]  # an ERROR carries one


def test_a_verdict_where_nothing_waits_for_one() -> None:
    reader = Reader()
    assert reader.engine.refuse() == []
    assert reader.engine.stream_rest() == []
    assert reader.engine.stream_next
    assert reader.engine.state is State.OPEN


def test_the_rest_of_a_message_that_is_streamed_already() -> None:
    """It counts for the next one then."""
    reader = Reader()
    reader.stream_rest()
    reader.feed(b"\x01\x01a")
    reader.stream_rest()
    reader.feed(b"\x80\x01b\x81\x01c\x81\x01d")
    assert [type(one) for one in reader.out] == [WSFragment, WSFragment, WSFragment, WSMessage]


@pytest.mark.parametrize("verdict", ["refuse", "stream_rest"])
def test_the_verdict_may_come_at_once(verdict: str) -> None:
    """From inside of the function that is called."""
    engine = WebSocketEngine(Role.CLIENT, max_message_size=LIMIT)
    given: list[WSMessage | WSFragment] = []
    call: Callable[[], list[WSMessage | WSFragment]] = getattr(engine, verdict)
    engine.on_too_big = lambda: given.extend(call())
    assert engine.on_too_big is not None
    out = engine.receive_data(frame(TEXT, b"m") + frame(BINARY, NOISE) + frame(TEXT, b"n"))
    assert out[0].data == "m"
    if verdict == "refuse":
        assert [one.type for one in given] == [WSMsgType.ERROR]
        assert len(out) == 1
    else:
        assert out[1:] == [
            WSFragment(WSMsgType.BINARY, NOISE, True),
            WSMessage(WSMsgType.TEXT, "n", None),
        ]
