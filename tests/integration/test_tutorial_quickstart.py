"""The quickstart that users of aiohttp learnt by, of 2018 and of today, with `import wayfare as aiohttp`.

What its pages print wrong is here in the nearest correct form; docs/how-to/come-from-aiohttp.md lists it.
"""

from __future__ import annotations

import asyncio
import functools
import json
from pathlib import Path
from typing import Any

import pytest
import wayfare as aiohttp
from wayfare_http_core.testing import Reply, ScriptedServer, Serve, listening
from yarl import URL

# --- Make a request, with parameters --------------------------------------------------------------


async def test_make_a_request(httpbin: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{httpbin}/get") as resp:
        assert resp.status == 200
        assert json.loads(await resp.text())["url"] == f"{httpbin}/get"


async def test_other_methods_are_available_as_well(httpbin: str) -> None:
    async with aiohttp.ClientSession() as session:
        for sent in (
            session.post(f"{httpbin}/post", data=b"data"),
            session.put(f"{httpbin}/put", data=b"data"),
            session.delete(f"{httpbin}/delete"),
            session.head(f"{httpbin}/get"),
            session.options(f"{httpbin}/get"),
            session.patch(f"{httpbin}/patch", data=b"data"),
        ):
            async with sent as resp:
                assert resp.status == 200
                if resp.method in {"POST", "PUT", "PATCH"}:
                    assert (await resp.json())["data"] == "data"


async def test_several_requests_to_one_site(httpbin: str) -> None:
    async with aiohttp.ClientSession(httpbin) as session:
        async with session.get("/get") as resp:
            assert resp.url == URL(httpbin) / "get"
        async with session.post("/post", data=b"data") as resp:
            assert resp.url == URL(httpbin) / "post"


async def test_a_request_without_a_session(httpbin: str) -> None:
    async with aiohttp.request("GET", f"{httpbin}/get") as resp:
        assert resp.status == 200
        assert (await resp.json())["args"] == {}


async def test_parameters_in_urls(httpbin: str) -> None:
    """The order is the one given; the pages of old show another."""
    async with aiohttp.ClientSession() as session:
        params: Any
        for params, query in (
            ({"key1": "value1", "key2": "value2"}, "key1=value1&key2=value2"),
            ([("key", "value1"), ("key", "value2")], "key=value1&key=value2"),
            ("key=value+1", "key=value+1"),
            ({"key": "value+1"}, "key=value%2B1"),
            ({"key": "value 1"}, "key=value+1"),
            ({"limit": 3, "scale": 0.5}, "limit=3&scale=0.5"),
        ):
            async with session.get(f"{httpbin}/get", params=params) as resp:
                assert str(resp.url) == f"{httpbin}/get?{query}"


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        pytest.param(
            "http://example.com/путь%30?a=%31",
            "http://example.com/%D0%BF%D1%83%D1%82%D1%8C0?a=1",
            id="requoted",
        ),
        pytest.param(
            URL("http://example.com/%30", encoded=True), "http://example.com/%30", id="encoded"
        ),
        pytest.param("http://пример.рф/", "http://xn--e1afmkfd.xn--p1ai/", id="idna"),
    ],
)
async def test_urls_are_quoted_and_names_are_idna(httpbin: str, url: str | URL, asked: str) -> None:
    """A proxy is asked for the URL as it is: httpbin tells where it took itself to be asked."""
    async with (
        aiohttp.ClientSession(proxy=httpbin) as session,
        session.get(url) as resp,
    ):
        assert str(resp.url) == str(URL(asked, encoded=True))
        assert resp.request_info.url == resp.url


async def test_a_host_in_another_script_is_asked_by_its_ascii_name(httpbin: str) -> None:
    """Through a resolver that knows the name; the field of the request is the encoded one."""
    address = URL(httpbin)
    assert address.host is not None
    resolver = aiohttp.StaticResolver({"xn--e1afmkfd.xn--p1ai": [address.host]})
    connector = aiohttp.TCPConnector(resolver=resolver)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"http://пример.рф:{address.port}/headers") as resp,
    ):
        told = await resp.json()
        assert told["headers"]["Host"] == f"xn--e1afmkfd.xn--p1ai:{address.port}"


# --- Read the response ----------------------------------------------------------------------------


async def test_response_content_as_text(httpbin: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{httpbin}/encoding/utf8") as resp:
            assert "Зарегистрируйтесь" in await resp.text()
        async with session.get(f"{httpbin}/encoding/utf8") as resp:
            assert await resp.text(encoding="windows-1251", errors="replace")
            assert (await resp.text("utf-8")).startswith("<h1>Unicode Demo</h1>")


async def test_character_set_detection() -> None:
    """Where a server does not say it: asked with the response and its content, as libraries that guess want it."""
    asked: list[tuple[int, int]] = []

    def detect(resp: aiohttp.ClientResponse, body: bytes) -> str:
        asked.append((resp.status, len(body)))
        return "koi8-r"

    server = ScriptedServer([Serve(lambda request: Reply("Тест".encode("koi8-r")))])
    async with (
        listening(server) as (host, port),
        aiohttp.ClientSession(fallback_charset_resolver=detect) as session,
        session.get(f"http://{host}:{port}/") as resp,
    ):
        assert await resp.text() == "Тест"
        assert resp.get_encoding() == "koi8-r"
    assert asked[0] == (200, 4)


async def test_binary_response_content(httpbin: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{httpbin}/image/png") as resp:
        assert (await resp.read()).startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("path", "told"), [("gzip", "gzipped"), ("deflate", "deflated"), ("brotli", "brotli")]
)
async def test_codings_are_decoded_for_you(httpbin: str, path: str, told: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{httpbin}/{path}") as resp:
        assert (await resp.json())[told] is True


async def test_json_request(httpbin: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{httpbin}/post", json={"test": "object"}) as resp,
    ):
        told = await resp.json()
        assert told["json"] == {"test": "object"}
        assert told["headers"]["Content-Type"] == "application/json"


async def test_json_by_another_library(httpbin: str) -> None:
    """Any function that turns a value into str will do, or into bytes."""
    dumps = functools.partial(json.dumps, separators=(",", ":"), sort_keys=True)
    async with (
        aiohttp.ClientSession(json_serialize=dumps) as session,
        session.post(f"{httpbin}/post", json={"test": "object", "a": 1}) as resp,
    ):
        assert (await resp.json())["data"] == '{"a":1,"test":"object"}'

    def dumpb(value: object) -> bytes:
        return json.dumps(value).encode("utf-8")

    async with (
        aiohttp.ClientSession(json_serialize_bytes=dumpb) as session,
        session.post(f"{httpbin}/post", json=["☃"]) as resp,
    ):
        assert (await resp.json(loads=json.loads))["json"] == ["☃"]


async def test_json_of_a_server_that_says_otherwise(httpbin: str) -> None:
    path = "/base64/eyJ0ZXN0IjogIm9iamVjdCJ9"
    async with aiohttp.ClientSession(httpbin) as session, session.get(path) as resp:
        assert resp.content_type == "text/html"
        with pytest.raises(aiohttp.ContentTypeError):
            await resp.json()
        assert await resp.json(content_type=None) == {"test": "object"}


async def test_streaming_response_content(httpbin: str, tmp_path: Path) -> None:
    filename = tmp_path / "download"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{httpbin}/bytes/5000") as resp:
            assert len(await resp.content.read(10)) == 10

        async with session.get(f"{httpbin}/stream-bytes/50000?seed=1") as resp:
            with filename.open("wb") as fd:
                async for chunk in resp.content.iter_chunked(1024):
                    fd.write(chunk)
        assert filename.stat().st_size == 50_000

        again = bytearray()
        async with session.get(f"{httpbin}/stream-bytes/50000?seed=1") as resp:
            while True:  # As of 2018.
                chunk = await resp.content.read(4096)
                if not chunk:
                    break
                again += chunk
        assert filename.read_bytes() == again


async def test_lines_of_the_content(httpbin: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{httpbin}/stream/3") as resp:
        assert [json.loads(line)["id"] async for line in resp.content] == [0, 1, 2]


async def test_chunks_as_the_server_sent_them(httpbin: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{httpbin}/stream/3") as resp:
        buffer = b""
        whole = []
        async for data, end_of_http_chunk in resp.content.iter_chunks():
            buffer += data
            if end_of_http_chunk:
                whole.append(json.loads(buffer)["id"])
                buffer = b""
        assert whole == [0, 1, 2]


async def test_the_ways_to_read_a_stream(httpbin: str) -> None:
    """As the page about streams lists them."""
    async with aiohttp.ClientSession(httpbin) as session:
        async with session.get("/bytes/1000?seed=3") as resp:
            whole = await resp.read()
        async with session.get("/bytes/1000?seed=3") as resp:
            stream = resp.content
            ended = asyncio.get_running_loop().create_future()
            stream.on_eof(lambda: ended.set_result(stream.is_eof()))
            exact = await stream.readexactly(10)
            some = await stream.readany()
            rest = await stream.read()
            await stream.wait_eof()
            assert exact + some + rest == whole
            assert stream.at_eof()
            assert await ended
            assert stream.total_bytes == 1000
            with pytest.raises(asyncio.IncompleteReadError):
                await stream.readexactly(1)
        async with session.get("/bytes/1000?seed=3") as resp:
            assert b"".join([data async for data in resp.content.iter_any()]) == whole
        async with session.get("/robots.txt") as resp:
            assert await resp.content.readline() == b"User-agent: *\n"
            assert await resp.content.readuntil(b"/") == b"Disallow: /"
            assert resp.content.read_nowait() == b"deny\n"


async def test_a_status_that_raises(httpbin: str) -> None:
    async with aiohttp.ClientSession(httpbin, raise_for_status=True) as session:
        with pytest.raises(aiohttp.ClientResponseError, match="404"):
            await session.get("/status/404")
        async with session.get("/status/404", raise_for_status=False) as resp:
            assert not resp.ok
            with pytest.raises(aiohttp.ClientResponseError) as caught:
                resp.raise_for_status()
    assert caught.value.status == 404
    assert caught.value.message == "NOT FOUND"
    assert caught.value.request_info is not None
    assert caught.value.request_info.real_url == URL(httpbin) / "status/404"


# --- Time -----------------------------------------------------------------------------------------


async def test_timeouts_as_numbers_and_as_values(httpbin: str) -> None:
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(httpbin, timeout=timeout) as session:
        async with session.get("/get", timeout=60) as resp:
            assert resp.status == 200
        for never in (None, 0):
            async with session.get("/get", timeout=never) as resp:
                assert resp.status == 200
        with pytest.raises(asyncio.TimeoutError):
            await session.get("/delay/10", timeout=0.05)
        with pytest.raises(aiohttp.ServerTimeoutError):
            await session.get("/delay/10", timeout=aiohttp.ClientTimeout(sock_read=0.05))


async def test_a_timeout_around_it_all(httpbin: str) -> None:
    """`async_timeout` of 2018 is `asyncio.timeout` today; the request leaves nothing behind."""

    async def read(session: aiohttp.ClientSession) -> str:
        async with asyncio.timeout(0.05):
            async with session.get(f"{httpbin}/delay/10") as r:
                return await r.text()

    async with aiohttp.ClientSession() as session:
        with pytest.raises(asyncio.TimeoutError):
            await read(session)
        stats = session.connector.stats()
        assert (stats.leased, stats.connecting) == (0, 0)
        async with asyncio.timeout(60), session.get(f"{httpbin}/get") as r:
            assert r.status == 200


async def test_graceful_shutdown(httpbin: str) -> None:
    """No sleep before the loop ends: closing the session waits for what has to be waited for."""

    async def read_website() -> int:
        async with aiohttp.ClientSession() as session, session.get(f"{httpbin}/get") as resp:
            await resp.read()
            return resp.status

    def main() -> int:
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(read_website())
        finally:
            loop.close()

    assert await asyncio.to_thread(main) == 200
