"""`OpenTelemetryMiddleware`: spans, measurements and the trace's context, by the semantic conventions."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wayfare
from opentelemetry import trace
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from wayfare import ClientSession, OpenTelemetryMiddleware, Redaction
from wayfare.testing import MockConnector
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import Fin, ReadRequest, Send

from .conftest import Serve


class Telemetry:
    """Providers that keep in memory what they are given."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._reader = InMemoryMetricReader()
        self.meters = MeterProvider([self._reader])

    def middleware(self, **options: Any) -> OpenTelemetryMiddleware:
        """The middleware with these providers."""
        return OpenTelemetryMiddleware(
            tracer_provider=self.tracers, meter_provider=self.meters, **options
        )

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The spans that ended, in order."""
        return self._exporter.get_finished_spans()

    def measurements(self) -> list[Any]:
        """The points of the only metric."""
        data = self._reader.get_metrics_data()
        assert data is not None
        (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
        assert (metric.name, metric.unit) == ("http.client.request.duration", "s")
        return list(metric.data.data_points)

    def close(self) -> None:
        """Stop both."""
        self.tracers.shutdown()
        self.meters.shutdown()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Telemetry in memory."""
    made = Telemetry()
    yield made
    made.close()


def over(mock: MockConnector, middleware: OpenTelemetryMiddleware, **options: Any) -> ClientSession:
    """A session over a mock, with the middleware."""
    return ClientSession("https://h/", connector=mock, middlewares=[middleware], **options)


async def test_the_span_of_a_request(telemetry: Telemetry) -> None:
    mock = MockConnector()
    mock.get("/a").reply(body="ok")
    async with over(mock, telemetry.middleware()) as session:
        await (await session.get("/a?x=1#top")).read()
    (span,) = telemetry.spans
    assert (span.name, span.kind) == ("GET", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "network.peer.address": "127.0.0.1",
        "network.peer.port": 443,
        "network.protocol.version": "1.1",
        "server.address": "h",
        "server.port": 443,
        "url.full": "https://h/a?x=1",
        "url.scheme": "https",
    }
    scope = span.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version) == ("wayfare", wayfare.__version__)
    assert scope.schema_url is not None
    (point,) = telemetry.measurements()
    assert point.count == 1
    assert 0 < point.sum < 60
    assert point.explicit_bounds[:3] == (0.005, 0.01, 0.025)
    assert dict(point.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "server.address": "h",
        "server.port": 443,
        "url.scheme": "https",
    }


async def test_the_context_goes_along_and_the_callers_span_is_the_parent(
    telemetry: Telemetry,
) -> None:
    mock = MockConnector()
    mock.get("/").reply(307, headers={"Location": "/b"})
    mock.get("/b")
    tracer = telemetry.tracers.get_tracer("test")
    async with over(mock, telemetry.middleware()) as session:
        with tracer.start_as_current_span("caller") as caller:
            await session.get("/")
            assert trace.get_current_span() is caller
    first, second, _ = telemetry.spans
    for span, call in zip((first, second), mock.calls, strict=True):
        assert span.parent is not None
        assert span.context is not None
        assert span.parent.span_id == caller.get_span_context().span_id
        identity = f"{span.context.trace_id:032x}-{span.context.span_id:016x}"
        assert call.headers["traceparent"].startswith(f"00-{identity}-")


async def test_redirects_and_attempts_count_as_resends(telemetry: Telemetry, serve: Serve) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: %b\r\n\r\n"
    found = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
    scripts = (
        [ReadRequest(), Send(ok % b"keep-alive"), ReadRequest(), Fin()],
        [ReadRequest(), Send(found), ReadRequest(), Send(ok % b"close")],
    )
    async with serve(*scripts, middlewares=[telemetry.middleware()]) as (session, _):
        await session.get("")
        await session.get("", cookies={"a": "b"})
    resends = [
        dict(span.attributes or {}).get("http.request.resend_count") for span in telemetry.spans
    ]
    assert resends == [None, None, 1, 2]
    assert (
        dict(telemetry.spans[1].attributes or {})["error.type"] == "wayfare.ServerDisconnectedError"
    )


async def test_a_status_that_is_an_error(telemetry: Telemetry) -> None:
    mock = MockConnector()
    mock.get("/").reply(404).reply(503)
    async with over(mock, telemetry.middleware()) as session:
        await session.get("/")
        await session.get("/")
    for span, status in zip(telemetry.spans, (404, 503), strict=True):
        assert span.status.status_code is StatusCode.ERROR
        assert dict(span.attributes or {})["error.type"] == str(status)
        assert span.events == ()
    assert {point.attributes["error.type"] for point in telemetry.measurements()} == {"404", "503"}


class Odd(Exception):
    """An error of the program's own."""


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (
            wayfare.ClientConnectionError("no way to http://u:p@h/?sig=hush"),
            "wayfare.ClientConnectionError",
        ),
        (OSError("http://h/?sig=hush"), "OSError"),
        (Odd("http://h/?sig=hush"), f"{__name__}.Odd"),
    ],
)
async def test_y10_an_exception_is_told_without_secrets(
    telemetry: Telemetry, error: Exception, name: str
) -> None:
    mock = MockConnector()
    mock.get("/").fail(error)
    async with over(mock, telemetry.middleware()) as session:
        with pytest.raises(type(error)):
            await session.get("/", params={"token": "hush"})
    (span,) = telemetry.spans
    attributes = dict(span.attributes or {})
    assert attributes["error.type"] == name
    assert attributes["url.full"] == "https://h/?token=REDACTED"
    assert span.status.status_code is StatusCode.ERROR
    assert "hush" not in str(span.status.description)
    (event,) = span.events
    told = dict(event.attributes or {})
    assert (event.name, told["exception.type"]) == ("exception", name)
    assert str(told["exception.message"]).endswith("?sig=REDACTED")
    (point,) = telemetry.measurements()
    assert point.attributes["error.type"] == name


async def test_a_request_that_is_cancelled(telemetry: Telemetry) -> None:
    mock = MockConnector()
    mock.get("/").reply(delay=100).optional()
    async with over(mock, telemetry.middleware()) as session:
        sending = asyncio.ensure_future(session.get("/"))
        while not mock.calls:
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.wait([sending])
    (span,) = telemetry.spans
    assert dict(span.attributes or {})["error.type"] == "asyncio.exceptions.CancelledError"


async def test_methods_that_nobody_knows(telemetry: Telemetry) -> None:
    mock = MockConnector()
    mock.expect("PURGE", "/")
    async with over(mock, telemetry.middleware()) as session:
        await session.request("PURGE", "/")
    (span,) = telemetry.spans
    assert span.name == "HTTP"
    attributes = dict(span.attributes or {})
    assert attributes["http.request.method"] == "_OTHER"
    assert attributes["http.request.method_original"] == "PURGE"


async def test_names_fields_and_propagators_of_ones_own(telemetry: Telemetry) -> None:
    class Fixed(TextMapPropagator):
        """Sends one field."""

        fields = {"x-trace"}  # noqa: RUF012 - as the base class has it

        def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Any:
            """Never asked for."""

        def inject(self, carrier: Any, context: Any = None, setter: Any = None) -> None:
            """One field."""
            carrier["X-Trace"] = "1"

    mock = MockConnector()
    mock.get("/").reply(headers=[("X-A", "1"), ("X-A", "2"), ("Set-Cookie", "sid=hush")])
    middleware = telemetry.middleware(
        propagator=Fixed(),
        span_name=lambda request: f"{request.method} {request.url.path}",
        request_headers=["Authorization", "X-None", "X-Mine"],
        response_headers=["X-A", "Set-Cookie"],
        redaction=Redaction(mark="-"),
    )
    headers = {"Authorization": "Bearer hush", "X-Mine": "hush"}
    async with over(mock, middleware, headers=headers, sensitive_headers=["X-Mine"]) as session:
        await session.get("/")
    (span,) = telemetry.spans
    attributes = dict(span.attributes or {})
    assert span.name == "GET /"
    assert mock.calls[0].headers["X-Trace"] == "1"
    assert attributes["http.request.header.authorization"] == ("Bearer -",)
    assert attributes["http.request.header.x-mine"] == ("-",)
    assert attributes["http.response.header.x-a"] == ("1", "2")
    assert attributes["http.response.header.set-cookie"] == ("sid=-",)
    assert "http.request.header.x-none" not in attributes


async def test_the_peer_of_a_unix_socket(telemetry: Telemetry, tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    path = str(tmp_path / "s")
    options: Any = {
        "connector": wayfare.UnixConnector(path),
        "middlewares": [telemetry.middleware()],
    }
    async with (
        await asyncio.start_unix_server(answer, path),
        ClientSession("http://h", **options) as session,
    ):
        await session.get("/")
    (span,) = telemetry.spans
    assert dict(span.attributes or {})["network.peer.address"] == path


async def test_without_an_sdk_nothing_is_sent_and_nothing_fails() -> None:
    mock = MockConnector()
    mock.get("/")
    async with over(mock, OpenTelemetryMiddleware()) as session:
        await session.get("/")
    assert "traceparent" not in mock.calls[0].headers


def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ModuleNotFoundError, match=r"install wayfare\[otel\]"):
        OpenTelemetryMiddleware()


async def test_a_response_that_a_middleware_made_may_have_no_peer(telemetry: Telemetry) -> None:
    """A connection without an address, such as one through a pipe."""
    mock = MockConnector()
    mock.get("/")

    async def hide(request: wayfare.ClientRequest, handler: Any) -> wayfare.ClientResponse:
        response: wayfare.ClientResponse = await handler(request)
        connection = response._connection
        assert isinstance(connection, HTTP1Connection)
        connection.facts = connection.facts._replace(peername=None)
        return response

    options: Any = {"connector": mock, "middlewares": [telemetry.middleware(), hide]}
    async with ClientSession("https://h/", **options) as session:
        await session.get("/")
    assert "network.peer.address" not in dict(telemetry.spans[0].attributes or {})
