"""A WebSocket of an ASGI application, as messages (ASGI 3, WebSocket 2.4)."""

import enum
from collections.abc import MutableMapping
from typing import Any, TypeAlias, final

from wayfare_websocket import HandshakeRefused, Role, WebSocketEngine, WSMsgType, answer_handshake
from wayfare_websocket.aio import ClientWebSocketResponse

from ._calls import MockReply
from ._incoming import ClientGoneError, IncomingRequest
from ._replies import send_reply
from ._responder import Responder

__all__ = ("WebSocketCycle", "asks_for_websocket")

Message: TypeAlias = MutableMapping[str, Any]


def asks_for_websocket(request: IncomingRequest) -> bool:
    """Whether a request is a handshake, be it a bad one."""
    return request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket"


class _State(enum.Enum):
    ASKED = "not accepted yet"
    OPEN = "open"
    ANSWERING = "being refused with a response"
    OVER = "over"


@final
class WebSocketCycle:
    """One handshake, and the WebSocket that may come of it."""

    __slots__ = ("_greeted", "_request", "_responder", "_state", "_websocket")

    def __init__(self, request: IncomingRequest, responder: Responder) -> None:
        self._request = request
        self._responder = responder
        self._state = _State.ASKED
        self._greeted = False
        self._websocket: ClientWebSocketResponse[bool] | None = None

    async def begin(self) -> bool:
        """Whether the application is to be asked; a handshake that is none is refused here. Cancellation: safe."""
        answer = answer_handshake(self._request.method, self._request.headers)
        if not isinstance(answer, HandshakeRefused):
            return True
        await send_reply(MockReply(answer.status, answer.reason), self._responder)
        return False

    async def receive(self) -> Message:
        """The next message for the application. Cancellation: safe, no message is lost."""
        if not self._greeted:
            self._greeted = True
            return {"type": "websocket.connect"}
        websocket = self._websocket
        if websocket is None:
            # Nothing comes before it is accepted; an application that waits for something waits for the end.
            await self._request.disconnected.wait()
            return {"type": "websocket.disconnect", "code": 1006, "reason": ""}
        message = await websocket.receive()
        if message.type is WSMsgType.TEXT:
            return {"type": "websocket.receive", "text": message.data}
        if message.type is WSMsgType.BINARY:
            return {"type": "websocket.receive", "bytes": message.data}
        self._state = _State.OVER
        code = websocket.close_code
        return {
            "type": "websocket.disconnect",
            "code": 1005 if code is None else code,
            "reason": message.extra or "",
        }

    async def send(self, message: Message) -> None:
        """Take a message of the application.

        Raises: `ClientGoneError` when the client is gone; RuntimeError for what has no place here.
        Cancellation: safe; what the message says may have been sent.
        """
        kind = message["type"]
        if self._state is _State.ASKED:
            if self._request.disconnected.is_set():
                raise ClientGoneError
            await self._decide(kind, message)
        elif self._state is _State.OPEN and self._websocket is not None:
            await self._say(kind, message, self._websocket)
        elif self._state is _State.ANSWERING and kind == "websocket.http.response.body":
            await self._responder.write(message.get("body", b""))
            if not message.get("more_body", False):
                self._responder.end()
                self._state = _State.OVER
        else:
            raise RuntimeError(f"{kind} has no place here: the WebSocket is {self._state.value}")

    async def _decide(self, kind: str, message: Message) -> None:
        responder = self._responder
        if kind == "websocket.accept":
            self._accept(message)
        elif kind == "websocket.close":
            await send_reply(MockReply(403), responder)
            self._state = _State.OVER
        elif kind == "websocket.http.response.start":
            responder.start(message["status"], _pairs(message.get("headers", ())))
            self._state = _State.ANSWERING
        else:
            raise RuntimeError(f"{kind} has no place here: the WebSocket is {self._state.value}")

    def _accept(self, message: Message) -> None:
        chosen = message.get("subprotocol")
        protocols = () if chosen is None else (chosen,)
        request = self._request
        answer = answer_handshake(request.method, request.headers, protocols=protocols)
        if isinstance(answer, HandshakeRefused) or answer.protocol != chosen:
            raise RuntimeError(f"the client did not ask for the subprotocol {chosen!r}")
        fields = (*answer.fields, *_pairs(message.get("headers", ())))
        transport, unread = self._responder.upgrade(fields)
        self._websocket = ClientWebSocketResponse(
            transport, WebSocketEngine(Role.SERVER), unread=unread, protocol=chosen
        )
        self._state = _State.OPEN

    async def _say(
        self, kind: str, message: Message, websocket: ClientWebSocketResponse[bool]
    ) -> None:
        if kind == "websocket.close":
            self._state = _State.OVER
            reason = (message.get("reason") or "").encode("utf-8")
            await websocket.close(code=message.get("code") or 1000, message=reason)
        elif kind != "websocket.send":
            raise RuntimeError(f"{kind} has no place here: the WebSocket is {self._state.value}")
        elif message.get("bytes") is not None:
            await websocket.send_bytes(message["bytes"])
        else:
            await websocket.send_str(message["text"])

    async def end(self) -> None:
        """The application has returned.

        Raises: RuntimeError where it decided nothing.
        Cancellation: the WebSocket is closed.
        """
        if self._websocket is not None:
            await self._websocket.close()
        elif self._state is not _State.OVER:
            raise RuntimeError("the application returned before its response was complete")

    async def fail(self) -> None:
        """The application has failed. Cancellation: the WebSocket is closed."""
        if self._websocket is not None:
            await self._websocket.close(code=1011)


def _pairs(headers: Any) -> list[tuple[str, str]]:
    return [
        (bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in headers
    ]
