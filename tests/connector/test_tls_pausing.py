"""The TLS layer over memory transports: an application that pauses its reading, and is paused in its writing."""

import asyncio
import ssl

import pytest
from wayfare_connector._tls import TLSLayer
from wayfare_http_core.testing import memory_pair

from .tls_applications import BufferedApp, Connect, PlainApp

# -- reading and pausing ------------------------------------------------------------------------


async def test_pause_and_resume(connect: Connect) -> None:
    client = BufferedApp(4)
    pair = await connect(client)
    transport = client.transport
    client.on_data = transport.pause_reading
    pair.server.transport.write(b"0123456789")
    pair.server.transport.write(b"abc")
    pair.server.transport.close()
    assert await client.receive(4) == b"0123"
    assert not transport.is_reading()
    transport.pause_reading()
    transport.resume_reading()
    transport.resume_reading()
    assert transport.is_reading()
    assert await client.receive(8) == b"01234567"
    for _ in range(2):
        transport.resume_reading()
        transport.pause_reading()  # Before what is here was handed up.
    for _ in range(5):
        await asyncio.sleep(0)
    assert client.data == b"01234567"
    client.on_data = lambda: None
    transport.resume_reading()
    assert await client.lost() is None
    assert client.events == ["made", b"0123456789abc", "eof", ("lost", None)]
    transport.resume_reading()
    assert not transport.is_reading()
    await pair.server.lost()


async def test_paused_with_whole_and_half_records_waiting(connect: Connect) -> None:
    client = PlainApp()
    pair = await connect(client, read_size=262144, capacity=1 << 20)
    client.on_data = lambda: client.transport.pause_reading()
    sent = bytes(range(250)) * 800
    pair.server.transport.write(b"a")
    await client.receive(1)
    pair.server.transport.write(sent)
    client.transport.resume_reading()
    while client.data != b"a" + sent:
        await client.until(lambda: not client.transport.is_reading())
        client.transport.resume_reading()
        await asyncio.sleep(0)
    pair.client.transport.abort()
    await pair.server.lost()


async def test_a_transport_that_delivers_in_spite_of_the_pause(connect: Connect) -> None:
    pair = await connect()
    pair.client.transport.pause_reading()
    engine = pair.server_layer.engine
    for data in (b"one", b"two"):
        pair.client_layer.data_received(engine.encrypt(data))
    assert pair.client_layer.eof_received()
    assert pair.client.events == ["made"]
    pair.client.transport.resume_reading()
    error = await pair.client.lost()
    assert isinstance(error, ssl.SSLEOFError)
    assert pair.client.events == ["made", b"onetwo", ("lost", error)]
    await pair.server.lost()


async def test_another_protocol_takes_over(connect: Connect) -> None:
    first, second = PlainApp(), BufferedApp()
    pair = await connect(first)
    second.transport = first.transport
    assert first.transport.get_protocol() is first
    first.on_data = lambda: first.transport.set_protocol(second)
    pair.server.transport.write(b"hello")
    await first.receive(5)
    pair.server.transport.write(b"you")
    assert await second.receive(3) == b"you"
    assert first.data == b"hello"
    first.transport.close()
    await second.lost()
    assert first.transport.get_protocol() is None
    await pair.server.lost()


# -- writing and pausing ------------------------------------------------------------------------


async def test_write_buffers_are_those_below(connect: Connect) -> None:
    pair = await connect(capacity=1000)
    transport = pair.client.transport
    transport.set_write_buffer_limits(high=2000, low=500)
    assert transport.get_write_buffer_limits() == (500, 2000)
    assert transport.get_write_buffer_size() == 0
    pair.server_raw.pause_reading()
    transport.write(bytes(5000))
    assert transport.get_write_buffer_size() > 4000
    assert pair.client.events == ["made", "pause"]
    pair.server_raw.resume_reading()
    await pair.server.receive(5000)
    await pair.client.until(lambda: "resume" in pair.client.events)
    assert transport.get_write_buffer_size() <= 500
    assert pair.client.events == ["made", "pause", "resume"]
    transport.close()
    await pair.server.lost()


async def test_paused_before_the_application_was_there(
    tls_client_context: ssl.SSLContext, tls_server_context: ssl.SSLContext
) -> None:
    server = PlainApp()
    client_layer = TLSLayer(
        PlainApp(), tls_client_context, server_hostname="localhost", shutdown_timeout=None
    )
    server_layer = TLSLayer(
        server, tls_server_context, server_hostname=None, server_side=True, shutdown_timeout=None
    )
    _, raw = memory_pair(client_layer, server_layer, capacity=64)
    raw.set_write_buffer_limits(high=0)
    await asyncio.gather(client_layer.handshake(), server_layer.handshake())
    await server.until(lambda: "resume" in server.events)
    assert server.events == ["made", "pause", "resume"]  # The session tickets filled the buffer.
    server.transport.abort()
    await server.lost()


async def test_there_is_no_half_close(connect: Connect) -> None:
    pair = await connect()
    assert not pair.client.transport.can_write_eof()
    with pytest.raises(NotImplementedError):
        pair.client.transport.write_eof()
    pair.client.transport.abort()
    await pair.server.lost()


async def test_a_write_that_openssl_refuses(connect: Connect) -> None:
    pair = await connect()
    ssl_object = pair.client.transport.get_extra_info("ssl_object")
    with pytest.raises(ssl.SSLWantReadError):
        ssl_object.unwrap()  # Behind the transport's back.
    pair.client.transport.write(b"too late")
    error = await pair.client.lost()
    assert isinstance(error, ssl.SSLError)
    assert error.reason == "PROTOCOL_IS_SHUTDOWN"
    await pair.server.lost()
