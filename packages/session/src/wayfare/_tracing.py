"""The signals of one request, sent to all trace configs of its session.

A session's configs are frozen, so who listens to what is found out once (`TracePlan`); a request has only its contexts
of its own (`RequestTrace`).
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, final

from ._tracing_config import SIGNALS, TraceConfig
from ._tracing_exchange import ExchangeTrace
from ._tracing_params import (
    TraceRequestEndParams,
    TraceRequestExceptionParams,
    TraceRequestRedirectParams,
    TraceRequestRetryParams,
    TraceRequestStartParams,
)

if TYPE_CHECKING:
    from ._request import ClientRequest
    from ._response import ClientResponse
    from ._session import ClientSession

__all__ = ("RequestTrace", "TracePlan")

P = ParamSpec("P")
Handler: TypeAlias = Callable[[Any, Any, Any], Awaitable[object]]

_OF_CONNECTS = frozenset(
    signal
    for signal in SIGNALS
    if signal.startswith(("on_connection", "on_dns", "on_dial", "on_t"))
)
_OF_CONTENT = frozenset(("on_response_chunk_received", "on_response_end"))


@final
class TracePlan:
    """The trace configs of a session, frozen, and the handlers of each signal in the order in which they are called.

    Whatever has `freeze`, `trace_config_ctx` and some of the signals will do as a config: tracing libraries bring
    their own.

    Raises: TypeError for what is no sequence of trace configs.
    """

    __slots__ = ("configs", "handlers", "watches_connects", "watches_content")

    configs: tuple[TraceConfig, ...]
    handlers: Mapping[str, tuple[tuple[int, Handler], ...]]
    """By signal, for those that have any: each with the number of its config."""
    watches_connects: bool
    """Whether anybody wants to know about connections."""
    watches_content: bool
    """Whether anybody wants to know how responses are read."""

    def __init__(self, configs: object) -> None:
        if not isinstance(configs, Sequence) or isinstance(configs, str):
            raise TypeError(f"trace_configs must be a sequence, not {type(configs).__name__}")
        for config in configs:
            if isinstance(config, type) or not hasattr(config, "trace_config_ctx"):
                raise TypeError(f"trace_configs holds {config!r:.100}, which is no TraceConfig")
            config.freeze()
        self.configs = tuple(configs)
        found = ((signal, tuple(self._handlers_of(signal))) for signal in SIGNALS)
        self.handlers = {signal: handlers for signal, handlers in found if handlers}
        self.watches_connects = not _OF_CONNECTS.isdisjoint(self.handlers)
        self.watches_content = not _OF_CONTENT.isdisjoint(self.handlers)

    def _handlers_of(self, signal: str) -> Iterator[tuple[int, Handler]]:
        for number, config in enumerate(self.configs):
            for handler in getattr(config, signal, ()):
                yield number, handler

    def trace(self, session: "ClientSession", trace_request_ctx: object) -> "RequestTrace":
        """What tells of one request, with a new context for each config."""
        return RequestTrace(session, self, trace_request_ctx)


@final
class RequestTrace:
    """The trace configs of a session with one context each, for the life of one request.

    Every method awaits the handlers of its signal, in the order of the configs and of the handlers.

    Raises, from every method: whatever a handler raises; no handler after that one is called.
    Cancellation: like an exception.
    """

    __slots__ = ("_contexts", "_handlers", "_session", "plan")

    def __init__(
        self, session: "ClientSession", plan: TracePlan, trace_request_ctx: object
    ) -> None:
        self.plan = plan
        self._handlers = plan.handlers
        self._session = session
        self._contexts = [
            config.trace_config_ctx(trace_request_ctx=trace_request_ctx) for config in plan.configs
        ]

    def exchange(self, request: "ClientRequest") -> ExchangeTrace:
        """What tells of one exchange for this request."""
        return ExchangeTrace(self, request)

    def wants(self, signal: str) -> bool:
        """Whether anybody handles the signal of this name."""
        return signal in self._handlers

    async def send(
        self, signal: str, params: Callable[P, object], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Call the handlers of a signal with its parameters, which are made only if there is a handler."""
        handlers = self._handlers.get(signal)
        if handlers is not None:
            told = params(*args, **kwargs)
            for number, handler in handlers:
                await handler(self._session, self._contexts[number], told)

    # Plain functions that return what is to be awaited: each signal is on the way of every request.

    def request_start(self, request: "ClientRequest") -> Coroutine[Any, Any, None]:
        """The request begins; what handlers change in its headers is sent."""
        return self._tell("on_request_start", TraceRequestStartParams, request)

    def request_retry(
        self, request: "ClientRequest", exception: BaseException | None, attempt: int
    ) -> Coroutine[Any, Any, None]:
        """This attempt, counted from 1, failed, and another follows."""
        return self._tell("on_request_retry", TraceRequestRetryParams, request, exception, attempt)

    def request_redirect(
        self, request: "ClientRequest", response: "ClientResponse"
    ) -> Coroutine[Any, Any, None]:
        """The response to this request leads elsewhere and is followed."""
        return self._tell("on_request_redirect", TraceRequestRedirectParams, request, response)

    def request_end(
        self, request: "ClientRequest", response: "ClientResponse"
    ) -> Coroutine[Any, Any, None]:
        """The response to the last hop's request is there for the caller."""
        return self._tell("on_request_end", TraceRequestEndParams, request, response)

    async def request_exception(self, request: "ClientRequest", exception: BaseException) -> None:
        """The request failed or was cancelled. Nobody is told where its coroutine is closed: it cannot wait."""
        if not isinstance(exception, GeneratorExit):
            await self._tell(
                "on_request_exception", TraceRequestExceptionParams, request, exception
            )

    async def _tell(
        self, signal: str, params: Callable[..., object], request: "ClientRequest", *more: object
    ) -> None:
        handlers = self._handlers.get(signal)
        if handlers is not None:
            # A request's headers become a mapping only where somebody looks at them.
            told = params(request.method, request.url, request.headers, *more)
            for number, handler in handlers:
                await handler(self._session, self._contexts[number], told)
