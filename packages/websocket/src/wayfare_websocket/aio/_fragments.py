"""One message, received piece by piece."""

import builtins
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, final

from wayfare_http_core import ClientConnectionResetError, ClientError

from wayfare_websocket._errors import WSMessageTypeError
from wayfare_websocket._messages import WSFragment, WSMessage, WSMsgType

from ._inbox import already_taken

if TYPE_CHECKING:
    from ._link import Link

__all__ = ("FragmentStream",)

_DATA = (WSMsgType.TEXT, WSMsgType.BINARY)


@final
class FragmentStream:
    """The next message, in pieces as they arrive: iterate over it with `async for`.

    While it is open, nobody else receives. It is closed by its last piece, by `close`, and by leaving `async with`.
    What is left of the message then is dropped. The limit of a message's size does not count.
    """

    __slots__ = ("__weakref__", "_aside", "_link", "_open", "_timeout", "type")

    type: WSMsgType | None
    """TEXT (str pieces) or BINARY (bytes); None until the first piece was received."""

    def __init__(self, link: "Link", timeout: float | None) -> None:
        """Made by `ClientWebSocketResponse.receive_fragments`."""
        self._open = False
        link.inbox.take_fragments()
        self._open = True
        self._link = link
        self._timeout = timeout
        self._aside: list[WSMessage] = []  # Pings and Pongs, where the reader is to see them
        self.type = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        """The next piece.

        Raises: `WebSocketError` for a violation, `WSMessageTypeError` when the WebSocket closes in place of a message,
            `ClientConnectionResetError` when it ends inside of one, TimeoutError.
        Cancellation: safe; no piece is lost.
        """
        inbox = self._link.inbox
        while self._open:
            if not inbox.queue:
                if not inbox.waiter.done():
                    raise already_taken()
                if not inbox.ended:
                    await inbox.wait(self._timeout)
                if not inbox.queue:
                    raise self._broken()
            message: Any = inbox.queue[0]
            if message.type not in _DATA:
                self._take_control(message)
                continue
            inbox.queue.popleft()
            self.type = message.type
            if not isinstance(message, WSFragment) or message.final:
                self.close()
            elif inbox.full and not inbox.queue:
                inbox.refill()
            if message.data:
                data: str | bytes = message.data
                return data
        raise StopAsyncIteration

    def close(self) -> None:
        """Drop what is left of the message, and let others receive. Idempotent."""
        if self._open:
            self._open = False
            self._link.inbox.queue.extendleft(reversed(self._aside))
            self._link.inbox.give_up_fragments()

    def _take_control(self, message: WSMessage) -> None:
        """What is no data stays for whoever receives afterwards.

        Raises: for what ends the message.
        """
        if message.type not in (WSMsgType.PING, WSMsgType.PONG):
            raise self._broken(message.data)
        self._aside.append(message)
        self._link.inbox.queue.popleft()

    def _broken(self, cause: object = None) -> ClientError:
        if isinstance(cause, ClientError):
            return cause
        if self.type is None:
            return WSMessageTypeError("the WebSocket closed, and no message came")
        return ClientConnectionResetError("the WebSocket closed inside of a message")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: builtins.type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # Left by `break`, most likely.
        self.close()
