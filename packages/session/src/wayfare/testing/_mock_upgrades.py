"""What a mock does with a connection on which HTTP ends: another protocol, or a WebSocket."""

import asyncio
from collections.abc import Mapping

from wayfare_websocket import HandshakeRefused, Role, WebSocketEngine, answer_handshake
from wayfare_websocket.aio import ClientWebSocketResponse

from ._calls import MockCall, MockReply, MockUpgrade, MockWebSocket
from ._replies import send_reply
from ._responder import Responder

__all__ = ("leave_http",)


async def leave_http(
    how: MockUpgrade | MockWebSocket, call: MockCall, responder: Responder
) -> None:
    """End HTTP on the connection and let the function go on with it.

    Raises: what it raises.
    Cancellation: the connection is closed.
    """
    if isinstance(how, MockWebSocket):
        await _be_websocket(how, call, responder)
        return
    fields = how.headers.items() if isinstance(how.headers, Mapping) else how.headers
    reader, writer = _streams(*responder.upgrade(fields))
    try:
        await how.function(call, reader, writer)
    finally:
        writer.close()


def _streams(
    transport: asyncio.Transport, unread: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    protocol.connection_made(transport)
    if unread:
        reader.feed_data(unread)
    transport.set_protocol(protocol)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _be_websocket(how: MockWebSocket, call: MockCall, responder: Responder) -> None:
    answer = answer_handshake(
        call.method, call.headers, protocols=how.protocols, deflate=how.deflate
    )
    if isinstance(answer, HandshakeRefused):
        await send_reply(MockReply(answer.status, answer.reason), responder)
        return
    transport, unread = responder.upgrade(answer.fields)
    websocket: ClientWebSocketResponse[bool] = ClientWebSocketResponse(
        transport,
        WebSocketEngine(Role.SERVER, deflate=answer.deflate),
        unread=unread,
        protocol=answer.protocol,
        deflate=answer.deflate,
    )
    async with websocket:
        await how.function(call, websocket)
