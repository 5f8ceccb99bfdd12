"""Adapters for clients whose engine is native: pyreqwest, wreq, pyqwest (Rust), curl_cffi (C)."""

from collections.abc import AsyncIterator, Sized
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, final

from benchmarks.contract import Client, Settings


@final
class _Pyreqwest:
    """One `pyreqwest.client.Client`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def get(self, url: str) -> tuple[int, Sized]:
        response = await self._client.get(url).build().send()
        return response.status, await response.bytes()

    async def download(self, url: str) -> tuple[int, int]:
        octets = 0
        async with self._client.get(url).build_streamed() as response:
            reader = response.body_reader
            while (piece := await reader.read_chunk()) is not None:
                octets += len(piece)
            return response.status, octets

    async def upload(self, url: str, body: bytes) -> tuple[int, bytes]:
        response = await self._client.post(url).body_bytes(body).build().send()
        return response.status, bytes(await response.bytes())

    async def upload_stream(self, url: str, body: AsyncIterator[bytes]) -> tuple[int, bytes]:
        response = await self._client.post(url).body_stream(body).build().send()
        return response.status, bytes(await response.bytes())


@asynccontextmanager
async def open_pyreqwest(settings: Settings) -> AsyncIterator[Client]:
    """Open one pyreqwest client on its default single-threaded runtime."""
    builder = import_module("pyreqwest.client").ClientBuilder().http1_only()
    builder = builder.pool_max_idle_per_host(settings.connections)
    if settings.ca_file is not None:
        builder = builder.add_root_certificate_pem(settings.ca_file.read_bytes())
    async with builder.build() as client:
        yield _Pyreqwest(client)


@final
class _Wreq:
    """One `wreq.Client`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def get(self, url: str) -> tuple[int, Sized]:
        async with self._client.get(url) as response:
            return response.status.as_int(), await response.bytes()

    async def download(self, url: str) -> tuple[int, int]:
        octets = 0
        async with self._client.get(url) as response:
            status = response.status.as_int()
            async with response.stream() as pieces:
                async for piece in pieces:
                    octets += len(piece)
            return status, octets

    async def upload(self, url: str, body: bytes) -> tuple[int, bytes]:
        async with self._client.post(url, body=body) as response:
            return response.status.as_int(), bytes(await response.bytes())

    async def upload_stream(self, url: str, body: AsyncIterator[bytes]) -> tuple[int, bytes]:
        async with self._client.post(url, body=body) as response:
            return response.status.as_int(), bytes(await response.bytes())


@asynccontextmanager
async def open_wreq(settings: Settings) -> AsyncIterator[Client]:
    """Open one wreq client."""
    options: dict[str, Any] = {"http1_only": True, "pool_max_idle_per_host": settings.connections}
    if settings.ca_file is not None:
        store = import_module("wreq.tls").CertStore
        options["tls_verify"] = store.from_pem_stack(settings.ca_file.read_bytes())
    async with import_module("wreq").Client(**options) as client:
        yield _Wreq(client)


@final
class _Pyqwest:
    """One `pyqwest.Client`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def get(self, url: str) -> tuple[int, Sized]:
        response = await self._client.get(url)
        return response.status, response.content

    async def download(self, url: str) -> tuple[int, int]:
        octets = 0
        async with self._client.stream("GET", url) as response:
            async for piece in response.content:
                octets += len(piece)
            return response.status, octets

    async def upload(self, url: str, body: bytes) -> tuple[int, bytes]:
        response = await self._client.post(url, content=body)
        return response.status, response.content

    async def upload_stream(self, url: str, body: AsyncIterator[bytes]) -> tuple[int, bytes]:
        response = await self._client.post(url, content=body)
        return response.status, response.content


@asynccontextmanager
async def open_pyqwest(settings: Settings) -> AsyncIterator[Client]:
    """Open one pyqwest client, without its OpenTelemetry hooks (no peer has any on)."""
    pyqwest = import_module("pyqwest")
    authority = None if settings.ca_file is None else settings.ca_file.read_bytes()
    transport = pyqwest.HTTPTransport(
        tls_ca_cert=authority,
        http_version=pyqwest.HTTPVersion.HTTP1,
        pool_max_idle_per_host=settings.connections,
        enable_otel=False,
    )
    async with transport:
        yield _Pyqwest(pyqwest.Client(transport))


@final
class _CurlCffi:
    """One `curl_cffi.AsyncSession`."""

    def __init__(self, session: Any) -> None:
        self._session = session

    async def get(self, url: str) -> tuple[int, Sized]:
        response = await self._session.get(url)
        return response.status_code, response.content

    async def download(self, url: str) -> tuple[int, int]:
        octets = 0
        async with self._session.stream("GET", url) as response:
            async for piece in response.aiter_content():
                octets += len(piece)
            return response.status_code, octets

    async def upload(self, url: str, body: bytes) -> tuple[int, bytes]:
        response = await self._session.post(url, data=body)
        return response.status_code, response.content

    async def upload_stream(self, url: str, body: AsyncIterator[bytes]) -> tuple[int, bytes]:
        response = await self._session.post(url, content=body)
        return response.status_code, response.content


@asynccontextmanager
async def open_curl_cffi(settings: Settings) -> AsyncIterator[Client]:
    """Open one curl_cffi session with a handle for every connection, impersonating no browser."""
    session = import_module("curl_cffi").AsyncSession(
        max_clients=settings.connections,
        http_version="v1",
        verify=True if settings.ca_file is None else str(settings.ca_file),
    )
    async with session:
        yield _CurlCffi(session)
