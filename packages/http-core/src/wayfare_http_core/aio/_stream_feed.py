"""The feeding side of a stream: what arrives, how it ends, and how much of it may wait for how long."""

import asyncio
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ._deadlines import Deadline
from ._stream_buffer import StreamBuffer

if TYPE_CHECKING:
    from ._chunk_marks import ChunkMarks
    from ._coded_content import CodedContent
    from ._patience import Patience, ReadTimeout

__all__ = ("DEFAULT_LIMIT", "FlowControl", "StreamFeed")

DEFAULT_LIMIT = 256 * 1024
"""Low-water mark of what waits to be read, in octets; the high-water mark is twice as much."""


class FlowControl(Protocol):
    """Whoever feeds a stream: it is told when to stop, when to go on, and when the stream is given up."""

    def pause_reading(self) -> None:
        """Feed no more for now."""

    def resume_reading(self) -> None:
        """Feed again."""

    def abort(self) -> None:
        """The reader ran out of time, or what arrives is corrupt or too much; nothing more will be read."""

    def distrust(self) -> None:
        """The content, all of which is here, turned out to be corrupt: start no further exchange with this peer."""


class StreamFeed:
    """What a `StreamReader` is for those who feed it, and for those who bound it."""

    __slots__ = (
        "_buffer",
        "_coded",
        "_eof",
        "_exception",
        "_flow",
        "_limit",
        "_marks",
        "_on_eof",
        "_others",
        "_patience",
        "_paused",
        "_waiter",
        "total_raw_bytes",
    )

    total_raw_bytes: int
    """Octets received so far, before content decoding."""

    def __init__(self, flow: FlowControl | None, limit: int) -> None:
        if limit < 0:
            raise ValueError("the limit of what may wait must not be negative")
        self._flow = flow
        self._limit = limit
        self._buffer = StreamBuffer()
        self._coded: CodedContent | None = None
        self._eof = False
        self._exception: BaseException | None = None
        self._paused = False  # whether the high-water mark was passed, and the low one not since
        self._waiter: asyncio.Future[None] | None = None  # the reader's
        self._others: list[asyncio.Future[None]] | None = None  # whoever else waits for a change
        self._on_eof: list[Callable[[], object]] | None = None
        self._patience: Patience | None = None
        self._marks: ChunkMarks | None = None
        self.total_raw_bytes = 0

    def feed_data(self, data: bytes, size: int | None = None) -> None:
        """Add octets; where more than twice the limit waits then, ask the feeding side to pause. Never blocks.

        What comes after an error is dropped: nobody can read it. `size` is what programs of old say; deprecated, the
        octets are counted anyway.

        Raises: RuntimeError after `feed_eof`.
        """
        if size is not None:
            warnings.warn(
                "feed_data counts octets itself: leave size out", DeprecationWarning, stacklevel=2
            )
        if self._eof:
            raise RuntimeError("feed_data after feed_eof")
        if not data or self._exception is not None:
            return
        self.total_raw_bytes += len(data)
        store = self._coded or self._buffer
        store.append(data)
        if self._waiter is not None:
            self._wake()
        if store.size > 2 * self._limit and not self._paused:
            self._paused = True
            if self._flow is not None:
                self._flow.pause_reading()

    def feed_eof(self) -> None:
        """Say that the content is complete. A stream that broke stays broken: it never becomes complete."""
        if self._eof or self._exception is not None:
            return
        self._eof = True
        self._paused = False
        if self._patience is not None:
            if self._coded is None:
                self._patience.close()
            else:
                self._patience.stop()
        if self._waiter is not None:
            self._wake()
        if self._others is not None:
            self._wake_others()
        if self._on_eof is not None:
            callbacks, self._on_eof = self._on_eof, None
            for callback in callbacks:
                _call(callback)

    def set_exception(self, exc: BaseException, cause: BaseException | None = None) -> None:
        """Break the stream: reads raise `exc`, from `cause` where one is given, once what arrived before is read."""
        if self._exception is None and not self._eof:
            if cause is not None:
                exc.__cause__ = cause
            self._break(exc)

    def give_up(self, exc: BaseException) -> None:
        """Say that nobody will read the rest: whoever feeds the stream by hand gets `exc` from `drain`.

        A stream that a connection feeds stays as it is: there, whoever has the response decides.
        """
        if self._flow is None:
            self.set_exception(exc)

    def exception(self) -> BaseException | None:
        """The error that broke the stream, or None."""
        return self._exception

    async def drain(self) -> None:
        """Wait until whoever reads has caught up: while more than twice the limit waits, until no more than it does.

        Raises: what broke the stream: nobody will read what is fed from then on.
        Cancellation: safe.
        """
        while self._paused and self._exception is None:
            await self._await_change()
        if self._exception is not None:
            raise self._exception

    def begin_http_chunk_receiving(self) -> None:
        """Say that a chunk begins; it ends with `end_http_chunk_receiving`."""

    def end_http_chunk_receiving(self) -> None:
        """Say that a chunk ends behind what was fed last, for `readchunk`; an empty one leaves no trace."""
        self._chunk_marks().end_chunk(self.total_raw_bytes, self._position)

    def mark_chunks(self, sizes: bytes) -> None:
        """Say where the next chunks end, behind the last one that was told: by their sizes, packed.

        See `wayfare_http_core.ChunkedDecoder.chunk_sizes`. Their octets were fed, and no octet was in no chunk.
        """
        self._chunk_marks().add(sizes, self._position)

    # -- bounds ----------------------------------------------------------------------------------------------------

    def set_timeouts(
        self, deadline: Deadline | None, read_timeout: "ReadTimeout | None" = None
    ) -> None:
        """Bound the waiting: all of it by `deadline`, each wait for octets by `read_timeout` (seconds, error).

        The stream closes the deadline when its content ends. Where a coding is still to be undone, what is left of the
        deadline then is left for that, and counts from the first read that takes long: little content may unpack to
        more than anybody has time for, but content that is kept for later must not be late (O2).
        """
        if self._exception is not None or (self._eof and self._coded is None):
            if deadline is not None:
                deadline.close()
            return
        patience = self._get_patience()
        patience.deadline = deadline
        patience.read_timeout = read_timeout
        if self._eof:
            patience.stop()

    def set_minimum_speed(self, octets_per_second: float, seconds: float) -> None:
        """Give up a slower peer: `octets_per_second * seconds` octets must arrive within each `seconds` of waiting.

        Octets of the wire count, before content decoding; only the time in which a task waits for them does, so that a
        slow reader is never taken for a slow peer. Where they do not come, the read raises `SlowTransferError` and the
        connection is aborted.

        Raises: ValueError for numbers that are not positive and finite.
        """
        from ._patience import MinimumSpeed

        speed = MinimumSpeed(octets_per_second, seconds, self.total_raw_bytes)
        self._get_patience().minimum_speed = speed

    def get_read_buffer_limits(self) -> tuple[int, int]:
        """The low-water and the high-water mark of what waits to be read, in octets."""
        return self._limit, 2 * self._limit

    def set_read_chunk_size(self, n: int) -> None:
        """Raise the low-water mark to n octets, and the high-water mark with it, for whoever reads larger pieces."""
        if n > self._limit:
            self._limit = n
            self._relieve()

    # -- state -----------------------------------------------------------------------------------------------------

    def is_eof(self) -> bool:
        """Whether all octets arrived; some may still wait to be read."""
        return self._eof

    def on_eof(self, callback: Callable[[], object]) -> None:
        """Call back when all octets arrived; at once where they have. Never where the stream breaks before.

        What the callback raises goes to the event loop's exception handler.
        """
        if self._eof:
            _call(callback)
        elif self._on_eof is None:
            self._on_eof = [callback]
        else:
            self._on_eof.append(callback)

    async def wait_eof(self) -> None:
        """Wait until all octets arrived. They only do while somebody reads, or where they are few.

        Raises: what broke the stream, the deadline's error.
        Cancellation: safe.
        """
        while not self._eof:
            if self._exception is not None:
                raise self._exception
            await self._await_change(in_time=True)

    # -- inside ----------------------------------------------------------------------------------------------------

    @property
    def _waiting(self) -> int:
        """Octets that press on the feeding side: those of the wire, where a coding is still to be undone."""
        return self._buffer.size if self._coded is None else self._coded.size

    @property
    def _position(self) -> int:
        """How far the content was read, in octets before content decoding."""
        return self.total_raw_bytes - self._waiting

    async def _await_change(self, *, in_time: bool = False) -> None:
        """Wait for a change that a feeding task or `wait_eof` may wait for; these may be any number."""
        if self._others is None:
            self._others = []
        change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._others.append(change)
        try:
            if in_time and self._patience is not None:
                await self._patience.wait_for_end(change)
            else:
                await change
        except BaseException:
            if in_time:
                self._abort_if_late()
            raise
        finally:
            self._others.remove(change)

    def _wake_others(self) -> None:
        for other in self._others or ():
            if not other.done():
                other.set_result(None)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _break(self, exc: BaseException) -> None:
        self._exception = exc
        self._paused = False
        self._on_eof = None
        if self._patience is not None:
            self._patience.close()
        if self._waiter is not None:
            self._wake()
        if self._others is not None:
            self._wake_others()

    def _relieve(self) -> None:
        """Let the feeding side go on where no more waits than may."""
        if self._paused and self._waiting <= self._limit:
            self._paused = False
            if self._flow is not None:
                self._flow.resume_reading()
            if self._others is not None:
                self._wake_others()

    def _abort_if_late(self) -> None:
        """Whoever ran out of time will not read the rest, so the peer must not go on sending it."""
        late = self._patience is not None and self._patience.ran_out
        # A stream that broke in the same tick was given up: its connection may carry another exchange already.
        arriving = not self._eof and self._exception is None
        if late and arriving and self._flow is not None:
            self._flow.abort()

    def _get_patience(self) -> "Patience":
        if self._patience is None:
            from ._patience import Patience

            self._patience = Patience()
        return self._patience

    def _chunk_marks(self) -> "ChunkMarks":
        if self._marks is None:
            from ._chunk_marks import ChunkMarks

            self._marks = ChunkMarks()
        return self._marks


def _call(callback: Callable[[], object]) -> None:
    """Call whoever wanted to know of the end; an error of theirs must not reach the feeding side."""
    try:
        callback()
    except Exception as exc:
        asyncio.get_running_loop().call_exception_handler(
            {"message": "a callback for the end of a stream failed", "exception": exc}
        )
