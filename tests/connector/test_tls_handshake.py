"""The TLS handshake over memory transports: who is believed, and how it can fail."""

import asyncio
import contextlib
import datetime
import gc
import ssl
import weakref
from collections.abc import Callable

import pytest
import trustme
from wayfare_connector._tls import (
    TLSFacts,
    TLSLayer,
    TLSTransport,
    default_context,
    tls_facts,
    unverified_context,
)
from wayfare_http_core.testing import MemoryTransport, memory_pair


class App(asyncio.Protocol):
    """Notes whether it was connected, and lost."""

    def __init__(self) -> None:
        self.made: list[asyncio.BaseTransport] = []
        self.lost: list[BaseException | None] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made.append(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.append(exc)


class Peer(asyncio.Protocol):
    """No TLS at all: sends what it is told when the first octets arrive, then hangs up."""

    def __init__(self, answer: bytes = b"", hang_up: bool = True) -> None:
        self.answer = answer
        self.hang_up = hang_up
        self.received = bytearray()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.received:
            self.transport.write(self.answer)
            if self.hang_up:
                self.transport.write_eof()
        self.received += data


def client(context: ssl.SSLContext, host: str | None = "localhost") -> tuple[App, TLSLayer]:
    app = App()
    return app, TLSLayer(app, context, server_hostname=host, shutdown_timeout=None)


def server(context: ssl.SSLContext) -> TLSLayer:
    return TLSLayer(App(), context, server_hostname=None, server_side=True, shutdown_timeout=None)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def handshake(
    client_context: ssl.SSLContext, server_context: ssl.SSLContext, host: str | None = "localhost"
) -> TLSFacts:
    """Connect and close; the facts that the client saw. Both raw transports are closed then."""
    app, layer = client(client_context, host)
    peer = server(server_context)
    raw = memory_pair(layer, peer)
    try:
        transport = await layer.handshake()
        assert app.made == [transport]
        return tls_facts(transport.get_extra_info("ssl_object"))
    finally:
        raw[0].abort()
        raw[1].abort()
        await settle()


def context_with(authority: trustme.CA, *names: str, **options: object) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)  # type: ignore[arg-type] # one option is a date
    return context


# -- success --------------------------------------------------------------------------------------


async def test_facts(
    tls_client_context: ssl.SSLContext,
    tls_server_context: ssl.SSLContext,
    tls_certificate: trustme.LeafCert,
) -> None:
    facts = await handshake(tls_client_context, tls_server_context)
    leaf = tls_certificate.cert_chain_pems[0].bytes().decode()
    assert facts.tls_version == "TLSv1.3"
    assert facts.cipher is not None
    assert facts.cipher[1] == "TLSv1.3"
    assert facts.peer_certificate == ssl.PEM_cert_to_DER_cert(leaf)
    assert facts.alpn is None


async def test_facts_need_a_handshake(tls_client_context: ssl.SSLContext) -> None:
    _, layer = client(tls_client_context)
    with pytest.raises(ValueError, match="handshake"):
        tls_facts(layer.engine.ssl_object)


async def test_t9_alpn_is_known(tls_server_context: ssl.SSLContext) -> None:
    tls_server_context.set_alpn_protocols(["h2", "http/1.1"])
    facts = await handshake(unverified_context(), tls_server_context)
    assert facts.alpn == "http/1.1"


async def test_extra_info(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    _, layer = client(tls_client_context)
    peer = server(tls_server_context)
    memory_pair(layer, peer)
    transport = await layer.handshake()
    assert layer.transport is transport
    assert transport.get_extra_info("sslcontext") is tls_client_context
    assert transport.get_extra_info("ssl_object").version() == "TLSv1.3"
    assert ("DNS", "localhost") in transport.get_extra_info("peercert")["subjectAltName"]
    assert transport.get_extra_info("cipher")[1] == "TLSv1.3"
    assert transport.get_extra_info("compression") is None
    assert transport.get_extra_info("sockname") == ("a", 1)
    assert transport.get_extra_info("unheard of", 7) == 7
    transport.abort()
    peer.abort()
    await settle()
    with pytest.raises(RuntimeError, match="no connection"):
        _ = layer.transport


@pytest.mark.parametrize(
    ("host", "sni"),
    [
        ("localhost", "localhost"),
        ("LOCALHOST.", "localhost"),
        ("bücher.example.", "xn--bcher-kva.example"),
        ("127.0.0.1", None),
        ("::1", None),
    ],
)
async def test_t1_t2_t3_names_and_addresses_are_verified(
    tls_client_context: ssl.SSLContext,
    tls_server_context: ssl.SSLContext,
    host: str,
    sni: str | None,
) -> None:
    seen: list[str | None] = []
    tls_server_context.sni_callback = lambda _, name, __: seen.append(name)
    await handshake(tls_client_context, tls_server_context, host)
    assert seen == [sni]


async def test_the_callers_context_stays_as_it_was(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    def state() -> tuple[object, ...]:
        context = tls_client_context
        return context.options, context.verify_mode, context.check_hostname, context.verify_flags

    before = state()
    await handshake(tls_client_context, tls_server_context)
    assert state() == before


# -- whom we don't believe ------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["elsewhere.example", "127.0.0.2", "::2", "sub.localhost"])
async def test_t1_t13_wrong_host(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext, host: str
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        await handshake(tls_client_context, tls_server_context, host)


@pytest.mark.parametrize(
    ("pattern", "host", "accepted"),
    [
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "example.com", False),
    ],
)
async def test_t1_wildcards(
    tls_authority: trustme.CA,
    tls_client_context: ssl.SSLContext,
    pattern: str,
    host: str,
    accepted: bool,
) -> None:
    context = context_with(tls_authority, pattern)
    if accepted:
        await handshake(tls_client_context, context, host)
    else:
        with pytest.raises(ssl.SSLCertVerificationError):
            await handshake(tls_client_context, context, host)


async def test_t1_the_common_name_is_not_looked_at(tls_authority: trustme.CA) -> None:
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.hostname_checks_common_name = default_context().hostname_checks_common_name
    tls_authority.configure_trust(client_context)
    context = context_with(tls_authority, "user@example.com", common_name="localhost")
    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(client_context, context)


async def test_t13_expired(tls_authority: trustme.CA, tls_client_context: ssl.SSLContext) -> None:
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    context = context_with(tls_authority, "localhost", not_after=past)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        await handshake(tls_client_context, context)


async def test_t13_an_authority_nobody_knows(tls_client_context: ssl.SSLContext) -> None:
    context = context_with(trustme.CA(), "localhost")
    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(tls_client_context, context)


async def test_t13_self_signed(tls_client_context: ssl.SSLContext) -> None:
    stranger = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with stranger.private_key_pem.tempfile() as key, stranger.cert_pem.tempfile() as cert:
        context.load_cert_chain(cert, key)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"self[- ]signed"):
        await handshake(tls_client_context, context)


async def test_t13_no_version_in_common(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    tls_server_context.maximum_version = ssl.TLSVersion.TLSv1_2
    tls_client_context.minimum_version = ssl.TLSVersion.TLSv1_3
    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        await handshake(tls_client_context, tls_server_context)


async def test_the_server_hears_why(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    app, layer = client(tls_client_context, "elsewhere.example")
    peer = server(tls_server_context)
    raw = memory_pair(layer, peer)
    with pytest.raises(ssl.SSLCertVerificationError):
        await layer.handshake()
    assert raw[0].is_closing()
    with pytest.raises(ssl.SSLError, match="ALERT_BAD_CERTIFICATE"):
        await peer.handshake()
    assert not app.made
    assert not app.lost


@pytest.mark.parametrize("host", ["local\0host", "", None])
async def test_t4_a_name_that_cannot_be_verified(
    tls_client_context: ssl.SSLContext, host: str | None
) -> None:
    with pytest.raises(ValueError, match=r"server name|server_hostname"):
        client(tls_client_context, host)


# -- peers that don't speak TLS -------------------------------------------------------------------


async def test_t13_plaintext_instead_of_tls(tls_client_context: ssl.SSLContext) -> None:
    app, layer = client(tls_client_context)
    memory_pair(layer, Peer(b"HTTP/1.1 400 Bad Request\r\n\r\n", hang_up=False))
    with pytest.raises(ssl.SSLError) as caught:
        await layer.handshake()
    assert caught.value.reason == "WRONG_VERSION_NUMBER"
    assert app.made == []


@pytest.mark.parametrize("answer", [b"", b"\x16", b"\x16\x03\x03\x00\x7a\x02"])
async def test_t13_a_peer_that_hangs_up(tls_client_context: ssl.SSLContext, answer: bytes) -> None:
    app, layer = client(tls_client_context)
    raw, _ = memory_pair(layer, Peer(answer))
    with pytest.raises(ConnectionResetError, match="hung up during the TLS handshake"):
        await layer.handshake()
    assert raw.is_closing()
    assert not app.made
    assert not app.lost


async def test_t13_cut_anywhere_in_the_servers_flight(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    sizes: list[int] = []
    size = 0
    while size == 0 or size < sizes[0]:
        app, layer = client(tls_client_context)
        peer = server(tls_server_context)
        raw = memory_pair(layer, peer)
        await settle_until_flight(raw, peer, sizes, size)
        with pytest.raises(ConnectionResetError):
            await layer.handshake()
        assert app.made == []
        size += 83


async def settle_until_flight(
    raw: tuple[MemoryTransport, MemoryTransport], peer: TLSLayer, sizes: list[int], size: int
) -> None:
    """Let the server's first flight through up to size octets, and note how long it would be."""

    def drop(data: bytes | bytearray | memoryview) -> None:
        """What follows the cut goes nowhere."""

    def cut(data: bytes | bytearray | memoryview) -> None:
        sizes.append(len(data))
        raw[1].write(data[:size])
        raw[1].write_eof()
        peer._raw_write = drop

    await asyncio.sleep(0)
    peer._raw_write = cut


async def test_a_reset(tls_client_context: ssl.SSLContext) -> None:
    app, layer = client(tls_client_context)
    raw, _ = memory_pair(layer, Peer(hang_up=False))
    waiting = asyncio.create_task(layer.handshake())
    await settle()
    raw.lose(OSError("no route"))
    with pytest.raises(OSError, match="no route"):
        await waiting
    assert not app.made
    assert not app.lost


# -- giving up ------------------------------------------------------------------------------------


async def test_o9_cancelled_at_every_step(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    steps = 1  # A task that is cancelled before it starts has not called anything.
    finished = False
    while not finished:
        app, layer = client(tls_client_context)
        peer = server(tls_server_context)
        raw = memory_pair(layer, peer)
        waiting = asyncio.create_task(layer.handshake())
        for _ in range(steps):
            await asyncio.sleep(0)
        finished = waiting.done()
        waiting.cancel()
        if finished:
            (await waiting).abort()
        else:
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert raw[0].is_closing()
        await settle()
        assert app.lost == [None] * len(app.made)
        raw[1].abort()
        await settle()
        steps += 1
    assert steps > 4


async def test_cancelled_before_the_transport_is_there(tls_client_context: ssl.SSLContext) -> None:
    app, layer = client(tls_client_context)
    waiting = asyncio.create_task(layer.handshake())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    peer = Peer()
    raw, _ = memory_pair(layer, peer)
    await settle()
    assert raw.is_closing()
    assert not peer.received
    assert not app.made
    assert not app.lost
    peer.transport.close()
    await settle()


@pytest.mark.parametrize("method", ["abort", "close"])
async def test_ended_by_another_task(tls_client_context: ssl.SSLContext, method: str) -> None:
    _, layer = client(tls_client_context)
    memory_pair(layer, Peer(hang_up=False))
    waiting = asyncio.create_task(layer.handshake())
    await settle()
    getattr(layer, method)()
    with pytest.raises(ConnectionAbortedError):
        await waiting


async def test_only_one_may_wait(tls_client_context: ssl.SSLContext) -> None:
    _, layer = client(tls_client_context)
    memory_pair(layer, Peer(hang_up=False))
    waiting = asyncio.create_task(layer.handshake())
    await settle()
    with pytest.raises(RuntimeError, match="already"):
        await layer.handshake()
    layer.abort()
    with pytest.raises(ConnectionAbortedError):
        await waiting


async def test_asked_when_it_has_failed_already(tls_client_context: ssl.SSLContext) -> None:
    _, layer = client(tls_client_context)
    memory_pair(layer, Peer())
    await settle()
    with pytest.raises(ConnectionResetError):
        await layer.handshake()
    with pytest.raises(ConnectionAbortedError):
        await layer.handshake()


async def test_t19_a_failure_leaves_nothing_behind(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            app, layer = client(tls_client_context, "elsewhere.example")
            peer = server(tls_server_context)
            raw = memory_pair(layer, peer)
            with contextlib.suppress(ssl.SSLCertVerificationError):
                await layer.handshake()
            await settle()
            left: list[Callable[[], object]] = [weakref.ref(layer), weakref.ref(peer)]
            left += [weakref.ref(app), weakref.ref(raw[0])]
            del app, layer, peer, raw
            await settle()
            assert [reference() for reference in left] == [None] * 4
    finally:
        gc.enable()


# -- on a transport that is in use ----------------------------------------------------------------


class Tunnel(asyncio.Protocol):
    """The protocol that a transport has before TLS begins on it."""


async def test_t10_octets_in_the_clear_are_refused(tls_client_context: ssl.SSLContext) -> None:
    raw, _ = memory_pair(Tunnel(), Tunnel())
    await settle()
    with pytest.raises(ssl.SSLError, match="19 octets in the clear"):
        TLSLayer.over(
            raw,
            App(),
            tls_client_context,
            server_hostname="localhost",
            unread=b"HTTP/1.1 200 OK\r\n\r\n",
            shutdown_timeout=None,
        )
    assert raw.is_closing()
    await settle()


async def test_over_a_transport_that_is_closing(tls_client_context: ssl.SSLContext) -> None:
    raw, _ = memory_pair(Tunnel(), Tunnel())
    await settle()
    raw.close()
    with pytest.raises(ConnectionAbortedError):
        TLSLayer.over(
            raw, App(), tls_client_context, server_hostname="localhost", shutdown_timeout=None
        )
    await settle()


async def test_over_closes_the_transport_when_the_name_is_wrong(
    tls_client_context: ssl.SSLContext,
) -> None:
    raw, _ = memory_pair(Tunnel(), Tunnel())
    await settle()
    with pytest.raises(ValueError, match="server name"):
        TLSLayer.over(raw, App(), tls_client_context, server_hostname="..", shutdown_timeout=None)
    assert raw.is_closing()
    await settle()


@pytest.mark.parametrize("read_size", [1, 262144])
async def test_t11_tls_in_tls(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext, read_size: int
) -> None:
    """Each layer has its own name to verify, and both say goodbye."""
    tunnel_ends = Tunnel(), Tunnel()
    outer = TLSLayer(
        tunnel_ends[0], tls_client_context, server_hostname="127.0.0.1", shutdown_timeout=None
    )
    outer_peer = TLSLayer(
        tunnel_ends[1],
        tls_server_context,
        server_hostname=None,
        server_side=True,
        shutdown_timeout=None,
    )
    memory_pair(outer, outer_peer, read_size=read_size)
    below, peer_below = await asyncio.gather(outer.handshake(), outer_peer.handshake())

    inner_peer = server(tls_server_context)
    peer_below.set_protocol(inner_peer)
    inner_peer.connection_made(peer_below)

    class Reader(App):
        def data_received(self, data: bytes) -> None:
            received.extend(data)
            if len(received) == len(sent):
                complete.set()

        def connection_lost(self, exc: BaseException | None) -> None:
            super().connection_lost(exc)
            lost.set()

    sent = bytes(range(256)) * (4 if read_size == 1 else 1000)
    received = bytearray()
    complete, lost = asyncio.Event(), asyncio.Event()
    app = Reader()
    below.pause_reading()  # As whoever spoke to the proxy may have left it.
    inner = TLSLayer.over(
        below, app, tls_client_context, server_hostname="localhost", shutdown_timeout=None
    )
    transport = await inner.handshake()
    assert isinstance(transport, TLSTransport)
    peer_transport = await inner_peer.handshake()
    peer_transport.write(sent)
    await complete.wait()
    assert received == sent
    assert transport.get_extra_info("peername") == ("b", 2)
    transport.close()
    await lost.wait()
    assert app.lost == [None]
    await settle()


async def test_t11_the_inner_name_is_verified_too(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    outer = TLSLayer(
        Tunnel(), tls_client_context, server_hostname="127.0.0.1", shutdown_timeout=None
    )
    outer_peer = server(tls_server_context)
    memory_pair(outer, outer_peer)
    below, peer_below = await asyncio.gather(outer.handshake(), outer_peer.handshake())
    inner_peer = server(tls_server_context)
    peer_below.set_protocol(inner_peer)
    inner_peer.connection_made(peer_below)
    inner = TLSLayer.over(
        below, App(), tls_client_context, server_hostname="elsewhere.example", shutdown_timeout=None
    )
    with pytest.raises(ssl.SSLCertVerificationError):
        await inner.handshake()
    assert below.is_closing()
    await settle()
