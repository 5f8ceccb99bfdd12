"""What arrived on an idle connection while the loop was not looking (F11, I3, I4)."""

import asyncio
import select
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from wayfare_http_core import RequestHead
from wayfare_http_core.aio import HTTP1Connection, _unseen_input
from wayfare_http_core.testing import ScriptedPeer, memory_pair

HEAD = RequestHead("GET", "http", "h", "/")
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Pair:
    """A connection over one end of a socket pair; the test holds the other end."""

    def __init__(self, connection: HTTP1Connection, peer: socket.socket) -> None:
        self.connection = connection
        self.peer = peer

    async def use(self) -> None:
        """One exchange, so that the connection is idle after use."""
        task = asyncio.ensure_future(self.connection.exchange(HEAD))
        await asyncio.sleep(0)
        self.peer.sendall(WHOLE)
        await task


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    ours, theirs = socket.socketpair()
    connection = HTTP1Connection()
    await asyncio.get_running_loop().create_connection(lambda: connection, sock=ours)
    yield Pair(connection, theirs)
    theirs.close()
    connection.abort()
    await connection.wait_closed()


def later() -> float:
    """A moment at which the connection has idled for long."""
    return asyncio.get_running_loop().time() + 60


async def test_a_silent_connection_is_quiet(pair: Pair) -> None:
    await pair.use()
    assert pair.connection.is_quiet(later())


@pytest.mark.parametrize("octets", [b"H", b"\r\n", WHOLE])
async def test_octets_that_wait_are_noticed(pair: Pair, octets: bytes) -> None:
    """The loop has not run since they came, so only a look at the socket shows them."""
    await pair.use()
    pair.peer.sendall(octets)
    assert not pair.connection.is_quiet(later())


async def test_a_peer_that_hung_up_is_noticed(pair: Pair) -> None:
    await pair.use()
    pair.peer.close()
    assert not pair.connection.is_quiet(later())


async def test_a_connection_that_was_just_freed_is_not_asked(pair: Pair) -> None:
    """The loop has looked at it in this very iteration."""
    await pair.use()
    pair.peer.sendall(b"H")
    assert pair.connection.is_quiet(pair.connection._freed_at)


async def test_a_closed_connection_is_not_quiet(pair: Pair) -> None:
    await pair.use()
    pair.connection.abort()
    await pair.connection.wait_closed()
    assert not pair.connection.is_quiet(later())


async def test_a_transport_without_a_socket_is_quiet() -> None:
    connection, peer = HTTP1Connection(), ScriptedPeer(())
    memory_pair(connection, peer)
    await asyncio.sleep(0)
    assert connection.is_quiet(later())
    connection.abort()
    await connection.wait_closed()
    await peer.wait_closed()


async def test_without_poll_select_is_asked(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no poll."""
    module: Any = _unseen_input
    assert module._poll is select.poll
    monkeypatch.setattr(module, "_poll", None)
    await pair.use()
    assert pair.connection.is_quiet(later())
    pair.peer.sendall(b"H")
    assert not pair.connection.is_quiet(later())


def test_a_socket_that_is_closed_counts_as_noticed() -> None:
    closed = socket.socket()
    closed.close()
    assert _unseen_input.has_unseen_input(asyncio.BaseTransport({"socket": closed}))
