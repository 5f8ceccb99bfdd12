"""What the suites of the command line share: how the program ran, what a server answers, and a terminal."""

import os
import sys
import tty
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, NamedTuple

import pytest
from wayfare_http_core.testing import ScriptedServer


class Outcome(NamedTuple):
    """How a run of the program ended."""

    status: int
    out: bytes
    error: str


class Served(NamedTuple):
    """A server and the program."""

    url: str
    server: ScriptedServer
    run: Callable[..., Coroutine[Any, Any, Outcome]]


Start = Callable[..., AbstractAsyncContextManager[Served]]


def reply(
    content: bytes = b"", *fields: str, status: str = "200 OK", media_type: str = "text/plain"
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, *fields, "", ""]).encode() + content


class Screen:
    """A terminal that keeps what is written to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.controller, terminal = os.openpty()
        tty.setraw(terminal)
        self.stdout = os.fdopen(terminal, "w", encoding="utf-8")
        monkeypatch.setattr(sys, "stdout", self.stdout)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("COLUMNS", "80")

    def text(self) -> str:
        """What was written."""
        self.stdout.flush()
        self.stdout.write("\0")
        self.stdout.flush()
        found = b""
        while not found.endswith(b"\0"):
            found += os.read(self.controller, 65536)
        return found[:-1].decode()

    def close(self) -> None:
        """Leave it; standard output is what it was."""
        self.stdout.close()
        os.close(self.controller)


@contextmanager
def on_screen() -> Iterator[Screen]:
    """Have a terminal for standard output. Within a test alone: pytest sets it anew when the test begins."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        screen = Screen(monkeypatch)
        yield screen
        screen.close()
