"""The cookie jar behind the real requests and httpx, over a server that plays every host."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import requests
from wayfare_cookies import CookieJar
from wayfare_cookies.compat import HTTPCookieJar, bind_httpx, bind_requests


class Handler(BaseHTTPRequestHandler):
    """A proxy that is the origin too: ?FIELD&FIELD sets cookies, /to/URL redirects; the content is the Cookie field."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("://")[2].partition("/")[2].partition("?")
        content = (self.headers["Cookie"] or "").encode("latin-1")
        self.send_response(302 if path.startswith("to/") else 200)
        for field in query.split("&"):
            if field:
                self.send_header("Set-Cookie", field.replace("%20", " ").replace("%22", '"'))
        if path.startswith("to/"):
            self.send_header("Location", "http://" + path.removeprefix("to/"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy() -> Iterator[str]:
    """The address of the server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


SET = "http://www.example.com/?host=1&all=%22x%20y%22;Domain=example.com&safe=1;Secure&public=1;Domain=com"
REDIRECT = "http://www.example.com/to/sub.www.example.com/?hop=1;Domain=example.com;Path=/"
AWAY = "http://www.example.com/to/other.example/"
EXPECTED = {
    "http://www.example.com/": 'host=1; all="x y"',
    "http://sub.www.example.com/": 'all="x y"',
    "http://other.example/": "",
}


def test_requests_bound_to_a_jar(proxy: str) -> None:
    jar = CookieJar()
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": proxy}
        face = bind_requests(session, jar)
        session.get(SET)
        assert {one.name for one in jar} == {"host", "all"} == {one.name for one in face}
        for url, cookies in EXPECTED.items():
            assert session.get(url).text == cookies
        assert (
            session.get("http://sub.www.example.com/", cookies={"mine": "1"}).text
            == 'all="x y"; mine=1'
        )
        assert session.get(REDIRECT).text == 'all="x y"; hop=1'
        assert session.get(AWAY).text == ""
        # The jar has the same words for another host; here they are the request's own.
        assert session.get("http://other.example/", cookies={"host": "1"}).text == "host=1"
        session.get("http://www.example.com/?real=1", headers={"Host": "pretended.example"})
        assert {one.domain for one in jar} == {"www.example.com", "example.com"}  # C25


def test_requests_takes_the_bare_face(proxy: str) -> None:
    face = HTTPCookieJar()
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": proxy}
        session.cookies = face  # type: ignore[assignment]  # requests takes any jar of http.cookiejar
        session.get(SET)
        assert {one.name for one in face} == {"host", "all"}
        assert session.get("http://www.example.com/").text == 'host=1; all="x y"'


def test_httpx_bound_to_a_jar(proxy: str) -> None:
    jar = CookieJar()
    with httpx.Client(proxy=proxy, trust_env=False, follow_redirects=True) as client:
        face = bind_httpx(client, jar)
        client.get(SET)
        assert {one.name for one in jar} == {"host", "all"} == {one.name for one in face}
        for url, cookies in EXPECTED.items():
            assert client.get(url).text == cookies
        assert client.get(REDIRECT).text == 'all="x y"; hop=1'
        assert client.get(AWAY).text == ""


async def test_httpx_bound_to_a_jar_asynchronously(proxy: str) -> None:
    jar = CookieJar()
    async with httpx.AsyncClient(proxy=proxy, trust_env=False, follow_redirects=True) as client:
        bind_httpx(client, jar)
        await client.get(SET)
        for url, cookies in EXPECTED.items():
            assert (await client.get(url)).text == cookies
        assert (await client.get(REDIRECT)).text == 'all="x y"; hop=1'
        assert (await client.get(AWAY)).text == ""


def test_httpx_takes_the_bare_face(proxy: str) -> None:
    face = HTTPCookieJar()
    with httpx.Client(proxy=proxy, trust_env=False, cookies=face) as client:
        client.get(SET)
        assert {one.name for one in face} == {"host", "all"}
        assert client.get("http://www.example.com/").text == 'host=1; all="x y"'
