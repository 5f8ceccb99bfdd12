"""Tracing of requests that fail or are given up, and what becomes of handlers that fail themselves."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trustme
import wayfare
from wayfare_connector import TCPConnector
from wayfare_connector.testing import FakeResolver
from wayfare_http_core.testing import (
    Fin,
    ReadRequest,
    Repeat,
    ScriptedServer,
    Send,
    Stall,
    listening,
)

from .trace_diary import CREATED, FOUND, HINTS, OK, Diary, nothing


async def test_a_request_that_fails(serve: Any) -> None:
    diary = Diary()
    async with serve((ReadRequest(), Fin()), trace_configs=[diary.config]) as (session, _):
        with pytest.raises(wayfare.ServerDisconnectedError) as caught:
            await session.get("/")
    assert diary.names == [
        "request_start",
        *CREATED,
        "request_headers_sent",
        "request_exception",
    ]
    assert diary.one("request_exception").exception is caught.value


async def test_informational_responses_are_told_before_the_failure(serve: Any) -> None:
    diary = Diary("on_informational", "on_request_exception")
    script = (ReadRequest(), Send(HINTS), Fin())
    async with serve(script, trace_configs=[diary.config]) as (session, _):
        with pytest.raises(wayfare.ServerDisconnectedError):
            await session.get("/")
    assert diary.names == ["informational", "request_exception"]


async def test_a_url_that_is_none_is_no_request(serve: Any) -> None:
    """What a caller gets wrong is told to the caller alone: nothing began."""
    diary = Diary()
    async with serve(trace_configs=[diary.config]) as (session, _):
        with pytest.raises(wayfare.NonHttpUrlClientError):
            await session.get("ftp://h/")
        with pytest.raises(TypeError):
            await session.get("/", no_such_option=1)
    assert diary.names == []


async def test_an_error_status_that_raises_is_a_failure(serve: Any) -> None:
    diary = Diary()
    absent = Repeat(ReadRequest(), Send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))

    async def refuse(response: wayfare.ClientResponse) -> None:
        raise LookupError(response.status)

    async with serve((absent,), trace_configs=[diary.config]) as (session, _):
        with pytest.raises(wayfare.ClientResponseError) as caught:
            await session.get("/", raise_for_status=True)
        assert diary.names[-2:] == ["response_start", "request_exception"]
        assert diary.one("request_exception").exception is caught.value
        with pytest.raises(LookupError):
            await session.get("/", raise_for_status=refuse)
        assert diary.names[-2:] == ["response_start", "request_exception"]
        assert session.connector.stats().leased == 0


async def test_a_request_that_is_cancelled(serve: Any) -> None:
    diary = Diary()
    async with serve((ReadRequest(), Stall()), trace_configs=[diary.config]) as (session, server):
        task = asyncio.ensure_future(session.get("/"))
        while not server.requests:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert session.connector.stats().leased == 0
    assert diary.names[-1] == "request_exception"
    assert isinstance(diary.one("request_exception").exception, asyncio.CancelledError)


async def test_closing_a_request_that_waits_tells_nobody(serve: Any) -> None:
    """A coroutine that is closed cannot await handlers any more."""
    diary = Diary()
    async with serve(trace_configs=[diary.config]) as (session, _):
        request = session.get("/")
        request.send(None)
        request.close()
        assert diary.names[0] == "request_start"
        assert session.connector.stats().leased == 0
        assert diary.names[-1] != "request_exception"


# Everything that happens to a request which is redirected, over TLS, by name, with content both ways.
EVENTFUL = [
    "request_start",
    "connection_create_start",
    "dns_cache_miss",
    "dns_resolvehost_start",
    "dns_resolvehost_end",
    "dial_start",
    "dial_end",
    "tls_handshake_start",
    "tls_handshake_end",
    "connection_create_end",
    "request_headers_sent",
    "request_chunk_sent",
    "response_start",
    "request_redirect",
    "connection_reuseconn",
    "informational",
    "request_end",
    "response_chunk_received",
    "response_end",
]


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The contexts of a server called h.test and of a client that trusts it."""
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("h.test").configure_cert(served)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trusting)
    return served, trusting


async def eventful(
    diary: Diary,
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    check: Callable[[wayfare.ClientSession], Awaitable[None]],
) -> None:
    """Run `check` with a session whose server redirects its first request; nothing must be left."""
    served, trusting = contexts
    script = (Repeat(ReadRequest(), Send(FOUND), ReadRequest(), Send(HINTS + OK)),)
    server = ScriptedServer(*[script] * 3)
    async with listening(server, tls=served) as (_, port):
        connector = TCPConnector(
            ssl=trusting, resolver=FakeResolver({"h.test": ["127.0.0.1"]}), limit=1
        )
        async with wayfare.ClientSession(
            f"https://h.test:{port}/", connector=connector, trace_configs=[diary.config]
        ) as session:
            await check(session)
            stats = connector.stats()
            assert (stats.leased, stats.connecting, stats.waiting) == (0, 0, 0)
            diary.obstacle = nothing
            async with session.post("/", data=b"again", allow_redirects=False) as response:
                assert await response.read() in (b"", b"ok")


async def ask(session: wayfare.ClientSession) -> None:
    async with session.post("/", data=b"content") as response:
        assert await response.text() == "ok"


@pytest.mark.parametrize("name", EVENTFUL)
async def test_what_a_handler_raises_fails_the_request_and_leaves_nothing(
    name: str, contexts: Any
) -> None:
    async def fail(told: str, params: Any) -> None:
        if told == f"on_{name}":
            raise LookupError(name)

    diary = Diary(obstacle=fail)

    async def check(session: wayfare.ClientSession) -> None:
        with pytest.raises(LookupError, match=name):
            await ask(session)
        # What happens once the caller has the response is no failure of the request.
        begun_reading = "request_end" in diary.names and name != "request_end"
        assert len(diary.all("request_exception")) == int(not begun_reading)

    await eventful(diary, contexts, check)


@pytest.mark.parametrize("name", EVENTFUL)
async def test_cancelled_within_a_handler(name: str, contexts: Any) -> None:
    """Cancellation while a handler waits leaves nothing either."""
    reached = asyncio.Event()

    async def wait(told: str, params: Any) -> None:
        if told == f"on_{name}":
            reached.set()
            await asyncio.Event().wait()

    diary = Diary(obstacle=wait)

    async def check(session: wayfare.ClientSession) -> None:
        task = asyncio.ensure_future(ask(session))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    await eventful(diary, contexts, check)


@pytest.mark.parametrize("name", EVENTFUL[:-2])
async def test_the_total_time_bounds_handlers_too(name: str, contexts: Any) -> None:
    async def wait(told: str, params: Any) -> None:
        if told == f"on_{name}":
            await asyncio.Event().wait()

    diary = Diary(obstacle=wait)

    async def check(session: wayfare.ClientSession) -> None:
        with pytest.raises(TimeoutError):
            await session.post("/", data=b"content", timeout=0.2)
        assert isinstance(diary.one("request_exception").exception, TimeoutError)

    await eventful(diary, contexts, check)


async def test_a_handler_of_the_failure_that_fails_itself(serve: Any) -> None:
    async def fail(told: str, params: Any) -> None:
        raise LookupError("the handler's")

    diary = Diary("on_request_exception", obstacle=fail)
    async with serve((ReadRequest(), Fin()), trace_configs=[diary.config]) as (session, _):
        with pytest.raises(LookupError, match="the handler's") as caught:
            await session.get("/")
        assert isinstance(caught.value.__context__, wayfare.ServerDisconnectedError)
        assert session.connector.stats().leased == 0


async def test_two_configs_are_told_in_order_and_of_each_others_failures(serve: Any) -> None:
    first = Diary("on_request_start", "on_request_exception")

    async def fail(told: str, params: Any) -> None:
        raise LookupError("the second one's")

    second = Diary("on_request_start", obstacle=fail)
    configs = [first.config, second.config]
    async with serve(trace_configs=configs) as (session, _):
        assert session.trace_configs == tuple(configs)
        with pytest.raises(LookupError):
            await session.get("/")
    # Whatever the first one began, it can end.
    assert first.names == ["request_start", "request_exception"]
    assert first.contexts[0] is first.contexts[1]
    assert second.names == ["request_start"]


async def test_configs_are_frozen_with_their_session(serve: Any) -> None:
    diary = Diary()
    async with serve(trace_configs=[diary.config]) as (session, _):
        with pytest.raises(RuntimeError):
            diary.config.on_request_start.append(diary.config.on_request_start[0])
        assert session.trace_configs == (diary.config,)
    async with serve() as (session, _):
        assert session.trace_configs == ()
    with pytest.raises(TypeError, match="trace_configs"):
        wayfare.ClientSession(trace_configs=[object()])  # type: ignore[list-item]  # what is tested
