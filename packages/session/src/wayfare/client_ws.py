"""WebSockets of a client, where applications look for them. All of it is in `wayfare` too."""

from wayfare_websocket.aio import ClientWebSocketResponse

from ._ws_timeout import ClientWSTimeout

__all__ = ("ClientWSTimeout", "ClientWebSocketResponse")
