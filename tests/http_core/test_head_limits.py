"""Response heads: limits, cost, and verdicts that depend on nothing else (H20 to H22, H26 to H29).

`respond` feeds every wire whole, octet by octet and cut in two everywhere, and fails when that
changes anything (H26).
"""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import istr
from wayfare_http_core import (
    BadHttpMessage,
    HeadLimits,
    LineTooLong,
    ResponseParser,
    _field_lines,
    _framing,
    hdrs,
)
from wayfare_http_core._field_lines import read_field_lines

from tests.cpu_time import is_linear

Respond = Callable[..., Any]


def with_fields(lines: bytes) -> bytes:
    return b"HTTP/1.1 204 No Content\r\n" + lines + b"\r\n\r\n"


# --- Limits.

SMALL = HeadLimits(start_line=40, field_line=50, fields=6, head=200)


def start_line(size: int) -> bytes:
    return (b"HTTP/1.1 204 " + size * b"r")[:size] + b"\r\nA: b\r\n\r\n"


def field_line(size: int) -> bytes:
    return with_fields(b"A: b\r\n" + (b"F: " + size * b"v")[:size])


def folded_line(size: int) -> bytes:
    return with_fields((b"F: " + (size // 2 - 3) * b"v") + b"\r\n " + (size - size // 2 - 1) * b"w")


def field_count(count: int) -> bytes:
    return with_fields(b"\r\n".join(b"F%d: v" % number for number in range(count)))


def fold_count(count: int) -> bytes:
    return with_fields(b"F: v" + (count - 1) * b"\r\n w")


def whole_head(size: int) -> bytes:
    head = b"HTTP/1.1 204 N\r\nA: " + 45 * b"a" + b"\r\nB: " + 44 * b"b" + b"\r\nC: " + 44 * b"c"
    return head + b"\r\nD: " + (size - len(head) - 5) * b"d" + b"\r\n\r\n"


LIMITS: list[tuple[Callable[[int], bytes], int, type[BadHttpMessage]]] = [
    (start_line, SMALL.start_line, LineTooLong),
    (field_line, SMALL.field_line, LineTooLong),
    (folded_line, SMALL.field_line, LineTooLong),
    (field_count, SMALL.fields, BadHttpMessage),
    (fold_count, SMALL.fields, BadHttpMessage),
    (whole_head, SMALL.head, BadHttpMessage),
]
LIMIT_CASES = pytest.mark.parametrize(
    ("make", "limit", "error"), LIMITS, ids=[make.__name__ for make, _, _ in LIMITS]
)


@LIMIT_CASES
def test_h20_h21_limits(
    respond: Respond, make: Callable[[int], bytes], limit: int, error: type[BadHttpMessage]
) -> None:
    """H20, H21: at the limit it passes, one over it fails, however the octets arrive."""
    passed = respond(make(limit), limits=SMALL)
    assert passed.error is None
    assert passed.complete
    failed = respond(make(limit + 1), limits=SMALL)
    assert type(failed.error) is error
    assert not failed.heads


@pytest.mark.parametrize(
    ("limit", "endless"),
    [
        ("start_line", b"HTTP/1.1 200 "),
        ("field_line", b"HTTP/1.1 200 OK\r\nA: "),
        ("head", b"HTTP/1.1 200 OK\r\nA: b\r\n"),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 100, 65536])
def test_h20_h21_defaults_hold_for_endless_heads(limit: str, endless: bytes, piece: int) -> None:
    """H20, H21: the error comes before more than the limit and one piece was taken."""
    bound = getattr(HeadLimits(), limit)
    filler = b"A: " + 96 * b"v" + b"\r\n" if limit == "head" else 101 * b"v"
    parser = ResponseParser(HeadLimits(fields=1 << 20))
    parser.begin("GET")
    parser.feed(endless)
    fed = 0
    wire = filler * (bound // 100 + 700)
    events: list[Any] = []
    while not events:
        events += parser.feed(wire[fed : fed + piece])
        fed += piece
        assert fed <= bound + len(endless) + piece
    assert isinstance(events[0], BadHttpMessage)
    assert not parser.feed(wire)


def test_default_limits() -> None:
    """H20: the numbers that the documentation names."""
    limits = HeadLimits()
    assert (limits.start_line, limits.field_line, limits.fields) == (8190, 32768, 256)
    assert (limits.head, limits.informational) == (131072, 10)


# --- Cost.


def parse(wire: bytes, piece: int, limits: HeadLimits) -> object:
    parser = ResponseParser(limits)
    parser.begin("GET")
    for at in range(0, len(wire), piece):
        parser.feed(wire[at : at + piece])
    return parser


WIDE = HeadLimits(start_line=1 << 24, field_line=1 << 24, fields=1 << 20, head=1 << 24)


def test_h22_many_fields_of_one_name() -> None:
    """H22: ten thousand of them are kept apart, in linear time."""

    def make(count: int) -> Callable[[], object]:
        wire = with_fields(b"\r\n".join(b"Set-Cookie: c%d=v" % n for n in range(count)))
        return lambda: parse(wire, 1 << 16, WIDE)

    assert is_linear(make, 1250)
    parser = ResponseParser(WIDE)
    parser.begin("GET")
    lines = b"\r\n".join(b"Set-Cookie: c%d=v" % n for n in range(10_000))
    head: Any = parser.feed(with_fields(lines))[0]
    assert head.headers.getall("set-cookie") == [f"c{n}=v" for n in range(10_000)]


HEAVY: dict[str, Callable[[int], bytes]] = {
    "one long value": lambda n: with_fields(b"A: " + n * b"v"),
    "spaces": lambda n: with_fields(b"A: " + n * b" " + b"\x00"),
    "spaces between": lambda n: with_fields(b"A: x" + n * b" " + b"y"),
    "short lines": lambda n: with_fields(n // 6 * b"A: b\r\n" + b"X:y"),
    "folds": lambda n: with_fields(b"A: b" + n // 4 * b"\r\n c"),
    "empty folds": lambda n: with_fields(b"A: b" + n // 3 * b"\r\n "),
    "carriage returns": lambda n: with_fields(b"A: b" + n * b"\r"),
    "line feeds short of a blank line": lambda n: b"HTTP/1.1 200 OK" + n // 6 * b"\r\nA: b",
    "long reason": lambda n: b"HTTP/1.1 200 " + n * b"r" + b"\r\n\r\n",
    "long name": lambda n: with_fields(n * b"n" + b": v"),
    "commas": lambda n: with_fields(b"Content-Length: " + n * b","),
    "lengths": lambda n: with_fields(b"Content-Length: 5" + n // 2 * b",5"),
    "zeros": lambda n: with_fields(b"Content-Length: " + n * b"0"),
    "codings": lambda n: with_fields(b"Transfer-Encoding: " + n // 2 * b"x,"),
    "options": lambda n: with_fields(b"Connection: " + n // 2 * b"x,"),
}


@pytest.mark.parametrize("piece", [1, 1 << 20])
@pytest.mark.parametrize("name", HEAVY)
def test_h27_linear_time(name: str, piece: int) -> None:
    """H27: no head costs more than its length, whole or octet by octet."""

    def make(size: int) -> Callable[[], object]:
        wire = HEAVY[name](size)
        return lambda: parse(wire, piece, WIDE)

    assert is_linear(make, 1000 if piece == 1 else 8000)


def test_h22_what_is_remembered_is_bounded(respond: Respond) -> None:
    """H22: what is kept of earlier heads does not grow with what a peer sends, and no secrets."""
    for number in range(3000):
        wire = with_fields(b"Age: %d\r\nX-%d: a\r\nSet-Cookie: secret" % (number, number))
        parse(wire, len(wire), HeadLimits())
        parse(wire.lower().replace(b"http", b"HTTP"), len(wire), HeadLimits())
    assert len(_field_lines._lines) <= 1024
    assert len(_field_lines._names) <= 1024
    assert not any("secret" in line for line in _field_lines._lines)
    outcome = respond(with_fields(b"Age: 1\r\nX-2999: b\r\n" + 100 * b"n" + b": c"))
    assert list(outcome.head.headers.values()) == ["1", "b", "c"]


SHARED = [
    "Accept-Ranges",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Age",
    "Allow",
    "Alt-Svc",
    "Cache-Control",
    "Connection",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "Cross-Origin-Resource-Policy",
    "Date",
    "Expires",
    "Keep-Alive",
    "Last-Modified",
    "Pragma",
    "Referrer-Policy",
    "Server",
    "Strict-Transport-Security",
    "Transfer-Encoding",
    "Vary",
    "Via",
    "X-Content-Type-Options",
    "X-Frame-Options",
]


@pytest.mark.parametrize("fold", [str, str.lower])
def test_h22_lines_are_remembered_of_fields_that_cannot_be_secret(
    fold: Callable[[str], str],
) -> None:
    """H22: of every other field, registered or not, nothing stays when its response is gone."""
    registered = {str(value) for value in vars(hdrs).values() if isinstance(value, istr)}
    assert set(SHARED) <= registered
    for name in sorted({*registered, "X-Token"}):
        line = f"{fold(name)}: 7{fold('Secret')}"
        before = read_field_lines([line])
        assert before is not None
        assert before[0] == (fold(name), line.partition(": ")[2])
        assert (line in _field_lines._lines) is (name in SHARED), name
        assert read_field_lines([line]) == before
    long = f"{fold('Server')}: {128 * 's'}"
    assert read_field_lines([long]) == [(fold("Server"), 128 * "s")]
    assert long not in _field_lines._lines


def test_h22_framing_is_remembered_of_short_values_alone(respond: Respond) -> None:
    """H22: what a peer repeats at length is understood as ever, and not kept."""
    lengths = _framing._read_length_before.cache_info
    options = _framing._read_options_before.cache_info
    before = lengths().currsize, options().currsize
    for number in range(10, 13):
        repeated = b", ".join(50 * [b"%d" % number])
        wire = b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\nConnection: %s\r\n\r\n%s" % (
            repeated,
            b"x" + repeated + b", close",
            number * b"c",
        )
        outcome = respond(wire, bytewise=False)
        assert outcome.content == number * b"c"
        assert not outcome.reusable
    assert (lengths().currsize, options().currsize) == before
    respond(b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3,3\r\nConnection: a, b\r\n\r\nabc")
    hits = lengths().hits, options().hits
    respond(b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3,3\r\nConnection: a, b\r\n\r\nabc")
    assert lengths().hits > hits[0]
    assert options().hits > hits[1]


# --- Every verdict.

SAMPLES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 204",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b"A: b",
        b"A",
        b"Content-Length: 3",
        b"Transfer-Encoding: chunked",
        b"3\r\nabc\r\n0\r\n",
        b"abc",
        b"\x00",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"Connection: close",
        b"\xff",
        b"HTTP/2",
        b";x=y",
        b"0",
    ]
)


@given(st.lists(SAMPLES, max_size=12), st.booleans())
def test_h26_anything_has_one_verdict(respond: Respond, parts: list[bytes], eof: bool) -> None:
    """H26: whatever the octets are, how they arrive changes nothing, and nothing is raised."""
    respond(b"".join(parts), eof=eof)


@given(st.lists(SAMPLES, max_size=12))
def test_h26_after_a_plain_beginning(respond: Respond, parts: list[bytes]) -> None:
    """H26: the same behind a good status line."""
    respond(b"HTTP/1.1 200 OK\r\n" + b"".join(parts) + b"\r\n\r\n")


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200\x00" + 5000 * b"\xff" + b"\r\n\r\n",
        b"\x00" * 5000,
        with_fields(5000 * b"\xff" + b": v"),
        with_fields(b"A: \x1b[31m" + 5000 * b"v"),
        b"HTTP/1.1 200 " + 9000 * b"\x01",
        with_fields(b"A: " + 40_000 * b"\xff"),
        with_fields(b"Content-Length: " + 5000 * b"\xff"),
        with_fields(b"Transfer-Encoding: " + 5000 * b"\xff"),
    ],
)
def test_h28_errors_are_short_and_printable(respond: Respond, wire: bytes) -> None:
    """H28: at most a hundred octets of the line, escaped."""
    error = respond(wire.replace(b"204 No Content", b"200 OK"), bytewise=False).error
    for text in (str(error), repr(error)):
        assert text.isprintable()
        assert text.isascii()
        assert max(text.count(c) for c in ("\\xff", "\\x00", "\\x01", "\\udcff", "v")) <= 100
        assert len(text) < 800


def test_h29_optimised_python() -> None:
    """H29, Y5: `python -O` changes no verdict."""
    program = """
import json, sys
from wayfare_http_core import *
verdicts = []
for wire in json.load(sys.stdin):
    parser = ResponseParser()
    parser.begin("GET")
    events = [*parser.feed(wire.encode("latin-1")), *parser.feed_eof()]
    verdicts.append([repr(event) for event in events])
blocked = 0
for name, value in (("a b", "c"), ("a", "b\\n"), ("a", "\\ud800"), ("", "")):
    try:
        FieldBlock([(name, value)])
    except ValueError:
        blocked += 1
print(json.dumps([verdicts, blocked]))
"""
    wires = [HEAVY[name](50) for name in HEAVY] + [make(limit) for make, limit, _ in LIMITS]
    wires += [
        b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\nabc" % n for n in (b"+3", b"3", b"4", b"")
    ]
    wires += [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\nabc\r\n0\r\n\r\n" % n
        for n in (b"3", b"03", b"0x3", b"+3", b"3 ", b"3;a", b"3;", b"4")
    ]
    given_to_it = json.dumps([wire.decode("latin-1") for wire in wires])
    results = [
        subprocess.run(
            [sys.executable, *flags, "-c", program],
            input=given_to_it,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for flags in ([], ["-O"], ["-OO"])
    ]
    assert results[0] == results[1] == results[2]
    assert json.loads(results[0])[1] == 4
