"""Which in-memory transports are open: how a test proves that nothing leaked."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from ._memory import MemoryTransport

__all__ = ("TransportRegistry",)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


@final
class TransportRegistry:
    """The transports that were opened with this registry, and those that are not yet closed.

    It keeps every open transport alive on purpose: one that its owner merely forgot stays visible
    here, whatever the garbage collector does. A transport leaves the registry when its
    `connection_lost` was called, as a descriptor would.

    `on_delivery`, when set, is called with a transport right before it hands an event (octets, EOF,
    the end of the connection) to its protocol. A test harness uses it to act at that very moment.
    """

    __slots__ = ("_open", "on_delivery", "opened")

    opened: int
    on_delivery: "Callable[[MemoryTransport], None] | None"

    def __init__(self) -> None:
        self._open: dict[int, MemoryTransport] = {}
        self.opened = 0
        self.on_delivery = None

    @property
    def open_transports(self) -> "tuple[MemoryTransport, ...]":
        """The transports that are not closed yet, in the order in which they were opened."""
        return tuple(self._open.values())

    @property
    def closed(self) -> int:
        """How many of the opened transports are closed."""
        return self.opened - len(self._open)

    def add(self, transport: "MemoryTransport") -> None:
        """Note a transport as open. Transports do this themselves."""
        self._open[id(transport)] = transport
        self.opened += 1

    def discard(self, transport: "MemoryTransport") -> None:
        """Note a transport as closed. Transports do this themselves."""
        self._open.pop(id(transport), None)

    def delivering(self, transport: "MemoryTransport") -> None:
        """Tell `on_delivery` that this transport is about to call its protocol."""
        if self.on_delivery is not None:
            self.on_delivery(transport)

    def assert_all_closed(self) -> None:
        """Raise AssertionError with the list of open transports, if there are any."""
        if self._open:
            listed = "\n  ".join(map(repr, self._open.values()))
            raise AssertionError(f"{len(self._open)} transports are still open:\n  {listed}")

    @override
    def __repr__(self) -> str:
        return f"<TransportRegistry opened={self.opened} open={len(self._open)}>"
