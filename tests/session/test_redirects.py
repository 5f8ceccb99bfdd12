"""Redirects as a session follows them; what the policy decides is tested in test_redirect_policy.py."""

import pickle
from collections.abc import AsyncIterator
from typing import Any

import pytest
import wayfare
from wayfare_http_core.testing import (
    Flood,
    Read,
    ReadHead,
    ReadRequest,
    Repeat,
    ScriptedServer,
    Send,
)

from .conftest import in_memory

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
        assert caught.value.failure is not None
        assert len(caught.value.failure.urls) == 11
        assert caught.value.status == 302
        assert "more than 10 redirects" in str(caught.value)
        assert session.connector.stats().leased == 0
        assert (await session.get("/", max_redirects=0)).status == 302
        assert (await session.get("/", allow_redirects=False)).status == 302
    assert len(server.peers[0].requests) == 13


async def test_d16_the_body_of_a_redirect_is_dropped_undecoded(serve: Any) -> None:
    """A small rest is read so that the connection serves the next hop; a bomb is never unpacked, a flood cut off."""
    bomb = b"not even gzip" * 100
    head = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    script = (ReadRequest(), Send(head % len(bomb) + bomb), ReadRequest(), Send(OK))
    async with serve(script) as (session, server):
        assert await (await session.get("/a")).text() == "ok"
        assert session.connector.stats().leased == 0
    assert len(server.peers) == 1
    endless = (ReadRequest(), Send(head % 10**9), Flood(b"x" * 65536))
    async with serve(endless, (Repeat(ReadRequest(), Send(OK)),)) as (session, server):
        assert await (await session.get("/a")).text() == "ok"
    assert len(server.peers) == 2


async def test_d3_content_is_sent_again_or_refused(serve: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"content"

    always = (Repeat(ReadRequest(), Send(moved("/b", 307))),)
    script = (ReadRequest(), Send(moved("/b", 307)), ReadRequest(), Send(OK))
    async with serve(script) as (session, server):
        response = await session.post("/a", data=b"content")
        assert (response.status, response.method) == (200, "POST")
    assert [request.body for request in server.peers[0].requests] == [b"content"] * 2
    async with serve(always) as (session, server):
        with pytest.raises(wayfare.ClientPayloadError, match="sent only once") as caught:
            await session.post("/a", data=pieces())
        assert caught.value.failure is not None
        assert caught.value.failure.urls == (f"{session.base_url}a",)
        assert session.connector.stats().leased == 0
    assert len(server.peers[0].requests) == 1


def test_d3_content_that_nobody_asked_for_is_still_whole() -> None:
    """With an expectation, a redirect comes before the content is begun."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"content"

    async def use(session: wayfare.ClientSession, server: ScriptedServer) -> None:
        response = await session.put("/a", data=pieces(), expect100=True)
        assert response.status == 200
        assert server.peers[-1].requests[-1].body == b"content"

    in_memory(use, (ReadHead(), Send(moved("/b", 307)), Read(1)), (ReadRequest(), Send(OK)))


async def test_d5_d6_secrets_stay_with_their_origin(serve: Any) -> None:
    async with serve((Repeat(ReadRequest(), Send(OK)),)) as (other, elsewhere):
        there = str(other.base_url)
        chain = (ReadRequest(), Send(moved(there)), ReadRequest(), Send(OK))
        headers = {"X-API-Key": "secret", "X-Tenant": "secret", "X-Trace": "1"}
        options = {"headers": headers, "sensitive_headers": ["x-tenant"]}
        async with serve(chain, **options) as (session, server):
            auth = wayfare.BasicAuth("u", "p")
            response = await session.get("/", auth=auth)
            assert str(response.url) == there
            # The next request of the caller's own is not the chain's: it has them all.
            await session.get("/", auth=auth)
    first, own = server.peers[0].requests
    for request in (first, own):
        assert request.get("authorization") == "Basic dTpw"
        assert request.get("x-api-key") == request.get("x-tenant") == "secret"
    [stranger] = elsewhere.peers[0].requests
    assert [stranger.get(name) for name in ("authorization", "x-api-key", "x-tenant")] == [None] * 3
    assert stranger.get("x-trace") == "1"


async def test_an_error_after_redirects_names_them_all(serve: Any) -> None:
    script = (ReadRequest(), Send(moved("/b")), ReadRequest(), Send(moved("ftp://u:pw@h/")))
    async with serve(script) as (session, _):
        base = session.base_url
        with pytest.raises(wayfare.NonHttpUrlRedirectClientError) as caught:
            await session.get("/a")
        assert session.connector.stats().leased == 0
    failure = caught.value.failure
    assert failure is not None
    assert failure.urls == (f"{base}a", f"{base}b")
    assert "pw" not in str(caught.value) + "".join(caught.value.__notes__)


async def test_a_policy_of_ones_own(serve: Any) -> None:
    class Staying(wayfare.RedirectPolicy):
        def follows(self, step: wayfare.RedirectStep) -> bool:
            return step.is_same_origin

    script = (ReadRequest(), Send(moved("/b")), ReadRequest(), Send(moved("http://h.test/")))
    async with serve(script, redirect_policy=Staying()) as (session, _):
        response = await session.get("/a")
        assert (response.status, len(response.history)) == (302, 1)


async def test_a_policy_that_fails_releases_the_response(serve: Any) -> None:
    """O11."""

    class Failing(wayfare.RedirectPolicy):
        def follows(self, step: wayfare.RedirectStep) -> bool:
            raise LookupError("mine")

    async with serve((ReadRequest(), Send(moved("/b")))) as (session, _):
        with pytest.raises(LookupError, match="mine"):
            await session.get("/a", redirect_policy=Failing())
        assert session.connector.stats().leased == 0


async def test_each_hop_goes_through_the_middlewares(serve: Any) -> None:
    seen = []

    async def signing(request: Any, handler: Any) -> Any:
        seen.append((str(request.url.path), request.headers.get("X-Signed")))
        request.headers["X-Signed"] = request.url.path
        return await handler(request)

    script = (ReadRequest(), Send(moved("/b")), ReadRequest(), Send(OK))
    async with serve(script, middlewares=[signing]) as (session, server):
        await session.get("/a")
    assert seen == [("/a", None), ("/b", None)]
    assert [one.get("x-signed") for one in server.peers[0].requests] == ["/a", "/b"]


async def test_history_stays_readable(serve: Any) -> None:
    page = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nmoved"
    async with serve((ReadRequest(), Send(page), ReadRequest(), Send(OK))) as (session, _):
        response = await session.get("/a")
        [first] = response.history
        assert await first.text() == "moved"
        assert first.request_info.url.path == "/a"
        assert first.closed


async def test_an_error_status_after_a_redirect_has_its_history(serve: Any) -> None:
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    script = (ReadRequest(), Send(moved("/b")), ReadRequest(), Send(missing))
    async with serve(script) as (session, _):
        with pytest.raises(wayfare.ClientResponseError) as caught:
            await session.get("/a", raise_for_status=True)
    [hop] = caught.value.history
    assert (hop.status, str(hop.url)[-2:], hop.headers["location"]) == (302, "/a", "/b")
    assert isinstance(hop, wayfare.FollowedResponse)
    twin = pickle.loads(pickle.dumps(caught.value))
    assert twin.history == caught.value.history
