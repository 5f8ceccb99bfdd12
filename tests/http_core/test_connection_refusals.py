"""Answers that come before a body is through, over real sockets (F7, I1, I2).

A server that lingers reads on until we close; one that does not resets the connection, and our write may meet that
before we have read the answer.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from wayfare_http_core import (
    ClientError,
    ClientOSError,
    ExchangeOptions,
    IncompleteBodyError,
    RequestHead,
    UploadAbortedError,
)
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.aio._loss import read_rest

POST = RequestHead("POST", "http", "h", "/")
REFUSAL = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
MIB = 1024 * 1024


class Server:
    """Answers one connection from a thread, in one of three manners."""

    def __init__(self, manner: str, answer: bytes = REFUSAL) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self.manner = manner
        self.answer = answer
        self.read = 0
        self.answered = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._listener:
            connection, _ = self._listener.accept()
        with connection:
            connection.recv(MIB)
            connection.sendall(self.answer)
            if self.manner == "linger":
                connection.shutdown(socket.SHUT_WR)
                self.answered.set()
                while data := connection.recv(MIB):
                    self.read += len(data)
            elif self.manner == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.answered.set()

    def join(self) -> None:
        self._thread.join(10)


class Endless:
    """A body that does not end by itself, and counts what was taken of it."""

    content_type = None
    length = 1024 * MIB
    replayable = False

    def __init__(self) -> None:
        self.given = 0

    def chunks(self) -> Iterator[bytes]:
        while True:
            self.given += 32 * 1024
            yield bytes(32 * 1024)


@pytest.mark.parametrize("rounds", [50])
def test_f7_a_lingering_server_is_heard(loop_runner: asyncio.Runner, rounds: int) -> None:
    """I1, I2: every time, and nothing more of the body is sent then."""

    async def main() -> None:
        for _ in range(rounds):
            server = Server("linger")
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(HTTP1Connection, *server.address)
            body = Endless()
            ended: list[UploadAbortedError | None] = []
            exchange = await connection.exchange(
                POST, body, ExchangeOptions(on_upload_end=ended.append)
            )
            given = body.given
            assert exchange.head.status == 413
            assert await exchange.content.read() == b"no"
            await connection.wait_closed()
            assert body.given == given
            assert isinstance(ended[0], UploadAbortedError)
            await loop.run_in_executor(None, server.join)

    loop_runner.run(main())


@pytest.mark.parametrize("manner", ["close", "reset"])
def test_f7_an_answer_before_a_reset_is_read(
    loop_runner: asyncio.Runner, manner: str, caplog: pytest.LogCaptureFixture
) -> None:
    """I2: the write fails first, and the answer waits in the socket. The loop has nothing to complain of."""

    async def main() -> None:
        server = Server(manner)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(HTTP1Connection, *server.address)
        body = Blocking(server)
        exchange = await connection.exchange(POST, body)
        assert exchange.head.status == 413
        assert await exchange.content.read() == b"no"
        await connection.wait_closed()
        server.join()

    loop_runner.run(main())
    assert caplog.messages == []


class Blocking(Endless):
    """A body that lets nothing happen on the loop until the server has answered and gone."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server

    def chunks(self) -> Iterator[bytes]:
        yield b"first"
        for _ in range(1000):
            self._server.answered.wait(10)
            self._server.join()
            yield bytes(MIB)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", ClientOSError),
        (b"HTTP/1.1 413 Too Large\r\nContent-Len", ClientOSError),
        (b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nno", IncompleteBodyError),
        (b"HTTP/1.1 413 Too Large\r\n\r\nno", IncompleteBodyError),
    ],
    ids=["nothing", "head", "length", "until close"],
)
def test_f7_a_part_of_an_answer_before_a_reset_is_no_answer(
    loop_runner: asyncio.Runner, answer: bytes, error: type[ClientError]
) -> None:
    """A reset ends nothing, so content that ends with the connection is incomplete."""

    async def main() -> None:
        server = Server("reset", answer)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(HTTP1Connection, *server.address)

        async def read() -> bytes:
            exchange = await connection.exchange(POST, Blocking(server))
            return await exchange.content.read()

        with pytest.raises(error) as caught:
            await read()
        assert isinstance(caught.value.__cause__, ConnectionError)
        await connection.wait_closed()
        server.join()

    loop_runner.run(main())


def test_the_rest_is_read_up_to_a_limit(loop_runner: asyncio.Runner) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        transport.pause_reading()
        theirs.send(b"x" * 1000)
        assert read_rest(transport, 300) == b"x" * 300
        assert read_rest(transport, 10_000) == b"x" * 700
        assert read_rest(transport, 10_000) == b""
        theirs.send(b"y")
        theirs.close()
        assert read_rest(transport, 10_000) == b"y"
        assert read_rest(transport, 10_000) == b""
        transport.abort()
        await asyncio.sleep(0.01)
        assert read_rest(transport, 10_000) == b""

    loop_runner.run(main())
