"""`python -m benchmarks.profile_get`: small GETs, 50 at once, to look into.

With `--profile` cProfile runs along and the functions that cost most are printed (it makes calls
dear, so read the counts and the order, not the times). Without, it is a bare loop with a figure per
second, for `perf record`, `py-spy record --pid` or an eye on it while a module is edited.
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.cases.load import measure_requests, run_requests
from benchmarks.clients import CLIENTS, SUBJECT, opener_of
from benchmarks.job import Job
from benchmarks.rounds import cores
from benchmarks.server import nginx
from benchmarks.worker import loop_factory


async def profiled(job: Job) -> cProfile.Profile:
    """Return the profile of `job.requests` requests, after a warm-up of two per task."""
    async with opener_of(job.client)(job.settings()) as client:
        await run_requests(client, replace(job, requests=job.concurrency * 2))
        profile = cProfile.Profile()
        with profile:
            await run_requests(client, job)
    return profile


async def looped(job: Job) -> None:
    """Send about `job.requests` requests, and print how fast they were in each second."""
    sent = 0.0
    async with opener_of(job.client)(job.settings()) as client:
        while sent < job.requests:
            sample = await measure_requests(client, job)
            sent += sample.details["requests"]
            _say(f"{sample.value:10,.0f} requests/s {sample.details['cpu_us']:8.2f} µs CPU each")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    client_cpu, server_cpu = cores()
    with nginx.running(server_cpu) as server:
        if client_cpu is not None:
            os.sched_setaffinity(0, {client_cpu})
        job = Job(
            client=options.client,
            action="count",
            url=(server.tls if options.tls else server.plain) + "/small",
            size=nginx.SMALL,
            concurrency=options.concurrency,
            warmup=0.0,
            requests=options.requests,
            ca_file=str(server.ca_file) if options.tls else None,
        )
        with asyncio.Runner(loop_factory=loop_factory(options.loop)) as runner:
            if not options.profile:
                _say(f"process {os.getpid()}")
                runner.run(looped(job))
                return 0
            found = pstats.Stats(runner.run(profiled(job)), stream=sys.stdout)
            found.sort_stats(options.sort).print_stats(options.lines)
            if options.output:
                found.dump_stats(options.output)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile_get", description=__doc__)
    parser.add_argument("--client", choices=CLIENTS, default=SUBJECT)
    parser.add_argument("--requests", type=int, default=100_000, help="how many (100000)")
    parser.add_argument("--concurrency", type=int, default=50, help="tasks (50)")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    parser.add_argument("--tls", action="store_true", help="over TLS")
    parser.add_argument("--profile", action="store_true", help="under cProfile")
    parser.add_argument("--sort", default="tottime", help="how to sort the profile (tottime)")
    parser.add_argument("--lines", type=int, default=40, help="lines of the profile (40)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the profile here, too")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
