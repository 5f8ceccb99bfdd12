"""One message, sent piece by piece."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING

from wayfare_websocket._close_codes import WSCloseCode
from wayfare_websocket._engine import State

if TYPE_CHECKING:
    from ._link import Link

__all__ = ("send_fragments",)


async def send_fragments(
    link: "Link",
    source: AsyncIterable[str | bytes] | Iterable[str | bytes],
    compress: bool | None,
    *,
    text: bool,
) -> None:
    """Send all pieces of one message, and nobody else's message between them.

    Raises, Cancellation: as `ClientWebSocketResponse.send_fragments`.
    """
    engine, outbox = link.engine, link.outbox
    begun = ended = False
    async with aclosing(_each(source)) as pieces, outbox:
        try:
            async for piece in pieces:
                if not isinstance(piece, str | bytes):
                    raise TypeError(f"a piece must be str or bytes, not {type(piece).__name__}")
                if not begun:
                    text = text or isinstance(piece, str)
                frame = engine.send_fragment(piece, text=text, compress=compress)
                begun = True
                outbox.write(frame)
                if outbox.paused:
                    await outbox.drain()
            # A frame of its own, since nobody knows that a piece is the last one while it is sent.
            frame = engine.send_fragment(b"", text=text, final=True, compress=compress)
            ended = True
            outbox.write(frame)
        finally:
            if begun and not ended and engine.state is State.OPEN:
                link.close(WSCloseCode.INTERNAL_ERROR, b"a message was not finished")


async def _each(
    source: AsyncIterable[str | bytes] | Iterable[str | bytes],
) -> AsyncGenerator[str | bytes, None]:
    """The pieces. A source that is a generator is closed with this one: nobody else may have it."""
    if isinstance(source, AsyncGenerator):
        async with aclosing(source):
            async for piece in source:
                yield piece
    elif isinstance(source, AsyncIterable):
        async for piece in source:
            yield piece
    else:
        for piece in source:
            yield piece
