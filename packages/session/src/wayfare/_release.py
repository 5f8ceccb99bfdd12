"""How a response ends that its user is done with, or forgot."""

import asyncio
import warnings
from collections.abc import Generator
from typing import Final, final

from wayfare_http_core import Exchange

__all__ = ("RELEASED", "Released", "abandon")


@final
class Released:
    """What `release` returns, so that `await response.release()` works as it did for years."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


RELEASED: Final = Released()


def abandon(exchange: Exchange, loop: asyncio.AbstractEventLoop, description: str) -> None:
    """A response was dropped unread: give its connection back, from whatever thread the collector runs in."""
    if exchange.is_over or loop.is_closed():
        return
    loop.call_soon_threadsafe(exchange.discard)
    warnings.warn(f"unclosed response {description}", ResourceWarning, stacklevel=2)
