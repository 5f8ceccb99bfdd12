"""Requests on their way out: the rules R1 to R14 and R16.

What is written is read back by two readers that share nothing with the writer: h11's server half, and
the strict scanner of `wayfare_http_core.testing`.
"""

from collections.abc import AsyncIterator, Iterable, Iterator

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import (
    EncodedRequest,
    FieldBlock,
    HttpVersion,
    HttpVersion10,
    RequestHead,
    encode_chunk,
    encode_last_chunk,
    encode_request_head,
)
from wayfare_http_core._request_writer import encode_plain_request
from wayfare_http_core.aio._upload import send_body
from wayfare_http_core.testing import ReceivedRequest, RequestScanner

NO_FIELDS: tuple[tuple[str, object], ...] = ()

CTL = [*(chr(octet) for octet in range(0x20) if octet != 0x09), "\x7f"]


def encode(
    method: str = "GET",
    path: str = "/",
    fields: Iterable[tuple[str, object]] = NO_FIELDS,
    length: int | None = -1,
    *,
    authority: str = "example.com",
    scheme: str = "http",
    absolute: bool = False,
    content_type: str | None = None,
) -> EncodedRequest:
    head = RequestHead(method, scheme, authority, path, FieldBlock(fields))
    encoded = encode_request_head(head, length, absolute=absolute, content_type=content_type)
    if length == -1 and head.fields.plain and not absolute and content_type is None:
        for _ in range(2):
            assert encode_plain_request(head) == encoded.octets
    return encoded


def lines(encoded: EncodedRequest) -> list[bytes]:
    head, blank, rest = encoded.octets.partition(b"\r\n\r\n")
    assert blank
    assert not rest
    return head.split(b"\r\n")


def scan(octets: bytes) -> ReceivedRequest:
    """What the strict scanner reads, which must be exactly one request."""
    scanner = RequestScanner()
    scanner.feed(octets)
    request = scanner.maybe_request()
    assert request is not None
    assert not scanner.unread
    return request


def read_by_h11(octets: bytes) -> tuple[h11.Request, bytes]:
    """What h11's server half reads, which must be exactly one request."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(octets)
    request = server.next_event()
    assert isinstance(request, h11.Request)
    body = b""
    while not isinstance(event := server.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        body += event.data
    assert server.trailing_data == (b"", False)
    return request, body


# --- The request line.


@pytest.mark.parametrize(
    "method",
    [
        "",
        " ",
        "GET ",
        " GET",
        "G T",
        "GET\r\nX: y",
        "GET\n",
        "GET\x00",
        "GÉT",
        "GET/",
        "G\tT",
        "GET / HTTP/1.1\r\nHost: evil\r\n\r\nGET",
        "\u212aEEP",
        "(GET)",
        "G,T",
        *CTL,
    ],
)
def test_r1_methods_are_tokens(method: str) -> None:
    """R1: anything else is refused before there are octets."""
    with pytest.raises(ValueError, match="not a token"):
        encode(method)


@pytest.mark.parametrize("method", ["GET", "get", "QUERY", "M-SEARCH", "!#$%&'*+-.^_`|~09azAZ"])
def test_r1_any_token_is_a_method(method: str) -> None:
    """R1: sent as it is, case and all."""
    assert lines(encode(method))[0] == f"{method} / HTTP/1.1".encode()


def test_r2_the_version_is_ours() -> None:
    """R2: no argument and no field changes it."""
    encoded = encode(fields=[("Version", "HTTP/0.9"), ("HTTP-Version", "2")])
    assert lines(encoded)[0] == b"GET / HTTP/1.1"


@pytest.mark.parametrize(
    "path",
    [
        *("", "a", "?a", "*", "//", "http://b/", "/ ", "/a b", "/#f", "/a#", "/\xe9", "/\u010a"),
        *("/\u2028", "/\udc80", "/\r\nX: y", "/ HTTP/1.0\r\n", *(f"/{c}" for c in CTL), "/\t"),
    ],
)
def test_r3_targets(path: str) -> None:
    """R3: no white space, control character, fragment or anything outside ASCII."""
    if path == "//":
        assert lines(encode(path=path))[0] == b"GET // HTTP/1.1"
        return
    for absolute in (False, True):
        with pytest.raises(ValueError, match=r"cannot stand in a request line|for OPTIONS"):
            encode(path=path, absolute=absolute)


@pytest.mark.parametrize(
    "path", ["/", "/a?b=c", "/%0d%0a", "/%25", "/a%zz", "/a;b,c'(d)[]{}|\\^`\"<>", "/?a?b/c"]
)
def test_r3_targets_are_sent_as_they_are(path: str) -> None:
    """R3: percent-encoding was somebody else's work, and is not done again."""
    assert lines(encode(path=path))[0] == f"GET {path} HTTP/1.1".encode()


@pytest.mark.parametrize(
    ("method", "path", "absolute", "target"),
    [
        ("GET", "/p?q", False, "/p?q"),
        ("GET", "/p?q", True, "http://example.com/p?q"),
        ("OPTIONS", "*", False, "*"),
        ("OPTIONS", "*", True, "http://example.com"),
        ("OPTIONS", "/p", False, "/p"),
        ("CONNECT", "/ignored", False, "example.com:443"),
    ],
)
def test_r16_forms(method: str, path: str, absolute: bool, target: str) -> None:
    """R16: origin-form to servers, absolute-form to proxies, authority-form for CONNECT, `*`."""
    authority = "example.com:443" if method == "CONNECT" else "example.com"
    encoded = encode(method, path, absolute=absolute, authority=authority)
    assert lines(encoded)[:2] == [
        f"{method} {target} HTTP/1.1".encode(),
        f"Host: {authority}".encode(),
    ]


@pytest.mark.parametrize("authority", ["example.com", "example.com:", "[::1]", "example.com:x"])
def test_r16_connect_needs_a_port(authority: str) -> None:
    """R16: RFC 9112 section 3.2.3."""
    with pytest.raises(ValueError, match=r"port|authority"):
        encode("CONNECT", authority=authority)


# --- Host.


@pytest.mark.parametrize(
    "authority",
    [
        "example.com",
        "example.com:8080",
        "example.com:0",
        "127.0.0.1",
        "[::1]",
        "[2001:db8::1]:443",
        "xn--bcher-kva.example",
        "under_score.example",
        "localhost.",
        "a%20b!$&'()*+,;=~",
        "a:65535",
    ],
)
def test_r6_host(authority: str) -> None:
    """R6: the authority as it is, in the first field."""
    assert lines(encode(authority=authority))[1] == b"Host: " + authority.encode()


@pytest.mark.parametrize(
    "authority",
    [
        "",
        "a b",
        "a/b",
        "a?b",
        "a#b",
        "user@host",
        "u:p@host",
        "a\r\nb",
        "a\x00",
        "bücher.example",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "::1",
        "a:b:c",
        "[::1",
        "a:99999999",
        "a:65536",
        "[:1]",
        "[1::2::3]",
        "a%zz",
        ":80",
        "a:-1",
        "a:\u0661",
        "a\\b",
        "a:80\n",
        "[::1]x",
    ],
)
def test_r6_no_host(authority: str) -> None:
    """R6: no user info, zone, path or white space; for a Host field of the caller the same."""
    with pytest.raises(ValueError, match=r"authority .* cannot stand"):
        encode(authority=authority)
    with pytest.raises(ValueError, match=r"Host|control character"):
        encode(fields=[("Host", authority)])


@pytest.mark.parametrize(
    ("method", "authority", "fields"),
    [
        ("GET", "user:swordfish@host", NO_FIELDS),
        ("CONNECT", "user:swordfish@host:1", NO_FIELDS),
        ("GET", "host", [("Host", "user:swordfish@host")]),
    ],
)
def test_r6_y10_errors_show_no_password(
    method: str, authority: str, fields: list[tuple[str, object]]
) -> None:
    """R6, Y10: a password that got into the authority does not get into the message."""
    with pytest.raises(ValueError, match="host") as caught:
        encode(method, fields=fields, authority=authority)
    assert "swordfish" not in str(caught.value)


def test_r6_own_host() -> None:
    """R6: a Host field of the caller replaces ours."""
    encoded = encode(fields=[("A", "b"), ("hOST", "other.example:1")])
    assert lines(encoded)[1:] == [b"A: b", b"hOST: other.example:1"]


@pytest.mark.parametrize(
    "fields",
    [
        [("Host", "a"), ("host", "a")],
        [("Content-Length", "0"), ("content-length", "0")],
        [("Content-Length", "0, 0")],
    ],
)
def test_r7_at_most_one(fields: list[tuple[str, object]]) -> None:
    """R7: two of them in any case are refused, equal ones as well."""
    with pytest.raises(ValueError, match=r"more than one Host|must be one number"):
        encode("POST", fields=fields, length=0)


# --- Framing.


@pytest.mark.parametrize("length", [0, 1, 5, 2**40])
def test_r8_our_length(length: int) -> None:
    """R8: a length that is known is announced."""
    encoded = encode("POST", length=length)
    assert lines(encoded)[2:] == [b"Content-Length: %d" % length]
    assert (encoded.chunked, encoded.length) == (False, length)
    assert encode("GET").length == 0


@pytest.mark.parametrize("length", [0, 5, None])
@pytest.mark.parametrize(
    "announced", ["0", "5", "6", "", "+5", "5 5", "-1", "0x5", "\u0665", "5, 5", 20 * "9", b"5", 5]
)
def test_r8_own_length(length: int | None, announced: object) -> None:
    """R8, Y1: a Content-Length of the caller must be the body's, or hold for a body without one."""
    fields = [("content-length", announced)]
    value = announced.decode() if isinstance(announced, bytes) else str(announced)
    if value in ("0", "5", "6") and (length is None or int(value) == length):
        encoded = encode("POST", fields=fields, length=length)
        assert (encoded.chunked, encoded.length) == (False, int(value))
        assert lines(encoded)[2:] == [b"content-length: " + value.encode()]
    else:
        with pytest.raises(ValueError, match="Content-Length"):
            encode("POST", fields=fields, length=length)


def test_r8_own_length_without_a_body() -> None:
    """R8: nothing can be announced that is not sent."""
    assert lines(encode("POST", fields=[("Content-Length", "0")]))[2:] == [b"Content-Length: 0"]
    with pytest.raises(ValueError, match="Content-Length is 5 and the body has 0"):
        encode("POST", fields=[("Content-Length", "5")])


class Sink:
    """Takes what an upload writes."""

    def __init__(self) -> None:
        self.written = b""
        self.content = 0
        self.drained = 0
        self.piece = 256 * 1024

    def write(self, data: bytes | memoryview, content: int) -> None:
        self.written += data
        self.content += content

    async def drain(self) -> None:
        self.drained += 1


class Body:
    """A body of given pieces, synchronous or not, that may fail at its end."""

    content_type = None
    replayable = False

    def __init__(
        self, pieces: list[bytes], *, length: int | None, wait: bool = False, fail: bool = False
    ) -> None:
        self.pieces = pieces
        self.length = length
        self.wait = wait
        self.fail = fail

    def chunks(self) -> Iterable[bytes] | AsyncIterator[bytes]:
        return self.asynchronous() if self.wait else self.synchronous()

    def synchronous(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.fail:
            raise OSError("the file is gone")

    async def asynchronous(self) -> AsyncIterator[bytes]:
        for piece in self.synchronous():
            yield piece


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize(
    "pieces", [[b"hello"], [b"hel", b"lo"], [b"", b"hello", b""], [bytearray(b"hello")]]
)
async def test_r8_r10_bodies_are_sent_as_announced(pieces: list[bytes], wait: bool) -> None:
    """R8, R10: with a length just so, without one in chunks, of which none is empty."""
    for length in (5, None):
        sink = Sink()
        encoded = encode("POST", length=length)
        await send_body(sink, Body(pieces, length=length, wait=wait), encoded)
        assert scan(encoded.octets + sink.written).body == b"hello"
        assert sink.drained


async def test_r8_r10_octets_are_a_body() -> None:
    """R8, R10: so are plain octets, of any size."""
    for size in (0, 5, 600_000):
        for length in (size, None):
            sink = Sink()
            encoded = encode("POST", length=length)
            await send_body(sink, size * b"x", encoded)
            scanner = RequestScanner()
            scanner.feed(encoded.octets + sink.written)
            request = scanner.maybe_request()
            assert request is not None
            assert request.body == size * b"x"


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("pieces", [[], [b"hell"], [b"hello", b"!"], [b"hello!"]])
async def test_r8_a_body_of_another_size(pieces: list[bytes], wait: bool) -> None:
    """R8: an error, and never more octets than announced."""
    sink = Sink()
    with pytest.raises(ValueError, match="announced 5 octets"):
        await send_body(sink, Body(pieces, length=None, wait=wait), encode("POST", length=5))
    assert b"hello!" not in sink.written
    assert len(sink.written) <= 5


@pytest.mark.parametrize("wait", [False, True])
async def test_r10_a_failing_body_is_not_ended(wait: bool) -> None:
    """R10: no last chunk, or the server would take the half for the whole."""
    sink = Sink()
    with pytest.raises(OSError, match="the file is gone"):
        await send_body(
            sink, Body([b"hel"], length=None, wait=wait, fail=True), encode("POST", length=None)
        )
    assert sink.written == b"3\r\nhel\r\n"


@pytest.mark.parametrize(
    ("fields", "length", "match"),
    [
        ([("Transfer-Encoding", "chunked"), ("Content-Length", "5")], 5, "exclude each other"),
        ([("Transfer-Encoding", "gzip, chunked")], 5, "unsupported Transfer-Encoding"),
        ([("Transfer-Encoding", "chunked, chunked")], 5, "unsupported Transfer-Encoding"),
        ([("Transfer-Encoding", "identity")], 5, "unsupported Transfer-Encoding"),
        ([("Transfer-Encoding", "chunked"), ("te", "x")], -1, "without a body"),
        ([("Transfer-Encoding", "chun\u212aed")], 5, "unsupported Transfer-Encoding"),
    ],
)
def test_r9_contradictions(fields: list[tuple[str, object]], length: int, match: str) -> None:
    """R9: never both, and no coding that we do not apply."""
    with pytest.raises(ValueError, match=match):
        encode("POST", fields=fields, length=length)


@pytest.mark.parametrize("value", ["chunked", "Chunked", ", chunked ,"])
@pytest.mark.parametrize("length", [5, 0, None])
def test_r9_chunked_on_demand(value: str, length: int | None) -> None:
    """R9: announced once, also for a body whose length is known."""
    encoded = encode("POST", fields=[("transfer-encoding", value)], length=length)
    assert encoded.chunked
    assert b"Content-Length" not in encoded.octets
    assert encoded.octets.lower().count(b"transfer-encoding") == 1


def test_r10_a_length_that_is_not_known() -> None:
    """R10: chunks."""
    encoded = encode("PUT", length=None)
    assert encoded.chunked
    assert lines(encoded)[2:] == [b"Transfer-Encoding: chunked"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "QUERY", "TRACE", "FOO"])
def test_r11_no_body_no_length(method: str) -> None:
    """R11: RFC 9110 section 8.6."""
    assert len(lines(encode(method))) == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_r11_methods_that_expect_a_body(method: str) -> None:
    """R11: they say that there is none."""
    assert lines(encode(method))[2:] == [b"Content-Length: 0"]


def test_r11_an_empty_body_is_a_body() -> None:
    assert lines(encode("DELETE", length=0))[2:] == [b"Content-Length: 0"]


@pytest.mark.parametrize("value", ["websocket\r\nX: y", "a\nb", "a\x00"])
@pytest.mark.parametrize("name", ["Upgrade", "Connection", "Sec-WebSocket-Protocol", "Expect"])
def test_r13_no_injection_through_connection_fields(name: str, value: str) -> None:
    """R13: these fields go through the same check as all."""
    with pytest.raises(ValueError, match="control character"):
        encode(fields=[(name, value)])


def test_content_type_of_the_body_gives_way_to_the_caller_s() -> None:
    encoded = encode("POST", fields=[("content-type", "a/b")], length=1, content_type="c/d")
    assert lines(encoded)[2:] == [b"content-type: a/b", b"Content-Length: 1"]
    encoded = encode("POST", length=1, content_type="c/d")
    assert lines(encoded)[2:] == [b"Content-Type: c/d", b"Content-Length: 1"]


# --- Read back.

TOKENS = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=12)
FRAMING = {"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"}
NAMES = TOKENS.filter(lambda name: name.lower() not in FRAMING)
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
PATHS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"))


@given(
    method=TOKENS.filter(lambda method: method not in ("CONNECT", "HEAD")),
    path=PATHS.map(lambda path: "/" + path),
    fields=st.lists(st.tuples(NAMES, VALUES), max_size=6),
    pieces=st.none() | st.lists(st.binary(max_size=50), max_size=4),
    sized=st.booleans(),
)
def test_r14_round_trip(
    method: str,
    path: str,
    fields: list[tuple[str, str]],
    pieces: list[bytes] | None,
    sized: bool,
) -> None:
    """R14: any request that can be written is read as itself by both readers."""
    body = b"".join(pieces or [])
    length = -1 if pieces is None else (len(body) if sized else None)
    encoded = encode(method, path, fields, length)
    octets = encoded.octets
    if encoded.chunked:
        octets += b"".join(map(encode_chunk, pieces or [])) + encode_last_chunk()
    else:
        octets += body
    expected = [
        (name.encode(), value.encode().strip(b" \t"))
        for name, value in [("Host", "example.com"), *fields]
    ]

    scanned = scan(octets)
    assert (scanned.method, scanned.target, scanned.version) == (method, path, "1.1")
    assert scanned.body == body
    sent = [(name.encode(), value.encode("latin-1")) for name, value in scanned.fields]
    assert sent[: len(expected)] == expected
    assert {name.lower() for name, _ in sent[len(expected) :]} <= {
        b"content-length",
        b"transfer-encoding",
    }

    request, content = read_by_h11(octets)
    assert (request.method, request.target) == (method.encode(), path.encode())
    assert content == body
    assert request.headers.raw_items()[: len(expected)] == expected


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_r1_r3_r4_r6_anything_else_is_refused(
    method: str, path: str, name: str, value: str
) -> None:
    """R1, R3, R4, R6: whatever the parts are, one request is written or none."""
    try:
        octets = encode(method or "GET", path or "/", [(name, value)]).octets
    except ValueError:
        return
    if method == "CONNECT" or name.lower() in FRAMING:
        return
    assert octets.count(b"\r\n") == octets.count(b"\n") == octets.count(b"\r")
    assert scan(octets).method == (method or "GET")


def older(*fields: tuple[str, str], method: str = "POST") -> RequestHead:
    return RequestHead(method, "http", "h", "/p", FieldBlock(fields), HttpVersion10)


def test_a_request_of_http_1_0_ends_its_connection() -> None:
    assert encode_request_head(older(), 2).octets == (
        b"POST /p HTTP/1.0\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
    )
    assert encode_plain_request(older(method="GET")) == (
        b"GET /p HTTP/1.0\r\nHost: h\r\nConnection: close\r\n\r\n"
    )
    kept = encode_request_head(older(("Connection", "keep-alive"), method="GET"), -1).octets
    assert kept == b"GET /p HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"


def test_http_1_0_has_neither_chunks_nor_expectations() -> None:
    """R9, R15: what 1.0 does not know is never sent to it."""
    with pytest.raises(ValueError, match="unknown length"):
        encode_request_head(older(), None)
    assert encode_request_head(older(("Content-Length", "3")), None).length == 3
    with pytest.raises(ValueError, match="no Transfer-Encoding"):
        encode_request_head(older(("Transfer-Encoding", "chunked")), 2)
    with pytest.raises(ValueError, match="no Expect"):
        encode_request_head(older(("Expect", "100-continue")), 2)


def test_no_other_version_is_spoken() -> None:
    """R2."""
    head = RequestHead("GET", "http", "h", "/", FieldBlock(), HttpVersion(2, 0))
    with pytest.raises(ValueError, match=r"HTTP/2.0 cannot be spoken"):
        encode_request_head(head, -1)
