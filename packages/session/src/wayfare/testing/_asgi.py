"""`ASGIConnector`: a session's requests go to an ASGI application in this very process (ASGI 3)."""

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias, final
from urllib.parse import unquote

from wayfare_connector import Target

from ._asgi_lifespan import Lifespan
from ._asgi_websocket import WebSocketCycle, asks_for_websocket
from ._calls import MockReply
from ._incoming import ClientGoneError, IncomingRequest
from ._memory_connector import MemoryConnector
from ._replies import send_reply
from ._responder import Responder

if TYPE_CHECKING:
    from wayfare_connector import ConnectDeadline, ConnectObserver
    from wayfare_http_core import Connection, ConnectionOwner

if sys.version_info >= (3, 12):
    from typing import Self, override
else:
    from typing import Self

    from typing_extensions import override

__all__ = ("ASGIApplication", "ASGIConnector")

Message: TypeAlias = MutableMapping[str, Any]
ASGIApplication: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""`async def app(scope, receive, send)`. Each framework has types of its own for these three."""

_EXTENSIONS = ("http.response.trailers", "http.response.early_hint")


@final
class ASGIConnector(MemoryConnector):
    """Leads every request to an ASGI application, whatever its host: no server, no socket.

    Content streams both ways, with the back pressure of a connection. What the application raises is raised from the
    request, or from reading its content once the response has begun; with `raise_errors=False` it becomes a 500, or a
    connection that breaks, as behind a server. When the client goes, the application is told with `http.disconnect`,
    and `send` raises an `OSError`; it may go on, and gets `patience` seconds at closing.

    WebSockets are opened as well. What the application raises before it accepts one is raised from `ws_connect`;
    afterwards the WebSocket is closed with 1011, and the loop's exception handler is told.

    With `lifespan` its startup comes before the first request, or at `async with`, and its shutdown when the connector
    is closed. `root_path` is where the application is mounted, percent-decoded. `options` are those of `BaseConnector`.
    """

    def __init__(
        self,
        application: ASGIApplication,
        *,
        lifespan: bool = False,
        root_path: str = "",
        raise_errors: bool = True,
        patience: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(self._call, patience=patience, **options)
        self._app = application
        self._root_path = root_path
        self._raise_errors = raise_errors
        self._lifespan = Lifespan(application) if lifespan else None

    @override
    async def open_connection(
        self,
        target: Target,
        owner: "ConnectionOwner",
        *,
        deadline: "ConnectDeadline",
        observer: "ConnectObserver | None",
    ) -> "Connection":
        """Connect to the application, once it has started; see `BaseConnector`.

        Raises: what the application raises in its startup; RuntimeError where it says that this failed.
        Cancellation: nothing stays open; a startup goes on for whoever asks next.
        """
        if self._lifespan is not None:
            with deadline.connecting():
                await self._lifespan.start()
        return await super().open_connection(target, owner, deadline=deadline, observer=observer)

    @override
    async def __aenter__(self) -> Self:
        if self._lifespan is not None:
            await self._lifespan.start()
        return self

    @override
    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close, and let the application shut down; see `BaseConnector`.

        Raises: what the application raises in its shutdown; RuntimeError where it says that this failed.
        Cancellation: what is still open is aborted, and the application cancelled.
        """
        try:
            await super().close(abort_ssl=abort_ssl)
        finally:
            if self._lifespan is not None:
                await self._lifespan.stop()

    async def _call(self, request: IncomingRequest, responder: Responder) -> None:
        if asks_for_websocket(request):
            await self._call_websocket(request, responder)
            return
        cycle = _Cycle(request, responder)
        try:
            await self._app(self._scope(request), cycle.receive, cycle.send)
            if not responder.ended:
                raise RuntimeError("the application returned before its response was complete")
        except Exception:
            if self._raise_errors or responder.ended:
                raise
            await cycle.break_off()

    async def _call_websocket(self, request: IncomingRequest, responder: Responder) -> None:
        cycle = WebSocketCycle(request, responder)
        if not await cycle.begin():
            return
        wanted = ",".join(request.headers.getall("Sec-WebSocket-Protocol", [])).split(",")
        scope: Message = {
            **self._scope(request),
            "type": "websocket",
            "scheme": "wss" if request.target.is_ssl else "ws",
            "subprotocols": [name.strip() for name in wanted if name.strip()],
            "extensions": {"websocket.http.response": {}},
        }
        # Only HTTP requests have one.
        del scope["method"]
        try:
            await self._app(scope, cycle.receive, cycle.send)
            await cycle.end()
        except BaseException as exc:
            await cycle.fail()
            if self._raise_errors or responder.started or not isinstance(exc, Exception):
                raise
            await send_reply(MockReply(500, "Internal Server Error"), responder)

    def _scope(self, request: IncomingRequest) -> Message:
        raw_path = request.url.raw_path
        fields = request.head.fields
        scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": request.head.version,
            "method": request.method,
            "scheme": request.target.scheme,
            "path": unquote(raw_path),
            "raw_path": raw_path.encode("ascii"),
            "query_string": request.url.raw_query_string.encode("ascii"),
            "root_path": self._root_path,
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in fields],
            "client": request.client,
            "server": (request.target.host, request.target.port),
            "extensions": {name: {} for name in _EXTENSIONS},
        }
        if self._lifespan is not None:
            scope["state"] = self._lifespan.state.copy()
        return scope


@final
class _Cycle:
    """One request and its response, as messages."""

    __slots__ = ("_asked", "_request", "_responder", "_start", "_trailing")

    def __init__(self, request: IncomingRequest, responder: Responder) -> None:
        self._request = request
        self._responder = responder
        self._asked = False
        """Whether the whole content was given out."""
        self._start: Message | None = None
        """What begins the response, until its content does: an application that fails in between has sent nothing."""
        self._trailing: list[tuple[str, str]] | None = None

    async def receive(self) -> Message:
        """The next message for the application. Cancellation: safe."""
        request = self._request
        if not self._asked and not request.disconnected.is_set():
            try:
                piece = await request.receive()
            except ClientGoneError:
                return {"type": "http.disconnect"}
            self._asked = request.content.at_eof()
            return {"type": "http.request", "body": piece, "more_body": not self._asked}
        await request.disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message of the application.

        Raises: `ClientGoneError` when the client is gone; RuntimeError, ValueError for what has no place here.
        Cancellation: safe; what the message says is sent.
        """
        responder = self._responder
        kind = message["type"]
        if self._request.disconnected.is_set() and not responder.ended:
            raise ClientGoneError
        if kind == "http.response.start":
            if self._start is not None or responder.started:
                raise RuntimeError("the response has begun already")
            self._start = message
        elif kind == "http.response.body":
            await self._content(message)
        elif kind == "http.response.trailers" and self._trailing is not None:
            self._trailing += _pairs(message.get("headers", ()))
            if not message.get("more_trailers", False):
                self._end(self._trailing)
        elif kind == "http.response.early_hint":
            links = [("link", bytes(link).decode("latin-1")) for link in message["links"]]
            responder.inform(103, links)
        else:
            raise RuntimeError(f"{kind} has no place here")

    async def _content(self, message: Message) -> None:
        responder, start = self._responder, self._start
        if start is not None:
            responder.start(start["status"], _pairs(start.get("headers", ())))
            self._start = None
            if start.get("trailers", False):
                self._trailing = []
        await responder.write(message.get("body", b""))
        if not message.get("more_body", False) and self._trailing is None:
            self._end(())

    def _end(self, trailers: "list[tuple[str, str]] | tuple[()]") -> None:
        self._responder.end(trailers)
        # What an application may still wait for is to hear that its request is over.
        self._request.disconnected.set()

    async def break_off(self) -> None:
        """Answer with 500, or break the connection where an answer has begun. Cancellation: safe."""
        responder = self._responder
        if responder.started:
            responder.abort()
            return
        text = b"Internal Server Error"
        responder.start(500, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        await responder.write(text)
        responder.end()


def _pairs(headers: Any) -> list[tuple[str, str]]:
    return [
        (bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in headers
    ]
