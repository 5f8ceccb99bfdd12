"""`Bulk`: large content, received without being copied.

asyncio's own transports receive into bytes that they make for each read, unless their protocol is a `BufferedProtocol`.
For what is small that is dear: 256 KiB are taken, and nearly all of them given back. Where those bytes fill up they are
what a reader gets, and the copy out of a shared buffer is saved, an eighth of a download's processor time.
"""

import asyncio
from typing import Protocol, final

from ._receive_buffer import RECEIVE_BUFFER_SIZE

__all__ = ("Bulk", "Receiver", "is_bulky")

_MAKES_BYTES = "asyncio.selector_events"
"""The module of transports that do so; uvloop's have a buffer of their own, and copy as well."""


def is_bulky(remaining: int | None, transport: asyncio.BaseTransport) -> bool:
    """Whether so many octets of content, None for nobody knows, are to be received by a `Bulk`."""
    return (
        remaining is not None
        and remaining >= RECEIVE_BUFFER_SIZE
        and type(transport).__module__ == _MAKES_BYTES
    )


class Receiver(Protocol):
    """What a `Bulk` stands in for."""

    def data_received(self, data: bytes) -> None:
        """Octets arrived."""

    def eof_received(self) -> bool | None:
        """The peer will send no more."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""

    def pause_writing(self) -> None:
        """The transport has enough to send."""

    def resume_writing(self) -> None:
        """The transport can take more."""


@final
class Bulk(asyncio.Protocol):
    """The protocol of a transport in place of another one, which is told everything, but has no buffer."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: Receiver) -> None:
        self._protocol = protocol

    def data_received(self, data: bytes) -> None:
        """Octets arrived."""
        self._protocol.data_received(data)

    def eof_received(self) -> bool | None:
        """The peer will send no more."""
        return self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """The transport has enough to send."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """The transport can take more."""
        self._protocol.resume_writing()
