"""Ends that note what they are told, and what a test does with them: protocols, flow control, streams, and turns."""

import asyncio
import sys
from typing import cast, final

from wayfare_http_core import Decoder, UnsupportedCodings, make_decoder
from wayfare_http_core.aio import FlowControl, StreamReader

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("RecordingFlow", "RecordingProtocol", "decoder_of", "stream_of", "ticks")


class RecordingProtocol(asyncio.Protocol):
    """Notes every event in order; `keep_open` is its answer to EOF. Make it where a loop runs."""

    def __init__(self, *, keep_open: bool = False) -> None:
        self.events: list[object] = []
        """"made", pieces of octets, "eof", "pause", "resume", and last ("lost", the type of the error)."""
        self.data = bytearray()
        """Every octet that arrived."""
        self.keep_open = keep_open
        self.ended = asyncio.Event()
        """Set when EOF arrived."""
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        """Done when the connection is gone, with the error that ended it."""
        self._transport: asyncio.Transport | None = None

    @property
    def transport(self) -> asyncio.Transport:
        """The transport. Raises: RuntimeError before there is one."""
        if self._transport is None:
            raise RuntimeError("the protocol was never connected")
        return self._transport

    @property
    def pieces(self) -> list[bytes]:
        """What arrived, each read by itself."""
        return [event for event in self.events if isinstance(event, bytes)]

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport."""
        # Not by its class: uvloop's transports are none of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self.events.append("made")

    @override
    def data_received(self, data: bytes) -> None:
        """Note the octets."""
        self.data += data
        self.events.append(data)

    @override
    def eof_received(self) -> bool:
        """Note the end, and say whether the connection stays half open."""
        self.events.append("eof")
        self.ended.set()
        return self.keep_open

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Note the loss."""
        self.events.append(("lost", type(exc)))
        self.lost.set_result(exc)

    @override
    def pause_writing(self) -> None:
        """Note it."""
        self.events.append("pause")

    @override
    def resume_writing(self) -> None:
        """Note it."""
        self.events.append("resume")


@final
class RecordingFlow(FlowControl):
    """Notes what a stream asks of whoever feeds it, in `asked`."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @override
    def pause_reading(self) -> None:
        """Note "pause"."""
        self.asked.append("pause")

    @override
    def resume_reading(self) -> None:
        """Note "resume"."""
        self.asked.append("resume")

    @override
    def abort(self) -> None:
        """Note "abort"."""
        self.asked.append("abort")

    @override
    def distrust(self) -> None:
        """Note "distrust"."""
        self.asked.append("distrust")


def stream_of(*pieces: bytes, eof: bool = True, flow: FlowControl | None = None) -> StreamReader:
    """A stream that was fed these pieces, and its end unless `eof` is False."""
    stream = StreamReader(flow)
    for piece in pieces:
        stream.feed_data(piece)
    if eof:
        stream.feed_eof()
    return stream


def decoder_of(*codings: str) -> Decoder:
    """What undoes these codings, in the order in which they were applied.

    Raises: LookupError where one of them cannot be undone, or there is none.
    """
    decoder = make_decoder(codings)
    if decoder is None or isinstance(decoder, UnsupportedCodings):
        raise LookupError(f"nothing undoes {', '.join(codings) or 'no coding'}")
    return decoder


async def ticks(number: int = 20) -> None:
    """Let the loop run that many iterations: in memory, twenty are enough for all that was under way.

    Cancellation: safe.
    """
    for _ in range(number):
        await asyncio.sleep(0)
