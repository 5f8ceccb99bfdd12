"""TLS over any asyncio transport: between a raw transport and an application's protocol.

    application's protocol  <-- plaintext --   TLSLayer  <-- ciphertext --   raw transport
    TLSTransport            -- plaintext -->   TLSLayer  -- ciphertext -->   raw transport

One implementation serves every transport: sockets of any loop, pipes, memory, another TLSTransport.
Loops have TLS of their own, but refuse transports that are not theirs, and hide whether the peer
ended the stream (close_notify) or the network did, which RFC 9112 section 9.8 needs to know.

States, and what moves between them:

    NEW --connection made--> HANDSHAKE --finished--> OPEN --close()--> CLOSING
     |                           |                    |                   |
     +---- abort(), failure, connection lost, shutdown timeout -----------+--> CLOSED

In CLOSED nothing is read or written; a raw transport that is not gone yet was told to abort.
"""

import asyncio
import enum
import ssl
import sys
from collections.abc import Callable
from typing import Self, cast, final

from wayfare_http_core.aio import RECEIVE_BUFFER_SIZE, read_rest, receive_buffer

from ._tls_engine import TLSEngine
from ._tls_names import server_name
from ._tls_transport import TLSTransport

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("AppProtocol", "TLSLayer")

AppProtocol = asyncio.Protocol | asyncio.BufferedProtocol

_WRITE_STEP = 64 * 1024
"""Plaintext encrypted at a time: it bounds the memory that OpenSSL keeps for ciphertext."""

_DISCARD_LIMIT = 64 * 1024
"""Plaintext thrown away while waiting for close_notify; past it the peer is busy otherwise."""


class _State(enum.Enum):
    NEW = "new"
    HANDSHAKE = "handshake"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


# Looked up at every read and write: an attribute of an enum class costs a multiple of a global.
_NEW, _HANDSHAKE, _OPEN, _CLOSING, _CLOSED = _State

_NO_BUFFER = memoryview(b"")

_NOBODY = asyncio.Protocol()
"""Stands where the application stood, once that was told that the connection is lost."""


@final
class TLSLayer(asyncio.BufferedProtocol):
    """One TLS connection: the protocol of a raw transport, below the `TLSTransport` it makes.

    The handshake begins with `connection_made`. When it is finished, the application's
    connection_made is called with the TLSTransport. If it fails the application hears nothing,
    `handshake` raises, and the raw transport is aborted.

    app_protocol: an `asyncio.Protocol`, or an `asyncio.BufferedProtocol`, which gets plaintext
        decrypted straight into its buffer.
    context: used as it is, never changed.
    server_hostname: the name to ask for and to verify, in any form that `server_name` takes; None
        if the context does not check it, and for a server.
    shutdown_timeout: seconds that `close` may take to flush, send close_notify and get the peer's
        before the raw transport is aborted; 0 aborts at once, None waits without limit.
    refusal: makes the application's error of what goes wrong before the peer's first plaintext. With
        TLS 1.3 a client is finished first, and a server that wants another certificate says so then.

    Raises: ValueError for a server_hostname that is no name, or is missing where it is checked.
    """

    __slots__ = (
        "__weakref__",
        "_app",
        "_app_is_connected",
        "_app_writing_paused",
        "_buffer",
        "_discarded",
        "_engine",
        "_error",
        "_goodbye_sent",
        "_heard",
        "_loop",
        "_raw",
        "_raw_eof",
        "_raw_write",
        "_raw_writing_paused",
        "_reading_paused",
        "_refusal",
        "_resume_handle",
        "_shutdown_timeout",
        "_state",
        "_timer",
        "_transport",
        "_waiter",
    )

    def __init__(
        self,
        app_protocol: AppProtocol,
        context: ssl.SSLContext,
        *,
        server_hostname: str | None,
        server_side: bool = False,
        shutdown_timeout: float | None = 1.0,
        refusal: Callable[[ssl.SSLError], Exception] | None = None,
    ) -> None:
        if context.check_hostname and server_hostname is None and not server_side:
            # A memory BIO does not object, as a socket does: the name would just go unchecked.
            raise ValueError("a context that checks the host name needs a server_hostname")
        self._engine = TLSEngine(
            context,
            server_hostname=None if server_hostname is None else server_name(server_hostname),
            server_side=server_side,
        )
        self._app = app_protocol
        self._shutdown_timeout = shutdown_timeout
        self._refusal = refusal
        self._heard = refusal is None
        self._state = _NEW
        self._error: BaseException | None = None
        self._discarded = 0
        self._goodbye_sent = self._raw_eof = self._reading_paused = False
        self._app_is_connected = self._app_writing_paused = self._raw_writing_paused = False
        self._buffer = _NO_BUFFER
        self._timer: asyncio.TimerHandle | None = None
        self._resume_handle: asyncio.Handle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._transport: TLSTransport | None = None

    @classmethod
    def over(
        cls,
        transport: asyncio.Transport,
        app_protocol: AppProtocol,
        context: ssl.SSLContext,
        *,
        server_hostname: str | None,
        shutdown_timeout: float | None = 1.0,
        unread: bytes = b"",
    ) -> Self:
        """Start TLS as a client on a transport in use: a proxy's tunnel, or TLS inside TLS.

        The transport's protocol is replaced and the handshake begins; the caller then awaits
        `handshake` of the layer returned.

        unread: what the previous protocol received and did not consume. It came in the clear,
            before the peer could know of TLS: someone wants it taken for a protected answer
            (CVE-2021-22947), so it must be empty.

        Raises: ssl.SSLError if it is not; ConnectionAbortedError if the transport is closing;
            ValueError as the constructor does. The transport is aborted then.
        """
        try:
            if transport.is_closing():
                # Its connection_lost is the old protocol's; the layer would wait for it in vain.
                raise ConnectionAbortedError("the transport below is closing")
            if unread:
                message = f"{len(unread)} octets in the clear before the TLS handshake"
                raise ssl.SSLError(ssl.SSL_ERROR_SSL, message)
            layer = cls(
                app_protocol,
                context,
                server_hostname=server_hostname,
                shutdown_timeout=shutdown_timeout,
            )
        except BaseException:
            transport.abort()
            raise
        transport.set_protocol(layer)
        layer.connection_made(transport)
        transport.resume_reading()
        return layer

    # For the caller and the TLSTransport.

    @property
    def transport(self) -> TLSTransport:
        """The transport that the application's protocol got.

        Raises: RuntimeError before the handshake is finished and once the connection is lost.
        """
        if self._transport is None:
            raise RuntimeError("there is no connection")
        return self._transport

    async def handshake(self) -> TLSTransport:
        """Wait until the application's connection_made was called; return its transport.

        There is no deadline: that is the caller's. One task may wait.

        Raises: ssl.SSLCertVerificationError, ssl.SSLError; ConnectionResetError when the peer hangs
            up; ConnectionAbortedError after `abort`; OSError as the raw transport reports it. The
            raw transport is closed by then.
        Cancellation: the raw transport is aborted.
        """
        if self._state is _NEW or self._state is _HANDSHAKE:
            if self._waiter is not None:
                raise RuntimeError("the handshake is being waited for already")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:
                self.abort()
                raise
            finally:
                self._waiter = None
        if self._transport is not None:
            return self._transport
        error, self._error = self._error, None
        try:
            raise error or ConnectionAbortedError("the connection is closed")
        finally:
            del error  # Through its traceback it holds this frame: a cycle.

    @property
    def engine(self) -> TLSEngine:
        """The TLS machine, for what it knows of the connection."""
        return self._engine

    @property
    def raw_transport(self) -> asyncio.Transport:
        """The transport below, also when it is closed."""
        return self._raw

    @property
    def app_protocol(self) -> AppProtocol | None:
        """The protocol above; None once it was told that the connection is lost."""
        return None if self._app is _NOBODY else self._app

    def set_app_protocol(self, protocol: AppProtocol) -> None:
        """Hand what arrives from now on to another protocol; its connection_made is not called."""
        self._app = protocol

    @property
    def is_closing(self) -> bool:
        """Whether closing has begun, by whichever side; then writes are dropped."""
        return self._state is _CLOSING or self._state is _CLOSED

    @property
    def is_reading(self) -> bool:
        """Whether the application gets what arrives: the connection is open and not paused."""
        return self._state is _OPEN and not self._reading_paused

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt data and give it to the raw transport; nothing once closing has begun."""
        if self._state is not _OPEN:
            return
        size = len(data)
        if not 0 < size <= _WRITE_STEP:
            view = memoryview(data).cast("B")
            for start in range(0, len(view), _WRITE_STEP):
                if self._raw.is_closing():
                    return  # asyncio would complain in its log, once for each step
                self.write(view[start : start + _WRITE_STEP])
            return
        try:
            ciphertext = self._engine.encrypt(data)
        except ssl.SSLError as exc:
            self._fail(exc)
            return
        if ciphertext:
            self._raw_write(ciphertext)
        else:  # A renegotiation holds it up; what that one needs must go out.
            self._flush()
            self._update_app_writing()

    def pause_reading(self) -> None:
        """Stop handing plaintext up, and receiving from the raw transport; idempotent."""
        if self.is_reading:
            self._reading_paused = True
            self._raw.pause_reading()

    def resume_reading(self) -> None:
        """Undo `pause_reading`; what is here already is handed up in a later callback."""
        if self._state is _OPEN and self._reading_paused:
            self._reading_paused = False
            if self._resume_handle is None:
                self._resume_handle = self._loop.call_soon(self._resume)

    def close(self) -> None:
        """Flush, send close_notify, wait for the peer's, close: all within shutdown_timeout.

        Idempotent. The application gets nothing more but connection_lost. Before the handshake is
        finished this is an abort.
        """
        if self._state is _CLOSING:
            return
        if self._state is not _OPEN or self._shutdown_timeout == 0:
            self.abort()
            return
        self._state = _CLOSING
        if self._shutdown_timeout is not None:
            self._timer = self._loop.call_later(self._shutdown_timeout, self.abort)
        if self._reading_paused or self._resume_handle is not None:
            self._raw.resume_reading()
        self._advance()

    def abort(self) -> None:
        """Drop the raw transport at once; idempotent. The application gets
        connection_lost(None)."""
        before, self._state = self._state, _CLOSED
        if before is not _NEW and before is not _CLOSED:
            self._raw.abort()

    # For the raw transport.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = cast("asyncio.Transport", transport)
        self._raw_write = self._raw.write
        self._loop = asyncio.get_running_loop()
        self._buffer = receive_buffer(self._loop, transport)
        if self._state is _CLOSED:  # Given up before the transport was there.
            self._raw.abort()
        else:
            self._state = _HANDSHAKE
            self._advance()

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    @override
    def buffer_updated(self, nbytes: int) -> None:
        self._ingest(self._buffer[:nbytes])

    def data_received(self, data: bytes) -> None:
        """Take ciphertext from a transport without buffered protocols: a pipe, a memory stream."""
        self._ingest(memoryview(data))

    @override
    def eof_received(self) -> bool:
        """The peer's half of the raw stream ended. True keeps the raw transport open."""
        if self._state is _HANDSHAKE:
            self._fail(ConnectionResetError("the peer hung up during the TLS handshake"))
        elif self._state is _OPEN:
            if self._engine.peer_closed:
                return True
            if self._reading_paused:
                self._raw_eof = True
                return True
            # RFC 8446 section 6.1: without close_notify it is the network that says so, or
            # someone in it, and not the peer.
            self._fail(ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "closed without close_notify"))
        return False

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        try:
            if isinstance(exc, OSError) and self._state is _OPEN and not self._reading_paused:
                # A write failed, and may have overtaken an answer.
                self._ingest(memoryview(read_rest(self._raw, RECEIVE_BUFFER_SIZE)))
        finally:
            self._end(exc)

    def _end(self, exc: BaseException | None) -> None:
        self._state = _CLOSED
        for handle in (self._timer, self._resume_handle):
            if handle is not None:
                handle.cancel()
        error = self._error or exc
        # What follows leaves no cycle for the garbage collector.
        app, self._app = self._app, _NOBODY
        self._transport = self._error = None
        self._buffer = _NO_BUFFER
        self._engine.clear()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error or ConnectionAbortedError("the connection is closed"))
        elif not self._app_is_connected and error is not None:
            self._error = error.with_traceback(None)  # That one holds frames, and they this.
        if self._app_is_connected:
            app.connection_lost(cast("Exception | None", error))

    @override
    def pause_writing(self) -> None:
        self._raw_writing_paused = True
        self._update_app_writing()

    @override
    def resume_writing(self) -> None:
        self._raw_writing_paused = False
        self._update_app_writing()

    # Incoming.

    def _ingest(self, data: memoryview) -> None:
        """Take ciphertext in borrowed memory and use what can be used now."""
        self._engine.receive(data)
        self._advance()
        self._engine.settle()

    def _advance(self) -> None:
        """Go on with what was received, as the state says.

        An exception of the application ends the connection, as on asyncio's own transports, and
        goes on to the caller, which is the loop in the end.
        """
        try:
            if self._state is _HANDSHAKE:
                self._continue_handshake()
            if self._state is _OPEN:
                self._deliver()
            elif self._state is _CLOSING:
                self._continue_closing()
        except BaseException as exc:
            self._fail(exc)
            raise

    def _resume(self) -> None:
        self._resume_handle = None
        self._advance()
        if self.is_reading:
            self._raw.resume_reading()
            if self._raw_eof:
                self.eof_received()

    def _continue_handshake(self) -> None:
        try:
            finished = self._engine.handshake()
        except ssl.SSLError as exc:
            self._flush()  # The alert that tells the peer why.
            self._fail(exc)
            return
        self._flush()
        if finished:
            self._state = _OPEN
            self._app_is_connected = True
            self._transport = TLSTransport(self)
            self._app.connection_made(self._transport)
            self._update_app_writing()
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)

    def _deliver(self) -> None:
        """OPEN: hand the application what there is, until it pauses or closes.

        What there is was received in one read, so other connections never wait long.
        """
        engine = self._engine
        while self._state is _OPEN and not self._reading_paused:
            if engine.peer_closed:
                engine.clear()  # RFC 8446 section 6.1: what follows close_notify is ignored.
                break
            if not engine.readable():
                break
            app = self._app
            if isinstance(app, asyncio.BufferedProtocol):
                self._fill(app)
            else:
                self._copy(app)
            if engine.peer_closed and self._state is _OPEN and not self._app.eof_received():
                self.close()
        if engine.outgoing.pending:  # An answer to a KeyUpdate or to a renegotiation.
            self._flush()
        if engine.blocked:
            engine.unblock()
            self._flush()
            self._update_app_writing()

    def _fill(self, app: asyncio.BufferedProtocol) -> None:
        """Decrypt once, into the application's own buffer."""
        buffer = memoryview(app.get_buffer(-1))
        if not buffer:
            raise RuntimeError("get_buffer() returned an empty buffer")
        try:
            count = self._engine.read_into(buffer)
        except ssl.SSLError as exc:
            self._refuse(exc)
            return
        if count:
            self._heard = True
            app.buffer_updated(count)

    def _copy(self, app: asyncio.Protocol) -> None:
        """Decrypt once, for an application without a buffer."""
        try:
            data = self._engine.read()
        except ssl.SSLError as exc:
            self._refuse(exc)
            return
        if data:
            self._heard = True
            app.data_received(data)

    def _refuse(self, exc: ssl.SSLError) -> None:
        """End the connection for what was read."""
        self._flush()  # The alert that tells the peer why.
        refusal, self._refusal = self._refusal, None
        self._fail(exc if self._heard or refusal is None else refusal(exc))

    # Outgoing.

    def _flush(self) -> None:
        data = self._engine.take()
        if data:
            self._raw_write(data)

    def _update_app_writing(self) -> None:
        """Tell the application to stop or to go on writing, if that has changed."""
        paused = self._raw_writing_paused or bool(self._engine.blocked)
        if self._app_is_connected and paused is not self._app_writing_paused:
            self._app_writing_paused = paused
            if paused:
                self._app.pause_writing()
            else:
                self._app.resume_writing()

    # The end.

    def _fail(self, error: BaseException) -> None:
        """End the connection for this reason, unless it has ended already."""
        if self._state is not _CLOSED:
            self._error = error
            self.abort()

    def _continue_closing(self) -> None:
        """CLOSING: send close_notify when nothing waits before it; done when the peer's is here."""
        engine = self._engine
        try:
            while not engine.peer_closed and engine.readable():
                self._discarded += engine.discard()
                if self._discarded > _DISCARD_LIMIT:
                    self.abort()
                    return
            if engine.blocked:
                engine.unblock()
            if not engine.blocked and not self._goodbye_sent:
                self._goodbye_sent = True
                engine.send_close_notify()
        except ssl.SSLError as exc:
            self._fail(exc)
            return
        self._flush()
        if engine.peer_closed and self._goodbye_sent:
            self._raw.close()
