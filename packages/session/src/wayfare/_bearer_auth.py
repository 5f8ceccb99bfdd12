"""`BearerAuthMiddleware`: sends a Bearer token (RFC 6750), and gets a new one when the old one is no good any more.

The request that finds the token missing, out of date or refused gets a new one; others that find so meanwhile wait for
it. Where the first is cancelled, the next of them takes its place. So at most one call is under way at any time, and no
task is left behind that nobody waits for.
"""

import asyncio
import inspect
import re
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias, final

from wayfare_http_core import hdrs
from yarl import URL

from ._middlewares import ClientHandlerType
from ._origin import Origin, read_origin
from ._request import ClientRequest
from ._response import ClientResponse
from ._retry import can_be_sent_again

__all__ = ("BearerAuthMiddleware", "BearerToken", "TokenSource")

# RFC 6750 section 2.1 has fewer; several services use "|" and ":" all the same.
_TOKEN: Final = re.compile(r"[\x21-\x7e]+\Z", re.ASCII)


@final
@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token, and the seconds that it is good for from when it was asked for; None where nobody knows.

    Raises: ValueError for a token that cannot be sent and for seconds that are negative, TypeError for other things.
    """

    token: str = field(repr=False)
    expires_in: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.token, str):
            raise TypeError(f"a token must be a str, not {type(self.token).__name__}")
        if _TOKEN.match(self.token) is None:
            raise ValueError("a token is made of visible ASCII characters, and this one is not")
        seconds = self.expires_in
        if seconds is None:
            return
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise TypeError(f"expires_in must be a number or None, not {type(seconds).__name__}")
        if not seconds >= 0:
            raise ValueError(f"expires_in must not be negative, and {seconds!r} is")


TokenSource: TypeAlias = Callable[[], Awaitable[BearerToken | str] | BearerToken | str]
"""What gives a new token each time it is called; it may be a coroutine function."""


class _Issued(NamedTuple):
    token: str
    until: float
    """When it counts as out of date, on the middleware's clock."""


class _Outcome(NamedTuple):
    """What came of getting a token; with neither, nothing did: whoever was about it was cancelled."""

    issued: _Issued | None = None
    error: Exception | None = None


_FETCHING: Final[ContextVar[tuple[object, ...]]] = ContextVar("fetching", default=())
"""The middlewares whose token the present task is getting."""


@final
class BearerAuthMiddleware:
    """Sends a Bearer token with every request to one origin, and gets a new one when that is due.

    The origin is the one that is given, or that of the first request that comes by; no other one is told the token
    (D19). Requests that have credentials of their own are left alone.

    `source` is a token, or a function that gets one, async or not: a `BearerToken`, or a str that nobody knows the
    expiry of. It is called before the first request, `leeway` seconds before a token expires (or when half of its time
    is over), and once after a 401, whose request is sent again then. One call serves all requests that wait for it, and
    fails all of them. What it sends through the same session goes without a token.

    `clock` tells seconds: for tests.

    Raises: ValueError, TypeError for arguments that make no sense.
    Raises, when called: what `source` raises, TypeError for what is no token, ValueError for one that cannot be sent;
    else as the handler.
    Cancellation: as the handler; where the one who gets the token is cancelled, another one that waits does it.
    """

    __slots__ = ("_clock", "_flight", "_is_fixed", "_issued", "_leeway", "_origin", "_source")

    def __init__(
        self,
        source: TokenSource | BearerToken | str,
        *,
        origin: str | URL | None = None,
        leeway: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not leeway >= 0:
            raise ValueError(f"leeway must not be negative, and {leeway!r} is")
        self._clock = clock
        self._leeway = leeway
        self._origin = read_origin(origin)
        self._issued: _Issued | None = None
        self._flight: asyncio.Future[_Outcome] | None = None
        self._is_fixed = isinstance(source, str | BearerToken)
        if isinstance(source, str | BearerToken):
            token = source if isinstance(source, BearerToken) else BearerToken(source)
            self._source: TokenSource = lambda: token
        elif callable(source):
            self._source = source
        else:
            raise TypeError(
                f"source must be a token or a function that gets one, not {type(source).__name__}"
            )

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Send a request with the token, and once more with a new one where that one is refused."""
        origin = Origin.of(request.connection_key)
        if self._origin is None:
            self._origin = origin
        if (
            origin != self._origin
            or hdrs.AUTHORIZATION in request.headers
            or self._is_asking_itself()
        ):
            return await handler(request)
        request = request.without_netrc()
        issued = await self._usable(None)
        response = await handler(_signed(request, issued))
        if response.status != 401 or self._is_fixed:
            return response
        if not can_be_sent_again(request.body):
            # This one cannot profit from a new token, but the next one can.
            if self._issued is issued:
                self._issued = None
            return response
        # Before: a source that needs a connection may need this one.
        response.release()
        return await handler(_signed(request, await self._usable(issued)))

    def _is_asking_itself(self) -> bool:
        """Whether it is the source that sends the request: it would wait for itself."""
        return self._flight is not None and any(one is self for one in _FETCHING.get())

    async def _usable(self, refused: _Issued | None) -> _Issued:
        """A token that is neither this one nor out of date."""
        while True:
            issued = self._issued
            if issued is not None and issued is not refused and self._clock() < issued.until:
                return issued
            if self._flight is None:
                return await self._fetch()
            # Shielded: whoever is cancelled here leaves the others what they wait for.
            outcome = await asyncio.shield(self._flight)
            if outcome.error is not None:
                raise outcome.error
            if outcome.issued is not None:
                return outcome.issued

    async def _fetch(self) -> _Issued:
        """Get a token, for all that wait."""
        flight = self._flight = asyncio.get_running_loop().create_future()
        outcome = _Outcome()
        mark = _FETCHING.set((*_FETCHING.get(), self))
        begun = self._clock()
        try:
            issued = self._issued = self._issue(await _asked(self._source), begun)
            outcome = _Outcome(issued)
            return issued
        except Exception as exc:
            outcome = _Outcome(error=exc)
            raise
        finally:
            _FETCHING.reset(mark)
            self._flight = None
            flight.set_result(outcome)

    def _issue(self, token: BearerToken | str, begun: float) -> _Issued:
        if not isinstance(token, BearerToken):
            token = BearerToken(token)
        if token.expires_in is None:
            return _Issued(token.token, float("inf"))
        seconds = token.expires_in
        return _Issued(token.token, begun + seconds - min(self._leeway, seconds / 2))


async def _asked(source: TokenSource) -> BearerToken | str:
    token = source()
    return await token if inspect.isawaitable(token) else token


def _signed(request: ClientRequest, issued: _Issued) -> ClientRequest:
    signed = request.copy()
    signed.headers[hdrs.AUTHORIZATION] = f"Bearer {issued.token}"
    return signed
