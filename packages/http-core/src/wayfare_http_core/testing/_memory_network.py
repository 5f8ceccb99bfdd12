"""A network in memory: names and ports that can be dialled, and the transports that this opens."""

import asyncio
import errno
import os
from collections.abc import Callable
from typing import TypeVar, final

from ._memory import MemoryTransport, memory_pair
from ._registry import TransportRegistry

__all__ = ("MemoryNetwork",)

_P = TypeVar("_P", bound=asyncio.BaseProtocol)


@final
class MemoryNetwork:
    """Servers by (host, port), and `dial` to reach them.

    `capacity` and `read_size` hold for both ends of connections that are dialled from now on (see
    `memory_pair`).
    `client_transports` and `server_transports` count the two sides separately.
    """

    def __init__(self, *, capacity: int = 64 * 1024, read_size: int = 256 * 1024) -> None:
        self.client_transports = TransportRegistry()
        self.server_transports = TransportRegistry()
        self.dialled: list[tuple[str, int]] = []
        """Every address that was dialled, in order."""
        self.capacity = capacity
        self.read_size = read_size
        self._servers: dict[tuple[str, int], Callable[[], asyncio.BaseProtocol]] = {}
        self._next_port = 50000

    def serve(self, host: str, port: int, factory: Callable[[], asyncio.BaseProtocol]) -> None:
        """Let the factory make the server's protocol for each connection to this address."""
        self._servers[host, port] = factory

    def stop(self, host: str, port: int) -> None:
        """Refuse further connections to this address; those that exist stay."""
        del self._servers[host, port]

    async def dial(
        self, host: str, port: int, protocol_factory: Callable[[], _P]
    ) -> tuple[MemoryTransport, _P]:
        """Connect to a server, as `loop.create_connection` does.

        Raises: ConnectionRefusedError where nothing is served.
        Cancellation: the new connection is aborted.
        """
        self.dialled.append((host, port))
        factory = self._servers.get((host, port))
        if factory is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        self._next_port += 1
        here, there = ("127.0.0.1", self._next_port), ("127.0.0.1", port)
        protocol = protocol_factory()
        client, _ = memory_pair(
            protocol,
            factory(),
            capacity=self.capacity,
            read_size=self.read_size,
            extra_a={"sockname": here, "peername": there},
            extra_b={"sockname": there, "peername": here},
            registry=self.client_transports,
            registry_b=self.server_transports,
        )
        try:
            # connection_made comes in the next iteration: nobody may use the protocol before it.
            await asyncio.sleep(0)
        except BaseException:
            client.abort()
            raise
        return client, protocol
