"""The WebSocket protocol without I/O: handshake values, an engine for both roles, compression.

Importing this package imports no asyncio, socket or ssl.
"""

from ._close_codes import WSCloseCode
from ._compiled import mask_payload
from ._deflate import DeflateParameters
from ._engine import MAX_MESSAGE_SIZE, Role, State, WebSocketEngine
from ._errors import (
    WebSocketError,
    WSCloseTimeoutError,
    WSMessageTypeError,
    WSOpenTimeoutError,
    WSPingTimeoutError,
    WSServerHandshakeError,
    WSTimeoutError,
)
from ._extensions import DeflateOffer
from ._handshake import (
    Accepted,
    ClientHandshake,
    HandshakeRefused,
    ServerAnswer,
    answer_handshake,
)
from ._messages import WSFragment, WSMessage, WSMessageTextBytes, WSMsgType
from ._version import __version__

__all__ = (
    "MAX_MESSAGE_SIZE",
    "Accepted",
    "ClientHandshake",
    "DeflateOffer",
    "DeflateParameters",
    "HandshakeRefused",
    "Role",
    "ServerAnswer",
    "State",
    "WSCloseCode",
    "WSCloseTimeoutError",
    "WSFragment",
    "WSMessage",
    "WSMessageTextBytes",
    "WSMessageTypeError",
    "WSMsgType",
    "WSOpenTimeoutError",
    "WSPingTimeoutError",
    "WSServerHandshakeError",
    "WSTimeoutError",
    "WebSocketEngine",
    "WebSocketError",
    "__version__",
    "answer_handshake",
    "mask_payload",
)
