"""A connector without a network, for tests of what stands above one."""

import sys
from typing import TYPE_CHECKING, Any, final

from wayfare_http_core import Connection, ConnectionOwner
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import MemoryNetwork

from wayfare_connector._connector import BaseConnector
from wayfare_connector._target import Target
from wayfare_connector._timeouts import ConnectDeadline

from ._fakes import MemoryDialer

if TYPE_CHECKING:
    from wayfare_connector._observer import ConnectObserver

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MemoryConnector",)


@final
class MemoryConnector(BaseConnector):
    """Speaks plain HTTP/1.1 with the servers of a `MemoryNetwork`, for `https` too: in memory there is nobody to
    encrypt for. Proxies are not asked.

    `opened` records the targets of its connections, in order. The options are those of `BaseConnector`.
    """

    def __init__(self, network: MemoryNetwork, **options: Any) -> None:
        super().__init__(**options)
        self.dialer = MemoryDialer(network)
        self.opened: list[Target] = []

    @override
    async def open_connection(
        self,
        target: Target,
        owner: ConnectionOwner,
        *,
        deadline: ConnectDeadline,
        observer: "ConnectObserver | None",
    ) -> Connection:
        """Connect in memory; see `BaseConnector`.

        Cancellation: nothing stays open.
        """
        self.opened.append(target)
        connection = HTTP1Connection(owner)
        await self.dialer.dial(target, lambda: connection, deadline=deadline, observer=observer)
        return connection
