"""Large content over asyncio's own sockets: received without a copy, and otherwise like any other."""

import asyncio
from collections.abc import Callable

import pytest
from wayfare_http_core import (
    ClientConnectionError,
    ClientOSError,
    ClientPayloadError,
    ExchangeOptions,
)
from wayfare_http_core.aio import RECEIVE_BUFFER_SIZE
from wayfare_http_core.testing import Action, ReadHead, ReadRequest, Send

from .test_connection_transports import GET, LOOPS, OK, POST, Served, run, serve

each_loop = pytest.mark.parametrize("make_loop", LOOPS)
MakeLoop = Callable[[], asyncio.AbstractEventLoop]
ASYNCIO = asyncio.SelectorEventLoop

LARGE = bytes(range(256)) * (RECEIVE_BUFFER_SIZE // 256)


def answer(content: bytes, *, missing: int = 0) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(content) + missing)
    return head + content


def is_direct(served: Served) -> bool:
    """Whether the connection itself is the transport's protocol."""
    return served.transport.get_protocol() is served.connection


@each_loop
@pytest.mark.parametrize(
    ("fields", "content", "bulky"),
    [
        (b"Content-Length: %d" % len(LARGE), LARGE, True),
        (b"Content-Length: %d" % (len(LARGE) - 1), LARGE[1:], False),
        (b"Transfer-Encoding: chunked", b"40000\r\n" + LARGE + b"\r\n0\r\n\r\n", False),
        (b"Connection: close", LARGE, False),
    ],
    ids=["large", "small", "chunked", "until the end"],
)
def test_which_content_it_is(
    make_loop: MakeLoop, fields: bytes, content: bytes, bulky: bool
) -> None:
    """Of known size, where the transport makes the bytes; and only while it comes."""

    async def use(served: Served) -> None:
        exchange = await served.connection.exchange(GET)
        assert is_direct(served) is not (bulky and make_loop is ASYNCIO)
        served.peer.write(content)
        if b"close" in fields:
            served.peer.transport.close()
        received = await exchange.content.read()
        assert received in LARGE
        assert len(received) >= len(LARGE) - 1
        assert is_direct(served)
        if b"close" not in fields:
            assert (await served.connection.exchange(GET)).take_whole() == b"ok"

    head = b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n"
    script: list[Action] = [ReadRequest(), Send(head), ReadRequest(), Send(OK)]
    run(make_loop, serve(script, use))


@each_loop
@pytest.mark.parametrize("how", ["fin", "reset", "abort", "close"])
def test_the_end_inside_of_it(make_loop: MakeLoop, how: str) -> None:
    """Whatever ends it is told as for other content, behind what had come."""

    async def use(served: Served) -> None:
        exchange = await served.connection.exchange(GET)
        served.peer.write(LARGE)
        content, received = exchange.content, 0
        while received < len(LARGE):
            received += len(await content.readany())
        if how == "fin":
            served.peer.transport.close()
        elif how == "reset":
            served.peer.transport.abort()
        elif how == "abort":
            served.connection.abort()
        else:
            served.connection.close()
        with pytest.raises((ClientPayloadError, ClientOSError, ClientConnectionError)):
            await content.readany()
        await served.connection.wait_closed()

    script: list[Action] = [ReadRequest(), Send(answer(b"", missing=2 * len(LARGE))), ReadHead()]
    run(make_loop, serve(script, use))


@each_loop
def test_an_upload_meanwhile(make_loop: MakeLoop) -> None:
    """The transport tells what it has to tell about writing, too: a server may answer while it reads."""
    upload = bytes(8 << 20)

    async def use(served: Served) -> None:
        exchange = await served.connection.exchange(POST, upload)
        served.peer.write(LARGE)
        assert await exchange.content.read() == LARGE
        assert is_direct(served)

    head = answer(b"", missing=len(LARGE))
    run(make_loop, serve([ReadHead(), Send(head), ReadRequest()], use))


@each_loop
def test_it_is_let_go_of_unread(make_loop: MakeLoop) -> None:
    """A small rest is dropped, and the connection is as good as new."""

    async def use(served: Served) -> None:
        exchange = await served.connection.exchange(
            GET, options=ExchangeOptions(read_limit=len(LARGE))
        )
        served.peer.write(LARGE[:-1])
        while exchange.content.total_raw_bytes < len(LARGE) - 1:
            await asyncio.sleep(0)
        exchange.discard()
        served.peer.write(LARGE[-1:])
        while not served.connection.available_exchanges:
            await asyncio.sleep(0)
        assert is_direct(served)
        assert (await served.connection.exchange(GET)).take_whole() == b"ok"

    script: list[Action] = [
        ReadRequest(),
        Send(answer(b"", missing=len(LARGE))),
        ReadRequest(),
        Send(OK),
    ]
    run(make_loop, serve(script, use))
