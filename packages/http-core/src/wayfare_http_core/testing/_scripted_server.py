"""A server that plays one script per connection, in memory or on a loopback port."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias, final

from ._actions import Action
from ._request_rules import ReceivedRequest
from ._scripted_peer import ScriptedPeer

__all__ = ("Script", "ScriptedServer", "listening")

Script: TypeAlias = Sequence[Action]
"""What a scripted server does on one connection, step by step."""


@final
class ScriptedServer:
    """Makes a `ScriptedPeer` for each connection.

    The n-th connection plays the n-th script, and the last script again when there are more
    connections; without scripts a connection is accepted and nothing is ever sent. Calling the
    server makes the next peer, so it is a protocol factory.
    """

    def __init__(self, *scripts: Script) -> None:
        self.peers: list[ScriptedPeer] = []
        self.requests: list[ReceivedRequest] = []
        """What was read whole, from all connections, in the order in which it was complete."""
        self._scripts = scripts or ((),)

    def __call__(self) -> ScriptedPeer:
        """The peer for the next connection."""
        script = self._scripts[min(len(self.peers), len(self._scripts) - 1)]
        peer = ScriptedPeer(script, self.requests.append)
        self.peers.append(peer)
        return peer

    @property
    def errors(self) -> tuple[BaseException, ...]:
        """What clients did wrong, in the order of the connections."""
        return tuple(peer.error for peer in self.peers if peer.error is not None)

    @property
    def timers(self) -> tuple[asyncio.TimerHandle, ...]:
        """The timers of the scripts that wait now."""
        return tuple(peer.timer for peer in self.peers if peer.timer is not None)

    def abort(self) -> None:
        """Drop every connection at once."""
        for peer in self.peers:
            if peer.connected:
                peer.transport.abort()

    async def wait_closed(self) -> None:
        """Return when every connection that was made is gone.

        Cancellation: safe.
        """
        for peer in self.peers:
            await peer.wait_closed()


@asynccontextmanager
async def listening(
    server: ScriptedServer, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, int]]:
    """Listen on a free port of 127.0.0.1, over TLS if a context is given; yields (host, port).

    Leaving drops the connections and waits until they and the port are closed.
    """
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=tls)
    host, port = listener.sockets[0].getsockname()
    try:
        yield host, port
    finally:
        try:
            await stop_accepting(listener)
        finally:
            listener.close()
            server.abort()
        await server.wait_closed()
        await listener.wait_closed()


async def stop_accepting(listener: asyncio.Server) -> None:
    """Take no further clients, and let whom the loop has accepted become a connection: then close the listener.

    asyncio forgets the socket of such a client if its server is closed before. Cancellation: safe, call it again.
    """
    loop = asyncio.get_running_loop()
    for sock in listener.sockets:
        with suppress(NotImplementedError):  # of a loop without readers
            loop.remove_reader(sock.fileno())
    # It gets its protocol in the next iteration, which is connected in the one behind.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
