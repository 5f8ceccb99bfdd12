"""Connections through HTTP proxies: what goes to whom (P1 to P8)."""

import ssl

import pytest
import trustme
from wayfare_connector import (
    ClientConnectorCertificateError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    Fingerprint,
    Proxy,
    ServerFingerprintMismatch,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import RecordingObserver
from wayfare_http_core.testing import ScriptedServer

from tests.connector.through_proxies.local_proxies import HTTPProxy, SOCKSProxy, get, serving


async def test_p5_plain_http_goes_to_the_proxy_with_its_credentials(
    connector: TCPConnector, plain_port: int
) -> None:
    proxy = HTTPProxy()
    async with serving(proxy.serve) as port:
        target = Target(
            "http", "localhost", plain_port, proxy=Proxy(f"http://u:p@proxy.example:{port}")
        )
        observer = RecordingObserver()
        connection = await connector.connect(target, observer=observer)
        assert await get(connection, target) == b"hi"
        assert connector.lease_nowait(target) is connection
        assert connector.lease_nowait(Target("http", "localhost", plain_port)) is None
        assert await get(connection, target) == b"hi"
    assert proxy.heads[0].startswith(f"GET http://localhost:{plain_port}/path HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic dTpw\r\n" in proxy.heads[0]
    assert "tunnel_start" not in observer.names
    dialled = {
        target.host
        for name, target in zip(observer.names, observer.targets, strict=True)
        if name == "dial_start"
    }
    assert dialled == {"proxy.example"}


async def test_p8_other_credentials_are_sent_with_the_next_request(
    connector: TCPConnector, plain_port: int
) -> None:
    proxy = HTTPProxy()
    async with serving(proxy.serve) as port:
        for auth in ("Basic b2xk", "Basic bmV3", None):
            via = Proxy(f"http://proxy.example:{port}", auth=auth)
            target = Target("http", "localhost", plain_port, proxy=via)
            assert connector.lease_nowait(target) is None
            assert await get(await connector.connect(target), target) == b"hi"
        while (idle := connector.lease_nowait(target)) is not None:
            idle.close()
            await idle.wait_closed()
    assert ["b2xk" in head for head in proxy.heads] == [True, False, False]
    assert ["bmV3" in head for head in proxy.heads] == [False, True, False]


async def test_p1_p5_p6_a_tunnel_shows_the_proxy_nothing_and_the_target_no_credentials(
    connector: TCPConnector,
    tls_port: int,
    tls_client_context: ssl.SSLContext,
    ok_server: ScriptedServer,
) -> None:
    proxy = HTTPProxy()
    async with serving(proxy.serve) as port:
        via = Proxy(f"http://proxy.example:{port}", auth="Basic dTpw", headers={"X-Hop": "1"})
        target = Target("https", "localhost", tls_port, ssl=tls_client_context, proxy=via)
        observer = RecordingObserver()
        connection = await connector.connect(target, observer=observer)
        assert await get(connection, target) == b"hi"
        timings = connection.facts.timings
        assert timings is not None
        assert timings.tunnel is not None
        assert connection.facts.tls_version == "TLSv1.3"
        connection.close()
        await connection.wait_closed()
    assert proxy.heads == [
        f"CONNECT localhost:{tls_port} HTTP/1.1\r\n"
        f"Host: localhost:{tls_port}\r\n"
        "Proxy-Authorization: Basic dTpw\r\n"
        "X-Hop: 1\r\n\r\n"
    ]
    (request,) = ok_server.peers[0].requests
    assert request.target == "/path"
    assert request.get("proxy-authorization") is None
    assert request.get("x-hop") is None
    assert observer.names == [
        "create_start",
        "dns_cache_miss",
        "dns_start",
        "dns_end",
        "dial_start",
        "dial_end",
        "tunnel_start",
        "tunnel_end",
        "tls_start",
        "tls_end",
        "create_end",
    ]


async def test_p1_addresses_of_ipv6_have_brackets_and_no_zone(connector: TCPConnector) -> None:
    proxy = HTTPProxy(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    async with serving(proxy.serve) as port:
        via = Proxy(f"http://127.0.0.1:{port}")
        for host in ("::1", "fe80::1%7"):
            with pytest.raises(ClientHttpProxyError):
                await connector.connect(Target("https", host, 8443, ssl=False, proxy=via))
    assert [head.split("\r\n")[:2] for head in proxy.heads] == [
        ["CONNECT [::1]:8443 HTTP/1.1", "Host: [::1]:8443"],
        ["CONNECT [fe80::1]:8443 HTTP/1.1", "Host: [fe80::1]:8443"],
    ]


@pytest.mark.parametrize("own_target_context", [True, False])
async def test_t11_t12_tls_in_tls_verifies_each_with_its_own_options(
    connector: TCPConnector,
    tls_port: int,
    tls_client_context: ssl.SSLContext,
    own_target_context: bool,
) -> None:
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("proxy.example").configure_cert(server_side)
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client_side)
    proxy = HTTPProxy()
    async with serving(proxy.serve, server_side) as port:
        url = f"https://proxy.example:{port}"
        if own_target_context:
            target = Target(
                "https",
                "localhost",
                tls_port,
                ssl=tls_client_context,
                proxy=Proxy(url, ssl=client_side),
            )
            connection = await connector.connect(target)
            assert await get(connection, target) == b"hi"
            assert connection.facts.peer_certificate is not None
            connection.close()
            await connection.wait_closed()
            return
        # The target's context is of no use with the proxy, and the other way round.
        swapped = Target(
            "https",
            "localhost",
            tls_port,
            ssl=client_side,
            proxy=Proxy(url, ssl=tls_client_context),
        )
        with pytest.raises(ClientProxyConnectionError) as raised:
            await connector.connect(swapped)
        assert isinstance(raised.value.__cause__, ClientConnectorCertificateError)
        assert (raised.value.host, raised.value.port) == ("proxy.example", port)
        half = Target(
            "https", "localhost", tls_port, ssl=client_side, proxy=Proxy(url, ssl=client_side)
        )
        with pytest.raises(ClientConnectorCertificateError) as target_fault:
            await connector.connect(half)
        assert target_fault.value.host == "localhost"


async def test_t5_a_fingerprint_is_checked_through_a_proxy(
    connector: TCPConnector, tls_port: int, ok_server: ScriptedServer
) -> None:
    proxy = HTTPProxy()
    async with serving(proxy.serve) as port:
        target = Target(
            "https",
            "localhost",
            tls_port,
            ssl=Fingerprint("ab" * 32),
            proxy=Proxy(f"http://127.0.0.1:{port}"),
        )
        with pytest.raises(ServerFingerprintMismatch):
            await connector.connect(target)
    assert [peer.requests for peer in ok_server.peers] == [[]]


async def test_a_chain_of_proxies(
    connector: TCPConnector, tls_port: int, tls_client_context: ssl.SSLContext
) -> None:
    first, second, last = HTTPProxy(), SOCKSProxy(), HTTPProxy()
    async with (
        serving(first.serve) as port1,
        serving(second.serve) as port2,
        serving(last.serve) as port3,
    ):
        chain = Proxy(
            f"http://c:c@127.0.0.1:{port3}",
            via=Proxy(f"socks5h://127.0.0.1:{port2}", via=Proxy(f"http://a:a@127.0.0.1:{port1}")),
        )
        target = Target("https", "localhost", tls_port, ssl=tls_client_context, proxy=chain)
        connection = await connector.connect(target)
        assert await get(connection, target) == b"hi"
        connection.close()
        await connection.wait_closed()
    assert first.heads[0].startswith(f"CONNECT 127.0.0.1:{port2} ")
    assert second.told == [(5, "127.0.0.1", port3)]
    assert last.heads[0].startswith(f"CONNECT localhost:{tls_port} ")
    assert "Basic YTph" in first.heads[0]
    assert "Basic Yzpj" in last.heads[0]


async def test_a_plain_request_goes_through_a_chain_too(
    connector: TCPConnector, plain_port: int
) -> None:
    first, last = HTTPProxy(), HTTPProxy()
    async with serving(first.serve) as port1, serving(last.serve) as port2:
        chain = Proxy(f"http://127.0.0.1:{port2}", via=f"http://127.0.0.1:{port1}")
        target = Target("http", "localhost", plain_port, proxy=chain)
        connection = await connector.connect(target)
        assert await get(connection, target) == b"hi"
        connection.close()
        await connection.wait_closed()
    assert first.heads[0].startswith(f"CONNECT 127.0.0.1:{port2} ")
    assert last.heads[0].startswith("GET http://localhost")


# -- what goes wrong with them
