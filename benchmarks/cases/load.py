"""Requests and transfers for a given time: how many, how fast, at what cost of processor time."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.contract import Client, WrongAnswerError
from benchmarks.core_load import CoreLoad
from benchmarks.job import Job, Sample

_MIB = 1 << 20

_PIECE = bytes(64 << 10)
"""One piece of a streamed upload."""

_OVERHEAD = 256 << 10
"""Octets that an upload's head and chunk framing may add to its body, generously."""

Step: TypeAlias = Callable[[], Awaitable[None]]
"""One request, checked; it raises when the answer is wrong."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Steps done, the seconds gone, the seconds that all threads of the process computed, and others' part."""

    done: int
    elapsed: float
    computed: float
    others: float | None

    def details(self, amount: float) -> dict[str, float]:
        """Return `requests`, `cpu_us` (microseconds computed for each of `amount`), and `others` where known."""
        found = {"requests": float(self.done), "cpu_us": self.computed / amount * 1e6}
        return found if self.others is None else {**found, "others": self.others}


async def measure_requests(client: Client, job: Job) -> Sample:
    """Return requests per second of `job.concurrency` tasks that each send one after the other.

    Details: see `Timing.details`, per request.
    """
    step = _get(client, job)
    await _drive(step, job.concurrency, job.warmup)
    timing = await _timed(step, job)
    return Sample(timing.done / timing.elapsed, timing.details(timing.done))


async def measure_transfer(client: Client, job: Job) -> Sample:
    """Return MiB per second of transfers of `job.size` octets, one after the other.

    Details: see `Timing.details`, per MiB.
    """
    step = {"download": _download, "upload": _upload, "upload_stream": _upload_stream}[job.action](
        client, job
    )
    await step()
    timing = await _timed(step, job)
    volume = timing.done * job.size / _MIB
    return Sample(volume / timing.elapsed, timing.details(volume))


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


async def _timed(step: Step, job: Job) -> Timing:
    """Repeat `step` for about `job.seconds`."""
    gc.collect()
    load = CoreLoad(job.cpu)
    cpu, start = time.process_time(), time.perf_counter()
    done = await _drive(step, job.concurrency, job.seconds)
    elapsed, computed = time.perf_counter() - start, time.process_time() - cpu
    return Timing(done, elapsed, computed, load.others())


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
