"""A server of streams on loopback for any suite, of which nothing is left when it ends.

`asyncio.start_server` does not say whom it has accepted: before Python 3.12 its `wait_closed` waits for nobody, and
no version tells of a handshake under way. Where octets come late, a test would end before its server has seen that
the client is gone, and leave an open transport for the next test to fail by.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def stream_server(
    handler: Handler, tls: ssl.SSLContext | None = None, *, cancel: bool = False
) -> AsyncIterator[int]:
    """The port of a server; what was accepted is handled and closed when the block has been left.

    With `cancel` handlers are cancelled then, and whatever they raise is forgotten; otherwise they end by themselves,
    since their clients do, and the first error of one is raised.
    """
    loop = asyncio.get_running_loop()
    accepted: set[asyncio.Task[None]] = set()

    def accept() -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            sock, _ = listener.accept()
            sock.setblocking(False)
            task = loop.create_task(_serve(sock, handler, tls))
            # Also where it is cancelled before it has begun.
            task.add_done_callback(lambda _: sock.close())
            accepted.add(task)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        loop.add_reader(listener.fileno(), accept)
        try:
            yield listener.getsockname()[1]
        finally:
            loop.remove_reader(listener.fileno())
            if cancel:
                for task in accepted:
                    task.cancel()
            await asyncio.gather(*accepted, return_exceptions=cancel)


async def _serve(sock: socket.socket, handler: Handler, tls: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    try:
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=tls)
    except OSError:
        return  # the client has broken the handshake off
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    try:
        await handler(reader, writer)
    except asyncio.CancelledError:
        transport.abort()
        raise
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
