"""`EventStream`: the events of one response."""

import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import final

from ._event_parser import EventParser, ServerSentEvent

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("EventStream",)


@final
class EventStream(AsyncIterator[ServerSentEvent]):
    """Iterates over the events of a response; made by `ClientResponse.events`.

    Raises: `EventTooLargeError` behind the last event within bounds, else as the content.
    Cancellation: loses nothing.
    """

    __slots__ = ("_parser", "_pending", "_read")

    def __init__(self, read: Callable[[], Awaitable[bytes]], parser: EventParser) -> None:
        """`read` gives the next octets, none at the end."""
        self._read = read
        self._parser = parser
        self._pending: deque[ServerSentEvent] = deque()

    @property
    def last_event_id(self) -> str:
        """The id that the server gave last, for `Last-Event-ID`; empty where it gave none.

        It may be newer than the event that was read last: several of them arrive at once.
        """
        return self._parser.last_event_id

    @property
    def retry(self) -> int | None:
        """The time to wait before connecting again that the server named, in milliseconds."""
        return self._parser.retry

    @override
    async def __anext__(self) -> ServerSentEvent:
        while not self._pending:
            if self._parser.error is not None:
                raise self._parser.error
            octets = await self._read()
            if not octets:
                raise StopAsyncIteration
            self._pending.extend(self._parser.feed(octets))
        return self._pending.popleft()
