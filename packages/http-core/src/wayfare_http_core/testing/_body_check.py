"""The suite for bodies: what a `RequestBody` says of itself, what its passes give, and what a server gets of it."""

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

from wayfare_http_core._chunked import encode_last_chunk
from wayfare_http_core._connection import FileBody, RequestBody, TrailerBody
from wayfare_http_core._fields import FieldBlock
from wayfare_http_core._head import RequestHead
from wayfare_http_core._media_type import parse_media_type
from wayfare_http_core.aio import HTTP1Connection

from ._actions import Serve
from ._memory_network import MemoryNetwork
from ._replies import Reply
from ._request_rules import ReceivedRequest
from ._scripted_server import ScriptedServer

__all__ = ("check_request_body", "require")

PATIENCE = 5.0
"""Seconds after which what a check waits for counts as missing."""


def require(condition: object, rule: str) -> None:
    """Fail the check unless the rule is kept."""
    if not condition:
        raise AssertionError(rule)


async def check_request_body(
    factory: Callable[[], RequestBody], *, content: bytes | None = None
) -> None:
    """Check a `RequestBody`: what it says of itself, its passes, and sending it over a connection.

    `factory` makes a new one for each check, always with the same content; with `content`, that is what it has to be.
    Bodies that are a `FileBody` or a `TrailerBody` besides are checked for that, too.

    Raises: AssertionError that says which rule is broken.
    Cancellation: safe.
    """
    _check_facts(factory())
    octets = await _whole_pass(factory())
    if content is not None:
        require(octets == content, f"it gives the content: {octets[:100]!r} is not that")
    await _check_again(factory(), octets)
    await _check_given_up(factory(), octets)
    _check_file(factory(), octets)
    await _check_trailers(factory())
    await _check_sending(factory(), octets)


def _check_facts(body: RequestBody) -> None:
    for name in ("content_type", "length", "replayable", "chunks"):
        require(hasattr(body, name), f"it has {name}")
    facts = body.content_type, body.length, body.replayable
    media_type, length, replayable = facts
    require(media_type is None or isinstance(media_type, str), "content_type is a str or None")
    if media_type is not None:
        try:
            FieldBlock([("Content-Type", media_type)])
        except ValueError as exc:
            raise AssertionError(f"content_type can stand in a field: {exc}") from exc
        require(parse_media_type(media_type), "content_type is a media type")
    is_number = isinstance(length, int) and not isinstance(length, bool)
    require(length is None or is_number, "length is an int or None")
    require(length is None or length >= 0, "length is not negative")
    require(isinstance(replayable, bool), "replayable is a bool")
    same = (body.content_type, body.length, body.replayable) == facts
    require(same, "what it says of itself does not change")


async def _whole_pass(body: RequestBody) -> bytes:
    octets = await _pass(body)
    if body.length is not None:
        require(len(octets) == body.length, f"it gives the {body.length} octets of its length")
    return octets


async def _pass(body: RequestBody, most: int | None = None) -> bytes:
    """One pass over the content, or over its first pieces, and then closed as a connection closes it."""
    chunks: Any = body.chunks()
    taken = _Taken(body.length, most)
    if isinstance(chunks, AsyncIterable):
        try:
            async with asyncio.timeout(PATIENCE):
                await _take_all(aiter(chunks), taken)
        except TimeoutError:
            raise AssertionError(f"a pass takes no more than {PATIENCE:g} s") from None
    else:
        no_pieces = isinstance(chunks, bytes | bytearray | memoryview | str)
        fits = isinstance(chunks, Iterable) and not no_pieces
        require(fits, "chunks() gives an iterable or an asynchronous iterable of pieces")
        pieces = iter(chunks)
        for piece in pieces:
            if taken.add(piece):
                break
        if hasattr(pieces, "close"):
            pieces.close()
    return bytes(taken.octets)


class _Taken:
    """What came of a pass so far."""

    def __init__(self, length: int | None, most: int | None) -> None:
        self.octets = bytearray()
        self._length = length
        self._left = most

    def add(self, piece: object) -> bool:
        """Take a piece; whether it was the last one that is wanted."""
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise AssertionError(f"a piece is bytes, not {type(piece).__name__}")
        # Copied at once: what is yielded as a bytearray may be filled again.
        self.octets += piece
        length = self._length
        fits = length is None or len(self.octets) <= length
        require(fits, f"it gives no more than the {length} octets of its length")
        if self._left is not None:
            self._left -= 1
        return self._left == 0


async def _take_all(pieces: Any, taken: _Taken) -> None:
    try:
        async for piece in pieces:
            if taken.add(piece):
                break
    finally:
        if hasattr(pieces, "aclose"):
            await pieces.aclose()


async def _check_again(body: RequestBody, octets: bytes) -> None:
    first = await _pass(body)
    require(first == octets, "two bodies of the same making have the same content")
    # Asked after the pass: some bodies can be sent again only as long as nobody has begun.
    if body.replayable:
        require(await _pass(body) == octets, "a replayable body gives the same octets again")


async def _check_given_up(body: RequestBody, octets: bytes) -> None:
    """A redirect or a retry can come at any moment."""
    await _pass(body, most=1)
    if body.replayable:
        again = await _pass(body)
        require(again == octets, "a replayable body gives all of it after a pass that was given up")


def _check_file(body: RequestBody, octets: bytes) -> None:
    if not isinstance(body, FileBody) or (part := body.file_range()) is None:
        return
    file, offset, count = part
    require(count == body.length, "the part of the file has as many octets as length says")
    try:
        file.fileno()
    except (OSError, ValueError) as exc:
        raise AssertionError("the file has a descriptor, and is open") from exc
    position = file.tell()
    try:
        file.seek(offset)
        require(file.read(count) == octets, "the part of the file is what chunks() gives")
    finally:
        file.seek(position)


async def _check_trailers(body: RequestBody) -> None:
    if isinstance(body, TrailerBody):
        await _pass(body)  # they may tell something of the content
        try:
            encode_last_chunk(body.trailers())
        except (ValueError, TypeError) as exc:
            raise AssertionError(f"its trailers can be sent: {exc}") from exc


async def _check_sending(body: RequestBody, octets: bytes) -> None:
    got: list[ReceivedRequest] = []

    def answer(request: ReceivedRequest) -> Reply:
        got.append(request)
        return Reply(status=204)

    network = MemoryNetwork()
    network.serve("a.example", 80, ScriptedServer([Serve(answer)]))
    transport, connection = await network.dial("a.example", 80, HTTP1Connection)
    try:
        for _ in range(2):
            head = RequestHead("POST", "http", "a.example", "/")
            try:
                async with asyncio.timeout(PATIENCE):
                    await connection.exchange(head, body)
            except Exception as exc:
                raise AssertionError(f"it can be sent: {exc!r}") from exc
            require(got[-1].body == octets, "a server gets what chunks() gives")
            if not body.replayable:
                break
    finally:
        transport.abort()
        await connection.wait_closed()
