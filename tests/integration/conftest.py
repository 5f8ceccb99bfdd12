"""The servers that the suites of real requests share."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from wayfare import ClientSession
from websockets.asyncio.server import ServerConnection, serve

if TYPE_CHECKING:
    from demo_server import DemoServers

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


# --- httpbin and the server of large bodies -------------------------------------------------------


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of the examples, with their modules importable."""
    # At the end: a script there must not hide a module of the same name elsewhere.
    if str(EXAMPLES) not in sys.path:
        sys.path.append(str(EXAMPLES))
    return EXAMPLES


@pytest.fixture(scope="session")
def demo_servers(examples: Path) -> Iterator[DemoServers]:
    """Both servers of the demo, started once per test run (and per worker of it)."""
    from demo_server import demo_servers

    with demo_servers() as servers:
        yield servers


@pytest.fixture
def httpbin(demo_servers: DemoServers) -> str:
    """The base URL of httpbin."""
    return demo_servers.httpbin


@pytest.fixture
def bodies(demo_servers: DemoServers) -> str:
    """The base URL of the server of large bodies and meters."""
    return demo_servers.bodies


@pytest.fixture
async def client(httpbin: str) -> AsyncIterator[ClientSession]:
    """A session with httpbin as its base URL."""
    async with ClientSession(httpbin) as session:
        yield session


# --- WebSockets -----------------------------------------------------------------------------------


async def answer(connection: ServerConnection) -> None:
    """Answer each message: a text with more text, octets with themselves; `bye` ends with a reason."""
    async for message in connection:
        if message == "bye":
            await connection.close(4000, "said so")
            return
        await connection.send(f"{message}/answer" if isinstance(message, str) else message)


@pytest.fixture
async def websockets() -> AsyncIterator[str]:
    """The URL of a server of another library that answers, at any path but `/refused`."""

    def refuse(connection: ServerConnection, request: Any) -> Any:
        return connection.respond(403, "no\n") if request.path == "/refused" else None

    def choose(connection: ServerConnection, offered: Any) -> Any:
        return offered[0] if offered else None

    async with serve(
        answer, "127.0.0.1", 0, process_request=refuse, select_subprotocol=choose
    ) as running:
        (socket,) = running.sockets
        yield f"ws://127.0.0.1:{socket.getsockname()[1]}"
