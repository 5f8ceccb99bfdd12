"""`StreamReader`: the content of a message as it arrives, read by one task.

Octets wait here undecoded; a content coding is undone piece by piece when somebody reads. So what waits is bounded
by the read limit whatever the coding's ratio, and content that nobody reads is never decoded.
"""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Protocol, final

from wayfare_http_core._errors import (
    BodyTooLargeError,
    ContentEncodingError,
    LineTooLong,
    SlowTransferError,
)

from ._deadlines import Deadline

if TYPE_CHECKING:
    from wayfare_http_core._codings import Decoder

__all__ = ("DEFAULT_LIMIT", "ContentWatcher", "FlowControl", "StreamReader")

DEFAULT_LIMIT = 256 * 1024
"""Low-water mark of what waits to be read, in octets; the high-water mark is twice as much."""

_DECODE_STEP = 256 * 1024
_LARGE_PIECE = 64 * 1024
_STEPS_WITHOUT_BREAK = 4
"""Decoding steps at a stretch before the loop gets its turn: a few milliseconds of work. Steps and not octets, since
a step may work through much input and give nothing."""


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


class ContentWatcher(Protocol):
    """Whoever wants to see the content as it is read. The reader waits for both calls and gets what they raise.

    Cancellation: the reader loses no octet; nothing is told twice.
    """

    async def content_arrived(self, piece: bytes) -> None:
        """Decoded octets are about to be read."""

    async def content_ended(self, exception: Exception | None) -> None:
        """The content was read to its end, or reading it failed: called once, nothing follows."""


@final
class StreamReader:
    """A stream of octets that ends, or breaks.

    What arrived before an error is read first, then every read raises the error. Cancelling a read loses no
    octet: the next read gives what the cancelled one would have given. Only one task reads at a time; a second
    one gets a RuntimeError.
    """

    __slots__ = (
        "_buffer",
        "_deadline",
        "_decoder",
        "_eof",
        "_exception",
        "_flow",
        "_limit",
        "_minimum_speed",
        "_offset",
        "_paused",
        "_raw",
        "_read_timeout",
        "_size",
        "_size_limit",
        "_steps",
        "_time_left",
        "_told",
        "_waiter",
        "_watcher",
        "total_bytes",
        "total_raw_bytes",
    )

    total_bytes: int
    """Octets given to the reader's side so far, after content decoding."""
    total_raw_bytes: int
    """Octets received so far, before content decoding."""

    def __init__(self, flow: FlowControl | None = None, limit: int = DEFAULT_LIMIT) -> None:
        self._flow = flow
        self._limit = limit
        self._buffer: deque[bytes] = deque()
        self._offset = 0  # octets of the first piece that were read already
        self._raw: deque[bytes] | None = None
        self._size = 0
        self._decoder: Decoder | None = None
        self._eof = False
        self._exception: BaseException | None = None
        self._paused = False
        self._steps = 0  # decoding steps since the loop had its turn
        self._waiter: asyncio.Future[None] | None = None
        self._deadline: Deadline | None = None
        self._read_timeout: tuple[float, Callable[[], Exception]] | None = None
        self._time_left: float | None = (
            None  # of the deadline when the content was complete, in seconds
        )
        self._minimum_speed: _MinimumSpeed | None = None
        self._size_limit: int | None = None
        self._watcher: ContentWatcher | None = None
        self._told = 0  # octets from the start that the watcher knows of
        self.total_bytes = 0
        self.total_raw_bytes = 0

    @classmethod
    def of_whole(
        cls, data: bytes, flow: FlowControl | None = None, limit: int = DEFAULT_LIMIT
    ) -> "StreamReader":
        """A stream whose content is complete already, so that it never asks `flow` to pause."""
        self = cls(flow, limit)
        if data:
            self._buffer.append(data)
            self._size = self.total_raw_bytes = len(data)
        self._eof = True
        return self

    def __repr__(self) -> str:
        state = "eof" if self._eof else "open"
        return f"<StreamReader {state}, {self._size} octets waiting>"

    # -- the feeding side -------------------------------------------------------------------------------------

    def feed_data(self, data: bytes) -> None:
        """Add octets from the wire; ask the feeding side to pause when more than twice the limit waits.

        Raises: RuntimeError after `feed_eof`.
        """
        if self._eof:
            raise RuntimeError("feed_data after feed_eof")
        if not data:
            return
        self.total_raw_bytes += len(data)
        self._size += len(data)
        (self._buffer if self._raw is None else self._raw).append(data)
        if self._waiter is not None:
            self._wake()
        if self._size > 2 * self._limit and not self._paused and self._flow is not None:
            self._paused = True
            self._flow.pause_reading()

    def feed_eof(self) -> None:
        """Say that the content is complete."""
        self._eof = True
        self._paused = False
        if self._deadline is not None:
            self._stop_deadline(self._deadline)
        if self._waiter is not None:
            self._wake()

    def set_exception(self, exc: BaseException) -> None:
        """Break the stream: reads raise `exc` once what arrived before is read."""
        if self._exception is None and not self._eof:
            self._exception = exc
            self._paused = False
            self._close_deadline()
            if self._waiter is not None:
                self._wake()

    def exception(self) -> BaseException | None:
        """The error that broke the stream, or None."""
        return self._exception

    def decode_with(self, decoder: "Decoder") -> None:
        """Undo a content coding from here on; call it before the first read.

        Raises: RuntimeError when octets were read already.
        """
        if self.total_bytes or self._decoder is not None:
            raise RuntimeError("the content is being read already")
        self._decoder = decoder
        self._raw, self._buffer = self._buffer, deque()

    def set_timeouts(
        self,
        deadline: Deadline | None,
        read_timeout: tuple[float, Callable[[], Exception]] | None = None,
    ) -> None:
        """Bound the waiting: all of it by `deadline`, each wait for octets by `read_timeout` (seconds, error).

        The stream closes the deadline when its content ends. Where a coding is still to be undone, what is left of the
        deadline then is left for that, and counts from the first read that takes long: little content may unpack to
        more than anybody has time for, but content that is kept for later must not be late (O2).
        """
        if self._exception is not None:
            if deadline is not None:
                deadline.close()
            return
        self._deadline = deadline
        self._read_timeout = read_timeout
        if self._eof and deadline is not None:
            self._stop_deadline(deadline)

    def set_minimum_speed(self, octets_per_second: float, seconds: float) -> None:
        """Give up a slower peer: `octets_per_second * seconds` octets must arrive within each `seconds` of waiting.

        Octets of the wire count, before content decoding; only the time in which a task waits for them does, so that a
        slow reader is never taken for a slow peer. Where they do not come, the read raises `SlowTransferError` and the
        connection is aborted.

        Raises: ValueError for numbers that are not positive and finite.
        """
        self._minimum_speed = _MinimumSpeed(octets_per_second, seconds, self.total_raw_bytes)

    def limit_size(self, octets: int | None) -> None:
        """Refuse content of more than so many octets, counted as they are given out: after content decoding (B26).

        What is within the limit is read first; then every read raises `BodyTooLargeError`, and what still arrives is
        aborted. None lifts the limit.

        Raises: ValueError for a negative number.
        """
        if octets is not None and octets < 0:
            raise ValueError("the limit of the content's size must not be negative")
        self._size_limit = octets

    def watch(self, watcher: ContentWatcher) -> None:
        """Show a watcher the content as it is read, from here on. What `read_nowait` takes is not: it cannot wait.

        Raises: RuntimeError when the content is watched already.
        """
        if self._watcher is not None:
            raise RuntimeError("the content is watched already")
        self._watcher = watcher
        self._told = self.total_bytes

    # -- state ------------------------------------------------------------------------------------------------

    def is_eof(self) -> bool:
        """Whether all octets arrived; some may still wait to be read."""
        return self._eof

    def at_eof(self) -> bool:
        """Whether all octets arrived and were read."""
        return (
            self._eof
            and not self._buffer
            and self._exception is None
            and (self._decoder is None or not self._undecoded())
        )

    # -- reading ----------------------------------------------------------------------------------------------

    async def read(self, n: int = -1) -> bytes:
        """Up to n octets, waiting for at least one; everything up to the end for -1; b"" at the end.

        Raises: what broke the stream, `ContentEncodingError`, `TimeoutError`, RuntimeError for a second reader.
        Cancellation: loses no octet.
        """
        if n < 0:
            return await self._read_all()
        if n == 0 or not await self._fill():
            return b""
        return self._take(n)

    async def readany(self) -> bytes:
        """Whatever waits, at least one octet; b"" at the end. Raises and cancels like `read`."""
        return self._take_piece() if await self._fill() else b""

    def read_nowait(self, n: int = -1) -> bytes:
        """Up to n octets of those that wait, all of them for -1; b"" where nothing does.

        Of content with a coding, only what was decoded already waits.

        Raises: what broke the stream once nothing waits, RuntimeError while a task reads.
        """
        if self._waiter is not None:
            raise RuntimeError("another task is reading this stream")
        if self._size_limit is not None:
            self._enforce_limit(self._size_limit)
        if not self._buffer:
            if self._exception is not None:
                raise self._exception
            return b""
        return self._take_all() if n < 0 else self._take(n)

    async def readexactly(self, n: int) -> bytes:
        """Exactly n octets.

        Raises: `asyncio.IncompleteReadError` with the partial octets when the stream ends before, else as `read`.
        Cancellation: loses no octet.
        """
        if n < 0:
            raise ValueError("readexactly size can not be less than zero")
        pieces: list[bytes] = []
        missing = n
        try:
            while missing:
                if not await self._fill():
                    raise asyncio.IncompleteReadError(b"".join(pieces), n)
                piece = self._take(missing)
                pieces.append(piece)
                missing -= len(piece)
        except asyncio.IncompleteReadError:
            raise
        except BaseException:
            self._give_back(pieces)
            raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        """One line with its line feed; the last one may lack it. As `readuntil(b"\\n")`."""
        return await self.readuntil(b"\n", max_size=max_line_length)

    async def readuntil(self, separator: bytes = b"\n", *, max_size: int | None = None) -> bytes:
        """Octets up to and including the separator, or all up to the end where it does not come.

        Raises: `LineTooLong` when more than `max_size` octets (the high-water mark unless given) hold no separator
        (they stay readable), ValueError for an empty separator, else as `read`.
        Cancellation: loses no octet.
        """
        if not separator:
            raise ValueError("the separator is empty")
        limit = 2 * self._limit if max_size is None else max_size
        overlap = len(separator) - 1
        pieces: list[bytes] = []
        tail = b""  # the last octets taken, with which a separator may begin
        taken = 0
        try:
            while await self._fill():
                found = self._find(separator, tail)
                piece = self._take(found or len(self._buffer[0]) - self._offset)
                pieces.append(piece)
                taken += len(piece)
                if taken > limit:
                    raise LineTooLong(b"".join(pieces)[:100], limit, taken)
                if found:
                    break
                if overlap:
                    tail = (tail + piece[-overlap:])[-overlap:]
        except BaseException:
            self._give_back(pieces)
            raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over lines, each with its line feed."""
        return self._iterate(self.readline)

    def iter_any(self) -> AsyncIterator[bytes]:
        """Iterate over the content in pieces as they arrive."""
        return self._iterate(self.readany)

    def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        """Iterate over the content in pieces of at most n octets.

        Raises: ValueError where n is not positive.
        """
        if n < 1:
            raise ValueError("the size of a piece must be at least 1")

        async def read_piece() -> bytes:
            return await self.read(n)

        return self._iterate(read_piece)

    @staticmethod
    async def _iterate(
        read: Callable[[], Coroutine[object, object, bytes]],
    ) -> AsyncIterator[bytes]:
        while piece := await read():
            yield piece

    # -- inside -----------------------------------------------------------------------------------------------

    async def _read_all(self) -> bytes:
        pieces: list[bytes] = []
        try:
            while await self._fill():
                pieces.append(self._take_all())
        except BaseException:
            self._give_back(pieces)
            raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _fill(self) -> bool:
        """Return True once something can be taken, False at the end."""
        if self._waiter is not None:
            raise RuntimeError("another task is reading this stream")
        if self._watcher is not None:
            return await self._fill_watched(self._watcher)
        while not self._buffer:
            if self._decoder is not None and self._undecoded():
                if self._steps >= _STEPS_WITHOUT_BREAK:
                    await self._let_others_run()
                else:
                    self._steps += 1
                    self._decode_step(self._decoder)
            elif self._exception is not None:
                raise self._exception
            elif self._eof:
                self._finish_decoding()
                return False
            else:
                await self._wait()
        if self._size_limit is not None:
            self._enforce_limit(self._size_limit)
            if not self._buffer and self._exception is not None:
                raise self._exception
        return True

    async def _fill_watched(self, watcher: ContentWatcher) -> bool:
        """`_fill`, and what came of it is told."""
        error: Exception | None = None
        filled = False
        self._watcher = None  # for the call of `_fill` alone
        try:
            filled = await self._fill()
        except Exception as exc:
            error = exc
        finally:
            self._watcher = watcher
        # Still the one reader: a second one is refused now too.
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            if filled:
                await self._tell(watcher)
            else:
                self._watcher = None
                await watcher.content_ended(error)
        finally:
            self._waiter = None
        if error is not None:
            raise error
        return filled

    async def _tell(self, watcher: ContentWatcher) -> None:
        """Tell of what waits to be read and was not told yet."""
        end = self.total_bytes - self._offset
        self._told = max(self._told, self.total_bytes)
        for piece in tuple(self._buffer):
            known = self._told - end
            end += len(piece)
            if end > self._told:
                self._told = end
                await watcher.content_arrived(piece[known:] if known > 0 else piece)

    def _enforce_limit(self, limit: int) -> None:
        """Break the stream behind its last octet within the limit, if more than that waits to be read."""
        waiting = sum(map(len, self._buffer)) - self._offset
        if self.total_bytes + waiting <= limit:
            return
        arriving = not self._eof and self._exception is None
        self._paused = False
        allowed = self._take(max(0, limit - self.total_bytes))
        self._drop_waiting()
        self._give_back([allowed])
        self._exception = BodyTooLargeError(limit)
        self._close_deadline()
        if arriving and self._flow is not None:
            self._flow.abort()

    def _drop_waiting(self) -> None:
        """Forget what is not read yet, and that it had a coding."""
        self._buffer.clear()
        self._raw = self._decoder = None
        self._offset = self._size = 0

    async def _let_others_run(self) -> None:
        self._steps = 0
        # Still the one reader: a second one is refused now too.
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            if self._deadline is None:
                await asyncio.sleep(0)
            else:
                await self._let_others_run_in_time(self._deadline)
        finally:
            self._waiter = None

    async def _let_others_run_in_time(self, deadline: Deadline) -> None:
        if self._time_left is not None:
            deadline.restart(self._time_left)
            self._time_left = None
        try:
            with deadline:
                await asyncio.sleep(0)
        except BaseException:
            if deadline.expired and not self._eof and self._flow is not None:
                self._flow.abort()
            raise

    async def _wait(self) -> None:
        """Wait for the feeding side, within the deadline and the read timeout."""
        self._steps = 0
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        try:
            if (
                self._deadline is None
                and self._read_timeout is None
                and self._minimum_speed is None
            ):
                await waiter
            else:
                await self._wait_in_time(waiter)
        finally:
            self._waiter = None

    async def _wait_in_time(self, waiter: "asyncio.Future[None]") -> None:
        quiet = self._next_quiet()
        total = self._deadline
        began = asyncio.get_running_loop().time()
        try:
            with quiet:
                if total is None:
                    await waiter
                else:
                    with total:
                        await waiter
        except BaseException:
            if (quiet.expired or (total is not None and total.expired)) and self._flow is not None:
                # Whoever ran out of time will not read the rest, so the peer must not go on sending it.
                self._flow.abort()
            raise
        finally:
            quiet.close()
            if self._minimum_speed is not None:
                self._minimum_speed.waited(asyncio.get_running_loop().time() - began)

    def _next_quiet(self) -> Deadline:
        """How long the next wait may take by itself: the read timeout, or what the minimum speed leaves of it."""
        patience = self._read_timeout
        if self._minimum_speed is not None:
            left = self._minimum_speed.left(self.total_raw_bytes)
            if patience is None or left < patience[0]:
                patience = (left, self._minimum_speed.error)
        return Deadline.after(None) if patience is None else Deadline.after(*patience)

    def _stop_deadline(self, deadline: Deadline) -> None:
        """The content is complete. Only the undoing of codings may still take long."""
        if self._decoder is None:
            self._close_deadline()
        else:
            self._time_left = deadline.remaining()
            deadline.close()

    def _close_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.close()
            self._deadline = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _undecoded(self) -> bool:
        return bool(self._raw) or (self._decoder is not None and self._decoder.has_pending)

    def _decode_step(self, decoder: "Decoder") -> None:
        data = b""
        if not decoder.has_pending and self._raw:
            data = self._raw.popleft()
            self._shrink(len(data))
        try:
            piece = decoder.decode(data, _DECODE_STEP)
        except ContentEncodingError as exc:
            self._refuse_coding(exc)
            raise
        if piece:
            self._buffer.append(piece)

    def _finish_decoding(self) -> None:
        self._close_deadline()
        if self._decoder is not None:
            if not self.total_raw_bytes:
                # A response to HEAD, a 204 or a 304 names the coding of content that it does not carry.
                self._decoder = None
                return
            try:
                self._decoder.finish()
            except ContentEncodingError as exc:
                self._refuse_coding(exc)
                raise

    def _refuse_coding(self, exc: ContentEncodingError) -> None:
        # Once the stream ended or broke, the connection may carry another exchange already.
        arriving = not self._eof and self._exception is None
        self._exception = exc
        self._decoder = None
        self._close_deadline()
        if self._flow is None:
            return
        if arriving:
            # Nothing of the rest can be read, so the peer must not go on sending it.
            self._flow.abort()
        else:
            self._flow.distrust()

    def _shrink(self, octets: int) -> None:
        self._size -= octets
        if self._paused and self._size <= self._limit and self._flow is not None:
            self._paused = False
            self._flow.resume_reading()

    def _find(self, separator: bytes, tail: bytes) -> int:
        """How many octets of the first piece go up to the end of the separator, which may begin in `tail`; 0 if it
        is not there. The piece is looked at in place: of a large one, many lines are read."""
        first, start = self._buffer[0], self._offset
        if tail:
            found = (tail + first[start : start + len(separator) - 1]).find(separator)
            if found >= 0:
                return found + len(separator) - len(tail)
        found = first.find(separator, start)
        return found + len(separator) - start if found >= 0 else 0

    def _take(self, n: int) -> bytes:
        """Up to n octets, from as many pieces as it takes."""
        buffer = self._buffer
        pieces: list[bytes] = []
        taken = 0
        while buffer and taken < n:
            first = buffer[0]
            piece = (
                first[self._offset : self._offset + n - taken]
                if self._offset or len(first) > n - taken
                else first
            )
            taken += len(piece)
            pieces.append(piece)
            if self._offset + len(piece) == len(first):
                buffer.popleft()
                self._offset = 0
            else:
                self._offset += len(piece)
        return self._taken(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _take_piece(self) -> bytes:
        """The first piece where it is large, else all that waits: never a copy of much."""
        first = self._buffer[0]
        if self._offset or len(first) < _LARGE_PIECE:
            return self._take_all()
        return self._taken(self._buffer.popleft())

    def _take_all(self) -> bytes:
        buffer = self._buffer
        if self._offset:
            buffer[0] = buffer[0][self._offset :]
            self._offset = 0
        data = buffer[0] if len(buffer) == 1 else b"".join(buffer)
        buffer.clear()
        return self._taken(data)

    def _taken(self, data: bytes) -> bytes:
        self.total_bytes += len(data)
        if self._raw is None:
            self._shrink(len(data))
        return data

    def _give_back(self, pieces: list[bytes]) -> None:
        """Put octets back in front: nobody got them."""
        data = b"".join(pieces)
        if not data:
            return
        if self._offset:
            self._buffer[0] = self._buffer[0][self._offset :]
            self._offset = 0
        self._buffer.appendleft(data)
        self.total_bytes -= len(data)
        if self._raw is None:
            self._size += len(data)


@final
class _MinimumSpeed:
    """How long a stream has waited for the octets that a minimum speed asks for."""

    __slots__ = ("_left", "_quota", "_rate", "_seconds", "_start")

    def __init__(self, octets_per_second: float, seconds: float, received: int) -> None:
        if not (0 < octets_per_second < math.inf and 0 < seconds < math.inf):
            raise ValueError("a minimum speed must be positive and finite, and so must its seconds")
        self._rate = octets_per_second
        self._seconds = seconds
        self._quota = octets_per_second * seconds
        self._start = received
        self._left = seconds

    def left(self, received: int) -> float:
        """Seconds of waiting that are left now that so many octets arrived in all."""
        if received - self._start >= self._quota:
            self._start = received
            self._left = self._seconds
        return self._left

    def waited(self, seconds: float) -> None:
        """Count a wait."""
        self._left -= seconds

    def error(self) -> SlowTransferError:
        """What a reader gets when no time is left."""
        return SlowTransferError(self._rate, self._seconds)
