"""The arithmetic of the benchmarks and what they print; nothing here needs a peer or nginx."""

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import chunked, connections, endurance, multipart_reader, multipart_writer, pipeline
from benchmarks.__main__ import chosen
from benchmarks.cases import CASES, Case
from benchmarks.cases.imports import DEPENDENCIES, measure_import
from benchmarks.cases.instructions import CALLGRIND, PERF
from benchmarks.chart import draw
from benchmarks.clients import BOUND, CLIENTS, REFERENCE, SUBJECT, opener_of
from benchmarks.core_load import CoreLoad, core_seconds
from benchmarks.head_parser import FIELDS, HEAD, measure
from benchmarks.job import Action, Failure, Job, Outcome, Sample, outcome_from_json
from benchmarks.results import Result, to_json
from benchmarks.results import environment as facts_of
from benchmarks.rounds import Series, environment, interleave, run_worker, turns
from benchmarks.server import tiny
from benchmarks.server.nginx import KIB, MIB
from benchmarks.soak import ALLOWED, Census, growth
from benchmarks.summary import Roles, best_peer, ratio, spread, summarise
from benchmarks.table import figure, render, render_facts
from benchmarks.traffic import MIX, Place, make
from benchmarks.websocket import server as websocket_server
from benchmarks.websocket import worker as websocket_worker
from benchmarks.websocket.__main__ import CASES as WEBSOCKET_CASES
from benchmarks.websocket.adapters import ADAPTERS
from benchmarks.websocket.worker import measured

ROLES = Roles(SUBJECT, REFERENCE, frozenset({BOUND}))


def series(*values: float, **details: float) -> Series:
    return Series([Sample(value, dict(details)) for value in values])


def failed(reason: str) -> Series:
    return Series(failure=Failure(reason))


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with tiny.running() as found:
        yield found


# Rounds


def test_every_round_starts_with_another_client() -> None:
    assert "".join(turns(["a", "b", "c"], 4)) == "abc" + "bca" + "cab" + "abc"
    assert list(turns([], 3)) == []


def test_rounds_of_all_clients_are_interleaved() -> None:
    asked: list[str] = []

    def count(name: str) -> Outcome:
        asked.append(name)
        return Sample(float(len(asked)), {})

    found = interleave(["a", "b"], 2, count)
    assert asked == ["a", "b", "b", "a"]
    assert [sample.value for sample in found["b"].samples] == [2.0, 3.0]


def test_a_client_that_fails_is_not_asked_again_but_kept() -> None:
    asked: list[str] = []

    def fail_b(name: str) -> Outcome:
        asked.append(name)
        return Failure("broken") if name == "b" else Sample(1.0, {})

    found = interleave(["a", "b"], 3, fail_b)
    assert asked.count("b") == 1
    assert found["b"].failure == Failure("broken")
    assert len(found["a"].samples) == 3


def test_the_environment_has_neither_proxies_nor_debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "PYTHONASYNCIODEBUG"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("KEPT", "1")
    found = environment()
    assert found["KEPT"] == "1"
    assert not {"http_proxy", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "PYTHONASYNCIODEBUG"} & set(
        found
    )


# Arithmetic


@pytest.mark.parametrize(
    ("ours", "theirs", "higher", "expected"),
    [
        ([200.0], [100.0], True, 2.0),
        ([200.0], [100.0], False, 0.5),
        ([50.0], [100.0], False, 2.0),
        ([0.0], [100.0], False, float("inf")),
    ],
)
def test_a_ratio_says_how_many_times_better(
    ours: list[float], theirs: list[float], higher: bool, expected: float
) -> None:
    assert ratio(ours, theirs, higher_is_better=higher) == expected


def test_a_ratio_is_taken_within_each_round() -> None:
    """A machine that was twice as fast in one round changes no ratio."""
    assert ratio([10.0, 20.0, 10.0], [5.0, 10.0, 5.0], higher_is_better=True) == 2.0
    assert ratio([10.0, 10.0], [5.0], higher_is_better=True) == 2.0


def test_the_spread_is_half_the_range_between_the_quartiles() -> None:
    assert spread([90.0, 95.0, 100.0, 105.0, 110.0]) == pytest.approx(0.05)
    assert spread([100.0]) == 0.0
    assert spread([0.0, 0.0]) == 0.0


def test_the_best_peer_is_neither_the_subject_nor_the_bound() -> None:
    values = {SUBJECT: [9.0], BOUND: [10.0], "httpx": [2.0], REFERENCE: [3.0]}
    assert best_peer(values, ROLES, higher_is_better=True) == REFERENCE
    assert best_peer(values, ROLES, higher_is_better=False) == "httpx"
    assert best_peer({SUBJECT: [9.0]}, ROLES, higher_is_better=True) is None


def test_rows_come_best_first_and_failures_last() -> None:
    found = {
        "httpx": series(1.0, 1.0, 1.0),
        "wreq": failed("no wheel"),
        SUBJECT: series(6.0, 6.0, 6.0, cpu_us=2.0),
        REFERENCE: series(2.0, 3.0, 4.0),
    }
    rows = summarise(found, ROLES, higher_is_better=True)
    assert [row.client for row in rows] == [SUBJECT, REFERENCE, "httpx", "wreq"]
    assert rows[0].median == 6.0
    assert rows[0].to_reference == rows[0].to_best == 2.0
    assert rows[0].details == {"cpu_us": 2.0}
    assert rows[-1].failure == "no wheel"
    assert summarise(found, ROLES, higher_is_better=False)[0].client == "httpx"


def test_without_the_reference_there_is_no_ratio_to_it() -> None:
    rows = summarise({SUBJECT: series(1.0), REFERENCE: failed("x")}, ROLES, higher_is_better=True)
    assert rows[0].to_reference is None
    assert rows[0].to_best is None
    assert summarise({SUBJECT: Series()}, ROLES, higher_is_better=True)[0].failure == "no rounds"


# What is written


def result(**found: Series) -> Result:
    case = CASES["get50"]
    return Result(case, "asyncio", summarise(found, ROLES, higher_is_better=True), found)


def test_the_table_has_a_line_for_everyone() -> None:
    table = render(
        result(
            wayfare=series(46000.0, cpu_us=20.0),
            aiohttp=series(11500.0, cpu_us=80.0),
            wreq=failed("ImportError: none"),
        ),
        REFERENCE,
    )
    assert table.splitlines() == [
        "Small GET, 50 at once (get50, asyncio; more is better)",
        "client   requests/s  spread  x aiohttp  x best peer  CPU µs/request",
        "-------  ----------  ------  ---------  -----------  --------------",
        "wayfare      46,000    0.0%       4.00         4.00           20.00",
        "aiohttp      11,500    0.0%       1.00         1.00           80.00",
        "wreq: FAILED: ImportError: none",
    ]


def test_the_table_leaves_out_what_nobody_has() -> None:
    assert "CPU" not in render(result(wayfare=series(1.0)), REFERENCE)
    assert render(result(wayfare=series(1.0)), REFERENCE).splitlines()[-1].count(" - ") == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [(46123.4, "46,123"), (999.96, "1000.0"), (123.45, "123.5"), (3.14159, "3.14")],
)
def test_figures_are_short(value: float, text: str) -> None:
    assert figure(value) == text


def test_facts_are_aligned() -> None:
    assert render_facts({"a": "1", "long": "2"}) == "a     1\nlong  2\n"


def test_facts_tell_what_is_not_installed() -> None:
    facts = facts_of(["there-is-no-such-client"], "nginx/1")
    assert facts["there-is-no-such-client"] == "not installed"
    assert facts["server"] == "nginx/1"
    assert facts["python"].startswith(("CPython 3", "PyPy 3"))


def test_the_plot_is_well_formed_and_escapes_what_it_shows() -> None:
    plot = draw(
        [
            result(wayfare=series(4.0), aiohttp=series(2.0), httpx=failed("<&>")),
            result(wayfare=failed("all"), aiohttp=failed("failed")),
            result(wayfare=series(0.0)),
        ],
        REFERENCE,
    )
    root = ElementTree.fromstring(plot)
    name = "{http://www.w3.org/2000/svg}"
    assert "failed: <&>" in [text.text for text in root.iter(f"{name}text")]
    bars = [bar for bar in root.iter(f"{name}rect") if bar.get("class") != "page"]
    assert [(bar.get("class"), bar.get("width")) for bar in bars] == [
        ("subject", "440.0"),
        ("peer", "220.0"),
        ("subject", "1.0"),
    ]
    height = float(root.attrib["height"])
    assert all(float(text.attrib["y"]) < height for text in root.iter(f"{name}text"))


def test_the_record_has_every_sample() -> None:
    record = json.loads(to_json({"python": "3"}, [result(wayfare=series(1.0, 3.0))]))
    assert record["environment"] == {"python": "3"}
    (case,) = record["cases"]
    assert (case["case"], case["loop"], case["unit"]) == ("get50", "asyncio", "requests/s")
    assert case["samples"] == {"wayfare": [1.0, 3.0]}
    assert case["rows"][0]["median"] == 2.0


def test_a_busy_core_is_told() -> None:
    quiet = render(result(wayfare=series(1.0, cpu_us=1.0, others=0.02)), REFERENCE)
    busy = render(result(wayfare=series(1.0, cpu_us=1.0, others=0.4)), REFERENCE)
    assert "2%" in quiet
    assert "shared" not in quiet
    assert "40%" in busy
    assert busy.splitlines()[-1].startswith("The core was shared")


def test_a_cores_work_is_read_from_the_systems_own_count() -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    stat = f"cpu  9 9 9 9\ncpu0 1 1 1 1 1 1 1 1\ncpu1 {ticks} {ticks} {ticks} 5 5 5 5 {ticks} 0 0\nintr 1\n"
    assert core_seconds(stat, 1) == 4.0
    assert core_seconds(stat, 7) is None
    assert CoreLoad(None).others() is None


# The command line and the registry


def test_names_are_chosen_from_a_comma_separated_list() -> None:
    assert chosen("get50, get1,", CASES) == ("get50", "get1")
    with pytest.raises(argparse.ArgumentTypeError, match="unknown: gte50"):
        chosen("gte50", CASES)
    with pytest.raises(argparse.ArgumentTypeError, match="choose from"):
        chosen(",", CASES)


def test_the_subject_and_the_reference_are_clients_and_the_bound_is_none() -> None:
    assert {SUBJECT, REFERENCE} < set(CLIENTS)
    assert BOUND not in CLIENTS
    with pytest.raises(KeyError):
        opener_of("nobody")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_only_plain_single_connections_have_a_bound(case: Case) -> None:
    """The bound has one connection and speaks no TLS."""
    assert not case.bounded or (case.concurrency == 1 and not case.tls)


# Workers


def test_jobs_and_outcomes_survive_the_way_to_a_worker_and_back() -> None:
    job = Job(client="x", action="upload", url="http://a/", size=3, ca_file="/ca.pem", cpu=1)
    assert Job.from_json(job.to_json()) == job
    assert job.settings().connections == 1
    for outcome in (Sample(1.5, {"cpu_us": 2.0}), Failure("why")):
        assert outcome_from_json(outcome.to_json()) == outcome
    with pytest.raises(ValueError, match="not an outcome"):
        outcome_from_json("[]")


@pytest.mark.parametrize(
    ("action", "path", "size"), [("requests", "/kib", len(KIB)), ("download", "/mib", MIB)]
)
def test_a_worker_measures_in_a_process_of_its_own(
    origin: str, action: Action, path: str, size: int
) -> None:
    job = Job(client=BOUND, action=action, url=origin + path, size=size, seconds=0.05, warmup=0.0)
    outcome = run_worker(job)
    assert isinstance(outcome, Sample), outcome
    assert outcome.value > 0
    assert outcome.details["requests"] >= 1
    assert outcome.details["cpu_us"] > 0


@pytest.mark.parametrize("path", ["/kib", "/missing"])
def test_a_wrong_answer_is_a_failure(origin: str, path: str) -> None:
    outcome = run_worker(Job(client=BOUND, action="requests", url=origin + path, size=9, warmup=0))
    assert isinstance(outcome, Failure)
    assert outcome.reason.startswith("WrongAnswerError: status ")


def test_a_client_that_is_not_there_fails_alone() -> None:
    outcome = run_worker(Job(client="nobody", action="requests", url="http://a/", size=1))
    assert outcome == Failure("KeyError: 'nobody'")


def test_a_worker_that_dies_is_a_failure() -> None:
    job = Job(client=BOUND, action="requests", url="http://a/", size=1)
    outcome = run_worker(job, ("sh", "-c", "echo gone >&2; exit 3", "sh"))
    assert outcome == Failure("exit 3: gone")
    assert run_worker(job, ("sh", "-c", "exit 3")) == Failure("exit 3: nothing on standard error")


def test_a_worker_that_hangs_is_killed() -> None:
    job = Job(client=BOUND, action="requests", url="http://a/", size=1, seconds=0, warmup=0)
    outcome = run_worker(job, ("sh", "-c", "exec tail -f /dev/null", "sh"), patience=0.1)
    assert outcome == Failure("no result within 0 s")


def test_imports_are_timed_or_fail() -> None:
    outcome = measure_import(DEPENDENCIES, None)
    assert isinstance(outcome, Sample), outcome
    assert outcome.value > 0
    missing = measure_import("there_is_no_such_client", None)
    assert missing == Failure("ModuleNotFoundError: No module named 'there_is_no_such_client'")


def test_the_counters_reports_are_read() -> None:
    assert PERF.read("# started\n\n12345,,instructions:u,99,100.00,,\n") == 12345
    assert PERF.read("<not supported>,,instructions:u,0,100.00,,\n") is None
    assert CALLGRIND.read("version: 1\nsummary: 678\n\ntotals: 678\n") == 678


# The other programs


def test_the_head_that_is_parsed_has_the_fields_it_says() -> None:
    assert HEAD.endswith(b"\r\n\r\n")
    assert len(HEAD.strip().splitlines()) == 1 + FIELDS


@pytest.mark.parametrize("name", ["wayfare", "h11"])
def test_parsers_read_the_head(name: str) -> None:
    outcome = measure(name, 3)
    assert isinstance(outcome, Sample), outcome
    assert outcome.value > 0


def test_a_parser_that_is_not_there_fails_alone() -> None:
    assert measure("nobody", 3) == Failure("KeyError: 'nobody'")


@pytest.mark.parametrize("name", ["wayfare", "h11"])
@pytest.mark.parametrize("read", [7, 1 << 18])
def test_parsers_read_the_chunks(name: str, read: int) -> None:
    outcome = chunked.measure(name, chunked.Shape(content=160, read=read))
    assert isinstance(outcome, Sample), outcome
    assert outcome.value > 0


def test_a_parser_that_loses_content_or_is_not_there_fails_alone() -> None:
    assert chunked.measure("h11", chunked.Shape(content=17)) == Failure("read 16 octets")
    assert chunked.measure("nobody", chunked.Shape()) == Failure("KeyError: 'nobody'")


@pytest.mark.parametrize("name", ["wayfare", "wayfare, pushed", "multipart, pushed"])
@pytest.mark.parametrize("title", multipart_reader.SHAPES)
def test_readers_read_the_parts(name: str, title: str) -> None:
    shape = multipart_reader.SHAPES[title]._replace(parts=3, octets=70_000)
    outcome = multipart_reader.measure(name, shape)
    assert isinstance(outcome, Sample), outcome
    assert outcome.value > 0


@pytest.mark.parametrize(
    "name",
    ["parts, wayfare", "fields, wayfare", "file, wayfare", "file, iterated", "file, bare loop"],
)
def test_writers_write_bodies(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(300_000))
    outcome = multipart_writer.measure(name, path)
    assert isinstance(outcome, Sample), outcome
    assert outcome.value > 0


def test_a_writer_that_is_not_there_fails_alone(tmp_path: Path) -> None:
    assert multipart_writer.measure("nobody", tmp_path) == Failure("KeyError: 'nobody'")


def test_a_reader_that_is_not_there_fails_alone() -> None:
    shape = multipart_reader.Shape(1, 1, multipart_reader.whole)
    assert multipart_reader.measure("nobody", shape) == Failure("KeyError: 'nobody'")


def test_the_soak_traffic_is_a_whole_hundred() -> None:
    assert sum(MIX.values()) == 100


class Unreachable:
    """A session that fails every request."""

    def get(self, url: str) -> object:
        raise ConnectionError(f"no way to {url}")


async def test_an_error_of_the_soak_is_counted_and_does_not_end_it() -> None:
    place = Place("http://a", "http://b", argparse, Unreachable())
    found = await make(place, 20, concurrency=3, seed=7)
    assert found.made.total() == 20
    assert (
        found.errors["keep_alive: ConnectionError: no way to http://a/kib"]
        == found.made["keep_alive"]
        > 0
    )
    again = await make(place, 20, concurrency=3, seed=7)
    assert again == found
    again.add(found)
    assert again.made.total() == 40
    assert again.errors.total() == 2 * found.errors.total()


def census(memory: int = 0, sockets: int = 3, files: int = 7, tasks: int = 1) -> Census:
    return Census(memory, 1000, sockets, files, tasks)


def test_the_soak_forgives_noise_and_no_growth() -> None:
    level = [census(memory) for memory in (0, 9 * ALLOWED, 100, 0, 0, 100, 9 * ALLOWED)]
    assert growth(level) == []
    assert growth([census(), census(), census(2 * ALLOWED), census(2 * ALLOWED)]) == [
        "memory by 2,048 KiB"
    ]
    assert growth([census(), census(sockets=4, files=9, tasks=2)]) == [
        "sockets: 3 to 4",
        "files: 7 to 9",
        "tasks: 1 to 2",
    ]


def test_endurance_says_what_grew_and_what_failed() -> None:
    errors = Counter({"ValueError: x": 2})
    after = census(memory=ALLOWED + 1024, files=8)
    assert endurance.problems(census(), after, errors, ALLOWED) == [
        "2 times: ValueError: x",
        "memory grew by 1,025 KiB",
        "files: 7 to 8",
    ]
    assert endurance.problems(census(), census(memory=ALLOWED), Counter(), ALLOWED) == []


def test_endurance_tells_the_slow_visits_of_a_stretch() -> None:
    tally = endurance.Tally(seconds=[0.001] * 100 + [0.002] * 100)
    assert (tally.slow(0, 0.5), tally.slow(0.5, 1)) == (1.0, 2.0)
    assert endurance.Tally().slow(0, 1) == 0.0


async def test_visits_that_fail_are_counted() -> None:
    async def fails(scene: endurance.Scene) -> None:
        if scene.number % 2:
            raise LookupError("odd")

    servers: Any = None
    session: Any = None
    tally = await endurance.visits(fails, session, servers, 101, "seed")
    assert tally.errors == {"LookupError: odd": 50}
    assert len(tally.seconds) == 101


def test_the_report_of_the_pipeline_says_what_each_case_adds() -> None:
    """Adding is a difference within a round: a slow round does not count for more."""
    found = {
        f"{case} {library}": series(*(value * factor for value in (10.0, 20.0, 30.0)))
        for case, value_of in (("plain", 1), ("middleware", 2), ("tracing", 3), ("redirect", 4))
        for library, factor in (("wayfare", value_of), ("aiohttp", 2 * value_of))
    }
    assert pipeline.added(found, "middleware", "wayfare") == 20.0
    lines = pipeline.report(found)
    assert "plain         2.00 times as fast as aiohttp" in lines
    assert any(line.endswith("adds  40.00 µs, in aiohttp  80.00 µs") for line in lines)


async def test_the_pipeline_is_measured_with_what_each_case_needs() -> None:
    class Refused:
        """A library whose session cannot be made."""

    assert pipeline.options_of(Refused, "plain") == {}
    assert list(pipeline.options_of(Refused, "middleware")) == ["middlewares"]
    passed: list[object] = []

    async def handler(request: object) -> object:
        passed.append(request)
        return "response"

    assert await pipeline.pass_on("request", handler) == "response"
    assert passed == ["request"]


# Many connections


def test_few_and_many_connections_are_measured_side_by_side() -> None:
    asked: list[tuple[str, int]] = []

    def measure(client: str, number: int) -> Outcome:
        asked.append((client, number))
        return Failure("no") if client == "aiohttp" else Sample(float(number), {})

    found = connections.in_pairs(2, measure)
    few, many = connections.FEW, connections.MANY
    assert [number for client, number in asked if client == "wayfare"] == [few, many, many, few]
    assert [sample.value for sample in found["wayfare 3000"].samples] == [3000.0, 3000.0]
    assert found["aiohttp 100"].failure == Failure("no")


def test_what_many_connections_cost_is_told_by_rate_and_by_processor_time() -> None:
    found = {
        "wayfare 100": series(2100.0, 2000.0, 1900.0, cpu_us=10.0),
        "wayfare 3000": series(1890.0, 1600.0, 1900.0, cpu_us=20.0),
        "aiohttp 100": series(100.0, cpu_us=10.0),
        "aiohttp 3000": failed("it fell over"),
    }
    lines, enough = connections.report(found)
    assert lines == [
        "wayfare    3000 connections: 0.90 (0.80 to 1.00) of the rate of 100, "
        "0.50 of it by processor time; 2,000 and 1,890 requests/s",
        "aiohttp    it fell over",
    ]
    assert enough
    slow = series(700.0, 700.0, 700.0, cpu_us=1.0)
    assert connections.report({**found, "wayfare 3000": slow})[1] is False
    assert connections.report({**found, "wayfare 100": failed("no")})[1] is False


# WebSockets


@pytest.mark.parametrize("client", ["wayfare", "aiohttp", "websockets"])
async def test_websocket_clients_do_what_is_measured(client: str) -> None:
    """Against the compressing server, which is there wherever the tests are; picows' is not."""
    server = await websocket_server.serve_compressing()
    job = Job(
        client=client,
        action="echo",
        url=websocket_server.address_of(server),
        size=1000,
        concurrency=3,
        seconds=0.01,
        warmup=0.01,
        requests=40,
    )
    actions: list[Action] = ["echo", "flood", "idle", "idle_deflate"]
    for action in actions:
        sample = await measured(replace(job, action=action))
        if action in ("echo", "flood"):
            assert sample.value > 0
            assert sample.details["cpu_us"] > 0
    server.close()
    await server.wait_closed()


def test_a_websocket_client_that_fails_is_said() -> None:
    job = Job(client="wayfare", action="echo", url="ws://127.0.0.1:1/", size=1)
    outcome = websocket_worker.perform(job)
    assert isinstance(outcome, Failure)
    assert "Connect" in outcome.reason


def test_websocket_cases_have_clients_and_actions() -> None:
    assert {"echo32", "echo1k", "echo64k", "echo1m", "flood", "memory"} <= set(WEBSOCKET_CASES)
    assert {case.action for case in WEBSOCKET_CASES.values()} == set(websocket_worker.MEASURES)
    assert {SUBJECT, REFERENCE, "picows"} <= set(ADAPTERS)
