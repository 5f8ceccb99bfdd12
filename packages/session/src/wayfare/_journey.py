"""`Journey`: a request with more to it than one exchange: redirects, further attempts, middlewares."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from wayfare_http_core import ClientError, RequestBody, hdrs
from wayfare_http_core.aio import Deadline

from ._errors import TooManyRedirects, TotalTimeoutError
from ._exchange import send_request
from ._failures import complete_failure, failure_of
from ._middlewares import ClientMiddlewareType, chain
from ._redirects import next_hop
from ._request import ClientRequest
from ._response import ClientResponse
from ._response_summary import summarise
from ._retry import may_retry, without_expectation
from ._settings import LEADING_ON, exchange_options
from ._timeout import read_timeout_option

if TYPE_CHECKING:
    from ._pipeline import Pipeline

__all__ = ("Journey",)


@final
class Journey:
    """One request on its way, with the hops behind it. It may begin with what its first attempt came to already.

    `started` is when the request did, on the loop's clock in seconds: its total time goes on from there.
    """

    __slots__ = (
        "_fed",
        "_history",
        "_made",
        "_pipeline",
        "_retried",
        "_started",
        "_trace",
        "_when",
        "request",
    )

    request: ClientRequest
    """That of the present hop."""

    def __init__(self, pipeline: "Pipeline", request: ClientRequest, started: float) -> None:
        total = request.timeout.total
        self._pipeline = pipeline
        if request.settings.middlewares:
            # Made here: what is made of this request from now on has the same ones.
            request.keep_notes()
        self.request = request
        self._trace = request.settings.trace
        self._started = started
        self._when = None if total is None else started + total
        self._history: list[ClientResponse] = []
        self._made: list[ClientResponse] | None = None
        self._fed: list[RequestBody | bytes] = []
        self._retried = False

    async def travel(self, response: ClientResponse | None = None) -> ClientResponse:
        """Go on to the response to return: with the next attempt, or from a response that is there.

        Raises, Cancellation: as `ClientSession.request`.
        """
        try:
            with self._guard():
                if self._trace is not None and response is None:
                    await self._trace.request_start(self.request)
                while True:
                    if response is None:
                        response = await self._attempted()
                    elif response.status in LEADING_ON and await self._leads_on(response):
                        response = None
                    else:
                        break
        except Exception as exc:
            self._describe(exc)
            raise
        finally:
            if self._fed:
                self._give_up()
        if self._history:
            response.set_history(tuple(self._history))
        return response

    def survives(self, error: Exception) -> bool:
        """Whether the attempt that failed so is to be repeated, at most once in each hop; it is prepared then."""
        request = self.request
        if (
            self._retried
            or not request.settings.retry_stale
            or not may_retry(request.method, request.body, error, failure_of(error))
        ):
            self._describe(error)
            return False
        self._retried = True
        request.attempt += 1
        # What made one pooled connection stale made others so: the next attempt gets a new one (L9).
        connector = self._pipeline.connector
        while (idle := connector.lease_nowait(request.prepared.target)) is not None:
            idle.close()
        return True

    async def _attempted(self) -> ClientResponse | None:
        """One attempt, and its response; None if another one is to follow."""
        try:
            request = self.request
            cookies = self._pipeline.cookies
            if cookies.sync_due:
                await cookies.refresh()
            request = cookies.dressed(request)
            middlewares = request.settings.middlewares
            if not middlewares:
                return await self._exchange(request)
            return await self._through(middlewares, request)
        except Exception as exc:
            failed = self.request.attempt
            if not self.survives(exc):
                raise
            if self._trace is not None:
                await self._trace.request_retry(self.request, exc, failed)
        return None

    async def _through(
        self, middlewares: Sequence[ClientMiddlewareType], request: ClientRequest
    ) -> ClientResponse:
        """Send a request through the middlewares; what none of them returns is released."""
        made = self._made = []
        passed = request.copy()
        returned: ClientResponse | None = None
        try:
            # A copy: another attempt begins with what this one began with.
            handler = chain(middlewares[1:], self._exchange)
            passed.count_from(self._started)
            returned = await middlewares[0](passed, handler)
        finally:
            self._made = None
            self._note_body(passed)
            # A response of somebody else's making may stand for any of ours, so all are left to it then.
            if returned is None or returned in made:
                for response in made:
                    if response is not returned:
                        response.release()
        # Checked, because None means another attempt to whoever called this: it would go on for ever.
        if returned is None:
            raise TypeError("a middleware must return a response, and this one returned None")
        return returned

    async def _exchange(self, request: ClientRequest) -> ClientResponse:
        if self._made is not None and request.has_field("proxy-authorization"):
            # Imported here: few middlewares know a proxy's password.
            from ._proxy_option import hand_over

            request = hand_over(request)
        route = request.prepared.route
        if route.trust_env:
            # Last of all: whom a middleware sends it to, and what it adds, is known now.
            if route.netrc:
                request = await self._authorized(request)
            request = await self._pipeline.get_netrc().proxied(request)
        deadline = self.deadline()
        if request.timeout is not self.request.timeout:
            deadline = self._retimed(request)
        self._note_body(request)
        connector = self._pipeline.connector
        response = await send_request(connector, request, deadline, fresh=self._retried)
        if self._made is not None:
            self._made.append(response)
        if hdrs.SET_COOKIE in response.headers:
            self._pipeline.cookies.store(response)
        return response

    def _note_body(self, request: ClientRequest) -> None:
        """Remember content that a middleware set: whoever feeds it must learn when nobody will read it any more."""
        body = request.body
        if body is not None and body is not self.request.body:
            self._fed.append(body)

    def _give_up(self) -> None:
        # Imported here: few middlewares send other content.
        from ._fed_uploads import fed_body

        for body in self._fed:
            stream = fed_body(body)
            if stream is not None:
                stream.give_up()

    async def _authorized(self, request: ClientRequest) -> ClientRequest:
        hops = [response.url for response in self._history]
        return await self._pipeline.get_netrc().authorized(request, hops)

    async def _leads_on(self, response: ClientResponse) -> bool:
        """Whether another request follows this response; it is released then, and the request made ready."""
        request = self.request
        try:
            following = self._following(response)
            if following is None:
                return False
            if self._trace is not None:
                if response.status == 417:
                    await self._trace.request_retry(request, None, request.attempt)
                else:
                    await self._trace.request_redirect(request, response)
        except BaseException:
            response.release()
            raise
        response.release()
        self.request = following
        return True

    def _following(self, response: ClientResponse) -> ClientRequest | None:
        request = self.request
        if response.status == 417:
            return without_expectation(request)
        settings = request.settings
        if not settings.allow_redirects or settings.max_redirects == 0:
            return None
        following = next_hop(
            request, response.status, response.headers, len(self._history), response.real_url
        )
        if following is None:
            return None
        if len(self._history) == settings.max_redirects:
            raise TooManyRedirects(
                response.request_info,
                tuple(summarise(one) for one in (*self._history, response)),
                status=response.status,
                message=f"more than {settings.max_redirects} redirects",
                headers=response.headers,
            )
        self._history.append(response)
        self._retried = False
        return following

    def _guard(self) -> Deadline:
        """What bounds the waiting outside of exchanges, where there is any: they have deadlines of their own."""
        request = self.request
        settings, cookies = request.settings, self._pipeline.cookies
        if settings.middlewares or self._trace is not None or cookies.sync_due:
            return self.deadline()
        if request.prepared.route.trust_env:
            return self.deadline()
        return self._pipeline.deadlines.start(None)

    def deadline(self, least: float = 0.0) -> Deadline:
        """The end of the total time, once more: whoever gets one may close it. It is `least` seconds away or more."""
        deadlines = self._pipeline.deadlines
        when = self._when
        seconds = None if when is None else max(when - deadlines.loop.time(), least)
        return deadlines.start(seconds, self.request.timeout.total_error)

    def _retimed(self, request: ClientRequest) -> Deadline:
        """Let a request have the limits that a middleware gave it. The total counts from the same beginning as ever,
        and the caller's stays in force."""
        timeout = read_timeout_option(request.timeout, self.request.timeout)
        request.timeout = timeout
        exchange = exchange_options(request.settings.exchange, timeout)
        request.settings = request.settings._replace(exchange=exchange)
        return self._pipeline.deadlines.start(request.time_left(), timeout.total_error)

    def _describe(self, error: BaseException) -> None:
        if isinstance(error, ClientError | TotalTimeoutError):
            hops = [str(response.real_url) for response in self._history]
            elapsed = self._pipeline.deadlines.loop.time() - self._started
            complete_failure(error, self.request, hops, elapsed)
