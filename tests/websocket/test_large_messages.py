"""Large messages, which are put together in a buffer of their size (W13, W17, W26)."""

import ctypes
import os
import struct
from pathlib import Path

import pytest
from wayfare_websocket import (
    MAX_MESSAGE_SIZE,
    Role,
    WebSocketEngine,
    WSFragment,
    WSMessage,
    WSMsgType,
    mask_payload,
)

KEY = b"\x12\xa5\x00\xff"
TEXT, BINARY = 1, 2
CONTINUATION = 0
CONTENT = bytes(range(1, 128)) * 1200


def frame(opcode: int, payload: bytes, *, fin: bool = True, key: bytes = b"") -> bytes:
    """A frame as the RFC draws it, with nothing of the code under test."""
    size = len(payload)
    masked = 0x80 if key else 0
    if size < 65536:
        length = bytes([masked | size]) if size < 126 else struct.pack("!BH", masked | 126, size)
    else:
        length = struct.pack("!BQ", masked | 127, size)
    return (
        bytes([0x80 * fin | opcode])
        + length
        + key
        + (mask_payload(payload, key) if key else payload)
    )


def client(max_message_size: int = MAX_MESSAGE_SIZE) -> WebSocketEngine:
    return WebSocketEngine(Role.CLIENT, max_message_size=max_message_size)


def contents(messages: list[WSMessage | WSFragment]) -> list[object]:
    return [message.data for message in messages]


def resident() -> int:
    """Resident memory of this process in octets."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def through_vacancy(
    engine: WebSocketEngine, data: bytes, step: int
) -> list[WSMessage | WSFragment]:
    """Messages, where a transport receives into the engine's own buffer whenever there is one."""
    out: list[WSMessage | WSFragment] = []
    while data:
        vacancy = engine.vacancy
        if vacancy is None:
            out += engine.receive_data(data[:step])
            data = data[step:]
        else:
            count = min(step, len(vacancy), len(data))
            vacancy[:count] = data[:count]
            out += engine.filled(count)
            data = data[count:]
    return out


@pytest.mark.parametrize("step", [1000, 4097, 65_536, 100_000])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_w26_a_large_message_has_a_buffer_to_receive_into(opcode: int, step: int) -> None:
    wire = frame(opcode, CONTENT) + frame(BINARY, b"next") + frame(opcode, CONTENT)
    content = CONTENT if opcode == BINARY else CONTENT.decode()
    expected = [content, b"next", content]
    for engine in (client(), client(len(CONTENT))):
        messages = through_vacancy(engine, wire, step)
        assert contents(messages) == expected
    engine = client()
    pieces = [wire[at : at + step] for at in range(0, len(wire), step)]
    assert contents([each for piece in pieces for each in engine.receive_data(piece)]) == expected


def test_what_is_fed_and_what_is_filled_in_may_alternate() -> None:
    engine = client()
    wire = frame(BINARY, CONTENT)
    assert engine.receive_data(wire[:70_000]) == []
    at = 70_000
    while at < len(wire):
        if at % 2000:
            assert (messages := engine.receive_data(wire[at : at + 1001])) == [] or at > 150_000
            at += 1001
        else:
            assert engine.vacancy is not None
            engine.vacancy[:1000] = wire[at : at + 1000]
            assert (messages := engine.filled(1000)) == [] or at > 150_000
            at += 1000
    assert contents(messages) == [CONTENT]
    assert engine.vacancy is None


@pytest.mark.parametrize("count", [0, -1, 82_401])
def test_more_than_there_is_room_for_is_refused(count: int) -> None:
    engine = client()
    with pytest.raises(ValueError, match="there is no room for 1 octets"):
        engine.filled(1)
    engine.receive_data(frame(BINARY, CONTENT)[:70_010])
    assert engine.vacancy is not None
    assert len(engine.vacancy) == len(CONTENT) - 70_000
    with pytest.raises(ValueError, match="there is no room"):
        engine.filled(count)


def test_w13_a_large_text_is_checked_as_it_arrives() -> None:
    engine = client()
    engine.receive_data(frame(TEXT, CONTENT)[:70_000])
    assert engine.vacancy is not None
    engine.vacancy[:2] = b"\xc3\xa9"
    assert engine.filled(1) == []
    engine.vacancy[:1] = b"("
    (error,) = engine.filled(1)
    assert (error.type, engine.close_code) == (WSMsgType.ERROR, 1007)
    assert engine.vacancy is None
    assert engine.receive_data(CONTENT) == []


def test_a_loop_may_keep_the_buffer_locked_while_it_tells_of_it() -> None:
    """uvloop does; nobody writes to the message afterwards all the same."""
    engine = client()
    engine.receive_data(frame(BINARY, CONTENT)[:70_010])
    vacancy = engine.vacancy
    assert vacancy is not None
    vacancy[:] = CONTENT[70_000:]
    locked = ctypes.c_char.from_buffer(vacancy)
    (message,) = engine.filled(len(vacancy))
    locked.value = b"\0"
    assert message.data == CONTENT


def test_masked_and_streamed_messages_have_no_such_buffer() -> None:
    server = WebSocketEngine(Role.SERVER)
    server.receive_data(frame(BINARY, CONTENT, key=KEY)[:70_000])
    assert server.vacancy is None
    engine = client()
    engine.stream = True
    engine.receive_data(frame(BINARY, CONTENT)[:70_000])
    assert engine.vacancy is None


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_the_last_fragment_may_be_large(opcode: int) -> None:
    wire = frame(opcode, CONTENT[:1000], fin=False) + frame(CONTINUATION, CONTENT[1000:])
    engine = client()
    assert engine.receive_data(wire[:75_000]) == []
    assert engine.vacancy is not None
    messages = through_vacancy(engine, wire[75_000:], 20_000)
    assert contents(messages) == [CONTENT if opcode == BINARY else CONTENT.decode()]
    engine = client()
    wire = frame(opcode, CONTENT, fin=False) + frame(CONTINUATION, b"")
    messages = through_vacancy(engine, wire, 20_000)
    assert contents(messages) == [CONTENT if opcode == BINARY else CONTENT.decode()]


@pytest.mark.parametrize("size", [(16 << 20) + 1, (1 << 63) - 1])
def test_w12_no_buffer_is_made_for_what_nobody_limits(size: int) -> None:
    """W12, W17: without a limit any size may be announced; only what arrives takes memory."""
    engine = client(0)
    head = b"\x82\x7f" + size.to_bytes(8, "big")
    assert engine.receive_data(head + CONTENT) == []
    assert engine.vacancy is None
    assert engine.failure is None


def test_w17_an_announced_message_takes_memory_as_it_arrives() -> None:
    """W17: a size within the limit that is announced is not touched before its octets are there."""
    beginning = frame(BINARY, bytes(4 << 20))[:70_000]
    engines = [client() for _ in range(64)]
    before = resident()
    for engine in engines:
        engine.receive_data(beginning)
    assert all(engine.vacancy is not None for engine in engines)
    assert resident() - before < 32 << 20
