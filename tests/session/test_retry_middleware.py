"""`RetryMiddleware` with servers that fail: rule O13."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
import wayfare
from wayfare import RetryMiddleware, RetryPolicy, TraceConfig
from wayfare_http_core.testing import (
    Fin,
    ReadRequest,
    ReceivedRequest,
    Repeat,
    Reply,
    Reset,
    Send,
    Serve,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Answers:
    """Answers with each status in turn, and 200 ever after."""

    def __init__(self, *statuses: int, fields: Iterable[tuple[str, str]] = ()) -> None:
        self.statuses = list(statuses)
        self.fields = tuple(fields)
        self.requests: list[ReceivedRequest] = []

    def __call__(self, request: ReceivedRequest) -> Reply:
        self.requests.append(request)
        status = self.statuses.pop(0) if self.statuses else 200
        return Reply(f"answer {len(self.requests)}", status, fields=self.fields)


class Patience(list[float]):
    """A middleware that never really waits: it is the list of its pauses."""

    def __init__(self, draw: float = 1.0, **policy: Any) -> None:
        async def sleep(seconds: float) -> None:
            self.append(seconds)

        keys = iter(range(100))
        self.middleware = RetryMiddleware(
            RetryPolicy(**policy),
            draw=lambda: draw,
            sleep=sleep,
            now=lambda: NOW,
            new_key=lambda: f"key {next(keys)}",
        )


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_o13_statuses_that_may_not_last(serve: Any, status: int) -> None:
    """O13: with a pause before each further attempt; what is not returned is released."""
    answers, patience = Answers(status, status), Patience()
    async with serve((Serve(answers),), middlewares=[patience.middleware]) as (session, _):
        async with session.get("/") as response:
            assert (response.status, response.attempt) == (200, 3)
            assert await response.text() == "answer 3"
        assert session.connector.stats().leased == 0
    assert patience == [0.5, 1.0]


@pytest.mark.parametrize("status", [200, 301, 400, 401, 404, 425, 501, 505])
async def test_other_statuses_are_the_answer(serve: Any, status: int) -> None:
    answers, patience = Answers(status), Patience()
    async with (
        serve((Serve(answers),), middlewares=[patience.middleware]) as (session, _),
        session.get("/") as response,
    ):
        assert (response.status, response.attempt) == (status, 1)
        await response.read()
    assert patience == []


async def test_the_last_answer_is_returned_unread(serve: Any) -> None:
    answers, patience = Answers(*[503] * 9), Patience(attempts=3)
    async with (
        serve((Serve(answers),), middlewares=[patience.middleware]) as (session, _),
        session.get("/") as response,
    ):
        assert (response.status, response.attempt) == (503, 3)
        assert await response.text() == "answer 3"
    assert len(answers.requests) == 3


async def test_o13_it_is_off_by_default(serve: Any) -> None:
    answers = Answers(503)
    async with serve((Serve(answers),)) as (session, _), session.get("/") as response:
        assert response.status == 503
        await response.read()


async def test_it_works_for_one_request(serve: Any) -> None:
    answers, patience = Answers(503), Patience(draw=0.5)
    async with (
        serve((Serve(answers),)) as (session, _),
        session.get("/", middlewares=[patience.middleware]) as response,
    ):
        assert await response.text() == "answer 2"
    assert patience == [0.25]


async def test_it_really_waits_by_itself(serve: Any) -> None:
    answers = Answers(503, 429)
    quick = RetryMiddleware(RetryPolicy(backoff=0.001))
    async with (
        serve((Serve(answers),), middlewares=[quick]) as (session, _),
        session.get("/") as response,
    ):
        assert await response.text() == "answer 3"
    assert RetryMiddleware().policy == RetryPolicy()


# -- errors ----------------------------------------------------------------------------------------------------------


async def test_o13_connections_that_break(serve: Any) -> None:
    """Also new ones, which the session itself never repeats."""
    patience = Patience()
    scripts = (ReadRequest(), Fin()), (ReadRequest(), Reset()), (Repeat(ReadRequest(), Send(OK)),)
    async with serve(*scripts, middlewares=[patience.middleware]) as (session, server):
        async with session.get("/") as response:
            assert (response.status, response.attempt) == (200, 3)
        assert len(server.peers) == 3
    assert patience == [0.5, 1.0]


async def test_the_last_error_says_which_attempt_it_was(serve: Any) -> None:
    patience = Patience()
    async with serve((ReadRequest(), Fin()), middlewares=[patience.middleware]) as (session, _):
        with pytest.raises(wayfare.ServerDisconnectedError) as caught:
            await session.get("/")
    failure = caught.value.failure
    assert failure is not None
    assert failure.attempt == 3
    assert ", attempt 3, after" in caught.value.__notes__[0]


async def test_o13_a_post_that_was_begun_is_not_repeated(serve: Any) -> None:
    patience = Patience()
    async with serve((ReadRequest(), Fin()), middlewares=[patience.middleware]) as (session, _):
        with pytest.raises(wayfare.ServerDisconnectedError):
            await session.post("/", data=b"x")
    assert patience == []


async def test_o13_a_post_that_was_not_begun_is(unused_port: int) -> None:
    patience = Patience()
    async with wayfare.ClientSession(middlewares=[patience.middleware]) as session:
        with pytest.raises(wayfare.ClientConnectorError) as caught:
            await session.post(f"http://127.0.0.1:{unused_port}/", data=b"x")
    assert caught.value.failure is not None
    assert caught.value.failure.attempt == 3
    assert patience == [0.5, 1.0]


@pytest.fixture
async def unused_port() -> AsyncIterator[int]:
    """A port that nobody listens on, and that nobody else gets meanwhile."""
    from socket import socket

    with socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


async def test_other_errors_are_not_repeated(serve: Any) -> None:
    patience = Patience()
    nonsense = (ReadRequest(), Send(b"nonsense\r\n\r\n"))
    async with serve(nonsense, middlewares=[patience.middleware]) as (session, _):
        with pytest.raises(wayfare.ClientResponseError):
            await session.get("/")
    assert patience == []


async def test_errors_of_ones_own_choice(serve: Any) -> None:
    patience = Patience(exceptions=(wayfare.ClientResponseError,))
    nonsense = (ReadRequest(), Send(b"nonsense\r\n\r\n"))
    scripts = nonsense, (Repeat(ReadRequest(), Send(OK)),)
    async with serve(*scripts, middlewares=[patience.middleware]) as (session, _):
        assert (await session.get("/")).status == 200
    assert patience == [0.5]


async def test_hopeless_errors_are_not_repeated(serve: Any) -> None:
    patience = Patience(exceptions=(Exception,))

    async def closing(request: Any, handler: Any) -> Any:
        raise wayfare.ConnectorClosedError("closed")

    async with serve(middlewares=[patience.middleware, closing]) as (session, _):
        with pytest.raises(wayfare.ConnectorClosedError):
            await session.get("/")
    assert patience == []


async def test_a_stale_pooled_connection_is_the_sessions_own_affair(serve: Any) -> None:
    """It asks again at once; with `retry_stale=False` it is one error among others."""
    stale = (ReadRequest(), Send(OK), ReadRequest(), Fin())
    fine = (Repeat(ReadRequest(), Send(OK)),)
    patience = Patience()
    async with serve(stale, fine, middlewares=[patience.middleware]) as (session, _):
        for attempt in (1, 2):
            assert (await session.get("/")).attempt == attempt
    assert patience == []
    async with serve(stale, fine, middlewares=[patience.middleware]) as (session, _):
        for attempt in (1, 2):
            assert (await session.get("/", retry_stale=False)).attempt == attempt
    assert patience == [0.5]


async def test_nothing_is_repeated_once_the_session_is_closed(serve: Any) -> None:
    patience = Patience()
    async with serve((Serve(Answers(503)),), middlewares=[patience.middleware]) as (session, _):

        async def closing(request: Any, handler: Any) -> Any:
            response = await handler(request)
            await session.close()
            return response

        response = await session.get("/", middlewares=[patience.middleware, closing])
        assert response.status == 503
    assert patience == []


# -- how long, and whether at all --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("Thu, 01 Jan 2026 00:00:09 GMT", 9.0),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0.5),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.5),
        ("0", 0.5),
        ("-7", 0.5),
        ("later", 0.5),
        ("99999999999999999999999", 3600.0),
    ],
)
async def test_o13_retry_after_in_both_forms(serve: Any, value: str, seconds: float) -> None:
    answers, patience = Answers(429, fields=[("Retry-After", value)]), Patience()
    options = {"middlewares": [patience.middleware], "timeout": None}
    async with serve((Serve(answers),), **options) as (session, _), session.get("/") as response:
        assert response.status == 200
    assert patience == [seconds]


async def test_o13_nothing_waits_past_the_total(serve: Any) -> None:
    """O13: the answer that is there is worth more than a timeout later."""
    answers, patience = Answers(503, 503, fields=[("Retry-After", "20")]), Patience()
    async with serve((Serve(answers),), middlewares=[patience.middleware]) as (session, _):
        async with session.get("/", timeout=20) as response:
            assert response.status == 503
            await response.read()
        assert patience == []
        async with session.get("/", timeout=30) as response:
            assert response.status == 200
    assert patience == [20.0]


async def test_o13_a_timeout_that_a_middleware_sets_counts(serve: Any) -> None:
    answers, patience = Answers(503, fields=[("Retry-After", "20")]), Patience()

    async def hasty(request: Any, handler: Any) -> Any:
        request.timeout = 10
        return await handler(request)

    async with (
        serve((Serve(answers),), middlewares=[hasty, patience.middleware]) as (session, _),
        session.get("/") as response,
    ):
        assert response.status == 503
    assert patience == []


async def test_o13_the_total_and_a_cancellation_end_a_pause(serve: Any) -> None:
    async def sleep(seconds: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    pausing = asyncio.Event()
    middleware = RetryMiddleware(draw=lambda: 0.0, sleep=sleep)
    async with serve((Serve(Answers(*[503] * 9)),), middlewares=[middleware]) as (session, _):
        with pytest.raises(wayfare.TotalTimeoutError):
            await session.get("/", timeout=0.3)
        pausing.clear()
        task = asyncio.create_task(session.get("/"))
        await pausing.wait()
        assert session.connector.stats().leased == 0
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_o13_a_budget_ends_repetitions_of_one_origin(serve: Any) -> None:
    answers, patience = Answers(*[503] * 99), Patience(attempts=3, reserve=5, budget=0.5)
    async with serve((Serve(answers),), middlewares=[patience.middleware]) as (session, _):
        for _ in range(8):
            async with session.get("/") as response:
                assert response.status == 503
                await response.read()
        # Five were saved up, and each request but the first, at a full budget, brought a half.
        assert len(patience) == 5 + 7 // 2
        other = str(session.base_url).replace("127.0.0.1", "localhost")
        async with session.get(other) as response:
            await response.read()
        assert len(patience) == 5 + 7 // 2 + 2


async def test_without_a_budget_only_attempts_count(serve: Any) -> None:
    answers, patience = Answers(*[503] * 99), Patience(budget=None, attempts=50)
    async with (
        serve((Serve(answers),), middlewares=[patience.middleware]) as (session, _),
        session.get("/") as response,
    ):
        assert response.attempt == 50


# -- content and keys ------------------------------------------------------------------------------------------------


async def pieces() -> AsyncIterator[bytes]:
    yield b"x"


async def test_content_that_can_be_sent_only_once_is(serve: Any) -> None:
    answers, patience = Answers(503), Patience()
    async with (
        serve((Serve(answers),), middlewares=[patience.middleware]) as (session, _),
        session.put("/", data=pieces()) as response,
    ):
        assert (response.status, await response.text()) == (503, "answer 1")
    assert patience == []


async def test_content_goes_along_whole(serve: Any) -> None:
    answers, patience = Answers(503, 503), Patience()
    async with (
        serve((Serve(answers),), middlewares=[patience.middleware]) as (session, _),
        session.put("/", data={"a": "1"}) as response,
    ):
        assert response.status == 200
    assert [request.body for request in answers.requests] == [b"a=1"] * 3


async def test_o13_a_post_is_not_repeated(serve: Any) -> None:
    answers, patience = Answers(503), Patience()
    async with (
        serve((Serve(answers),), middlewares=[patience.middleware]) as (session, _),
        session.post("/") as response,
    ):
        assert response.status == 503
        await response.read()
    assert patience == []


async def test_o13_a_post_with_an_idempotency_key_is(serve: Any) -> None:
    """All attempts have the same key, and each request its own."""
    answers, patience = Answers(503, 504), Patience(idempotency_key="Idempotency-Key")
    async with serve((Serve(answers),), middlewares=[patience.middleware]) as (session, _):
        for _ in range(2):
            async with session.post("/") as response:
                assert response.status == 200
        async with session.post("/", headers={"idempotency-key": "mine"}) as response:
            assert response.status == 200
        async with session.get("/") as response:
            assert response.status == 200
    keys = [request.get("idempotency-key") for request in answers.requests]
    assert keys == ["key 0", "key 0", "key 0", "key 1", "mine", None]


async def test_a_key_is_made_up_by_itself(serve: Any) -> None:
    answers = Answers()
    policy = RetryPolicy(idempotency_key="X-Request-Id")
    async with serve((Serve(answers),), middlewares=[RetryMiddleware(policy)]) as (session, _):
        for _ in range(2):
            await (await session.post("/")).read()
    keys = {request.get("x-request-id") for request in answers.requests}
    assert len(keys) == 2
    assert all(key is not None and len(key) == 36 for key in keys)


# -- who sees it -----------------------------------------------------------------------------------------------------


async def test_o13_attempts_are_told(serve: Any) -> None:
    told: list[tuple[str, int, str]] = []

    async def retried(session: Any, context: Any, params: wayfare.TraceRequestRetryParams) -> None:
        told.append((params.method, params.attempt, type(params.exception).__name__))

    config = TraceConfig()
    config.on_request_retry.append(retried)
    patience = Patience(attempts=4)
    scripts = (ReadRequest(), Fin()), (Serve(Answers(503)),)
    options = {"middlewares": [patience.middleware], "trace_configs": [config]}
    async with serve(*scripts, **options) as (session, _), session.get("/") as response:
        assert (response.status, response.attempt) == (200, 3)
    assert told == [("GET", 1, "ServerDisconnectedError"), ("GET", 2, "NoneType")]


async def test_inner_middlewares_see_each_attempt(serve: Any) -> None:
    seen: list[int] = []

    async def inner(request: Any, handler: Any) -> Any:
        seen.append(request.attempt)
        assert "X-Mine" not in request.headers
        request.headers["X-Mine"] = "1"
        return await handler(request)

    answers, patience = Answers(503, 503), Patience()
    async with serve((Serve(answers),), middlewares=[patience.middleware, inner]) as (session, _):
        await (await session.get("/")).read()
    assert seen == [1, 2, 3]


async def test_each_hop_has_its_own_attempts(serve: Any) -> None:
    answers, patience = Answers(503, 302, 503, fields=[("Location", "/next")]), Patience()
    async with (
        serve((Serve(answers),), middlewares=[patience.middleware]) as (session, _),
        session.get("/") as response,
    ):
        assert (response.status, response.attempt) == (200, 2)
        assert [hop.attempt for hop in response.history] == [2]


def test_what_is_no_policy() -> None:
    with pytest.raises(TypeError, match="policy must be a RetryPolicy, not int"):
        RetryMiddleware(3)  # type: ignore[arg-type]  # what is refused


async def test_a_middleware_can_ask_how_much_time_is_left() -> None:
    seen: list[float | None] = []

    async def look(request: Any, handler: Any) -> Any:
        seen.append(request.time_left())
        raise LookupError

    async with wayfare.ClientSession(middlewares=[look]) as session:
        for timeout in (None, 100, wayfare.ClientTimeout(sock_read=1)):
            with pytest.raises(LookupError):
                await session.get("http://h/", timeout=timeout)
    unlimited, hundred, inherited = seen
    assert unlimited is None
    assert hundred is not None
    assert 99 < hundred <= 100
    assert inherited is not None
    assert 299 < inherited <= 300
