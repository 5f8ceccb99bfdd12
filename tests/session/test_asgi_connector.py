"""`ASGIConnector`: an application in this process is served, whatever it does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import wayfare
from wayfare import ClientSession
from wayfare.testing import ASGIConnector
from wayfare_http_core.testing import run_with_fake_clock

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


async def begin(send: Send, status: int = 200, *headers: tuple[bytes, bytes], **more: Any) -> None:
    """Send the message that begins a response."""
    start = {"type": "http.response.start", "status": status, "headers": headers, **more}
    await send(start)


async def content(send: Send, body: bytes = b"", *, more: bool = False) -> None:
    """Send the message with a piece of content."""
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def read(receive: Receive) -> bytes:
    """The whole content of a request."""
    body, more = b"", True
    while more:
        message = await receive()
        assert message["type"] == "http.request"
        body += message["body"]
        more = message["more_body"]
    return body


def over(application: Application, **options: Any) -> ClientSession:
    """A session over an application."""
    return ClientSession("https://app.example/", connector=ASGIConnector(application, **options))


async def test_what_the_application_is_told() -> None:
    told: dict[str, Any] = {}

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        told.update(scope)
        assert await read(receive) == b"ping"
        await begin(send, 201, (b"content-length", b"4"), (b"x-a", b"\xe9"))
        await content(send, b"pong")

    async with over(app, root_path="/api") as session:
        url = "a%20b/ü?q=%C3%BC&x"
        async with session.post(url, data=b"ping", headers={"X-A": "1"}) as response:
            assert (response.status, await response.text()) == (201, "pong")
            assert response.raw_headers[1] == (b"x-a", b"\xe9") or response.headers["x-a"]
    headers = dict(told.pop("headers"))
    client = told.pop("client")
    assert client[0] == "127.0.0.1"
    assert headers[b"host"] == b"app.example"
    assert headers[b"x-a"] == b"1"
    assert headers[b"content-length"] == b"4"
    assert told == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/a b/ü",
        "raw_path": b"/a%20b/%C3%BC",
        "query_string": b"q=%C3%BC&x",
        "root_path": "/api",
        "server": ("app.example", 443),
        "extensions": {"http.response.trailers": {}, "http.response.early_hint": {}},
    }


async def test_content_streams_both_ways_at_once() -> None:
    """Each piece is answered before the next one is made."""
    answered = asyncio.Queue[bytes]()

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await begin(send)
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await content(send, message["body"].upper(), more=more)

    async def upload() -> AsyncIterator[bytes]:
        for piece in (b"one", b"two", b"three"):
            yield piece
            assert await answered.get() == piece.upper()

    async with over(app) as session, session.post("", data=upload()) as response:
        async for piece in response.content.iter_any():
            answered.put_nowait(piece)
        assert response.headers["Transfer-Encoding"] == "chunked"


async def test_a_client_that_reads_slowly_holds_the_application_back() -> None:
    sent = 0

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        nonlocal sent
        await begin(send)
        for number in range(100):
            await content(send, bytes(100_000), more=number < 99)
            sent += 100_000

    async with over(app) as session, session.get("") as response:
        for _ in range(300):
            await asyncio.sleep(0)
        assert 0 < sent < 2_000_000
        assert len(await response.read()) == 10_000_000


async def test_trailers_and_early_hints() -> None:
    hints: list[str] = []

    async def hint(session: object, context: object, params: Any) -> None:
        hints.append(params.headers["Link"])

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await send({"type": "http.response.early_hint", "links": [b"</a>; rel=preload"]})
        await begin(send, 200, (b"trailer", b"x-end"), trailers=True)
        await content(send, b"ok")
        trailers = {"type": "http.response.trailers", "headers": [(b"x-end", b"1")]}
        await send({**trailers, "more_trailers": True})
        await send({"type": "http.response.trailers"})

    config = wayfare.TraceConfig()
    config.on_informational.append(hint)
    options: Any = {"connector": ASGIConnector(app), "trace_configs": [config]}
    async with ClientSession("http://h/", **options) as session, session.get("") as response:
        assert await response.text() == "ok"
        assert response.trailers["X-End"] == "1"
    assert hints == ["</a>; rel=preload"]


class Boom(Exception):
    """What an application raises."""


async def test_an_error_before_the_response_is_raised_from_the_request() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await begin(send)
        raise Boom("a bug")

    async with over(app) as session:
        with pytest.raises(Boom, match="a bug") as raised:
            await session.get("")
    assert any(entry.name == "app" for entry in raised.traceback)


async def test_an_error_within_the_response_is_raised_from_reading_it() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await begin(send)
        await content(send, b"half", more=True)
        raise Boom

    async with over(app) as session, session.get("") as response:
        assert await response.content.readany() == b"half"
        with pytest.raises(Boom):
            await response.content.read()


async def test_an_error_after_the_response_is_reported_to_the_loop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await begin(send)
        await content(send, b"ok")
        assert await receive() == {"type": "http.disconnect"}
        raise Boom("in the background")

    with caplog.at_level(logging.ERROR):
        async with over(app) as session, session.get("") as response:
            assert await response.text() == "ok"
    assert "failed when its request was over" in caplog.text
    assert "in the background" in caplog.text


async def test_errors_as_behind_a_server() -> None:
    async def early(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        raise Boom

    async def late(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await begin(send)
        await content(send, b"half", more=True)
        raise Boom

    async with over(early, raise_errors=False) as session, session.get("") as response:
        assert (response.status, await response.text()) == (500, "Internal Server Error")
    async with over(late, raise_errors=False) as session:
        with pytest.raises(wayfare.ClientError):
            async with session.get("") as response:
                await response.read()


@pytest.mark.parametrize(
    ("messages", "match"),
    [
        ([], "before its response was complete"),
        ([{"type": "http.response.start", "status": 200}], "before its response was complete"),
        ([{"type": "http.response.body"}], "between the head and the end"),
        ([{"type": "http.response.start", "status": 200}] * 2, "has begun already"),
        ([{"type": "http.response.trailers"}], "http.response.trailers has no place here"),
        ([{"type": "websocket.accept"}], "websocket.accept has no place here"),
    ],
)
async def test_messages_that_have_no_place(messages: list[dict[str, Any]], match: str) -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    async with over(app) as session:
        with pytest.raises(RuntimeError, match=match):
            await session.get("")


async def test_a_response_begins_once() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await begin(send)
        await content(send, b"a", more=True)
        with pytest.raises(RuntimeError, match="has begun already"):
            await send({"type": "http.response.early_hint", "links": []})
        with pytest.raises(RuntimeError, match="has begun already"):
            await begin(send)
        await content(send, b"b")
        with pytest.raises(RuntimeError, match="between the head and the end"):
            await content(send, b"c")

    async with over(app) as session, session.get("") as response:
        assert await response.text() == "ab"


async def test_an_application_hears_that_its_client_is_gone() -> None:
    heard = asyncio.Event()

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await begin(send)
        await content(send, b"first", more=True)
        assert (await receive())["type"] == "http.request"
        assert await receive() == {"type": "http.disconnect"}
        with pytest.raises(OSError, match="the client is gone"):
            await content(send, b"second")
        heard.set()

    async with over(app) as session:
        async with session.get("") as response:
            assert await response.content.readany() == b"first"
            response.close()
        await heard.wait()


async def test_a_client_that_goes_in_the_middle_of_its_content() -> None:
    heard = asyncio.Event()

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        message = await receive()
        while message["type"] == "http.request":
            message = await receive()
        heard.set()

    async def upload() -> AsyncIterator[bytes]:
        yield b"some"
        raise Boom

    async with over(app) as session:
        with pytest.raises(Boom):
            await session.post("", data=upload())
        await heard.wait()


async def test_an_answer_may_come_before_the_content() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await begin(send, 403)
        await content(send, b"no")

    async with over(app, force_close=False) as session:
        async with session.post("", data=bytes(3_000_000)) as response:
            assert (response.status, await response.text()) == (403, "no")
        async with session.post("", data=b"x" * 10, expect100=True) as response:
            assert response.status == 403
        async with session.get("") as response:
            assert response.status == 403


async def test_connections_may_be_used_again() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await begin(send)
        await content(send, str(scope["client"][1]).encode())

    async with over(app, force_close=False) as session:
        ports = {await (await session.get("")).text() for _ in range(3)}
        async with session.get("", headers={"Connection": "close"}) as response:
            ports.add(await response.text())
    assert len(ports) == 1


def test_an_application_that_goes_on_gets_its_time_at_closing() -> None:
    done: list[str] = []

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await begin(send)
        await content(send)
        try:
            await asyncio.sleep(float(scope["query_string"]))
            done.append("slept")
        except asyncio.CancelledError:
            done.append("cancelled")
            raise

    async def main() -> None:
        async with over(app, patience=5) as session:
            await session.get("?3")
            await session.get("?30")

    run_with_fake_clock(main())
    assert done == ["slept", "cancelled"]


# -- WebSockets -------------------------------------------------------------------------------------


async def shouting(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Accepts, and sends everything back louder."""
    assert await receive() == {"type": "websocket.connect"}
    chosen = scope["subprotocols"][0] if scope["subprotocols"] else None
    headers = [(b"x-a", b"1")]
    await send({"type": "websocket.accept", "subprotocol": chosen, "headers": headers})
    while (message := await receive())["type"] == "websocket.receive":
        if "text" in message:
            await send({"type": "websocket.send", "text": message["text"].upper()})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"], "text": None})
    assert message == {"type": "websocket.disconnect", "code": 4000, "reason": "bye"}
    scope["state"]["heard"].set()


async def test_a_websocket() -> None:
    told: dict[str, Any] = {}
    heard = asyncio.Event()

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        scope["state"] = {"heard": heard}
        told.update(scope)
        await shouting(scope, receive, send)

    async with over(app) as session:
        async with session.ws_connect("ws?a=1", protocols=["loud", "soft"]) as websocket:
            assert websocket.protocol == "loud"
            await websocket.send_str("hello")
            assert await websocket.receive_str() == "HELLO"
            await websocket.send_bytes(b"\xff")
            assert await websocket.receive_bytes() == b"\xff"
            await websocket.close(code=4000, message=b"bye")
        await heard.wait()
    assert told["type"] == "websocket"
    assert told["scheme"] == "wss"
    assert told["subprotocols"] == ["loud", "soft"]
    assert (told["path"], told["query_string"]) == ("/ws", b"a=1")
    assert told["extensions"] == {"websocket.http.response": {}}
    assert "method" not in told


async def test_an_application_may_end_a_websocket() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        if scope["path"] == "/close":
            await send({"type": "websocket.close", "code": 4001, "reason": "enough"})
            with pytest.raises(RuntimeError, match="the WebSocket is over"):
                await send({"type": "websocket.send", "text": "late"})

    async with over(app) as session:
        async with session.ws_connect("close") as websocket:
            assert (await websocket.receive()).extra == "enough"
        assert websocket.close_code == 4001
        async with session.ws_connect("return") as websocket:
            await websocket.receive()
        assert websocket.close_code == 1000


async def test_an_application_may_refuse_a_websocket() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"] == "/close":
            await send({"type": "websocket.close"})
            return
        kind = "websocket.http.response"
        await send({"type": f"{kind}.start", "status": 409, "headers": [(b"x-a", b"1")]})
        with pytest.raises(RuntimeError, match="being refused with a response"):
            await send({"type": "websocket.accept"})
        await send({"type": f"{kind}.body", "body": b"not ", "more_body": True})
        await send({"type": f"{kind}.body", "body": b"now"})

    async with over(app) as session:
        with pytest.raises(wayfare.WSServerHandshakeError) as refused:
            await session.ws_connect("close")
        assert refused.value.status == 403
        with pytest.raises(wayfare.WSServerHandshakeError) as refused:
            await session.ws_connect("response")
        assert refused.value.status == 409


@pytest.mark.parametrize(
    ("messages", "match"),
    [
        ([], "before its response was complete"),
        ([{"type": "websocket.http.response.start", "status": 400}], "before its response"),
        ([{"type": "websocket.send", "text": "early"}], "not accepted yet"),
        ([{"type": "websocket.accept", "subprotocol": "odd"}], "did not ask for the subprotocol"),
    ],
)
async def test_messages_that_have_no_place_in_a_handshake(
    messages: list[dict[str, Any]], match: str
) -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    async with over(app) as session:
        with pytest.raises(RuntimeError, match=match):
            await session.ws_connect("")


async def test_errors_of_an_application_with_a_websocket(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"] == "/late":
            await send({"type": "websocket.accept"})
            with pytest.raises(RuntimeError, match=r"websocket\.accept has no place here"):
                await send({"type": "websocket.accept"})
        raise Boom("a bug")

    async with over(app) as session:
        with pytest.raises(Boom):
            await session.ws_connect("")
        async with session.ws_connect("late") as websocket:
            await websocket.receive()
        assert websocket.close_code == 1011
    assert "failed when its request was over" in caplog.text


async def test_errors_in_a_handshake_as_behind_a_server() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"] == "/raise":
            raise Boom

    async with over(app, raise_errors=False) as session:
        for path in ("raise", "return"):
            with pytest.raises(wayfare.WSServerHandshakeError) as refused:
                await session.ws_connect(path)
            assert refused.value.status == 500


async def test_a_handshake_that_is_none_never_gets_to_the_application() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        raise AssertionError

    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "8"}
    async with over(app) as session, session.get("", headers=headers) as response:
        assert response.status == 426


async def test_a_client_that_goes_before_it_is_accepted() -> None:
    entered, heard = asyncio.Event(), asyncio.Event()

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        entered.set()
        assert await receive() == {"type": "websocket.disconnect", "code": 1006, "reason": ""}
        heard.set()
        await send({"type": "websocket.accept"})

    async with over(app) as session:
        opening = asyncio.ensure_future(session.ws_connect(""))
        await entered.wait()
        opening.cancel()
        await heard.wait()
        await asyncio.wait([opening])


# -- lifespan ---------------------------------------------------------------------------------------


class Living:
    """An application with a lifespan; what it does at its ends can be chosen."""

    def __init__(self, startup: str = "complete", shutdown: str = "complete") -> None:
        self.events: list[str] = []
        self.outcomes = {"startup": startup, "shutdown": shutdown}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve."""
        if scope["type"] == "http":
            self.events.append(f"request {scope['state']['number']}")
            scope["state"]["number"] = 8
            await begin(send)
            await content(send)
            return
        scope["state"]["number"] = 7
        for stage in ("startup", "shutdown"):
            message = await receive()
            assert message == {"type": f"lifespan.{stage}"}
            self.events.append(stage)
            await self._end(stage, send)

    async def _end(self, stage: str, send: Send) -> None:
        outcome = self.outcomes[stage]
        if outcome == "raise":
            raise Boom(stage)
        if outcome != "nothing":
            await send({"type": f"lifespan.{stage}.{outcome}", "message": "no disk"})


async def test_startup_comes_before_the_first_request_and_shutdown_at_the_end() -> None:
    app = Living()
    async with over(app, lifespan=True) as session:
        await asyncio.gather(session.get(""), session.get(""))
    assert app.events == ["startup", "request 7", "request 7", "shutdown"]


async def test_a_connector_may_be_started_by_itself() -> None:
    app = Living()
    async with ASGIConnector(app, lifespan=True):
        assert app.events == ["startup"]
    assert app.events == ["startup", "shutdown"]
    app = Living()
    async with ASGIConnector(app):
        pass
    await ASGIConnector(app, lifespan=True).close()
    assert app.events == []


@pytest.mark.parametrize(
    ("outcome", "error", "match"),
    [
        ("failed", RuntimeError, "startup failed: no disk"),
        ("raise", Boom, "startup"),
        ("odd", RuntimeError, "lifespan.startup.odd has no place here"),
    ],
)
async def test_a_startup_that_fails(outcome: str, error: type[Exception], match: str) -> None:
    app = Living(startup=outcome)
    async with over(app, lifespan=True) as session:
        for _ in range(2):
            with pytest.raises(error, match=match):
                await session.get("")
    assert app.events == ["startup"]


async def test_a_startup_that_never_comes() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Knows of no lifespan."""

    with pytest.raises(RuntimeError, match="returned before it had started"):
        async with ASGIConnector(app, lifespan=True):
            raise AssertionError


@pytest.mark.parametrize(
    ("outcome", "error", "match"),
    [("failed", RuntimeError, "shutdown failed: no disk"), ("raise", Boom, "shutdown")],
)
async def test_a_shutdown_that_fails(outcome: str, error: type[Exception], match: str) -> None:
    connector = ASGIConnector(Living(shutdown=outcome), lifespan=True)
    with pytest.raises(error, match=match):
        async with connector:
            pass
    assert connector.closed


async def test_a_shutdown_that_says_nothing_is_one() -> None:
    async with ASGIConnector(Living(shutdown="nothing"), lifespan=True):
        pass


async def test_a_startup_that_is_cut_short() -> None:
    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    async with over(app, lifespan=True) as session:
        with pytest.raises(TimeoutError):
            await session.get("", timeout=0.01)
