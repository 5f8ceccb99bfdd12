"""The way of one request, from its caller's arguments to the response that the caller gets.

    arguments --_build--> ClientRequest
    for each hop (the request itself, then each redirect that is followed: `_redirects`)
        with its cookies, and those that it sets are stored (`_cookies`)
        for each attempt (the first; another one where `_retry` allows it)
            through the middlewares, outermost first (`_middlewares`)
                one exchange on one connection (`_exchange`)
    ClientResponse --raise_for_status--> its caller

A request that nobody watches and that meets neither a redirect nor a failure takes the short way: its first attempt is
all there is to it. Everything beyond that is a `Journey`, which loads with the first request that needs one.
"""

import asyncio
from collections.abc import Awaitable
from logging import DEBUG, getLogger
from typing import TYPE_CHECKING, Any, Final, final

from wayfare_connector import BaseConnector
from wayfare_http_core import Connection, hdrs
from wayfare_http_core.aio import DeadlineQueue
from yarl import URL

from ._build import RequestBuilder
from ._cookies import SessionCookies
from ._exchange import note, response_to, send_request
from ._options import RequestOptions
from ._request import ClientRequest
from ._request_context import Delivery
from ._response import ClientResponse
from ._settings import LEADING_ON

if TYPE_CHECKING:
    from ._journey import Journey
    from ._netrc import Netrc
    from ._session import ClientSession
    from ._tracing import RequestTrace, TracePlan

__all__ = ("Pipeline", "check_status")

LOGGER: Final = getLogger("wayfare")


@final
class Pipeline:
    """Sends the requests of one session, on the loop of the first one."""

    __slots__ = (
        "_log_plan",
        "_make_journey",
        "_netrc",
        "builder",
        "closed",
        "connector",
        "cookies",
        "deadlines",
        "loop",
    )

    deadlines: DeadlineQueue

    def __init__(
        self, builder: RequestBuilder, connector: BaseConnector, cookies: SessionCookies
    ) -> None:
        self.builder = builder
        self.connector = connector
        self.cookies = cookies
        self.closed = False
        self._log_plan: TracePlan | None = None
        self._make_journey: type[Journey] | None = None
        self._netrc: Netrc | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    async def run(
        self,
        session: "ClientSession",
        method: str,
        url: str | URL,
        options: RequestOptions,
        delivery: Delivery,
    ) -> ClientResponse:
        """Send a request and return the response that its caller is to see.

        Raises, Cancellation: as `ClientSession.request`.
        """
        loop = self.loop
        if self.closed or loop is None:
            loop = self._bind()
        request = self.builder.request(session, method, url, options)
        cookies = self.cookies
        plain = not (cookies.jar or cookies.shared or options or self.builder.trust_env)
        dressed = request if plain else self._dressed(request, options)
        settings, timeout = request.settings, request.timeout
        response: ClientResponse | None = None
        # Asked for each request: a level may be set at any time.
        logs = LOGGER.isEnabledFor(DEBUG)
        plan = self._logged(settings.trace_plan) if logs else settings.trace_plan
        if plan is not None:
            trace = plan.trace(session, options.get("trace_request_ctx"))
            response = await self._traced(request, trace, loop.time())
        elif dressed is None or settings.middlewares:
            response = await self._journey(request, loop.time()).travel()
        else:
            deadline = self.deadlines.start(timeout.total, timeout.total_error)
            when = deadline.when
            started = loop.time() if when is None or timeout.total is None else when - timeout.total
            connection: Connection | None = None
            try:
                head = dressed.head()
                # `send_request` in short, for what idles in the pool: one coroutine less that waits.
                if settings.upload_watch is None:
                    connection = self.connector.lease_nowait(dressed.prepared.target)
                if connection is None:
                    response = await send_request(self.connector, dressed, deadline)
                else:
                    number = connection.exchanges_started + 1
                    exchange = await connection.exchange(
                        head, dressed.body, settings.exchange, deadline
                    )
                    response = response_to(dressed, exchange, connection, number, deadline)
            except BaseException as exc:
                note(exc, dressed, connection, deadline)
                journey = self._journey(request, started)
                if not (isinstance(exc, Exception) and journey.survives(exc)):
                    raise
            if response is not None and hdrs.SET_COOKIE in response.headers:
                cookies.store(response)
            if response is None:
                response = await journey.travel()
            elif response.status in LEADING_ON:
                response = await self._journey(request, started).travel(response)
        if settings.raise_for_status is not False and plan is None:
            await check_status(response, settings.raise_for_status)
        if delivery:
            response.enter_block()
            delivery["response"] = response
        return response

    def _dressed(self, request: ClientRequest, options: RequestOptions) -> ClientRequest | None:
        """The request with its cookies; None where those, or what .netrc has for it, have to be waited for."""
        cookies = self.cookies
        request.cookies = cookies.of_caller(request.url, options.get("cookies"))
        trusts = request.prepared.route.trust_env
        if cookies.sync_due or (trusts and self.get_netrc().may_serve(request)):
            return None
        return cookies.dressed(request)

    def get_netrc(self) -> "Netrc":
        """The user's .netrc."""
        if self._netrc is None:
            # Imported here: few sessions trust their environment.
            from ._netrc import Netrc

            self._netrc = Netrc()
        return self._netrc

    async def _traced(
        self, request: ClientRequest, trace: "RequestTrace", started: float
    ) -> ClientResponse:
        # Imported here: most sessions are not traced.
        from ._traced_request import run_traced

        request.settings = request.settings._replace(trace=trace)
        return await run_traced(self._journey(request, started), trace)

    def _logged(self, plan: "TracePlan | None") -> "TracePlan":
        if self._log_plan is None:
            # Imported here: most programs do not log that much.
            from ._logging import logged_plan

            self._log_plan = logged_plan(plan)
        return self._log_plan

    def _journey(self, request: ClientRequest, started: float) -> "Journey":
        make = self._make_journey
        if make is None:
            # Imported here: most programs never need one. And once: the statement costs more than what it imports.
            from ._journey import Journey

            make = self._make_journey = Journey
        return make(self, request, started)

    def _bind(self) -> asyncio.AbstractEventLoop:
        """Bind to the running loop, at the first request. Later ones are checked by the connector.

        Raises: RuntimeError when the session is closed.
        """
        if self.closed:
            raise RuntimeError("the session is closed")
        self.loop = asyncio.get_running_loop()
        self.deadlines = DeadlineQueue.for_loop(self.loop)
        return self.loop


async def check_status(response: ClientResponse, check: Any) -> None:
    """Let the response be judged as the caller asked; one that does not pass is released."""
    if check is True:
        if response.status >= 400:
            # Imported here: most responses are what was asked for.
            from ._refused_response import refuse

            await refuse(response)
        return
    try:
        judged = check(response)
        # A plain function may judge too.
        if isinstance(judged, Awaitable):
            await judged
    except BaseException:
        response.release()
        raise
