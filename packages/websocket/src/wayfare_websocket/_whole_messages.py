"""Nearly all messages: in one frame that is here, of less than 64 KiB, neither compressed nor masked."""

from typing import Any

from ._frames import FIN
from ._messages import WSMessage, WSMsgType

__all__ = ("read_whole",)

_TEXT = FIN | WSMsgType.TEXT
_BINARY = FIN | WSMsgType.BINARY
# A named tuple's own constructor would take a third of a message's time.
_make = tuple.__new__


def read_whole(
    data: bytes,
    at: int,
    limit: int,
    message: type[WSMessage],
    text: WSMsgType | None,
    binary: WSMsgType,
    out: list[Any],
) -> int:
    """Add to `out` the messages that lie there one after the other, each of at most `limit` octets where that is not 0.

    Return the index of what is something else, is not all here, or is wrong: nothing is said about that. Without
    `text`, texts are something else. `message`, `text` and `binary` are what messages are made of.
    """
    end = len(data)
    while end - at >= 2:
        first = data[at]
        size = data[at + 1]
        start = at + 2
        if first == _TEXT:
            kind = text
        elif first == _BINARY:
            kind = binary
        else:
            break
        if size == 126 and start + 2 <= end:
            size = data[start] << 8 | data[start + 1]
            start += 2
            if size < 126:
                break
        elif size > 125:
            break
        stop = start + size
        if kind is None or stop > end or (limit and size > limit):
            break
        payload = data[start:stop]
        content: str | bytes = payload
        if kind is text:
            try:
                content = str(payload, "utf-8")
            except UnicodeDecodeError:
                break
        out.append(_make(message, (kind, content, None)))
        at = stop
    return at
