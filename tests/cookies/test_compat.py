"""The face of `http.cookiejar`, with the real urllib; and the two bindings, at the points where they touch a client.

The real requests and httpx are in tests/integration.
"""

import threading
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar as StdlibCookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, Request, build_opener

import pytest
from wayfare_cookies import Cookie, CookieJar
from wayfare_cookies.compat import HTTPCookieJar, bind_httpx, bind_requests


class Handler(BaseHTTPRequestHandler):
    """Plays every host, as a proxy: /set?FIELD&FIELD sets cookies, /to/URL redirects; the content is the Cookie
    field.
    """

    def do_GET(self) -> None:
        path = (
            self.path.partition("://")[2].partition("/")[2] if "://" in self.path else self.path[1:]
        )
        content = (self.headers["Cookie"] or "").encode("latin-1")
        self.send_response(302 if path.startswith("to/") else 200)
        for field in path.partition("set?")[2].split("&"):
            if field:
                self.send_header("Set-Cookie", field.replace("%20", " ").replace("%22", '"'))
        if path.startswith("to/"):
            self.send_header("Location", "http://" + path.removeprefix("to/"))
            self.send_header("Set-Cookie", "redirect=1; Path=/")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy() -> Iterator[str]:
    """The address of a server that answers for every host."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def face() -> HTTPCookieJar:
    return HTTPCookieJar()


@pytest.fixture
def get(proxy: str, face: HTTPCookieJar) -> Callable[[str], str]:
    """urllib with the face: the Cookie field that the server saw."""
    opener: OpenerDirector = build_opener(ProxyHandler({"http": proxy}), HTTPCookieProcessor(face))

    def get(url: str, **headers: str) -> str:
        with opener.open(Request(url, headers=headers)) as response:
            return response.read().decode("latin-1")  # type: ignore[no-any-return]  # urllib's responses have no type

    return get


def test_urllib_gets_the_jars_answer(face: HTTPCookieJar, get: Callable[..., str]) -> None:
    assert isinstance(face, StdlibCookieJar)
    get("http://www.example.com/set?a=1&b=%22x%20y%22;Domain=example.com&c=1;Secure&d=1;Domain=com")
    assert get("http://www.example.com/") == 'a=1; b="x y"'
    assert get("http://api.example.com/") == 'b="x y"'
    assert get("http://sub.www.example.com/") == 'b="x y"'  # C12: Python's own jar would send a
    assert get("http://www.example.com/", Cookie="mine=1") == "mine=1"
    assert get("http://other.example/") == ""
    assert len(face) == 2


def test_redirects_set_and_get_cookies(face: HTTPCookieJar, get: Callable[..., str]) -> None:
    assert get("http://www.example.com/to/www.example.com/x") == "redirect=1"
    assert get("http://www.example.com/to/other.example/x") == ""


def test_the_face_lists_and_takes_cookies(face: HTTPCookieJar) -> None:
    face.jar.update_cookies_from_headers(
        ["a=1", "b=secret; Domain=example.com; Max-Age=60"], "http://www.example.com/"
    )
    found = list(face)
    assert {(one.name, one.value, one.domain) for one in found} == {
        ("a", "1", "www.example.com"),
        ("b", "secret", ".example.com"),
    }
    assert "secret" not in f"{face!r} {face}"
    other = HTTPCookieJar(CookieJar())
    other.set_cookie(found[0])
    other.set_cookie_if_ok(found[1], Request("http://www.example.com/"))
    assert list(map(repr, other.jar)) == list(map(repr, face.jar))
    found[0].domain = ""
    with pytest.raises(ValueError, match="needs a response_url or a domain"):
        other.set_cookie(found[0])
    other.clear_expired_cookies()
    other.clear_session_cookies()
    assert [one.name for one in other] == ["b"]


def test_clearing_as_there(face: HTTPCookieJar) -> None:
    def fill() -> set[str]:
        fields = ["a=1; Path=/", "b=1; Path=/", "c=1; Path=/x", "d=1; Path=/; Domain=example.com"]
        face.jar.update_cookies_from_headers(fields, "http://www.example.com/")
        return {one.name for one in face}

    assert fill() == {"a", "b", "c", "d"}
    face.clear("www.example.com", "/", "a")
    assert {one.name for one in face} == {"b", "c", "d"}
    face.clear("www.example.com", "/")
    assert {one.name for one in face} == {"c", "d"}
    fill()
    face.clear("www.example.com")
    assert {one.name for one in face} == {"d"}
    for missing in (("www.example.com",), (".example.com", "/x"), (".example.com", "/", "z")):
        with pytest.raises(KeyError):
            face.clear(*missing)
    for wrong in ((None, None, "a"), (None, "/", None)):
        with pytest.raises(ValueError, match="needs"):
            face.clear(*wrong)
    face.clear()
    assert len(face) == 0


def test_make_cookies_stores_nothing(face: HTTPCookieJar, proxy: str) -> None:
    opener = build_opener(ProxyHandler({"http": proxy}))
    request = Request("http://www.example.com/set?a=1&b=1;Domain=com")
    with opener.open(request) as response:
        assert [one.name for one in face.make_cookies(response, request)] == ["a"]
    assert len(face) == 0


class Message:
    """A request as requests and httpx have it, as far as the bindings look."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.headers = dict(headers)


class Transport:
    """An adapter that keeps what it sends."""

    def __init__(self) -> None:
        self.closed = False

    def send(self, request: Message, *, timeout: float) -> tuple[str | None, float]:
        return request.headers.get("Cookie"), timeout

    def close(self) -> None:
        self.closed = True


class Session:
    """The parts of a session of requests that are bound."""

    def __init__(self) -> None:
        self.cookies: Any = None
        self.transport = Transport()
        self.adapters: dict[str, Any] = {"http://": self.transport}

    def mount(self, prefix: str, adapter: Any) -> None:
        self.adapters[prefix] = adapter


class Client:
    """The parts of a client of httpx that are bound."""

    def __init__(self) -> None:
        self.cookies: Any = None
        self.event_hooks: dict[str, list[Callable[..., Any]]] = {"response": []}


class AsyncClient(Client):
    """Its hooks are coroutine functions."""

    async def aclose(self) -> None:
        """Nothing is open."""


def jar_of_three() -> CookieJar:
    jar = CookieJar()
    jar.update_cookies_from_headers(["a=1", 'b="\\""; Domain=example.com'], "http://example.com/")
    jar.update_cookies([Cookie(name="c", value="3", domain="other.example")])
    return jar


CORRECTIONS = [
    ("http://example.com/", 'b=""; a=1', 'a=1; b="\\""'),
    ("http://sub.example.com/", 'a=1; b=""', 'b="\\""'),
    ("http://sub.example.com/", "mine=1; a=1", 'b="\\""; mine=1'),
    # Not the jar's for this host, though it has the same words for another one.
    ("http://third.example/", "a=1; mine=1", "a=1; mine=1"),
    ("http://third.example/", "a=1", "a=1"),
    ("http://sub.example.com/", "a=1", 'b="\\""'),
    ("http://third.example/", None, None),
    ("http://other.example/", None, "c=3"),
]


@pytest.mark.parametrize(("url", "made", "sent"), CORRECTIONS)
def test_a_bound_session_sends_what_the_jar_says(
    url: str, made: str | None, sent: str | None
) -> None:
    session = Session()
    jar = jar_of_three()
    assert bind_requests(session, jar) is session.cookies
    assert session.cookies.jar is jar
    request = Message(url) if made is None else Message(url, Cookie=made)
    assert session.adapters["http://"].send(request, timeout=5.0) == (sent, 5.0)
    session.adapters["http://"].close()
    assert session.transport.closed


@pytest.mark.parametrize(("url", "made", "sent"), CORRECTIONS)
async def test_a_bound_client_sends_what_the_jar_says(
    url: str, made: str | None, sent: str | None
) -> None:
    client, async_client = Client(), AsyncClient()
    requests = [Message(url) if made is None else Message(url, Cookie=made) for _ in range(2)]
    for one in (client, async_client):
        assert bind_httpx(one, jar_of_three()) is one.cookies
        assert one.event_hooks["response"] == []
    client.event_hooks["request"][0](requests[0])
    await async_client.event_hooks["request"][0](requests[1])
    assert [request.headers.get("Cookie") for request in requests] == [sent, sent]


class HostRequest:
    """A request that has put a Host header into its URL, and knows better when asked for the host."""

    def get_full_url(self) -> str:
        return "http://pretended.example/dir/page?q"

    def get_host(self) -> str:
        return "real.example:8080"

    def has_header(self, name: str) -> bool:
        return False

    def add_unredirected_header(self, name: str, value: str) -> None:
        self.added = (name, value)


def test_a_host_header_does_not_change_the_scope_c25(face: HTTPCookieJar) -> None:
    face.jar.update_cookies({"real": "1"}, "http://real.example/dir/")
    face.jar.update_cookies({"pretended": "1"}, "http://pretended.example/dir/")
    request = HostRequest()
    face.add_cookie_header(request)  # type: ignore[arg-type]  # what requests gives is no Request either
    assert request.added == ("Cookie", "real=1")
