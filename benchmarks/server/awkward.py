"""What a client meets in the wild, on three ports: a WebSocket server, and a proxy between the client and a real
server that spoils a connection now and then.

`python -m benchmarks.server.awkward HOST PORT` prints the ports of both and serves until standard input ends, so that
it cannot outlive the process that started it. The proxy does to one connection in a hundred each: delay what comes,
let it trickle, cut it into splinters, end it or reset it in the middle, fall silent, or refuse it; and to one in a
hundred it closes late.
"""

import asyncio
import os
import random
import socket
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from multidict import CIMultiDict
from wayfare_websocket import (
    HandshakeRefused,
    Role,
    WebSocketEngine,
    WSMsgType,
    answer_handshake,
)

_LINGER_ZERO = struct.pack("ii", 1, 0)
_READ = 64 * 1024

Relay = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Awkward:
    """The running servers: the URL of the WebSocket, and the origin that leads through the proxy."""

    websocket: str
    flaky: str


async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass octets on as they come."""
    while data := await reader.read(_READ):
        writer.write(data)
        await writer.drain()


async def delayed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass them on late."""
    while data := await reader.read(_READ):
        await asyncio.sleep(0.05)
        writer.write(data)


async def trickling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on 100 octets a millisecond."""
    while data := await reader.read(100):
        writer.write(data)
        await asyncio.sleep(0.001)


async def splintered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass them on in pieces of one to ten octets."""
    while data := await reader.read(random.randint(1, 10)):
        writer.write(data)
        await asyncio.sleep(0)


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """End the connection after some octets."""
    writer.write(await reader.read(random.randint(1, 600)))


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reset the connection after some octets."""
    await cut(reader, writer)
    await writer.drain()
    held: socket.socket = writer.get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    writer.transport.abort()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take octets and pass none on."""
    while await reader.read(_READ):
        pass


async def closing_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass octets on, and close a while after the end."""
    await plain(reader, writer)
    await asyncio.sleep(0.2)


TOXICS: tuple[Relay, ...] = (
    delayed,
    trickling,
    splintered,
    cut,
    reset,
    silent,
    closing_late,
)


class Proxy:
    """Accepts connections and opens one to the server for each, which may be spoilt on the way back."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        # Kept here: to the loop a task is only as alive as what it waits for.
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chance = random.randrange(100)
        back = TOXICS[chance] if chance < len(TOXICS) else plain
        try:
            if chance == len(TOXICS):
                return  # refused
            upstream, there = await asyncio.open_connection(self._host, self._port)
            try:
                forth = asyncio.ensure_future(plain(reader, there))
                await back(upstream, writer)
                forth.cancel()
                await asyncio.wait([forth])
            finally:
                there.close()
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side went away, as happens here all the time
        finally:
            writer.close()


async def serve_websocket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Open a WebSocket and send back what comes."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        parts = [line.partition(": ") for line in head[1:] if line]
        fields = CIMultiDict([(name, value) for name, _, value in parts])
        answer = answer_handshake(head[0].split(" ")[0], fields)
        if isinstance(answer, HandshakeRefused):
            return
        lines = "".join(f"{name}: {value}\r\n" for name, value in answer.fields)
        writer.write(f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode())
        await _echo(reader, writer)
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    engine = WebSocketEngine(Role.SERVER)
    while data := await reader.read(_READ):
        for message in engine.receive_data(data):
            if message.type is WSMsgType.CLOSE:
                writer.write(engine.close())
                return
            writer.write(engine.send_text(message.data))


async def _main(host: str, port: int) -> None:
    for handler in (serve_websocket, Proxy(host, port)):
        server = await asyncio.start_server(handler, "127.0.0.1", 0, backlog=1024)
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    # Connections may be open, and nobody wants to hear what becomes of them.
    os._exit(0)


@contextmanager
def running(origin: str) -> Iterator[Awkward]:
    """Run the servers in a process of their own until the block ends; `origin` is the real server's."""
    host, _, port = origin.removeprefix("http://").partition(":")
    command = [sys.executable, "-m", "benchmarks.server.awkward", host, port]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        websocket, flaky = (int(process.stdout.readline()) for _ in range(2))
        yield Awkward(f"ws://127.0.0.1:{websocket}/", f"http://127.0.0.1:{flaky}")


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
