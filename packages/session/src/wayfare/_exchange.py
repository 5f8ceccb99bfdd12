"""One hop: lease a connection, exchange a request for a response, and say what went wrong in the request's terms."""

from typing import NamedTuple

from wayfare_connector import BaseConnector
from wayfare_http_core import (
    ClientResponseError,
    ContentEncodingError,
    Exchange,
    ExchangeOptions,
    RequestHead,
    hdrs,
)
from wayfare_http_core.aio import Deadline

from ._request import ClientRequest
from ._response import ClientResponse
from ._urls import PreparedURL

__all__ = ("HopSettings", "send_request")


class HopSettings(NamedTuple):
    """What a session decides once for all its exchanges."""

    options: ExchangeOptions
    auto_decompress: bool


async def send_request(
    connector: BaseConnector,
    prepared: PreparedURL,
    head: RequestHead,
    request: ClientRequest,
    settings: HopSettings,
    deadline: Deadline,
) -> ClientResponse:
    """Send a request to where its URL leads and return the response.

    `deadline` bounds everything up to the end of the response's content; the content closes it.

    Raises: as `ClientSession.request`.
    Cancellation: as `ClientSession.request`.
    """
    timeout = request.timeout
    try:
        connection = connector.lease_nowait(prepared.target)
        if connection is None:
            with deadline:
                connection = await connector.connect(prepared.target, timeout.connect_timeouts)
        if timeout.read_timeout is None:
            exchange = await connection.exchange(head, request.body, settings.options, deadline)
        else:
            # The head, too, must come within the read timeout.
            with Deadline.after(*timeout.read_timeout):
                exchange = await connection.exchange(head, request.body, settings.options, deadline)
    except BaseException as exc:
        deadline.close()
        if isinstance(exc, ClientResponseError) and exc.request_info is None:
            exc.request_info = request.request_info
        raise
    if settings.auto_decompress and hdrs.CONTENT_ENCODING in exchange.head.headers:
        _undo_codings(exchange, request)
    if exchange.is_complete:
        deadline.close()
    else:
        exchange.content.set_timeouts(deadline, timeout.read_timeout)
    return ClientResponse(request, exchange)


def _undo_codings(exchange: Exchange, request: ClientRequest) -> None:
    """Let the content be decoded as it is read; a coding that nobody here knows is left as it is.

    Raises: `ContentEncodingError` for more codings than anybody needs.
    """
    # Imported here: decoders load with the first coded response.
    from wayfare_http_core import UnsupportedCodings, make_decoder, parse_content_codings

    names = parse_content_codings(exchange.head.headers.getall(hdrs.CONTENT_ENCODING))
    try:
        decoder = make_decoder(names)
    except ContentEncodingError as exc:
        exchange.abort()
        exc.request_info = request.request_info
        raise
    if decoder is not None and not isinstance(decoder, UnsupportedCodings):
        exchange.content.decode_with(decoder)
