"""R14: requests through a whole connection arrive at a strict server as they were meant, one after the other."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import FieldBlock, RequestHead
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    FakeClockLoop,
    MemoryNetwork,
    ReceivedRequest,
    Reply,
    ScriptedServer,
    Serve,
    run_with_fake_clock,
)

TOKENS = st.text("!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz", min_size=1, max_size=8)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "QUERY"]) | TOKENS
PATHS = st.text([chr(code) for code in range(0x21, 0x7F) if chr(code) != "#"], max_size=12)
VALUES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(0x20)])
    | st.just("\t"),
    max_size=10,
).filter(lambda value: "\x7f" not in value)
OWN = frozenset(
    {"connection", "content-length", "expect", "host", "te", "transfer-encoding", "upgrade"}
)
NAMES = TOKENS.filter(lambda name: name.lower() not in OWN)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=4)


@dataclass
class Body:
    """Pieces, from a synchronous or an asynchronous iterator, with the length that is told of them."""

    pieces: list[bytes]
    sized: bool
    waits: bool
    content_type: str | None
    replayable: bool = False

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def length(self) -> int | None:
        return len(self.content) if self.sized else None

    def chunks(self) -> Iterator[bytes] | AsyncIterator[bytes]:
        return self.later() if self.waits else iter(self.pieces)

    async def later(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if piece:
                # Not before an empty one: a server that has all octets may answer before the body says that it ends,
                # and then the connection is closed.
                await asyncio.sleep(0)
            yield piece


@dataclass
class TrailedBody(Body):
    """The same, with fields behind it."""

    fields: tuple[tuple[str, str], ...] = ()

    def trailers(self) -> tuple[tuple[str, str], ...]:
        return self.fields


PIECES = st.lists(st.binary(max_size=40) | st.just(b"x" * 20_000), max_size=4)
TYPES = st.none() | st.just("text/plain")
TRAILERS = st.lists(st.tuples(st.sampled_from(["X-Sum", "ETag", "a"]), VALUES), max_size=2)
BODIES = st.builds(Body, PIECES, st.booleans(), st.booleans(), TYPES) | st.builds(
    TrailedBody, PIECES, st.booleans(), st.booleans(), TYPES, fields=TRAILERS.map(tuple)
)


@dataclass
class Sent:
    """A request as it is meant."""

    method: str
    path: str
    fields: list[tuple[str, str]]
    body: Body | bytes | None

    def arrived_as(self, request: ReceivedRequest) -> None:
        """Fail unless that is what the server got."""
        assert (request.method, request.target) == (self.method, self.path)
        received = [(name, value.encode("latin-1").decode()) for name, value in request.fields]
        expected = [("Host", "h"), *[(name, value.strip(" \t")) for name, value in self.fields]]
        assert received[: len(expected)] == expected
        added = {name for name, _ in received[len(expected) :]}
        assert added <= {"Content-Length", "Transfer-Encoding", "Content-Type"}
        trailers = [(name, value.encode("latin-1").decode()) for name, value in request.trailers]
        meant = self.body.trailers() if isinstance(self.body, TrailedBody) else ()
        assert trailers == [(name, value.strip(" \t")) for name, value in meant]
        content = self.body.content if isinstance(self.body, Body) else self.body
        assert request.body == (content or b"")


REQUESTS = st.builds(
    Sent,
    method=METHODS.filter(lambda method: method not in ("CONNECT", "TRACE")),
    path=PATHS.map(lambda path: "/" + path),
    fields=FIELDS,
    body=st.none() | st.binary(max_size=100) | BODIES,
)


async def send(requests: list[Sent], read_size: int) -> list[ReceivedRequest]:
    """What the server got, over one connection."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FakeClockLoop)
    network = MemoryNetwork(read_size=read_size, capacity=10_000)
    server = ScriptedServer([Serve(Reply(b"ok"))])
    network.serve("h", 80, server)
    _, connection = await network.dial("h", 80, HTTP1Connection)
    for request in requests:
        head = RequestHead(request.method, "http", "h", request.path, FieldBlock(request.fields))
        exchange = await connection.exchange(head, request.body)
        assert exchange.head.status == 200
        await exchange.content.read()
        await loop.settled()
    connection.close()
    await connection.wait_closed()
    server.abort()
    await loop.settled()
    assert server.errors == ()
    assert len(server.peers) == 1
    return server.requests


@given(st.lists(REQUESTS, min_size=1, max_size=3), st.sampled_from([7, 1000, 256 * 1024]))
def test_r14_requests_arrive_as_they_were_meant(requests: list[Sent], read_size: int) -> None:
    """R14, R8, R10: heads, contents and trailers, however they are cut on the way."""
    received = run_with_fake_clock(send(requests, read_size))
    assert len(received) == len(requests)
    for request, arrived in zip(requests, received, strict=True):
        request.arrived_as(arrived)
