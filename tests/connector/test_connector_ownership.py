"""To whom a connector belongs: an event loop, a process, a session (L15, O10)."""

import asyncio
import os
import sys

import pytest
from wayfare_connector import (
    ConnectTimeouts,
    Target,
    TCPConnector,
)
from wayfare_connector._lender import _enter_child
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core import Connection, RequestHead
from wayfare_http_core.testing import (
    MemoryNetwork,
)

A = Target("http", "a.example")
B = Target("http", "b.example")
NOBODY = Target("http", "nobody.example")
NO_TIMEOUTS = ConnectTimeouts()


async def get(connection: Connection, target: Target = A) -> bytes:
    exchange = await connection.exchange(RequestHead("GET", target.scheme, target.authority, "/"))
    assert exchange.head.status == 200
    return await exchange.content.read()


def test_o10_it_is_made_without_a_loop_and_belongs_to_the_first(
    network: MemoryNetwork,
) -> None:
    connector = TCPConnector(dialer=MemoryDialer(network))
    assert connector.lease_nowait(A) is None

    async def first() -> None:
        await get(await connector.connect(A))

    async def second() -> None:
        with pytest.raises(RuntimeError, match="another event loop"):
            await connector.connect(A)
        with pytest.raises(RuntimeError, match="another event loop"):
            connector.lease_nowait(A)

    with asyncio.Runner() as runner, asyncio.Runner() as other:
        runner.run(first())
        other.run(second())
        runner.run(connector.close())


async def test_o10_another_thread_cannot_lease(connector: TCPConnector) -> None:
    connection = await connector.connect(A)
    await get(connection)

    def elsewhere() -> None:
        with pytest.raises(RuntimeError):
            connector.lease_nowait(A)

    await asyncio.to_thread(elsewhere)
    assert connector.lease_nowait(A) is connection
    await get(connection)


def test_l15_a_forked_child_does_not_use_the_parents_sockets(network: MemoryNetwork) -> None:
    loop = asyncio.new_event_loop()
    connector = TCPConnector(dialer=MemoryDialer(network))

    async def use() -> None:
        await get(await connector.connect(A))

    loop.run_until_complete(use())
    child = os.fork()
    if not child:
        os._exit(in_child(loop, connector))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    # The parent's connection is none the worse.
    assert connector.stats().idle == 1
    loop.run_until_complete(use())
    assert connector.stats().created == 1
    loop.run_until_complete(connector.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def test_l15_a_child_is_told_by_its_process_id(
    dialer: MemoryDialer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same in one process, so that a debugger and coverage can see it."""
    connector = TCPConnector(dialer=dialer)
    connection = await connector.connect(A)
    await get(connection)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        _enter_child()
    try:
        with pytest.raises(RuntimeError, match="after a fork"):
            connector.lease_nowait(A)
        with pytest.raises(RuntimeError, match="after a fork"):
            await connector.connect(A)
        await connector.close()
        assert connection.available_exchanges == 1  # not a word to the parent's peer
    finally:
        _enter_child()
    connection.abort()
    await connection.wait_closed()


async def test_l15_a_forgotten_connector_says_nothing_in_a_child(
    dialer: MemoryDialer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = TCPConnector(dialer=dialer)
    connection = await connector.connect(A)
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        _enter_child()
    try:
        del connector
        assert connection.available_exchanges == 1
    finally:
        _enter_child()
    connection.abort()
    await connection.wait_closed()


def in_child(loop: asyncio.AbstractEventLoop, connector: TCPConnector) -> int:
    async def use() -> None:
        with pytest.raises(RuntimeError, match="after a fork"):
            connector.lease_nowait(A)
        with pytest.raises(RuntimeError, match="after a fork"):
            await connector.connect(A)
        await connector.close()
        assert connector.closed
        assert connector.stats().idle == 0

    try:
        loop.run_until_complete(use())
    except BaseException as exc:
        sys.stderr.write(f"{exc!r}\n")
        return 1
    return 0


def test_a_connector_belongs_to_one_session() -> None:
    class Session:
        pass

    connector = TCPConnector()
    one, two = Session(), Session()
    connector.claim(one)
    connector.claim(one)
    with pytest.raises(ValueError, match="connector_owner=False"):
        connector.claim(two)
    connector.disclaim(two)
    with pytest.raises(ValueError, match="connector_owner=False"):
        connector.claim(two)
    connector.disclaim(one)
    connector.claim(two)
    del two
    connector.claim(one)
    connector.disclaim(one)
    connector.disclaim(one)
