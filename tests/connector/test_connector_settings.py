"""The settings of a connector: what can be read, what is refused, what is old."""

import asyncio
import socket
from typing import Any

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


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"local_addr": "127.0.0.1"}, TypeError, "must be an address and a port, not '127.0.0.1'"),
        ({"local_addr": ("127.0.0.1",)}, TypeError, "must be an address and a port"),
        ({"local_addr": ("127.0.0.1", "80")}, TypeError, "must be a str and an int"),
        ({"local_addr": ("127.0.0.1", True)}, TypeError, "must be a str and an int"),
        ({"local_addr": (0, 0)}, TypeError, "must be a str and an int"),
        ({"local_addr": ("127.0.0.1", 65536)}, ValueError, "not a port to bind to: 65536"),
        ({"local_addr": ("localhost", 0)}, ValueError, "no name as 'localhost'"),
        ({"local_addr": ("127.1", 0)}, ValueError, "not an IPv4 address"),
        ({"family": 99}, ValueError, "family must be AF_INET, AF_INET6 or AF_UNSPEC, not 99"),
        ({"family": socket.AF_UNIX}, ValueError, "family must be"),
        ({"family": None}, ValueError, "family must be"),
        ({"interleave": -1}, ValueError, "interleave cannot be negative"),
        ({"interleave": 1.5}, TypeError, "interleave must be an int, not float"),
        ({"happy_eyeballs_delay": -1}, ValueError, "happy_eyeballs_delay cannot be negative"),
        ({"happy_eyeballs_delay": "1"}, TypeError, "happy_eyeballs_delay must be seconds, not str"),
        ({"limit": 0.5}, TypeError, "limit must be an int or None, not float"),
        ({"limit_per_host": "2"}, TypeError, "limit_per_host must be an int or None, not str"),
        ({"max_connection_uses": 2.5}, TypeError, "max_connection_uses must be an int or None"),
        ({"resolver": object()}, TypeError, "resolver must have a method 'resolve', and object"),
        ({"address_policy": object()}, TypeError, "address_policy must have a method 'refusal'"),
        ({"socket_factory": 5}, TypeError, "socket_factory must be callable, not 5"),
        ({"interface": 5}, TypeError, "interface must be a str, not int"),
        ({"dialer": object()}, TypeError, "dialer must be a Dialer, not object"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_given(
    settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        TCPConnector(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"local_addr": ("", 0)},
        {"local_addr": ("fe80::1%1", 65535)},
        {"family": 2},
        {"interleave": 0, "happy_eyeballs_delay": 0},
        {"happy_eyeballs_delay": None, "limit": None, "limit_per_host": None},
    ],
)
def test_what_can_be_is_not(settings: dict[str, Any]) -> None:
    assert TCPConnector(**settings).family in (socket.AF_UNSPEC, socket.AF_INET)


def test_a_target_is_bound_to_an_address_too() -> None:
    with pytest.raises(ValueError, match="no name as 'localhost'"):
        Target("http", "a.example", local_addr=("localhost", 0))


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
