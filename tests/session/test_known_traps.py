"""Traps of aiohttp's client that its users know: each is absent here."""

import asyncio
import base64
import concurrent.futures
import hashlib
import importlib
import pickle
import ssl
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme
import wayfare
from wayfare import (
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientTimeout,
    TCPConnector,
)
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    CloseWrite,
    Fin,
    MemoryNetwork,
    Read,
    ReadHead,
    ReadRequest,
    Repeat,
    Reply,
    ScriptedServer,
    Send,
    Serve,
    Stall,
    listening,
    run_with_fake_clock,
)
from wayfare_multipart import PAYLOAD_REGISTRY, BytesPayload, Order, PayloadRegistry
from yarl import URL

from tests.stream_server import stream_server

brotli = importlib.import_module("brotli")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ALWAYS = (Repeat(ReadRequest(), Send(OK)),)


def moved(location: str) -> tuple[ReadRequest, Send]:
    return ReadRequest(), Send(
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %b\r\n\r\n" % location.encode()
    )


# --- What is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "decode"),
    [
        ("br", brotli.decompress),
        ("gzip", lambda content: zlib.decompress(content, 31)),
        ("deflate", zlib.decompress),
    ],
)
async def test_content_is_in_the_coding_that_its_label_names(
    serve: Any, name: str, decode: Callable[[bytes], bytes]
) -> None:
    async with serve(ALWAYS) as (session, server):
        await session.post("/", data=b"text " * 100, compress=name)
        with pytest.raises(ValueError, match="rot13"):
            await session.post("/", data=b"text", compress="rot13")
    (request,) = server.peers[0].requests
    assert request.get("content-encoding") == name
    assert decode(request.body) == b"text " * 100


async def test_https_over_a_unix_socket_is_encrypted(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("service.example").configure_cert(context)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    path = str(tmp_path / "socket")
    server = ScriptedServer(list(ALWAYS))
    listener = await asyncio.get_running_loop().create_unix_server(server, path, ssl=context)
    connector = wayfare.UnixConnector(path, ssl=trust)
    async with wayfare.ClientSession(connector=connector) as session:
        response = await session.get("https://service.example/")
        assert response.connection_info is not None
        assert response.connection_info.tls_version == "TLSv1.3"
        with pytest.raises(wayfare.ClientConnectorCertificateError):
            await session.get("https://other.example/")
    listener.close()
    await server.wait_closed()
    await listener.wait_closed()


async def test_what_a_new_connection_drops_is_sent_once(serve: Any) -> None:
    async with serve((ReadRequest(), Fin()), ALWAYS) as (session, server):
        with pytest.raises(wayfare.ServerDisconnectedError):
            await session.get("/")
    assert [len(peer.requests) for peer in server.peers] == [1]


async def test_max_redirects_is_how_many_are_followed(serve: Any) -> None:
    async with serve((*moved("/") * 10, ReadRequest(), Send(OK))) as (session, _):
        response = await session.get("/", max_redirects=10)
        assert (response.status, len(response.history)) == (200, 10)


def test_who_expects_100_waits_a_second_at_most() -> None:
    async def main() -> float:
        network = MemoryNetwork()
        server = ScriptedServer([ReadHead(), Read(4), Send(OK)])
        network.serve("h", 80, server)
        connector = TCPConnector(dialer=MemoryDialer(network))
        async with wayfare.ClientSession("http://h/", connector=connector) as session:
            started = asyncio.get_running_loop().time()
            response = await session.post("/", data=b"data", expect100=True)
            assert response.status == 200
            return asyncio.get_running_loop().time() - started

    assert run_with_fake_clock(main()) == pytest.approx(1)


async def open_by_a_list(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server of WebSockets that says `keep-alive, Upgrade`, as RFC 6455 lets it; it ends with the client."""
    asked = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    key = next(line for line in asked.split("\r\n") if line.startswith("Sec-WebSocket-Key"))
    secret = f"{key.partition(': ')[2]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode("ascii")
    accept = base64.b64encode(hashlib.sha1(secret, usedforsecurity=False).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    while await reader.read(100):
        writer.write(b"\x88\x06\x03\xe8done")
        writer.write_eof()


async def test_a_websocket_may_be_opened_by_a_list_and_tells_why_it_closed() -> None:
    async with (
        stream_server(open_by_a_list) as port,
        wayfare.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}/") as ws,
    ):
        await ws.close()
        assert (ws.close_code, ws.close_reason) == (1000, "done")


def test_compression_of_a_websocket_can_be_asked_for_in_detail() -> None:
    """Memory is what one asks about: a server that keeps no window, and a client that keeps none."""
    offer = wayfare.DeflateOffer(client_no_context_takeover=True, server_no_context_takeover=True)
    assert "client_no_context_takeover" in str(offer)
    assert "server_no_context_takeover" in str(offer)


# --- Where secrets go -----------------------------------------------------------------------------


async def test_cookies_of_a_session_are_not_for_every_host(serve: Any) -> None:
    """With a base URL they are for its origin; without one, for what the caller asks himself, never for a redirect."""
    async with serve(ALWAYS) as (other, elsewhere):
        away = str(other.base_url)
        async with serve(moved(away), cookies={"secret": "1"}) as (session, server):
            await session.get("/")
            await session.get(away)
        assert server.peers[0].requests[0].get("cookie") == "secret=1"
        async with (
            serve(moved(away)) as (session, server),
            wayfare.ClientSession(cookies={"secret": "1"}) as without_base,
        ):
            await without_base.get(str(session.base_url))
        assert server.peers[0].requests[0].get("cookie") == "secret=1"
        cookies = [request.get("cookie") for peer in elsewhere.peers for request in peer.requests]
    assert cookies == [None] * 3


async def test_api_keys_of_a_session_stay_with_their_origin(serve: Any) -> None:
    headers = {"X-API-Key": "k", "X-Auth-Token": "t", "X-Tenant": "red", "X-Trace": "1"}
    async with serve(ALWAYS) as (other, elsewhere):
        away = str(other.base_url)
        async with serve(moved(away), headers=headers, sensitive_headers=["X-Tenant"]) as (
            session,
            _,
        ):
            await session.get("/")
        received = elsewhere.peers[0].requests[0]
        names = ("x-api-key", "x-auth-token", "x-tenant", "x-trace")
        assert [received.get(name) for name in names] == [None, None, None, "1"]


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "017700000001"])
async def test_other_spellings_of_ipv4_are_refused_by_every_connector(host: str) -> None:
    for connector in (TCPConnector(), wayfare.UnixConnector("/nowhere")):
        async with wayfare.ClientSession(connector=connector) as session:
            with pytest.raises(wayfare.InvalidURL):
                await session.get(f"http://{host}/")


async def test_which_addresses_may_be_reached_is_the_programs_to_say() -> None:
    resolver = wayfare.StaticResolver({"innocent.example": ["127.0.0.1"]})
    connector = TCPConnector(resolver=resolver, address_policy=wayfare.PublicAddresses())
    async with wayfare.ClientSession(connector=connector) as session:
        with pytest.raises(wayfare.AddressRefusedError):
            await session.get("http://innocent.example/")


# --- Time -----------------------------------------------------------------------------------------


async def test_a_number_keeps_the_other_limits_of_the_session() -> None:
    seen: list[ClientTimeout] = []

    async def look(request: wayfare.ClientRequest, handler: Any) -> Any:
        seen.append(request.timeout)
        raise wayfare.ClientError("enough")

    async with wayfare.ClientSession(middlewares=[look]) as session:
        with pytest.raises(wayfare.ClientError, match="enough"):
            await session.get("http://h/", timeout=60)
    assert [(limits.total, limits.sock_connect) for limits in seen] == [(60, 30)]


@pytest.mark.parametrize("total", [5.25, 7.5, 60.125])
def test_a_total_timeout_is_not_rounded(total: float) -> None:
    async def main() -> float:
        network = MemoryNetwork()
        server = ScriptedServer([ReadRequest(), Stall()])
        network.serve("h", 80, server)
        connector = TCPConnector(dialer=MemoryDialer(network))
        async with wayfare.ClientSession("http://h/", connector=connector) as session:
            started = asyncio.get_running_loop().time()
            with pytest.raises(TimeoutError):
                await session.get("/", timeout=total)
            elapsed = asyncio.get_running_loop().time() - started
        server.abort()
        await asyncio.sleep(0)
        return elapsed

    assert run_with_fake_clock(main()) == pytest.approx(total, abs=0.02)


class CountingExecutor(concurrent.futures.ThreadPoolExecutor):
    """Counts what a loop hands to its threads."""

    def __init__(self) -> None:
        super().__init__(1)
        self.submitted = 0

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        self.submitted += 1
        return super().submit(*args, **kwargs)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """One that names no proxy, and an empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


async def test_trusting_the_environment_costs_no_thread(
    serve: Any, environment: pytest.MonkeyPatch
) -> None:
    executor = CountingExecutor()
    asyncio.get_running_loop().set_default_executor(executor)
    async with serve(ALWAYS) as (proxy, server):
        environment.setenv("http_proxy", str(proxy.base_url))
        async with wayfare.ClientSession(trust_env=True) as session:
            for _ in range(3):
                await session.get("http://h.example/")
    assert executor.submitted == 0
    assert len(server.peers[0].requests) == 3


async def test_https_proxies_of_the_environment_are_used(environment: pytest.MonkeyPatch) -> None:
    """With TLS, which this one has not: it is asked by a handshake, and not left out."""
    server = ScriptedServer([Read(5), Send(b"no TLS here"), CloseWrite(), Stall()])
    async with listening(server) as (host, port):
        environment.setenv("http_proxy", f"https://{host}:{port}")
        async with wayfare.ClientSession(trust_env=True) as session:
            with pytest.raises(wayfare.ClientConnectorError) as caught:
                await session.get("http://h.example/")
    assert str(port) in str(caught.value)
    assert len(server.peers) == 1


# --- What is told ---------------------------------------------------------------------------------


async def test_pieces_that_are_streamed_are_told_and_connections_say_whose_they_are(
    serve: Any,
) -> None:
    pieces: list[bytes] = []
    hosts: list[tuple[str | None, int | None]] = []

    async def piece(
        session: Any, ctx: Any, params: wayfare.TraceResponseChunkReceivedParams
    ) -> None:
        pieces.append(params.chunk)

    async def created(
        session: Any, ctx: Any, params: wayfare.TraceConnectionCreateEndParams
    ) -> None:
        hosts.append((params.host, params.port))

    config = wayfare.TraceConfig()
    config.on_response_chunk_received.append(piece)
    config.on_connection_create_end.append(created)
    content = bytes(range(256)) * 2000
    script = (Serve(lambda request: Reply(content, framing="chunked")),)
    async with (
        serve(script, trace_configs=[config]) as (session, _),
        session.get("/") as response,
    ):
        whole = b"".join([chunk async for chunk in response.content.iter_chunked(1000)])
        url = response.url
    assert whole == b"".join(pieces) == content
    assert len(pieces) > 1
    assert hosts == [(url.host, url.port)]


async def test_an_error_keeps_the_content_and_pickles(serve: Any) -> None:
    async with serve(("HTTP/1.1 422 No\nContent-Length: 9", b'{"e": 42}')) as (session, _):
        with pytest.raises(wayfare.ClientResponseError) as caught:
            await session.get("/", raise_for_status=True)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert (error.status, error.body) == (422, b'{"e": 42}')


async def test_history_knows_whom_it_came_from(serve: Any) -> None:
    async with serve((*moved("/b"), ReadRequest(), Send(OK))) as (session, _):
        response = await session.get("/")
        (hop,) = response.history
        assert await hop.read() == b""
        assert hop.connection_info is not None
        assert response.connection_info is not None
        assert hop.connection_info.peername == response.connection_info.peername


# --- What is shared -------------------------------------------------------------------------------


async def test_payloads_and_zlib_need_not_be_the_processes(serve: Any) -> None:
    from wayfare_http_core import make_decoder
    from wayfare_multipart import MultipartWriter

    registry = PayloadRegistry()
    registry.register(lambda value, **options: BytesPayload(b"spot", **options), Spot)
    writer = MultipartWriter(registry=registry)
    assert await writer.append(Spot()).as_bytes() == b"spot"
    with pytest.raises(LookupError):
        PAYLOAD_REGISTRY.get(Spot())
    async with serve(ALWAYS) as (session, server):
        await session.post("/", data=registry.get(Spot()))
        with pytest.raises(TypeError, match="Spot"):
            await session.post("/", data=Spot())
    assert server.peers[0].requests[0].body == b"spot"
    assert make_decoder(["gzip"], zlib_backend=zlib) is not None


class Point:
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"octets"


class Spot:
    pass


class CountingZlib:
    """zlib, and how often it was asked for something."""

    error = zlib.error
    Z_DEFAULT_COMPRESSION = zlib.Z_DEFAULT_COMPRESSION
    Z_SYNC_FLUSH = zlib.Z_SYNC_FLUSH
    Z_FINISH = zlib.Z_FINISH
    crc32 = staticmethod(zlib.crc32)
    adler32 = staticmethod(zlib.adler32)

    def __init__(self) -> None:
        self.inflaters = self.deflaters = 0

    def decompressobj(self, wbits: int) -> Any:
        self.inflaters += 1
        return zlib.decompressobj(wbits)

    def compressobj(self, level: int, method: int, wbits: int) -> Any:
        self.deflaters += 1
        return zlib.compressobj(level, method, wbits)


async def set_the_body(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    spot: Any = Spot()
    await request.update_body(spot)
    request.compress = "gzip"
    return await handler(request)


async def test_a_session_has_a_payload_registry_of_its_own(serve: Any) -> None:
    registry = PayloadRegistry(PAYLOAD_REGISTRY)
    for kind in (Point, Spot):
        name = kind.__name__.encode()
        registry.register(partial(registered, name), kind, order=Order.try_first)
    options: Any = {"payload_registry": registry}
    async with serve(ALWAYS, ALWAYS, **options) as (session, server):
        spot: Any = Spot()  # types cannot know what a registry was taught
        await session.post("/", data=spot)
        await session.post("/", data=Point())
        await session.post("/", data={"field": Spot()})
        await session.post("/", middlewares=(set_the_body,))
        async with wayfare.ClientSession(
            session.base_url, connector=session.connector, connector_owner=False
        ) as other:
            with pytest.raises(TypeError, match="Spot"):
                await other.post("/", data=spot)
            await other.post("/", data=Point())
    first, point, form, changed, plain = (
        request.body for peer in server.peers for request in peer.requests
    )
    assert (first, point, plain) == (b"Spot", b"Point", b"octets")
    assert b"\r\n\r\nSpot\r\n" in form
    assert zlib.decompress(changed, 31) == b"Spot"


def registered(name: bytes, _: object, **options: Any) -> BytesPayload:
    return BytesPayload(name, **options)


async def test_a_registry_that_knows_nothing_refuses_values_and_sends_streams(serve: Any) -> None:
    async with serve(ALWAYS, payload_registry=PayloadRegistry()) as (session, server):
        for data in (Spot(), {"field": Spot()}):
            with pytest.raises(TypeError, match="Spot"):
                await session.post("/", data=data)
        await session.post("/", data=Point())
        await session.post("/", data={"field": "text"})
    assert [request.body for request in server.peers[0].requests] == [b"octets", b"field=text"]


async def test_a_session_has_a_zlib_of_its_own(serve: Any) -> None:
    backend = CountingZlib()
    large = b"text " * 100_000
    coded = zlib.compress(b"ok", wbits=31)
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (
        len(coded),
        coded,
    )
    script = (Repeat(ReadRequest(), Send(answer)),)
    async with serve(script, zlib_backend=backend) as (session, server):
        response = await session.post("/", data=b"text", compress="gzip")
        assert await response.read() == b"ok"
        assert (backend.inflaters, backend.deflaters) == (1, 1)
        await session.post("/", data=large, compress=True)
        assert backend.deflaters >= 2
    assert zlib.decompress(server.peers[0].requests[1].body) == large


@pytest.mark.parametrize("name", ["payload_registry", "zlib_backend"])
def test_what_is_no_library_is_refused(name: str) -> None:
    options: Any = {name: "zlib"}
    with pytest.raises(TypeError, match=f"{name} must be"):
        wayfare.ClientSession(**options)


def test_jars_resolvers_and_payloads_need_no_loop() -> None:
    jar = wayfare.CookieJar()
    jar.update_cookies({"a": "1"}, URL("http://h.example/"))
    assert jar.filter_cookies(URL("http://h.example/"))["a"].value == "1"
    wayfare.ThreadedResolver()
    wayfare.DefaultResolver()
    form = wayfare.FormData({"a": "1"})
    assert b"".join(form().iter_bytes()) == b"a=1"
    for coroutine in (form().close(), wayfare.BytesPayload(b"x").close()):
        with pytest.raises(StopIteration):
            coroutine.send(None)


def test_the_client_imports_no_server() -> None:
    program = "import sys, wayfare; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "wayfare" in loaded
    assert [
        name for name in loaded if "server" in name or name.split(".")[-1].startswith("web")
    ] == []


async def test_parts_come_decoded_and_in_chunks(serve: Any) -> None:
    """Of any coding that the library knows; iterating over a part gives pieces of it."""
    content = bytes(range(256)) * 1000
    part = (
        b"--b\r\nContent-Encoding: br\r\n\r\n"
        + brotli.compress(content)
        + b"\r\n--b\r\n\r\n"
        + content
    )
    head = "HTTP/1.1 200 OK\nContent-Type: multipart/mixed; boundary=b\nConnection: close"
    async with serve((head, part + b"\r\n--b--\r\n")) as (session, _), session.get("/") as response:
        reader = wayfare.MultipartReader.from_response(response)
        coded = await reader.next()
        assert isinstance(coded, wayfare.BodyPartReader)
        assert await coded.read(decode=True) == content
        plain = await reader.next()
        assert isinstance(plain, wayfare.BodyPartReader)
        pieces = [piece async for piece in plain]
        assert b"".join(pieces) == content
        assert len(pieces) > 1
