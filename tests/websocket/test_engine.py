"""Both directions of one WebSocket: what is sent, and the closing handshake (W6, W14, W22)."""

import pickle
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import ClientConnectionResetError, ClientError, ClientResponseError
from wayfare_websocket import (
    DeflateParameters,
    Role,
    State,
    WebSocketEngine,
    WebSocketError,
    WSCloseCode,
    WSCloseTimeoutError,
    WSFragment,
    WSMessage,
    WSMessageTextBytes,
    WSMessageTypeError,
    WSMsgType,
    WSOpenTimeoutError,
    WSPingTimeoutError,
    WSServerHandshakeError,
    WSTimeoutError,
)


def pair() -> tuple[WebSocketEngine, WebSocketEngine]:
    return WebSocketEngine(Role.CLIENT), WebSocketEngine(Role.SERVER)


FORK = """
import os
from wayfare_websocket import Role, WebSocketEngine

engine = WebSocketEngine(Role.CLIENT)
engine.ping()
child = os.fork()
keys = [engine.ping()[2:6].hex() for _ in range(10)]
if child:
    os.waitpid(child, 0)
print(*keys, flush=True)
"""


def test_w6_a_forked_process_has_keys_of_its_own() -> None:
    """W6: keys are fetched in advance, and what was fetched before a fork belongs to the parent."""
    result = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, check=True
    )
    keys = result.stdout.split()
    assert len(keys) == 20
    assert len(set(keys)) > 18


@given(
    contents=st.lists(st.text(max_size=50) | st.binary(max_size=50) | st.integers(0, 70_000)),
    from_client=st.booleans(),
    deflate=st.booleans(),
)
def test_what_one_side_sends_the_other_reads(
    contents: list[str | bytes | int], from_client: bool, deflate: bool
) -> None:
    """A round trip of any messages, in both directions, with and without compression."""
    agreed = DeflateParameters() if deflate else None
    client = WebSocketEngine(Role.CLIENT, deflate=agreed)
    server = WebSocketEngine(Role.SERVER, deflate=agreed)
    sender, receiver = (client, server) if from_client else (server, client)
    wire = b""
    expected: list[WSMessage] = []
    for content in contents:
        if isinstance(content, str):
            wire += sender.send_text(content)
            expected.append(WSMessage(WSMsgType.TEXT, content, None))
        else:
            data = bytes(content)
            wire += sender.send_bytes(data)
            expected.append(WSMessage(WSMsgType.BINARY, data, None))
    assert receiver.receive_data(wire) == expected


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_w12_lengths_are_in_their_shortest_form(size: int) -> None:
    """W12."""
    client, server = pair()
    head = {0: 2, 125: 2, 126: 4, 65_535: 4, 65_536: 10}[size]
    assert len(server.send_bytes(bytes(size))) == head + size
    frame = client.send_bytes(bytes(size))
    assert len(frame) == head + 4 + size
    assert server.receive_data(frame) == [WSMessage(WSMsgType.BINARY, bytes(size), None)]


def test_w6_keys_are_fresh() -> None:
    """W6: each frame has a key of its own, control frames too; servers have none."""
    client, server = pair()
    frames = [client.send_bytes(b"") for _ in range(500)] + [client.ping() for _ in range(500)]
    keys = {frame[2:6] for frame in frames}
    assert len(keys) > 990
    other = WebSocketEngine(Role.CLIENT)
    assert len(keys | {other.send_bytes(b"")[2:6] for _ in range(100)}) > 1090
    assert server.send_bytes(b"") == b"\x82\x00"


def test_text_may_be_bytes() -> None:
    client, server = pair()
    assert server.receive_data(client.send_text("é".encode()))[0].data == "é"
    wire = client.send_fragment("é", text=True) + client.send_fragment("à".encode(), final=True)
    assert server.receive_data(wire)[0].data == "éà"


def test_fragments() -> None:
    """W22: a message in pieces; nothing but control frames may come between."""
    client, server = pair()
    wire = client.send_fragment(b"a")
    with pytest.raises(RuntimeError, match="a fragmented message is being sent"):
        client.send_text("x")
    with pytest.raises(RuntimeError, match="a fragmented message is being sent"):
        client.send_bytes(b"x")
    wire += client.ping(b"?") + client.send_fragment(b"b") + client.send_fragment(b"c", final=True)
    wire += client.send_text("next")
    assert [message.data for message in server.receive_data(wire)] == [b"?", b"abc", "next"]
    whole = client.send_fragment(b"whole", final=True)
    assert server.receive_data(whole) == [WSMessage(WSMsgType.BINARY, b"whole", None)]


def test_w10_control_frames_are_small() -> None:
    """W10: 125 octets, and not one more."""
    client, server = pair()
    (ping, pong) = server.receive_data(client.ping(bytes(125)) + client.pong(b"!"))
    assert (ping.type, ping.data) == (WSMsgType.PING, bytes(125))
    assert (pong.type, pong.data) == (WSMsgType.PONG, b"!")
    for call in (client.ping, client.pong):
        with pytest.raises(ValueError, match="at most 125 octets"):
            call(bytes(126))


# --- The closing handshake.


def test_w14_we_close() -> None:
    """W14: both sides say it once."""
    client, server = pair()
    (close,) = server.receive_data(client.close(WSCloseCode.GOING_AWAY, "später"))
    assert close == WSMessage(WSMsgType.CLOSE, 1001, "später")
    assert (client.state, server.state) == (State.CLOSE_SENT, State.CLOSE_RECEIVED)
    assert (server.close_code, server.close_reason) == (1001, "später")
    assert (client.close_code, client.close_reason) == (None, "")
    assert client.receive_data(server.close(1001)) == [WSMessage(WSMsgType.CLOSE, 1001, "")]
    assert (client.state, server.state) == (State.CLOSED, State.CLOSED)
    assert client.close_code == 1001
    for engine in (client, server):
        engine.receive_eof()
        assert engine.close_code == 1001
        with pytest.raises(ClientConnectionResetError, match="is closing: closed"):
            engine.close()


def test_w14_both_close_at_once() -> None:
    client, server = pair()
    first, second = client.close(), server.close(4000, b"bye")
    client.receive_data(second)
    server.receive_data(first)
    assert (client.state, server.state) == (State.CLOSED, State.CLOSED)
    assert (client.close_code, server.close_code) == (4000, 1000)


def test_w14_no_data_after_a_close() -> None:
    """W14: of either side; what arrives before the peer's Close is still read."""
    client, server = pair()
    late = server.send_text("late")
    close = client.close()
    assert client.receive_data(late)[0].data == "late"
    server.receive_data(close)
    for engine, words in ((client, "close sent"), (server, "close received")):
        calls: list[Callable[[bytes], bytes]] = [
            engine.send_text,
            engine.send_bytes,
            engine.send_fragment,
            engine.ping,
            engine.pong,
        ]
        for call in calls:
            with pytest.raises(ClientConnectionResetError, match=f"is closing: {words}"):
                call(b"x")
    with pytest.raises(ClientConnectionResetError, match="is closing: close sent"):
        client.close()


def test_w14_a_close_without_a_code() -> None:
    """W14: 1005 is what it counts as; it never stands on the wire."""
    client, server = pair()
    assert server.receive_data(client.close(None)) == [WSMessage(WSMsgType.CLOSE, 1005, "")]
    assert server.close_code == 1005


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000])
def test_w14_codes_that_are_not_sent(code: int) -> None:
    """W14: a refused call changes nothing."""
    client, _ = pair()
    with pytest.raises(ValueError, match=f"{code} is no code for a Close frame"):
        client.close(code)
    with pytest.raises(ValueError, match="a reason needs a code"):
        client.close(None, "why")
    with pytest.raises(ValueError, match="at most 123 octets"):
        client.close(1000, 62 * "é")
    assert client.state is State.OPEN
    assert len(client.close(1000, 61 * "é" + "e")) == 6 + 125


def test_the_transport_ends() -> None:
    """1006 where no Close came, in every state."""
    client, server = pair()
    client.receive_eof()
    assert (client.state, client.close_code) == (State.CLOSED, 1006)
    client, server = pair()
    client.close()
    client.receive_eof()
    assert client.close_code == 1006
    client, server = pair()
    server.receive_data(client.close(1001))
    server.receive_eof()
    assert (server.state, server.close_code) == (State.CLOSED, 1001)


def test_a_violation_after_our_close_sends_nothing_more() -> None:
    client, _ = pair()
    client.close()
    (error,) = client.receive_data(b"\xff\x00")
    assert error.type is WSMsgType.ERROR
    assert client.take_output() == b""
    assert (client.state, client.close_code) == (State.CLOSED, 1002)


def test_a_violation_after_the_transport_ended_changes_nothing() -> None:
    """What was still buffered is read; the verdict stands."""
    client, _ = pair()
    client.receive_eof()
    (error,) = client.receive_data(b"\xff\x00")
    assert error.type is WSMsgType.ERROR
    assert (client.state, client.close_code) == (State.CLOSED, 1006)
    assert client.take_output() == b""


@pytest.mark.parametrize("size", [10, 1 << 20])
def test_what_will_not_be_completed_is_let_go(size: int) -> None:
    """A large message's buffer is lent to a transport, and complains when it is collected so."""
    client, server = pair()
    assert client.receive_data(server.send_bytes(bytes(size))[: size // 2]) == []
    client.receive_eof()
    client.release()
    client.release()
    assert client.vacancy is None
    assert client.receive_data(b"\x81\x00") == []


# --- Values.


def test_names_and_numbers() -> None:
    assert {kind.name: int(kind) for kind in WSMsgType} == {
        "CONTINUATION": 0,
        "TEXT": 1,
        "BINARY": 2,
        "CLOSE": 8,
        "PING": 9,
        "PONG": 10,
        "CLOSING": 256,
        "CLOSED": 257,
        "ERROR": 258,
    }
    for name in ("text", "binary", "ping", "pong", "close", "closing", "closed", "error"):
        assert WSMsgType[name] is WSMsgType[name.upper()]
    assert [int(code) for code in WSCloseCode] == [
        *(1000, 1001, 1002, 1003, 1006, 1007, 1008),
        *(1009, 1010, 1011, 1012, 1013, 1014),
    ]


def test_messages() -> None:
    message = WSMessage(WSMsgType.TEXT, "[1]")
    assert message.extra is None
    assert message.json() == [1]
    assert message.json(loads=len) == 3
    assert repr(WSMessageTextBytes(WSMsgType.TEXT, b"x")) == "WSMessageTextBytes(b'x')"
    assert WSFragment(WSMsgType.TEXT, "x", False).final is False


def test_errors() -> None:
    """They hold data, and pickle."""
    error = WebSocketError(1002, "a reserved bit is set")
    assert (error.code, error.message, str(error)) == (1002, error.message, error.message)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.code, copy.message) == (WebSocketError, 1002, error.message)
    assert isinstance(error, ClientError)
    refused = WSServerHandshakeError(None, status=403, message="no")
    assert isinstance(refused, ClientResponseError)
    assert pickle.loads(pickle.dumps(refused)).status == 403
    assert issubclass(WSMessageTypeError, TypeError)
    assert issubclass(WSMessageTypeError, ClientError)


@pytest.mark.parametrize("kind", [WSOpenTimeoutError, WSPingTimeoutError, WSCloseTimeoutError])
def test_timeout_errors(kind: type[WSTimeoutError]) -> None:
    error = pickle.loads(pickle.dumps(kind(2.5)))
    assert (type(error), error.seconds) == (kind, 2.5)
    assert "within 2.5 s" in str(error)
    assert isinstance(error, TimeoutError)
    assert isinstance(error, ClientError)


def test_importing_brings_no_io() -> None:
    program = """
import sys
import wayfare_websocket
assert not {"asyncio", "socket", "ssl"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", program], check=True)
