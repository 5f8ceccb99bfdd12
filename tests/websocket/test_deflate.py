"""permessage-deflate: what is compressed, what is read, and what it may cost (W15, W23)."""

import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_websocket import (
    DeflateParameters,
    Role,
    WebSocketEngine,
    WSFragment,
    WSMessage,
    WSMsgType,
)

TEXT = b"".join(b"%d bottles of beer on the wall, " % n for n in range(99, 0, -1))
MIB = 1 << 20


def pair(**parameters: int | bool) -> tuple[WebSocketEngine, WebSocketEngine]:
    agreed = DeflateParameters(
        server_no_context_takeover=bool(parameters.get("server_no_context_takeover")),
        client_no_context_takeover=bool(parameters.get("client_no_context_takeover")),
        server_max_window_bits=parameters.get("server_max_window_bits", 15),
        client_max_window_bits=parameters.get("client_max_window_bits", 15),
    )
    return WebSocketEngine(Role.CLIENT, deflate=agreed), WebSocketEngine(
        Role.SERVER, deflate=agreed
    )


def payload(frame: bytes) -> bytes:
    """Of a server's frame."""
    start = 2 if frame[1] < 126 else 4 if frame[1] == 126 else 10
    return frame[start:]


def compressed(first: int, data: bytes) -> bytes:
    """A server's frame, its payload as given."""
    size = len(data)
    if size < 126:
        head = bytes([first, size])
    elif size < 65_536:
        head = bytes([first, 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, 127]) + size.to_bytes(8, "big")
    return head + data


def data_of(messages: list[WSMessage | WSFragment]) -> list[object]:
    return [message.data for message in messages]


def test_w23_the_window_is_kept() -> None:
    """W23: the second time, the same text is a reference to the first."""
    client, server = pair()
    first, second = server.send_bytes(TEXT), server.send_bytes(TEXT)
    assert first[0] == 0xC2
    assert len(second) < len(first) / 4
    assert data_of(client.receive_data(first + second)) == [TEXT, TEXT]
    first, second = client.send_text(TEXT), client.send_text(TEXT)
    assert len(second) < len(first) / 4
    assert data_of(server.receive_data(first + second)) == [TEXT.decode(), TEXT.decode()]


@pytest.mark.parametrize("role", list(Role))
def test_w23_no_context_takeover(role: Role) -> None:
    """W23: who agreed to forget the window compresses each message for itself."""
    client, server = pair(**{f"{role.value}_no_context_takeover": True})
    sender, receiver = (client, server) if role is Role.CLIENT else (server, client)
    frames = [sender.send_bytes(TEXT) for _ in range(3)]
    assert len({len(frame) for frame in frames}) == 1
    for frame in reversed(frames):
        assert data_of(receiver.receive_data(frame)) == [TEXT]
    other = [receiver.send_bytes(TEXT) for _ in range(2)]
    assert len(other[1]) < len(other[0]) / 4
    assert data_of(sender.receive_data(b"".join(other))) == [TEXT, TEXT]


@pytest.mark.parametrize("bits", range(9, 16))
def test_w23_windows(bits: int) -> None:
    """W23: a sender keeps to the window that was agreed on; the receiver's zlib says so."""
    client, server = pair(server_max_window_bits=bits, client_max_window_bits=bits)
    noise = random.Random(bits).randbytes(1 << bits)
    for content in (TEXT * 9, noise + noise[:2000], noise):
        frame = server.send_bytes(content)
        assert client.receive_data(frame) == [WSMessage(WSMsgType.BINARY, content, None)]
        assert server.receive_data(client.send_bytes(content))[0].data == content
    inflater = zlib.decompressobj(-bits)
    server = pair(server_max_window_bits=bits)[1]
    content = noise + noise[:2000]
    assert inflater.decompress(payload(server.send_bytes(content)) + b"\x00\x00\xff\xff") == content


def test_w23_a_window_of_8_bits() -> None:
    """W23: zlib cannot write that, so nothing is compressed; what the peer sends is read."""
    client, _ = pair(client_max_window_bits=8, server_max_window_bits=8)
    assert client.send_text("abc")[0] == 0x81
    with pytest.raises(ValueError, match="compression was not agreed on"):
        client.send_text("abc", compress=True)
    small = zlib.compressobj(9, zlib.DEFLATED, -9)
    data = small.compress(b"abc") + small.flush(zlib.Z_SYNC_FLUSH)
    assert data_of(client.receive_data(compressed(0xC1, data[:-4]))) == ["abc"]
    with pytest.raises(ValueError, match="8 to 15 bits, not 7"):
        DeflateParameters(server_max_window_bits=7)
    with pytest.raises(ValueError, match="8 to 15 bits, not 16"):
        DeflateParameters(client_max_window_bits=16)


def test_w23_empty_messages() -> None:
    """W23: one octet, 0x00 (RFC 7692 section 7.2.3.6), however many come."""
    client, server = pair()
    for _ in range(3):
        frame = server.send_bytes(b"")
        assert len(frame) <= 4
        assert data_of(client.receive_data(frame)) == [b""]
    frame = server.send_text("x") + server.send_text("")
    assert data_of(client.receive_data(frame)) == ["x", ""]
    assert data_of(client.receive_data(b"\xc1\x01\x00")) == [""]


def test_w23_the_examples_of_the_rfc() -> None:
    """W23: RFC 7692 section 7.2.3, "Hello": one frame, two, a stored block, a last block, and two blocks."""
    examples = [
        b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00",
        b"\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00",
        b"\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
        b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
        b"\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
    ]
    for example in examples:
        client, _ = pair()
        for _ in range(2):
            assert client.receive_data(example) == [WSMessage(WSMsgType.TEXT, "Hello", None)]
        client, _ = pair()
        out = [
            part for at in range(len(example)) for part in client.receive_data(example[at : at + 1])
        ]
        assert data_of(out) == ["Hello"]
    client, _ = pair()
    assert (
        data_of(client.receive_data(examples[0] + b"\xc1\x05\xf2\x00\x11\x00\x00")) == ["Hello"] * 2
    )


def test_w23_a_last_block_in_the_middle() -> None:
    """W23: a sender whose compressor came to its end begins a new one, in the same message and with no window."""
    one = zlib.compressobj(wbits=-15)
    data = one.compress(b"one ") + one.flush()
    two = zlib.compressobj(wbits=-15)
    data += two.compress(b"two") + two.flush(zlib.Z_SYNC_FLUSH)
    client, _ = pair()
    assert data_of(client.receive_data(compressed(0xC2, data[:-4]))) == [b"one two"]
    ended = zlib.compressobj(wbits=-15)
    client, _ = pair()
    whole = ended.compress(b"x") + ended.flush()
    assert data_of(client.receive_data(compressed(0xC2, whole))) == [b"x"]


def test_w23_fragments() -> None:
    """W23: RSV1 on the first frame alone; control frames between leave the window alone."""
    client, server = pair()
    frames = [
        server.send_fragment(TEXT[:100], text=True),
        server.ping(b"?"),
        server.send_fragment(TEXT[100:200]),
        server.send_fragment(b"", final=False),
        server.send_fragment(TEXT[200:], final=True),
    ]
    assert [frame[0] for frame in frames] == [0x41, 0x89, 0x00, 0x00, 0x80]
    assert data_of(client.receive_data(b"".join(frames))) == [b"?", TEXT.decode()]
    assert data_of(client.receive_data(server.send_bytes(b"", compress=False))) == [b""]
    plain = server.send_fragment(b"a", compress=False) + server.send_fragment(b"b", final=True)
    assert data_of(client.receive_data(plain)) == [b"ab"]


def test_messages_may_stay_uncompressed() -> None:
    client, server = pair()
    frame = server.send_text("abc", compress=False)
    assert frame == b"\x81\x03abc"
    assert (
        data_of(client.receive_data(frame + server.send_text("abc", compress=True))) == ["abc"] * 2
    )
    bare = WebSocketEngine(Role.SERVER)
    with pytest.raises(ValueError, match="compression was not agreed on"):
        bare.send_text("abc", compress=True)
    assert bare.send_bytes(b"abc", compress=False) == b"\x82\x03abc"


def test_a_level() -> None:
    none = WebSocketEngine(Role.SERVER, deflate=DeflateParameters(), compression_level=0)
    best = WebSocketEngine(Role.SERVER, deflate=DeflateParameters(), compression_level=9)
    assert len(best.send_bytes(TEXT)) < len(TEXT) / 4 < len(none.send_bytes(TEXT))


@pytest.mark.parametrize("damaged", [b"\xff\xff", b"\x07", b"\x02\x05\x00"])
def test_w23_corrupt(damaged: bytes) -> None:
    """W23: 1007, and nothing else."""
    client, _ = pair()
    (error,) = client.receive_data(compressed(0xC2, damaged))
    assert error.type is WSMsgType.ERROR
    assert isinstance(error, WSMessage)
    assert (error.data.code, str(error.data)) == (1007, "the compressed message is corrupt")


def test_w13_compressed_texts_are_checked() -> None:
    """W13: also a character that is cut by fragments and by compression."""
    client, server = pair()
    wire = server.send_fragment("€".encode()[:1], text=True)
    wire += server.send_fragment("€".encode()[1:], final=True)
    assert data_of(client.receive_data(wire)) == ["€"]
    (error,) = client.receive_data(server.send_text(b"\xff"))
    assert isinstance(error, WSMessage)
    assert error.data.code == 1007


def bomb(size: int) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    chunks = [compressor.compress(bytes(MIB)) for _ in range(size // MIB)]
    data = b"".join(chunks) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return compressed(0xC2, data[:-4])


def test_w15_a_bomb() -> None:
    """W15: refused while it inflates: memory is the limit of a message and the data that arrived."""
    wire = bomb(256 * MIB)
    client, _ = pair()
    tracemalloc.start()
    try:
        (error,) = client.receive_data(wire)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(error, WSMessage)
    assert error.data.code == 1009
    assert peak < 11 * MIB  # the output while it grows, and once joined


@pytest.mark.parametrize("extra", [0, 1])
def test_w15_the_limit_is_exact(extra: int) -> None:
    """W15: counted after decompression, over all fragments."""
    agreed = DeflateParameters()
    _, server = pair()
    content = random.Random(1).randbytes(1000 + extra)
    for parts in ([content], [content[:500], content[500:]], [content[:-1], content[-1:], b""]):
        client = WebSocketEngine(Role.CLIENT, deflate=agreed, max_message_size=1000)
        server = WebSocketEngine(Role.SERVER, deflate=agreed)
        wire = b"".join(
            server.send_fragment(part, final=index == len(parts) - 1)
            for index, part in enumerate(parts)
        )
        (message,) = client.receive_data(wire)
        assert isinstance(message, WSMessage)
        if extra:
            assert message.data.code == 1009
        else:
            assert message.data == content
    unlimited = WebSocketEngine(Role.CLIENT, deflate=agreed, max_message_size=0)
    (message,) = unlimited.receive_data(bomb(8 * MIB))
    assert message.data == bytes(8 * MIB)


def test_a_streamed_bomb_comes_in_steps() -> None:
    """A message that is streamed has no limit, and no call gives more than a step of it."""
    client, server = pair()
    client.stream = True
    wire = bomb(16 * MIB) + server.send_text("next", compress=False)
    total = 0
    steps = 0
    out = client.receive_data(wire)
    while client.has_pending:
        steps += 1
        assert sum(len(part.data) for part in out if isinstance(part, WSFragment)) <= 256 * 1024
        total += sum(len(part.data) for part in out if isinstance(part, WSFragment))
        out = client.receive_data(b"")
    assert steps >= 63
    assert total + len(out[0].data) == 16 * MIB
    assert isinstance(out[0], WSFragment)
    assert out[0].final
    assert out[1:] == [WSFragment(WSMsgType.TEXT, "next", True)]


def test_a_streamed_compressed_message_in_small_pieces() -> None:
    client, server = pair(server_no_context_takeover=True)
    client.stream = True
    wire = server.send_text(TEXT) + server.send_text("é")
    out = [part for at in range(len(wire)) for part in client.receive_data(wire[at : at + 1])]
    texts = "".join(str(part.data) for part in out)
    assert texts == TEXT.decode() + "é"
    assert sum(part.final for part in out if isinstance(part, WSFragment)) == 2


@given(
    contents=st.lists(st.binary(max_size=200) | st.integers(0, 100_000), max_size=6),
    cut=st.integers(1, 500),
    takeover=st.booleans(),
    stream=st.booleans(),
)
def test_w23_round_trips_with_any_cuts(
    contents: list[bytes | int], cut: int, takeover: bool, stream: bool
) -> None:
    """W23: messages survive, whole or streamed, however the frames are cut on the way."""
    client, server = pair(client_no_context_takeover=not takeover, client_max_window_bits=11)
    server.stream = stream
    wire = b"".join([client.send_bytes(bytes(content)) for content in contents])
    out: list[WSMessage | WSFragment] = []
    for at in range(0, len(wire), cut):
        out += server.receive_data(wire[at : at + cut])
        while server.has_pending:
            out += server.receive_data(b"")
    got: list[bytes] = [b""]
    for part in out:
        assert isinstance(part.data, bytes)
        got[-1] += part.data
        if isinstance(part, WSMessage) or part.final:
            got.append(b"")
    assert got[:-1] == [bytes(content) for content in contents]


def test_memory_of_an_idle_connection() -> None:
    """With windows of 12 bits, a compressed connection holds less than 70 KiB."""
    connections = []
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(20):
            client, server = pair(client_max_window_bits=12, server_max_window_bits=12)
            client.receive_data(server.send_text("x" * 100))
            server.receive_data(client.send_text("x" * 100))
            connections.append(client)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held / 20 < 70 * 1024
