"""The same octets to h11 and to us: the same verdict and content, or a difference that has a name.

Every difference is deliberate and listed in `STRICTER` or `LAXER`; anything else fails.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import h11
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import (
    EndOfMessage,
    ResponseHead,
    ResponseParser,
)

from fuzz.generated_responses import ResponseGenerator


@dataclass(frozen=True)
class Reading:
    """A response as one of the two read it."""

    status: int
    reason: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    content: bytes
    complete: bool


def read_by_h11(wire: bytes) -> Reading | None:
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(wire)
    client.receive_data(b"")
    head = None
    content = b""
    complete = False
    try:
        while not complete:
            event = client.next_event()
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                content += event.data
            elif isinstance(event, h11.EndOfMessage):
                complete = True
            elif event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                break
    except h11.RemoteProtocolError:
        complete = False
    if head is None:
        return None
    fields = tuple((name.lower(), value) for name, value in head.headers)
    return Reading(head.status_code, bytes(head.reason), fields, content, complete)


def read_by_us(wire: bytes) -> Reading | None:
    parser = ResponseParser()
    parser.begin("GET")
    head = None
    content = b""
    complete = False
    for event in [*parser.feed(wire), *parser.feed_eof()]:
        if isinstance(event, ResponseHead):
            head = event if event.status >= 200 else None
        elif isinstance(event, bytes):
            content += event
        else:
            complete = isinstance(event, EndOfMessage)
    if head is None:
        return None
    reason = head.reason.encode("utf-8", "surrogateescape")
    fields = tuple((name.lower(), value) for name, value in head.raw_headers)
    return Reading(head.status, reason, fields, content, complete)


def head_of(wire: bytes) -> bytes:
    return re.split(rb"\n\r?\n", wire, maxsplit=1)[0]


def values_of(wire: bytes, name: bytes) -> list[bytes]:
    """The values of a field, lines that could be it included, on the generous side."""
    return re.findall(rb"(?i)(?:\n|^)[ \t]*" + name + rb"[ \t]*:([^\r\n]*)", head_of(wire))


Classifier = Callable[[bytes], object]

# Why we refuse, or find incomplete, what h11 takes.
STRICTER: dict[str, Classifier] = {
    # H6, H14: h11 lets control characters other than NUL and white space pass.
    "control characters": lambda wire: re.search(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]", wire),
    # H4: h11 leaves it to its caller what HTTP/2.0 or HTTP/0.9 mean.
    "version": lambda wire: not re.match(rb"HTTP/1\.[01] ", wire),
    # B8: RFC 9112 section 6.1 calls this framing faulty.
    "transfer coding in 1.0": lambda wire: (
        wire.startswith(b"HTTP/1.0") and values_of(wire, b"transfer-encoding")
    ),
    # B12: h11 knows lengths of up to twenty digits.
    "length": lambda wire: re.search(rb"[0-9]{19}", wire),
    # B16, B20: h11 skips extensions unread, and white space behind the size.
    "chunk line": lambda wire: re.search(rb"[0-9A-Fa-f][ \t]*(?:;[^\r\n]*|[ \t])\r\n", wire),
    # B19: and leaves the end of a trailer section to the rules of heads.
    "bare LF among the chunks": lambda wire: re.search(rb"[^\r]\n", wire),
    # B16: h11 takes twenty digits and does without the sixty-three bits.
    "chunk size": lambda wire: re.search(rb"[0-9A-Fa-f]{16}", wire),
    # H7: h11 reads a 101 that nobody asked for as an informational response.
    "switching protocols": lambda wire: b" 101" in wire,
}

# Why we take what h11 refuses.
LAXER: dict[str, Classifier] = {
    # H14: h11 has no obs-text at the borders of a value, and no white space but SP and HTAB.
    "white space at the end of a fold": lambda wire: re.search(rb"\n[ \t]", wire),
    # B5: the old name for no coding.
    "identity": lambda wire: re.search(rb"(?i)identity", wire),
    # B4: h11 does not drop empty list elements.
    "empty list elements": lambda wire: any(
        b"," in value or not value.strip(b" \t") for value in values_of(wire, b"transfer-encoding")
    ),
    # B1: nor does a coding that is not known where there is no body to apply it to.
    "coding of no body": lambda wire: (
        re.match(rb"HTTP/1\.[01] (204|304)", wire) and values_of(wire, b"transfer-encoding")
    ),
    # B12: zeros before a length say nothing.
    "zeros": lambda wire: re.search(rb"0{10}", wire),
    # B23: nor may a trailer say anything of framing, to us: it is dropped, and h11 reads it.
    "framing among the trailers": lambda wire: re.search(
        rb"(?i)\n0+[^\r\n]*\r\n(?:[^\r\n]+\r\n)*(?:content-length|transfer-encoding)", wire
    ),
    # B1: the same before the final head, where no content follows whatever is said.
    "framing of an informational response": lambda wire: re.match(
        rb"(?is)HTTP/1\.[01] 1.*\n(?:content-length|transfer-encoding)[ \t]*:.*\n\r?\n", wire
    ),
    # H10 of 1xx: h11 counts nothing, we count to ten; it stops at a status that we pass.
    "status": lambda wire: re.match(rb"HTTP/1\.[01] [6-9]", wire),
}


def same_text(ours: bytes, theirs: bytes) -> bool:
    """Equal up to white space, of which h11 keeps some before a fold."""
    return re.sub(rb"[ \t]+", b" ", ours) == re.sub(rb"[ \t]+", b" ", theirs)


def from_final(wire: bytes) -> bytes:
    """The octets without the informational responses before the final one."""
    while re.match(rb"HTTP/1\.[01] 1[0-9]{2}(?<!101) ", wire):
        parts = re.split(rb"\n\r?\n", wire, maxsplit=1)
        if len(parts) == 1:
            break
        wire = parts[1]
    return wire


def explained(wire: bytes, reasons: dict[str, Classifier]) -> bool:
    return any(classify(part) for classify in reasons.values() for part in (wire, from_final(wire)))


def compare(wire: bytes) -> None:
    ours, theirs = read_by_us(wire), read_by_h11(wire)
    if ours is None or theirs is None:
        if ours is not None:
            assert explained(wire, LAXER), "only h11 refuses it"
        elif theirs is not None:
            assert explained(wire, STRICTER), "only we refuse it"
        return
    if ours.complete != theirs.complete:
        assert explained(wire, STRICTER if theirs.complete else LAXER), "one finds it incomplete"
        return
    assert ours.status == theirs.status
    assert same_text(ours.reason, theirs.reason)
    # h11 makes one Content-Length of several equal ones, and writes Transfer-Encoding in its own way.
    framing = (b"content-length", b"transfer-encoding")
    mine, other = (
        [field for field in each.fields if field[0] not in framing] for each in (ours, theirs)
    )
    assert [name for name, _ in mine] == [name for name, _ in other]
    assert all(same_text(a, b) for (_, a), (_, b) in zip(mine, other, strict=True))
    if ours.complete:
        assert ours.content == theirs.content


NAMES = st.sampled_from(
    [b"A", b"Content-Type", b"X-y", b"Set-Cookie", b"a.b", b"connection", b"Date"]
)
VALUES = st.one_of(
    st.sampled_from([b"", b"v", b"a b", b"close", b"\xc3\xa9", b"\xff", b"a:b", b"a,b", b'"q"']),
    st.binary(max_size=6).filter(lambda value: not set(value) & set(b"\r\n\x00")),
)
FIELDS = st.builds(lambda name, value: name + b": " + value, NAMES, VALUES)
FRAMING = st.sampled_from(
    [
        *([b"Content-Length: %d" % n] for n in (0, 3, 5, 10)),
        *([b"Transfer-Encoding: chunked"], [b"transfer-encoding:chunked "], []),
        *([b"Content-Length: 5", b"Content-Length: 5"], [b"Content-Length: 5, 5"]),
        *([b"Content-Length: 5", b"Content-Length: 6"], [b"Content-Length: 5x"]),
        *([b"Content-Length: 5", b"Transfer-Encoding: chunked"], [b"Transfer-Encoding: gzip"]),
        *([b"Transfer-Encoding: chunked, chunked"], [b"Content-Length: +5"], [b"Content-Length:"]),
    ]
)
STATUS_LINES = st.one_of(
    st.builds(
        lambda version, status, reason: b"HTTP/%b %d %b" % (version, status, reason),
        st.sampled_from([b"1.1", b"1.0"]),
        st.integers(200, 599),
        st.sampled_from([b"OK", b"", b"Not Found", b"\xe9", b"a\tb"]),
    ),
    st.sampled_from([b"HTTP/1.1 200", b"HTTP/1.1 20 x", b"HTTP/1.1 2000 x", b"HTTP/1.1  200 x"])
    | st.sampled_from(
        [b"HTTP/2.0 200 x", b"http/1.1 200 x", b"", b"HTTP/1.1 +20 x", b"HTTP/1.1 abc"]
    ),
)
CHUNKS = st.lists(
    st.sampled_from(
        [
            *(b"3\r\nabc\r\n", b"0a\r\n0123456789\r\n", b"3;x=y\r\nabc\r\n", b"0\r\n\r\n"),
            *(b"0\r\nA: b\r\n\r\n", b"3\r\nab\r\n", b"3\r\nabcd\r\n", b"3\nabc\r\n", b"x\r\n"),
            *(b" 3\r\nabc\r\n", b"3 \r\nabc\r\n", b"0x3\r\nabc\r\n", b"\r\n", b"0\r\nA b\r\n\r\n"),
        ]
    ),
    max_size=4,
).map(b"".join)
BODIES = st.one_of(st.sampled_from([b"", b"hello", b"hello world"]), CHUNKS)
MUTATIONS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from(
            [b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b"\x00", b"\xa0", b";", b",", b"0"]
        ),
        st.booleans(),
    ),
    max_size=2,
)


def mutate(wire: bytes, changes: list[tuple[float, bytes, bool]]) -> bytes:
    for place, octets, replace in changes:
        at = int(place * len(wire))
        wire = wire[:at] + octets + wire[at + replace :]
    return wire


def test_both_read_what_is_plain() -> None:
    """The oracle itself works: a response that both take, and one that both refuse."""
    wire = b"HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    fields = ((b"a", b"b"), (b"transfer-encoding", b"chunked"))
    expected = Reading(200, b"OK", fields, b"hello", True)
    assert read_by_us(wire) == read_by_h11(wire) == expected
    assert read_by_us(b"HTTP/1.1 2x0 OK\r\n\r\n") is read_by_h11(b"HTTP/1.1 2x0 OK\r\n\r\n") is None


@given(STATUS_LINES, st.lists(FIELDS, max_size=4), FRAMING, BODIES, st.booleans(), MUTATIONS)
def test_same_verdict_as_h11(
    status_line: bytes,
    fields: list[bytes],
    framing: list[bytes],
    body: bytes,
    bare: bool,
    changes: list[tuple[float, bytes, bool]],
) -> None:
    """H1 to H19, B1 to B25: generated responses, sound ones and broken ones."""
    end = b"\n" if bare else b"\r\n"
    head = end.join([status_line, *fields, *framing]) + 2 * end
    compare(mutate(head + body, changes))


@given(STATUS_LINES, st.lists(FIELDS, max_size=6), FRAMING, BODIES)
def test_same_reading_as_h11(
    status_line: bytes, fields: list[bytes], framing: list[bytes], body: bytes
) -> None:
    """The same without mutations, so that more of them are sound."""
    compare(b"\r\n".join([status_line, *fields, *framing]) + b"\r\n\r\n" + body)


@given(st.integers(0, 2**64), st.booleans())
def test_same_verdict_as_h11_on_whole_responses(seed: int, mutated: bool) -> None:
    """H1 to H19, B1 to B25: with informational responses, codings, extensions and trailers."""
    generator = ResponseGenerator(seed)
    compare((generator.mutated() if mutated else generator.sound()).data)
