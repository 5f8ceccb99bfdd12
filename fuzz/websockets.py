"""Targets: frames mean the same however they are cut, and no octets make a WebSocket raise or hang."""

from multidict import CIMultiDict
from wayfare_websocket import (
    Accepted,
    ClientHandshake,
    DeflateOffer,
    DeflateParameters,
    HandshakeRefused,
    Role,
    State,
    WebSocketEngine,
    WSFragment,
    WSMessage,
    WSMsgType,
    answer_handshake,
)

from .properties import cuts, text

__all__ = ("extensions", "frames")

_LIMIT = 64 * 1024
_MOST = 1 << 20
"""Octets of streamed content that an input of this size may be worth looking at."""


def frames(data: bytes) -> None:
    """W7 to W17, W23, W27: the same messages for every cut; a violation is the last one, and has a Close frame."""
    if len(data) < 4:
        return
    mode, wire = data[0], data[3:]
    whole = _read(mode, [wire])
    assert _read(mode, cuts(data[1], data[2], wire)) == whole
    assert _read(mode, [wire[at : at + 1] for at in range(len(wire))]) == whole


def _read(mode: int, pieces: list[bytes]) -> list[tuple[int, object]]:
    role = Role.SERVER if mode & 1 else Role.CLIENT
    deflate = DeflateParameters(
        server_no_context_takeover=bool(mode & 4), client_no_context_takeover=bool(mode & 4)
    )
    engine = WebSocketEngine(role, deflate=deflate if mode & 2 else None, max_message_size=_LIMIT)
    engine.stream = bool(mode & 8)
    out: list[tuple[int, object]] = []
    total = 0
    for piece in pieces:
        messages = engine.receive_data(piece)
        total += _note(messages, out)
        while engine.has_pending and total < _MOST:
            total += _note(engine.receive_data(b""), out)
        if total >= _MOST:
            return []
    if engine.failure is not None:
        assert engine.state is State.CLOSED
        other = WebSocketEngine(Role.CLIENT if mode & 1 else Role.SERVER)
        (close,) = other.receive_data(engine.take_output())
        assert (close.type, close.data) == (WSMsgType.CLOSE, engine.failure.code)
    return out


def _note(messages: list[WSMessage | WSFragment], out: list[tuple[int, object]]) -> int:
    """Add messages as plain values, pieces of one streamed message joined; return the octets of those pieces."""
    streamed = 0
    for message in messages:
        kind: int = message.type
        if isinstance(message, WSFragment):
            streamed += len(message.data)
            if out and out[-1][0] == -kind:
                message = message._replace(data=_joined(out.pop()[1], message.data))
            out.append((kind if message.final else -kind, message.data))
        elif message.type is WSMsgType.ERROR:
            # How much of a streamed message came before depends on the cuts.
            while out and out[-1][0] < 0:
                out.pop()
            out.append((kind, message.data.code))
        else:
            if message.type is not WSMsgType.CLOSE:
                assert len(message.data) <= _LIMIT
            out.append((kind, message.data))
    return streamed


def _joined(before: object, data: str | bytes) -> str | bytes:
    if isinstance(data, str):
        return f"{before}{data}"
    assert isinstance(before, bytes)
    return before + data


def extensions(data: bytes) -> None:
    """W1 to W3: no field makes either side raise; what a server of ours agrees to, a client of ours understands."""
    field = text(data)
    offer = DeflateOffer(server_max_window_bits=12)
    handshake = ClientHandshake(deflate=offer)
    headers = CIMultiDict(handshake.fields)
    consent = answer_handshake("GET", headers, deflate=DeflateParameters())
    assert not isinstance(consent, HandshakeRefused)
    answer = CIMultiDict(consent.fields)
    assert isinstance(handshake.check(101, answer), Accepted)
    answer["Sec-WebSocket-Extensions"] = field
    verdict = handshake.check(101, answer)
    if isinstance(verdict, Accepted) and verdict.deflate is not None:
        # A server that says nothing of its window has the largest one.
        bits = verdict.deflate.server_max_window_bits
        assert bits <= 12 or "server_max_window_bits" not in field.lower()
    headers["Sec-WebSocket-Extensions"] = field
    answer_handshake("GET", headers, deflate=DeflateParameters(client_max_window_bits=10))
    answer["Sec-WebSocket-Extensions"] = offer.encode()
    answer["Sec-WebSocket-Protocol"] = field
    assert isinstance(handshake.check(101, answer), HandshakeRefused)
