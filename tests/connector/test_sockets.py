"""How sockets are made for dialling (N11, F17)."""

import socket
import sys
from collections.abc import AsyncIterator

import pytest
from wayfare_connector import (
    AddrInfoType,
    ClientConnectorError,
    SocketSettings,
    Target,
    TCPConnector,
)
from wayfare_http_core import RequestHead
from wayfare_http_core.testing import ScriptedServer, listening

TCP4: AddrInfoType = (
    socket.AF_INET,
    socket.SOCK_STREAM,
    socket.IPPROTO_TCP,
    "",
    ("127.0.0.1", 80),
)
TCP = socket.IPPROTO_TCP


@pytest.fixture
async def port(ok_server: ScriptedServer) -> AsyncIterator[int]:
    async with listening(ok_server) as (_, port):
        yield port


def test_nothing_is_set_unless_asked_for() -> None:
    with SocketSettings().open(TCP4) as sock:
        assert (sock.family, sock.type, sock.proto) == TCP4[:3]
        assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockname() == ("0.0.0.0", 0)


def test_the_system_probes_idle_peers_by_its_own_time() -> None:
    with SocketSettings().open(TCP4) as sock:
        usual = sock.getsockopt(TCP, socket.TCP_KEEPINTVL)
    with SocketSettings(tcp_keepalive=True).open(TCP4) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(TCP, socket.TCP_KEEPINTVL) == usual


@pytest.mark.parametrize(("given", "seconds"), [(30, 30), (7.4, 7), (0.1, 1)])
def test_the_system_probes_idle_peers_after_so_many_seconds(given: float, seconds: int) -> None:
    with SocketSettings(tcp_keepalive=given).open(TCP4) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(TCP, socket.TCP_KEEPINTVL) == seconds


def test_a_socket_that_cannot_be_set_up_is_closed() -> None:
    made: list[socket.socket] = []

    def make(info: AddrInfoType) -> socket.socket:
        made.append(socket.socket(*info[:3]))
        return made[0]

    with pytest.raises(OSError, match=r".+"):
        SocketSettings(local_addr=("192.0.2.1", 0), socket_factory=make).open(TCP4)
    assert made[0].fileno() == -1


async def test_a_factory_makes_the_socket(port: int) -> None:
    seen: list[AddrInfoType] = []

    def make(info: AddrInfoType) -> socket.socket:
        seen.append(info)
        return socket.socket(*info[:3])

    async with TCPConnector(socket_factory=make, tcp_keepalive=True) as connector:
        connection = await connector.connect(Target("http", "127.0.0.1", port))
        exchange = await connection.exchange(RequestHead("GET", "http", "127.0.0.1", "/"))
        assert await exchange.content.read() == b"hi"
    assert [info[4] for info in seen] == [("127.0.0.1", port)]


async def test_a_factory_that_fails_is_a_failed_attempt(port: int) -> None:
    def make(info: AddrInfoType) -> socket.socket:
        raise PermissionError(13, "no sockets today")

    async with TCPConnector(socket_factory=make) as connector:
        with pytest.raises(ClientConnectorError, match="no sockets today"):
            await connector.connect(Target("http", "127.0.0.1", port))


async def test_n11_a_socket_is_bound_to_an_interface(port: int) -> None:
    async with TCPConnector(interface=socket.if_indextoname(1)) as connector:
        connection = await connector.connect(Target("http", "127.0.0.1", port))
        assert connection.available_exchanges == 1
    async with TCPConnector(interface="nosuchif") as connector:
        with pytest.raises(ClientConnectorError):
            await connector.connect(Target("http", "127.0.0.1", port))


def test_bad_settings_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="tcp_keepalive cannot be negative"):
        TCPConnector(tcp_keepalive=-1)
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ValueError, match="only Linux binds sockets to an interface"):
        TCPConnector(interface="en0")
