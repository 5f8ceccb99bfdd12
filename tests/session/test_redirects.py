"""Redirects as a session follows them; what the policy decides is tested in test_redirect_policy.py."""

from typing import Any

import pytest
import wayfare
from wayfare_http_core.testing import ReadRequest, Repeat, Send

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def moved(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_a_redirect_is_followed_over_the_same_connection(serve: Any) -> None:
    script = (ReadRequest(), Send(moved("/b?x=1")), ReadRequest(), Send(OK))
    async with serve(script) as (session, server):
        response = await session.get("/a#frag", params={"q": "1"})
        assert await response.text() == "ok"
        assert str(response.url).endswith("/b?x=1")
        assert response.real_url.fragment == "frag"
        [first] = response.history
        assert (first.status, first.url.path_qs, first.history) == (302, "/a?q=1", ())
        assert repr(first) == f"<ClientResponse({first.url}) [302 Moved]>"
    assert [request.target for request in server.peers[0].requests] == ["/a?q=1", "/b?x=1"]


async def test_head_follows_only_when_asked(serve: Any) -> None:
    script = (
        ReadRequest(),
        Send(moved("/b")),
        ReadRequest(),
        Send(moved("/c")),
        ReadRequest(),
        Send(OK[:-2]),
    )
    async with serve(script) as (session, server):
        assert (await session.head("/a")).status == 302
        assert (await session.head("/a", allow_redirects=True)).status == 200
    assert [request.method for request in server.peers[0].requests] == ["HEAD"] * 3


async def test_d10_ten_are_followed_and_the_eleventh_is_too_many(serve: Any) -> None:
    loop = (Repeat(ReadRequest(), Send(moved("/again"))),)
    async with serve(loop) as (session, server):
        with pytest.raises(wayfare.TooManyRedirects) as caught:
            await session.get("/")
        assert len(caught.value.history) == 11
        assert caught.value.status == 302
        assert "more than 10 redirects" in str(caught.value)
        assert session.connector.stats().leased == 0
        assert (await session.get("/", max_redirects=0)).status == 302
        assert (await session.get("/", allow_redirects=False)).status == 302
    assert len(server.peers[0].requests) == 13
