"""The signals of one exchange: the connection, the request on it, and the response up to the end of its content."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, TypeAlias, final

from wayfare_connector import BaseConnector, Target
from wayfare_http_core import (
    Connection,
    Exchange,
    ExchangeOptions,
    RequestBody,
    RequestFailure,
    RequestHead,
    ResponseHead,
    ServerDisconnectedError,
    TrailerBody,
)
from wayfare_http_core.aio import ContentWatcher, Deadline

from ._connect_trace import ConnectTrace
from ._errors import TotalTimeoutError
from ._tracing_params import (
    TraceInformationalParams,
    TraceRequestChunkSentParams,
    TraceRequestHeadersSentParams,
    TraceResponseChunkReceivedParams,
    TraceResponseEndParams,
    TraceResponseStartParams,
)

if TYPE_CHECKING:
    from ._request import ClientRequest
    from ._tracing import RequestTrace

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("LEAST_TIME", "ExchangeTrace", "told_body")

LEAST_TIME: Final = 1.0
"""Seconds that handlers of content and of errors have, also where the total time is over."""

Teller: TypeAlias = Callable[[bytes], Awaitable[None]]


@final
class ExchangeTrace(ContentWatcher):
    """Sends the signals of one exchange.

    Raises, from every method: what handlers raise; the connection is given up then, if it was leased already.
    Cancellation: like an exception.
    """

    __slots__ = (
        "_ends",
        "_informational",
        "_loop",
        "_octets",
        "_request",
        "_started",
        "_trace",
        "first_byte",
    )

    first_byte: float | None
    """Seconds from sending the request until the response's head was there."""

    def __init__(self, trace: "RequestTrace", request: "ClientRequest") -> None:
        self._trace = trace
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._started = 0.0
        self._octets = 0
        self._ends: float | None = None
        self._informational: list[tuple[ResponseHead, float]] = []
        self.first_byte = None

    async def connect(
        self, connector: BaseConnector, target: Target, deadline: Deadline
    ) -> Connection:
        """Lease a connection, with a signal for each stage."""
        observer: ConnectTrace | None = None
        if self._trace.plan.watches_connects:
            observer = ConnectTrace(self._trace)
        elif (connection := connector.lease_nowait(target)) is not None:
            return connection
        with deadline:
            return await connector.connect(target, self._request.timeout.connect_timeouts, observer)

    async def exchange(
        self,
        connection: Connection,
        head: RequestHead,
        options: ExchangeOptions,
        deadline: Deadline,
    ) -> Exchange:
        """Send the request and return its response, as `Connection.exchange` does."""
        trace, request = self._trace, self._request
        self._ends = deadline.when  # a deadline forgets it when it is closed
        try:
            if trace.wants("on_request_headers_sent"):
                with deadline:
                    await trace.send(
                        "on_request_headers_sent",
                        TraceRequestHeadersSentParams,
                        request.method,
                        request.url,
                        request.headers,
                    )
        except BaseException:
            # Leased and not used: nobody else will give it back.
            connection.abort()
            raise
        if not connection.available_exchanges:
            raise self._lost(connection)
        body = request.body
        if body is not None and trace.wants("on_request_chunk_sent"):
            body = told_body(body, self._chunk_sent)
        if trace.wants("on_informational"):
            options = options._replace(on_informational=self._keep_informational)
        self._started = self._loop.time()
        try:
            exchange = await connection.exchange(head, body, options, deadline)
        except Exception:
            await self._tell_informational()
            raise
        self.first_byte = self._loop.time() - self._started
        if not self._informational and not trace.wants("on_response_start"):
            return exchange
        try:
            with deadline:
                await self._tell_informational()
                await self._response_start(exchange.head, self.first_byte)
        except BaseException:
            exchange.abort()
            raise
        return exchange

    def watch(self, exchange: Exchange) -> None:
        """Tell of the content as it is read, if anybody wants to know.

        Handlers have what is left of the total time, and `LEAST_TIME` at least: content that arrived in time may be
        read long after, and its end is told in any case.
        """
        if self._trace.plan.watches_content:
            self._started = self._loop.time()
            exchange.content.watch(self)

    @override
    async def content_arrived(self, piece: bytes) -> None:
        """See `ContentWatcher`."""
        self._octets += len(piece)
        request = self._request
        with self._bound():
            await self._trace.send(
                "on_response_chunk_received",
                TraceResponseChunkReceivedParams,
                request.method,
                request.url,
                piece,
            )

    @override
    async def content_ended(self, exception: Exception | None) -> None:
        """See `ContentWatcher`."""
        request, bound = self._request, self._bound()
        try:
            with bound:
                await self._trace.send(
                    "on_response_end",
                    TraceResponseEndParams,
                    request.method,
                    request.url,
                    self._octets,
                    self._loop.time() - self._started,
                    exception,
                )
        except TotalTimeoutError:
            # What the content failed with says more than that its telling took too long.
            if exception is None or not bound.expired:
                raise

    def _bound(self) -> Deadline:
        ends = self._ends
        seconds = None if ends is None else max(ends - self._loop.time(), LEAST_TIME)
        return Deadline.after(seconds, self._request.timeout.total_error)

    def _lost(self, connection: Connection) -> ServerDisconnectedError:
        """The connection went while handlers had it wait. A pooled one may be replaced: nothing was sent."""
        request = self._request
        error = ServerDisconnectedError("the connection was lost before the request was sent")
        error.failure = RequestFailure(
            request.method,
            (str(request.real_url),),
            "sending the request",
            request.attempt,
            reused=connection.exchanges_started > 0,
        )
        return error

    async def _chunk_sent(self, chunk: bytes) -> None:
        request = self._request
        await self._trace.send(
            "on_request_chunk_sent",
            TraceRequestChunkSentParams,
            request.method,
            request.url,
            chunk,
        )

    def _keep_informational(self, head: ResponseHead) -> None:
        # Called from the transport: handlers are told when the request's own task runs again.
        self._informational.append((head, self._loop.time() - self._started))

    async def _tell_informational(self) -> None:
        request = self._request
        kept, self._informational = self._informational, []
        for head, seconds in kept:
            await self._trace.send(
                "on_informational",
                TraceInformationalParams,
                request.method,
                request.url,
                head.status,
                head.headers,
                seconds,
            )

    async def _response_start(self, head: ResponseHead, seconds: float) -> None:
        request = self._request
        await self._trace.send(
            "on_response_start",
            TraceResponseStartParams,
            request.method,
            request.url,
            head.status,
            head.headers,
            seconds,
        )


def told_body(body: RequestBody | bytes, tell: Teller) -> RequestBody:
    """The same content; each piece is told of before the connection gets it: afterwards, a quick answer may be first.

    A file is read for it: what the kernel sends, nobody sees.
    """
    if isinstance(body, TrailerBody):
        return _ToldTrailerBody(body, tell, body)
    return _ToldBody(body, tell)


class _ToldBody(RequestBody):
    __slots__ = ("_body", "_tell")

    def __init__(self, body: RequestBody | bytes, tell: Teller) -> None:
        self._body = body
        self._tell = tell

    @property
    @override
    def content_type(self) -> str | None:
        """The body's; octets have theirs in the request's headers."""
        return None if isinstance(self._body, bytes) else self._body.content_type

    @property
    @override
    def length(self) -> int | None:
        """The body's."""
        return len(self._body) if isinstance(self._body, bytes) else self._body.length

    @property
    @override
    def replayable(self) -> bool:
        """As the body is."""
        return isinstance(self._body, bytes) or self._body.replayable

    @override
    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """One pass over the body."""
        body = self._body
        pieces = (body,) if isinstance(body, bytes) else body.chunks()
        if isinstance(pieces, AsyncGenerator):
            async with aclosing(pieces):
                async for piece in pieces:
                    await self._tell(bytes(piece))
                    yield piece
        elif isinstance(pieces, AsyncIterable):
            async for piece in pieces:
                await self._tell(bytes(piece))
                yield piece
        else:
            for piece in pieces:
                await self._tell(bytes(piece))
                yield piece


@final
class _ToldTrailerBody(_ToldBody):
    """The same for content that fields follow."""

    __slots__ = ("trailers",)

    trailers: Callable[[], Iterable[tuple[str, object]]]

    def __init__(self, body: RequestBody | bytes, tell: Teller, trailing: TrailerBody) -> None:
        super().__init__(body, tell)
        self.trailers = trailing.trailers
