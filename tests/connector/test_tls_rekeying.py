"""What a peer may do with an idle connection: new tickets, new keys, a new handshake (T18)."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from OpenSSL import SSL
from wayfare_connector._tls import TLSLayer
from wayfare_http_core.testing import MemoryTransport, memory_pair


class App(asyncio.Protocol):
    """Notes its callbacks; `on_data` is set when data comes."""

    def __init__(self) -> None:
        self.events: list[str | bytes] = []
        self.on_data = asyncio.Event()
        self.lost: asyncio.Future[BaseException | None] = asyncio.Future()

    def data_received(self, data: bytes) -> None:
        self.events.append(data)
        self.on_data.set()

    def eof_received(self) -> None:
        self.events.append("eof")

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(exc)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


# -- TLS 1.3 --------------------------------------------------------------------------------------


def forged_key_update(secret: bytes) -> bytes:
    """The record KeyUpdate(update_requested), the first one under a server's traffic secret.

    RFC 8446: section 4.6.3 the message, 5.2 the record, 7.1 and 7.3 the key.
    """

    def expand(label: bytes, size: int) -> bytes:
        label = b"tls13 " + label
        info = size.to_bytes(2, "big") + bytes((len(label),)) + label + b"\0"
        return HKDFExpand(SHA384(), size, info).derive(secret)

    message = b"\x18\x00\x00\x01\x01" + b"\x16"
    header = b"\x17\x03\x03" + (len(message) + 16).to_bytes(2, "big")
    return header + AESGCM(expand(b"key", 32)).encrypt(expand(b"iv", 12), message, header)


async def test_t18_a_key_update_is_no_data_and_is_answered(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    tls_server_context.keylog_filename = str(keys)
    tls_server_context.num_tickets = 0
    client, server = App(), App()
    layer = TLSLayer(client, tls_client_context, server_hostname="localhost", shutdown_timeout=None)
    peer = TLSLayer(
        server, tls_server_context, server_hostname=None, server_side=True, shutdown_timeout=None
    )
    _, raw = memory_pair(layer, peer)
    transport, _ = await asyncio.gather(layer.handshake(), peer.handshake())
    assert transport.get_extra_info("cipher")[0] == "TLS_AES_256_GCM_SHA384"
    lines = keys.read_text().splitlines()
    secret = next(line for line in lines if line.startswith("SERVER_TRAFFIC_SECRET_0 "))
    sent: list[int] = []
    write = layer._raw_write

    def count(data: bytes | bytearray | memoryview) -> None:
        sent.append(len(data))
        write(data)

    layer._raw_write = count
    raw.write(forged_key_update(bytes.fromhex(secret.split()[2])))
    await settle()
    assert client.events == []
    transport.write(b"under new keys")
    await server.on_data.wait()
    assert server.events == [b"under new keys"]
    # Our own KeyUpdate goes first, with the next data (RFC 8446 section 4.6.3), in one write.
    assert sent == [(5 + 5 + 1 + 16) + (5 + 14 + 1 + 16)]
    transport.abort()
    await server.lost


async def test_t18_tickets_are_no_data(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    tls_server_context.num_tickets = 5
    client, server = App(), App()
    layer = TLSLayer(client, tls_client_context, server_hostname="localhost", shutdown_timeout=None)
    peer = TLSLayer(
        server, tls_server_context, server_hostname=None, server_side=True, shutdown_timeout=None
    )
    memory_pair(layer, peer)
    transport, _ = await asyncio.gather(layer.handshake(), peer.handshake())
    await settle()
    assert client.events == []
    assert transport.get_extra_info("ssl_object").session.has_ticket
    transport.close()
    assert await client.lost is None
    await server.lost


# -- TLS 1.2: renegotiation -----------------------------------------------------------------------


class OldServer(asyncio.Protocol):
    """A TLS 1.2 server that can renegotiate, and stay silent at the worst moment."""

    def __init__(self, certificate: trustme.LeafCert, directory: Path) -> None:
        path = directory / "server.pem"
        certificate.private_key_and_cert_chain_pem.write_to_path(str(path))
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        context.use_certificate_chain_file(str(path))
        context.use_privatekey_file(str(path))
        self.tls = SSL.Connection(context, None)
        self.tls.set_accept_state()
        self.data = bytearray()
        self.on_data = asyncio.Event()
        self.silent = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.tls.bio_write(data)
        if not self.silent:
            self.advance()

    def advance(self) -> None:
        """Take in what came and send what is due."""
        try:
            while data := self.tls.recv(65536):
                self.data += data
                self.on_data.set()
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.tls.shutdown()
        self.flush()

    def flush(self) -> None:
        try:
            while True:
                self.transport.write(self.tls.bio_read(65536))
        except SSL.WantReadError:
            pass

    def renegotiate(self) -> None:
        """Ask for a new handshake, and leave the client's answer unanswered."""
        self.silent = True
        assert self.tls.renegotiate()
        self.tls.do_handshake()
        self.flush()

    def go_on(self) -> None:
        self.silent = False
        self.advance()


@pytest.fixture
async def old(
    tls_client_context: ssl.SSLContext, tls_certificate: trustme.LeafCert, tmp_path: Path
) -> tuple[App, TLSLayer, OldServer, MemoryTransport]:
    """A client in the middle of a renegotiation that the server does not go on with."""
    app, server = App(), OldServer(tls_certificate, tmp_path)
    layer = TLSLayer(app, tls_client_context, server_hostname="localhost", shutdown_timeout=None)
    raw, _ = memory_pair(layer, server)
    transport = await layer.handshake()
    assert transport.get_extra_info("ssl_object").version() == "TLSv1.2"
    await settle()
    server.renegotiate()
    await settle()
    assert app.events == []
    return app, layer, server, raw


Old = tuple[App, TLSLayer, OldServer, MemoryTransport]


async def test_t18_writes_wait_for_a_renegotiation(old: Old) -> None:
    app, layer, server, _ = old
    transport = layer.transport
    transport.write(b"one ")
    transport.writelines([b"two ", bytearray(b"three")])
    assert transport.get_write_buffer_size() == 13
    assert app.events == ["pause"]
    await settle()
    assert server.data == b""
    server.go_on()
    await server.on_data.wait()
    await settle()
    assert server.data == b"one two three"
    assert app.events == ["pause", "resume"]
    assert transport.get_write_buffer_size() == 0
    transport.close()
    assert await app.lost is None


async def test_closing_waits_for_a_renegotiation_if_something_is_to_be_sent(old: Old) -> None:
    app, layer, server, _ = old
    layer.transport.write(b"last words")
    layer.transport.close()
    await settle()
    assert not app.lost.done()
    server.go_on()
    assert await app.lost is None
    assert server.data == b"last words"


async def test_closing_during_a_renegotiation(old: Old) -> None:
    app, layer, _, _ = old
    layer.transport.close()
    error = await app.lost
    assert isinstance(error, ssl.SSLError)
    assert error.reason == "SHUTDOWN_WHILE_IN_INIT"


async def test_lost_during_a_renegotiation(old: Old) -> None:
    app, layer, server, raw = old
    layer.transport.write(b"never sent")
    raw.lose(ConnectionResetError("gone"))
    assert isinstance(await app.lost, ConnectionResetError)
    assert not layer.engine.blocked
    assert server.data == b""
