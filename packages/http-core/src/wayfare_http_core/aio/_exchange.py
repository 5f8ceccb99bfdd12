"""What a connection hands out: the exchange of a request for its response, and what an upgrade leaves."""

import asyncio
from typing import TYPE_CHECKING, final

from multidict import CIMultiDictProxy

from wayfare_http_core._chunked import NO_TRAILERS
from wayfare_http_core._connection import ExchangeOptions
from wayfare_http_core._head import ResponseHead

from ._stream_reader import StreamReader

if TYPE_CHECKING:
    from ._connection import HTTP1Connection

__all__ = ("HTTP1Exchange", "Upgraded")


@final
class HTTP1Exchange:
    """A response on its connection: see `wayfare_http_core.Exchange`."""

    __slots__ = (
        "_chunk_sizes",
        "_connection",
        "_content",
        "_options",
        "_whole",
        "head",
        "is_complete",
        "trailers",
    )

    head: ResponseHead
    trailers: CIMultiDictProxy[str]
    is_complete: bool

    def __init__(
        self,
        connection: "HTTP1Connection",
        head: ResponseHead,
        options: ExchangeOptions,
        whole: bytes | None = None,
        chunk_sizes: bytes = b"",
    ) -> None:
        """`whole` is the content of a response that is complete, with the sizes of its chunks; None while it is not."""
        self._connection = connection
        self._options = options
        self._content: StreamReader | None = None
        self._whole = whole
        self._chunk_sizes = chunk_sizes
        self.head = head
        self.trailers = NO_TRAILERS
        self.is_complete = whole is not None

    @property
    def content(self) -> StreamReader:
        """The content. Content that came with its head becomes a stream only here: few ask for it."""
        if self._content is None:
            self._content = content = StreamReader.of_whole(
                self._whole or b"",
                self._connection,
                self._options.read_limit,
                self._chunk_sizes,
            )
            self._whole = None
            content.limit_size(self._options.max_body_size)
        return self._content

    @property
    def is_over(self) -> bool:
        """Whether nothing more will arrive: the response is complete, broken or given up."""
        return self.is_complete or not self._connection._receives_for(self)

    def take_whole(self) -> bytes | None:
        """The content with its codings, if it came whole with its head and nobody asked for the stream; only once."""
        whole = self._whole
        limit = self._options.max_body_size
        if limit is not None and whole is not None and len(whole) > limit:
            return None  # the stream gives as much as is allowed, and then the error
        self._whole = None
        return whole

    def discard(self) -> None:
        """Give up what was not read yet; see `wayfare_http_core.Exchange.discard`."""
        if not self.is_complete:
            self._connection._discard(self)

    def abort(self) -> None:
        """Give up what was not read yet, and the connection with it. Idempotent."""
        if not self.is_complete:
            self._connection.abort()

    async def wait_over(self) -> None:
        """Return when a complete, discarded or aborted exchange holds nothing of its connection any more.

        Cancellation: safe.
        """
        connection = self._connection
        if connection._drain is not None and connection._exchange is self:
            await connection._drain.wait()
        if not self.is_complete:
            await connection.wait_closed()


@final
class Upgraded:
    """What an upgraded connection leaves: its transport, the octets that were read too far, and its place.

    The transport still calls the old protocol, and reads on from the next iteration of the loop: set your own protocol
    before you await anything, with `transport.set_protocol`. `release` gives the place back to the owner; call it when
    the transport is closed.
    """

    __slots__ = ("_connection", "transport", "unread")

    transport: asyncio.Transport
    unread: bytes

    def __init__(
        self, connection: "HTTP1Connection", transport: asyncio.Transport, unread: bytes
    ) -> None:
        self._connection = connection
        self.transport = transport
        self.unread = unread

    def release(self) -> None:
        """Tell the owner that the transport is gone; idempotent."""
        self._connection._lose()
