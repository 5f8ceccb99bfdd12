"""The TLS layer over memory transports: what the application sees, whatever the peer does."""

import asyncio
import gc
import ssl
import weakref
from typing import Any

import pytest
from wayfare_connector._tls import TLSLayer, TLSTransport
from wayfare_http_core.aio import receive_level
from wayfare_http_core.testing import memory_pair

from .tls_applications import BufferedApp, Connect, PlainApp


def reported(events: list[dict[str, Any]]) -> list[BaseException]:
    return [event["exception"] for event in events]


@pytest.fixture
async def reports() -> list[dict[str, Any]]:
    """What the loop's exception handler was told."""
    contexts: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: contexts.append(context))
    return contexts


# -- data -------------------------------------------------------------------------------------


@pytest.mark.parametrize("read_size", [1, 6, 1000, 262144])
@pytest.mark.parametrize("room", [None, 1, 7, 65536])
async def test_data_both_ways_however_it_is_cut(
    connect: Connect, read_size: int, room: int | None
) -> None:
    app = PlainApp() if room is None else BufferedApp(room)
    pair = await connect(app, read_size=read_size)
    sent = bytes(range(256)) * 3
    pair.server.transport.write(sent)
    assert await pair.client.receive(len(sent)) == sent
    pair.client.transport.write(sent)
    assert await pair.server.receive(len(sent)) == sent
    pair.client.transport.close()
    assert await pair.client.lost() is None
    assert await pair.server.lost() is None
    assert pair.client.events == ["made", sent, ("lost", None)]
    assert pair.server.events == ["made", sent, "eof", ("lost", None)]


@pytest.mark.parametrize("read_size", [5000, 65536, 262144])
@pytest.mark.parametrize("room", [None, 1000, 16384, 262144])
async def test_much_data(connect: Connect, read_size: int, room: int | None) -> None:
    app = PlainApp() if room is None else BufferedApp(room)
    pair = await connect(app, read_size=read_size, capacity=262144)
    sent = bytes(range(251)) * 2000
    pair.server.transport.write(sent)
    assert await pair.client.receive(len(sent)) == sent
    pair.client.transport.abort()
    await pair.client.lost()
    await pair.server.lost()


async def test_what_came_with_the_last_flight_is_delivered(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    class Eager(PlainApp):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self.transport.write(b"first words")

    client, server = Eager(), Eager()
    layers = (
        TLSLayer(client, tls_client_context, server_hostname="localhost", shutdown_timeout=None),
        TLSLayer(
            server,
            tls_server_context,
            server_hostname=None,
            server_side=True,
            shutdown_timeout=None,
        ),
    )
    memory_pair(*layers)
    assert await client.receive(11) == await server.receive(11) == b"first words"
    # Nobody had to wait for the handshakes.
    assert await layers[0].handshake() is client.transport
    client.transport.close()
    await client.lost()
    await server.lost()


async def test_kinds_of_data_and_writelines(connect: Connect) -> None:
    pair = await connect(capacity=1 << 20)
    transport = pair.client.transport
    transport.write(b"")
    transport.write(bytearray(b"ab"))
    transport.write(memoryview(b"xcdx")[1:3])
    transport.write(memoryview(b"efgh").cast("I"))
    transport.writelines([])
    transport.writelines([b"ij", bytearray(b"kl"), memoryview(b"mn")])
    transport.writelines([b"o", bytes(70000), b"p"])
    transport.write(memoryview(bytes(80000)).cast("I"))
    sent = b"abcdefghijklmno" + bytes(70000) + b"p" + bytes(80000)
    assert await pair.server.receive(len(sent)) == sent
    with pytest.raises(TypeError):
        transport.write("text")  # type: ignore[arg-type] # the point of the test
    with pytest.raises(TypeError):
        transport.write(None)  # type: ignore[arg-type] # the point of the test
    transport.close()
    await pair.server.lost()


async def test_a_small_write_is_one_write_below(connect: Connect) -> None:
    pair = await connect()
    sizes: list[int] = []
    write = pair.client_layer._raw_write

    def count(data: bytes | bytearray | memoryview) -> None:
        sizes.append(len(data))
        write(data)

    pair.client_layer._raw_write = count
    pair.client.transport.writelines([b"head", b"body"])
    await pair.server.receive(8)
    assert len(sizes) == 1
    pair.client.transport.abort()
    await pair.server.lost()


# -- the end of the stream ----------------------------------------------------------------------


@pytest.mark.parametrize("app", [PlainApp, BufferedApp])
async def test_t14_the_peer_says_goodbye(
    connect: Connect, app: type[PlainApp | BufferedApp]
) -> None:
    pair = await connect(app())
    pair.server.transport.write(b"all of it")
    pair.server.transport.close()
    assert pair.server.transport.is_closing()
    assert await pair.client.lost() is None
    assert await pair.server.lost() is None
    assert pair.client.events == ["made", b"all of it", "eof", ("lost", None)]
    assert pair.server.events == ["made", ("lost", None)]


@pytest.mark.parametrize("app", [PlainApp, BufferedApp])
@pytest.mark.parametrize("half_a_record", [False, True])
async def test_t14_the_stream_is_cut(
    connect: Connect, app: type[PlainApp | BufferedApp], half_a_record: bool
) -> None:
    pair = await connect(app())
    pair.server.transport.write(b"not all of it")
    if half_a_record:
        pair.server_raw.write(b"\x17\x03\x03\x00\x40half")
    pair.server_raw.write_eof()
    error = await pair.client.lost()
    assert isinstance(error, ssl.SSLEOFError)
    assert "without close_notify" in str(error)
    assert pair.client.events == ["made", b"not all of it", ("lost", error)]
    await pair.server.lost()


@pytest.mark.parametrize("app", [PlainApp, BufferedApp])
async def test_t15_an_alert_comes_after_the_data(
    connect: Connect, app: type[PlainApp | BufferedApp]
) -> None:
    pair = await connect(app(), app())
    garbage = b"\x17\x03\x03\x00\x20" + bytes(32)
    pair.server.transport.write(b"some of it")
    pair.client.transport.write(b"fine")
    pair.client_raw.write(garbage)
    server_error = await pair.server.lost()
    client_error = await pair.client.lost()
    assert isinstance(server_error, ssl.SSLError)
    assert server_error.reason == "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
    assert isinstance(client_error, ssl.SSLError)
    assert client_error.reason is not None
    assert "ALERT_BAD_RECORD_MAC" in client_error.reason
    assert pair.server.events == ["made", b"fine", ("lost", server_error)]
    assert pair.client.events == ["made", b"some of it", ("lost", client_error)]


@pytest.mark.parametrize("app", [PlainApp, BufferedApp])
async def test_t15_a_bad_record_alone(connect: Connect, app: type[PlainApp | BufferedApp]) -> None:
    pair = await connect(app())
    pair.server_raw.write(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    error = await pair.client.lost()
    assert isinstance(error, ssl.SSLError)
    assert pair.client.events == ["made", ("lost", error)]
    await pair.server.lost()


async def test_t15_a_reset_comes_after_the_data(connect: Connect) -> None:
    pair = await connect()
    pair.server.transport.write(b"some of it")
    pair.server_raw.reset()
    error = await pair.client.lost()
    assert isinstance(error, ConnectionResetError)
    assert pair.client.events == ["made", b"some of it", ("lost", error)]
    await pair.server.lost()


async def test_an_application_may_keep_writing_after_the_peers_goodbye(connect: Connect) -> None:
    client = PlainApp()
    client.keep_open = True
    pair = await connect(client)
    # What follows close_notify is ignored, in the same read and in a later one.
    pair.server_layer.engine.send_close_notify()
    garbage = b"\x17\x03\x03\x00\x20" + bytes(32)
    pair.server_raw.write(pair.server_layer.engine.take() + garbage)
    await client.until(lambda: "eof" in client.events)
    pair.server_raw.write(garbage)
    pair.server_raw.write_eof()
    client.transport.write(b"still here")
    assert await pair.server.receive(10) == b"still here"
    assert not client.transport.is_closing()
    client.transport.close()
    assert await client.lost() is None
    assert client.events == ["made", "eof", ("lost", None)]
    await pair.server.lost()


async def test_no_eof_for_an_application_that_closed_with_the_last_data(connect: Connect) -> None:
    client = PlainApp()
    pair = await connect(client)
    client.on_data = lambda: client.transport.close()
    pair.server.transport.write(b"last")
    pair.server.transport.close()
    assert await client.lost() is None
    assert client.events == ["made", b"last", ("lost", None)]
    await pair.server.lost()


# -- applications that fail ---------------------------------------------------------------------


class Bug(Exception):
    pass


def bug(*_: object) -> None:
    raise Bug


@pytest.mark.parametrize("paused", [False, True])
async def test_an_application_that_fails_with_data(
    connect: Connect, reports: list[dict[str, Any]], paused: bool
) -> None:
    pair = await connect()
    pair.client.on_data = bug
    if paused:
        pair.client.transport.pause_reading()
        pair.client_layer.data_received(pair.server_layer.engine.encrypt(b"data"))
        pair.client.transport.resume_reading()
    else:
        pair.server.transport.write(b"data")
    error = await pair.client.lost()
    assert isinstance(error, Bug)
    assert reported(reports) == [error]
    await pair.server.lost()


async def test_an_application_without_room(connect: Connect, reports: list[dict[str, Any]]) -> None:
    pair = await connect(BufferedApp(0))
    pair.server.transport.write(b"data")
    error = await pair.client.lost()
    assert isinstance(error, RuntimeError)
    assert reported(reports) == [error]
    await pair.server.lost()


async def test_an_application_that_fails_at_the_start(
    tls_client_context: ssl.SSLContext,
    tls_server_context: ssl.SSLContext,
    reports: list[dict[str, Any]],
) -> None:
    class Failing(PlainApp):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            raise Bug

    client = Failing()
    layer = TLSLayer(client, tls_client_context, server_hostname="localhost", shutdown_timeout=None)
    server = TLSLayer(
        PlainApp(),
        tls_server_context,
        server_hostname=None,
        server_side=True,
        shutdown_timeout=None,
    )
    _, raw = memory_pair(layer, server)
    with pytest.raises(Bug):
        await layer.handshake()
    assert isinstance(await client.lost(), Bug)
    assert len(reports) == 1
    raw.abort()
    await asyncio.sleep(0)


# -- garbage ------------------------------------------------------------------------------------


async def test_l16_nothing_is_left_for_the_garbage_collector(connect: Connect) -> None:
    pair = await connect()
    client, transport = pair.client, pair.client.transport
    layer = weakref.ref(pair.client_layer)
    upper = weakref.ref(transport)
    gc.collect()
    gc.disable()
    try:
        transport.close()
        await client.lost()
        await pair.server.lost()
        del pair, transport, client
        await asyncio.sleep(0)
        assert layer() is None
        assert upper() is None
    finally:
        gc.enable()


async def test_each_layer_of_tls_receives_into_memory_of_its_own(
    tls_client_context: ssl.SSLContext,
) -> None:
    """What an outer layer decrypts must not overwrite what it has yet to decrypt."""

    class Level(asyncio.Transport):
        pass

    def over(raw: asyncio.Transport) -> TLSTransport:
        layer = TLSLayer(
            asyncio.Protocol(),
            tls_client_context,
            server_hostname="localhost",
            shutdown_timeout=None,
        )
        layer.connection_made(raw)
        transport = TLSTransport(layer)
        layer.abort()
        return transport

    class Raw(Level):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            pass

        def abort(self) -> None:
            pass

    known = over(Raw({"receive_level": 0}))
    assert receive_level(known) == 1
    assert known.get_extra_info("receive_level") == 1
    unknown = over(Raw())
    assert receive_level(unknown) is None
    assert unknown.get_extra_info("receive_level", 7) == 7
