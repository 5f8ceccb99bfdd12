"""What a session sends: methods, fields, parameters, content."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import wayfare
from multidict import CIMultiDict
from wayfare._bodies import AsyncIterableBody, body_from_data
from wayfare_http_core import ACCEPT_ENCODING
from wayfare_http_core.testing import ReadRequest, Repeat, Send

OK = "HTTP/1.1 204 No Content"
ALWAYS = (Repeat(ReadRequest(), Send(b"HTTP/1.1 204 No Content\r\n\r\n")),)


@pytest.mark.parametrize("verb", ["get", "options", "head", "post", "put", "patch", "delete"])
async def test_each_verb_sends_its_method(serve: Any, verb: str) -> None:
    async with serve(OK) as (session, server):
        response = await getattr(session, verb)("/p?q=1")
        assert (response.status, response.method) == (204, verb.upper())
    request = server.peers[0].requests[0]
    assert (request.method, request.target) == (verb.upper(), "/p?q=1")


async def test_any_method_can_be_sent(serve: Any) -> None:
    async with serve(OK) as (session, server):
        await session.request("PROPFIND", "/")
    assert server.peers[0].requests[0].method == "PROPFIND"


@pytest.mark.parametrize(
    ("given", "sent"),
    [("get", "GET"), ("Head", "HEAD"), ("propfind", "propfind"), ("PoST", "POST")],
)
async def test_usual_methods_are_written_in_capitals(serve: Any, given: str, sent: str) -> None:
    async with serve(OK) as (session, server):
        response = await session.request(given, "/")
        assert response.method == sent
    assert server.peers[0].requests[0].method == sent


async def test_a_bad_method_is_refused_and_the_connection_kept(serve: Any) -> None:
    """R1: nothing is written, and nothing is lost."""
    async with serve(ALWAYS) as (session, server):
        await session.get("/")
        with pytest.raises(ValueError, match="not a token"):
            await session.request("GET /evil HTTP/1.1\r\nX:", "/")
        assert session.connector.stats().idle == 1
        await session.get("/")
    assert len(server.peers) == 1
    assert len(server.peers[0].requests) == 2


async def test_default_fields_in_order(serve: Any) -> None:
    async with serve(OK) as (session, server):
        await session.get("/")
        assert session.headers["accept"] == "*/*"
    names = [name for name, _ in server.peers[0].requests[0].fields]
    assert names == ["Host", "Accept", "Accept-Encoding", "User-Agent"]
    request = server.peers[0].requests[0]
    assert request.get("accept-encoding") == ACCEPT_ENCODING
    assert str(request.get("user-agent")).endswith(f"wayfare/{wayfare.__version__}")


async def test_fields_of_the_request_replace_those_of_the_session(serve: Any) -> None:
    defaults = CIMultiDict([("X-A", "session"), ("X-B", "session"), ("User-Agent", "mine")])
    async with serve(OK, headers=defaults) as (session, server):
        await session.get("/", headers=[("x-a", "one"), ("X-A", "two"), ("X-N", 5), ("X-O", b"o")])
    fields = server.peers[0].requests[0].fields
    assert [pair for pair in fields if pair[0].lower().startswith("x-")] == [
        ("X-B", "session"),
        ("x-a", "one"),
        ("X-A", "two"),
        ("X-N", "5"),
        ("X-O", "o"),
    ]
    assert ("User-Agent", "mine") in fields


@pytest.mark.parametrize(
    "headers", [{"X-Bad": "a\r\nEvil: 1"}, {"X Bad": "a"}, {"X-Bad": "\ud800"}, {"": "a"}]
)
async def test_fields_that_cannot_be_sent_are_refused(serve: Any, headers: dict[str, str]) -> None:
    """R4, R5: before anything is written."""
    async with serve(OK) as (session, server):
        with pytest.raises(ValueError, match="field"):
            await session.get("/", headers=headers)
        assert server.peers == []
    with pytest.raises(ValueError, match="field"):
        wayfare.ClientSession(headers=headers)


async def test_a_field_value_of_another_type_is_refused(serve: Any) -> None:
    async with serve(OK) as (session, _):
        with pytest.raises(TypeError, match="not NoneType"):
            await session.get("/", headers={"X-Bad": None})


@pytest.mark.parametrize("headers", ["X-A: 1", b"X-A", ["ab"], [("X-A",)], [("X-A", "1", "2")]])
async def test_headers_that_are_no_pairs_are_refused(serve: Any, headers: Any) -> None:
    async with serve(OK) as (session, _):
        with pytest.raises(TypeError, match="pairs of a name and a value"):
            await session.get("/", headers=headers)
    with pytest.raises(TypeError, match="pairs of a name and a value"):
        wayfare.ClientSession(headers=headers)


async def test_pairs_may_come_from_an_iterator(serve: Any) -> None:
    def pairs(name: str) -> Iterator[tuple[str, str]]:
        yield name, "1"
        yield name, "2"

    async with serve(OK, headers=pairs("X-Session")) as (session, server):
        await session.get("/", headers=pairs("X-Request"))
    fields = server.peers[0].requests[0].fields
    assert [pair for pair in fields if pair[0].startswith("X-")] == [
        *pairs("X-Session"),
        *pairs("X-Request"),
    ]


async def test_host_can_be_overridden(serve: Any) -> None:
    """R6, R7: one Host field, checked."""
    async with serve(ALWAYS) as (session, server):
        await session.get("/", headers={"Host": "other.example"})
        for bad in ("a/b", "u@h", "a b"):
            with pytest.raises(ValueError, match="Host"):
                await session.get("/", headers={"Host": bad})
    assert server.peers[0].requests[0].get("host") == "other.example"


async def test_user_info_is_sent_as_a_credential(serve: Any) -> None:
    async with serve(ALWAYS) as (session, server):
        base = str(session.base_url)
        await session.get(base.replace("http://", "http://al:pw@"))
        await session.get(base.replace("http://", "http://al:pw@"), headers={"Authorization": "x"})
    first, second = server.peers[0].requests
    assert first.get("authorization") == "Basic YWw6cHc="
    assert second.get("authorization") == "x"
    assert "pw" not in str(first.get("host"))


async def test_parameters_repeat(serve: Any) -> None:
    async with serve(OK) as (session, server):
        response = await session.get("/p?a=0", params=[("a", 1), ("a", "2"), ("b", True)])
        assert response.url.query_string == "a=0&a=1&a=2&b=true"
    assert server.peers[0].requests[0].target == "/p?a=0&a=1&a=2&b=true"


async def test_empty_parameters_change_nothing(serve: Any) -> None:
    async with serve(OK) as (session, server):
        await session.get("/p?a=0", params={})
    assert server.peers[0].requests[0].target == "/p?a=0"


@pytest.mark.parametrize(
    ("data", "body", "content_type"),
    [
        (b"octets", b"octets", "application/octet-stream"),
        (bytearray(b"array"), b"array", "application/octet-stream"),
        (memoryview(b"view"), b"view", "application/octet-stream"),
        ("тест", "тест".encode(), "text/plain; charset=utf-8"),
        (b"", b"", "application/octet-stream"),
    ],
)
async def test_content_from_octets_and_text(
    serve: Any, data: Any, body: bytes, content_type: str
) -> None:
    async with serve(OK) as (session, server):
        await session.post("/", data=data)
    request = server.peers[0].requests[0]
    assert request.body == body
    assert request.get("content-type") == content_type
    assert request.get("content-length") == str(len(body))


async def test_json_content_with_the_sessions_encoder(serve: Any) -> None:
    def encode(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"))

    async with serve(OK, json_serialize=encode) as (session, server):
        assert session.json_serialize is encode
        await session.put("/", json={"a": [1, "ü"]})
    request = server.peers[0].requests[0]
    assert request.get("content-type") == "application/json"
    assert request.body == b'{"a":[1,"\\u00fc"]}'


async def test_the_callers_content_type_wins(serve: Any) -> None:
    async with serve(ALWAYS) as (session, server):
        await session.post("/", json=[], headers={"content-type": "application/x+json"})
        await session.post("/", data=b"x", headers={"Content-Type": "image/png"})
    types = [request.get("content-type") for request in server.peers[0].requests]
    assert types == ["application/x+json", "image/png"]


async def test_data_and_json_exclude_each_other(serve: Any) -> None:
    async with serve(OK) as (session, _):
        with pytest.raises(ValueError, match="exclude each other"):
            await session.post("/", data=b"x", json={})


async def pieces() -> AsyncIterator[bytes]:
    yield b"first "
    yield b""
    yield b"second"


async def test_an_async_iterable_is_sent_in_chunks(serve: Any) -> None:
    """R10: empty pieces end nothing."""
    async with serve(OK) as (session, server):
        await session.post("/", data=pieces())
    request = server.peers[0].requests[0]
    assert request.get("transfer-encoding") == "chunked"
    assert request.get("content-length") is None
    assert request.body == b"first second"


async def test_an_async_iterable_with_a_length_of_the_caller(serve: Any) -> None:
    async with serve(OK) as (session, server):
        await session.post("/", data=pieces(), headers={"Content-Length": "12"})
    request = server.peers[0].requests[0]
    assert request.get("content-length") == "12"
    assert request.body == b"first second"


@pytest.mark.parametrize(("length", "words"), [("11", "longer than"), ("13", "ended after 12")])
async def test_a_body_that_breaks_its_promise_breaks_the_request(
    serve: Any, length: str, words: str
) -> None:
    """R8: never a short or a long message."""
    async with serve((ReadRequest(),)) as (session, _):
        with pytest.raises(ValueError, match=words):
            await session.post("/", data=pieces(), headers={"Content-Length": length})
        assert session.connector.stats().leased == 0


async def test_a_body_that_fails_breaks_the_request(serve: Any) -> None:
    """R10: the error is the iterator's own, and the body is not ended as if it were whole."""

    async def failing() -> AsyncIterator[bytes]:
        yield b"x"
        raise LookupError("no more")

    async with serve((ReadRequest(),)) as (session, server):
        with pytest.raises(LookupError, match="no more"):
            await session.post("/", data=failing())
        assert session.connector.stats().leased == 0
    assert server.peers[0].requests == []


class TwoPieces:
    """A request body of known length, iterated over synchronously."""

    content_type = "application/x-two"
    length = 4
    replayable = True

    def chunks(self) -> Iterator[bytes]:
        yield b"ab"
        yield b"cd"


async def test_a_body_of_ones_own(serve: Any) -> None:
    async with serve(OK) as (session, server):
        await session.post("/", data=TwoPieces())
    request = server.peers[0].requests[0]
    assert request.get("content-type") == "application/x-two"
    assert request.get("content-length") == "4"
    assert request.body == b"abcd"


async def test_a_body_without_a_media_type(serve: Any) -> None:
    class Untyped(TwoPieces):
        content_type = None  # type: ignore[assignment]  # what the Protocol allows

    async with serve(OK) as (session, server):
        await session.post("/", data=Untyped())
    assert server.peers[0].requests[0].get("content-type") is None


def test_what_is_no_content_is_named() -> None:
    with pytest.raises(TypeError, match="not int"):
        body_from_data(5)


def test_an_async_iterable_is_sent_once() -> None:
    """R12: as long as nobody began with it, it is still whole."""
    body = AsyncIterableBody(pieces())
    assert (body.length, body.content_type) == (None, "application/octet-stream")
    assert body.replayable
    body.chunks()
    assert not body.replayable


async def test_large_octets_are_sent_whole(serve: Any) -> None:
    data = bytes(range(256)) * 4096
    async with serve(OK) as (session, server):
        await session.post("/", data=data)
    assert server.peers[0].requests[0].body == data


@pytest.mark.parametrize("what", ["session", "request"])
async def test_unknown_arguments_are_named(serve: Any, what: str) -> None:
    options: Any = {"verifi_ssl": False}
    if what == "session":
        with pytest.raises(TypeError, match="'verifi_ssl'"):
            wayfare.ClientSession(**options)
    else:
        async with serve(OK) as (session, _):
            with pytest.raises(TypeError, match="'verifi_ssl'"):
                await session.get("/", **options)
