"""The library `websockets` as a second opinion: its protocol, which is free of I/O too, against ours in both roles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_websocket import (
    Accepted,
    ClientHandshake,
    DeflateOffer,
    DeflateParameters,
    Role,
    ServerAnswer,
    State,
    WebSocketEngine,
    WSMessage,
    WSMsgType,
    answer_handshake,
)
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Protocol
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

OFFERS = [
    None,
    DeflateOffer(),
    DeflateOffer(client_no_context_takeover=True, server_no_context_takeover=True),
    DeflateOffer(server_max_window_bits=10, client_max_window_bits=9),
]


def output(protocol: Protocol) -> bytes:
    return b"".join(protocol.data_to_send())


def client_and_their_server(offer: DeflateOffer | None) -> tuple[WebSocketEngine, ServerProtocol]:
    """Our client, connected to a server of theirs by a real handshake."""
    handshake = ClientHandshake(protocols=["chat"], deflate=offer)
    server = ServerProtocol(
        extensions=[ServerPerMessageDeflateFactory()], subprotocols=[Subprotocol("chat")]
    )
    lines = [f"{name}: {value}\r\n" for name, value in handshake.fields]
    server.receive_data(f"GET / HTTP/1.1\r\nHost: x\r\n{''.join(lines)}\r\n".encode())
    (request,) = server.events_received()
    assert isinstance(request, Request)
    response = server.accept(request)
    server.send_response(response)
    output(server)
    headers = CIMultiDictProxy(CIMultiDict(response.headers.raw_items()))
    verdict = handshake.check(response.status_code, headers)
    assert isinstance(verdict, Accepted), verdict
    assert verdict.protocol == "chat"
    assert (verdict.deflate is None) is (offer is None)
    return WebSocketEngine(Role.CLIENT, deflate=verdict.deflate), server


def server_and_their_client(compressed: bool) -> tuple[WebSocketEngine, ClientProtocol]:
    """The other way round."""
    factory = ClientPerMessageDeflateFactory(server_max_window_bits=12, client_max_window_bits=True)
    client = ClientProtocol(
        parse_uri("ws://x/"),
        extensions=[factory] if compressed else [],
        subprotocols=[Subprotocol("chat")],
    )
    request = client.connect()
    client.send_request(request)
    output(client)
    fields = CIMultiDictProxy(CIMultiDict(request.headers.raw_items()))
    consent = answer_handshake("GET", fields, protocols=["chat"], deflate=DeflateParameters())
    assert isinstance(consent, ServerAnswer), consent
    lines = [f"{name}: {value}\r\n" for name, value in consent.fields]
    client.receive_data(f"HTTP/1.1 101 Switching\r\n{''.join(lines)}\r\n".encode())
    (response,) = client.events_received()
    assert isinstance(response, Response)
    assert client.handshake_exc is None
    assert (consent.deflate is not None) is compressed
    return WebSocketEngine(Role.SERVER, deflate=consent.deflate), client


def pairs() -> list[tuple[WebSocketEngine, Protocol]]:
    ours: list[tuple[WebSocketEngine, Protocol]] = [
        client_and_their_server(offer) for offer in OFFERS
    ]
    return [*ours, server_and_their_client(False), server_and_their_client(True)]


@given(contents=st.lists(st.text(max_size=40) | st.binary(max_size=40) | st.integers(0, 70_000)))
def test_messages_to_them(contents: list[str | bytes | int]) -> None:
    """W6, W7, W23: what we send, masked and compressed as agreed, is what they read."""
    for engine, peer in pairs():
        for content in contents:
            data = content.encode() if isinstance(content, str) else bytes(content)
            wire = (
                engine.send_text(content) if isinstance(content, str) else engine.send_bytes(data)
            )
            peer.receive_data(wire)
            (frame,) = peer.events_received()
            assert isinstance(frame, Frame)
            assert frame.data == data
            assert frame.opcode is (Opcode.TEXT if isinstance(content, str) else Opcode.BINARY)
        assert peer.parser_exc is None


@given(contents=st.lists(st.text(max_size=40) | st.binary(max_size=40) | st.integers(0, 70_000)))
def test_messages_from_them(contents: list[str | bytes | int]) -> None:
    """W7, W23: and the other way round, fragmented as well."""
    for engine, peer in pairs():
        for content in contents:
            if isinstance(content, str):
                data = content.encode()
                peer.send_text(data[:3], fin=False)
                peer.send_ping(b"!")
                peer.send_continuation(data[3:], fin=True)
                expected = [
                    WSMessage(WSMsgType.PING, b"!", None),
                    WSMessage(WSMsgType.TEXT, content, None),
                ]
            else:
                peer.send_binary(bytes(content))
                expected = [WSMessage(WSMsgType.BINARY, bytes(content), None)]
            assert engine.receive_data(output(peer)) == expected


def test_w14_they_close() -> None:
    """W14."""
    for engine, peer in pairs():
        peer.send_close(1001, "bye")
        assert engine.receive_data(output(peer)) == [WSMessage(WSMsgType.CLOSE, 1001, "bye")]
        peer.receive_data(engine.close(1001, "bye"))
        assert peer.close_rcvd is not None
        assert peer.close_rcvd.code == 1001
        assert engine.state is State.CLOSED


def test_w14_we_close() -> None:
    """W14: they answer by themselves."""
    for engine, peer in pairs():
        peer.receive_data(engine.close(4321, "ça va"))
        assert peer.close_rcvd is not None
        assert (peer.close_rcvd.code, peer.close_rcvd.reason) == (4321, "ça va")
        assert engine.receive_data(output(peer)) == [WSMessage(WSMsgType.CLOSE, 4321, "ça va")]


@pytest.mark.fuzz
@given(
    frames=st.lists(
        st.tuples(
            st.integers(0, 255) | st.sampled_from([0x00, 0x01, 0x02, 0x80, 0x81, 0x88, 0x89]),
            st.binary(max_size=12)
            | st.integers(0, 6000).map(lambda code: code.to_bytes(2, "big"))
            | st.integers(120, 130).map(bytes),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_verdicts_on_any_frames(frames: list[tuple[int, bytes]]) -> None:
    """W8 to W14: where they say that a peer broke the protocol, so do we, with the same code; and the other way round.

    They leave it to a higher layer to decode texts, so that verdict is ours alone.
    """
    wire = b"".join(
        bytes([first, 0x80 | min(len(payload), 126)])
        + (len(payload).to_bytes(2, "big") if len(payload) > 125 else b"")
        + bytes(4)
        + payload
        for first, payload in frames
    )
    server = ServerProtocol()
    engine = WebSocketEngine(Role.SERVER)
    handshake = ClientHandshake()
    lines = [f"{name}: {value}\r\n" for name, value in handshake.fields]
    server.receive_data(f"GET / HTTP/1.1\r\nHost: x\r\n{''.join(lines)}\r\n".encode())
    (request,) = server.events_received()
    assert isinstance(request, Request)
    server.send_response(server.accept(request))
    server.receive_data(wire)
    engine.receive_data(wire)
    failure = engine.failure
    if failure is not None and failure.code == 1007:
        return
    if "incomplete fragmented message" in str(server.parser_exc):
        # A Close frame inside of a message: a control frame may stand there (RFC 6455 section 5.4).
        assert failure is None
        return
    assert (failure is None) is (server.parser_exc is None)
    if failure is not None and server.close_sent is not None and server.close_rcvd is None:
        # A Close frame may break two rules at once: they look at the reason first.
        assert server.close_sent.code in (failure.code, 1007)
