"""What arrived on a socket while the event loop was not looking."""

import asyncio
import select

__all__ = ("has_unseen_input",)

_poll = getattr(select, "poll", None)  # not on Windows, whose select takes sockets of any number


def has_unseen_input(transport: asyncio.BaseTransport) -> bool:
    """Whether octets, an end of file or an error wait to be read from the transport's socket.

    Transports without a socket deliver what they have at once, so nothing waits there.
    """
    sock = transport.get_extra_info("socket")
    if sock is None:
        return False
    descriptor = sock.fileno()
    if descriptor < 0:
        return True
    if _poll is None:
        return bool(select.select([descriptor], [], [], 0)[0])
    poller = _poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))
