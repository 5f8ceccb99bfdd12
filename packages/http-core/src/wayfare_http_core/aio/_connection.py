"""`HTTP1Connection`: exchanges over one asyncio transport, one at a time.

The hot path is one write, one `Waiter` and one call of `buffer_updated`: no task, no timer, no parser object per
request. What is decided (framing, reuse, errors) is decided by `ResponseParser`; here it is only carried out.
`_states` draws how one exchange follows another.
"""

import asyncio
from typing import Any, cast, final

from wayfare_http_core._connection import (
    DEFAULT_EXCHANGE_OPTIONS,
    ConnectionFacts,
    ConnectionOwner,
    ExchangeOptions,
    RequestBody,
    check_options,
)
from wayfare_http_core._fields import FieldBlock
from wayfare_http_core._head import RequestHead, ResponseHead
from wayfare_http_core._http_version import HttpVersion11
from wayfare_http_core._request_writer import encode_plain_request
from wayfare_http_core._response_parser import (
    END_OF_MESSAGE,
    EndOfMessage,
    ResponseEvent,
    ResponseParser,
)
from wayfare_http_core.hdrs import KEEP_ALIVE

from ._bulk import Bulk, is_bulky
from ._deadlines import Deadline
from ._drain import Drain, is_worth_draining
from ._exchange import HTTP1Exchange, Upgraded
from ._facts import keep_alive_hint, transport_facts
from ._loss import closed, loss_error, read_rest, released
from ._outgoing import Outgoing, prepare_request
from ._progress import Progress, ProgressWatch, watch_for
from ._receive_buffer import RECEIVE_BUFFER_SIZE, receive_buffer
from ._states import State
from ._stream_reader import StreamReader
from ._unseen_input import has_unseen_input
from ._upload_task import Upload, restore_limits
from ._waiter import Waiter

__all__ = ("HTTP1Connection",)

_SURELY_SENT = 16 * 1024
"""Up to this many octets, a request leaves at once: send buffers are no smaller, and an idle connection's is empty."""
_CROWD = 256
"""So many callers that go on together fill the processor's caches with their responses."""
_SEEN = 0.001
"""Seconds within which the loop has surely looked at a connection: it was freed in this iteration or the last."""
_FREE, _BUSY, _UPGRADED, _RETIRED, _LOST = State


@final
class HTTP1Connection(asyncio.BufferedProtocol):
    """An HTTP/1.1 connection: an asyncio protocol below, `wayfare_http_core.Connection` above.

    Make one as the protocol of any stream transport. `owner` is told when the connection is idle, retired and lost;
    it may be set until the first exchange. With `via` the peer is a proxy that is given whole URLs (RFC 9112 section
    3.2.2), with these fields for it alone.
    """

    __slots__ = (
        "_arrived",
        "_buffer",
        "_bulky",
        "_closed",
        "_content",
        "_drain",
        "_exchange",
        "_freed_at",
        "_loop",
        "_maybe_unsent",
        "_old_peer",
        "_options",
        "_parser",
        "_persistent",
        "_reading_paused",
        "_spare",
        "_state",
        "_transport",
        "_upload",
        "_via",
        "_waiter",
        "_watch",
        "exchanges_started",
        "facts",
        "keep_alive_hint",
        "owner",
        "request_started",
        "response_started",
    )

    _loop: asyncio.AbstractEventLoop
    facts: ConnectionFacts
    """Addresses and TLS facts, from the moment the transport is connected; kept after it closed."""

    def __init__(
        self, owner: ConnectionOwner | None = None, *, via: FieldBlock | None = None
    ) -> None:
        self.owner = owner
        self._via = via
        self.facts = ConnectionFacts()
        self.exchanges_started = 0
        self.request_started = False
        self.response_started = False
        self.keep_alive_hint: float | None = None
        self._parser = ResponseParser()
        self._state = _FREE
        self._transport: asyncio.Transport | None = None
        self._waiter: Waiter[HTTP1Exchange | None] | None = None
        self._spare: Waiter[HTTP1Exchange | None] | None = None
        self._arrived = b""
        self._exchange: HTTP1Exchange | None = None
        self._content: StreamReader | None = None
        self._upload: Upload | None = None
        self._closed: asyncio.Future[None] | None = None
        self._freed_at = 0.0
        self._persistent = True
        self._options = DEFAULT_EXCHANGE_OPTIONS
        self._old_peer = False
        self._watch: ProgressWatch | None = None
        self._reading_paused = False
        self._bulky = False
        self._maybe_unsent = False
        self._drain: Drain | None = None

    def __repr__(self) -> str:
        return f"<HTTP1Connection {self._state.value}, peer {self.facts.peername!r}>"

    # -- Connection: what a session and a pool call ------------------------------------------------------------

    @property
    def available_exchanges(self) -> int:
        """One while the connection is open and no exchange is under way, else none."""
        transport = self._transport
        return int(self._state is _FREE and transport is not None and not transport.is_closing())

    def is_quiet(self, now: float) -> bool:
        """Whether nothing waits unseen on the idle connection; see `wayfare_http_core.Connection`."""
        if now - self._freed_at < _SEEN:
            return True
        transport = self._transport
        return transport is not None and not has_unseen_input(transport)

    async def exchange(
        self,
        head: RequestHead,
        body: RequestBody | bytes | None = None,
        options: ExchangeOptions = DEFAULT_EXCHANGE_OPTIONS,
        deadline: Deadline | None = None,
    ) -> HTTP1Exchange:
        """Send a request and return its response once the final head arrived; see `wayfare_http_core.Connection`."""
        transport = self._transport
        if self._state is not _FREE or transport is None:
            raise RuntimeError(f"no exchange can start here: the connection is {self._state.value}")
        waiter, self._spare = self._spare or Waiter(self._loop), None
        waiter.arm()
        try:
            if options is not self._options:
                self._take_options(options)
            if body is None and head.fields.plain and self._via is None:
                outgoing = None
                octets = encode_plain_request(head)
            else:
                outgoing = prepare_request(head, body, self._via, may_expect=not self._old_peer)
                octets = outgoing.octets
        except BaseException:
            # Nothing was sent, so the connection is as good as before and goes back to its owner.
            self.request_started = self.response_started = False
            if self.owner is not None:
                self.owner.connection_idle(self)
            raise
        self._waiter = waiter
        self._parser.begin(head.method, options.limits)
        self._state = _BUSY
        self.exchanges_started += 1
        self.request_started = True
        self.response_started = False
        self._persistent = True
        self._maybe_unsent = len(octets) > _SURELY_SENT
        held = 0 if deadline is None else deadline.hold(waiter)
        try:
            if outgoing is None:
                transport.write(octets)
            else:
                self._send(transport, outgoing)
            if self._watch is not None:
                self._watch.begin(transport.get_write_buffer_size(), self._upload is not None)
            while (exchange := await waiter) is None:
                self._look()
            self._spare = waiter  # no sooner: another exchange may begin before this one wakes
            return exchange
        except BaseException:
            if self._waiter is waiter:
                self._look()
            if self._waiter is waiter:
                self.abort()
            elif (unseen := waiter.peek()) is not None:
                # The response was there before the caller woke. A complete one has let the connection go already,
                # perhaps to the next exchange, which must not suffer.
                unseen.abort()
            raise
        finally:
            if deadline is not None:
                deadline.release(held)

    def _take_options(self, options: ExchangeOptions) -> None:
        """Look closely at options that the exchange before did not have."""
        check_options(options)
        self._options = options
        if self._watch is not None:
            self._watch.stop()
        self._watch = watch_for(self._loop, self, options)

    def _send(self, transport: asyncio.Transport, outgoing: Outgoing) -> None:
        """Send what is not just a plain head."""
        if outgoing.offers_upgrade:
            self._parser.offer_upgrade()
        self._persistent = not outgoing.closes
        options = self._options
        if outgoing.body is None:
            transport.write(outgoing.octets)
            outgoing.tell_sent(options)
            return
        self._maybe_unsent = True
        self._upload = upload = Upload(self, transport, outgoing.request, options, self._watch)
        transport.write(outgoing.octets)
        if outgoing.expects_continue:
            upload.hold(options.expect_timeout)
        upload.start(outgoing.body)

    def upgrade(self) -> Upgraded:
        """Hand the transport over after a response that ended HTTP on it: 101, or 2xx to CONNECT.

        The connection stays leased until `Upgraded.release`. Its transport reads again from the next iteration of the
        loop on: set your own protocol before that.

        Raises: RuntimeError at any other moment.
        """
        transport, exchange = self._transport, self._exchange
        if not self._parser.tunnelling or transport is None or exchange is None:
            raise RuntimeError("the connection was not upgraded")
        self._state = _UPGRADED
        exchange.is_complete = True
        self._exchange = self._content = None
        restore_limits(transport)
        if not transport.is_closing():
            self.resume_reading()  # nothing comes within this call: what follows is the new protocol's
        return Upgraded(self, transport, self._parser.take_unused())

    def close(self) -> None:
        """Retire the connection and close its transport once flushed; an exchange under way breaks. Idempotent."""
        self._retire()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Retire the connection and drop its transport at once; idempotent."""
        self._retire()
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Return when the transport is really closed. Cancellation: safe, the closing goes on."""
        if self._state is not _LOST and self._transport is not None:
            if self._closed is None:
                self._closed = self._loop.create_future()
            await asyncio.shield(self._closed)

    def get_extra_info(self, name: str, default: object = None) -> Any:
        """What the transport knows, as `asyncio.BaseTransport.get_extra_info`; the default once it is gone."""
        return default if self._transport is None else self._transport.get_extra_info(name, default)

    # -- asyncio protocol: what the transport calls -------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start on a connected transport."""
        self._loop = asyncio.get_running_loop()
        self._buffer = receive_buffer(self._loop, transport)
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self.facts = transport_facts(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """The memory to receive into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Octets arrived in the buffer; only they are copied out."""
        self.data_received(self._buffer[:nbytes].tobytes())

    def data_received(self, data: bytes) -> None:
        """Octets arrived."""
        begins = not self.response_started and self._upload is None
        self.response_started = True
        if self._watch is not None:
            self._watch.received()
        waiter = self._waiter
        if waiter is not None:
            if self._arrived:
                data, self._arrived = self._arrived + data, b""
                waiter.arm()
            elif begins and len(waiter._wakings.due) >= _CROWD and not waiter.done():
                # Its caller looks at it. So a crowd of responses becomes objects one by one, each when the one before
                # is forgotten: a thousand at once are too many for the processor's caches and the garbage collector.
                self._arrived = data
                waiter.set_result(None)
                return
        events = self._parser.feed(data)
        if waiter is not None and events and events[-1] is END_OF_MESSAGE and self._upload is None:
            # The usual case, made short: a whole response at once.
            head = events[0]
            whole = events[1] if len(events) == 3 else b"" if len(events) == 2 else None
            if isinstance(head, ResponseHead) and isinstance(whole, bytes):
                exchange = HTTP1Exchange(self, head, self._options, whole, self._parser.chunk_sizes)
                self._waiter = None
                delivered = not waiter.done()
                waiter.set_result(exchange)
                self._old_peer = head.version is not HttpVersion11
                if KEEP_ALIVE in head.headers or self.keep_alive_hint is not None:
                    self.keep_alive_hint = keep_alive_hint(head)
                self._free()
                if self._state is _BUSY and self._parser.tunnelling:
                    self._hold(exchange, delivered)
                return
        for event in events:
            self._handle(event)
        if self._state is _FREE and not self._parser.reusable:
            self.abort()  # octets that nobody asked for must not become the next response

    def eof_received(self) -> None:
        """The peer will send no more; the transport closes itself after this."""
        self._look(last=True)
        for event in self._parser.feed_eof():
            self._handle(event)
        if self._state is _FREE:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        self._look(last=True)
        transport, self._transport = self._transport, None
        if self._state is _BUSY:
            if isinstance(exc, OSError) and transport is not None:
                self._take_rest(transport)
            if self._state is _BUSY:
                self._fail(loss_error(exc, self._parser.connection_broken()))
        self._lose()

    def pause_writing(self) -> None:
        """The transport has enough to send."""
        self._maybe_unsent = True
        if self._upload is not None:
            self._upload.pause_writing()

    def resume_writing(self) -> None:
        """The transport can take more."""
        if self._upload is not None:
            self._upload.resume_writing()

    # -- StreamReader's flow control ----------------------------------------------------------------------------

    def pause_reading(self) -> None:
        """The content waits unread: stop receiving."""
        self._reading_paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """The reader has caught up."""
        self._reading_paused = False
        if self._transport is not None:
            self._transport.resume_reading()

    def distrust(self) -> None:
        """The peer sent corrupt content: let no further exchange start here."""
        self._persistent = False
        if self._state is _FREE:
            self.close()

    # -- what an `Upload` tells ---------------------------------------------------------------------------------

    def upload_whole(self, upload: Upload) -> None:
        """The request's body was handed to the transport whole."""
        if self._upload is upload:
            self._upload = None

    def write_failed(self, transport: asyncio.WriteTransport, error: OSError) -> None:
        """The connection broke while a body was sent, and the transport does not know yet."""
        self._take_rest(transport)
        if self._state is _BUSY:
            self.give_up(loss_error(error, self._parser.connection_broken()))

    def upload_failed(self, error: BaseException) -> None:
        """The body cannot be sent as its head announced it (R10: the peer must not take a part for the whole)."""
        self._upload = None
        self.give_up(error)

    # -- timeouts: what the `ProgressWatch` asks ----------------------------------------------------------------

    def progress(self) -> Progress | None:
        """Where the exchange stands, None when there is none."""
        if self._state is not _BUSY or self._transport is None:
            return None
        upload, written = self._upload, self._transport.get_write_buffer_size()
        unsent, uploading = (upload.unsent, upload.pending) if upload else (written, False)
        return Progress(unsent, uploading, self.response_started, self._waiter is not None)

    def give_up(self, error: BaseException) -> None:
        """Break the exchange under way, and the connection with it."""
        self._fail(error)
        self.abort()

    # -- inside -------------------------------------------------------------------------------------------------

    def _look(self, *, last: bool = False) -> None:
        """Take the octets that were left to the caller: the caller does, or whoever ends its exchange before."""
        if last or self._transport is None or self._transport.is_closing():
            self._persistent = False
        if self._arrived and self._waiter is not None:
            data, self._arrived = self._arrived, b""
            self._waiter.arm()
            self.data_received(data)

    def _take_rest(self, transport: asyncio.BaseTransport) -> None:
        """Read what the peer sent before a write failed (I2): its answer may be there, and is the better news."""
        if not self._reading_paused and (rest := read_rest(transport, RECEIVE_BUFFER_SIZE)):
            self.data_received(rest)

    def _handle(self, event: ResponseEvent) -> None:
        if isinstance(event, bytes):
            if self._content is not None:
                self._content.feed_data(event)
                if self._parser.chunk_sizes:
                    self._content.mark_chunks(self._parser.chunk_sizes)
            elif self._drain is not None:
                self._drain.drop(event)
        elif isinstance(event, ResponseHead):
            if event.is_informational:
                self._inform(event)
            else:
                self._begin_response(event)
        elif isinstance(event, EndOfMessage):
            self._end_response(event)
        else:
            self.give_up(event)

    def _inform(self, head: ResponseHead) -> None:
        if self._waiter is None or self._waiter.done():
            return
        if head.status == 100 and self._upload is not None:
            self._upload.proceed()
        try:
            if (hook := self._options.on_informational) is not None:
                hook(head)
        except Exception as exc:
            self.give_up(exc)

    def _begin_response(self, head: ResponseHead) -> None:
        waiter = self._waiter
        if waiter is None:
            return  # the connection was aborted, and its transport still had octets
        if waiter.done():
            self.abort()  # its deadline came, or it was cancelled, and it has not woken yet
            return
        options = self._options
        self._exchange = exchange = HTTP1Exchange(self, head, options)
        self._content = exchange._content = content = StreamReader(self, options.read_limit)
        content.limit_size(options.max_body_size)
        if self._watch is not None:
            content.set_timeouts(None, self._watch.content_timeout)
        transport = self._transport
        if transport is not None and is_bulky(self._parser.remaining, transport):
            self._bulky = True
            transport.set_protocol(Bulk(self))
        self._waiter = None
        waiter.set_result(exchange)
        upload, closes = self._upload, not self._parser.persistent
        if upload is not None and (reason := upload.reason_to_stop(head.status, closes=closes)):
            self._stop_upload(upload, reason)

    def _end_response(self, end: EndOfMessage) -> None:
        exchange, content = self._exchange, self._content
        if exchange is None:
            return
        self._exchange = self._content = None
        if self._bulky and self._transport is not None:
            self._bulky = False
            self._transport.set_protocol(self)
        exchange.trailers = end.trailers
        exchange.is_complete = True
        if content is not None:
            content.feed_eof()
        self._old_peer = exchange.head.version is not HttpVersion11
        self.keep_alive_hint = keep_alive_hint(exchange.head)
        self._free()
        if self._state is _BUSY and self._parser.tunnelling:
            self._hold(exchange, True)

    def _free(self) -> None:
        """The response is complete: the connection is free again, or has to go."""
        if self._reading_paused:
            self.resume_reading()
        if self._drain is not None:
            self._drain.stop()
            self._drain = None
        if self._upload is not None:
            self._stop_upload(self._upload, "the response was complete before its end")
        transport = self._transport
        if self._maybe_unsent and transport is not None and transport.get_write_buffer_size():
            # Whatever is still to be sent belongs to a request that is answered already.
            self.abort()
        elif self._persistent and self._parser.reusable:
            self._state = _FREE
            self._freed_at = self._loop.time()
            if self.owner is not None:
                self.owner.connection_idle(self)
        elif not self._parser.tunnelling:
            self.close()

    def _hold(self, exchange: HTTP1Exchange, delivered: bool) -> None:
        """HTTP ended with this response, and the connection is neither free nor closed.

        It is the exchange's, which counts as incomplete, until somebody upgrades the connection or gives the exchange
        up; at once, where nobody waits for the response any more. Until then nothing more is read: what is for a
        protocol that is not there yet would wait here without any bound.
        """
        if not delivered:
            self.abort()
            return
        self.pause_reading()
        exchange.is_complete = False
        self._exchange = exchange
        self._content = exchange.content

    def _fail(self, exc: BaseException) -> None:
        """Break the exchange under way, wherever somebody waits for it."""
        self._look(last=True)
        waiter, content = self._waiter, self._content
        self._waiter = self._content = self._exchange = None
        if waiter is not None:
            if not waiter.done():
                waiter.set_exception(exc)
        elif content is not None:
            content.set_exception(exc)

    def _discard(self, exchange: HTTP1Exchange) -> None:
        if self._exchange is not exchange or self._content is None:
            return
        content, self._content = self._content, None
        content.set_exception(released())
        uploading = self._upload is not None and not self._upload.is_whole
        if uploading or self._parser.tunnelling or not is_worth_draining(self._parser.remaining):
            self.abort()
            return
        self._drain = Drain(self._loop, self.abort)
        if self._reading_paused:
            self.resume_reading()

    def _receives_for(self, exchange: HTTP1Exchange) -> bool:
        return self._exchange is exchange and self._content is not None

    def _stop_upload(self, upload: Upload, reason: str = "") -> None:
        self._upload = None
        # The peer still waits for the rest of a body that is stopped, and would take the next request for it.
        self._persistent = self._persistent and upload.is_whole
        upload.stop(reason)

    def _retire(self) -> None:
        if self._state is _RETIRED or self._state is _LOST:
            return
        self._state, self._persistent = _RETIRED, False  # an end that is under way must not free it
        self._fail(closed())
        if self._upload is not None:
            self._stop_upload(self._upload)
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        if self._drain is not None:
            self._drain.stop()
            self._drain = None
        if self.owner is not None:
            self.owner.connection_retired(self)

    def _lose(self) -> None:
        self._retire()
        if self._state is _LOST:
            return
        self._state = _LOST
        self._transport = None
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        if self.owner is not None:
            self.owner.connection_lost(self)
