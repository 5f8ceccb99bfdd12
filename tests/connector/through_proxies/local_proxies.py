"""Proxies of both kinds on the loopback interface, and a request through one."""

import asyncio
import contextlib
import socket
import ssl
import struct
from contextlib import AbstractAsyncContextManager

from wayfare_connector import Target
from wayfare_http_core import Connection, FieldBlock, RequestHead

from tests.stream_server import Handler, stream_server

SECRET = FieldBlock([("Authorization", "Basic dGFyZ2V0"), ("Cookie", "a=b")])

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def relay(client: Streams, port: int) -> None:
    """Carry octets between a client and a local port until both have ended."""
    server = await asyncio.open_connection("127.0.0.1", port)
    await carry(client, server)


async def carry(one: Streams, other: Streams) -> None:
    """Carry octets both ways until both have ended."""
    try:
        await asyncio.gather(pump(one[0], other[1]), pump(other[0], one[1]))
    finally:
        for _, writer in (one, other):
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


class HTTPProxy:
    """A proxy that knows one target, whatever its name; keeps each head that it got."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
        self.answer = answer
        self.heads: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head.decode("ascii"))
            if head.startswith(b"CONNECT"):
                port = int(head.split()[1].rpartition(b":")[2])
                writer.write(self.answer)
                if self.answer.startswith(b"HTTP/1.1 2"):
                    await relay((reader, writer), port)
            else:
                authority = head.split()[1].split(b"/")[2]
                port = int(authority.rpartition(b":")[2])
                server = await asyncio.open_connection("127.0.0.1", port)
                server[1].write(head)
                await carry((reader, writer), server)
        writer.close()


class SOCKSProxy:
    """Both versions of SOCKS; keeps what it was told to connect to."""

    def __init__(self, reply: int = 0, user: bytes | None = None, extra: bytes = b"") -> None:
        self.reply = reply
        self.user = user
        self.extra = extra
        self.told: list[tuple[int, str, int]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            version = (await reader.readexactly(1))[0]
            port = await (self.five if version == 5 else self.four)(reader, writer)
            if port:
                await relay((reader, writer), port)
        writer.close()

    async def five(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        if self.user is None:
            writer.write(b"\x05\x00")
        elif 2 not in methods:
            writer.write(b"\x05\xff")
            return 0
        else:
            writer.write(b"\x05\x02")
            await reader.readexactly(1)
            user = await reader.readexactly((await reader.readexactly(1))[0])
            await reader.readexactly((await reader.readexactly(1))[0])
            writer.write(b"\x01\x00" if user == self.user else b"\x01\x01")
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            family = socket.AF_INET if kind == 1 else socket.AF_INET6
            host = socket.inet_ntop(family, await reader.readexactly(4 if kind == 1 else 16))
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        self.told.append((5, host, port))
        writer.write(bytes((5, self.reply, 0, 1, 127, 0, 0, 1, 0, 80)) + self.extra)
        return 0 if self.reply else port

    async def four(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        _, port, packed = struct.unpack("!BH4s", await reader.readexactly(7))
        await reader.readuntil(b"\0")
        host = socket.inet_ntoa(packed)
        if host == "0.0.0.1":
            host = (await reader.readuntil(b"\0"))[:-1].decode()
        self.told.append((4, host, port))
        writer.write(bytes((0, 0x5B if self.reply else 0x5A)) + bytes(6))
        return 0 if self.reply else port


def serving(
    handler: Handler, tls: ssl.SSLContext | None = None
) -> AbstractAsyncContextManager[int]:
    """Serve on a local port until the end, then wait for all handlers."""
    return stream_server(handler, tls, cancel=True)


async def get(connection: Connection, target: Target, fields: FieldBlock = SECRET) -> bytes:
    head = RequestHead("GET", target.scheme, target.authority, "/path", fields)
    exchange = await connection.exchange(head)
    assert exchange.head.status == 200
    return await exchange.content.read()
