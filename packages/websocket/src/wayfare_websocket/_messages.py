"""Messages as values, and the fragments of those that are read while they arrive."""

import json
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("WSFragment", "WSMessage", "WSMessageTextBytes", "WSMsgType")


class WSMsgType(IntEnum):
    """What a message is: the opcodes of RFC 6455 section 11.8, and what only a connection says of itself."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA
    CLOSING = 0x100
    CLOSED = 0x101
    ERROR = 0x102

    text = TEXT
    binary = BINARY
    close = CLOSE
    ping = PING
    pong = PONG
    closing = CLOSING
    closed = CLOSED
    error = ERROR


class WSMessage(NamedTuple):
    """One message.

    `data` is a str for TEXT, bytes for BINARY, PING and PONG, the close code for CLOSE (1005 where the frame has
    none), and the exception for ERROR. `extra` is the reason of a CLOSE, else None.
    """

    type: WSMsgType
    data: Any
    extra: str | None = None

    def json(self, *, loads: Callable[[Any], Any] = json.loads) -> Any:
        """What the JSON text in `data` stands for. Raises: what `loads` raises, ValueError by default."""
        return loads(self.data)


class WSMessageTextBytes(WSMessage):
    """A TEXT message whose `data` is UTF-8, checked and left as bytes."""

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        return f"WSMessageTextBytes({self.data!r})"


class WSFragment(NamedTuple):
    """A piece of a message that is read while it arrives: of `type` TEXT (str) or BINARY (bytes).

    Pieces are cut where they arrived, and not where the sender cut the message; `final` stands on the last one.
    """

    type: WSMsgType
    data: str | bytes
    final: bool
