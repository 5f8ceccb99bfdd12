"""The dialers of `examples/plugins`, written against public names: through a child process, and at fault."""

import asyncio
import importlib.util
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from wayfare_connector import (
    ClientConnectorError,
    ClientSSLError,
    ConnectTimeouts,
    Dialer,
    DialTimeoutError,
    Target,
    TCPConnector,
    TCPDialer,
)
from wayfare_connector.testing import DialerCase, MemoryDialer, RecordingObserver, check_dialer
from wayfare_http_core import ClientError, Connection, RequestHead
from wayfare_http_core.testing import MemoryNetwork, ScriptedServer, listening

PLUGINS = Path(__file__).parents[2] / "examples" / "plugins"

RELAY = """
import os, socket, sys, threading
host, port = sys.argv[1:]
sock = socket.create_connection(("127.0.0.1", int(port)))
def back():
    while data := sock.recv(65536):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=back, daemon=True).start()
while data := os.read(0, 65536):
    sock.sendall(data)
sock.shutdown(socket.SHUT_WR)
threading.Event().wait(10)
"""
"""What `ssh -W` does, on this machine: carry stdin and stdout to a host and a port."""


def plugin(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"plugin_{name}", PLUGINS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def child_dialer() -> Dialer:
    command = (sys.executable, "-S", "-c", RELAY, "{host}", "{port}")
    dialer: Dialer = plugin("child_process").ChildProcessDialer(*command)
    return dialer


async def get(connection: Connection, target: Target) -> bytes:
    exchange = await connection.exchange(RequestHead("GET", target.scheme, target.authority, "/"))
    return await exchange.content.read()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_requests_go_through_a_child_process(
    scheme: str,
    ok_server: ScriptedServer,
    tls_server_context: ssl.SSLContext,
    tls_client_context: ssl.SSLContext,
) -> None:
    tls = tls_server_context if scheme == "https" else None
    async with (
        listening(ok_server, tls=tls) as (_, port),
        TCPConnector(dialer=child_dialer()) as connector,
    ):
        target = Target(scheme, "localhost", port, ssl=tls_client_context)
        observer = RecordingObserver()
        connection = await connector.connect(target, observer=observer)
        assert "dial_end" in observer.names
        assert await get(connection, target) == b"hi"
        assert connector.lease_nowait(target) is connection
        assert await get(connection, target) == b"hi"
        connection.close()
        await connection.wait_closed()


async def test_a_child_that_fails_is_an_error() -> None:
    dialer = plugin("child_process").ChildProcessDialer("/nonexistent/command")
    assert dialer.fixed_destination
    assert not plugin("child_process").ChildProcessDialer("ssh", "{host}").fixed_destination
    assert plugin("faults").FaultyDialer(dialer, None).fixed_destination
    async with TCPConnector(dialer=dialer) as connector:
        with pytest.raises(ClientConnectorError):
            await connector.connect(Target("http", "a.example"))
    dialer = plugin("child_process").ChildProcessDialer(sys.executable, "-S", "-c", "pass")
    async with TCPConnector(dialer=dialer) as connector:
        target = Target("http", "a.example")
        with pytest.raises(ClientError):
            await get(await connector.connect(target), target)


@asynccontextmanager
async def faulty_case() -> AsyncIterator[DialerCase]:
    class Echo(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(data)

    faults = plugin("faults")
    network = MemoryNetwork()
    network.serve("echo.example", 7, Echo)
    yield DialerCase(
        dialer=faults.FaultyDialer(MemoryDialer(network), faults.Fault.REFUSED, every=10**9),
        echo=Target("http", "echo.example", 7),
        refused=Target("http", "nobody.example", 7),
    )


async def test_a_dialer_round_another_passes_the_suite_of_dialers() -> None:
    await check_dialer(faulty_case)


async def test_each_fault_is_seen(network: MemoryNetwork) -> None:
    faults = plugin("faults")
    target = Target("http", "a.example")
    seen: list[type[BaseException]] = []
    for fault in faults.Fault:
        dialer = faults.FaultyDialer(MemoryDialer(network), fault, every=2)
        async with TCPConnector(dialer=dialer, force_close=True) as connector:
            for _ in range(2):
                try:
                    connection = await connector.connect(target, ConnectTimeouts(connect=0.05))
                    assert await get(connection, target) == b"hi"
                except (ClientError, TimeoutError) as exc:
                    seen.append(type(exc))
    assert seen == [ClientConnectorError, DialTimeoutError, ClientConnectorError]


@pytest.mark.parametrize(
    ("fault", "error"),
    [("REFUSED", ClientConnectorError), ("SILENT", DialTimeoutError), ("CUT", ClientSSLError)],
)
async def test_each_fault_is_seen_below_tls(
    ok_server: ScriptedServer,
    tls_server_context: ssl.SSLContext,
    tls_client_context: ssl.SSLContext,
    fault: str,
    error: type[Exception],
) -> None:
    faults = plugin("faults")
    inner = TCPDialer()
    dialer = faults.FaultyDialer(inner, faults.Fault[fault], every=2)
    async with (
        listening(ok_server, tls=tls_server_context) as (host, port),
        TCPConnector(dialer=dialer, force_close=True) as connector,
    ):
        target = Target("https", host, port, ssl=tls_client_context)
        for _ in range(2):
            assert await get(await connector.connect(target), target) == b"hi"
            with pytest.raises(error):
                await connector.connect(target, ConnectTimeouts(sock_connect=0.3))
        assert connector.stats().connecting == 0
    await inner.close()
