"""The settings of a connector: what can be read, what is refused, what is old."""

import asyncio
import socket

import pytest
from wayfare_connector import (
    ConnectTimeouts,
    Target,
    TCPConnector,
    UnixConnector,
)
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    MemoryNetwork,
)

A = Target("http", "a.example")
B = Target("http", "b.example")
NOBODY = Target("http", "nobody.example")
NO_TIMEOUTS = ConnectTimeouts()


def test_its_settings_can_be_read() -> None:
    connector = TCPConnector(limit=None, limit_per_host=7, keepalive_timeout=3)
    assert (connector.limit, connector.limit_per_host) == (0, 7)
    assert connector.keepalive_timeout == 3
    assert connector.ssl_shutdown_timeout == 1
    assert TCPConnector(ssl_shutdown_timeout=None).ssl_shutdown_timeout is None
    assert connector.ssl is True
    assert connector.family is socket.AF_UNSPEC
    assert TCPConnector(family=socket.AF_INET6).family is socket.AF_INET6
    assert not connector.force_close
    assert not connector.closed
    assert {"http", "https", "ws", "wss", "tcp"} == connector.allowed_protocol_schema_set
    assert repr(connector) == "<TCPConnector leased=0 connecting=0 idle=0 waiting=0>"
    assert repr(connector._lender) == "<Lender leased=0 idle=0 waiting=0>"


def test_a_foreign_dialer_has_any_family(network: MemoryNetwork) -> None:
    assert TCPConnector(dialer=MemoryDialer(network)).family is socket.AF_UNSPEC


def test_bad_settings_are_refused(network: MemoryNetwork) -> None:
    with pytest.raises(ValueError, match="no meaning with force_close"):
        TCPConnector(force_close=True, keepalive_timeout=3)
    with pytest.raises(ValueError, match="ssl_shutdown_timeout"):
        TCPConnector(ssl_shutdown_timeout=-1)
    with pytest.raises(TypeError, match="ssl must be"):
        TCPConnector(ssl="yes")  # type: ignore[arg-type]  # the mistake tested
    with pytest.raises(ValueError, match="a dialer brings its own"):
        TCPConnector(dialer=MemoryDialer(network), happy_eyeballs_delay=None)


def test_what_is_always_done_needs_no_argument() -> None:
    with pytest.warns(DeprecationWarning, match="enable_cleanup_closed= is old"):
        TCPConnector(enable_cleanup_closed=True)
    with pytest.raises(ValueError, match="timeout_ceil_threshold"):
        TCPConnector(timeout_ceil_threshold=-1)


async def test_the_context_manager_is_asynchronous() -> None:
    connector = UnixConnector("/nowhere")
    with pytest.raises(TypeError, match="use 'async with' with a UnixConnector"), connector:
        pass
    with pytest.raises(TypeError, match="async with"):
        connector.__exit__()
    await connector.close()


def test_loop_is_accepted_and_ignored() -> None:
    loop = asyncio.new_event_loop()
    with pytest.warns(DeprecationWarning, match="loop= does nothing") as record:
        TCPConnector(loop=loop)
    assert record[0].filename == __file__
    loop.close()
