"""What a WebSocket holds while nothing happens on it."""

import gc
import tracemalloc

import pytest
from wayfare_websocket import DeflateParameters

from .conftest import Client, Connect, Peer

SMALL = DeflateParameters(client_max_window_bits=12, server_max_window_bits=12)
MANY = 30


async def held(connect: Connect, deflate: DeflateParameters | None) -> float:
    """KiB for each connection, its transport and its peer in memory included, after a message in each direction."""
    kept: list[tuple[Client, Peer]] = []
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(MANY):
            client, peer = await connect(deflate=deflate)
            await client.send_str("hello, " * 1000)
            peer.text("hello, " * 1000)
            await client.receive()
            peer.messages.clear()
            peer.pieces.clear()
            kept.append((client, peer))
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / MANY / 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    # The peer is an engine, too, and takes as much for its compression.
    ("deflate", "most"),
    [(None, 25.0), (SMALL, 2 * 70.0)],
    ids=["plain", "compressed"],
)
async def test_an_idle_connection_is_small(
    connect: Connect, deflate: DeflateParameters | None, most: float
) -> None:
    """Compression takes its windows: 4 KiB each here."""
    assert await held(connect, deflate) < most
