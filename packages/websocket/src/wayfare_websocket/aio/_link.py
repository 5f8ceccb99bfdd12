"""`Link`: an asyncio protocol between one transport and one engine.

What is decided (frames, violations, states) is decided by `WebSocketEngine`; here it is carried out. How it ends:

    we close        Close --> peer's Close --> the peer's end of the transport      else: aborted after `close_timeout`
    the peer closes      Close <-- peer's Close --> the same                        else: closed after a second
    a violation          Close --> the same                                         else: closed after a second
    the transport ends   1006

No path waits without a bound, whether the peer is silent, sends for ever, reads nothing, or closes one half (W21).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, final

from wayfare_http_core import (
    ClientConnectionError,
    ClientConnectionResetError,
    ClientError,
    ClientOSError,
    ServerDisconnectedError,
)
from wayfare_http_core.aio import RECEIVE_BUFFER_SIZE, read_rest, receive_buffer

from wayfare_websocket._close_codes import NO_STATUS
from wayfare_websocket._engine import Role, State, WebSocketEngine
from wayfare_websocket._errors import WSCloseTimeoutError, WSPingTimeoutError
from wayfare_websocket._messages import WSMessage, WSMsgType

from ._heartbeat import Heartbeat
from ._inbox import Inbox
from ._outbox import Outbox
from ._pings import Pings

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Transport

__all__ = ("Link", "LinkOptions")

_BULKY = 16 * 1024
"""Octets in one read from which on a large message may be arriving."""

_LINGER = 1.0
"""Seconds that a client waits for the server to end the transport, which the server should and the client may."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOptions:
    """How a WebSocket behaves. All times are in seconds, None for no limit.

    - `autoclose`: answer the peer's Close at once (the default); else that is left to `close`. No heartbeat runs until
      then.
    - `autoping`: answer Pings, and keep Pongs back from the reader (the default).
    - `heartbeat`: send a Ping after so long without a sign of life, and take the peer for dead when `ping_timeout` goes
      by, or half of `heartbeat` where that is None.
    - `receive_timeout`: how long `receive` waits where its caller does not say.
    - `close_timeout`: how long the closing handshake takes at most before the transport is aborted.
    - `ping_timeout`: how long a Ping waits for its Pong.

    Raises: ValueError for a time that is not positive.
    """

    autoclose: bool = True
    autoping: bool = True
    heartbeat: float | None = None
    receive_timeout: float | None = None
    close_timeout: float | None = 10.0
    ping_timeout: float | None = None

    def __post_init__(self) -> None:
        for name in ("heartbeat", "receive_timeout", "close_timeout", "ping_timeout"):
            seconds = getattr(self, name)
            # Asked this way round, since NaN is neither more nor less than anything.
            if seconds is not None and not seconds > 0:
                raise ValueError(f"{name} must be more than 0 seconds, or None: {seconds!r}")


@final
class Link(asyncio.BufferedProtocol):
    """One WebSocket on one transport, which is in use from now on; `on_lost` is called when it is gone."""

    __slots__ = (
        "_buffer",
        "_bulky",
        "_closed",
        "_filling",
        "_heartbeat",
        "_loop",
        "_loss",
        "_on_lost",
        "_peer_ended",
        "_pong_due",
        "_timer",
        "closing",
        "engine",
        "error",
        "inbox",
        "lost",
        "options",
        "outbox",
        "pings",
        "transport",
    )

    def __init__(
        self,
        transport: "Transport",
        engine: WebSocketEngine,
        options: LinkOptions,
        on_lost: Callable[[], None] | None,
        *,
        compressed: bool,
    ) -> None:
        self._loop: AbstractEventLoop = asyncio.get_running_loop()
        self._buffer = receive_buffer(self._loop, transport)
        self._bulky = False
        self._filling = False
        self._on_lost = on_lost
        self._loss: Exception | None = None
        self._closed: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pong_due: bytes | None = None
        self._peer_ended = False
        self._heartbeat: Heartbeat | None = None
        self.transport = transport
        self.engine = engine
        self.options = options
        self.error: BaseException | None = None
        self.closing = False
        self.lost = False
        self.outbox = Outbox(self._loop, transport)
        self.inbox = Inbox(self._loop, transport, engine, self._take_control, compressed=compressed)
        self.pings = Pings(self._loop, options.ping_timeout)
        transport.set_protocol(self)

    def start(self, unread: bytes) -> None:
        """Begin with what was read of the peer already (W5)."""
        if self.options.heartbeat is not None:
            self._heartbeat = self._make_heartbeat(self.options.heartbeat)
        if unread:
            self.inbox.take(unread)

    # -- asyncio protocol: what the transport calls -----------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:
        """The memory to receive into: that of a large message, where one is arriving."""
        if self._bulky:
            vacancy = self.inbox.vacancy
            if vacancy is not None:
                self._filling = True
                return vacancy
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Octets arrived in the memory that was given; only they are copied out."""
        # What is large comes in large pieces, and nothing else needs to be asked about it.
        self._bulky = nbytes >= _BULKY
        if self._heartbeat is not None:
            self._heartbeat.seen()
        self.outbox.fresh = True
        if self._filling:
            self._filling = False
            self.inbox.take_filled(nbytes)
        else:
            self.inbox.take(self._buffer[:nbytes].tobytes())

    def data_received(self, data: bytes) -> None:
        """Octets arrived."""
        if self._heartbeat is not None:
            self._heartbeat.seen()
        self.outbox.fresh = True
        self.inbox.take(data)

    def eof_received(self) -> None:
        """The peer will send no more; the transport closes itself after this."""
        self._peer_ended = True
        # What waits to be sent must not keep it open: the peer may take nothing.
        self._end_within(_LINGER)

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        if isinstance(exc, OSError) and (rest := read_rest(self.transport, RECEIVE_BUFFER_SIZE)):
            # A write met the end of the connection before its reason was read.
            self.inbox.take(rest)
        self.lost = True
        self._loss = exc
        self._stop_timers()
        self.outbox.drop()
        self.pings.end(ClientConnectionResetError("the WebSocket closed before the Pong came"))
        self.inbox.end(self._all_read)
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        if self._on_lost is not None:
            self._on_lost()
        self.inbox.waiter.wake(None)

    def _all_read(self) -> None:
        """The transport is gone, and so is all that it brought."""
        orderly = self.engine.state is State.CLOSED
        self.engine.receive_eof()
        self.engine.release()
        if self.error is None and not orderly:
            self.error = _loss_error(self._loss, self._peer_ended)

    def pause_writing(self) -> None:
        """The transport has enough to send."""
        self.outbox.pause()

    def resume_writing(self) -> None:
        """The transport can take more."""
        pong, self._pong_due = self._pong_due, None
        if pong is not None and self.engine.state is State.OPEN:
            self.outbox.write(self.engine.pong(pong))
        self.outbox.resume()

    # -- messages that are no data ----------------------------------------------------------------------------------

    def _take_control(self, message: WSMessage) -> None:
        kind = message.type
        if kind is WSMsgType.PING:
            if self.options.autoping:
                self._answer(message.data)
                return
        elif kind is WSMsgType.PONG:
            self.pings.answered(message.data)
            if self.options.autoping:
                return
        elif kind is WSMsgType.CLOSE:
            self._take_close()
        else:
            self.error = message.data
            self.outbox.end()
            self.outbox.write(self.engine.take_output())
            self._linger()
        # Nobody wants messages any more once we close, and the peer may send them for as long as that takes.
        if not self.closing:
            self.inbox.queue.append(message)

    def _answer(self, data: bytes) -> None:
        """Answer a Ping: the latest one only, where the peer does not take what it is sent (W18)."""
        if self.engine.state is not State.OPEN:
            return
        if self.outbox.stopped:
            self._pong_due = data
        else:
            self.outbox.write(self.engine.pong(data))

    def _take_close(self) -> None:
        self.outbox.end()
        self.inbox.close()
        if self._heartbeat is not None:
            # The peer need not answer anything any more, however long our own Close takes.
            self._heartbeat.stop()
        if self.engine.state is State.CLOSED:
            self._linger()
        elif self.options.autoclose:
            code = self.engine.close_code
            self.outbox.write(self.engine.close(None if code == NO_STATUS else code))
            self._linger()

    # -- the end ----------------------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether nothing can be sent or received any more, but for what waits to be received."""
        return self.lost or self.engine.state is State.CLOSED

    def close(self, code: int | None, reason: str | bytes) -> bool:
        """Begin the closing handshake, or answer the peer's; False where our Close was sent before, or the end came.

        Raises: ValueError as `WebSocketEngine.close`.
        """
        if self.closing:
            return False
        if self.is_over:
            self.closing = True
            self.inbox.discard()
            return False
        frame = self.engine.close(code, reason)
        self.closing = True
        self.outbox.end()
        self.outbox.write(frame)
        self.outbox.flush()
        if self._heartbeat is not None:
            self._heartbeat.stop()
        if self.inbox.discard():
            self.inbox.queue.append(WSMessage(WSMsgType.CLOSING, None, None))
            self.inbox.waiter.wake(None)
        seconds = self.options.close_timeout
        if self.is_over:
            self._linger()
        elif seconds is not None:
            self._set_timer(seconds, partial(self._close_timed_out, seconds))
        return True

    async def wait_closed(self) -> None:
        """Return when the transport is gone. Cancellation: safe, the closing goes on."""
        if not self.lost:
            if self._closed is None:
                self._closed = self._loop.create_future()
            await asyncio.shield(self._closed)

    def abort(self) -> None:
        """Drop the transport at once."""
        self.transport.abort()

    def hang_up(self) -> None:
        """Close the transport, without waiting for anything."""
        self._end()

    def forget(self) -> bool:
        """Nobody has the WebSocket any more: drop the transport, from whatever thread the collector runs in.

        Whether that can still be done.
        """
        if self._loop.is_closed():
            return False
        self._loop.call_soon_threadsafe(self.transport.abort)
        return True

    def _linger(self) -> None:
        """The closing handshake is over: it is the server's turn to end the transport (RFC 6455 section 7.1.1)."""
        if self.lost:
            return
        self.outbox.flush()
        self.inbox.close()
        if self._heartbeat is not None:
            self._heartbeat.stop()
        if self.engine.role is Role.SERVER and not self.engine.failure:
            self.transport.close()
        # Also then: a peer that takes nothing must not keep it open.
        self._end_within(_LINGER)

    def _end_within(self, seconds: float) -> None:
        limit = self.options.close_timeout
        self._set_timer(seconds if limit is None else min(seconds, limit), self._end)

    def _end(self) -> None:
        # A transport that still has octets would wait for the peer to take them.
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _close_timed_out(self, seconds: float) -> None:
        self.error = WSCloseTimeoutError(seconds)
        self.transport.abort()

    def _set_timer(self, seconds: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then)

    def _stop_timers(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._heartbeat is not None:
            self._heartbeat.stop()

    # -- the heartbeat ----------------------------------------------------------------------------------------------

    def _make_heartbeat(self, interval: float) -> Heartbeat:
        patience = self.options.ping_timeout
        return Heartbeat(
            self._loop,
            interval,
            interval / 2 if patience is None else patience,
            ping=self._beat,
            deaf=self._is_deaf,
            dead=self._take_for_dead,
        )

    def _beat(self) -> None:
        self.outbox.write(self.engine.ping(self.pings.make_payload()))

    def _is_deaf(self) -> bool:
        return self.inbox.full

    def _take_for_dead(self, seconds: float) -> None:
        error = WSPingTimeoutError(seconds)
        self.error = error
        self.inbox.queue.append(WSMessage(WSMsgType.ERROR, error, None))
        self.transport.abort()
        self.inbox.waiter.wake(None)


def _loss_error(exc: Exception | None, peer_ended: bool) -> ClientError:
    """What the end of the transport means, as an error of ours with the transport's as its cause."""
    error: ClientError
    if isinstance(exc, OSError):
        error = ClientOSError(exc.errno, exc.strerror or str(exc))
    elif exc is not None:
        error = ClientConnectionError(str(exc) or type(exc).__name__)
    elif peer_ended:
        error = ServerDisconnectedError("the peer ended the connection without a Close frame")
    else:
        error = ClientConnectionError("the connection was closed without a Close frame")
    error.__cause__ = exc
    return error
