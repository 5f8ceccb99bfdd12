"""Requests and transfers for a given time: how many, how fast, at what cost of processor time."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

from benchmarks.contract import Client, WrongAnswerError
from benchmarks.job import Job, Sample

_MIB = 1 << 20

_PIECE = bytes(64 << 10)
"""One piece of a streamed upload."""

_OVERHEAD = 256 << 10
"""Octets that an upload's head and chunk framing may add to its body, generously."""

Step: TypeAlias = Callable[[], Awaitable[None]]
"""One request, checked; it raises when the answer is wrong."""


async def measure_requests(client: Client, job: Job) -> Sample:
    """Return requests per second of `job.concurrency` tasks that each send one after the other.

    Details: `cpu_us`, processor time per request in microseconds, of all threads of the process.
    """
    step = _get(client, job)
    await _drive(step, job.concurrency, job.warmup)
    done, elapsed, cpu = await _timed(step, job)
    return Sample(done / elapsed, {"cpu_us": cpu / done * 1e6, "requests": done})


async def measure_transfer(client: Client, job: Job) -> Sample:
    """Return MiB per second of transfers of `job.size` octets, one after the other.

    Details: `cpu_us`, processor time per MiB in microseconds.
    """
    step = {"download": _download, "upload": _upload, "upload_stream": _upload_stream}[job.action](
        client, job
    )
    await step()
    done, elapsed, cpu = await _timed(step, job)
    volume = done * job.size / _MIB
    return Sample(volume / elapsed, {"cpu_us": cpu / volume * 1e6, "requests": done})


async def run_requests(client: Client, job: Job) -> Sample:
    """Send exactly `job.requests` requests over `job.concurrency` tasks; return their number.

    For a counter outside of the process, which knows no time.
    """
    step = _get(client, job)
    left = job.requests

    async def one_after_the_other() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await step()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(job.concurrency):
            tasks.create_task(one_after_the_other())
    return Sample(float(job.requests), {})


async def _timed(step: Step, job: Job) -> tuple[int, float, float]:
    """Return the steps done in about `job.seconds`, the seconds gone and the seconds computed."""
    gc.collect()
    cpu, start = time.process_time(), time.perf_counter()
    done = await _drive(step, job.concurrency, job.seconds)
    return done, time.perf_counter() - start, time.process_time() - cpu


async def _drive(step: Step, concurrency: int, seconds: float) -> int:
    """Repeat `step` in `concurrency` tasks until `seconds` are over; return how often it ran."""
    clock = time.perf_counter
    deadline = clock() + seconds

    async def repeat() -> int:
        done = 0
        while True:
            await step()
            done += 1
            if clock() >= deadline:
                return done

    if concurrency == 1:
        return await repeat()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(repeat()) for _ in range(concurrency)]
    return sum(task.result() for task in tasks)


def _get(client: Client, job: Job) -> Step:
    get, url, size = client.get, job.url, job.size

    async def step() -> None:
        status, body = await get(url)
        if status != 200 or len(body) != size:
            raise WrongAnswerError(f"status {status}, {len(body)} octets")

    return step


def _download(client: Client, job: Job) -> Step:
    async def step() -> None:
        status, octets = await client.download(job.url)
        if status != 200 or octets != job.size:
            raise WrongAnswerError(f"status {status}, {octets} octets")

    return step


def _upload(client: Client, job: Job) -> Step:
    body = bytes(job.size)

    async def step() -> None:
        _check_upload(job, *await client.upload(job.url, body))

    return step


def _upload_stream(client: Client, job: Job) -> Step:
    async def step() -> None:
        _check_upload(job, *await client.upload_stream(job.url, _pieces(job.size)))

    return step


async def _pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // len(_PIECE)):
        yield _PIECE


def _check_upload(job: Job, status: int, answer: bytes) -> None:
    """The server answers with the octets that it read: head, framing and body."""
    counted = int(answer) if answer.isdigit() else 0
    if status != 200 or not job.size < counted < job.size + _OVERHEAD:
        raise WrongAnswerError(f"status {status}, the server counted {answer[:40]!r} octets")
