"""Who shares memory to receive into, and who must not."""

import asyncio

from wayfare_http_core.aio import RECEIVE_BUFFER_SIZE, receive_buffer, receive_level
from wayfare_http_core.testing import ScriptedServer, listening, memory_pair


class Layered(asyncio.Transport):
    """A transport above others."""


async def test_the_transports_of_a_selector_loop_share_one() -> None:
    loop = asyncio.get_running_loop()
    async with listening(ScriptedServer()) as (host, port):
        first, _ = await loop.create_connection(asyncio.Protocol, host, port)
        second, _ = await loop.create_connection(asyncio.Protocol, host, port)
        buffer = receive_buffer(loop, first)
        assert receive_level(first) == 0
        assert receive_buffer(loop, second) is buffer
        assert len(buffer) == RECEIVE_BUFFER_SIZE
        first.close()
        second.close()


async def test_each_layer_has_one_of_its_own() -> None:
    loop = asyncio.get_running_loop()
    bottom, _ = memory_pair(asyncio.Protocol(), asyncio.Protocol())
    buffers = [
        receive_buffer(loop, bottom),
        receive_buffer(loop, Layered({"receive_level": 1})),
        receive_buffer(loop, Layered({"receive_level": 2})),
    ]
    assert len({id(buffer) for buffer in buffers}) == 3
    assert receive_buffer(loop, Layered({"receive_level": 1})) is buffers[1]
    bottom.abort()


async def test_a_transport_that_may_hold_on_to_a_buffer_shares_none() -> None:
    """A proactor's, and any that nobody knows."""
    loop = asyncio.get_running_loop()
    one, other = receive_buffer(loop, Layered()), receive_buffer(loop, Layered())
    assert one is not other
    assert receive_level(Layered()) is None
    one[0] = 1
    assert other[0] == 0


async def test_each_loop_has_its_own() -> None:
    other = asyncio.new_event_loop()
    transport = Layered({"receive_level": 0})
    loop = asyncio.get_running_loop()
    assert receive_buffer(loop, transport) is not receive_buffer(other, transport)
    other.close()
