"""The octets of an event stream, taken apart into events: `text/event-stream` by the HTML standard, section 9.2.

Sans-I/O: whoever has octets feeds them, in pieces of any size, and gets the events that they complete.

    stream = [ BOM ] *( comment / field / blank line )        each ends with CR LF, LF or CR
    field  = name [ ":" [ SPACE ] value ]                     a line without a colon is a name
    an event is what stands before a blank line; what stands before the end is none
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar, final, overload

from ._errors import EventTooLargeError

__all__ = ("MAX_EVENT_SIZE", "EventParser", "ServerSentEvent")

MAX_EVENT_SIZE: Final = 4 * 1024 * 1024
"""Octets of a line, and of an event's data, unless somebody says otherwise: those of a WebSocket message."""

Model = TypeVar("Model")

_BOM = b"\xef\xbb\xbf"
_DIGITS = re.compile(rb"[0-9]++\Z")
_MOST_DIGITS = 9
"""Longer numbers are read as the largest of so many digits: eleven days, in milliseconds."""


class ServerSentEvent(NamedTuple):
    """An event that a server sent.

    `event` is its type, `message` where the server named none; `data` is its text, lines joined by line feeds. `id` is
    the last one that the server gave, with this event or before; empty where it gave none. `retry` is what this event
    said about the time before the client connects again, in milliseconds, mostly None.
    """

    event: str
    data: str
    id: str = ""
    retry: int | None = None

    @overload
    def json(self, model: type[Model], *, loads: Callable[[str], Any] | None = None) -> Model: ...

    @overload
    def json(self, model: object = None, *, loads: Callable[[str], Any] | None = None) -> Any: ...

    def json(self, model: Any = None, *, loads: Callable[[str], Any] | None = None) -> Any:
        """The data as JSON, read by `loads` (`json.loads` unless given) and made into a type, if one is given.

        Raises: what `loads` raises, `JSONModelError` for what the model does not take, TypeError for what is no model.
        """
        if loads is None:
            # Imported here: not all data is JSON.
            from ._json_text import read_json

            loads = read_json
        value = loads(self.data)
        if model is None:
            return value
        # Imported here: a program that names no models needs none of it.
        from ._json_models import read_model, reader_of

        return read_model(value, reader_of(model))


@final
class EventParser:
    """Reads one event stream. Never raises: what ends the reading is in `error`.

    `last_event_id` is what events have as their `id` until the server gives another: that of the connection before,
    where there was one. A line or an event's data of more than `max_event_size` octets ends the reading.
    """

    __slots__ = (
        "_after_cr",
        "_bom",
        "_data",
        "_id",
        "_kind",
        "_limit",
        "_line",
        "_retry",
        "error",
        "last_event_id",
        "retry",
    )

    error: EventTooLargeError | None
    """Why nothing more is read."""
    last_event_id: str
    """What a new connection has to send as Last-Event-ID: the id as of the last blank line."""
    retry: int | None
    """The time to wait before connecting again that the server named last, in milliseconds."""

    def __init__(self, last_event_id: str = "", max_event_size: int = MAX_EVENT_SIZE) -> None:
        self._limit = max_event_size
        self._bom: bytes | None = b""  # what may become one; None once that is settled
        self._after_cr = False  # a line feed that comes first belongs to the line before
        self._line = bytearray()  # the beginning of one that has no end yet
        self._data = bytearray()
        self._kind = b""
        self._id = last_event_id
        self._retry: int | None = None
        self.error = None
        self.last_event_id = last_event_id
        self.retry = None

    def feed(self, octets: bytes) -> list[ServerSentEvent]:
        """Take the next octets; return the events that they complete, up to what ends the reading."""
        if self.error is not None:
            return []
        if self._bom is not None:
            octets = self._without_bom(self._bom + octets)
        if not octets:
            return []
        if self._after_cr and octets.startswith(b"\n"):
            octets = octets[1:]
        self._after_cr = octets.endswith(b"\r")
        first, *more = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._line += first
        events: list[ServerSentEvent] = []
        for following in more:
            event = self._end_line()
            if event is not None:
                events.append(event)
            self._line += following
        if len(self._line) > self._limit:
            self.error = EventTooLargeError(self._limit)
        return events

    def _without_bom(self, octets: bytes) -> bytes:
        if len(octets) < len(_BOM) and _BOM.startswith(octets):
            self._bom = octets
            return b""
        self._bom = None
        return octets.removeprefix(_BOM)

    def _end_line(self) -> ServerSentEvent | None:
        line = bytes(self._line)
        self._line.clear()
        if self.error is not None:
            return None
        if not line:
            return self._dispatch()
        if len(line) > self._limit:
            self.error = EventTooLargeError(self._limit)
            return None
        name, _, value = line.partition(b":")
        self._take_field(name, value.removeprefix(b" "))
        return None

    def _take_field(self, name: bytes, value: bytes) -> None:
        """Take a field; others than these four are ignored, comments among them, whose name is empty."""
        if name == b"data":
            if len(self._data) + len(value) > self._limit:
                self.error = EventTooLargeError(self._limit)
                return
            self._data += value
            self._data += b"\n"
        elif name == b"event":
            self._kind = value
        elif name == b"id":
            if b"\0" not in value:
                self._id = _text(value)
        elif name == b"retry" and _DIGITS.match(value) is not None:
            digits = value.lstrip(b"0") or b"0"
            most = 10**_MOST_DIGITS - 1
            self.retry = self._retry = int(digits) if len(digits) <= _MOST_DIGITS else most

    def _dispatch(self) -> ServerSentEvent | None:
        """End an event at its blank line. Without data it is none, but its id and its retry count."""
        data, kind, retry = self._data, self._kind, self._retry
        self._data = bytearray()
        self._kind, self._retry = b"", None
        self.last_event_id = self._id
        if not data:
            return None
        return ServerSentEvent(_text(kind) or "message", _text(data[:-1]), self._id, retry)


def _text(octets: bytes | bytearray) -> str:
    """What the octets say in UTF-8, with U+FFFD for those that say nothing, as the standard has it."""
    return octets.decode("utf-8", "replace")
