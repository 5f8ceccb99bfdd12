"""HTTP/1.1 over TLS through the connector: what is checked, what fails how (T1, T2, T6, T9, T13)."""

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from wayfare_connector import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientSSLError,
    ConnectTimeouts,
    Target,
    TCPConnector,
    TLSContextRef,
    TLSTimeoutError,
)
from wayfare_connector.testing import FakeResolver, RecordingObserver, cancel_at_every_await
from wayfare_http_core import Connection, RequestHead
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    Fin,
    Read,
    ReadRequest,
    Repeat,
    Reset,
    Script,
    ScriptedServer,
    Send,
    Stall,
    listening,
)

NO_TIMEOUTS = ConnectTimeouts()


@pytest.fixture
async def port(ok_server: ScriptedServer, tls_server_context: ssl.SSLContext) -> AsyncIterator[int]:
    """Where `ok_server` speaks TLS with the name localhost."""
    async with listening(ok_server, tls=tls_server_context) as (_, port):
        yield port


@pytest.fixture
async def connector() -> AsyncIterator[TCPConnector]:
    names = {"localhost": ["127.0.0.1"], "wrong.example": ["127.0.0.1"]}
    async with TCPConnector(resolver=FakeResolver(names)) as connector:
        yield connector
        stats = connector.stats()
        assert (stats.connecting, stats.waiting) == (0, 0)


async def get(connection: Connection) -> bytes:
    exchange = await connection.exchange(RequestHead("GET", "https", "localhost", "/"))
    return await exchange.content.read()


async def all_closed(server: ScriptedServer) -> None:
    """The client hangs up by itself, while the server would go on."""
    await server.wait_closed()


async def test_a_verified_connection_is_made_and_used_again(
    connector: TCPConnector, port: int, tls_client_context: ssl.SSLContext
) -> None:
    target = Target("https", "localhost", port, ssl=tls_client_context)
    observer = RecordingObserver()
    connection = await connector.connect(target, NO_TIMEOUTS, observer)
    assert observer.names == [
        "create_start",
        "dns_cache_miss",
        "dns_start",
        "dns_end",
        "dial_start",
        "dial_end",
        "tls_start",
        "tls_end",
        "create_end",
    ]
    assert observer.events[7][1][0] == connection.facts.tls_version == "TLSv1.3"
    assert connection.facts.peer_certificate is not None
    timings = connection.facts.timings
    assert timings is not None
    assert timings.total is not None
    assert timings.queued is None
    assert 0 < sum(filter(None, timings)) <= 2 * timings.total
    assert await get(connection) == b"hi"
    assert connector.lease_nowait(target) is connection
    assert await get(connection) == b"hi"


@pytest.mark.parametrize(
    ("host", "server_hostname", "verified"),
    [
        ("localhost", None, True),
        ("LOCALHOST", None, True),
        ("127.0.0.1", None, True),
        ("127.0.0.1", "localhost", True),
        ("wrong.example", None, False),
        ("wrong.example", "localhost", True),
        ("localhost", "wrong.example", False),
    ],
)
async def test_t1_t2_the_name_that_counts_is_verified(
    connector: TCPConnector,
    port: int,
    tls_client_context: ssl.SSLContext,
    host: str,
    server_hostname: str | None,
    verified: bool,
) -> None:
    target = Target("https", host, port, ssl=tls_client_context, server_hostname=server_hostname)
    if verified:
        assert await get(await connector.connect(target)) == b"hi"
        return
    with pytest.raises(ClientConnectorCertificateError) as raised:
        await connector.connect(target)
    exc = raised.value
    assert isinstance(exc, ssl.CertificateError)
    assert "mismatch" in str(exc.certificate_error)
    assert (exc.host, exc.port) == (host, port)
    assert exc.ssl == TLSContextRef(id(tls_client_context))


async def test_t8_a_second_handshake_verifies_as_the_first_did(
    connector: TCPConnector, port: int, tls_client_context: ssl.SSLContext
) -> None:
    """Sessions are not resumed, so nothing that was verified under one name counts for another."""
    for _ in range(2):
        target = Target("https", "localhost", port, ssl=tls_client_context)
        connection = await connector.connect(target)
        assert await get(connection) == b"hi"
        assert isinstance(connection, HTTP1Connection)
        transport = connection._transport
        assert transport is not None
        assert not transport.get_extra_info("ssl_object").session_reused
        connection.close()
        await connection.wait_closed()
        with pytest.raises(ClientConnectorCertificateError):
            await connector.connect(
                Target(
                    "https",
                    "localhost",
                    port,
                    ssl=tls_client_context,
                    server_hostname="wrong.example",
                )
            )


async def test_n4_tls_is_set_up_on_the_winning_socket_only(
    ok_server: ScriptedServer, port: int, tls_client_context: ssl.SSLContext
) -> None:
    names = FakeResolver({"localhost": ["::1", "127.0.0.2", "127.0.0.1"]})
    observer = RecordingObserver()
    async with TCPConnector(resolver=names) as connector:
        target = Target("https", "localhost", port, ssl=tls_client_context)
        connection = await connector.connect(target, NO_TIMEOUTS, observer)
        assert await get(connection) == b"hi"
    assert observer.names.count("tls_start") == 1
    assert [len(peer.requests) for peer in ok_server.peers] == [1]


async def test_t6_the_default_context_does_not_trust_an_unknown_authority(
    connector: TCPConnector, port: int
) -> None:
    unverified = await connector.connect(Target("https", "localhost", port, ssl=False))
    assert await get(unverified) == b"hi"
    with pytest.raises(ClientConnectorCertificateError):
        await connector.connect(Target("https", "localhost", port))
    assert connector.stats().idle == 1


async def test_t13_plain_octets_are_no_tls(connector: TCPConnector) -> None:
    answer = Send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    async with listening(ScriptedServer([answer, Stall()])) as (_, port):
        with pytest.raises(ClientConnectorSSLError) as raised:
            await connector.connect(Target("https", "localhost", port, ssl=False))
    assert isinstance(raised.value, ssl.SSLError)
    assert raised.value.errno is not None


@pytest.mark.parametrize("script", [[Read(1), Fin()], [Read(1), Reset()], [Fin()]])
async def test_t13_a_peer_that_hangs_up_in_the_handshake(
    connector: TCPConnector, script: Script
) -> None:
    async with listening(ScriptedServer(script)) as (_, port):
        with pytest.raises(ClientSSLError):
            await connector.connect(Target("https", "localhost", port, ssl=False))


async def test_o1_t13_a_handshake_that_stalls_ends_by_sock_connect(
    connector: TCPConnector,
) -> None:
    async with listening(ScriptedServer([Stall()])) as (_, port):
        with pytest.raises(TLSTimeoutError) as raised:
            await connector.connect(
                Target("https", "localhost", port, ssl=False),
                ConnectTimeouts(connect=60, sock_connect=0.3),
            )
    assert raised.value.seconds == 0.3


async def test_t9_another_protocol_than_http_1_1_is_refused(
    connector: TCPConnector,
    ok_server: ScriptedServer,
    tls_server_context: ssl.SSLContext,
    tls_client_context: ssl.SSLContext,
) -> None:
    tls_server_context.set_alpn_protocols(["h2", "http/1.1"])
    async with listening(ok_server, tls=tls_server_context) as (_, port):
        tls_client_context.set_alpn_protocols(["h2", "http/1.1"])
        target = Target("https", "localhost", port, ssl=tls_client_context)
        with pytest.raises(ClientSSLError, match="the server chose 'h2'"):
            await connector.connect(target)
        await all_closed(ok_server)
        tls_client_context.set_alpn_protocols(["http/1.1"])
        connection = await connector.connect(target)
        assert connection.facts.alpn == "http/1.1"
        assert await get(connection) == b"hi"


async def test_a_name_that_no_certificate_could_hold_is_refused_before_dialling(
    connector: TCPConnector,
) -> None:
    observer = RecordingObserver()
    with pytest.raises(ClientSSLError, match="not a valid server name"):
        await connector.connect(Target("https", "local~host", 1, ssl=False), NO_TIMEOUTS, observer)
    assert observer.names == ["create_start"]


async def test_a_target_that_only_describes_a_context_cannot_be_connected_to(
    connector: TCPConnector, tls_client_context: ssl.SSLContext
) -> None:
    target = Target("https", "localhost", 1, ssl=tls_client_context).detached()
    with pytest.raises(ClientSSLError, match="only describes an SSLContext"):
        await connector.connect(target)


async def test_certificates_that_cannot_be_loaded_are_an_error(
    connector: TCPConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> ssl.SSLContext:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("wayfare_connector._route.get_default_context", fail)
    with pytest.raises(ClientSSLError, match="Permission denied"):
        await connector.connect(Target("https", "localhost", 1))


class PlannedError(Exception):
    pass


@pytest.mark.parametrize("event", ["tls_start", "tls_end"])
async def test_o11_an_observer_that_raises_leaves_nothing(
    connector: TCPConnector, ok_server: ScriptedServer, port: int, event: str
) -> None:
    with pytest.raises(PlannedError):
        await connector.connect(
            Target("https", "localhost", port, ssl=False),
            NO_TIMEOUTS,
            RecordingObserver({event: PlannedError()}),
        )
    await all_closed(ok_server)


async def test_l2_connecting_can_be_cancelled_at_every_await(
    connector: TCPConnector, port: int
) -> None:
    target = Target("https", "localhost", port, ssl=False)

    async def scenario() -> None:
        connection = await connector.connect(
            target, ConnectTimeouts(connect=60, sock_connect=60), RecordingObserver()
        )
        await get(connection)
        connection.close()
        connector.clear_dns_cache()

    async def check() -> None:
        connector.clear_dns_cache()
        stats = connector.stats()
        assert (stats.leased, stats.connecting) == (0, 0)

    assert await cancel_at_every_await(scenario, check) > 20


def test_t16_o9_a_loop_can_end_right_after_close(
    tls_authority: trustme.CA,
    tls_server_context: ssl.SSLContext,
    tls_client_context: ssl.SSLContext,
    ok_server: ScriptedServer,
) -> None:
    async def main() -> None:
        async with listening(ok_server, tls=tls_server_context) as (host, port):
            target = Target("https", host, port, ssl=tls_client_context)
            async with TCPConnector() as connector:
                connections = [await connector.connect(target) for _ in range(5)]
                for connection in connections[:3]:
                    await get(connection)

    asyncio.run(main(), debug=True)
    gc.collect()


@pytest.mark.parametrize(("patience", "abort"), [(0.05, False), (None, True)])
async def test_t16_close_is_bounded_when_the_peer_says_no_goodbye(
    tls_server_context: ssl.SSLContext, patience: float | None, abort: bool
) -> None:
    """A blocking server that reads no close_notify; its kernel acknowledges, nothing more."""
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    done = loop.create_future()

    def serve() -> None:
        raw, _ = listener.accept()
        with tls_server_context.wrap_socket(raw, server_side=True) as sock:
            sock.recv(1024)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            asyncio.run_coroutine_threadsafe(silence(), loop).result()

    async def silence() -> None:
        await done

    serving = loop.run_in_executor(None, serve)
    async with TCPConnector(ssl_shutdown_timeout=patience) as connector:
        await get(await connector.connect(Target("https", "127.0.0.1", port, ssl=False)))
        await connector.close(abort_ssl=abort)
    # Up to here the server has said nothing more: closing has not waited for it.
    done.set_result(None)
    await serving
    listener.close()


async def test_f8_a_plain_connection_to_a_tls_server_is_no_connection_error_of_ours(
    connector: TCPConnector, port: int
) -> None:
    connection = await connector.connect(Target("http", "localhost", port))
    with pytest.raises(Exception, match=r".+") as raised:
        await get(connection)
    assert not isinstance(raised.value, ClientConnectorError)
    assert connection.available_exchanges == 0


async def test_the_server_may_take_its_time_for_each_request(
    connector: TCPConnector, tls_server_context: ssl.SSLContext
) -> None:
    script = [Repeat(ReadRequest(), Send(b"HTTP/1.1 204 No Content\r\n\r\n"))]
    async with listening(ScriptedServer(script), tls=tls_server_context) as (_, port):
        target = Target("https", "localhost", port, ssl=False)
        for _ in range(3):
            connection = connector.lease_nowait(target) or await connector.connect(target)
            assert await get(connection) == b""
        assert connector.stats().created == 1
        await connector.close()
