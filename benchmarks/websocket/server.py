"""The server of the WebSocket cases: one in C for speed, and one that compresses.

`python -m benchmarks.websocket.server` prints the two addresses and serves until standard input ends. Binary messages
come back, texts are swallowed, and the text `?` is answered. The first server is picows', whose part of a round trip is
the smallest; the second is that of `websockets`, since picows has no compression.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

MAX_SIZE = 8 << 20
QUESTION = "?"


class Servers(NamedTuple):
    """The addresses of both."""

    plain: str
    compressing: str


async def serve_plain() -> Any:
    """Start picows' server."""
    picows = import_module("picows")
    binary, text = picows.WSMsgType.BINARY, picows.WSMsgType.TEXT
    ping, close = picows.WSMsgType.PING, picows.WSMsgType.CLOSE

    class Listener(picows.WSListener):  # type: ignore[name-defined, misc]  # it is not always there
        """Answers frame by frame: no client of ours fragments."""

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            kind = frame.msg_type
            if kind == binary or (kind == text and frame.payload_size == len(QUESTION)):
                transport.send(kind, frame.get_payload_as_memoryview())
            elif kind == ping:
                transport.send_pong(frame.get_payload_as_bytes())
            elif kind == close:
                transport.send_close(frame.get_close_code())
                transport.disconnect()

    return await picows.ws_create_server(
        lambda request: Listener(), "127.0.0.1", 0, enable_auto_pong=False, max_frame_size=MAX_SIZE
    )


async def serve_compressing() -> Any:
    """Start the server of `websockets`."""
    serve = import_module("websockets.asyncio.server").serve

    async def answer(connection: Any) -> None:
        async for message in connection:
            if isinstance(message, bytes) or message == QUESTION:
                await connection.send(message)

    return await serve(answer, "127.0.0.1", 0, max_size=MAX_SIZE, ping_interval=None)


def address_of(server: Any) -> str:
    """Where a started server answers."""
    return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def _main(cpu: str) -> None:
    if cpu:
        os.sched_setaffinity(0, {int(cpu)})
    servers = await serve_plain(), await serve_compressing()
    sys.stdout.write(" ".join(map(address_of, servers)) + "\n")
    sys.stdout.flush()
    # Until the program that started it closes its standard input, or ends.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextmanager
def running(cpu: int | None) -> Iterator[Servers]:
    """Run both servers in a process of its own, on that core, until the block ends.

    Raises: ValueError when they do not start; their own words stand on standard error.
    """
    command = [sys.executable, "-m", "benchmarks.websocket.server", "" if cpu is None else str(cpu)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        plain, compressing = process.stdout.readline().split()
        yield Servers(plain, compressing)
        # Leaving the block closes its standard input, which ends it.


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
