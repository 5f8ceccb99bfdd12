"""Middlewares: once per attempt of each hop, first one outermost."""

import asyncio
from typing import Any

import pytest
import wayfare
from wayfare_http_core.testing import Fin, ReadRequest, Repeat, Send, Stall

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ALWAYS = (Repeat(ReadRequest(), Send(OK)),)


async def test_the_first_is_outermost(serve: Any) -> None:
    seen: list[str] = []

    def named(name: str) -> Any:
        async def middleware(
            request: wayfare.ClientRequest, handler: wayfare.ClientHandlerType
        ) -> wayfare.ClientResponse:
            seen.append(f"{name} before")
            response = await handler(request)
            seen.append(f"{name} after")
            return response

        return middleware

    async with serve(ALWAYS, middlewares=[named("a"), named("b")]) as (session, _):
        await session.get("/")
        assert seen == ["a before", "b before", "b after", "a after"]
        seen.clear()
        await session.get("/", middlewares=[named("c")])
        assert seen == ["c before", "c after"]
        seen.clear()
        await session.get("/", middlewares=())
        assert seen == []


async def test_a_relative_location_leads_on_from_where_the_request_really_went(serve: Any) -> None:
    """RFC 9110 section 10.2.2."""

    async def middleware(request: Any, handler: Any) -> Any:
        if request.url.path == "/asked":
            request.url = request.url.with_path("/really/asked")
        return await handler(request)

    moved = b"HTTP/1.1 302 Moved\r\nLocation: next\r\nContent-Length: 0\r\n\r\n"
    script = (ReadRequest(), Send(moved), ReadRequest(), Send(OK))
    async with serve(script, middlewares=[middleware]) as (session, server):
        response = await session.get("/asked")
        assert response.url.path == "/really/next"
        assert [one.target for one in server.peers[0].requests] == ["/really/asked", "/really/next"]


async def test_credentials_stay_behind_where_a_middleware_left_their_origin(serve: Any) -> None:
    """The redirect is relative to the other origin, and nothing of the first one goes there by itself."""

    async def middleware(request: Any, handler: Any) -> Any:
        if request.url.path == "/asked":
            request.url = request.url.with_host("localhost")
        return await handler(request)

    moved = b"HTTP/1.1 302 Moved\r\nLocation: next\r\nContent-Length: 0\r\n\r\n"
    script = (ReadRequest(), Send(moved), ReadRequest(), Send(OK))
    async with serve(script, middlewares=[middleware]) as (session, server):
        response = await session.get("/asked", headers={"Authorization": "x"})
        assert (response.url.host, response.url.path) == ("localhost", "/next")
        fields = [one.get("authorization") for one in server.peers[0].requests]
        assert fields == ["x", None]


async def test_what_a_middleware_changes_is_sent(serve: Any) -> None:
    async def middleware(request: Any, handler: Any) -> Any:
        request.headers["X-Added"] = request.method
        request.method = "PUT"
        request.url = request.url.with_path("/changed").with_fragment("f")
        request.body = b"content"
        return await handler(request)

    async with serve(ALWAYS, middlewares=[middleware]) as (session, server):
        response = await session.get("/")
        assert (response.method, response.url.path) == ("PUT", "/changed")
        assert response.real_url.fragment == "f"
    request = server.peers[0].requests[0]
    assert (request.method, request.target, request.body) == ("PUT", "/changed", b"content")
    assert request.get("x-added") == "GET"


async def test_responses_that_are_not_returned_are_released(serve: Any) -> None:
    """O11."""
    incomplete = b"HTTP/1.1 503 Busy\r\nContent-Length: 200\r\n\r\nx"

    async def again(request: Any, handler: Any) -> Any:
        response = await handler(request)
        if response.status == 503:
            response = await handler(request)
        return response

    async with serve((ReadRequest(), Send(incomplete), Fin()), ALWAYS, middlewares=[again]) as (
        session,
        _,
    ):
        response = await session.get("/")
        assert await response.text() == "ok"
        await asyncio.sleep(0)
        assert session.connector.stats().leased == 0


async def test_an_error_in_a_middleware_releases_the_connection(serve: Any) -> None:
    """O11."""

    async def failing(request: Any, handler: Any) -> Any:
        await handler(request)
        raise LookupError("mine")

    async with serve(ALWAYS, middlewares=[failing]) as (session, _):
        with pytest.raises(LookupError, match="mine"):
            await session.get("/")
        assert session.connector.stats().leased == 0


async def test_a_response_of_somebody_elses_making_keeps_ours(serve: Any) -> None:
    """It may stand for one of them, so none is released."""

    class Wrapped:
        def __init__(self, response: wayfare.ClientResponse) -> None:
            self.response = response
            self.status = response.status

    async def wrapping(request: Any, handler: Any) -> Any:
        return Wrapped(await handler(request))

    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    rest = Repeat(ReadRequest(), Send(half))
    async with serve((rest,), middlewares=[wrapping]) as (session, server):
        wrapped: Any = await session.get("/")
        assert not wrapped.response.closed
        server.peers[0].write(b" whole")
        assert await wrapped.response.read() == b"half whole"


async def test_a_middleware_that_forgets_to_return_is_an_error(serve: Any) -> None:
    """And no reason to ask again: the server would get one request after the other."""

    async def forgetful(request: Any, handler: Any) -> Any:
        await handler(request)

    async with serve(ALWAYS, middlewares=[forgetful]) as (session, server):
        with pytest.raises(TypeError, match="must return a response"):
            await session.get("/")
        assert session.connector.stats().leased == 0
    assert len(server.peers[0].requests) == 1


@pytest.mark.parametrize(
    ("limits", "own", "error"),
    [
        (wayfare.ClientTimeout(sock_read=0.05), 60, wayfare.ReadTimeoutError),
        (wayfare.ClientTimeout(total=0.05), 60, wayfare.TotalTimeoutError),
        (wayfare.ClientTimeout(total=0.05), None, wayfare.TotalTimeoutError),
        (wayfare.ClientTimeout(total=60), 0.05, wayfare.TotalTimeoutError),
        (wayfare.ClientTimeout(total=None, first_byte=0.05), None, wayfare.FirstByteTimeoutError),
    ],
)
async def test_a_middleware_changes_the_limits(
    serve: Any, limits: Any, own: float | None, error: type[Exception]
) -> None:
    async def hasty(request: Any, handler: Any) -> Any:
        request.timeout = limits
        return await handler(request)

    async with serve((ReadRequest(), Stall()), middlewares=[hasty]) as (session, _):
        with pytest.raises(error):
            await session.get("/", timeout=own)


async def test_user_info_that_a_middleware_puts_into_the_url_is_used(serve: Any) -> None:
    async def identified(request: Any, handler: Any) -> Any:
        request.url = request.url.with_user("user").with_password("secret")
        return await handler(request)

    async with serve(ALWAYS, middlewares=[identified]) as (session, server):
        assert (await session.get("/")).url.user is None
    assert server.peers[0].requests[0].get("authorization") == "Basic dXNlcjpzZWNyZXQ="
