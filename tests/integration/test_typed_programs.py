"""Programs with annotations, as those for aiohttp have them: mypy reads them with the rest of the tests, and they run.

What is a variable here is one on purpose: an argument that is written out is checked less strictly than one that has
a type of its own, because keys of mappings and items of lists are invariant.
"""

from __future__ import annotations

import io
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypedDict

import pytest
import wayfare as aiohttp
from multidict import CIMultiDict, CIMultiDictProxy, MultiDict
from wayfare import hdrs
from wayfare.typedefs import LooseHeaders, StrOrURL
from yarl import URL


class Told(TypedDict):
    """What httpbin says."""

    args: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]
    data: str


class Client:
    """A wrapper, as most programs have one."""

    def __init__(
        self,
        base: StrOrURL,
        *,
        session: aiohttp.ClientSession | None = None,
        headers: LooseHeaders | None = None,
        timeout: aiohttp.ClientTimeout = aiohttp.ClientTimeout(total=60),  # noqa: B008 - it never changes
        verify: ssl.SSLContext | bool = True,
        proxy: str | None = None,
    ) -> None:
        self._base = URL(base)
        self._session = session or aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=10, ssl=verify),
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers=headers,
            proxy=proxy,
            raise_for_status=True,
            timeout=timeout,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, **options: Any) -> Told:
        """What the server was told."""
        async with self._session.request(method, self._base / path, **options) as resp:
            told: Told = await resp.json()
            return told

    async def query(
        self,
        params: Mapping[str, str | int] | list[tuple[str, str]] | str | None,
        headers: LooseHeaders | None = None,
        within: float | None = None,
    ) -> dict[str, str]:
        """What the server makes of a query."""
        async with self._session.get(
            self._base / "get", params=params, headers=headers, timeout=within
        ) as resp:
            told: Told = await resp.json()
            return told["args"]

    async def send(self, data: bytes | str | dict[str, Any] | BinaryIO | aiohttp.FormData) -> Told:
        """What the server got."""
        resp: aiohttp.ClientResponse = await self._session.post(self._base / "post", data=data)
        async with resp:
            told: Told = await resp.json(content_type=None)
            return told

    async def pieces(self, path: str) -> AsyncIterator[bytes]:
        """The content of a page, as it comes."""
        async with self._session.get(self._base / path) as resp:
            length: int | None = resp.content_length
            assert length is None or length > 0
            async for piece in resp.content.iter_chunked(1024):
                yield piece


@pytest.fixture
async def typed(httpbin: str) -> AsyncIterator[Client]:
    async with Client(httpbin, headers={hdrs.ACCEPT: "application/json"}) as made:
        yield made


async def test_queries(typed: Client) -> None:
    texts: dict[str, str] = {"a": "1"}
    numbers: dict[str, int] = {"a": 1}
    pairs: list[tuple[str, str]] = [("a", "1")]
    for params in (texts, numbers, pairs, "a=1"):
        assert await typed.query(params, within=60) == {"a": "1"}
    multi: MultiDict[str] = MultiDict(a="1")
    lists: dict[str, list[str]] = {"a": ["1"]}
    optional: dict[str, str | None] = {"a": "1", "b": None}
    for given in (multi, lists, optional):
        assert (await typed.call("GET", "get", params=given))["args"] == {"a": "1"}


async def test_headers(typed: Client) -> None:
    named = {hdrs.ACCEPT: "text/html", hdrs.CACHE_CONTROL: "no-cache"}
    plain: dict[str, str] = {"Accept": "text/html"}
    multi: CIMultiDict[str] = CIMultiDict(accept="text/html")
    proxied: CIMultiDictProxy[str] = CIMultiDictProxy(multi)
    pairs: list[tuple[str, str]] = [("Accept", "text/html")]
    headers: LooseHeaders
    for headers in (named, plain, multi, proxied, pairs):
        assert await typed.query({"a": 1}, headers) == {"a": "1"}
        told = await typed.call("GET", "get", headers=headers)
        assert told["headers"]["Accept"] == "text/html"


async def test_content(typed: Client, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"octets")
    form = aiohttp.FormData()
    form.add_field("a", "1")
    assert (await typed.send(form))["form"] == {"a": "1"}
    fields: dict[str, Any] = {"a": "1"}
    assert (await typed.send(fields))["form"] == {"a": "1"}
    with path.open("rb") as file:
        assert (await typed.send(file))["data"] == "octets"
    memory: BinaryIO = io.BytesIO(b"octets")
    for data in (memory, b"octets", "octets"):
        assert (await typed.send(data))["data"] == "octets"
    assert len(b"".join([piece async for piece in typed.pieces("bytes/5000")])) == 5000


async def test_errors(typed: Client) -> None:
    try:
        await typed.call("GET", "status/404")
    except aiohttp.ClientResponseError as error:
        status: int = error.status
        message: str = error.message
        reported = (status, message, error.headers is not None)
    assert reported == (404, "NOT FOUND", True)
    async with Client("http://127.0.0.1:1") as nobody:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await nobody.query(None)
    host: str = caught.value.host
    assert (host, caught.value.port, isinstance(caught.value.os_error, OSError)) == (
        "127.0.0.1",
        1,
        True,
    )


async def test_messages(websockets: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(websockets) as ws:
        await ws.send_str("hello")
        async for msg in ws:
            if msg.type is aiohttp.WSMsgType.TEXT:
                assert msg.data.removesuffix("/answer") == "hello"
                break
