"""`python -m benchmarks.websocket`: echoes, a flood and idle WebSockets, beside aiohttp, picows and `websockets`.

All against one server, in one run, alternating round by round, on asyncio, one core for the client and one for the
server.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.cases import Case
from benchmarks.job import Job
from benchmarks.results import Result
from benchmarks.rounds import cores, interleave, run_worker
from benchmarks.summary import Roles, summarise
from benchmarks.table import render
from benchmarks.websocket.adapters import ADAPTERS
from benchmarks.websocket.server import Servers, running

WORKER = "benchmarks.websocket.worker"
ROLES = Roles("wayfare", "aiohttp", frozenset())


def _echo(name: str, size: int, words: str, connections: int) -> Case:
    at_once = (
        f"over {connections} connections at once" if connections > 1 else "one after the other"
    )
    return Case(
        name=name, title=f"Echo of {words}, {at_once}", unit="round trips/s",
        each="round trip", action="echo", size=size, concurrency=connections,
    )  # fmt: skip


_ALL = (
    _echo("echo32", 32, "32 octets", 16),
    _echo("echo1k", 1 << 10, "1 KiB", 16),
    _echo("echo64k", 64 << 10, "64 KiB", 1),
    _echo("echo1m", 1 << 20, "1 MiB", 1),
    _echo("latency", 32, "32 octets", 1),
    Case(
        name="flood", title="100,000 texts of 32 octets from one task", unit="messages/s",
        each="message", action="flood", size=32, requests=100_000,
    ),
    Case(
        name="memory", title="Memory of an idle connection", unit="KiB", higher_is_better=False,
        action="idle", size=1 << 10, concurrency=200, max_rounds=3,
    ),
    Case(
        name="memory-deflate", title="Memory of an idle connection that compresses", unit="KiB",
        higher_is_better=False, action="idle_deflate", size=16 << 10, concurrency=200, max_rounds=3,
    ),
)  # fmt: skip
CASES = {case.name: case for case in _ALL}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the status says whether Wayfare failed anywhere."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.websocket", description=__doc__)
    parser.add_argument("--cases", default=",".join(CASES), help="some of: %(default)s")
    parser.add_argument("--clients", default=",".join(ADAPTERS), help="some of: %(default)s")
    parser.add_argument("--rounds", type=int, default=7, help="rounds; the median counts (7)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round (1)")
    options = parser.parse_args(arguments)
    client_cpu, server_cpu = cores()
    failed = False
    with running(server_cpu) as servers:
        for name in options.cases.split(","):
            job = _job(CASES[name], servers, options.seconds, client_cpu)
            result = _measured(CASES[name], job, options.clients.split(","), options.rounds)
            sys.stdout.write(render(result, ROLES.reference) + "\n")
            sys.stdout.flush()
            failed |= any(row.failure and row.client == ROLES.subject for row in result.rows)
    return 1 if failed else 0


def _job(case: Case, servers: Servers, seconds: float, cpu: int | None) -> Job:
    """The job of a case, for a client that is yet to be named."""
    return Job(
        client="",
        action=case.action,
        url=servers.compressing if case.action == "idle_deflate" else servers.plain,
        size=case.size,
        concurrency=case.concurrency,
        seconds=seconds,
        requests=case.requests,
        cpu=cpu,
    )


def _measured(case: Case, job: Job, clients: Sequence[str], rounds: int) -> Result:
    series = interleave(
        clients,
        min(rounds, case.max_rounds),
        lambda client: run_worker(replace(job, client=client), worker=WORKER),
    )
    rows = summarise(series, ROLES, higher_is_better=case.higher_is_better)
    return Result(case, "asyncio", rows, series)


if __name__ == "__main__":
    sys.exit(main())
