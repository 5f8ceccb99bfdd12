"""The cases: what is measured, in which unit, and which way is better."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from benchmarks.job import Action
from benchmarks.server.nginx import BIG, SMALL, UPLOAD

Kind: TypeAlias = Literal["load", "imports", "instructions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to measure.

    `each` names what the processor time is told for. `kind` says who measures: a worker under load,
    the import timer, or the instruction counter. `loops` is False where the event loop cannot
    matter; `bounded` where a raw socket shows the ceiling. `size` is in octets. `max_rounds` is for
    figures that hardly vary and take long.
    """

    name: str
    title: str
    unit: str
    each: str = "request"
    kind: Kind = "load"
    higher_is_better: bool = True
    action: Action = "requests"
    path: str = "/small"
    size: int = SMALL
    concurrency: int = 1
    requests: int = 0
    tls: bool = False
    loops: bool = True
    bounded: bool = False
    max_rounds: int = 99


_ALL = (
    Case(name="get1", title="Small GET, one after the other", unit="requests/s", bounded=True),
    Case(name="get50", title="Small GET, 50 at once", unit="requests/s", concurrency=50),
    Case(name="get1000", title="Small GET, 1,000 at once", unit="requests/s", concurrency=1000),
    Case(
        name="tls50", title="Small GET over TLS, 50 at once", unit="requests/s",
        concurrency=50, tls=True,
    ),
    Case(
        name="download", title="Download of 256 MiB, streamed", unit="MiB/s", each="MiB",
        action="download", path="/big", size=BIG, bounded=True,
    ),
    Case(
        name="upload", title="Upload of 64 MiB from one bytes object", unit="MiB/s", each="MiB",
        action="upload", path="/upload", size=UPLOAD, bounded=True,
    ),
    Case(
        name="upload-stream", title="Upload of 64 MiB from an async generator",
        unit="MiB/s", each="MiB", action="upload_stream", path="/upload", size=UPLOAD, bounded=True,
    ),
    Case(
        name="memory", title="Memory of an idle connection", unit="KiB", higher_is_better=False,
        action="idle", path="/slow", concurrency=200, max_rounds=3,
    ),
    Case(
        name="memory-tls", title="Memory of an idle TLS connection", unit="KiB",
        higher_is_better=False, action="idle", path="/slow", concurrency=200, tls=True,
        max_rounds=3,
    ),
    Case(
        name="import", title="Import time", unit="ms", kind="imports",
        higher_is_better=False, loops=False,
    ),
    Case(
        name="instructions", title="Instructions per small GET, 50 at once",
        unit="thousand instructions", kind="instructions", higher_is_better=False,
        action="count", concurrency=50, requests=200, max_rounds=1,
    ),
)  # fmt: skip

CASES = {case.name: case for case in _ALL}
"""Every case by its name, in the order in which they run."""
