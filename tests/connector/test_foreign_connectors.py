"""Connectors and connections that others wrote (F11, L6)."""

import asyncio
import errno
from collections.abc import Callable
from typing import Any

import pytest
from wayfare_connector import (
    BaseConnector,
    ClientConnectorError,
    ConnectDeadline,
    ConnectObserver,
    ConnectTimeouts,
    Target,
    TCPConnector,
)
from wayfare_http_core import Connection, ConnectionOwner

A = Target("http", "a.example")
B = Target("http", "b.example")
NOBODY = Target("http", "nobody.example")
NO_TIMEOUTS = ConnectTimeouts()


def assert_at_rest(connector: BaseConnector) -> None:
    """Nobody leases, dials or waits any more (L1)."""
    stats = connector.stats()
    assert (stats.leased, stats.connecting, stats.waiting) == (0, 0, 0)
    assert stats.idle == stats.created - stats.closed


async def tick() -> None:
    await asyncio.sleep(0)


class Wrapper:
    """A connection that only exists; its owner is told what the test says."""

    def __init__(self, owner: ConnectionOwner) -> None:
        self.owner = owner
        self.aborted = False

    @property
    def available_exchanges(self) -> int:
        return 0 if self.aborted else 1

    def is_quiet(self, now: float) -> bool:
        return True

    facts: Any = None
    keep_alive_hint: float | None = None
    exchanges_started = 0
    request_started = response_started = False
    exchange: Any = None

    def turn_idle(self) -> None:
        self.owner.connection_idle(self)

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = True
            self.owner.connection_retired(self)
            self.owner.connection_lost(self)

    async def wait_closed(self) -> None:
        pass


class WrappingConnector(BaseConnector):
    def __init__(self, make: Callable[[ConnectionOwner], Any], **options: Any) -> None:
        super().__init__(**options)
        self.make = make

    async def open_connection(
        self,
        target: Target,
        owner: ConnectionOwner,
        *,
        deadline: ConnectDeadline,
        observer: ConnectObserver | None,
    ) -> Connection:
        connection: Connection = self.make(owner)
        return connection


async def test_f11_a_connection_that_is_not_quiet_is_not_leased(connector: TCPConnector) -> None:
    """F11, I4: what arrived unseen ends the connection, and nobody gets it."""

    class Loud(Wrapper):
        def is_quiet(self, now: float) -> bool:
            assert now > 0
            return False

    async with WrappingConnector(Loud, limit=2) as other:
        one = await other.connect(A)
        assert isinstance(one, Loud)
        one.turn_idle()
        assert other.lease_nowait(A) is None
        assert one.aborted


async def test_l6_a_connection_that_is_closing_is_not_leased(connector: TCPConnector) -> None:
    class Closing(Wrapper):
        available = 1

        @property
        def available_exchanges(self) -> int:
            return self.available

    async with WrappingConnector(Closing, limit=2) as other:
        one = await other.connect(A)
        assert isinstance(one, Closing)
        one.turn_idle()
        one.available = 0
        assert other.lease_nowait(A) is None
        assert one.aborted
        two, three = await other.connect(A), await other.connect(A)
        waiter = asyncio.ensure_future(other.connect(A))
        await tick()
        assert isinstance(two, Closing)
        two.turn_idle()
        two.available = 0
        # Nobody told the pool; the waiter finds out and gets another one.
        four = await waiter
        assert four is not two
        for last in (three, four):
            assert isinstance(last, Closing)
            last.turn_idle()


async def test_a_new_connection_that_is_dead_already_is_refused() -> None:
    def dead(owner: ConnectionOwner) -> Wrapper:
        connection = Wrapper(owner)
        connection.abort()
        return connection

    async with WrappingConnector(dead) as connector:
        with pytest.raises(ClientConnectorError, match="closed the connection at once"):
            await connector.connect(A)
        assert_at_rest(connector)


async def test_a_plain_os_error_of_a_foreign_connector_is_wrapped() -> None:
    def fail(owner: ConnectionOwner) -> Wrapper:
        raise OSError(errno.EMFILE, "Too many open files")

    async with WrappingConnector(fail) as connector:
        with pytest.raises(ClientConnectorError) as raised:
            await connector.connect(A)
        assert raised.value.errno == errno.EMFILE


async def test_a_connection_that_reports_early_does_no_harm() -> None:
    def eager(owner: ConnectionOwner) -> Wrapper:
        connection = Wrapper(owner)
        owner.connection_idle(connection)
        return connection

    async with WrappingConnector(eager) as connector:
        assert connector.ssl is True
        connection = await connector.connect(A)
        assert connector.stats().leased == 1
        assert isinstance(connection, Wrapper)
        connection.turn_idle()
        connection.turn_idle()
        assert connector.stats().idle == 1
