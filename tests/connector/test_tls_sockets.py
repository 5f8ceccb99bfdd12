"""TLS over real sockets and pipes, on asyncio and uvloop, against the loops' own TLS."""

import asyncio
import gc
import ssl
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import pytest
import uvloop
from wayfare_connector._tls import TLSLayer, TLSTransport

from tests.stream_server import Handler, stream_server

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.SelectorEventLoop, uvloop.new_event_loop])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine on a fresh loop of either kind; nothing may be left open after it."""

    def run(main: Coroutine[Any, Any, None]) -> None:
        problems: list[dict[str, Any]] = []
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.get_loop().set_exception_handler(lambda _, context: problems.append(context))
            runner.run(main)
        gc.collect()  # An unclosed transport warns now, and a warning fails the test.
        assert problems == []

    return run


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, then say goodbye."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read until it breaks."""
    with suppress(ConnectionError, ssl.SSLError):
        await reader.read()
    writer.close()
    with suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()


def serving(
    context: ssl.SSLContext | None, handler: Handler = echo
) -> AbstractAsyncContextManager[int]:
    """A server on a free port; its handlers have finished when this ends."""
    return stream_server(handler, context)


class Sink(asyncio.BufferedProtocol):
    """Collects what arrives in one large buffer."""

    def __init__(self, expected: int = 0) -> None:
        self.expected = expected
        self.buffer = memoryview(bytearray(262144))
        self.data = bytearray()
        self.largest = 0
        self.events: list[str] = []
        self.complete = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()
        self.lost: asyncio.Future[BaseException | None] = asyncio.Future()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.largest = max(self.largest, nbytes)
        self.data += self.buffer[:nbytes]
        if len(self.data) >= self.expected:
            self.complete.set()

    def eof_received(self) -> None:
        self.events.append("eof")

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(exc)


async def connect(app: Sink, context: ssl.SSLContext, port: int) -> TLSTransport:
    _, layer = await asyncio.get_running_loop().create_connection(
        lambda: TLSLayer(app, context, server_hostname="localhost", shutdown_timeout=None),
        "127.0.0.1",
        port,
    )
    return await layer.handshake()


def test_much_data_both_ways(
    run: Run, tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    """Reads of more than a record reach a buffered protocol whole and in order."""

    async def main() -> None:
        sent = bytes(range(256)) * 16384
        app = Sink(len(sent))
        async with serving(tls_server_context) as port:
            transport = await connect(app, tls_client_context, port)
            for start in range(0, len(sent), 100_000):
                await app.writable.wait()
                transport.write(sent[start : start + 100_000])
            await app.complete.wait()
            assert app.data == sent
            assert app.largest > 16384
            assert transport.get_extra_info("socket") is not None
            transport.close()
            assert await app.lost is None

    run(main())


def test_much_data_for_a_transport_that_is_lost_is_dropped(
    run: Run,
    tls_client_context: ssl.SSLContext,
    tls_server_context: ssl.SSLContext,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """asyncio writes a warning into its log for each write after the first few."""

    async def main() -> None:
        app = Sink()
        async with serving(tls_server_context, swallow) as port:
            transport = await connect(app, tls_client_context, port)
            transport._layer.raw_transport.abort()
            transport.write(bytes(10_000_000))
            await app.lost
        assert not caplog.records

    run(main())


def test_o9_closing_leaves_nothing_open(
    run: Run, tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    async def main() -> None:
        apps = [Sink() for _ in range(10)]
        async with serving(tls_server_context) as port:
            transports = await asyncio.gather(
                *(connect(app, tls_client_context, port) for app in apps)
            )
            for transport in transports:
                transport.close()
            assert await asyncio.gather(*(app.lost for app in apps)) == [None] * 10

    run(main())


def test_t14_a_goodbye_and_none(
    run: Run, tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    async def polite(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"the end")
        writer.close()
        await writer.wait_closed()

    class Rude(asyncio.Protocol):
        def __init__(self) -> None:
            self.layer = TLSLayer(
                self,
                tls_server_context,
                server_hostname=None,
                server_side=True,
                shutdown_timeout=None,
            )

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.layer.write(b"the end")
            self.layer.raw_transport.close()  # Without close_notify.

    async def main() -> None:
        app = Sink()
        async with serving(tls_server_context, polite) as port:
            await connect(app, tls_client_context, port)
            assert await app.lost is None
        assert app.data == b"the end"
        assert app.events == ["eof"]

        app = Sink()
        server = await asyncio.get_running_loop().create_server(
            lambda: Rude().layer, "127.0.0.1", 0
        )
        await connect(app, tls_client_context, server.sockets[0].getsockname()[1])
        assert isinstance(await app.lost, ssl.SSLEOFError)
        server.close()
        await server.wait_closed()
        assert app.data == b"the end"
        assert app.events == []

    run(main())


def test_t13_failures_close_the_socket(
    run: Run, tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
        await reader.read()
        writer.close()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.close()

    async def main() -> None:
        async with serving(None, plain) as port:
            with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
                await connect(Sink(), tls_client_context, port)
        async with serving(None, hang_up) as port:
            with pytest.raises(ConnectionResetError):
                await connect(Sink(), tls_client_context, port)

    run(main())


def test_o1_a_deadline_in_the_handshake(run: Run, tls_client_context: ssl.SSLContext) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        writer.close()

    async def main() -> None:
        async with serving(None, silent) as port:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await connect(Sink(), tls_client_context, port)

    run(main())


def test_a_server_of_ours_and_a_client_of_asyncios(
    run: Run, tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    async def main() -> None:
        apps: list[Sink] = []

        def accept() -> TLSLayer:
            apps.append(Sink(5))
            return TLSLayer(
                apps[-1],
                tls_server_context,
                server_hostname=None,
                server_side=True,
                shutdown_timeout=None,
            )

        loop = asyncio.get_running_loop()
        server = await loop.create_server(accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls_client_context, server_hostname="localhost"
        )
        writer.write(b"hello")
        await writer.drain()
        await apps[0].complete.wait()
        assert apps[0].data == b"hello"
        writer.close()
        await writer.wait_closed()
        assert await apps[0].lost is None
        assert apps[0].events == ["eof"]
        server.close()
        await server.wait_closed()

    run(main())


def test_over_a_socket_in_use(
    run: Run, tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    """A transport that was read without a buffer goes on with one."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        app = Sink(5)
        async with serving(tls_server_context) as port:
            raw, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
            layer = TLSLayer.over(
                raw, app, tls_client_context, server_hostname="localhost", shutdown_timeout=None
            )
            transport = await layer.handshake()
            transport.write(b"hello")
            await app.complete.wait()
            transport.close()
            assert await app.lost is None

    run(main())


def test_t11_tls_in_tls(
    run: Run, tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    """Through a proxy that is spoken to over TLS, to a server of the loop's own making."""

    async def main() -> None:
        async with serving(tls_server_context) as target_port:

            async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                target = await asyncio.open_connection("127.0.0.1", target_port)

                async def pump(source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
                    while data := await source.read(65536):
                        drain.write(data)
                        await drain.drain()
                    drain.close()

                await asyncio.gather(pump(reader, target[1]), pump(target[0], writer))
                for end in (writer, target[1]):
                    await end.wait_closed()

            async with serving(tls_server_context, proxy) as proxy_port:
                sent = bytes(range(256)) * 4096
                app = Sink(len(sent))
                below = await connect(Sink(), tls_client_context, proxy_port)
                layer = TLSLayer.over(
                    below,
                    app,
                    tls_client_context,
                    server_hostname="127.0.0.1",
                    shutdown_timeout=None,
                )
                transport = await layer.handshake()
                for start in range(0, len(sent), 65536):
                    await app.writable.wait()
                    transport.write(sent[start : start + 65536])
                await app.complete.wait()
                assert app.data == sent
                transport.close()
                assert await app.lost is None

    run(main())


_CHILD = """
import os, socket, sys, threading
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def upstream():
    while data := os.read(0, 65536):
        s.sendall(data)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=upstream).start()
while data := s.recv(65536):
    while data:
        data = data[os.write(1, data):]
os.close(1)
"""


class Pipes(asyncio.SubprocessProtocol):
    """Makes one stream of a child's stdin and stdout for the protocol above."""

    def __init__(self, above: TLSLayer) -> None:
        self.above = above
        self.exited = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self.above.connection_made(ChildTransport(transport))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.above.data_received(data)

    def process_exited(self) -> None:
        self.exited.set()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.above.connection_lost(exc)


class ChildTransport(asyncio.Transport):
    """As much of a transport as TLS needs: write, close, abort and is_closing."""

    def __init__(self, child: asyncio.SubprocessTransport) -> None:
        super().__init__()
        self.child = child
        stdin = child.get_pipe_transport(0)
        assert isinstance(stdin, asyncio.WriteTransport)
        self.stdin = stdin

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.stdin.write(data)

    def close(self) -> None:
        self.stdin.close()

    def abort(self) -> None:
        self.child.close()

    def is_closing(self) -> bool:
        return self.stdin.is_closing()


async def test_tls_through_a_child_process(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    loop = asyncio.get_running_loop()
    app = Sink(300_000)
    layer = TLSLayer(app, tls_client_context, server_hostname="localhost", shutdown_timeout=None)
    async with serving(tls_server_context) as port:
        child, pipes = await loop.subprocess_exec(
            lambda: Pipes(layer), sys.executable, "-c", _CHILD, str(port), stderr=None
        )
        transport = await layer.handshake()
        transport.write(bytes(300_000))
        await app.complete.wait()
        assert app.data == bytes(300_000)
        transport.close()
        assert await app.lost is None
        await pipes.exited.wait()
        child.close()
