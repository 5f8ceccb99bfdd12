"""Answers over TLS that come before a body is through, and are overtaken by a write that fails (F7, I2)."""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop
from wayfare_connector._tls import TLSLayer
from wayfare_http_core import ClientError, IncompleteBodyError, RequestHead
from wayfare_http_core.aio import HTTP1Connection

POST = RequestHead("POST", "https", "localhost", "/")
REFUSAL = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
MIB = 1024 * 1024

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.SelectorEventLoop, uvloop.new_event_loop])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Run a coroutine on a loop of either kind, which has nothing to complain of."""
    problems: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=request.param) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: problems.append(context))
        yield runner.run
    assert problems == []


class Server:
    """Reads a little, answers and resets the connection, in a thread."""

    def __init__(self, context: ssl.SSLContext, answer: bytes) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self._thread = threading.Thread(target=self._serve, args=(context, answer))
        self._thread.start()

    def _serve(self, context: ssl.SSLContext, answer: bytes) -> None:
        with self._listener:
            plain, _ = self._listener.accept()
        # The answer must not wait for an acknowledgement: a reset drops what was not sent.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(1000)
            connection.sendall(answer)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def join(self) -> None:
        self._thread.join(10)


class Blocking:
    """A body that lets nothing happen on the loop until the server has answered and gone."""

    content_type = None
    length = 1000 * MIB
    replayable = False

    def __init__(self, server: Server) -> None:
        self._server = server

    def chunks(self) -> Iterator[bytes]:
        yield b"first"
        for _ in range(1000):
            self._server.join()
            yield bytes(MIB)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (REFUSAL, b"no"),
        (REFUSAL[:-1], IncompleteBodyError),
        (REFUSAL[:10], ClientError),
        (b"", ClientError),
    ],
    ids=["whole", "body", "head", "nothing"],
)
def test_an_answer_before_a_reset_is_read(
    run: Run,
    tls_client_context: ssl.SSLContext,
    tls_server_context: ssl.SSLContext,
    answer: bytes,
    expected: Any,
) -> None:
    async def refused(connection: HTTP1Connection, server: Server) -> bytes:
        exchange = await connection.exchange(POST, Blocking(server))
        assert exchange.head.status == 413
        return await exchange.content.read()

    async def main() -> None:
        server = Server(tls_server_context, answer)
        connection = HTTP1Connection()
        _, layer = await asyncio.get_running_loop().create_connection(
            lambda: TLSLayer(connection, tls_client_context, server_hostname="localhost"),
            *server.address,
        )
        await layer.handshake()
        if isinstance(expected, bytes):
            assert await refused(connection, server) == expected
        else:
            with pytest.raises(expected) as caught:
                await refused(connection, server)
            assert isinstance(caught.value.__cause__, ConnectionError)
        await connection.wait_closed()
        server.join()

    run(main())
