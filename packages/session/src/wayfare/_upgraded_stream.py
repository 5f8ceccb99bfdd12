"""`UpgradedStream`: a connection on which HTTP ended, as a stream of octets both ways."""

import asyncio
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Literal, final

from wayfare_http_core import (
    ClientConnectionError,
    ClientError,
    ClientOSError,
    ClientResponseError,
    ConnectionFacts,
)
from wayfare_http_core.aio import StreamReader, Upgraded

from ._upgrade import take_over

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from ._response import ClientResponse

__all__ = ("UpgradedStream", "upgraded_stream")


def upgraded_stream(response: "ClientResponse") -> "UpgradedStream":
    """The stream that a 101 response leaves; see `ClientResponse.upgrade`."""
    if response.status != 101:
        message = f"the protocol is switched by status 101, not by {response.status}"
        raise response.make_error(ClientResponseError, message)
    connection, content = response.connection, response.content
    upgraded = take_over(response)
    # Its time limits were those of a response, which is over.
    content.feed_eof()
    facts = ConnectionFacts() if connection is None else connection.facts
    protocol = response.headers.get("Upgrade", "")
    return UpgradedStream(upgraded, protocol, facts)


@final
class UpgradedStream(asyncio.Protocol):
    """Octets both ways over a connection that left HTTP; made by `ClientResponse.upgrade`.

    Use it with `async with`, or call `close` when you are done: until then it counts among the connections of the pool.
    What the peer sent right behind its response is read first. `reader` has all ways of reading; `read` is the usual
    one. Reads and writes may be those of two tasks.
    """

    def __init__(self, upgraded: Upgraded, protocol: str, facts: ConnectionFacts) -> None:
        self._upgraded = upgraded
        self._transport = upgraded.transport
        self._protocol = protocol
        self._facts = facts
        self._error: ClientError | None = None
        self._drained: asyncio.Future[None] | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reader = StreamReader(self)
        self._transport.set_protocol(self)
        if upgraded.unread:
            self._reader.feed_data(upgraded.unread)

    @property
    def protocol(self) -> str:
        """What the server switched to: the value of its Upgrade field."""
        return self._protocol

    @property
    def facts(self) -> ConnectionFacts:
        """Addresses and TLS facts, kept after the connection is closed."""
        return self._facts

    @property
    def reader(self) -> StreamReader:
        """What the peer sends. It ends where the peer ends its half of the connection."""
        return self._reader

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._transport.is_closing() or self._over.done()

    async def read(self, n: int = -1) -> bytes:
        """Up to n octets as soon as there are any, b"" at the end; with -1 everything up to the end.

        Raises: `ClientConnectionError` where the connection broke, behind what arrived before.
        Cancellation: loses no octet.
        """
        return await self._reader.read(n)

    def write(self, octets: bytes | bytearray | memoryview) -> None:
        """Send octets. They wait in memory until the peer takes them: await `drain` now and then.

        Raises: `ClientConnectionError` after the end.
        """
        if self.closed:
            raise self._error or ClientConnectionError("the stream is closed")
        self._transport.write(octets)

    async def drain(self) -> None:
        """Return when so little waits to be sent that more may be written.

        Raises: `ClientConnectionError` where the connection broke.
        Cancellation: safe.
        """
        if self._error is not None:
            raise self._error
        if self._drained is not None:
            await asyncio.shield(self._drained)

    def write_eof(self) -> None:
        """End our half of the connection: the peer reads the end and may still send.

        Raises: NotImplementedError over TLS, which has no such half; `ClientConnectionError` after the end.
        """
        if self.closed:
            raise self._error or ClientConnectionError("the stream is closed")
        if not self._transport.can_write_eof():
            raise NotImplementedError(
                "this connection cannot be closed by halves: TLS has no such thing"
            )
        self._transport.write_eof()

    def close(self) -> None:
        """Close the connection when what was written is sent. Idempotent."""
        self._transport.close()

    def abort(self) -> None:
        """Drop the connection at once, with what was not sent. Idempotent."""
        self._transport.abort()

    async def wait_closed(self) -> None:
        """Return when the connection is really closed.

        Cancellation: safe.
        """
        await asyncio.shield(self._over)

    async def __aenter__(self) -> "UpgradedStream":
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        if exc_type is None:
            self.close()
        else:
            self.abort()
        await self.wait_closed()
        return False

    # -- what the transport calls -------------------------------------------------------------------------------------

    @override
    def data_received(self, data: bytes) -> None:
        """Take octets of the peer's (for the transport)."""
        self._reader.feed_data(data)

    @override
    def eof_received(self) -> bool:
        """The peer ended its half; ours stays open (for the transport)."""
        self._reader.feed_eof()
        return self._transport.can_write_eof()

    @override
    def pause_writing(self) -> None:
        """Much waits to be sent (for the transport)."""
        self._drained = asyncio.get_running_loop().create_future()

    @override
    def resume_writing(self) -> None:
        """Little waits to be sent again (for the transport)."""
        drained, self._drained = self._drained, None
        if drained is not None:
            drained.set_result(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone (for the transport)."""
        if isinstance(exc, OSError):
            self._error = ClientOSError(exc.errno, exc.strerror or str(exc))
        else:
            self._error = ClientConnectionError(str(exc or "the connection is closed"))
        self._error.__cause__ = exc
        self._reader.set_exception(self._error)
        drained, self._drained = self._drained, None
        if drained is not None:
            # Whoever waits raises it; nobody has to.
            drained.set_exception(self._error)
            drained.exception()
        self._upgraded.release()
        self._over.set_result(None)

    # -- what the reader calls ------------------------------------------------------------------------------------

    def pause_reading(self) -> None:
        """Nobody reads what arrives (for the reader)."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """What arrived was read (for the reader)."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def distrust(self) -> None:
        """Nothing to do: no other exchange follows (for the reader)."""
