"""Run the targets under atheris: `python -m fuzz [--seconds 60 | --total 80] [--jobs 2] [name ...]`.

What was found stays in `.fuzz/`: inputs that reached something new, for the next run to go on from, and inputs that
broke a property. One of those is minimised, put among the target's seeds and mended.
"""

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .targets import CORPUS, TARGETS, Target

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / ".fuzz"

_EXECUTED = re.compile(r"stat::number_of_executed_units: ([0-9]+)", re.ASCII)
_COVERED = re.compile(r"cov: ([0-9]+)", re.ASCII)
SLOWEST = 30
"""Seconds that one input may take. Parsers are linear: more is a finding (H27). The engine counts by the wall clock,
which goes on while a busy machine does something else."""
MEMORY = 1024
"""MiB that one target may take."""


def fuzz(target: Target, seconds: int) -> str | None:
    """Fuzz one target; returns the output of a run that found something, else None."""
    inputs = FOUND / "corpus" / target.name
    inputs.mkdir(parents=True, exist_ok=True)
    crashes = FOUND / "crashes"
    crashes.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".dict", encoding="ascii") as dictionary:
        dictionary.write("".join(f'"{escaped(word)}"\n' for word in target.words))
        dictionary.flush()
        arguments = [
            f"-max_total_time={seconds}",
            f"-timeout={SLOWEST}",
            f"-rss_limit_mb={MEMORY}",
            f"-dict={dictionary.name}",
            f"-artifact_prefix={crashes}/{target.name}-",
            "-print_final_stats=1",
            str(inputs),
            str(CORPUS / target.name),
        ]
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "fuzz.engine", target.name, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    executed, covered = _EXECUTED.findall(done.stdout), _COVERED.findall(done.stdout)
    numbers = (
        f"{executed[-1] if executed else '?':>9} inputs, {covered[-1] if covered else '?':>5} edges"
    )
    verdict = "ok" if done.returncode == 0 else "FAILED"
    print(
        f"   {target.name:<20} {time.monotonic() - started:5.1f} s {numbers}  {verdict}", flush=True
    )
    return done.stdout if done.returncode else None


def escaped(word: str) -> str:
    return "".join(f"\\x{octet:02x}" for octet in word.encode("latin-1"))


def main() -> int:
    """The process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz the parsers.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument(
        "--total",
        type=int,
        metavar="SECONDS",
        help="in place of --seconds: for all targets together",
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at the same time")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(TARGETS)
    if unknown:
        parser.error(f"no target is called {', '.join(sorted(unknown))}")
    if importlib.util.find_spec("atheris") is None:
        print(
            "left out: fuzzing by coverage; atheris is not there for this interpreter and platform"
        )
        return 0
    chosen = [TARGETS[name] for name in arguments.names or TARGETS]
    seconds = arguments.seconds
    if arguments.total is not None:
        seconds = max(1, arguments.total * arguments.jobs // len(chosen))
    with ThreadPoolExecutor(arguments.jobs) as pool:
        outputs = list(pool.map(lambda target: fuzz(target, seconds), chosen))
    failed = [output for output in outputs if output is not None]
    for output in failed:
        print(f"\n{output[-4000:]}")
    if failed:
        print(f"{len(failed)} targets found something; the inputs are in {FOUND / 'crashes'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
