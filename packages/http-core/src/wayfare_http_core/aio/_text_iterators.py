"""Iterators over a stream's content as text, lines and JSON values.

Each holds what it has read and not given out: at most a piece of the content and a line. Cancelling a step loses none
of it, for this iterator; another reader of the same stream does not get it.
"""

import codecs
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, final

from wayfare_http_core._errors import LineTooLong

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("JSONLinesIterator", "LineIterator", "TextIterator")

_EXCERPT = 100


@final
class TextIterator(AsyncIterator[str]):
    """Iterates over text, decoded as it arrives; a character is never cut.

    Raises: LookupError for an encoding that is not known, when it is made; UnicodeDecodeError where the octets are not
    in that encoding and `errors` does not say what to do.
    Cancellation: loses nothing.
    """

    __slots__ = ("_decoder", "_read")

    def __init__(self, read: Callable[[], Awaitable[bytes]], encoding: str, errors: str) -> None:
        self._read = read
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)

    @override
    async def __anext__(self) -> str:
        while True:
            piece = await self._read()
            # At the end, again and again: the decoder raises for a character that is cut, once.
            text = self._decoder.decode(piece, final=not piece)
            if text:
                return text
            if not piece:
                raise StopAsyncIteration


@final
class LineIterator(AsyncIterator[str]):
    r"""Iterates over lines without their ends, which are \n, \r\n and \r: those of Python's text files.

    Not `str.splitlines`, which also cuts at form feeds and at separators of Unicode that occur within lines (Y2). What
    is behind the last line end is a line unless it is empty.

    Raises: `LineTooLong` for a line of more characters than the limit, of which nothing more is read then.
    Cancellation: loses nothing.
    """

    __slots__ = ("_begun", "_ended", "_length", "_limit", "_lines", "_pieces")

    def __init__(self, pieces: AsyncIterator[str], limit: int) -> None:
        self._pieces = pieces
        self._limit = limit
        self._lines: deque[str] = deque()  # whole ones
        self._begun: list[str] = []  # the pieces of the one that has no end yet
        self._length = 0
        self._ended = (
            False  # whether the text so far ended with \r: a \n that follows belongs to it
        )

    @override
    async def __anext__(self) -> str:
        while not self._lines:
            if self._length > self._limit:
                raise self._too_long("".join(self._begun))
            try:
                text = await anext(self._pieces)
            except StopAsyncIteration:
                if not self._begun:
                    raise
                self._end_line("")
                break
            self._split(text)
        line = self._lines.popleft()
        if len(line) > self._limit:
            self._lines.appendleft(line)
            raise self._too_long(line)
        return line

    def _split(self, text: str) -> None:
        if self._ended and text.startswith("\n"):
            text = text[1:]
        self._ended = text.endswith("\r")
        first, *more = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if more:
            self._end_line(first)
            self._lines.extend(more[:-1])
            first = more[-1]
        if first:
            self._begun.append(first)
            self._length += len(first)

    def _end_line(self, text: str) -> None:
        self._begun.append(text)
        self._lines.append("".join(self._begun))
        self._begun.clear()
        self._length = 0

    def _too_long(self, line: str) -> LineTooLong:
        return LineTooLong(line[:_EXCERPT], self._limit, len(line))


@final
class JSONLinesIterator(AsyncIterator[Any]):
    """Iterates over JSON values, one on each line; blank lines are skipped.

    Raises: what `loads` raises, for its line alone; UnicodeDecodeError for a line that is not UTF-8; else as the
    stream.
    Cancellation: loses nothing.
    """

    __slots__ = ("_loads", "_readline")

    def __init__(
        self, readline: Callable[[], Awaitable[bytes]], loads: Callable[[str], Any] | None
    ) -> None:
        self._readline = readline
        self._loads = json.loads if loads is None else loads

    @override
    async def __anext__(self) -> Any:
        while line := await self._readline():
            if line := line.strip(b" \t\r\n"):
                return self._loads(line.decode("utf-8"))
        raise StopAsyncIteration
