"""A WebSocket for hands and scripts: lines in are messages out, messages in are lines out."""

import asyncio
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, TextIO, TypeAlias

from wayfare import (
    ClientSession,
    ClientWebSocketResponse,
    SessionOptions,
    WSCloseCode,
    WSConnectOptions,
    WSMsgType,
)

from ._exit_codes import ExitCode
from ._plan import RequestPlan
from ._printing import Printer

__all__ = ("Conversation", "Lines", "converse")

WebSocket: TypeAlias = ClientWebSocketResponse[Literal[True]]

_USUAL_ENDS: Final = (WSCloseCode.OK, WSCloseCode.GOING_AWAY, 1005)


class Lines:
    """The lines of a stream, read by a thread that asks for one when somebody waits for it.

    The thread is a daemon, since nothing ends a read from a terminal: it must not keep the program.
    """

    __slots__ = ("_asked", "_closed", "_future", "_loop", "_stream")

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._asked = threading.Semaphore(0)
        self._future: asyncio.Future[str] | None = None
        self._closed = False
        threading.Thread(target=self._read, name="wayfare-lines", daemon=True).start()

    async def next(self) -> str | None:
        """The next line without its end, or None at the end of the stream.

        Cancellation: the line that was waited for is the next call's.
        """
        if self._future is None:
            self._future = self._loop.create_future()
            self._asked.release()
        line = await asyncio.shield(self._future)
        self._future = None
        return line.removesuffix("\n") if line else None

    def close(self) -> None:
        """Let the thread end, as soon as it reads no more."""
        self._closed = True
        self._asked.release()

    def _read(self) -> None:
        while self._asked.acquire() and not self._closed:
            line = self._stream.readline()
            future = self._future
            if self._closed or future is None:
                break
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(future.set_result, line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """How a WebSocket is shown, and when it ends."""

    printer: Printer
    interactive: bool
    """Whether a person sits there: messages are marked by their direction, and the end of the input ends all."""
    wait: float = 1.0
    """Seconds of silence after the end of the input."""


async def converse(
    plan: RequestPlan,
    conversation: Conversation,
    session_options: SessionOptions,
    options: WSConnectOptions,
) -> ExitCode:
    """Send the lines of standard input, print what comes, until either side is done.

    Raises: `ClientError`, TimeoutError, ValueError.
    Cancellation: the WebSocket is closed.
    """
    options = {**options, "headers": plan.fields, "skip_auto_headers": plan.left_out}
    if plan.params:
        options["params"] = plan.params
    async with (
        ClientSession(**session_options) as session,
        session.ws_connect(plan.url, **options) as websocket,
    ):
        if conversation.interactive:
            conversation.printer.note(f"connected to {plan.url}")
        lines = Lines(sys.stdin)
        sending = asyncio.ensure_future(_send_lines(lines, websocket))
        try:
            return await _show_messages(websocket, sending, conversation)
        finally:
            sending.cancel()
            lines.close()


async def _send_lines(lines: Lines, websocket: WebSocket) -> None:
    while (line := await lines.next()) is not None:
        await websocket.send_str(line)


async def _show_messages(
    websocket: WebSocket,
    sending: "asyncio.Future[None]",
    conversation: Conversation,
) -> ExitCode:
    """Print messages until the end; the exit status that it is worth."""
    receiving = asyncio.ensure_future(websocket.receive())
    try:
        while True:
            patience = conversation.wait if sending.done() else None
            waited: set[asyncio.Future[Any]] = {receiving}
            if not sending.done():
                waited.add(sending)
            done, _ = await asyncio.wait(
                waited, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            if receiving in done:
                message = receiving.result()
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    return _ended(websocket, conversation)
                _show(message.data, conversation)
                receiving = asyncio.ensure_future(websocket.receive())
            elif sending.done() and (conversation.interactive or not done):
                sending.result()
                return ExitCode.OK
    finally:
        receiving.cancel()


def _show(data: str | bytes, conversation: Conversation) -> None:
    printer = conversation.printer
    if isinstance(data, bytes):
        printer.note(f"({len(data)} octets)")
    else:
        mark = "< " if conversation.interactive else ""
        printer.piece(f"{mark}{data}\n")


def _ended(websocket: WebSocket, conversation: Conversation) -> ExitCode:
    """Say why the other side ended it, unless nobody looks and it is what everybody does."""
    code, reason = websocket.close_code, websocket.close_reason
    usual = code in _USUAL_ENDS
    if conversation.interactive or not usual:
        conversation.printer.note(f"closed: {code} {reason}".rstrip())
    return ExitCode.OK if usual else ExitCode.CONNECTION
