"""The results of a whole run, and their form in JSON."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.rounds import Series
from benchmarks.summary import Row


@dataclass(frozen=True, slots=True)
class Result:
    """One case on one event loop (`loop` is empty where none matters)."""

    case: Case
    loop: str
    rows: tuple[Row, ...]
    series: Mapping[str, Series]


def environment(distributions: Sequence[str], server: str) -> dict[str, str]:
    """Return what the figures depend on: interpreter, machine, and the version of everything."""
    facts = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "server": server,
    }
    return facts | {name: _version(name) for name in distributions}


def to_json(facts: Mapping[str, str], results: Sequence[Result]) -> str:
    """Return the whole run as JSON: facts, and each case with its rows and every sample."""
    cases = [
        {
            "case": result.case.name,
            "title": result.case.title,
            "unit": result.case.unit,
            "higher_is_better": result.case.higher_is_better,
            "loop": result.loop,
            "rows": [asdict(row) for row in result.rows],
            "samples": {
                name: [sample.value for sample in one.samples]
                for name, one in result.series.items()
            },
        }
        for result in results
    ]
    return json.dumps({"environment": dict(facts), "cases": cases}, indent=2) + "\n"


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
