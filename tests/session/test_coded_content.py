"""Content in a coding: `compress=` for every kind of `data=`, labels of one's own, and what is sent again."""

import asyncio
import gzip
import io
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import wayfare
from wayfare_http_core import make_decoder
from wayfare_http_core.aio import StreamReader
from wayfare_http_core.testing import (
    Fin,
    ReadHead,
    ReadRequest,
    ReceivedRequest,
    Reply,
    Send,
    Serve,
)
from wayfare_multipart import BytesPayload, FormData, MultipartWriter, StringPayload

BIG = b"content " * 40_000


def reply(request: ReceivedRequest) -> Reply:
    if request.path == "/away":
        return Reply(status=307, fields={"Location": "/here"})
    return Reply(b"ok")


@pytest.fixture
async def served(serve: Any) -> AsyncIterator[Any]:
    """A session and its server; what is asked of /away has moved."""
    async with serve((Serve(reply),)) as pair:
        yield pair


async def decoded(request: ReceivedRequest) -> bytes:
    """The content as its label says."""
    reader = StreamReader()
    reader.feed_data(request.body)
    reader.feed_eof()
    decoder: Any = make_decoder([str(request.get("Content-Encoding"))])
    reader.decode_with(decoder)
    return await reader.read()


def form() -> FormData:
    made = FormData({"text": "é"})
    made.add_field("file", io.BytesIO(BIG), filename="f")
    return made


def writer() -> MultipartWriter:
    made = MultipartWriter("mixed", "xyz")
    made.append(BIG)
    return made


def iterator() -> Iterator[bytes]:
    yield BIG[:100_000]
    yield BIG[100_000:]


async def generator() -> AsyncIterator[bytes]:
    for piece in iterator():
        yield piece


class Asynchronous:
    """An async iterable that is no generator."""

    def __init__(self) -> None:
        self._left = iterator()

    def __aiter__(self) -> "Asynchronous":
        return self

    async def __anext__(self) -> bytes:
        for piece in self._left:
            return piece
        raise StopAsyncIteration


def stream(kind: Any) -> Any:
    reader = kind()
    reader.feed_data(BIG)
    reader.feed_eof()
    return reader


REPLAYED: list[tuple[str, Callable[[], Any]]] = [
    ("bytes", lambda: BIG),
    ("bytearray", lambda: bytearray(BIG)),
    ("text", BIG.decode),
    ("octets in memory", lambda: io.BytesIO(BIG)),
    ("text in memory", lambda: io.StringIO(BIG.decode())),
    ("fields", lambda: {"text": BIG.decode()}),
    ("form", form),
    ("parts", writer),
    ("payload", lambda: StringPayload(BIG.decode())),
]
ONCE: list[tuple[str, Callable[[], Any]]] = [
    ("iterator", iterator),
    ("generator", generator),
    ("asynchronous iterable", Asynchronous),
    ("our stream", lambda: stream(StreamReader)),
    ("stream of asyncio", lambda: stream(asyncio.StreamReader)),
]


def kinds(which: list[tuple[str, Callable[[], Any]]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("make", [make for _, make in which], ids=[n for n, _ in which])


@kinds(REPLAYED + ONCE)
async def test_every_kind_in_every_coding(served: Any, make: Callable[[], Any]) -> None:
    session, server = served
    await session.post("/", data=make())
    plain = server.requests[0]
    for coding in ("deflate", "gzip", "br", "zstd"):
        await session.post("/", data=make(), compress=coding)
        request = server.requests[-1]
        assert request.get("Content-Encoding") == coding
        content = await decoded(request)
        boundary = str(request.get("Content-Type")).partition("boundary=")[2]
        before = str(plain.get("Content-Type")).partition("boundary=")[2]
        assert content == plain.body.replace(before.encode(), boundary.encode())


async def test_a_file_on_disk_in_every_coding(served: Any, tmp_path: Path) -> None:
    session, server = served
    path = tmp_path / "file.txt"
    path.write_bytes(BIG)
    with path.open("rb") as file:
        for coding in ("deflate", "gzip", "br", "zstd"):
            file.seek(8)
            await session.post("/away", data=file, compress=coding)
            for request in server.requests[-2:]:
                assert await decoded(request) == BIG[8:]
                assert request.get("Content-Type") == "text/plain"
    with path.open(encoding="utf-8") as text:
        await session.post("/", data=text, compress="gzip")
        assert await decoded(server.requests[-1]) == BIG


@kinds(REPLAYED)
@pytest.mark.parametrize("coding", [None, "gzip"])
async def test_a_redirect_that_keeps_the_content_sends_it_again_r12(
    served: Any, make: Callable[[], Any], coding: str | None
) -> None:
    session, server = served
    response = await session.post("/away", data=make(), compress=coding)
    assert response.status == 200
    first, second = server.requests
    assert first.body == second.body
    assert first.get("Content-Encoding") == second.get("Content-Encoding") == coding
    assert first.get("Content-Type") == second.get("Content-Type")


@kinds(ONCE)
@pytest.mark.parametrize("coding", [None, "gzip"])
async def test_content_that_is_gone_is_a_clear_error_r12(
    served: Any, make: Callable[[], Any], coding: str | None
) -> None:
    session, server = served
    with pytest.raises(
        wayfare.ClientPayloadError, match="a 307 redirect asks for the content again"
    ):
        await session.post("/away", data=make(), compress=coding)
    assert len(server.requests) == 1
    assert session.connector.stats().leased == 0


@kinds(REPLAYED)
@pytest.mark.parametrize("coding", [None, "gzip"])
async def test_a_retry_sends_it_again_l9(
    serve: Any, make: Callable[[], Any], coding: str | None
) -> None:
    ok = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    losing = (ReadRequest(), ok, ReadRequest(), Fin())
    async with serve(losing, (Serve(reply),)) as (session, server):
        await session.get("/first")
        response = await session.put("/second", data=make(), compress=coding)
        assert response.status == 200
    first, second = server.peers[0].requests[1], server.peers[1].requests[0]
    assert first.body == second.body


@kinds(ONCE)
async def test_a_retry_without_the_content_is_none_l9(serve: Any, make: Callable[[], Any]) -> None:
    ok = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    async with serve((ReadRequest(), ok, ReadRequest(), Fin()), (Serve(reply),)) as pair:
        session, server = pair
        await session.get("/first")
        with pytest.raises(wayfare.ServerDisconnectedError):
            await session.put("/second", data=make())
    assert len(server.peers) == 1


# -- coded by the caller ----------------------------------------------------------------------------------------------


async def test_a_label_of_ones_own_is_for_content_that_is_coded_already(served: Any) -> None:
    session, server = served
    coded = gzip.compress(BIG)
    label = {"Content-Encoding": "gzip"}
    for data in (coded, io.BytesIO(coded), iter([coded])):
        await session.post("/", data=data, headers=label)
        assert server.requests[-1].body == coded
        assert server.requests[-1].get("Content-Encoding") == "gzip"


async def test_a_payload_brings_its_label(served: Any) -> None:
    session, server = served
    coded = gzip.compress(BIG)
    fields = {"Content-Encoding": "gzip", "Content-Language": "en", "Content-Length": "1"}
    await session.post("/", data=BytesPayload(coded, fields))
    request = server.requests[-1]
    assert (request.body, await decoded(request)) == (coded, BIG)
    assert request.get("Content-Language") == "en"
    assert request.get("Content-Length") == str(len(coded))
    with pytest.raises(ValueError, match="compress and a Content-Encoding field"):
        await session.post("/", data=BytesPayload(coded, fields), compress="gzip")
    await session.post(
        "/",
        data=BytesPayload(b"x", fields),
        headers={"Content-Language": "de"},
        skip_auto_headers=["Content-Encoding"],
    )
    request = server.requests[-1]
    assert (request.get("Content-Encoding"), request.get("Content-Language")) == (None, "de")


async def test_a_payload_that_a_middleware_puts_in_place_brings_its_label(served: Any) -> None:
    async def put_in_place(request: Any, handler: Any) -> Any:
        await request.update_body(BytesPayload(b"x", {"Content-Language": "en"}))
        return await handler(request)

    session, server = served
    await session.post("/", data=b"other", middlewares=[put_in_place])
    assert server.requests[-1].get("Content-Language") == "en"


async def test_a_generator_is_closed_when_its_upload_ends(serve: Any) -> None:
    closed = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield BIG
        finally:
            closed.append(True)

    refusing = b"HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    async with serve((ReadHead(), Send(refusing), Fin())) as (session, _):
        response = await session.post("/", data=endless(), compress="gzip")
        assert response.status == 413
    assert closed == [True]
