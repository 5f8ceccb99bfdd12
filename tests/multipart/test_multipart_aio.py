"""Bodies for asyncio: files are read in threads, and a pass may be given up at any moment."""

import asyncio
import io
import threading
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from wayfare_http_core import FileBody, RequestBody
from wayfare_multipart import (
    BytesPayload,
    FormData,
    IOBasePayload,
    IterablePayload,
    Payload,
    get_payload,
)
from wayfare_multipart._file_payloads import _cached as octets_cached
from wayfare_multipart._segments import PIECE
from wayfare_multipart.aio import AsyncBody, async_body

BIG = bytes(range(256)) * (PIECE // 100)


async def octets(body: AsyncBody) -> bytes:
    return b"".join([piece async for piece in body.chunks()])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "big.bin"
    path.write_bytes(BIG)
    return path


class Watched(io.BytesIO):
    """A file that remembers which threads read it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.threads: set[int] = set()

    def read(self, size: int | None = -1, /) -> bytes:
        self.threads.add(threading.get_ident())
        return super().read(size)


async def test_files_are_read_by_threads() -> None:
    file = Watched(BIG)
    body = async_body(IOBasePayload(file))
    assert await octets(body) == await octets(body) == BIG
    assert threading.get_ident() not in file.threads
    assert file.threads


async def test_a_form_with_a_file_and_an_async_part(path: Path) -> None:
    async def give() -> AsyncIterator[bytes]:
        yield b"later"
        yield b""

    with path.open("rb") as file:
        form = FormData({"text": "é", "file": file})
        form.add_field("stream", give(), filename="s")
        payload = form()
        body = async_body(payload)
        assert isinstance(body, RequestBody)
        assert not isinstance(body, FileBody)
        assert (body.content_type, body.length, body.replayable) == (
            payload.content_type,
            None,
            True,
        )
        sent = await octets(body)
        assert BIG in sent
        assert b"later\r\n" in sent
        assert not body.replayable


async def test_a_file_alone_may_be_left_to_the_kernel(path: Path) -> None:
    with path.open("rb") as file:
        body = async_body(get_payload(file))
        assert isinstance(body, FileBody)
        assert body.file_range() == (file, 0, len(BIG))
        assert (body.length, body.replayable) == (len(BIG), True)
        assert await octets(body) == BIG


@pytest.mark.parametrize(
    ("missing", "pieces"),
    [
        ((), 0),
        ((0,), 1),
        ((PIECE - 1,), 1),
        ((PIECE,), 1),
        ((PIECE - 1, PIECE), 2),
        ((len(BIG) - 1,), 1),
    ],
)
async def test_what_the_system_has_in_memory_needs_no_thread(
    path: Path, monkeypatch: pytest.MonkeyPatch, missing: tuple[int, ...], pieces: int
) -> None:
    """A piece of which it lacks the beginning or the end is left to one, and no other piece is."""
    loop = asyncio.get_running_loop()
    threads: list[object] = []

    def run_in_executor(executor: None, call: Any) -> Any:
        threads.append(call)
        return usual(executor, call)

    def cached(descriptor: int, at: int, wanted: int) -> int:
        there = [each not in missing and each < len(BIG) for each in range(at, at + wanted)]
        return [*there, False].index(False)

    usual = loop.run_in_executor
    monkeypatch.setattr(loop, "run_in_executor", run_in_executor)
    monkeypatch.setattr("wayfare_multipart._file_payloads._cached", cached)
    with path.open("rb") as file:
        assert await octets(async_body(get_payload(file))) == BIG
    assert len(threads) == pieces


def test_a_system_that_does_not_say_what_it_has_in_memory() -> None:
    assert octets_cached(-1, 0, 1) == 0


async def test_blocking_iterators_run_in_threads() -> None:
    here = threading.get_ident()
    seen: list[bool] = []

    def give() -> Any:
        for piece in (b"a", b"b"):
            seen.append(threading.get_ident() == here)
            yield piece

    assert await octets(async_body(IterablePayload(give()))) == b"ab"
    assert seen == [False, False]


@pytest.mark.parametrize("payload", [BytesPayload(b"abc"), BytesPayload(b"")])
async def test_what_is_in_memory_needs_no_thread(payload: Payload) -> None:
    assert await octets(async_body(payload)) == b"".join(payload.iter_bytes())


class Slow(io.BytesIO):
    """A file whose reading waits for a gate."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.gate = threading.Event()
        self.reading = threading.Event()

    def read(self, size: int | None = -1, /) -> bytes:
        self.reading.set()
        self.gate.wait()
        return super().read(size)


async def test_a_pass_that_is_given_up_does_not_disturb_the_next() -> None:
    """Cancellation: a thread is still reading when the next pass begins."""
    file = Slow(BIG)
    body = async_body(IOBasePayload(file))
    first = asyncio.ensure_future(octets(body))
    await asyncio.to_thread(file.reading.wait)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.ensure_future(octets(body))
    await asyncio.sleep(0)
    file.gate.set()
    assert await second == BIG


async def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large"
    size = 256 * 1024 * 1024
    with path.open("wb") as file:
        file.truncate(size)
    with path.open("rb") as file:
        form = FormData({"file": file})()
        for warming in (True, False):
            tracemalloc.start()
            try:
                sent = 0
                async for piece in async_body(form).chunks():
                    sent += len(piece)
                    if warming:
                        break
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
    assert sent > size
    assert peak < 2 * 1024 * 1024
