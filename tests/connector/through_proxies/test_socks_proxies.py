"""Connections through SOCKS proxies (P12, P13)."""

import errno
import ssl

import pytest
from wayfare_connector import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientProxyConnectionError,
    Proxy,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import (
    FakeResolver,
    MemoryDialer,
    RecordingObserver,
)
from wayfare_http_core.testing import (
    Fin,
    MemoryNetwork,
    Read,
    Reset,
    Script,
    ScriptedServer,
    Send,
    listening,
)

from tests.connector.through_proxies.local_proxies import SOCKSProxy, get, serving


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("socks5h://u:p@127.0.0.1:{}", (5, "localhost")),
        ("socks5://u:p@127.0.0.1:{}", (5, "127.0.0.1")),
        ("socks4a://u@127.0.0.1:{}", (4, "localhost")),
        ("socks4://127.0.0.1:{}", (4, "127.0.0.1")),
    ],
)
async def test_p12_p13_each_version_of_socks(
    connector: TCPConnector,
    resolver: FakeResolver,
    plain_port: int,
    tls_port: int,
    tls_client_context: ssl.SSLContext,
    scheme: str,
    proxy: str,
    told: tuple[int, str],
) -> None:
    server = SOCKSProxy(user=b"u")
    target_port = tls_port if scheme == "https" else plain_port
    async with serving(server.serve) as port:
        target = Target(
            scheme,
            "localhost",
            target_port,
            ssl=tls_client_context,
            proxy=Proxy(proxy.format(port)),
        )
        observer = RecordingObserver()
        connection = await connector.connect(target, observer=observer)
        assert await get(connection, target) == b"hi"
        assert connector.lease_nowait(target) is connection
        connection.close()
        await connection.wait_closed()
    assert server.told == [(*told, target_port)]
    # Who resolves: we for the one, the proxy for the other.
    assert bool(resolver.calls) is (told[1] == "127.0.0.1")
    assert observer.names.count("tunnel_end") == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (3, errno.ENETUNREACH),
        (4, errno.EHOSTUNREACH),
        (5, errno.ECONNREFUSED),
        (6, errno.ETIMEDOUT),
        (1, None),
        (2, None),
        (9, None),
    ],
)
async def test_p12_a_refusal_tells_whose_fault_it_is(
    connector: TCPConnector, reply: int, error: int | None
) -> None:
    async with serving(SOCKSProxy(reply).serve) as port:
        via = Proxy(f"socks5h://127.0.0.1:{port}")
        with pytest.raises(ClientConnectorError) as raised:
            await connector.connect(Target("http", "localhost", 80, proxy=via))
    exc = raised.value
    if error is None:
        assert isinstance(exc, ClientProxyConnectionError)
        assert exc.host == "127.0.0.1"
    else:
        assert type(exc) is ClientConnectorError
        assert (exc.host, exc.errno) == ("localhost", error)


@pytest.mark.parametrize(
    ("proxy", "server", "message"),
    [
        ("socks5://127.0.0.1:{}", SOCKSProxy(user=b"u"), "wants credentials"),
        ("socks5://x:p@127.0.0.1:{}", SOCKSProxy(user=b"u"), "refused the username or password"),
        ("socks4://127.0.0.1:{}", SOCKSProxy(reply=1), "request rejected"),
        ("socks5://127.0.0.1:{}", SOCKSProxy(extra=b"more"), "4 octets unasked"),
    ],
)
async def test_p12_p15_other_refusals_are_the_proxys(
    connector: TCPConnector, proxy: str, server: SOCKSProxy, message: str
) -> None:
    async with serving(server.serve) as port:
        with pytest.raises(ClientProxyConnectionError, match=message) as raised:
            await connector.connect(
                Target("http", "127.0.0.1", 80, proxy=Proxy(proxy.format(port)))
            )
    assert "secret" not in f"{raised.value!r}"


@pytest.mark.parametrize("script", [[Read(1), Fin()], [Read(1), Reset()], [Read(1), Send(b"HTTP")]])
async def test_f15_p12_what_is_no_socks(connector: TCPConnector, script: Script) -> None:
    async with listening(ScriptedServer(script)) as (_, port):
        via = Proxy(f"socks5://127.0.0.1:{port}")
        with pytest.raises(ClientProxyConnectionError):
            await connector.connect(Target("http", "127.0.0.1", 80, proxy=via))


async def test_p13_a_version_that_cannot_carry_the_address(connector: TCPConnector) -> None:
    via = Proxy("socks4://127.0.0.1:9")
    with pytest.raises(ClientConnectorDNSError, match="SOCKS 4 carries no others"):
        await connector.connect(Target("http", "only6.example", 80, proxy=via))
    with pytest.raises(ClientProxyConnectionError, match="SOCKS 4 cannot connect to IPv6"):
        await connector.connect(Target("http", "::1", 80, proxy=via))


async def test_p13_a_dialer_that_does_not_resolve(network: MemoryNetwork) -> None:
    async with TCPConnector(dialer=MemoryDialer(network)) as connector:
        via = Proxy("socks5://a.example:80")
        with pytest.raises(ClientProxyConnectionError, match="use socks5h instead"):
            await connector.connect(Target("http", "b.example", 80, proxy=via))
