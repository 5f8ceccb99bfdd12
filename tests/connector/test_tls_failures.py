"""Handshakes that fail again and again leave nothing behind (T13, T19)."""

import asyncio
import gc
import os
import ssl
from pathlib import Path

import pytest
from wayfare_connector import ClientConnectorCertificateError, Target, TCPConnector
from wayfare_connector._tls import TLSLayer
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import MemoryNetwork

ROUNDS = 200
"""Handshakes between two looks at the memory."""


def resident() -> int:
    """Octets of memory that the process occupies."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def test_t19_handshakes_that_fail_leave_nothing_behind(
    tls_server_context: ssl.SSLContext,
) -> None:
    """In memory: each is refused for its authority, as a bad certificate is in 10,000 of them."""
    network = MemoryNetwork()

    def server() -> TLSLayer:
        return TLSLayer(
            asyncio.Protocol(), tls_server_context, server_hostname=None, server_side=True
        )

    network.serve("localhost", 443, server)
    target = Target("https", "localhost")
    objects: list[int] = []
    memory: list[int] = []
    async with TCPConnector(dialer=MemoryDialer(network)) as connector:
        for _ in range(5):
            for _ in range(ROUNDS):
                with pytest.raises(ClientConnectorCertificateError):
                    await connector.connect(target)
            await asyncio.sleep(0)
            gc.collect()
            objects.append(len(gc.get_objects()))
            memory.append(resident())
        stats = connector.stats()
        assert (stats.leased, stats.connecting, stats.idle) == (0, 0, 0)
    # What every failure left behind would be there two hundred times per look; a socket's or a
    # handshake's memory comes to tens of kilobytes each.
    assert objects[-1] - objects[1] < ROUNDS
    assert memory[-1] - memory[1] < 2 * 1024 * 1024
    assert len(asyncio.all_tasks()) == 1
