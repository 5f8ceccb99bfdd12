"""Everything around the code under torture: a network in memory, servers, and a clock."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TypeVar, final

from ._clock import FakeClockLoop
from ._memory import MemoryTransport
from ._memory_network import MemoryNetwork
from ._scripted_server import Script, ScriptedServer

__all__ = ("Scenario", "World")

_P = TypeVar("_P", bound=asyncio.BaseProtocol)


@final
class World:
    """A fresh world for one run: nothing in it outlives the run or is shared with another."""

    def __init__(self, loop: FakeClockLoop) -> None:
        self.loop = loop
        self.network = MemoryNetwork()
        self.servers: list[ScriptedServer] = []

    def serve(self, host: str, port: int, *scripts: Script) -> ScriptedServer:
        """Start a scripted server at an address of the network."""
        server = ScriptedServer(*scripts)
        self.servers.append(server)
        self.network.serve(host, port, server)
        return server

    async def dial(
        self, host: str, port: int, protocol_factory: Callable[[], _P]
    ) -> tuple[MemoryTransport, _P]:
        """Connect to a server of this world; see `MemoryNetwork.dial`."""
        return await self.network.dial(host, port, protocol_factory)

    @property
    def open_transports(self) -> tuple[MemoryTransport, ...]:
        """The client's transports that are not closed."""
        return self.network.client_transports.open_transports

    def client_timers(self) -> tuple[asyncio.TimerHandle, ...]:
        """The pending timers that are not those of scripted servers, earliest first."""
        theirs = {timer for server in self.servers for timer in server.timers}
        return tuple(timer for timer in self.loop.pending_timers() if timer not in theirs)

    def drop_servers(self) -> None:
        """End every connection from the servers' side."""
        for server in self.servers:
            server.abort()


class Scenario(ABC):
    """What is tortured: a client at work. One instance serves one run.

    The order of the calls is `setup`, `run`, `follow_up`, `close`. Only `run` is disturbed.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    async def setup(self) -> None:
        """Start the servers, build the client, bring it into the state that `run` starts from."""
        return

    @abstractmethod
    async def run(self) -> None:
        """The operation. Undisturbed it must succeed; it must take the same way every time."""

    async def follow_up(self) -> None:
        """Something that must still work with the same client after `run` was disturbed."""
        return

    async def close(self) -> None:
        """Close the client: afterwards nothing of it may be left."""
        return

    def idle_transports(self) -> int:
        """How many transports the client keeps open for later, once `run` is over."""
        return 0

    def violations(self) -> Iterable[str]:
        """What is wrong with the client's own books after `run`: a sentence for each finding."""
        return ()
