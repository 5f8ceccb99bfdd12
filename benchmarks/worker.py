"""The short-lived process of one round: reads a job from its argument, prints the outcome.

The outcome is the last line of standard output, whatever a client may print before.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

from benchmarks.cases.load import measure_requests, measure_transfer, run_requests
from benchmarks.cases.memory import measure_idle
from benchmarks.clients import opener_of
from benchmarks.contract import Client
from benchmarks.job import Action, Failure, Job, Loop, Outcome, Sample

_MEASURES: dict[Action, Callable[[Client, Job], Awaitable[Sample]]] = {
    "requests": measure_requests,
    "download": measure_transfer,
    "upload": measure_transfer,
    "upload_stream": measure_transfer,
    "idle": measure_idle,
    "count": run_requests,
}


def perform(job: Job) -> Outcome:
    """Measure what `job` says; any error of the client becomes a `Failure`."""
    try:
        # Before any client is imported: native runtimes count the cores when they start.
        if job.cpu is not None:
            os.sched_setaffinity(0, {job.cpu})
        with asyncio.Runner(loop_factory=loop_factory(job.loop)) as runner:
            return runner.run(_measure(job))
    except Exception as error:
        return Failure(_in_one_line(error))


async def _measure(job: Job) -> Sample:
    async with opener_of(job.client)(job.settings()) as client:
        return await _MEASURES[job.action](client, job)


def loop_factory(loop: Loop) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes a `loop`; None makes asyncio's own."""
    if loop == "asyncio":
        return None
    import uvloop

    return uvloop.new_event_loop


def _in_one_line(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300]


def main() -> None:
    """Run the job given as the only argument, and leave at once.

    The interpreter is not finalised: it may abort there when a native client's threads still run
    (pyreqwest 0.15 and pyqwest 0.12 do now and then), which is after all that is measured.
    """
    outcome = perform(Job.from_json(sys.argv[1]))
    sys.stdout.write("\n" + outcome.to_json() + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
