"""What users of aiohttp were taught to send, of 2018 and of today, with `import wayfare as aiohttp`."""

from __future__ import annotations

import asyncio
import base64
import functools
import io
import json
import zlib
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

import pytest
import wayfare as aiohttp
from wayfare import hdrs
from wayfare.streams import StreamReader
from wayfare_http_core.testing import Reply, ScriptedServer, Serve, listening

HUGE = bytes(range(256)) * 800


@pytest.fixture
def url(httpbin: str) -> str:
    """Where httpbin tells what was posted."""
    return f"{httpbin}/post"


async def posted(session: aiohttp.ClientSession, url: str, **options: Any) -> Any:
    """What httpbin says was posted."""
    async with session.post(url, **options) as resp:
        assert resp.status == 200
        return await resp.json()


def octets(told: Any) -> bytes:
    """The content that httpbin got, where it was no text."""
    _, marked, encoded = told["data"].partition(";base64,")
    return base64.b64decode(encoded) if marked else told["data"].encode()


# --- Forms and other values -----------------------------------------------------------------------


async def test_a_form(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        told = await posted(session, url, data={"key1": "value1", "key2": "value2"})
        assert told["form"] == {"key2": "value2", "key1": "value1"}
        told = await posted(session, url, data=[("key", "value1"), ("key", "value2")])
        assert told["form"] == {"key": ["value1", "value2"]}
        assert told["headers"]["Content-Type"] == "application/x-www-form-urlencoded"


async def test_binary_data(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        told = await posted(session, url, data=b"\x00Binary-data\x00")
        assert octets(told) == b"\x00Binary-data\x00"
        assert told["headers"]["Content-Type"] == "application/octet-stream"


async def test_a_content_type_of_the_callers(url: str) -> None:
    payload = b"GIF89a\x01\x00\x01\x00\x00\xff\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x00;"
    headers = {"content-type": "image/gif"}
    async with aiohttp.ClientSession() as session:
        told = await posted(session, url, data=payload, headers=headers)
        assert told["headers"]["Content-Type"] == "image/gif"
        assert octets(told) == payload


async def test_json_by_hand_and_by_its_argument(url: str) -> None:
    payload = {"some": "data"}
    async with aiohttp.ClientSession() as session:
        headers = {"content-type": "application/json"}
        told = await posted(session, url, data=json.dumps(payload), headers=headers)
        assert told["json"] == payload
        assert (await posted(session, url, json=payload))["json"] == payload


async def test_text(url: str) -> None:
    """`text=` stood in the pages of old and was never there; it works here, and says what to write."""
    async with aiohttp.ClientSession() as session:
        told = await posted(session, url, data="Тест")
        assert told["data"] == "Тест"
        assert told["headers"]["Content-Type"] == "text/plain; charset=utf-8"
        with pytest.warns(DeprecationWarning, match="data="):
            assert (await posted(session, url, text="Тест"))["data"] == "Тест"


async def test_a_multipart_encoded_file(url: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xls"
    report.write_bytes(b"a report")
    async with aiohttp.ClientSession() as session:
        with report.open("rb") as file:
            told = await posted(session, url, data={"file": file})
        assert told["files"] == {"file": "a report"}

        data = aiohttp.FormData()
        with report.open("rb") as file:
            data.add_field(
                "file", file, filename="report.xls", content_type="application/vnd.ms-excel"
            )
            data.add_field("note", "a field beside it")
            told = await posted(session, url, data=data)
        assert told["files"] == {"file": "a report"}
        assert told["form"] == {"note": "a field beside it"}


async def test_a_multipart_of_ones_own(url: str) -> None:
    with aiohttp.MultipartWriter("form-data") as mpwriter:
        mpwriter.append("value", {"Content-Disposition": 'form-data; name="key"'})
        part = mpwriter.append_json({"test": "passed"})
        part.set_content_disposition("form-data", name="json")
    async with aiohttp.ClientSession() as session:
        told = await posted(session, url, data=mpwriter)
    assert told["form"] == {"key": "value", "json": '{"test": "passed"}'}


async def test_a_multipart_that_is_described_after_it_was_put_together() -> None:
    """As the page about multipart has it: parts are appended first, then named, coded and nested."""
    with aiohttp.MultipartWriter("mixed") as root:
        text = root.append("hello")
        text.headers[hdrs.CONTENT_ID] = "X-12345"
        image = root.append(io.BytesIO(b"octets of an image"), {"Content-Type": "image/png"})
        image.set_content_disposition("attachment", filename="image.png")
        root.append(b"packed" * 100, {hdrs.CONTENT_ENCODING: "gzip"})
        root.append(b"line" * 40, {hdrs.CONTENT_TRANSFER_ENCODING: "base64"})
        root.append_form([("a", "1"), ("b", "2")])
        with aiohttp.MultipartWriter("related") as inner:
            inner.append_json({"nested": True})
        root.append(inner)

    def echo(request: Any) -> Reply:
        return Reply(request.body, fields=[("Content-Type", request.get("content-type"))])

    server = ScriptedServer([Serve(echo)])
    async with (
        listening(server) as (host, port),
        aiohttp.ClientSession() as session,
        session.post(f"http://{host}:{port}/", data=root) as resp,
    ):
        reader = aiohttp.MultipartReader.from_response(resp)
        parts = [await _told(part) async for part in reader]
    assert parts == [
        ("X-12345", None, b"hello"),
        (None, "image.png", b"octets of an image"),
        (None, None, b"packed" * 100),
        (None, None, b"line" * 40),
        (None, None, b"a=1&b=2"),
        [(None, None, b'{"nested": true}')],
    ]


async def _told(part: aiohttp.BodyPartReader | aiohttp.MultipartReader) -> Any:
    if isinstance(part, aiohttp.MultipartReader):
        return [await _told(one) async for one in part]
    return part.headers.get(hdrs.CONTENT_ID), part.filename, await part.read(decode=True)


async def test_a_multipart_response_is_read_part_by_part() -> None:
    with aiohttp.MultipartWriter("mixed", boundary=":") as mpwriter:
        mpwriter.append("one")
        mpwriter.append_json({"two": 2})
        with aiohttp.MultipartWriter("related") as inner:
            inner.append(b"three")
        mpwriter.append(inner)
    reply = Reply(await mpwriter.as_bytes(), fields=[("Content-Type", mpwriter.content_type)])
    server = ScriptedServer([Serve(lambda request: reply)])
    async with (
        listening(server) as (host, port),
        aiohttp.ClientSession() as session,
        session.get(f"http://{host}:{port}/") as resp,
    ):
        reader = aiohttp.MultipartReader.from_response(resp)
        found: list[object] = []
        async for part in reader:
            if isinstance(part, aiohttp.MultipartReader):
                async for inner_part in part:
                    assert isinstance(inner_part, aiohttp.BodyPartReader)
                    found.append(await inner_part.read())
            elif part.headers["Content-Type"].startswith("application/json"):
                found.append(await part.json())
            else:
                found.append(await part.text())
    assert found == ["one", {"two": 2}, b"three"]


async def test_precompressed_data(url: str) -> None:
    my_data = b"Binary-data" * 1000
    async with aiohttp.ClientSession() as session:
        data = zlib.compress(my_data)
        told = await posted(session, url, data=data, headers={"Content-Encoding": "deflate"})
    assert octets(told) == data
    assert told["headers"]["Content-Encoding"] == "deflate"
    assert told["headers"]["Content-Length"] == str(len(data))


async def test_data_that_the_client_compresses(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        told = await posted(session, url, data=b"data" * 100, compress="deflate")
    assert zlib.decompress(octets(told)) == b"data" * 100
    assert told["headers"]["Content-Encoding"] == "deflate"


# --- Streams --------------------------------------------------------------------------------------


@pytest.fixture
def huge_file(tmp_path: Path) -> Path:
    """A file of several pieces, which holds `HUGE`."""
    path = tmp_path / "massive-body"
    path.write_bytes(HUGE)
    return path


async def test_streaming_uploads(url: str, huge_file: Path) -> None:
    async with aiohttp.ClientSession() as session:
        with huge_file.open("rb") as f:
            told = await posted(session, url, data=f)
        assert octets(told) == HUGE
        assert told["headers"]["Content-Length"] == str(len(HUGE))
        told = await posted(session, url, data=io.BytesIO(b"in memory"))
        assert octets(told) == b"in memory"


async def test_an_asynchronous_generator(url: str, huge_file: Path) -> None:
    async def file_sender(file_name: Path) -> AsyncIterator[bytes]:
        with file_name.open("rb") as f:
            while chunk := f.read(64 * 1024):
                yield chunk

    async with aiohttp.ClientSession() as session:
        told = await posted(session, url, data=file_sender(file_name=huge_file))
    assert octets(told) == HUGE


async def test_a_streamer(url: str, huge_file: Path) -> None:
    """As of 2018, `async def`, and as of 2017, a generator: `yield from writer.write(…)`."""
    with pytest.warns(DeprecationWarning, match="streamer"):

        @aiohttp.streamer
        async def file_sender(writer: Any, file_name: Path | None = None) -> None:
            assert file_name is not None
            with file_name.open("rb") as f:
                chunk = f.read(2**16)
                while chunk:
                    await writer.write(chunk)
                    chunk = f.read(2**16)

    with pytest.warns(DeprecationWarning, match="streamer"):

        @aiohttp.streamer
        def old_sender(writer: Any, file_name: Path) -> Generator[Any, Any, None]:
            with file_name.open("rb") as f:
                for chunk in iter(functools.partial(f.read, 2**16), b""):
                    yield from writer.write(chunk)

    async with aiohttp.ClientSession() as session:
        for sender in (file_sender, old_sender):
            told = await posted(session, url, data=sender(file_name=huge_file))
            assert octets(told) == HUGE


async def test_requests_are_chained(httpbin: str, url: str) -> None:
    """The content of a GET is what a POST sends, as it arrives."""
    async with aiohttp.ClientSession() as session:
        r = await session.get(f"{httpbin}/bytes/30000?seed=7")
        told = await posted(session, url, data=r.content)
        async with session.get(f"{httpbin}/bytes/30000?seed=7") as again:
            assert octets(told) == await again.read()


async def test_a_stream_that_somebody_feeds(url: str) -> None:
    """`create_task` takes what the verbs return, and a reader needs no protocol to be made."""
    async with aiohttp.ClientSession() as session:
        stream = StreamReader()
        task = asyncio.get_running_loop().create_task(session.post(url, data=stream))

        async def chunks() -> AsyncIterator[bytes]:
            for number in range(5):
                await asyncio.sleep(0)
                yield b"chunk %d\n" % number

        async for chunk in chunks():
            stream.feed_data(chunk)
        stream.feed_eof()
        async with await task as resp:
            assert octets(await resp.json()) == b"".join(b"chunk %d\n" % n for n in range(5))


async def test_a_stream_of_asyncio(url: str) -> None:
    stream = asyncio.StreamReader()
    stream.feed_data(b"line\n" * 3)
    stream.feed_eof()
    async with aiohttp.ClientSession() as session:
        assert octets(await posted(session, url, data=stream)) == b"line\n" * 3


async def test_several_requests_gathered(httpbin: str) -> None:
    async with aiohttp.ClientSession(httpbin) as session:
        responses = await asyncio.gather(*[session.get("/get", params={"n": n}) for n in range(5)])
        told = [(await resp.json())["args"]["n"] for resp in responses]
    assert told == ["0", "1", "2", "3", "4"]
