"""Run the chosen cases with the chosen clients, on the chosen loops."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace

from benchmarks.cases import Case
from benchmarks.cases.imports import DEPENDENCIES, measure_import
from benchmarks.cases.instructions import measure_instructions
from benchmarks.clients import BOUND, REFERENCE, SUBJECT
from benchmarks.job import Job, Loop, Outcome
from benchmarks.results import Result
from benchmarks.rounds import cores, interleave, run_worker
from benchmarks.server import nginx
from benchmarks.summary import Roles, summarise

ROLES = Roles(SUBJECT, REFERENCE, frozenset({BOUND, DEPENDENCIES}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to run; `seconds` of measuring and of `warmup` are per round."""

    cases: tuple[Case, ...]
    clients: tuple[str, ...]
    loops: tuple[Loop, ...]
    rounds: int
    seconds: float
    warmup: float
    pin: bool = True


def run(options: Options) -> Iterator[Result]:
    """Yield the result of each case on each loop, as they are measured.

    Raises:
        nginx.ServerError: a case needs the server, and it does not start.
    """
    client_cpu, server_cpu = cores() if options.pin else (None, None)
    needed = any(case.kind != "imports" for case in options.cases)
    with nginx.running(server_cpu) if needed else nullcontext() as server:
        for case in options.cases:
            for loop in options.loops if case.loops else options.loops[:1]:
                if server is None or case.kind == "imports":
                    measure = _importer(client_cpu)
                else:
                    measure = _measurer(case, _job(case, loop, options, server, client_cpu))
                yield _result(case, loop, options, measure)


def _result(case: Case, loop: Loop, options: Options, measure: Callable[[str], Outcome]) -> Result:
    names = options.clients
    if case.bounded:
        names += (BOUND,)
    if case.kind == "imports":
        names += (DEPENDENCIES,)
    series = interleave(names, min(options.rounds, case.max_rounds), measure)
    rows = summarise(series, ROLES, higher_is_better=case.higher_is_better)
    return Result(case, loop if case.loops else "", rows, series)


def _importer(cpu: int | None) -> Callable[[str], Outcome]:
    return lambda client: measure_import(client, cpu)


def _measurer(case: Case, job: Job) -> Callable[[str], Outcome]:
    perform = measure_instructions if case.kind == "instructions" else run_worker
    return lambda client: perform(replace(job, client=client))


def _job(case: Case, loop: Loop, options: Options, server: nginx.Server, cpu: int | None) -> Job:
    """Return the job of a case, for a client that is yet to be named."""
    return Job(
        client="",
        action=case.action,
        url=(server.tls if case.tls else server.plain) + case.path,
        size=case.size,
        loop=loop,
        concurrency=case.concurrency,
        seconds=options.seconds,
        warmup=options.warmup,
        requests=case.requests,
        ca_file=str(server.ca_file) if case.tls else None,
        cpu=cpu,
    )
