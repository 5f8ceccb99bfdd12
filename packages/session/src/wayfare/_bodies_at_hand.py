"""A request's content, for those who want to show it without using it up."""

from collections.abc import AsyncIterable

from wayfare_http_core import RequestBody

__all__ = ("body_at_hand",)


def body_at_hand(body: RequestBody | bytes | None, limit: int) -> bytes | None:
    """The whole content, if it is no longer than so many octets, is at hand and stays so; else None.

    Content that can be read only once, or has to be waited for, is left alone.
    """
    if body is None or isinstance(body, bytes):
        octets = body or b""
        return octets if len(octets) <= limit else None
    if not body.replayable or body.length is None or body.length > limit:
        return None
    chunks = body.chunks()
    return None if isinstance(chunks, AsyncIterable) else b"".join(chunks)
