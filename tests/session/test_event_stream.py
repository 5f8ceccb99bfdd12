"""The events of a response, and of a URL over as many connections as it takes."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import wayfare
from wayfare import (
    ClientSession,
    ContentTypeError,
    EventSource,
    EventTooLargeError,
    Reconnection,
    TCPConnector,
)
from wayfare import ServerSentEvent as E
from wayfare._reconnecting import may_reconnect, reconnect_delay
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core import IncompleteBodyError, ReadTimeoutError, TransferEncodingError
from wayfare_http_core.testing import (
    Drip,
    FakeClockLoop,
    Fin,
    ReadRequest,
    Reset,
    Script,
    Send,
    Stall,
    Wait,
    World,
)

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
OVER: Script = (ReadRequest(), Send(b"HTTP/1.1 204 No Content\r\n\r\n"))


def stream(*events: bytes, end: Any = None) -> Script:
    return (ReadRequest(), Send(STREAM + b"".join(events)), end or Fin())


def refusal(status: int, *fields: bytes) -> Script:
    lines = [b"HTTP/1.1 %d No" % status, *fields, b"Content-Length: 3", b"", b"why"]
    return (ReadRequest(), Send(b"\r\n".join(lines)), Fin())


# -- one response -------------------------------------------------------------------------------------------------


async def test_the_events_of_a_response(serve: Any) -> None:
    octets = b"id: 1\ndata: a\n\nevent: x\nretry: 9\ndata: b\n\ndata: not"
    async with serve((ReadRequest(), Send(STREAM), Drip(octets, 3), Fin())) as (session, _):
        async with session.get("/") as response:
            events = response.events()
            assert (events.last_event_id, events.retry) == ("", None)
            assert [event async for event in events] == [
                E("message", "a", "1"),
                E("x", "b", "1", 9),
            ]
            assert (events.last_event_id, events.retry) == ("1", 9)
        assert response.closed


async def test_events_whose_content_is_coded(serve: Any) -> None:
    content = gzip.compress(b"data: a\n\n")
    head = STREAM.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
    async with (
        serve((ReadRequest(), Send(head + content), Fin())) as (session, _),
        session.get("/") as response,
    ):
        assert [event async for event in response.events()] == [E("message", "a")]


async def test_content_of_another_type_has_no_events(serve: Any) -> None:
    head = ("HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: 9", b"data: a\n\n")
    async with serve(head) as (session, _), session.get("/") as response:
        with pytest.raises(ContentTypeError, match="'text/plain', not 'text/event-stream'"):
            response.events()
        events = response.events(content_type=None, last_event_id="7")
        assert [event async for event in events] == [E("message", "a", "7")]


async def test_an_event_beyond_the_limit_is_an_error_behind_those_within(serve: Any) -> None:
    async with serve(stream(b"data: a\n\ndata: 12345\n\ndata: b\n\n")) as (session, _):
        response = await session.get("/")
        events = response.events(max_event_size=10)
        assert await anext(events) == E("message", "a")
        for _ in range(2):
            with pytest.raises(EventTooLargeError):
                await anext(events)
        response.close()


async def test_a_cancelled_step_loses_no_event(serve: Any) -> None:
    async with serve((ReadRequest(), Send(STREAM + b"data: "), Stall())) as (session, server):
        response = await session.get("/")
        events = response.events()
        step = asyncio.ensure_future(anext(events))
        while not response.content.total_bytes:
            await asyncio.sleep(0)
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        server.peers[0].write(b"a\n\n")
        assert await anext(events) == E("message", "a")
        response.close()


# -- when to connect again ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "failures", "least", "most"),
    [
        (3.0, 0, 3.0, 6.0),
        (3.0, 1, 3.0, 9.0),
        (3.0, 3, 3.0, 27.0),
        (3.0, 10, 3.0, 63.0),
        (3.0, 10**9, 3.0, 63.0),
        (100.0, 0, 100.0, 200.0),
        (100.0, 5, 100.0, 200.0),
        (0.0, 0, 0.05, 0.1),
        (0.0, 1, 0.05, 0.15),
        (1e9, 0, 3600.0, 7200.0),
    ],
)
def test_the_delay(base: float, failures: int, least: float, most: float) -> None:
    assert reconnect_delay(base, 60.0, failures, 0.0) == pytest.approx(least)
    assert reconnect_delay(base, 60.0, failures, 1.0) == pytest.approx(most)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (wayfare.ClientConnectionError("x"), True),
        (wayfare.ServerDisconnectedError(), True),
        (IncompleteBodyError(1, 2), True),
        (ReadTimeoutError(1.0), True),
        (wayfare.TotalTimeoutError(1.0), True),
        (wayfare.ServerFingerprintMismatch(b"a" * 32, b"b" * 32, "h", 443), False),
        (wayfare.ConnectorClosedError(), False),
        (TransferEncodingError("x"), False),
        (EventTooLargeError(1), False),
        (wayfare.InvalidURL("x"), False),
        (RuntimeError("x"), False),
        (wayfare.ClientResponseError(None, (), status=503), True),
        (wayfare.ClientResponseError(None, (), status=429), True),
        (wayfare.ClientResponseError(None, (), status=501), False),
        (wayfare.ClientResponseError(None, (), status=404), False),
    ],
)
def test_what_may_pass(error: Exception, verdict: bool) -> None:
    assert may_reconnect(error) is verdict


@pytest.mark.parametrize("name", ["delay", "max_delay", "failures"])
@pytest.mark.parametrize("value", [-1, float("nan")])
def test_a_reconnection_that_is_none(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{name} must not be negative: "):
        Reconnection(**{name: value})  # type: ignore[arg-type]  # a number for each


# -- many connections -----------------------------------------------------------------------------------------------

Play = Callable[[World, ClientSession, Any], Coroutine[Any, Any, None]]


def play(main: Play, *scripts: Script) -> None:
    """Run `main` against a server in memory, on a clock that never waits."""

    async def running() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        world = World(loop)
        server = world.serve("h", 80, *scripts)
        connector = TCPConnector(dialer=MemoryDialer(world.network))
        async with ClientSession("http://h/", connector=connector) as session:
            await main(world, session, server)
            await loop.settled()
            assert connector.stats().leased == 0
        world.drop_servers()
        await loop.settled()
        assert server.errors == ()

    with asyncio.Runner(loop_factory=FakeClockLoop) as runner:
        runner.run(running())


def fields(server: Any, name: str) -> list[str | None]:
    """That field of each request that a server got."""
    return [request.get(name) for request in server.requests]


def now() -> float:
    return asyncio.get_running_loop().time()


def test_it_connects_again_and_says_where_it_was() -> None:
    async def main(world: World, session: ClientSession, server: Any) -> None:
        started = now()
        async with session.events("/x") as source:
            assert now() == started
            assert [event async for event in source] == [
                E("message", "a", "1"),
                E("message", "b", "1"),
                E("message", "c", "3"),
            ]
            assert source.closed
            assert source.response is None
        assert fields(server, "Last-Event-ID") == [None, "1", "2", "3"]
        assert fields(server, "Accept") == ["text/event-stream"] * 4
        assert fields(server, "Cache-Control") == ["no-store"] * 4
        # Three waits: 3 s and as much by chance; 1 s and as much; the same.
        assert 5 <= now() - started <= 10

    play(
        main,
        stream(b"id: 1\ndata: a\n\n"),
        stream(b"data: b\n\nretry: 1000\nid: 2\n\nid: 9\n"),
        stream(b"id: 3\ndata: c\n\n"),
        OVER,
    )


def test_a_server_that_says_0_at_once_is_not_hurried() -> None:
    async def main(world: World, session: ClientSession, server: Any) -> None:
        async with session.events("/") as source:
            started = now()
            assert [event.data async for event in source] == ["a"]
            assert 0.05 <= now() - started <= 0.1

    play(main, stream(b"retry: 0\ndata: a\n\n"), OVER)


def test_a_connection_that_breaks_is_followed_by_another() -> None:
    """A broken connection, one cut within a chunk, a server that is busy, one that is silent."""
    chunked = STREAM.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")

    async def main(world: World, session: ClientSession, server: Any) -> None:
        timeout = wayfare.ClientTimeout(sock_read=20)
        async with session.events("/", timeout=timeout) as source:
            assert [event.data async for event in source] == ["a", "b", "c"]
        assert len(server.requests) == 7

    play(
        main,
        stream(b"data: a\n\n", end=Reset()),
        (ReadRequest(), Send(chunked + b"ff\r\ndata: b\n\n"), Fin()),
        (ReadRequest(), Fin()),
        refusal(503),
        stream(b"data: c\n\n", end=Stall()),
        (ReadRequest(), Stall()),
        OVER,
    )


def test_waits_grow_with_failures_and_retry_after_counts() -> None:
    async def main(world: World, session: ClientSession, server: Any) -> None:
        async with session.events("/", reconnection=Reconnection(delay=1)) as source:
            assert await anext(source) == E("message", "a")
            started = now()
            assert await anext(source) == E("message", "b")
            assert 102 <= now() - started <= 2 + 3 + 200

    play(
        main,
        stream(b"data: a\n\n"),
        refusal(500),
        refusal(429, b"Retry-After: 100"),
        stream(b"data: b\n\n"),
    )


def test_the_last_of_too_many_failures_is_raised() -> None:
    async def main(world: World, session: ClientSession, server: Any) -> None:
        async with session.events("/", reconnection=Reconnection(failures=2)) as source:
            assert await anext(source) == E("message", "a")
            with pytest.raises(wayfare.ClientResponseError) as caught:
                await anext(source)
            assert (caught.value.status, caught.value.body) == (502, b"why")
            assert source.closed
            with pytest.raises(StopAsyncIteration):
                await anext(source)

    play(main, stream(b"data: a\n\n"), refusal(500), refusal(503), refusal(502))


@pytest.mark.parametrize(
    ("script", "error", "text"),
    [
        (refusal(503), wayfare.ClientResponseError, "status 200, not 503"),
        (refusal(404), wayfare.ClientResponseError, "status 200, not 404"),
        (refusal(206), wayfare.ClientResponseError, "status 200, not 206"),
        (refusal(200), ContentTypeError, "'application/octet-stream', not 'text/event-stream'"),
        ((ReadRequest(), Fin()), wayfare.ServerDisconnectedError, "server"),
    ],
)
def test_the_first_connection_fails_at_once(
    script: Script, error: type[Exception], text: str
) -> None:
    async def main(world: World, session: ClientSession, server: Any) -> None:
        started = now()
        async with session.events("/", method="POST", data=b"q", retry_stale=False) as source:
            with pytest.raises(error, match=text):
                await anext(source)
            assert source.closed
        assert now() == started

    play(main, script)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (refusal(404), wayfare.ClientResponseError),
        (refusal(200), ContentTypeError),
        (stream(b"data: " + b"x" * 100), EventTooLargeError),
    ],
)
def test_a_later_connection_fails_for_good(script: Script, error: type[Exception]) -> None:
    async def main(world: World, session: ClientSession, server: Any) -> None:
        async with session.events("/", max_event_size=50) as source:
            assert await anext(source) == E("message", "a")
            with pytest.raises(error):
                await anext(source)
            assert source.closed

    play(main, stream(b"data: a\n\n"), script)


async def test_a_session_that_raises_for_status_changes_nothing(serve: Any) -> None:
    again = Reconnection(delay=0)
    scripts = (stream(b"data: a\n\n"), refusal(500), OVER)
    async with serve(*scripts, raise_for_status=True) as (session, _):
        async with session.events("/", reconnection=again) as source:
            assert [event.data async for event in source] == ["a"]
        with pytest.raises(ValueError, match="an event source judges the status itself"):
            session.events("/", raise_for_status=True)


def test_what_the_caller_says_counts() -> None:
    """Fields of the caller's, an id to begin with, and one that no field can hold."""
    mine = [("Accept", "text/event-stream;q=1"), ("cache-control", "no-cache"), ("X-One", "1")]

    async def main(world: World, session: ClientSession, server: Any) -> None:
        async with session.events("/", last_event_id="ä7", headers=mine) as source:
            assert [event.data async for event in source] == ["a"]
        assert fields(server, "Last-Event-ID") == ["ä7".encode().decode("latin-1"), None]
        assert fields(server, "Accept") == ["text/event-stream;q=1"] * 2
        assert fields(server, "Cache-Control") == ["no-cache"] * 2
        assert fields(server, "X-One") == ["1"] * 2

    play(main, stream(b"id: a\x01b\ndata: a\n\n"), OVER)


def test_the_session_closes_under_it() -> None:
    async def main(world: World, session: ClientSession, server: Any) -> None:
        source = session.events("/")
        assert await anext(source) == E("message", "a")
        step = asyncio.ensure_future(anext(source))
        await world.loop.settled()
        await session.close()
        with pytest.raises(wayfare.ClientConnectionError):
            await step
        assert source.closed

    play(main, stream(b"data: a\n\n", end=Stall()))


async def into(source: EventSource, events: list[E]) -> None:
    async for event in source:
        events.append(event)


@pytest.mark.parametrize("end", [Stall(), Fin()])
def test_close_wakes_who_waits(end: Any) -> None:
    """For an event, or for the next connection."""

    async def main(world: World, session: ClientSession, server: Any) -> None:
        source = session.events("/", reconnection=Reconnection(delay=1000))
        events: list[E] = []
        reading = asyncio.ensure_future(into(source, events))
        await world.loop.settled()
        assert events == [E("message", "a")]
        started = now()
        source.close()
        source.close()
        await reading
        assert now() == started
        assert len(server.requests) == 1

    play(main, stream(b"data: a\n\n", end=end))


def test_close_while_it_connects() -> None:
    async def main(world: World, session: ClientSession, server: Any) -> None:
        source = session.events("/")
        reading = asyncio.ensure_future(into(source, []))
        await world.loop.settled()
        source.close()
        await reading
        assert source.response is None

    play(main, (ReadRequest(), Wait(1), Send(STREAM + b"data: a\n\n"), Fin()))


def test_one_task_at_a_time() -> None:
    async def main(world: World, session: ClientSession, server: Any) -> None:
        async with session.events("/") as source:
            step = asyncio.ensure_future(anext(source))
            await world.loop.settled()
            with pytest.raises(RuntimeError, match="another task waits for the next event"):
                await anext(source)
            step.cancel()
            with pytest.raises(asyncio.CancelledError):
                await step

    play(main, (ReadRequest(), Stall()))


def test_a_cancelled_step_goes_on() -> None:
    """In the request, within an event, and in the wait for the next connection."""

    async def steps(source: EventSource) -> AsyncIterator[E]:
        while True:
            step = asyncio.ensure_future(anext(source, None))
            done, _ = await asyncio.wait({step}, timeout=0.5)
            if not done:
                step.cancel()
                await asyncio.wait({step})
                continue
            event = step.result()
            if event is None:
                return
            yield event

    async def main(world: World, session: ClientSession, server: Any) -> None:
        started = now()
        async with session.events("/") as source:
            assert [event.data async for event in steps(source)] == ["a", "b"]
        assert 4 <= now() - started <= 8

    play(
        main,
        (ReadRequest(), Stall()),
        (ReadRequest(), Send(STREAM + b"data: a\n\ndata: "), Wait(0.7), Send(b"b\n\n"), Fin()),
        OVER,
    )
