"""Which payload a value becomes: a registry that knows, and that can be taught.

A registry is an object: who has types of his own makes one and leaves the others' alone. `PAYLOAD_REGISTRY` is the one
that is used unless another is named.
"""

import io
from collections.abc import AsyncIterable, Callable, Iterator
from enum import StrEnum
from typing import Any, Final, TypeVar, final

from ._body_part_reader import BodyPartReader
from ._file_payloads import (
    BufferedReaderPayload,
    BytesIOPayload,
    IOBasePayload,
    StringIOPayload,
    TextIOPayload,
)
from ._memory_payloads import BytesPayload, StringPayload
from ._part_payload import BodyPartReaderPayload
from ._payload import Payload
from ._stream_payloads import (
    AsyncIterablePayload,
    IterablePayload,
    StreamReaderPayload,
    is_stream_reader,
)

__all__ = (
    "PAYLOAD_REGISTRY",
    "Order",
    "PayloadRegistry",
    "get_payload",
    "payload_type",
    "register_payload",
)

_Factory = Callable[..., Payload]
_P = TypeVar("_P", bound=type[Payload])


class Order(StrEnum):
    """When a registered type is compared with a value."""

    normal = "normal"
    try_first = "try_first"
    """Before all others."""
    try_last = "try_last"
    """After all others: for types that many values have, such as iterables."""


@final
class PayloadRegistry:
    """Knows by which factory a value of some type becomes a payload."""

    __slots__ = ("_by_order", "_exact")

    def __init__(self, parent: "PayloadRegistry | None" = None) -> None:
        """An empty registry, or one that begins with what another one knows now."""
        self._by_order: dict[Order, list[tuple[type[Any] | tuple[type[Any], ...], _Factory]]] = {
            order: [] if parent is None else list(parent._by_order[order]) for order in Order
        }
        self._exact: dict[type[Any], _Factory] = {} if parent is None else dict(parent._exact)

    def register(
        self,
        factory: _Factory,
        type: type[Any] | tuple[type[Any], ...],
        *,
        order: Order = Order.normal,
    ) -> None:
        """Let values of a type, or of several, become what the factory makes of them: `factory(value, …)`.

        Among types of one order the one that was registered first wins, the value's very own type before all.
        """
        self._by_order[Order(order)].append((type, factory))
        if order is Order.normal:
            for one in type if isinstance(type, tuple) else (type,):
                self._exact[one] = factory

    def get(self, data: Any, *args: Any, **kwargs: Any) -> Payload:
        """The payload for a value; the further arguments are the factory's. A payload stays itself.

        Raises: LookupError where no type is the value's, and what the factory raises.
        """
        if isinstance(data, Payload):
            return data
        factory = self._find(data)
        if factory is None:
            raise LookupError(f"no payload is known for a {type(data).__name__}")
        return factory(data, *args, **kwargs)

    def _find(self, data: Any) -> _Factory | None:
        orders = self._by_order
        for kind, factory in orders[Order.try_first]:
            if isinstance(data, kind):
                return factory
        exact = self._exact.get(type(data))
        if exact is not None:
            return exact
        for order in (Order.normal, Order.try_last):
            for kind, factory in orders[order]:
                if isinstance(data, kind):
                    return factory
        return None


class _StreamReaders(type):
    def __instancecheck__(cls, value: object) -> bool:
        return is_stream_reader(value)


class _Files(type):
    def __instancecheck__(cls, value: object) -> bool:
        return callable(getattr(value, "read", None))


class AnyStreamReader(metaclass=_StreamReaders):
    """The type of stream readers, Wayfare's and asyncio's; see `is_stream_reader`."""


class AnyFile(metaclass=_Files):
    """The type of what can be read like a file without being one of `io`'s, such as a named temporary file."""


PAYLOAD_REGISTRY: Final = PayloadRegistry()
"""The registry of everything that does not name another."""

for _type, _factory in (
    ((bytes, bytearray, memoryview), BytesPayload),
    (str, StringPayload),
    (io.StringIO, StringIOPayload),
    (io.TextIOBase, TextIOPayload),
    (io.BytesIO, BytesIOPayload),
    ((io.BufferedReader, io.BufferedRandom, io.FileIO), BufferedReaderPayload),
    (io.IOBase, IOBasePayload),
    (AnyStreamReader, StreamReaderPayload),
    (BodyPartReader, BodyPartReaderPayload),
):
    PAYLOAD_REGISTRY.register(_factory, _type)
PAYLOAD_REGISTRY.register(AsyncIterablePayload, AsyncIterable, order=Order.try_last)
PAYLOAD_REGISTRY.register(IOBasePayload, AnyFile, order=Order.try_last)
# No list and no dict: those are fields of a form.
PAYLOAD_REGISTRY.register(IterablePayload, Iterator, order=Order.try_last)


def get_payload(data: Any, *args: Any, **kwargs: Any) -> Payload:
    """The payload for a value, by the usual registry; see `PayloadRegistry.get`.

    Raises: as that.
    """
    return PAYLOAD_REGISTRY.get(data, *args, **kwargs)


def register_payload(
    factory: _Factory, type: type[Any] | tuple[type[Any], ...], *, order: Order = Order.normal
) -> None:
    """Teach the usual registry; see `PayloadRegistry.register`."""
    PAYLOAD_REGISTRY.register(factory, type, order=order)


@final
class payload_type:
    """`@payload_type(Thing)` above a payload class: the usual registry makes it of every `Thing`."""

    __slots__ = ("_order", "_type")

    def __init__(
        self, type: type[Any] | tuple[type[Any], ...], *, order: Order = Order.normal
    ) -> None:
        self._type = type
        self._order = order

    def __call__(self, factory: _P) -> _P:
        register_payload(factory, self._type, order=self._order)
        return factory
