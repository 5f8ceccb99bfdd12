"""The bound of a case: one blocking socket, the fewest system calls, no parsing to speak of.

It blocks the loop it runs on, has one connection, speaks plain HTTP only, and trusts the local
server. It says how much the machine, the kernel and the server allow.
"""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import final
from urllib.parse import urlsplit

from benchmarks.contract import Client, Settings

_BUFFER = 1 << 18
"""Octets asked of the kernel at once; more gains nothing on loopback."""

_LENGTH = re.compile(rb"\r\nContent-Length: *([0-9]+)", re.IGNORECASE)


@final
class _Bound:
    """One connection, opened at the first request."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._view = memoryview(bytearray(_BUFFER))

    async def get(self, url: str) -> tuple[int, bytes]:
        self._send(_head("GET", url))
        status, rest, remaining = self._read_head()
        body = bytearray(rest)
        while remaining:
            got = self._receive()
            body += self._view[:got]
            remaining -= got
        return status, bytes(body)

    async def download(self, url: str) -> tuple[int, int]:
        self._send(_head("GET", url))
        status, rest, remaining = self._read_head()
        octets = len(rest)
        while remaining:
            got = self._receive()
            octets += got
            remaining -= got
        return status, octets

    async def upload(self, url: str, body: bytes) -> tuple[int, bytes]:
        self._send(_head("POST", url, f"Content-Length: {len(body)}\r\n"))
        self._connection.sendall(body)
        status, rest, remaining = self._read_head()
        if remaining:
            raise ConnectionError("the answer did not come in one piece")
        return status, rest

    async def upload_stream(self, url: str, body: AsyncIterator[bytes]) -> tuple[int, bytes]:
        self._send(_head("POST", url, "Transfer-Encoding: chunked\r\n"))
        async for piece in body:
            self._connection.sendmsg((b"%x\r\n" % len(piece), piece, b"\r\n"))
        self._connection.sendall(b"0\r\n\r\n")
        status, rest, _ = self._read_head()
        return status, rest

    def connect(self, host: str, port: int) -> None:
        """Open the connection."""
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Close the connection, if one was opened."""
        if self._socket is not None:
            self._socket.close()

    @property
    def _connection(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionError("not connected")
        return self._socket

    def _send(self, head: tuple[str, int, bytes]) -> None:
        host, port, octets = head
        if self._socket is None:
            self.connect(host, port)
        self._connection.sendall(octets)

    def _receive(self) -> int:
        got = self._connection.recv_into(self._view)
        if not got:
            raise ConnectionError("the server closed the connection")
        return got

    def _read_head(self) -> tuple[int, bytes, int]:
        """Return the status, the body's octets that came with the head, and how many are due."""
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._view[: self._receive()]
        length = _LENGTH.search(received, 0, end)
        if length is None:
            raise ConnectionError("the server sent no Content-Length")
        rest = received[end + 4 :]
        return int(received[9:12]), rest, int(length[1]) - len(rest)


def _head(method: str, url: str, more: str = "") -> tuple[str, int, bytes]:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        raise ValueError(f"the bound speaks plain HTTP only: {url}")
    head = f"{method} {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{more}\r\n"
    return parts.hostname, parts.port or 80, head.encode()


@asynccontextmanager
async def open_bound(settings: Settings) -> AsyncIterator[Client]:
    """Open the bound; it has one connection whatever `settings` ask."""
    bound = _Bound()
    try:
        yield bound
    finally:
        bound.close()
