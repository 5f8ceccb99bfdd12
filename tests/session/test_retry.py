"""When a request that failed is sent again without anybody asking: rules L9, L10 and R15."""

import asyncio
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import pytest
import wayfare
from wayfare._bodies import AsyncIterableBody
from wayfare._retry import may_retry
from wayfare_http_core import (
    ClientConnectionResetError,
    ClientOSError,
    ReadTimeoutError,
    RequestFailure,
    ServerDisconnectedError,
)
from wayfare_http_core.testing import (
    Fin,
    Read,
    ReadHead,
    ReadRequest,
    Repeat,
    Reset,
    ScriptedServer,
    Send,
)

from .conftest import in_memory

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ALWAYS = (Repeat(ReadRequest(), Send(OK)),)
IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")
LOST = (ServerDisconnectedError(), ClientOSError(104, "reset"), ClientConnectionResetError("x"))
OTHER = (
    ReadTimeoutError(1.0),
    wayfare.ClientConnectionError("the connection was closed"),
    wayfare.ClientPayloadError("x"),
    wayfare.ClientResponseError(None),
    TimeoutError(),
    LookupError(),
)


def failure_of(error: wayfare.ClientError) -> RequestFailure:
    assert error.failure is not None
    return error.failure


def failed(*, reused: bool, request_started: bool, response_started: bool) -> RequestFailure:
    return RequestFailure(
        "GET",
        ("http://h/",),
        "",
        reused=reused,
        request_started=request_started,
        response_started=response_started,
    )


@pytest.mark.parametrize("error", [*LOST, *OTHER], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", [*IDEMPOTENT, "POST", "PATCH", "CONNECT", "get"])
def test_l9_the_whole_table(method: str, error: Exception) -> None:
    """L9: only on a connection that was used before, before any answer, if the method or the moment allows it."""
    assert not may_retry(method, None, error, None)
    for reused, started, answered in product((False, True), repeat=3):
        failure = failed(reused=reused, request_started=started, response_started=answered)
        harmless = method in IDEMPOTENT or not started
        expected = reused and not answered and harmless and error in LOST
        assert may_retry(method, None, error, failure) is expected
        assert may_retry(method, b"x", error, failure) is expected


async def test_l9_content_must_be_there_once_more() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"

    failure = failed(reused=True, request_started=True, response_started=False)
    body = AsyncIterableBody(pieces())
    assert may_retry("PUT", body, LOST[0], failure)
    async for _ in body.chunks():
        pass
    assert not may_retry("PUT", body, LOST[0], failure)


# -- with connections -------------------------------------------------------------------------------------------------

LOSING = (ReadRequest(), Send(OK), ReadRequest(), Fin())
RESETTING = (ReadRequest(), Send(OK), ReadRequest(), Reset())


@pytest.mark.parametrize("script", [LOSING, RESETTING])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_l9_a_stale_connection_is_replaced(serve: Any, script: Any, method: str) -> None:
    async with serve(script, ALWAYS) as (session, server):
        await session.get("/first")
        body = b"content" if method == "PUT" else None
        response = await session.request(method, "/second", data=body)
        assert await response.text() == "ok"
        assert response.history == ()
    assert [len(peer.requests) for peer in server.peers] == [2, 1]
    assert server.peers[0].requests[1].body == server.peers[1].requests[0].body


async def test_l9_post_is_not_sent_twice(serve: Any) -> None:
    async with serve(LOSING, ALWAYS) as (session, server):
        await session.get("/first")
        with pytest.raises(wayfare.ServerDisconnectedError) as caught:
            await session.post("/second", data=b"order")
        failure = failure_of(caught.value)
        assert (failure.reused, failure.request_started, failure.attempt) == (True, True, 1)
        assert failure.phase == "waiting for the response"
        assert failure.urls == (f"{session.base_url}second",)
        assert session.connector.stats().leased == 0
    assert len(server.peers) == 1


async def test_a_new_connection_that_is_dropped_is_not_retried(serve: Any) -> None:
    """A server that drops new connections would get every request twice."""
    async with serve((ReadRequest(), Fin()), ALWAYS) as (session, server):
        with pytest.raises(wayfare.ServerDisconnectedError) as caught:
            await session.get("/")
        assert not failure_of(caught.value).reused
    assert len(server.peers) == 1


async def test_l9_the_second_attempt_gets_a_new_connection(serve: Any) -> None:
    """A server that restarted made all of them stale, and no request is lost by that."""
    async with serve(LOSING, LOSING, ALWAYS) as (session, server):
        await asyncio.gather(session.get("/a"), session.get("/b"))
        assert session.connector.stats().idle == 2
        assert (await session.get("/c")).status == 200
        stats = session.connector.stats()
        assert (stats.idle, stats.leased) == (1, 0)
    assert sum(len(peer.requests) for peer in server.peers) == 4


async def test_l10_once_and_no_more(serve: Any) -> None:
    async with serve(LOSING, (ReadRequest(), Fin()), ALWAYS) as (session, server):
        await session.get("/first")
        with pytest.raises(wayfare.ServerDisconnectedError) as caught:
            await session.get("/second")
        failure = failure_of(caught.value)
        assert (failure.attempt, failure.reused) == (2, False)
        [note] = caught.value.__notes__
        assert note.startswith(f"GET {session.base_url}second: waiting for the response, attempt 2")
    assert len(server.peers) == 2


async def test_an_answer_that_began_is_not_asked_for_again(serve: Any) -> None:
    script = (ReadRequest(), Send(OK), ReadRequest(), Send(b"HTTP/1.1 2"), Fin())
    async with serve(script, ALWAYS) as (session, server):
        await session.get("/")
        with pytest.raises(wayfare.ClientError) as caught:
            await session.get("/")
        assert failure_of(caught.value).response_started
        assert failure_of(caught.value).phase == "receiving the response"
    assert len(server.peers) == 1


@pytest.mark.parametrize("where", ["session", "request"])
async def test_the_knob(serve: Any, where: str) -> None:
    of_session = {"retry_stale": False} if where == "session" else {}
    of_request = {"retry_stale": False} if where == "request" else {}
    async with serve(LOSING, ALWAYS, **of_session) as (session, server):
        await session.get("/first")
        with pytest.raises(wayfare.ServerDisconnectedError):
            await session.get("/second", **of_request)
    assert len(server.peers) == 1


async def test_middlewares_see_each_attempt_from_its_beginning(serve: Any) -> None:
    seen = []

    async def middleware(request: Any, handler: Any) -> Any:
        seen.append(dict(request.headers).get("X-Tries"))
        request.headers["X-Tries"] = "1"
        return await handler(request)

    async with serve(LOSING, ALWAYS, middlewares=[middleware]) as (session, server):
        await session.get("/first")
        await session.get("/second")
    assert seen == [None, None, None]
    assert server.peers[1].requests[0].get("x-tries") == "1"


# -- Expect ---------------------------------------------------------------------------------------------------------

REFUSED = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"


def test_r15_417_is_asked_again_without_the_expectation() -> None:
    async def use(session: wayfare.ClientSession, server: ScriptedServer) -> None:
        response = await session.post("/", data=b"content", expect100=True)
        assert (response.status, response.history) == (200, ())
        again = server.peers[-1].requests[-1]
        assert (again.get("expect"), again.body) == (None, b"content")

    in_memory(use, (ReadHead(), Send(REFUSED), Read(1)), ALWAYS)


async def test_417_without_an_expectation_is_an_answer_like_any_other(serve: Any) -> None:
    async with serve((Repeat(ReadRequest(), Send(REFUSED)),)) as (session, server):
        assert (await session.post("/", data=b"content")).status == 417
    assert len(server.peers[0].requests) == 1


async def test_l9_what_a_middleware_made_a_post_is_not_sent_twice(serve: Any) -> None:
    async def ordering(request: Any, handler: Any) -> Any:
        request.method = "POST"
        return await handler(request)

    async with serve(LOSING, ALWAYS) as (session, server):
        await session.get("/first")
        with pytest.raises(wayfare.ServerDisconnectedError):
            await session.get("/second", middlewares=[ordering])
    assert [request.method for request in server.peers[0].requests] == ["GET", "POST"]
    assert len(server.peers) == 1


@pytest.mark.parametrize("traced", [False, True])
async def test_l9_a_full_pool_hands_no_used_connection_to_a_second_attempt(
    serve: Any, traced: bool
) -> None:
    """L9: what becomes free while an attempt waits in line may be about to go, too."""
    options = {"trace_configs": [wayfare.TraceConfig()] if traced else []}
    connector = wayfare.TCPConnector(limit=1)
    async with serve(LOSING, LOSING, ALWAYS, connector=connector, **options) as (session, server):
        await (await session.get("/first")).text()
        # The first of these goes over the used connection, the second waits; then the place is the second one's.
        responses = await asyncio.gather(session.get("/a"), session.get("/b"))
        assert [await response.text() for response in responses] == ["ok", "ok"]
    assert [len(peer.requests) for peer in server.peers] == [2, 1, 1]
