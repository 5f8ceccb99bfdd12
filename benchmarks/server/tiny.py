"""A small HTTP/1.1 server on asyncio, where nginx is not installed: enough for the soak test.

`python -m benchmarks.server.tiny` prints its port and serves until standard input ends, so that it
cannot outlive the process that started it.
"""

import asyncio
import gzip
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.server.nginx import KIB, MIB, PAGE, SMALL

_PAUSE = 0.5
"""Seconds between the two halves of `/slow`."""


def _answer(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


_ANSWERS = {
    b"/kib": _answer(KIB),
    b"/page": _answer(gzip.compress(PAGE), more="Content-Encoding: gzip\r\n"),
    b"/mib": _answer(bytes(MIB)),
    b"/slow": _answer(bytes(SMALL)),
    b"/close": _answer(KIB, more="Connection: close\r\n"),
    b"/drop": b"",
}
_MISSING = _answer(b"not found", "404 Not Found")


async def _serve_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await _serve_request(reader, writer):
            pass
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # the client went away, as the soak test makes it do
    finally:
        writer.close()


async def _serve_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer one request without a body; return whether the connection stays open."""
    head = await reader.readuntil(b"\r\n\r\n")
    path = head.split(b" ", 2)[1]
    answer = _ANSWERS.get(path, _MISSING)
    if path == b"/slow":
        half = len(answer) - SMALL // 2
        writer.write(answer[:half])
        await asyncio.sleep(_PAUSE)
        answer = answer[half:]
    writer.write(answer)
    await writer.drain()
    return path not in (b"/close", b"/drop")


async def _main() -> None:
    server = await asyncio.start_server(_serve_connection, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextmanager
def running() -> Iterator[str]:
    """Run the server in a process of its own until the block ends; yield its origin."""
    command = [sys.executable, "-m", "benchmarks.server.tiny"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        # Leaving the block closes its standard input, which ends it.


if __name__ == "__main__":
    asyncio.run(_main())
