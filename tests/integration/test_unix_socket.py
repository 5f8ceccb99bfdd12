"""The client by a Unix socket, to an nginx that is not ours."""

import asyncio
import importlib
import os
from collections.abc import AsyncIterator, Callable

import pytest
import wayfare

pytestmark = pytest.mark.needs("nginx_unix")

LOOPS = [asyncio.new_event_loop, importlib.import_module("uvloop").new_event_loop]
BASE = "http://localhost/"


@pytest.fixture
def path() -> str:
    """Where nginx has its socket."""
    return os.environ["WAYFARE_NGINX_UNIX_URL"]


@pytest.fixture
async def session(path: str) -> AsyncIterator[wayfare.ClientSession]:
    """A session by the socket."""
    connector = wayfare.UnixConnector(path=path)
    async with wayfare.ClientSession(BASE, connector=connector) as opened:
        yield opened


@pytest.mark.parametrize("new_loop", LOOPS)
def test_on_each_loop(new_loop: Callable[[], asyncio.AbstractEventLoop], path: str) -> None:
    async def main() -> None:
        connector = wayfare.UnixConnector(path=path)
        async with wayfare.ClientSession(BASE, connector=connector) as session:
            for number in (1, 2):
                async with session.get("files/1m.bin") as response:
                    assert len(await response.read()) == 1024 * 1024
                    assert response.connection_info is not None
                    assert response.connection_info.peername == path
                    assert response.connection_info.exchange == number

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())


async def test_an_upload_is_stored_and_comes_back(session: wayfare.ClientSession) -> None:
    content = os.urandom(256 * 1024)
    name = f"upload/{os.urandom(8).hex()}"
    async with session.put(name, data=content) as response:
        assert response.status == 201
    async with session.get(name) as response:
        assert await response.read() == content
    async with session.delete(name) as response:
        assert response.status == 204


async def test_n10_a_redirect_stays_with_the_socket(session: wayfare.ClientSession) -> None:
    async with session.get("moved/") as response:
        assert response.status == 200
        assert len(response.history) == 1
        assert response.url.path == "/files/1k.bin"
    assert session.connector.stats().created == 1


async def test_many_at_once_share_the_connections(path: str) -> None:
    async def one(session: wayfare.ClientSession) -> int:
        async with session.get("files/1k.bin") as response:
            return len(await response.read())

    connector = wayfare.UnixConnector(path=path, limit=4)
    async with wayfare.ClientSession(BASE, connector=connector) as session:
        assert await asyncio.gather(*(one(session) for _ in range(40))) == [1024] * 40
        assert connector.stats().created <= 4


async def test_n10_a_server_that_closes_costs_no_request(session: wayfare.ClientSession) -> None:
    for _ in range(6):
        async with session.get("few/1k.bin") as response:
            assert len(await response.read()) == 1024
    assert session.connector.stats().created == 3
