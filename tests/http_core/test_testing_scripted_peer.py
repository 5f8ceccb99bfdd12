"""ScriptedPeer and ScriptedServer: in memory, over sockets and over TLS."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import trustme
from wayfare_http_core.testing import (
    Action,
    BadRequestError,
    Call,
    CloseWrite,
    Drip,
    FakeClockLoop,
    Fin,
    Garbage,
    MemoryNetwork,
    Read,
    ReadHead,
    ReadRequest,
    RecordingProtocol,
    Repeat,
    Reset,
    ScriptedPeer,
    ScriptedServer,
    Send,
    Stall,
    Wait,
    listening,
    run_with_fake_clock,
    ticks,
)

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def half_open() -> RecordingProtocol:
    """A client that does not close when its server does."""
    return RecordingProtocol(keep_open=True)


@dataclass
class Dialled:
    transport: asyncio.Transport
    client: RecordingProtocol
    server: ScriptedServer

    @property
    def peer(self) -> ScriptedPeer:
        return self.server.peers[-1]


@pytest.fixture
async def network() -> AsyncIterator[MemoryNetwork]:
    made = MemoryNetwork()
    yield made
    await ticks(5)
    made.client_transports.assert_all_closed()
    made.server_transports.assert_all_closed()


async def dial(network: MemoryNetwork, *script: Action) -> Dialled:
    server = ScriptedServer(script)
    network.serve("h", 80, server)
    transport, client = await network.dial("h", 80, half_open)
    return Dialled(transport, client, server)


async def test_reads_requests_and_answers(network: MemoryNetwork) -> None:
    on = await dial(network, ReadRequest(), Send(OK), ReadRequest(), Send(b"second"))
    on.transport.write(POST)
    await ticks(4)
    assert on.client.data == OK
    on.transport.write(GET)
    await ticks(4)
    assert on.client.data == OK + b"second"
    assert [request.body for request in on.peer.requests] == [b"hello", b""]
    assert bytes(on.peer.received) == POST + GET
    assert on.peer.script_done
    on.transport.close()
    await on.peer.wait_closed()
    assert on.peer.error is None
    assert on.peer.lost_by is None


async def test_reads_head_before_content(network: MemoryNetwork) -> None:
    on = await dial(network, ReadHead(), Send(b"100"), ReadRequest(), Send(b"200"))
    on.transport.write(POST[:-5])
    await ticks(4)
    assert on.client.data == b"100"
    on.transport.write(POST[-5:])
    await ticks(4)
    assert on.client.data == b"100200"
    assert on.peer.heads[0].get("content-length") == "5"
    on.transport.close()
    await ticks(4)


async def test_reads_a_number_of_octets(network: MemoryNetwork) -> None:
    on = await dial(network, Read(3), Send(b"x"))
    on.transport.write(b"ab")
    await ticks(4)
    assert on.client.data == b""
    on.transport.write(b"cd")
    await ticks(4)
    assert on.client.data == b"x"
    on.transport.abort()
    await ticks(4)


async def test_drips_one_piece_per_iteration(network: MemoryNetwork) -> None:
    on = await dial(network, Drip(b"abcdefg", 3))
    await ticks(8)
    assert on.client.pieces == [b"abc", b"def", b"g"]
    on.transport.close()
    await ticks(4)


async def test_data_from_the_client_does_not_hurry_a_drip(network: MemoryNetwork) -> None:
    on = await dial(network, Drip(b"abcd"))
    on.transport.write(b"noise")
    await ticks(8)
    assert on.client.pieces == [b"a", b"b", b"c", b"d"]
    on.transport.close()
    await ticks(4)


async def test_garbage_is_the_same_for_the_same_seed(network: MemoryNetwork) -> None:
    first = await dial(network, Garbage(1, 10), Fin())
    second = await dial(network, Garbage(1, 10), Fin())
    third = await dial(network, Garbage(2), Fin())
    await ticks(6)
    assert first.client.data == second.client.data
    assert (len(first.client.data), len(third.client.data)) == (10, 64)
    assert first.client.data != third.client.data[:10]
    for on in (first, second, third):
        on.transport.close()
    await ticks(4)


async def test_fin_closes_after_what_was_sent(network: MemoryNetwork) -> None:
    on = await dial(network, Send(b"all of it"), Fin())
    await ticks(5)
    assert on.client.data == b"all of it"
    assert on.client.ended.is_set()
    assert not on.peer.connected
    on.transport.close()
    await ticks(3)


async def test_reset_waits_until_everything_was_sent(network: MemoryNetwork) -> None:
    data = b"x" * 1_000_000
    on = await dial(network, Send(data), Reset())
    assert isinstance(await on.client.lost, ConnectionResetError)
    assert on.client.data == data


async def test_close_write_leaves_the_other_direction_open(network: MemoryNetwork) -> None:
    on = await dial(network, Send(b"a"), CloseWrite(), Read(1))
    await ticks(4)
    assert (bytes(on.client.data), on.client.ended.is_set()) == (b"a", True)
    assert not on.peer.script_done
    on.transport.write(b"b")
    await ticks(3)
    assert on.peer.script_done
    on.transport.close()
    await ticks(4)


async def test_stall_ignores_the_fin_of_the_client(network: MemoryNetwork) -> None:
    on = await dial(network, Stall())
    on.transport.write(b"x")
    on.transport.close()
    await ticks(6)
    assert on.peer.client_finished
    assert on.peer.connected
    assert bytes(on.peer.received) == b"x"
    on.server.abort()
    await on.server.wait_closed()


async def test_stall_without_reading_blocks_the_client(network: MemoryNetwork) -> None:
    on = await dial(network, Stall(reading=False))
    on.transport.write(b"x" * 100_000)
    await ticks(6)
    assert on.peer.received == b""
    assert on.transport.get_write_buffer_size() == 100_000 - 65536
    on.transport.abort()
    on.server.abort()
    await ticks(3)


async def test_a_client_that_closes_early_ends_a_script_that_reads(network: MemoryNetwork) -> None:
    on = await dial(network, ReadRequest(), Send(OK))
    on.transport.write(GET[:5])
    on.transport.close()
    await on.peer.wait_closed()
    assert on.peer.client_finished
    assert on.peer.error is None
    assert not on.peer.script_done


async def test_a_half_closed_client_still_gets_its_answer(network: MemoryNetwork) -> None:
    on = await dial(network, ReadRequest(), Drip(OK))
    on.transport.write(GET)
    on.transport.write_eof()
    await on.peer.wait_closed()
    await ticks(3)
    assert on.client.data == OK
    on.transport.close()
    await ticks(3)


async def test_a_bad_request_is_answered_with_a_reset(network: MemoryNetwork) -> None:
    on = await dial(network, ReadRequest(), Send(OK))
    on.transport.write(b"GET / HTTP/1.1\r\n\r\n")
    assert isinstance(await on.client.lost, ConnectionResetError)
    assert isinstance(on.peer.error, BadRequestError)
    assert on.server.errors == (on.peer.error,)
    assert "no Host" in repr(on.peer)


async def test_call_can_look_and_answer(network: MemoryNetwork) -> None:
    def echo(peer: ScriptedPeer) -> None:
        peer.write(peer.requests[-1].body[::-1])

    on = await dial(network, Repeat(ReadRequest(), Call(echo)))
    on.transport.write(POST + POST)
    await ticks(4)
    assert on.client.data == b"olleholleh"
    assert "connected" in repr(on.peer)
    on.transport.close()
    await ticks(4)


async def test_a_call_that_raises_is_recorded(network: MemoryNetwork) -> None:
    def fail(peer: ScriptedPeer) -> None:
        raise LookupError("wrong request")

    on = await dial(network, Read(1), Call(fail))
    on.transport.write(b"xy")
    assert isinstance(await on.client.lost, ConnectionResetError)
    assert isinstance(on.peer.error, LookupError)


def test_wait_uses_the_clock_of_the_loop() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        network = MemoryNetwork()
        on = await dial(network, Wait(60), Send(b"late"), Wait(60), Send(b"never"))
        await loop.settled()
        on.transport.write(b"noise does not shorten it")
        await loop.settled()
        start = loop.time()
        assert on.client.data == b""
        assert len(on.server.timers) == 1
        await asyncio.sleep(61)
        assert on.client.data == b"late"
        assert loop.time() - start == pytest.approx(61)
        on.transport.abort()
        on.server.abort()
        await loop.settled()
        assert loop.pending_timers() == ()

    run_with_fake_clock(main())


async def test_a_server_plays_one_script_per_connection_and_repeats_the_last(
    network: MemoryNetwork,
) -> None:
    server = ScriptedServer([Send(b"1"), Fin()], [Send(b"2"), Fin()])
    network.serve("h", 80, server)
    answers = []
    for _ in range(3):
        transport, client = await network.dial("h", 80, half_open)
        await ticks(4)
        answers.append(client.data)
        transport.close()
    assert answers == [b"1", b"2", b"2"]


async def test_a_server_without_scripts_says_nothing(network: MemoryNetwork) -> None:
    server = ScriptedServer()
    network.serve("h", 80, server)
    transport, client = await network.dial("h", 80, half_open)
    transport.write(b"anything")
    await ticks(4)
    assert client.pieces == []
    transport.close()
    await server.wait_closed()
    server.abort()


async def test_dialling_an_address_nobody_serves_is_refused(network: MemoryNetwork) -> None:
    with pytest.raises(ConnectionRefusedError):
        await network.dial("nobody", 80, half_open)
    network.serve("h", 80, ScriptedServer())
    network.stop("h", 80)
    with pytest.raises(ConnectionRefusedError):
        await network.dial("h", 80, half_open)
    assert network.dialled == [("nobody", 80), ("h", 80)]


async def test_a_cancelled_dial_leaves_nothing_open(network: MemoryNetwork) -> None:
    network.serve("h", 80, ScriptedServer())
    task = asyncio.create_task(network.dial("h", 80, half_open))
    await ticks(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_ends_know_each_other(network: MemoryNetwork) -> None:
    on = await dial(network)
    assert on.transport.get_extra_info("peername") == ("127.0.0.1", 80)
    assert on.peer.transport.get_extra_info("peername") == on.transport.get_extra_info("sockname")
    on.transport.close()
    await ticks(4)


def test_a_peer_that_was_never_connected_has_no_transport() -> None:
    peer = ScriptedPeer(())
    with pytest.raises(RuntimeError, match="never connected"):
        _ = peer.transport
    with pytest.raises(TypeError, match="carries no stream"):
        peer.connection_made(asyncio.BaseTransport())


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(params=["tcp", "tls"])
def contexts(
    request: pytest.FixtureRequest, authority: trustme.CA
) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    if request.param == "tcp":
        return None, None
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


Contexts = tuple[ssl.SSLContext | None, ssl.SSLContext | None]


async def exchange(
    address: tuple[str, int], tls: ssl.SSLContext | None, data: bytes
) -> RecordingProtocol:
    """Send the data, and wait until the peer ended the connection."""
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(half_open, *address, ssl=tls)
    transport.write(data)
    try:
        await client.lost
    finally:
        transport.close()
    return client


async def test_sockets_fin(contexts: Contexts) -> None:
    server = ScriptedServer([ReadRequest(), Drip(OK, 5), Fin()])
    async with listening(server, tls=contexts[0]) as address:
        reader, writer = await asyncio.open_connection(*address, ssl=contexts[1])
        writer.write(POST)
        assert await reader.read() == OK
        writer.close()
        await writer.wait_closed()
    assert server.peers[0].requests[0].body == b"hello"
    assert server.errors == ()


async def test_sockets_reset_after_everything_was_sent(contexts: Contexts) -> None:
    server = ScriptedServer([ReadRequest(), Send(OK), Reset()])
    async with listening(server, tls=contexts[0]) as address:
        client = await exchange(address, contexts[1], GET)
    assert isinstance(client.lost.result(), ConnectionResetError)
    assert client.data == OK


async def test_sockets_leaving_drops_what_is_open(contexts: Contexts) -> None:
    server = ScriptedServer([ReadRequest(), Stall()])
    async with listening(server, tls=contexts[0]) as address:
        _, writer = await asyncio.open_connection(*address, ssl=contexts[1])
        writer.write(GET)
        while not server.requests:
            await asyncio.sleep(0)
    assert not server.peers[0].connected
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.parametrize("iterations", range(6))
async def test_sockets_leaving_drops_who_is_just_being_accepted(iterations: int) -> None:
    """Whatever the loop has come to with this client, nothing of it is left behind."""
    server = ScriptedServer([Stall()])
    async with listening(server) as address:
        client = socket.create_connection(address)
        await ticks(iterations)
    client.setblocking(False)
    with client, suppress(ConnectionError):
        assert client.recv(1) == b""
    made = list(server.peers)
    assert not any(peer.connected for peer in made)
    await ticks()
    assert server.peers == made
