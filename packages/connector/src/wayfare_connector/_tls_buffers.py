"""The memory that raw transports receive ciphertext into."""

import asyncio
import weakref

__all__ = ("receive_buffer",)

_SHARED_SIZE = 256 * 1024
"""What asyncio itself asks the kernel for in one read."""

_OWN_SIZE = 32 * 1024

_UNBROKEN = frozenset({"asyncio.selector_events", "uvloop.loop"})
"""Modules whose transports go from get_buffer through recv_into to buffer_updated without a break.

Only there can one buffer serve all connections of a loop. A proactor holds the buffer across an
await, a foreign transport may, and a transport that is itself TLS delivers while the outer layer
still reads from the shared buffer.
"""

_shared: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = (
    weakref.WeakKeyDictionary()
)


def receive_buffer(loop: asyncio.AbstractEventLoop, transport: asyncio.BaseTransport) -> memoryview:
    """The buffer for a connection over this transport: the loop's shared one where that is safe,
    else one of its own.

    It is a memoryview, so that slices of it are views too.
    """
    if type(transport).__module__ not in _UNBROKEN:
        return memoryview(bytearray(_OWN_SIZE))
    buffer = _shared.get(loop)
    if buffer is None:
        buffer = _shared[loop] = memoryview(bytearray(_SHARED_SIZE))
    return buffer
