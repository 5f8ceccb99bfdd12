"""Files that the kernel sends, and those that it does not (R8, F7, F18)."""

import asyncio
import errno
import io
import os
import socket
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from wayfare_http_core import (
    ClientConnectionError,
    ClientOSError,
    ExchangeOptions,
    FieldBlock,
    FileBody,
    RequestHead,
    UploadAbortedError,
    WriteTimeoutError,
)
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.aio._sendfile import WriteFailedError, send_file, wake
from wayfare_http_core.testing import (
    Action,
    Call,
    Fin,
    Read,
    ReadHead,
    ReadRequest,
    Reset,
    ScriptedPeer,
    ScriptedServer,
    Send,
    Stall,
    Wait,
    listening,
    memory_pair,
)

POST = RequestHead("POST", "http", "h", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSAL = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
KIB = 1024
MIB = 1024 * KIB


class File:
    """A part of a file as a body; it knows whether it had to be read."""

    content_type = None
    replayable = True

    def __init__(
        self, file: BinaryIO, offset: int = 0, length: int | None = None, count: int | None = None
    ) -> None:
        self.file = file
        self.offset = offset
        self.length = len(file.read()) - offset if length is None else length
        self.count = self.length if count is None else count
        self.was_read = False
        self.sendable = True

    def chunks(self) -> Iterable[bytes]:
        self.was_read = True
        self.file.seek(self.offset)
        yield self.file.read(self.length)

    def file_range(self) -> tuple[BinaryIO, int, int] | None:
        return (self.file, self.offset, self.count) if self.sendable else None


@pytest.fixture
def big(tmp_path: Path) -> Iterator[BinaryIO]:
    """A file of four MiB, open to be read."""
    path = tmp_path / "big"
    path.write_bytes(bytes(range(256)) * (4 * MIB // 256))
    with path.open("rb") as file:
        yield file


async def connected(address: tuple[str, int]) -> HTTP1Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(HTTP1Connection, *address)
    return connection


async def exchange(
    body: File,
    *script: Action,
    head: RequestHead = POST,
    options: ExchangeOptions | None = None,
) -> tuple[bytes, ScriptedPeer]:
    """What the peer answers, and the peer."""
    server = ScriptedServer(script)
    async with listening(server) as address:
        connection = await connected(address)
        try:
            done = await connection.exchange(head, body, options or ExchangeOptions())
            return await done.content.read(), server.peers[0]
        finally:
            connection.abort()
            await connection.wait_closed()


def test_a_file_is_a_file_body() -> None:
    assert isinstance(File(io.BytesIO()), FileBody)


@pytest.mark.parametrize("offset", [0, 1_000_001])
def test_a_file_is_sent_by_the_kernel(
    loop_runner: asyncio.Runner, big: BinaryIO, offset: int
) -> None:
    """Its position does not matter and stays; every octet is counted."""
    sent: list[int] = []
    ended: list[UploadAbortedError | None] = []

    async def main() -> None:
        body = File(big, offset)
        big.seek(77)
        options = ExchangeOptions(on_sent=sent.append, on_upload_end=ended.append)
        answer, peer = await exchange(body, ReadRequest(), Send(OK), options=options)
        assert answer == b"ok"
        assert not body.was_read
        assert big.tell() == 77
        big.seek(offset)
        assert peer.requests[0].body == big.read()
        assert sum(sent) == body.length
        assert ended == [None]

    loop_runner.run(main())


def test_a_file_that_is_not_in_memory_is_sent_all_the_same(
    loop_runner: asyncio.Runner, tmp_path: Path
) -> None:
    """Y9: the disk is waited for in a thread."""
    path = tmp_path / "cold"
    with path.open("wb") as new:
        new.write(bytes(range(256)) * (2 * MIB // 256))
        new.flush()
        os.fsync(new.fileno())
        os.posix_fadvise(new.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    async def main(file: BinaryIO) -> None:
        body = File(file, 0, 2 * MIB)
        _, peer = await exchange(body, ReadRequest(), Send(OK))
        assert not body.was_read
        assert peer.requests[0].body == bytes(range(256)) * (2 * MIB // 256)

    with path.open("rb") as file:
        loop_runner.run(main(file))


def test_a_connection_is_used_again_after_a_file(
    loop_runner: asyncio.Runner, big: BinaryIO
) -> None:
    async def main() -> None:
        server = ScriptedServer([ReadRequest(), Send(OK), ReadRequest(), Send(OK)])
        async with listening(server) as address:
            connection = await connected(address)
            for _ in range(2):
                big.seek(0)
                assert (await connection.exchange(POST, File(big))).is_complete
            assert connection.exchanges_started == 2
            connection.close()
            await connection.wait_closed()

    loop_runner.run(main())


@pytest.mark.parametrize("why", ["chunked", "none", "no descriptor", "no file"])
def test_what_the_kernel_cannot_send_is_read(
    loop_runner: asyncio.Runner, big: BinaryIO, why: str
) -> None:
    async def main() -> None:
        head = POST
        body = File(big)
        if why == "chunked":
            head = RequestHead(
                "POST", "http", "h", "/", FieldBlock({"Transfer-Encoding": "chunked"})
            )
        elif why == "none":
            body.sendable = False
        elif why == "no descriptor":
            body = File(io.BytesIO(b"abc"))
        else:
            read, write = os.pipe()
            os.write(write, b"abc")
            os.close(write)
            body = Pipe(os.fdopen(read, "rb"), length=3)
        _, peer = await exchange(body, ReadRequest(), Send(OK), head=head)
        assert body.was_read
        assert len(peer.requests[0].body) == body.length
        if why == "no file":
            body.file.close()

    loop_runner.run(main())


class Pipe(File):
    """Something with a descriptor that is no file."""

    def chunks(self) -> Iterable[bytes]:
        self.was_read = True
        yield self.file.read()


async def test_other_transports_are_given_what_was_read(big: BinaryIO) -> None:
    """They may do something with it before it comes to a socket."""
    connection = HTTP1Connection()
    peer = ScriptedPeer([ReadRequest(), Send(OK)])
    memory_pair(connection, peer)
    await asyncio.sleep(0)
    body = File(big)
    assert (await connection.exchange(POST, body)).is_complete
    assert body.was_read
    big.seek(0)
    assert peer.requests[0].body == big.read()
    connection.abort()
    await connection.wait_closed()
    await peer.wait_closed()


class Untold:
    """Hears of nothing, since nothing is sent."""

    def moved(self, octets: int) -> None:
        raise AssertionError

    def blocked(self, octets: int) -> None:
        raise AssertionError

    async def turn(self) -> None:
        raise AssertionError


async def test_a_wait_may_be_over_when_the_socket_can_take_more() -> None:
    """The cancellation came in the same tick."""
    waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting.cancel()
    wake(waiting)
    assert waiting.cancelled()


async def test_the_kernel_may_refuse(big: BinaryIO) -> None:
    """Nothing was sent then."""
    with socket.socket() as sock:
        transport = asyncio.Transport({"socket": sock})
        assert not await send_file(Untold(), transport, big, -1, 3)  # EINVAL
        assert not await send_file(Untold(), transport, io.BytesIO(b"abc"), 0, 3)


def test_what_broke_is_told_apart(tmp_path: Path, big: BinaryIO) -> None:
    """A socket that was never connected, and a file that cannot be read."""

    async def main(file: BinaryIO) -> None:
        with socket.socket() as sock:
            await send_file(Untold(), asyncio.Transport({"socket": sock}), file, 0, 3)

    with pytest.raises(WriteFailedError) as caught:
        asyncio.run(main(big))
    assert isinstance(caught.value.__cause__, BrokenPipeError)
    with (tmp_path / "other").open("ab") as unreadable, pytest.raises(OSError, match="descriptor"):
        asyncio.run(main(unreadable))


async def test_any_error_of_the_socket_is_a_failed_write(big: BinaryIO) -> None:
    """Also one that is no ConnectionError: this socket has nowhere to send to."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(WriteFailedError) as caught:
        await send_file(Untold(), asyncio.Transport({"socket": sock}), big, 0, 3)
    assert caught.value.error.errno == errno.EDESTADDRREQ


def test_a_lost_route_is_an_error_of_the_connection(
    loop_runner: asyncio.Runner, big: BinaryIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_route(target: int, source: int, offset: int, count: int) -> int:
        raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))

    async def main() -> None:
        monkeypatch.setattr(os, "sendfile", no_route)
        with pytest.raises(ClientOSError) as caught:
            await exchange(File(big), ReadHead(), Stall())
        assert caught.value.errno == errno.EHOSTUNREACH
        assert type(caught.value.__cause__) is OSError

    loop_runner.run(main())


@pytest.mark.parametrize(
    ("count", "length", "message"),
    [
        (5 * MIB, 5 * MIB, f"ended after {4 * MIB} of the announced {5 * MIB}"),
        (10, 20, "10 octets and not the announced 20"),
    ],
)
def test_r8_a_part_that_is_not_there(
    loop_runner: asyncio.Runner, big: BinaryIO, count: int, length: int, message: str
) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match=message):
            await exchange(File(big, 0, length, count), ReadRequest())

    loop_runner.run(main())


def test_r8_a_file_that_grows_while_it_is_sent(loop_runner: asyncio.Runner, big: BinaryIO) -> None:
    """Nobody knows which of its states was sent."""

    async def main() -> None:
        def grow(octets: int) -> None:
            with open(big.name, "ab") as file:
                file.write(b"more")

        with pytest.raises(ValueError, match="changed its size"):
            await exchange(File(big), ReadRequest(), options=ExchangeOptions(on_sent=grow))

    loop_runner.run(main())


def test_f18_a_peer_that_takes_nothing_of_a_file(
    loop_runner: asyncio.Runner, big: BinaryIO
) -> None:
    async def main() -> None:
        body = File(big, 0, 64 * MIB)
        options = ExchangeOptions(write_timeout=0.1)
        with pytest.raises(WriteTimeoutError):
            await exchange(body, ReadHead(), Stall(reading=False), options=options)

    os.truncate(big.name, 64 * MIB)
    loop_runner.run(main())


def test_a_peer_that_takes_a_file_later(loop_runner: asyncio.Runner, big: BinaryIO) -> None:
    async def main() -> None:
        script: list[Action] = [
            ReadHead(),
            Call(lambda peer: peer.transport.pause_reading()),
            Wait(0.05),
            Call(lambda peer: peer.transport.resume_reading()),
            ReadRequest(),
            Send(OK),
        ]
        answer, _ = await exchange(File(big, 0, 32 * MIB), *script)
        assert answer == b"ok"

    os.truncate(big.name, 32 * MIB)
    loop_runner.run(main())


def test_a_hook_may_end_the_exchange_that_sends_a_file(
    loop_runner: asyncio.Runner, big: BinaryIO
) -> None:
    """Nothing more is sent then."""

    async def main() -> None:
        server = ScriptedServer([ReadHead(), Stall()])
        async with listening(server) as address:
            connection = await connected(address)
            sent: list[int] = []

            def give_up(octets: int) -> None:
                sent.append(octets)
                connection.abort()

            with pytest.raises(ClientConnectionError, match="closed while"):
                await connection.exchange(POST, File(big), ExchangeOptions(on_sent=give_up))
            await connection.wait_closed()
            assert len(sent) == 1

    loop_runner.run(main())


@pytest.mark.parametrize(
    "ending", [Read(1024 * MIB), Fin(), Reset()], ids=["linger", "fin", "reset"]
)
def test_f7_an_answer_ends_the_sending_of_a_file(
    loop_runner: asyncio.Runner, big: BinaryIO, ending: Action
) -> None:
    """I1, I2: where the peer resets the connection, the write may fail before the answer is read."""

    async def main() -> None:
        ended: list[UploadAbortedError | None] = []
        body = File(big, 0, 1024 * MIB)
        options = ExchangeOptions(on_upload_end=ended.append)
        answer, _ = await exchange(
            body, ReadHead(), Read(100_000), Send(REFUSAL), ending, options=options
        )
        assert answer == b"no"
        assert isinstance(ended[0], UploadAbortedError)

    os.truncate(big.name, 1024 * MIB)
    loop_runner.run(main())


def test_f7_a_reset_that_only_the_write_meets(loop_runner: asyncio.Runner, big: BinaryIO) -> None:
    """The loop does nothing else between the reset and the write."""

    async def main(answer: bytes) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        with listener:
            connection = await connected(listener.getsockname())
            peer, _ = listener.accept()
        with peer:

            def refuse(octets: int) -> None:
                if not refused:
                    refused.append(octets)
                    peer.send(answer)
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    peer.close()

            refused: list[int] = []
            options = ExchangeOptions(on_sent=refuse)
            try:
                done = await connection.exchange(POST, File(big), options)
                assert await done.content.read() == b"no"
            finally:
                await connection.wait_closed()

    loop_runner.run(main(REFUSAL))
    for partial in (b"", REFUSAL[:10]):
        big.seek(0)
        with pytest.raises(ClientOSError) as caught:
            loop_runner.run(main(partial))
        assert isinstance(caught.value.__cause__, ConnectionError)


def test_a_cancelled_sending_of_a_file_leaves_no_descriptor(
    loop_runner: asyncio.Runner, big: BinaryIO
) -> None:
    """I10."""

    async def main() -> None:
        server = ScriptedServer([ReadHead(), Stall(reading=False)])
        async with listening(server) as address:
            connection = await connected(address)
            blocked = asyncio.ensure_future(connection.exchange(POST, File(big, 0, 64 * MIB)))
            while not (progress := connection.progress()) or not progress.unsent:
                await asyncio.sleep(0)
            before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
            blocked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await blocked
            await connection.wait_closed()
            if sys.platform == "linux":
                assert (
                    len(os.listdir("/proc/self/fd")) == before - 2
                )  # the socket and its duplicate

    os.truncate(big.name, 64 * MIB)
    loop_runner.run(main())
