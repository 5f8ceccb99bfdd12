"""From a `MockReply` to a response."""

import asyncio
from collections.abc import AsyncIterable, Iterable, Mapping
from json import dumps

from ._calls import MockReply
from ._responder import WITHOUT_CONTENT, Fields, Responder

__all__ = ("send_reply",)


async def send_reply(reply: MockReply, responder: Responder) -> None:
    """Answer a request with a reply.

    Raises: ValueError for what cannot be sent; what the content's iterator raises.
    Cancellation: some, all or none of it was sent.
    """
    if reply.delay:
        await asyncio.sleep(reply.delay)
    for status, fields in reply.informational:
        responder.inform(status, _pairs(fields))
    content, media_type = _content(reply)
    own = _pairs(reply.headers)
    names = {name.lower() for name, _ in own}
    if media_type is not None and "content-type" not in names:
        own.append(("Content-Type", media_type))
    trailers = _pairs(reply.trailers)
    settled = "content-length" in names or trailers or reply.status in WITHOUT_CONTENT
    if isinstance(content, bytes) and not settled:
        own.append(("Content-Length", str(len(content))))
    responder.start(reply.status, own, reply.reason)
    if isinstance(content, bytes):
        await responder.write(content)
    elif isinstance(content, AsyncIterable):
        async for piece in content:
            await responder.write(piece)
    else:
        for piece in content:
            await responder.write(piece)
    responder.end(trailers)


def _content(
    reply: MockReply,
) -> tuple[bytes | Iterable[bytes] | AsyncIterable[bytes], str | None]:
    if reply.json is not None:
        return dumps(reply.json).encode("utf-8"), "application/json"
    body = reply.body
    if isinstance(body, str):
        return body.encode("utf-8"), "text/plain; charset=utf-8"
    if callable(body):
        return body(), None
    return body, None


def _pairs(fields: Mapping[str, str] | Fields) -> list[tuple[str, str]]:
    return list(fields.items() if isinstance(fields, Mapping) else fields)
