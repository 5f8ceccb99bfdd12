"""What httpbin answers: status codes, headers, encodings, ranges and bodies of many kinds."""

from __future__ import annotations

import random
from http import HTTPStatus

import pytest
from wayfare import ClientResponseError, ClientSession, ContentTypeError

REDIRECTS = {301, 302, 303, 305, 307, 308}
FINAL = [status for status in HTTPStatus if status >= 200 and status not in REDIRECTS]

# --- Status codes ---


@pytest.mark.parametrize("status", FINAL, ids=int)
async def test_every_final_status_is_an_answer(client: ClientSession, status: HTTPStatus) -> None:
    async with client.get(f"/status/{status.value}") as response:
        await response.read()
    assert response.status == status
    assert response.reason
    assert response.ok == (status < 400)


@pytest.mark.parametrize("status", [299, 499, 599])
async def test_a_status_no_rfc_knows_is_an_answer_too(client: ClientSession, status: int) -> None:
    async with client.get(f"/status/{status}") as response:
        assert response.status == status


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_no_content_has_no_body_whatever_the_method(
    client: ClientSession, method: str
) -> None:
    async with client.request(method, "/status/204") as response:
        assert response.status == 204
        assert "Content-Length" not in response.headers
        assert await response.read() == b""


async def test_the_reason_is_the_servers_own(client: ClientSession) -> None:
    async with client.get("/status/418") as response:
        assert response.reason == "I'M A TEAPOT"
        assert "teapot" in await response.text()


async def test_raise_for_status_by_hand(client: ClientSession) -> None:
    async with client.get("/status/500") as response:
        with pytest.raises(ClientResponseError) as caught:
            response.raise_for_status()
    assert caught.value.status == 500
    assert caught.value.message == "INTERNAL SERVER ERROR"


async def test_raise_for_status_of_one_request(client: ClientSession) -> None:
    with pytest.raises(ClientResponseError) as caught:
        await client.get("/status/404", raise_for_status=True)
    assert caught.value.status == 404
    request = caught.value.request_info
    assert request is not None
    assert request.method == "GET"
    assert str(request.url).endswith("/status/404")


async def test_raise_for_status_of_a_session_and_the_request_that_opts_out(httpbin: str) -> None:
    async with ClientSession(httpbin, raise_for_status=True) as session:
        with pytest.raises(ClientResponseError):
            await session.get("/status/403")
        async with session.get("/status/403", raise_for_status=False) as response:
            assert response.status == 403
        async with session.get("/status/200") as response:
            assert response.status == 200


# --- Headers ---


async def test_header_names_match_in_any_case(client: ClientSession) -> None:
    async with client.get("/response-headers", params={"X-North": "0"}) as response:
        assert response.headers["x-north"] == "0"
        assert response.headers["X-NORTH"] == "0"
        assert response.headers.get("X-South") is None


async def test_a_repeated_header_keeps_its_values_in_order(client: ClientSession) -> None:
    params = [("X-Way", "1"), ("X-Other", "-"), ("X-Way", "2")]
    async with client.get("/response-headers", params=params) as response:
        assert response.headers.getall("X-Way") == ["1", "2"]


async def test_raw_headers_are_the_bytes_on_the_wire(client: ClientSession) -> None:
    async with client.get("/response-headers", params={"X-Latin": "é", "X-b": "ok"}) as response:
        assert (b"X-Latin", b"\xe9") in response.raw_headers  # WSGI headers are latin-1.
        assert (b"X-b", b"ok") in response.raw_headers


# --- Content codings ---


@pytest.mark.parametrize(("coding", "flag"), [("gzip", "gzipped"), ("deflate", "deflated")])
async def test_a_coded_body_is_decoded(client: ClientSession, coding: str, flag: str) -> None:
    async with client.get(f"/{coding}") as response:
        assert response.headers["Content-Encoding"] == coding
        assert (await response.json())[flag] is True


async def test_a_coded_body_can_be_read_in_pieces(client: ClientSession) -> None:
    async with client.get("/gzip") as response:
        pieces = [piece async for piece in response.content.iter_chunked(7)]
    assert {len(piece) for piece in pieces[:-1]} == {7}
    assert b'"gzipped": true' in b"".join(pieces)


async def test_a_coded_body_is_left_alone_on_request(httpbin: str) -> None:
    async with (
        ClientSession(httpbin, auto_decompress=False) as session,
        session.get("/gzip") as response,
    ):
        assert (await response.read())[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("path", ["/gzip", "/deflate", "/bytes/1000", "/stream/3", "/html"])
async def test_head_never_waits_for_a_body(client: ClientSession, path: str) -> None:
    """A coding, a length or chunked framing of the GET's body stands in the head all the same."""
    async with client.head(path) as response:
        assert response.status == 200
        assert await response.read() == b""
    async with client.get("/get") as response:
        assert response.status == 200


# --- Text and media types ---


async def test_text_is_decoded_by_its_charset(client: ClientSession) -> None:
    async with client.get("/encoding/utf8") as response:
        text = await response.text()
    assert response.charset == "utf-8"
    assert "STARGΛ̊TE" in text
    assert "コンニチハ" in text


async def test_text_can_be_decoded_otherwise(client: ClientSession) -> None:
    async with client.get("/response-headers", params={"X": "1"}) as response:
        assert '"X": "1"' in await response.text(encoding="latin-1")


@pytest.mark.parametrize(
    ("path", "kind", "start"),
    [
        ("/html", "text/html", b"<!DOCTYPE html>"),
        ("/xml", "application/xml", b"<?xml"),
        ("/json", "application/json", b"{"),
        ("/robots.txt", "text/plain", b"User-agent"),
        ("/image/png", "image/png", b"\x89PNG\r\n"),
        ("/image/jpeg", "image/jpeg", b"\xff\xd8"),
        ("/image/webp", "image/webp", b"RIFF"),
        ("/image/svg", "image/svg+xml", b"<svg "),
    ],
)
async def test_bodies_of_many_kinds(
    client: ClientSession, path: str, kind: str, start: bytes
) -> None:
    async with client.get(path) as response:
        assert response.content_type == kind
        assert (await response.read()).startswith(start)


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/webp", "image/svg+xml"])
async def test_the_server_chooses_by_accept(client: ClientSession, kind: str) -> None:
    async with client.get("/image", headers={"Accept": kind}) as response:
        assert response.content_type == kind


async def test_json_of_another_media_type_is_refused_unless_asked_for(
    client: ClientSession,
) -> None:
    async with client.get("/base64/WzEsIDJd") as response:
        with pytest.raises(ContentTypeError):
            await response.json()
        assert await response.json(content_type=None) == [1, 2]


# --- Bytes, ranges and conditions ---


@pytest.mark.parametrize("size", [1, 1024, 65_536, 102_400])
async def test_a_sized_body_comes_whole(client: ClientSession, size: int) -> None:
    async with client.get(f"/bytes/{size}", params={"seed": "7"}) as response:
        body = await response.read()
    generator = random.Random(7)
    assert body == bytes(generator.randint(0, 255) for _ in range(size))
    assert response.headers["Content-Length"] == str(size)


async def test_an_empty_body_is_a_body(client: ClientSession) -> None:
    async with client.get("/bytes/0") as response:
        assert response.headers["Content-Length"] == "0"
        assert await response.read() == b""
        assert response.content.at_eof()


@pytest.mark.parametrize(
    ("asked", "content_range", "body"),
    [
        ("bytes=0-4", "bytes 0-4/26", b"abcde"),
        ("bytes=20-", "bytes 20-25/26", b"uvwxyz"),
        ("bytes=-3", "bytes 23-25/26", b"xyz"),
    ],
)
async def test_a_range_of_a_body(
    client: ClientSession, asked: str, content_range: str, body: bytes
) -> None:
    async with client.get("/range/26", headers={"Range": asked}) as response:
        assert response.status == 206
        assert response.headers["Content-Range"] == content_range
        assert await response.read() == body


async def test_a_range_that_cannot_be_satisfied(client: ClientSession) -> None:
    async with client.get("/range/26", headers={"Range": "bytes=30-40"}) as response:
        assert response.status == 416
        assert response.headers["Content-Range"] == "bytes */26"
        assert await response.read() == b""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": '"v1"'}, 304),
        ({"If-None-Match": '"v2"'}, 200),
        ({"If-Match": '"v1"'}, 200),
        ({"If-Match": '"v2"'}, 412),
    ],
)
async def test_conditions_on_an_entity_tag(
    client: ClientSession, headers: dict[str, str], status: int
) -> None:
    async with client.get("/etag/v1", headers=headers) as response:
        await response.read()
        assert response.status == status


async def test_not_modified_has_no_body(client: ClientSession) -> None:
    headers = {"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}
    async with client.get("/cache", headers=headers) as response:
        assert response.status == 304
        assert await response.read() == b""
