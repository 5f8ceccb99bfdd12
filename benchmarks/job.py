"""The task one short-lived worker process is given, and the sample it gives back, as JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from benchmarks.contract import Settings

Action: TypeAlias = Literal[
    "requests",
    "download",
    "upload",
    "upload_stream",
    "idle",
    "count",
    "echo",
    "flood",
    "idle_deflate",
]
Loop: TypeAlias = Literal["asyncio", "uvloop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One client, one case, one round.

    `size` is in octets: of the body expected, or of the body sent. `seconds` and `warmup` bound the
    measuring and the uncounted time before it; `requests` is a number of requests where the case
    counts instead. `cpu` is the core to stay on, or None where the system cannot pin.
    """

    client: str
    action: Action
    url: str
    size: int
    loop: Loop = "asyncio"
    concurrency: int = 1
    seconds: float = 1.0
    warmup: float = 0.3
    requests: int = 0
    ca_file: str | None = None
    cpu: int | None = None

    def settings(self) -> Settings:
        """Return how the client is opened: room for every task."""
        authority = None if self.ca_file is None else Path(self.ca_file)
        return Settings(connections=self.concurrency, ca_file=authority)

    def to_json(self) -> str:
        """Return the job as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Return the job that `to_json` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Sample:
    """One round's figure, in the case's unit, and what was seen beside it (name to number)."""

    value: float
    details: dict[str, float]

    def to_json(self) -> str:
        """Return the sample as one line of JSON."""
        return json.dumps({"value": self.value, "details": self.details})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a client has no sample: the error it raised, in one line."""

    reason: str

    def to_json(self) -> str:
        """Return the failure as one line of JSON."""
        return json.dumps({"error": self.reason})


Outcome: TypeAlias = Sample | Failure


def outcome_from_json(text: str) -> Outcome:
    """Return the sample or the failure that a worker wrote.

    Raises:
        ValueError: the text is neither.
    """
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"not an outcome: {text!r}")
    if "error" in found:
        return Failure(str(found["error"]))
    return Sample(float(found["value"]), dict(found["details"]))
