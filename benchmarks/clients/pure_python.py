"""Adapters for the other clients written in Python: httpx and niquests."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, final

from benchmarks.contract import Client, Settings


@final
class _Httpx:
    """One `httpx.AsyncClient`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def get(self, url: str) -> tuple[int, bytes]:
        response = await self._client.get(url)
        return response.status_code, response.content

    async def download(self, url: str) -> tuple[int, int]:
        octets = 0
        async with self._client.stream("GET", url) as response:
            async for piece in response.aiter_raw():
                octets += len(piece)
            return response.status_code, octets

    async def upload(self, url: str, body: bytes) -> tuple[int, bytes]:
        response = await self._client.post(url, content=body)
        return response.status_code, response.content

    async def upload_stream(self, url: str, body: AsyncIterator[bytes]) -> tuple[int, bytes]:
        response = await self._client.post(url, content=body)
        return response.status_code, response.content


@asynccontextmanager
async def open_httpx(settings: Settings) -> AsyncIterator[Client]:
    """Open one `httpx.AsyncClient`, which keeps every connection alive."""
    context = ssl.create_default_context(cafile=settings.ca_file)
    httpx = import_module("httpx")
    limits = httpx.Limits(
        max_connections=settings.connections, max_keepalive_connections=settings.connections
    )
    async with httpx.AsyncClient(verify=context, limits=limits) as client:
        yield _Httpx(client)


@final
class _Niquests:
    """One `niquests.AsyncSession`."""

    def __init__(self, session: Any) -> None:
        self._session = session

    async def get(self, url: str) -> tuple[int, bytes]:
        response = await self._session.get(url)
        return response.status_code, response.content

    async def download(self, url: str) -> tuple[int, int]:
        octets = 0
        response = await self._session.get(url, stream=True)
        async for piece in await response.iter_raw(1 << 20):
            octets += len(piece)
        return response.status_code, octets

    async def upload(self, url: str, body: bytes) -> tuple[int, bytes]:
        response = await self._session.post(url, data=body)
        return response.status_code, response.content

    async def upload_stream(self, url: str, body: AsyncIterator[bytes]) -> tuple[int, bytes]:
        response = await self._session.post(url, data=body)
        return response.status_code, response.content


@asynccontextmanager
async def open_niquests(settings: Settings) -> AsyncIterator[Client]:
    """Open one `niquests.AsyncSession` with room for every connection."""
    session = import_module("niquests").AsyncSession(
        pool_connections=settings.connections,
        pool_maxsize=settings.connections,
        disable_http2=True,
        disable_http3=True,
        verify=True if settings.ca_file is None else str(settings.ca_file),
    )
    async with session:
        yield _Niquests(session)
