"""The push parser of multipart bodies: every rule, at every cut (M5 to M12, M18)."""

import re
import tracemalloc
from collections.abc import Callable, Iterable
from functools import partial

import multipart as defnull  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_multipart.multipart import MultipartParser as PythonMultipart
from wayfare_multipart import (
    DEFAULT_MULTIPART_LIMITS,
    BodyTruncatedError,
    BoundaryError,
    EndOfPart,
    MultipartError,
    MultipartLimitError,
    MultipartLimits,
    MultipartParser,
    PartHead,
    PartHeadError,
)
from werkzeug.sansio.multipart import Data, Epilogue, MultipartDecoder

from tests.cpu_time import is_linear

Parts = list[tuple[list[tuple[str, str]], bytes]]


def parse(pieces: Iterable[bytes], parser: MultipartParser) -> tuple[Parts, type | None, bool]:
    """Parts (the last one may be cut short), the error's type, and whether the last delimiter was seen."""
    parts: Parts = []
    error: type | None = None
    ended = True
    for events in (*map(parser.feed, pieces), parser.finish()):
        for event in events:
            assert error is None, "an error is the last event"
            if isinstance(event, PartHead):
                assert ended
                parts.append((list(event.fields.items()), b""))
                ended = False
            elif isinstance(event, bytes):
                assert not ended
                assert event
                parts[-1] = (parts[-1][0], parts[-1][1] + event)
            elif isinstance(event, EndOfPart):
                assert not ended
                ended = True
            else:
                error = type(event)
    assert ended or error is not None
    return parts, error, parser.done


def read(
    body: bytes,
    boundary: str = "B",
    limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS,
    cuts: bool = True,
) -> tuple[Parts, type | None, bool]:
    """The same for the whole body, cut in two everywhere, and octet by octet (M18)."""
    whole = parse([body], MultipartParser(boundary, limits))
    if cuts:
        singles = (body[at : at + 1] for at in range(len(body)))
        assert parse(singles, MultipartParser(boundary, limits)) == whole
        for at in range(len(body)):
            again = parse([body[:at], body[at:]], MultipartParser(boundary, limits))
            assert again == whole, f"cut at {at}"
    return whole


def data_of(body: bytes) -> list[bytes]:
    parts, error, done = read(body)
    assert error is None
    assert done
    return [data for _, data in parts]


# --- What is a part.


def test_parts_with_their_fields_and_data() -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n'
        b"--B\r\nContent-Type: text/plain\r\nX-Y: \xc3\xa9\r\n\r\n\r\ntwo\r\n\r\n--B--\r\n"
    )
    assert read(body) == (
        [
            ([("Content-Disposition", 'form-data; name="a"')], b"one"),
            ([("Content-Type", "text/plain"), ("X-Y", "é")], b"\r\ntwo\r\n"),
        ],
        None,
        True,
    )


@pytest.mark.parametrize("preamble", [b"", b"\r\n", b"ignored\r\n", b"--\r\n--BX\r\n--A\r\n"])
@pytest.mark.parametrize(
    "epilogue", [b"", b"\r\n", b"\r\nignored", b"\r\n--B\r\n\r\nno part\r\n--B--"]
)
def test_m7_what_is_around_the_parts_is_ignored(preamble: bytes, epilogue: bytes) -> None:
    """M7: the first delimiter may begin the body, the last one may end it."""
    assert data_of(preamble + b"--B\r\n\r\nx\r\n--B--" + epilogue) == [b"x"]


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"--B\r\n\r\n\r\n--B--", [b""]),
        (b"--B\r\n\r\n--B--", [b""]),
        (b"--B\r\n\r\n--B\r\n\r\n--B--", [b"", b""]),
        (b"--B\r\nA: b\r\n\r\n--B--", [b""]),
        (b"--B\r\n\r\n\r\n\r\n--B--", [b"\r\n"]),
        (b"--B--", []),
        (b"--B--\r\n", []),
    ],
)
def test_parts_of_nothing(body: bytes, data: list[bytes]) -> None:
    """RFC 2046 section 5.1.1: a part may have no fields, no data, and not even the line end between them."""
    assert data_of(body) == data


@pytest.mark.parametrize(
    "data",
    [
        b"--B",
        b"x--B\r\n",
        b"\n--B\n",
        b"\r--B\r",
        b"\r\n-B",
        b"\r\n--",
        b"\r\n--b\r\n",
        b"\r\n--BX\r\n",
        b"\r\n--BX--\r\n",
        b"\r\n--B-\r\n",
        b"\r\n--B- -\r\n",
        b"\r\n--B --\r\n",
        b"\r\n--B--X\r\n",
        b"\r\n--B---\r\n",
        b"\r\n--B\n",
        b"\r\n--B\rx",
        b"\r\n--B" + b" " * 257 + b"\r\nx",
        b"\r\n--B" + b" " * 300,
        b"\r\r\n\r\r\n-\r\n--\r\n--\r\n--",
    ],
)
def test_m6_the_boundary_within_data(data: bytes) -> None:
    """M6: a delimiter begins with CRLF and has nothing but blanks behind it."""
    if data == b"--B":
        data = b"x--B"
    assert data_of(b"--B\r\n\r\n" + data + b"\r\n--B--\r\n") == [data]


@pytest.mark.parametrize("blanks", [b"", b" ", b"\t \t", b" " * 256])
def test_m6_blanks_behind_a_boundary(blanks: bytes) -> None:
    body = b"--B" + blanks + b"\r\n\r\none\r\n--B" + blanks + b"\r\n\r\ntwo\r\n--B--" + blanks
    assert data_of(body) == [b"one", b"two"]
    assert data_of(body + b"\r") == [b"one", b"two"]
    assert data_of(body + b"\r\n") == [b"one", b"two"]


@pytest.mark.parametrize(
    "boundary", ["a", "0123456789" * 7, "'()+_,-./:=?", "a b", "----WebKitFormBoundary7MA4YWxk"]
)
def test_m5_boundaries(boundary: str) -> None:
    body = f"--{boundary}\r\n\r\nx\r\n--{boundary}--".encode()
    assert read(body, boundary) == ([([], b"x")], None, True)


@pytest.mark.parametrize("boundary", ["", "a ", " ", "0" * 71, "ä", "a\r\n", "a\x00", 'a"', "a;b"])
def test_m5_no_boundaries(boundary: str) -> None:
    with pytest.raises(BoundaryError):
        MultipartParser(boundary)


# --- What is an error.

WHOLE = b"--B\r\nA: 1\r\n\r\none\r\n--B\r\n\r\ntwo\r\n--B--"


@pytest.mark.parametrize("octets", range(len(WHOLE)))
def test_m11_a_body_that_ends_too_early(octets: int) -> None:
    """M11: wherever it ends, and what was there is given."""
    parts, error, done = read(WHOLE[:octets])
    assert error is BodyTruncatedError
    assert not done
    assert b"one\r\n--B\r\ntwo\r\n--B".startswith(b"\r\n--B\r\n".join(data for _, data in parts))


def test_m11_a_body_without_delimiters() -> None:
    assert read(b"no delimiter at all") == ([], BodyTruncatedError, False)
    assert read(b"") == ([], BodyTruncatedError, False)


@pytest.mark.parametrize(
    "line",
    [
        b"A",
        b": x",
        b"A : x",
        b" A: x",
        b"A: x\x00y",
        b"A: x\ny",
        b"A: x\ry",
        b"A: 1\nB: 2",
        b"\xe9: x",
        b"A\x00: x",
    ],
)
def test_m2_fields_that_are_none(line: bytes) -> None:
    """M2, M9: parts before it are given."""
    body = b"--B\r\n\r\none\r\n--B\r\n" + line + b"\r\n\r\ntwo\r\n--B--"
    assert read(body) == ([([], b"one")], PartHeadError, False)


def test_folded_fields() -> None:
    body = b'--B\r\nContent-Disposition: form-data;\r\n name="a"\r\n\r\nx\r\n--B--'
    assert read(body)[0] == [([("Content-Disposition", 'form-data; name="a"')], b"x")]


def test_m9_the_head_of_a_part_is_bounded() -> None:
    """M9: octets and fields, also of a head that has no end."""
    limits = MultipartLimits(head=20, fields=2)
    for head, error in (
        (b"A: " + b"x" * 17, None),
        (b"A: " + b"x" * 18, MultipartLimitError),
        (b"A: 1\r\nB: 2", None),
        (b"A: 1\r\nB: 2\r\nC: 3", MultipartLimitError),
    ):
        body = b"--B\r\n" + head + b"\r\n\r\nx\r\n--B--"
        assert read(body, limits=limits)[1] is error, head
    endless = read(b"--B\r\nA: " + b"x" * 100, limits=limits)
    assert endless == ([], MultipartLimitError, False)


def test_m9_many_small_parts_have_the_same_limits() -> None:
    """M9: where parts are read many at once, as where they are not."""
    plain = b"--B\r\nA: 1\r\n\r\nx\r\n"
    for head, fields, error in (
        (b"A:" + b"x" * 18, 64, None),
        (b"A:" + b"x" * 19, 64, MultipartLimitError),
        (b"A:\r\nB:\r\nC:\r\nD:", 4, None),
        (b"A:\r\nB:\r\nC:\r\nD:", 3, MultipartLimitError),
        (b"A:" + b"x" * 18, 2, None),
    ):
        limits = MultipartLimits(head=20, fields=fields)
        body = plain + b"--B\r\n" + head + b"\r\n\r\ny\r\n" + plain + b"--B--"
        parts, found, _ = read(body, limits=limits)
        assert found is error, head
        assert len(parts) == (3 if error is None else 1)


@pytest.mark.parametrize(
    "odd",
    [
        b"--B \r\nA: 1\r\n\r\ny",
        b"--B\r\nA: 1\r\n\r\ny\r\n--BX",
        b"--B\r\nA: 1\r\n--BX: 2\r\n\r\ny",
        b"--B\r\nA: 1\r\n--B: 2\r\n\r\ny",
        b"--B\r\nA: 1\r\n",
        b"--B\r\nA: 1\r\n b\r\n\r\ny",
        b"--B\r\nA: \xe9\t\r\n\r\ny",
        b"--B\r\nA: " + b"x" * 500 + b"\r\n\r\ny",
        b"--B\r\n\r\n\r\n\r\n",
    ],
)
def test_odd_parts_among_many_small_ones(odd: bytes) -> None:
    """M6, M18: whether parts are read many at once is not seen, at any cut."""
    plain = b"--B\r\nA: 1\r\n\r\nx\r\n"
    parts, error, done = read(plain + plain + odd + b"\r\n" + plain + plain + b"--B--\r\n")
    assert (len(parts), error, done) == (5, None, True)
    assert [data for _, data in (*parts[:2], *parts[3:])] == [b"x"] * 4


def test_a_head_that_is_asked_for_twice() -> None:
    (head, *_) = MultipartParser("B").feed(b"--B\r\nA: 1\r\n\r\nx\r\n--B\r\n")
    assert isinstance(head, PartHead)
    assert head.fields is head.fields
    assert dict(head.fields) == {"A": "1"}


def test_m10_the_number_of_parts_is_bounded() -> None:
    """M10."""
    body = 3 * b"--B\r\n\r\nx\r\n" + b"--B--"
    assert read(body, limits=MultipartLimits(parts=3))[1] is None
    parts, error, _ = read(body, limits=MultipartLimits(parts=2))
    assert (len(parts), error) == (2, MultipartLimitError)
    assert read(body, limits=MultipartLimits(parts=None))[1] is None
    many = 1001 * b"--B\r\n\r\n\r\n" + b"--B--"
    parts, error, _ = read(many, cuts=False)
    assert (len(parts), error) == (1000, MultipartLimitError)


def test_m12_the_length_of_a_part_is_ignored() -> None:
    """M12: whatever it says, the delimiter counts."""
    for length in (b"0", b"1", b"5", b"99999999999999999999", b"-1", b"x"):
        body = b"--B\r\nContent-Length: " + length + b"\r\n\r\none\r\n--B--"
        assert [data for _, data in read(body)[0]] == [b"one"]


def test_nothing_follows_an_error_or_the_end() -> None:
    parser = MultipartParser("B")
    assert isinstance(parser.feed(b"--B\r\nno field\r\n\r\n")[-1], PartHeadError)
    assert repr(parser) == "<MultipartParser failed, 1 parts>"
    assert parser.feed(b"more") == ()
    assert parser.finish() == ()
    parser = MultipartParser("B")
    parser.feed(b"--B--\r\n")
    assert parser.feed(b"more") == ()
    assert parser.finish() == ()
    assert parser.done


def test_what_events_say_of_themselves() -> None:
    head, data, end = MultipartParser("B").feed(b"--B\r\nA: 1\r\n\r\nx\r\n--B--\r\n")
    assert repr([head, data, end]) == "[<PartHead, 1 fields>, b'x', <EndOfPart>]"


# --- Time and memory.


def feed_in_pieces(body: bytes, piece: int) -> None:
    parser = MultipartParser("B", MultipartLimits(parts=None))
    for at in range(0, len(body), piece):
        parser.feed(body[at : at + piece])


@pytest.mark.parametrize("piece", [7, 1 << 16])
@pytest.mark.parametrize(
    "unit",
    [
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n-",
        b"\r\n--",
        b"\r\n--BX",
        b"\r\n--B ",
        b"\r\n--B\t\r",
        b"\r\n--B" + b" " * 255,
        b"\r\n--B\r\n\r\nx",
        b"\r\n--B\r\n\r\nx\r\n--B \r\n\r\ny",
        b"\r\n--B\r\nA: 1\r\n--BX: 2\r\n\r\nx",
    ],
)
@pytest.mark.parametrize("begin", [b"", b"--B\r\n\r\n"])
def test_m8_hostile_data_costs_what_its_length_does(unit: bytes, piece: int, begin: bytes) -> None:
    """M7, M8, M10: in the preamble and in data; nothing is looked at again and again."""

    def parsing(size: int) -> Callable[[], object]:
        return partial(feed_in_pieces, begin + unit * (size // len(unit)), piece)

    assert is_linear(parsing, 1 << 13)


def test_m8_what_is_kept_is_bounded() -> None:
    """M8: megabytes without a delimiter pass through."""
    parser = MultipartParser("B")
    parser.feed(b"--B\r\n\r\n")
    tracemalloc.start()
    for _ in range(8):
        for event in parser.feed(b"\r\n--BX" * 10_000):
            assert isinstance(event, bytes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 19


@pytest.mark.parametrize(
    "unit", [b"--B\r\n\r\nx\r\n", b"--B \r\n\r\nx\r\n", b"\r\n--B", b"\r\n--BX", b"--B\r\n"]
)
def test_m10_octets_that_come_at_once_do_not_become_many_times_as_much(unit: bytes) -> None:
    """M10: a million small parts in one piece are an error before they take memory."""
    body = b"--B\r\nA: 1\r\n\r\nx\r\n" + unit * (4_000_000 // len(unit))
    parser = MultipartParser("B")
    tracemalloc.start()
    parser.feed(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * len(body)


# --- Others read the same.


def by_defnull(body: bytes) -> Parts | None:
    found: Parts = []
    parser = defnull.PushMultipartParser("B", strict=True)
    try:
        for event in (*parser.parse(body), *parser.parse(b"")):
            if isinstance(event, defnull.MultipartSegment):
                found.append((list(event.headerlist), b""))
            elif event:
                found[-1] = (found[-1][0], found[-1][1] + bytes(event))
    except defnull.MultipartError:
        return None
    return found


def by_python_multipart(body: bytes) -> list[bytes] | None:
    found: list[bytes] = []
    ended: list[bool] = []

    def data(octets: bytes, start: int, end: int) -> None:
        found[-1] += octets[start:end]

    parser = PythonMultipart(
        "B",
        {
            "on_part_begin": lambda: found.append(b""),
            "on_part_data": data,
            "on_end": lambda: ended.append(True),
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except ValueError:
        return None
    return found if ended else None


def by_werkzeug(body: bytes) -> list[bytes] | None:
    found: list[bytes] = []
    decoder = MultipartDecoder(b"B")
    decoder.receive_data(body)
    decoder.receive_data(None)
    try:
        while not isinstance(event := decoder.next_event(), Epilogue):
            if isinstance(event, Data):
                found[-1] += event.data
            elif hasattr(event, "headers"):
                found.append(b"")
    except ValueError:
        return None
    return found


fields = st.lists(
    st.tuples(
        st.sampled_from(["X-A", "Content-Type", "b"]),
        st.text("abc;=/ é", max_size=8).map(lambda text: text.strip(" ")),
    ),
    max_size=3,
)
DELIMITER = re.compile(rb"\r\n--B(--)?[ \t]*\r\n")

LINES = st.lists(
    st.text("aA:- \t\x00\x7f\r\n\xe9\udce9", max_size=5)
    | st.sampled_from(["Content-Type: a/b", "A: \xe9", " folded"]),
    max_size=3,
)


@given(LINES)
def test_plain_lines_are_what_is_never_refused(lines: list[str]) -> None:
    """M2: what many heads at once are found to be, each of them is."""
    section = "\r\n".join(lines).encode("utf-8", "surrogateescape")
    body = b"--B\r\n" + section + b"\r\n\r\nx\r\n--B\r\n\r\ny\r\n--B--"
    parts, error, _ = parse([body], MultipartParser("B"))
    singles = (body[at : at + 1] for at in range(len(body)))
    assert (parts, error) == parse(singles, MultipartParser("B"))[:2]


pieces_of_data = st.sampled_from(
    [b"a", b"\r", b"\n", b"\r\n", b"-", b"--", b"--B", b"\r\n--BX", b"\0", bytes(100)]
)


@given(
    st.lists(
        st.tuples(fields, st.lists(pieces_of_data, max_size=6).map(b"".join)),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 50),
)
def test_what_is_written_is_read_by_us_and_by_others(parts: Parts, piece: int) -> None:
    """M18: round trips, in any pieces, with three other parsers beside us."""
    body = b""
    for names, data in parts:
        head = "".join(
            f"{name}: {value}\r\n"
            for name, value in [("Content-Disposition", 'form-data; name="a"'), *names]
        )
        body += b"--B\r\n" + head.encode() + b"\r\n" + data + b"\r\n"
    body += b"--B--\r\n"
    found, error, done = parse(
        (body[at : at + piece] for at in range(0, len(body), piece)), MultipartParser("B")
    )
    contents = [data for _, data in parts]
    if any(DELIMITER.search(b"\r\n%b\r\n" % data) for data in contents):
        # No writer may let that happen.
        return
    assert (error, done) == (None, True)
    assert [data for _, data in found] == contents
    assert [names[1:] for names, _ in found] == [names for names, _ in parts]
    if not any(b"--B" in data for data in contents):
        # They take some of what only begins like a delimiter for one, or refuse it.
        others = by_defnull(body)
        assert others is not None
        assert [data for _, data in others] == contents
        assert by_python_multipart(body) == contents
        assert by_werkzeug(body) == contents


@given(st.lists(st.sampled_from([b"--B", b"--", b"\r\n", b"\r", b"\n", b" ", b"A: 1", b":", b"x"])))
def test_anything_in_any_pieces(tokens: list[bytes]) -> None:
    """M18: no exception, one verdict; and nobody else reads parts where we see an error, or other data."""
    body = b"".join(tokens)
    parts, error, _ = read(body)
    if error is None:
        others = by_defnull(body)
        assert others is None or [data for _, data in others] == [data for _, data in parts]


def test_every_error_is_a_value_error() -> None:
    assert issubclass(MultipartError, ValueError)
