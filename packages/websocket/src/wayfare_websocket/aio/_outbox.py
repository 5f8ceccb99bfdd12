"""Frames on their way to the transport: who may send when, and what is joined to one write.

    turn      messages are sent one after the other; a message in fragments has its turn until its last one
    pause     nobody adds to what waits while the transport has enough
    joining   a frame that is sent alone leaves at once; those that follow it in the same iteration of the loop leave
              together, when that ends or when they are 64 KiB

Whatever is here is a whole frame, so that a sender who is cancelled has sent all of it, or nothing.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, final

from wayfare_http_core import ClientConnectionResetError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, Transport

__all__ = ("Outbox",)

_JOINED = 64 * 1024
"""Octets that are joined to one write at most, and after which other tasks get their turn of the loop."""

_LULL = 0.0005
"""Seconds after a write in which another one is taken for its companion: sending takes some microseconds."""


@final
class Outbox:
    """The sending side of one transport.

    `blocked` says that a message must take its turn (`take_turn`, `pass_turn`), `paused` that whoever sends must wait
    (`drain`), `stopped` that the transport has enough. `fresh` says that octets arrived since the last write: an
    iteration of the loop began since then.
    """

    __slots__ = (
        "_draining",
        "_ended",
        "_flush_due",
        "_held",
        "_last",
        "_loop",
        "_pieces",
        "_resting",
        "_size",
        "_time",
        "_transport",
        "_turns",
        "_write",
        "blocked",
        "fresh",
        "paused",
        "stopped",
    )

    def __init__(self, loop: "AbstractEventLoop", transport: "Transport") -> None:
        self._loop = loop
        self._time: Callable[[], float] = loop.time
        self._transport = transport
        self._write: Callable[[bytes], None] = transport.write
        self._pieces: list[bytes] = []
        self._size = 0
        self._last = 0.0
        self._flush_due = False
        self._resting = False  # until the loop's next iteration
        self.stopped = False
        self._held = False
        self._ended = False
        self._turns: deque[Future[None]] | None = None  # until somebody has to wait
        self._draining: list[Future[None]] = []
        self.blocked = False
        self.paused = False
        self.fresh = True

    # -- writing --------------------------------------------------------------------------------------------------

    def write(self, frame: bytes) -> None:
        """Send a frame behind those before it."""
        if self.fresh:
            self.fresh = False
            if not self._pieces:
                self._write(frame)
                return
        now = self._time()
        if not self._pieces and now - self._last > _LULL:
            self._last = now
            self._write(frame)
            return
        self._last = now
        self._pieces.append(frame)
        self._size += len(frame)
        if self._size >= _JOINED:
            self.flush()
            self._rest()
        elif not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush_joined)

    def flush(self) -> None:
        """Hand everything to the transport."""
        pieces = self._pieces
        if pieces:
            self._pieces = []
            self._size = 0
            self._write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _flush_joined(self) -> None:
        self._flush_due = False
        self.flush()

    # -- waiting --------------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Return when something may be sent.

        Raises: `ClientConnectionResetError` when the closing begins first.
        Cancellation: safe.
        """
        while self.paused:
            if self._ended:
                raise _ended()
            waiter = self._loop.create_future()
            self._draining.append(waiter)
            try:
                await waiter
            except BaseException:
                if waiter in self._draining:
                    self._draining.remove(waiter)
                raise

    async def take_turn(self) -> None:
        """Return when a message may be sent, and give it the turn: `pass_turn` afterwards.

        Raises: `ClientConnectionResetError` when the closing begins first.
        Cancellation: safe; the turn goes to the next one.
        """
        if not self.blocked:
            self.blocked = self._held = True
            return
        if self._ended:
            raise _ended()
        waiter = self._loop.create_future()
        if self._turns is None:
            self._turns = deque()
        self._turns.append(waiter)
        try:
            await waiter
        except BaseException:
            if self._turns and waiter in self._turns:
                # Nobody may be given the turn who does not want it any more, and a peer that takes nothing must not
                # make us keep those who gave up.
                self._turns.remove(waiter)
            elif not waiter.cancelled() and waiter.exception() is None:
                self.pass_turn()  # it was ours already
            raise

    async def __aenter__(self) -> None:
        await self.take_turn()

    async def __aexit__(self, *_: object) -> None:
        self.pass_turn()

    def pass_turn(self) -> None:
        """The message was sent: let the next one begin."""
        self._held = False
        self._go_on()

    def _go_on(self) -> None:
        """Look who may send now."""
        self.paused = self.stopped or self._resting
        if self._ended:
            return
        if not self.paused and self._draining:
            draining, self._draining = self._draining, []
            for waiter in draining:
                if not waiter.done():
                    waiter.set_result(None)
        turns = self._turns
        while turns and not (self.paused or self._held):
            waiter = turns.popleft()
            if waiter.done():
                continue  # cancelled, in this iteration of the loop
            self._held = True
            waiter.set_result(None)
        self.blocked = self.paused or self._held or bool(turns)

    # -- what makes senders wait ------------------------------------------------------------------------------------

    def pause(self) -> None:
        """The transport has enough to send."""
        self.stopped = self.paused = self.blocked = True

    def resume(self) -> None:
        """The transport can take more."""
        self.stopped = False
        self._go_on()

    def _rest(self) -> None:
        """Let the loop turn before more is sent: a task that never waits would keep all others from running."""
        self._resting = self.paused = self.blocked = True
        self._loop.call_soon(self._rested)

    def _rested(self) -> None:
        self._resting = False
        self._go_on()

    def end(self) -> None:
        """The closing handshake begins, or the connection ended: no message is sent any more. Idempotent."""
        self.flush()
        self._ended = self.blocked = True
        self.paused = False
        for waiter in (*self._draining, *(self._turns or ())):
            if not waiter.done():
                waiter.set_exception(_ended())
        self._draining = []
        self._turns = None

    def drop(self) -> None:
        """The transport is gone."""
        self._pieces = []
        self.end()


def _ended() -> ClientConnectionResetError:
    return ClientConnectionResetError("the WebSocket is closing")
