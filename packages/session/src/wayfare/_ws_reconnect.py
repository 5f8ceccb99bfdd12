"""`ReconnectingWebSocket`: one WebSocket after the other, for as long as that makes sense.

connect --> a WebSocket --the connection ends--> wait --> connect …
   |                       |                       ^
   +--a failure that may pass---------------------+
   +--anything else: an error
                           +--closed for a reason that stays: an error
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, final

from wayfare_websocket import WebSocketError, WSCloseCode
from wayfare_websocket.aio import ClientWebSocketResponse

from ._event_source import Reconnection
from ._reconnecting import may_reconnect, reconnect_delay, retry_after

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ReconnectingWebSocket",)

_FINAL: Final = frozenset(
    {
        WSCloseCode.PROTOCOL_ERROR,
        WSCloseCode.UNSUPPORTED_DATA,
        WSCloseCode.INVALID_TEXT,
        WSCloseCode.POLICY_VIOLATION,
        WSCloseCode.MESSAGE_TOO_BIG,
        WSCloseCode.MANDATORY_EXTENSION,
    }
)
"""Reasons that the next connection would meet again."""


@final
class ReconnectingWebSocket(AsyncIterator[ClientWebSocketResponse[Any]]):
    """Iterates over WebSockets to one URL, each after the end of the one before; made by `ClientSession.ws_reconnect`.

    Asking for the next one closes the one before. Leave the loop by `break`; the WebSocket that it had is yours to
    close then, best by `async with`. One that did not last longer than the wait before it counts as a failure: the next
    wait is longer.

    Raises: what keeps a WebSocket from being opened and will not pass, `WebSocketError` when one was closed with 1002,
    1003 or 1007 to 1010, the last error after too many failures in a row, RuntimeError when the session is closed.
    Cancellation: safe; the next step goes on.
    """

    __slots__ = (
        "_due",
        "_failures",
        "_is_useless",
        "_open",
        "_opened",
        "_reconnection",
        "_wait",
        "_websocket",
    )

    def __init__(
        self,
        open_next: Callable[[], Awaitable[ClientWebSocketResponse[Any]]],
        is_useless: Callable[[], bool],
        reconnection: Reconnection,
    ) -> None:
        """`open_next` opens a WebSocket; `is_useless` says whether it never will again."""
        self._open = open_next
        self._is_useless = is_useless
        self._reconnection = reconnection
        self._websocket: ClientWebSocketResponse[Any] | None = None
        self._failures = 0
        self._due = 0.0
        self._wait = 0.0
        self._opened = 0.0

    @override
    async def __anext__(self) -> ClientWebSocketResponse[Any]:
        loop = asyncio.get_running_loop()
        if self._websocket is not None:
            await self._finish(self._websocket)
        while True:
            await asyncio.sleep(self._due - loop.time())
            try:
                websocket = await self._open()
            except Exception as error:
                self._failures += 1
                if self._gives_up(error):
                    raise
                self._set_due(retry_after(error))
            else:
                self._opened = loop.time()
                self._websocket = websocket
                return websocket

    async def _finish(self, websocket: ClientWebSocketResponse[Any]) -> None:
        """Be done with the WebSocket before, and set the time of the next one."""
        await websocket.close()
        self._websocket = None
        lasted = asyncio.get_running_loop().time() - self._opened
        self._failures = 0 if lasted > self._wait else self._failures + 1
        code = websocket.close_code
        if code in _FINAL:
            raise WebSocketError(code, websocket.close_reason)
        self._set_due(0.0)

    def _gives_up(self, error: Exception) -> bool:
        allowed = self._reconnection.failures
        return (
            self._is_useless()
            or not may_reconnect(error)
            or (allowed is not None and self._failures > allowed)
        )

    def _set_due(self, least: float) -> None:
        how = self._reconnection
        self._wait = reconnect_delay(
            max(how.delay, least), how.max_delay, self._failures, random.random()
        )
        self._due = asyncio.get_running_loop().time() + self._wait
