"""A transport between a protocol and the real transport, which fails at a given octet."""

import asyncio
import errno
import os
import sys
from typing import Any, Literal, cast, final

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("FaultyTransport",)


@final
class FaultyTransport(asyncio.Transport):
    """Passes everything on in both directions, until so many octets have passed in one of them.

    It has no socket of its own to show: what is sent behind its back would not be counted.
    """

    def __init__(
        self,
        protocol: asyncio.BaseProtocol,
        received: int | None,
        sent: int | None,
        then: Literal["reset", "close", "stall"],
    ) -> None:
        super().__init__()
        self._protocol = protocol
        self._to_receive = received
        self._to_send = sent
        self._then = then
        self._real: asyncio.Transport | None = None
        self._broken = False
        self._lost = False

    def shim(self) -> asyncio.Protocol:
        """The protocol for the real transport."""
        return _Shim(self)

    # -- what the real transport calls, by way of the shim ------------------------------------------------------------

    def made(self, real: asyncio.Transport) -> None:
        """It is connected."""
        self._real = real
        self._protocol.connection_made(self)
        if self._to_receive == 0 or self._to_send == 0:
            asyncio.get_running_loop().call_soon(self._fail)

    def arrived(self, data: bytes) -> None:
        """Octets of the peer: as many as may pass do."""
        if self._broken or self._to_receive == 0:
            return
        if self._to_receive is None:
            self._deliver(data)
            return
        passing = data[: self._to_receive]
        self._to_receive -= len(passing)
        self._deliver(passing)
        if not self._to_receive:
            self._fail()

    def ended(self) -> bool | None:
        """The peer sends no more."""
        if self._broken or not isinstance(
            self._protocol, asyncio.Protocol | asyncio.BufferedProtocol
        ):
            return False
        return self._protocol.eof_received()

    def lost(self, exc: Exception | None) -> None:
        """The real transport is gone."""
        if not self._lost:
            self._lost = True
            self._protocol.connection_lost(exc)

    def _deliver(self, data: bytes) -> None:
        protocol = self._protocol
        if isinstance(protocol, asyncio.BufferedProtocol):
            while data and not self._lost:
                buffer = memoryview(protocol.get_buffer(len(data)))
                taken = min(len(buffer), len(data))
                buffer[:taken] = data[:taken]
                protocol.buffer_updated(taken)
                data = data[taken:]
        else:
            cast(asyncio.Protocol, protocol).data_received(data)

    def _fail(self) -> None:
        if self._broken or self._lost:
            return
        self._broken = True
        if self._then == "stall":
            return
        error = None
        if self._then == "reset":
            error = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        elif isinstance(self._protocol, asyncio.Protocol | asyncio.BufferedProtocol):
            self._protocol.eof_received()
        self._of().abort()
        self.lost(error)

    def _of(self) -> asyncio.Transport:
        if self._real is None:
            raise RuntimeError("the transport is not connected yet")
        return self._real

    # -- what the protocol calls --------------------------------------------------------------------------------------

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets: as many as may pass."""
        if self._broken:
            return
        if self._to_send is None:
            self._of().write(data)
            return
        passing = bytes(data)[: self._to_send]
        self._to_send -= len(passing)
        self._of().write(passing)
        if not self._to_send:
            # Never from within a call of the protocol's own.
            asyncio.get_running_loop().call_soon(self._fail)

    @override
    def write_eof(self) -> None:
        """Send no more."""
        self._of().write_eof()

    @override
    def can_write_eof(self) -> bool:
        """Whether the real one can."""
        return self._of().can_write_eof()

    @override
    def close(self) -> None:
        """Close the real one."""
        self._of().close()

    @override
    def abort(self) -> None:
        """Drop the real one."""
        self._of().abort()

    @override
    def is_closing(self) -> bool:
        """Whether the real one is."""
        return self._of().is_closing()

    @override
    def pause_reading(self) -> None:
        """Let the real one wait."""
        self._of().pause_reading()

    @override
    def resume_reading(self) -> None:
        """Let the real one go on."""
        self._of().resume_reading()

    @override
    def is_reading(self) -> bool:
        """Whether the real one is."""
        return self._of().is_reading()

    @override
    def get_write_buffer_size(self) -> int:
        """Octets that wait."""
        return self._of().get_write_buffer_size()

    @override
    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The real one's marks."""
        return self._of().get_write_buffer_limits()

    @override
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the real one's marks."""
        self._of().set_write_buffer_limits(high, low)

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the real one knows, but for its socket."""
        return default if name == "socket" else self._of().get_extra_info(name, default)

    @override
    def get_protocol(self) -> asyncio.BaseProtocol:
        """Whom it serves."""
        return self._protocol

    @override
    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Serve another one from now on."""
        self._protocol = protocol


@final
class _Shim(asyncio.Protocol):
    def __init__(self, faulty: FaultyTransport) -> None:
        self._faulty = faulty

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._faulty.made(cast(asyncio.Transport, transport))

    @override
    def data_received(self, data: bytes) -> None:
        self._faulty.arrived(data)

    @override
    def eof_received(self) -> bool | None:
        return self._faulty.ended()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._faulty.lost(exc)

    @override
    def pause_writing(self) -> None:
        self._faulty.get_protocol().pause_writing()

    @override
    def resume_writing(self) -> None:
        self._faulty.get_protocol().resume_writing()
