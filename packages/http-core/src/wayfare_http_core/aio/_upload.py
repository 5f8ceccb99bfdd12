"""Sending a request's body: pulled piece by piece, no faster than the transport takes it."""

from collections.abc import AsyncIterable
from typing import Protocol

from wayfare_http_core._chunked import encode_chunk, encode_last_chunk
from wayfare_http_core._connection import RequestBody
from wayfare_http_core._request_writer import EncodedRequest

__all__ = ("BodySink", "send_body")

_PIECE = 256 * 1024
"""Octets handed to the transport at a time: what one send call can take, so that little waits in its buffer."""


class BodySink(Protocol):
    """Where a body goes."""

    def write(self, data: bytes | memoryview) -> None:
        """Take octets."""

    async def drain(self) -> None:
        """Return when more can be taken."""


async def send_body(sink: BodySink, body: RequestBody | bytes, request: EncodedRequest) -> None:
    """Send a body as its head announced it.

    Raises: ValueError when the body is shorter or longer than announced (the octets that would be too many are not
    sent), TypeError for pieces that are no bytes, `ClientConnectionResetError`, and whatever the body's iterator
    raises.
    Cancellation: some of the body was sent; the connection must be closed.
    """
    sender = _Sender(sink, request)
    if isinstance(body, bytes):
        await sender.send(body)
    else:
        pieces = body.chunks()
        if isinstance(pieces, AsyncIterable):
            async for piece in pieces:
                await sender.send(piece)
        else:
            for piece in pieces:
                await sender.send(piece)
    await sender.finish()


class _Sender:
    """Keeps the count that the head promised."""

    def __init__(self, sink: BodySink, request: EncodedRequest) -> None:
        self._sink = sink
        self._chunked = request.chunked
        self._length = request.length
        self._sent = 0

    async def send(self, piece: bytes) -> None:
        view = memoryview(piece).cast("B") if not isinstance(piece, bytes) else memoryview(piece)
        self._sent += len(view)
        if not self._chunked and self._sent > self._length:
            raise ValueError(f"the body is longer than the announced {self._length} octets")
        for start in range(0, len(view), _PIECE):
            part = view[start : start + _PIECE]
            self._sink.write(encode_chunk(part) if self._chunked else part)
            await self._sink.drain()

    async def finish(self) -> None:
        if self._chunked:
            self._sink.write(encode_last_chunk())
        elif self._sent < self._length:
            raise ValueError(
                f"the body ended after {self._sent} of the announced {self._length} octets"
            )
        await self._sink.drain()
