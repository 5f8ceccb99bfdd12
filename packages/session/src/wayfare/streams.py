"""Streams and queues, where applications look for them."""

from wayfare_http_core.aio import (
    EMPTY_PAYLOAD,
    AsyncStreamIterator,
    ChunkTupleAsyncStreamIterator,
    DataQueue,
    EofStream,
    FlowControlDataQueue,
    StreamReader,
)

__all__ = (
    "EMPTY_PAYLOAD",
    "AsyncStreamIterator",
    "ChunkTupleAsyncStreamIterator",
    "DataQueue",
    "EofStream",
    "FlowControlDataQueue",
    "StreamReader",
)
