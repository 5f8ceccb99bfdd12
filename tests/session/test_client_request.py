"""`ClientRequest`: plain data until it is sent."""

import asyncio
import copy
import gzip
import pickle
import zlib
from typing import Any

import pytest
import wayfare
from wayfare._bodies import EncodedBody, UntypedBody, encoded_body
from wayfare._settings import RequestSettings
from wayfare._urls import prepare_url
from wayfare_http_core import FieldBlock
from wayfare_http_core.testing import ReadRequest, Repeat, Send
from wayfare_multipart import BytesPayload
from yarl import URL


def make_request(*fields: tuple[str, str]) -> wayfare.ClientRequest:
    prepared = prepare_url(URL("http://h/x"))
    timeout = wayfare.ClientTimeout()
    return wayfare.ClientRequest(
        "GET", prepared, FieldBlock(fields), None, timeout, RequestSettings()
    )


def test_fields_are_the_given_ones_until_they_are_changed() -> None:
    request = make_request(("X-A", "1"))
    block = request.fields
    assert request.fields is block
    request.headers["x-b"] = "2"
    assert request.fields.pairs == (("X-A", "1"), ("x-b", "2"))
    assert block.pairs == (("X-A", "1"),)


def test_a_request_that_is_not_under_way_has_all_its_time() -> None:
    assert make_request().time_left() is None
    assert make_request().attempt == 1


def test_fields_that_were_only_looked_at_are_not_made_again() -> None:
    prepared = prepare_url(URL("http://h/x"))
    block = FieldBlock([("X-A", "1")])
    head = prepared.usual_head("GET", block)
    request = wayfare.ClientRequest(
        "GET", prepared, block, None, wayfare.ClientTimeout(), RequestSettings(), None, head
    )
    assert request.headers["x-a"] == "1"
    assert request.head() is head
    request.headers["X-A"] = "2"
    assert request.head().fields.pairs == (("X-A", "2"),)
    request.headers["X-A"] = "1"
    assert request.head() is head
    request.method = "PUT"
    assert request.head().method == "PUT"


async def test_the_session_is_there_for_side_requests() -> None:
    """Without a look whether it is None: only who makes a request by hand has none."""
    async with wayfare.ClientSession() as session:
        prepared = prepare_url(URL("http://h/x"))
        block, timeout = FieldBlock(()), wayfare.ClientTimeout()
        request = wayfare.ClientRequest(
            "GET", prepared, block, None, timeout, RequestSettings(), session
        )
        assert request.session is request.copy().session is session
    with pytest.raises(RuntimeError, match="no session"):
        _ = make_request().session


def test_changed_fields_are_checked_when_they_are_sent() -> None:
    """R4."""
    request = make_request()
    request.headers["X-Bad"] = "a\nb"
    with pytest.raises(ValueError, match="control character"):
        _ = request.fields


def test_request_info_does_not_change_any_more() -> None:
    request = make_request(("X-A", "1"))
    info = request.request_info
    request.headers["X-A"] = "2"
    assert info.headers["X-A"] == "1"
    assert (info.method, info.url, info.real_url) == ("GET", request.url, request.real_url)


def test_repr_names_method_and_url() -> None:
    assert repr(make_request(("Authorization", "secret"))) == "<ClientRequest GET http://h/x>"


def test_request_info_pickles_and_so_does_its_error() -> None:
    """An error of a request can be sent to another process."""
    info = make_request(("X-A", "1"), ("X-A", "2")).request_info
    error = wayfare.ClientResponseError(info, (), status=404, message="no", headers=info.headers)
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert twin.request_info == info
        assert twin.request_info.headers.getall("x-a") == ["1", "2"]
        assert str(twin) == str(error)


def test_no_repr_shows_fields() -> None:
    """Y10: tracebacks and logs print reprs."""
    info = make_request(("Authorization", "Basic SECRET")).request_info
    error = wayfare.ClientResponseError(info, (), status=401)
    assert repr(info) == "<RequestInfo GET http://h/x>"
    for text in (repr(info), repr(error), repr(error.args)):
        assert "SECRET" not in text


# -- what middlewares see and change ----------------------------------------------------------------------------------


def test_where_a_request_goes() -> None:
    request = make_request()
    assert (request.host, request.port, request.is_ssl()) == ("h", 80, False)
    assert request.original_url == request.real_url == URL("http://h/x")
    assert request.version == wayfare.HttpVersion11
    assert request.connection_key == request.prepared.target
    request.url = URL("https://u:p@I:8443/y?z#f")
    assert (request.host, request.port, request.is_ssl()) == ("i", 8443, True)
    assert (str(request.url), str(request.real_url)) == (
        "https://i:8443/y?z",
        "https://i:8443/y?z#f",
    )
    assert request.head().path == "/y?z"


def test_tls_settings_can_be_changed() -> None:
    request = make_request()
    request.url = URL("https://h/")
    assert (request.ssl, request.server_hostname) == (True, None)
    request.ssl = False
    request.server_hostname = "other"
    assert (request.connection_key.ssl, request.connection_key.server_hostname) == (False, "other")
    request.url = URL("https://i/")
    assert (request.ssl, request.server_hostname) == (False, "other")
    with pytest.raises(TypeError, match="ssl must be"):
        request.ssl = "no"  # type: ignore[assignment]  # what is refused


async def test_other_content_is_framed_anew() -> None:
    request = make_request(("Content-Length", "3"), ("Transfer-Encoding", "chunked"))
    await request.update_body("text")
    assert request.body == b"text"
    assert dict(request.headers) == {"Content-Type": "text/plain; charset=utf-8"}
    await request.update_body(b"octets")
    assert request.headers["Content-Type"] == "text/plain; charset=utf-8"
    await request.update_body(None)
    assert request.body is None
    del request.headers["Content-Type"]
    await request.update_body(UntypedBody(Once()))
    assert "Content-Type" not in request.headers
    with pytest.raises(TypeError, match="not int"):
        await request.update_body(5)


@pytest.mark.parametrize("size", [3, 100_000])
async def test_a_coding_of_the_sessions_own_goes_with_its_content(size: int) -> None:
    request = make_request(("Content-Encoding", "gzip"))
    request.body = encoded_body(b"x" * size, "gzip")
    await request.update_body(b"plain")
    assert "Content-Encoding" not in request.headers
    request.headers["Content-Encoding"] = "gzip"
    await request.update_body(b"encoded by the middleware itself")
    assert request.headers["Content-Encoding"] == "gzip"


def test_a_copy_has_fields_of_its_own() -> None:
    request = make_request(("X-A", "1"))
    untouched = request.copy()
    request.headers["X-B"] = "2"
    touched = request.copy()
    touched.headers["X-C"] = "3"
    assert [name for name, _ in untouched.fields.pairs] == ["X-A"]
    assert [name for name, _ in request.fields.pairs] == ["X-A", "X-B"]


class Once:
    """A body that tells what it is asked."""

    content_type = "text/x"
    length = 2
    replayable = False

    def chunks(self) -> list[bytes]:
        return [b"ab"]


def test_what_wraps_a_body_passes_on_what_it_is() -> None:
    body = Once()
    untyped, encoded = UntypedBody(body), EncodedBody(body, "gzip")
    assert (untyped.content_type, untyped.length, untyped.replayable) == (None, 2, False)
    assert untyped.chunks() == [b"ab"]
    assert (encoded.content_type, encoded.length, encoded.replayable) == ("text/x", None, False)
    octets = EncodedBody(b"ab", "gzip")
    assert (octets.content_type, octets.replayable) == (None, True)


class Stream(Once):
    """A body of unknown length."""

    length = None  # type: ignore[assignment]  # a RequestBody may have none


def test_the_length_is_that_of_the_content_as_it_is_sent() -> None:
    request = make_request()
    assert request.length == 0
    for body, length in ((b"abc", 3), (Once(), 2), (Stream(), None)):
        request.body = body
        assert request.length == length
    for announced, known in (("7", 7), ("seven", None), ("\u0667", None), ("7" * 20, None)):
        request.headers["Content-Length"] = announced
        assert (request.length, request.chunked) == (known, known is None)
    request.headers.extend([("Content-Length", "7"), ("Content-Length", "7")])
    assert request.length is None


def test_chunks_can_be_asked_for_and_given_up() -> None:
    request = make_request(("Content-Length", "3"))
    request.body = b"abc"
    assert request.chunked is False
    request.chunked = True
    assert (request.chunked, dict(request.headers)) == (True, {"Transfer-Encoding": "chunked"})
    request.chunked = False
    assert (request.chunked, dict(request.headers)) == (False, {})
    request.body = None
    request.chunked = True
    assert request.body == b""
    request.body = Stream()
    with pytest.raises(ValueError, match="unknown length"):
        request.chunked = False
    assert request.headers["Transfer-Encoding"] == "chunked"


@pytest.mark.parametrize("size", [3, 100_000])
def test_a_coding_can_be_chosen_and_given_up(size: int) -> None:
    request = make_request(("Content-Length", str(size)))
    plain = request.body = b"x" * size
    request.compress = None
    assert (request.body, request.headers["Content-Length"]) == (plain, str(size))
    for asked, coding in ((True, "deflate"), ("gzip", "gzip")):
        request.compress = asked
        assert request.compress == coding
        assert dict(request.headers) == {"Content-Encoding": coding}
    with pytest.raises(ValueError, match="nonsense"):
        request.compress = "nonsense"
    assert request.compress == "gzip"
    request.compress = False
    assert request.compress is None
    assert (request.body, dict(request.headers)) == (plain, {})


def test_content_that_is_coded_already_stays_as_it_is() -> None:
    request = make_request(("Content-Encoding", "gzip"))
    request.body = b"coded"
    request.compress = False
    with pytest.raises(ValueError, match="exclude each other"):
        request.compress = "gzip"
    assert (request.compress, request.body) == (None, b"coded")
    assert request.headers["Content-Encoding"] == "gzip"


def test_no_content_gets_no_coding() -> None:
    request = make_request()
    request.compress = "gzip"
    assert request.compress is None
    assert request.body is None
    assert not request.headers


@pytest.mark.parametrize(
    ("proxy", "auth", "headers"),
    [
        (None, None, None),
        ("http://p:1/", None, {}),
        (
            wayfare.Proxy("http://u:s@p:1/", headers={"X-P": "1"}),
            wayfare.BasicAuth("u", "s"),
            {"X-P": "1"},
        ),
        (wayfare.Proxy("http://p:1/", auth="Bearer t"), "Bearer t", {}),
        ("socks5://p:1", None, {}),
        ("socks5://u:s@p:1", wayfare.BasicAuth("u", "s", "utf-8"), {}),
    ],
)
def test_the_proxys_credentials_and_fields(proxy: Any, auth: Any, headers: Any) -> None:
    request = make_request()
    request.proxy = proxy
    assert request.proxy_auth == auth
    assert request.proxy_headers == headers


async def test_the_loop_is_the_running_one() -> None:
    assert make_request().loop is asyncio.get_running_loop()


@pytest.mark.parametrize(
    "name",
    ["length", "loop", "skip_auto_headers", "proxy_auth", "proxy_headers", "connection_key"],
)
def test_what_follows_from_the_rest_cannot_be_set(name: str) -> None:
    with pytest.raises(AttributeError, match=f"'{name}' of 'ClientRequest' object has no setter"):
        setattr(make_request(), name, None)


async def test_fields_that_nobody_wants_are_not_added_with_other_content(serve: Any) -> None:
    seen: list[frozenset[str]] = []

    async def other(request: wayfare.ClientRequest, handler: Any) -> Any:
        seen.append(request.skip_auto_headers)
        await request.update_body(Once() if request.method == "PUT" else b"octets")
        return await handler(request)

    async with serve(ALWAYS, skip_auto_headers=["User-Agent"], middlewares=[other]) as (
        session,
        server,
    ):
        await session.get("/")
        for method in ("POST", "PUT"):
            await session.request(method, "/", skip_auto_headers=["Content-Type"])
    assert seen == [{"user-agent"}, *[{"user-agent", "content-type"}] * 2]
    types = [request.getall("Content-Type") for request in requests(server)]
    assert types == [["application/octet-stream"], [], []]
    assert not any(request.getall("User-Agent") for request in requests(server))


async def test_fields_of_a_payload_can_be_left_out_too() -> None:
    request = make_request()
    skip = frozenset(["x-own"])
    request.settings = request.settings._replace(skip_auto_headers=skip)
    await request.update_body(BytesPayload(b"a", headers={"X-Own": "1", "X-Other": "2"}))
    assert "X-Own" not in request.headers
    assert request.headers["X-Other"] == "2"


async def test_what_a_middleware_says_of_the_transfer_is_done(serve: Any) -> None:
    async def packed(request: wayfare.ClientRequest, handler: Any) -> Any:
        request.compress = "gzip" if request.compress else True
        request.chunked = True
        return await handler(request)

    async with serve(ALWAYS, middlewares=[packed]) as (session, server):
        await session.post("/", data=b"content")
        await session.post("/", data=b"content", compress="deflate")
    first, second = requests(server)
    assert zlib.decompress(first.body) == gzip.decompress(second.body) == b"content"
    for request in (first, second):
        assert request.getall("Transfer-Encoding") == ["chunked"]
        assert request.getall("Content-Length") == []


ALWAYS = (Repeat(ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),)


def requests(server: Any) -> list[Any]:
    return [request for peer in server.peers for request in peer.requests]
