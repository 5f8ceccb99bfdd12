"""`data=` that is a form, a file, parts: what arrives, what is sent again, and what is not."""

import io
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import wayfare
from wayfare._bodies import EncodedBody, UntypedBody, body_from_data
from wayfare_http_core import RequestBody
from wayfare_http_core.testing import ReceivedRequest, Reply, Serve, check_request_body
from wayfare_multipart import (
    PAYLOAD_REGISTRY,
    BodyPartReader,
    BytesPayload,
    FormData,
    MultipartReader,
    MultipartWriter,
    PayloadRegistry,
    PayloadSizeError,
    StringPayload,
)

BIG = bytes(range(256)) * 5_000


def reply(request: ReceivedRequest) -> Reply:
    if request.path == "/away":
        return Reply(status=307, fields={"Location": "/here"})
    return Reply(request.body)


@pytest.fixture
async def echo(serve: Any) -> AsyncIterator[Any]:
    """A session and its server, which answers with the body that it got."""
    async with serve((Serve(reply),)) as pair:
        yield pair


async def sent(echo: Any, data: Any, path: str = "/") -> tuple[bytes, ReceivedRequest]:
    session, server = echo
    async with session.post(path, data=data) as response:
        return await response.read(), server.requests[-1]


async def given() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"b"


def parts(file: BinaryIO) -> MultipartWriter:
    writer = MultipartWriter("form-data", boundary="b")
    writer.append("text")
    writer.append(file)
    return writer


@pytest.mark.parametrize(
    "make",
    [
        lambda file: given(),
        lambda file: iter([b"a", b"b"]),
        lambda file: io.BytesIO(BIG),
        lambda file: file,
        parts,
    ],
    ids=["async", "iterator", "memory", "file", "parts"],
)
async def test_bodies_pass_the_suite_for_them(make: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BIG)
    with ExitStack() as files:

        def body() -> RequestBody:
            found, _ = body_from_data(make(files.enter_context(path.open("rb"))))
            assert not isinstance(found, bytes)
            return found

        await check_request_body(body)
        await check_request_body(lambda: UntypedBody(body()))
        await check_request_body(lambda: EncodedBody(body(), "gzip"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"a": "1", "b": "x y"}, b"a=1&b=x+y"),
        ([("a", "1"), ("a", "2")], b"a=1&a=2"),
        (("a", "é"), b"a=%C3%A9"),
        (FormData({"a": "1"}), b"a=1"),
        ({}, b""),
    ],
)
async def test_fields_are_a_urlencoded_form(echo: Any, data: Any, expected: bytes) -> None:
    body, request = await sent(echo, data)
    assert body == expected
    assert request.get("Content-Type") == "application/x-www-form-urlencoded"
    assert request.get("Content-Length") == str(len(expected))


async def test_a_file_among_them_makes_a_form_of_parts(echo: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(BIG)
    with path.open("rb") as file:
        body, request = await sent(echo, {"text": "é", "file": file})
    assert b'name="text"\r\n\r\n\xc3\xa9\r\n' in body
    assert b'name="file"; filename="a.bin"' in body
    assert BIG in body
    assert (request.get("Content-Type") or "").startswith("multipart/form-data; boundary=")
    assert request.get("Content-Length") == str(len(body))


async def test_a_file_is_a_body(echo: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(BIG)
    with path.open("rb") as file:
        file.seek(7)
        body, request = await sent(echo, file)
        assert body == BIG[7:]
        assert request.get("Content-Type") == "application/json"
        assert request.get("Content-Length") == str(len(BIG) - 7)
        assert request.get("Content-Disposition") is None
        again, _ = await sent(echo, io.BytesIO(b"abc"))
        assert again == b"abc"


def pieces() -> Iterator[bytes]:
    yield b"a"
    yield b"b"


async def test_payloads_and_parts(echo: Any) -> None:
    writer = MultipartWriter("mixed", "xyz")
    writer.append("text")
    body, request = await sent(echo, writer)
    assert body == b"".join(writer.iter_bytes())
    assert request.get("Content-Type") == "multipart/mixed; boundary=xyz"
    body, request = await sent(echo, StringPayload("é", encoding="latin-1"))
    assert (body, request.get("Content-Type")) == (b"\xe9", "text/plain; charset=latin-1")
    body, request = await sent(echo, BytesPayload(b"x", content_type="a/b"))
    assert (body, request.get("Content-Type"), request.get("Content-Length")) == (b"x", "a/b", "1")
    body, request = await sent(echo, pieces())
    assert (body, request.chunked) == (b"ab", True)


async def test_what_a_streamer_writes(echo: Any) -> None:
    with pytest.warns(DeprecationWarning, match="async generator"):

        @wayfare.streamer
        def sender(writer: Any, times: int = 1) -> Iterator[Any]:
            for _ in range(times):
                yield from writer.write(b"ab")

    body, request = await sent(echo, sender(times=3))
    assert (body, request.chunked) == (b"ababab", True)


async def test_a_form_is_sent_again_by_a_redirect_that_keeps_it_r12(echo: Any) -> None:
    file = io.BytesIO(BIG)
    body, request = await sent(echo, {"file": file}, "/away")
    assert request.target == "/here"
    assert BIG in body
    with pytest.raises(wayfare.ClientPayloadError, match="only once"):
        await sent(echo, {"stream": pieces()}, "/away")


class Shrinking(io.BytesIO):
    """A file that has less than it said."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(10) if self.tell() < 20 else b""


async def test_a_file_that_shrinks_is_an_error_and_no_message_m4(echo: Any) -> None:
    session, server = echo
    with pytest.raises(PayloadSizeError, match="ended after 20 of"):
        await session.post("/", data=Shrinking(BIG))
    assert session.connector.stats().leased == 0
    assert server.requests == []


@pytest.mark.parametrize("data", [5, object(), 1.5])
async def test_what_cannot_be_sent(echo: Any, data: object) -> None:
    session, server = echo
    with pytest.raises(TypeError, match=f"not {type(data).__name__}"):
        await session.post("/", data=data)
    with pytest.raises(TypeError, match="a form cannot send a object"):
        await session.post("/", data={"a": object()})
    assert server.requests == []


def test_a_session_without_forms_loads_none() -> None:
    program = (
        "import sys, wayfare; wayfare.ClientSession(); print('wayfare_multipart' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


async def test_a_part_that_is_being_read_goes_on_as_what_it_is(echo: Any) -> None:
    """Its encoding is undone on the way, and its type stays."""

    async def arriving() -> AsyncIterator[bytes]:
        yield b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        yield b"aGVsbG8=\r\n--b--\r\n"

    async for part in MultipartReader({"Content-Type": "multipart/mixed; boundary=b"}, arriving()):
        assert isinstance(part, BodyPartReader)
        body, request = await sent(echo, part)
    assert body == b"hello"
    assert request.get("Content-Type") == "image/png"


async def test_a_registered_type_that_is_an_async_iterable(serve: Any) -> None:
    class Lines:
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"never asked"

    registry = PayloadRegistry(PAYLOAD_REGISTRY)
    registry.register(lambda _: StringPayload("lines"), Lines)
    async with serve((Serve(reply),), payload_registry=registry) as pair:
        body, request = await sent(pair, Lines())
    assert body == b"lines"
    assert request.get("Content-Type") == "text/plain; charset=utf-8"
