"""`ResponseConnection`: what the holder of a response may see of its connection, and do to it."""

import asyncio
import sys
from typing import TYPE_CHECKING, Any, final

from wayfare_http_core import Connection, ConnectionFacts

if TYPE_CHECKING:
    from ._response import ClientResponse

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ResponseConnection",)

_FACTS = frozenset(("peername", "sockname", "cipher"))
"""What a connection knows by the names that transports use."""


@final
class ResponseConnection:
    """The connection of a response, while the response holds it; made by `ClientResponse.connection`.

    It is the response's: what ends one ends the other. `ClientResponse.connection_info` has facts that stay.
    """

    __slots__ = ("_connection", "_response")

    def __init__(self, response: "ClientResponse", connection: Connection) -> None:
        self._response = response
        self._connection = connection

    @property
    def facts(self) -> ConnectionFacts:
        """Addresses and TLS facts."""
        return self._connection.facts

    @property
    def transport(self) -> asyncio.BaseTransport | None:
        """For `get_extra_info`, which knows `peername`, `socket`, `ssl_object` and the like; None once it is let go.

        What it offers besides is `close` and `is_closing`: the octets are those of HTTP.
        """
        return None if self.closed else _TransportView(self._response, self._connection)

    @property
    def protocol(self) -> Connection | None:
        """What speaks HTTP over the transport; None once it is let go."""
        return None if self.closed else self._connection

    @property
    def closed(self) -> bool:
        """Whether the response holds the connection no more."""
        return self._response.closed

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running event loop."""
        return asyncio.get_running_loop()

    def close(self) -> None:
        """Be done with the response and close the connection; see `ClientResponse.close`."""
        self._response.close()

    def release(self) -> None:
        """Be done with the response, so that the connection can be used again; see `ClientResponse.release`."""
        self._response.release()

    @override
    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        return f"<ResponseConnection{state} peer {self.facts.peername!r}>"


@final
class _TransportView(asyncio.BaseTransport):
    """A transport that can be looked at."""

    def __init__(self, response: "ClientResponse", connection: Connection) -> None:
        super().__init__()
        self._response = response
        self._connection = connection

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        connection = self._connection
        # A connection of another version of HTTP may have no transport of its own.
        ask = getattr(connection, "get_extra_info", None)
        value = None if ask is None else ask(name)
        if value is None and name in _FACTS:
            value = getattr(connection.facts, name)
        return default if value is None else value

    @override
    def is_closing(self) -> bool:
        return self._response.closed

    @override
    def close(self) -> None:
        self._response.close()
