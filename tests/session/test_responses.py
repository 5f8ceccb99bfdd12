"""What a response gives: its head, its content in every form, and back its connection."""

import asyncio
import gzip
import sys
import warnings
import zlib
from typing import Any

import pytest
import wayfare
from wayfare_http_core import BadHttpMessage, ContentEncodingError, IncompleteBodyError
from wayfare_http_core.testing import Fin, ReadRequest, Repeat, Reset, Send, Stall


def plain(body: bytes, *fields: str) -> tuple[str, bytes]:
    lines = ["HTTP/1.1 200 OK", *fields, f"Content-Length: {len(body)}"]
    return "\n".join(lines), body


async def test_the_head(serve: Any) -> None:
    head = "HTTP/1.1 404 Nicht gefunden\nX-One: 1\nx-two: ä\nX-ONE: 2\nContent-Length: 0"
    async with serve(head) as (session, _):
        response = await session.get("/a?b=c#frag")
    assert (response.status, response.reason, response.ok) == (404, "Nicht gefunden", False)
    assert response.version == wayfare.HttpVersion11
    assert response.method == "GET"
    assert response.headers.getall("x-one") == ["1", "2"]
    assert response.headers["X-Two"] == "ä"
    assert response.raw_headers[1] == (b"x-two", "ä".encode())
    assert response.url.path_qs == "/a?b=c"
    assert not response.url.fragment
    assert response.real_url.fragment == "frag"
    assert response.host == "127.0.0.1"
    assert response.content_length == 0
    assert response.history == ()
    assert response.request_info.method == "GET"
    assert response.request_info.url == response.url
    assert response.request_info.real_url == response.real_url
    assert response.request_info.headers["Accept"] == "*/*"
    assert repr(response) == f"<ClientResponse({response.url}) [404 Nicht gefunden]>"
    assert response.closed


async def test_a_head_without_content_length(serve: Any) -> None:
    async with serve("HTTP/1.1 204 No Content") as (session, _):
        response = await session.get("/")
    assert response.content_length is None
    assert await response.read() == b""


async def test_read_is_kept(serve: Any) -> None:
    async with serve(plain(b"content")) as (session, _), session.get("/") as response:
        assert await response.read() == b"content"
        assert await response.read() == b"content"
        assert await response.text() == "content"


async def test_read_of_content_that_comes_later(serve: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"
    async with serve((ReadRequest(), Send(head + b"abc"), Send(b"def"))) as (session, _):
        response = await session.get("/")
        assert await response.read() == b"abcdef"
        assert await response.read() == b"abcdef"
        assert response.closed


async def test_read_after_reading_the_stream_says_how_much_is_gone(serve: Any) -> None:
    async with serve(plain(b"content")) as (session, _):
        response = await session.get("/")
        assert await response.content.read(3) == b"con"
        for read in (response.read, response.text):
            with pytest.raises(RuntimeError, match="3 octets of the content were read"):
                await read()
        assert await response.content.read() == b"tent"


@pytest.mark.parametrize(
    ("content_type", "content", "text"),
    [
        ("text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
        ("text/plain; charset=no-such", "café".encode(), "café"),
        ("text/plain; charset=hex", "café".encode(), "café"),
        ("text/plain; charset=punycode", "café".encode(), "café"),
        ("text/plain; charset=iso-8859-99", "café".encode(), "café"),
        ("text/plain; charset=Shift_JIS", "日本".encode("shift_jis"), "日本"),
        ("text/plain; charset=windows-1251", "Бя".encode("cp1251"), "Бя"),
        ("text/plain; charset=GB18030", "汉字".encode("gb18030"), "汉字"),
        ('text/plain; charset="utf-16-le"', "café".encode("utf-16-le"), "café"),
        ("text/plain", "café".encode(), "café"),
    ],
)
async def test_text_uses_the_charset(
    serve: Any, content_type: str, content: bytes, text: str
) -> None:
    script = plain(content, f"Content-Type: {content_type}")
    async with serve(script) as (session, _), session.get("/") as response:
        assert await response.text() == text


async def test_text_with_an_encoding_of_the_caller(serve: Any) -> None:
    async with serve(plain(b"\xc1\xff")) as (session, _), session.get("/") as response:
        assert await response.text("cp1251") == "Бя"
        assert await response.text(errors="replace") == "��"
        with pytest.raises(UnicodeDecodeError):
            await response.text()


async def test_the_media_type(serve: Any) -> None:
    script = plain(b"", "Content-Type: Text/HTML; Charset=UTF-8")
    async with serve(script) as (session, _), session.get("/") as response:
        assert (response.content_type, response.charset) == ("text/html", "UTF-8")
    async with serve(plain(b"")) as (session, _), session.get("/") as response:
        assert (response.content_type, response.charset) == ("application/octet-stream", None)
    async with serve(plain(b"", "Content-Type: ???")) as (session, _), session.get("/") as response:
        assert response.content_type == "application/octet-stream"


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/problem+json; charset=utf-8"]
)
async def test_json(serve: Any, content_type: str) -> None:
    script = plain(b'{"a": [1, "\xc3\xbc"]}', f"Content-Type: {content_type}")
    async with serve(script) as (session, _), session.get("/") as response:
        assert await response.json() == {"a": [1, "ü"]}
        assert await response.json(loads=len) == 15


async def test_json_of_another_type_is_refused_unless_asked(serve: Any) -> None:
    script = plain(b"[1]", "Content-Type: text/plain")
    async with serve(script) as (session, _), session.get("/") as response:
        with pytest.raises(wayfare.ContentTypeError, match="'text/plain', not 'application/json'"):
            await response.json()
        assert await response.json(content_type=None) == [1]
        assert await response.json(content_type="Text/Plain") == [1]
        assert await response.json(content_type="text/plain", encoding="utf-8") == [1]


async def test_empty_json_is_none(serve: Any) -> None:
    script = plain(b" \n", "Content-Type: application/json")
    async with serve(script) as (session, _), session.get("/") as response:
        assert await response.json() is None


@pytest.mark.parametrize(
    ("coding", "encoded"),
    [
        ("gzip", gzip.compress(b"content" * 99, mtime=0)),
        ("GZIP", gzip.compress(b"content" * 99, mtime=0)),
        ("deflate", zlib.compress(b"content" * 99)),
        ("deflate, gzip", gzip.compress(zlib.compress(b"content" * 99), mtime=0)),
    ],
)
async def test_codings_are_undone(serve: Any, coding: str, encoded: bytes) -> None:
    script = plain(encoded, f"Content-Encoding: {coding}")
    async with serve(script) as (session, _), session.get("/") as response:
        assert await response.read() == b"content" * 99
        assert response.headers["Content-Encoding"] == coding
        assert response.content_length == len(encoded)


async def test_codings_stay_where_asked_for_or_unknown(serve: Any) -> None:
    encoded = gzip.compress(b"content")
    script = plain(encoded, "Content-Encoding: gzip")
    async with serve(script, auto_decompress=False) as (session, server):
        assert not session.auto_decompress
        assert await (await session.get("/")).read() == encoded
    assert server.peers[0].requests[0].get("accept-encoding") == "identity"
    async with serve(plain(b"what", "Content-Encoding: martian")) as (session, _):
        assert await (await session.get("/")).read() == b"what"


async def test_head_has_nothing_to_decode(serve: Any) -> None:
    """Z11: a coding without content is no error."""
    head = "HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 99"
    async with serve(head) as (session, _), session.head("/") as response:
        assert await response.read() == b""


async def test_corrupt_content_is_an_error_and_ends_the_connection(serve: Any) -> None:
    """Z11: whatever else the peer sends on that connection is not trusted."""
    script = plain(b"no gzip at all", "Content-Encoding: gzip")
    async with serve(script) as (session, _):
        response = await session.get("/")
        with pytest.raises(ContentEncodingError):
            await response.read()
        stats = session.connector.stats()
        assert (stats.idle, stats.leased) == (0, 0)


async def test_too_many_codings_are_an_error(serve: Any) -> None:
    """Z8."""
    script = plain(b"x", "Content-Encoding: " + ", ".join(["gzip"] * 6))
    async with serve(script) as (session, _):
        with pytest.raises(ContentEncodingError, match="more than 5") as caught:
            await session.get("/")
        assert caught.value.request_info is not None


async def test_a_status_raises_where_asked(serve: Any) -> None:
    script = (Repeat(ReadRequest(), Send(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno")),)
    async with serve(script, raise_for_status=True) as (session, _):
        assert session.raise_for_status is True
        with pytest.raises(wayfare.ClientResponseError) as caught:
            await session.get("/x")
        error = caught.value
        assert (error.status, error.message) == (503, "Busy")
        assert error.headers is not None
        assert error.headers["Content-Length"] == "2"
        assert error.request_info is not None
        assert str(error.request_info.url).endswith("/x")
        assert (await session.get("/", raise_for_status=False)).status == 503
        response = await session.get("/", raise_for_status=False)
        with pytest.raises(wayfare.ClientResponseError, match="503, message='Busy'"):
            response.raise_for_status()
        async with session.get("/", raise_for_status=False) as response:
            with pytest.raises(wayfare.ClientResponseError):
                response.raise_for_status()
            assert await response.text() == "no"
        assert session.connector.stats().leased == 0


async def test_raise_for_status_leaves_the_release_to_the_block(serve: Any) -> None:
    head = b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\n"
    async with serve((ReadRequest(), Send(head), Stall())) as (session, _):
        async with session.get("/") as response:
            with pytest.raises(wayfare.ClientResponseError):
                response.raise_for_status()
            assert not response.closed
        assert response.closed


async def test_raise_for_status_lets_the_rest_pass(serve: Any) -> None:
    async with serve("HTTP/1.1 204 No Content", raise_for_status=True) as (session, _):
        response = await session.get("/")
        response.raise_for_status()


async def test_a_status_is_judged_by_a_function(serve: Any) -> None:
    judged = []

    async def judge(response: wayfare.ClientResponse) -> None:
        judged.append(response.status)
        raise LookupError(await response.text())

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"
    async with serve((ReadRequest(), Send(head + b"x" * 200000))) as (session, _):
        with pytest.raises(LookupError, match="xxx"):
            await session.get("/", raise_for_status=judge)
        assert session.connector.stats().leased == 0
    assert judged == [200]


async def test_release_saves_the_connection_when_little_is_left(serve: Any) -> None:
    """B29: up to 64 KiB are read and dropped."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    script = (Repeat(ReadRequest(), Send(head), Send(b"x" * 1000)),)
    async with serve(script) as (session, server):
        for _ in range(3):
            response = await session.get("/")
            await response.release()
            response.release()
            assert response.closed
            while session.connector.stats().leased:
                await asyncio.sleep(0)
    assert len(server.peers) == 1


@pytest.mark.parametrize(
    "fields", ["Content-Length: 10000000", "X-Until: close", "Transfer-Encoding: chunked"]
)
async def test_release_closes_when_much_may_be_left(serve: Any, fields: str) -> None:
    """B29, L7."""
    head = f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n".encode()
    body = b"20000\r\n" + b"x" * 0x20000 + b"\r\n" if "chunked" in fields else b"x" * 100
    async with serve((ReadRequest(), Send(head + body), Stall())) as (session, _):
        async with session.get("/"):
            pass
        while session.connector.stats().leased:
            await asyncio.sleep(0)
        assert session.connector.stats().idle == 0


async def test_close_ends_the_connection(serve: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    async with serve((ReadRequest(), Send(head), Stall())) as (session, _):
        response = await session.get("/")
        assert not response.closed
        response.close()
        response.close()
        assert response.closed
        assert session.connector.stats().leased == 0
        with pytest.raises(wayfare.ClientConnectionError):
            await response.read()


async def test_close_of_a_complete_response_keeps_the_connection(serve: Any) -> None:
    async with serve(plain(b"x")) as (session, _):
        response = await session.get("/")
        response.close()
        assert session.connector.stats().idle == 1
        assert await response.read() == b"x"


async def test_async_with_a_response(serve: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    async with serve((ReadRequest(), Send(head), Stall())) as (session, _):
        response = await session.get("/")
        async with response as same:
            assert same is response
        assert response.closed
        with pytest.raises(wayfare.ClientConnectionError, match="released"):
            await response.read()


async def test_o8_a_dropped_response_warns_and_gives_its_connection_back(serve: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    async with serve((ReadRequest(), Send(head), Stall())) as (session, _):
        holder = [await session.get("/")]
        with pytest.warns(ResourceWarning, match=r"unclosed response <GET http.* \[200\]>"):
            holder.clear()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        # Ten octets are little: the rest is awaited, not cut off.
        assert session.connector.stats().leased == 1


async def test_o8_a_warning_that_is_an_error_costs_no_connection(serve: Any) -> None:
    """The connection is given back first."""
    head = b"HTTP/1.1 200 OK\r\nX-Until: close\r\n\r\n"
    async with serve((ReadRequest(), Send(head), Stall())) as (session, _):
        holder = [await session.get("/")]
        hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ResourceWarning)
                holder.clear()
        finally:
            sys.unraisablehook = hook
        while session.connector.stats().leased:
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (
            (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), Fin()),
            IncompleteBodyError,
        ),
        (
            (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), Reset()),
            IncompleteBodyError,
        ),
        ((ReadRequest(), Fin()), wayfare.ServerDisconnectedError),
        ((ReadRequest(), Reset()), wayfare.ClientOSError),
        ((ReadRequest(), Send(b"SSH-2.0-Open\r\n")), BadHttpMessage),
    ],
)
async def test_what_the_network_can_do_is_a_client_error(
    serve: Any, script: Any, error: type[Exception]
) -> None:
    """B13, H5: each with its name; the session goes on to work."""
    async with serve(script, plain(b"fine")) as (session, _):
        with pytest.raises(error) as caught:
            async with session.get("/") as response:
                await response.read()
        assert isinstance(caught.value, wayfare.ClientError)
        assert await (await session.get("/")).read() == b"fine"


async def test_a_malformed_answer_knows_its_request(serve: Any) -> None:
    async with serve((ReadRequest(), Send(b"HTTP/2.0 200 OK\r\n\r\n"))) as (session, _):
        with pytest.raises(BadHttpMessage) as caught:
            await session.get("/x")
        assert caught.value.request_info is not None
        assert str(caught.value.request_info.url).endswith("/x")


async def test_limits_of_the_session(serve: Any) -> None:
    head = "HTTP/1.1 200 OK\n" + "\n".join(f"X-{n}: {n}" for n in range(5)) + "\nContent-Length: 0"
    for options in ({"max_headers": 5}, {"max_field_size": 5}, {"max_line_size": 10}):
        async with serve(head, **options) as (session, _):
            with pytest.raises(BadHttpMessage):
                await session.get("/")
    async with serve(head, max_headers=6, read_bufsize=4096) as (session, _):
        assert (await session.get("/")).status == 200
