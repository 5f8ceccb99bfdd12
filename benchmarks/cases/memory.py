"""Memory of an idle connection: how much a process grows when it opens many and leaves them."""

import asyncio
import ctypes
import gc
import os
import sys
from pathlib import Path

from benchmarks.contract import Client, WrongAnswerError
from benchmarks.job import Job, Sample


async def measure_idle(client: Client, job: Job) -> Sample:
    """Return KiB of resident memory per idle keep-alive connection.

    The URL must be one that takes about a second to answer, so that `job.concurrency` requests
    need as many connections. The growth is divided by the connections really left open.
    Details: `connections`.

    Raises:
        WrongAnswerError: an answer is wrong, or the client kept fewer than half of the connections.
    """
    await _get(client, job)
    await _settle()
    memory, sockets = resident(), open_sockets()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(job.concurrency):
            tasks.create_task(_get(client, job))
    await _settle()
    grown, opened = resident() - memory, open_sockets() - sockets
    if opened < job.concurrency // 2:
        raise WrongAnswerError(f"only {opened} of {job.concurrency} connections were kept")
    return Sample(grown / opened / 1024, {"connections": opened})


def resident() -> int:
    """Return the resident memory of this process in octets (Linux)."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def open_sockets() -> int:
    """Return the number of sockets that this process has open (Linux)."""
    return sum(_is_socket(entry) for entry in Path("/proc/self/fd").iterdir())


def give_back(*, collect: bool = True) -> None:
    """Collect garbage, and make the C library return free memory to the system (glibc)."""
    if collect:
        gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def _is_socket(entry: Path) -> bool:
    try:
        return os.readlink(entry).startswith("socket:")
    except FileNotFoundError:  # the descriptor of this very listing
        return False


async def _settle() -> None:
    """Let the client finish what it does behind a response, and drop what nobody uses."""
    await asyncio.sleep(0.3)
    give_back()


async def _get(client: Client, job: Job) -> None:
    status, body = await client.get(job.url)
    if status != 200 or len(body) != job.size:
        raise WrongAnswerError(f"status {status}, {len(body)} octets")
