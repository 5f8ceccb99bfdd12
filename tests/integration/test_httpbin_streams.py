"""Bodies that arrive in pieces, large ones, and timeouts while they do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
from collections.abc import AsyncIterator

import pytest
from wayfare import (
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ServerTimeoutError,
    SocketTimeoutError,
)

LARGE = 100_000_000
MEDIUM = 5_000_000
IN_ONE_PIECE = 1_000_000  # Beyond 1 MiB a client may warn that bytes are better sent in pieces.

# --- Streams ---


async def test_lines_come_one_by_one(client: ClientSession) -> None:
    async with client.get("/stream/20") as response:
        events = [json.loads(line) async for line in response.content]
    assert [event["id"] for event in events] == list(range(20))


@pytest.mark.parametrize("size", [1, 100, 4096, 1_000_000])
async def test_iter_chunked_gives_pieces_of_at_most_that_size(
    client: ClientSession, size: int
) -> None:
    params = {"seed": "11", "chunk_size": "1000"}
    async with client.get("/stream-bytes/10000", params=params) as response:
        pieces = [piece async for piece in response.content.iter_chunked(size)]
    generator = random.Random(11)
    assert b"".join(pieces) == bytes(generator.randint(0, 255) for _ in range(10_000))
    assert max(map(len, pieces)) <= size
    assert all(pieces)


async def test_iter_any_gives_everything_once(client: ClientSession) -> None:
    params = {"seed": "12", "chunk_size": "77"}
    async with client.get("/stream-bytes/5000", params=params) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        body = b"".join([piece async for piece in response.content.iter_any()])
    generator = random.Random(12)
    assert body == bytes(generator.randint(0, 255) for _ in range(5000))


async def test_a_body_that_drips_comes_whole(client: ClientSession) -> None:
    params = {"numbytes": "5", "duration": "0.2", "code": "202"}
    async with client.get("/drip", params=params) as response:
        assert response.status == 202
        first = await response.content.readany()
        assert first  # Here while the rest is still to come.
        assert first + await response.content.read() == b"*****"


async def test_exact_reads_across_the_servers_pieces(client: ClientSession) -> None:
    params = {"chunk_size": "7"}
    async with client.get("/range/52", params=params) as response:
        assert await response.content.readexactly(10) == b"abcdefghij"
        assert await response.content.readexactly(16) == b"klmnopqrstuvwxyz"
        assert await response.content.read() == b"abcdefghijklmnopqrstuvwxyz"
        assert response.content.at_eof()


# --- Large bodies ---


async def digest_of(response: ClientResponse) -> tuple[int, str]:
    """Read the body piece by piece; return its size and its SHA-256 as Repr-Digest has it."""
    digest = hashlib.sha256()
    size = 0
    async for piece in response.content.iter_chunked(2**18):
        digest.update(piece)
        size += len(piece)
    return size, f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"


@pytest.mark.parametrize("suffix", ["", "/chunked"], ids=["sized", "chunked"])
async def test_a_download_of_100_mb_is_intact(
    client: ClientSession, bodies: str, suffix: str
) -> None:
    async with client.get(f"{bodies}/download/{LARGE}{suffix}") as response:
        assert await digest_of(response) == (LARGE, response.headers["Repr-Digest"])


async def test_a_body_of_some_megabytes_can_be_read_at_once(
    client: ClientSession, bodies: str
) -> None:
    async with client.get(f"{bodies}/download/{MEDIUM}/chunked") as response:
        body = await response.read()
    assert len(body) == MEDIUM
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert response.headers["Repr-Digest"] == f"sha-256=:{digest}:"


async def test_a_download_can_be_left_halfway(client: ClientSession, bodies: str) -> None:
    async with client.get(f"{bodies}/download/{LARGE}") as response:
        assert await response.content.readexactly(1000)
    async with client.get(f"{bodies}/download/10") as response:
        assert len(await response.read()) == 10


async def test_a_large_upload_of_bytes_arrives_intact(client: ClientSession, bodies: str) -> None:
    body = random.Random(1).randbytes(IN_ONE_PIECE)
    async with client.post(f"{bodies}/upload", data=body) as response:
        answer = await response.json()
    digest = hashlib.sha256(body).hexdigest()
    assert answer == {"bytes": IN_ONE_PIECE, "sha-256": digest, "framing": "content-length"}


async def test_a_large_upload_of_pieces_arrives_intact(client: ClientSession, bodies: str) -> None:
    body = random.Random(2).randbytes(MEDIUM)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, MEDIUM, 70_001):
            yield body[start : start + 70_001]

    async with client.put(f"{bodies}/upload", data=pieces()) as response:
        answer = await response.json()
    digest = hashlib.sha256(body).hexdigest()
    assert answer == {"bytes": MEDIUM, "sha-256": digest, "framing": "chunked"}


# --- Timeouts and cancellation ---


async def test_a_slow_answer_within_the_timeout(client: ClientSession) -> None:
    async with client.get("/delay/0.1", timeout=ClientTimeout(total=30)) as response:
        assert response.status == 200


async def test_the_total_timeout_covers_the_wait_for_the_head(client: ClientSession) -> None:
    with pytest.raises(TimeoutError):
        await client.get("/delay/10", timeout=ClientTimeout(total=0.1))


async def test_the_total_timeout_covers_the_body(client: ClientSession) -> None:
    """The head comes at once, unless the machine is busy: then the time is over before it is there."""
    params = {"numbytes": "2", "duration": "20"}
    with pytest.raises(TimeoutError):
        async with client.get("/drip", params=params, timeout=ClientTimeout(total=0.3)) as response:
            await response.read()


@pytest.mark.parametrize(
    "path", ["/delay/10", "/drip?numbytes=2&duration=20"], ids=["head", "body"]
)
async def test_the_read_timeout_covers_every_pause(client: ClientSession, path: str) -> None:
    with pytest.raises(SocketTimeoutError) as caught:
        async with client.get(path, timeout=ClientTimeout(sock_read=0.1)) as response:
            await response.read()
    assert isinstance(caught.value, ServerTimeoutError)
    assert isinstance(caught.value, TimeoutError)


async def test_the_read_timeout_allows_a_long_body_of_short_pauses(client: ClientSession) -> None:
    params = {"numbytes": "12", "duration": "6"}
    timeout = ClientTimeout(sock_read=5)
    async with client.get("/drip", params=params, timeout=timeout) as response:
        assert await response.read() == b"*" * 12


async def test_a_number_is_a_total_timeout(client: ClientSession) -> None:
    with pytest.raises(TimeoutError):
        await client.get("/delay/10", timeout=0.1)


async def test_the_sessions_timeout_and_the_request_that_has_its_own(httpbin: str) -> None:
    async with ClientSession(httpbin, timeout=ClientTimeout(total=0.2)) as session:
        with pytest.raises(TimeoutError):
            await session.get("/delay/10")
        async with session.get("/delay/0.4", timeout=ClientTimeout(total=30)) as response:
            assert response.status == 200


async def test_the_session_goes_on_after_a_timeout(client: ClientSession) -> None:
    with pytest.raises(TimeoutError):
        await client.get("/delay/10", timeout=ClientTimeout(total=0.05))
    async with client.get("/get") as response:
        assert (await response.json())["url"].endswith("/get")


async def test_a_request_can_be_cancelled_while_it_waits_for_the_head(
    client: ClientSession,
) -> None:
    async def slow() -> None:
        await client.get("/delay/10")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(slow(), 0.1)
    async with client.get("/get") as response:
        assert response.status == 200


async def test_a_request_can_be_cancelled_while_it_reads_the_body(client: ClientSession) -> None:
    async with client.get("/drip", params={"numbytes": "2", "duration": "20"}) as response:
        assert await response.content.readexactly(1) == b"*"
        task = asyncio.create_task(response.content.readexactly(1))
        await asyncio.sleep(0)  # One turn of the loop: the task now waits for the second octet.
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with client.get("/get") as response:
        assert response.status == 200
