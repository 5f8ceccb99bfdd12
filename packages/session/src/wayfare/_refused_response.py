"""A response that `raise_for_status=True` refuses: its error waits a little for what the server has to say."""

import asyncio
from typing import TYPE_CHECKING, Final

from wayfare_http_core import ClientError, ClientResponseError

from ._response_summary import KEPT

if TYPE_CHECKING:
    from ._response import ClientResponse

__all__ = ("PATIENCE", "beginning_of", "refuse")

PATIENCE: Final = 1.0
"""Seconds that an error waits for content. It is known already and must not come late: the content of most arrives with
the head, and a server that drips it is not worth the total time of the request."""


async def refuse(response: "ClientResponse") -> None:
    """Raise `ClientResponseError` with the beginning of the content, and release the response.

    Content that breaks off or is slow ends the waiting, and what arrived is kept.

    Cancellation: the response is released.
    """
    try:
        beginning = b"" if response.closed else await beginning_of(response)
        response.raise_for_status()
    except ClientResponseError as error:
        error.body = error.body or beginning
        raise
    finally:
        response.release()


async def beginning_of(response: "ClientResponse") -> bytes:
    """Up to `KEPT` octets of the content that were not there with the head."""
    content = response.content
    kept = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            while len(kept) < KEPT and (piece := await content.read(KEPT - len(kept))):
                kept += piece
    except (ClientError, TimeoutError):
        pass  # the status is what there is to tell
    return bytes(kept)
