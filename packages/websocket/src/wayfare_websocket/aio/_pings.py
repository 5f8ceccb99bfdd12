"""Pings that wait for their Pongs."""

from asyncio import Future
from functools import partial
from typing import TYPE_CHECKING, final

from wayfare_http_core.aio import Deadline

from wayfare_websocket._errors import WSPingTimeoutError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ("Pings",)

_MOST = 128
"""Pings that are remembered: a peer that leaves so many unanswered answers none."""


@final
class Pings:
    """The Pings of one connection that were not answered yet.

    A Pong also answers the Pings that were sent before its own: a peer may answer the latest one only (RFC 6455 section
    5.5.3). `timeout` is how long one waits for its Pong, in seconds.
    """

    __slots__ = ("_count", "_loop", "_sent", "_timeout")

    def __init__(self, loop: "AbstractEventLoop", timeout: float | None) -> None:
        self._loop = loop
        self._timeout = timeout
        # A list, since it is short, and an empty one takes a tenth of the memory of a deque.
        self._sent: list[tuple[bytes, float, Future[float]]] = []
        self._count = 0

    def make_payload(self) -> bytes:
        """Octets that no Ping has that is still waiting."""
        self._count += 1
        return b"%d" % self._count

    def begin(self, payload: bytes) -> "Future[float]":
        """A Ping is sent: what becomes the seconds until its Pong."""
        waiter: Future[float] = self._loop.create_future()
        # Nobody has to wait for it, and an error that nobody fetches is no news then.
        waiter.add_done_callback(_fetch)
        if self._timeout is not None:
            Deadline.after(self._timeout, partial(WSPingTimeoutError, self._timeout)).limit(waiter)
        if len(self._sent) == _MOST:
            _, began, oldest = self._sent.pop(0)
            if not oldest.done():
                oldest.set_exception(WSPingTimeoutError(self._loop.time() - began))
        self._sent.append((payload, self._loop.time(), waiter))
        return waiter

    def answered(self, payload: bytes) -> None:
        """A Pong arrived; one that nobody asked for means nothing (RFC 6455 section 5.5.3)."""
        sent = self._sent
        if not any(payload == one[0] for one in sent):
            return
        now = self._loop.time()
        found = False
        while not found:
            asked, began, waiter = sent.pop(0)
            found = asked == payload
            if not waiter.done():
                waiter.set_result(now - began)

    def end(self, error: Exception) -> None:
        """No Pong will come any more."""
        for _, _, waiter in self._sent:
            if not waiter.done():
                waiter.set_exception(error)
        self._sent.clear()


def _fetch(waiter: "Future[float]") -> None:
    if not waiter.cancelled():
        waiter.exception()
