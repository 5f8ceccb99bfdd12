"""HTTP/1.1 over asyncio transports: the thin shell around the protocol classes of `wayfare_http_core`."""

from importlib import import_module
from typing import TYPE_CHECKING

from ._deadlines import Deadline, DeadlineQueue

if TYPE_CHECKING:
    from ._connection import HTTP1Connection
    from ._content_watcher import ContentWatcher
    from ._data_queue import DataQueue, EofStream, FlowControlDataQueue, PausableFeed
    from ._exchange import HTTP1Exchange, Upgraded
    from ._loss import read_rest
    from ._receive_buffer import RECEIVE_BUFFER_SIZE, receive_buffer, receive_level
    from ._stream_body import AsyncReadable, StreamBody
    from ._stream_feed import FlowControl
    from ._stream_iterators import AsyncStreamIterator, ChunkTupleAsyncStreamIterator
    from ._stream_reader import EMPTY_PAYLOAD, StreamReader
    from ._waiter import Waiter
else:
    # The rest loads when a name of it is asked for: with the first connection, at the latest. Add new names above and
    # here.
    _LAZY = {
        "HTTP1Connection": "_connection",
        "ContentWatcher": "_content_watcher",
        "HTTP1Exchange": "_exchange",
        "Upgraded": "_exchange",
        "read_rest": "_loss",
        "RECEIVE_BUFFER_SIZE": "_receive_buffer",
        "receive_buffer": "_receive_buffer",
        "receive_level": "_receive_buffer",
        "FlowControl": "_stream_feed",
        "AsyncStreamIterator": "_stream_iterators",
        "ChunkTupleAsyncStreamIterator": "_stream_iterators",
        "EMPTY_PAYLOAD": "_stream_reader",
        "StreamReader": "_stream_reader",
        "AsyncReadable": "_stream_body",
        "DataQueue": "_data_queue",
        "EofStream": "_data_queue",
        "FlowControlDataQueue": "_data_queue",
        "PausableFeed": "_data_queue",
        "StreamBody": "_stream_body",
        "Waiter": "_waiter",
    }

    def __getattr__(name):
        module = _LAZY.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f".{module}", __name__), name)
        return value


__all__ = (
    "EMPTY_PAYLOAD",
    "RECEIVE_BUFFER_SIZE",
    "AsyncReadable",
    "AsyncStreamIterator",
    "ChunkTupleAsyncStreamIterator",
    "ContentWatcher",
    "DataQueue",
    "Deadline",
    "DeadlineQueue",
    "EofStream",
    "FlowControl",
    "FlowControlDataQueue",
    "HTTP1Connection",
    "HTTP1Exchange",
    "PausableFeed",
    "StreamBody",
    "StreamReader",
    "Upgraded",
    "Waiter",
    "read_rest",
    "receive_buffer",
    "receive_level",
)
