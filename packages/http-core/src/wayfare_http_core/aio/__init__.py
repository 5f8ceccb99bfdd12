"""HTTP/1.1 over asyncio transports: the thin shell around the protocol classes of `wayfare_http_core`."""

from ._connection import HTTP1Connection
from ._deadlines import Deadline, DeadlineQueue
from ._exchange import HTTP1Exchange, Upgraded
from ._receive_buffer import RECEIVE_BUFFER_SIZE, receive_buffer
from ._stream_reader import ContentWatcher, FlowControl, StreamReader

__all__ = (
    "RECEIVE_BUFFER_SIZE",
    "ContentWatcher",
    "Deadline",
    "DeadlineQueue",
    "FlowControl",
    "HTTP1Connection",
    "HTTP1Exchange",
    "StreamReader",
    "Upgraded",
    "receive_buffer",
)
