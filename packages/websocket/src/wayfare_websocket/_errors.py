"""What can go wrong with a WebSocket.

ClientError
├ WebSocketError                  the peer broke the protocol, with the close code that says so
└ ClientResponseError
  └ WSServerHandshakeError        the server did not switch to the WebSocket protocol
TypeError
└ WSMessageTypeError              a message of another type than the caller asked for
"""

import sys
from typing import Any

from wayfare_http_core import ClientError, ClientResponseError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("WSMessageTypeError", "WSServerHandshakeError", "WebSocketError")


class WebSocketError(ClientError):
    """The peer sent what the protocol forbids, or more than was allowed; `code` is the close code for it."""

    code: int
    message: str

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @override
    def __str__(self) -> str:
        return self.message

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.message), self.__dict__.copy()


class WSServerHandshakeError(ClientResponseError):
    """The server's answer to the handshake is not the one that opens a WebSocket.

    `message` says what is wrong with it; `status`, `headers` and the beginning of its `body` are the answer's.
    """


class WSMessageTypeError(TypeError):
    """The next message is of another type than the one that was asked for."""
