"""A program: upload a large file, download it again, and say what memory that took. Linux only.

    python large_transfer.py URL FILE KIND

URL takes PUT, GET and DELETE, KIND is how the file is sent: "file" or "form"; with "saved" and "parts" it is sent as
a file and downloaded into another one, over one connection or four. A small file goes the same way first, so that
what loads once does not count. Prints, for each direction, the octets of content, the peak of
tracemalloc and the growth of the resident set, in octets each, as JSON.
"""

import asyncio
import json
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO

import wayfare

PIECE = 64 * 1024
SMALL = 40 * 1024 * 1024  # several parts, where it comes in parts


def memory(name: str) -> int:
    """A line of this process's status in the proc file system, in octets."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        label, _, value = line.partition(":")
        if label == name:
            return int(value.split()[0]) * 1024
    raise LookupError(name)


async def upload(session: wayfare.ClientSession, url: str, file: BinaryIO, kind: str) -> int:
    """Send the file, and return how many octets were sent."""
    tracker = wayfare.UploadTracker()
    async with session.put(
        url, data={"file": file} if kind == "form" else file, upload_tracker=tracker
    ) as response:
        assert response.status in {201, 204}
    await tracker.upload_complete
    return tracker.bytes_written


async def download(session: wayfare.ClientSession, url: str, file: BinaryIO, kind: str) -> int:
    """Read what was sent, compare it with the file, and return its octets."""
    octets = 0
    async with session.get(url) as response:
        assert response.status == 200
        if kind == "form":  # the head of the part
            await response.content.readuntil(b"\r\n\r\n")
        async for piece in response.content.iter_chunked(PIECE):
            expected = file.read(len(piece))
            assert piece.startswith(expected)
            assert len(piece) == len(expected) or kind == "form"
            octets += len(piece)
    assert not file.read(1)
    return octets


async def save(session: wayfare.ClientSession, url: str, file: BinaryIO, kind: str) -> int:
    """Download what was sent into another file, compare the two, and return the octets."""
    path = Path(file.name).with_suffix(".copy")
    saved = await session.download(url, path, connections=4 if kind == "parts" else 1)
    with path.open("rb") as copy:
        while piece := copy.read(PIECE):
            assert piece == file.read(PIECE)
    assert not file.read(1)
    path.unlink()
    return saved.size


def begin_peak_anew() -> None:
    """Let `VmHWM` and the peak of tracemalloc start from what is held now (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    tracemalloc.reset_peak()


async def measured(transfer: Callable[[], Awaitable[int]]) -> dict[str, int]:
    """What a transfer moved and took."""
    begin_peak_anew()
    before = memory("VmRSS")
    held = tracemalloc.get_traced_memory()[0]
    octets = await transfer()
    peak = tracemalloc.get_traced_memory()[1] - held
    return {"octets": octets, "traced": peak, "resident": memory("VmHWM") - before}


async def main(url: str, path: str, kind: str) -> None:
    """Warm up, measure, tell, and leave nothing behind."""
    tracemalloc.start()
    small = Path(path).with_name("small")
    small.write_bytes(bytes(SMALL))
    told = {}
    async with wayfare.ClientSession(timeout=wayfare.ClientTimeout(total=None)) as session:
        for name in (small, Path(path)):
            for way in (upload, download if kind in ("file", "form") else save):
                with name.open("rb") as file:
                    told[way.__name__] = await measured(lambda: way(session, url, file, kind))  # noqa: B023 # awaited at once
        async with session.delete(url) as response:
            assert response.status == 204
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
