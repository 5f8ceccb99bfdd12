"""One receive buffer for all connections of an event loop.

A plain `asyncio.Protocol` makes the transport allocate 256 KiB for every read. `BufferedProtocol` lets us hand out the
same memory each time, because a selector loop, uvloop and our TLS layer run get_buffer, recv_into and
buffer_updated without a break. A proactor loop holds the buffer across an await, so there each connection gets its own.
"""

import asyncio
import sys
import weakref

__all__ = ("RECEIVE_BUFFER_SIZE", "receive_buffer")

RECEIVE_BUFFER_SIZE = 256 * 1024

_shared: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview]" = (
    weakref.WeakKeyDictionary()
)


def receive_buffer(loop: asyncio.AbstractEventLoop) -> memoryview:
    """A writable buffer to receive into: a memoryview, since asyncio's TLS slices it and must not get a copy."""
    if sys.platform == "win32" and isinstance(loop, asyncio.ProactorEventLoop):
        return memoryview(bytearray(RECEIVE_BUFFER_SIZE))
    view = _shared.get(loop)
    if view is None:
        view = _shared[loop] = memoryview(bytearray(RECEIVE_BUFFER_SIZE))
    return view
