"""`EventSource`: the events of a URL, over as many connections as that takes.

connect --200--> events --the connection ends--> wait --> connect …
   |                                               ^
   +--204: the end   +--a failure that may pass----+   (but for the first connection: its failure is raised)
   +--anything else: an error
"""

import asyncio
import random
import re
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, final

from multidict import CIMultiDict
from wayfare_http_core import (
    ClientResponseError,
    hdrs,
)
from yarl import URL

from ._event_parser import ServerSentEvent
from ._event_stream import EventStream
from ._options import RequestOptions
from ._reconnecting import may_reconnect, reconnect_delay, retry_after
from ._response import ClientResponse

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from ._session import ClientSession

__all__ = ("EventSource", "Reconnection")

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]", re.ASCII)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnection:
    """When an `EventSource` or a `ReconnectingWebSocket` connects again. Times are in seconds.

    `delay` is the wait before the next connection until the server names another. To it comes a random part of the same
    length, which doubles with each failure in a row up to `max_delay`. `failures` is how many connections in a row may
    fail before the last error is raised; None for any number.

    Raises: ValueError for what is negative.
    """

    delay: float = 3.0
    max_delay: float = 60.0
    failures: int | None = None

    def __post_init__(self) -> None:
        for name in ("delay", "max_delay", "failures"):
            number = getattr(self, name)
            # Asked this way round, since NaN is neither more nor less than anything.
            if number is not None and not number >= 0:
                raise ValueError(f"{name} must not be negative: {number!r}")


@final
class EventSource(AsyncIterator[ServerSentEvent]):
    """Iterates over the events of a URL, connecting again where a connection ends; made by `ClientSession.events`.

    Use it with `async with`, or call `close` when you are done. It ends when the server answers 204, which is how a
    server says that there is nothing more (HTML standard, section 9.2).

    Raises: what the first connection raises; `ClientResponseError` for an answer other than 200 and 204 that will not
    pass (those of `RETRY_STATUSES` may), `ContentTypeError` for one that is no event stream, `EventTooLargeError`;
    what the last of too many connections raised; RuntimeError for a second task that waits.
    Cancellation: loses no event; the next step goes on.
    """

    __slots__ = (
        "_busy",
        "_due",
        "_ended",
        "_failures",
        "_max_event_size",
        "_method",
        "_opened",
        "_options",
        "_reconnection",
        "_retry",
        "_session",
        "_stream",
        "_url",
        "last_event_id",
        "response",
    )

    last_event_id: str
    """The id of the last event, which the next connection sends as Last-Event-ID."""
    response: ClientResponse | None
    """The response whose events are read; None while there is no connection."""

    def __init__(
        self,
        session: "ClientSession",
        method: str,
        url: str | URL,
        options: RequestOptions,
        *,
        last_event_id: str,
        reconnection: Reconnection,
        max_event_size: int,
    ) -> None:
        if "raise_for_status" in options:
            raise ValueError("raise_for_status: an event source judges the status itself")
        self._session = session
        self._method = method
        self._url = url
        self._options = options
        self._reconnection = reconnection
        self._max_event_size = max_event_size
        self._retry = reconnection.delay
        self._stream: EventStream | None = None
        self._failures = 0
        self._due = 0.0
        self._opened = False
        self._busy = False
        self._ended = asyncio.Event()
        self.last_event_id = last_event_id
        self.response = None

    @property
    def closed(self) -> bool:
        """Whether it ended: no connection is left, and none will be made."""
        return self._ended.is_set()

    @override
    async def __anext__(self) -> ServerSentEvent:
        if self._busy:
            raise RuntimeError("another task waits for the next event of this source")
        self._busy = True
        try:
            while not self.closed:
                event = await self._step()
                if event is not None:
                    return event
        finally:
            self._busy = False
        raise StopAsyncIteration

    async def _step(self) -> ServerSentEvent | None:
        """Get an event, or the next connection, or nearer to it."""
        try:
            if self._stream is None:
                await self._connect()
                return None
            event = await anext(self._stream, None)
        except Exception as exc:
            if self._gives_up(exc):
                self.close()
                raise
            self._reconnect_later(exc)
            return None
        if event is None:
            self._reconnect_later(None)
        else:
            self.last_event_id = event.id
        return event

    async def _connect(self) -> None:
        if self._opened:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._due):
                    await self._ended.wait()
                return
        options = self._options.copy()
        options["headers"] = self._fields()
        options["raise_for_status"] = False
        response = await self._session.request(self._method, self._url, **options)
        if response.status == 204 or self.closed:
            response.close()
            self.close()
            return
        try:
            if response.status != 200:
                message = f"events need an answer of status 200, not {response.status}"
                raise response.make_error(ClientResponseError, message)
            self._stream = response.events(
                last_event_id=self.last_event_id, max_event_size=self._max_event_size
            )
        except BaseException:
            response.close()
            raise
        self.response = response
        self._opened = True
        self._failures = 0

    def _fields(self) -> "CIMultiDict[str | int | bytes]":
        fields: CIMultiDict[str | int | bytes] = CIMultiDict(self._options.get("headers") or ())
        fields.setdefault(hdrs.ACCEPT, "text/event-stream")
        fields.setdefault(hdrs.CACHE_CONTROL, "no-store")
        # An id can have controls that no field can: the server gave it, and gets none back.
        if self.last_event_id and _CONTROL.search(self.last_event_id) is None:
            fields["Last-Event-ID"] = self.last_event_id
        return fields

    def _gives_up(self, error: Exception) -> bool:
        allowed = self._reconnection.failures
        return (
            not self._opened
            or self._session.closed
            or not may_reconnect(error)
            or (allowed is not None and self._failures >= allowed)
        )

    def _reconnect_later(self, error: Exception | None) -> None:
        """Be done with a connection that ended, or that was not made, and set the time of the next one."""
        stream, response = self._stream, self.response
        self._stream = self.response = None
        if stream is None:
            self._failures += 1
        elif stream.retry is not None:
            self._retry = stream.retry / 1000
        if stream is not None:
            # An id without an event counts, too.
            self.last_event_id = stream.last_event_id
        if response is not None:
            response.close()
        wait = reconnect_delay(
            max(self._retry, retry_after(error)),
            self._reconnection.max_delay,
            self._failures,
            random.random(),
        )
        self._due = asyncio.get_running_loop().time() + wait

    def close(self) -> None:
        """End it, and close the connection; idempotent. Whoever waits for an event sees the end."""
        self._ended.set()
        self._stream = None
        response, self.response = self.response, None
        if response is not None:
            response.close()

    async def __aenter__(self) -> "EventSource":
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
