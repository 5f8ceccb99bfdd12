"""`session.ws_connect` and redirects: followed only on request, by the rules of any request (W4, D22)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from wayfare import BasicAuth, ClientSession, RedirectPolicy, TooManyRedirects
from wayfare_websocket import WSServerHandshakeError

from .test_ws_connect import refuse, refused
from .websocket_server import Asked, WebSocketServer, echo, serving


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as made:
        yield made


async def test_w4_redirects_only_by_option(session: ClientSession) -> None:
    """W4: without it the redirect is a refusal that says where it leads."""
    answer = refuse(302, "Location: /there")
    error = await refused(session, WebSocketServer(echo, lambda asked: answer))
    assert error.status == 302
    assert "it redirects to '/there', which allow_redirects=True follows" in error.message


@pytest.mark.parametrize("scheme", ["ws", "http", ""])
async def test_d22_a_redirect_within_the_origin_keeps_credentials(
    session: ClientSession, scheme: str
) -> None:
    """D22: ws and http are the same connections, so they are one origin."""

    def answer(asked: Asked) -> bytes | None:
        place = f"{scheme}://127.0.0.1:{server.port}" if scheme else ""
        return refuse(307, f"Location: {place}/there") if asked.target == "/" else None

    async with serving(WebSocketServer(echo, answer)) as server:
        options: Any = {"auth": BasicAuth("u", "p"), "cookies": {"a": "1"}, "origin": "https://x"}
        async with session.ws_connect(server.url, allow_redirects=True, **options) as ws:
            await ws.send_str("x")
            assert await ws.receive_str() == "x"
    first, second = server.asked
    assert second.target == "/there"
    for name in ("Authorization", "Cookie", "Origin", "Sec-WebSocket-Version"):
        assert second.headers[name] == first.headers[name]


async def test_d22_a_redirect_to_another_origin_drops_credentials(session: ClientSession) -> None:
    """D22: a Location of another host gets neither credentials nor cookies, nor the Origin."""
    async with serving(WebSocketServer(echo)) as other:

        def answer(asked: Asked) -> bytes | None:
            return refuse(302, f"Location: http://localhost:{other.port}/")

        async with serving(WebSocketServer(echo, answer)) as server:
            options: Any = {"auth": BasicAuth("u", "p"), "origin": "https://x"}
            options |= {"cookies": {"a": "1"}, "headers": {"X-Api-Key": "k", "X-Plain": "p"}}
            async with session.ws_connect(server.url, allow_redirects=True, **options):
                pass
    headers = other.asked[0].headers
    assert headers["X-Plain"] == "p"
    for name in ("Authorization", "Cookie", "Origin", "X-Api-Key"):
        assert name not in headers


async def test_d22_policies_and_limits(session: ClientSession) -> None:
    class Never(RedirectPolicy):
        def follows(self, step: Any) -> bool:
            return False

    def answer(asked: Asked) -> bytes | None:
        return refuse(302, "Location: /again")

    async with serving(WebSocketServer(echo, answer)) as server:
        with pytest.raises(WSServerHandshakeError):
            await session.ws_connect(server.url, allow_redirects=True, redirect_policy=Never())
        assert len(server.asked) == 1
        with pytest.raises(TooManyRedirects):
            await session.ws_connect(server.url, allow_redirects=True, max_redirects=2)
        assert len(server.asked) == 4
