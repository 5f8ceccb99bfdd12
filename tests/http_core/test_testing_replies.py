"""`Reply`, `Serve` and the other answers of a scripted HTTP server: right, unless told to be wrong."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from wayfare_http_core import EndOfMessage, RequestHead, ResponseHead, ResponseParser
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    Action,
    Answer,
    Drip,
    FakeClockLoop,
    Fin,
    Flood,
    InTurn,
    MemoryNetwork,
    ReadHead,
    ReadRequest,
    ReceivedRequest,
    RecordingProtocol,
    Reply,
    ScriptedServer,
    Send,
    Serve,
    listening,
    run_with_fake_clock,
    ticks,
)

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"


def get(path: str, method: str = "GET", *fields: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: h", *fields, "", ""]).encode()


@dataclass
class Read:
    """A response as our own parser reads it."""

    status: int
    headers: dict[str, str]
    content: bytes
    trailers: dict[str, str]


def read(octets: bytes, method: str = "GET", *, eof: bool = False) -> Read:
    """One response, which must be whole and nothing more."""
    parser = ResponseParser()
    parser.begin(method)
    found = [*parser.feed(octets), *(parser.feed_eof() if eof else ())]
    head, end = found[0], found[-1]
    assert isinstance(head, ResponseHead)
    assert isinstance(end, EndOfMessage)
    content = b"".join([event for event in found if isinstance(event, bytes)])
    assert eof or parser.reusable or not parser.persistent or method == "CONNECT"
    return Read(head.status, dict(head.headers), content, dict(end.trailers))


def test_a_reply_without_anything() -> None:
    assert Reply().encode() == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def test_a_reply_of_text() -> None:
    found = read(Reply("héllo", 201).encode())
    assert found.status == 201
    assert found.content.decode() == "héllo"
    assert found.headers == {"Content-Type": "text/plain; charset=utf-8", "Content-Length": "6"}


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        (Reply(status=404), b"HTTP/1.1 404 Not Found"),
        (Reply(status=404, reason="No\xe9"), b"HTTP/1.1 404 No\xc3\xa9"),
        (Reply(status=299), b"HTTP/1.1 299 "),
        (Reply(reason=""), b"HTTP/1.1 200 "),
        (Reply(version="3.7", status=20), b"HTTP/3.7 20 "),
    ],
)
def test_status_lines(reply: Reply, line: bytes) -> None:
    assert reply.encode().split(b"\r\n")[0] == line


def test_framings() -> None:
    body = bytes(range(100))
    assert read(Reply(body).encode()).headers == {"Content-Length": "100"}
    chunked = Reply(body, framing="chunked", chunk_size=30, trailers={"Sum": "1"})
    found = read(chunked.encode())
    assert found == Read(200, {"Transfer-Encoding": "chunked"}, body, {"Sum": "1"})
    assert chunked.encode().count(b"1e\r\n") == 3
    assert read(Reply(framing="chunked").encode()).content == b""
    until_close = Reply(body, framing="close")
    assert read(until_close.encode(), eof=True) == Read(200, {"Connection": "close"}, body, {})


@pytest.mark.parametrize(
    ("reply", "method", "fields"),
    [
        (Reply(b"body"), "HEAD", {"Content-Length": "4"}),
        (Reply(b"body", framing="chunked"), "HEAD", {"Transfer-Encoding": "chunked"}),
        (Reply(b"body", 204), "GET", {}),
        (Reply(b"body", 304), "GET", {"Content-Length": "4"}),
        (Reply(b"body"), "CONNECT", {}),
    ],
)
def test_responses_without_content(reply: Reply, method: str, fields: dict[str, str]) -> None:
    """B1, B2: the status and the method say that there is none."""
    assert read(reply.encode(method), method) == Read(reply.status, fields, b"", {})


def test_a_refused_connect_has_content() -> None:
    assert read(Reply("no", 407).encode("CONNECT"), "CONNECT").content == b"no"


def test_codings() -> None:
    body = b"hello " * 100
    found = read(Reply(body, coding="gzip").encode())
    assert gzip.decompress(found.content) == body
    assert found.headers["Content-Encoding"] == "gzip"
    found = read(Reply(body, coding="deflate, gzip", framing="chunked").encode())
    assert zlib.decompress(gzip.decompress(found.content)) == body


def test_own_fields_win_over_those_that_would_be_made() -> None:
    """So a server can contradict itself: every octet is the script's."""
    reply = Reply(
        "hello",
        fields=[("content-length", "3"), ("content-type", "a\x01b"), ("connection", "\udcff")],
        coding="deflate",
        close=True,
    )
    head, _, content = reply.encode().partition(b"\r\n\r\n")
    assert head == (
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-type: a\x01b\r\nconnection: \xff\r\n"
        b"Content-Encoding: deflate"
    )
    assert zlib.decompress(content) == b"hello"
    twice = Reply("x", fields={"Transfer-Encoding": "chunked"}).encode()
    assert twice.endswith(
        b"Transfer-Encoding: chunked\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nx"
    )


class Bench:
    """A server in memory with a script, and a client of plain octets."""

    def __init__(self, *script: Action) -> None:
        self.network = MemoryNetwork()
        self.server = ScriptedServer(script)
        self.network.serve("h", 80, self.server)

    async def dial(self) -> None:
        self.transport, self.client = await self.network.dial(
            "h", 80, lambda: RecordingProtocol(keep_open=True)
        )

    async def say(self, octets: bytes) -> bytes:
        """What comes back for these octets."""
        before = len(self.client.data)
        self.transport.write(octets)
        await ticks()
        return bytes(self.client.data[before:])


@pytest.fixture
async def bench() -> AsyncIterator[Callable[..., Any]]:
    """Call with a script; gives a bench that is dialled. Everything is closed afterwards."""
    made: list[Bench] = []

    async def make(*script: Action) -> Bench:
        made.append(Bench(*script))
        await made[-1].dial()
        return made[-1]

    yield make
    for each in made:
        each.transport.abort()
        each.server.abort()
        await ticks()
        each.network.client_transports.assert_all_closed()
        each.network.server_transports.assert_all_closed()


Make = Callable[..., Any]


async def test_replies_answer_one_request_each(bench: Make) -> None:
    on = await bench(Reply("one"), Reply("two", 404), Reply(framing="chunked"))
    assert read(await on.say(GET)).content == b"one"
    assert read(await on.say(get("/", "HEAD")), "HEAD").status == 404
    assert await on.say(POST[:-1]) == b""
    assert read(await on.say(POST[-1:])).headers["Transfer-Encoding"] == "chunked"
    assert await on.say(GET) == b""
    assert [request.method for request in on.server.requests] == ["GET", "HEAD", "POST"]
    assert on.server.requests[2].body == b"hello"


async def test_pipelined_requests_are_answered_in_order(bench: Make) -> None:
    on = await bench(Serve(lambda request: Reply(request.path)))
    assert [part[-2:] for part in (await on.say(get("/a") + get("/b"))).split(b"HTTP")] == [
        b"",
        b"/a",
        b"/b",
    ]


async def test_a_reply_answers_what_was_read_before(bench: Make) -> None:
    """Whole or by its head: then the answer is early, and the content is read afterwards."""
    on = await bench(
        ReadRequest(), Reply("1"), ReadHead(), Reply("2", 413), ReadRequest(), Reply("3")
    )
    assert read(await on.say(GET)).content == b"1"
    assert read(await on.say(POST[:-5])).status == 413
    assert await on.say(POST[-5:]) == b""
    assert on.server.requests[-1].body == b"hello"
    assert read(await on.say(GET)).content == b"3"


async def test_the_content_of_a_request_with_an_early_answer_is_passed_over(bench: Make) -> None:
    on = await bench(ReadHead(), Reply("early"), Reply("next"))
    assert read(await on.say(POST[:-5])).content == b"early"
    assert await on.say(POST[-5:]) == b""
    assert read(await on.say(GET)).content == b"next"
    assert [request.method for request in on.server.requests] == ["POST", "GET"]


async def test_octets_of_one_s_own_are_an_answer_too(bench: Make) -> None:
    on = await bench(ReadRequest(), Send(b"raw"), Reply("next"))
    assert await on.say(GET) == b"raw"
    assert read(await on.say(GET)).content == b"next"


async def test_informational_replies_leave_the_request_open(bench: Make) -> None:
    hints = Reply(status=103, fields={"Link": "</a>"})
    on = await bench(hints, Send(hints.encode()), Reply("final"))
    found = await on.say(GET)
    assert found.startswith(2 * b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    assert read(found.rpartition(b"</a>\r\n\r\n")[2]).content == b"final"


async def test_a_request_that_expects_it_is_told_to_continue(bench: Make) -> None:
    """R15, from the server's side."""
    on = await bench(Reply("1"), Serve({"/": Reply("2")}))
    expecting = POST.replace(b"Content", b"Expect: 100-continue\r\nContent")
    for content in (b"1", b"2"):
        assert await on.say(expecting[:-5]) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert read(await on.say(expecting[-5:])).content == content


async def test_connections_are_closed_when_either_side_wants_it(bench: Make) -> None:
    """I7, from the server's side."""
    for reply, request in (
        (Reply("x", close=True), GET),
        (Reply("x", framing="close"), GET),
        (Reply("x"), get("/", "GET", "Connection: close")),
        (Reply("x"), b"GET / HTTP/1.0\r\n\r\n"),
    ):
        on = await bench(Serve(reply))
        assert read(await on.say(request), eof=True).content == b"x"
        assert on.client.ended.is_set()
    on = await bench(Serve(Reply("x")))
    assert await on.say(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert not on.client.ended.is_set()


async def test_an_upgrade_ends_the_requests(bench: Make) -> None:
    on = await bench(
        Reply(status=101, fields={"Connection": "upgrade", "Upgrade": "echo"}), Send(b"after")
    )
    found = await on.say(get("/", "GET", "Connection: upgrade", "Upgrade: echo"))
    assert found.endswith(b"Upgrade: echo\r\n\r\nafter")


async def test_routes(bench: Make) -> None:
    def echo(request: ReceivedRequest) -> Answer:
        return [Send(Reply(request.body).encode())]

    on = await bench(
        Serve(
            {
                "/": Reply("root"),
                "/echo": {"/echo": echo},
                "POST /": echo,
                "/turns": InTurn(Reply("", 503), Reply("done")),
                "/broken": [Send(b"HTTP/1.1 20"), Fin()],
            }
        )
    )
    assert read(await on.say(get("/?query"))).content == b"root"
    assert read(await on.say(POST)).content == b"hello"
    assert read(await on.say(POST.replace(b"/ ", b"/echo "))).content == b"hello"
    assert [read(await on.say(get("/turns"))).status for _ in range(3)] == [503, 200, 200]
    missing = read(await on.say(get("/missing")))
    assert (missing.status, missing.content) == (404, b"nothing is served at /missing\n")
    assert await on.say(get("/broken")) == b"HTTP/1.1 20"
    assert on.client.ended.is_set()


async def test_a_route_for_all_others(bench: Make) -> None:
    on = await bench(Serve({"*": Reply("any")}))
    assert read(await on.say(get("/whatever"))).content == b"any"
    with pytest.raises(ValueError, match="no answer"):
        InTurn()


async def test_answers_at_the_head(bench: Make) -> None:
    """The content is read afterwards, by the answer or by itself, before the next request."""
    on = await bench(
        Serve({"POST /": Reply("", 413), "/": [ReadRequest(), Reply("ok")]}, at_head=True)
    )
    assert read(await on.say(POST[:-5])).status == 413
    assert read(await on.say(POST[-5:] + GET)).content == b"ok"
    assert [len(request.body) for request in on.server.requests] == [5, 0]


def test_a_slow_server() -> None:
    """F4: so many octets every so many seconds."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        on = Bench(ReadRequest(), Drip(b"abcdef", 2, seconds=10))
        await on.dial()
        on.transport.write(GET)
        arrived = []
        for _ in range(3):
            await loop.settled()
            arrived.append(bytes(on.client.data))
            await asyncio.sleep(10)
        assert arrived == [b"ab", b"abcd", b"abcdef"]
        on.transport.abort()
        on.server.abort()
        await loop.settled()

    run_with_fake_clock(main())


async def test_floods(bench: Make) -> None:
    """F9: so often, or for as long as somebody takes it."""
    on = await bench(ReadRequest(), Flood(b"ab", times=3))
    assert await on.say(GET) == b"ababab"
    on = await bench(ReadRequest(), Flood(b"x" * 1000))
    on.transport.write(GET)
    while len(on.client.data) < 1_000_000:
        await asyncio.sleep(0)
    assert not on.server.peers[0].script_done


async def test_a_client_of_ours_against_a_served_port() -> None:
    """Over sockets: several connections, whose requests are recorded in the order of their arrival."""
    server = ScriptedServer(
        [Serve({"/a": Reply("first"), "/b": Reply(b"second", framing="chunked")})]
    )
    async with listening(server) as (host, port):
        for path, content in (("/a", b"first"), ("/b", b"second")):
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(HTTP1Connection, host, port)
            exchange = await connection.exchange(RequestHead("GET", "http", "h", path))
            assert await exchange.content.read() == content
            connection.close()
            await connection.wait_closed()
    assert [request.path for request in server.requests] == ["/a", "/b"]
    assert server.errors == ()
