"""`StreamReader`: the content of a message as it arrives, read by one task.

Octets wait here undecoded; a content coding is undone piece by piece when somebody reads. So what waits is bounded
by the read limit whatever the coding's ratio, and content that nobody reads is never decoded.
"""

import asyncio
import sys
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

from wayfare_http_core._errors import BodyTooLargeError, ContentEncodingError, LineTooLong

from ._content_watcher import ContentWatcher, Watch
from ._deadlines import Deadline
from ._stream_buffer import StreamBuffer
from ._stream_feed import DEFAULT_LIMIT, FlowControl, StreamFeed
from ._stream_iterators import AsyncStreamIterator, ChunkTupleAsyncStreamIterator

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from wayfare_http_core._codings import Decoder

    from ._coded_content import CodedContent

__all__ = ("EMPTY_PAYLOAD", "StreamReader")

_STEPS_WITHOUT_BREAK = 2
"""Decoding steps at a stretch before the loop gets its turn: a millisecond of work, or ten where the content was made
to cost much (Z12). Steps and not octets, since a step may work through much input and give nothing."""


@final
class StreamReader(StreamFeed):
    """A stream of octets that ends, or breaks.

    What arrived before an error is read first, then every read raises the error. Cancelling a read loses no
    octet: the next read gives what the cancelled one would have given. Only one task reads at a time; a second
    one gets a RuntimeError.

    A response's content is fed by its connection, which is the `protocol`. Without one, feed the stream yourself:
    `feed_data`, `feed_eof`, and `drain` to keep pace with the reader. Such a stream can be a request's data. `limit` is
    the low-water mark in octets, `timer` a deadline for all the waiting; `loop` is ignored, and deprecated.
    """

    __slots__ = ("_size_limit", "_steps", "_watch", "total_bytes")

    total_bytes: int
    """Octets given to the reader's side so far, after content decoding."""

    def __init__(
        self,
        protocol: FlowControl | None = None,
        limit: int = DEFAULT_LIMIT,
        *,
        timer: Deadline | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(protocol, limit)
        self._steps = 0  # decoding steps since the loop had its turn
        self._size_limit: int | None = None
        self._watch: Watch | None = None
        self.total_bytes = 0
        if timer is not None:
            self.set_timeouts(timer)
        if loop is not None:
            warnings.warn(
                "a StreamReader needs no loop: leave the argument out", DeprecationWarning, 2
            )

    @classmethod
    def of_whole(
        cls,
        data: bytes,
        flow: FlowControl | None = None,
        limit: int = DEFAULT_LIMIT,
        chunk_sizes: bytes = b"",
    ) -> "StreamReader":
        """A stream whose content is complete already, so that it never asks `flow` to pause."""
        self = cls(flow, limit)
        if data:
            self._buffer.append(data)
            self.total_raw_bytes = len(data)
        if chunk_sizes:
            self.mark_chunks(chunk_sizes)
        self._eof = True
        return self

    @override
    def __repr__(self) -> str:
        state = "eof" if self._eof else "open"
        if self._exception is not None:
            state = f"broken by {type(self._exception).__name__}"
        return f"<StreamReader {state}, {self._waiting} octets waiting>"

    def decode_with(self, decoder: "Decoder") -> None:
        """Undo a content coding from here on; call it before the first read. Content that is empty has no coding.

        Raises: RuntimeError when octets were read already.
        """
        if self._eof and not self.total_raw_bytes:
            return
        if self.total_bytes or self._coded is not None:
            raise RuntimeError("the content is being read already")
        # Imported here: it loads with the first coded content.
        from ._coded_content import CodedContent

        self._coded = CodedContent(decoder, self._buffer)
        self._buffer = StreamBuffer()

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

        There may be several: they are told one after the other, the first one first. A later one is not shown what
        the others were shown before.
        """
        if self._watch is None:
            self._watch = Watch(watcher, self.total_bytes)
        else:
            self._watch.add(watcher)

    # -- state -----------------------------------------------------------------------------------------------------

    @property
    def total_compressed_bytes(self) -> int | None:
        """Octets received so far of content with a coding; None where nothing is to be decoded."""
        return None if self._coded is None else self.total_raw_bytes

    def at_eof(self) -> bool:
        """Whether all octets arrived and were read."""
        return (
            self._eof
            and not self._buffer.size
            and self._exception is None
            and (self._coded is None or not self._coded.pending)
        )

    # -- reading ---------------------------------------------------------------------------------------------------

    async def read(self, n: int = -1) -> bytes:
        """Up to n octets, waiting for at least one; everything up to the end for -1; b"" at the end.

        Raises: what broke the stream, `ContentEncodingError`, `BodyTooLargeError`, `TimeoutError`, RuntimeError for a
        second reader.
        Cancellation: loses no octet.
        """
        if n < 0:
            return await self._read_all()
        if n == 0 or not await self._fill():
            return b""
        return self._taken(self._buffer.take(n))

    async def readany(self) -> bytes:
        """Whatever waits, at least one octet; b"" at the end. Raises and cancels like `read`."""
        return self._taken(self._buffer.take_piece()) if await self._fill() else b""

    async def readchunk(self) -> tuple[bytes, bool]:
        """Octets of one HTTP chunk, and whether they are its last ones; (b"", False) at the end.

        A chunk comes whole where it waits whole, else in pieces. With a content coding, what a chunk unpacks to may be
        nothing: (b"", True). Raises and cancels like `read`.
        """
        if not await self._fill(by_chunks=True):
            return b"", False
        buffer, marks = self._buffer, self._marks
        if self._coded is not None:
            data = self._taken(buffer.take_piece()) if buffer.size else b""
            return data, not buffer.size and self._at_chunk_end(self._coded)
        end = None if marks is None else marks.next_end(self._position)
        if end is None:
            return self._taken(buffer.take_piece()), False
        data = self._taken(buffer.take(end - self._position))
        return data, end == self._position

    def read_nowait(self, n: int = -1) -> bytes:
        """Up to n octets of those that wait, all of them for -1; b"" where nothing does.

        Of content with a coding, only what was decoded already waits.

        Raises: what broke the stream once nothing waits, RuntimeError while a task reads.
        """
        if self._waiter is not None:
            raise RuntimeError("another task is reading this stream")
        if self._size_limit is not None:
            self._enforce_limit(self._size_limit)
        if not self._buffer.size:
            if self._exception is not None:
                raise self._exception
            return b""
        return self._taken(self._buffer.take_all() if n < 0 else self._buffer.take(n))

    def peek(self, n: int) -> bytes:
        """Up to n octets of those that arrived, which stay there to be read.

        Of coded content that nobody has read yet, what one step of decoding gives. Never raises: what is wrong with the
        content shows when it is read. Nothing while a task reads.
        """
        if self._waiter is not None:
            return b""
        coded = self._coded
        if not self._buffer.size and coded is not None and coded.pending:
            # What broke the stream now is raised by the next read.
            with suppress(ContentEncodingError):
                self._decode_step(coded, False)
        if self._size_limit is not None:
            self._enforce_limit(self._size_limit)
        data = self._buffer.take(n)
        self._buffer.put_back(data)
        return data

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
                piece = self._taken(self._buffer.take(missing))
                pieces.append(piece)
                missing -= len(piece)
        except asyncio.IncompleteReadError:
            raise
        except BaseException:
            self._give_back(b"".join(pieces))
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
        left = limit
        found = False
        try:
            while not found and await self._fill():
                piece, found = self._buffer.take_until(separator, tail, left)
                self._taken(piece)
                pieces.append(piece)
                left -= len(piece)
                if left < 0:
                    raise LineTooLong(b"".join(pieces)[:100], limit, limit - left)
                if overlap:
                    tail = (tail + piece[-overlap:])[-overlap:]
        except BaseException:
            self._give_back(b"".join(pieces))
            raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def unread(self, data: bytes) -> None:
        """Put octets back in front of those that wait: the next read gives them again.

        Raises: ValueError for more octets than were read, RuntimeError while a task reads.
        """
        if self._waiter is not None:
            raise RuntimeError("another task is reading this stream")
        if len(data) > self.total_bytes:
            raise ValueError("more octets are put back than were read")
        self._give_back(data)

    def unread_data(self, data: bytes) -> None:
        """Put octets back.

        Deprecated: use `unread`.
        """
        warnings.warn("StreamReader.unread_data is called unread now", DeprecationWarning, 2)
        self.unread(data)

    # -- iterating -------------------------------------------------------------------------------------------------

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over lines, each with its line feed."""
        return AsyncStreamIterator(self.readline)

    def iter_any(self) -> AsyncIterator[bytes]:
        """Iterate over the content in pieces as they arrive."""
        return AsyncStreamIterator(self.readany)

    def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        """Iterate over the content in pieces of at most n octets.

        Raises: ValueError where n is not positive.
        """
        if n < 1:
            raise ValueError("the size of a piece must be at least 1")
        return AsyncStreamIterator(lambda: self.read(n))

    def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        """Iterate over the content by HTTP chunks; see `readchunk`."""
        return ChunkTupleAsyncStreamIterator(self)

    def iter_text(self, encoding: str = "utf-8", errors: str = "strict") -> AsyncIterator[str]:
        """Iterate over the content as text, in pieces as they arrive; a character is never cut.

        Raises: LookupError for an encoding that is not known.
        """
        from ._text_iterators import TextIterator

        return TextIterator(self.readany, encoding, errors)

    def iter_lines(
        self,
        encoding: str = "utf-8",
        errors: str = "strict",
        *,
        max_line_length: int | None = None,
    ) -> AsyncIterator[str]:
        r"""Iterate over the lines of the text, without their ends, which are \n, \r\n or \r.

        A line of more than `max_line_length` characters (the high-water mark unless given) raises `LineTooLong`.

        Raises: LookupError for an encoding that is not known.
        """
        from ._text_iterators import LineIterator, TextIterator

        limit = 2 * self._limit if max_line_length is None else max_line_length
        return LineIterator(TextIterator(self.readany, encoding, errors), limit)

    def iter_json_lines(
        self,
        loads: Callable[[str], Any] | None = None,
        *,
        max_line_length: int | None = None,
    ) -> AsyncIterator[Any]:
        r"""Iterate over JSON values, one on each line, in UTF-8; lines end in \n, and blank ones are skipped.

        `loads` reads a line, `json.loads` unless given. What it raises ends no stream: the next value is the next
        line's. A line of more than `max_line_length` octets (the high-water mark unless given) raises `LineTooLong`.
        """
        from ._text_iterators import JSONLinesIterator

        return JSONLinesIterator(lambda: self.readline(max_line_length=max_line_length), loads)

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _read_all(self) -> bytes:
        pieces: list[bytes] = []
        try:
            while await self._fill():
                pieces.append(self._taken(self._buffer.take_all()))
        except BaseException:
            self._give_back(b"".join(pieces))
            raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _fill(self, by_chunks: bool = False) -> bool:
        """Return True once something can be taken, False at the end.

        Of coded content, `by_chunks` also returns where a chunk ended, even if it unpacked to nothing.
        """
        if self._waiter is not None:
            raise RuntimeError("another task is reading this stream")
        if self._watch is not None:
            return await self._fill_watched(self._watch, by_chunks)
        coded = self._coded
        while not self._buffer.size:
            if coded is not None and coded.pending:
                if self._steps >= _STEPS_WITHOUT_BREAK:
                    await self._let_others_run()
                    continue
                self._steps += 1
                if self._decode_step(coded, by_chunks):
                    break
            elif self._exception is not None:
                raise self._exception
            elif self._eof:
                self._finish()
                return False
            else:
                await self._wait()
        if self._size_limit is not None:
            self._enforce_limit(self._size_limit)
            if not self._buffer.size and self._exception is not None:
                raise self._exception
        return True

    async def _fill_watched(self, watch: Watch, by_chunks: bool) -> bool:
        """`_fill`, and what came of it is told."""
        error: Exception | None = None
        filled = False
        self._watch = None  # for the call of `_fill` alone
        try:
            filled = await self._fill(by_chunks)
        except Exception as exc:
            error = exc
        finally:
            self._watch = watch
        # Still the one reader: a second one is refused now too.
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            if filled:
                await watch.tell(self._buffer, self.total_bytes)
            else:
                self._watch = None
                await watch.watcher.content_ended(error)
        finally:
            self._waiter = None
        if error is not None:
            raise error
        return filled

    async def _let_others_run(self) -> None:
        self._steps = 0
        # Still the one reader: a second one is refused now too.
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            if self._patience is None:
                await asyncio.sleep(0)
            else:
                await self._patience.yield_in_time()
        except BaseException:
            self._abort_if_late()
            raise
        finally:
            self._waiter = None

    async def _wait(self) -> None:
        """Wait for the feeding side, within the bounds."""
        self._steps = 0
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        try:
            if self._patience is None:
                await waiter
            else:
                await self._patience.wait(waiter, self.total_raw_bytes)
        except BaseException:
            self._abort_if_late()
            raise
        finally:
            self._waiter = None

    def _decode_step(self, coded: "CodedContent", by_chunks: bool) -> bool:
        """Undo a little of the coding; returns whether that was the end of a chunk, where that is asked for."""
        at_most = None
        if by_chunks and self._marks is not None:
            end = self._marks.next_end(self._position)
            at_most = None if end is None else end - self._position
        try:
            piece = coded.decode(at_most)
        except ContentEncodingError as exc:
            self._refuse_coding(exc)
            raise
        if piece:
            self._buffer.append(piece)
        self._relieve()
        return by_chunks and self._at_chunk_end(coded)

    def _at_chunk_end(self, coded: "CodedContent") -> bool:
        """Whether coded content was decoded up to the end of a chunk, exactly."""
        marks = self._marks
        return (
            marks is not None
            and coded.drained
            and marks.next_end(self._position - 1) == self._position
        )

    def _finish(self) -> None:
        """All was read. Raises `ContentEncodingError` where the coded content is not whole."""
        if self._patience is not None:
            self._patience.close()
        # A response to HEAD, a 204 or a 304 names the coding of content that it does not carry.
        if self._coded is not None and self.total_raw_bytes:
            try:
                self._coded.finish()
            except ContentEncodingError as exc:
                self._refuse_coding(exc)
                raise

    def _refuse_coding(self, exc: ContentEncodingError) -> None:
        # Once the stream ended or broke, the connection may carry another exchange already.
        arriving = not self._eof and self._exception is None
        self._coded = None
        self._break(exc)
        if self._flow is None:
            return
        if arriving:
            # Nothing of the rest can be read, so the peer must not go on sending it.
            self._flow.abort()
        else:
            self._flow.distrust()

    def _enforce_limit(self, limit: int) -> None:
        """Break the stream behind its last octet within the limit, if more than that waits to be read."""
        if self.total_bytes + self._buffer.size <= limit:
            return
        arriving = not self._eof and self._exception is None
        self._buffer.truncate(max(0, limit - self.total_bytes))
        self._coded = self._marks = None
        self._break(BodyTooLargeError(limit))
        if arriving and self._flow is not None:
            self._flow.abort()

    def _taken(self, data: bytes) -> bytes:
        self.total_bytes += len(data)
        if self._paused:
            self._relieve()
        return data

    def _give_back(self, data: bytes) -> None:
        """Put octets back in front: nobody got them."""
        self._buffer.put_back(data)
        self.total_bytes -= len(data)


EMPTY_PAYLOAD = StreamReader.of_whole(b"")
"""No content: a stream at its end, which any number of tasks may read."""
