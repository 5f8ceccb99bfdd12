"""Proxies that refuse, talk nonsense or are not there, and connecting that ends on the way (P2, P3, P9, P14)."""

import asyncio
import errno
import socket
import ssl
from typing import Any

import pytest
from wayfare_connector import (
    ClientConnectorDNSError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ConnectionTimeoutError,
    ConnectObserver,
    ConnectTimeouts,
    DialTimeoutError,
    DNSTimeoutError,
    Proxy,
    ProxyTimeoutError,
    Target,
    TCPConnector,
    TLSTimeoutError,
)
from wayfare_connector.testing import (
    FakeResolver,
    MemoryDialer,
    RecordingObserver,
    cancel_at_every_await,
)
from wayfare_http_core.testing import (
    Drip,
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


@pytest.mark.parametrize("proxy", ["http", "socks5h"])
def test_p14_a_proxy_that_is_gone_before_it_is_asked(proxy: str) -> None:
    class Slow(ConnectObserver):
        async def tunnel_start(self, target: Target) -> None:
            await asyncio.sleep(1)

    async def main() -> None:
        network = MemoryNetwork()
        network.serve("proxy.example", 3128, ScriptedServer([Fin()]))
        way = Proxy(f"{proxy}://proxy.example:3128")
        target = Target("https", "localhost", 1, ssl=False, proxy=way)
        async with TCPConnector(dialer=MemoryDialer(network)) as connector:
            with pytest.raises(ClientProxyConnectionError, match="it hung up") as raised:
                await connector.connect(target, observer=Slow())
        assert raised.value.host == "proxy.example"

    run_with_fake_clock(main())


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


def assert_blamed(error: ConnectionTimeoutError, host: str, port: int) -> None:
    """An error is that of a proxy on the way to localhost, and says so."""
    assert error.connection_key is not None
    assert error.connection_key.host == "localhost"
    assert error.proxy is not None
    assert (error.proxy.host, error.proxy.port) == (host, port)
    assert f"timed out at the proxy {host}:{port} " in str(error)
    assert "secret" not in f"{error!r}{vars(error)}"


class SilentDialer:
    """Never gets through."""

    async def dial(
        self, target: Target, protocol_factory: Any, *, deadline: Any, observer: Any
    ) -> Any:
        with deadline.connecting():
            await asyncio.Event().wait()


@pytest.mark.parametrize("limits", [{"sock_connect": 3}, {"connect": 3}])
@pytest.mark.parametrize("target", ["http", "https", "ws"])
@pytest.mark.parametrize("proxy", ["http", "https", "socks5h"])
def test_o1_a_proxy_that_cannot_be_reached_in_time_is_blamed(
    proxy: str, target: str, limits: dict[str, float]
) -> None:
    async def main() -> None:
        way = Proxy(f"{proxy}://u:secret@proxy.example:3128", ssl=False)
        async with TCPConnector(dialer=SilentDialer()) as connector:
            with pytest.raises(DialTimeoutError) as raised:
                await connector.connect(
                    Target(target, "localhost", 1, ssl=False, proxy=way), ConnectTimeouts(**limits)
                )
        error = raised.value
        assert error.seconds == 3
        assert error.proxy == way.detached()
        assert "timed out at the proxy proxy.example:3128 " in str(error)
        assert "secret" not in f"{error!r}{vars(error)}"

    run_with_fake_clock(main())


def test_o1_a_proxy_whose_name_is_not_resolved_in_time_is_blamed() -> None:
    async def main() -> None:
        resolver = FakeResolver({})
        resolver.hold()
        chain = Proxy("http://u:secret@first.example", via="http://second.example:8")
        async with TCPConnector(resolver=resolver) as connector:
            target = Target("https", "localhost", 1, ssl=False, proxy=chain)
            with pytest.raises(DNSTimeoutError) as raised:
                await connector.connect(target, ConnectTimeouts(dns=2))
        assert_blamed(raised.value, "second.example", 8)

    run_with_fake_clock(main())


def test_o1_each_silence_on_the_way_is_blamed_on_who_is_silent() -> None:
    yes = b"HTTP/1.1 200 OK\r\n\r\n"

    async def silence(script: Script, proxy: Proxy) -> ConnectionTimeoutError:
        network = MemoryNetwork()
        server = ScriptedServer(script)
        network.serve("first.example", 80, server)
        target = Target("https", "localhost", 1, ssl=False, proxy=proxy)
        async with TCPConnector(dialer=MemoryDialer(network)) as connector:
            with pytest.raises(ConnectionTimeoutError) as raised:
                await connector.connect(target, ConnectTimeouts(connect=3))
        server.abort()
        await server.wait_closed()
        return raised.value

    async def main() -> None:
        first = Proxy("http://first.example")
        second = Proxy("https://second.example:8", ssl=False, via=first)
        third = Proxy("http://third.example:9", via=first)
        error = await silence([Stall()], second)
        assert type(error) is ProxyTimeoutError
        assert_blamed(error, "first.example", 80)
        error = await silence([ReadHead(), Send(yes), Stall()], third)
        assert type(error) is ProxyTimeoutError
        assert_blamed(error, "third.example", 9)
        error = await silence([ReadHead(), Send(yes), Stall()], second)
        assert type(error) is TLSTimeoutError
        assert error.proxy == second
        assert "at the proxy second.example:8 (TLS, not verified) while doing" in str(error)
        error = await silence([ReadHead(), Send(yes), Stall()], first)
        assert type(error) is TLSTimeoutError
        assert error.proxy is None
        assert " at the proxy" not in str(error)

    run_with_fake_clock(main())


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
        assert_blamed(raised.value, "proxy.example", 3128)
        server.abort()
        await server.wait_closed()

    run_with_fake_clock(main())


@pytest.mark.parametrize(
    ("proxy", "answer"),
    [
        ("http", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000),
        ("socks4a", bytes((0, 0x5A, 0, 80, 127, 0, 0, 1))),
        ("socks5h", bytes((5, 0, 5, 0, 0, 1, 127, 0, 0, 1, 0, 80))),
    ],
)
def test_p3_f4_an_answer_that_drips_ends_by_the_limit_of_its_own(proxy: str, answer: bytes) -> None:
    async def main() -> None:
        network = MemoryNetwork()
        server = ScriptedServer([Drip(answer, 1, 1.0)])
        network.serve("proxy.example", 3128, server)
        way = Proxy(f"{proxy}://proxy.example:3128")
        target = Target("https", "localhost", 1, ssl=False, proxy=way)
        async with TCPConnector(dialer=MemoryDialer(network)) as connector:
            with pytest.raises(ProxyTimeoutError) as raised:
                await connector.connect(target, ConnectTimeouts(proxy=5.5))
        assert raised.value.seconds == 5.5
        assert raised.value.elapsed == pytest.approx(5.5, abs=0.1)
        assert_blamed(raised.value, "proxy.example", 3128)
        server.abort()
        await server.wait_closed()
        network.client_transports.assert_all_closed()

    run_with_fake_clock(main())


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        ({}, 1),
        ({"proxy": 5}, 1),
        ({"proxy": 0.5}, 0.25),
        ({"sock_connect": 0.5}, 0.25),
        ({"connect": 0.5}, 0.25),
    ],
)
@pytest.mark.parametrize("rest", [Stall(), Drip(b"!" * 100, 1, 0.1)])
def test_p2_a_refusal_whose_content_does_not_end_is_a_refusal(
    limits: dict[str, float], seconds: float, rest: Any
) -> None:
    refusal = b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\nContent-Length: 99\r\n\r\nlog in"

    async def main() -> None:
        network = MemoryNetwork()
        server = ScriptedServer([ReadHead(), Send(refusal), rest])
        network.serve("proxy.example", 3128, server)
        way = Proxy("http://proxy.example:3128")
        target = Target("https", "localhost", 1, ssl=False, proxy=way)
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with TCPConnector(dialer=MemoryDialer(network)) as connector:
            with pytest.raises(ClientHttpProxyError) as raised:
                await connector.connect(target, ConnectTimeouts(**limits))
        assert loop.time() - started == pytest.approx(seconds, abs=0.01)
        assert raised.value.status == 407
        assert raised.value.headers is not None
        assert raised.value.headers["Proxy-Authenticate"] == "Basic"
        assert raised.value.body.startswith(b"log in")
        server.abort()
        await server.wait_closed()
        network.client_transports.assert_all_closed()

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
