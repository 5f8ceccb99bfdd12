"""The push parser of multipart bodies: octets in, events out, no I/O (RFC 2046 section 5.1).

    PREAMBLE --delimiter--> HEAD --blank line--> DATA --delimiter--> HEAD ...
        |                                         |
        +-- last delimiter --> EPILOGUE <---------+

A delimiter is CRLF, two hyphens and the boundary, then blanks and CRLF; the last one has two more hyphens behind the
boundary. Its first CRLF belongs to it and not to the data before it. A body may begin with a delimiter: that is read as
if CRLF stood before it.
"""

import enum
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeAlias, final

from wayfare_http_core import HeadLimits, HttpProcessingError

from ._boundary import check_boundary
from ._errors import BodyTruncatedError, MultipartError, MultipartLimitError, PartHeadError
from ._limits import DEFAULT_MULTIPART_LIMITS, MultipartLimits
from ._part_head import PartHead, are_plain

__all__ = ("END_OF_PART", "EndOfPart", "MultipartEvent", "MultipartParser")

_PADDING: Final = 256
"""Blanks behind a boundary, at most. RFC 2046 allows any number, of which gateways once added a few; a line of more is
data, since it would have to be kept until its end is seen."""

_STRETCH: Final = 64 * 1024
"""Octets in which parts are read all at once. The pieces of a stretch take some times as much memory."""

_LINES: Final = (b"", b"--")
"""What may stand behind a boundary, blanks left out."""


@final
class EndOfPart:
    """A part ended: all of its octets were given."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<EndOfPart>"


END_OF_PART: Final = EndOfPart()
"""The event at the end of a part."""

MultipartEvent: TypeAlias = PartHead | bytes | EndOfPart | MultipartError
"""What a `MultipartParser` answers: for each part its head, pieces of its data, and its end; or what went wrong."""


class _State(enum.Enum):
    PREAMBLE = "before the first part"
    HEAD = "in the head of a part"
    DATA = "in the data of a part"
    EPILOGUE = "behind the last part"
    FAILED = "failed"


_PREAMBLE, _HEAD, _DATA, _EPILOGUE, _FAILED = _State


@final
class MultipartParser:
    """Turns the octets of a multipart body into its parts.

    `feed` it what arrives and `finish` it at the end. Both answer with events in order and never raise for what the
    body holds: an error is the last event, so the data before it is not lost. What it answers does not depend on how
    the octets are cut (M18), it takes time linear in them, and it holds no more than a part's head or a delimiter.
    A Content-Length of a part is ignored: it is the delimiter that counts (M12).

    Raises: `BoundaryError` for a boundary that cannot be one.
    """

    __slots__ = (
        "_at_blank_line",
        "_delimiter",
        "_head_limits",
        "_last_found",
        "_limits",
        "_parts",
        "_pending",
        "_state",
    )

    def __init__(self, boundary: str, limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS) -> None:
        self._delimiter = b"\r\n--" + check_boundary(boundary)
        self._limits = limits
        self._head_limits = HeadLimits(
            field_line=limits.head, fields=limits.fields, head=limits.head
        )
        self._state = _PREAMBLE
        self._parts = 0
        self._pending = b"\r\n"
        # Whether the data begins with the line end of the blank line, which may be the beginning of a delimiter, too.
        self._at_blank_line = False
        self._last_found = -1  # where the last boundary is in what is being read

    def __repr__(self) -> str:
        return f"<MultipartParser {self._state.value}, {self._parts} parts>"

    @property
    def done(self) -> bool:
        """Whether the last delimiter was read; what follows it is ignored (M7)."""
        return self._state is _EPILOGUE

    def feed(self, data: bytes) -> Sequence[MultipartEvent]:
        """The events in the next octets of the body."""
        if self._state is _EPILOGUE or self._state is _FAILED:
            return ()
        if self._pending:
            data = self._pending + data
            self._pending = b""
        events: list[MultipartEvent] = []
        position = 0
        # CPython searches backwards several times faster. In most of a large part, there is nothing to find.
        self._last_found = data.rfind(self._delimiter)
        try:
            plain = True
            while position >= 0 and self._state is not _EPILOGUE:
                if self._state is not _HEAD:
                    position = self._read_data(data, position, events)
                    continue
                if plain:
                    start = position
                    # Not behind a part that is odd: to look at a whole stretch for each of many such takes too long.
                    position, plain = self._read_whole_parts(data, start, events)
                    if plain and position > start:
                        continue
                position = self._read_head(data, position, events)
        except MultipartError as exc:
            self._fail(exc, events)
        return events

    def finish(self) -> Sequence[MultipartEvent]:
        """The events that the end of the body means: an error, where it is too early (M11)."""
        if self._state is _PREAMBLE or self._state is _DATA:
            # The last delimiter needs no line end where nothing follows it.
            rest = self._pending.removeprefix(self._delimiter).removesuffix(b"\r")
            if rest is not self._pending and rest.rstrip(b" \t") == b"--":
                events: list[MultipartEvent] = []
                self._end_part(events)
                self._state = _EPILOGUE
                return events
        if self._state is _EPILOGUE or self._state is _FAILED:
            return ()
        failed: list[MultipartEvent] = []
        self._fail(BodyTruncatedError(f"the body ended {self._state.value}"), failed)
        return failed

    def _fail(self, error: MultipartError, events: list[MultipartEvent]) -> None:
        self._state = _FAILED
        self._pending = b""
        events.append(error)

    def _end_part(self, events: list[MultipartEvent]) -> None:
        if self._state is _DATA:
            events.append(END_OF_PART)

    def _read_data(self, data: bytes, position: int, events: list[MultipartEvent]) -> int:
        """Read up to the end of the next delimiter; -1 where it is not there yet, and the rest is kept."""
        delimiter = self._delimiter
        start = position
        while start <= self._last_found:
            found = data.find(delimiter, start)
            behind = found + len(delimiter)
            end = data.find(b"\r\n", behind, behind + _PADDING + 4)
            if end < 0:
                if self._may_be_delimiter(data[behind : behind + _PADDING + 4]):
                    self._keep(data, position, found, events)
                    return -1
            elif (line := data[behind:end].rstrip(b" \t")) in _LINES and end - behind - len(
                line
            ) <= _PADDING:
                self._give(data, position, found, events)
                self._end_part(events)
                if line:
                    self._state = _EPILOGUE
                    return end
                self._begin_part()
                return end
            # The boundary stands in the data, with something behind it (M6).
            start = found + 1
        self._keep(data, position, self._held_from(data, start), events)
        return -1

    def _may_be_delimiter(self, rest: bytes) -> bool:
        """Whether what follows the boundary, and has no line end yet, may still be the rest of a delimiter."""
        if len(rest) >= _PADDING + 4:
            return False
        blanks = rest.removesuffix(b"\r").rstrip(b" \t")
        return blanks in _LINES or rest == b"-"

    def _held_from(self, data: bytes, start: int) -> int:
        """Where a delimiter may begin whose end has not arrived; the end of the data where none does."""
        delimiter = self._delimiter
        found = data.find(b"\r", max(start, len(data) - len(delimiter) + 1))
        while found >= 0 and not delimiter.startswith(data[found:]):
            found = data.find(b"\r", found + 1)
        return len(data) if found < 0 else found

    def _give(self, data: bytes, start: int, end: int, events: list[MultipartEvent]) -> None:
        """Give the data from one index to another, without the line end that is the head's."""
        if self._at_blank_line and end > start:
            self._at_blank_line = False
            start += 2
        if self._state is _DATA and end > start:
            events.append(data[start:end])

    def _keep(self, data: bytes, start: int, end: int, events: list[MultipartEvent]) -> None:
        """Give the data up to an index, and keep the rest."""
        self._give(data, start, end, events)
        self._pending = data[end:]

    def _begin_part(self) -> None:
        self._state = _HEAD
        self._parts += 1
        limit = self._limits.parts
        if limit is not None and self._parts > limit:
            raise MultipartLimitError("parts", limit)

    def _read_head(self, data: bytes, position: int, events: list[MultipartEvent]) -> int:
        """Read a header section, from the line end before it; -1 where its end is not there yet."""
        start, limit = position + 2, self._limits.head
        end = data.find(b"\r\n\r\n", position, start + limit + 4)
        if end < 0:
            if len(data) >= start + limit + 4:
                raise MultipartLimitError("octets in the head of a part", limit)
            self._pending = data[position:]
            return -1
        section = data[start:end]
        if section.count(b"\r\n") >= self._limits.fields:
            raise MultipartLimitError("fields in a part", self._limits.fields)
        events.append(self._checked(PartHead(section, self._head_limits)))
        self._state = _DATA
        self._at_blank_line = True
        return end + 2

    def _read_whole_parts(
        self, data: bytes, position: int, events: list[MultipartEvent]
    ) -> tuple[int, bool]:
        """Read the parts of a stretch that are here whole, from the line end before a head on, up to an odd one.

        Answers where that one's head begins, and whether there was none. Cutting the stretch at all delimiters in one
        step, and checking all heads in another, halves the time that many small parts take.
        """
        delimiter = self._delimiter
        last = data.rfind(delimiter, position, position + _STRETCH)
        # The last piece is only there to show what follows the last delimiter.
        pieces = data[position : last + len(delimiter) + 2].split(delimiter) if last >= 0 else []
        # A field and its line end have four octets at least: heads of this size cannot have too many fields.
        most = min(self._limits.head, 4 * self._limits.fields)
        parts: list[tuple[bytes, bytes]] = []
        for piece, behind in pairwise(pieces):
            lines, blank_line, content = piece.partition(b"\r\n\r\n")
            if not blank_line or len(lines) > most or behind[:2] != b"\r\n":
                break
            parts.append((lines, content))
            position += len(piece) + len(delimiter)
        checked = are_plain(b"".join([lines for lines, _ in parts]))
        for lines, content in parts:
            head = PartHead(lines[2:], self._head_limits)
            events.append(head if checked else self._checked(head))
            if content:
                events.append(content)
            events.append(END_OF_PART)
            self._begin_part()
        return position, len(parts) + 1 >= len(pieces)

    def _checked(self, head: PartHead) -> PartHead:
        try:
            head.read()
        except HttpProcessingError as exc:
            raise PartHeadError(f"the head of part {self._parts}: {exc}") from exc
        return head
