"""Response heads: the rules H1 to H25, each with what other clients got wrong there.

`respond` feeds every wire whole, octet by octet and cut in two everywhere, and fails when that
changes anything (H26).
"""

from collections.abc import Callable
from typing import Any

import pytest
from multidict import CIMultiDict
from wayfare_http_core import (
    BadHttpMessage,
    BadStatusLine,
    FieldBlock,
    HeadLimits,
    HttpVersion10,
    HttpVersion11,
    InvalidHeader,
    LineTooLong,
    ResponseParser,
    ServerDisconnectedError,
    UnsupportedVersionError,
)

Respond = Callable[..., Any]

CTL = [octet for octet in range(0x20) if octet not in (0x09, 0x0A, 0x0D)] + [0x7F]


def with_fields(lines: bytes) -> bytes:
    return b"HTTP/1.1 204 No Content\r\n" + lines + b"\r\n\r\n"


# --- The status line.


@pytest.mark.parametrize(
    ("line", "version", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK", HttpVersion11, 200, "OK"),
        (b"HTTP/1.0 404 Not Found", HttpVersion10, 404, "Not Found"),
        (b"HTTP/1.1 299 ", HttpVersion11, 299, ""),
        (b"HTTP/1.1 999 Odd", HttpVersion11, 999, "Odd"),
        (b"HTTP/1.1 200 200 200", HttpVersion11, 200, "200 200"),
        (b"HTTP/1.1 200  two spaces", HttpVersion11, 200, " two spaces"),
        (b"HTTP/1.1 200 tab\there", HttpVersion11, 200, "tab\there"),
    ],
)
def test_h1_status_line(
    respond: Respond, line: bytes, version: object, status: int, reason: str
) -> None:
    """H1: version, three digits, reason."""
    outcome = respond(line + b"\r\n\r\n")
    assert (outcome.head.version, outcome.head.status) == (version, status)
    assert outcome.head.reason == reason


@pytest.mark.parametrize(
    "status",
    [
        b"20",
        b"2000",
        b"+20",
        b"-20",
        b"2_0",
        b"0xC8",
        b"0x1",
        b"20a",
        b"2 0",
        b"",
        b"099",
        b"000",
        b"\xd9\xa2\xd9\xa0\xd9\xa0",
        "\u00b2\u00b2\u00b2".encode(),
        b"2.0",
        b"\xb2\xb2\xb2",
    ],
)
def test_h1_y1_status_is_three_ascii_digits(respond: Respond, status: bytes) -> None:
    """H1, Y1: what int() would take, and what it would not."""
    outcome = respond(b"HTTP/1.1 " + status + b" OK\r\n\r\n")
    assert type(outcome.error) is BadStatusLine
    assert not outcome.heads


def test_h2_no_space_after_the_status(respond: Respond) -> None:
    """H2: accepted with an empty reason."""
    outcome = respond(b"HTTP/1.1 204\r\nA: b\r\n\r\n")
    assert (outcome.head.status, outcome.head.reason) == (204, "")
    assert outcome.head.headers["A"] == "b"


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1\t200 OK",
        b"HTTP/1.1 200\tOK",
        b"HTTP/1.1\x0b200 OK",
        b"HTTP/1.1\x0c200 OK",
        b"HTTP/1.1 200\x0cOK",
        b"HTTP/1.1\r200 OK",
        b"HTTP/1.1 200\rOK",
        b"HTTP/1.1\xa0200 OK",
        b"HTTP/1.1200 OK",
        b" HTTP/1.1 200 OK",
        b"HTTP/1.1",
        b"HTTP/1.1 ",
        b"HTTP/1.1 OK",
    ],
)
def test_h3_separators(respond: Respond, line: bytes) -> None:
    """H3: one SP, nothing else."""
    assert isinstance(respond(line + b"\r\n\r\n").error, BadStatusLine)


@pytest.mark.parametrize(
    "version",
    [
        b"HTTP/1.10",
        b"HTTP/1.32",
        b"HTTP/2.0",
        b"HTTP/2",
        b"HTTP/0.9",
        b"HTTP/01.1",
        b"http/1.1",
        b"Http/1.1",
        b"ICY",
        b"RTSP/1.0",
        b"SIP/2.0",
        b"HTTP/1",
        b"HTTP/9.9",
        b"HTTPS/1.1",
    ],
)
def test_h4_other_versions(respond: Respond, version: bytes) -> None:
    """H4: an error of its own, so that a caller can tell another protocol from broken HTTP."""
    outcome = respond(version + b" 200 OK\r\nA: b\r\n\r\n")
    assert type(outcome.error) is UnsupportedVersionError


@pytest.mark.parametrize(
    "version", [b"HTTP/1.", b"HTTP/.1", b"HTTP/1.1.1", b"HTTP/1,1", b"HTTP 1.1"]
)
def test_h4_no_version_at_all(respond: Respond, version: bytes) -> None:
    """H4: and broken HTTP from another protocol."""
    assert isinstance(respond(version + b" 200 OK\r\n\r\n").error, BadStatusLine)


@pytest.mark.parametrize(
    "octets",
    [
        b"<!doctype html>\n<title>It works</title>",
        b"\x15\x03\x01\x00\x02\x02\x28" + bytes(20),
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\x00\x04",
        b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + bytes(8),
        b"220 ready\r\n",
        b"-ERR unknown command 'GET'\r\n",
        b"HELLO, this is not HTTP at all",
    ],
)
def test_h5_not_http(respond: Respond, octets: bytes) -> None:
    """H5: a verdict at once, while the connection stays open."""
    outcome = respond(octets)
    assert isinstance(outcome.error, BadStatusLine)
    assert not outcome.reusable


@pytest.mark.parametrize("octet", [b"H", b"HTTP/1.1 2", b"A", b" ", b"\r\n", b"\x00"])
def test_h5_an_endless_line(octet: bytes) -> None:
    """H5, H21: whatever it begins with, an endless line is refused within 16 KiB."""
    parser = ResponseParser()
    parser.begin("GET")
    fed = 0
    events = list(parser.feed(octet))
    while not events:
        events += parser.feed(b"x" * 100)
        fed += 100
        assert fed < 16 * 1024
    assert isinstance(events[0], BadStatusLine | LineTooLong)


@pytest.mark.parametrize("octet", CTL)
@pytest.mark.parametrize("where", [b"%b", b"OK%b", b"%bOK", b"O%bK"])
def test_h6_control_characters_in_the_reason(respond: Respond, octet: int, where: bytes) -> None:
    """H6: NUL, DEL and their kin are refused."""
    line = b"HTTP/1.1 200 " + where.replace(b"%b", bytes((octet,)))
    assert isinstance(respond(line + b"\r\n\r\n").error, BadStatusLine)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("Nö".encode(), "Nö"),
        (b"N\xf6", "N\udcf6"),
        (b"\x80\xff", "\udc80\udcff"),
        ("\u0085\u00a0".encode(), "\u0085\u00a0"),
    ],
)
def test_h6_any_other_octet_in_the_reason(respond: Respond, octets: bytes, reason: str) -> None:
    """H6: kept, whatever its encoding."""
    head = respond(b"HTTP/1.1 200 " + octets + b"\r\n\r\n").head
    assert head.reason == reason
    assert head.reason.encode("utf-8", "surrogateescape") == octets


# --- Informational responses.


def test_h7_informational_responses_come_first(respond: Respond) -> None:
    """H7: they are reported, have no body whatever they say, and the final one follows."""
    outcome = respond(
        b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 199 Odd\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    )
    assert [head.status for head in outcome.heads] == [100, 103, 199, 200]
    assert outcome.content == b"hi"
    assert outcome.reusable


def test_h7_switching_protocols_unasked(respond: Respond) -> None:
    """H7: 101 without a request to upgrade is an error."""
    outcome = respond(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")
    assert isinstance(outcome.error, BadHttpMessage)
    assert not outcome.tunnelling


@pytest.mark.parametrize("count", [10, 11])
def test_h8_number_of_informational_responses(respond: Respond, count: int) -> None:
    """H8: ten pass, the eleventh is an error."""
    wire = count * b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 204 No Content\r\n\r\n"
    outcome = respond(wire)
    assert (outcome.error is None) is (count == 10)
    assert outcome.complete is (count == 10)


@pytest.mark.parametrize("extra", [0, 1])
def test_h8_octets_of_informational_responses(respond: Respond, extra: int) -> None:
    """H8: their heads share one budget."""
    limits = HeadLimits(head=1000)
    one = b"HTTP/1.1 103 Early Hints\r\nA: "
    heads = [one + (500 - len(one)) * b"a", one + (500 + extra - len(one)) * b"a"]
    wire = b"".join(head + b"\r\n\r\n" for head in heads) + b"HTTP/1.1 204 No Content\r\n\r\n"
    outcome = respond(wire, limits=limits)
    assert (outcome.error is None) is (extra == 0)


def test_h9_informational_responses_may_come_alone() -> None:
    """H9: each is reported as soon as it is there, while nothing else has arrived."""
    parser = ResponseParser()
    parser.begin("POST")
    (early,) = parser.feed(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert early.status == 100  # type: ignore[union-attr]  # a head, as the status shows
    assert parser.state == "waiting for a head"
    assert not parser.feed(b"HTTP/1.1 201 ")
    assert len(parser.feed(b"Created\r\nContent-Length: 0\r\n\r\n")) == 2


# --- Empty lines and white space round the start line.

DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize("lines", [b"\r\n", b"\n", b"\r\n\r\n", b"\r", b"\n\n"])
def test_h10_empty_lines_on_a_fresh_connection(respond: Respond, lines: bytes) -> None:
    """H10: refused."""
    assert isinstance(respond(lines + DONE).error, BadStatusLine)


@pytest.mark.parametrize(
    ("lines", "fine"),
    [
        (b"", True),
        (b"\r\n", True),
        (b"\r\n\r\n", False),
        (b"\n", False),
        (b"\r", False),
        (b"\r\n\n", False),
        (b"\r\n ", False),
        (b" \r\n", False),
    ],
)
def test_h10_i6_empty_lines_after_a_response(respond: Respond, lines: bytes, fine: bool) -> None:
    """H10, I6: one CRLF after a response is tolerated, and nothing else."""
    outcome = respond(lines + DONE, before=DONE)
    assert (outcome.error is None) is fine
    assert outcome.complete is fine


@pytest.mark.parametrize("cut", range(3))
def test_h10_i6_the_empty_line_may_come_early(cut: int) -> None:
    """H10, I6: also while no request is under way, in pieces."""
    parser = ResponseParser()
    parser.begin("GET")
    parser.feed(DONE + b"\r\n"[:cut])
    assert parser.reusable
    parser.begin("GET")
    head, _ = parser.feed(b"\r\n"[cut:] + DONE)
    assert head.status == 204  # type: ignore[union-attr]  # a head, as the status shows
    assert parser.reusable


def test_h10_no_empty_line_after_an_informational_response(respond: Respond) -> None:
    """H10: 1xx ends no exchange."""
    outcome = respond(b"HTTP/1.1 100 Continue\r\n\r\n\r\n" + DONE, before=DONE)
    assert [head.status for head in outcome.heads] == [100]
    assert isinstance(outcome.error, BadStatusLine)


@pytest.mark.parametrize("space", [b" ", b"\t", b"  ", b" \t"])
def test_h11_space_before_the_first_field(respond: Respond, space: bytes) -> None:
    """H11, H16: there is nothing that it could continue."""
    assert isinstance(respond(with_fields(space + b"A: b")).error, InvalidHeader)
    assert isinstance(respond(with_fields(space + b"\r\nA: b")).error, InvalidHeader)


# --- Field lines.


@pytest.mark.parametrize(
    "name",
    [b"", b" ", b"A ", b"A\t", b" A", b"A B", b"\xc3\xa9", b"\xff", b"A\xa0", b"\x85", b"A\x00B"]
    + [bytes((octet,)) for octet in b'(),/;<=>?@[]{}"\\\x00\x01\x0b\x0c\x1c\x1f\x7f\x80\xa0'],
)
def test_h12_names_are_tokens(respond: Respond, name: bytes) -> None:
    """H12, H24: nothing else, and no space before the colon."""
    for lines in (name + b": v", b"X: y\r\n" + name + b": v"):
        # A line that begins with a space continues the one before it, and has no name.
        if name[:1] in (b" ", b"\t") and lines.startswith(b"X"):
            assert respond(with_fields(lines)).head.headers["X"].startswith("y ")
        else:
            assert isinstance(respond(with_fields(lines)).error, InvalidHeader)


def test_h12_every_tchar(respond: Respond) -> None:
    """H12: every character of a token passes."""
    name = "!#$%&'*+-.^_`|~09azAZ"
    assert respond(with_fields(name.encode() + b":v")).head.headers[name] == "v"


@pytest.mark.parametrize("line", [b"A", b"Content-Length", b"Content-Length 5", b"=A", b"A;b"])
def test_h13_a_line_without_a_colon(respond: Respond, line: bytes) -> None:
    """H13: refused, wherever it stands."""
    for lines in (line, b"X: y\r\n" + line, line + b"\r\nX: y"):
        assert isinstance(respond(with_fields(lines)).error, InvalidHeader)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (b"", ""),
        (b" ", ""),
        (b" \t v \t ", "v"),
        (b"v", "v"),
        (b" a b\tc ", "a b\tc"),
        (b": :", ": :"),
        (b"\x85v\x85", "\udc85v\udc85"),
        (b"\xa0v\xa0", "\udca0v\udca0"),
        ("\u0085v\u00a0".encode(), "\u0085v\u00a0"),
        ("\u2028v\u2003".encode(), "\u2028v\u2003"),
        (b"caf\xe9", "caf\udce9"),
        ("café".encode(), "café"),
        (b"\xff\xfe", "\udcff\udcfe"),
    ],
)
def test_h14_y2_values(respond: Respond, value: bytes, stored: str) -> None:
    """H14, Y2: only SP and HTAB are trimmed; no octet is lost or raises."""
    head = respond(with_fields(b"A:" + value)).head
    assert head.headers["A"] == stored
    assert head.raw_headers == ((b"A", value.strip(b" \t")),)
    assert stored.encode("utf-8", "surrogateescape") == value.strip(b" \t")


@pytest.mark.parametrize("octet", [*CTL, 0x0D])
@pytest.mark.parametrize("where", [b"%b", b"v%b", b"%bv", b"v%bv"])
def test_h14_h17_control_characters_in_values(respond: Respond, octet: int, where: bytes) -> None:
    """H14, H17: refused at every place, those included that str.strip() would take for space."""
    value = where.replace(b"%b", bytes((octet,)))
    assert isinstance(respond(with_fields(b"A: " + value + b"\r\nB: c")).error, InvalidHeader)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (b"A: b\r\n c", "b c"),
        (b"A: b\r\n\tc", "b c"),
        (b"A: b \t\r\n \t c", "b c"),
        (b"A:\r\n b", "b"),
        (b"A: b\r\n c\r\n  d", "b c d"),
        (b"A: b\n c", "b c"),
        (b"A: b\r\n ", "b"),
        (b"A: b\r\n : c", "b : c"),
    ],
)
def test_h15_folded_lines(respond: Respond, lines: bytes, value: str) -> None:
    """H15: a fold becomes one SP, and no line end is stored."""
    head = respond(with_fields(lines + b"\r\nX: y")).head
    assert head.headers["A"] == value
    assert head.headers["X"] == "y"
    assert dict(head.raw_headers)[b"A"] == value.encode()


@pytest.mark.parametrize(
    "lines",
    [
        b"Transfer-\r\n Encoding: chunked",
        b"Transfer\r\n -Encoding: chunked",
        b"Content-Length\r\n : 5",
        b" Content-Length: 5",
    ],
)
def test_h16_folds_outside_a_value(respond: Respond, lines: bytes) -> None:
    """H16: no name is put together from two lines."""
    assert isinstance(respond(with_fields(lines)).error, InvalidHeader)


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\rA: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA\r: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\rA: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n\rC: d\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n \rc\r\n\r\n",
    ],
)
def test_h17_bare_cr(respond: Respond, wire: bytes) -> None:
    """H17: refused anywhere in a head."""
    assert isinstance(respond(wire).error, BadHttpMessage)


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 2\nA: b\n\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\nA: b\r\n\nhi",
        b"HTTP/1.1 200 OK\nContent-Length: 2\r\nA: b\n\r\nhi",
        b"HTTP/1.1 200 OK\nContent-Length: 2\r\nA: b\r\n\r\nhi",
    ],
)
def test_h18_bare_lf(respond: Respond, wire: bytes) -> None:
    """H18: accepted as the end of every line of a head."""
    outcome = respond(wire)
    assert outcome.head.headers == CIMultiDict({"Content-Length": "2", "A": "b"})
    assert outcome.content == b"hi"


def test_h18_a_blank_line_of_either_kind_ends_the_head(respond: Respond) -> None:
    """H18: what looks like a longer head is a body."""
    outcome = respond(b"HTTP/1.1 200 OK\r\nA: b\n\nC: d\r\n\r\n", eof=True)
    assert list(outcome.head.headers) == ["A"]
    assert outcome.content == b"C: d\r\n\r\n"


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\r\n\rX",
        b"HTTP/1.1 200 OK\r\nA: b\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n\r",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"",
    ],
)
def test_h19_no_end_of_the_head(respond: Respond, wire: bytes) -> None:
    """H19: without an empty line there is no response, at the end of the connection neither."""
    assert respond(wire).error is None
    outcome = respond(wire, eof=True)
    assert isinstance(outcome.error, ServerDisconnectedError)
    assert not outcome.complete
    assert not outcome.reusable


@pytest.mark.parametrize("wire", [b"H\r", b"<", b"\r", b"HTTP\x00"])
def test_h19_h5_the_end_of_something_else(respond: Respond, wire: bytes) -> None:
    """H5, H19: and a few octets that cannot be the beginning of a head are called so."""
    error = respond(wire, eof=True).error
    assert isinstance(error, BadStatusLine | ServerDisconnectedError)


# --- What heads mean.


def test_h23_repeated_fields(respond: Respond) -> None:
    """H23: Set-Cookie lines stay apart; of a singleton the first counts, and all can be had."""
    head = respond(
        with_fields(
            b"Set-Cookie: a=1\r\nLocation: /one\r\nset-cookie: b=2, c\r\nLocation: /two\r\n"
            b"Content-Type: text/a\r\nCONTENT-TYPE: text/b\r\nETag: 1\r\nETag: 2"
        )
    ).head
    assert head.headers.getall("Set-Cookie") == ["a=1", "b=2, c"]
    for name, values in (
        ("Location", ["/one", "/two"]),
        ("Content-Type", ["text/a", "text/b"]),
        ("ETag", ["1", "2"]),
    ):
        assert head.headers[name] == values[0]
        assert head.headers.getall(name) == values
    assert [name for name, _ in head.raw_headers[:3]] == [b"Set-Cookie", b"Location", b"set-cookie"]


@pytest.mark.parametrize(
    "name", ["\u212aeep-Alive", "L\u0131nk", "Set-Coo\u212aie", "\u017fet-Cookie"]
)
def test_h24_only_ascii_letters_fold(respond: Respond, name: str) -> None:
    """H24: no look-alike in a message becomes a field."""
    assert isinstance(respond(with_fields(name.encode() + b": x")).error, InvalidHeader)
    with pytest.raises(ValueError, match="token"):
        FieldBlock([(name, "x")])


@pytest.mark.parametrize("value", ["\u212aeep-alive", "c\u017flose", "clo\u017fe"])
def test_h24_y4_only_ascii_letters_fold_in_options(respond: Respond, value: str) -> None:
    """H24, Y4: nor in a list of options."""
    wire = b"HTTP/1.0 204 x\r\nConnection: " + value.encode() + b"\r\n\r\n"
    assert not respond(wire).reusable
    assert respond(wire.replace(b"1.0", b"1.1")).reusable


@pytest.mark.parametrize(
    "name", ["__proto__", "__class__", "__dict__", "self", "Close", "None", "0"]
)
def test_h25_ordinary_names(respond: Respond, name: str) -> None:
    """H25: a name that means something to a language means nothing to HTTP."""
    outcome = respond(with_fields(f"{name}: v".encode()))
    assert outcome.head.headers[name] == "v"
    assert outcome.reusable
