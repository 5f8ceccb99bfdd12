"""The same script over memory and over a real socket pair, so that the two cannot drift apart."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from wayfare_http_core.testing import (
    RecordingProtocol,
    memory_pair,
    ticks,
)

Pair = tuple[asyncio.Transport, asyncio.Transport]
Opener = Callable[[RecordingProtocol, RecordingProtocol], Awaitable[Pair]]


async def open_sockets(a: RecordingProtocol, b: RecordingProtocol) -> Pair:
    loop = asyncio.get_running_loop()
    left, right = socket.socketpair()
    ta, _ = await loop.create_connection(lambda: a, sock=left)
    tb, _ = await loop.create_connection(lambda: b, sock=right)
    return ta, tb


async def open_memory(a: RecordingProtocol, b: RecordingProtocol) -> Pair:
    pair = memory_pair(a, b)
    await ticks(2)
    return pair


@asynccontextmanager
async def two_ends(
    opener: Opener, *, keep_open: bool
) -> AsyncIterator[tuple[RecordingProtocol, RecordingProtocol]]:
    a, b = RecordingProtocol(keep_open=keep_open), RecordingProtocol(keep_open=keep_open)
    for transport in await opener(a, b):
        assert transport.is_closing() is False
    try:
        yield a, b
    finally:
        for end in (a, b):
            end.transport.abort()
        await asyncio.gather(a.lost, b.lost)


@pytest.mark.parametrize("opener", [open_memory, open_sockets], ids=["memory", "sockets"])
async def test_same_as_sockets_close(opener: Opener) -> None:
    async with two_ends(opener, keep_open=False) as (a, b):
        a.transport.write(b"bye")
        a.transport.close()
        await asyncio.gather(a.lost, b.lost)
    assert a.events == ["made", ("lost", type(None))]
    assert b.events == ["made", b"bye", "eof", ("lost", type(None))]


@pytest.mark.parametrize("opener", [open_memory, open_sockets], ids=["memory", "sockets"])
async def test_same_as_sockets_half_close(opener: Opener) -> None:
    async with two_ends(opener, keep_open=True) as (a, b):
        a.transport.write_eof()
        await b.ended.wait()
        b.transport.write(b"answer")
        b.transport.close()
        await b.lost
        await a.ended.wait()
        assert a.events == ["made", b"answer", "eof"]
        assert b.events == ["made", "eof", ("lost", type(None))]


@pytest.mark.parametrize("opener", [open_memory, open_sockets], ids=["memory", "sockets"])
async def test_same_as_sockets_abort(opener: Opener) -> None:
    async with two_ends(opener, keep_open=False) as (a, b):
        a.transport.abort()
        a.transport.write(b"ignored")
        await asyncio.gather(a.lost, b.lost)
    assert a.events == ["made", ("lost", type(None))]
    assert b.events == ["made", "eof", ("lost", type(None))]
