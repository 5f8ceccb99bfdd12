"""The registry: which payload a value becomes."""

from typing import Any

import pytest
from wayfare_multipart import (
    PAYLOAD_REGISTRY,
    BytesPayload,
    Order,
    Payload,
    PayloadRegistry,
    StringPayload,
    get_payload,
    payload_type,
    register_payload,
)


class Thing:
    """A type of one's own."""


class Part(Thing):
    """And one under it."""


class ThingPayload(StringPayload):
    """What becomes of it."""

    def __init__(self, value: Thing, *args: Any, **kwargs: Any) -> None:
        super().__init__("thing", *args, **kwargs)


@pytest.fixture
def registry() -> PayloadRegistry:
    """A registry that begins as the usual one."""
    return PayloadRegistry(PAYLOAD_REGISTRY)


def test_a_type_that_is_not_known(registry: PayloadRegistry) -> None:
    for value in (Thing(), {"a": 1}, [b"a"], 5, None):
        with pytest.raises(LookupError, match=f"no payload is known for a {type(value).__name__}"):
            registry.get(value)
    with pytest.raises(LookupError):
        PayloadRegistry().get(b"")


def test_a_payload_stays_itself(registry: PayloadRegistry) -> None:
    payload = BytesPayload(b"")
    assert registry.get(payload) is payload
    assert get_payload(payload) is payload


def test_a_type_and_those_under_it(registry: PayloadRegistry) -> None:
    registry.register(ThingPayload, Thing)
    assert type(registry.get(Part(), content_type="a/b")) is ThingPayload
    with pytest.raises(LookupError):
        get_payload(Thing())


def other(value: object, **kwargs: object) -> Payload:
    return BytesPayload(b"other")


def kind(registry: PayloadRegistry, value: object) -> str:
    return registry.get(value).decode()


def test_orders(registry: PayloadRegistry) -> None:
    registry.register(ThingPayload, (Thing, str), order=Order.normal)
    assert kind(registry, Thing()) == "thing"
    registry.register(other, Thing, order=Order.try_last)
    assert kind(registry, Part()) == "thing"
    registry.register(other, Part)
    assert kind(registry, Part()) == "other"  # its very own type
    registry.register(other, Thing, order=Order.try_first)
    assert kind(registry, Thing()) == "other"
    assert kind(registry, "") == "thing"
    assert Order("try_first") is Order.try_first


def test_the_usual_registry_can_be_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wayfare_multipart._registry.PAYLOAD_REGISTRY", PayloadRegistry())

    @payload_type(Thing, order=Order.try_last)
    class Own(ThingPayload):
        """Registered by its decorator."""

    assert type(get_payload(Thing())) is Own
    register_payload(other, Thing)
    assert get_payload(Thing()).decode() == "other"
