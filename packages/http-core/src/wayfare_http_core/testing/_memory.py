"""Two connected asyncio transports in memory, with the behaviour of TCP sockets.

What a protocol sees is what `asyncio`'s selector transports show it: every event comes from a loop
callback, never from within a call of the protocol's own; `connection_made` is first and
`connection_lost` last, once; one read per loop iteration; `pause_writing` and `resume_writing`
bracket a full buffer; a protocol that raises ends its connection.

    writer --outbox--> [reader's inbox: at most `capacity` octets] --one read per tick--> reader

What crosses the wire is what Linux would send: closing a descriptor sends FIN, but RST when octets
were left unread; writing to a closed peer is answered with RST; octets that arrived before an RST
can still be read.
"""

import asyncio
import errno
import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, final

from ._registry import TransportRegistry

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MemoryTransport", "memory_pair")

_DEFAULT_CAPACITY = 64 * 1024
_DEFAULT_READ_SIZE = 256 * 1024
_DEFAULT_HIGH_WATER = 64 * 1024

_GONE = asyncio.BaseProtocol()
"""The protocol of a closed transport: a real one would be kept alive for nothing."""


def _reset_error() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


def _pipe_error() -> BrokenPipeError:
    return BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


@final
class MemoryTransport(asyncio.Transport):
    """One end of an in-memory connection; `memory_pair` makes two of them.

    Beyond `asyncio.Transport` it has three calls for tests: `reset` (send RST), `lose` (the
    network breaks on this side) and `cut` (the peer's FIN overtakes what was in flight).
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.BaseProtocol,
        *,
        capacity: int,
        read_size: int,
        extra: Mapping[str, Any],
        registry: TransportRegistry | None,
    ) -> None:
        super().__init__({"receive_level": 0, **extra})
        self._loop = loop
        self._protocol = protocol
        self._registry = registry
        self._peer: MemoryTransport | None = None
        self._capacity = capacity
        self._read_size = read_size
        self._inbox = bytearray()
        self._fin_arrived = False
        self._fin_delivered = False
        self._error: OSError | None = None
        self._outbox = bytearray()
        self._high = _DEFAULT_HIGH_WATER
        self._low = _DEFAULT_HIGH_WATER // 4
        self._writing_paused = False
        self._eof_written = False
        self._fin_sent = False
        self._reading_paused = False
        self._read_scheduled = False
        self._started = False
        self._closing = False
        self._doomed = False  # connection_lost is scheduled: nothing else happens any more
        self._closed = False
        if registry is not None:
            registry.add(self)

    # -- life ---------------------------------------------------------------------------------

    def _start(self, peer: "MemoryTransport") -> None:
        self._peer = peer
        self._loop.call_soon(self._connect)

    def _connect(self) -> None:
        # Called even when the transport was aborted meanwhile: connection_lost never comes alone.
        self._started = True
        self._protocol.connection_made(self)
        self._schedule_read()

    @override
    def is_closing(self) -> bool:
        """Whether the transport is closed or about to be."""
        return self._closing

    @override
    def close(self) -> None:
        """Close once what was written has left; nothing more is read."""
        if self._closing:
            return
        self._closing = True
        if not self._outbox:
            self._doom(None)

    @override
    def abort(self) -> None:
        """Close at once and drop what was not sent; what is in flight still arrives."""
        self.lose(None)

    def lose(self, exc: Exception | None) -> None:
        """Break this end: `connection_lost(exc)` in the next loop iteration, and the peer sees FIN.

        Octets that were in flight towards this end are never delivered.
        """
        if not self._doomed:
            self._closing = True
            self._outbox.clear()
            self._doom(exc)

    def reset(self) -> None:
        """Send RST, as SO_LINGER 0 does: the peer reads what arrived and is lost then."""
        if self._peer is not None and not self._doomed:
            self._fin_sent = True
            self._peer._arrive_error(_reset_error())
        self.lose(None)

    def cut(self) -> None:
        """Let the peer's FIN be the next event; what was in flight towards this end is dropped."""
        self._inbox.clear()
        self._arrive_fin()

    def _doom(self, exc: Exception | None) -> None:
        self._doomed = True
        self._loop.call_soon(self._finish, exc)

    def _finish(self, exc: Exception | None) -> None:
        try:
            self._delivering()
            self._protocol.connection_lost(exc)
        finally:
            self._closed = True
            self._protocol = _GONE
            self._hang_up()
            self._inbox.clear()
            self._peer = None
            if self._registry is not None:
                self._registry.discard(self)

    def _hang_up(self) -> None:
        peer = self._peer
        if peer is None or peer._closed:
            return
        if self._inbox:
            # RFC 9293 section 3.10.4: closing with unread octets tells the peer of the loss.
            peer._arrive_error(_reset_error())
        elif not self._fin_sent:
            peer._arrive_fin()
        peer._drop_outbox()

    def _drop_outbox(self) -> None:
        # Nobody takes these octets any more; the next write (or this flush) meets the closed peer.
        if self._outbox:
            self._loop.call_soon(self._flush)

    def _fatal(self, exc: Exception, message: str) -> None:
        if not isinstance(exc, OSError):
            self._report(exc, message)
        self.lose(exc)

    def __del__(self) -> None:
        if not self._closed:
            warnings.warn(
                f"unclosed transport {self!r}", ResourceWarning, stacklevel=1, source=self
            )

    # -- reading ------------------------------------------------------------------------------

    @override
    def is_reading(self) -> bool:
        """Whether arriving octets are handed to the protocol."""
        return not self._closing and not self._reading_paused

    @override
    def pause_reading(self) -> None:
        """Stop calling the protocol for arriving octets and EOF; idempotent."""
        self._reading_paused = True

    @override
    def resume_reading(self) -> None:
        """Undo `pause_reading`; idempotent."""
        self._reading_paused = False
        self._schedule_read()

    def _arrive_fin(self) -> None:
        self._fin_arrived = True
        self._schedule_read()

    def _arrive_error(self, exc: OSError) -> None:
        self._error = exc
        self._schedule_read()

    def _schedule_read(self) -> None:
        if self._read_scheduled or self._reading_paused or self._closing or not self._started:
            return
        pending_fin = self._fin_arrived and not self._fin_delivered
        # asyncio stops polling after EOF: an RST that follows goes unnoticed until a write.
        pending_error = self._error is not None and not self._fin_delivered
        if self._inbox or pending_fin or pending_error:
            self._read_scheduled = True
            self._loop.call_soon(self._read)

    def _read(self) -> None:
        self._read_scheduled = False
        if self._reading_paused or self._closing:
            return
        self._delivering()
        if self._closing:  # the observer of deliveries closed us
            return
        if self._inbox:
            self._deliver_octets()
            if self._peer is not None and self._peer._outbox:
                self._loop.call_soon(self._peer._flush)
        elif self._error is not None:
            self._fatal(self._error, "Fatal read error on memory transport")
        else:
            self._deliver_fin()
        self._schedule_read()

    def _deliver_octets(self) -> None:
        protocol = self._protocol
        try:
            if isinstance(protocol, asyncio.BufferedProtocol):
                self._fill(protocol)
            elif isinstance(protocol, asyncio.Protocol):
                data = bytes(self._inbox[: self._read_size])
                del self._inbox[: self._read_size]
                protocol.data_received(data)
            else:
                raise TypeError(f"{type(protocol).__name__} receives no octets")
        except Exception as exc:
            self._fatal(exc, "Fatal error: the protocol failed to take what was received")

    def _fill(self, protocol: asyncio.BufferedProtocol) -> None:
        with memoryview(protocol.get_buffer(-1)) as view:
            room = len(view)
            if not room:
                raise RuntimeError("get_buffer() returned an empty buffer")
            taken = min(room, self._read_size, len(self._inbox))
            view[:taken] = self._inbox[:taken]
        del self._inbox[:taken]
        protocol.buffer_updated(taken)

    def _deliver_fin(self) -> None:
        self._fin_delivered = True
        protocol = self._protocol
        keep_open: bool | None = False
        if isinstance(protocol, asyncio.Protocol | asyncio.BufferedProtocol):
            try:
                keep_open = protocol.eof_received()
            except Exception as exc:
                self._fatal(exc, "Fatal error: protocol.eof_received() call failed.")
                return
        if not keep_open:
            self.close()

    def _delivering(self) -> None:
        if self._registry is not None:
            self._registry.delivering(self)

    # -- writing ------------------------------------------------------------------------------

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets: at once as far as the peer has room, else buffered.

        Raises: TypeError for what is not bytes-like, RuntimeError after `write_eof`.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be a bytes-like object, not {type(data).__name__}")
        if self._eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data or self._doomed:
            return
        self._outbox += data
        if len(self._outbox) == len(data) and not self._push():
            return
        self._maybe_pause_writing()

    @override
    def writelines(self, list_of_data: "Iterable[bytes | bytearray | memoryview]") -> None:
        """Send the pieces as one write."""
        self.write(b"".join(list_of_data))

    @override
    def can_write_eof(self) -> bool:
        """True: the writing side can be closed alone."""
        return True

    @override
    def write_eof(self) -> None:
        """Send FIN after what was written, and keep reading; idempotent."""
        if self._closing or self._eof_written:
            return
        self._eof_written = True
        if not self._outbox:
            self._send_fin()

    def _send_fin(self) -> None:
        self._fin_sent = True
        if self._peer is not None and not self._peer._closed:
            self._peer._arrive_fin()

    def _push(self) -> bool:
        """Move octets into the peer's inbox; False when that ended the connection."""
        peer = self._peer
        if self._error is not None:
            # The RST is here already: the kernel refuses the write.
            self._fatal(_pipe_error() if self._fin_arrived else self._error, "Fatal write error")
            return False
        if peer is None or peer._closed:
            # The first write into a closed peer leaves, vanishes, and brings back an RST.
            self._outbox.clear()
            self._arrive_error(_reset_error())
            return True
        room = max(0, self._capacity - len(peer._inbox))
        peer._inbox += self._outbox[:room]
        del self._outbox[:room]
        peer._schedule_read()
        return True

    def _flush(self) -> None:
        if self._doomed or not self._outbox or not self._push():
            return
        self._maybe_resume_writing()
        if self._outbox:
            return
        if self._closing:
            self._doomed = True
            self._finish(None)
        elif self._eof_written:
            self._send_fin()

    # -- flow control -------------------------------------------------------------------------

    @override
    def get_write_buffer_size(self) -> int:
        """The octets that were written and have not left."""
        return len(self._outbox)

    @override
    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The (low, high) marks in octets."""
        return self._low, self._high

    @override
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the marks at which the protocol is paused (above high) and resumed (at low).

        Raises: ValueError unless high >= low >= 0.
        """
        if high is None:
            high = _DEFAULT_HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low
        self._maybe_pause_writing()

    def _maybe_pause_writing(self) -> None:
        if len(self._outbox) > self._high and not self._writing_paused:
            self._writing_paused = True
            try:
                self._protocol.pause_writing()
            except Exception as exc:
                self._report(exc, "protocol.pause_writing() failed")

    def _maybe_resume_writing(self) -> None:
        if self._writing_paused and len(self._outbox) <= self._low:
            self._writing_paused = False
            try:
                self._protocol.resume_writing()
            except Exception as exc:
                self._report(exc, "protocol.resume_writing() failed")

    def _report(self, exc: Exception, message: str) -> None:
        self._loop.call_exception_handler(
            {"message": message, "exception": exc, "transport": self, "protocol": self._protocol}
        )

    # -- the rest -----------------------------------------------------------------------------

    @override
    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand further events to another protocol, which is not told `connection_made`."""
        self._protocol = protocol

    @override
    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that gets the events."""
        return self._protocol

    @override
    def __repr__(self) -> str:
        state = "closed" if self._closed else "closing" if self._closing else "open"
        names = f"{self.get_extra_info('sockname')} -> {self.get_extra_info('peername')}"
        sizes = f"unread={len(self._inbox)} unsent={len(self._outbox)}"
        return f"<MemoryTransport {names} {state} {sizes}>"


def memory_pair(
    protocol_a: asyncio.BaseProtocol,
    protocol_b: asyncio.BaseProtocol,
    *,
    capacity: int = _DEFAULT_CAPACITY,
    read_size: int = _DEFAULT_READ_SIZE,
    extra_a: Mapping[str, Any] | None = None,
    extra_b: Mapping[str, Any] | None = None,
    registry: TransportRegistry | None = None,
    registry_b: TransportRegistry | None = None,
) -> tuple[MemoryTransport, MemoryTransport]:
    """Connect two protocols in memory; each gets `connection_made` in the next loop iteration.

    Call it where a loop runs. `capacity` is how many octets may be in flight in each direction
    (the kernel's buffers), `read_size` the most that one read delivers to either end: 1 delivers
    every octet by itself. The extras answer `get_extra_info`; without them the ends are called
    `("a", 1)` and `("b", 2)`. The registry counts both ends, unless the second has its own.
    """
    loop = asyncio.get_running_loop()
    name_a, name_b = ("a", 1), ("b", 2)
    a = MemoryTransport(
        loop,
        protocol_a,
        capacity=capacity,
        read_size=read_size,
        extra={"sockname": name_a, "peername": name_b, **(extra_a or {})},
        registry=registry,
    )
    b = MemoryTransport(
        loop,
        protocol_b,
        capacity=capacity,
        read_size=read_size,
        extra={"sockname": name_b, "peername": name_a, **(extra_b or {})},
        registry=registry if registry_b is None else registry_b,
    )
    a._start(b)
    b._start(a)
    return a, b
