"""Import time: how long a fresh interpreter takes to import a client, without its own start."""

import subprocess
import sys

from benchmarks.job import Failure, Outcome, Sample
from benchmarks.rounds import ROOT, environment

DEPENDENCIES = "dependencies"
"""Not a client: asyncio and what the packages of this repository declare, and nothing else."""

_IMPORTS = {
    DEPENDENCIES: "asyncio, multidict, yarl, aiohappyeyeballs, aiosignal, publicsuffixlist",
    "pyreqwest": "pyreqwest.client",
    "curl_cffi": "curl_cffi.requests",
}
"""What to import where it is not the client's name."""

_PROGRAM = """\
import os, time
if {cpu} is not None:
    os.sched_setaffinity(0, [{cpu}])
start = time.perf_counter()
import {modules}
print(time.perf_counter() - start)
"""


def measure_import(client: str, cpu: int | None) -> Outcome:
    """Return the milliseconds that importing `client` takes in a fresh process."""
    program = _PROGRAM.format(cpu=cpu, modules=_IMPORTS.get(client, client))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return Failure(done.stderr.strip().rpartition("\n")[2][:300])
    return Sample(float(done.stdout) * 1000, {})
