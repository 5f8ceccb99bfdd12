"""Torture of the ways to a server: through proxies, by a name, to the first address that answers (section 4.3)."""

import asyncio
import errno
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest
from wayfare import ClientHttpProxyError, ClientSession, ClientTimeout, TCPConnector
from wayfare_connector import TLSLayer
from wayfare_connector.testing import FakeResolver
from wayfare_http_core.testing import (
    Drip,
    Read,
    ReadHead,
    ReadRequest,
    ScriptedServer,
    Send,
    Stall,
    World,
    torture,
)

from .test_torture_session import LINGERING, OK, PORT, SERVE, GetOverTLS, Requests, tls_contexts

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

YES = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Tunnel(asyncio.Protocol):
    """An HTTP proxy that answers CONNECT in two pieces and has the target, over TLS, at its own end."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.head = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self.head += data
        if self.head.endswith(b"\r\n\r\n"):
            self.transport.write(YES[:20])
            asyncio.get_running_loop().call_soon(self.open)

    def open(self) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(YES[20:])
        context, _ = tls_contexts()
        layer = TLSLayer(self.server(), context, server_hostname=None, server_side=True)
        self.transport.set_protocol(layer)
        layer.connection_made(self.transport)


class ThroughConnect(GetOverTLS):
    """CONNECT, a handshake with the target in the tunnel, then the request."""

    @override
    async def setup(self) -> None:
        await super().setup()
        self.serve_tunnel([ReadRequest(), Drip(OK, 9), SERVE], [SERVE])

    def serve_tunnel(self, *scripts: Any) -> None:
        server = ScriptedServer(*scripts)
        self.world.servers.append(server)
        self.world.network.serve("proxy.test", 3128, lambda: Tunnel(server))

    @override
    async def run(self) -> None:
        async with self.session.get("/", proxy="http://proxy.test:3128") as answer:
            assert await answer.read() == b"ok"

    @override
    async def follow_up(self) -> None:
        self.serve_tunnel([SERVE])
        async with self.session.get("/after", proxy="http://proxy.test:3128") as answer:
            assert await answer.read() == b"ok"


class ThroughSOCKS(Requests):
    """A SOCKS proxy that wants a password, and names what it was told."""

    script = (
        Read(4),
        Send(b"\x05\x02"),
        Read(3 + len("usersecret")),
        Drip(b"\x01\x00"),
        Read(7 + len("h")),
        Drip(b"\x05\x00\x00\x03\x01h\x00\x50", 3),
        ReadRequest(),
        Drip(OK, 9),
    )

    @override
    async def setup(self) -> None:
        await super().setup()
        self.world.serve("proxy.test", 1080, [*self.script, SERVE], [*self.script, SERVE])

    @override
    async def run(self) -> None:
        async with self.session.get("/", proxy="socks5h://user:secret@proxy.test") as answer:
            assert await answer.read() == b"ok"


class ProxyRefuses(Requests):
    """A proxy that says no and never ends its content."""

    @override
    async def setup(self) -> None:
        await super().setup()
        refusal = b"HTTP/1.1 407 Who\r\nContent-Length: 100\r\n\r\nwho?"
        script = (ReadHead(), Drip(refusal, 20), Stall())
        self.world.serve("proxy.test", 3128, script)

    @override
    async def run(self) -> None:
        try:
            await self.session.get("https://h.test/", ssl=False, proxy="http://proxy.test:3128")
        except ClientHttpProxyError as error:
            if error.status != 407:
                raise


class ByName(Requests):
    """Of three addresses the first refuses, the second is silent, and the third answers."""

    @override
    async def setup(self) -> None:
        self.world.serve("h", PORT, [*self.script, SERVE], [SERVE])
        # Sockets connect to this one, which accepts nothing: what they carry goes over the network in memory.
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        loop: Any = asyncio.get_running_loop()
        loop.sock_connect = self.sock_connect
        loop.create_connection = self.create_connection
        resolver = FakeResolver({"h": ["192.0.2.1", "192.0.2.2", "192.0.2.3"]})
        self.connector = TCPConnector(resolver=resolver, happy_eyeballs_delay=0.25)
        self.session = ClientSession(
            "http://h/", connector=self.connector, timeout=ClientTimeout(total=30)
        )

    async def sock_connect(self, sock: socket.socket, address: tuple[str, int]) -> None:
        await asyncio.sleep(0)
        if address[0] == "192.0.2.1":
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        if address[0] == "192.0.2.2":
            await asyncio.Event().wait()
        sock.setblocking(True)  # it is connected at once
        sock.connect(self.listener.getsockname())

    async def create_connection(
        self, protocol_factory: Callable[[], asyncio.Protocol], *, sock: socket.socket
    ) -> Any:
        result = await self.world.dial("h", PORT, protocol_factory)
        sock.close()
        return result

    @override
    async def close(self) -> None:
        await super().close()
        self.listener.close()


class SeveralByName(ByName):
    """Three requests that share one look-up."""

    @override
    async def run(self) -> None:
        results = await asyncio.gather(
            super().run(), super().run(), super().run(), return_exceptions=True
        )
        for failure in filter(None, results):
            raise failure


SCENARIOS: tuple[Callable[[World], Requests], ...] = (
    ThroughConnect,
    ThroughSOCKS,
    ProxyRefuses,
    ByName,
    SeveralByName,
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_torture(scenario: Callable[[World], Requests]) -> None:
    report = torture(scenario, lingering_timers=LINGERING)
    assert report.points > 0
    assert report.acted > report.points
