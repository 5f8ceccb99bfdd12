"""Event streams by the HTML standard, section 9.2: whole, and cut at every position."""

from itertools import pairwise

import pytest
from wayfare import EventParser, EventTooLargeError, ServerSentEvent

E = ServerSentEvent

# Name, octets of the stream, events.
STREAMS: list[tuple[str, bytes, list[ServerSentEvent]]] = [
    ("nothing", b"", []),
    ("one", b"data: a\n\n", [E("message", "a")]),
    (
        "the standard's first example",
        b"data: This is the first message.\n\n"
        b"data: This is the second message, it\ndata: has two lines.\n\n"
        b"data: This is the third message.\n\n",
        [
            E("message", "This is the first message."),
            E("message", "This is the second message, it\nhas two lines."),
            E("message", "This is the third message."),
        ],
    ),
    (
        "the standard's example of types",
        b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n",
        [E("add", "73857293"), E("remove", "2153"), E("add", "113411")],
    ),
    (
        "the standard's example of a quotation",
        b"data: YHOO\ndata: +2\ndata: 10\n\n",
        [E("message", "YHOO\n+2\n10")],
    ),
    (
        "the standard's example of comments and ids",
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
        [E("message", "first event", "1"), E("message", "second event", "")],
    ),
    (
        "the standard's example of empty data",
        b"data\n\ndata\ndata\n\ndata:",
        [E("message", ""), E("message", "\n")],
    ),
    (
        "the standard's example of a space",
        b"data:test\n\ndata: test\n\n",
        [E("message", "test"), E("message", "test")],
    ),
    ("only one space goes", b"data:   a \n\n", [E("message", "  a ")]),
    ("a tab stays", b"data:\ta\n\n", [E("message", "\ta")]),
    ("a colon in the value", b"data: a:b: c\n\n", [E("message", "a:b: c")]),
    ("CR LF", b"data: a\r\ndata: b\r\n\r\n", [E("message", "a\nb")]),
    ("CR", b"data: a\rdata: b\r\r", [E("message", "a\nb")]),
    (
        "all ends",
        b"data: a\rdata: b\ndata: c\r\n\rdata: d\n\r\n",
        [E("message", "a\nb\nc"), E("message", "d")],
    ),
    ("LF CR is two ends", b"data: a\n\rdata: b\n\r", [E("message", "a"), E("message", "b")]),
    ("many blank lines", b"\n\r\n\rdata: a\n\n\n\r\n\r\r", [E("message", "a")]),
    ("a BOM", b"\xef\xbb\xbfdata: a\n\n", [E("message", "a")]),
    ("only one BOM goes", b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [E("message", "b")]),
    ("a BOM later", b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [E("message", "a")]),
    ("half a BOM", b"\xef\xbbdata: a\n\ndata: b\n\n", [E("message", "b")]),
    ("a comment", b": data: a\n:\ndata: b\n\n", [E("message", "b")]),
    (
        "unknown fields",
        b"Data: a\n data: a\ndata : a\nfoo: a\nfoo\ndata: b\n\n",
        [E("message", "b")],
    ),
    ("no data, no event", b"event: add\nid: 1\n\ndata: a\n\n", [E("message", "a", "1")]),
    ("the last type counts", b"event: a\nevent: b\ndata: 1\n\n", [E("b", "1")]),
    ("an empty type", b"event: a\nevent:\ndata: 1\n\n", [E("message", "1")]),
    ("the type is forgotten", b"event: a\n\ndata: 1\n\n", [E("message", "1")]),
    (
        "an id stays",
        b"id: 7\ndata: a\n\ndata: b\n\n",
        [E("message", "a", "7"), E("message", "b", "7")],
    ),
    ("an id with NUL is ignored", b"id: 7\nid: 8\x009\ndata: a\n\n", [E("message", "a", "7")]),
    ("an id is text", "id: Ä\ndata: a\n\n".encode(), [E("message", "a", "Ä")]),
    (
        "retry",
        b"retry: 250\ndata: a\n\ndata: b\n\n",
        [E("message", "a", "", 250), E("message", "b")],
    ),
    (
        "a retry that is none",
        b"retry\nretry:\nretry: -1\nretry: +1\nretry: 1.5\nretry: 1_0\nretry:  1\nretry: 1x\n"
        + "retry: ٣\nretry: ²\ndata: a\n\n".encode(),
        [E("message", "a")],
    ),
    ("a retry without data", b"retry: 10\n\ndata: a\n\n", [E("message", "a")]),
    ("retry: 0", b"retry: 000\ndata: a\n\n", [E("message", "a", "", 0)]),
    (
        "a retry beyond all bounds",
        b"retry: " + b"9" * 5000 + b"\ndata: a\n\n",
        [E("message", "a", "", 999_999_999)],
    ),
    ("UTF-8", "data: €\U0001f600\nevent: ü\n\n".encode(), [E("ü", "€\U0001f600")]),
    (
        "what is no UTF-8",
        b"data: a\xffb\xe2\x82\ndata: \xf0\x9f\nevent: \xc3\n\n",
        [E("\ufffd", "a\ufffdb\ufffd\n\ufffd")],
    ),
    (
        "lines of Unicode and of text are none",
        "data: a\x0b\x0c\x1c\x85\u2028b\n\n".encode(),
        [E("message", "a\x0b\x0c\x1c\x85\u2028b")],
    ),
    ("NUL in data", b"data: a\0b\n\n", [E("message", "a\0b")]),
    ("an event without its blank line", b"data: a\n\ndata: b\n", [E("message", "a")]),
    ("a line without its end", b"data: a\n\ndata: b", [E("message", "a")]),
]


def events_of(*pieces: bytes, limit: int = 10_000) -> list[ServerSentEvent]:
    parser = EventParser(max_event_size=limit)
    events = [event for piece in pieces for event in parser.feed(piece)]
    assert parser.error is None
    return events


@pytest.mark.parametrize(
    ("stream", "events"), [row[1:] for row in STREAMS], ids=[r[0] for r in STREAMS]
)
def test_a_stream(stream: bytes, events: list[ServerSentEvent]) -> None:
    assert events_of(stream) == events
    assert events_of(*(stream[at : at + 1] for at in range(len(stream)))) == events
    for cut in range(len(stream) + 1):
        assert events_of(stream[:cut], stream[cut:]) == events, cut
        assert events_of(stream[:cut], b"", stream[cut : cut + 1], stream[cut + 1 :]) == events, cut


def test_an_event_is_there_with_the_first_octet_that_ends_it() -> None:
    for stream in (b"data: a\n\n", b"data: a\r\r", b"data: a\r\n\r"):
        parser = EventParser()
        for at in range(len(stream) - 1):
            assert parser.feed(stream[at : at + 1]) == [], (stream, at)
        assert parser.feed(stream[-1:]) == [E("message", "a")]


def test_what_to_reconnect_with() -> None:
    parser = EventParser("before")
    assert (parser.last_event_id, parser.retry) == ("before", None)
    assert parser.feed(b"data: a\n\nid: 1\nretry: 20\n") == [E("message", "a", "before")]
    # The id of an event that is not complete does not count, its retry does.
    assert (parser.last_event_id, parser.retry) == ("before", 20)
    assert parser.feed(b"\n") == []
    assert (parser.last_event_id, parser.retry) == ("1", 20)
    assert parser.feed(b"id\n\n") == []
    assert parser.last_event_id == ""


@pytest.mark.parametrize(
    "stream",
    [
        b"data: 45678901\n\n",
        b"data: 4567\ndata: 9012345\n\n",
        b"data: 4567890",
        b": 345678901\n",
        b"data\n" * 12,
        b"event: 345678901\ndata: a\n\n",
    ],
)
def test_what_is_too_large_ends_the_reading(stream: bytes) -> None:
    whole = b"data: a\n\n" + stream + b"\n\ndata: b\n\n"
    for pieces in ([whole], *([whole[:cut], whole[cut:]] for cut in range(len(whole)))):
        parser = EventParser(max_event_size=10)
        events = [event for piece in pieces for event in parser.feed(piece)]
        assert events == [E("message", "a")]
        assert isinstance(parser.error, EventTooLargeError)
        assert parser.error.limit == 10
        assert str(parser.error) == "an event is larger than the limit of 10 octets"
        assert parser.feed(b"data: c\n\n") == []


def test_what_is_just_not_too_large() -> None:
    assert events_of(b"data: 4567\ndata: 9012\n\n", limit=10) == [E("message", "4567\n9012")]
    assert events_of(b":" * 10 + b"\n" + b"data: 4567" + b"\n\n", limit=10) == [
        E("message", "4567")
    ]


def test_a_long_line_in_small_pieces_costs_what_it_is_long() -> None:
    """Y8: time grows with the octets, not with their square."""
    parser = EventParser()
    assert parser.feed(b"data: ") == []
    for _ in range(100_000):
        assert parser.feed(b"0123456789") == []
    (event,) = parser.feed(b"\n\n")
    assert len(event.data) == 1_000_000


def test_pairs_of_streams_read_as_one() -> None:
    """What one stream leaves open is dropped, and the next one begins a line."""
    for (_, first, events), (_, second, more) in pairwise(STREAMS):
        if second.startswith(b"\xef") or b"id" in first:
            continue
        closed = first + b"\n\n"
        assert events_of(closed + second) == events_of(closed) + more
        assert events_of(closed)[: len(events)] == events
