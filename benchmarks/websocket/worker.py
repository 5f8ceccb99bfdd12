"""The short-lived process of one round: `python -m benchmarks.websocket.worker JOB` prints the outcome."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from benchmarks.cases.memory import give_back, resident
from benchmarks.contract import WrongAnswerError
from benchmarks.core_load import CoreLoad
from benchmarks.job import Action, Failure, Job, Outcome, Sample
from benchmarks.websocket.adapters import ADAPTERS, Open


class _Stopwatch:
    """Measures from its making on."""

    def __init__(self, cpu: int | None) -> None:
        self._load = CoreLoad(cpu)
        self._begun = time.perf_counter()
        self._computed = time.process_time()

    def sample(self, done: int) -> Sample:
        """So much was done: how much per second, and what it cost."""
        elapsed = time.perf_counter() - self._begun
        details = {"cpu_us": (time.process_time() - self._computed) / done * 1e6}
        others = self._load.others()
        return Sample(done / elapsed, details if others is None else {**details, "others": others})


async def _echo(opener: Open, job: Job) -> Sample:
    """Round trips per second, over so many connections at once."""
    payload = bytes(job.size)

    async def for_seconds(seconds: float) -> int:
        until = time.perf_counter() + seconds
        return sum(await asyncio.gather(*(each.echo(payload, until) for each in conversations)))

    async with AsyncExitStack() as stack:
        conversations = [
            await stack.enter_async_context(opener(job.url, False)) for _ in range(job.concurrency)
        ]
        await for_seconds(job.warmup)
        stopwatch = _Stopwatch(job.cpu)
        return stopwatch.sample(await for_seconds(job.seconds))


async def _flood(opener: Open, job: Job) -> Sample:
    """Messages per second that one task sends, until the peer has answered behind the last one."""
    async with opener(job.url, False) as conversation:
        await conversation.flood("x" * job.size, job.requests // 20)
        stopwatch = _Stopwatch(job.cpu)
        await conversation.flood("x" * job.size, job.requests)
        return stopwatch.sample(job.requests)


async def _idle(opener: Open, job: Job) -> Sample:
    """KiB of resident memory for each connection that was used once and is idle."""
    compress = job.action == "idle_deflate"
    payload = os.urandom(job.size // 2) + bytes(job.size // 2)
    async with AsyncExitStack() as stack:

        async def open_one() -> None:
            conversation = await stack.enter_async_context(opener(job.url, compress))
            if not await conversation.echo(payload, 0.0):
                raise WrongAnswerError("nothing was sent")

        for _ in range(5):
            await open_one()
        give_back()
        before = resident()
        for _ in range(job.concurrency):
            await open_one()
        give_back()
        return Sample((resident() - before) / job.concurrency / 1024, {})


MEASURES: dict[Action, Callable[[Open, Job], Awaitable[Sample]]] = {
    "echo": _echo,
    "flood": _flood,
    "idle": _idle,
    "idle_deflate": _idle,
}


def perform(job: Job) -> Outcome:
    """Measure what `job` says; any error of the client becomes a `Failure`."""
    try:
        if job.cpu is not None:
            os.sched_setaffinity(0, {job.cpu})
        return asyncio.run(measured(job))
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}"[:300])


async def measured(job: Job) -> Sample:
    """Measure in the running loop."""
    return await MEASURES[job.action](ADAPTERS[job.client], job)


def main() -> None:
    """Run the job given as the only argument."""
    outcome = perform(Job.from_json(sys.argv[1]))
    sys.stdout.write("\n" + outcome.to_json() + "\n")


if __name__ == "__main__":
    main()
