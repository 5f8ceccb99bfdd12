"""Downloads from nginx: parts, resumption and what it says of a file that changed."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from wayfare import (
    ClientHandlerType,
    ClientMiddlewareType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    DownloadMismatchError,
)

pytestmark = pytest.mark.needs("nginx")

CONTENT = os.urandom(4096) * (5 * 1024)  # 20 MiB
OTHER = CONTENT[::-1]


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """A session with the plain server as its base URL."""
    async with ClientSession(os.environ["WAYFARE_NGINX_URL"] + "/") as opened:
        yield opened


@pytest.fixture
async def url(session: ClientSession) -> AsyncIterator[str]:
    """A file on the server, removed in the end."""
    path = f"upload/{os.urandom(8).hex()}"
    await put(session, path, CONTENT)
    yield path
    async with session.delete(path) as response:
        assert response.status == 204


async def put(session: ClientSession, url: str, content: bytes) -> None:
    async with session.put(url, data=content) as response:
        assert response.status in {201, 204}


class Interruption(Exception):
    """What ends a download in these tests."""


async def interrupted(session: ClientSession, url: str, path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        assert total == len(CONTENT)
        if done > 3_000_000:
            raise Interruption

    with pytest.raises(Interruption):
        await session.download(url, path, progress=stop)
    assert 3_000_000 < size(path.with_name("file.part")) < len(CONTENT)


def size(path: Path) -> int:
    return path.stat().st_size


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def content(path: Path) -> bytes:
    assert names(path.parent) == [path.name]
    return path.read_bytes()


@pytest.mark.parametrize("connections", [1, 2, 8])
async def test_a_file_is_downloaded(
    session: ClientSession, url: str, tmp_path: Path, connections: int
) -> None:
    saved = await session.download(
        url,
        tmp_path / "file",
        connections=connections,
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        fsync=True,
    )
    assert saved.status == (200 if connections == 1 else 206)
    assert content(saved.path) == CONTENT


async def test_a_download_goes_on(session: ClientSession, url: str, tmp_path: Path) -> None:
    await interrupted(session, url, tmp_path / "file")
    saved = await session.download(url, tmp_path / "file")
    assert saved.resumed_from > 3_000_000
    assert content(saved.path) == CONTENT


async def test_a_file_that_changed_is_downloaded_anew(
    session: ClientSession, url: str, tmp_path: Path
) -> None:
    await interrupted(session, url, tmp_path / "file")
    await put(session, url, OTHER + b"more")
    saved = await session.download(url, tmp_path / "file")
    assert saved.resumed_from == 0
    assert content(saved.path) == OTHER + b"more"


async def test_a_file_that_changes_between_its_parts_is_an_error(
    session: ClientSession, url: str, tmp_path: Path
) -> None:
    """The last parts are asked for after the file is another one. O14"""
    with pytest.raises(DownloadMismatchError, match="the file is another one now"):
        await session.download(url, tmp_path / "file", connections=2, middlewares=[changing(url)])
    assert names(tmp_path) == []


def changing(url: str) -> ClientMiddlewareType:
    """Changes the file before anybody asks for its second part."""

    async def change(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if request.headers["Range"].startswith("bytes=8388608-"):
            assert request.session is not None
            async with request.session.put(url, data=OTHER + b"more", middlewares=[]) as response:
                assert response.status == 204
        return await handler(request)

    return change
