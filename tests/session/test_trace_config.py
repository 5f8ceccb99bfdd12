"""`TraceConfig`: where handlers are kept, and how the signals of one request reach them."""

import pickle
from types import SimpleNamespace
from typing import Any

import pytest
import wayfare
from multidict import CIMultiDict
from wayfare import tracing
from wayfare._tracing import RequestTrace, TracePlan
from yarl import URL

SIGNALS = sorted(name for name in vars(tracing.TraceConfig) if name.startswith("on_"))


class Seen(list[Any]):
    """A handler that keeps what it was called with."""

    async def __call__(self, *told: object) -> None:
        self.append(told)


def trace_of(*configs: Any, ctx: object = None) -> RequestTrace:
    # The session is only handed on: anything will do.
    session: Any = "the session"
    return TracePlan(list(configs)).trace(session, ctx)


def test_there_are_the_signals_that_users_know_and_some_more() -> None:
    assert len(SIGNALS) == 26
    known = {
        "on_request_start",
        "on_request_chunk_sent",
        "on_response_chunk_received",
        "on_request_end",
        "on_request_exception",
        "on_request_redirect",
        "on_request_headers_sent",
        "on_connection_queued_start",
        "on_connection_queued_end",
        "on_connection_create_start",
        "on_connection_create_end",
        "on_connection_reuseconn",
        "on_dns_resolvehost_start",
        "on_dns_resolvehost_end",
        "on_dns_cache_hit",
        "on_dns_cache_miss",
    }
    assert len(known) == 16
    assert known < set(SIGNALS)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_is_a_list_of_handlers(name: str) -> None:
    config = tracing.TraceConfig()
    signal = getattr(config, name)
    assert getattr(config, name) is signal
    assert list(signal) == []
    handler = Seen()
    assert signal(handler) is handler
    assert list(signal) == [handler]
    with pytest.raises(AttributeError, match=f"append handlers to {name}"):
        setattr(config, name, [handler])
    assert list(getattr(config, name)) == [handler]
    assert getattr(tracing.TraceConfig, name).params.__name__ in tracing.__all__


@pytest.mark.parametrize("name", SIGNALS)
def test_frozen_configs_take_no_more_handlers(name: str) -> None:
    config = tracing.TraceConfig()
    config.on_request_start.append(Seen())
    config.freeze()
    config.freeze()
    with pytest.raises(RuntimeError):
        getattr(config, name).append(Seen())


def test_a_context_is_a_namespace_unless_its_factory_says_otherwise() -> None:
    config = tracing.TraceConfig()
    assert config.trace_config_ctx() == SimpleNamespace(trace_request_ctx=None)
    assert config.trace_config_ctx({"id": 1}) == SimpleNamespace(trace_request_ctx={"id": 1})

    def factory(**given: object) -> object:
        return ["made", given]

    assert tracing.TraceConfig(factory).trace_config_ctx(3) == ["made", {"trace_request_ctx": 3}]
    assert tracing.TraceConfig(trace_config_ctx_factory=factory).trace_config_ctx() == [
        "made",
        {"trace_request_ctx": None},
    ]


def test_a_config_can_be_subclassed_and_marked() -> None:
    class Library(tracing.TraceConfig):
        def __init__(self) -> None:
            super().__init__()
            self.on_request_start.append(Seen())

    config: Any = Library()
    config._is_instrumented = True
    assert len(config.on_request_start) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (tracing.TraceConfig(), "must be a sequence, not TraceConfig"),
        ("on_request_start", "must be a sequence, not str"),
        ([object()], "which is no TraceConfig"),
        ([tracing.TraceConfig], "which is no TraceConfig"),
    ],
)
def test_what_is_no_list_of_configs_is_refused(given: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        TracePlan(given)


async def test_every_config_has_one_context_for_all_signals_of_a_request() -> None:
    configs = [tracing.TraceConfig(), tracing.TraceConfig()]
    seen = Seen()
    for config in configs:
        config.on_dial_start.append(seen)
        config.on_dial_end.append(seen)
    trace = trace_of(*configs, ctx="mine")
    await trace.send("on_dial_start", tracing.TraceDialStartParams, "h", 80)
    await trace.send("on_dial_end", tracing.TraceDialEndParams, "h", 80, seconds=0.5)
    other = trace_of(*configs)
    await other.send("on_dial_start", tracing.TraceDialStartParams, "h", 80)
    sessions, contexts, params = zip(*seen, strict=True)
    assert set(sessions) == {"the session"}
    assert contexts[0] is contexts[2]
    assert contexts[1] is contexts[3]
    assert contexts[0] is not contexts[1]
    assert contexts[4] is not contexts[0]
    assert [context.trace_request_ctx for context in contexts] == ["mine"] * 4 + [None] * 2
    assert params[0] is params[1]
    assert params[2] == tracing.TraceDialEndParams("h", 80, None, 0.5)


async def test_parameters_are_made_only_for_somebody() -> None:
    config = tracing.TraceConfig()
    config.on_dial_start.append(Seen())
    trace = trace_of(config)

    def made() -> object:
        raise AssertionError("nobody asked for these")

    await trace.send("on_dial_end", made)
    assert (trace.wants("on_dial_start"), trace.wants("on_dial_end")) == (True, False)


async def test_what_a_handler_raises_ends_the_signal() -> None:
    config = tracing.TraceConfig()
    seen = Seen()

    async def failing(*told: object) -> None:
        raise LookupError("the handler's")

    config.on_dial_start.extend((seen, failing, seen))
    with pytest.raises(LookupError, match="the handler's"):
        await trace_of(config).send("on_dial_start", tracing.TraceDialStartParams)
    assert len(seen) == 1


async def test_a_foreign_config_needs_not_all_signals() -> None:
    """Tracing libraries make configs of other clients' classes."""
    inner = tracing.TraceConfig()
    seen = Seen()
    inner.on_dial_start.append(seen)
    foreign: Any = SimpleNamespace(
        trace_config_ctx=inner.trace_config_ctx,
        freeze=inner.freeze,
        on_dial_start=inner.on_dial_start,
    )
    trace = trace_of(foreign)
    await trace.send("on_dial_start", tracing.TraceDialStartParams)
    await trace.send("on_dial_end", tracing.TraceDialEndParams)
    assert len(seen) == 1


async def test_a_closed_coroutine_tells_nobody() -> None:
    """GeneratorExit leaves no way to await a handler."""
    config = tracing.TraceConfig()
    seen = Seen()
    config.on_request_exception.append(seen)
    request: Any = SimpleNamespace(method="GET", url=URL("http://h/"), headers=CIMultiDict[str]())
    trace = trace_of(config)
    await trace.request_exception(request, GeneratorExit())
    assert not seen
    error = KeyboardInterrupt()
    await trace.request_exception(request, error)
    assert seen[0][2] == tracing.TraceRequestExceptionParams(
        "GET", URL("http://h/"), CIMultiDict(), error
    )


PARAMS = sorted(name for name in tracing.__all__ if name.endswith("Params"))


@pytest.mark.parametrize("name", PARAMS)
def test_parameters_are_values(name: str) -> None:
    params: type[Any] = getattr(tracing, name)
    assert getattr(wayfare, name) is params
    made = params(*("x" for field in params.__match_args__))
    assert made == pickle.loads(pickle.dumps(made))
    with pytest.raises(AttributeError):
        setattr(made, params.__match_args__[0], "y")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("TraceConnectionQueuedStartParams", 0),
        ("TraceConnectionQueuedEndParams", 0),
        ("TraceConnectionCreateStartParams", 0),
        ("TraceConnectionCreateEndParams", 0),
        ("TraceConnectionReuseconnParams", 0),
        ("TraceDnsResolveHostStartParams", 1),
        ("TraceDnsResolveHostEndParams", 1),
    ],
)
def test_parameters_can_be_made_in_the_form_that_users_know(name: str, values: int) -> None:
    getattr(tracing, name)(*["h"] * values)
