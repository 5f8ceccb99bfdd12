"""Adapters for aiohttp and for Wayfare, which has aiohttp's API: the same code drives both."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, final

from benchmarks.contract import Client, Settings


@final
class _Session:
    """A `Client` over any library with aiohttp's `ClientSession`."""

    def __init__(self, session: Any) -> None:
        self._session = session

    async def get(self, url: str) -> tuple[int, bytes]:
        async with self._session.get(url) as response:
            return response.status, await response.read()

    async def download(self, url: str) -> tuple[int, int]:
        octets = 0
        async with self._session.get(url) as response:
            async for piece in response.content.iter_any():
                octets += len(piece)
            return response.status, octets

    async def upload(self, url: str, body: bytes) -> tuple[int, bytes]:
        async with self._session.post(url, data=body) as response:
            return response.status, await response.read()

    async def upload_stream(self, url: str, body: AsyncIterator[bytes]) -> tuple[int, bytes]:
        async with self._session.post(url, data=body) as response:
            return response.status, await response.read()


@asynccontextmanager
async def _open(library: str, settings: Settings) -> AsyncIterator[Client]:
    module = import_module(library)
    tls = True if settings.ca_file is None else ssl.create_default_context(cafile=settings.ca_file)
    connector = module.TCPConnector(limit=settings.connections, ssl=tls)
    async with module.ClientSession(connector=connector) as session:
        yield _Session(session)


@asynccontextmanager
async def open_aiohttp(settings: Settings) -> AsyncIterator[Client]:
    """Open one `aiohttp.ClientSession`."""
    async with _open("aiohttp", settings) as client:
        yield client


@asynccontextmanager
async def open_wayfare(settings: Settings) -> AsyncIterator[Client]:
    """Open one `wayfare.ClientSession`."""
    async with _open("wayfare", settings) as client:
        yield client
