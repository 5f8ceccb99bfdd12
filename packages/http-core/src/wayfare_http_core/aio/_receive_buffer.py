"""One receive buffer for all connections of an event loop, and one more for each layer of TLS above them.

A plain `asyncio.Protocol` makes the transport allocate 256 KiB for every read. `BufferedProtocol` lets us hand out the
same memory each time, as long as a transport goes from get_buffer through receiving to buffer_updated without a break.
The transports of selector loops and of uvloop do. A proactor holds the buffer across an await, and a foreign transport
may: those get one for each connection.

A transport that is made of another one, such as a TLS transport, delivers while the layer below still reads from its
own buffer, so it needs other memory than that. It says how many layers lie below it by
`get_extra_info("receive_level")`, and each level has a buffer of its own. A transport of our tests has level 0, too.
"""

import asyncio
import weakref

__all__ = ("RECEIVE_BUFFER_SIZE", "receive_buffer", "receive_level")

RECEIVE_BUFFER_SIZE = 256 * 1024
"""Octets of a shared buffer: what asyncio itself asks the kernel for in one read."""

_OWN_SIZE = 64 * 1024
"""Octets of a buffer that is not shared."""

_UNBROKEN = frozenset({"asyncio.selector_events", "uvloop.loop"})
"""Modules of transports that never hold a buffer across a callback."""

_shared: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, memoryview]]" = (
    weakref.WeakKeyDictionary()
)


def receive_level(transport: asyncio.BaseTransport) -> int | None:
    """How many layers lie below a transport, 0 for none; None if it may hold on to a buffer."""
    if type(transport).__module__ in _UNBROKEN:
        return 0
    level: int | None = transport.get_extra_info("receive_level")
    return level


def receive_buffer(loop: asyncio.AbstractEventLoop, transport: asyncio.BaseTransport) -> memoryview:
    """A writable buffer for a connection over this transport: shared with others where that is safe.

    It is a memoryview, since asyncio's TLS slices it and must not get a copy.
    """
    level = receive_level(transport)
    if level is None:
        return memoryview(bytearray(_OWN_SIZE))
    levels = _shared.get(loop)
    if levels is None:
        levels = _shared[loop] = {}
    buffer = levels.get(level)
    if buffer is None:
        buffer = levels[level] = memoryview(bytearray(RECEIVE_BUFFER_SIZE))
    return buffer
