"""`DataQueue`: a stream of values, as `StreamReader` is one of octets."""

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, Protocol, TypeVar

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("DataQueue", "EofStream", "FlowControlDataQueue", "PausableFeed")

T = TypeVar("T")


class EofStream(Exception):
    """A queue ended, and all its values were read."""


class PausableFeed(Protocol):
    """Whoever feeds a queue and can be told to wait."""

    def pause_reading(self) -> None:
        """Feed no more for now."""

    def resume_reading(self) -> None:
        """Feed again."""


class DataQueue(Generic[T]):
    """Values in the order they were fed, read by one task; the queue ends, or breaks.

    What was fed before an error is read first. `loop` is the event loop of the reader, the running one unless given.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._values: deque[tuple[T, int]] = deque()
        self._eof = False
        self._exception: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._values)

    # A queue that waits for its first value is no false one.
    def __bool__(self) -> bool:
        return True

    def feed_data(self, data: T, size: int = 0) -> None:
        """Add a value; `size` is what it weighs for a queue that controls its flow. Never blocks.

        Raises: RuntimeError after `feed_eof`.
        """
        if self._eof:
            raise RuntimeError("feed_data after feed_eof")
        self._values.append((data, size))
        self._wake()

    def feed_eof(self) -> None:
        """Say that no value follows."""
        self._eof = True
        self._wake()

    def set_exception(self, exc: BaseException, cause: BaseException | None = None) -> None:
        """Break the queue: `read` raises `exc`, from `cause` where one is given, once what was fed before is read."""
        if self._exception is None and not self._eof:
            if cause is not None:
                exc.__cause__ = cause
            self._exception = exc
            self._eof = True
            self._wake()

    def exception(self) -> BaseException | None:
        """The error that broke the queue, or None."""
        return self._exception

    def is_eof(self) -> bool:
        """Whether no value follows those that wait."""
        return self._eof

    def at_eof(self) -> bool:
        """Whether no value follows and none waits."""
        return self._eof and not self._values

    async def read(self) -> T:
        """The next value, waiting for it.

        Raises: `EofStream` at the end, what broke the queue, RuntimeError for a second reader.
        Cancellation: loses no value.
        """
        if self._waiter is not None:
            raise RuntimeError("another task is reading this queue")
        while not self._values:
            if self._exception is not None:
                raise self._exception
            if self._eof:
                raise EofStream
            await self._wait()
        data, size = self._values.popleft()
        self._taken(size)
        return data

    def __aiter__(self) -> AsyncIterator[T]:
        """Iterate over the values up to the end."""
        return _QueueIterator(self)

    async def _wait(self) -> None:
        loop = self._loop or asyncio.get_running_loop()
        self._waiter = loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _taken(self, size: int) -> None:
        """A value of that size was read."""


class FlowControlDataQueue(DataQueue[T]):
    """A queue that asks its feeding side to pause while the values that wait weigh more than twice the limit.

    Below the limit it asks it to go on. Weights are the sizes given to `feed_data`, in whatever unit the limit is.
    """

    def __init__(
        self, protocol: PausableFeed, limit: int, *, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(loop)
        self._feed = protocol
        self._limit = limit
        self._size = 0
        self._paused = False

    @override
    def feed_data(self, data: T, size: int = 0) -> None:
        """Add a value that weighs `size`; ask for a pause where that is too much. Never blocks.

        Raises: RuntimeError after `feed_eof`.
        """
        super().feed_data(data, size)
        self._size += size
        if self._size > 2 * self._limit and not self._paused:
            self._paused = True
            self._feed.pause_reading()

    @override
    def _taken(self, size: int) -> None:
        self._size -= size
        if self._paused and self._size <= self._limit:
            self._paused = False
            if not self._eof:
                self._feed.resume_reading()


class _QueueIterator(AsyncIterator[T]):
    __slots__ = ("_queue",)

    def __init__(self, queue: DataQueue[T]) -> None:
        self._queue = queue

    @override
    async def __anext__(self) -> T:
        try:
            return await self._queue.read()
        except EofStream:
            raise StopAsyncIteration from None
