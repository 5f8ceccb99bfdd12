"""`ClientRequest.as_curl`: a command line that sends the same request."""

import shlex
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import wayfare
from wayfare import ClientHandlerType, ClientRequest, ClientResponse, Proxy, RequestOptions
from wayfare_http_core import HttpVersion10
from wayfare_http_core.testing import ReadRequest, Send

from .conftest import Serve

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def made(method: str, url: str, **arguments: Any) -> ClientRequest:
    """The request that a session would make of its arguments, with no other fields than those given."""
    given = {"skip_auto_headers": ["User-Agent", "Accept", "Accept-Encoding"], **arguments}
    version = given.pop("version", None)
    session = wayfare.ClientSession(**({} if version is None else {"version": version}))
    session.detach()
    options = cast(RequestOptions, given)
    return session._pipeline.builder.request(session, method, url, options)


UNSENT = ["--header", "User-Agent:", "--header", "Accept:"]


@pytest.mark.parametrize(
    ("method", "url", "options", "words"),
    [
        ("GET", "http://h/", {}, ["http://h/", *UNSENT]),
        ("HEAD", "http://h/", {}, ["--head", "http://h/", *UNSENT]),
        ("DELETE", "http://h/", {}, ["--request", "DELETE", "http://h/", *UNSENT]),
        ("GET", "http://h/a?b=it's", {}, ["http://h/a?b=it's", *UNSENT]),
        ("GET", "http://[::1]:8/", {}, ["--globoff", "http://[::1]:8/", *UNSENT]),
        ("GET", "http://h/.well-known/x", {},
         ["--path-as-is", "http://h/.well-known/x", *UNSENT]),
        ("GET", "http://h/", {"headers": {"X-A": "1", "X-Empty": ""}},
         ["http://h/", "--header", "X-A: 1", "--header", "X-Empty;", *UNSENT]),
        ("GET", "http://h/", {"version": HttpVersion10}, ["http://h/", *UNSENT, "--http1.0"]),
        ("GET", "https://h/", {"ssl": False}, ["https://h/", *UNSENT, "--insecure"]),
        ("POST", "http://h/", {"json": {"a": "b'c"}},
         ["http://h/", "--header", "Content-Type: application/json", *UNSENT,
          "--data-raw", '{"a": "b\'c"}']),
        ("PUT", "http://h/", {"data": "é\n"},
         ["--request", "PUT", "http://h/", "--header", "Content-Type: text/plain; charset=utf-8",
          *UNSENT, "--data-raw", "é\n"]),
    ],
)  # fmt: skip
def test_words(method: str, url: str, options: dict[str, Any], words: list[str]) -> None:
    assert shlex.split(made(method, url, **options).as_curl()) == ["curl", *words]


def test_content_without_a_type_gets_none_from_curl() -> None:
    request = made("POST", "http://h/", data=b"a=b", skip_auto_headers=["Content-Type"])
    words = shlex.split(request.as_curl())
    assert words[-5:] == ["--header", "Content-Type:", "--compressed", "--data-raw", "a=b"]


def test_what_curl_would_decode() -> None:
    assert "--compressed" in made("GET", "http://h/", skip_auto_headers=()).as_curl()


def test_the_proxy() -> None:
    proxy = Proxy("http://joe:pw@[::1]:3128", headers={"X-Via": "1"})
    line = made("GET", "http://h/", proxy=proxy).as_curl()
    assert line.endswith(
        "--proxy 'http://[::1]:3128' --proxy-header 'Proxy-Authorization: Basic ***'"
        " --proxy-header 'X-Via: 1'"
    )
    line = made("GET", "http://h/", proxy="socks5://joe:pw@p:1080").as_curl()
    assert line.endswith("--proxy socks5://p:1080 --proxy-user 'joe:***'")
    line = made("GET", "http://h/", proxy="socks5://joe:pw@p:1080").as_curl(secrets=True)
    assert line.endswith("--proxy-user joe:pw")
    line = made("GET", "http://h/", proxy="http://joe:pw@p:1080").as_curl(secrets=True)
    assert line.endswith("--proxy-header 'Proxy-Authorization: Basic am9lOnB3'")
    assert made("GET", "http://h/", proxy="socks5://p:1080").as_curl().endswith(":1080")


def test_y10_secrets_are_shown_to_whoever_asks() -> None:
    request = made(
        "POST",
        "http://h/?token=hush",
        headers={"Authorization": "Bearer hush"},
        data={"password": "hush", "a": "b"},
    )
    line = request.as_curl()
    assert "hush" not in line
    assert "'http://h/?token=***'" in line
    assert "--data-raw 'password=***&a=b'" in line
    assert request.as_curl(secrets=True).count("hush") == 3


class Twice:
    """A `RequestBody` of two pieces that can be sent again and again."""

    content_type = "text/plain"
    replayable = True

    def __init__(self, length: int | None = 4) -> None:
        self.length = length

    def chunks(self) -> Any:
        """Two pieces."""
        return [b"ab", b"cd"]


async def pieces() -> AsyncIterator[bytes]:
    """Content that is not asked for."""
    yield b""


class Slow(Twice):
    """The same, asynchronously."""

    def chunks(self) -> Any:
        """One piece."""
        return pieces()


@pytest.mark.parametrize(
    ("body", "end"),
    [
        (b"\xff\xfe", "@-  # its standard input is the content: 2 octets"),
        (b"a\0b", "@-  # its standard input is the content: 3 octets"),
        (b"x" * 70_000, "@-  # its standard input is the content: content"),
        (Twice(), "--data-raw abcd"),
        (Twice(None), "@-  # its standard input is the content: content"),
        (Twice(70_000), "@-  # its standard input is the content: content"),
        (Slow(), "@-  # its standard input is the content: content"),
        (pieces(), "@-  # its standard input is the content: content"),
    ],
)
def test_content_of_all_kinds(body: Any, end: str) -> None:
    line = made("POST", "http://h/", data=body).as_curl()
    assert line.endswith(end)


async def test_a_middleware_sees_what_is_sent(serve: Serve) -> None:
    lines: list[str] = []

    async def told(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        lines.append(request.as_curl())
        return await handler(request)

    async with serve([ReadRequest(), Send(OK)], middlewares=[told]) as (session, _):
        await session.get("a", cookies={"sid": "hush"})
    assert "--header 'Cookie: sid=***'" in lines[0]


def test_what_cannot_be_sent_is_no_command() -> None:
    request = made("GET", "http://h/")
    request.headers["X-A"] = "a\nb"
    with pytest.raises(ValueError, match="X-A"):
        request.as_curl()
