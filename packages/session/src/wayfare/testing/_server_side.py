"""`ServerSide`: HTTP/1.1 as a server speaks it, between a transport and an application in this very process.

    transport --octets--> RequestScanner --events--> IncomingRequest --> application (a task for each request)
    transport <--octets-- Responder <---------------------------------------+

It judges the client strictly: what is no HTTP is the client's error, and not to be served.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias, cast, final

from wayfare_http_core.testing import (
    BadRequestError,
    ReceivedRequest,
    RequestEnd,
    RequestEvent,
    RequestScanner,
)

from ._incoming import ClientGoneError, IncomingRequest
from ._responder import Responder

if TYPE_CHECKING:
    from wayfare_connector import Target

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("Application", "ServerSide")

Application: TypeAlias = Callable[[IncomingRequest, Responder], Awaitable[None]]
"""Answers a request. What it raises is raised from the client's request."""


@final
class ServerSide(asyncio.Protocol):
    """One connection of an application.

    `report` is called with what the application raised, once all that was sent before has reached the client; it ends
    the client's exchange. With `patient` the application goes on when the client is gone; otherwise it is cancelled.
    """

    def __init__(
        self,
        application: Application,
        target: "Target",
        report: Callable[[Exception], None],
        *,
        patient: bool = False,
    ) -> None:
        self.close_after = False
        """Whether the connection ends with the response under way."""
        self._application = application
        self._target = target
        self._report = report
        self._patient = patient
        self._scanner = RequestScanner()
        self._transport: asyncio.Transport | None = None
        self._request: IncomingRequest | None = None
        """The one whose content arrives or whose response is made."""
        self._received = False
        """Whether all of it is here."""
        self._waits_for_100 = False
        self._task: asyncio.Task[None] | None = None
        self._upgraded = False
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def is_open(self) -> bool:
        """Whether there is a client, or an application that goes on without one."""
        return self._transport is not None or self._task is not None

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The application at work."""
        return self._task

    # -- what the responder asks for --------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Write octets, or drop them where nobody is left."""
        if self._transport is not None:
            self._transport.write(data)

    async def drained(self) -> None:
        """Return when the transport takes more. Cancellation: safe."""
        await self._writable.wait()

    def hand_over(self, head: bytes) -> tuple[asyncio.Transport, bytes]:
        """Send a head, and give the transport up, with what was read too far; set another protocol on it at once.

        Raises: `ClientGoneError`.
        """
        transport = self._transport
        if transport is None:
            raise ClientGoneError
        transport.write(head)
        self._upgraded = True
        self._transport = None
        return transport, bytes(self._scanner.unread)

    # -- the transport ------------------------------------------------------------------------------------------------

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client is connected."""
        self._transport = cast(asyncio.Transport, transport)

    @override
    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        self._scanner.feed(data)
        self._advance()

    @override
    def eof_received(self) -> None:
        """The client sends no more: clients that do so in the middle of an exchange are gone."""

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._transport = None
        self._writable.set()
        request = self._request
        if request is not None:
            request.disconnected.set()
            if not self._received:
                request.content.set_exception(ClientGoneError())
        if self._task is not None and not self._patient:
            self._task.cancel()

    @override
    def pause_writing(self) -> None:
        """The client reads slowly."""
        self._writable.clear()

    @override
    def resume_writing(self) -> None:
        """The client has caught up."""
        self._writable.set()

    # -- the content's flow -------------------------------------------------------------------------------------------

    def pause_reading(self) -> None:
        """The application reads slowly."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """The application has caught up."""
        if self._transport is not None:
            self._transport.resume_reading()

    def abort(self) -> None:
        """The content is given up."""
        if self._transport is not None:
            self._transport.abort()

    def distrust(self) -> None:
        """The content is of no use: nothing is decoded here, so this never comes."""
        self.close_after = True

    # -- requests -----------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        try:
            while (event := self._next_event()) is not None:
                self._take(event)
        except BadRequestError as exc:
            self._fail(exc)

    def _next_event(self) -> RequestEvent | None:
        # Another request waits until this one has its response.
        return None if self._received else self._scanner.maybe_event()

    def _take(self, event: RequestEvent) -> None:
        request = self._request
        if isinstance(event, ReceivedRequest):
            self._begin(event)
        elif request is not None and isinstance(event, RequestEnd):
            request.trailers = event.trailers
            self._received = True
            request.content.feed_eof()
        elif request is not None and isinstance(event, bytes):
            request.content.feed_data(event)

    def _begin(self, head: ReceivedRequest) -> None:
        self.close_after = head.closes
        self._waits_for_100 = head.get("expect") is not None
        client = None if self._transport is None else self._transport.get_extra_info("peername")
        request = IncomingRequest(head, self._target, client, self, self._say_continue)
        self._request = request
        self._task = asyncio.get_running_loop().create_task(self._answer(request))

    def _say_continue(self) -> None:
        if self._waits_for_100:
            self._waits_for_100 = False
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def _answer(self, request: IncomingRequest) -> None:
        responder = Responder(self, request)
        try:
            await self._application(request, responder)
            if not responder.started:
                raise RuntimeError("the application returned without a response")
            responder.end()
            await self._finish(request)
        except asyncio.CancelledError:
            self.abort()
            raise
        except ClientGoneError:
            self.abort()
        except Exception as exc:
            await self._deliver()
            self._fail(exc, late=responder.ended)
        finally:
            # The next request may have begun.
            if self._task is asyncio.current_task():
                self._task = None

    async def _finish(self, request: IncomingRequest) -> None:
        """Make ready for the next request, or close."""
        if self._upgraded:
            return
        # What was not asked for with 100 may never come (RFC 9110 section 10.1.1).
        if not self._waits_for_100:
            with suppress(ClientGoneError):
                while await request.content.readany():
                    pass
        if self._transport is None:
            return
        if self.close_after or not self._received:
            self._transport.close()
            return
        self._request = None
        self._received = False
        self._advance()

    async def _deliver(self) -> None:
        """Wait until what was written is with the client: an error must not overtake it."""
        await self.drained()
        for _ in range(2):
            await asyncio.sleep(0)

    def _fail(self, error: Exception, *, late: bool = False) -> None:
        if late or self._transport is None:
            # There is no request any more to raise it from.
            asyncio.get_running_loop().call_exception_handler(
                {"message": "an application failed when its request was over", "exception": error}
            )
        else:
            self._report(error)
        self.abort()
