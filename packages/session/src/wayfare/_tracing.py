"""The signals of one request, sent to all trace configs of its session."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, final

from ._tracing_config import TraceConfig
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

__all__ = ("RequestTrace", "freeze_trace_configs")

P = ParamSpec("P")


def freeze_trace_configs(configs: object) -> tuple[TraceConfig, ...]:
    """A session's trace configs, frozen.

    Whatever has `freeze`, `trace_config_ctx` and some of the signals will do: tracing libraries bring their own.

    Raises: TypeError for what is no sequence of trace configs.
    """
    if not isinstance(configs, Sequence) or isinstance(configs, str):
        raise TypeError(f"trace_configs must be a sequence, not {type(configs).__name__}")
    for config in configs:
        if isinstance(config, type) or not hasattr(config, "trace_config_ctx"):
            raise TypeError(f"trace_configs holds {config!r:.100}, which is no TraceConfig")
        config.freeze()
    return tuple(configs)


@final
class RequestTrace:
    """The trace configs of a session with one context each, for the life of one request.

    Every method awaits the handlers of its signal, in the order of the configs and of the handlers.

    Raises, from every method: whatever a handler raises; no handler after that one is called.
    Cancellation: like an exception.
    """

    __slots__ = ("_listeners", "_session")

    def __init__(
        self,
        session: "ClientSession",
        configs: Sequence[TraceConfig],
        trace_request_ctx: object = None,
    ) -> None:
        self._session = session
        self._listeners = [
            (config, config.trace_config_ctx(trace_request_ctx=trace_request_ctx))
            for config in configs
        ]

    def wants(self, signal: str) -> bool:
        """Whether anybody handles the signal of this name."""
        return any(getattr(config, signal, None) for config, _ in self._listeners)

    async def send(
        self, signal: str, params: Callable[P, object], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Call the handlers of a signal with its parameters, which are made only if there is a handler."""
        told: object = None
        for config, context in self._listeners:
            handlers: Any = getattr(config, signal, None)
            if handlers:
                if told is None:
                    told = params(*args, **kwargs)
                await handlers.send(self._session, context, told)

    async def request_start(self, request: "ClientRequest") -> None:
        """The request begins; what handlers change in its headers is sent."""
        await self._tell("on_request_start", TraceRequestStartParams, request)

    async def request_retry(
        self, request: "ClientRequest", exception: BaseException | None, attempt: int
    ) -> None:
        """This attempt, counted from 1, failed, and another follows."""
        await self._tell("on_request_retry", TraceRequestRetryParams, request, exception, attempt)

    async def request_redirect(self, request: "ClientRequest", response: "ClientResponse") -> None:
        """The response to this request leads elsewhere and is followed."""
        await self._tell("on_request_redirect", TraceRequestRedirectParams, request, response)

    async def request_end(self, request: "ClientRequest", response: "ClientResponse") -> None:
        """The response to the last hop's request is there for the caller."""
        await self._tell("on_request_end", TraceRequestEndParams, request, response)

    async def request_exception(self, request: "ClientRequest", exception: BaseException) -> None:
        """The request failed or was cancelled. Nobody is told where its coroutine is closed: it cannot wait."""
        if not isinstance(exception, GeneratorExit):
            await self._tell(
                "on_request_exception", TraceRequestExceptionParams, request, exception
            )

    async def _tell(
        self, signal: str, params: Callable[..., object], request: "ClientRequest", *more: object
    ) -> None:
        # Asked first: a request's headers become a mapping only where somebody looks at them.
        if self.wants(signal):
            await self.send(signal, params, request.method, request.url, request.headers, *more)
