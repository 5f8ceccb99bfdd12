"""`session.ws_connect`: from its arguments to an open WebSocket.

The handshake is a request like any other and goes the way of one: cookies, credentials, proxies, redirects, middlewares
and traces are those of the session. What it leaves, the connection, becomes the WebSocket's.
"""

from collections.abc import Coroutine, Set
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, final

from multidict import CIMultiDict
from wayfare_http_core import HttpVersion11, hdrs
from wayfare_websocket import (
    MAX_MESSAGE_SIZE,
    Accepted,
    DeflateOffer,
    HandshakeRefused,
    Role,
    WebSocketEngine,
    WSOpenTimeoutError,
)
from wayfare_websocket.aio import ClientWebSocketResponse, LinkOptions
from yarl import URL

from ._defaults import header_pairs
from ._errors import TotalTimeoutError
from ._options import RequestOptions
from ._request_context import CoroutineContext, Delivery
from ._timeout import Unset
from ._upgrade import take_over
from ._urls import as_http, join_url
from ._ws_handshake import HandshakeStep, refusal
from ._ws_options import WSConnectOptions, check_ws_options, request_options
from ._ws_timeout import ClientWSTimeout, read_ws_timeout

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from ._pipeline import Pipeline
    from ._session import ClientSession

    DecodeText = TypeVar("DecodeText", bound=bool, default=Literal[True])
else:
    from typing import TypeVar

    DecodeText = TypeVar("DecodeText", bound=bool)

__all__ = ("WebSocketContext", "open_websocket")

_SCHEMES = {"http": "ws", "https": "wss"}


async def open_websocket(
    session: "ClientSession",
    pipeline: "Pipeline",
    url: str | URL,
    options: WSConnectOptions,
    decode_text: bool,
    site: str,
) -> ClientWebSocketResponse[Any]:
    """Open a WebSocket; `site` is where it was asked for.

    Raises, Cancellation: as `ClientSession.ws_connect`.
    """
    check_ws_options(options)
    timeout = read_ws_timeout(options["timeout"])
    link = _link_options(options, timeout)
    step = HandshakeStep(options.get("protocols", ()), _offer(options.get("compress", 0)))
    request = _handshake_request(options, timeout, step, pipeline)
    method = options.get("method", hdrs.METH_GET)
    schemes = pipeline.connector.allowed_protocol_schema_set
    address = _websocket_url(pipeline.builder.base_url, url, schemes)
    try:
        response = await pipeline.run(session, method, address, request, Delivery())
    except TotalTimeoutError as error:
        too_late = WSOpenTimeoutError(error.seconds or 0.0)
        too_late.failure = error.failure
        raise too_late from error

    verdict = step.check(response)
    if isinstance(verdict, HandshakeRefused):
        raise await refusal(response, verdict)
    upgraded = take_over(response)
    return ClientWebSocketResponse(
        upgraded.transport,
        _engine(options, decode_text, verdict),
        link,
        unread=upgraded.unread,
        protocol=verdict.protocol,
        deflate=verdict.deflate,
        on_lost=upgraded.release,
        description=f"to {response.url}, opened at {site}",
    )


def _websocket_url(base_url: URL | None, url: str | URL, schemes: Set[str]) -> URL:
    """The URL with the scheme of a WebSocket: an http URL means the same, but to a proxy."""
    joined = as_http(join_url(base_url, url), schemes)
    scheme = _SCHEMES.get(joined.scheme)
    return joined if scheme is None or not joined.raw_host else joined.with_scheme(scheme)


def _handshake_request(
    options: WSConnectOptions,
    timeout: ClientWSTimeout,
    step: HandshakeStep,
    pipeline: "Pipeline",
) -> RequestOptions:
    """The arguments of the request that carries the handshake.

    Raises: ValueError for a version of HTTP that has no upgrades.
    """
    settings = pipeline.builder.settings
    if settings.version < HttpVersion11:
        raise ValueError("a WebSocket needs HTTP/1.1, and the session speaks HTTP/1.0")
    request = request_options(options)
    headers: CIMultiDict[Any] = CIMultiDict(header_pairs(options.get("headers")))
    # What changes with each attempt stands here too, so that middlewares see what is asked for.
    for name, value in step.make_handshake().fields:
        headers[name] = value
    origin = options.get("origin")
    if origin is not None:
        headers["Origin"] = origin
    request["headers"] = headers
    middlewares = options.get("middlewares")
    request["middlewares"] = (*(settings.middlewares if middlewares is None else middlewares), step)
    request["raise_for_status"] = False
    request.setdefault("allow_redirects", False)
    opening = timeout.ws_open
    if not isinstance(opening, Unset):
        request["timeout"] = opening
    return request


def _link_options(options: WSConnectOptions, timeout: ClientWSTimeout) -> LinkOptions:
    return LinkOptions(
        autoclose=options.get("autoclose", True),
        autoping=options.get("autoping", True),
        heartbeat=options.get("heartbeat") or None,
        receive_timeout=timeout.ws_receive,
        close_timeout=timeout.ws_close,
        ping_timeout=timeout.ws_ping,
    )


def _offer(compress: "int | DeflateOffer") -> DeflateOffer | None:
    """What is offered of permessage-deflate.

    Raises: TypeError, ValueError for what is no window.
    """
    if isinstance(compress, DeflateOffer):
        return compress
    if isinstance(compress, bool) or not isinstance(compress, int):
        kind = type(compress).__name__
        raise TypeError(f"compress must be a number of bits or a DeflateOffer, not {kind}")
    if compress == 0:
        return None
    if not 9 <= compress <= 15:
        raise ValueError(f"compress must be 9 to 15 bits, or 0 for no compression, not {compress}")
    # The server's window is memory of ours, too.
    theirs = compress if compress < 15 else None
    return DeflateOffer(client_max_window_bits=compress, server_max_window_bits=theirs)


def _engine(options: WSConnectOptions, decode_text: bool, accepted: Accepted) -> WebSocketEngine:
    return WebSocketEngine(
        Role.CLIENT,
        deflate=accepted.deflate,
        max_message_size=options.get("max_msg_size", MAX_MESSAGE_SIZE),
        decode_text=decode_text,
    )


@final
class WebSocketContext(CoroutineContext[ClientWebSocketResponse[DecodeText]], Generic[DecodeText]):
    """A WebSocket that is opened when this is awaited, entered with `async with`, or run as a task.

    `async with` closes it at the end of its block. One that is never awaited warns, as coroutines do.
    """

    __slots__ = ("_websocket",)

    _websocket: ClientWebSocketResponse[DecodeText]

    def __init__(self, coroutine: Coroutine[Any, Any, ClientWebSocketResponse[DecodeText]]) -> None:
        self._coroutine = coroutine

    async def __aenter__(self) -> ClientWebSocketResponse[DecodeText]:
        self._websocket = await self._coroutine
        return self._websocket

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._websocket.__aexit__(exc_type, exc, traceback)
