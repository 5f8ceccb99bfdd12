"""The scanner of test peers: accepts what a client may send, refuses what it must not."""

import pytest
from wayfare_http_core.testing import BadRequestError, ReceivedRequest, RequestScanner

GET = b"GET /a?b HTTP/1.1\r\nHost: example.test\r\nX-Empty:\r\nX-Space:  a b\t\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nX-Sum: 1\r\n\r\n"
)
CONNECT = b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"


def scan(data: bytes) -> list[ReceivedRequest]:
    scanner = RequestScanner()
    scanner.feed(data)
    return list(iter(scanner.maybe_request, None))


def test_a_request_without_content() -> None:
    (request,) = scan(GET)
    assert (request.method, request.target, request.version) == ("GET", "/a?b", "1.1")
    assert request.fields == (("Host", "example.test"), ("X-Empty", ""), ("X-Space", "a b"))
    assert request.get("x-space") == "a b"
    assert request.get("absent") is None
    assert request.body == b""


def test_requests_follow_each_other() -> None:
    first, second, third, fourth = scan(GET + POST + CHUNKED + CONNECT)
    assert first.body == b""
    assert second.body == b"hello"
    assert third.body == b"helloabcdefghijklmnopqrstuvwxyz"
    assert third.trailers == (("X-Sum", "1"),)
    assert fourth.target == "h:443"


def test_every_cut_gives_the_same_requests() -> None:
    data = GET + POST + CHUNKED + CONNECT
    whole = scan(data)
    for cut in range(len(data) + 1):
        scanner = RequestScanner()
        requests: list[ReceivedRequest] = []
        for piece in (data[:cut], data[cut:]):
            scanner.feed(piece)
            requests.extend(iter(scanner.maybe_request, None))
        assert requests == whole


def test_octet_by_octet_gives_the_same_requests() -> None:
    scanner = RequestScanner()
    requests: list[ReceivedRequest] = []
    for octet in GET + CHUNKED + POST:
        scanner.feed(bytes([octet]))
        requests.extend(iter(scanner.maybe_request, None))
    assert requests == scan(GET + CHUNKED + POST)
    assert not scanner.unread


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


def test_plain_octets() -> None:
    scanner = RequestScanner()
    scanner.feed(b"abc")
    assert scanner.maybe_octets(4) is None
    assert scanner.maybe_octets(2) == b"ab"
    assert bytes(scanner.unread) == b"c"


HOST = b"Host: h\r\n"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"GET / HTTP/1.1\nHost: h\n\n", "without CR"),
        (b"GET / HTTP/1.1\r\nHost: h\n\r\n", "without CR"),
        (b"GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", "bad field line"),
        (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", "bad request line"),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", "bad request line"),
        (b"GET /\xc3\xa4 HTTP/1.1\r\n" + HOST + b"\r\n", "bad request line"),
        (b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n", "bad request line"),
        (b"GET / HTTP/1.1\r\n\r\n", "no Host"),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", "Host|host was sent 2 times"),
        (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", "bad field line"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n", "bad field line"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"A: \x00\r\n\r\n", "bad field line"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\n", "bad Content-Length"),
        (
            b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "was sent 2 times",
        ),
        (
            b"GET / HTTP/1.1\r\n"
            + HOST
            + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "both",
        ),
        (
            b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
            "Transfer-Encoding",
        ),
        (
            b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Transfer-Encoding",
        ),
        (
            b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n",
            "bad chunk size",
        ),
        (
            b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n",
            "longer than its size",
        ),
        (
            b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 40,
            "too long",
        ),
        (
            b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nbad\r\n\r\n",
            "bad field line",
        ),
    ],
)
def test_what_a_client_must_not_send_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(BadRequestError, match=complaint):
        scan(data)


def test_http_1_0_needs_no_host() -> None:
    (request,) = scan(b"GET / HTTP/1.0\r\n\r\n")
    assert request.version == "1.0"
