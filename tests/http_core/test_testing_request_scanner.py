"""The scanner of test peers: accepts what a client may send, refuses what it must not."""

from collections.abc import Iterator

import pytest
from wayfare_http_core.testing import (
    BadRequestError,
    ReceivedRequest,
    RequestEnd,
    RequestEvent,
    RequestLimits,
    RequestScanner,
)

GET = b"GET /a?b HTTP/1.1\r\nHost: example.test\r\nX-Empty:\r\nX-Space:  a b\t\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
    b'5\r\nhello\r\n1A;a;b=c;d="e;\\""\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nX-Sum: 1\r\n\r\n'
)
CONNECT = b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"
DEFAULT_LIMITS = RequestLimits()
EVERYTHING = GET + POST + CHUNKED + CONNECT


def scan(data: bytes) -> list[ReceivedRequest]:
    scanner = RequestScanner()
    scanner.feed(data)
    return list(iter(scanner.maybe_request, None))


def events(pieces: Iterator[bytes]) -> list[RequestEvent]:
    """Every event; pieces of content that follow each other count as one."""
    found: list[RequestEvent] = []
    scanner = RequestScanner()
    for piece in pieces:
        scanner.feed(piece)
        while (event := scanner.maybe_event()) is not None:
            last = found[-1] if found else None
            if isinstance(event, bytes) and isinstance(last, bytes):
                found[-1] = last + event
            else:
                found.append(event)
    scanner.feed_eof()
    return found


def refusal(
    pieces: Iterator[bytes],
    limits: RequestLimits = DEFAULT_LIMITS,
    *,
    exact_targets: bool = False,
) -> str:
    """Why the requests are refused; "" where they are not."""
    scanner = RequestScanner(limits, exact_targets=exact_targets)
    try:
        for piece in pieces:
            scanner.feed(piece)
            while scanner.maybe_event() is not None:
                pass
        scanner.feed_eof()
    except BadRequestError as exc:
        return str(exc)
    return ""


def test_a_request_without_content() -> None:
    (request,) = scan(GET)
    assert (request.method, request.target, request.version) == ("GET", "/a?b", "1.1")
    assert (request.path, request.query) == ("/a", "b")
    assert request.fields == (("Host", "example.test"), ("X-Empty", ""), ("X-Space", "a b"))
    assert request.get("x-space") == "a b"
    assert request.get("absent") is None
    assert request.body == b""


def test_requests_follow_each_other() -> None:
    first, second, third, fourth = scan(EVERYTHING)
    assert first.body == b""
    assert second.body == b"hello"
    assert third.body == b"helloabcdefghijklmnopqrstuvwxyz"
    assert third.trailers == (("X-Sum", "1"),)
    assert (fourth.target, fourth.path) == ("h:443", "h:443")


def test_what_a_request_says_of_its_content_and_its_connection() -> None:
    _, post, chunked, _ = scan(EVERYTHING)
    assert (post.length, post.chunked, post.closes) == (5, False, False)
    assert (chunked.length, chunked.chunked) == (0, True)
    closing = b"GET / HTTP/1.%d\r\nHost: h\r\nConnection: %b\r\n\r\n"
    options = {b"a, Close": True, b"closed": False, b"keep-alive,": False}
    for value, closes in options.items():
        assert scan(closing % (1, value))[0].closes is closes
    assert scan(closing % (0, b"a"))[0].closes
    assert not scan(closing % (0, b"Keep-Alive"))[0].closes
    (request,) = scan(b"GET / HTTP/1.1\r\nHost: h\r\nA: b , c\r\nA: ,d\r\n\r\n")
    assert request.getall("a") == ["b , c", ",d"]
    assert request.elements("a") == ["b", "c", "d"]


def test_events() -> None:
    head, content, end = events(iter((POST,)))
    assert isinstance(head, ReceivedRequest)
    assert (head.method, head.body, content, end) == ("POST", b"", b"hello", RequestEnd())
    found = events(iter((CHUNKED,)))
    assert found[1:] == [b"helloabcdefghijklmnopqrstuvwxyz", RequestEnd((("X-Sum", "1"),))]


def test_every_cut_gives_the_same_requests() -> None:
    """H26, for requests."""
    data = EVERYTHING
    whole = scan(data)
    all_events = events(iter((data,)))
    for cut in range(len(data) + 1):
        scanner = RequestScanner()
        requests: list[ReceivedRequest] = []
        for piece in (data[:cut], data[cut:]):
            scanner.feed(piece)
            requests.extend(iter(scanner.maybe_request, None))
        assert requests == whole
        assert events(iter((data[:cut], data[cut:]))) == all_events


def test_octet_by_octet_gives_the_same_requests() -> None:
    """H26, for requests."""
    data = EVERYTHING
    assert events(data[i : i + 1] for i in range(len(data))) == events(iter((data,)))


def test_head_first_and_then_the_content() -> None:
    scanner = RequestScanner()
    scanner.feed(POST[:-2])
    head = scanner.maybe_head()
    assert head is not None
    assert (head.get("content-length"), head.body) == ("5", b"")
    assert scanner.maybe_request() is None
    with pytest.raises(BadRequestError, match="was not read"):
        scanner.maybe_head()
    scanner.feed(b"lo")
    request = scanner.maybe_request()
    assert request is not None
    assert request.body == b"hello"
    assert scanner.maybe_head() is None


def test_plain_octets() -> None:
    scanner = RequestScanner()
    scanner.feed(b"abc")
    assert scanner.maybe_octets(4) is None
    assert scanner.maybe_octets(2) == b"ab"
    assert bytes(scanner.unread) == b"c"


def test_plain_octets_between_requests() -> None:
    """After CONNECT or an upgrade; what was looked at before is no part of the next head."""
    scanner = RequestScanner()
    scanner.feed(b"garbage" + GET[:-1])
    assert scanner.maybe_request() is None
    assert scanner.maybe_octets(7) == b"garbage"
    scanner.feed(GET[-1:])
    assert scanner.maybe_request() == scan(GET)[0]


HOST = b"Host: h\r\n"
GET_LINE = b"GET / HTTP/1.1\r\n"
POST_CHUNKS = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


def get(*fields: bytes) -> bytes:
    return GET_LINE + HOST + b"".join([field + b"\r\n" for field in fields]) + b"\r\n"


def to(target: bytes, method: bytes = b"GET", host: bytes = b"h") -> bytes:
    return method + b" " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"GET / HTTP/1.1\nHost: h\n\n", "without CR"),
        (b"GET / HTTP/1.1\r\nHost: h\n\r\n", "without CR"),
        (b"GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", "without CR"),
        (b"GET / HTTP/1.1\r\nHost: h\rA: b\r\n\r\n", "bad field line"),
        (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", "bad request line"),
        (b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n", "bad request line"),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", "bad request line"),
        (b"GET /\r\n" + HOST + b"\r\n", "bad request line"),
        (b"GET /\xc3\xa4 HTTP/1.1\r\n" + HOST + b"\r\n", "bad request line"),
        (b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n", "no request begins"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "no request begins"),
        (b"GET / HTTP/1.1\r\n\r\n", "no Host"),
        (GET_LINE + HOST + HOST + b"\r\n", "host was sent 2 times"),
        (GET_LINE + b"Host : h\r\n\r\n", "bad field line"),
        (get(b"A: b", b" c"), "bad field line"),
        (get(b"A: \x00"), "bad field line"),
        (get(b": b"), "bad field line"),
        (get(b"A\xe9: b"), "bad field line"),
        (get(b"no colon"), "bad field line"),
        (get(b"Content-Length: +5"), "bad Content-Length"),
        (get(b"Content-Length: 5, 5"), "bad Content-Length"),
        (get(b"Content-Length: " + b"1" * 19), "bad Content-Length"),
        (get(b"Content-Length: 5", b"Content-Length: 5"), "was sent 2 times"),
        (get(b"Content-Length: 5", b"Transfer-Encoding: chunked"), "section 6.2"),
        (get(b"Transfer-Encoding: gzip, chunked"), "Transfer-Encoding 'gzip, chunked'"),
        (get(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), "was sent 2 times"),
        (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "in HTTP/1.0"),
        (POST_CHUNKS + b"0x5\r\nhello\r\n", "bad chunk size"),
        (POST_CHUNKS + b"5 \r\nhello\r\n", "bad chunk size"),
        (POST_CHUNKS + b"5 ;a\r\nhello\r\n", "bad chunk size"),
        (POST_CHUNKS + b"5;\r\nhello\r\n", "bad chunk size"),
        (POST_CHUNKS + b'5;a="b\r\nhello\r\n', "bad chunk size"),
        (POST_CHUNKS + b"\r\n", "bad chunk size"),
        (POST_CHUNKS + b"0" * 17 + b"\r\n", "bad chunk size"),
        (POST_CHUNKS + b"5\nhello\r\n", "bad chunk size"),
        (POST_CHUNKS + b"5\r\nhello!\r\n", "longer than its size"),
        (POST_CHUNKS + b"5\r\nhello\r0", "longer than its size"),
        (POST_CHUNKS + b"0\r\nbad\r\n\r\n", "bad field line"),
        (POST_CHUNKS + b"0\r\nA: b\n\r\n\r\n", "without CR"),
        (POST_CHUNKS + b"0\r\nContent-Length: 5\r\n\r\n", "in a trailer section"),
        (POST_CHUNKS + b"0\r\nauthorization: x\r\n\r\n", "in a trailer section"),
        (get(b"Upgrade: echo"), "upgrade without Connection"),
        (get(b"TE: trailers", b"Connection: close"), "te without Connection"),
        (get(b"Expect: 200-ok"), "unknown expectation"),
        (get(b"Expect: 100-continue"), "Expect without content"),
        (get(b"Expect: 100-continue", b"Content-Length: 0"), "Expect without content"),
        (get(b"Connection: close") + GET, "after a request that closes"),
        (b"GET / HTTP/1.0\r\n\r\nG", "after a request that closes"),
        (CONNECT.replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\n") + b"x", "with content"),
        (POST_CHUNKS.replace(b"POST", b"TRACE"), "with content"),
        (to(b"a"), "bad target"),
        (to(b"*"), "bad target"),
        (to(b"?q"), "bad target"),
        (to(b"/a#b"), "bad target"),
        (to(b"h:80"), "bad target"),
        (to(b"http://h/a#b"), "bad target"),
        (to(b"http://h\\@evil/"), "bad authority"),
        (to(b"http:///"), "bad authority"),
        (to(b"http://user:swordfish@h/"), "bad authority 'h'"),
        (to(b"http://h/", host=b"other"), "for a target at"),
        (to(b"/", b"CONNECT"), "not to host and port"),
        (to(b"h", b"CONNECT"), "not to host and port"),
        (to(b"h:", b"CONNECT", b"h:"), "not to host and port"),
        (to(b"h:70000", b"CONNECT", b"h:70000"), "bad port"),
        (to(b"h:1", b"CONNECT", b"h"), "for a target at"),
        (to(b"/", host=b""), "bad authority"),
        (to(b"/", host=b"user@h"), "bad authority 'h'"),
        (to(b"/", host=b"a b"), "bad authority"),
        (to(b"/", host=b"a/b"), "bad authority"),
        (to(b"/", host=b"h:123456"), "bad authority"),
        (to(b"/", host=b"[::1"), "bad authority"),
        (to(b"/", host=b"[::1%25eth0]"), "bad authority"),
        (to(b"/", host=b"[1::2::3]"), "bad address"),
        (to(b"/", host=b"%zz"), "bad authority"),
        (GET[:-1], "ended within|ended after"),
        (POST[:-1], "ended within a request: content"),
        (CHUNKED[:-1], "ended within a request: trailers"),
        (GET + b"\r\n", "no request begins"),
        (GET + b"X", "ended after"),
    ],
)
def test_what_a_client_must_not_send_is_refused(data: bytes, complaint: str) -> None:
    """R14: the oracle knows the rules, and no cut changes its mind."""
    with pytest.raises(BadRequestError, match=complaint):
        raise BadRequestError(refusal(iter((data,))))
    assert refusal(data[i : i + 1] for i in range(len(data)))
    for cut in range(len(data)):
        assert refusal(iter((data[:cut], data[cut:])))


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        to(b"//"),
        to(b"/a/b;c?d=%20&e=/?f"),
        to(b'/[]{}|\\^`"<>?[]{}|\\^`"<>'),
        to(b"*", b"OPTIONS"),
        to(b"/a", b"OPTIONS"),
        to(b"http://h", b"OPTIONS"),
        to(b"http://h?a"),
        to(b"http://H:80/a?b", host=b"h:80"),
        to(b"http://[::1]:8080/", host=b"[::1]:8080"),
        to(b"[::1]:443", b"CONNECT", b"[::1]:443"),
        to(b"/", host=b"h:"),
        to(b"/", host=b"a.b-c_d~%20!$&'()*+,;="),
        to(b"/", b"!#$%&'*+-.^_`|~09azAZ"),
        get(b"Upgrade: echo", b"connection: keep-alive, Upgrade"),
        get(b"TE: trailers", b"connection: te"),
        get(b"Connection: close"),
        get(b"A: \xe9\xff\tb"),
        get(b"Expect: 100-Continue", b"Content-Length: 1") + b"x",
        POST_CHUNKS + b"0\r\n\r\n",
        POST_CHUNKS + b"0000000000000001\r\nx\r\n00\r\nA: b\r\nC:\r\n\r\n" + GET,
        EVERYTHING,
    ],
)
def test_what_a_client_may_send_is_taken(data: bytes) -> None:
    assert refusal(iter((data,))) == ""
    assert refusal(data[i : i + 1] for i in range(len(data))) == ""


@pytest.mark.parametrize("target", [b"/[]", b"/%zz", b"/%4", b"/a?b|c", b"/\\", b"http://h/{}"])
def test_exact_targets(target: bytes) -> None:
    """R3: to the letter of RFC 3986, where that is asked for."""
    assert refusal(iter((to(target),))) == ""
    assert "bad target" in refusal(iter((to(target),)), exact_targets=True)
    assert refusal(iter((to(b"/a%2Fb;c=d,e/:@!$&'()*+?f/?%20"),)), exact_targets=True) == ""


def test_paths_of_absolute_targets() -> None:
    paths = {b"http://h/a/b?c": "/a/b", b"http://h": "/", b"http://h?a": "/", b"/://a": "/://a"}
    for target, path in paths.items():
        assert scan(to(target))[0].path == path


LIMITS = RequestLimits(
    start_line=30, field_line=20, fields=3, head=80, chunk_line=8, trailers=20, body=10
)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (to(b"/" + b"a" * 16), ""),
        (to(b"/" + b"a" * 17), "the request line has more than 30"),
        (get(b"A: " + b"b" * 17), ""),
        (get(b"A: " + b"b" * 18), "a field line has more than 20"),
        (get(b"A: b", b"C: d"), ""),
        (get(b"A: b", b"C: d", b"E: f"), "more than 3 fields"),
        (to(b"/" + b"a" * 16)[:-2] + b"A: " + b"b" * 12 + b"\r\nC: " + b"d" * 17 + b"\r\n\r\n", ""),
        (GET_LINE + b"A: " + b"b" * 80, "the head has more than 80"),
        (POST_CHUNKS.replace(b"Transfer-Encoding: chunked", b"Content-Length: 10") + b"x" * 10, ""),
        (
            POST_CHUNKS.replace(b"Transfer-Encoding: chunked", b"Content-Length: 11") + b"x" * 11,
            "the content has more than 10",
        ),
    ],
)
def test_limits_of_heads_and_contents(data: bytes, complaint: str) -> None:
    """H20, H21, for requests: at the limit and one over it, however the octets come."""
    _check_limits(data, complaint, LIMITS)


CHUNK_LIMITS = RequestLimits(chunk_line=8, trailers=20, body=10)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"1;abcdef\r\nx\r\n0\r\n\r\n", ""),
        (b"1;abcdefg\r\nx\r\n0\r\n\r\n", "a chunk's line has more than 8"),
        (b"1;abcdefgh", "a chunk's line has more than 8"),
        (b"4\r\nabcd\r\n6\r\nefghij\r\n0\r\n\r\n", ""),
        (b"4\r\nabcd\r\n7\r\nefghijk\r\n0\r\n\r\n", "the content has more than 10"),
        (b"0\r\nA: " + b"b" * 17 + b"\r\n\r\n", ""),
        (b"0\r\nA: " + b"b" * 18 + b"\r\n\r\n", "the trailer section has more than 20"),
        (b"0\r\nA: " + b"b" * 30, "the trailer section has more than 20"),
    ],
)
def test_limits_of_chunks(data: bytes, complaint: str) -> None:
    """B21, B23, for requests."""
    _check_limits(POST_CHUNKS + data, complaint, CHUNK_LIMITS)


def _check_limits(data: bytes, complaint: str, limits: RequestLimits) -> None:
    octets = (data[i : i + 1] for i in range(len(data)))
    for verdict in (refusal(iter((data,)), limits), refusal(octets, limits)):
        assert complaint in verdict
        assert bool(verdict) == bool(complaint)


def test_refusals_show_no_more_than_an_excerpt() -> None:
    """H28, for requests."""
    for data in (b"GET " + b"x" * 5000 + b"\r\n\r\n", get(b"A" * 5000), to(b"x" * 5000)):
        assert 0 < len(refusal(iter((data,)))) < 200
