"""Versions of HTTP, messages of WebSockets, and what the User-Agent field says by default, where applications look."""

from wayfare_http_core import HttpProcessingError, HttpVersion, HttpVersion10, HttpVersion11
from wayfare_websocket import WebSocketError, WSCloseCode, WSMessage, WSMsgType

from ._defaults import USER_AGENT as SERVER_SOFTWARE

__all__ = (
    "SERVER_SOFTWARE",
    "HttpProcessingError",
    "HttpVersion",
    "HttpVersion10",
    "HttpVersion11",
    "WSCloseCode",
    "WSMessage",
    "WSMsgType",
    "WebSocketError",
)
