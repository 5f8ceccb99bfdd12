"""Messages between the transport and whoever receives them: a bounded queue, and one reader at a time.

    octets --slice by slice--> engine --> queue (1,024 messages or 256 KiB) --> the reader

When the queue is full the transport stops reading, and what it had read already waits as octets: they are a fraction of
what they become. When the reader emptied the queue, they go on first. So the most that is held is a full queue, what
one slice becomes, and the octets of one read.

A message that is too large stops the transport likewise, until the reader comes to it: `receive` refuses it, and
`receive_fragments` takes it piece by piece.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, final

from wayfare_http_core.aio import Deadline, Waiter

from wayfare_websocket._engine import WebSocketEngine
from wayfare_websocket._messages import WSFragment, WSMessage, WSMsgType

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Transport

__all__ = ("Inbox", "already_taken")

Received: TypeAlias = WSMessage | WSFragment

_MOST_OCTETS = 256 * 1024
_MOST_MESSAGES = 1024

_SLICE = 64 * 1024 + 10
"""Octets that are read between two looks at the queue, a message of 64 KiB with its head: of empty messages, so many
take 5 MiB."""
_COMPRESSED_SLICE = 4 * 1024
"""The same where messages are compressed: they may become a thousand times as much."""

_TEXT = WSMsgType.TEXT
_BINARY = WSMsgType.BINARY


@final
class Inbox:
    """The receiving side of one transport.

    `queue` has what was not received yet. `taken` says that somebody receives already, `full` that `refill` is to be
    called when the queue is empty, `undecided` that `refuse` is to be called before waiting for a message.
    `on_control` is called for each message that is no data, in order.
    """

    __slots__ = (
        "_at",
        "_compressed",
        "_engine",
        "_limited",
        "_octets",
        "_on_control",
        "_on_end",
        "_receive",
        "_slice",
        "_transport",
        "_unread",
        "_unwanted",
        "ended",
        "full",
        "queue",
        "taken",
        "undecided",
        "waiter",
    )

    def __init__(
        self,
        loop: "AbstractEventLoop",
        transport: "Transport",
        engine: WebSocketEngine,
        on_control: Callable[[WSMessage], None],
        *,
        compressed: bool,
    ) -> None:
        self._transport = transport
        self._engine = engine
        self._receive: Callable[[bytes], list[Any]] = engine.receive_data
        self._on_control = on_control
        self._on_end: Callable[[], None] | None = None
        self._compressed = compressed
        self._slice = _COMPRESSED_SLICE if compressed else _SLICE
        self._unread = b""
        self._at = 0
        self._octets = 0
        self._unwanted = False
        self._limited = False  # whether `waiter` had a limit
        self.ended = False
        self.queue: deque[Any] = deque()  # messages, and fragments for whoever asked for them
        self.taken = False
        self.full = False
        self.undecided = False
        self.waiter: Waiter[None] = Waiter(loop)
        self.waiter.wake(None)  # nobody waits
        engine.on_too_big = self._hesitate

    # -- from the transport ---------------------------------------------------------------------------------------

    def take(self, data: bytes) -> None:
        """Octets arrived."""
        if self._unread or len(data) > self._slice:
            self._unread = self._unread[self._at :] + data if self._unread else data
            self._at = 0
            self._read_on()
        else:
            self._accept(self._receive(data), len(data))
            if self._compressed and self._engine.has_pending:
                self._read_on()
        # The reader may run in this call, so everything has to be in order.
        if self.queue or self.ended:
            self.waiter.wake(None)
        elif self.undecided and self.taken:
            self.refuse()
            self.waiter.wake(None)

    @property
    def vacancy(self) -> memoryview | None:
        """Where the next octets can be received to, without being copied from there; None for nowhere."""
        return None if self._unread else self._engine.vacancy

    def take_filled(self, count: int) -> None:
        """So many octets arrived in what `vacancy` gave."""
        self._accept(self._engine.filled(count), count)
        if self.queue or self.ended:
            self.waiter.wake(None)

    def _accept(self, messages: list[Any], octets: int) -> None:
        """Take what became of so many octets."""
        queue = self.queue
        if not queue:
            self._octets = 0
        for message in messages:
            kind = message[0]
            if kind is not _TEXT and kind is not _BINARY:
                self._on_control(message)
            elif self._unwanted:
                self._drop(message)
            else:
                queue.append(message)
                if self._compressed:
                    self._octets += len(message[1])
        if queue:
            if not self._compressed:
                self._octets += octets
            if self._octets > _MOST_OCTETS or len(queue) > _MOST_MESSAGES:
                self._stop()

    def _read_on(self) -> None:
        """Read what waits, until the queue is full."""
        engine = self._engine
        while not self.full and (self._unread or engine.has_pending):
            if engine.has_pending:
                self._accept(self._receive(b""), 0)
                continue
            at = self._at
            self._at = after = at + self._slice
            data = self._unread[at:after]
            if after >= len(self._unread):
                self._unread = b""
                self._at = 0
            self._accept(self._receive(data), len(data))

    def _drop(self, message: Received) -> None:
        """Data that came after somebody gave up: the rest of one message, or all that there is."""
        if isinstance(message, WSFragment) and message.final and not self.ended:
            self._unwanted = False

    def _hesitate(self) -> None:
        """The message that begins is too large: it waits for the reader, who has others to take before it."""
        if self.ended:
            # On the way to the peer's Close.
            self._engine.stream_rest()
        else:
            self.undecided = True
            self._stop()

    def _stop(self) -> None:
        if not (self.full or self.ended):
            self.full = True
            self._transport.pause_reading()

    # -- to the reader --------------------------------------------------------------------------------------------

    def wait(self, seconds: float | None) -> Waiter[None]:
        """What to await while the queue is empty and nothing ended, for `seconds` at most.

        Whoever does must have taken the inbox, and look at the queue again: it stays empty when nothing more comes.
        """
        if self._limited:
            # The limit of an earlier wait may still come: it must not end this one.
            self.waiter = Waiter(self.waiter.get_loop())
            self._limited = False
        waiter = self.waiter
        waiter.arm()
        if seconds is not None:
            self._limited = True
            Deadline.after(seconds, partial(_timed_out, seconds)).limit(waiter)
        return waiter

    def refuse(self) -> None:
        """The next message is too large, and somebody wants the whole of it."""
        self.undecided = False
        self._accept(self._engine.refuse(), 0)
        self.refill()

    def refill(self) -> None:
        """The queue was full, and is empty now."""
        if self.undecided:
            return
        self.full = False
        self._octets = 0
        self._read_on()
        if self.full:
            return
        if self._on_end is None:
            self._transport.resume_reading()
        else:
            self._finish(self._on_end)

    # -- messages that come piece by piece ----------------------------------------------------------------------------

    def take_fragments(self) -> None:
        """Let the next message come piece by piece, to one who takes all of it.

        Raises: RuntimeError when somebody else receives.
        """
        if self.taken:
            raise already_taken()
        self.taken = True
        if any(message.type is _TEXT or message.type is _BINARY for message in self.queue):
            return
        if self.undecided:
            self._admit()
        else:
            self._accept(self._engine.stream_rest(), 0)

    def _admit(self) -> None:
        """The message that is too large comes piece by piece."""
        self.undecided = False
        self._accept(self._engine.stream_rest(), 0)
        self._accept(self._receive(b""), 0)
        if not self.queue:
            self.refill()

    def give_up_fragments(self) -> None:
        """Nobody wants the rest of that message."""
        self._engine.stream_next = False
        kept = [one for one in self.queue if not isinstance(one, WSFragment)]
        self.queue.clear()
        self.queue.extend(kept)
        self._unwanted = self.ended or self._engine.is_streaming
        self.taken = False
        if self.full and not self.queue:
            self.refill()

    # -- the end ----------------------------------------------------------------------------------------------------

    def discard(self) -> bool:
        """Nobody wants messages any more: the queue is emptied, and only the peer's Close counts.

        Whether somebody waits for one.
        """
        self.ended = self._unwanted = True
        self.queue.clear()
        if self.undecided:
            self._admit()
        if self.full:
            self.refill()
        return not self.waiter.done()

    def close(self) -> None:
        """What comes from now on means nothing; the queue stays for its reader."""
        self.ended = True
        self._unread = b""

    def end(self, on_end: Callable[[], None]) -> None:
        """The transport is gone. `on_end` is called when all that came before was read."""
        self._on_end = on_end
        if not self.full:
            self._finish(on_end)

    def _finish(self, on_end: Callable[[], None]) -> None:
        self.ended = True
        self._engine.on_too_big = None
        on_end()


def already_taken() -> RuntimeError:
    """The error for a second reader."""
    return RuntimeError("somebody else is receiving from this WebSocket")


def _timed_out(seconds: float) -> TimeoutError:
    return TimeoutError(f"no message came within {seconds:g} s")
