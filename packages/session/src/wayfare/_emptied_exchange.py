"""A response whose content has no length, for callers who take that for no content at all."""

from collections.abc import Mapping
from typing import final

from wayfare_http_core import Exchange, ResponseHead, hdrs
from wayfare_http_core.aio import StreamReader

__all__ = ("EmptiedExchange", "has_no_length")


def has_no_length(exchange: Exchange) -> bool:
    """Whether the content ends where the connection does (RFC 9112 section 6.3, last rule)."""
    headers = exchange.head.headers
    return (
        not exchange.is_complete
        and hdrs.CONTENT_LENGTH not in headers
        and hdrs.TRANSFER_ENCODING not in headers
    )


@final
class EmptiedExchange:
    """An exchange that ended with its head. The connection is given up with what would still come."""

    __slots__ = ("_exchange", "content")

    is_complete = True
    is_over = True

    def __init__(self, exchange: Exchange) -> None:
        exchange.abort()
        self._exchange = exchange
        self.content = StreamReader.of_whole(b"")

    @property
    def head(self) -> ResponseHead:
        """The response's head."""
        return self._exchange.head

    @property
    def trailers(self) -> Mapping[str, str]:
        """None ever come."""
        return self._exchange.trailers

    def take_whole(self) -> bytes:
        """Nothing."""
        return b""

    def abort(self) -> None:
        """Nothing is left to give up."""

    def discard(self) -> None:
        """Nothing is left to give up."""

    async def wait_over(self) -> None:
        """Return when the connection is closed. Cancellation: safe."""
        await self._exchange.wait_over()
