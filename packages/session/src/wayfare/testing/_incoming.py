"""A request as an application in memory receives it: its head at once, its content as it comes."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, final

from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_http_core.aio import StreamReader
from wayfare_http_core.testing import ReceivedRequest
from yarl import URL

if TYPE_CHECKING:
    from wayfare_connector import Target
    from wayfare_http_core.aio import FlowControl

__all__ = ("ClientGoneError", "IncomingRequest")


@final
class ClientGoneError(ConnectionResetError):
    """The client is gone: nobody did anything wrong on this side."""

    def __init__(self) -> None:
        super().__init__("the client is gone")


@final
class IncomingRequest:
    """One request, the way a server sees it, with the target that its connection was made for."""

    __slots__ = (
        "_ask_for_content",
        "client",
        "content",
        "disconnected",
        "head",
        "headers",
        "method",
        "target",
        "trailers",
        "url",
    )

    method: str
    url: URL
    """Where the client sent it: its connection's scheme, host and port, and the path and query as they were sent."""
    headers: CIMultiDictProxy[str]
    content: StreamReader
    """The content, framing removed; codings are left as they came."""
    trailers: tuple[tuple[str, str], ...]
    """Fields after the content, once it ended."""
    client: tuple[str, int] | None
    """The address of the client's end."""
    disconnected: asyncio.Event
    """Set when the client is gone."""

    def __init__(
        self,
        head: ReceivedRequest,
        target: "Target",
        client: tuple[str, int] | None,
        flow: "FlowControl",
        ask_for_content: Callable[[], None],
    ) -> None:
        self.head = head
        self.target = target
        self.client = client
        self.method = head.method
        self.url = _url(head, target)
        self.headers = CIMultiDictProxy(CIMultiDict(head.fields))
        self.content = StreamReader(flow, 64 * 1024)
        self.trailers = ()
        self.disconnected = asyncio.Event()
        self._ask_for_content = ask_for_content

    async def read(self) -> bytes:
        """The rest of the content.

        Raises: `ClientGoneError` when the client is gone before its end.
        Cancellation: safe.
        """
        self._ask_for_content()
        return await self.content.read()

    async def receive(self) -> bytes:
        """The next piece of the content, b"" after the last one.

        Raises, Cancellation: as `read`.
        """
        self._ask_for_content()
        return await self.content.readany()


def _url(head: ReceivedRequest, target: "Target") -> URL:
    path, mark, query = head.target.partition("?")
    if not path.startswith("/"):
        # "*", the only target of another form that a connection in memory sends.
        path = "/"
    return URL.build(
        scheme=target.scheme,
        authority=target.authority,
        path=path,
        query_string=query if mark else "",
        encoded=True,
    )
