"""Framing: which responses have a body and where it ends, B1 to B15 and I3 to I8.

`respond` feeds every wire whole, octet by octet and cut in two everywhere, and fails when that
changes anything.
"""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from wayfare_http_core import (
    ContentLengthError,
    HeadLimits,
    IncompleteBodyError,
    ResponseParser,
    TransferEncodingError,
)

Respond = Callable[..., Any]

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def sized(*values: bytes, start: bytes = OK, body: bytes = b"hello") -> bytes:
    return start + b"".join(b"Content-Length: %b\r\n" % v for v in values) + b"\r\n" + body


# --- Which responses have a body.


@pytest.mark.parametrize(
    ("method", "status"),
    [("HEAD", 200), ("HEAD", 404), ("GET", 204), ("GET", 304), ("POST", 204), ("PUT", 304)],
)
@pytest.mark.parametrize("field", [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"A: b"])
def test_b1_no_body(respond: Respond, method: str, status: int, field: bytes) -> None:
    """B1: whatever the fields say; and what follows is not read as one."""
    head = b"HTTP/1.1 %d x\r\n%b\r\n\r\n" % (status, field)
    alone = respond(head, method=method)
    assert alone.complete
    assert alone.content == b""
    assert alone.reusable
    followed = respond(head + b"hello", method=method)
    assert followed.content == b""
    assert not followed.reusable


@pytest.mark.parametrize("status", [200, 201, 204, 299])
@pytest.mark.parametrize(
    "field",
    [
        b"A: b",
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
        b"Content-Length: nonsense",
        b"Transfer-Encoding: gzip",
        b"Content-Length: 1, 2",
        b"Connection: close",
    ],
)
def test_b2_tunnel(respond: Respond, status: int, field: bytes) -> None:
    """B2: after a 2xx to CONNECT the tunnel begins, and what the fields say of a body is ignored."""
    outcome = respond(
        b"HTTP/1.1 %d x\r\n%b\r\n\r\n\x16\x03\x01 hello" % (status, field), method="CONNECT"
    )
    assert outcome.error is None
    assert outcome.tunnelling
    assert outcome.unused == b"\x16\x03\x01 hello"
    assert not outcome.reusable


def test_b2_a_refused_tunnel_has_a_body(respond: Respond) -> None:
    """B2: any other answer to CONNECT is an ordinary response."""
    outcome = respond(sized(b"5", start=b"HTTP/1.1 407 No\r\n"), method="CONNECT")
    assert outcome.content == b"hello"
    assert outcome.reusable
    assert not outcome.tunnelling


@pytest.mark.parametrize("status", [200, 204])
def test_b2_only_for_connect(respond: Respond, status: int) -> None:
    outcome = respond(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n" % status, method="GET")
    assert not outcome.tunnelling
    assert outcome.reusable


@pytest.mark.parametrize("rest", [b"", b"\x81\x02hi", b"\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_b3_upgrade(respond: Respond, rest: bytes) -> None:
    """B3: behind 101 every octet belongs to the other protocol."""
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\n"
    outcome = respond(head + rest, upgrade=True)
    assert outcome.head.status == 101
    assert outcome.tunnelling
    assert outcome.unused == rest
    assert not outcome.reusable


# --- Transfer-Encoding.


@pytest.mark.parametrize(
    "lines",
    [
        b"Transfer-Encoding: chunked",
        b"transfer-encoding: Chunked",
        b"TRANSFER-ENCODING:CHUNKED",
        b"Transfer-Encoding: ,chunked",
        b"Transfer-Encoding: , ,\tchunked , ,",
        b"Transfer-Encoding: \r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding:",
        b"Transfer-Encoding:\r\n chunked",
    ],
)
def test_b4_chunked(respond: Respond, lines: bytes) -> None:
    """B4: any case, list syntax, several lines, a folded one."""
    outcome = respond(OK + lines + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    assert outcome.content == b"hello"
    assert outcome.reusable


@pytest.mark.parametrize(
    "lines",
    [
        b"Transfer-Encoding: chunked, gzip",
        b"Transfer-Encoding: yolo",
        b"Transfer-Encoding: \xa0chunked",
        b"Transfer-Encoding: chunked\x85",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunkedx",
        b"Transfer-Encoding: chun\xe2\x84\xaaed",
        b"Transfer-Encoding: chunked;q=1",
        b'Transfer-Encoding: "chunked"',
        b"Transfer-Encoding: chunked identity",
        b"Transfer-Encoding: identity, chunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding:",
        b"Transfer-Encoding: ,",
        b"Transfer-Encoding: chunked\r\n \r\n x",
        # B6: twice
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked, gzip, chunked",
        # B7: gzip as a transfer coding
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding: deflate, gzip, chunked",
    ],
)
def test_b5_b6_b7_other_transfer_codings(respond: Respond, lines: bytes) -> None:
    """B5, B6, B7: refused; nothing of them is handed out, and the connection is not used again."""
    outcome = respond(OK + lines + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    assert isinstance(outcome.error, TransferEncodingError)
    assert outcome.content == b""
    assert not outcome.reusable


def test_b5_identity_means_until_close(respond: Respond) -> None:
    """B5: the old name for no coding, which no framing follows from."""
    wire = OK + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhello"
    outcome = respond(wire, eof=True)
    assert outcome.content == b"hello"
    assert outcome.complete
    assert not outcome.reusable


def test_b8_transfer_encoding_in_http_1_0(respond: Respond) -> None:
    """B8: refused, since no 1.0 server can mean it."""
    wire = CHUNKED.replace(b"1.1", b"1.0") + b"5\r\nhello\r\n0\r\n\r\n"
    assert isinstance(respond(wire).error, TransferEncodingError)


@pytest.mark.parametrize("length", [b"5", b"0", b"15", b"9223372036854775807"])
@pytest.mark.parametrize("length_first", [True, False])
def test_b9_both(respond: Respond, length: bytes, length_first: bool) -> None:
    """B9: the transfer coding counts, and the connection is not used again."""
    lines = [b"Content-Length: " + length, b"Transfer-Encoding: chunked"]
    wire = OK + b"\r\n".join(lines if length_first else lines[::-1])
    outcome = respond(wire + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    assert outcome.content == b"hello"
    assert outcome.complete
    assert not outcome.reusable


# --- Content-Length.


@pytest.mark.parametrize("value", [b"5", b"05", b"0000000000000000000000005", b" 5 ", b"5\t"])
def test_b10_digits(respond: Respond, value: bytes) -> None:
    """B10: white space round the value is not part of it; zeros before it say nothing."""
    outcome = respond(sized(value))
    assert outcome.content == b"hello"
    assert outcome.reusable


BAD_LENGTHS = [
    *(b"+5", b"-1", b"-0", b"0x5", b"0x10", b"1_0", b"5 5", b'"5"', b"", b" ", b"5;", b"5.0"),
    *(b"5e0", b"5L", b"five", b"\xd9\xa5", b"\xb2", b"\xef\xbc\x95", b"5\xa0", b"\x855", b"0b101"),
    *(b"5,,", b",", b",5", b"5,", b"5, ", b"5, +5", b"5 ,5x"),
]


@pytest.mark.parametrize("value", BAD_LENGTHS)
@pytest.mark.parametrize("start", [OK, b"HTTP/1.1 204 x\r\n", b"HTTP/1.1 304 x\r\n"])
def test_b10_y1_not_digits(respond: Respond, value: bytes, start: bytes) -> None:
    """B10, Y1: anything but ASCII digits is refused, for responses without a body as well."""
    outcome = respond(sized(value, start=start))
    assert isinstance(outcome.error, ContentLengthError)
    assert outcome.content == b""
    assert not outcome.reusable


@pytest.mark.parametrize("values", [(b"5", b"5"), (b"5,5",), (b"5 , 5", b"5"), (b"5, 5,\t5",)])
def test_b11_the_same_again(respond: Respond, values: tuple[bytes, ...]) -> None:
    """B11: one length, said several times."""
    outcome = respond(sized(*values))
    assert outcome.content == b"hello"
    assert outcome.reusable


@pytest.mark.parametrize(
    "values",
    [(b"5", b"6"), (b"5,6",), (b"5, 5", b"6"), (b"5", b"05"), (b"5", b""), (b"0", b"5"), (b"5, ",)],
)
@pytest.mark.parametrize(
    ("method", "start"),
    [
        ("GET", OK),
        ("HEAD", OK),
        ("GET", b"HTTP/1.1 204 x\r\n"),
        ("GET", b"HTTP/1.1 304 x\r\n"),
        ("GET", OK + b"Transfer-Encoding: chunked\r\n"),
    ],
)
def test_b11_differing(
    respond: Respond, values: tuple[bytes, ...], method: str, start: bytes
) -> None:
    """B11: any difference is refused, where the length does not matter too."""
    outcome = respond(sized(*values, start=start), method=method)
    assert isinstance(outcome.error, ContentLengthError)
    assert not outcome.reusable


@pytest.mark.parametrize(
    ("value", "fine"),
    [
        (b"9223372036854775807", True),
        (b"0009223372036854775807", True),
        (b"9223372036854775808", False),
        (b"18446744073709551616", False),
        (b"18446744073709551621", False),
        (20 * b"9", False),
        (5000 * b"9", False),
        (5000 * b"0" + b"9223372036854775807", True),
        (5000 * b"0" + b"9223372036854775808", False),
    ],
)
def test_b12_huge_lengths(respond: Respond, value: bytes, fine: bool) -> None:
    """B12, Y1: 2**63-1 passes and no more; never a ValueError of int(), for zeros neither."""
    tracemalloc.start()
    outcome = respond(sized(value))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (outcome.error is None) is fine
    assert not outcome.complete
    assert peak < 4 << 20


@pytest.mark.parametrize("zeros", [1, 4999, 20000])
def test_b12_zeros(respond: Respond, zeros: int) -> None:
    """B12: as many as the line may hold."""
    outcome = respond(sized(zeros * b"0", body=b""))
    assert outcome.complete
    assert outcome.reusable


# --- Bodies that end.


@pytest.mark.parametrize("missing", range(1, 6))
def test_b13_incomplete(respond: Respond, missing: int) -> None:
    """B13: an error that says how much is missing, after what came."""
    outcome = respond(sized(b"5")[:-missing], eof=True)
    assert outcome.content == b"hello"[:-missing]
    error = outcome.error
    assert isinstance(error, IncompleteBodyError)
    assert (error.received, error.expected) == (5 - missing, 5)
    assert not outcome.reusable


def test_b13_a_broken_connection_says_the_same() -> None:
    """B13: also when the end is not an orderly one."""
    parser = ResponseParser()
    assert parser.connection_broken() is None
    parser.begin("GET")
    assert parser.connection_broken() is None
    parser.feed(sized(b"5")[:-2])
    error = parser.connection_broken()
    assert error is not None
    assert (error.received, error.expected) == (3, 5)
    assert parser.connection_broken() is None
    assert not parser.reusable


@pytest.mark.parametrize(
    "surplus", [b"x", b"HTTP/1.1 200 OK\r\n\r\n", b"\r\nx", b"\r\n\r\n", b"\n"]
)
def test_b14_i5_surplus(respond: Respond, surplus: bytes) -> None:
    """B14, I4, I5: the body ends exactly; what follows it makes the connection useless."""
    for wire in (sized(b"5"), CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"):
        outcome = respond(wire + surplus)
        assert outcome.content == b"hello"
        assert outcome.complete
        assert not outcome.reusable


def test_b14_surplus_never_becomes_a_response() -> None:
    """B14, I3: and no further exchange can begin."""
    parser = ResponseParser()
    parser.begin("GET")
    parser.feed(sized(b"5"))
    assert parser.reusable
    assert not parser.feed(OK + b"Content-Length: 0\r\n\r\n")
    assert not parser.reusable
    with pytest.raises(RuntimeError, match="cannot begin"):
        parser.begin("GET")


def test_i3_octets_before_any_request() -> None:
    """I3: they are no response to the first one."""
    parser = ResponseParser()
    assert parser.reusable
    assert not parser.feed(OK)
    assert not parser.reusable
    with pytest.raises(RuntimeError, match="cannot begin"):
        parser.begin("GET")


@pytest.mark.parametrize("body", [b"", b"hello"])
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_b15_until_close(respond: Respond, body: bytes, version: bytes) -> None:
    """B15: complete at an orderly end only, and never used again."""
    wire = b"HTTP/%b 200 OK\r\nConnection: keep-alive\r\n\r\n" % version + body
    open_ = respond(wire)
    assert open_.content == body
    assert not open_.complete
    closed = respond(wire, eof=True)
    assert closed.content == body
    assert closed.complete
    assert not closed.reusable


def test_b15_a_broken_connection_is_no_end() -> None:
    """B15: the length is not known, so a break is an error."""
    parser = ResponseParser()
    parser.begin("GET")
    parser.feed(OK + b"\r\nhello")
    error = parser.connection_broken()
    assert error is not None
    assert (error.received, error.expected) == (5, None)


# --- Whether another exchange may follow.


@pytest.mark.parametrize(
    ("version", "lines", "reusable"),
    [
        (b"1.1", b"", True),
        (b"1.0", b"", False),
        (b"1.1", b"Connection: close\r\n", False),
        (b"1.1", b"Connection: CLOSE\r\n", False),
        (b"1.1", b"Connection: Upgrade, close\r\n", False),
        (b"1.1", b"Connection: keep-alive\r\nconnection: x,Close\r\n", False),
        (b"1.1", b"Connection: keep-alive, close\r\n", False),
        (b"1.0", b"Connection: keep-alive, close\r\n", False),
        (b"1.0", b"Connection: Keep-Alive\r\n", True),
        (b"1.0", b"Keep-Alive: timeout=5\r\n", False),
        (b"1.1", b"Connection: closed\r\n", True),
        (b"1.1", b"Connection: not-close\r\n", True),
        (b"1.1", b"Connection: close-not\r\n", True),
        (b"1.1", b"Connection: close;q=1\r\n", True),
        (b"1.1", b"Proxy-Connection: close\r\n", True),
        (b"1.0", b"Proxy-Connection: keep-alive\r\n", False),
        (b"1.0", b"Connection: keep-alived\r\n", False),
        (b"1.1", b"Close: close\r\n", True),
    ],
)
def test_i7_i8_persistence(respond: Respond, version: bytes, lines: bytes, reusable: bool) -> None:
    """I7, I8: exact options in any case, in lists and several lines; close wins."""
    wire = b"HTTP/%b 200 OK\r\n%bContent-Length: 5\r\n\r\nhello" % (version, lines)
    outcome = respond(wire)
    assert outcome.complete
    assert outcome.reusable is reusable


def test_what_is_left_of_a_body() -> None:
    """The parser says how much is to come, for whoever decides whether to read or to close."""
    parser = ResponseParser()
    parser.begin("GET")
    parser.feed(sized(b"5")[:-2])
    assert (parser.remaining, parser.persistent, parser.state) == (2, True, "within a body")
    parser = ResponseParser()
    parser.begin("GET", HeadLimits(fields=3))
    parser.feed(OK + b"\r\nhello")
    assert (parser.remaining, parser.persistent) == (None, False)
    parser = ResponseParser()
    parser.begin("GET")
    _, end = parser.feed(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n")
    assert parser.remaining == 0
    assert repr(end) == "<EndOfMessage, 1 trailers>"
    assert not parser.feed_eof()


def test_the_end_of_an_idle_connection_is_no_error() -> None:
    parser = ResponseParser()
    assert not parser.feed_eof()
    assert not parser.reusable
