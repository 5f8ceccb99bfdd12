"""What the suites of the TLS layer share: applications that note what happens to them, and two of them connected."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from wayfare_connector._tls import TLSLayer, TLSTransport
from wayfare_http_core.testing import MemoryTransport

Event = str | bytes | tuple[str, BaseException | None]


class Recorder:
    """What happened to an application, in order; consecutive data is one event."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.changed = asyncio.Event()
        self.keep_open = False
        self.on_data: Callable[[], None] = lambda: None
        self.transport: TLSTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, TLSTransport)
        self.transport = transport
        self.record("made")

    def record(self, event: Event) -> None:
        if isinstance(event, bytes) and self.events and isinstance(self.events[-1], bytes):
            event = self.events.pop() + event  # type: ignore[operator] # both were just checked
        self.events.append(event)
        self.changed.set()

    def record_data(self, data: bytes) -> None:
        self.record(data)
        self.on_data()

    def eof_received(self) -> bool:
        self.record("eof")
        return self.keep_open

    def pause_writing(self) -> None:
        self.record("pause")

    def resume_writing(self) -> None:
        self.record("resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.record(("lost", exc))

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    async def lost(self) -> BaseException | None:
        await self.until(lambda: isinstance(self.events[-1], tuple))
        event = self.events[-1]
        assert isinstance(event, tuple)
        return event[1]

    @property
    def data(self) -> bytes:
        return b"".join(event for event in self.events if isinstance(event, bytes))

    async def receive(self, size: int) -> bytes:
        await self.until(lambda: len(self.data) >= size)
        return self.data


class PlainApp(Recorder, asyncio.Protocol):
    def data_received(self, data: bytes) -> None:
        self.record_data(data)


class BufferedApp(Recorder, asyncio.BufferedProtocol):
    def __init__(self, room: int = 65536) -> None:
        super().__init__()
        self.buffer = bytearray(room)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.record_data(bytes(self.buffer[:nbytes]))


@dataclass
class Connected:
    client: PlainApp | BufferedApp
    server: PlainApp | BufferedApp
    client_raw: MemoryTransport
    server_raw: MemoryTransport
    client_layer: TLSLayer
    server_layer: TLSLayer


Connect = Callable[..., Awaitable[Connected]]
