"""What can go wrong with a WebSocket.

ClientError
├ WebSocketError                  the peer broke the protocol, with the close code that says so
├ WSMessageTypeError              (+ TypeError) a message of another type than the caller asked for
├ ClientResponseError
│ └ WSServerHandshakeError        the server did not switch to the WebSocket protocol
└ ServerTimeoutError              (+ TimeoutError)
  └ WSTimeoutError
    ├ WSOpenTimeoutError          the handshake took too long
    ├ WSPingTimeoutError          no Pong came
    └ WSCloseTimeoutError         no Close frame came
"""

import sys
from typing import Any

from wayfare_http_core import ClientError, ClientResponseError, ServerTimeoutError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = (
    "WSCloseTimeoutError",
    "WSMessageTypeError",
    "WSOpenTimeoutError",
    "WSPingTimeoutError",
    "WSServerHandshakeError",
    "WSTimeoutError",
    "WebSocketError",
)


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


class WSMessageTypeError(ClientError, TypeError):
    """The next message is of another type than the one that was asked for."""


class WSTimeoutError(ServerTimeoutError):
    """The peer took longer than `seconds`."""

    seconds: float

    def __init__(self, seconds: float) -> None:
        self.args = (seconds,)
        self.seconds = seconds


class WSOpenTimeoutError(WSTimeoutError):
    """The WebSocket was not open within `seconds`."""

    @override
    def __str__(self) -> str:
        return f"the WebSocket was not open within {self.seconds:g} s"


class WSPingTimeoutError(WSTimeoutError):
    """A Ping was not answered within `seconds`."""

    @override
    def __str__(self) -> str:
        return f"a Ping was not answered within {self.seconds:g} s"


class WSCloseTimeoutError(WSTimeoutError):
    """The peer did not answer our Close frame within `seconds`."""

    @override
    def __str__(self) -> str:
        return f"the Close frame was not answered within {self.seconds:g} s"
