"""`HTTP1Connection` over real transports: sockets and TLS, on asyncio's loop and uvloop (O12)."""

import asyncio
import importlib
import importlib.util
import ssl
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import trustme
from wayfare_http_core import ClientOSError, ExchangeOptions, RequestHead
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    Action,
    Read,
    ReadHead,
    ReadRequest,
    Reset,
    ScriptedPeer,
    Send,
)

LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.SelectorEventLoop]
if importlib.util.find_spec("uvloop") is not None:  # not where this package is tested on its own
    LOOPS.append(importlib.import_module("uvloop").new_event_loop)

GET = RequestHead("GET", "http", "h", "/")
POST = RequestHead("POST", "http", "h", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MIB = 1024 * 1024


@dataclass
class Trust:
    """Both ends of a TLS connection, each trusting the other."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    certificate: bytes


@pytest.fixture(scope="module")
def trust() -> Trust:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_alpn_protocols(["http/1.1"])
    issued.configure_cert(server)
    client = ssl.create_default_context()
    client.set_alpn_protocols(["h2", "http/1.1"])
    authority.configure_trust(client)
    certificate = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode("ascii"))
    return Trust(server, client, certificate)


def run(
    make_loop: Callable[[], asyncio.AbstractEventLoop], main: Coroutine[Any, Any, None]
) -> None:
    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(main)


@dataclass
class Served:
    """A connection to a scripted peer on the loopback interface."""

    connection: HTTP1Connection
    peer: ScriptedPeer
    transport: asyncio.Transport


async def serve(
    script: list[Action],
    use: Callable[[Served], Coroutine[Any, Any, None]],
    trust: Trust | None = None,
) -> None:
    loop = asyncio.get_running_loop()
    peer = ScriptedPeer(script)
    ours, theirs, name = (trust.client, trust.server, "localhost") if trust else (None, None, None)
    listening = await loop.create_server(lambda: peer, "127.0.0.1", 0, ssl=theirs)
    transport, connection = await loop.create_connection(
        HTTP1Connection,
        "127.0.0.1",
        listening.sockets[0].getsockname()[1],
        ssl=ours,
        server_hostname=name,
    )
    while not peer.connected:  # its half of the TLS handshake ends later
        await asyncio.sleep(0)
    try:
        await use(Served(connection, peer, transport))
    finally:
        connection.abort()
        await connection.wait_closed()
        listening.close()
        peer.transport.abort()
        await peer.wait_closed()
        await listening.wait_closed()


each_loop = pytest.mark.parametrize("make_loop", LOOPS)
each_stage = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])


class File:
    """A file as a body, which knows whether it had to be read."""

    content_type = None
    replayable = True
    was_read = False

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.length = len(file.read())

    def chunks(self) -> Iterable[bytes]:
        self.was_read = True
        self.file.seek(0)
        yield self.file.read()

    def file_range(self) -> tuple[BinaryIO, int, int]:
        return self.file, 0, self.length


@each_loop
@each_stage
def test_a_file_does_not_go_past_tls(
    make_loop: Callable[[], asyncio.AbstractEventLoop], secure: bool, trust: Trust
) -> None:
    """The kernel would send it as it is."""

    async def use(served: Served) -> None:
        body = File(file)
        assert (await served.connection.exchange(POST, body)).is_complete
        assert body.was_read is secure
        assert len(served.peer.requests[0].body) == body.length

    with Path(__file__).open("rb") as file:
        run(make_loop, serve([ReadRequest(), Send(OK)], use, trust if secure else None))


@each_loop
@each_stage
def test_exchanges_over_real_transports(
    make_loop: Callable[[], asyncio.AbstractEventLoop], secure: bool, trust: Trust
) -> None:
    """Large content both ways, through a buffer that a TLS record does not fill and one that it overfills."""
    content = bytes(range(256)) * (3 * MIB // 256)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content

    async def use(served: Served) -> None:
        exchange = await served.connection.exchange(POST, content)
        assert await exchange.content.read() == content
        assert served.peer.requests[0].body == content
        assert served.connection.available_exchanges == 1
        assert (await served.connection.exchange(GET)).take_whole() == b"ok"
        served.connection.close()
        await served.connection.wait_closed()
        served.connection.pause_reading()
        served.connection.resume_reading()

    script: list[Action] = [ReadRequest(), Send(answer), ReadRequest(), Send(OK)]
    run(make_loop, serve(script, use, trust if secure else None))


@each_loop
@each_stage
def test_a_slow_reader_stops_the_peer(
    make_loop: Callable[[], asyncio.AbstractEventLoop], secure: bool, trust: Trust
) -> None:
    """B27: what waits here is bounded, the rest waits where it came from."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (32 * MIB)

    async def use(served: Served) -> None:
        exchange = await served.connection.exchange(GET, options=ExchangeOptions(read_limit=MIB))
        content = exchange.content
        while content.total_raw_bytes <= 2 * MIB:
            await asyncio.sleep(0)
        waiting = content.total_raw_bytes
        assert waiting <= 2 * MIB + 256 * 1024
        received = 0
        async for piece in content.iter_any():
            received += len(piece)
            assert content.total_raw_bytes - received <= 2 * MIB + 256 * 1024
        assert received == 32 * MIB
        assert served.connection.available_exchanges == 1

    script: list[Action] = [ReadRequest(), Send(answer + bytes(32 * MIB))]
    run(make_loop, serve(script, use, trust if secure else None))


@each_loop
def test_the_facts_of_a_plain_connection(
    make_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def use(served: Served) -> None:
        facts = served.connection.facts
        assert facts.peername == served.peer.transport.get_extra_info("sockname")
        assert facts.sockname == served.peer.transport.get_extra_info("peername")
        assert (facts.tls_version, facts.cipher, facts.alpn) == (None, None, None)
        assert facts.peer_certificate is None
        assert served.connection.get_extra_info("peername") == facts.peername
        assert served.connection.get_extra_info("ssl_object", "none") == "none"

    run(make_loop, serve([], use))


@each_loop
def test_the_facts_of_a_tls_connection_stay_when_it_is_gone(
    make_loop: Callable[[], asyncio.AbstractEventLoop], trust: Trust
) -> None:
    async def use(served: Served) -> None:
        assert served.connection.get_extra_info("ssl_object").version() == "TLSv1.3"
        served.connection.abort()
        await served.connection.wait_closed()
        assert served.connection.get_extra_info("peername", "gone") == "gone"
        facts = served.connection.facts
        assert facts.peername is not None
        assert facts.peername[0] == "127.0.0.1"
        assert facts.tls_version == "TLSv1.3"
        assert facts.cipher is not None
        assert facts.cipher[0].startswith("TLS_")
        assert facts.alpn == "http/1.1"
        assert facts.peer_certificate == trust.certificate

    run(make_loop, serve([], use, trust))


@each_loop
def test_an_answer_to_half_a_request_is_given(
    make_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """I2: the peer answers and resets while octets are on their way to it."""
    answer = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"

    async def use(served: Served) -> None:
        exchange = await served.connection.exchange(POST, bytes(32 * MIB))
        assert exchange.head.status == 413
        assert await exchange.content.read() == b"no"

    run(make_loop, serve([ReadHead(), Read(1000), Send(answer)], use))


@each_loop
def test_a_reset_is_an_error_of_ours(
    make_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def use(served: Served) -> None:
        with pytest.raises(ClientOSError) as caught:
            await served.connection.exchange(GET)
        assert isinstance(caught.value.__cause__, ConnectionResetError)

    run(make_loop, serve([ReadRequest(), Reset()], use))


@each_loop
@each_stage
def test_what_comes_before_an_upgrade_is_taken_waits_in_the_network(
    make_loop: Callable[[], asyncio.AbstractEventLoop], secure: bool, trust: Trust
) -> None:
    """B3: a peer that floods has to wait, then every octet arrives in order."""
    flood = bytes(range(256)) * 32 * 1024
    tunnel = RequestHead("CONNECT", "http", "h:443", "h:443")

    class Taker(asyncio.Protocol):
        def __init__(self, unread: bytes) -> None:
            self.received = bytearray(unread)
            self.done = asyncio.get_running_loop().create_future()

        def data_received(self, data: bytes) -> None:
            self.received += data
            if len(self.received) == len(flood):
                self.done.set_result(None)

    async def use(served: Served) -> None:
        await served.connection.exchange(tunnel)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not served.transport.is_reading()
        upgraded = served.connection.upgrade()
        assert len(upgraded.unread) <= 256 * 1024
        taker = Taker(upgraded.unread)
        upgraded.transport.set_protocol(taker)
        await taker.done
        assert taker.received == flood
        upgraded.transport.abort()
        upgraded.release()

    run(
        make_loop,
        serve(
            [ReadHead(), Send(b"HTTP/1.1 200 OK\r\n\r\n" + flood)], use, trust if secure else None
        ),
    )
