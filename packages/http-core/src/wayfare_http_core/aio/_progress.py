"""`ProgressWatch`: the timeouts of an exchange, which say who has to move next and how long that may take.

    octets wait to be sent             the peer has to take them      write timeout; before the head, read timeout
    the body's iterator thinks         we have to                     none: the caller's own time
    the request is sent, no head yet   the peer has to answer         read timeout, first-byte timeout
    the head is there                  the peer has to send           the content stream keeps the read timeout

One timer serves a connection, whatever number of exchanges it carries. It is not set anew for each of them and not
cancelled after it: when it goes off it asks what is due now, and mostly sets itself for a later moment.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from math import inf
from typing import NamedTuple, Protocol, final

from wayfare_http_core._connection import ExchangeOptions
from wayfare_http_core._errors import (
    FirstByteTimeoutError,
    ReadTimeoutError,
    SocketTimeoutError,
    WriteTimeoutError,
)

__all__ = ("Progress", "ProgressWatch", "Watched", "watch_for")

_LOOKS = 8
"""How often the send buffer is looked at within the shortest timeout: nobody tells when a part of it leaves."""


class Progress(NamedTuple):
    """Where an exchange stands."""

    unsent: int
    """Octets of the request that wait in the transport."""
    uploading: bool
    """Whether the body has more to give."""
    answer_begun: bool
    """Whether any octet of an answer arrived."""
    head_awaited: bool
    """Whether somebody waits for the response's head."""


class Watched(Protocol):
    """The connection that is watched."""

    def progress(self) -> Progress | None:
        """Where the exchange stands, None between exchanges."""

    def give_up(self, error: BaseException) -> None:
        """Break the exchange and the connection."""


@final
class ProgressWatch:
    """Watches one connection's exchanges, as long as they have these timeouts.

    Call `begin` when a request is handed to the transport, `wrote` and `received` when octets move, `stop` in the end.
    """

    __slots__ = (
        "_armed",
        "_first_byte",
        "_loop",
        "_read",
        "_received_at",
        "_shortest",
        "_timer",
        "_unsent",
        "_watched",
        "_write",
        "_wrote_at",
        "content_timeout",
    )

    content_timeout: tuple[float, Callable[[], Exception]] | None
    """The read timeout as a content stream takes it."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, watched: Watched, options: ExchangeOptions
    ) -> None:
        self._loop = loop
        self._watched = watched
        self._read = read = options.read_timeout
        self._write = options.write_timeout
        self._first_byte = options.first_byte_timeout
        self._shortest = min(_given(options))
        self._wrote_at = self._received_at = 0.0
        self._unsent = 0
        self._timer: asyncio.TimerHandle | None = None
        self._armed = inf
        self.content_timeout = None if read is None else (read, partial(ReadTimeoutError, read))

    def begin(self, unsent: int, uploading: bool) -> None:
        """A request, or its beginning, was handed to the transport; `unsent` octets still wait there."""
        now = self._wrote_at = self._received_at = self._loop.time()
        self._unsent = unsent
        look_again = self._shortest / _LOOKS if unsent or uploading else self._shortest
        if now + look_again < self._armed:
            self._arm(now + look_again)

    def wrote(self, unsent: int) -> None:
        """Octets were handed to the transport, or all it had left."""
        self._wrote_at = self._loop.time()
        self._unsent = unsent

    def received(self) -> None:
        """Octets arrived."""
        self._received_at = self._loop.time()

    def stop(self) -> None:
        """Watch no longer; idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = when
        self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        # A loop may run a timer early, by as much as its clock's resolution.
        now = max(self._loop.time(), self._armed)
        self._timer = None
        self._armed = inf
        progress = self._watched.progress()
        if progress is None:
            return
        if progress.unsent != self._unsent:
            self.wrote(progress.unsent)
        due, error = self._due(progress)
        if error is not None and due <= now:
            self._watched.give_up(error)
            return
        if progress.unsent or progress.uploading:
            due = min(due, now + self._shortest / _LOOKS)
        if due < inf:
            self._arm(due)

    def _due(self, progress: Progress) -> tuple[float, SocketTimeoutError | None]:
        """The first moment at which this exchange has stood still for too long, and the error then."""
        due: float = inf
        error: SocketTimeoutError | None = None
        idle = progress.uploading and not progress.unsent
        if self._write is not None and progress.unsent:
            due, error = self._wrote_at + self._write, WriteTimeoutError(self._write)
        if idle or not progress.head_awaited:
            return due, error
        if self._first_byte is not None and not progress.unsent and not progress.answer_begun:
            due, error = self._wrote_at + self._first_byte, FirstByteTimeoutError(self._first_byte)
        moved_at = max(self._wrote_at, self._received_at)
        if self._read is not None and moved_at + self._read < due:
            due, error = moved_at + self._read, ReadTimeoutError(self._read)
        return due, error


def watch_for(
    loop: asyncio.AbstractEventLoop, watched: Watched, options: ExchangeOptions
) -> ProgressWatch | None:
    """A watch for exchanges with these options, None where they set no timeout."""
    return ProgressWatch(loop, watched, options) if _given(options) else None


def _given(options: ExchangeOptions) -> list[float]:
    timeouts = (options.read_timeout, options.write_timeout, options.first_byte_timeout)
    return [seconds for seconds in timeouts if seconds is not None]
