"""Redirects, credentials, codings and time limits against httpbin."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import wayfare
from wayfare import BasicAuth, ClientSession, ClientTimeout


async def test_relative_and_absolute_redirects(client: ClientSession) -> None:
    for path in ("/redirect/3", "/relative-redirect/3", "/absolute-redirect/3"):
        async with client.get(path) as response:
            assert response.status == 200
            assert [hop.status for hop in response.history] == [302] * 3
            assert response.url.path == "/get"


@pytest.mark.parametrize(
    ("status", "method", "kept"),
    [
        (301, "POST", False),
        (302, "POST", False),
        (303, "PUT", False),
        (307, "POST", True),
        (308, "PUT", True),
    ],
)
async def test_methods_and_content_after_redirects(
    client: ClientSession, status: int, method: str, kept: bool
) -> None:
    """D1, D2."""
    params: dict[str, str | int] = {"url": "/anything", "status_code": status}
    async with client.request(method, "/redirect-to", params=params, data="content") as response:
        answer = await response.json()
    assert answer["method"] == (method if kept else "GET")
    assert answer["data"] == ("content" if kept else "")
    assert ("Content-Type" in answer["headers"]) is kept


async def test_too_many_redirects(client: ClientSession) -> None:
    """D10."""
    async with client.get("/redirect/10") as response:
        assert len(response.history) == 10
    with pytest.raises(wayfare.TooManyRedirects):
        await client.get("/redirect/11")


async def test_cookies_of_a_redirect_reach_the_next_hop(httpbin: str) -> None:
    """D15. The jar must take cookies of an address: that is what httpbin runs at here."""
    async with (
        ClientSession(httpbin, cookie_jar=wayfare.CookieJar(unsafe=True)) as session,
        session.get("/cookies/set", params={"flavour": "oat"}) as response,
    ):
        assert (await response.json())["cookies"] == {"flavour": "oat"}
        assert len(response.history) == 1


async def test_basic_credentials(client: ClientSession) -> None:
    async with client.get("/basic-auth/u/p", auth=BasicAuth("u", "p")) as response:
        assert (await response.json())["authenticated"] is True
    async with client.get("/basic-auth/u/p") as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Basic")


async def test_compressed_requests_arrive_as_labelled(client: ClientSession) -> None:
    async with client.post("/anything", data=b"x" * 10_000, compress="gzip") as response:
        headers = (await response.json())["headers"]
    assert headers["Content-Encoding"] == "gzip"
    assert int(headers["Content-Length"]) < 1000


async def test_time_runs_out_where_it_is_limited(client: ClientSession) -> None:
    with pytest.raises(wayfare.TotalTimeoutError):
        await client.get("/delay/10", timeout=0.2)
    with pytest.raises(wayfare.SocketTimeoutError):
        await client.get("/delay/10", timeout=ClientTimeout(sock_read=0.2))
    with pytest.raises(wayfare.SocketTimeoutError):
        await client.get("/delay/10", timeout=ClientTimeout(first_byte=0.2))
    async with client.get("/get") as response:
        assert response.status == 200


async def test_a_status_can_be_an_error(client: ClientSession) -> None:
    with pytest.raises(wayfare.ClientResponseError) as caught:
        await client.get("/status/418", raise_for_status=True)
    assert caught.value.status == 418

    async def later(response: wayfare.ClientResponse) -> None:
        await asyncio.sleep(0)
        if response.status == 418:
            raise LookupError(await response.text())

    with pytest.raises(LookupError, match="teapot"):
        await client.get("/status/418", raise_for_status=later)


async def test_a_middleware_signs_each_hop(client: ClientSession) -> None:
    async def signing(request: Any, handler: Any) -> Any:
        request.headers["X-Signed"] = request.url.path
        return await handler(request)

    params = {"url": "/headers"}
    async with client.get("/redirect-to", params=params, middlewares=[signing]) as response:
        assert (await response.json())["headers"]["X-Signed"] == "/headers"
