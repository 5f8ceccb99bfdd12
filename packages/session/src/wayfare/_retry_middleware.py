"""`RetryMiddleware`: sends requests again that failed in a way which may not last (O13)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, final
from uuid import uuid4

from wayfare_http_core import hdrs, parse_retry_after

from ._failures import failure_of
from ._middlewares import ClientHandlerType
from ._origin import Origin
from ._request import ClientRequest
from ._response import ClientResponse
from ._retry import can_be_sent_again, may_retry
from ._retry_policy import RetryPolicy, is_hopeless, may_be_repeated, pause

__all__ = ("RetryBudget", "RetryMiddleware")

_MAX_ORIGINS: Final = 1024
"""Origins that a budget is kept of; the one that was in need first is forgotten first."""


@final
class RetryBudget:
    """How many repetitions each origin has left. Each request adds a part of one, each repetition takes one away.

    Only origins whose budget is not full are remembered.
    """

    __slots__ = ("_left", "_ratio", "_reserve")

    def __init__(self, ratio: float, reserve: int) -> None:
        self._ratio = ratio
        self._reserve = reserve
        self._left: dict[Origin, float] = {}

    def add(self, origin: Origin) -> None:
        """Count a request."""
        left = self._left.get(origin)
        if left is not None:
            left += self._ratio
            if left < self._reserve:
                self._left[origin] = left
            else:
                del self._left[origin]

    def take(self, origin: Origin) -> bool:
        """Count a repetition; False where none is left."""
        left = self._left.get(origin, float(self._reserve))
        if left < 1.0:
            return False
        self._left[origin] = left - 1.0
        if len(self._left) > _MAX_ORIGINS:
            del self._left[next(iter(self._left))]
        return True


@final
class RetryMiddleware:
    """Sends a request again after statuses and errors which may not last, as a `RetryPolicy` says.

    Where that is pointless the last response is returned, or the last error raised: when the attempts or the budget of
    the origin are used up, content cannot be sent again, or the total time would be over first. Responses in between
    are released. Attempts are told to `on_request_retry` of trace configs; `response.attempt` and
    `error.failure.attempt` count them.

    `draw` gives a random number from 0 to 1, `sleep` waits for seconds, `now` tells the time (aware), `new_key` makes
    up an idempotency key: for tests.

    Raises, when called: as the handler.
    Cancellation: as the handler; a pause ends at once.
    """

    __slots__ = ("_budget", "_draw", "_new_key", "_now", "_policy", "_sleep")

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        *,
        draw: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_key: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        if policy is None:
            policy = RetryPolicy()
        elif not isinstance(policy, RetryPolicy):
            raise TypeError(f"policy must be a RetryPolicy, not {type(policy).__name__}")
        self._policy = policy
        self._budget = None if policy.budget is None else RetryBudget(policy.budget, policy.reserve)
        self._draw = draw
        self._sleep = sleep
        self._now = now
        self._new_key = new_key

    @property
    def policy(self) -> RetryPolicy:
        """What it goes by."""
        return self._policy

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Send a request, again where that may help."""
        if self._budget is not None:
            self._budget.add(Origin.of(request.connection_key))
        template = self._with_key(request)
        attempt = 1
        while True:
            sent = template.copy()
            sent.attempt += attempt - 1
            error: Exception | None = None
            try:
                response = await handler(sent)
            except self._policy.exceptions as exc:
                seconds = self._pause_after_error(template, exc, attempt)
                if seconds is None:
                    raise
                error = exc
            else:
                seconds = self._pause_after_response(template, response, attempt)
                if seconds is None:
                    return response
                response.release()
            trace = sent.settings.trace
            if trace is not None:
                await trace.request_retry(sent, error, sent.attempt)
            error = None  # it refers to this frame, and this frame to it
            await self._sleep(seconds)
            attempt += 1

    def _with_key(self, request: ClientRequest) -> ClientRequest:
        name = self._policy.idempotency_key
        if name is None or request.method in self._policy.methods or name in request.headers:
            return request
        request = request.copy()
        request.headers[name] = self._new_key()
        return request

    def _pause_after_error(
        self, request: ClientRequest, error: Exception, attempt: int
    ) -> float | None:
        failure = failure_of(error)
        if is_hopeless(error):
            return None
        if request.settings.retry_stale and may_retry(request.method, request.body, error, failure):
            return None  # a pooled connection had gone: the session itself asks again, at once
        has_key = self._has_key(request)
        if not may_be_repeated(self._policy, request.method, failure, has_key=has_key):
            return None
        return self._pause(request, attempt, None)

    def _pause_after_response(
        self, request: ClientRequest, response: ClientResponse, attempt: int
    ) -> float | None:
        policy = self._policy
        if response.status not in policy.statuses or not may_be_repeated(
            policy, request.method, None, has_key=self._has_key(request)
        ):
            return None
        field = response.headers.get(hdrs.RETRY_AFTER, "")
        return self._pause(request, attempt, parse_retry_after(field, now=self._now(), cap=None))

    def _pause(
        self, request: ClientRequest, attempt: int, retry_after: float | None
    ) -> float | None:
        """The seconds to wait before the next attempt, which is taken from the budget; None for no next attempt."""
        if attempt >= self._policy.attempts or not can_be_sent_again(request.body):
            return None
        if request.session.closed:
            return None
        seconds = pause(self._policy, attempt, self._draw(), retry_after)
        left = request.time_left()
        if left is not None and seconds >= left:
            return None
        if self._budget is not None and not self._budget.take(Origin.of(request.connection_key)):
            return None
        return seconds

    def _has_key(self, request: ClientRequest) -> bool:
        name = self._policy.idempotency_key
        return name is not None and name in request.headers
