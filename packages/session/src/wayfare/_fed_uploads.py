"""Streams that are fed by hand as the content of a request: whoever feeds one must learn that nobody will read it."""

from collections.abc import Callable, Coroutine
from typing import Any

from wayfare_http_core import RequestBody
from wayfare_http_core.aio import StreamBody, StreamReader

from ._bodies import UntypedBody, uncoded_body
from ._response import ClientResponse

__all__ = ("as_stream_body", "deliver", "fed_body")


def as_stream_body(data: object) -> StreamBody | None:
    """The body of a stream that may be fed by hand; None for anything else."""
    if isinstance(data, StreamBody):
        return data
    return StreamBody(data) if isinstance(data, StreamReader) else None


def fed_body(body: RequestBody | bytes | None) -> StreamBody | None:
    """The body of a stream under what was wrapped around it; None where there is no stream."""
    body = uncoded_body(body)
    if isinstance(body, UntypedBody):
        body = body.bare
    return body if isinstance(body, StreamBody) else None


async def deliver(
    body: StreamBody, request: Callable[[], Coroutine[Any, Any, ClientResponse]]
) -> ClientResponse:
    """Await the request; a body that it never began with is given up, since no further attempt will come.

    Raises, Cancellation: as the request.
    """
    try:
        return await request()
    finally:
        body.give_up()
