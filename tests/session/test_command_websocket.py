"""`wayfare ws`: lines in are messages out, messages in are lines out."""

import asyncio
import io
import os
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from wayfare._command_line._console import Lines
from wayfare._command_line._exit_codes import ExitCode
from wayfare._command_line._running import run

from .websocket_server import WebSocket, WebSocketServer, echo, serving


@contextmanager
def standard_input(text: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        yield


async def greet(websocket: WebSocket) -> None:
    """Say two things, hear one, and leave."""
    await websocket.send_str("tea\x1b?")
    await websocket.send_bytes(b"\x00\x01")
    await websocket.receive_str()
    await websocket.close(code=1000, message=b"enough")


async def test_lines_are_messages(capfd: pytest.CaptureFixture[str]) -> None:
    async with serving(WebSocketServer(echo, protocols=("tea",))) as server:
        with standard_input("one\ntwo"):
            words = ["ws", server.url, "X-Team:red", "q==1", "--wait", "0.05", "--protocol", "tea"]
            status = await asyncio.to_thread(run, words)
    assert (status, capfd.readouterr().out) == (ExitCode.OK, "one\ntwo\n")
    (asked,) = server.asked
    assert (asked.target, asked.headers["X-Team"]) == ("/?q=1", "red")
    assert asked.headers["Sec-WebSocket-Protocol"] == "tea"


async def test_credentials_are_sent(capfd: pytest.CaptureFixture[str]) -> None:
    async with serving(WebSocketServer(echo)) as server:
        with standard_input(""):
            await asyncio.to_thread(
                run, ["ws", "-a", "t", "-A", "bearer", "--wait", "0", server.url]
            )
            await asyncio.to_thread(run, ["ws", "-a", "joe:tea", "--wait", "0", server.url])
    sent = [asked.headers["Authorization"] for asked in server.asked]
    assert sent == ["Bearer t", "Basic am9lOnRlYQ=="]


async def test_the_server_may_end_it(capfd: pytest.CaptureFixture[str]) -> None:
    async with serving(WebSocketServer(greet)) as server:
        with standard_input("hello\n"):
            status = await asyncio.to_thread(run, ["ws", server.url, "--wait", "9"])
    assert (status, capfd.readouterr().out) == (ExitCode.OK, "tea\\x1b?\n(2 octets)\n")


async def test_an_unusual_end_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    async def refuse(websocket: WebSocket) -> None:
        await websocket.close(code=1011, message=b"no tea")

    async with serving(WebSocketServer(refuse)) as server:
        with standard_input(""):
            status = await asyncio.to_thread(run, ["ws", server.url, "--wait", "9"])
    assert (status, capfd.readouterr().out) == (ExitCode.CONNECTION, "closed: 1011 no tea\n")


async def test_a_server_without_websockets(capfd: pytest.CaptureFixture[str]) -> None:
    async with serving(WebSocketServer(echo)) as server:
        server.answer = lambda asked: b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
        status = await asyncio.to_thread(run, ["ws", server.url])
    assert status == ExitCode.CLIENT_ERROR
    assert capfd.readouterr().err.startswith("wayfare: ")


async def test_a_person_sees_directions_and_ends_it() -> None:
    async with serving(WebSocketServer(echo)) as server:
        controller, terminal = os.openpty()
        tty.setraw(terminal)
        screen = os.fdopen(os.dup(terminal), "w")
        with screen, os.fdopen(terminal) as keys, pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", keys)
            patch.setattr(sys, "stdout", screen)
            running = asyncio.ensure_future(asyncio.to_thread(run, ["ws", server.url]))
            shown = await read_until(controller, b"connected to ")
            os.write(controller, b"hello\n")
            shown += await read_until(controller, b"hello\n")
            await server.websockets[0].close(code=1001)
            shown += await read_until(controller, b"closed: 1001")
            assert await running == ExitCode.OK
            # The thread that reads a terminal ends with the next line.
            os.write(controller, b"\n")
            await no_thread()
        os.close(controller)
    assert b"< hello" in shown


async def no_thread() -> None:
    """Return when nobody reads lines any more."""
    while any(thread.name == "wayfare-lines" for thread in threading.enumerate()):
        await asyncio.sleep(0)


async def read_until(descriptor: int, end: bytes) -> bytes:
    found = b""
    while end not in found:
        found += await asyncio.to_thread(os.read, descriptor, 1)
    return found


async def test_lines_are_read_when_they_are_asked_for() -> None:
    lines = Lines(io.StringIO("one\ntwo\n"))
    waiting = asyncio.ensure_future(lines.next())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert [await lines.next() for _ in range(3)] == ["one", "two", None]
    lines.close()
    await no_thread()
