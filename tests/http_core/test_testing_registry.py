"""What is left open stays visible, and what is closed leaves nothing behind."""

import gc
import warnings
import weakref
from collections.abc import Callable

import pytest
from wayfare_http_core.testing import (
    MemoryTransport,
    RecordingProtocol,
    TransportRegistry,
    memory_pair,
    ticks,
)


async def test_the_registry_lists_what_is_open() -> None:
    registry = TransportRegistry()
    ta, tb = memory_pair(RecordingProtocol(), RecordingProtocol(), registry=registry)
    await ticks(2)
    assert registry.open_transports == (ta, tb)
    assert (registry.opened, registry.closed) == (2, 0)
    with pytest.raises(AssertionError, match="2 transports are still open"):
        registry.assert_all_closed()
    ta.close()
    await ticks(5)
    registry.assert_all_closed()
    assert (registry.opened, registry.closed) == (2, 2)
    assert repr(registry) == "<TransportRegistry opened=2 open=0>"


async def test_the_registry_keeps_a_forgotten_transport_visible() -> None:
    registry = TransportRegistry()
    memory_pair(RecordingProtocol(), RecordingProtocol(), registry=registry)
    await ticks(2)
    gc.collect()
    assert len(registry.open_transports) == 2
    for transport in registry.open_transports:
        transport.abort()
    await ticks(2)
    registry.assert_all_closed()


async def test_on_delivery_sees_each_event_before_the_protocol() -> None:
    registry = TransportRegistry()
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b, registry=registry)
    await ticks(2)
    seen: list[tuple[MemoryTransport, int]] = []
    registry.on_delivery = lambda transport: seen.append((transport, len(b.events)))
    ta.write(b"x")
    ta.close()
    await ticks(5)
    assert [(t is tb, n) for t, n in seen] == [(True, 1), (False, 2), (True, 2), (True, 3)]


async def test_a_transport_that_is_closed_on_delivery_delivers_nothing() -> None:
    registry = TransportRegistry()
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, _ = memory_pair(a, b, registry=registry)
    await ticks(2)
    registry.on_delivery = MemoryTransport.abort
    ta.write(b"x")
    await ticks(5)
    assert b.events == ["made", ("lost", type(None))]


async def test_an_unclosed_transport_warns() -> None:
    ta, tb = memory_pair(RecordingProtocol(), RecordingProtocol())
    await ticks(2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del ta, tb
        gc.collect()
    assert [w.category for w in caught] == [ResourceWarning, ResourceWarning]


async def test_a_closed_transport_keeps_nothing_alive() -> None:
    a, b = RecordingProtocol(), RecordingProtocol()
    ta, tb = memory_pair(a, b)
    await ticks(2)
    ta.close()
    await ticks(5)
    gone: list[Callable[[], object]] = [weakref.ref(a), weakref.ref(ta), weakref.ref(tb)]
    gc.collect()
    gc.disable()
    try:
        del a, b
        kept = weakref.ref(ta)
        del ta, tb
        assert kept() is None
        assert [ref() for ref in gone] == [None, None, None]
    finally:
        gc.enable()
