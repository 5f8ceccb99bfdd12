"""Content codings as a session meets them: all that are installed, and what is said of those that are not."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from wayfare_http_core import ContentEncodingError, make_encoder
from wayfare_http_core._coding_libraries import brotli_library, zstd_library

TEXT = b"content " * 999


def answer(body: bytes, coding: str) -> tuple[str, bytes]:
    return f"HTTP/1.1 200 OK\nContent-Encoding: {coding}\nContent-Length: {len(body)}", body


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if neither brotli nor zstd was installed."""
    for name in ("brotli", "brotlicffi", "backports.zstd", "compression.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    for found in (brotli_library, zstd_library):
        found.cache_clear()
    yield
    monkeypatch.undo()
    for found in (brotli_library, zstd_library):
        found.cache_clear()


@pytest.mark.parametrize("codings", ["gzip", "deflate", "br", "zstd", "br, zstd, gzip"])
async def test_all_codings_are_offered_and_undone(serve: Any, codings: str) -> None:
    """Z5, Z8."""
    encoder = make_encoder(codings)
    coded = encoder.encode(TEXT) + encoder.flush()
    async with serve(answer(coded, codings)) as (session, server):
        response = await session.get("/")
        assert await response.read() == TEXT
        offered = server.peers[0].requests[0].get("accept-encoding")
        assert offered == "gzip, deflate, br, zstd"


@pytest.mark.parametrize(("coding", "extra"), [("br", "brotli"), ("zstd", "zstd")])
async def test_z8_a_missing_library_is_named(
    bare: None, serve: Any, coding: str, extra: str
) -> None:
    """Z8: a server that uses what nobody offered."""
    async with serve(answer(b"coded", coding)) as (session, _):
        with pytest.raises(ContentEncodingError, match=rf"wayfare-http-core\[{extra}\]") as caught:
            await session.get("/")
        assert caught.value.request_info is not None
        assert session.connector.stats().leased == 0


@pytest.mark.parametrize("codings", ["br", "zstd", ", ".join(6 * ["gzip"])])
async def test_z11_no_content_needs_no_decoder(bare: None, serve: Any, codings: str) -> None:
    """Z11: a coding that cannot be undone is no error where there is nothing to undo."""
    head = f"HTTP/1.1 200 OK\nContent-Encoding: {codings}\nContent-Length: 99"
    async with serve(head) as (session, _):
        response = await session.head("/")
        assert await response.read() == b""
        assert session.connector.stats().idle == 1
