"""Unix sockets and named pipes: what they reach, with TLS too, and how they fail (N10)."""

import asyncio
import errno
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvloop
from wayfare_connector import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ConnectDeadline,
    ConnectTimeouts,
    DialTimeoutError,
    NamedPipeConnector,
    Proxy,
    Target,
    UnixClientConnectorError,
    UnixConnector,
    open_http1,
)
from wayfare_connector._local_dialers import NamedPipeDialer
from wayfare_connector._tls import TLSLayer
from wayfare_connector.testing import (
    ConnectorCase,
    RecordingObserver,
    cancel_at_every_await,
    check_connector,
)
from wayfare_http_core import Connection, RequestHead
from wayfare_http_core.testing import ScriptedServer, stop_accepting

TARGET = Target("http", "a.example")


@pytest.fixture
def folder() -> Any:
    """A folder whose name is short: paths of sockets may have about a hundred octets."""
    with tempfile.TemporaryDirectory(prefix="wf") as folder:
        yield Path(folder)


@asynccontextmanager
async def serving(
    path: Path | str, server: ScriptedServer, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    def layer(context: ssl.SSLContext) -> TLSLayer:
        return TLSLayer(
            server(), context, server_hostname=None, server_side=True, shutdown_timeout=None
        )

    factory = server if tls is None else partial(layer, tls)
    listener = await asyncio.get_running_loop().create_unix_server(factory, str(path))
    try:
        yield
    finally:
        await stop_accepting(listener)
        listener.close()
        server.abort()
        await server.wait_closed()
        await listener.wait_closed()


async def get(connection: Connection, target: Target = TARGET) -> bytes:
    exchange = await connection.exchange(RequestHead("GET", target.scheme, target.authority, "/"))
    return await exchange.content.read()


async def test_n10_a_unix_socket_is_reached_whatever_the_host(
    folder: Path, ok_server: ScriptedServer
) -> None:
    path = folder / "s"
    async with serving(path, ok_server), UnixConnector(path) as connector:
        assert connector.path == str(path)
        observer = RecordingObserver()
        connection = await connector.connect(TARGET, observer=observer)
        assert await get(connection) == b"hi"
        assert connector.lease_nowait(TARGET) is connection
        other = await connector.connect(Target("unix", "b.example"))
        assert other is not connection
        assert connection.facts.peername == str(path)
        assert observer.names == ["create_start", "dial_start", "dial_end", "create_end"]
        assert observer.events[2][1][0] == str(path)
        for used in (connection, other):
            used.close()
            await used.wait_closed()
    (request,) = ok_server.peers[0].requests
    assert request.get("host") == "a.example"


async def test_n10_a_name_of_the_abstract_namespace(
    folder: Path, ok_server: ScriptedServer
) -> None:
    path = f"\0{folder}/abstract"
    async with serving(path, ok_server), UnixConnector(path) as connector:
        connection = await connector.connect(TARGET)
        assert await get(connection) == b"hi"
        connection.close()
        await connection.wait_closed()


async def test_https_over_a_unix_socket_is_encrypted_and_verified(
    folder: Path,
    ok_server: ScriptedServer,
    tls_server_context: ssl.SSLContext,
    tls_client_context: ssl.SSLContext,
) -> None:
    path = folder / "s"
    async with (
        serving(path, ok_server, tls_server_context),
        UnixConnector(path, ssl=tls_client_context) as connector,
    ):
        target = Target("https", "localhost", ssl=connector.ssl)
        connection = await connector.connect(target)
        assert connection.facts.tls_version == "TLSv1.3"
        assert await get(connection, target) == b"hi"
        connection.close()
        await connection.wait_closed()
        with pytest.raises(ClientConnectorCertificateError):
            await connector.connect(Target("https", "wrong.example", ssl=connector.ssl))


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_p5_what_is_meant_for_a_proxy_reaches_no_socket(
    folder: Path, ok_server: ScriptedServer, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio, "ProactorEventLoop", PipeLoop, raising=False)
    path = folder / "s"
    target = Target(scheme, "a.example", proxy=Proxy("http://user:secret@proxy.example:3128"))
    async with serving(path, ok_server):
        for connector in (UnixConnector(path), NamedPipeConnector(str(path))):
            assert connector.fixed_destination
            with pytest.raises(ValueError, match="leads to one peer, never through a proxy"):
                await connector.connect(target)
            assert connector.stats().created == 0
            with pytest.raises(ValueError, match="leads to one peer, never through a proxy"):
                await open_http1(
                    connector.dialer,
                    target,
                    connector._lender,
                    deadline=ConnectDeadline(target, ConnectTimeouts()),
                )
            await connector.close()
    assert ok_server.peers == []


@pytest.mark.parametrize(
    ("name", "code"),
    [("missing", errno.ENOENT), ("refused", errno.ECONNREFUSED), ("x" * 200, None)],
)
async def test_n10_a_socket_that_is_not_there(folder: Path, name: str, code: int | None) -> None:
    path = folder / name
    if name == "refused":
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(path))  # and nobody listens
    async with UnixConnector(path) as connector:
        with pytest.raises(UnixClientConnectorError) as raised:
            await connector.connect(TARGET)
    exc = raised.value
    assert isinstance(exc, ClientConnectorError)
    assert (exc.path, exc.errno, exc.host) == (str(path), code, "a.example")
    assert str(exc).startswith(f"Cannot connect to socket {str(path)!r}: ")


def full(path: Path) -> tuple[socket.socket, socket.socket]:
    """A socket that listens without a backlog, and the client that fills it up: nobody else gets in."""
    listener, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(0)
    client.connect(str(path))
    return listener, client


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_n10_a_burst_waits_for_a_server_with_a_short_backlog(
    folder: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    path = folder / "s"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        await reader.read()
        writer.close()

    async def ask(connector: UnixConnector) -> bytes:
        return await get(await connector.connect(TARGET, ConnectTimeouts(sock_connect=30)))

    async def main() -> None:
        server = await asyncio.start_unix_server(answer, str(path), backlog=1)
        async with UnixConnector(path) as connector:
            async with asyncio.timeout(30):  # a socket that is none would be silent for ever
                bodies = await asyncio.gather(*(ask(connector) for _ in range(30)))
            assert bodies == [b"hi"] * 30
            assert connector.stats().created > 2
        server.close()
        await server.wait_closed()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())


async def test_n10_a_place_in_the_backlog_is_waited_for_as_long_as_connecting_may_take(
    folder: Path,
) -> None:
    listener, client = full(folder / "s")
    with listener, client:
        async with UnixConnector(folder / "s") as connector:
            with pytest.raises(DialTimeoutError) as raised:
                await connector.connect(TARGET, ConnectTimeouts(sock_connect=0.02))
            assert raised.value.seconds == 0.02


async def test_n10_a_socket_that_nobody_listens_at_any_more_is_waited_for_no_longer(
    folder: Path,
) -> None:
    listener, client = full(folder / "s")
    with client:
        async with UnixConnector(folder / "s") as connector:
            connecting = asyncio.ensure_future(connector.connect(TARGET))
            await asyncio.sleep(0)
            listener.close()
            with pytest.raises(UnixClientConnectorError) as raised:
                await connecting
            assert raised.value.errno == errno.ECONNREFUSED


async def test_l2_whoever_waits_for_the_backlog_can_be_cancelled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[socket.socket] = []

    class Socket(socket.socket):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    listener, client = full(folder / "s")
    monkeypatch.setattr(socket, "socket", Socket)
    with listener, client:
        async with UnixConnector(folder / "s") as connector:
            connecting = asyncio.ensure_future(connector.connect(TARGET))
            await asyncio.sleep(0)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            assert connector.stats().connecting == 0
    assert [sock.fileno() for sock in made] == [-1]


@asynccontextmanager
async def case(folder: Path) -> AsyncIterator[ConnectorCase]:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    from wayfare_http_core.testing import ReadRequest, Repeat, Send

    path = folder / "s"
    server = ScriptedServer([Repeat(ReadRequest(), Send(ok))])

    class Sometimes:
        """One path leads to one server, so what is refused is so by its dialer."""

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        async def dial(self, target: Target, *args: Any, **options: Any) -> Any:
            if target.host == "refused.example":
                raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
            return await self.inner.dial(target, *args, **options)

    def make(*, limit: int) -> UnixConnector:
        connector = UnixConnector(path, limit=limit)
        connector._dialer = Sometimes(connector.dialer)
        return connector

    async with serving(path, server):
        yield ConnectorCase(make=make, server=TARGET, refused=Target("http", "refused.example"))


async def test_it_passes_the_suite_of_connectors(folder: Path) -> None:
    await check_connector(lambda: case(folder))


async def test_l2_it_can_be_cancelled_at_every_await(
    folder: Path, ok_server: ScriptedServer
) -> None:
    path = folder / "s"
    async with serving(path, ok_server), UnixConnector(path) as connector:

        async def scenario() -> None:
            connection = await connector.connect(
                TARGET, ConnectTimeouts(connect=60, sock_connect=60), RecordingObserver()
            )
            assert await get(connection) == b"hi"
            connection.close()

        async def check() -> None:
            stats = connector.stats()
            assert (stats.leased, stats.connecting) == (0, 0)

        assert await cancel_at_every_await(scenario, check) > 4


class PlannedError(Exception):
    """Raised on purpose."""


async def test_o11_an_observer_that_raises_leaves_nothing(
    folder: Path, ok_server: ScriptedServer
) -> None:
    path = folder / "s"
    async with serving(path, ok_server), UnixConnector(path) as connector:
        observer: Any = RecordingObserver({"dial_end": PlannedError()})
        with pytest.raises(PlannedError):
            await connector.connect(TARGET, observer=observer)
        assert connector.stats().leased == 0


# -- named pipes, on a loop that has Unix sockets in their place


class PipeLoop(asyncio.SelectorEventLoop):
    """Knows named pipes, as asyncio's proactor loop does; one never answers."""

    async def create_pipe_connection(self, factory: Callable[[], Any], address: str) -> Any:
        if address == "silent":
            await asyncio.Event().wait()
        return await self.create_unix_connection(factory, address)


def test_a_named_pipe_is_reached(
    folder: Path, ok_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio, "ProactorEventLoop", PipeLoop, raising=False)
    path = folder / "pipe"

    async def main() -> None:
        async with serving(path, ok_server), NamedPipeConnector(str(path)) as connector:
            assert connector.path == str(path)
            connection = await connector.connect(Target("npipe", "a.example"))
            assert await get(connection) == b"hi"
            connection.close()
            await connection.wait_closed()
        async with NamedPipeConnector("nothing") as connector:
            with pytest.raises(UnixClientConnectorError):
                await connector.connect(TARGET)
        async with NamedPipeConnector("silent") as connector:
            with pytest.raises(DialTimeoutError):
                await connector.connect(TARGET, ConnectTimeouts(sock_connect=0.05))

    with asyncio.Runner(loop_factory=PipeLoop) as runner:
        runner.run(main())


async def test_without_named_pipes_there_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(asyncio, "ProactorEventLoop", raising=False)
    with pytest.raises(RuntimeError, match="on Windows alone"):
        NamedPipeConnector(r"\\.\pipe\name")
    monkeypatch.setattr(asyncio, "ProactorEventLoop", PipeLoop, raising=False)
    async with NamedPipeConnector(r"\\.\pipe\name") as connector:
        assert isinstance(connector.dialer, NamedPipeDialer)
        with pytest.raises(RuntimeError, match="has no named pipes"):
            await connector.connect(TARGET)


def test_their_schemes() -> None:
    usual = {"http", "https", "ws", "wss"}
    assert {*usual, "unix"} == UnixConnector.allowed_protocol_schema_set
    assert {*usual, "npipe"} == NamedPipeConnector.allowed_protocol_schema_set


def test_arguments_may_stand_in_the_order_of_old() -> None:
    connector = UnixConnector("/s", True, 15.0, 7, 3)
    assert (connector.force_close, connector.limit, connector.limit_per_host) == (True, 7, 3)
    loop = asyncio.new_event_loop()
    with pytest.warns(DeprecationWarning, match="loop= does nothing") as caught:
        UnixConnector("/s", loop=loop)
    loop.close()
    assert caught[0].filename == __file__
