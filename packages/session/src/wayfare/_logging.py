"""The log of a session: one line for each thing that happens to a request, at DEBUG, without secrets (Y10).

    [7] GET https://example.org/?token=***
    [7] reusing a connection to example.org:443
    [7] > GET https://example.org/?token=*** | Authorization: Bearer ***
    [7] < 200 in 0.012 s | Content-Type: text/plain
    [7] end of content: 12 octets in 0.001 s

The number tells requests apart. It loads with the first request that is logged, and is a trace config like any other.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Final, final

from ._redaction import Redaction
from ._tracing import TracePlan
from ._tracing_config import TraceConfig
from ._tracing_params import (
    TraceConnectionCreateEndParams,
    TraceConnectionQueuedStartParams,
    TraceConnectionReuseconnParams,
    TraceInformationalParams,
    TraceRequestExceptionParams,
    TraceRequestHeadersSentParams,
    TraceRequestRedirectParams,
    TraceRequestRetryParams,
    TraceRequestStartParams,
    TraceResponseEndParams,
    TraceResponseStartParams,
)

if TYPE_CHECKING:
    from ._session import ClientSession

__all__ = ("logged_plan",)

LOGGER: Final = logging.getLogger("wayfare")
_NUMBERS: Final = count(1)


@final
class _Context:
    __slots__ = ("number", "started")

    def __init__(self, trace_request_ctx: object = None) -> None:
        self.number = next(_NUMBERS)
        self.started = perf_counter()


def logged_plan(plan: TracePlan | None) -> TracePlan:
    """The plan with the log besides: its lines come after what the plan's own handlers do."""
    return TracePlan((*(() if plan is None else plan.configs), _config()))


@lru_cache(maxsize=1)
def _config() -> TraceConfig:
    config = TraceConfig(_Context)
    config.on_request_start.append(_request_start)
    config.on_connection_queued_start.append(_queued)
    config.on_connection_create_end.append(_created)
    config.on_connection_reuseconn.append(_reused)
    config.on_request_headers_sent.append(_head_sent)
    config.on_informational.append(_informational)
    config.on_response_start.append(_response_start)
    config.on_request_redirect.append(_redirect)
    config.on_request_retry.append(_retry)
    config.on_request_exception.append(_failure)
    config.on_response_end.append(_content_end)
    return config


async def _request_start(
    session: "ClientSession", context: _Context, params: TraceRequestStartParams
) -> None:
    url = _redaction(session).text(params.url)
    LOGGER.debug("[%d] %s %s", context.number, params.method, url)


async def _queued(
    session: "ClientSession", context: _Context, params: TraceConnectionQueuedStartParams
) -> None:
    LOGGER.debug("[%d] waiting for a connection to %s:%d", context.number, params.host, params.port)


async def _created(
    session: "ClientSession", context: _Context, params: TraceConnectionCreateEndParams
) -> None:
    LOGGER.debug(
        "[%d] connected to %s:%d (%s, %s) in %.3f s",
        context.number,
        params.host,
        params.port,
        params.peername,
        params.tls_version or "no TLS",
        params.seconds,
    )


async def _reused(
    session: "ClientSession", context: _Context, params: TraceConnectionReuseconnParams
) -> None:
    LOGGER.debug("[%d] reusing a connection to %s:%d", context.number, params.host, params.port)


async def _head_sent(
    session: "ClientSession", context: _Context, params: TraceRequestHeadersSentParams
) -> None:
    redaction = _redaction(session)
    LOGGER.debug(
        "[%d] > %s %s | %s",
        context.number,
        params.method,
        redaction.text(params.url),
        _listed(redaction, params.headers),
    )


async def _informational(
    session: "ClientSession", context: _Context, params: TraceInformationalParams
) -> None:
    _answer(session, context, params)


async def _response_start(
    session: "ClientSession", context: _Context, params: TraceResponseStartParams
) -> None:
    _answer(session, context, params)


def _answer(
    session: "ClientSession",
    context: _Context,
    params: TraceInformationalParams | TraceResponseStartParams,
) -> None:
    fields = _listed(_redaction(session), params.headers)
    LOGGER.debug("[%d] < %d in %.3f s | %s", context.number, params.status, params.seconds, fields)


async def _redirect(
    session: "ClientSession", context: _Context, params: TraceRequestRedirectParams
) -> None:
    status = params.response.status
    LOGGER.debug("[%d] following the redirect %d", context.number, status)


async def _retry(
    session: "ClientSession", context: _Context, params: TraceRequestRetryParams
) -> None:
    why = "the answer asks for it"
    if params.exception is not None:
        why = _told(session, params.exception)
    LOGGER.debug("[%d] attempt %d is repeated: %s", context.number, params.attempt, why)


async def _failure(
    session: "ClientSession", context: _Context, params: TraceRequestExceptionParams
) -> None:
    seconds = perf_counter() - context.started
    why = _told(session, params.exception)
    LOGGER.debug("[%d] failed after %.3f s: %s", context.number, seconds, why)


async def _content_end(
    session: "ClientSession", context: _Context, params: TraceResponseEndParams
) -> None:
    how = "" if params.exception is None else f": {_told(session, params.exception)}"
    LOGGER.debug(
        "[%d] end of content: %d octets in %.3f s%s",
        context.number,
        params.octets,
        params.seconds,
        how,
    )


def _redaction(session: "ClientSession") -> Redaction:
    return _redaction_of(session._pipeline.builder.settings.sensitive_headers)


@lru_cache(maxsize=16)
def _redaction_of(names: frozenset[str]) -> Redaction:
    return Redaction(names)


def _listed(redaction: Redaction, fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in redaction.fields(fields)) or "no fields"


def _told(session: "ClientSession", error: BaseException) -> str:
    """An error in one line; what it quotes may be a URL."""
    text = _redaction(session).text(f"{type(error).__name__}: {error}")
    return " ".join(text.split())
