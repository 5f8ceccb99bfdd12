"""WebSockets against the library `websockets`, and by every way that a connector knows: TLS, proxies, Unix sockets."""

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop
from wayfare import (
    ClientConnectionError,
    ClientSession,
    ClientWebSocketResponse,
    UnixConnector,
    WSMsgType,
)
from websockets.asyncio.server import Server, ServerConnection, serve, unix_serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.stream_server import stream_server


async def converse(connection: ServerConnection) -> None:
    """Repeat messages; some texts ask for something else."""
    try:
        async for message in connection:
            match message:
                case "close":
                    await connection.close(3001, "as you wish")
                case "ping":
                    latency = await (await connection.ping())
                    await connection.send(f"pong {latency >= 0}")
                case "pieces":
                    await connection.send(f"{number} " for number in range(3))
                case "much":
                    for number in range(300):
                        await connection.send(bytes([number % 256]) * 20_000)
                case "gone":
                    connection.transport.abort()
                case "silence":
                    await connection.recv()
                    await connection.send("at last")
                case _:
                    await connection.send(message)
    except ConnectionClosed:
        pass


@asynccontextmanager
async def theirs(
    tls: ssl.SSLContext | None = None, *, compression: str | None = "deflate"
) -> AsyncIterator[int]:
    """The port of a server of theirs."""
    server: Server
    async with serve(
        converse,
        "127.0.0.1",
        0,
        ssl=tls,
        compression=compression,
        subprotocols=[Subprotocol("chat")],
        select_subprotocol=lambda _, offered: offered[0] if offered else None,
    ) as server:
        yield next(iter(server.sockets)).getsockname()[1]


@pytest.mark.parametrize("compress", [0, 9, 15])
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
async def test_a_conversation(compress: int, secure: bool) -> None:
    authority = trustme.CA()
    there, here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(there)
    authority.configure_trust(here)
    async with theirs(there if secure else None) as port, ClientSession() as session:
        url = f"wss://localhost:{port}/" if secure else f"ws://localhost:{port}/"
        async with session.ws_connect(
            url, ssl=here, compress=compress, protocols=["chat"], heartbeat=30
        ) as ws:
            assert ws.protocol == "chat"
            assert bool(ws.compress) is bool(compress)
            for text in ("", "é😀", "x" * 125, "x" * 126, "x" * 65_536, "long " * 100_000):
                await ws.send_str(text)
                assert await ws.receive_str() == text
            for size in (0, 1, 65_535, 1 << 20):
                await ws.send_bytes(bytes(size))
                assert await ws.receive_bytes() == bytes(size)
            await ws.send_str("ping")
            assert await ws.receive_str() == "pong True"
            assert await (await ws.ping(b"?")) >= 0
            await ws.send_fragments(["a", "b", "c"])
            assert await ws.receive_str() == "abc"
            stream = ws.receive_fragments()
            await ws.send_str("pieces")
            assert "".join([str(piece) async for piece in stream]) == "0 1 2 "
            await ws.send_str("close")
            message = await ws.receive()
            assert (message.type, message.data, message.extra) == (
                *(WSMsgType.CLOSE, 3001),
                "as you wish",
            )
        assert (ws.close_code, ws.close_reason) == (3001, "as you wish")


async def test_a_reader_that_takes_its_time() -> None:
    """W19: 6 MB that nobody receives wait at the server, and arrive in order."""
    async with (
        theirs(compression=None) as port,
        ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{port}/") as ws,
    ):
        await ws.send_str("much")
        first = await ws.receive_bytes()
        while not ws._inbox.full:
            await asyncio.sleep(0)
        assert sum(len(one.data) for one in ws._queue) < 1 << 20
        received = [first] + [await ws.receive_bytes() for _ in range(299)]
        assert received == [bytes([number % 256]) * 20_000 for number in range(300)]


async def test_many_tasks_send() -> None:
    """W22."""
    async with (
        theirs() as port,
        ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{port}/", compress=12) as ws,
    ):
        texts = [f"{number} " * 5000 for number in range(50)]
        sending = asyncio.gather(*(ws.send_str(text) for text in texts))
        assert sorted([await ws.receive_str() for _ in texts]) == sorted(texts)
        await sending


async def test_ends_of_their_making() -> None:
    async with theirs() as port, ClientSession() as session:
        url = f"ws://127.0.0.1:{port}/"
        async with session.ws_connect(url) as ws:
            await ws.send_str("gone")
            assert (await ws.receive()).type is WSMsgType.CLOSED
            assert ws.close_code == 1006
            assert isinstance(ws.exception(), ClientConnectionError)
        async with session.ws_connect(url) as ws:
            await ws.send_str("silence")
            with pytest.raises(TimeoutError):
                await ws.receive(timeout=0.01)
            await ws.send_str("speak")
            assert await ws.receive_str() == "at last"


# -- ways to get there --------------------------------------------------------------------------------------------


async def test_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    async with (
        unix_serve(converse, path),
        ClientSession(connector=UnixConnector(path)) as session,
        session.ws_connect("ws://anything/") as ws,
    ):
        await ws.send_str("x")
        assert await ws.receive_str() == "x"


class Proxy:
    """Reads what leads to a target, in one of two protocols, and carries octets then."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        _, target, _ = head.split(b" ", 2)
        host, _, port = target.rpartition(b":")
        await self._carry(reader, writer, host.decode(), int(port), b"HTTP/1.1 200 Yes\r\n\r\n")

    async def socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        request = await reader.readexactly(5)
        assert (version, request[:4]) == (5, b"\x05\x01\x00\x03")
        name = await reader.readexactly(request[4])
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append(name)
        await self._carry(reader, writer, name.decode(), port, b"\x05\x00\x00\x01" + bytes(6))

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        host: str,
        port: int,
        yes: bytes,
    ) -> None:
        back, forth = await asyncio.open_connection(host, port)
        writer.write(yes)
        await asyncio.gather(self._pump(reader, forth), self._pump(back, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # the other pump ends, too
        finally:
            writer.close()


@pytest.mark.parametrize("kind", ["http", "socks5h"])
async def test_through_a_proxy(kind: str) -> None:
    """`ws` is tunnelled as well: a proxy that is asked for would not know what to do with an upgrade."""
    proxy = Proxy()
    door = proxy.http if kind == "http" else proxy.socks
    async with (
        theirs() as port,
        stream_server(door) as proxy_port,
        ClientSession() as session,
    ):
        way = f"{kind}://127.0.0.1:{proxy_port}"
        for scheme in ("ws", "http"):
            async with session.ws_connect(f"{scheme}://localhost:{port}/", proxy=way) as ws:
                await ws.send_str("x" * 100_000)
                assert await ws.receive_str() == "x" * 100_000
    assert len(proxy.asked) == 2
    if kind == "http":
        assert proxy.asked[0].startswith(b"CONNECT localhost:")


# -- loops --------------------------------------------------------------------------------------------------------


def eager_loop() -> asyncio.AbstractEventLoop:
    """A loop whose tasks begin at once; before Python 3.12 there is none, and this is a plain one."""
    loop = asyncio.new_event_loop()
    loop.set_task_factory(getattr(asyncio, "eager_task_factory", None))
    return loop


@pytest.mark.parametrize(
    "factory",
    [asyncio.new_event_loop, eager_loop, uvloop.new_event_loop],
    ids=["asyncio", "eager", "uvloop"],
)
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
def test_on_any_loop(factory: Callable[[], asyncio.AbstractEventLoop], secure: bool) -> None:
    """A reader that is woken where its message arrives, timeouts, cancellation, and a peer that goes without a word."""
    authority = trustme.CA()
    there, here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(there)
    authority.configure_trust(here)

    async def read(ws: ClientWebSocketResponse[Any], seen: list[str]) -> None:
        async for message in ws:
            seen.append(message.data)

    async def main() -> None:
        async with theirs(there if secure else None) as port, ClientSession() as session:
            url = f"ws{'s' * secure}://localhost:{port}/"
            async with session.ws_connect(url, ssl=here, compress=12) as ws:
                for text in ("a", "b" * 200_000, ""):
                    await ws.send_str(text)
                    assert await ws.receive_str() == text
                await ws.send_str("silence")
                with pytest.raises(TimeoutError):
                    await ws.receive(0.001)
                reading = asyncio.create_task(ws.receive())
                await asyncio.sleep(0)
                reading.cancel()
                await asyncio.wait([reading])
                assert reading.cancelled()
                await ws.send_str("speak")
                assert await ws.receive_str() == "at last"
                seen: list[str] = []
                reader = asyncio.create_task(read(ws, seen))
                await asyncio.gather(*(ws.send_str(str(number)) for number in range(100)))
                while len(seen) < 100:
                    await asyncio.sleep(0)
                assert sorted(map(int, seen)) == list(range(100))
                await ws.close()
                await reader
            async with session.ws_connect(url, ssl=here) as ws:
                await ws.send_str("gone")
                assert (await ws.receive()).type is WSMsgType.CLOSED

    with asyncio.Runner(loop_factory=factory, debug=True) as runner:
        runner.run(main())
    gc.collect()
