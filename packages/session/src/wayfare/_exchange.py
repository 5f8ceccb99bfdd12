"""One exchange: lease a connection, send a request, and say what went wrong in the request's terms."""

from typing import TYPE_CHECKING

from wayfare_connector import BaseConnector
from wayfare_http_core import (
    Connection,
    ContentEncodingError,
    Exchange,
    hdrs,
)
from wayfare_http_core.aio import Deadline

from ._request import ClientRequest
from ._response import ClientResponse
from ._settings import RequestSettings

if TYPE_CHECKING:
    from ._tracing_exchange import ExchangeTrace

__all__ = ("note", "response_to", "send_request")


async def send_request(
    connector: BaseConnector, request: ClientRequest, deadline: Deadline, *, fresh: bool = False
) -> ClientResponse:
    """Send a request to where its URL leads and return the response.

    `deadline` bounds everything up to the end of the response's content; the content closes it. With `fresh` it goes
    over a connection that carried no other request.

    Raises, Cancellation: as `ClientSession.request`.
    """
    timeout = request.timeout
    settings = request.settings
    options = settings.exchange
    if settings.upload_watch is not None:
        options = settings.upload_watch.options(options, request.body)
    connection: Connection | None = None
    exchange: Exchange
    traced: ExchangeTrace | None = None
    try:
        head = request.head()
        target = request.prepared.target
        if settings.trace is None:
            connection = None if fresh else connector.lease_nowait(target)
            while connection is None or (fresh and _is_used(connection)):
                connection = None
                with deadline:
                    connection = await connector.connect(target, timeout.connect_timeouts)
            number = connection.exchanges_started + 1
            exchange = await connection.exchange(head, request.body, options, deadline)
        else:
            traced = settings.trace.exchange(request)
            while connection is None or (fresh and _is_used(connection)):
                connection = None
                connection = await traced.connect(connector, target, deadline)
            number = connection.exchanges_started + 1
            exchange = await traced.exchange(connection, head, options, deadline)
    except BaseException as exc:
        note(exc, request, connection, deadline)
        raise
    return response_to(request, exchange, connection, number, deadline, traced)


def note(
    exc: BaseException, request: ClientRequest, connection: Connection | None, deadline: Deadline
) -> None:
    """Say in an error which request failed, which is over."""
    deadline.close()
    # Imported here: most requests do not fail.
    from ._failures import note_failure

    note_failure(exc, request, connection)


def response_to(
    request: ClientRequest,
    exchange: Exchange,
    connection: Connection,
    number: int,
    deadline: Deadline,
    traced: "ExchangeTrace | None" = None,
) -> ClientResponse:
    """The response that began to arrive: the `number`th of its connection, its content within the request's bounds."""
    timeout = request.timeout
    settings = request.settings
    coded = settings.auto_decompress and hdrs.CONTENT_ENCODING in exchange.head.headers
    if coded:
        _undo_codings(exchange, request)
    if settings.bounded:
        exchange = _bounded(exchange, settings)
    if exchange.is_complete and not coded:
        deadline.close()
    else:
        content = exchange.content
        content.set_timeouts(deadline, timeout.read_timeout)
        if timeout.min_speed is not None:
            content.set_minimum_speed(*timeout.min_speed)
    if traced is None:
        return ClientResponse(request, exchange, connection, number)
    traced.watch(exchange)
    return ClientResponse(request, exchange, connection, number, traced.first_byte)


def _bounded(exchange: Exchange, settings: RequestSettings) -> Exchange:
    """The exchange, its content within the bounds that the caller set."""
    if not settings.read_until_eof:
        from ._emptied_exchange import EmptiedExchange, has_no_length

        if has_no_length(exchange):
            return EmptiedExchange(exchange)
    if settings.max_body_size is not None:
        exchange.content.limit_size(settings.max_body_size)
    return exchange


def _is_used(connection: Connection) -> bool:
    """Whether a leased connection had carried a request before; it is closed then.

    A pool at its limit hands over what becomes free, and that may be about to go, like the connection before (L9).
    """
    used = connection.exchanges_started > 0
    if used:
        connection.close()
    return used


def _undo_codings(exchange: Exchange, request: ClientRequest) -> None:
    """Let the content be decoded as it is read; a coding that nobody here knows is left as it is.

    Raises: `ContentEncodingError` for more codings than anybody needs, and for one whose library is not installed.
    """
    if exchange.is_complete and not exchange.content.total_raw_bytes:
        return  # a response to HEAD, a 204 or a 304 names the coding of content that it does not carry (Z11)
    # Imported here: decoders load with the first coded response.
    from wayfare_http_core import UnsupportedCodings, make_decoder, parse_content_codings

    names = parse_content_codings(exchange.head.headers.getall(hdrs.CONTENT_ENCODING))
    try:
        decoder = make_decoder(names, zlib_backend=request.settings.zlib_backend)
    except ContentEncodingError as exc:
        exchange.abort()
        exc.request_info = request.request_info
        raise
    if decoder is not None and not isinstance(decoder, UnsupportedCodings):
        exchange.content.decode_with(decoder)
