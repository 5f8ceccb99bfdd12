"""What the session's suites share: a session against a scripted server on loopback."""

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import wayfare
from wayfare._command_line._running import run
from wayfare.testing import MockConnector
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    Action,
    MemoryNetwork,
    ReadRequest,
    Script,
    ScriptedServer,
    Send,
    listening,
    run_with_fake_clock,
)

from .command_program import Outcome, Served, Start
from .cookie_web import Web

HOST = "https://api.example"
"""Where relative URLs of `session` lead."""

Serve = Callable[..., AbstractAsyncContextManager[tuple[wayfare.ClientSession, ScriptedServer]]]


Answer = str | tuple[str, bytes]


def answer(head: str, body: bytes = b"") -> tuple[ReadRequest, Send]:
    """A script that reads one request and answers it."""
    lines = head.strip().replace("\n", "\r\n").encode("utf-8", "surrogateescape")
    return ReadRequest(), Send(lines + b"\r\n\r\n" + body)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where a downloaded file is to be."""
    return tmp_path / "name.bin"


@pytest.fixture
def serve() -> Serve:
    """`async with serve(script, …, **session_options) as (session, server):`, relative URLs lead to the server.

    A script is a sequence of actions, or the text of one answer's head (with its body, as bytes).
    """

    @asynccontextmanager
    async def running(
        *scripts: Script | Answer, **options: Any
    ) -> AsyncIterator[tuple[wayfare.ClientSession, ScriptedServer]]:
        server = ScriptedServer(*[_script(script) for script in scripts])
        async with listening(server) as (host, port):
            base = f"http://{host}:{port}/"
            async with wayfare.ClientSession(base, **options) as session:
                yield session, server
        assert server.errors == ()

    return running


def in_memory(
    use: Callable[[wayfare.ClientSession, ScriptedServer], Coroutine[Any, Any, None]],
    *scripts: Script | Answer,
    **options: Any,
) -> None:
    """`use(session, server)` as with `serve`, where no time passes as long as there is something to do.

    For what a limit of time decides: on a machine that stands still for a moment, it would decide otherwise.
    """

    async def main() -> None:
        server = ScriptedServer(*[_script(script) for script in scripts])
        network = MemoryNetwork()
        network.serve("h", 80, server)
        connector = wayfare.TCPConnector(dialer=MemoryDialer(network))
        async with wayfare.ClientSession("http://h/", connector=connector, **options) as session:
            await use(session, server)
        server.abort()
        await server.wait_closed()
        assert server.errors == ()

    run_with_fake_clock(main())


@pytest.fixture
def start(capfdbinary: pytest.CaptureFixture[bytes]) -> Start:
    """`async with start(octets or actions, …) as served:`, a server for the program, one script for each connection."""

    @asynccontextmanager
    async def running(
        *scripts: bytes | tuple[Action, ...], tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[Served]:
        server = ScriptedServer(
            *[(ReadRequest(), Send(one)) if isinstance(one, bytes) else one for one in scripts]
        )
        async with listening(server, tls=tls) as (_, port):

            async def command(*words: str) -> Outcome:
                capfdbinary.readouterr()
                status = await asyncio.to_thread(run, list(words))
                sys.stdout.flush()
                out, error = capfdbinary.readouterr()
                return Outcome(status, out, error.decode())

            yield Served(f"http{'s' if tls else ''}://localhost:{port}", server, command)
        assert server.errors == ()

    return running


@pytest.fixture
async def mock() -> AsyncIterator[MockConnector]:
    """A mock that is verified at the end."""
    async with MockConnector() as connector:
        yield connector


@pytest.fixture
async def session(mock: MockConnector) -> AsyncIterator[wayfare.ClientSession]:
    """A session over the mock, which outlives it."""
    async with wayfare.ClientSession(HOST + "/", connector=mock, connector_owner=False) as session:
        yield session


@pytest.fixture
def web() -> Web:
    """Some hosts in memory that set cookies and tell those they got."""
    return Web()


def _script(script: Script | Answer) -> Script:
    if isinstance(script, str):
        return answer(script)
    head, body = script[0], script[1] if len(script) > 1 else None
    if isinstance(head, str) and isinstance(body, bytes):
        return answer(head, body)
    return [step for step in script if not isinstance(step, str | bytes)]
