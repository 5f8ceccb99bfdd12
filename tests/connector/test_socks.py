"""SOCKS without I/O (P12, P13)."""

import itertools
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_connector import SOCKSError, SOCKSHandshake, socks4_handshake, socks5_handshake

OPENED_5 = b"\x05\x00\x00\x01\x0a\x00\x00\x01\x1f\x90"
OPENED_4 = b"\x00\x5a\x1f\x90\x0a\x00\x00\x01"


def converse(handshake: SOCKSHandshake, *replies: bytes) -> list[bytes]:
    """What the client says when these replies arrive, each whole."""
    said = [handshake.to_send]
    said += [handshake.feed(reply) for reply in replies]
    return said


@pytest.mark.parametrize(
    ("host", "destination"),
    [
        ("example.com", b"\x03\x0bexample.com"),
        ("192.0.2.7", b"\x01\xc0\x00\x02\x07"),
        ("2001:db8::1", b"\x04\x20\x01\x0d\xb8" + bytes(11) + b"\x01"),
        ("::ffff:192.0.2.7", b"\x04" + bytes(10) + b"\xff\xff\xc0\x00\x02\x07"),
    ],
)
def test_socks5_without_credentials(host: str, destination: bytes) -> None:
    """P13: a name goes as a name, an IPv6 address with ATYP 4."""
    handshake = socks5_handshake(host, 443)
    said = converse(handshake, b"\x05\x00", OPENED_5)
    assert said == [b"\x05\x01\x00", b"\x05\x01\x00" + destination + b"\x01\xbb", b""]
    assert handshake.complete
    assert handshake.unread == b""


def test_socks5_with_credentials() -> None:
    """RFC 1929; the server may still ask for none."""
    said = converse(
        socks5_handshake("a.example", 80, "usér", "p w"), b"\x05\x02", b"\x01\x00", OPENED_5
    )
    assert said[:2] == [b"\x05\x02\x00\x02", b"\x01\x05us\xc3\xa9r\x03p w"]
    handshake = socks5_handshake("a.example", 80, "user", "password")
    assert b"password" not in b"".join(converse(handshake, b"\x05\x00", OPENED_5))
    assert handshake.complete


@pytest.mark.parametrize(
    "bound",
    [
        b"\x01\x00\x00\x00\x00",
        b"\x03\x09proxy.lan",
        b"\x03\x00",
        b"\x03\xff" + b"n" * 255,
        b"\x04" + bytes(16),
    ],
)
def test_the_bound_address_is_read_exactly(bound: bytes) -> None:
    """P12: BND.ADDR of any type; what follows belongs to the tunnel."""
    handshake = socks5_handshake("a.example", 80)
    handshake.feed(b"\x05\x00")
    handshake.feed(b"\x05\x00\x00" + bound + b"\x00\x50" + b"\x16\x03\x03")
    assert handshake.complete
    assert handshake.unread == b"\x16\x03\x03"
    assert handshake.feed(b"more") == b""
    assert handshake.unread == b"\x16\x03\x03more"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1, "general failure"),
        (2, "not allowed"),
        (3, "network unreachable"),
        (4, "host unreachable"),
        (5, "refused by the target"),
        (6, "TTL"),
        (7, "command not supported"),
        (8, "address type not supported"),
        (9, "unknown reply 9"),
        (255, "unknown reply 255"),
    ],
)
def test_socks5_refusals(code: int, reason: str) -> None:
    handshake = socks5_handshake("a.example", 80)
    handshake.feed(b"\x05\x00")
    with pytest.raises(SOCKSError, match=reason) as caught:
        handshake.feed(bytes((5, code, 0, 1)) + bytes(6))
    assert caught.value.reply == code
    assert not handshake.complete


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ([b"\x05\xff"], "wants credentials, and there are none"),
        ([b"\x05\x02"], "method 2, which was not offered"),
        ([b"\x05\x01"], "method 1, which was not offered"),
        ([b"HTTP/1.1 400 Bad Request\r\n"], "none of SOCKS 5: it begins with 0x48"),
        ([b"\x04\x00"], "none of SOCKS 5"),
        ([b"\x05\x00", b"\x04\x00\x00\x01" + bytes(6)], "none of SOCKS 5"),
        ([b"\x05\x00", b"\x05\x00\x00\x02" + bytes(6)], "unknown type 2"),
    ],
)
def test_socks5_nonsense(replies: list[bytes], reason: str) -> None:
    with pytest.raises(SOCKSError, match=reason):
        converse(socks5_handshake("a.example", 80), *replies)


def test_refused_credentials_are_not_told() -> None:
    """P15: neither in the message nor in the repr."""
    for replies in ([b"\x05\xff"], [b"\x05\x02", b"\x01\x01"]):
        with pytest.raises(SOCKSError) as caught:
            converse(socks5_handshake("a.example", 80, "user", "secret"), *replies)
        assert "secret" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("192.0.2.7", b"\x04\x01\x00\x50\xc0\x00\x02\x07me\x00"),
        ("a.example", b"\x04\x01\x00\x50\x00\x00\x00\x01me\x00a.example\x00"),
    ],
)
def test_socks4(host: str, message: bytes) -> None:
    """Version 4 for addresses, 4a for names."""
    handshake = socks4_handshake(host, 80, "me")
    assert converse(handshake, OPENED_4) == [message, b""]
    assert handshake.complete


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"\x00\x5b" + bytes(6), "rejected or failed"),
        (b"\x00\x5c" + bytes(6), "cannot reach identd"),
        (b"\x00\x5d" + bytes(6), "another user"),
        (b"\x00\x01" + bytes(6), "unknown reply 1"),
        (b"HTTP/1.1", "none of SOCKS 4: it begins with 0x48"),
    ],
)
def test_socks4_refusals(reply: bytes, reason: str) -> None:
    with pytest.raises(SOCKSError, match=reason):
        converse(socks4_handshake("192.0.2.7", 80), reply)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: socks5_handshake("a" * 256, 80), "host .* 1 to 255 octets, not 256"),
        (lambda: socks4_handshake("a" * 256, 80), "host .* 1 to 255 octets, not 256"),
        (lambda: socks5_handshake("a", 80, "u" * 256, "p"), "username .* not 256"),
        (lambda: socks5_handshake("a", 80, "u", "p" * 256), "password .* not 256"),
        (lambda: socks5_handshake("a", 80, "", "p"), "username .* not 0"),
        (lambda: socks5_handshake("a", 80, "u", None), "password .* not 0"),
        (lambda: socks5_handshake("fe80::1%eth0", 80), "zone"),
        (lambda: socks4_handshake("2001:db8::1", 80), "IPv6"),
        (lambda: socks4_handshake("a", 80, "a\0b"), "NUL"),
    ],
)
def test_what_cannot_be_said(make: Callable[[], SOCKSHandshake], reason: str) -> None:
    """P12, CVE-2023-38545: what does not fit is an error before an octet is sent, never cut."""
    with pytest.raises(ValueError, match=reason) as caught:
        make()
    assert "pppp" not in str(caught.value)


def conversation_with_user() -> SOCKSHandshake:
    return socks5_handshake("a.example", 80, "u", "p")


def conversation_of_version_4() -> SOCKSHandshake:
    return socks4_handshake("a.example", 80)


@pytest.mark.parametrize(
    ("make", "replies"),
    [
        (conversation_with_user, b"\x05\x02\x01\x00" + OPENED_5),
        (conversation_of_version_4, OPENED_4),
    ],
)
@given(cuts=st.lists(st.integers(0, 40), max_size=12), tunnel=st.binary(max_size=8))
def test_replies_in_any_pieces(
    make: Callable[[], SOCKSHandshake], replies: bytes, cuts: list[int], tunnel: bytes
) -> None:
    """P12: every split of the replies gives the same conversation."""
    whole, pieces, data = make(), make(), replies + tunnel
    answers = whole.feed(data)
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    said = [pieces.feed(data[start:end]) for start, end in itertools.pairwise(bounds)]
    assert b"".join(said) == answers
    assert pieces.complete
    assert pieces.unread == whole.unread == tunnel


def test_the_error_pickles() -> None:
    error = pickle.loads(pickle.dumps(SOCKSError("refused", 5)))
    assert (str(error), error.reply) == ("refused", 5)
