"""What httpbin says it received: methods, query parameters, headers and bodies of real requests."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from wayfare import ClientSession


async def echo(client: ClientSession, method: str, path: str, **options: Any) -> Any:
    """Send a request to an endpoint that describes it, and return the description."""
    async with client.request(method, path, **options) as response:
        assert response.status == 200
        return await response.json()


# --- Methods ---


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
async def test_each_verb_has_a_method_of_its_own(client: ClientSession, method: str) -> None:
    async with getattr(client, method)(f"/{method}") as response:
        answer = await response.json()
    assert response.status == 200
    assert response.method == method.upper()
    assert answer["url"] == str(response.url)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_request_sends_the_method_it_is_given(client: ClientSession, method: str) -> None:
    assert (await echo(client, method, "/anything"))["method"] == method


async def test_options_tells_which_methods_are_allowed(client: ClientSession) -> None:
    async with client.options("/post") as response:
        assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
        assert await response.read() == b""


async def test_head_has_the_headers_of_get_and_no_body(client: ClientSession) -> None:
    async with client.head("/bytes/4096") as response:
        assert response.status == 200
        assert response.headers["Content-Length"] == "4096"
        assert await response.read() == b""


async def test_a_method_the_server_does_not_know_is_sent_all_the_same(
    client: ClientSession,
) -> None:
    async with client.request("PROPFIND", "/get") as response:
        assert response.status == 405
        assert "GET" in response.headers["Allow"]


# --- Query parameters ---


@pytest.mark.parametrize(
    ("params", "received"),
    [
        pytest.param({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, id="mapping"),
        pytest.param([("a", "1"), ("a", "2")], {"a": ["1", "2"]}, id="repeated-key"),
        pytest.param({"n": 7, "x": 1.5}, {"n": "7", "x": "1.5"}, id="numbers"),
        pytest.param({"q": "a b&c=d/e?f#g"}, {"q": "a b&c=d/e?f#g"}, id="reserved-characters"),
        pytest.param({"q": "a+b%20"}, {"q": "a+b%20"}, id="plus-and-percent"),
        pytest.param({"stadt": "Köln 東京 🧭"}, {"stadt": "Köln 東京 🧭"}, id="unicode"),
        pytest.param({"a": ""}, {"a": ""}, id="empty-value"),
        pytest.param({}, {}, id="none"),
    ],
)
async def test_query_parameters_arrive_as_given(
    client: ClientSession, params: Any, received: dict[str, object]
) -> None:
    assert (await echo(client, "GET", "/get", params=params))["args"] == received


async def test_parameters_are_added_to_those_of_the_url(client: ClientSession) -> None:
    answer = await echo(client, "GET", "/get?a=1", params={"b": "2"})
    assert answer["args"] == {"a": "1", "b": "2"}


async def test_the_fragment_stays_at_home(client: ClientSession) -> None:
    async with client.get("/get?a=1#part") as response:
        assert (await response.json())["args"] == {"a": "1"}
        assert response.url.fragment == ""


async def test_a_path_with_unicode_and_spaces_arrives(client: ClientSession) -> None:
    async with client.get("/anything/straße/a b") as response:
        assert response.url.raw_path == "/anything/stra%C3%9Fe/a%20b"
        assert (await response.json())["url"].endswith("/anything/straße/a%20b")


# --- Headers ---


async def test_the_headers_every_request_has(client: ClientSession, httpbin: str) -> None:
    seen = (await echo(client, "GET", "/headers"))["headers"]
    assert seen["Host"] == httpbin.removeprefix("http://")
    assert seen["Accept"] == "*/*"
    assert {"gzip", "deflate"} <= set(seen["Accept-Encoding"].split(", "))
    assert seen["User-Agent"]
    assert "Content-Length" not in seen
    assert "Transfer-Encoding" not in seen


async def test_a_header_of_the_request_replaces_the_automatic_one(client: ClientSession) -> None:
    headers = {"user-agent": "compass/1.0", "accept": "text/plain", "Host": "example.test:81"}
    seen = (await echo(client, "GET", "/headers", headers=headers))["headers"]
    assert seen["User-Agent"] == "compass/1.0"
    assert seen["Accept"] == "text/plain"
    assert seen["Host"] == "example.test:81"


async def test_a_header_of_the_request_replaces_the_sessions_in_any_case(httpbin: str) -> None:
    async with ClientSession(httpbin, headers={"X-Team": "north", "X-Kept": "yes"}) as session:
        answer = await echo(session, "GET", "/headers", headers={"x-team": "south"})
    assert answer["headers"]["X-Team"] == "south"
    assert answer["headers"]["X-Kept"] == "yes"


async def test_a_repeated_header_is_sent_twice(client: ClientSession) -> None:
    headers = [("X-Colour", "red"), ("X-Colour", "blue")]
    answer = await echo(client, "GET", "/headers", headers=headers)
    assert answer["headers"]["X-Colour"] == "red,blue"  # As WSGI joins fields of one name.


async def test_a_long_header_arrives_whole(client: ClientSession) -> None:
    value = "0123456789abcdef" * 500  # 8,000 octets; gunicorn takes a line of 8,190.
    seen = (await echo(client, "GET", "/headers", headers={"X-Long": value}))["headers"]
    assert seen["X-Long"] == value


async def test_a_bearer_token_opens_the_door(client: ClientSession) -> None:
    async with client.get("/bearer") as refused:
        assert refused.status == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    answer = await echo(client, "GET", "/bearer", headers={"Authorization": "Bearer sesame"})
    assert answer == {"authenticated": True, "token": "sesame"}


# --- Bodies ---


async def test_bytes_are_sent_as_they_are(client: ClientSession) -> None:
    every = bytes(range(256))
    answer = await echo(client, "POST", "/post", data=every)
    kind, _, encoded = answer["data"].partition(";base64,")
    assert kind == "data:application/octet-stream"
    assert base64.b64decode(encoded) == every
    assert answer["headers"]["Content-Type"] == "application/octet-stream"
    assert answer["headers"]["Content-Length"] == "256"


async def test_a_str_is_sent_as_utf_8(client: ClientSession) -> None:
    answer = await echo(client, "PUT", "/put", data="naïve 東京")
    assert answer["data"] == "naïve 東京"
    assert answer["headers"]["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["headers"]["Content-Length"] == str(len("naïve 東京".encode()))


async def test_a_content_type_of_the_request_is_kept(client: ClientSession) -> None:
    headers = {"Content-Type": "application/vnd.compass+json"}
    answer = await echo(client, "POST", "/post", data=b'{"north": 0}', headers=headers)
    assert answer["headers"]["Content-Type"] == "application/vnd.compass+json"
    assert answer["json"] == {"north": 0}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"a": [1, 2.5, None, True], "ü": {"東京": "🧭"}}, id="object"),
        pytest.param([1, 2, 3], id="array"),
        pytest.param("text", id="string"),
        pytest.param(0, id="zero"),
        pytest.param(False, id="false"),
        pytest.param({}, id="empty-object"),
    ],
)
async def test_json_arrives_as_the_same_value(client: ClientSession, value: object) -> None:
    answer = await echo(client, "POST", "/post", json=value)
    assert answer["json"] == value
    assert answer["headers"]["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_method_that_expects_a_body_says_when_there_is_none(
    client: ClientSession, method: str
) -> None:
    answer = await echo(client, method, "/anything")
    assert answer["data"] == ""
    assert answer["headers"]["Content-Length"] == "0"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_body_may_go_with_any_method(client: ClientSession, method: str) -> None:
    answer = await echo(client, method, "/anything", data=b"unusual, not forbidden")
    assert answer["data"] == "unusual, not forbidden"


async def test_an_async_iterable_is_sent_in_chunks(client: ClientSession) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"one ", b"", b"two ", b"three"):
            yield piece

    answer = await echo(client, "POST", "/post", data=pieces())
    assert answer["data"] == "one two three"
    assert answer["headers"]["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in answer["headers"]


async def test_an_async_iterable_of_known_length_is_sent_with_it(client: ClientSession) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"12345"
        yield b"67890"

    headers = {"Content-Length": "10"}
    answer = await echo(client, "POST", "/post", data=pieces(), headers=headers)
    assert answer["data"] == "1234567890"
    assert answer["headers"]["Content-Length"] == "10"
    assert "Transfer-Encoding" not in answer["headers"]
