"""Proxies that refuse, talk nonsense or are not there, and connecting that ends on the way (P2, P3, P9, P14)."""

import errno
import socket
import ssl
from typing import Any

import pytest
from wayfare_connector import (
    ClientConnectorDNSError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ConnectTimeouts,
    Proxy,
    ProxyTimeoutError,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import (
    MemoryDialer,
    RecordingObserver,
    cancel_at_every_await,
)
from wayfare_http_core.testing import (
    Fin,
    MemoryNetwork,
    ReadHead,
    Reset,
    Script,
    ScriptedServer,
    Send,
    Stall,
    listening,
    run_with_fake_clock,
)

from tests.connector.through_proxies.local_proxies import HTTPProxy, SOCKSProxy, get, serving


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (b"Proxy-Authenticate: Digest realm=x", "No; it takes no Basic credentials, only Digest"),
        (
            b"Proxy-Authenticate: Negotiate, NTLM\r\nProxy-Authenticate: digest realm=x",
            "No; it takes no Basic credentials, only Digest or NTLM or Negotiate",
        ),
        (b"Proxy-Authenticate: Digest realm=x, basic realm=x", "No"),
        (b"Proxy-Authenticate: Other x", "No"),
    ],
)
async def test_p2_credentials_that_a_proxy_cannot_be_given(
    connector: TCPConnector, fields: bytes, message: str
) -> None:
    """P2: whoever sees a 407 knows what to do about it."""
    answer = b"HTTP/1.1 407 No\r\n%b\r\nContent-Length: 0\r\n\r\n" % fields
    async with listening(ScriptedServer([ReadHead(), Send(answer), Fin()])) as (_, port):
        via = Proxy(f"http://u:secret@127.0.0.1:{port}")
        with pytest.raises(ClientHttpProxyError) as raised:
            await connector.connect(Target("https", "localhost", 8443, proxy=via))
    assert (raised.value.status, raised.value.message) == (407, message)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 407 No\r\nContent-Length: 4\r\n\r\nlong", 407, b"long"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n", 302, b""),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\ncut", 500, b"cut"),
        (b"HTTP/1.1 503 No\r\n\r\n" + b"x" * 100_000, 503, b"x" * 65536),
    ],
)
async def test_p2_p4_another_answer_is_an_error_with_what_it_said(
    connector: TCPConnector, answer: bytes, status: int, body: bytes
) -> None:
    async with listening(ScriptedServer([ReadHead(), Send(answer), Fin()])) as (_, port):
        via = Proxy(f"http://u:secret@127.0.0.1:{port}")
        with pytest.raises(ClientHttpProxyError) as raised:
            await connector.connect(Target("https", "localhost", 8443, proxy=via))
    exc = raised.value
    assert (exc.status, exc.body) == (status, body)
    assert exc.headers is not None
    assert "secret" not in repr(exc)
    assert connector.stats().leased == 0


@pytest.mark.parametrize(
    "script",
    [
        [ReadHead(), Fin()],
        [ReadHead(), Reset()],
        [ReadHead(), Send(b"HTTP/1.1 200"), Fin()],
        [ReadHead(), Send(b"<html>this is HTTP/0.9</html>\r\n\r\n"), Fin()],
        [ReadHead(), Send(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n")],
        [ReadHead(), Send(b"HTTP/1.1 200 OK\r\n\r\ngarbage"), Stall()],
        [ReadHead(), Send(b"HTTP/1.1 101 What\r\n\r\n"), Stall()],
        [Fin()],
    ],
)
@pytest.mark.parametrize("scheme", ["https", "ws"])
async def test_p3_p9_p14_t10_nonsense_is_the_proxys_fault(
    connector: TCPConnector, script: Script, scheme: str
) -> None:
    async with listening(ScriptedServer(script)) as (_, port):
        via = Proxy(f"http://u:secret@127.0.0.1:{port}")
        with pytest.raises(ClientProxyConnectionError) as raised:
            await connector.connect(Target(scheme, "localhost", 8443, ssl=False, proxy=via))
    exc = raised.value
    assert (exc.host, exc.port) == ("127.0.0.1", port)
    assert str(exc).startswith(f"Cannot connect to proxy 127.0.0.1:{port}: ")
    assert "secret" not in f"{exc!r}{vars(exc)}"


async def test_p3_informational_answers_and_framing_of_a_yes_are_ignored(
    connector: TCPConnector, tls_port: int, tls_client_context: ssl.SSLContext
) -> None:
    proxy = HTTPProxy(
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    async with serving(proxy.serve) as port:
        target = Target(
            "https",
            "localhost",
            tls_port,
            ssl=tls_client_context,
            proxy=Proxy(f"http://127.0.0.1:{port}"),
        )
        connection = await connector.connect(target)
        assert await get(connection, target) == b"hi"
        connection.close()
        await connection.wait_closed()


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:{}", "socks5://127.0.0.1:{}"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_f15_a_proxy_that_is_not_there(
    connector: TCPConnector, proxy: str, scheme: str
) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        target = Target(scheme, "localhost", 1, ssl=False, proxy=Proxy(proxy.format(port)))
        with pytest.raises(ClientProxyConnectionError) as raised:
            await connector.connect(target)
    exc = raised.value
    assert exc.errno == errno.ECONNREFUSED
    assert exc.attempts[0].address == ("127.0.0.1", port)
    assert exc.connection_key == Proxy(proxy.format(port)).target


async def test_of_a_chain_the_proxy_that_is_at_fault_is_blamed(connector: TCPConnector) -> None:
    chain = Proxy("http://last.example", via="http://nobody.example")
    with pytest.raises(ClientProxyConnectionError) as raised:
        await connector.connect(Target("http", "localhost", proxy=chain))
    assert raised.value.host == "nobody.example"
    assert isinstance(raised.value.__cause__, ClientConnectorDNSError)


@pytest.mark.parametrize("proxy", ["http", "socks5h"])
def test_o1_p3_a_proxy_that_does_not_answer_ends_by_sock_connect(proxy: str) -> None:
    async def main() -> None:
        network = MemoryNetwork()
        server = ScriptedServer([Stall()])
        network.serve("proxy.example", 3128, server)
        way = Proxy(f"{proxy}://proxy.example:3128")
        target = Target("https", "localhost", 1, ssl=False, proxy=way)
        async with TCPConnector(dialer=MemoryDialer(network)) as connector:
            with pytest.raises(ProxyTimeoutError) as raised:
                await connector.connect(target, ConnectTimeouts(connect=60, sock_connect=0.3))
        assert raised.value.seconds == 0.3
        assert raised.value.connection_key is not None
        assert raised.value.connection_key.host == "localhost"
        server.abort()
        await server.wait_closed()

    run_with_fake_clock(main())


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:{}", "socks5h://127.0.0.1:{}"])
async def test_l2_p9_connecting_can_be_cancelled_at_every_await(
    connector: TCPConnector, tls_port: int, proxy: str
) -> None:
    handler = HTTPProxy().serve if proxy.startswith("http") else SOCKSProxy().serve
    async with serving(handler) as port:
        target = Target("https", "localhost", tls_port, ssl=False, proxy=Proxy(proxy.format(port)))

        async def scenario() -> None:
            connection = await connector.connect(
                target, ConnectTimeouts(connect=60, sock_connect=60), RecordingObserver()
            )
            assert await get(connection, target) == b"hi"
            connection.close()

        async def check() -> None:
            stats = connector.stats()
            assert (stats.leased, stats.connecting) == (0, 0)

        assert await cancel_at_every_await(scenario, check) > 8


class PlannedError(Exception):
    """Raised on purpose."""


@pytest.mark.parametrize("event", ["tunnel_start", "tunnel_end"])
@pytest.mark.parametrize("proxy", ["http", "socks5h"])
async def test_o11_an_observer_that_raises_ends_the_connection_to_the_proxy(
    connector: TCPConnector, plain_port: int, event: str, proxy: str
) -> None:
    handler = HTTPProxy().serve if proxy == "http" else SOCKSProxy().serve
    async with serving(handler) as port:
        target = Target("ws", "localhost", plain_port, proxy=Proxy(f"{proxy}://127.0.0.1:{port}"))
        observer: Any = RecordingObserver({event: PlannedError()})
        with pytest.raises(PlannedError):
            await connector.connect(target, observer=observer)
    stats = connector.stats()
    assert (stats.leased, stats.connecting, stats.idle) == (0, 0, 0)
