"""`Upload`: a request's body on its way, and what holds it back or stops it.

    WAITING --100, or its time is up--> SENDING --last octet handed over--> WHOLE --its iterator ended--> OVER
       |                                   |                                  |
       +------------ stop(), an error -----+--> STOPPED                       +--stop()--> OVER

It exists for bodies that do not leave together with their head.
"""

import asyncio
import enum
import sys
from contextlib import suppress
from typing import Protocol, final

from wayfare_http_core._connection import ExchangeOptions, FileBody, RequestBody
from wayfare_http_core._errors import (
    ClientConnectionError,
    ClientConnectionResetError,
    UploadAbortedError,
)
from wayfare_http_core._request_writer import EncodedRequest

from ._facts import has_plain_socket
from ._progress import ProgressWatch
from ._upload import BodySink, send_body

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("Upload", "UploadOwner", "restore_limits")

_SMALL_PIECE = 64 * 1024
"""What is handed over to a peer that is slower than we are: no more than this is under way when it tells us to stop."""
_LARGE_PIECE = 256 * 1024
"""What is handed over to a peer that takes all at once: as much as one send call can take."""
_TURN = 1024 * 1024
"""Octets after which the loop gets its turn, for a peer that takes everything: its answer is to be seen, too."""


class UploadOwner(Protocol):
    """The connection that an upload belongs to."""

    def upload_whole(self, upload: "Upload") -> None:
        """The body was handed over whole."""

    def write_failed(self, transport: asyncio.WriteTransport, error: OSError) -> None:
        """The connection broke while the body was sent; its transport does not know yet."""

    def upload_failed(self, error: BaseException) -> None:
        """The body's iterator raised, gave too much or too little, or was cancelled by others. Not after `stop`."""


class _State(enum.Enum):
    WAITING = "waiting for 100 Continue"
    SENDING = "being sent"
    WHOLE = "sent whole"
    OVER = "sent whole, and over"
    STOPPED = "stopped"


_WAITING, _SENDING, _WHOLE, _OVER, _STOPPED = _State


@final
class Upload(BodySink):
    """One body, sent by one task from `start` on."""

    __slots__ = (
        "_blocked",
        "_gate",
        "_loop",
        "_on_end",
        "_on_sent",
        "_owner",
        "_paused",
        "_request",
        "_state",
        "_task",
        "_timer",
        "_transport",
        "_unturned",
        "_watch",
        "_writable",
        "piece",
        "sent",
    )

    sent: int
    """Octets of content that were handed to the transport."""

    def __init__(
        self,
        owner: UploadOwner,
        transport: asyncio.WriteTransport,
        request: EncodedRequest,
        options: ExchangeOptions,
        watch: ProgressWatch | None,
    ) -> None:
        self._owner = owner
        self._transport = transport
        self._request = request
        self._watch = watch
        self._on_sent = options.on_sent
        self._on_end = options.on_upload_end
        self._loop = asyncio.get_running_loop()
        self._state = _SENDING
        self._paused = False
        self._gate: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writable: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._blocked = 0
        self._unturned = 0
        self.piece = _LARGE_PIECE
        self.sent = 0
        # What the kernel does not take at once is all that waits here. So a peer that does not read costs one piece of
        # memory, "sent" means sent, and a body that is stopped is stopped. (Not 0: asyncio's TLS pauses at the mark.)
        _set_limits(transport, high=1, low=0)

    # -- what the connection calls ------------------------------------------------------------------------------

    def start(self, body: RequestBody | bytes) -> None:
        """Send the body."""
        if not (self._request.chunked or self._request.length):
            # The head was all, and the response may come before the iterator has found out that it has ended.
            self._become_whole()
        self._task = task = self._loop.create_task(self._run(body))
        task.add_done_callback(self._ended)

    def hold(self, seconds: float | None) -> None:
        """Send nothing before `proceed`, or for so many seconds (RFC 9110 section 10.1.1). Call it before `start`."""
        self._state = _WAITING
        self._gate = self._loop.create_future()
        if seconds is not None:
            self._timer = self._loop.call_later(seconds, self.proceed)

    def proceed(self) -> None:
        """The server asked for the body, or takes too long to say so."""
        if self._state is _WAITING and self._gate is not None:
            self._state = _SENDING
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if not self._gate.done():
                self._gate.set_result(None)

    def stop(self, reason: str = "") -> None:
        """Hand over nothing more; idempotent. Of what was handed over, nothing can be taken back.

        The reason is for whoever waits for the body's end.
        """
        if self._state is _WHOLE:
            self._state = _OVER
        elif self._state is not _OVER and self._state is not _STOPPED:
            self._give_up(None, reason)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            self._task.cancel()

    def reason_to_stop(self, status: int, *, closes: bool) -> str | None:
        """Why a final answer ends the upload, None where it does not.

        The server has decided where it refuses; the rest of the body would only fill its buffers (RFC 9112 section
        9.5). Whoever is told of the connection's end sends nothing more on it (section 9.6), whatever the status. A
        body that the server was asked about and did not ask for is not sent at all (RFC 9110 section 10.1.1).
        """
        if status < 400 and not closes and self._state is not _WAITING:
            return None
        end = ", and closes the connection" if closes else ""
        return f"the server answered {status} before its end{end}"

    @property
    def pending(self) -> bool:
        """Whether more will be sent without the peer's doing."""
        return self._state is _SENDING or (self._state is _WAITING and self._timer is not None)

    @property
    def unsent(self) -> int:
        """Octets that wait for the peer."""
        return self._transport.get_write_buffer_size() + self._blocked

    @property
    def is_whole(self) -> bool:
        """Whether all octets were handed over; the body's iterator may still have to end."""
        return self._state is _WHOLE or self._state is _OVER

    def pause_writing(self) -> None:
        """The transport has enough to send."""
        self._paused = True

    def resume_writing(self) -> None:
        """The transport can take more."""
        self._paused = False
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    # -- what `send_body` calls ---------------------------------------------------------------------------------

    @override
    def write(self, data: bytes | memoryview, content: int) -> None:
        """Hand octets to the transport.

        Raises: `ClientConnectionResetError` after `stop`, for an iterator that does not end when it is cancelled.
        """
        self._check_wanted()
        self._transport.write(data)
        self.piece = _SMALL_PIECE if self._paused else min(2 * self.piece, _LARGE_PIECE)
        self._count(content)

    @override
    async def drain(self) -> None:
        """Wait until the transport can take more.

        Raises: as `write`.
        Cancellation: safe.
        """
        # A transport that met an error says so in the loop's next iteration, and complains of what comes till then.
        while (self._paused or self._transport.is_closing()) and self._state is not _STOPPED:
            self._unturned = 0
            self._writable = self._loop.create_future()
            try:
                await self._writable
            finally:
                self._writable = None
        await self.turn()

    # -- what `send_file` calls ---------------------------------------------------------------------------------

    def moved(self, octets: int) -> None:
        """Octets of a file left."""
        self._blocked = 0
        self._count(octets)

    def blocked(self, octets: int) -> None:
        """The peer takes nothing at the moment."""
        self._blocked = octets
        self._unturned = 0

    async def turn(self) -> None:
        """Let others run after much was sent without a wait.

        Raises: as `write`.
        Cancellation: safe.
        """
        self._check_wanted()
        if self._unturned > _TURN:
            self._unturned = 0
            await asyncio.sleep(0)

    # -- inside -------------------------------------------------------------------------------------------------

    async def _run(self, body: RequestBody | bytes) -> None:
        self._task = asyncio.current_task()  # an eager task runs before `start` knows it
        if self._gate is not None:
            await self._gate
        await self.drain()
        if not (isinstance(body, FileBody) and await self._send_file(body)):
            await send_body(self, body, self._request)
        # Not left to the task's callback: a quick peer's response may be handled before that.
        self._become_whole()
        self._owner.upload_whole(self)

    async def _send_file(self, body: FileBody) -> bool:
        """Send a file by the kernel, if it can do that here."""
        transport = self._transport
        if self._request.chunked or not has_plain_socket(transport):
            return False
        await asyncio.sleep(0)  # uvloop may keep the head until the end of an iteration
        if transport.get_write_buffer_size() or (part := body.file_range()) is None:
            return False
        file, offset, count = part
        if count != self._request.length:
            raise ValueError(
                f"the file's part has {count} octets and not the announced {self._request.length}"
            )
        # Imported here: few requests send files.
        from ._sendfile import WriteFailedError, send_file

        try:
            return await send_file(self, transport, file, offset, count)
        except WriteFailedError as exc:
            self._owner.write_failed(transport, exc.error)
            return True

    def _count(self, content: int) -> None:
        self.sent += content
        self._unturned += content
        if self._watch is not None:
            self._watch.wrote(self.unsent)
        if content and self._on_sent is not None:
            self._on_sent(content)
        if not self._request.chunked and self.sent == self._request.length:
            # The iterator may need a while to find out that it has ended, and the response may come before that.
            self._become_whole()

    def _check_wanted(self) -> None:
        if self._state is _STOPPED:
            raise ClientConnectionResetError("the body is not wanted any more")

    def _become_whole(self) -> None:
        if self._state is _SENDING:
            self._state = _WHOLE
            if self._on_end is not None:
                self._on_end(None)

    def _give_up(self, cause: BaseException | None, reason: str = "") -> None:
        self._state = _STOPPED
        if self._on_end is not None:
            announced = "" if self._request.chunked else f" of {self._request.length}"
            why = f": {reason}" if reason else ""
            error = UploadAbortedError(
                f"the body was given up after {self.sent}{announced} octets{why}"
            )
            error.__cause__ = cause
            self._on_end(error)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._task = None  # its error's traceback leads back here
        # Asked for in any case: an exception that nobody looks at is logged.
        # A cancellation that `stop` did not ask for came from what the body waited for.
        error = _cancelled_error() if task.cancelled() else task.exception()
        if error is None or self._state is _OVER or self._state is _STOPPED:
            return
        if self._state is not _WHOLE:
            self._give_up(error)
        self._owner.upload_failed(error)


def restore_limits(transport: asyncio.WriteTransport) -> None:
    """Give a transport that uploads went through its usual buffer again, for another protocol."""
    _set_limits(transport)


def _set_limits(
    transport: asyncio.WriteTransport, high: int | None = None, low: int | None = None
) -> None:
    # Another's transport may know no limits.
    with suppress(NotImplementedError):
        transport.set_write_buffer_limits(high, low)


def _cancelled_error() -> BaseException:
    return ClientConnectionError("the body's iterator was cancelled")
