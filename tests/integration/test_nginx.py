"""The client against nginx, a server that is not ours and that millions of others run."""

import asyncio
import hashlib
import os
import ssl
from collections.abc import AsyncIterator

import pytest
import wayfare

pytestmark = pytest.mark.needs("nginx")


def content_of(octets: int) -> bytes:
    """What scripts/services.sh puts into the files it serves."""
    blocks = (hashlib.sha256(str(number).encode()).digest() for number in range(octets // 32))
    return b"".join(blocks)


@pytest.fixture
def base() -> str:
    """The address of the plain server."""
    return os.environ["WAYFARE_NGINX_URL"] + "/"


@pytest.fixture
async def session(base: str) -> AsyncIterator[wayfare.ClientSession]:
    """A session with the plain server as its base URL."""
    async with wayfare.ClientSession(base) as opened:
        yield opened


async def test_a_file_arrives_whole(session: wayfare.ClientSession) -> None:
    async with session.get("files/1m.bin") as response:
        assert response.status == 200
        assert await response.read() == content_of(1024 * 1024)


async def test_a_file_arrives_in_pieces(session: wayfare.ClientSession) -> None:
    digest = hashlib.sha256()
    async with session.get("files/1m.bin") as response:
        async for piece in response.content.iter_chunked(10_000):
            assert len(piece) <= 10_000
            digest.update(piece)
    assert digest.digest() == hashlib.sha256(content_of(1024 * 1024)).digest()


async def test_a_range_is_a_part(session: wayfare.ClientSession) -> None:
    async with session.get("files/1k.bin", headers={"Range": "bytes=100-199"}) as response:
        assert response.status == 206
        assert response.headers["Content-Range"] == "bytes 100-199/1024"
        assert await response.read() == content_of(1024)[100:200]


async def test_gzip_in_chunks_is_decoded(session: wayfare.ClientSession) -> None:
    async with session.get("gzip/words.txt") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Transfer-Encoding"] == "chunked"
        line = "the quick brown fox jumps over the lazy dog\n"
        assert await response.text() == line * 2000


async def test_head_has_no_content(session: wayfare.ClientSession) -> None:
    async with session.head("files/1m.bin") as response:
        assert response.headers["Content-Length"] == str(1024 * 1024)
        assert await response.read() == b""


async def test_an_upload_is_stored_and_comes_back(session: wayfare.ClientSession) -> None:
    content = content_of(1024 * 1024)
    name = f"upload/{os.urandom(8).hex()}"
    async with session.put(name, data=content) as response:
        assert response.status == 201
    async with session.get(name) as response:
        assert await response.read() == content
    async with session.delete(name) as response:
        assert response.status == 204


async def test_connections_are_reused_where_the_server_allows_it(
    session: wayfare.ClientSession,
) -> None:
    for _ in range(10):
        async with session.get("files/1k.bin") as response:
            assert await response.read() == content_of(1024)
    assert session.connector.stats().created == 1


@pytest.mark.parametrize(("folder", "per_connection"), [("close", 1), ("few", 2)])
async def test_a_server_that_closes_costs_no_request(
    session: wayfare.ClientSession, folder: str, per_connection: int
) -> None:
    for _ in range(6):
        async with session.get(f"{folder}/1k.bin") as response:
            assert await response.read() == content_of(1024)
    assert session.connector.stats().created == 6 // per_connection


async def test_a_hundred_at_once_share_ten_connections(base: str) -> None:
    async def one(session: wayfare.ClientSession) -> bytes:
        async with session.get("files/1k.bin") as response:
            return await response.read()

    connector = wayfare.TCPConnector(limit=10)
    async with wayfare.ClientSession(base, connector=connector) as session:
        answers = await asyncio.gather(*(one(session) for _ in range(100)))
        assert answers == [content_of(1024)] * 100
        assert connector.stats().created <= 10


async def test_a_missing_file_is_an_answer(session: wayfare.ClientSession) -> None:
    async with session.get("files/nothing") as response:
        assert response.status == 404
        assert not response.ok


class TestTLS:
    """The same server behind TLS, with a certificate that only we trust."""

    @pytest.fixture
    def secure_base(self) -> str:
        return os.environ["WAYFARE_NGINX_TLS_URL"] + "/"

    async def test_a_trusted_certificate_is_accepted(self, secure_base: str) -> None:
        context = ssl.create_default_context(cafile=os.environ["WAYFARE_NGINX_CERTIFICATE"])
        connector = wayfare.TCPConnector(ssl=context)
        async with (
            wayfare.ClientSession(secure_base, connector=connector) as session,
            session.get("files/1m.bin") as response,
        ):
            assert await response.read() == content_of(1024 * 1024)

    async def test_an_unknown_certificate_is_refused(self, secure_base: str) -> None:
        async with wayfare.ClientSession(secure_base) as session:
            with pytest.raises(wayfare.ClientConnectorCertificateError):
                async with session.get("files/1k.bin"):
                    pytest.fail("a certificate that nobody vouches for was accepted")
