"""`MockConnector`: what it expects, what it answers, what it says when something else comes."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import wayfare
from wayfare import ClientSession
from wayfare.testing import (
    MockCall,
    MockConnector,
    MockReply,
    UnexpectedRequestError,
    UnmetExpectationsError,
)
from wayfare.testing._incoming import IncomingRequest
from wayfare.testing._responder import Responder
from wayfare.testing._server_side import ServerSide
from wayfare_connector import Target
from wayfare_connector.testing import RecordingObserver
from wayfare_http_core import RequestHead
from wayfare_http_core.testing import BadRequestError, memory_pair, run_with_fake_clock, ticks
from yarl import URL

from .conftest import HOST

# -- replies --------------------------------------------------------------------------------------


async def test_a_bare_expectation_is_an_empty_200(
    mock: MockConnector, session: ClientSession
) -> None:
    mock.get("/")
    async with session.get("/") as response:
        assert (response.status, response.reason, await response.read()) == (200, "OK", b"")
        assert response.headers["Content-Length"] == "0"


@pytest.mark.parametrize(
    ("arguments", "body", "content_type"),
    [
        ({"body": b"\xff"}, b"\xff", None),
        ({"body": "é"}, b"\xc3\xa9", "text/plain; charset=utf-8"),
        ({"json": {"a": [1]}}, b'{"a": [1]}', "application/json"),
        ({"json": [], "headers": {"content-type": "application/x"}}, b"[]", "application/x"),
        ({"body": [b"one", b"", b"two"]}, b"onetwo", None),
        ({"body": [b"one"], "headers": [("Content-Length", "3")]}, b"one", None),
        ({"body": lambda: iter([b"made"])}, b"made", None),
        ({"body": b"x", "trailers": {"X-End": "1"}}, b"x", None),
    ],
)
async def test_content(
    mock: MockConnector,
    session: ClientSession,
    arguments: dict[str, Any],
    body: bytes,
    content_type: str | None,
) -> None:
    mock.get("/").reply(**arguments)
    async with session.get("/") as response:
        assert await response.read() == body
        assert response.headers.get("Content-Type") == content_type
        assert dict(response.trailers) == dict(arguments.get("trailers", {}))


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_content(
    mock: MockConnector, session: ClientSession, status: int
) -> None:
    mock.get("/").reply(status)
    async with session.get("/") as response:
        assert (response.status, await response.read()) == (status, b"")
        assert response.content_length is None


async def test_head_says_the_length_of_what_it_leaves_out(
    mock: MockConnector, session: ClientSession
) -> None:
    mock.head("/").reply(body="four")
    async with session.head("/") as response:
        assert (await response.read(), response.content_length) == (b"", 4)


async def test_a_status_and_a_reason_of_ones_own(
    mock: MockConnector, session: ClientSession
) -> None:
    mock.get("/").reply(299, reason="Odd").reply(599)
    async with session.get("/") as response:
        assert (response.status, response.reason) == (299, "Odd")
    async with session.get("/") as response:
        assert (response.status, response.reason) == (599, "")


async def test_http_1_0_gets_content_that_ends_with_the_connection(mock: MockConnector) -> None:
    mock.get(f"{HOST}/").reply(body=[b"all of it"])
    options: Any = {"connector": mock, "connector_owner": False}
    async with (
        ClientSession(version=wayfare.HttpVersion10, **options) as session,
        session.get(f"{HOST}/") as response,
    ):
        assert await response.read() == b"all of it"
        assert response.headers["Connection"] == "close"


async def pieces() -> AsyncIterator[bytes]:
    """Content that comes bit by bit."""
    for piece in (b"one ", b"two ", b"three"):
        await asyncio.sleep(0)
        yield piece


async def broken() -> AsyncIterator[bytes]:
    """Content that fails after its first piece."""
    yield b"one"
    raise OSError(5, "the disk is gone")


async def test_an_asynchronous_stream(mock: MockConnector, session: ClientSession) -> None:
    mock.get("/").reply(body=pieces).times(2)
    for _ in range(2):
        async with session.get("/") as response:
            assert await response.text() == "one two three"


async def test_a_stream_that_fails_is_raised_after_what_came_before(
    mock: MockConnector, session: ClientSession
) -> None:
    mock.get("/").reply(body=broken)
    async with session.get("/") as response:
        assert await response.content.readexactly(3) == b"one"
        with pytest.raises(OSError, match="the disk is gone"):
            await response.content.read()


async def test_informational_responses_come_first(mock: MockConnector) -> None:
    told: list[int] = []

    async def inform(session: object, context: object, params: Any) -> None:
        told.append(params.status)

    config = wayfare.TraceConfig()
    config.on_informational.append(inform)
    mock.get("/").reply(informational=[(103, {"Link": "</a>"}), (102, {})])
    options: Any = {"trace_configs": [config], "connector_owner": False}
    async with ClientSession(HOST, connector=mock, **options) as session:
        await session.get("/")
    assert told == [103, 102]


def test_a_delay_is_of_the_loops_clock_and_timeouts_count() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        mock = MockConnector()
        mock.get("/").reply(body="late", delay=60).times(2)
        async with ClientSession(HOST, connector=mock) as session:
            started = loop.time()
            assert await (await session.get("/")).text() == "late"
            assert loop.time() - started == pytest.approx(60, abs=0.1)
            with pytest.raises(wayfare.TotalTimeoutError):
                await session.get("/", timeout=10)

    run_with_fake_clock(main())


async def test_a_function_makes_the_reply(mock: MockConnector, session: ClientSession) -> None:
    async def slow(call: MockCall) -> MockReply:
        await asyncio.sleep(0)
        return MockReply(json={"got": call.json()})

    mock.put("/").call(lambda call: MockReply(201, call.text().upper())).call(slow)
    async with session.put("/", data="abc") as response:
        assert (response.status, await response.text()) == (201, "ABC")
    async with session.put("/", json=[1]) as response:
        assert await response.json() == {"got": [1]}


async def test_what_a_function_asserts_fails_the_request(
    mock: MockConnector, session: ClientSession
) -> None:
    def check(call: MockCall) -> MockReply:
        raise AssertionError(f"not {call.form()['name']}")

    mock.post("/").call(check).call(lambda call: None)  # type: ignore[arg-type,return-value]  # no reply
    with pytest.raises(AssertionError, match="not ada"):
        await session.post("/", data={"name": "ada"})
    with pytest.raises(TypeError, match="must make a MockReply, not None"):
        await session.post("/")


@pytest.mark.parametrize(
    "error",
    [
        wayfare.ServerDisconnectedError("gone"),
        wayfare.ClientPayloadError,
        TimeoutError,
        KeyError("what a program may raise itself"),
    ],
)
async def test_an_error_is_raised(
    mock: MockConnector, session: ClientSession, error: Exception | type[Exception]
) -> None:
    mock.get("/").fail(error)
    kind = error if isinstance(error, type) else type(error)
    with pytest.raises(kind) as raised:
        await session.get("/")
    assert error in (raised.value, kind)


async def test_a_connection_that_is_used_again_is_tried_again() -> None:
    mock = MockConnector(force_close=False)
    mock.get("/").reply().fail(wayfare.ServerDisconnectedError()).reply(body="second")
    async with ClientSession(HOST, connector=mock) as session:
        await (await session.get("/")).read()
        async with session.get("/") as response:
            assert await response.text() == "second"
    assert len(mock.calls) == 3


async def test_the_whole_session_is_at_work(mock: MockConnector, session: ClientSession) -> None:
    """A redirect is followed, with the cookie that it set, through a middleware."""
    seen: list[str] = []

    async def look(request: Any, handler: Any) -> Any:
        seen.append(request.url.path)
        return await handler(request)

    headers = [("Location", "/in"), ("Set-Cookie", "sid=1; Secure; Path=/")]
    mock.get("/").reply(302, headers=headers)
    mock.get("/in", headers={"Cookie": "sid=1", "Authorization": None}).reply(body="in")
    async with session.get("/", middlewares=[look]) as response:
        assert await response.text() == "in"
        assert response.connection_info.peername == ("127.0.0.1", 443)
    assert seen == ["/", "/in"]
    assert [call.url for call in mock.calls] == [URL(f"{HOST}/"), URL(f"{HOST}/in")]


async def test_content_that_is_larger_than_all_buffers_goes_both_ways(
    mock: MockConnector, session: ClientSession
) -> None:
    large = bytes(range(256)) * 8192
    mock.post("/").call(lambda call: MockReply(body=[call.body[:1], call.body[1:]]))

    async def upload() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 100_000):
            yield large[start : start + 100_000]

    async with session.post("/", data=upload()) as response:
        assert await response.read() == large
    assert mock.calls[0].headers["Transfer-Encoding"] == "chunked"


async def test_content_waits_for_100(mock: MockConnector, session: ClientSession) -> None:
    mock.post("/", body=b"now", headers={"Expect": "100-continue"})
    async with session.post("/", data=b"now", expect100=True) as response:
        assert response.status == 200


# -- what matches -----------------------------------------------------------------------------------


def no(url: URL) -> bool:
    """Takes no URL."""
    return url.path == "/no"


@pytest.mark.parametrize(
    ("url", "criteria", "reason"),
    [
        (f"{HOST}/a", {}, None),
        (f"{HOST}:443/a#x", {}, None),
        (URL("/a"), {}, None),
        ("/a?y=2&x=1", {}, None),
        (re.compile("a.x="), {}, None),
        (lambda url: url.host == "api.example", {}, None),
        ("http://api.example/a", {}, f"the URL is {HOST}/a?x=1&y=2"),
        ("/b", {}, f"the URL is {HOST}/a?x=1&y=2"),
        ("/a?x=1", {}, f"the URL is {HOST}/a?x=1&y=2"),
        (re.compile("^/a"), {}, f"the URL is {HOST}/a?x=1&y=2"),
        (no, {}, f"the URL is {HOST}/a?x=1&y=2"),
        ("/a", {"query": {"y": 2, "x": "1"}}, None),
        ("/a", {"query": "x=1&y=2"}, None),
        ("/a", {"query": [("x", "1")]}, "the query is 'x=1&y=2'"),
        ("/a", {"query": {}}, "the query is 'x=1&y=2'"),
        ("/a", {"headers": {"x-a": "1", "X-B": None}}, None),
        ("/a", {"headers": {"x-a": re.compile("[0-9]")}}, None),
        ("/a", {"headers": {"x-a": "2"}}, "the field x-a is '1, 10'"),
        ("/a", {"headers": {"x-a": re.compile("2")}}, "the field x-a is '1, 10'"),
        ("/a", {"headers": {"X-B": "1"}}, "there is no field X-B"),
        ("/a", {"headers": {"X-A": None}}, "there is a field X-A"),
        ("/a", {"body": b'{"n": "7"}'}, None),
        ("/a", {"body": '{"n": "7"}'}, None),
        ("/a", {"body": re.compile(r"\d")}, None),
        ("/a", {"body": lambda body: len(body) == 10}, None),
        ("/a", {"json": {"n": "7"}}, None),
        ("/a", {"body": "n=8"}, 'the content is b\'{"n": "7"}\''),
        ("/a", {"json": {"n": 7}}, 'the content is b\'{"n": "7"}\''),
        ("/a", {"form": {"n": "7"}}, 'the content is b\'{"n": "7"}\''),
    ],
)
async def test_criteria(
    url: Any, criteria: dict[str, Any], reason: str | None, session: ClientSession
) -> None:
    async with MockConnector() as mock:
        mock.post(url, **criteria)
        options: Any = {"headers": [("X-A", "1"), ("X-A", "10")], "connector_owner": False}
        async with ClientSession(HOST, connector=mock, **options) as session:
            sending = session.post("/a?x=1&y=2", json={"n": "7"})
            if reason is None:
                await sending
                return
            with pytest.raises(UnexpectedRequestError) as raised:
                await sending
        assert str(raised.value).endswith(f": {reason}")
        mock.reset()


async def test_a_form_and_json_that_is_none(mock: MockConnector, session: ClientSession) -> None:
    mock.post("/", json=None)
    mock.post("/", form={"a": "1", "b": ""})
    await session.post("/", data={"b": "", "a": "1"})
    await session.post("/", data=b"null")


@pytest.mark.parametrize("method", ["get", "head", "options", "post", "put", "patch", "delete"])
async def test_each_method_has_a_short_form(
    mock: MockConnector, session: ClientSession, method: str
) -> None:
    getattr(mock, method)("/").reply()
    await getattr(session, method)("/")
    assert mock.calls[0].method == method.upper()


async def test_the_method_that_does_not_fit(mock: MockConnector, session: ClientSession) -> None:
    mock.expect("purge", "/").optional()
    with pytest.raises(UnexpectedRequestError, match="the method is GET"):
        await session.get("/")
    await session.request("PURGE", "/")
    mock.reset()
    assert mock.calls == []


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda mock: mock.get("a"), ValueError, "absolute, or a path that begins with a slash"),
        (lambda mock: mock.get(7), TypeError, "a URL, a pattern or a function is needed, not int"),
        (lambda mock: mock.get("/", boddy=1), TypeError, "unknown criteria: boddy"),
        (lambda mock: mock.get("/").times(0), ValueError, "once or more often"),
        (lambda mock: mock.get("/").always().reply(), ValueError, "for ever"),
        (lambda mock: mock.get("/").fail("boom"), TypeError, "an exception is needed, not 'boom'"),
        (lambda mock: mock.get("/").fail(int), TypeError, "an exception is needed"),
        (lambda mock: mock.get("/").call(7), TypeError, "a function is needed, not int"),
        (lambda mock: mock.get("/").upgrade(7), TypeError, "a function is needed, not int"),
        (lambda mock: mock.get("/").websocket(7), TypeError, "a function is needed, not int"),
        (lambda mock: mock.get("/").reply(body="a", json=1), ValueError, "give one of them"),
        (lambda mock: mock.get("/").reply(delay=-1), ValueError, "not negative: -1"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_is_said(
    make: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        make(MockConnector())


# -- how often --------------------------------------------------------------------------------------


async def test_replies_come_in_turn(mock: MockConnector, session: ClientSession) -> None:
    expectation = mock.get("/").reply(503).times(2).reply(200).always()
    statuses = [(await session.get("/")).status for _ in range(5)]
    assert statuses == [503, 503, 200, 200, 200]
    assert len(expectation.calls) == 5
    assert expectation.calls[0].url == URL(f"{HOST}/")


async def test_the_first_that_fits_and_has_replies_left_is_asked(
    mock: MockConnector, session: ClientSession
) -> None:
    mock.get("/").reply(body="first")
    mock.get(re.compile("")).reply(body="second").times(2)
    assert [await (await session.get("/")).text() for _ in range(3)] == [
        "first",
        "second",
        "second",
    ]


async def test_what_is_used_up_is_told_so(mock: MockConnector, session: ClientSession) -> None:
    mock.get("/", query={"a": 1})
    await session.get("/?a=1")
    with pytest.raises(UnexpectedRequestError) as raised:
        await session.get("/?a=1")
    assert str(raised.value) == (
        f"unexpected request: GET {HOST}/?a=1\n"
        "expected are:\n"
        "  1. GET /, query={'a': 1} (came 1 of 1): it is used up"
    )
    mock.reset()


async def test_nothing_is_expected(mock: MockConnector, session: ClientSession) -> None:
    with pytest.raises(UnexpectedRequestError, match=r"expected are:\n  nothing$"):
        await session.get("/")
    with pytest.raises(UnmetExpectationsError) as raised:
        mock.verify()
    assert str(raised.value) == f"asked for and not expected:\n  1. GET {HOST}/"
    mock.reset()


async def test_closing_verifies() -> None:
    mock = MockConnector()
    mock.get(re.compile("^h")).times(2)
    mock.get(no).always()
    mock.post("/").always().optional()
    mock.put("/").optional()
    with pytest.raises(UnmetExpectationsError) as raised:
        async with ClientSession(connector=mock) as session:
            await session.get("http://h/")
    assert mock.closed
    assert str(raised.value) == (
        "expected and not asked for:\n"
        "  1. GET a URL like '^h' (came 1 of 2)\n"
        "  2. GET a URL that no takes (came 0 of any number)"
    )
    await mock.close()


async def test_an_exception_that_is_on_its_way_is_not_hidden() -> None:
    mock = MockConnector()
    mock.get("/")
    with pytest.raises(KeyError):
        async with ClientSession(connector=mock):
            raise KeyError
    assert mock.closed


async def test_y10_the_repr_of_a_call_has_no_content(
    mock: MockConnector, session: ClientSession
) -> None:
    mock.post("/")
    await session.post("/", data=b"hush")
    assert repr(mock.calls[0]) == f"<MockCall POST {HOST}/, 4 octets>"


# -- cancellation and bad replies -------------------------------------------------------------------


async def test_a_request_that_is_given_up_takes_its_reply_along(
    mock: MockConnector, session: ClientSession
) -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def wait(call: MockCall) -> MockReply:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    mock.get("/").call(wait)
    sending = asyncio.ensure_future(session.get("/"))
    await entered.wait()
    sending.cancel()
    await asyncio.wait([sending])
    await left.wait()
    assert sending.cancelled()


async def test_closing_ends_what_goes_on() -> None:
    mock = MockConnector()
    mock.get("/").reply(body=endless())
    session = ClientSession(HOST, connector=mock)
    response = await session.get("/")
    await session.close()
    with pytest.raises(wayfare.ClientConnectionError):
        await response.read()


async def endless() -> AsyncIterator[bytes]:
    """Content without end."""
    while True:
        yield b"x" * 100_000


@pytest.mark.parametrize(
    ("reply", "match"),
    [
        ({"status": 101}, "101 is no final status"),
        ({"headers": {"X": "a\r\nb"}}, "X"),
        ({"reason": "a\r\nb"}, "no reason phrase"),
        ({"headers": {"Content-Length": "x"}}, "no Content-Length: 'x'"),
        ({"headers": [("Content-Length", "1"), ("Content-Length", "1")]}, "no Content-Length"),
        ({"informational": [(200, {})]}, "200 is no informational status"),
    ],
)
async def test_what_no_server_can_send_is_refused(
    mock: MockConnector, session: ClientSession, reply: dict[str, Any], match: str
) -> None:
    mock.get("/").reply(**reply)
    with pytest.raises(ValueError, match=match):
        await session.get("/")


@pytest.mark.parametrize(
    ("length", "match"),
    [("2", "longer than its Content-Length"), ("4", "lacks 1 octets of its Content-Length")],
)
async def test_content_that_is_not_as_long_as_it_says(
    mock: MockConnector, session: ClientSession, length: str, match: str
) -> None:
    mock.get("/").reply(body=b"abc", headers={"Content-Length": length})
    with pytest.raises(RuntimeError, match=match):
        async with session.get("/") as response:
            await response.read()


def test_a_mock_is_made_without_a_loop() -> None:
    assert MockConnector(keepalive_timeout=3.0).force_close is False
    assert MockConnector().force_close is True


def test_the_tools_load_only_for_those_who_ask() -> None:
    program = "import sys, wayfare; print('wayfare.testing' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


# -- beneath a session ------------------------------------------------------------------------------


async def test_a_connection_may_be_asked_without_a_session(mock: MockConnector) -> None:
    mock.options("/").reply(body="all")
    observer = RecordingObserver()
    target = Target("http", "h", 80)
    connection = await mock.connect(target, observer=observer)
    exchange = await connection.exchange(RequestHead("OPTIONS", "http", "h", "*"))
    assert await exchange.content.read() == b"all"
    assert observer.names == ["create_start", "dial_start", "dial_end", "create_end"]


async def test_an_observer_that_fails_leaves_nothing_open(mock: MockConnector) -> None:
    observer = RecordingObserver({"dial_end": ValueError("no")})
    with pytest.raises(ValueError, match="no"):
        await mock.connect(Target("http", "h", 80), observer=observer)
    stats = mock.stats()
    assert (stats.leased, stats.connecting, stats.idle) == (0, 0, 0)


async def test_what_is_no_http_is_the_clients_error() -> None:
    reported: list[Exception] = []

    async def never(request: IncomingRequest, responder: Responder) -> None:
        raise AssertionError

    side = ServerSide(never, Target("http", "h", 80), reported.append)
    client, _ = memory_pair(asyncio.Protocol(), side)
    await ticks(2)
    client.write(b"GET / HTTP/1.1\r\n\r\n")
    await ticks(5)
    assert [type(error) for error in reported] == [BadRequestError]
    assert client.is_closing()
