"""`OpenTelemetryMiddleware`: a span and a measurement for each exchange, by the semantic conventions for HTTP clients.

Only the API package is needed, which the extra `otel` brings: where no SDK is set up, all of it goes nowhere.
"""

import sys
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, final

from ._redaction import Redaction
from ._version import __version__

if TYPE_CHECKING:
    from multidict import CIMultiDict, CIMultiDictProxy
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.propagators.textmap import TextMapPropagator
    from opentelemetry.trace import Span, TracerProvider

    from ._middlewares import ClientHandlerType
    from ._request import ClientRequest
    from ._response import ClientResponse

__all__ = ("OpenTelemetryMiddleware",)

_SCHEMA: Final = "https://opentelemetry.io/schemas/1.38.0"
_KNOWN: Final = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Seconds: those that the conventions advise."""
_MARK: Final = "REDACTED"
"""What the conventions write for a secret in a URL."""


@final
class OpenTelemetryMiddleware:
    """Makes a client span for each exchange, measures it, and sends the trace's context along.

    A redirect that is followed and another attempt are exchanges of their own, siblings beneath the caller's span, each
    with its `http.request.resend_count`. Make it the last of the middlewares, so that it sees what is sent. A span ends
    when the response's head is there; a status of 400 and above, like an exception, makes it an error.

    Providers and propagator are the global ones unless others are given. `span_name` names spans, for whoever knows a
    template of few names, such as `GET /users/{id}`: without it they are called by their method. The fields in
    `request_headers` and `response_headers` become attributes. `redaction` takes secrets out of all of it.

    Raises: ModuleNotFoundError without the extra `otel`.
    """

    def __init__(
        self,
        *,
        tracer_provider: "TracerProvider | None" = None,
        meter_provider: "MeterProvider | None" = None,
        propagator: "TextMapPropagator | None" = None,
        span_name: "Callable[[ClientRequest], str] | None" = None,
        request_headers: Iterable[str] = (),
        response_headers: Iterable[str] = (),
        redaction: Redaction | None = None,
    ) -> None:
        try:
            from opentelemetry import metrics, propagate, trace
        except ModuleNotFoundError as exc:
            raise ModuleNotFoundError(
                "OpenTelemetry is an extra: install wayfare[otel]", name=exc.name
            ) from exc
        self._api = trace
        self._tracer = trace.get_tracer("wayfare", __version__, tracer_provider, _SCHEMA)
        meter = metrics.get_meter("wayfare", __version__, meter_provider, _SCHEMA)
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self._inject = propagate.inject if propagator is None else propagator.inject
        self._span_name = span_name or _by_method
        self._request_headers = tuple(name.lower() for name in request_headers)
        self._response_headers = tuple(name.lower() for name in response_headers)
        self._redaction = redaction or Redaction(["sig"], mark=_MARK)

    async def __call__(
        self, request: "ClientRequest", handler: "ClientHandlerType"
    ) -> "ClientResponse":
        """Send the request within a span.

        Raises, Cancellation: as the handler; both are told.
        """
        trace = self._api
        registered = request.settings.sensitive_headers
        redaction = self._redaction.with_names(registered) if registered else self._redaction
        measured = _of_request(request)
        span = self._tracer.start_span(
            self._span_name(request),
            kind=trace.SpanKind.CLIENT,
            attributes={**measured, **self._attributes(request, redaction)},
        )
        resends = request.notes.get(self, 0)
        request.notes[self] = resends + 1
        if resends:
            span.set_attribute("http.request.resend_count", resends)
        started = perf_counter()
        with trace.use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            self._inject(request.headers)
            try:
                response = await handler(request)
                measured |= self._answered(span, response, redaction)
            except BaseException as exc:
                measured |= self._failed(span, exc, redaction)
                raise
            finally:
                self._duration.record(perf_counter() - started, measured)
        return response

    def _attributes(self, request: "ClientRequest", redaction: Redaction) -> dict[str, Any]:
        attributes: dict[str, Any] = {"url.full": redaction.text(request.url)}
        if request.method not in _KNOWN:
            attributes["http.request.method_original"] = request.method
        return attributes | _fields("request", self._request_headers, request.headers, redaction)

    def _answered(
        self, span: "Span", response: "ClientResponse", redaction: Redaction
    ) -> dict[str, Any]:
        status = response.status
        version = response.version
        measured: dict[str, Any] = {
            "http.response.status_code": status,
            "network.protocol.version": f"{version.major}.{version.minor}",
        }
        if status >= 400:
            measured["error.type"] = str(status)
            span.set_status(self._api.StatusCode.ERROR)
        span.set_attributes(measured)
        peername = response.connection_info.peername
        if isinstance(peername, tuple):
            span.set_attributes(
                {"network.peer.address": peername[0], "network.peer.port": peername[1]}
            )
        elif peername is not None:
            span.set_attribute("network.peer.address", peername)
        fields = _fields("response", self._response_headers, response.headers, redaction)
        span.set_attributes(fields)
        return measured

    def _failed(self, span: "Span", error: BaseException, redaction: Redaction) -> dict[str, Any]:
        kind, message = _name_of(type(error)), redaction.text(error)
        # Not `record_exception`: its text and its stack quote whatever the error does.
        span.add_event("exception", {"exception.type": kind, "exception.message": message})
        span.set_attribute("error.type", kind)
        span.set_status(self._api.StatusCode.ERROR, message)
        return {"error.type": kind}


def _of_request(request: "ClientRequest") -> dict[str, Any]:
    """What a measurement and a span have in common."""
    return {
        "http.request.method": request.method if request.method in _KNOWN else "_OTHER",
        "server.address": request.host,
        "server.port": request.port,
        "url.scheme": "https" if request.is_ssl() else "http",
    }


def _fields(
    side: str,
    names: tuple[str, ...],
    headers: "CIMultiDict[str] | CIMultiDictProxy[str]",
    redaction: Redaction,
) -> dict[str, list[str]]:
    return {
        f"http.{side}.header.{name}": [
            redaction.field(name, value) for value in headers.getall(name)
        ]
        for name in names
        if name in headers
    }


def _by_method(request: "ClientRequest") -> str:
    return request.method if request.method in _KNOWN else "HTTP"


def _name_of(kind: type[BaseException]) -> str:
    module = kind.__module__.partition(".")[0]
    if module == "builtins":
        return kind.__qualname__
    # Ours are known by the package that hands them on, not by the module that they are written in.
    ours = module.startswith("wayfare") and hasattr(sys.modules["wayfare"], kind.__name__)
    return f"{'wayfare' if ours else kind.__module__}.{kind.__qualname__}"
