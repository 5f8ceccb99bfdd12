"""WebSockets over asyncio transports: the thin shell around `WebSocketEngine`."""

from ._client_websocket import ClientWebSocketResponse
from ._fragments import FragmentStream
from ._link import LinkOptions

__all__ = ("ClientWebSocketResponse", "FragmentStream", "LinkOptions")
