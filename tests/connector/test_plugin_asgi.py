"""The connector of `examples/plugins` that calls an application in memory."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from wayfare_connector import (
    ClientConnectorError,
    ConnectTimeouts,
    DialTimeoutError,
    Target,
)
from wayfare_connector.testing import (
    ConnectorCase,
    RecordingObserver,
    cancel_at_every_await,
    check_connector,
)
from wayfare_http_core import (
    ClientConnectionError,
    ClientPayloadError,
    Connection,
    ExchangeOptions,
    FieldBlock,
    HttpVersion10,
    RequestBody,
    RequestHead,
)

PLUGIN = Path(__file__).parents[2] / "examples" / "plugins" / "asgi.py"


def load() -> Any:
    spec = importlib.util.spec_from_file_location("plugin_asgi", PLUGIN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


asgi = load()
A = Target("http", "a.example")

Receive = Callable[[], Any]
Send = Callable[[Any], Any]


async def answer(send: Send, *pieces: bytes, status: int = 200, headers: Any = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    for piece in pieces[:-1]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": pieces[-1] if pieces else b""})


async def hello(scope: Any, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await answer(send, b"hel", b"", b"lo")


async def body_of(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    more = True
    while more:
        message = await receive()
        pieces.append(message["body"])
        more = message["more_body"]
    return b"".join(pieces)


async def echo(scope: Any, receive: Receive, send: Send) -> None:
    await answer(send, await body_of(receive))


class Pieces(RequestBody):
    """A body of unknown length that notes how far it was asked."""

    content_type = None
    length = None
    replayable = False

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.asked = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.asked += 1
            yield piece


async def exchange(connection: Connection, body: Any = None, **head: Any) -> Any:
    options = head.pop("options", ExchangeOptions())
    head = {"method": "GET", "scheme": "http", "authority": "a.example", "path": "/", **head}
    return await connection.exchange(RequestHead(**head), body, options)


async def ask(connector: Any, body: Any = None, target: Target = A, **head: Any) -> bytes:
    found = await exchange(await connector.connect(target), body, **head)
    content: bytes = await found.content.read()
    return content


@pytest.fixture
async def reports() -> list[dict[str, Any]]:
    """What the loop is told of; a test that asks for it expects some."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


@asynccontextmanager
async def case() -> AsyncIterator[ConnectorCase]:
    yield ConnectorCase(
        make=lambda **options: asgi.ASGIConnector(hello, **options),
        server=A,
        refused=None,
        in_memory=True,
    )


async def test_it_passes_the_suite_of_connectors() -> None:
    await check_connector(case)


async def test_content_streams_both_ways() -> None:
    async with asgi.ASGIConnector(echo) as connector:
        assert await ask(connector) == b""
        assert await ask(connector, b"data", method="POST") == b"data"
        body = Pieces(b"a", b"b" * 100_000)
        assert await ask(connector, body, method="POST") == b"a" + b"b" * 100_000
        assert connector.stats().leased == 0
    assert not connector.calls


async def test_content_is_answered_while_it_comes() -> None:
    """An application may answer each piece at once, however many there are."""

    async def echoing(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send({"type": "http.response.body", "body": message["body"], "more_body": more})

    async with asgi.ASGIConnector(echoing, lifespan=False) as connector:
        body = Pieces(*[bytes(10_000)] * 50)
        assert await ask(connector, body, method="POST") == bytes(500_000)


async def test_the_scope_is_what_a_server_hands_on() -> None:
    scopes = []

    async def noting(scope: Any, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await answer(send, b"hi")

    target = Target("https", "shop.example", 8443)
    async with asgi.ASGIConnector(noting, lifespan=False, root_path="/shop") as connector:
        await ask(
            connector,
            target=target,
            scheme="https",
            authority="shop.example:8443",
            path="/b%C3%BCcher%2F1?q=%20",
            fields=FieldBlock([("X-Name", "Value"), ("x-name", "other")]),
        )
    (scope,) = scopes
    assert scope["headers"][-2:] == [(b"x-name", b"Value"), (b"x-name", b"other")]
    assert (b"host", b"shop.example:8443") in scope["headers"]
    del scope["headers"]
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": "/bücher/1",
        "raw_path": b"/b%C3%BCcher%2F1",
        "query_string": b"q=%20",
        "root_path": "/shop",
        "client": ("127.0.0.1", 50000),
        "server": ("shop.example", 8443),
    }


async def test_a_request_goes_no_faster_than_it_is_read() -> None:
    reading = asyncio.Event()

    async def lazy(scope: Any, receive: Receive, send: Send) -> None:
        await reading.wait()
        await answer(send, b"%d" % len(await body_of(receive)))

    body = Pieces(*[bytes(64 * 1024)] * 100)
    async with asgi.ASGIConnector(lazy, lifespan=False) as connector:
        asking = asyncio.ensure_future(ask(connector, body, method="POST"))
        stands = -1
        while stands < body.asked:
            stands = body.asked
            for _ in range(20):
                await asyncio.sleep(0)
        assert 0 < stands < 20
        reading.set()
        assert await asking == b"%d" % (100 * 64 * 1024)


async def test_a_response_comes_no_faster_than_it_is_read() -> None:
    sent = 0

    async def eager(scope: Any, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200})
        for _ in range(100):
            await send({"type": "http.response.body", "body": bytes(64 * 1024), "more_body": True})
            sent += 1
        await send({"type": "http.response.body"})

    async with asgi.ASGIConnector(eager, lifespan=False) as connector:
        found = await exchange(await connector.connect(A), options=ExchangeOptions(read_limit=1))
        stands = -1
        while stands < sent:
            stands = sent
            for _ in range(20):
                await asyncio.sleep(0)
        assert stands < 20
        assert len(await found.content.read()) == 100 * 64 * 1024


async def test_an_application_may_answer_before_it_has_read() -> None:
    """F7: what it does not want is dropped."""

    async def refusing(scope: Any, receive: Receive, send: Send) -> None:
        await answer(send, b"too much", status=413)

    async with asgi.ASGIConnector(refusing, lifespan=False) as connector:
        body = Pieces(*[bytes(64 * 1024)] * 50)
        assert await ask(connector, body, method="POST") == b"too much"


async def test_who_expects_100_gets_it_when_the_application_reads() -> None:
    expecting = FieldBlock([("Expect", "100-continue")])
    seen: list[int] = []
    options = ExchangeOptions(on_informational=lambda head: seen.append(head.status))
    async with asgi.ASGIConnector(echo, lifespan=False) as connector:
        content = await ask(connector, b"x" * 10, method="PUT", fields=expecting, options=options)
    assert content == b"x" * 10
    assert seen == [100]


@pytest.mark.parametrize(
    ("head", "status", "headers", "content"),
    [
        ({"method": "HEAD"}, 200, [(b"content-length", b"5")], b""),
        ({}, 204, [], b""),
        ({}, 304, [(b"content-length", b"7")], b""),
        ({}, 200, [(b"Content-Length", b"5"), (b"Connection", b"keep-alive")], b"hello"),
        ({}, 200, [(b"transfer-encoding", b"chunked")], b"hello"),
        ({"version": HttpVersion10}, 200, [], b"hello"),
    ],
)
async def test_content_is_framed_as_the_request_and_the_status_want(
    head: Any, status: int, headers: Any, content: bytes
) -> None:
    async def framed(scope: Any, receive: Receive, send: Send) -> None:
        await answer(send, b"hel", b"lo", status=status, headers=headers)

    async with asgi.ASGIConnector(framed, lifespan=False) as connector:
        found = await exchange(await connector.connect(A), **head)
        assert found.head.status == status
        assert await found.content.read() == content


# -- failures


async def silent(scope: Any, receive: Receive, send: Send) -> None:
    pass


async def failing(scope: Any, receive: Receive, send: Send) -> None:
    raise LookupError("no such thing")


async def out_of_turn(scope: Any, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.body", "body": b"x"})


async def twice(scope: Any, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.start", "status": 200})


async def strange(scope: Any, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.accept"})


async def injecting(scope: Any, receive: Receive, send: Send) -> None:
    await answer(send, headers=[(b"x", b"a\r\nset-cookie: b=c")])


async def too_long(scope: Any, receive: Receive, send: Send) -> None:
    await answer(send, b"hello", headers=[(b"content-length", b"4")])


@pytest.mark.parametrize(
    ("application", "cause"),
    [
        (silent, "returned before its response was complete"),
        (failing, "no such thing"),
        (out_of_turn, "out of turn"),
        (twice, "out of turn"),
        (strange, "not a message of a response"),
        (injecting, "more than one line"),
        (too_long, "another length"),
    ],
)
async def test_what_an_application_raises_is_the_cause(application: Any, cause: str) -> None:
    """L9: and it is called once, since a connection that was not used before is no stale one."""
    calls = 0

    async def counting(scope: Any, receive: Receive, send: Send) -> None:
        nonlocal calls
        calls += 1
        await application(scope, receive, send)

    async with asgi.ASGIConnector(counting, lifespan=False) as connector:
        with pytest.raises(ClientConnectionError) as raised:
            await ask(connector)
        assert cause in str(raised.value.__cause__)
        assert connector.stats().leased == 0
    assert calls == 1


async def test_an_application_that_fails_amid_its_content_breaks_it() -> None:
    go = asyncio.Event()

    async def breaking(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await go.wait()
        raise LookupError("lost the rest")

    async with asgi.ASGIConnector(breaking, lifespan=False) as connector:
        found = await exchange(await connector.connect(A))
        assert await found.content.readany() == b"half"
        go.set()
        with pytest.raises(ClientPayloadError) as raised:
            await found.content.readany()
        assert isinstance(raised.value.__cause__, LookupError)


async def test_nobody_gets_an_error_that_comes_too_late(reports: list[dict[str, Any]]) -> None:
    async def late(scope: Any, receive: Receive, send: Send) -> None:
        await answer(send, b"hi")
        assert (await receive())["type"] == "http.disconnect"
        with pytest.raises(RuntimeError, match="out of turn"):
            await answer(send, b"again")
        raise LookupError("afterwards")

    async with asgi.ASGIConnector(late, lifespan=False) as connector:
        assert await ask(connector) == b"hi"
        await asyncio.gather(*connector.calls)
    (report,) = reports
    assert isinstance(report["exception"], LookupError)


async def test_an_application_hears_that_its_client_is_gone() -> None:
    heard: list[Any] = []
    started = asyncio.Event()

    async def waiting(scope: Any, receive: Receive, send: Send) -> None:
        await body_of(receive)
        started.set()
        heard.append(await receive())
        with pytest.raises(OSError, match="the client is gone"):
            await answer(send, b"hi")
        await send({"type": "http.response.start", "status": 200})

    async with asgi.ASGIConnector(waiting, lifespan=False) as connector:
        asking = asyncio.ensure_future(ask(connector))
        await started.wait()
        (call,) = connector.calls
        asking.cancel()
        await asyncio.wait([asking, call])
    assert heard == [{"type": "http.disconnect"}]


async def test_an_application_that_never_waits_lets_others_run() -> None:
    """Also where nothing that it sends has to wait: it hears that its client is gone."""
    sent = 0

    async def endless(scope: Any, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200})
        while sent < 10_000:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            sent += 1

    connector = asgi.ASGIConnector(endless, lifespan=False)
    connection = await connector.connect(A)
    await exchange(connection, None, method="HEAD")
    (call,) = connector.calls
    connection.abort()
    await asyncio.wait([call])
    assert 0 < sent < 1000
    await connector.close()


async def test_closing_ends_what_still_runs() -> None:
    started = asyncio.Event()

    async def stubborn(scope: Any, receive: Receive, send: Send) -> None:
        started.set()
        await asyncio.get_running_loop().create_future()

    connector = asgi.ASGIConnector(stubborn, lifespan=False)
    asking = asyncio.ensure_future(ask(connector))
    await started.wait()
    (call,) = connector.calls
    await connector.close(abort_ssl=True)  # as any connector can be told
    assert call.cancelled()
    with pytest.raises(ClientConnectionError):
        await asking


async def test_a_request_that_no_server_takes_is_refused() -> None:
    async with asgi.ASGIConnector(hello, lifespan=False) as connector:
        with pytest.raises(ClientConnectionError, match="octets"):
            await ask(connector, path="/" + "x" * 10_000)


async def test_connecting_can_be_cancelled_at_every_await() -> None:
    async with asgi.ASGIConnector(hello) as connector:

        async def connect() -> None:
            connection = await connector.connect(A, observer=RecordingObserver())
            connection.abort()
            await connection.wait_closed()

        async def check() -> None:
            stats = connector.stats()
            assert (stats.leased, stats.connecting, stats.waiting) == (0, 0, 0)

        await cancel_at_every_await(connect, check)
        assert await ask(connector) == b"hello"


async def test_the_observer_sees_the_dial() -> None:
    observer = RecordingObserver()
    async with asgi.ASGIConnector(hello) as connector:
        connection = await connector.connect(A, observer=observer)
        assert connection.facts.peername == ("a.example", 80)
        connection.abort()
    assert observer.names == ["create_start", "dial_start", "dial_end", "create_end"]


# -- the lifespan


class Living:
    """An application with a lifespan; `steps` is what happened."""

    def __init__(self, startup: str = "complete", shutdown: str = "complete") -> None:
        self.startup = startup
        self.shutdown = shutdown
        self.steps: list[str] = []

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.steps.append(f"request {scope['state']['name']}")
            scope["state"]["name"] = "changed"
            return await answer(send, b"hi")
        for phase, outcome in (("startup", self.startup), ("shutdown", self.shutdown)):
            message = await receive()
            assert message == {"type": f"lifespan.{phase}"}
            self.steps.append(phase)
            scope["state"]["name"] = "shared"
            await send({"type": f"lifespan.{phase}.{outcome}", "message": "out of order"})
        return None


async def test_an_application_starts_once_and_ends_with_the_connector() -> None:
    application = Living()
    async with asgi.ASGIConnector(application, lifespan=True) as connector:
        assert application.steps == []
        await asyncio.gather(*[ask(connector) for _ in range(3)])
    assert application.steps == ["startup", *["request shared"] * 3, "shutdown"]


@pytest.mark.parametrize("lifespan", [None, True])
async def test_an_application_that_does_not_start_is_not_reached(lifespan: bool | None) -> None:
    async with asgi.ASGIConnector(Living("failed"), lifespan=lifespan) as connector:
        for _ in range(2):
            with pytest.raises(ClientConnectorError, match="did not start: out of order"):
                await ask(connector)


async def test_an_application_need_not_know_of_lifespans() -> None:
    async with asgi.ASGIConnector(hello) as connector:
        assert await ask(connector) == b"hello"
    async with asgi.ASGIConnector(hello, lifespan=True) as connector:
        with pytest.raises(ClientConnectorError, match="did not start: AssertionError") as raised:
            await ask(connector)
        assert isinstance(raised.value.os_error.__cause__, AssertionError)
    async with asgi.ASGIConnector(silent, lifespan=True) as connector:
        with pytest.raises(ClientConnectorError, match="knows nothing of lifespans"):
            await ask(connector)


async def test_a_shutdown_that_fails_is_told_to_the_loop(reports: list[dict[str, Any]]) -> None:
    async with asgi.ASGIConnector(Living(shutdown="failed")) as connector:
        assert await ask(connector) == b"hi"
    (report,) = reports
    assert str(report["exception"]) == "out of order"


async def test_a_start_that_takes_long_is_a_timeout_and_goes_on() -> None:
    go = asyncio.Event()

    async def slow(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            return await answer(send, b"hi")
        await receive()
        await go.wait()
        await send({"type": "lifespan.startup.complete"})
        await asyncio.get_running_loop().create_future()
        return None

    async with asgi.ASGIConnector(slow, patience=0.01) as connector:
        with pytest.raises(DialTimeoutError):
            await connector.connect(A, ConnectTimeouts(sock_connect=0.01))
        go.set()
        assert await ask(connector) == b"hi"
