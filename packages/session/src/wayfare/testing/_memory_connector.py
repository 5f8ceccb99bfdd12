"""`MemoryConnector`: a connector whose connections lead to an application in this very process."""

import asyncio
import sys
from itertools import count
from typing import TYPE_CHECKING, Any

from wayfare_connector import BaseConnector, ConnectDeadline, Target
from wayfare_http_core import Connection, ConnectionOwner
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import memory_pair

from ._server_side import Application, ServerSide

if TYPE_CHECKING:
    from wayfare_connector import ConnectObserver

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MemoryConnector",)

_PORTS = count(49152)


class MemoryConnector(BaseConnector):
    """Leads every connection, to whatever host and port, to one application, and speaks HTTP/1.1 with it.

    Nothing is resolved, no socket is opened, and there is no TLS: an `https` URL differs from an `http` one only in
    what the application sees. All above is as with any other connector: pool, timeouts, tracing, cookies, redirects.

    No connection is used twice, unless `force_close=False` asks for it: nothing depends on what was before.
    With `patience` an application goes on when its client is gone, and gets so many seconds at closing; otherwise it is
    cancelled. `options` are those of `BaseConnector`.
    """

    def __init__(self, application: Application, *, patience: float = 0.0, **options: Any) -> None:
        if options.get("keepalive_timeout") is None:
            options.setdefault("force_close", True)
        super().__init__(**options)
        self._application = application
        self._patience = patience
        self._sides: set[ServerSide] = set()

    @override
    async def open_connection(
        self,
        target: Target,
        owner: ConnectionOwner,
        *,
        deadline: ConnectDeadline,
        observer: "ConnectObserver | None",
    ) -> Connection:
        """Connect to the application; see `BaseConnector`.

        Cancellation: nothing stays open.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        if observer is not None:
            await observer.dial_start(target)
        connection = HTTP1Connection(owner)
        side = ServerSide(self._application, target, connection.give_up, patient=self._patience > 0)
        here, there = ("127.0.0.1", next(_PORTS)), ("127.0.0.1", target.port)
        client, _ = memory_pair(
            connection,
            side,
            extra_a={"sockname": here, "peername": there},
            extra_b={"sockname": there, "peername": here},
        )
        self._sides = {old for old in self._sides if old.is_open}
        self._sides.add(side)
        try:
            with deadline.connecting():
                # connection_made comes in the next iteration: nobody may use the connection before it.
                await asyncio.sleep(0)
            if observer is not None:
                await observer.dial_end(target, there, loop.time() - started)
        except BaseException:
            client.abort()
            raise
        return connection

    @override
    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close all connections and wait for what the application still does for them; see `BaseConnector`.

        Cancellation: what is still open is aborted, and the application cancelled.
        """
        try:
            await super().close(abort_ssl=abort_ssl)
            await self._finish_work()
        finally:
            for task in self._working():
                task.cancel()
            if working := self._working():
                await asyncio.wait(working)

    async def _finish_work(self) -> None:
        working = self._working()
        if working and self._patience:
            await asyncio.wait(working, timeout=self._patience)

    def _working(self) -> list[asyncio.Task[None]]:
        return [side.task for side in self._sides if side.task is not None]
