"""Tracing: which signals a request sends, in which order, and with what."""

import asyncio
import ssl
from contextvars import ContextVar, Token
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
import wayfare
from multidict import CIMultiDict
from wayfare import tracing
from wayfare._connect_trace import ConnectTrace
from wayfare._tracing import TracePlan
from wayfare_connector import Target, TCPConnector
from wayfare_connector.testing import FakeResolver, RecordingObserver
from wayfare_http_core.testing import (
    Call,
    Fin,
    ReadHead,
    ReadRequest,
    Repeat,
    ScriptedServer,
    Send,
    Stall,
    listening,
)
from yarl import URL

from .trace_diary import ANSWERED, CREATED, FOUND, HINTS, OK, READ, Diary


async def test_a_request_on_a_new_connection(serve: Any) -> None:
    diary = Diary()
    async with (
        serve((ReadRequest(), Send(OK)), trace_configs=[diary.config]) as (session, _),
        session.get("/a?b=c") as response,
    ):
        assert diary.names == ["request_start", *CREATED, *ANSWERED, "request_end"]
        assert await response.text() == "ok"
    assert diary.names == ["request_start", *CREATED, *ANSWERED, "request_end", *READ]
    assert len({id(context) for context in diary.contexts}) == 1
    port = response.url.port
    url = response.url
    start = diary.one("request_start")
    assert (start.method, start.url) == ("GET", url)
    assert start.headers["Accept"] == "*/*"
    assert diary.one("connection_create_start") == tracing.TraceConnectionCreateStartParams(
        "127.0.0.1", port, False
    )
    made = diary.one("connection_create_end")
    assert (made.host, made.port, made.peername) == ("127.0.0.1", port, ("127.0.0.1", port))
    assert (made.tls_version, made.alpn) == (None, None)
    dialled = diary.one("dial_end")
    assert dialled.peername == made.peername
    assert 0 <= dialled.seconds <= made.seconds
    head = diary.one("response_start")
    assert (head.url, head.status, head.headers["Content-Length"]) == (url, 200, "2")
    assert head.seconds == response.connection_info.first_byte
    assert head.seconds >= 0
    assert diary.one("request_end").response is response
    assert diary.one("response_chunk_received").chunk == b"ok"
    end = diary.one("response_end")
    assert (end.method, end.url, end.octets, end.exception) == ("GET", url, 2, None)
    assert end.seconds >= 0


async def test_a_request_on_a_used_connection(serve: Any) -> None:
    diary = Diary()
    script = Repeat(ReadRequest(), Send(OK))
    async with serve((script,), trace_configs=[diary.config]) as (session, _):
        async with session.get("/") as response:
            await response.read()
        diary.told.clear()
        async with session.get("/") as response:
            await response.read()
    assert diary.names == [
        "request_start",
        "connection_reuseconn",
        *ANSWERED,
        "request_end",
        *READ,
    ]
    port = response.url.port
    assert diary.one("connection_reuseconn") == tracing.TraceConnectionReuseconnParams(
        "127.0.0.1", port, ("127.0.0.1", port), None
    )
    assert diary.contexts[0] is not diary.contexts[-1]
    assert response.connection_info.reused


async def test_waiting_for_a_place_in_the_pool(serve: Any) -> None:
    diary = Diary()
    first = (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst"), Stall())
    connector = TCPConnector(limit=1)
    async with serve(
        first, (ReadRequest(), Send(OK)), trace_configs=[diary.config], connector=connector
    ) as (session, _):
        held = await session.get("/held")
        diary.told.clear()
        waiting = asyncio.ensure_future(session.get("/"))
        while not connector.stats().waiting:
            await asyncio.sleep(0)
        held.close()
        async with await waiting as response:
            await response.read()
    queued = ["connection_queued_start", "connection_queued_end"]
    assert diary.names == ["request_start", *queued, *CREATED, *ANSWERED, "request_end", *READ]
    assert diary.one("connection_queued_start").host == "127.0.0.1"
    assert diary.one("connection_queued_end").seconds >= 0


async def test_a_name_and_tls() -> None:
    authority = trustme.CA()
    served, trusting = (
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )
    authority.issue_cert("h.test").configure_cert(served)
    authority.configure_trust(trusting)
    trusting.set_alpn_protocols(["http/1.1"])
    served.set_alpn_protocols(["http/1.1"])
    diary = Diary()
    server = ScriptedServer([ReadRequest(), Send(OK)])
    async with listening(server, tls=served) as (_, port):
        resolver = FakeResolver({"h.test": ["127.0.0.1"]})
        connector = TCPConnector(ssl=trusting, resolver=resolver)
        async with (
            wayfare.ClientSession(connector=connector, trace_configs=[diary.config]) as session,
            session.get(f"https://h.test:{port}/") as response,
        ):
            await response.read()
    assert diary.names == [
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
        *ANSWERED,
        "request_end",
        *READ,
    ]
    assert diary.one("connection_create_start").is_ssl
    assert diary.one("dns_cache_miss").host == "h.test"
    assert diary.one("dns_resolvehost_start").host == "h.test"
    resolved = diary.one("dns_resolvehost_end")
    assert (resolved.host, resolved.addresses) == ("h.test", ("127.0.0.1",))
    assert diary.one("tls_handshake_start").host == "h.test"
    secured = diary.one("tls_handshake_end")
    assert (secured.tls_version, secured.port) == ("TLSv1.3", port)
    made = diary.one("connection_create_end")
    assert (made.tls_version, made.alpn) == ("TLSv1.3", "http/1.1")
    stages = (resolved, diary.one("dial_end"), secured)
    assert made.seconds >= sum(stage.seconds for stage in stages) > 0


async def test_a_name_that_is_known_from_before() -> None:
    diary = Diary("on_dns_cache_miss", "on_dns_cache_hit", "on_dns_resolvehost_start")
    script = (ReadRequest(), Send(OK))
    async with listening(ScriptedServer(script, script)) as (_, port):
        connector = TCPConnector(resolver=FakeResolver({"h.test": ["127.0.0.1"]}), force_close=True)
        async with wayfare.ClientSession(
            connector=connector, trace_configs=[diary.config]
        ) as session:
            for _ in range(2):
                async with session.get(f"http://h.test:{port}/") as response:
                    await response.read()
    assert diary.names == ["dns_cache_miss", "dns_resolvehost_start", "dns_cache_hit"]


async def test_stages_that_this_connector_has_not() -> None:
    """An address that is known already, and a proxy on the way."""
    diary = Diary()
    async with wayfare.ClientSession(trace_configs=[diary.config]) as session:
        observer = ConnectTrace(TracePlan(session.trace_configs).trace(session, None))
        target = Target("http", "h.test", 81)
        await observer.dns_cache_hit(target)
        await observer.dns_cache_miss(target)
        await observer.tunnel_start(target)
        await observer.tunnel_end(target, 0.5)
    assert [params for _, params in diary.told] == [
        tracing.TraceDnsCacheHitParams("h.test"),
        tracing.TraceDnsCacheMissParams("h.test"),
        tracing.TraceTunnelStartParams("h.test", 81),
        tracing.TraceTunnelEndParams("h.test", 81, 0.5),
    ]


def test_every_stage_of_a_connect_is_told() -> None:
    """What a connector tells its observers is what `RecordingObserver` records."""
    recorded = {name for name in vars(RecordingObserver) if not name.startswith("_")} - {"names"}
    assert recorded <= set(vars(ConnectTrace))


async def test_a_redirect(serve: Any) -> None:
    diary = Diary()
    script = (ReadRequest(), Send(FOUND), ReadRequest(), Send(HINTS + OK))
    async with (
        serve(script, trace_configs=[diary.config]) as (session, server),
        session.post("/", data=b"abc") as response,
    ):
        await response.read()
    assert diary.names == [
        "request_start",
        *CREATED,
        "request_headers_sent",
        "request_chunk_sent",
        "response_start",
        "request_redirect",
        "connection_reuseconn",
        "request_headers_sent",
        "informational",
        "response_start",
        "request_end",
        *READ,
    ]
    assert len({id(context) for context in diary.contexts}) == 1
    redirect = diary.one("request_redirect")
    assert redirect.response is response.history[0]
    assert (redirect.method, redirect.url) == ("POST", response.history[0].url)
    end = diary.one("request_end")
    assert (end.method, end.url) == ("GET", response.url)
    assert [each.method for each in diary.all("request_headers_sent")] == ["POST", "GET"]
    hints = diary.one("informational")
    assert (hints.status, hints.headers["Link"]) == (103, "</style.css>; rel=preload")
    assert 0 <= hints.seconds <= diary.all("response_start")[1].seconds
    assert [info.connection_info.exchange for info in (*response.history, response)] == [1, 2]
    assert len(server.requests) == 2


async def test_what_a_handler_puts_into_the_headers_is_sent(serve: Any) -> None:
    config = wayfare.TraceConfig()

    async def inject(session: Any, context: Any, params: Any) -> None:
        params.headers["Traceparent"] = f"00-{context.trace_request_ctx['id']}"
        params.headers.pop("Accept")

    config.on_request_start.append(inject)
    script = (ReadRequest(), Send(FOUND), ReadRequest(), Send(OK))
    async with (
        serve(script, trace_configs=[config]) as (session, server),
        session.get("/", trace_request_ctx={"id": "4bf9"}) as response,
    ):
        assert response.request_info.headers["Traceparent"] == "00-4bf9"
    for request in server.requests:
        assert request.get("Traceparent") == "00-4bf9"
        assert request.get("Accept") is None


async def test_a_pooled_connection_is_used_where_nobody_watches_connections(serve: Any) -> None:
    diary = Diary("on_request_end")
    script = (Repeat(ReadRequest(), Send(OK)),)
    async with serve(script, trace_configs=[diary.config]) as (session, _):
        for exchange in (1, 2):
            async with session.get("/") as response:
                await response.read()
            assert response.connection_info.exchange == exchange
    assert diary.names == ["request_end"] * 2


async def test_a_stale_connection_is_told_with_the_retry(serve: Any) -> None:
    diary = Diary()
    stale = (ReadRequest(), Send(OK), ReadRequest(), Fin())
    async with serve(stale, (ReadRequest(), Send(OK)), trace_configs=[diary.config]) as (
        session,
        _,
    ):
        async with session.get("/") as response:
            await response.read()
        diary.told.clear()
        async with session.get("/") as response:
            await response.read()
    assert diary.names == [
        "request_start",
        "connection_reuseconn",
        "request_headers_sent",
        "request_retry",
        *CREATED,
        *ANSWERED,
        "request_end",
        *READ,
    ]
    retry = diary.one("request_retry")
    assert isinstance(retry.exception, wayfare.ServerDisconnectedError)
    assert retry.attempt == 1


async def test_a_pooled_connection_that_goes_while_a_handler_waits_is_replaced(serve: Any) -> None:
    connections: list[Any] = []

    async def lose(told: str, params: Any) -> None:
        while connections:
            connection = connections.pop()
            connection.abort()
            await connection.wait_closed()

    diary = Diary("on_request_headers_sent", "on_request_retry", obstacle=lose)
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha"
    peers: list[Any] = []
    first = (ReadRequest(), Send(begun), Call(peers.append), Stall())
    async with serve(first, (ReadRequest(), Send(OK)), trace_configs=[diary.config]) as (
        session,
        _,
    ):
        response = await session.get("/")
        held = response.connection.protocol
        peers[0].write(b"lf")
        assert await response.read() == b"half"
        connections.append(held)
        # Nothing was sent, so the method does not matter.
        async with session.post("/", data=b"content") as response:
            assert await response.read() == b"ok"
        assert not response.connection_info.reused
    assert diary.names == ["request_headers_sent"] * 2 + ["request_retry", "request_headers_sent"]
    retry = diary.one("request_retry")
    assert "lost before the request was sent" in str(retry.exception)


async def test_a_refused_expectation_is_told_as_a_retry(serve: Any) -> None:
    diary = Diary("on_request_retry", "on_request_redirect", "on_request_end")
    refusing = (ReadHead(), Send(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"), Stall())
    async with (
        serve(refusing, (ReadRequest(), Send(OK)), trace_configs=[diary.config]) as (session, _),
        session.post("/", data=b"x", headers={"Expect": "100-continue"}) as response,
    ):
        assert response.status == 200
    assert diary.names == ["request_retry", "request_end"]
    assert diary.one("request_retry").exception is None


async def test_a_middleware_that_asks_twice_is_told_twice(serve: Any) -> None:
    diary = Diary()

    async def twice(request: Any, handler: Any) -> Any:
        await handler(request)
        return await handler(request)

    script = (Repeat(ReadRequest(), Send(OK)),)
    async with (
        serve(script, trace_configs=[diary.config], middlewares=[twice]) as (session, _),
        session.get("/") as response,
    ):
        await response.read()
    middle = diary.names[1:-3]
    assert middle == [*CREATED, *ANSWERED, "connection_reuseconn", *ANSWERED]
    assert (diary.names[0], diary.names[-3:]) == ("request_start", ["request_end", *READ])


# -- what tracing libraries do --------------------------------------------------------------------


SPAN: ContextVar[str] = ContextVar("SPAN", default="none")


async def test_a_span_for_each_request(serve: Any) -> None:
    """The shape of OpenTelemetry's and of Sentry's integrations: a factory with keywords, a span and a token of the
    context in it, headers injected at the start, the token given back in the same context at the end."""
    spans: list[dict[str, Any]] = []

    def make_context(**given: Any) -> SimpleNamespace:
        given.setdefault("trace_request_ctx", {})
        return SimpleNamespace(span=None, token=None, **given)

    async def start(session: Any, ctx: Any, params: tracing.TraceRequestStartParams) -> None:
        ctx.span = {"name": params.method.upper(), "url": str(params.url.with_user(None))}
        ctx.token = SPAN.set(f"span {len(spans)}")
        params.headers["traceparent"] = SPAN.get()

    def finish(ctx: Any) -> None:
        assert isinstance(ctx.token, Token)
        SPAN.reset(ctx.token)
        spans.append(ctx.span)

    async def end(session: Any, ctx: Any, params: tracing.TraceRequestEndParams) -> None:
        ctx.span["status"] = int(params.response.status)
        ctx.span["reason"] = params.response.reason
        ctx.span["server.port"] = params.url.port
        finish(ctx)

    async def failed(session: Any, ctx: Any, params: tracing.TraceRequestExceptionParams) -> None:
        ctx.span["error.type"] = type(params.exception).__qualname__
        finish(ctx)

    config: Any = wayfare.TraceConfig(trace_config_ctx_factory=make_context)
    config.on_request_start.append(start)
    config.on_request_end.append(end)
    config.on_request_exception.append(failed)
    config._is_instrumented_by_a_library = True
    script = (ReadRequest(), Send(OK), ReadRequest(), Fin())
    async with serve(script, (ReadRequest(), Fin()), trace_configs=[config]) as (session, server):
        async with session.get("/", trace_request_ctx={"user": 7}) as response:
            await response.read()
            assert SPAN.get() == "none"
        with pytest.raises(wayfare.ServerDisconnectedError):
            await session.get("/", retry_stale=False)
        assert SPAN.get() == "none"
        base = session.base_url
    url = str(base)
    port = base.port
    assert spans == [
        {"name": "GET", "url": url, "status": 200, "reason": "OK", "server.port": port},
        {"name": "GET", "url": url, "error.type": "ServerDisconnectedError"},
    ]
    assert server.requests[0].get("traceparent") == "span 0"


def test_parameters_show_no_secrets() -> None:
    url = URL("http://h/")
    secret = CIMultiDict({"Authorization": "Bearer hunter2"})
    shown = [
        tracing.TraceRequestStartParams("GET", url, secret),
        tracing.TraceRequestChunkSentParams("GET", url, b"hunter2"),
        tracing.TraceResponseStartParams("GET", url, 200, {"Set-Cookie": "hunter2"}),
    ]
    assert "hunter2" not in repr(shown)


async def test_timeouts_of_the_connect_count_handlers(serve: Any) -> None:
    """A connector's limits watch over its observer, too."""

    async def wait(told: str, params: Any) -> None:
        await asyncio.Event().wait()

    diary = Diary("on_connection_create_start", obstacle=wait)
    timeout = wayfare.ClientTimeout(connect=0.05)
    async with serve(trace_configs=[diary.config], timeout=timeout) as (session, _):
        with pytest.raises(wayfare.ConnectionTimeoutError):
            await session.get("/")


async def test_a_context_of_a_request_that_nobody_traces(serve: Any) -> None:
    async with (
        serve((ReadRequest(), Send(OK))) as (session, _),
        session.get("/", trace_request_ctx="mine") as response,
    ):
        assert response.connection_info.first_byte is None
