"""The events of a body, pulled from where its octets come from."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import final

from ._errors import MultipartError
from ._parser import END_OF_PART, MultipartEvent, MultipartParser
from ._part_head import PartHead

__all__ = ("PartEvents",)


@final
class PartEvents:
    """What a body's reader and the reader of its current part share. One task at a time may wait.

    The `take_…` methods give what is here already, without a coroutine for each piece.
    """

    __slots__ = ("_ended", "_error", "_events", "_parser", "_read", "_waiting")

    def __init__(self, parser: MultipartParser, read: Callable[[], Awaitable[bytes]]) -> None:
        self._parser = parser
        self._read = read
        self._events: deque[MultipartEvent] = deque()
        self._error: MultipartError | None = None
        self._ended = False
        self._waiting = False

    def take_head(self) -> PartHead | None:
        """The head that comes next, if it is here already."""
        events = self._events
        if events:
            head = events[0]
            if type(head) is PartHead:
                events.popleft()
                return head
        return None

    def take_content(self, limit: int) -> bytes | None:
        """All data up to the end of the part, if that is here in one piece already, and no more than `limit` octets."""
        events = self._events
        if len(events) > 1 and events[1] is END_OF_PART:
            data = events[0]
            if type(data) is bytes and len(data) <= limit:
                events.popleft()
                events.popleft()
                return data
        return None

    def take_data(self) -> bytes:
        """The data that comes next, if it is here already, else none."""
        events = self._events
        if events:
            data = events[0]
            if type(data) is bytes:
                events.popleft()
                return data
        return b""

    def take_end(self) -> bool:
        """Whether the part ends next, and that is here already; it is passed then."""
        ends = bool(self._events) and self._events[0] is END_OF_PART
        if ends:
            self._events.popleft()
        return ends

    async def next(self) -> MultipartEvent | None:
        """The next event; None behind the last part.

        Raises: `MultipartError`, again and again, whatever reading raises, RuntimeError while another task waits.
        Cancellation: loses no event.
        """
        while not self._events:
            if self._error is not None:
                raise self._error
            if self._ended:
                return None
            await self._read_on()
        event = self._events.popleft()
        if isinstance(event, MultipartError):
            self._error = event
            raise event
        return event

    async def _read_on(self) -> None:
        if self._waiting:
            raise RuntimeError("another task is reading this body")
        self._waiting = True
        try:
            piece = await self._read()
        finally:
            self._waiting = False
        self._events += self._parser.feed(piece) if piece else self._parser.finish()
        self._ended = not piece or self._parser.done
