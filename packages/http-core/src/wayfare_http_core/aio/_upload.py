"""Sending a request's body: pulled piece by piece, no faster than the transport takes it."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from typing import Protocol

from wayfare_http_core._chunked import encode_chunk, encode_last_chunk
from wayfare_http_core._connection import RequestBody, TrailerBody
from wayfare_http_core._request_writer import EncodedRequest

__all__ = ("BodySink", "send_body")


class BodySink(Protocol):
    """Where a body goes."""

    piece: int
    """Octets of content to be handed over at a time, at most; it may change with every write."""

    def write(self, data: bytes | memoryview, content: int) -> None:
        """Take octets, so many of which are content and not framing."""

    async def drain(self) -> None:
        """Return when more can be taken."""


async def send_body(sink: BodySink, body: RequestBody | bytes, request: EncodedRequest) -> None:
    """Send a body as its head announced it.

    Raises: ValueError when the body is shorter or longer than announced (the octets that would be too many are not
    sent) and for a trailer that cannot be sent, TypeError for pieces that are no bytes, `ClientConnectionResetError`,
    and whatever the body's iterator raises.
    Cancellation: some of the body was sent; the connection must be closed.
    """
    sender = _Sender(sink, request)
    trailers: Iterable[tuple[str, object]] = ()
    if isinstance(body, bytes):
        await sender.send(body)
    else:
        await _send_pieces(sender, body.chunks())
        if isinstance(body, TrailerBody):
            trailers = body.trailers()
    await sender.finish(trailers)


async def _send_pieces(sender: "_Sender", pieces: Iterable[bytes] | AsyncIterable[bytes]) -> None:
    if isinstance(pieces, AsyncGenerator):
        # Whatever ends the sending, what the generator has open is closed by then and not when it is collected.
        async with aclosing(pieces):
            async for piece in pieces:
                await sender.send(piece)
    elif isinstance(pieces, AsyncIterable):
        async for piece in pieces:
            await sender.send(piece)
    else:
        for piece in pieces:
            await sender.send(piece)


class _Sender:
    """Keeps the count that the head promised."""

    def __init__(self, sink: BodySink, request: EncodedRequest) -> None:
        self._sink = sink
        self._chunked = request.chunked
        self._length = request.length
        self._sent = 0

    async def send(self, piece: bytes) -> None:
        view = memoryview(piece).cast("B")
        self._sent += len(view)
        if not self._chunked and self._sent > self._length:
            raise ValueError(f"the body is longer than the announced {self._length} octets")
        start = 0
        while start < len(view):
            part: bytes | memoryview = view[start : start + self._sink.piece]
            content = len(part)
            if self._chunked:
                part = encode_chunk(part)
            elif not isinstance(piece, bytes):
                # A transport may keep what it is given, and whoever yields a bytearray may fill it again.
                part = bytes(part)
            self._sink.write(part, content)
            start += content
            await self._sink.drain()

    async def finish(self, trailers: Iterable[tuple[str, object]]) -> None:
        if self._chunked:
            self._sink.write(encode_last_chunk(trailers), 0)
        elif self._sent < self._length:
            raise ValueError(
                f"the body ended after {self._sent} of the announced {self._length} octets"
            )
        await self._sink.drain()
