"""`RateLimitMiddleware`: no more requests to one origin than it wants, in the order in which they came.

`TokenBucket` is the arithmetic, with time as an argument. A `_Gate` is the line of those who wait for a token of one
bucket, with one timer for the first of them. Who is cancelled leaves the line, and gives back a token that it was
handed in the same moment.
"""

import asyncio
from collections import deque
from math import floor
from typing import Final, final

from ._middlewares import ClientHandlerType
from ._origin import Origin
from ._request import ClientRequest
from ._response import ClientResponse

__all__ = ("RateLimitMiddleware", "TokenBucket")

_ENOUGH: Final = 1.0 - 1e-9
"""What counts as a whole token: sums of fractions fall short of it."""
_MAX_IDLE: Final = 1024
"""Origins that are remembered; beyond that, those that have nothing to remember are forgotten."""


@final
class TokenBucket:
    """Gives tokens, `rate` in each second in the long run and up to `burst` at once. Times are seconds on any clock."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Take a token; False where there is none yet."""
        self._fill(now)
        if self._tokens < _ENOUGH:
            return False
        self._tokens -= 1.0
        return True

    def give_back(self) -> None:
        """Let a token that was taken count as not taken."""
        self._tokens = min(self._burst, self._tokens + 1.0)

    def wait(self, now: float) -> float:
        """Seconds until there is a token, if nobody takes one before."""
        self._fill(now)
        return max(0.0, (1.0 - self._tokens) / self._rate)

    def is_full(self, now: float) -> bool:
        """Whether it is as it was in the beginning."""
        self._fill(now)
        return self._tokens >= self._burst

    def _fill(self, now: float) -> None:
        # A clock that went back, as that of another loop may have, takes nothing away.
        self._tokens = min(self._burst, self._tokens + self._rate * max(0.0, now - self._at))
        self._at = now


@final
class _Gate:
    """The line before one bucket."""

    __slots__ = ("_bucket", "_line", "_loop", "_timer")

    def __init__(self, bucket: TokenBucket, loop: asyncio.AbstractEventLoop) -> None:
        self._bucket = bucket
        self._loop = loop
        self._line: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is lost with it."""
        return not self._line and self._bucket.is_full(self._loop.time())

    async def enter(self) -> None:
        """Wait for a token and take it.

        Cancellation: no token is taken.
        """
        if not self._line and self._bucket.take(self._loop.time()):
            return
        place: asyncio.Future[None] = self._loop.create_future()
        self._line.append(place)
        if self._timer is None:
            self._admit()
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._line.remove(place)
            else:
                self._bucket.give_back()
            self._admit()
            raise

    def _admit(self) -> None:
        """Hand out the tokens that are there, and come back for the next one if anybody waits for it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._loop.time()
        while self._line and self._bucket.take(now):
            place = self._line.popleft()
            place.set_result(None)
        if self._line:
            self._timer = self._loop.call_at(now + self._bucket.wait(now), self._admit)


@final
class RateLimitMiddleware:
    """Lets `rate` requests in each `per` seconds go to one origin, and others wait in the order in which they came.

    `burst` is how many may go at once after a while without any: as many as `rate` unless given, 1 for even intervals.
    Every origin has a limit of its own. The wait is part of the total time of a request. How many requests may be
    under way at once is another matter: `limit_per_host` of the connector says that.

    Behind a `RetryMiddleware` it counts every attempt, and so it should; every redirect is a request, too.

    Raises: ValueError for numbers that are not positive, TypeError for what is no number.
    Raises, when called: as the handler.
    Cancellation: as the handler; whoever is cancelled while waiting takes nothing from others.
    """

    __slots__ = ("_burst", "_gates", "_loop", "_rate")

    def __init__(self, rate: float, per: float = 1.0, *, burst: int | None = None) -> None:
        given = {"rate": rate, "per": per} | ({} if burst is None else {"burst": burst})
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"{name} must be a number, not {type(value).__name__}")
            if not 0 < value < float("inf"):
                raise ValueError(f"{name} must be positive, and {value!r} is not")
        if burst is not None and not isinstance(burst, int):
            raise TypeError(f"burst must be an int, not {type(burst).__name__}")
        self._rate = rate / per
        self._burst = max(1, floor(rate)) if burst is None else burst
        self._gates: dict[Origin, _Gate] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Send a request when it is its turn."""
        await self._gate(Origin.of(request.connection_key)).enter()
        return await handler(request)

    def _gate(self, origin: Origin) -> _Gate:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # Who waited in the line of another loop does not any more, or never will.
            self._gates = {}
            self._loop = loop
        gate = self._gates.get(origin)
        if gate is None:
            if len(self._gates) >= _MAX_IDLE:
                kept = {of: one for of, one in self._gates.items() if not one.is_idle}
                self._gates = kept
            bucket = TokenBucket(self._rate, float(self._burst), loop.time())
            gate = self._gates[origin] = _Gate(bucket, loop)
        return gate
