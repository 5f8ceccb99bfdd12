"""Tracing of content: pieces that are sent and received, and what a watched body still is."""

import gzip
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from wayfare._tracing_exchange import told_body
from wayfare_http_core import IncompleteBodyError, RequestBody
from wayfare_http_core.testing import (
    Fin,
    ReadRequest,
    Send,
)

from .trace_diary import OK, Diary


async def pieces() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"three"


class Lines(RequestBody):
    """A body from synchronous iteration."""

    content_type = "text/plain"
    length = 6
    replayable = True

    def chunks(self) -> Iterator[bytes]:
        yield from (b"abc", b"def")


class Once(Lines):
    """A body that can be sent once."""

    replayable = False


class Summed(Lines):
    """A body with a field behind it."""

    def trailers(self) -> list[tuple[str, object]]:
        return [("X-Checksum", "42")]


class Wrapped:
    """An asynchronous iterable that is no generator."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return pieces()


@pytest.mark.parametrize(
    ("data", "chunks", "content_type"),
    [
        (b"octets", [b"octets"], "application/octet-stream"),
        (pieces, [b"one", b"three"], "application/octet-stream"),
        (Wrapped, [b"one", b"three"], "application/octet-stream"),
        (Lines, [b"abc", b"def"], "text/plain"),
        (Summed, [b"abc", b"def"], "text/plain"),
    ],
)
async def test_pieces_of_a_request_are_told_as_they_are_sent(
    serve: Any, data: Any, chunks: list[bytes], content_type: str
) -> None:
    diary = Diary("on_request_chunk_sent")
    async with (
        serve((ReadRequest(), Send(OK)), trace_configs=[diary.config]) as (session, server),
        session.put("/", data=data() if callable(data) else data) as response,
    ):
        assert response.status == 200
    assert [params.chunk for params in diary.all("request_chunk_sent")] == chunks
    assert {params.method for params in diary.all("request_chunk_sent")} == {"PUT"}
    (request,) = server.requests
    assert request.body == b"".join(chunks)
    assert [value for name, value in request.fields if name == "Content-Type"] == [content_type]
    assert request.chunked == (request.get("Content-Length") is None)
    assert request.trailers == ((("X-Checksum", "42"),) if data is Summed else ())


async def tell(chunk: bytes) -> None:
    """What a body that is only looked at never calls."""


@pytest.mark.parametrize(
    ("body", "content_type", "length", "replayable"),
    [
        (b"octets", None, 6, True),
        (Lines(), "text/plain", 6, True),
        (Once(), "text/plain", 6, False),
    ],
)
def test_a_body_that_is_told_of_is_like_itself(
    body: Any, content_type: str | None, length: int | None, replayable: bool
) -> None:
    told = told_body(body, tell)
    assert (told.content_type, told.length, told.replayable) == (content_type, length, replayable)


async def test_pieces_of_a_response_are_told_as_they_are_streamed(serve: Any) -> None:
    diary = Diary("on_response_chunk_received", "on_response_end")
    content = bytes(range(256)) * 4000
    coded = gzip.compress(content)
    head = f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: {len(coded)}"
    async with (
        serve((head, coded), trace_configs=[diary.config]) as (session, _),
        session.get("/") as response,
    ):
        received = b"".join([piece async for piece in response.content.iter_chunked(5000)])
    assert received == content
    chunks = [params.chunk for params in diary.all("response_chunk_received")]
    assert len(chunks) > 1
    assert b"".join(chunks) == content
    assert diary.one("response_end").octets == len(content)


async def test_content_that_breaks_is_told_with_its_error(serve: Any) -> None:
    diary = Diary("on_response_chunk_received", "on_response_end")
    cut = (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), Fin())
    async with (
        serve(cut, trace_configs=[diary.config]) as (session, _),
        session.get("/") as response,
    ):
        with pytest.raises(IncompleteBodyError) as caught:
            await response.read()
    end = diary.one("response_end")
    assert (end.octets, end.exception) == (4, caught.value)


async def test_content_that_nobody_reads_has_no_end(serve: Any) -> None:
    diary = Diary()
    async with serve((ReadRequest(), Send(OK)), trace_configs=[diary.config]) as (session, _):
        (await session.get("/")).release()
    assert diary.names[-1] == "request_end"


async def test_whole_content_stays_whole_where_nobody_watches_it(serve: Any) -> None:
    diary = Diary("on_request_end")
    async with (
        serve((ReadRequest(), Send(OK)), trace_configs=[diary.config]) as (session, _),
        session.get("/") as response,
    ):
        assert await response.read() == b"ok"
    assert diary.names == ["request_end"]
